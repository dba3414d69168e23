package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

// invariant is something that holds on every day.
type invariant struct {
	name   string
	breaks func(h *history) []string
}

func invariants() []invariant {
	return []invariant{
		{"never in line while the oracle says no", falselyInLine},
		{"a report that is whole lists all that is wrong", silentReports},
		{"no write that the policy does not ask for", unaskedWrites},
		{"no more mailboxes written than guards and flags allow", excessiveWrites},
		{"every write is on record before it is made", unrecordedWrites},
		{"no write is repeated blindly", blindRepeats},
		{"every command ends by itself, in good order", disorderlyEnds},
		{"no secret is told", toldSecrets},
		{"a well service leads to where the policy wants it", unconverged},
	}
}

// visible are the states that a command may have seen: those since it began,
// and those before that a lagging or stale read may still have shown.
func (h *history) visible(st *step) []state {
	first := st.first
	for first > 0 && !st.quiet && (h.s.stale() || h.states[first].since.After(st.began.Add(-h.s.lag))) {
		first--
	}
	return h.states[first : st.last+1]
}

// falselyInLine looks for objects that were never as the policy wants them
// while a command ran that called them in line. What the command listed as
// unsupported it has not called so.
func falselyInLine(h *history) []string {
	var out []string
	for i, st := range h.steps {
		if !st.full() || st.document == nil || !st.callsInLine() {
			continue
		}
		listed := map[string]bool{}
		for _, c := range st.document.Changes {
			if (c.Fate == "unsupported" || c.Result == "unsupported") && !st.strict {
				listed[c.Subject.ID+" "+c.Setting] = true
			}
		}
		for key, why := range h.neverRight(st, st.failOn) {
			if !covers(listed, key) {
				out = append(out, fmt.Sprintf("command %d called the tenant in line: %s: %s", i+1, key, why))
			}
		}
	}
	slices.Sort(out)
	return out
}

// silentReports looks at reports that do not say that they are incomplete: they
// must list everything that was never right while they were made, and everything
// that cannot be read.
func silentReports(h *history) []string {
	var out []string
	for i, st := range h.steps {
		if st.mailbox != "" || st.document == nil || st.document.Verdict != "inLine" && st.document.Verdict != "drift" {
			continue
		}
		listed := st.document.listed()
		for key, why := range h.neverRight(st, levels()[0]) {
			if !covers(listed, key) {
				out = append(out, fmt.Sprintf("command %d has the verdict %s and is silent about %s: %s", i+1, st.document.Verdict, key, why))
			}
		}
	}
	slices.Sort(out)
	return out
}

// listed are the settings, and the unknown objects, that a report names.
func (d *document) listed() map[string]bool {
	listed := map[string]bool{}
	for _, c := range d.Changes {
		listed[c.Subject.ID+" "+c.Setting] = true
	}
	for _, u := range d.Unknown {
		listed[u.Subject.ID+" "+u.Setting], listed[u.Subject.ID+" unreadable"] = true, true
	}
	return listed
}

// covers tells whether a finding of the oracle is among what a command listed.
// What a list lacks that Microsoft is to manage is said by its management alone.
func covers(listed map[string]bool, key string) bool {
	id, setting, _ := strings.Cut(key, " ")
	isList := setting == "auditAdmin" || setting == "auditDelegate" || setting == "auditOwner"
	return listed[key] || isList && listed[id+" defaultAuditSet"]
}

// callsInLine: a plan exits with 0 on drift too, and an apply prints the verdict
// of before.
func (st *step) callsInLine() bool {
	return st.verb != "apply" && st.document.Verdict == "inLine" || st.verb != "plan" && st.status == cli.ExitInLine
}

// looksAtChanges tells whether a command has read only what changed.
func (st *step) looksAtChanges() bool {
	return st.document != nil && st.document.Coverage.Scope == "incremental"
}

// neverRight gives what no state that a command may have seen fulfils, from a
// level of severity on, and what none lets be read. What an apply writes is what
// was wished for when it planned: that somebody has moved the mailbox to another
// rule since is for the next run to see.
func (h *history) neverRight(st *step, from string) map[string]string {
	var wrong map[string]string
	keep := func(here map[string]string) {
		if wrong == nil {
			wrong = here
		}
		maps.DeleteFunc(wrong, func(key, _ string) bool { return here[key] == "" })
	}
	states := h.visible(st)
	for _, state := range states {
		keep(h.wrong(st, state.tenant, h.s.policy.wishes(state.tenant), from))
		if st.verb == "apply" {
			keep(h.wrong(st, state.tenant, h.s.policy.wishes(states[0].tenant), from))
		}
	}
	return wrong
}

// wrong gives what a tenant does not fulfil, and what it does not let be read.
func (h *history) wrong(st *step, t *simulator.Tenant, wishes oracle.Wishes, from string) map[string]string {
	out := map[string]string{}
	for _, f := range oracle.Judge(t, wishes) {
		if h.s.policy.level(f.Setting) >= slices.Index(levels(), from) {
			out[f.Guid+" "+f.Setting] = f.Why
		}
	}
	if st.looksAtChanges() {
		// An account that was not known to be bypassed is found by the next listing,
		// within the hour, and what did not change is not read (design section 7).
		maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasSuffix(key, " auditBypassEnabled") })
		return out
	}
	if st.quiet {
		return out
	}
	for m := range t.AllMailboxes() {
		if wish, matched := h.s.policy.wish(m); matched {
			if why := h.s.unreadable(m, wish); why != "" {
				out[m.Guid+" unreadable"] = why
			}
		}
	}
	return out
}

// unaskedWrites looks for writes for which no state that their command may have
// seen gives a reason, or that its flags or its saved plan exclude.
func unaskedWrites(h *history) []string {
	var out []string
	for _, w := range h.writes() {
		st := h.steps[w.step]
		var why string
		if st.verb != "apply" {
			why = st.verb + " writes nothing"
		} else if why = h.excluded(st, w); why == "" {
			why = h.unreasonable(st, w)
		}
		if why != "" {
			text, _ := json.Marshal(w.parameters) // came as JSON
			out = append(out, fmt.Sprintf("command %d sent %s %s: %s", w.step+1, w.cmdlet, text, why))
		}
	}
	return out
}

func (h *history) unreasonable(st *step, w *write) string {
	why := ""
	for _, state := range slices.Backward(h.visible(st)) {
		reason := h.s.calm(st).illegitimate(w, state.tenant)
		if reason == "" {
			return ""
		}
		if why == "" {
			why = reason
		}
	}
	return why
}

// calm gives the scenario as a command met it: at the end nothing is damaged.
func (s *scenario) calm(st *step) *scenario {
	if !st.quiet {
		return s
	}
	c := *s
	c.damage = nil
	return &c
}

// excluded says why flags or a saved plan exclude a write.
func (h *history) excluded(st *step, w *write) string {
	kind := map[string]string{"Set-Mailbox": "mailbox", "Set-MailboxAuditBypassAssociation": "bypass"}[w.cmdlet]
	if kind == "" {
		kind = "organization"
	}
	if len(st.only) > 0 && !slices.Contains(st.only, kind) {
		return "--only excludes it"
	}
	if st.mailbox != "" && kind == "mailbox" && !h.addressed(st, w) {
		return "--mailbox names another"
	}
	if !st.slip || w.cmdlet == "Enable-OrganizationCustomization" {
		return ""
	}
	var saved document
	if err := json.Unmarshal([]byte(h.files[planFile]), &saved); err != nil {
		return "the saved plan is none"
	}
	for _, key := range w.intents() {
		if !slices.ContainsFunc(saved.Changes, func(c change) bool {
			return c.Fate == "planned" && c.Subject.ID+" "+c.Setting == key
		}) {
			return key + " is not in the saved plan"
		}
	}
	return ""
}

// addressed tells whether a write is on the mailbox that --mailbox names, in a
// state that the command may have seen.
func (h *history) addressed(st *step, w *write) bool {
	return slices.ContainsFunc(h.visible(st), func(s state) bool {
		m, found := s.tenant.FindMailbox(st.mailbox)
		return found && m.Guid == w.object()
	})
}

// writes are all that arrived, in order.
func (h *history) writes() []*write {
	var out []*write
	for _, m := range h.moments {
		if m.write != nil && !m.reply {
			out = append(out, m.write)
		}
	}
	return out
}

// excessiveWrites counts the mailboxes that a command wrote.
func excessiveWrites(h *history) []string {
	var out []string
	for i, st := range h.steps {
		touched := map[string]bool{}
		for _, w := range h.writes() {
			if w.step == i && w.cmdlet == "Set-Mailbox" {
				touched[w.object()] = true
			}
		}
		n, g := len(touched), h.s.policy.guards
		most := 0
		for _, s := range h.visible(st) {
			most = max(most, h.s.policy.listings(s.tenant))
		}
		switch {
		case st.limit > 0 && n > st.limit:
			out = append(out, fmt.Sprintf("command %d wrote %d mailboxes, the limit is %d", i+1, n, st.limit))
		case st.raised:
		case g.maxChanged >= 0 && n > g.maxChanged:
			out = append(out, fmt.Sprintf("command %d wrote %d mailboxes, maxChanged is %d", i+1, n, g.maxChanged))
		case n >= 10 && float64(100*n) > g.percent*float64(most):
			out = append(out, fmt.Sprintf("command %d wrote %d of %d mailboxes, maxChangedPercent is %g", i+1, n, most, g.percent))
		}
	}
	return out
}

// unrecordedWrites looks for writes without an intent on disk when they came,
// and at the journal as a whole.
func unrecordedWrites(h *history) []string {
	var out []string
	for _, w := range h.writes() {
		if w.unrecorded != "" {
			out = append(out, fmt.Sprintf("command %d sent %s on %s: %s", w.step+1, w.cmdlet, w.object(), w.unrecorded))
		}
	}
	if h.journal.err != nil {
		out = append(out, "the journal: "+h.journal.err.Error())
	}
	if h.journal.tail.Torn {
		out = append(out, "the journal's last line is torn")
	}
	head := ""
	for _, st := range h.steps {
		if st.verb == "apply" && st.document != nil && st.document.JournalHead != "" {
			head = st.document.JournalHead
		}
	}
	if head != h.journal.tail.Head {
		out = append(out, fmt.Sprintf("the last run says that the journal's head is %q, and it is %q", head, h.journal.tail.Head))
	}
	return out
}

// blindRepeats looks for writes that were sent again without a look at what they
// are about. After an answer that says that nothing was done, other than by want
// of a token, of time, or of the right server, a write may be tried with less,
// never the same; after one that does not say, nothing of it may be sent again.
func blindRepeats(h *history) []string {
	var out []string
	last, answer, seen := map[string]int{}, map[*write]int{}, map[string]int{}
	for i, m := range h.moments {
		switch {
		case m.read != "":
			seen[m.read] = i
		case m.reply:
			answer[m.write] = i
		default:
			target := m.write.target()
			id := m.write.cmdlet + " " + target
			for n := last[id] - 1; n >= 0; n = -1 {
				before := h.moments[n].write
				at, answered := answer[before]
				if (!answered || seen[target] < at) && before.repeatedBy(m.write) {
					out = append(out, fmt.Sprintf("command %d sent %v again after %d, with no look between", m.step+1, m.write.parameters, before.status))
				}
			}
			last[id] = i + 1
		}
	}
	return out
}

// repeatedBy tells whether a later write repeats this one against the rules.
func (w *write) repeatedBy(later *write) bool {
	switch {
	case w.status == 429, w.status == 401, w.status == 302, w.status == 400 && strings.Contains(w.words, "needs proxy"):
		return false
	case w.status == 400 && strings.Contains(w.words, "Enable-OrganizationCustomization"):
		return false // not hydrated: the tenant is given time (semantics 4.4)
	case w.status >= 400 && w.status < 500 && w.status != 408:
		return sameParameters(w.parameters, later.parameters)
	}
	for name, value := range w.parameters {
		if name != "Identity" && name != "GroupMailbox" && name != "PublicFolder" {
			if other, ok := later.parameters[name]; ok && sameParameters(value, other) {
				return true
			}
		}
	}
	return false
}

func sameParameters(a, b any) bool {
	x, _ := json.Marshal(a) // both came as JSON
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// disorderlyEnds looks at how commands ended.
func disorderlyEnds(h *history) []string {
	var out []string
	problem := func(i int, format string, args ...any) {
		out = append(out, fmt.Sprintf("command %d, %s: ", i+1, h.steps[i].verb)+fmt.Sprintf(format, args...))
	}
	for i, st := range h.steps {
		if st.over || st.took >= longest {
			problem(i, "it did not end by itself: %d requests in %s", st.requests, st.took.Round(time.Second))
		}
		if st.signaled != (st.status == cli.ExitInterrupted) {
			problem(i, "signal %t, status %d", st.signaled, st.status)
		}
		documented := []int{cli.ExitInLine, cli.ExitNoReport, cli.ExitDrift, cli.ExitIncomplete, cli.ExitDenied, cli.ExitInterrupted}
		if st.verb == "apply" {
			documented = append(documented, cli.ExitRefused)
		}
		noPlan := st.slip && h.files[planFile] == ""
		if !slices.Contains(documented, st.status) && !(noPlan && st.status == cli.ExitInvalid) {
			problem(i, "status %d", st.status)
		}
		reported := slices.Contains([]int{cli.ExitInLine, cli.ExitDrift, cli.ExitIncomplete}, st.status)
		schema := map[bool]string{true: "exoaudit/run/v1", false: "exoaudit/plan/v1"}[st.verb == "apply"]
		switch {
		case st.parse != nil:
			problem(i, "standard output is no JSON: %v", st.parse)
		case st.document == nil && reported:
			problem(i, "status %d and no report", st.status)
		case st.document != nil && st.document.Schema != schema:
			problem(i, "schema %q", st.document.Schema)
		}
		if st.status != cli.ExitInLine && st.document == nil && st.err == "" {
			problem(i, "status %d without a word", st.status)
		}
	}
	return out
}

// toldSecrets looks for secrets and tokens in everything that is left behind.
func toldSecrets(h *history) []string {
	var out []string
	look := func(where, text string) {
		for _, s := range h.secrets {
			if s != "" && strings.Contains(text, s) {
				out = append(out, "a secret stands in "+where)
			}
		}
	}
	for i, st := range h.steps {
		look(fmt.Sprintf("standard output of command %d", i+1), st.out)
		look(fmt.Sprintf("standard error of command %d", i+1), st.err)
	}
	for name, text := range h.files {
		look(name, text)
	}
	slices.Sort(out)
	return out
}
