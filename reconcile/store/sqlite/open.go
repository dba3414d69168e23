package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Open opens the store in the file at path, and makes the file, of mode 0600, and
// its folder, of mode 0700, where they are not there. A file that cannot be
// used as one is a *store.FileError. One that cannot be written to is opened to
// be read: see [Store.ReadOnly]. Leases run by the clock now.
func Open(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	return open(ctx, path, now, "")
}

// open opens a store whose connections run a further pragma.
func open(ctx context.Context, path string, now func() time.Time, pragma string) (*Store, error) {
	steps, err := migrations()
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("the path of a store: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of a store: %w", err)
	}
	empty, err := look(path)
	if err != nil {
		return nil, err
	}
	if empty {
		err = orphaned(path)
	} else {
		err = probe(ctx, path, len(steps))
	}
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, now: now}
	if err := s.openWritable(ctx, steps, pragma, empty); err == nil {
		return s, nil
	} else if closing := s.Close(); !unwritable(err) || empty {
		return nil, errors.Join(s.explain(ctx, err), closing)
	}
	return OpenReadOnly(ctx, path, now)
}

// openWritable opens the connections, and brings the file up to date.
func (s *Store) openWritable(ctx context.Context, steps []string, pragma string, empty bool) error {
	dsn := dsn{path: s.path, mode: "rw", pragma: pragma}
	if empty {
		// A template of mode 0600: SQLite itself would give a new file the mode
		// that the umask leaves.
		template, err := os.CreateTemp(filepath.Dir(s.path), ".exoaudit-new-")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(template.Name()) }()
		if err := template.Close(); err != nil {
			return err
		}
		dsn.mode, dsn.modeOf = "rwc", template.Name()
		// An empty file that somebody made beforehand will hold names of mailboxes.
		_ = os.Chmod(s.path, 0o600)
	}
	var err error
	if s.writer, err = dsn.open(); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := s.migrate(ctx, steps); err != nil {
		return err
	}
	if s.identity, err = os.Stat(s.path); err != nil {
		return err
	}
	// The log is chosen after the first commit, so that no file without our mark
	// is ever left by a crash. Where another process is in the way it stays with
	// the rollback journal until the next opening, which is slower, not less safe.
	if _, err := s.writer.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil && !busy(err) {
		return err
	}
	if err := s.write(ctx, nothing); err != nil && !busy(err) {
		return err
	}
	s.reader, err = dsn.reading().open()
	return err
}

// OpenReadOnly opens the store in the file at path to be read, and changes nothing
// in it. A file that is not there is fs.ErrNotExist; one of an older version, which
// would first have to be brought up to date, is a *store.FileError. Writes
// give store.ErrReadOnly.
func OpenReadOnly(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	steps, err := migrations()
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("the path of a store: %w", err)
	}
	empty, err := look(path)
	if err != nil {
		return nil, err
	}
	if empty {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("opening a store: %w", err)
		}
		return nil, &store.FileError{Path: path, Why: "it is empty, and nothing is written to it here"}
	}
	if err := probe(ctx, path, len(steps)); err != nil {
		return nil, err
	}
	s := &Store{path: path, now: now}
	if err := s.openReadable(ctx, len(steps)); err != nil {
		return nil, errors.Join(s.explain(ctx, err), s.Close())
	}
	return s, nil
}

func (s *Store) openReadable(ctx context.Context, latest int) error {
	info, quiet := standing(s.path)
	if quiet {
		s.still = info
	}
	var err error
	if s.reader, err = (dsn{path: s.path, mode: "ro", immutable: quiet}).open(); err != nil {
		return err
	}
	h, err := readHeader(ctx, s.reader)
	if err != nil {
		return err
	}
	if h.mark == mark && h.version > 0 && h.version < latest {
		return &store.FileError{Path: s.path, Why: fmt.Sprintf(
			"its schema version %d is older than %d, and it cannot be brought up to date without writing to it", h.version, latest)}
	}
	return h.judge(s.path, latest)
}

// look looks at what is at path before SQLite does: whether it has nothing in it,
// or is not there.
func look(path string) (empty bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Another process may have made the file in between.
		if info, err = os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return false, &store.FileError{Path: path, Why: "it is a symbolic link to a file that is not there"}
		}
	}
	if err != nil {
		return false, fmt.Errorf("opening a store: %w", err)
	}
	if !info.Mode().IsRegular() {
		return false, &store.FileError{Path: path, Why: "it is not an ordinary file"}
	}
	return info.Size() == 0, nil
}
