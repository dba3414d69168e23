package cli

import (
	"context"
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

// The names in the state folder: its own, that of the lock of a tenant in the
// tenant's folder, and what the lock of a file is called.
const (
	stateName      = "exoaudit"
	tenantLockName = "tenant.lock"
	lockSuffix     = ".lock"
)

// hostLocks keep other processes of this host off what one of them writes to.
type hostLocks struct {
	held []*flock.Flock
	// place is the lock file of the tenant, empty where there is none.
	place string
}

// lockTenant locks a tenant on this host, in the state folder. Without such a
// folder there is no such lock, and its place is empty: only a journal in a file is locked
// then, or what the store's lease holds back.
func (a *app) lockTenant(tenant string) (*hostLocks, error) {
	l := &hostLocks{}
	folder, err := stateFolder(runtime.GOOS, a.env.Getenv)
	if err != nil {
		return l, nil
	}
	folder = filepath.Join(folder, stateName, tenant)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, invalid("cannot make the state folder, where a tenant is locked: %w; set %s to a folder that can be written",
			err, stateVariable(runtime.GOOS))
	}
	l.place = filepath.Join(folder, tenantLockName)
	return l, l.take(l.place, "this tenant")
}

// openJournal locks and opens a journal in a file. The lock stands beside the file
// itself, behind symbolic links, since a lock on the file would go with a rename.
func (l *hostLocks) openJournal(path, runID string, now func() time.Time) (*journal.File, error) {
	path, err := realPath(path)
	if err != nil {
		return nil, fileProblem("--journal", err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, invalid("the journal %s must be an ordinary file", path)
	}
	if err := l.take(path+lockSuffix, "this journal"); err != nil {
		return nil, err
	}
	f, err := journal.Open(path, runID, now)
	if err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, invalid("--journal: %w", err)
		}
		return nil, noReport("%w", err)
	}
	return f, nil
}

// take takes one lock, or says who has it.
func (l *hostLocks) take(path, what string) error {
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return fileProblem("cannot lock "+what, err)
	}
	if !locked {
		return noReport("another run is writing to %s: %s is locked; wait for it to end", what, path)
	}
	l.held = append(l.held, lock)
	return nil
}

// release gives the locks back.
func (l *hostLocks) release() {
	for _, lock := range slices.Backward(l.held) {
		_ = lock.Unlock()
	}
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
	return "", invalid("there is no state folder (no home folder is set); name a file with --state, or one for the journal with --journal")
}

// lookAtState finds out whether apply could lock the tenant and keep its journal,
// and leaves nothing behind.
func (a *app) lookAtState(ctx context.Context, dsn, tenant string) *doctor.State {
	base, err := stateFolder(runtime.GOOS, a.env.Getenv)
	if err != nil && dsn == "" {
		return &doctor.State{Err: err}
	}
	path, storeErr := a.storePath(dsn)
	if storeErr != nil || path == "" {
		return &doctor.State{Err: storeErr}
	}
	if err == nil {
		folder := filepath.Join(base, stateName, tenant)
		if err := canMake(folder); err != nil {
			return &doctor.State{Path: folder, Err: fmt.Errorf("%w; set %s to a folder that can be written", err, stateVariable(runtime.GOOS))}
		}
	}
	s := &doctor.State{Path: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		s.Err = canMake(filepath.Dir(path))
		return s
	}
	st, err := a.openStore(ctx, dsn, false)
	if s.Err = err; st != nil {
		s.Err = st.Close()
	}
	return s
}

// canMake tells why no file can be made in a folder; where the folder is not there
// yet, in the nearest one above it.
func canMake(folder string) error {
	for {
		f, err := os.CreateTemp(folder, ".exoaudit-doctor-")
		if err == nil {
			return errors.Join(f.Close(), os.Remove(f.Name()))
		}
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return err
		}
		folder = above
	}
}
