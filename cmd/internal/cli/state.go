package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/exoaudit/exoaudit/reconcile/doctor"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// The names in the folder of a tenant.
const (
	stateName      = "exoaudit"
	journalName    = "journal.ndjson"
	tenantLockName = "tenant.lock"
	lockSuffix     = ".lock"
)

// record is an open journal of a tenant to which no other process writes.
type record struct {
	*journal.File
	locks []*flock.Flock
}

// openJournal locks a tenant and opens the journal of its changes, at the
// given path or in the user's state folder. There are two locks: runs with
// different journals must not write to one tenant at a time, and runs on
// different tenants not to one journal.
func (a *app) openJournal(path, tenant, runID string) (*record, error) {
	r := &record{}
	if err := a.lockTenant(r, tenant, &path); err != nil {
		return nil, errors.Join(err, r.unlock())
	}
	if err := r.open(path, runID, a.env.Now); err != nil {
		return nil, errors.Join(err, r.unlock())
	}
	a.logger().Info("recording changes in " + path)
	if n := len(r.Open()); n > 0 {
		a.logger().Warn(fmt.Sprintf("%d writes of earlier runs have no recorded outcome; this run reads the tenant afresh", n))
	}
	return r, nil
}

// lockTenant takes the lock of a tenant in the state folder. A path that is
// empty it sets to the journal there.
func (a *app) lockTenant(r *record, tenant string, path *string) error {
	folder, err := stateFolder(runtime.GOOS, a.env.Getenv)
	if err != nil {
		if *path == "" {
			return err
		}
		a.logger().Warn("there is no state folder (no home folder is set), so only the journal is locked: " +
			"a run on this tenant with another journal is not held back")
		return nil
	}
	folder = filepath.Join(folder, stateName, tenant)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return invalid("cannot make the state folder, where a tenant is locked: %w; set %s to a folder that can be written",
			err, stateVariable(runtime.GOOS))
	}
	if *path == "" {
		*path = filepath.Join(folder, journalName)
	}
	return r.take(filepath.Join(folder, tenantLockName), "this tenant")
}

// open locks and opens the journal. The lock stands beside the file itself,
// behind symbolic links, since a lock on the file would go with a rename.
func (r *record) open(path, runID string, now func() time.Time) error {
	path, err := realPath(path)
	if err != nil {
		return fileProblem("--journal", err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return invalid("the journal %s must be an ordinary file", path)
	}
	if err := r.take(path+lockSuffix, "this journal"); err != nil {
		return err
	}
	if r.File, err = journal.Open(path, runID, now); err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return invalid("--journal: %w", err)
		}
		return noReport("%w", err)
	}
	return nil
}

// take takes one lock, or says who has it.
func (r *record) take(path, what string) error {
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return fileProblem("cannot lock "+what, err)
	}
	if !locked {
		return noReport("another run is writing to %s: %s is locked; wait for it to end", what, path)
	}
	r.locks = append(r.locks, lock)
	return nil
}

func (r *record) unlock() error {
	var errs []error
	for _, lock := range slices.Backward(r.locks) {
		errs = append(errs, lock.Unlock())
	}
	return errors.Join(errs...)
}

// close gives the journal back. Every entry is on disk already, so a failure
// to close loses nothing.
func (r *record) close() {
	_ = r.File.Close()
	_ = r.unlock()
}

// stateVariable names the variable that moves the state folder.
func stateVariable(system string) string {
	switch system {
	case "windows":
		return "LOCALAPPDATA"
	case "darwin":
		return "HOME"
	default:
		return "XDG_STATE_HOME"
	}
}

// stateFolder gives the folder for what a program keeps between runs, as each
// system has it.
func stateFolder(system string, getenv func(string) string) (string, error) {
	home := getenv("HOME")
	switch system {
	case "windows":
		if d := getenv("LOCALAPPDATA"); d != "" {
			return d, nil
		}
	case "darwin":
		if home != "" {
			return filepath.Join(home, "Library", "Application Support"), nil
		}
	default:
		// A relative XDG_STATE_HOME is to be ignored, says its specification.
		if d := getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
			return d, nil
		}
		if home != "" {
			return filepath.Join(home, ".local", "state"), nil
		}
	}
	return "", invalid("there is no state folder for the journal (no home folder is set); name a file with --journal")
}

// lookAtState finds out whether apply could keep its journal, and leaves
// nothing behind. Where the folder of the tenant is not there yet, the nearest
// one above it is tried.
func (a *app) lookAtState(tenant string) *doctor.State {
	base, err := stateFolder(runtime.GOOS, a.env.Getenv)
	if err != nil {
		return &doctor.State{Err: err}
	}
	folder := filepath.Join(base, stateName, tenant)
	s := &doctor.State{Path: folder}
	if f, err := os.OpenFile(filepath.Join(folder, journalName), os.O_WRONLY|os.O_APPEND, 0); err == nil {
		s.Err = f.Close()
		return s
	} else if !errors.Is(err, fs.ErrNotExist) {
		s.Err = err
		return s
	}
	for {
		f, err := os.CreateTemp(folder, ".exoaudit-doctor-")
		if err == nil {
			s.Err = errors.Join(f.Close(), os.Remove(f.Name()))
			return s
		}
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			s.Err = fmt.Errorf("%w; set %s to a folder that can be written", err, stateVariable(runtime.GOOS))
			return s
		}
		folder = above
	}
}
