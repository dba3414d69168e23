package report

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile"
)

// command is a command of a CI host, as its runner reads it from a line of the log.
type command struct {
	name, text string
	properties map[string]string
}

// githubCommands reads a log as the runner of GitHub Actions does: a command begins a
// line, after spaces, with two colons; ##[ begins one of the older kind anywhere.
func githubCommands(t *testing.T, log string) (found []command, other []string) {
	t.Helper()
	for _, line := range strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' }) {
		text := strings.TrimSpace(line)
		if strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
			t.Errorf("%q holds a command of another kind", line)
		}
		if !strings.HasPrefix(text, "::") {
			other = append(other, line)
			continue
		}
		head, message, ok := strings.Cut(text[2:], "::")
		if !ok {
			t.Errorf("%q is no command", line)
		}
		name, list, _ := strings.Cut(head, " ")
		c := command{name: name, text: githubDecoded(message), properties: map[string]string{}}
		for p := range strings.SplitSeq(list, ",") {
			key, value, ok := strings.Cut(p, "=")
			if !ok {
				t.Errorf("%q: %q is no property", line, p)
			}
			c.properties[key] = githubDecoded(value)
		}
		found = append(found, c)
	}
	return found, other
}

func githubDecoded(s string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(s)
}

// azureCommands reads a log as the agent of Azure Pipelines does: a command begins
// anywhere in a line.
func azureCommands(t *testing.T, log string) (found []command, other []string) {
	t.Helper()
	decode := strings.NewReplacer("%3B", ";", "%5D", "]", "%0D", "\r", "%0A", "\n", "%AZP25", "%")
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		at := strings.Index(line, "##vso[")
		if at < 0 {
			if strings.Contains(line, "##[") {
				t.Errorf("%q holds a mark-up of the log", line)
			}
			other = append(other, line)
			continue
		}
		if at > 0 || strings.Count(line, "##") != 1 {
			t.Errorf("%q holds more than one command", line)
		}
		head, message, _ := strings.Cut(line[len("##vso["):], "]")
		name, list, _ := strings.Cut(head, " ")
		c := command{name: name, text: decode.Replace(message), properties: map[string]string{}}
		for p := range strings.SplitSeq(strings.TrimSuffix(list, ";"), ";") {
			key, value, ok := strings.Cut(p, "=")
			if !ok {
				t.Errorf("%q: %q is no property", line, p)
			}
			c.properties[key] = decode.Replace(value)
		}
		found = append(found, c)
	}
	return found, other
}

// spelled gives a report in a form, of policies that lie in a folder.
func spelled(t *testing.T, r Report, f Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, f, Options{Root: "policies/"}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestAnnotationsPoint: each cause is one remark, at the line that asks for it.
func TestAnnotationsPoint(t *testing.T) {
	t.Parallel()
	github, other := githubCommands(t, spelled(t, driftOnly(), GitHub))
	if len(other) > 0 {
		t.Errorf("lines beside the commands: %q", other)
	}
	azure, notices := azureCommands(t, spelled(t, driftOnly(), Azure))
	if len(github) != len(azure)+len(notices) {
		t.Errorf("%d remarks for GitHub, %d and %d lines for Azure", len(github), len(azure), len(notices))
	}
	if github[0].name != "error" || github[0].properties["title"] != "exoaudit: drift" {
		t.Errorf("the verdict is not first: %+v", github[0])
	}
	at := slices.IndexFunc(github, func(c command) bool { return strings.HasPrefix(c.properties["title"], "EXA011 ") })
	if at < 0 || github[at].properties["file"] != "policies/policy.yaml" || github[at].properties["line"] != "22" || github[at].properties["col"] != "5" {
		t.Fatalf("no remark on the delegates at their line: %+v", github)
	}
	if !strings.Contains(github[at].text, "and 5 more") {
		t.Errorf("eight mailboxes with one cause: %q", github[at].text)
	}
	at = slices.IndexFunc(azure, func(c command) bool { return c.properties["code"] == "EXA011" })
	if at < 0 || azure[at].properties["sourcepath"] != "policies/policy.yaml" || azure[at].properties["linenumber"] != "22" || azure[at].name != "task.logissue" {
		t.Errorf("no issue on the delegates at their line: %+v", azure)
	}
	for _, c := range slices.Concat(github, azure) {
		if strings.Contains(c.text, "allowed until") {
			t.Errorf("what the policy allows is no remark: %+v", c)
		}
	}
}

// TestAnnotationsOfAPass: nothing but a notice, and for Azure a line.
func TestAnnotationsOfAPass(t *testing.T) {
	t.Parallel()
	found, _ := githubCommands(t, spelled(t, inLineRun(), GitHub))
	if len(found) != 1 || found[0].name != "notice" || !strings.HasPrefix(found[0].text, "In line") {
		t.Errorf("%+v", found)
	}
	issues, lines := azureCommands(t, spelled(t, inLineRun(), Azure))
	if len(issues) != 0 || len(lines) != 1 || !strings.Contains(lines[0], "In line") {
		t.Errorf("%+v, %q", issues, lines)
	}
}

// TestAnnotationsOfNoPass: what was not judged is an error, and nowhere in line.
func TestAnnotationsOfNoPass(t *testing.T) {
	t.Parallel()
	for name, r := range unjudged() {
		found, _ := githubCommands(t, spelled(t, r, GitHub))
		issues, lines := azureCommands(t, spelled(t, r, Azure))
		for form, first := range map[string]command{"github": found[0], "azure": issues[0]} {
			if first.name != "error" && first.properties["type"] != "error" || !strings.Contains(first.text, "This is no pass") {
				t.Errorf("%s, %s: begins with %+v", name, form, first)
			}
		}
		for _, text := range lines {
			if strings.Contains(text, "In line") {
				t.Errorf("%s: %q", name, text)
			}
		}
		if r.doc.applied == nil && !slices.ContainsFunc(found, func(c command) bool { return c.properties["title"] == "Not read" && c.name == "error" }) {
			t.Errorf("%s: does not say what was not read: %+v", name, found)
		}
	}
}

// TestAnnotationsOfHostileText: names make no commands, end none, and can be told.
func TestAnnotationsOfHostileText(t *testing.T) {
	t.Parallel()
	r := hostileRun(t)
	remarks := r.doc.annotations(checkout{below: "policies/"})
	found, other := githubCommands(t, spelled(t, r, GitHub))
	issues, lines := azureCommands(t, spelled(t, r, Azure))
	if len(found) != len(remarks) || len(other) > 0 || len(issues)+len(lines) != len(remarks) {
		t.Errorf("%d remarks, %d commands of GitHub and %q, %d of Azure", len(remarks), len(found), other, len(issues))
	}
	keys := regexp.MustCompile(`^(title|file|line|col|type|sourcepath|linenumber|columnnumber|code)$`)
	for i, c := range slices.Concat(found, issues) {
		for key := range c.properties {
			if !keys.MatchString(key) {
				t.Errorf("a property %q was made: %+v", key, c)
			}
		}
		if i < len(found) && c.text != remarks[i].text {
			t.Errorf("remark %d: %q, was %q", i, c.text, remarks[i].text)
		}
		if len([]rune(c.text)) > 2*widest || strings.ContainsAny(c.text, "\r\n\x1b\u202e") {
			t.Errorf("%q is too long, or not for a log", c.text)
		}
	}
	text := spelled(t, r, GitHub)
	for _, want := range []string{"<script>alert(1)</script>", "=HYPERLINK(", `\u202efdp.exe`, "a]]>b", "long.long."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q cannot be told any more", want)
		}
	}
}

// TestAnnotationsAreBounded: a run with many causes ends with how many more there are.
func TestAnnotationsAreBounded(t *testing.T) {
	t.Parallel()
	r := driftOnly()
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for i := range 500 {
			c := someChanges()[2]
			c.Reason = "cause " + strconv.Itoa(i)
			if !yield(c) {
				return
			}
		}
	}
	found, _ := githubCommands(t, spelled(t, r, GitHub))
	if last := found[len(found)-1]; len(found) > 60 || !strings.HasPrefix(last.text, "450 more causes") {
		t.Errorf("%d remarks, the last is %+v", len(found), found[len(found)-1])
	}
}

// TestTextFormsFail: the first error of the writer ends each form.
func TestTextFormsFail(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{GitHub, Azure, Markdown} {
		if err := driftOnly().Write(&brokenWriter{n: 10}, f, Options{}); err == nil {
			t.Errorf("%s: written to a disk that is full", f)
		}
	}
}

func BenchmarkWriteGitHub(b *testing.B)   { benchmarkWrite(b, GitHub) }
func BenchmarkWriteAzure(b *testing.B)    { benchmarkWrite(b, Azure) }
func BenchmarkWriteMarkdown(b *testing.B) { benchmarkWrite(b, Markdown) }
func BenchmarkWriteText(b *testing.B)     { benchmarkWrite(b, Text) }
func BenchmarkWriteJSON(b *testing.B)     { benchmarkWrite(b, JSON) }

// TestTextForms: the shared run in the forms that hosts show in their logs and summaries.
func TestTextForms(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		r Report
		f Format
	}{
		"shared.github.txt":  {sharedRun(), GitHub},
		"shared.azure.txt":   {sharedRun(), Azure},
		"shared.md":          {sharedRun(), Markdown},
		"applied.md":         {appliedRun(), Markdown},
		"applied.github.txt": {appliedRun(), GitHub},
	} {
		golden(t, file, []byte(spelled(t, c.r, c.f)))
	}
}
