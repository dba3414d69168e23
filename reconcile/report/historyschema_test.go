package report

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/reconcile"
)

// history is the schema of a list of past runs, and within it that of a run: a plan
// with what became of each change.
func (b schemaBuilder) history() object {
	o := b.record("What was done to a tenant, the newest run first.", object{
		"schema": object{"const": reconcile.HistorySchema},
		"runs":   arrayOf(refTo("run")),
	})
	plan := b.plan()
	defs, _ := plan["$defs"].(object)
	defs["run"] = b.run(plan)
	defs["change"] = b.pastChange()
	coverage, _ := defs["coverage"].(object)
	properties, _ := coverage["properties"].(object)
	properties["scope"] = described("Empty where the run was killed before it was kept.",
		words("", reconcile.ScopeFull, reconcile.ScopeMailbox, reconcile.ScopeIncremental, reconcile.ScopeUndo))
	o["$schema"], o["title"], o["$defs"] = plan["$schema"], reconcile.HistorySchema, defs
	return o
}

// run is the schema of a run.
func (b schemaBuilder) run(plan object) object {
	properties, _ := plan["properties"].(object)
	properties = maps.Clone(properties)
	properties["schema"] = object{"const": reconcile.RunSchema}
	properties["startedAt"] = described("When it began to write, in UTC.", matching("^"+timePattern+"$"))
	properties["finishedAt"] = described("Empty where it did not come to its end.", matching("^(?:"+timePattern+")?$"))
	properties["journalHead"] = described("The hash of its last entry in the journal; empty where nothing was recorded.", matching("^(?:[0-9a-f]{64})?$"))
	return b.record("A plan with what became of it.", properties)
}

// pastChange is a change with what became of it.
func (b schemaBuilder) pastChange() object {
	o := b.change()
	properties, _ := o["properties"].(object)
	properties["result"] = described("Empty where the change was not planned.", words(
		reconcile.ResultNone, reconcile.ResultVerified, reconcile.ResultUnconfirmed, reconcile.ResultFailed,
		reconcile.ResultUnsupported, reconcile.ResultSkipped, reconcile.ResultNotNeeded))
	properties["note"] = described("More about the result, the service's own words among it.", text())
	required, _ := o["required"].([]string)
	o["required"] = append(required, "result")
	return o
}

// TestHistorySchemaIsGenerated holds the embedded schema to the one that the words
// of a run make; with -update it is written.
func TestHistorySchemaIsGenerated(t *testing.T) {
	t.Parallel()
	got := indented(t, schemaBuilder{}.history())
	if *update {
		if err := os.WriteFile(filepath.Join("schema", "history.schema.json"), got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(HistorySchema()), string(got)); diff != "" {
		t.Errorf("the schema is not the one that is generated (-want +got); go generate writes it:\n%s", diff)
	}
}
