package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// mark is the application_id of a store, "exoa" in ASCII.
const mark = 0x65786f61

// schemas holds the steps from each version of the schema to the next, in the
// order of their names.
//
//go:embed schema/*.sql
var schemas embed.FS

// migrations gives the steps: the first makes version 1 of an empty file.
func migrations() ([]string, error) {
	names, err := fs.Glob(schemas, "schema/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(schemas, name)
		if err != nil {
			return nil, err
		}
		steps[i] = string(text)
	}
	return steps, nil
}

// header is what a file says of itself.
type header struct {
	mark, version, objects, page int
}

func readHeader(ctx context.Context, q queryer) (header, error) {
	var h header
	err := q.QueryRowContext(ctx, "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema), p.page_size "+
		"FROM pragma_application_id AS a, pragma_user_version AS v, pragma_page_size AS p").Scan(&h.mark, &h.version, &h.objects, &h.page)
	return h, err
}

// blank tells whether nobody has put anything into the file.
func (h header) blank() bool { return h.mark == 0 && h.version == 0 && h.objects == 0 }

// judge tells why a file of this header is no store that this program can use; nil
// where it is one, or has nothing in it at all.
func (h header) judge(path string, latest int) error {
	switch {
	case h.blank():
		return nil
	case h.mark != mark:
		return &store.FileError{Path: path, Why: "it is an SQLite database of another program"}
	case h.version > latest:
		return &store.FileError{Path: path, Why: fmt.Sprintf("its schema version %d is newer than %d, the one this program knows", h.version, latest)}
	case h.version < 1 || h.objects == 0:
		return &store.FileError{Path: path, Why: "it is damaged: it has the mark of a store, and not its tables"}
	}
	return nil
}

// migrate brings the schema to the version that steps lead to, each step whole or
// not at all. The version is read again under the lock of each, since another
// process may do the same.
func (s *Store) migrate(ctx context.Context, steps []string) error {
	for {
		h, err := readHeader(ctx, s.writer)
		if err == nil {
			err = h.judge(s.path, len(steps))
		}
		if err != nil || h.version == len(steps) {
			return err
		}
		if err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error { return s.step(ctx, tx, steps) }); err != nil {
			return err
		}
	}
}

// step takes one step, if there still is one to take.
func (s *Store) step(ctx context.Context, tx *sql.Conn, steps []string) error {
	h, err := readHeader(ctx, tx)
	if err == nil {
		err = h.judge(s.path, len(steps))
	}
	if err == nil && h.version < len(steps) {
		_, err = tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", steps[h.version], h.version+1))
	}
	return err
}
