package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// The archive's comment is the last thing in its file and always of one length:
//
//	exoaudit/evidence/v1 manifest=<64 hex digits> seal=<64 hex digits>
//
// The seal is the SHA-256 of all bytes of the file before the comment.
const (
	sealBefore = Schema + " manifest="
	sealMiddle = " seal="
	hexLength  = 2 * sha256.Size
	sealLength = len(sealBefore) + hexLength + len(sealMiddle) + hexLength
)

// sealText writes a seal.
func sealText(manifest, seal string) string { return sealBefore + manifest + sealMiddle + seal }

// parseSeal reads a seal; false means that the text is none.
func parseSeal(text []byte) (manifest, seal string, ok bool) {
	if len(text) != sealLength {
		return "", "", false
	}
	manifest = string(text[len(sealBefore) : len(sealBefore)+hexLength])
	seal = string(text[sealLength-hexLength:])
	return manifest, seal, sealText(manifest, seal) == string(text) && isHex(manifest) && isHex(seal)
}

// isHex takes lower case only: one hash has one spelling.
func isHex(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && hex.EncodeToString(b) == s
}

// sealing passes on an archive that ends with an open seal, and closes it. It holds
// back as many bytes as a seal has: which ones are the last is known at the end only.
type sealing struct {
	w     io.Writer
	held  []byte
	sum   hash.Hash // of what comes before the seal
	whole hash.Hash
	size  int64
}

func newSealing(w io.Writer) *sealing {
	return &sealing{w: w, sum: sha256.New(), whole: sha256.New()}
}

func (s *sealing) Write(p []byte) (int, error) {
	s.held = append(s.held, p...)
	n := len(s.held) - sealLength
	if n <= 0 {
		return len(p), nil
	}
	if err := s.pass(s.held[:n]); err != nil {
		return 0, err
	}
	s.sum.Write(s.held[:n])
	s.held = append(s.held[:0], s.held[n:]...)
	return len(p), nil
}

func (s *sealing) pass(p []byte) error {
	n, err := s.w.Write(p)
	s.whole.Write(p[:n])
	s.size += int64(n)
	return err
}

// openSeal is the seal of an archive whose sum is not known yet.
func openSeal(manifest string) string {
	return sealText(manifest, string(bytes.Repeat([]byte("0"), hexLength)))
}

// close writes the seal in the place of the open one.
func (s *sealing) close() error {
	manifest, _, ok := parseSeal(s.held)
	if !ok {
		return errors.New("the archive does not end with an open seal")
	}
	return s.pass([]byte(sealText(manifest, hex.EncodeToString(s.sum.Sum(nil)))))
}

// digest is the SHA-256 of the whole file.
func (s *sealing) digest() string { return digestPrefix + hex.EncodeToString(s.whole.Sum(nil)) }

// digestPrefix is before every digest that people see.
const digestPrefix = "sha256:"
