package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Append adds lines at the end of a journal, if the lease is the one in force and
// the journal ends where the caller thinks.
func (s *Store) Append(ctx context.Context, l store.Lease, after store.Head, lines []store.Line) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := tenantID(ctx, tx, l.Tenant)
		if err != nil {
			return err
		}
		if err := inForce(ctx, tx, id, l); err != nil {
			return err
		}
		found, err := head(ctx, tx, id)
		if err != nil {
			return err
		}
		if found != after {
			return &store.HeadMovedError{Tenant: l.Tenant, Want: after, Found: found}
		}
		return insert(ctx, tx, id, after.Seq, lines)
	})
}

func insert(ctx context.Context, tx *sql.Conn, tenant, seq int64, lines []store.Line) (err error) {
	add, err := tx.PrepareContext(ctx, "INSERT INTO journal (tenant, seq, prev, hash, entry) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, add.Close()) }()
	for _, line := range lines {
		seq++
		if _, err := add.ExecContext(ctx, tenant, seq, line.Prev, line.Hash, blob(line.Entry)); err != nil {
			return err
		}
	}
	return nil
}

// blob is data that is not null, also where there is none.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// Head gives the end of a journal.
func (s *Store) Head(ctx context.Context, tenant string) (h store.Head, err error) {
	err = s.read(ctx, func(q queryer) error {
		id, err := tenantID(ctx, q, tenant)
		if err != nil {
			return err
		}
		h, err = head(ctx, q, id)
		return err
	})
	return h, err
}

func head(ctx context.Context, q queryer, tenant int64) (h store.Head, err error) {
	err = q.QueryRowContext(ctx, "SELECT seq, hash FROM journal WHERE tenant = ? ORDER BY seq DESC LIMIT 1", tenant).
		Scan(&h.Seq, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return h, err
}

// Lines gives the lines of a journal that were there when it was asked, as they
// stand. Lines that are added meanwhile are not among them.
func (s *Store) Lines(ctx context.Context, tenant string, after int64) iter.Seq2[store.Line, error] {
	return func(yield func(store.Line, error) bool) {
		stopped := false
		err := s.read(ctx, func(q queryer) (err error) {
			rows, err := q.QueryContext(ctx, "SELECT prev, hash, entry FROM journal "+
				"WHERE tenant = (SELECT id FROM tenants WHERE name = ?) AND seq > ? ORDER BY seq", tenant, after)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, rows.Close()) }()
			for rows.Next() {
				var line store.Line
				if err := rows.Scan(&line.Prev, &line.Hash, (*[]byte)(&line.Entry)); err != nil {
					return err
				}
				if stopped = !yield(line, nil); stopped {
					return nil
				}
			}
			return rows.Err()
		})
		if err != nil && !stopped {
			yield(store.Line{}, err)
		}
	}
}
