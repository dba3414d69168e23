package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// code gives SQLite's primary result code of an error; 0 where it has none.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff // the rest is the extended part
	}
	return 0
}

// damaged tells whether SQLite could not make sense of the file.
func damaged(err error) bool {
	c := code(err)
	return c == codes.SQLITE_CORRUPT || c == codes.SQLITE_NOTADB
}

// busy tells whether another process was in the way for too long.
func busy(err error) bool {
	c := code(err)
	return c == codes.SQLITE_BUSY || c == codes.SQLITE_LOCKED
}

// unwritable tells whether the file, or the folder in which its log has to be,
// takes no writes.
func unwritable(err error) bool {
	switch code(err) {
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return true
	}
	return false
}

// explain says of an error of SQLite what it means for the user, and gives the
// errors of package store where it is one of them. Others it leaves alone.
func (s *Store) explain(ctx context.Context, err error) error {
	switch code(err) {
	case 0:
		return s.explainOwn(ctx, err)
	case codes.SQLITE_CORRUPT:
		return &store.FileError{Path: s.path, Why: "it is damaged: " + err.Error()}
	case codes.SQLITE_NOTADB:
		return &store.FileError{Path: s.path, Why: "it is not an SQLite database"}
	case codes.SQLITE_FULL:
		return fmt.Errorf("%s: the disk is full, and nothing of this was kept; make room for it: %w", s.path, err)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("%s: another process has been writing to it for more than %s: %w", s.path, busyTimeout, err)
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return fmt.Errorf("%s: %w (%w)", s.path, store.ErrReadOnly, err)
	case codes.SQLITE_CANTOPEN:
		if beside(s.path, "-wal") {
			return fmt.Errorf("%s: a process that was killed left a log beside it, which cannot be read where nothing can be written; "+
				"copy both files to where something can: %w", s.path, err)
		}
	case codes.SQLITE_INTERRUPT:
		if gone := ctx.Err(); gone != nil {
			return gone
		}
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// explainOwn names the file where the error does not come from SQLite, nor
// speaks for itself.
func (s *Store) explainOwn(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) || spoken(err) {
		return err
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// spoken tells whether an error is one of package store already.
func spoken(err error) bool {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrReadOnly) {
		return true
	}
	return is[*store.HeadMovedError](err) || is[*store.ConflictError](err) || is[*store.LeaseHeldError](err) ||
		is[*store.LeaseLostError](err) || is[*store.FileError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
