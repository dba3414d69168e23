package daemon

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/exoaudit/exoaudit/policy/strict"
)

func exampleFile(t *testing.T, name ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(exampleName(name...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exampleName(name ...string) string {
	return filepath.Join(append([]string{"..", "..", "..", "examples"}, name...)...)
}

// figure is what the examples may use of one metric.
type figure struct {
	counts bool                // it only grows, so that a rate of it makes sense
	labels map[string][]string // the values that can occur
}

// figures are the metrics by the names under which series are asked for, those of
// histograms with their endings.
func figures(t *testing.T) map[string]figure {
	t.Helper()
	out := map[string]figure{}
	synctest.Test(t, func(t *testing.T) {
		m := busy(t)
		healthy(t, m.Metrics)
		for _, kind := range notifiedKinds() {
			for _, result := range notifiedResults() {
				m.Notified(kind, result)
			}
		}
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			labels := map[string][]string{}
			for _, metric := range f.GetMetric() {
				for _, l := range metric.GetLabel() {
					labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
				}
			}
			if f.GetType().String() == "HISTOGRAM" {
				labels["le"] = nil
				for _, ending := range []string{"_bucket", "_sum", "_count"} {
					out[f.GetName()+ending] = figure{counts: true, labels: labels}
				}
				continue
			}
			out[f.GetName()] = figure{counts: f.GetType().String() == "COUNTER", labels: labels}
		}
	})
	return out
}

// scraped are the labels that the one who scrapes puts on every series.
func scraped(label string) bool {
	return slices.Contains([]string{"instance", "job", "pod", "namespace"}, label)
}

// faults gives what is wrong with an expression, as far as that is seen without
// PromQL's own parser: metrics that do not exist, labels and values that they
// cannot have, a rate of what does not only grow, brackets that do not match.
func faults(expr string, known map[string]figure) []string {
	var out []string
	bare, selectors := withoutSelectors(expr)
	named := map[string]bool{}
	for _, word := range regexp.MustCompile(`\bexoaudit_[a-z0-9_]+`).FindAllString(bare, -1) {
		f, ok := known[word]
		if !ok {
			out = append(out, "there is no "+word)
			continue
		}
		for label := range f.labels {
			named[label] = true
		}
	}
	if len(out) == 0 && !strings.Contains(bare, "exoaudit_") {
		out = append(out, "it asks for nothing of ours")
	}
	for _, s := range selectors {
		out = append(out, s.faults(known)...)
	}
	for _, group := range regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`).FindAllStringSubmatch(bare, -1) {
		for label := range strings.FieldsFuncSeq(group[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if !named[label] && !scraped(label) {
				out = append(out, "nothing asked for has the label "+label)
			}
		}
	}
	for _, called := range regexp.MustCompile(`\b(rate|increase|irate)\s*\(\s*(\w+)`).FindAllStringSubmatch(bare, -1) {
		if !known[called[2]].counts {
			out = append(out, called[1]+" of "+called[2]+", which does not only grow")
		}
	}
	return append(out, unmatched(bare)...)
}

// selector is what stands in braces behind a metric.
type selector struct{ metric, matchers string }

// withoutSelectors takes the braces out of an expression.
func withoutSelectors(expr string) (bare string, selectors []selector) {
	pattern := regexp.MustCompile(`(\w+)\{([^}]*)\}`)
	for _, s := range pattern.FindAllStringSubmatch(expr, -1) {
		selectors = append(selectors, selector{s[1], s[2]})
	}
	return pattern.ReplaceAllString(expr, "$1"), selectors
}

func (s selector) faults(known map[string]figure) []string {
	var out []string
	matcher := regexp.MustCompile(`^(\w+)(=|!=|=~|!~)"([^"]*)"$`)
	for part := range strings.SplitSeq(s.matchers, ",") {
		m := matcher.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			out = append(out, "a matcher that cannot be read: "+part)
			continue
		}
		if scraped(m[1]) {
			continue
		}
		values, ok := known[s.metric].labels[m[1]]
		if !ok {
			out = append(out, s.metric+" has no label "+m[1])
		}
		for value := range strings.SplitSeq(m[3], "|") {
			if ok && !slices.Contains(values, value) {
				out = append(out, s.metric+" never has "+m[1]+"="+value)
			}
		}
	}
	return out
}

// unmatched finds brackets that do not match.
func unmatched(expr string) []string {
	var open []rune
	closes := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, r := range expr {
		switch r {
		case '(', '[', '{':
			open = append(open, r)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closes[r] {
				return []string{"a bracket too many"}
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return []string{"a bracket that is not closed"}
	}
	return nil
}

// TestFaults: the test of the examples finds what it should find.
func TestFaults(t *testing.T) {
	t.Parallel()
	known := figures(t)
	for expr, want := range map[string]string{
		`exoaudit_objects{state="drifted"} > 0`:                                 "",
		`exoaudit_object > 0`:                                                   "there is no exoaudit_object",
		`exoaudit_objects{states="drifted"} > 0`:                                "exoaudit_objects has no label states",
		`exoaudit_objects{state=~"drifted|gone"} > 0`:                           "exoaudit_objects never has state=gone",
		`exoaudit_objects{state=drifted} > 0`:                                   "a matcher that cannot be read: state=drifted",
		`sum by (verdict) (exoaudit_objects)`:                                   "nothing asked for has the label verdict",
		`rate(exoaudit_objects[5m])`:                                            "rate of exoaudit_objects, which does not only grow",
		`exoaudit_run_duration_seconds > 1`:                                     "there is no exoaudit_run_duration_seconds",
		`sum(exoaudit_objects`:                                                  "a bracket that is not closed",
		`rate(exoaudit_throttled_total[5m))`:                                    "a bracket too many",
		`up == 0`:                                                               "it asks for nothing of ours",
		`max by (loop, le) (exoaudit_run_duration_seconds_bucket{loop="full"})`: "",
	} {
		if got := strings.Join(faults(expr, known), "; "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

// TestAlerts holds the alerting rules to the figures that exist.
func TestAlerts(t *testing.T) {
	t.Parallel()
	known := figures(t)
	used := map[string]bool{}
	doc := strict.Parse("exoaudit.rules.yaml", exampleFile(t, "alerts", "exoaudit.rules.yaml"))
	root, _ := doc.Root().Map(strict.Required("groups"))
	groups, _ := root.Get("groups").List()
	names := map[string]bool{}
	for _, g := range groups {
		group, _ := g.Map(strict.Required("name", "rules"))
		rules, _ := group.Get("rules").List()
		for _, r := range rules {
			rule, _ := r.Map(strict.Required("alert", "expr", "labels", "annotations"), strict.Keys("for"))
			name, _ := rule.Get("alert").Text()
			expr, _ := rule.Get("expr").Text()
			for _, fault := range faults(expr, known) {
				t.Errorf("%s: %s", name, fault)
			}
			if names[name] || !strings.HasPrefix(name, "Exoaudit") {
				t.Errorf("the name %q", name)
			}
			names[name] = true
			for _, word := range regexp.MustCompile(`exoaudit_\w+`).FindAllString(expr, -1) {
				used[word] = true
			}
			if wait := rule.Get("for"); wait != nil {
				if text, _ := wait.Text(); !regexp.MustCompile(`^[1-9][0-9]*[mhd]$`).MatchString(text) {
					t.Errorf("%s: for %q", name, text)
				}
			}
			labels, _ := rule.Get("labels").Map(strict.Required("severity"))
			if severity, _ := labels.Get("severity").Text(); severity != "critical" && severity != "warning" {
				t.Errorf("%s: severity %q", name, severity)
			}
			annotated(t, name, rule.Get("annotations"))
		}
	}
	if found := doc.Diagnostics(); len(found) > 0 {
		t.Error(found)
	}
	for _, need := range []string{
		"exoaudit_last_success_timestamp_seconds", "exoaudit_last_complete_sweep_timestamp_seconds", "exoaudit_objects",
		"exoaudit_contested_changes", "exoaudit_throttled_total", "exoaudit_credential_expiry_timestamp_seconds",
		"exoaudit_store_writable", "exoaudit_lease_held", "exoaudit_creation_to_in_line_seconds_bucket", "exoaudit_reloads_total",
		"exoaudit_notifications_total", "exoaudit_changes_total", "exoaudit_runs_total", "exoaudit_build_info",
	} {
		if !used[need] {
			t.Errorf("no rule watches %s", need)
		}
	}
}

// annotated: an alert says in a sentence what is wrong and what to do, and its
// template asks for labels that every series has.
func annotated(t *testing.T, name string, n *strict.Node) {
	t.Helper()
	annotations, _ := n.Map(strict.Required("summary", "description"))
	for _, key := range []string{"summary", "description"} {
		text, _ := annotations.Get(key).Text()
		if len(text) < 30 || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: %s %q", name, key, text)
		}
		for _, field := range regexp.MustCompile(`\{\{(.*?)\}\}`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`^ \$(labels\.instance|value \| humanize(Duration)?) $`).MatchString(field[1]) {
				t.Errorf("%s: the template %q", name, field[0])
			}
		}
	}
}

// TestProcessAlerts lets Prometheus itself read the rules, where it is installed.
func TestProcessAlerts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped under -short: it starts promtool")
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on PATH; the rules were read by the tokenizer of TestAlerts alone")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", exampleName("alerts", "exoaudit.rules.yaml")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// board is what the test reads of a dashboard of Grafana.
type board struct {
	Templating struct {
		List []struct{ Name, Definition string }
	}
	Panels []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct {
			RefID, Expr string
			Datasource  struct{ UID string }
		}
	}
}

// TestDashboard holds the dashboard to the figures that exist, and its panels to
// their places.
func TestDashboard(t *testing.T) {
	t.Parallel()
	known := figures(t)
	var b board
	if err := json.Unmarshal(exampleFile(t, "dashboard", "exoaudit.json"), &b); err != nil {
		t.Fatal(err)
	}
	taken, ids, shown := map[[2]int]string{}, map[int]bool{}, ""
	for _, p := range b.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q at %+v with %d targets", p.ID, p.Title, p.GridPos, len(p.Targets))
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				place := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[place] != "" {
					t.Fatalf("%q lies on %q", p.Title, taken[place])
				}
				taken[place] = p.Title
			}
		}
		for _, target := range p.Targets {
			shown += target.Expr
			for _, fault := range faults(target.Expr, known) {
				t.Errorf("%s: %s: %s", p.Title, target.Expr, fault)
			}
			if target.Datasource.UID != "${datasource}" || !strings.Contains(target.Expr, `job=~"$job",instance=~"$instance"`) {
				t.Errorf("%s: %s does not follow the choice of the user", p.Title, target.Expr)
			}
		}
	}
	for _, v := range b.Templating.List[1:] {
		if v.Definition != "label_values(exoaudit_build_info, "+v.Name+")" {
			t.Errorf("the variable %s is %q", v.Name, v.Definition)
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "exoaudit_") && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") &&
			name != "exoaudit_interval_seconds" && name != "exoaudit_max_sweep_age_seconds" && !strings.Contains(shown, name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}
