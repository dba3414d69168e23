package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Snapshot gives a snapshot.
func (s *Store) Snapshot(ctx context.Context, tenant, name string) (snap store.Snapshot, err error) {
	snap.Name = name
	err = s.read(ctx, func(q queryer) error {
		err := q.QueryRowContext(ctx, "SELECT version, data FROM snapshots WHERE tenant = (SELECT id FROM tenants WHERE name = ?) AND name = ?",
			tenant, name).Scan(&snap.Version, &snap.Data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return snap, err
}

// PutSnapshots puts snapshots in place of those that were read.
func (s *Store) PutSnapshots(ctx context.Context, tenant string, list []store.Snapshot) error {
	if len(list) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := enrol(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, snap := range list {
			if err := put(ctx, tx, tenant, id, snap); err != nil {
				return err
			}
		}
		return nil
	})
}

func put(ctx context.Context, tx *sql.Conn, tenant string, id int64, snap store.Snapshot) error {
	var found int64
	err := tx.QueryRowContext(ctx, "SELECT version FROM snapshots WHERE tenant = ? AND name = ?", id, snap.Name).Scan(&found)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if found != snap.Version {
		return &store.ConflictError{Tenant: tenant, Name: snap.Name}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO snapshots (tenant, name, version, data) VALUES (?1, ?2, ?3, ?4) "+
		"ON CONFLICT (tenant, name) DO UPDATE SET version = ?3, data = ?4", id, snap.Name, found+1, blob(snap.Data))
	return err
}
