package exchange

import "strings"

// warningKind is what a warning of the service means to this client.
type warningKind uint8

const (
	// warningUnknown makes a listing incomplete.
	warningUnknown warningKind = iota
	// warningMoreResults must come with a next link (wire 1.6).
	warningMoreResults
	// warningNothingModified makes a write an unchanged one (semantics 1.3 E5).
	warningNothingModified
	// warningSlowToApply says that the unified log follows within an hour
	// (semantics 2.6).
	warningSlowToApply
	// warningSystemObject speaks of a system object of the bypass listing that
	// is not in order; its row is in the listing all the same (semantics 3).
	warningSystemObject
)

// warningRule is one row of the table: a warning of the cmdlet, or of any where
// it is empty, that contains all the parts is of the kind.
type warningRule struct {
	kind   warningKind
	cmdlet string
	parts  []string
}

// warningRules is the table of all warnings that are known, as of 2026-11-23.
func warningRules() []warningRule {
	return []warningRule{
		{kind: warningMoreResults, parts: []string{"There are more results available than are currently displayed"}},
		{kind: warningNothingModified, parts: []string{"completed successfully but no settings of", "have been modified"}},
		{
			kind: warningSlowToApply, cmdlet: cmdletSetAdminAuditLog,
			parts: []string{"admin audit log configuration change", "60 minutes"},
		},
	}
}

// classify looks a warning up. Messages are in English because every request
// asks for en-US (wire 1.3).
func classify(cmdlet, warning string) warningKind {
	for _, rule := range warningRules() {
		if rule.cmdlet != "" && rule.cmdlet != cmdlet {
			continue
		}
		if containsAll(warning, rule.parts) {
			return rule.kind
		}
	}
	if cmdlet == cmdletGetBypass && namesSystemObject(warning) {
		return warningSystemObject
	}
	return warningUnknown
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// namesSystemObject tells a warning about an object whose name begins with
// Asc-2X1, which CIS 6.1.3 says to ignore. Its text is not known, so the name
// must stand at the start of a quoted or path element, and nothing beside it may
// speak of a listing that ended early.
func namesSystemObject(warning string) bool {
	before, _, found := strings.Cut(warning, "Asc-2X1")
	if !found || before != "" && !strings.ContainsAny(before[len(before)-1:], `/\'"`) {
		return false
	}
	lower := strings.ToLower(warning)
	for _, sign := range [...]string{"stop", "incomplete", "truncat", "timed", "not complete", "more results"} {
		if strings.Contains(lower, sign) {
			return false
		}
	}
	return true
}
