package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

const notifyExamples = "../../../examples/notify"

func readExample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(notifyExamples, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestExampleConfiguration: the configuration that users copy is one, and shows every
// kind.
func TestExampleConfiguration(t *testing.T) {
	config, err := readConfig(filepath.Join(notifyExamples, "exoaudit.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []notify.Kind
	for _, r := range config.receivers {
		kinds = append(kinds, r.kind)
	}
	if !slices.Equal(kinds, notify.Kinds()) {
		t.Errorf("it shows %v", kinds)
	}
	if _, err := os.Stat(config.values["policy"][0]); err != nil {
		t.Error(err)
	}
}

// auditColumns are what the rules may use of an audit record: the fields that captures
// of tenants show, and the time that Sentinel adds.
func auditColumns() []string {
	return []string{"AppId", "ClientAppId", "ClientIP", "Operation", "Parameters", "UserId", "TimeGenerated"}
}

var (
	comment = regexp.MustCompile(`(?m)^//.*$`)
	literal = regexp.MustCompile(`"[^"]*"`)
	word    = regexp.MustCompile(`[A-Z][A-Za-z]+`)
	said    = regexp.MustCompile(`"([a-zA-Z]+)"`)
)

// TestExampleQueries: the queries are balanced, use columns that a record has, and say
// of themselves that nobody tried them; what they say of events is so.
func TestExampleQueries(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(notifyExamples, "*.kql"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	own := []string{"ExoauditApps", "OfficeActivity", "Runs", "GetWatchlist", "From", "To", "Every", "Announced"}
	known := eventWords()
	for _, file := range files {
		text := readExample(t, filepath.Base(file))
		if !strings.Contains(text, "NOT TRIED ON A TENANT") {
			t.Errorf("%s does not say that it was not tried", file)
		}
		query := comment.ReplaceAllString(text, "")
		for _, pair := range []string{"()", "[]"} {
			if strings.Count(query, pair[:1]) != strings.Count(query, pair[1:]) {
				t.Errorf("%s is not balanced in %s", file, pair)
			}
		}
		for _, w := range word.FindAllString(literal.ReplaceAllString(query, ""), -1) {
			if !slices.Contains(auditColumns(), w) && !slices.Contains(own, w) {
				t.Errorf("%s uses %s, which no record has", file, w)
			}
		}
		for _, m := range said.FindAllStringSubmatch(strings.Join(comment.FindAllString(text, -1), "\n"), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s speaks of %q, which no event has", file, m[1])
			}
		}
	}
}

// eventWords are the keys and kinds of events.
func eventWords() []string {
	var out []string
	for field := range reflect.TypeFor[notify.Event]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, name)
	}
	for _, k := range notify.EventKinds() {
		out = append(out, string(k))
	}
	return out
}

// TestExampleSigma: the rule is YAML with the keys of a Sigma rule, its condition names
// what it defines, and its fields are those of a record.
func TestExampleSigma(t *testing.T) {
	text := readExample(t, "sigma-audit-changes.yaml")
	doc := strict.Parse("sigma.yaml", []byte(text))
	top, ok := doc.Root().Map(
		strict.Required("title", "id", "status", "description", "logsource", "detection", "level"),
		strict.Keys("references", "author", "date", "tags", "falsepositives"),
	)
	if !ok || !strings.Contains(text, "NOT TRIED ON A TENANT") {
		t.Fatal(doc.Diagnostics())
	}
	parts, _ := top.Get("detection").OpenMap()
	condition, defined := "", []string{}
	for _, p := range parts {
		if p.Key() == "condition" {
			condition, _ = p.Text()
			continue
		}
		defined = append(defined, p.Key())
		for _, field := range p.Entries() {
			name, _, _ := strings.Cut(field.Key(), "|")
			if !slices.Contains(auditColumns(), name) {
				t.Errorf("%s: no record has %s", p.Key(), name)
			}
		}
	}
	if err := doc.Diagnostics().Err(); err != nil {
		t.Error(err)
	}
	if condition != "((change and setting) or retention) and not 1 of filter_exoaudit_*" ||
		!slices.Equal(defined, []string{"change", "setting", "retention", "filter_exoaudit_app", "filter_exoaudit_client"}) {
		t.Errorf("%q over %v", condition, defined)
	}
}

// TestExamplesKnowEverySetting: what this tool guards is what the rules look for: a way to
// weaken it that they do not know would be a way past them.
func TestExamplesKnowEverySetting(t *testing.T) {
	kql, sigma := readExample(t, "sentinel-changes-by-others.kql"), readExample(t, "sigma-audit-changes.yaml")
	for _, s := range audit.Settings() {
		name := strings.ToUpper(string(s[:1])) + string(s[1:])
		broad := name
		if s == audit.SettingRetentionPolicy {
			name, broad = "Remove-UnifiedAuditLogRetentionPolicy", "Remove-UnifiedAuditLogRetentionPolicy"
		} else if strings.HasPrefix(name, "AdminAuditLog") {
			broad = "AdminAuditLog" // a Sigma field contains it
		}
		// KQL's has_any matches whole words.
		if !strings.Contains(kql, `"`+name+`"`) {
			t.Errorf("the query does not look for %s", name)
		}
		if !strings.Contains(sigma, "    - "+broad+"\n") {
			t.Errorf("the rule does not look for %s", broad)
		}
	}
}

// TestExampleSuppression: a record is left out only where it has the id of the
// application and falls into the time of a run; the query that looks at the application
// itself leaves out no kind of operation; and ids are compared as GUIDs are, without case.
func TestExampleSuppression(t *testing.T) {
	others := comment.ReplaceAllString(readExample(t, "sentinel-changes-by-others.kql"), "")
	own := comment.ReplaceAllString(readExample(t, "sentinel-writes-not-announced.kql"), "")
	const ours, during = "(AppId in~ (ExoauditApps) or ClientAppId in~ (ExoauditApps))", "TimeGenerated between (From .. To)"
	if !strings.Contains(others, "countif("+ours+" and "+during+")") || strings.Count(others, "ExoauditApps") != 3 || !strings.Contains(others, "| where Announced == 0\n") {
		t.Errorf("the query leaves out by another rule:\n%s", others)
	}
	if strings.Contains(own, "where Operation") || !strings.Contains(own, "countif("+during+")") || strings.Contains(own+others, " in (ExoauditApps)") {
		t.Errorf("the query on the application leaves out something:\n%s", own)
	}
	for _, name := range []string{"sentinel-changes-by-others.kql", "sigma-audit-changes.yaml"} {
		text := readExample(t, name)
		for _, must := range []string{"credential", `"runId"`, `"beforeApply"`, `"afterApply"`} {
			if !strings.Contains(text, must) {
				t.Errorf("%s does not speak of %s", name, must)
			}
		}
	}
}
