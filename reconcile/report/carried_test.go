package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile"
)

// TestCarriedIsMarked: people and programs can tell what a run has found itself
// from what it carries, also where it is the same difference.
func TestCarriedIsMarked(t *testing.T) {
	d := drifted()
	list := someChanges()
	own, carried := list[2], list[2]
	carried.Subject, carried.Carried = mailbox(77, "carried@contoso.com"), true
	d.changes = func(yield func(reconcile.Change) bool) { _ = yield(own) && yield(carried) }
	d.coverage.Scope, d.coverage.BaseRun = reconcile.ScopeIncremental, "run-0"
	var text, doc bytes.Buffer
	if err := writeText(&text, d, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(&doc, d); err != nil {
		t.Fatal(err)
	}
	plain := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{"what changed since the last run, and the open findings of run run-0", "found by an earlier run and not read again by this one", "1 mailbox: - carried@contoso.com"} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if n := strings.Count(doc.String(), `"carried":true`); n != 1 {
		t.Errorf("%d changes of the JSON are carried, want 1", n)
	}
}
