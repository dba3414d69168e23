package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// TestHistoryHoldsWhatItsSchemaPromises: what history prints of an apply, of its
// undo and of a comparison has the shape that the schema promises.
func TestHistoryHoldsWhatItsSchemaPromises(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.HistorySchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("history.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("history.schema.json")
	b := newBench(t, simulator.Seed{Seed: 3, Mailboxes: 20, Drift: 0.5, Bypassed: 0.1, UnifiedLogOff: true, AuditDisabled: true})
	b.run(t.Context(), "check")
	b.run(t.Context(), "apply", "--yes")
	b.run(t.Context(), "undo", "last", "--allow-weakening", "--yes")
	b.out.Reset()
	status := Main(t.Context(), []string{"history", "--all", "--format", "json"}, Streams{Out: &b.out, Err: &b.err}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now,
	})
	if status != ExitInLine {
		t.Fatalf("exit status %d: %s", status, b.err.String())
	}
	got, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(got); err != nil {
		t.Error(err)
	}
	runs, _ := got.(map[string]any)["runs"].([]any)
	for i, scope := range []string{"undo", "full", "full"} {
		if i >= len(runs) {
			t.Fatalf("%d runs", len(runs))
		}
		coverage, _ := runs[i].(map[string]any)["coverage"].(map[string]any)
		if coverage["scope"] != scope {
			t.Errorf("run %d has scope %v, want %s", i, coverage["scope"], scope)
		}
	}
}

// TestTimeOf: the forms of a time on the command line.
func TestTimeOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"24h": "2026-11-22T11:00:00Z", "90m": "2026-11-23T09:30:00Z", "7d": "2026-11-16T11:00:00Z", "0d": "2026-11-23T11:00:00Z",
		"2026-11-01": "2026-11-01T00:00:00Z", "2026-11-01T08:00:00+02:00": "2026-11-01T06:00:00Z",
	} {
		if got, err := timeOf("--since", text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s is %s, %v; want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"yesterday", "-24h", "-1d", "d", "11/01/2026", "2026-11-01T08:00:00"} {
		if got, err := timeOf("--since", text, now); err == nil || statusOf(err) != ExitInvalid {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
}
