package daemon

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// shaky is a store in which things go wrong when the test says so.
type shaky struct {
	store.Store
	row, meanwhile atomic.Bool
}

func (s *shaky) SaveRun(ctx context.Context, r store.Run) error {
	if s.row.Load() {
		return errBroken
	}
	return s.Store.SaveRun(ctx, r)
}

func (s *shaky) PutSnapshots(ctx context.Context, tenant string, list []store.Snapshot) error {
	if s.meanwhile.Load() {
		return &store.ConflictError{Tenant: tenant, Name: list[0].Name}
	}
	return s.Store.PutSnapshots(ctx, tenant, list)
}

// observed adds figures and health to a service.
func observed(t *testing.T, b *bench) (*Metrics, *Health) {
	t.Helper()
	m, err := NewMetrics(nil, "exoaudit v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	h := healthy(t, m)
	b.daemon.cfg.Hooks = append(b.daemon.cfg.Hooks, Observing(m, h, b.daemon.cfg.Now))
	return m, h
}

// tooOld is what is missing where no sweep is young enough.
const tooOld = "there is no complete sweep that is young enough, so all runs are incomplete"

// TestServeReloadWithoutPause: what the old assignment has to finish, such as messages
// to a receiver that hangs, delays no run, and is waited for at the end.
func TestServeReloadWithoutPause(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.closes = 10 * time.Minute
		stop := b.start()
		defer stop()
		wait(5*time.Minute - time.Second)
		b.forget()
		b.daemon.Reload()
		wait(3 * time.Second)
		if got := b.runs(); !slices.Equal(got, []string{loopIncremental}) {
			t.Errorf("ran %v, want the run that was due right after the reload", got)
		}
		b.closes = 0 // and yet the old one is waited for
	})
}

// TestServeNarrowLoopRuns: a wide loop that only checks, and takes longer than its
// interval, leaves their turn to those for which it does not stand.
func TestServeNarrowLoopRuns(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.bypass, b.mode = "1m", "incremental=apply"
		stop := b.start()
		defer stop()
		wait(6 * time.Minute)
		b.forget()
		m := b.tenant.AddMailbox(weak("new@contoso.com"))
		wait(12 * time.Minute)
		if !b.inLine(m.Guid) || slices.Index(b.runs(), loopBypass) < 0 {
			t.Errorf("after %v the new mailbox is in line: %t", b.runs(), b.inLine(m.Guid))
		}
	}, simulator.WithFaults(simulator.Delayed("Get-OrganizationConfig", 0, 2*time.Minute)))
}

// TestServeNamesWhatIsOpen: what is left open at the end is named although the run
// cannot be remembered any more.
func TestServeNamesWhatIsOpen(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 30, Drift: 1}, func(t *testing.T, b *bench) {
		st := &shaky{Store: b.store}
		b.store, b.mode = st, "apply"
		stop := b.start()
		wait(3 * time.Second)
		st.row.Store(true)
		stop()
		if b.logged("left open") == 0 || b.logged("could not be remembered") != 1 {
			t.Errorf("the log says nothing of what is open:\n%s", b.log.String())
		}
	}, simulator.WithFaults(simulator.Delayed("$batch", 0, 10*time.Minute)))
}

// TestServeSweepNotRemembered: a sweep of which later runs do not know, since another
// process kept its own meanwhile, is none for the figures, and is made again soon.
func TestServeSweepNotRemembered(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		st := &shaky{Store: b.store}
		st.meanwhile.Store(true)
		b.store, b.incremental = st, "12h"
		m, h := observed(t, b)
		stop := b.start()
		defer stop()
		wait(time.Second)
		series(t, m, map[string]string{"exoaudit_last_complete_sweep_timestamp_seconds": "0"})
		if got := h.Missing(t.Context()); !slices.Equal(got, []string{tooOld}) {
			t.Errorf("missing is %q", got)
		}
		st.meanwhile.Store(false)
		wait(2 * time.Minute)
		if got := b.runs(); !slices.Equal(got, []string{loopFull, loopFull}) {
			t.Errorf("ran %v", got)
		}
		if got := h.Missing(t.Context()); got != nil {
			t.Errorf("after the second sweep missing is %q", got)
		}
	})
}

// TestServeRunNotListed: that another run kept its own meanwhile hides no other error.
func TestServeRunNotListed(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		st := &shaky{Store: b.store}
		st.meanwhile.Store(true)
		st.row.Store(true)
		b.store = st
		m, _ := observed(t, b)
		stop := b.start()
		defer stop()
		wait(time.Second)
		series(t, m, map[string]string{"exoaudit_last_complete_sweep_timestamp_seconds": "0"})
		if e := b.last(); e.Verdict() != verdictError || b.logged("broken on purpose") != 1 {
			t.Errorf("the run ended %s: %v", e.Verdict(), e.Err)
		}
	})
}

// TestServeWithoutFreshSweep: from the greatest age of a sweep on, runs over what is new
// are incomplete, and the probe and the figures say so; once a sweep works, all is as
// before.
func TestServeWithoutFreshSweep(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass, b.full = "1h", "12h", "0 4 * * *"
		m, h := observed(t, b)
		stop := b.start()
		defer stop()
		wait(time.Minute)
		began := seconds(b.last().Plan.CreatedAt)
		b.service.AddFaults(simulator.Fault{Name: "some", Cmdlet: "Get-Mailbox", Do: simulator.DoRefuse})
		wait(25 * time.Hour)
		if got := h.Missing(t.Context()); slices.Contains(got, tooOld) {
			t.Errorf("while the sweep is young missing is %q", got)
		}
		wait(2 * time.Hour)
		if got := h.Missing(t.Context()); !slices.Contains(got, tooOld) || b.last().Complete() {
			t.Errorf("missing is %q, %s", got, b.last().Verdict())
		}
		series(t, m, map[string]string{"exoaudit_last_complete_sweep_timestamp_seconds": formatted(began)})
		b.service.DisarmFaults()
		wait(61 * time.Minute)
		if got := h.Missing(t.Context()); got != nil || !b.last().Complete() {
			t.Errorf("after it works again missing is %q, %s", got, b.last().Verdict())
		}
	})
}

// TestServeRareSweeps: where sweeps are further apart than a sweep may be old, nothing
// in between is taken for the whole.
func TestServeRareSweeps(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass, b.full = "1h", "12h", "0 4 15 * *"
		_, h := observed(t, b)
		stop := b.start()
		defer stop()
		wait(25*time.Hour + time.Minute)
		if e := b.last(); e.Verdict() != "inLine" || h.Missing(t.Context()) != nil {
			t.Errorf("a day after the sweep: %s, missing %q", e.Verdict(), h.Missing(t.Context()))
		}
		wait(2 * time.Hour)
		if e := b.last(); e.Verdict() != "incomplete" || !slices.Equal(h.Missing(t.Context()), []string{tooOld}) {
			t.Errorf("27 hours after it: %s, missing %q", e.Verdict(), h.Missing(t.Context()))
		}
	})
}

// TestServeClockPutBack: a sweep that is to be made again does not wait until a clock
// that was put back has caught up.
func TestServeClockPutBack(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(48 * time.Hour))
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.daemon.cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		b.incremental, b.bypass, b.full = "6h", "6h", "24h"
		b.service.AddFaults(simulator.Refused("Get-Mailbox"))
		stop := b.start()
		defer stop()
		wait(8 * time.Minute) // at 0, 1, 3, 7; the next is at 15
		b.service.DisarmFaults()
		b.forget()
		ahead.Store(int64(43 * time.Hour))
		wait(10 * time.Minute)
		if got := b.runs(); !slices.Equal(got, []string{loopFull}) {
			t.Errorf("ran %v, want the sweep again", got)
		}
	})
}

// TestServeReloadSchedule: by a new schedule what has come since the last run is due at
// once, and one that is longer keeps the run that the old one had promised.
func TestServeReloadSchedule(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass, b.full = "12h", "12h", "24h"
		stop := b.start()
		defer stop()
		wait(2 * time.Hour)
		b.forget()
		b.full = "1h"
		b.daemon.Reload()
		wait(time.Second)
		if got := b.runs(); !slices.Equal(got, []string{loopFull}) {
			t.Errorf("ran %v, want the sweep that is due by now", got)
		}
		b.full = "24h"
		b.daemon.Reload()
		wait(time.Hour)
		if got := b.runs(); !slices.Equal(got, []string{loopFull, loopFull}) {
			t.Errorf("ran %v, want the sweep that was to come", got)
		}
	})
}

// TestReadyByAnEarlierSweep: the sweep of an earlier process counts after a restart.
func TestReadyByAnEarlierSweep(t *testing.T) {
	m, err := NewMetrics(nil, "exoaudit v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	h := healthy(t, m)
	at := time.Now().Add(-time.Hour)
	Observing(m, h, time.Now).Swept(at)
	series(t, m, map[string]string{`exoaudit_last_complete_sweep_timestamp_seconds`: formatted(seconds(at))})
	h.SweepLimit(26 * time.Hour)
	h.reportedAt = time.Now()
	if got := h.Missing(t.Context()); slices.Contains(got, tooOld) {
		t.Errorf("missing is %q", got)
	}
}
