package evidence

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// archive writes the files of a bundle, one after the other, and keeps their digests.
type archive struct {
	seal     *sealing
	zip      *zip.Writer
	modified time.Time
	files    []File
}

// File is one file of a bundle. Its SHA-256 is in hex.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// newArchive begins an archive whose files all have one time.
func newArchive(w io.Writer, modified time.Time) *archive {
	s := newSealing(w)
	return &archive{seal: s, zip: zip.NewWriter(s), modified: modified.UTC().Truncate(time.Second)}
}

// add writes one file as it is produced.
func (a *archive) add(name string, write func(io.Writer) error) error {
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.modified})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.New()
	counted := &counting{w: io.MultiWriter(w, sum)}
	out := bufio.NewWriterSize(counted, 64<<10)
	if err := write(out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	a.files = append(a.files, File{Name: name, Size: counted.n, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// close ends the archive with its seal. The last file added is the manifest.
func (a *archive) close() error {
	manifest := a.files[len(a.files)-1].SHA256
	if err := a.zip.SetComment(openSeal(manifest)); err != nil {
		return err
	}
	if err := a.zip.Close(); err != nil {
		return err
	}
	return a.seal.close()
}

// counting counts what it passes on.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
