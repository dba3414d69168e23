package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Store is a store in a file. It implements store.Store.
type Store struct {
	path string
	now  func() time.Time
	// writer has one connection, so that the writers of this process wait for each
	// other in order; it is nil where the store is read-only. Reader has as many as
	// are in use: who goes through the journal may write meanwhile.
	writer, reader *sql.DB
	// identity is the file as it was opened.
	identity os.FileInfo
	// still is the file as it was when it was opened to be read without its locks;
	// nil where SQLite locks it.
	still os.FileInfo
}

var _ store.Store = (*Store)(nil)

// queryer is a pool of connections, or one of them.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// ReadOnly tells whether the file was opened to be read only.
func (s *Store) ReadOnly() bool { return s.writer == nil }

// Describe names the file.
func (s *Store) Describe() string { return "sqlite:" + s.path }

// Close closes the file. The last process to do so moves the log into it.
func (s *Store) Close() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: closing the store: %w", s.path, err)
	}
	return nil
}

// Examine reads the whole file and checks that it is sound; where it is not, it is a
// *store.FileError that says what is wrong. It takes seconds for each gigabyte.
func (s *Store) Examine(ctx context.Context) error {
	return s.read(ctx, func(q queryer) error {
		found, err := collect[string](ctx, q, "PRAGMA integrity_check(10)")
		if err == nil && (len(found) != 1 || found[0] != "ok") {
			err = &store.FileError{Path: s.path, Why: "it is damaged: " + strings.Join(found, "; ")}
		}
		return err
	})
}

// Tenants lists the tenants of which anything is kept, sorted by their bytes.
func (s *Store) Tenants(ctx context.Context) (names []string, err error) {
	err = s.read(ctx, func(q queryer) error {
		names, err = collect[string](ctx, q, "SELECT name FROM tenants ORDER BY name")
		return err
	})
	return names, err
}

// read reads, and makes sure that what was read without locks is of one piece.
func (s *Store) read(ctx context.Context, f func(q queryer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.explain(ctx, errors.Join(f(s.reader), s.moved()))
}

// nothing is a transaction that changes nothing, and that only a file to which can
// be written allows. To begin one does not tell: of a read-only file SQLite then
// begins to read.
func nothing(ctx context.Context, tx *sql.Conn) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM tenants WHERE false")
	return err
}

// write runs a transaction under SQLite's lock for writing. The context can end the
// waiting and the work, not the commit: whoever is told of an error can be sure
// that nothing was kept.
func (s *Store) write(ctx context.Context, f func(ctx context.Context, tx *sql.Conn) error) error {
	if s.writer == nil {
		return fmt.Errorf("%s: %w", s.path, store.ErrReadOnly)
	}
	return s.explain(ctx, s.transact(ctx, f))
}

func (s *Store) transact(ctx context.Context, f func(ctx context.Context, tx *sql.Conn) error) (err error) {
	if err := s.replaced(); err != nil {
		return err
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	sure := context.WithoutCancel(ctx)
	if _, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err == nil {
		err = f(ctx, conn)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		_, err = conn.ExecContext(sure, "COMMIT")
	}
	if err != nil {
		s.rollBack(sure, conn)
	}
	return err
}

// rollBack ends a transaction, if there is one: SQLite ends it by itself after some
// errors. A connection on which that fails is given up, and the transaction with it.
func (*Store) rollBack(ctx context.Context, conn *sql.Conn) {
	_, err := conn.ExecContext(ctx, "ROLLBACK")
	if err == nil || strings.Contains(err.Error(), "no transaction is active") {
		return
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// replaced tells whether the file was removed or replaced since it was opened:
// what is written now would be lost.
func (s *Store) replaced() error {
	if s.identity == nil {
		return nil
	}
	if info, err := os.Stat(s.path); err != nil || !os.SameFile(info, s.identity) {
		return &store.FileError{Path: s.path, Why: "it was removed or replaced while it was open"}
	}
	return nil
}

// moved tells whether somebody began to write to the file while it was read without
// locks.
func (s *Store) moved() error {
	if s.still == nil {
		return nil
	}
	if info, quiet := standing(s.path); quiet && sameFile(info, s.still) {
		return nil
	}
	return errors.New("another process began to write to it while it was read, try again")
}

// tenantID gives the number of a tenant, and 0 of one of which nothing is kept.
func tenantID(ctx context.Context, q queryer, tenant string) (id int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT id FROM tenants WHERE name = ?", tenant).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// enrol gives the number of a tenant, and a new one to one of which nothing was
// kept.
func enrol(ctx context.Context, tx *sql.Conn, tenant string) (int64, error) {
	id, err := tenantID(ctx, tx, tenant)
	if err != nil || id != 0 {
		return id, err
	}
	done, err := tx.ExecContext(ctx, "INSERT INTO tenants (name) VALUES (?)", tenant)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// collect reads a column.
func collect[T any](ctx context.Context, q queryer, query string, args ...any) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
