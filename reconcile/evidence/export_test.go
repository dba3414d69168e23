package evidence

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Sealing lets tests make an archive of any files, with a seal that fits.
type Sealing struct{ s *sealing }

// NewSealing begins one.
func NewSealing(w io.Writer) *Sealing { return &Sealing{newSealing(w)} }

func (s *Sealing) Write(p []byte) (int, error) { return s.s.Write(p) }

// End adds the manifest, and closes the seal.
func (s *Sealing) End(z *zip.Writer, manifest string) error {
	w, err := z.Create(manifestName)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, manifest); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(manifest))
	if err := z.SetComment(openSeal(hex.EncodeToString(sum[:]))); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return s.s.close()
}
