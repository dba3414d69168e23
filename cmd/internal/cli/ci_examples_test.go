package cli

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

const (
	githubExample = "github.yaml"
	azureExample  = "azure-pipelines.yml"
)

// pipeline reads an example for a CI system by the strict reader.
func pipeline(t *testing.T, name string) *strict.Node {
	t.Helper()
	doc := strict.Parse(name, []byte(deployment(t, "ci", name)))
	if doc.Root() == nil || len(doc.Diagnostics()) > 0 {
		t.Fatal(doc.Diagnostics())
	}
	return doc.Root()
}

// within gives every node below one that stands under a key, with it.
func within(n *strict.Node, key string) []*strict.Node {
	var out []*strict.Node
	next := n.Entries()
	if n.IsList() {
		next = items(n)
	}
	for _, e := range next {
		if e.Key() == key {
			out = append(out, e)
		}
		out = append(out, within(e, key)...)
	}
	return out
}

// scripts are what a part of a pipeline hands to a shell.
func scripts(n *strict.Node) []string {
	var out []string
	for _, key := range []string{"run", "bash", "script", "inlineScript"} {
		for _, s := range within(n, key) {
			out = append(out, told(s))
		}
	}
	return out
}

// invocations are the command lines of exoaudit in a script: what stands between its
// name and the end of the simple command.
func invocations(script string) [][]string {
	var out [][]string
	for line := range strings.Lines(strings.ReplaceAll(script, "\\\n", " ")) {
		fields := words(line)
		if len(fields) > 0 && fields[0] == "exec" {
			fields = fields[1:]
		}
		if len(fields) < 2 || fields[0] != "exoaudit" {
			continue
		}
		end := slices.IndexFunc(fields, func(w string) bool { return strings.ContainsAny(w, "|&;>#") })
		if end < 0 {
			end = len(fields)
		}
		out = append(out, fields[1:end])
	}
	return out
}

// remarked are the command lines that the comments of a file show in backquotes.
func remarked(text string) [][]string {
	var out [][]string
	for _, m := range regexp.MustCompile("(?s)`exoaudit ([^`]*)`").FindAllStringSubmatch(text, -1) {
		out = append(out, words(strings.ReplaceAll(m[1], "\n", " ")))
	}
	return out
}

// flagged gives the values of a flag in a command line.
func flagged(args []string, names ...string) []string {
	var out []string
	for i, a := range args[:max(len(args)-1, 0)] {
		if slices.Contains(names, a) {
			out = append(out, args[i+1])
		}
	}
	return out
}

// produced are the files that a command line writes.
func produced(t *testing.T, where string, args []string) []string {
	t.Helper()
	out := append(flagged(args, "--out"), flagged(args, "--journal")...)
	for _, r := range flagged(args, "--report") {
		format, file, _ := strings.Cut(r, "=")
		if !slices.Contains(report.Formats(), report.Format(format)) {
			t.Errorf("%s: there is no form of reports named %q", where, format)
		}
		out = append(out, file)
	}
	return out
}

// commands are the names of the commands that a part of a pipeline runs.
func commands(n *strict.Node) []string {
	var out []string
	for _, script := range scripts(n) {
		for _, args := range invocations(script) {
			out = append(out, args[0])
		}
	}
	return out
}

// TestCIExampleCommands: each command line is such as the program takes, works on files
// that the example speaks of, and uploads nothing that nobody wrote.
func TestCIExampleCommands(t *testing.T) {
	t.Parallel()
	for _, name := range []string{githubExample, azureExample} {
		text, root := deployment(t, "ci", name), pipeline(t, name)
		head, _, _ := strings.Cut(text, "\n\n")
		seen, written := map[string]int{}, []string{}
		for _, script := range scripts(root) {
			for _, args := range invocations(script) {
				seen[args[0]]++
				accepted(t, name, args)
				written = append(written, produced(t, name, args)...)
				for _, file := range flagged(args, "-p", "--policy") {
					if !strings.Contains(head, "beside "+file) {
						t.Errorf("%s: nothing says where %s is", name, file)
					}
				}
				if args[0] == "apply" && !slices.Contains(written, filepath.Base(args[1])) {
					t.Errorf("%s applies %s, and no plan is saved there before", name, args[1])
				}
			}
		}
		if want := map[string]int{"validate": 1, "test": 1, "check": 1, "plan": 1, "apply": 1}; !maps.Equal(seen, want) {
			t.Errorf("%s runs %v", name, seen)
		}
		if n := remarked(text); len(n) < 3 {
			t.Errorf("%s: the comments show %q", name, n)
		}
		for _, args := range remarked(text) {
			accepted(t, name, args)
		}
		for _, file := range uploads(root) {
			if !slices.Contains(written, file) {
				t.Errorf("%s uploads %s, which nothing writes", name, file)
			}
		}
		for _, want := range []string{"plan.json", "journal.ndjson", "drift.html"} {
			if !slices.Contains(uploads(root), want) {
				t.Errorf("%s keeps no %s", name, want)
			}
		}
	}
}

// uploads are the files that a pipeline takes out of a job, or reads back from one.
func uploads(n *strict.Node) []string {
	var out []string
	for _, key := range []string{"path", "sarif_file", "targetPath", "testResultsFiles"} {
		for _, e := range within(n, key) {
			for file := range strings.FieldsSeq(told(e)) {
				out = append(out, filepath.Base(file))
			}
		}
	}
	return out
}

// TestCIExampleVariables: what is set is read by somebody, and no credential stands
// there.
func TestCIExampleVariables(t *testing.T) {
	t.Parallel()
	read := []string{"EXOAUDIT_VERSION"} // by the line that installs the program
	for _, name := range []string{githubExample, azureExample} {
		root := pipeline(t, name)
		for _, block := range append(within(root, "env"), within(root, "variables")...) {
			for _, e := range block.Entries() {
				if !knownVariable(e.Key()) && !slices.Contains(read, e.Key()) {
					t.Errorf("%s sets %s, which nothing reads", name, e.Key())
				}
			}
		}
		for _, script := range scripts(root) {
			for _, m := range regexp.MustCompile(`\b(?:AZURE|EXOAUDIT)_[A-Z_]+`).FindAllString(script, -1) {
				if !knownVariable(m) && !slices.Contains(read, m) {
					t.Errorf("%s speaks of %s, which nothing reads", name, m)
				}
			}
			// What a person chose (a title, a branch) would be run as code.
			if strings.Contains(script, "${{") || strings.Contains(script, "$(") {
				t.Errorf("%s has an expression in a script: %s", name, script)
			}
		}
		for _, word := range []string{"secrets.", "secrets:", "pull_request_target", "CLIENT_SECRET", "PASSWORD", "System.AccessToken", "ACCESS_TOKEN"} {
			if strings.Contains(deployment(t, "ci", name), word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

// languageVersion is the version of Go that the module asks for.
func languageVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(data)
	if m == nil {
		t.Fatal("go.mod asks for no version")
	}
	return string(m[1])
}
