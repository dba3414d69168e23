package chaos

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

// unconverged looks at the last check, when nothing has gone wrong for a while:
// it may find only what no apply can change, and the oracle no more than it.
func unconverged(h *history) []string {
	st := h.steps[len(h.steps)-1]
	if st.document == nil {
		return []string{fmt.Sprintf("the last check ended with %d and no report", st.status)}
	}
	out := leftOver(h.s, st)
	listed := st.document.listed()
	now := h.states[st.last].tenant
	for _, f := range oracle.Judge(now, h.s.policy.wishes(now)) {
		if key := f.Guid + " " + f.Setting; !covers(listed, key) {
			out = append(out, fmt.Sprintf("in the end the oracle finds what the check does not: %s: %s", key, f.Why))
		}
	}
	if want := h.lastStatus(st); !slices.Contains(want, st.status) {
		out = append(out, fmt.Sprintf("the last check ended with %d, not one of %v", st.status, want))
	}
	return out
}

// lastStatus is how the last check may end, by what it lists.
func (h *history) lastStatus(st *step) []int {
	untrusted := h.s.switches.Filter == simulator.FilterIgnored && slices.Contains(h.s.policy.features(), "auditEnabled explicit")
	switch {
	case len(st.document.Unknown) > 0:
		return []int{cli.ExitIncomplete}
	case untrusted:
		return []int{cli.ExitInLine, cli.ExitDrift, cli.ExitIncomplete}
	case len(st.document.Changes) > 0:
		return []int{cli.ExitDrift, cli.ExitInLine}
	default:
		return []int{cli.ExitInLine}
	}
}

// leftOver gives what a last check still lists and an apply should have changed.
func leftOver(s *scenario, st *step) []string {
	var out []string
	open := map[string]bool{}
	for _, u := range st.document.Unknown {
		open[u.Subject.ID] = true
		if u.Setting != "auditEnabled" || s.switches.Filter != simulator.FilterIgnored {
			out = append(out, fmt.Sprintf("in the end %s %s is unknown: %s", u.Subject.ID, u.Setting, u.Reason))
		}
	}
	for _, c := range st.document.Changes {
		if !s.beyond(c) && !open[c.Subject.ID] {
			out = append(out, fmt.Sprintf("in the end %s %s is %s: %s", c.Subject.ID, c.Setting, c.Fate, c.Reason))
		}
	}
	return out
}

// beyond tells whether a change is one that no apply can make, or must not.
func (s *scenario) beyond(c change) bool {
	m, _ := s.tenant.Mailbox(c.Subject.ID)
	wish, _ := s.policy.wish(m)
	list := strings.TrimPrefix(c.Setting, "audit")
	record := recordOf(wish, list)
	isList := list == "Admin" || list == "Delegate" || list == "Owner"
	swallowed := c.Setting == "auditEnabled" && s.switches.HiddenSet == simulator.HiddenSetSwallowed
	fate := c.Fate
	if strings.Contains(c.Reason, "not written: guard ") {
		fate = "planned" // an apply raises the guard
	}
	switch fate {
	case "exempt":
		return c.Setting == "auditBypassEnabled"
	case "unsupported":
		// Of these types nobody says whether they can be written (semantics 2.4), and
		// what an apply has found not to be settable is remembered (design section 3).
		return swallowed || !slices.Contains([]string{"UserMailbox", "SharedMailbox"}, c.Subject.Type)
	case "planned":
		return swallowed || isList && m.Unlicensed
	case "blocked":
		switch {
		case c.Setting == "auditDisabled": // shown where rules would be in vain, and left alone
			return s.policy.org == nil || !s.policy.org.mailboxAuditing
		case c.Subject.Kind == "organization":
			return s.tenant.Organization().Dehydrated && !s.policy.org.customization
		case c.Setting == "defaultAuditSet":
			return !s.policy.guards.weakening
		case isList && record != nil && record.Exact != nil:
			return !s.policy.guards.weakening
		case isList && record != nil:
			return slices.Contains(record.Plus, unknownAction)
		}
	}
	return false
}
