package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Acquire takes the lease of a tenant. A token is never given twice, also not after
// a release.
func (s *Store) Acquire(ctx context.Context, tenant string, h store.Holder, ttl time.Duration) (lease store.Lease, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := enrol(ctx, tx, tenant)
		if err != nil {
			return err
		}
		last, held, err := leaseOf(ctx, tx, id, tenant)
		if err != nil {
			return err
		}
		now := s.now()
		// The holder of a place has the lock of it, so the one before is gone.
		samePlace := h.Place != "" && h.Place == last.Holder.Place
		if held && !samePlace && now.Before(last.Until) {
			return &store.LeaseHeldError{Tenant: tenant, Holder: last.Holder, Until: last.Until}
		}
		lease = store.Lease{Tenant: tenant, Token: last.Token + 1, Holder: h, Until: until(now, ttl)}
		_, err = tx.ExecContext(ctx, "INSERT INTO leases (tenant, token, holder, place, until, held) VALUES (?1, ?2, ?3, ?4, ?5, 1) "+
			"ON CONFLICT (tenant) DO UPDATE SET token = ?2, holder = ?3, place = ?4, until = ?5, held = 1",
			id, lease.Token, h.Name, h.Place, lease.Until.UnixMilli())
		return err
	})
	if err != nil {
		return store.Lease{}, err
	}
	return lease, nil
}

// Renew prolongs a lease that nobody took.
func (s *Store) Renew(ctx context.Context, l store.Lease, ttl time.Duration) (store.Lease, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := tenantID(ctx, tx, l.Tenant)
		if err != nil {
			return err
		}
		if err := inForce(ctx, tx, id, l); err != nil {
			return err
		}
		l.Until = until(s.now(), ttl)
		_, err = tx.ExecContext(ctx, "UPDATE leases SET until = ? WHERE tenant = ?", l.Until.UnixMilli(), id)
		return err
	})
	if err != nil {
		return store.Lease{}, err
	}
	return l, nil
}

// Release ends a lease, and leaves that of another alone.
func (s *Store) Release(ctx context.Context, l store.Lease) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		id, err := tenantID(ctx, tx, l.Tenant)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE leases SET held = 0 WHERE tenant = ? AND token = ? AND held = 1 AND holder = ? AND place = ?",
			id, l.Token, l.Holder.Name, l.Holder.Place)
		return err
	})
}

// Holding gives the lease of a tenant, also one whose time is over.
func (s *Store) Holding(ctx context.Context, tenant string) (lease store.Lease, err error) {
	err = s.read(ctx, func(q queryer) error {
		id, err := tenantID(ctx, q, tenant)
		if err != nil {
			return err
		}
		last, held, err := leaseOf(ctx, q, id, tenant)
		if held {
			lease = last
		}
		return err
	})
	return lease, err
}

// leaseOf gives the last lease of a tenant, and whether it was not given back.
func leaseOf(ctx context.Context, q queryer, id int64, tenant string) (l store.Lease, held bool, err error) {
	l.Tenant = tenant
	var end int64
	err = q.QueryRowContext(ctx, "SELECT token, holder, place, until, held FROM leases WHERE tenant = ?", id).
		Scan(&l.Token, &l.Holder.Name, &l.Holder.Place, &end, &held)
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	l.Until = time.UnixMilli(end).UTC()
	return l, held, err
}

// inForce makes sure that a lease is the last one that was given, and was not given
// back. That its time is over does not matter as long as nobody took it.
func inForce(ctx context.Context, q queryer, id int64, l store.Lease) error {
	last, held, err := leaseOf(ctx, q, id, l.Tenant)
	switch {
	case err != nil:
		return err
	case !held:
		return &store.LeaseLostError{Tenant: l.Tenant}
	case last.Token != l.Token || last.Holder != l.Holder:
		return &store.LeaseLostError{Tenant: l.Tenant, By: last.Holder}
	}
	return nil
}

// until is the end of a lease, to the millisecond as it is kept.
func until(now time.Time, ttl time.Duration) time.Time {
	return now.Add(ttl).UTC().Truncate(time.Millisecond)
}
