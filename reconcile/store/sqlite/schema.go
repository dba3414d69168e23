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
	mark, version, objects int
}

func readHeader(ctx context.Context, q queryer) (header, error) {
	var h header
	err := q.QueryRowContext(ctx, "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema) "+
		"FROM pragma_application_id AS a, pragma_user_version AS v").Scan(&h.mark, &h.version, &h.objects)
	return h, err
}

// judge tells why a file of this header is no store that this program can use; nil
// where it is one, or has nothing in it at all.
func (h header) judge(path string, latest int) error {
	switch {
	case h == header{}:
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
	h, err := readHeader(ctx, s.writer)
	for err == nil && h.version < len(steps) {
		err = s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
			if h, err = readHeader(ctx, tx); err != nil {
				return err
			}
			if err := h.judge(s.path, len(steps)); err != nil || h.version == len(steps) {
				return err
			}
			h.version++
			_, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", steps[h.version-1], h.version))
			return err
		})
	}
	if err != nil {
		return err
	}
	return h.judge(s.path, len(steps))
}
