package chaos

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// census counts the kinds of cases that have come up, so that a generator that
// stops making one of them fails.
type census struct {
	mu   sync.Mutex
	seen map[string]int
}

func newCensus() *census { return &census{seen: map[string]int{}} }

// take counts the cases of a day.
func (c *census) take(h *history) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen["days"]++
	for name, times := range h.struck {
		if times > 0 {
			c.seen["fault "+name]++
		}
	}
	for _, reading := range h.s.readings {
		c.seen["switch "+reading]++
	}
	c.seen["role "+h.s.role.Name]++
	if h.s.settled {
		c.seen["settled day"]++
	}
	for _, st := range h.steps {
		c.seen["exit "+st.verb+" "+strconv.Itoa(st.status)]++
		if st.document != nil {
			c.seen["verdict "+st.document.Verdict]++
			if st.looksAtChanges() {
				c.seen["since "+st.document.Verdict]++
			}
			for _, ch := range st.document.Changes {
				c.seen["fate "+ch.Fate]++
				if ch.Result != "" {
					c.seen["result "+ch.Result]++
				}
			}
		}
	}
	for _, w := range h.writes() {
		c.seen["write "+w.cmdlet]++
	}
	for _, feature := range h.s.policy.features() {
		c.seen["policy "+feature]++
	}
}

// features names what a policy makes use of.
func (p *model) features() []string {
	var out []string
	add := func(name string, on bool) {
		if on {
			out = append(out, name)
		}
	}
	add("organization", p.org != nil)
	add("bypass", p.bypass != nil)
	add("bypass allow", p.bypass != nil && len(p.bypass.allow) > 0)
	add("maxChanged", p.guards.maxChanged >= 0)
	add("maxChangedPercent", p.guards.percent < 100)
	add("allowWeakening", p.guards.weakening)
	add("severity", p.severity != nil)
	add("rules that overlap", len(p.rules) > 1)
	for _, r := range p.rules {
		add("auditEnabled "+r.enabled, r.enabled != "")
		add("ageLimit", r.ageDays > 0)
		for _, t := range r.types {
			add("type "+t, true)
		}
		for _, op := range []string{"address", "attribute", "not", "anyOf", "allOf"} {
			add("where "+op, r.where.asks(op))
		}
		for _, f := range r.record {
			if f != nil {
				add("defaults", f.defaults)
				add("plus", f.plus != nil && !f.managed)
				add("managed", f.managed)
				add("exact", f.exact != nil)
				add("unknown action", slices.Contains(f.plus, unknownAction))
			}
		}
	}
	return out
}

// required are the cases that must come up.
func required() []string {
	out := []string{
		"exit check 0", "exit check 2", "exit check 3", "exit check 5",
		"exit apply 0", "exit apply 2", "exit apply 3", "exit apply 5", "exit apply 6", "exit apply 130", "exit plan 0", "exit plan 3",
		"verdict inLine", "verdict drift", "verdict incomplete", "verdict failed",
		"fate planned", "fate blocked", "fate unsupported", "fate exempt",
		"result verified", "result unconfirmed", "result failed", "result skipped", "result unsupported",
		"fault " + administrator, "settled day", "since inLine", "since drift", "since incomplete",
	}
	for _, cmdlet := range []string{
		"Set-Mailbox", "Set-MailboxAuditBypassAssociation", "Set-OrganizationConfig", "Set-AdminAuditLogConfig", "Enable-OrganizationCustomization",
	} {
		out = append(out, "write "+cmdlet)
	}
	for _, k := range simulator.FaultKinds() {
		out = append(out, "fault "+k.Name)
	}
	for _, name := range simulator.SwitchNames() {
		name, values, _ := strings.Cut(name, "=")
		for value := range strings.SplitSeq(values, "|") {
			out = append(out, "switch "+name+"="+value)
		}
	}
	for _, r := range roles() {
		out = append(out, "role "+r.Name)
	}
	for _, f := range []string{
		"organization", "bypass", "bypass allow", "maxChanged", "maxChangedPercent", "allowWeakening", "severity", "rules that overlap",
		"auditEnabled effective", "auditEnabled explicit", "ageLimit", "type GroupMailbox", "type PublicFolderMailbox", "type RoomMailbox",
		"where address", "where attribute", "where not", "where anyOf", "where allOf", "defaults", "plus", "managed", "exact", "unknown action",
	} {
		out = append(out, "policy "+f)
	}
	return out
}

// missing are the required cases that have not come up.
func (c *census) missing() []string {
	return slices.DeleteFunc(required(), func(name string) bool { return c.seen[name] > 0 })
}

func (c *census) require(t *testing.T) {
	t.Helper()
	for _, name := range c.missing() {
		t.Errorf("the generator never made: %s", name)
	}
}

// tell lists the counts.
func (c *census) tell(t *testing.T) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(c.seen)) {
		t.Logf("%6d  %s", c.seen[name], name)
	}
}
