package evidence

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// list looks at what the archive claims to hold, before anything of it is unpacked.
// False means that no more of it is to be read.
func (c *checking) list(z *zip.Reader) (map[string]*zip.File, bool) {
	if len(z.File) > maxFiles {
		c.wrong(placeArchive, "there are %d files, more than in any bundle", len(z.File))
		return nil, false
	}
	byName, folded := map[string]*zip.File{}, map[string]bool{}
	grown, most := uint64(0), uint64(c.size)*maxGrowth+mayGrow //nolint:gosec // The size is not negative, and bounded.
	sound := true
	for _, f := range z.File {
		low := strings.ToLower(f.Name)
		switch {
		case !plainPath(f.Name):
			c.wrong(shownName(f.Name), "no file of a bundle has such a name")
			sound = false
		case folded[low]:
			c.wrong(f.Name, "it is there twice")
			sound = false
		case f.Method != zip.Deflate && f.Method != zip.Store || f.Flags&1 != 0:
			c.wrong(f.Name, "it is packed in a way that no bundle is")
			sound = false
		}
		byName[f.Name], folded[low] = f, true
		if f.UncompressedSize64 > most || grown > most-f.UncompressedSize64 {
			c.wrong(placeArchive, "it claims to hold more than any bundle of its size")
			return nil, false
		}
		grown += f.UncompressedSize64
	}
	return byName, sound
}

// plainPath takes the names that bundles have: letters, digits and a few signs, in
// folders, and never a way out of one.
func plainPath(name string) bool {
	return len(name) <= 200 && fs.ValidPath(name) && name != "." && !strings.ContainsFunc(name, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		default:
			return !strings.ContainsRune("-_./", r)
		}
	})
}

// shownName makes a name fit for one line.
func shownName(name string) string {
	if name == "" {
		return "a file without a name"
	}
	if len(name) > 100 {
		name = name[:100] + "…"
	}
	return report.Line(name)
}

// unpack reads a file to its end, up to one byte more than it claims to have.
func unpack(f *zip.File, each func(io.Reader) error) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()     // it was only read
	limit := int64(f.UncompressedSize64) //nolint:gosec // It was bounded before.
	return each(io.LimitReader(r, limit+1))
}

// readManifest reads the manifest; false means that there is none to go by.
func (c *checking) readManifest(f *zip.File) bool {
	switch {
	case f == nil:
		c.wrong(manifestName, "it is missing")
		return false
	case f.UncompressedSize64 > maxManifest:
		c.wrong(manifestName, "it is larger than any manifest")
		return false
	}
	var text []byte
	err := unpack(f, func(r io.Reader) (err error) {
		text, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		c.wrong(manifestName, "it cannot be unpacked: %v", err)
		return false
	}
	if sum := sha256.Sum256(text); c.manifest != "" && hex.EncodeToString(sum[:]) != c.manifest {
		c.wrong(manifestName, "its SHA-256 is not the one in the seal")
	}
	if err := json.Unmarshal(text, &c.v.Manifest); err != nil {
		c.v.Manifest = Manifest{}
		c.wrong(manifestName, "it cannot be read: %v", err)
		return false
	}
	if c.v.Manifest.Schema != Schema {
		c.wrong(manifestName, "its schema is %q, and this version knows %s", shownName(c.v.Manifest.Schema), Schema)
		return false
	}
	return true
}

// checkFile holds a file against what the manifest says of it.
func (c *checking) checkFile(f *zip.File, want File) {
	sum, n := sha256.New(), int64(0)
	err := unpack(f, func(r io.Reader) (err error) {
		n, err = io.Copy(sum, r)
		return err
	})
	switch {
	case err != nil:
		c.wrong(f.Name, "it cannot be unpacked: %v", err)
	case n != want.Size:
		c.wrong(f.Name, "it has %d bytes, and the manifest says %d", n, want.Size)
	case hex.EncodeToString(sum.Sum(nil)) != want.SHA256:
		c.wrong(f.Name, "its SHA-256 is not the one in the manifest")
	default:
		c.v.Files++
	}
}

// checkJournal goes through the part of the journal that the bundle has.
func (c *checking) checkJournal(f *zip.File) {
	want := c.v.Manifest.Journal
	at := journal.Tail{Seq: want.PreviousSeq, Head: want.PreviousHash}
	var tail journal.Tail
	err := unpack(f, func(r io.Reader) (err error) {
		tail, err = journal.Follow(at, journal.Lines(r), func(journal.Line, journal.Entry) error {
			c.v.Entries++
			return nil
		})
		return err
	})
	broken, isBroken := errors.AsType[*journal.ChainError](err)
	switch {
	case isBroken:
		c.wrong(f.Name, "%v", broken)
	case err != nil:
		return // It cannot be unpacked, which was said.
	case tail.Torn:
		c.wrong(f.Name, "its last line is only the beginning of one")
	case tail.Head != want.HeadHash || tail.Seq != want.HeadSeq || c.v.Entries != want.Entries:
		c.wrong(f.Name, "it ends with entry %d, and the manifest names entry %d as the head", tail.Seq, want.HeadSeq)
	}
}
