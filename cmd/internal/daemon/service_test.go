package daemon

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// wait lets time pass, and whatever is due come to its end.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestServeCheck: it begins with a sweep, goes on by the schedule, and a wider loop
// stands for a narrower one that is due at the same moment. A bubble begins at midnight
// UTC.
func TestServeCheck(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 20}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass, b.full = "30m", "0 * * * *", "0 3 * * *"
		stop := b.start()
		defer stop()
		wait(4*time.Hour + time.Minute)
		want := []string{
			"full", "incremental", "bypass", "incremental", "bypass", "incremental", "full", "incremental", "bypass",
		}
		// Half hours, of which the even ones belong to wider loops.
		if got := b.runs(); !slices.Equal(got, want) {
			t.Errorf("ran %v\nwant %v", got, want)
		}
		for _, e := range b.ended {
			if e.Verdict() != "inLine" && e.Verdict() != "drift" {
				t.Errorf("%s: %s (%v)", e.Loop, e.Verdict(), e.Err)
			}
		}
		runs, err := b.store.Runs(t.Context(), b.tenant.ID(), store.RunQuery{})
		if err != nil || len(runs) != len(want) || runs[0].Command != "serve/bypass" {
			t.Errorf("%d runs are kept, %v; the last is %+v", len(runs), err, runs[0])
		}
		if n := b.service.Count("Set-Mailbox"); n > 0 {
			t.Errorf("a check wrote %d mailboxes", n)
		}
	})
}

// TestServeRestart: with a fresh sweep in the store it begins with what is new.
func TestServeRestart(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 20}, func(t *testing.T, b *bench) {
		stop := b.start()
		wait(time.Second)
		stop()
		b.daemon = New(b.daemon.cfg)
		stop = b.start()
		wait(time.Second)
		stop()
		b.daemon = New(b.daemon.cfg)
		time.Sleep(27 * time.Hour)
		stop = b.start()
		wait(time.Second)
		stop()
		if got := b.runs(); !slices.Equal(got, []string{"full", "incremental", "full"}) {
			t.Errorf("ran %v", got)
		}
	})
}

// TestServeNewMailbox: a mailbox created at any moment is in line within one fast
// interval plus the time of the run, and nothing that is not in line is written.
func TestServeNewMailbox(t *testing.T) {
	const latency = 2 * time.Second
	inBubble(t, simulator.Seed{Mailboxes: 30}, func(t *testing.T, b *bench) {
		b.mode = "apply"
		stop := b.start()
		defer stop()
		wait(time.Minute)
		var late []time.Duration
		rapidly(t, 25, func(r *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(20*time.Minute)).Draw(r, "moment"))
		}, func(pause time.Duration) {
			wait(pause)
			created := time.Now()
			m := b.tenant.AddMailbox(weak("new-" + created.Format("150405.000") + "@contoso.com"))
			for !b.inLine(m.Guid) && time.Since(created) < time.Hour {
				wait(time.Second)
			}
			late = append(late, time.Since(created))
		})
		const run = time.Minute // a dozen calls, and read-backs
		for _, d := range late {
			if d > 5*time.Minute+run {
				t.Errorf("in line after %s", d)
			}
		}
		if len(late) < 20 || slices.Max(late) < 2*time.Minute {
			t.Errorf("the moments are not spread: %v", late)
		}
		if n, of := b.service.Count("Set-Mailbox"), len(late); n != of {
			t.Errorf("%d writes for %d mailboxes", n, of)
		}
		if n := b.hears("applying"); n != len(late) {
			t.Errorf("announced %d times", n)
		}
	}, simulator.WithLatency(latency))
}

// rapidly draws values, and hands each to a function within the bubble, in which rapid
// itself cannot run.
func rapidly[T any](t *testing.T, n int, draw func(*rapid.T) T, do func(T)) {
	t.Helper()
	g := rapid.Custom(draw)
	for i := range n {
		do(g.Example(i))
	}
}

// TestServeSlowRun: ticks that come while a run is under way are made up for by one
// run after it.
func TestServeSlowRun(t *testing.T) {
	var slow atomic.Int64
	inBubble(t, simulator.Seed{Mailboxes: 10}, func(t *testing.T, b *bench) {
		b.bypass, b.full = "12h", "24h"
		stop := b.start()
		defer stop()
		wait(4 * time.Minute)
		b.forget()
		slow.Store(int64(13 * time.Minute)) // the tick at 5 is served from 5 to 18
		wait(2 * time.Minute)               // 6
		slow.Store(0)
		wait(20 * time.Minute) // 26
		var began []string
		for _, e := range b.ended {
			began = append(began, e.StartedAt.Sub(e.StartedAt.Truncate(time.Hour)).Round(time.Minute).String())
		}
		// 5; at 18 for those of 10 and 15; then in rhythm from there.
		if want := []string{"5m0s", "18m0s", "23m0s"}; !slices.Equal(began, want) {
			t.Errorf("runs began at %v, want %v", began, want)
		}
	}, simulator.WithFaults(simulator.Fault{Name: "slow", Cmdlet: "Get-OrganizationConfig", Do: simulator.DoRun, Run: func(*simulator.Tenant) {
		time.Sleep(time.Duration(slow.Load()))
	}}))
}

// TestServeMissedTicks: after the machine slept, one run stands for all that were
// missed.
func TestServeMissedTicks(t *testing.T) {
	var asleep atomic.Int64 // by how much the wall is ahead of the timers
	inBubble(t, simulator.Seed{Mailboxes: 10}, func(t *testing.T, b *bench) {
		b.daemon.cfg.Now = func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) }
		stop := b.start()
		defer stop()
		wait(7 * time.Minute)
		b.forget()
		asleep.Store(int64(10 * time.Hour)) // over ten hours of ticks, and that of 3:00
		wait(2 * time.Minute)
		if got := b.runs(); !slices.Equal(got, []string{"full"}) {
			t.Errorf("ran %v, want one sweep for all", got)
		}
		b.forget()
		wait(5 * time.Minute)
		if got := b.runs(); !slices.Equal(got, []string{"incremental"}) {
			t.Errorf("then ran %v", got)
		}
		b.forget()
		asleep.Store(0) // the clock is put back
		wait(7 * time.Minute)
		if got := b.runs(); !slices.Equal(got, []string{"incremental"}) {
			t.Errorf("after the clock was put back ran %v", got)
		}
	})
}

// TestServeClockChange: the sweep in the hour that the clocks skip is made, and the
// one in the hour that comes twice is made twice, which changes nothing.
func TestServeClockChange(t *testing.T) {
	for day, want := range map[string]int{"2026-03-28T12:00:00Z": 1, "2026-10-24T12:00:00Z": 2, "2026-11-23T12:00:00Z": 1} {
		inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
			shift := time.Until(instant(t, day))
			b.daemon.cfg.Now = func() time.Time { return time.Now().Add(shift) }
			b.incremental, b.bypass, b.full, b.zone, b.mode = "6h", "6h", "30 2 * * *", "Europe/Berlin", "apply"
			stop := b.start()
			defer stop()
			wait(time.Minute)
			b.forget()
			b.service.DisarmFaults()
			writes := b.service.Count("Set-Mailbox")
			wait(24 * time.Hour)
			got := 0
			for _, loop := range b.runs() {
				if loop == loopFull {
					got++
				}
			}
			if got != want {
				t.Errorf("from %s: %d sweeps in a day, want %d", day, got, want)
			}
			if n := b.service.Count("Set-Mailbox"); n != writes {
				t.Errorf("from %s: %d writes", day, n-writes)
			}
		})
	}
}

// TestServeReload: a good policy takes the place of the old one between two runs, and
// is looked at with at once; a bad one does not.
func TestServeReload(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 10}, func(t *testing.T, b *bench) {
		stop := b.start()
		defer stop()
		wait(6 * time.Minute)
		first := b.last().Plan.Policy.Digest
		b.loadErr = errBroken
		b.daemon.Reload()
		wait(5 * time.Minute)
		if b.last().Plan.Policy.Digest != first || b.hears("not reloaded") != 1 || b.logged("broken on purpose") != 1 {
			t.Errorf("a reload that failed: %v\n%s", b.heard, b.log.String())
		}
		b.loadErr, b.policy = nil, strings.Replace(measuredPolicy, "ageLimit: 90d", "ageLimit: 180d", 1)
		b.forget()
		b.daemon.Reload()
		b.daemon.Reload() // one that is asked for twice happens once or twice
		wait(time.Second)
		if b.last().Plan.Policy.Digest == first || b.last().Loop != loopIncremental {
			t.Errorf("after the reload ran %v, with the policy of before: %v", b.runs(), b.last().Plan.Policy.Digest == first)
		}
		if b.last().Plan.Coverage.Scope != reconcile.ScopeFull || b.last().Verdict() != "drift" {
			t.Errorf("another policy looks at %s: %s", b.last().Plan.Coverage.Scope, b.last().Verdict())
		}
	})
}

// TestServeSweepAgain: a sweep that fails is made again, further and further apart,
// and the rhythm is the old one once it works.
func TestServeSweepAgain(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 10}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass = "12h", "12h"
		stop := b.start()
		defer stop()
		wait(16 * time.Minute) // at 0, 1, 3, 7, 15
		if got := b.runs(); len(got) != 5 || slices.Contains(got, loopIncremental) {
			t.Errorf("ran %v", got)
		}
		b.service.DisarmFaults()
		wait(16 * time.Minute)
		if got := b.runs(); len(got) != 6 || !b.last().Complete() {
			t.Errorf("ran %v, the last %s", got, b.last().Verdict())
		}
		wait(2 * time.Hour)
		if got := b.runs(); len(got) != 6 {
			t.Errorf("a sweep that worked was made again: %v", got)
		}
	}, simulator.WithFaults(simulator.Refused("Get-Mailbox")))
}

// TestServeOtherHost: where another process has the lease, the service waits for it,
// and goes on when it is given back or runs out; it never fails.
func TestServeOtherHost(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 10, Drift: 1}, func(t *testing.T, b *bench) {
		b.mode = "apply"
		var locks atomic.Int32
		b.lock = func() (func(), error) {
			locks.Add(1)
			return func() { locks.Add(-1) }, nil
		}
		other := store.Holder{Name: "another", Place: "there"}
		if _, err := b.store.Acquire(t.Context(), b.tenant.ID(), other, store.LeaseTTL); err != nil {
			t.Fatal(err)
		}
		stop := b.start()
		defer stop()
		wait(50 * time.Second)
		if len(b.ended) > 0 || b.hears("no lease") < 10 || b.service.Requests() > 0 {
			t.Errorf("under the lease of another: %d runs, %d tries, %d requests", len(b.ended), b.hears("no lease"), b.service.Requests())
		}
		if n := locks.Load(); n != 0 {
			t.Errorf("the lock of this host is held %d times by one that only waits", n)
		}
		wait(20 * time.Second) // it died: its lease runs out after a minute
		if len(b.ended) != 1 || b.hears("lease") != 1 {
			t.Errorf("after it ran out: %d runs, heard %v", len(b.ended), b.heard)
		}
		b.forget()
		lease, err := b.store.Acquire(t.Context(), b.tenant.ID(), other, store.LeaseTTL)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // one that lives
			wait(30 * time.Second)
			if lease, err = b.store.Renew(t.Context(), lease, store.LeaseTTL); err != nil {
				t.Fatal(err)
			}
		}
		if len(b.ended) > 0 || b.logged("no incremental run this time") == 0 {
			t.Errorf("under the lease of one that lives: %d runs\n%s", len(b.ended), b.log.String())
		}
		if err := b.store.Release(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
		wait(6 * time.Minute)
		if len(b.ended) == 0 {
			t.Error("the lease was given back, and nothing ran")
		}
	})
}

// TestServeLocked: a lock that another process of this host has is waited for as a
// lease is, and given back after each run.
func TestServeLocked(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 10}, func(t *testing.T, b *bench) {
		var locked atomic.Bool
		var held atomic.Int32
		locked.Store(true)
		b.mode = "apply"
		b.lock = func() (func(), error) {
			if locked.Load() {
				return nil, ErrLocked
			}
			held.Add(1)
			return func() { held.Add(-1) }, nil
		}
		stop := b.start()
		defer stop()
		wait(20 * time.Second)
		if len(b.ended) > 0 {
			t.Error("ran although the tenant is locked")
		}
		locked.Store(false)
		wait(10 * time.Second)
		if len(b.ended) != 1 || held.Load() != 0 {
			t.Errorf("%d runs; the lock is held %d times", len(b.ended), held.Load())
		}
	})
}

// TestServeLostLease: where another takes the lease in the middle of a run, nothing
// further is written, and a later run gets the lease back and finishes.
func TestServeLostLease(t *testing.T) {
	var steal func()
	inBubble(t, simulator.Seed{Mailboxes: 80, Drift: 1}, func(t *testing.T, b *bench) {
		b.mode, b.policy = "apply", strings.Replace(measuredPolicy, "100}", "100, rings: [10]}", 1)
		var lease store.Lease
		var once atomic.Bool
		steal = func() {
			if once.Swap(true) {
				return
			}
			time.Sleep(time.Second)
			holding, err := b.store.Holding(t.Context(), b.tenant.ID())
			if err == nil {
				err = b.store.Release(t.Context(), holding)
			}
			if err == nil {
				lease, err = b.store.Acquire(t.Context(), b.tenant.ID(), store.Holder{Name: "another", Place: "there"}, store.LeaseTTL)
			}
			if err != nil {
				t.Error(err)
			}
		}
		stop := b.start()
		defer stop()
		wait(59 * time.Second)
		if len(b.ended) != 1 {
			t.Fatalf("%d runs have ended", len(b.ended))
		}
		if e := b.ended[0]; e.Run == nil || e.Run.Stopped == "" || e.Run.Results()[reconcile.ResultSkipped] == 0 {
			t.Errorf("the run was not stopped: %s, %v", e.Verdict(), e.Err)
		}
		if n := b.service.Count("Set-Mailbox"); n != 10 {
			t.Errorf("%d mailboxes were written, want those of the first ring", n)
		}
		if err := b.store.Release(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
		wait(20 * time.Minute)
		if v := b.last().Verdict(); v != "inLine" {
			t.Errorf("it ended %s", v)
		}
	}, simulator.WithFaults(simulator.Fault{Name: "steal", Cmdlet: "Set-Mailbox", Do: simulator.DoRun, Run: func(*simulator.Tenant) { steal() }}))
}

// TestServeEnds: when it is to end, what is in flight is finished where that takes
// less than the time of grace, and abandoned where it takes more. What is left open is
// named, and closed by the next process.
func TestServeEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		answer, ends time.Duration
		open         bool
		again        bool
	}{
		"in time":         {answer: 8 * time.Second, ends: 25 * time.Second},
		"too late":        {answer: 10 * time.Minute, ends: 30 * time.Second, open: true},
		"a second signal": {answer: 10 * time.Minute, ends: 5 * time.Second, open: true, again: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, simulator.Seed{Mailboxes: 30, Drift: 1}, func(t *testing.T, b *bench) {
				b.mode, b.policy = "apply", strings.Replace(measuredPolicy, "100}", "100, rings: [10]}", 1)
				stop := b.start()
				wait(3 * time.Second)
				began := time.Now()
				if tt.again {
					time.AfterFunc(5*time.Second, b.daemon.Abandon)
				}
				stop()
				if took := time.Since(began).Round(time.Second); took > tt.ends+2*time.Second {
					t.Errorf("it took %s to end, want %s", took, tt.ends)
				}
				if n := b.service.Count("Set-Mailbox"); n > 10 || n == 0 != tt.open {
					t.Errorf("%d mailboxes were written, want those in flight at the end: the first ring", n)
				}
				if got := b.logged("left open"); got > 0 != tt.open {
					t.Errorf("%d writes are named as left open", got)
				}
				lease, err := b.store.Holding(t.Context(), b.tenant.ID())
				if err != nil || lease.Holder.Name != "" {
					t.Errorf("the lease is held by %q, %v", lease.Holder.Name, err)
				}
				b.service.DisarmFaults()
				b.forget()
				b.daemon = New(b.daemon.cfg)
				stop = b.start()
				wait(40 * time.Minute)
				stop()
				if got := b.logged("was left open; by a look"); got > 0 != tt.open {
					t.Errorf("%d notices of writes that were left open", got)
				}
				if v := b.last().Verdict(); v != "inLine" {
					t.Errorf("it ended %s", v)
				}
			}, simulator.WithFaults(simulator.Delayed("$batch", 0, tt.answer)))
		})
	}
}
