package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"

	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// record is an open journal that no other process writes to.
type record struct {
	*journal.File
	lock *flock.Flock
}

// openJournal opens the journal of a tenant, at the given path or in the
// user's state folder, and locks it. The lock stands beside the journal, since
// a lock on the file itself would go with a rename.
func (a *app) openJournal(path, tenant, runID string) (*record, error) {
	if path == "" {
		folder, err := stateFolder(runtime.GOOS, a.env.Getenv)
		if err != nil {
			return nil, err
		}
		folder = filepath.Join(folder, "exoaudit", tenant)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, invalid("cannot make the state folder: %w; name a file with --journal", err)
		}
		path = filepath.Join(folder, "journal.ndjson")
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fileProblem("--journal", err)
	}
	if !locked {
		return nil, noReport("another run is writing to this tenant: %s is locked; wait for it to end", lock.Path())
	}
	f, err := journal.Open(path, runID, a.env.Now)
	if err != nil {
		err = errors.Join(err, lock.Unlock())
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, invalid("--journal: %w", err)
		}
		return nil, noReport("%w", err)
	}
	a.logger().Info("recording changes in " + path)
	return &record{File: f, lock: lock}, nil
}

// close gives the journal back. Every entry is on disk already, so a failure
// to close loses nothing.
func (r *record) close() {
	_ = r.File.Close()
	_ = r.lock.Unlock()
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
