package evidence

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Problem is something that does not fit, and where.
type Problem struct {
	// Place is a file of the bundle, or a part of the archive.
	Place string
	Why   string
}

func (p Problem) String() string { return p.Place + ": " + p.Why }

// Verification is what a look at a bundle found.
type Verification struct {
	// Digest is the SHA-256 of the whole file: sha256: and 64 hex digits.
	Digest string
	// Manifest is empty where it could not be read.
	Manifest Manifest
	// Files is the number of files that were found as the manifest has them.
	Files int
	// Entries is the number of entries of the journal whose chain holds.
	Entries int64
	// Problems are in the order in which they were found; none means that the bundle is
	// as it was made.
	Problems []Problem
}

// Whole tells whether nothing was found that does not fit.
func (v Verification) Whole() bool { return len(v.Problems) == 0 }

// The bounds of what is taken for a bundle.
const (
	maxSize     = 4<<30 - 1 // from there on an archive needs records of another form
	maxFiles    = 1_000
	maxManifest = 4 << 20
	// maxGrowth bounds what may come out of an archive: so many times its own size, and a
	// little. Findings that are much alike shrink to a hundredth.
	maxGrowth = 300
	mayGrow   = 64 << 20
	// maxProblems bounds what is told of a file that has little of a bundle.
	maxProblems = 100
)

// Verify checks a bundle of the given size: against its digest where one is given
// (sha256: and 64 hex digits, else "" for none), against its seal, and file by file
// against its manifest; the journal in it also by its chain. It asks nothing of anybody
// and takes memory for one file of names at most, whatever the bundle claims to hold. An
// error is that of r: what is wrong with the bundle is in the verification.
func Verify(r io.ReaderAt, size int64, digest string) (Verification, error) {
	in := &watched{r: r}
	c := &checking{in: in, size: size}
	c.check(digest)
	if in.err != nil {
		return Verification{}, fmt.Errorf("reading the bundle: %w", in.err)
	}
	return c.v, nil
}

// watched remembers the first error of a reader that is not its end.
type watched struct {
	r   io.ReaderAt
	err error
}

func (w *watched) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 { // An archive may claim to have parts anywhere.
		return 0, io.ErrUnexpectedEOF
	}
	n, err := w.r.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) && w.err == nil {
		w.err = err
	}
	return n, err
}

// checking is a verification under way.
type checking struct {
	in   io.ReaderAt
	size int64
	v    Verification
	// manifest is the digest that the seal has of the manifest.
	manifest string
	// directory is where the archive's directory begins.
	directory int64
}

func (c *checking) wrong(place, format string, args ...any) {
	switch len(c.v.Problems) {
	case maxProblems:
	case maxProblems - 1:
		c.v.Problems = append(c.v.Problems, Problem{placeWhole, "there is more that does not fit"})
	default:
		c.v.Problems = append(c.v.Problems, Problem{place, fmt.Sprintf(format, args...)})
	}
}

// The places that are not files.
const (
	placeWhole   = "the whole file"
	placeSeal    = "the seal (the comment of the archive)"
	placeArchive = "the archive's own records (its headers and its directory)"
)

func (c *checking) check(digest string) {
	if c.size > maxSize {
		c.wrong(placeWhole, "it is larger than any bundle")
		return
	}
	sealed := c.checkSeal()
	if digest != "" && !strings.EqualFold(digest, c.v.Digest) {
		c.wrong(placeWhole, "its SHA-256 is %s, and not the one that was given", c.v.Digest)
	}
	before := len(c.v.Problems)
	c.checkFiles()
	if !sealed && c.manifest != "" && len(c.v.Problems) == before {
		c.wrong(placeArchive, "a byte was changed, added or removed there, or before or between the files: all files are as the manifest has them")
	}
}

// checkSeal reads the whole file once, and tells whether the seal fits.
func (c *checking) checkSeal() bool {
	whole, sum := sha256.New(), sha256.New()
	before := max(0, c.size-int64(sealLength))
	copyInto(io.MultiWriter(whole, sum), io.NewSectionReader(c.in, 0, before))
	text, _ := io.ReadAll(io.NewSectionReader(c.in, before, c.size-before))
	whole.Write(text)
	c.v.Digest = digestOf(whole)
	manifest, seal, ok := parseSeal(text)
	if !ok {
		c.wrong(placeSeal, "there is none at the end of the file: it is no bundle, or bytes were changed, cut off or added there")
		return false
	}
	c.manifest = manifest
	if seal != hex.EncodeToString(sum.Sum(nil)) {
		c.wrong(placeSeal, "it does not fit what is before it")
		return false
	}
	return true
}

// copyInto copies what can be read; the error of the reader is watched.
func copyInto(w io.Writer, r io.Reader) { _, _ = io.Copy(w, r) }

func digestOf(h hash.Hash) string { return digestPrefix + hex.EncodeToString(h.Sum(nil)) }

// checkFiles checks the archive and every file in it.
func (c *checking) checkFiles() {
	if !c.checkEnd() {
		return
	}
	z, err := zip.NewReader(c.in, c.size)
	if err != nil {
		c.wrong(placeArchive, "they cannot be read: %v", err)
		return
	}
	byName, ok := c.list(z)
	if !ok {
		return
	}
	c.checkLayout(z)
	if !c.readManifest(byName[manifestName]) {
		return
	}
	listed := map[string]bool{manifestName: true}
	for _, f := range c.v.Manifest.Files {
		switch {
		case listed[f.Name]:
			c.wrong(f.Name, "the manifest names it twice")
			continue
		case byName[f.Name] == nil:
			c.wrong(f.Name, "it is missing")
		default:
			c.checkFile(byName[f.Name], f)
		}
		listed[f.Name] = true
	}
	for _, f := range z.File {
		if !listed[f.Name] {
			c.wrong(shownName(f.Name), "it is not in the manifest")
		}
	}
	if f := byName[journalName]; f != nil {
		c.checkJournal(f)
	}
}
