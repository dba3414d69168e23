package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

var errDied = errors.New("the store died")

// dying is a store that dies at one of the calls that change it: before it, or
// after it has had its effect. From then on it does nothing, as for a process that was
// killed, or a disk that is full.
type dying struct {
	store.Store
	mu    sync.Mutex
	left  int
	after bool
}

// change lets a call through, and dies at the last one.
func (d *dying) change(f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	if d.left < 0 || d.left == 0 && !d.after {
		d.left = -1
		return errDied
	}
	err := f()
	if d.left == 0 {
		d.left = -1
		return errors.Join(err, errDied)
	}
	return err
}

func (d *dying) died() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left < 0
}

func (d *dying) Append(ctx context.Context, l store.Lease, after store.Head, lines []store.Line) error {
	return d.change(func() error { return d.Store.Append(ctx, l, after, lines) })
}

func (d *dying) SaveRun(ctx context.Context, r store.Run) error {
	return d.change(func() error { return d.Store.SaveRun(ctx, r) })
}

func (d *dying) PutSnapshots(ctx context.Context, tenant string, list []store.Snapshot) error {
	return d.change(func() error { return d.Store.PutSnapshots(ctx, tenant, list) })
}

func (d *dying) Acquire(ctx context.Context, tenant string, h store.Holder, ttl time.Duration) (l store.Lease, err error) {
	err = d.change(func() error {
		l, err = d.Store.Acquire(ctx, tenant, h, ttl)
		return err
	})
	return l, err
}

func (d *dying) Release(ctx context.Context, l store.Lease) error {
	return d.change(func() error { return d.Store.Release(ctx, l) })
}

// diesUnder asks for writes of several kinds, in two rings.
const diesUnder = `
organization: {mailboxAuditing: true}
mailboxes: {everyone: {record: {owner: {defaults: true, plus: [SearchQueryInitiated]}}, ageLimit: 90d}}
bypass: {}
guards: {maxChangedPercent: 100, rings: [3]}
`

// TestStoreDies: wherever in a run the store dies, no write is made that is not in the
// journal, no later look takes for in line what is not, and the next run finds its
// way: it closes what is open, and brings the tenant in line.
func TestStoreDies(t *testing.T) {
	t.Parallel()
	storeDies(t, 5)
}

// TestLargeStoreDies lets it die at every change.
func TestLargeStoreDies(t *testing.T) {
	if testing.Short() {
		t.Skip("lets the store die at each of its changes; run without -short")
	}
	t.Parallel()
	storeDies(t, 1)
}

// storeDies lets the store die at each nth change, until a run is over before.
func storeDies(t *testing.T, nth int) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint("after the effect ", after), func(t *testing.T) {
			t.Parallel()
			for n := 1; n < 200; n += nth {
				survived := false
				synctestRun(t, func(t *testing.T) { survived = storeDiesAt(t, n, after) })
				if survived {
					if n < 12 {
						t.Errorf("a run has %d calls that change the store", n)
					}
					return
				}
			}
			t.Error("a run never ended")
		})
	}
}

// storeDiesAt lets the store die at its n-th change, and tells whether the run was
// over before.
func storeDiesAt(t *testing.T, n int, after bool) (survived bool) {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 24, Users: 3, Bypassed: 0.1, AuditDisabled: true})
	b, path := newBench(t, tenant), filepath.Join(t.TempDir(), "state.db")
	p := parse(t, diesUnder)
	st := openStore(t, path)
	shorten(tenant, users(tenant)[:8]...)
	b.remembering(st, b.later(diesUnder, "first"))
	time.Sleep(10 * time.Minute)
	shorten(tenant, users(tenant)[8:10]...)

	d := &dying{Store: st, left: n, after: after}
	b.applyAnyhow(d, b.later(diesUnder, "dies"))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if survived = !d.died(); survived {
		b.satisfied(p)
	}
	time.Sleep(time.Minute)
	b.reconnect()
	st = openStore(t, path)
	wantRecorded(t, b, st)

	req := b.later(diesUnder, "look")
	req.SinceLastRun = true
	plan, err := b.session(st).Check(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if findings, _ := judge(t, p, tenant); plan.Verdict(strict) == reconcile.VerdictInLine && len(findings) > 0 {
		t.Errorf("death %d: in line, says a look since the last run; the oracle: %v", n, findings)
	}
	if err := b.session(st).Keep(t.Context(), "check", plan, strict); err != nil {
		t.Error(err)
	}

	run := b.applying(st, b.later(diesUnder, "next"))
	if got := run.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("death %d: the next run ends %s: %v, stopped %q, warnings %q", n, got, run.Results(), run.Stopped, run.Warnings)
	}
	b.satisfied(p)
	if open := wantRecorded(t, b, st); open != 0 {
		t.Errorf("death %d: %d intents are open after the next run", n, open)
	}
	return survived
}

func openStore(t *testing.T, path string) store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// applyAnyhow applies as applying does, and takes every failure for the end.
func (b *bench) applyAnyhow(st store.Store, req reconcile.Request) {
	session := b.session(st)
	w, err := session.Begin(b.ctx(), req.RunID, nil, "")
	if err != nil {
		return
	}
	defer func() { _ = w.Close() }()
	plan, err := w.Check(b.ctx(), req)
	if err != nil {
		return
	}
	if run, err := w.Apply(b.ctx(), plan, reconcile.ApplyOptions{Now: time.Now}); err == nil {
		_ = w.Keep(b.ctx(), "apply", run, strict, noDocument)
	}
}

// wantRecorded checks the journal: its chain holds, and it has at least an intent
// for each write that the service has seen. It gives the number of open ones.
func wantRecorded(t *testing.T, b *bench, st store.Store) (open int) {
	t.Helper()
	var pending journal.Pending
	subjects := map[string]bool{}
	_, err := journal.Follow(journal.Tail{}, st.Lines(t.Context(), b.tenant.ID(), 0), func(_ journal.Line, e journal.Entry) error {
		pending.Take(e)
		if e.Intent != nil {
			subjects[strings.ToLower(e.Intent.Subject.ID)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatalf("the journal: %v", err)
	}
	for _, call := range b.service.Calls() {
		for _, c := range call.Cmdlets {
			if c.Cmdlet != "Set-Mailbox" && c.Cmdlet != "Set-MailboxAuditBypassAssociation" {
				continue
			}
			if id := fmt.Sprint(c.Parameters["Identity"]); !subjects[strings.ToLower(id)] {
				t.Errorf("%s %s has no intent", c.Cmdlet, id)
			}
		}
	}
	return len(pending.Open())
}
