package evidence_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/evidence"
)

// watching counts what is written, and looks now and then how much is alive.
type watching struct {
	written, next int64
	live          uint64
}

func (w *watching) Write(p []byte) (int, error) {
	if w.written += int64(len(p)); w.written >= w.next {
		w.next = w.written + 2<<20
		w.live = max(w.live, live())
	}
	return len(p), nil
}

// live is the memory that is in use once what is not has been given back.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const everyoneDrifts = header + `mailboxes:
  everyone:
    record: {admin: {defaults: true, plus: [Copy, FolderBind]}, delegate: {defaults: true, plus: [FolderBind]}}
    ageLimit: 180d
    controls: [A, B, C]
`

// BenchmarkWrite bundles a tenant of 40,000 mailboxes of which all but a few drift in
// three settings each, for the sake of three controls.
func BenchmarkWrite(b *testing.B) {
	plan := check(b, parse(b, everyoneDrifts), tenant(simulator.Seed{Mailboxes: 40_000, BypassPerMailbox: -1}))
	in := bundle(b, everyoneDrifts, plan)
	b.ReportAllocs()
	size := int64(0)
	for b.Loop() {
		w, err := evidence.Write(io.Discard, in)
		if err != nil {
			b.Fatal(err)
		}
		size = w.Size
	}
	b.ReportMetric(float64(findings(plan)), "findings")
	b.ReportMetric(float64(size), "bytes")
}

// TestLargeMemory: writing takes a few megabytes beside the plan, however much drifts.
func TestLargeMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short is set and this test bundles 20,000 mailboxes")
	}
	plan := check(t, parse(t, everyoneDrifts), tenant(simulator.Seed{Mailboxes: 20_000, BypassPerMailbox: -1}))
	in := bundle(t, everyoneDrifts, plan)
	before := live()
	w := &watching{}
	if _, err := evidence.Write(w, in); err != nil {
		t.Fatal(err)
	}
	grown := int64(w.live) - int64(before)
	t.Logf("%d findings, %d bytes, %d bytes more in use", findings(plan), w.written, grown)
	if grown > 16<<20 {
		t.Errorf("writing took %d bytes", grown)
	}
	runtime.KeepAlive(plan)
}

func findings(p *reconcile.Plan) int {
	n := p.Summary().Changes
	return n.Planned + n.Blocked
}
