package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// use is what a command does with a file.
type use int

const (
	reads    use = iota
	replaces     // writes it anew: --out, --report
	appends      // the journal of this run
	keeps        // a store, with what belongs to it
	locks        // the file beside the one that is named
)

// claim is one file of a command. Nothing may be replaced that the same
// command reads or writes elsewhere, nor what is on record.
type claim struct {
	flag, path string
	use        use
	// settled, where it is set, is given the path behind symbolic links: a link
	// is written through, not replaced.
	settled *string
	real    string
	info    fs.FileInfo // nil where there is no such file
}

// settleClaims finds every collision, and every target that cannot be
// written, before anything is sent.
func (a *app) settleClaims(claims []claim) error {
	for i := range claims {
		if err := claims[i].resolve(); err != nil {
			return err
		}
	}
	claims = append(claims, a.kept()...)
	for i, c := range claims {
		for _, other := range claims[:i] {
			if collide(c.use, other.use) && c.same(other) {
				return invalid("%s and %s are the same file, %s; name another",
					other.flag, c.flag, report.Line(other.real))
			}
		}
	}
	for _, c := range claims {
		if err := c.check(); err != nil {
			return err
		}
		if c.settled != nil {
			*c.settled = c.real
		}
	}
	return nil
}

// collide tells which uses of one file exclude each other.
func collide(a, b use) bool {
	if a == replaces || b == replaces {
		return true
	}
	harms := func(u use) bool { return u == reads || u == appends || u == locks }
	return a == appends && harms(b) || b == appends && harms(a)
}

// resolve finds the file. What is only read is looked at as it is named.
func (c *claim) resolve() error {
	c.real = c.path
	if c.use != reads {
		var err error
		if c.real, err = realPath(c.path); err != nil {
			return fileProblem(c.flag, err)
		}
		if c.use == locks {
			c.real += lockSuffix
		}
	}
	c.info, _ = os.Stat(c.real)
	return nil
}

func (c *claim) same(other claim) bool {
	switch {
	case c.info != nil && other.info != nil:
		return os.SameFile(c.info, other.info)
	case c.info != nil || other.info != nil:
		return false
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin": // where names differ by more than case
		return strings.EqualFold(c.real, other.real)
	default:
		return c.real == other.real
	}
}

// check makes sure that a target can be written. For a file that is replaced
// the attempt is made, since permissions alone do not tell.
func (c *claim) check() error {
	if c.use != replaces && c.use != appends {
		return nil
	}
	if c.info != nil && !c.info.Mode().IsRegular() {
		if c.use == appends {
			return invalid("%s %s: a journal must be an ordinary file", c.flag, report.Line(c.path))
		}
		return invalid("%s %s is not an ordinary file; leave it out and redirect standard output", c.flag, report.Line(c.path))
	}
	if c.use == appends {
		return nil
	}
	f, err := newPendingFile(c.real)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err // its path is a temporary one
		}
		return invalid("%s: cannot write %s: %w", c.flag, report.Line(c.path), err)
	}
	f.discard()
	return nil
}

// kept gives the store and the locks in the state folder. Which of them are this
// tenant's may be known only after a request, and none may be replaced.
func (a *app) kept() []claim {
	state, err := stateFolder(runtime.GOOS, a.env.Getenv)
	if err != nil {
		return nil
	}
	state = filepath.Join(state, stateName)
	if state, err = filepath.EvalSymlinks(state); err != nil {
		return nil // then nothing is kept
	}
	folders, _ := os.ReadDir(state)
	out := []claim{
		{flag: "the store of runs", path: storeName, use: keeps},
		{flag: "the log of the store", path: storeName + "-wal", use: keeps},
		{flag: "the index of the store", path: storeName + "-shm", use: keeps},
	}
	for _, f := range folders {
		out = append(out, claim{flag: "the lock of a tenant", path: filepath.Join(f.Name(), tenantLockName), use: locks})
	}
	for i := range out {
		out[i].path = filepath.Join(state, out[i].path)
		out[i].real = out[i].path
		out[i].info, _ = os.Stat(out[i].real)
	}
	return out
}

// realPath gives the absolute path of a file behind symbolic links. The file
// need not exist, its folder must. The error is a *fs.PathError.
func realPath(path string) (string, error) {
	for range 40 { // as many as Linux follows
		whole, err := absolute(path)
		if err != nil {
			return "", unresolved(path, err)
		}
		dir, base := filepath.Split(whole)
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return "", unresolved(path, err)
		}
		path = filepath.Join(dir, base)
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // It is no link, or not there yet.
		}
		if !filepath.IsAbs(target) {
			target = dir + string(filepath.Separator) + target
		}
		path = target
	}
	return "", unresolved(path, errors.New("too many symbolic links"))
}

// absolute does not clean the path where that could change its meaning: what
// ".." leads to after a symbolic link is for the file system to say.
func absolute(path string) (string, error) {
	switch {
	case filepath.IsAbs(path):
		return path, nil
	case runtime.GOOS == "windows":
		return filepath.Abs(path)
	}
	wd, err := os.Getwd()
	return wd + string(filepath.Separator) + path, err
}

func unresolved(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return &fs.PathError{Op: opWrite, Path: path, Err: err}
}
