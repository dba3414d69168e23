package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// SaveRun keeps a run, in place of one of the same id.
func (s *Store) SaveRun(ctx context.Context, r store.Run) error {
	text, err := pack(r.Document)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := enrol(ctx, tx, r.Tenant)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE tenant = ? AND id = ?", id, r.ID); err != nil {
			return err // its document goes with it
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO runs (tenant, id, command, started, finished, scope, verdict, complete, "+
			"tool, policy, policy_digest, wrote, journal_head, journal_file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			id, r.ID, r.Command, r.StartedAt.UnixMilli(), r.FinishedAt.UnixMilli(), r.Scope, r.Verdict, r.Complete,
			r.Tool, r.PolicyName, r.PolicyDigest, r.Wrote, r.JournalHead, r.JournalFile)
		if err == nil && text != nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO documents (tenant, run, text) VALUES (?, ?, ?)", id, r.ID, text)
		}
		return err
	})
}

// pack compresses a document; nil stays nil.
func pack(text []byte) ([]byte, error) {
	if text == nil {
		return nil, nil
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compressing the document of a run: %w", err)
	}
	return out.Bytes(), nil
}

// unpack gives back what was packed.
func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Document gives the document of a run.
func (s *Store) Document(ctx context.Context, tenant, runID string) (text []byte, err error) {
	var packed []byte
	err = s.read(ctx, func(q queryer) error {
		err := q.QueryRowContext(ctx, "SELECT text FROM documents WHERE tenant = (SELECT id FROM tenants WHERE name = ?) AND run = ?",
			tenant, runID).Scan(&packed)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("the document of run %q: %w", runID, store.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if text, err = unpack(packed); err != nil {
		return nil, &store.FileError{Path: s.path, Why: fmt.Sprintf("it is damaged: the document of run %q: %v", runID, err)}
	}
	return text, nil
}

// Runs gives the rows of runs, newest start first, and those that started at the
// same time in the reverse order of their ids. The time from Since is in, Until
// is not.
func (s *Store) Runs(ctx context.Context, tenant string, q store.RunQuery) (list []store.Run, err error) {
	err = s.read(ctx, func(db queryer) error {
		list, err = runs(ctx, db, tenant, q)
		return err
	})
	return list, err
}

func runs(ctx context.Context, db queryer, tenant string, q store.RunQuery) (list []store.Run, err error) {
	since, end, limit := int64(math.MinInt64), int64(math.MaxInt64), -1 // -1 is no limit
	if !q.Since.IsZero() {
		since = q.Since.UnixMilli() // cut to the millisecond, as the rows are
	}
	if !q.Until.IsZero() {
		end = q.Until.Add(time.Millisecond - 1).UnixMilli() // the first millisecond that is not before it
	}
	if q.Limit > 0 {
		limit = q.Limit
	}
	// As bytes, since an id may be cut in the middle of a letter.
	rows, err := db.QueryContext(ctx, "SELECT id, command, started, finished, scope, verdict, complete, "+
		"tool, policy, policy_digest, wrote, journal_head, journal_file FROM runs "+
		"WHERE tenant = (SELECT id FROM tenants WHERE name = ?1) AND started >= ?2 AND started < ?3 "+
		"AND (length(?4) = 0 OR substr(CAST(id AS BLOB), 1, length(?4)) = ?4) ORDER BY started DESC, id DESC LIMIT ?5",
		tenant, since, end, []byte(q.ID), limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := store.Run{Tenant: tenant}
		var started, finished int64
		if err := rows.Scan(&r.ID, &r.Command, &started, &finished, &r.Scope, &r.Verdict, &r.Complete,
			&r.Tool, &r.PolicyName, &r.PolicyDigest, &r.Wrote, &r.JournalHead, &r.JournalFile); err != nil {
			return nil, err
		}
		r.StartedAt, r.FinishedAt = time.UnixMilli(started).UTC(), time.UnixMilli(finished).UTC()
		list = append(list, r)
	}
	return list, rows.Err()
}
