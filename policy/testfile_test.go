package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy"
)

func parseTest(t *testing.T, path string) (*policy.TestFile, policy.Diagnostics) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return policy.ParseTest(filepath.Base(path), data)
}

// TestTestFileMistakes holds each file to the places and codes beside it.
func TestTestFileMistakes(t *testing.T) {
	for _, path := range inputs(t, "testdata/test/err/*.yaml", 20) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, found := parseTest(t, path)
			if f != nil || !found.HasErrors() {
				t.Errorf("file %v with %s", f != nil, found.Error())
			}
			var b strings.Builder
			for _, d := range found {
				fmt.Fprintf(&b, "%d:%d %s\n", d.Line, d.Column, d.Code)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".out", b.String())
		})
	}
}

// TestTestFileRuns holds what a file of cases finds to the files beside it.
func TestTestFileRuns(t *testing.T) {
	p, found := parse(t, "testdata/test/policy.yaml")
	if len(found) > 0 {
		t.Fatal(found.Error())
	}
	for _, name := range []string{"holds", "fails"} {
		f, found := parseTest(t, "testdata/test/"+name+".yaml")
		if len(found) > 0 {
			t.Fatal(found.Error())
		}
		var b strings.Builder
		for _, failure := range f.Run(p) {
			fmt.Fprintln(&b, failure)
		}
		golden(t, "testdata/test/"+name+".out", b.String())
		if name == "holds" && b.Len() > 0 {
			t.Errorf("a case that holds fails:\n%s", b.String())
		}
	}
}

func TestTestFilePolicySource(t *testing.T) {
	for _, tt := range []struct {
		file, policy, want string
		builtIn            bool
	}{
		{"tests/a.yaml", "../policy.yaml", "policy.yaml", false},
		{"a.yaml", "policy.yaml", "policy.yaml", false},
		{"tests/a.yaml", "cis-m365-7.0", "cis-m365-7.0", true},
	} {
		f, found := policy.ParseTest(tt.file, []byte("apiVersion: exoaudit/v1\nkind: PolicyTest\npolicy: "+tt.policy+
			"\ncases: [{name: n, mailbox: {}, expect: {rules: []}}]\n"))
		if f == nil {
			t.Fatal(found.Error())
		}
		if name, builtIn := f.PolicySource(); name != tt.want || builtIn != tt.builtIn {
			t.Errorf("%s of %s is %s, %v", tt.policy, tt.file, name, builtIn)
		}
	}
}

func FuzzParseTest(f *testing.F) {
	p, found := policy.Parse("p.yaml", []byte(head+"mailboxes: {r: {where: {memberOf: a@x.yz}, record: {owner: {plus: [Move]}}, ageLimit: 90d}}\n"))
	if p == nil {
		f.Fatal(found.Error())
	}
	for _, name := range []string{"holds", "fails", "err/mailbox"} {
		data, err := os.ReadFile("testdata/test/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, found := policy.ParseTest("t.yaml", data)
		if (file == nil) != found.HasErrors() {
			t.Fatalf("file %v with %s", file != nil, found.Error())
		}
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.File != "t.yaml" || d.Code == "" || d.Message == "" {
				t.Fatalf("a finding without a place: %+v", d)
			}
		}
		if file == nil {
			return
		}
		for _, failure := range file.Run(p) {
			if failure.Pos.IsZero() || failure.Case == "" || failure.Message == "" {
				t.Fatalf("a failure without a place: %+v", failure)
			}
		}
	})
}
