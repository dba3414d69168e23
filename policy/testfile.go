package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// TestKind is the kind of a file of test cases.
const TestKind = "PolicyTest"

// TestFile is a list of sample mailboxes and what a policy must want of each. It
// says nothing about a tenant and needs none.
type TestFile struct {
	// File is the name given to ParseTest.
	File string
	// Policy names the policy under test as the file writes it: a baseline, or a
	// path relative to the file.
	Policy Located[string]
	// Cases are in the order of the file; there is at least one.
	Cases []TestCase
}

// PolicySource gives where the policy under test is: the path joined to the test
// file's folder, or the name of a baseline.
func (f *TestFile) PolicySource() (name string, builtIn bool) {
	if _, ok := Baseline(f.Policy.Value); ok {
		return f.Policy.Value, true
	}
	return path.Join(path.Dir(f.File), f.Policy.Value), false
}

// TestCase is one sample mailbox and what is expected of a policy for it.
type TestCase struct {
	Name    string
	Pos     Pos
	Mailbox SampleMailbox
	Expect  Expectation
}

// SampleMailbox is a mailbox about which everything is known: an attribute that
// is not given is empty, a group that is not given does not hold it.
type SampleMailbox struct {
	Type         audit.MailboxType
	Addresses    []string
	Attributes   map[Attribute]string
	MemberOf     []string // lower case
	Delegates    bool
	Capabilities []string
}

// Expectation is what a policy must want of a mailbox. A nil part is not
// checked.
type Expectation struct {
	// Rules are the names of all rules that match, in any order.
	Rules *Located[[]Located[string]]
	// Exempt are the names of all exemptions that match, in any order.
	Exempt *Located[[]Located[string]]
	// Record holds an expectation per logon type.
	Record [3]*ExpectedRecord
	// AuditEnabled is a mode, or None for no wish.
	AuditEnabled *Located[AcceptedEnabled]
	// AgeLimit is the limit wished for, 0 for no wish.
	AgeLimit *Located[time.Duration]
}

// ExpectedRecord is what a policy must ask one logon type to record.
type ExpectedRecord struct {
	Pos Pos
	// None wants no wish for the logon type.
	None bool
	// Includes must all be recorded, Excludes must not be asked for. Microsoft's
	// defaults, as the matrix has them, count as asked for where a rule wants them.
	Includes, Excludes []Located[audit.Action]
	// Managed is whether the list must be managed by Microsoft.
	Managed *Located[bool]
}

// TestFailure is an expectation that does not hold.
type TestFailure struct {
	// Case is the name of the case.
	Case string
	// Pos is where the expectation stands.
	Pos Pos
	// Message says what was expected and what the policy wants instead.
	Message string
}

// String gives file:line:column, the case and the message.
func (f TestFailure) String() string { return fmt.Sprintf("%s: %s: %s", f.Pos, f.Case, f.Message) }

// Run compares every case with what the policy wants, in the order of the file.
// It gives nil where all hold.
func (f *TestFile) Run(p *Policy) []TestFailure {
	var failures []TestFailure
	for _, c := range f.Cases {
		t := &testRun{c: c, p: p}
		t.run()
		failures = append(failures, t.failures...)
	}
	return failures
}

// testRun compares one case.
type testRun struct {
	c        TestCase
	p        *Policy
	failures []TestFailure
}

func (t *testRun) failf(at Pos, format string, args ...any) {
	t.failures = append(t.failures, TestFailure{Case: t.c.Name, Pos: at, Message: fmt.Sprintf(format, args...)})
}

func (t *testRun) run() {
	s := t.c.Mailbox.subject(t.p)
	var rules []int
	var matched, exempt []string
	for i, r := range t.p.Mailboxes {
		if r.Match(s) == Yes {
			rules, matched = append(rules, i), append(matched, r.Name)
		}
	}
	for _, e := range t.p.Exemptions {
		if e.Match(s) == Yes {
			exempt = append(exempt, e.Name)
		}
	}
	w, conflicts := t.p.Resolve(t.c.Mailbox.Type, rules)
	for _, c := range conflicts {
		t.failf(t.c.Pos, "the rules contradict each other: %s: %s (%s, %s)", c.Logon, c.Message, c.First.Pos, c.Second.Pos)
	}
	e := t.c.Expect
	t.names("rule", e.Rules, matched)
	t.names("exemption", e.Exempt, exempt)
	for _, l := range audit.LogonTypes() {
		if e.Record[l] != nil {
			t.record(l, e.Record[l], w.Record[l])
		}
	}
	t.enabled(w)
	t.ageLimit(w)
}

// subject gives the mailbox as selectors see it, all facts known.
func (m SampleMailbox) subject(p *Policy) Subject {
	s := Subject{
		Type: m.Type, Addresses: m.Addresses, AddressesKnown: true,
		Attributes: map[Attribute]Fact{}, Groups: map[string]Match{},
		Delegates:    BoolFact{Value: m.Delegates, Known: true},
		Capabilities: m.Capabilities, CapabilitiesKnown: true,
	}
	for _, a := range AllAttributes() {
		s.Attributes[a] = Fact{Value: m.Attributes[a], Known: true}
	}
	for _, g := range p.Groups() {
		s.Groups[g.Address] = No
		if slices.Contains(m.MemberOf, g.Address) {
			s.Groups[g.Address] = Yes
		}
	}
	return s
}

// names compares a list of names with those that match. A name that the policy
// does not have is said to be that.
func (t *testRun) names(what string, want *Located[[]Located[string]], got []string) {
	if want == nil {
		return
	}
	var expected []string
	for _, w := range want.Value {
		expected = append(expected, w.Value)
		switch {
		case slices.Contains(got, w.Value):
		case !slices.Contains(t.known(what), w.Value):
			t.failf(w.Pos, "the policy has no %s %s", what, w.Value)
		default:
			t.failf(w.Pos, "the %s %s does not match", what, w.Value)
		}
	}
	for _, g := range got {
		if !slices.Contains(expected, g) {
			t.failf(want.Pos, "the %s %s matches too", what, g)
		}
	}
}

func (t *testRun) known(what string) []string {
	var list []string
	if what == "rule" {
		for _, r := range t.p.Mailboxes {
			list = append(list, r.Name)
		}
		return list
	}
	for _, e := range t.p.Exemptions {
		list = append(list, e.Name)
	}
	return list
}

func (t *testRun) record(l audit.LogonType, want *ExpectedRecord, got *RecordWish) {
	if want.None || got == nil {
		if want.None && got != nil {
			t.failf(want.Pos, "%s: expected no wish, the rules ask for one at %s", l, got.Origin.Pos)
		} else if !want.None {
			t.failf(want.Pos, "%s: no rule asks for anything", l)
		}
		return
	}
	asked := got.Plus
	if got.Exact != nil {
		asked = *got.Exact
	}
	if got.Defaults || got.Managed {
		asked = asked.Union(audit.Defaults(t.c.Mailbox.Type, l))
	}
	for _, a := range want.Includes {
		if !asked.Has(a.Value) {
			t.failf(a.Pos, "%s: %s is not asked for", l, a.Value)
		}
	}
	for _, a := range want.Excludes {
		if asked.Has(a.Value) {
			t.failf(a.Pos, "%s: %s is asked for at %s", l, a.Value, got.OriginOf(audit.NewActionSet(a.Value)).Pos)
		}
	}
	if m := want.Managed; m != nil && m.Value != got.Managed {
		t.failf(m.Pos, "%s: managed is %v", l, got.Managed)
	}
}

func (t *testRun) enabled(w Wishes) {
	want := t.c.Expect.AuditEnabled
	if want == nil {
		return
	}
	got := AcceptedEnabled{None: true}
	if w.AuditEnabled != nil {
		got = AcceptedEnabled{Mode: w.AuditEnabled.Value}
	}
	if got != want.Value {
		t.failf(want.Pos, "auditEnabled is %s", got)
	}
}

func (t *testRun) ageLimit(w Wishes) {
	want := t.c.Expect.AgeLimit
	if want == nil {
		return
	}
	got := time.Duration(0)
	if w.AgeLimit != nil {
		got = w.AgeLimit.Value
	}
	if got != want.Value {
		t.failf(want.Pos, "ageLimit is %s", spanOrNone(got))
	}
}

func spanOrNone(d time.Duration) string {
	if d == 0 {
		return wordNone
	}
	return strings.TrimSuffix(audit.FormatTimeSpan(d), ".00:00:00") + daysUnless(d)
}

// daysUnless gives the unit of whole days; other durations have their own form.
func daysUnless(d time.Duration) string {
	if d%day == 0 {
		return "d"
	}
	return ""
}
