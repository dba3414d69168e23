package report

import (
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// drawnText is text as a tenant could give it, valid or not.
func drawnText(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.String(), rapid.SampledFrom(hostileTexts()),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	).Draw(t, label)
}

func drawnChange(t *rapid.T, i int) reconcile.Change {
	text := func(label string) string { return drawnText(t, label) }
	return reconcile.Change{
		ID: text("id"), Subject: mailbox(i, text("name")), Setting: rapid.SampledFrom(audit.Settings()).Draw(t, "setting"),
		Before:   rapid.SampledFrom([]any{nil, true, text("value"), []string(nil), []string{text("before")}}).Draw(t, "before"),
		After:    rapid.SampledFrom([]any{nil, false, text("value"), []string{}, []string{text("after")}}).Draw(t, "after"),
		Add:      rapid.SampledFrom([][]string{nil, {text("add")}}).Draw(t, "adds"),
		Fate:     rapid.SampledFrom([]reconcile.Fate{reconcile.FatePlanned, reconcile.FateBlocked, reconcile.FateExempt, reconcile.FateUnsupported}).Draw(t, "fate"),
		Severity: rapid.SampledFrom([]audit.Severity{audit.Info, audit.Low, audit.High}).Draw(t, "severity"),
		Reason:   text("reason"), Note: text("note"), Controls: []string{text("control")},
		Origin: policy.Origin{Pos: policy.Pos{File: text("file"), Line: rapid.IntRange(0, 9).Draw(t, "line")}, Rule: text("rule")},
	}
}

// TestFormsHoldTheirShape: whatever texts there are, each finding is one result, one
// case and one row, and the form's own parser takes the whole.
func TestFormsHoldTheirShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var list []reconcile.Change
		for i := range rapid.IntRange(0, 4).Draw(rt, "findings") {
			list = append(list, drawnChange(rt, i))
		}
		r := driftOnly()
		r.doc.changes = slices.Values(list)
		run := readSARIF(t, written(t, r, SARIF)).Runs[0]
		if len(run.Results) != len(list) {
			rt.Fatalf("%d results of %d findings", len(run.Results), len(list))
		}
		for _, result := range run.Results {
			if region := result.Locations[0].Physical; region != nil && (region.Region.StartLine < 1 || region.Artifact.URI == "") {
				rt.Fatalf("a result stands at %+v", *region)
			}
			unmarked(t, result.Message.Text)
		}
		cases := 0
		for _, s := range readJUnit(t, written(t, r, JUnit)).Suites[1:] {
			for _, c := range s.Cases {
				if c.Name != "in line" || c.Classname != s.Name {
					cases++
				}
			}
		}
		if cases != len(list) {
			rt.Fatalf("%d cases of %d findings", cases, len(list))
		}
		rows := readCSV(t, written(t, r, CSV))
		rows = slices.DeleteFunc(rows, func(row map[string]string) bool { return row["record"] != recordFinding })
		if len(rows) != len(list) {
			rt.Fatalf("%d rows of %d findings", len(rows), len(list))
		}
		for _, row := range rows {
			for column, cell := range row {
				formula(t, column, cell)
			}
		}
	})
}

// heapMeter is a writer that looks at the heap from time to time.
type heapMeter struct {
	written, next int
	most          uint64
}

func (m *heapMeter) Write(p []byte) (int, error) {
	if m.written += len(p); m.written >= m.next {
		m.next = m.written + (2 << 20)
		m.most = max(m.most, heapInUse())
	}
	return len(p), nil
}

func heapInUse() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestLargeReportsStream: the memory of a writer does not grow with the number of
// findings. It does not run beside other tests, which have a heap of their own.
func TestLargeReportsStream(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it writes 20,000 findings in several forms; leave out -short to run it")
	}
	for _, f := range []Format{JSON, SARIF, JUnit, CSV} {
		r := manyFindings(20_000)
		before := heapInUse()
		var m heapMeter
		if err := r.Write(&m, f, Options{}); err != nil {
			t.Fatal(err)
		}
		if grown := int64(m.most) - int64(before); grown > 4<<20 {
			t.Errorf("%s: the heap grew by %d bytes while %d were written", f, grown, m.written)
		} else {
			t.Logf("%s: %d bytes written, the heap grew by %d", f, m.written, grown)
		}
	}
}
