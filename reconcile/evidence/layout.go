package evidence

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
)

// What stands before and after the packed bytes of a file (APPNOTE.TXT 4.3.7, 4.3.9).
const (
	headSignature = "PK\x03\x04"
	headLength    = 30
	tailSignature = "PK\x07\x08"
	tailLength    = 16
	tailLength64  = 24
	// flagTail says that sum and sizes stand after the file and not before it, as where
	// an archive is written as a stream.
	flagTail = 0x8
	// maxHead is more than stands before any file of a bundle.
	maxHead = 1 << 10
)

// checkLayout holds the archive to the one form that bundles have: file after file from
// the first byte to the directory, each named before its bytes and measured after them
// as the directory has it, and none with a mode. An archive may say such things twice,
// and programs differ in which they go by: what is checked here is what any unpacks.
func (c *checking) checkLayout(z *zip.Reader) {
	at := int64(0)
	for _, f := range z.File {
		if f.Comment != "" || f.ExternalAttrs != 0 || f.CreatorVersion>>8 != 0 || f.Flags != flagTail {
			c.wrong(placeArchive, "the directory says more of %s than of any file of a bundle", f.Name)
			return
		}
		from, err := f.DataOffset()
		if err != nil || !fitsHead(c.part(at, from-at), f) {
			c.wrong(placeArchive, "what stands before %s is not what the directory says of it", f.Name)
			return
		}
		at = from + int64(f.CompressedSize64) //nolint:gosec // What is too large ends nowhere in the file.
		tail := c.part(at, lengthOfTail(f))
		if !fitsTail(tail, f) {
			c.wrong(placeArchive, "what stands after %s is not what the directory says of it", f.Name)
			return
		}
		at += int64(len(tail))
	}
	if at != c.directory {
		c.wrong(placeArchive, "there is something between the files and the directory")
	}
}

// part reads some bytes; it gives nil where there are not so many.
func (c *checking) part(at, n int64) []byte {
	if at < 0 || n < 0 || n > maxHead || at > c.size-n {
		return nil
	}
	b, _ := io.ReadAll(io.NewSectionReader(c.in, at, n)) // the error is watched
	if int64(len(b)) != n {
		return nil
	}
	return b
}

// fitsHead tells whether a record before a file says of it what the directory says, and
// leaves its sum and sizes open.
func fitsHead(b []byte, f *zip.File) bool {
	if len(b) < headLength || !bytes.HasPrefix(b, []byte(headSignature)) {
		return false
	}
	half := func(i int) uint16 { return binary.LittleEndian.Uint16(b[i:]) }
	name, extra, named := bytes.Cut(b[headLength:], []byte(f.Name))
	return half(6) == f.Flags && half(8) == f.Method && len(bytes.Trim(b[14:26], "\x00")) == 0 &&
		int(half(26)) == len(f.Name) && int(half(28)) == len(extra) &&
		named && len(name) == 0 && fitsExtra(extra, f)
}

// fitsExtra compares the further fields: the directory has one more where the size of a
// file takes more than 32 bits (APPNOTE.TXT 4.5.3).
func fitsExtra(extra []byte, f *zip.File) bool {
	more, same := bytes.CutPrefix(f.Extra, extra)
	return same && (len(more) == 0 || lengthOfTail(f) == tailLength64 && len(more) == 28 && more[0] == 1 && more[1] == 0)
}

func lengthOfTail(f *zip.File) int64 {
	if f.UncompressedSize64 >= 1<<32-1 {
		return tailLength64
	}
	return tailLength
}

// fitsTail tells whether a record after a file has its sum and its sizes.
func fitsTail(b []byte, f *zip.File) bool {
	if !bytes.HasPrefix(b, []byte(tailSignature)) || binary.LittleEndian.Uint32(b[4:]) != f.CRC32 {
		return false
	}
	if len(b) == tailLength64 {
		return binary.LittleEndian.Uint64(b[8:]) == f.CompressedSize64 && binary.LittleEndian.Uint64(b[16:]) == f.UncompressedSize64
	}
	return uint64(binary.LittleEndian.Uint32(b[8:])) == f.CompressedSize64 && uint64(binary.LittleEndian.Uint32(b[12:])) == f.UncompressedSize64
}
