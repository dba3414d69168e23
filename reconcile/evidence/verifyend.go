package evidence

import (
	"bytes"
	"encoding/binary"
	"io"
)

// The record at the end of a zip archive (APPNOTE.TXT 4.3.16), which stands before the
// archive's comment.
const (
	endSignature = "PK\x05\x06"
	endLength    = 22
	// maxDirectory is more than the directory of the most files takes.
	maxDirectory = 1 << 20
)

// checkEnd looks at the archive's last record before anything reads the directory that
// it points at: a directory takes memory for each file that it names, and is read as far
// as it goes, whatever number of files is declared. False means that the archive is not
// to be opened.
func (c *checking) checkEnd() bool {
	at := c.size - int64(sealLength) - endLength
	if at < 0 {
		c.wrong(placeArchive, "the file is too short to hold any")
		return false
	}
	b, err := io.ReadAll(io.NewSectionReader(c.in, at, endLength+int64(sealLength)))
	if err != nil || len(b) != endLength+sealLength {
		return false // The error is watched.
	}
	half := func(i int) int64 { return int64(binary.LittleEndian.Uint16(b[i:])) }
	word := func(i int) int64 { return int64(binary.LittleEndian.Uint32(b[i:])) }
	disks, files, size, from := half(4)|half(6), half(10), word(12), word(16)
	switch {
	case !bytes.HasPrefix(b, []byte(endSignature)) || half(20) != int64(sealLength) || bytes.Contains(b[endLength:], []byte(endSignature)):
		c.wrong(placeArchive, "they do not end where those of a bundle do")
	case files > maxFiles:
		c.wrong(placeArchive, "there are %d files, more than in any bundle", files)
	case disks != 0 || half(8) != files || size > maxDirectory || from+size != at:
		c.wrong(placeArchive, "the directory is not where that of a bundle is")
	default:
		c.directory = from
		return true
	}
	return false
}
