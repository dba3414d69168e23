package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy"
)

// offline runs a command that needs no tenant, on a day on which the examples
// are in force.
func offline(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = Main(t.Context(), args, Streams{Out: &out, Err: &err}, Environment{
		Getenv: func(string) string { return "" },
		Now:    func() time.Time { return time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC) },
	})
	return status, out.String(), err.String()
}

func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "examples", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples (%v)", len(files), err)
	}
	return files
}

// TestExamples: every example is without a warning, and every case holds.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, file := range examples(t) {
		if strings.HasSuffix(file, ".test.yaml") {
			if status, out, stderr := offline(t, "test", file); status != ExitInLine || strings.Count(out, "\n") != 1 {
				t.Errorf("test %s: exit status %d\n%s%s", file, status, out, stderr)
			}
			continue
		}
		if status, out, stderr := offline(t, "validate", file); status != ExitInLine || strings.Count(out, "\n") != 1 {
			t.Errorf("validate %s: exit status %d\n%s%s", file, status, out, stderr)
		}
		if status, out, stderr := offline(t, "explain", "-p", file); status != ExitInLine || stderr != "" || !strings.Contains(out, "\nguards\n") {
			t.Errorf("explain %s: exit status %d\n%s%s", file, status, out, stderr)
		}
	}
}

// TestBaselinesCommand: every baseline is listed, and prints as what it is.
func TestBaselinesCommand(t *testing.T) {
	t.Parallel()
	_, list, _ := offline(t, "baselines")
	_, doc, _ := offline(t, "baselines", "--format", "json")
	var listed struct{ Baselines []baseline }
	if err := json.Unmarshal([]byte(doc), &listed); err != nil {
		t.Fatal(err)
	}
	for i, b := range policy.Baselines() {
		text, _ := policy.Baseline(b.Name)
		status, out, stderr := offline(t, "baselines", b.Name)
		if status != ExitInLine || out != string(text) || stderr != "" {
			t.Errorf("baselines %s: exit status %d\n%s%s", b.Name, status, out, stderr)
		}
		if !slices.Contains(strings.Split(list, "\n"), b.Name) || listed.Baselines[i].Name != b.Name {
			t.Errorf("%s is not in the list", b.Name)
		}
		var one struct{ Name, Title, Source, Digest, Text string }
		_, doc, _ := offline(t, "baselines", b.Name, "--format", "json")
		if err := json.Unmarshal([]byte(doc), &one); err != nil {
			t.Fatal(err)
		}
		p, found := policy.Parse(b.Name, text)
		if found.HasErrors() {
			t.Fatal(found)
		}
		if one.Text != string(text) || one.Title != b.Title || one.Source != b.Source ||
			one.Digest != p.Digest() || listed.Baselines[i].Digest != p.Digest() {
			t.Errorf("%s as JSON: %+v", b.Name, one)
		}
	}
}

// TestSchemaCommand: both schemas are printed as they are.
func TestSchemaCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"schema"}, {"schema", "--plan"}} {
		status, out, stderr := offline(t, args...)
		if status != ExitInLine || !json.Valid([]byte(out)) || stderr != "" {
			t.Errorf("%v: exit status %d\n%s", args, status, stderr)
		}
		if isPolicy := out == string(policy.Schema()); isPolicy == (len(args) > 1) {
			t.Errorf("%v prints the other schema", args)
		}
	}
}

// gone is a stream that nobody reads any more.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }

// TestOfflineOutputFails: a result that could not be written is no success.
func TestOfflineOutputFails(t *testing.T) {
	t.Parallel()
	var file, cases string
	for _, f := range examples(t) {
		if strings.HasSuffix(f, ".test.yaml") {
			cases = f
		} else {
			file = f
		}
	}
	for _, args := range [][]string{
		{"baselines"},
		{"baselines", "cisa-scuba"},
		{"baselines", "cisa-scuba", "--format", "json"},
		{"schema"},
		{"schema", "--plan"},
		{"test", cases},
		{"test", cases, "--format", "json"},
		{"explain", "-p", file},
		{"explain", "-p", file, "--format", "json"},
	} {
		var stderr bytes.Buffer
		status := Main(t.Context(), args, Streams{Out: gone{}, Err: &stderr}, Environment{Getenv: func(string) string { return "" }, Now: time.Now})
		if status != ExitNoReport || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "nobody reads this") {
			t.Errorf("%v: exit status %d, want %d\n%s", args, status, ExitNoReport, stderr.String())
		}
	}
}

// TestExtendedFiles: what a file names is read with the bounds of what the
// command line names, and its mistakes have a place.
func TestExtendedFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	big := write("big.yaml", "")
	if err := os.Truncate(big, maxInput+1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"folder.yaml": "it is a folder",
		"big.yaml":    "it is larger than 16 MiB",
		"none.yaml":   "no such file",
	} {
		child := write("child.yaml", "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: child\nextends: ["+name+"]\n")
		status, out, _ := offline(t, "validate", child)
		if status != ExitInvalid || !strings.Contains(out, ":4:11: error unreadable") || !strings.Contains(out, want) {
			t.Errorf("%s: exit status %d\n%s", name, status, out)
		}
		cases := write("child.test.yaml", "apiVersion: exoaudit/v1\nkind: PolicyTest\npolicy: "+name+"\ncases: [{name: one, mailbox: {}, expect: {rules: []}}]\n")
		status, out, _ = offline(t, "test", cases)
		if status != ExitInvalid || !strings.Contains(out, ":3:9: error unreadable") || !strings.Contains(out, want) {
			t.Errorf("%s: exit status %d\n%s", name, status, out)
		}
	}
}
