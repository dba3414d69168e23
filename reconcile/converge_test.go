package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// seen counts the kinds of cases that a property test met, so that a
// generator that stops making one of them fails.
type seen map[string]int

func (s seen) note(parts ...any) { s[strings.TrimSuffix(fmt.Sprintln(parts...), "\n")]++ }

// missing lists the cases that have not come up.
func (s seen) missing(cases []string) []string {
	return slices.DeleteFunc(slices.Clone(cases), func(c string) bool { return s[c] > 0 })
}

// require fails where one of the cases never came up.
func (s seen) require(t *testing.T, cases []string) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(s)) {
		t.Logf("%6d  %s", s[k], k)
	}
	for _, c := range s.missing(cases) {
		t.Errorf("the generator never made: %s", c)
	}
}

// requiredCases is every (kind, state, fate, mode) that can come up.
func requiredCases() []string {
	var out []string
	add := func(kind, state, fate string, modes ...string) {
		for _, m := range modes {
			out = append(out, strings.Join([]string{kind, state, fate, m}, " "))
		}
	}
	add("mailbox", "drifted", "planned", "defaults", "plus", "defaults+plus", "managed", "exact", "effective", "explicit", "ageLimit")
	add("mailbox", "drifted", "blocked", "managed", "exact", "unknownAction")
	add("mailbox", "drifted", "unsupported", "ageLimit", "defaults")
	add("mailbox", "unknown", "blocked", "ageLimit")
	add("mailbox", "inSync", "-", "-")
	add("mailbox", "notApplicable", "-", "-")
	add("mailbox", "unknown", "-", "-")
	add("bypass", "drifted", "planned", "deny")
	add("bypass", "exempt", "exempt", "allow")
	add("bypass", "unknown", "-", "-")
	add("bypass", "inSync", "-", "-")
	add("organization", "drifted", "planned", "auditDisabled", "unifiedAuditLogIngestionEnabled")
	add("organization", "drifted", "blocked", "auditDisabled", "unifiedAuditLogIngestionEnabled")
	add("organization", "inSync", "-", "-")
	add("organization", "unknown", "-", "-")
	add("organization", "notApplicable", "-", "-")
	add("adminAudit", "drifted", "unsupported", "adminAudit")
	add("adminAudit", "drifted", "planned", "adminAudit")
	add("adminAudit", "exempt", "exempt", "adminAudit")
	add("adminAudit", "inSync", "-", "-")
	for name := range simulator.EachSwitch() {
		out = append(out, "switch "+name)
	}
	for _, of := range []string{"list", "auditEnabled", "auditLogAgeLimit"} {
		out = append(out, "exemption within "+of, "exemption below its floor "+of, "exemption expired "+of)
	}
	for _, of := range []string{"memberOf", "hasDelegates", "capability"} {
		out = append(out, "selector "+of+" planned", "selector "+of+" open")
	}
	return append(out, "exemption within organization", "exemption that may apply", "override")
}

// TestConverge makes random tenants and policies and holds every apply to
// three things, none of which the plan can answer: the oracle finds what was
// planned satisfied, nothing else in the tenant changed, and a second apply
// writes nothing. A check is never in line while the oracle says no.
func TestConverge(t *testing.T) {
	t.Parallel()
	converges(t, seen{})
}

// TestLargeConverge goes on until every case has come up. Rare ones may need a
// second helping; one that does not come up in forty is one that the generator
// does not make.
func TestLargeConverge(t *testing.T) {
	if testing.Short() {
		t.Skip("makes random tenants until every case has come up; run without -short")
	}
	t.Parallel()
	cases := seen{}
	for range 40 {
		converges(t, cases)
		if t.Failed() || len(cases.missing(requiredCases())) == 0 {
			break
		}
	}
	if !t.Failed() {
		cases.require(t, requiredCases())
	}
}

// converges makes as many cases as rapid is told to, and notes what came up.
func converges(t *testing.T, cases seen) {
	var switches []string
	settings := map[string]simulator.Switches{}
	for name, s := range simulator.EachSwitch() {
		switches = append(switches, name)
		settings[name] = s
	}
	property := func(r *rapid.T) {
		name := rapid.SampledFrom(switches).Draw(r, "switch")
		cases.note("switch", name)
		c := convergence{cases: cases, tenant: drawTenant(r), switches: settings[name]}
		c.text, c.base = drawPolicy(r, c.tenant)
		c.damage = drawDamage(r, c.tenant)
		// Read-backs wait half a minute; in a bubble that takes no time. What
		// rapid draws has to be drawn outside of it.
		synctest.Test(t, c.run)
		if len(c.problems) > 0 {
			r.Fatalf("%s\nswitch %s\n\n%s\n%s", strings.Join(c.problems, "\n"), name, c.text, c.base)
		}
	}
	rapid.Check(t, property)
}

// convergence is one random case.
type convergence struct {
	cases    seen
	tenant   *simulator.Tenant
	switches simulator.Switches
	damage   func(string, *simulator.Row)
	text     string
	base     string // the text of base.yaml
	problems []string
}

func (c *convergence) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *convergence) run(t *testing.T) {
	p, diags := policy.Load("policy.yaml", []byte(c.text), func(string) ([]byte, error) { return []byte(c.base), nil })
	if diags.HasErrors() {
		c.problem("the generator made a policy that is not valid: %v", diags)
		return
	}
	b := newBench(t, c.tenant, simulator.WithSwitches(c.switches), simulator.WithRowEdit(c.damage))
	before := maps.Collect(c.tenant.Dump())
	plan := b.check(p)
	notePlan(plan, p, c.cases)
	noteExemptions(plan, p, c.cases)
	noteSelectors(plan, p, c.cases)
	findings, pardoned := judge(t, p, c.tenant)
	if plan.Verdict(strict) == reconcile.VerdictInLine && len(findings) > 0 {
		c.problem("in line, while the oracle finds %+v", findings)
	}
	for ch := range plan.Changes() {
		at := string(ch.Subject.Kind) + ch.Subject.ID + "/" + string(ch.Setting)
		if ch.Fate == reconcile.FatePlanned && ch.Setting != audit.SettingDefaultAuditSet && pardoned[at] {
			c.problem("%s of %s is planned, while it is within what an exemption accepts", ch.Setting, ch.Subject.Name)
		}
	}
	run := b.apply(plan)
	if run.Stopped != "" {
		c.problem("the run stopped: %s", run.Stopped)
	}
	named := changedProperties(run)
	for key, value := range c.tenant.Dump() {
		if before[key] != value && !named[key] {
			c.problem("%s went from %q to %q, and no change names it", key, before[key], value)
		}
	}
	excused := excusedFindings(run, c.switches.HiddenSet == simulator.HiddenSetSwallowed)
	findings, _ = judge(t, p, c.tenant)
	for _, f := range findings {
		if !excused[f.Kind+f.Guid+"/"+f.Setting] && !excused[f.Kind+f.Guid+"/"] {
			c.problem("after the apply the oracle finds %+v", f)
		}
	}
	c.again(b, p)
}

// again checks and applies once more: no write is allowed, but for those of
// AuditEnabled that the service swallows, and those of the admin audit log that
// it refuses, of which no run without a store can know.
func (c *convergence) again(b *bench, p *policy.Policy) {
	b.reconnect()
	b.service.ResetCalls()
	run := b.apply(b.check(p))
	swallowed := map[string]bool{}
	for ch := range run.Changes() {
		if ch.Result == reconcile.ResultUnsupported && (ch.Setting == audit.SettingAuditEnabled || ch.Subject.Kind == audit.KindAdminAudit) {
			swallowed[ch.Subject.ID+"/"+string(ch.Setting)] = true
		} else if ch.Result != reconcile.ResultNone {
			c.problem("a second apply still had %s %s: %s", ch.Subject.Name, ch.Setting, ch.Result)
		}
	}
	if n := b.writes(); n != len(swallowed) {
		c.problem("a second apply made %d writes, %d of them swallowed", n, len(swallowed))
	}
}

// notePlan counts the cases of a plan.
func notePlan(plan *reconcile.Plan, p *policy.Policy, cases seen) {
	states := map[string]string{}
	for u := range plan.Unknown() {
		states[string(u.Subject.Kind)+u.Subject.ID] = "unknown"
	}
	for c := range plan.Changes() {
		state := "drifted"
		if c.Fate == reconcile.FateExempt {
			state = "exempt"
		}
		if s := states[string(c.Subject.Kind)+c.Subject.ID]; s != "" {
			state = s
		}
		for _, mode := range modesOf(c, p) {
			cases.note(c.Subject.Kind, state, c.Fate, mode)
		}
	}
	for kind, counts := range plan.Summary().States {
		for state, n := range map[string]int{"inSync": counts.InSync, "notApplicable": counts.NotApplicable, "unknown": counts.Unknown} {
			if n > 0 {
				cases.note(kind, state, "-", "-")
			}
		}
	}
}

// noteExemptions counts what became of exemptions, and of overrides.
func noteExemptions(plan *reconcile.Plan, p *policy.Policy, cases seen) {
	if len(p.Overrides) > 0 {
		cases.note("override")
	}
	for u := range plan.Unknown() {
		if strings.HasPrefix(u.Reason, "whether exemption") {
			cases.note("exemption that may apply")
		}
	}
	for c := range plan.Changes() {
		of := string(c.Setting)
		if _, list := c.Before.([]string); list {
			of = "list"
		}
		switch {
		case c.Subject.Kind == audit.KindOrganization && c.Fate == reconcile.FateExempt:
			cases.note("exemption within organization")
		case c.Subject.Kind != audit.KindMailbox:
		case c.Fate == reconcile.FateExempt:
			cases.note("exemption within", of)
		case c.Fate == reconcile.FatePlanned && strings.Contains(c.Reason, "the least that exemption"):
			cases.note("exemption below its floor", of)
		case c.Fate == reconcile.FatePlanned && strings.Contains(c.Reason, " ended on "):
			cases.note("exemption expired", of)
		}
	}
}

// noteSelectors counts what came of the rules that ask about more than a row.
func noteSelectors(plan *reconcile.Plan, p *policy.Policy, cases seen) {
	for _, rule := range p.Mailboxes {
		if rule.Where == nil {
			continue
		}
		for _, of := range []string{"memberOf", "hasDelegates", "capability"} {
			if !strings.Contains(rule.Where.String(), of) {
				continue
			}
			for c := range plan.Changes() {
				if c.Fate == reconcile.FatePlanned && c.Origin.Rule == rule.Name {
					cases.note("selector", of, "planned")
				}
			}
			for u := range plan.Unknown() {
				if strings.HasPrefix(u.Reason, "whether rule "+rule.Name) {
					cases.note("selector", of, "open")
				}
			}
		}
	}
}

// modesOf says in the words of the policy what asked for a change.
func modesOf(c reconcile.Change, p *policy.Policy) []string {
	if c.Subject.Kind == audit.KindAdminAudit {
		return []string{"adminAudit"}
	}
	switch c.Setting {
	case audit.SettingAuditBypassEnabled:
		if c.Fate == reconcile.FateExempt {
			return []string{"allow"}
		}
		return []string{"deny"}
	case audit.SettingAuditLogAgeLimit:
		return []string{"ageLimit"}
	case audit.SettingDefaultAuditSet:
		return []string{"managed"}
	case audit.SettingAuditEnabled:
		if c.Subject.Type == "RoomMailbox" || !p.NeedsStoredAuditEnabled() {
			return []string{"effective"}
		}
		return []string{"explicit"}
	case audit.SettingAuditDisabled, audit.SettingUnifiedAuditLogIngestionEnabled:
		return []string{string(c.Setting)}
	}
	if c.Fate == reconcile.FateBlocked && slices.Contains(c.Add, "Teleport") {
		return []string{"unknownAction"}
	}
	for _, rule := range p.Mailboxes {
		if rule.Name != c.Origin.Rule {
			continue
		}
		for _, rec := range rule.Record {
			switch {
			case rec == nil:
			case rec.Exact != nil:
				return []string{"exact"}
			case rec.Defaults != nil && rec.Plus != nil:
				return []string{"defaults+plus"}
			case rec.Defaults != nil:
				return []string{"defaults"}
			case rec.Plus != nil:
				return []string{"plus"}
			}
		}
	}
	return []string{"?"}
}

// changedProperties are the stored properties that the planned changes of a
// run name, as the simulator's dump spells them.
func changedProperties(run *reconcile.Run) map[string]bool {
	named := map[string]bool{}
	for c := range run.Changes() {
		if c.Fate != reconcile.FatePlanned {
			continue
		}
		switch at := string(c.Subject.Kind) + "/" + c.Subject.ID + "/"; c.Subject.Kind {
		case audit.KindOrganization:
			at = "organization/" + run.Plan.Tenant + "/"
			named[at+strings.ToUpper(string(c.Setting[:1]))+string(c.Setting[1:])] = true
			named[at+"IsDehydrated"] = named[at+"IsDehydrated"] || strings.Contains(c.Reason, "Enable-OrganizationCustomization")
		default:
			named[at+strings.ToUpper(string(c.Setting[:1]))+string(c.Setting[1:])] = true
			named[at+"WhenChangedUTC"] = true
			named[at+"DefaultAuditSet"] = named[at+"DefaultAuditSet"] || c.Pins
			if c.Setting == audit.SettingDefaultAuditSet {
				for _, l := range c.Add {
					named[at+"Audit"+l] = true
				}
			}
		}
	}
	return named
}

// excusedFindings are the settings that a run knowingly leaves as they are:
// it said so, by a fate or a result or by calling the object unknown. A stored
// AuditEnabled that the service swallows beside other settings is unconfirmed
// at first, as the service then has no reason to say that nothing was changed.
func excusedFindings(run *reconcile.Run, swallows bool) map[string]bool {
	out := map[string]bool{}
	for u := range run.Plan.Unknown() {
		out[string(u.Subject.Kind)+u.Subject.ID+"/"] = true
	}
	for c := range run.Changes() {
		hidden := swallows && c.Setting == audit.SettingAuditEnabled && c.Result == reconcile.ResultUnconfirmed
		// That an exemption or an allow entry accepts it, the oracle must know.
		if c.Fate == reconcile.FateExempt || c.Fate == reconcile.FatePlanned && c.Result != reconcile.ResultUnsupported && !hidden {
			continue
		}
		out[string(c.Subject.Kind)+c.Subject.ID+"/"+string(c.Setting)] = true
		if c.Setting == audit.SettingDefaultAuditSet {
			for _, l := range audit.LogonTypes() {
				out[string(c.Subject.Kind)+c.Subject.ID+"/"+string(audit.ListSetting(l))] = true
			}
		}
	}
	return out
}
