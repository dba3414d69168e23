package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exoaudit/exoaudit/reconcile"
)

func indented(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPlanSchemaIsGenerated holds the embedded schema to the one that the words
// of the plan make; with -update it is written.
func TestPlanSchemaIsGenerated(t *testing.T) {
	t.Parallel()
	got := indented(t, schemaBuilder{}.plan())
	if *update {
		if err := os.WriteFile(filepath.Join("schema", "plan.schema.json"), got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(PlanSchema()), string(got)); diff != "" {
		t.Errorf("the schema is not the one that is generated (-want +got); go generate writes it:\n%s", diff)
	}
}

func compiled(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("plan.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// goldenPlans gives every golden file that is a plan, decoded.
func goldenPlans(t *testing.T) map[string]object {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string]object{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if plan, ok := doc.(object); ok && plan["schema"] == reconcile.PlanSchema {
			plans[filepath.Base(file)] = plan
		}
	}
	if len(plans) < 2 {
		t.Fatalf("only %d golden files are plans", len(plans))
	}
	return plans
}

// TestPlanSchemaTakesPlans: every golden plan has the shape, and the schema
// names every key of it.
func TestPlanSchemaTakesPlans(t *testing.T) {
	t.Parallel()
	open, closed := compiled(t, PlanSchema()), compiled(t, indented(t, schemaBuilder{closed: true}.plan()))
	for name, plan := range goldenPlans(t) {
		if err := open.Validate(plan); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := closed.Validate(plan); err != nil {
			t.Errorf("%s has what the schema does not name; add it to schema_build_test.go and run go generate: %v", name, err)
		}
	}
}

// TestPlanSchemaAllowsAdding: a plan of a later version has more keys.
func TestPlanSchemaAllowsAdding(t *testing.T) {
	t.Parallel()
	s := compiled(t, PlanSchema())
	for name, plan := range goldenPlans(t) {
		plan["later"] = object{"a": true}
		if err := s.Validate(plan); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPlanSchemaRefuses takes each key away and puts wrong values into a plan.
func TestPlanSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t, PlanSchema())
	refuses := func(what string, change func(plan, first object)) {
		t.Helper()
		plan := goldenPlans(t)["plan.json"]
		first, _ := plan["changes"].([]any)[0].(object)
		change(plan, first)
		if err := s.Validate(plan); err == nil {
			t.Errorf("accepted with %s", what)
		}
	}
	plan := goldenPlans(t)["plan.json"]
	first, _ := plan["changes"].([]any)[0].(object)
	for key := range maps.Keys(plan) {
		refuses("no "+key, func(plan, _ object) { delete(plan, key) })
	}
	for key := range maps.Keys(first) {
		refuses("a change without "+key, func(_, first object) { delete(first, key) })
	}
	for _, tt := range []struct {
		key   string
		value any
	}{
		{"schema", "exoaudit/plan/v2"},
		{"createdAt", "2026-11-23 10:00"},
		{"createdAt", "2026-11-23T10:00:00+01:00"},
		{"verdict", "fine"},
		{"changes", nil},
		{"warnings", nil},
		{"estimate", object{"writes": -1, "requests": 0, "verifyRequests": 0}},
	} {
		refuses(tt.key, func(plan, _ object) { plan[tt.key] = tt.value })
	}
	for _, tt := range []struct {
		key   string
		value any
	}{
		{"id", "1"},
		{"id", strings.Repeat("g", 16)},
		{"setting", "auditGuest"},
		{"fate", "done"},
		{"severity", "fatal"},
		{"before", "true"}, // the setting is a switch
		{"after", []any{"Move"}},
		{"add", nil},
		{"origin", object{"file": "policy.yaml"}},
	} {
		refuses("a change with another "+tt.key, func(_, first object) { first[tt.key] = tt.value })
	}
	list := slices.IndexFunc(plan["changes"].([]any), func(c any) bool { return c.(object)["setting"] == "auditDelegate" })
	refuses("a list that is none", func(plan, _ object) { plan["changes"].([]any)[list].(object)["after"] = true })
}
