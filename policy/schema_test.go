package policy_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// TestSchemaIsGenerated holds the embedded schema to the one that the tables
// make; with -update it is written.
func TestSchemaIsGenerated(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(buildSchema()); err != nil {
		t.Fatal(err)
	}
	golden(t, "schema/policy.schema.json", b.String())
	if !*update && !bytes.Equal(policy.Schema(), b.Bytes()) {
		t.Error("Schema() is not the file")
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("policy.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("policy.schema.json")
}

// plain gives what a value of a policy file is as JSON. What YAML takes for a
// number is one only in the form that the loader reads.
func plain(n *strict.Node) any {
	switch {
	case n.IsMap():
		m := map[string]any{}
		for _, e := range n.Entries() {
			m[e.Key()] = plain(e)
		}
		return m
	case n.IsList():
		list := []any{}
		for _, item := range n.OneOrMore() {
			list = append(list, plain(item))
		}
		return list
	}
	if text, ok := n.Text(); ok {
		return text
	}
	if b, ok := n.Bool(); ok {
		return b
	}
	if v, ok := n.Number(); ok {
		return v
	}
	return nil
}

// shapeCodes are the mistakes that a schema can see. The others are of the text
// (before there is a value), of meaning, or between files.
func shapeCodes() []string {
	return []string{
		strict.CodeUnknownKey, strict.CodeMissingKey, strict.CodeWrongType,
		policy.CodeBadVersion, policy.CodeBadName, policy.CodeEmptyValue, policy.CodeEmptyRule, policy.CodeRefused,
		policy.CodeBadType, policy.CodeBadAttribute, policy.CodeBadSetting, policy.CodeBadWord, policy.CodeBadAccount,
		policy.CodeBadDuration, policy.CodeBadRing, policy.CodeBadGroup, policy.CodeBadControl, policy.CodeBadRecordType,
		policy.CodeBadSubject, policy.CodeBadDate, policy.CodeBadValue,
	}
}

// isUnshapely names files whose mistake has a code of shape and needs more than
// the schema to be seen.
func isUnshapely(name string) bool {
	return slices.Contains([]string{
		"plus-only-useless", // that AddFolderPermissions records nothing is no shape
		"age-overflow",      // a number of years that no int64 holds
	}, name)
}

// TestSchemaAgreesWithTheLoader: what the loader accepts the schema accepts, and
// every mistake of shape it refuses.
func TestSchemaAgreesWithTheLoader(t *testing.T) {
	s := compileSchema(t)
	refused := 0
	check := func(name string, data []byte) {
		doc := strict.Parse(name, data)
		if doc.Root() == nil {
			return
		}
		// A file by itself: whatever it extends is there and says nothing.
		_, found := policy.Load(name, data, func(string) ([]byte, error) { return []byte(head), nil })
		ofShape := slices.ContainsFunc(found, func(d policy.Diagnostic) bool {
			return d.Severity == strict.Error && slices.Contains(shapeCodes(), d.Code)
		})
		switch err := s.Validate(plain(doc.Root())); {
		case err != nil && !found.HasErrors():
			t.Errorf("%s is refused: %v", name, err)
		case err == nil && ofShape && !isUnshapely(name):
			t.Errorf("%s is accepted with %s", name, found.Error())
		case err != nil:
			refused++
		}
	}
	for _, glob := range []string{"testdata/err/*.yaml", "testdata/ok/*.yaml", "baselines/*.yaml", "../examples/*.yaml", "testdata/explain/*.yaml"} {
		for _, path := range inputs(t, glob, 1) {
			if strings.HasSuffix(path, ".test.yaml") {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			check(strings.TrimSuffix(filepath.Base(path), ".yaml"), data)
		}
	}
	for _, path := range inputs(t, "testdata/extends/*.txtar", 1) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			check(path+"/"+f.Name, f.Data)
		}
	}
	if refused < 100 {
		t.Errorf("only %d files were refused", refused)
	}
}

// TestSchemaRefusesNothingThatLoads puts odd values at random places of whole
// policies: whatever the loader still accepts the schema accepts too.
func TestSchemaRefusesNothingThatLoads(t *testing.T) {
	s := compileSchema(t)
	var docs []any
	for _, path := range inputs(t, "testdata/ok/*.yaml", 4) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, plain(strict.Parse(path, data).Root()))
	}
	odd := []any{
		true, false, 0.0, 1.0, 5.5, "x", "90d", "1%", " all ", "none", "effective", "UserMailbox", "usermailbox", "Move", "send", "a@b.cd", "*",
		"cis-m365-7.0", "x/y", "../b.yml", "2027-02-28", "2027-02-30", "CIS:1",
		[]any{},
		map[string]any{},
		[]any{"Move"},
		[]any{"a@b.cd", "b@b.cd"},
		[]any{1.0, "2%"},
		map[string]any{"defaults": true},
		map[string]any{"x": map[string]any{"ageLimit": "1y"}},
		nil,
	}
	accepted := 0
	rapid.Check(t, func(rt *rapid.T) {
		// Most odd values are refused at most places, so each draw is of many.
		for range 25 {
			if acceptedByBoth(rt, s, rapid.SampledFrom(docs).Draw(rt, "policy"), rapid.SampledFrom(odd).Draw(rt, "odd")) {
				accepted++
			}
		}
	})
	if accepted == 0 {
		t.Error("nothing was accepted by the loader")
	}
}

// acceptedByBoth puts a value at a random place of a policy, and tells whether the
// loader takes the outcome; the schema must then take it too.
func acceptedByBoth(rt *rapid.T, s *jsonschema.Schema, policyDoc, odd any) bool {
	text, err := json.Marshal(policyDoc)
	if err != nil {
		rt.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		rt.Fatal(err)
	}
	replaceOne(rt, doc, odd)
	changed, err := json.Marshal(doc)
	if err != nil {
		rt.Fatal(err)
	}
	_, found := policy.Load("p.yaml", changed, func(string) ([]byte, error) { return []byte(head), nil })
	if found.HasErrors() {
		return false
	}
	if err := s.Validate(doc); err != nil {
		rt.Fatalf("%s is refused: %v", changed, err)
	}
	return true
}

// replaceOne walks down a random way and puts the value at its end.
func replaceOne(t *rapid.T, node, value any) {
	deeper := rapid.IntRange(0, 9).Draw(t, "deeper") > 1
	switch n := node.(type) {
	case map[string]any:
		if len(n) == 0 {
			return
		}
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(n))).Draw(t, "key")
		if isContainer(n[key]) && deeper {
			replaceOne(t, n[key], value)
			return
		}
		n[key] = value
	case []any:
		if len(n) == 0 {
			return
		}
		i := rapid.IntRange(0, len(n)-1).Draw(t, "item")
		if isContainer(n[i]) && deeper {
			replaceOne(t, n[i], value)
			return
		}
		n[i] = value
	}
}

func isContainer(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	default:
		return false
	}
}
