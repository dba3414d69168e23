package daemon

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// TestLargeTicks: after ten thousand ticks the service holds no more memory than after
// a thousand, and no more goroutines.
func TestLargeTicks(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped under -short: it makes ten thousand runs")
	}
	// So small a heap would be swept after every other tick. What is measured is
	// what is left when it has been.
	defer debug.SetGCPercent(debug.SetGCPercent(2000))
	inBubble(t, simulator.Seed{Mailboxes: 2}, func(t *testing.T, b *bench) {
		type size struct {
			heap       uint64
			goroutines int
		}
		b.store = &forgetful{snaps: map[string]store.Snapshot{}}
		ticks := 0
		sizes := map[int]size{}
		reached := make(chan int)
		b.mode, b.incremental, b.bypass, b.full = "incremental=apply,full=apply", "1m", "1h", "24h"
		b.daemon.cfg.Logger = slog.New(slog.DiscardHandler)
		m, err := NewMetrics(nil, "exoaudit v1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		b.daemon.cfg.Hooks = []Hooks{Observing(m, healthy(t, m), time.Now), {Ended: func(context.Context, string, Ended) {
			if ticks++; ticks == 1_000 || ticks == 10_000 {
				reached <- ticks
			}
		}}}
		stop := b.start()
		defer stop()
		for len(sizes) < 2 {
			n := <-reached
			synctest.Wait() // the run has come to its end, and the service sleeps
			// Twice, since the first leaves what pools hold.
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			sizes[n] = size{m.HeapAlloc, runtime.NumGoroutine()}
		}
		before, after := sizes[1_000], sizes[10_000]
		t.Logf("%d bytes and %d goroutines, then %d and %d", before.heap, before.goroutines, after.heap, after.goroutines)
		if float64(after.heap) > 1.05*float64(before.heap) {
			t.Errorf("the heap grew from %d to %d bytes", before.heap, after.heap)
		}
		if after.goroutines != before.goroutines {
			t.Errorf("%d goroutines became %d", before.goroutines, after.goroutines)
		}
		if v := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); v < 100*time.Hour {
			t.Errorf("ten thousand ticks took %s", v)
		}
	}, simulator.WithCallLimit(1))
}
