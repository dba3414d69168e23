package reconcile_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// journalAt reads a journal whole.
func journalAt(t testing.TB, path string) []journal.Entry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []journal.Entry
	if _, err := journal.Read(f, func(e journal.Entry) error {
		out = append(out, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// newUndoBench makes both services alike.
func newUndoBench(t *testing.T, tenant *simulator.Tenant, opts ...simulator.Option) *retentionBench {
	t.Helper()
	b := &retentionBench{bench: newBench(t, tenant, opts...), front: simulator.NewCompliance(tenant, opts...)}
	b.dial()
	return b
}

// undoRequest asks for the undo of a run that is in the journal of the bench.
func (b *retentionBench) undoRequest(run, id string) reconcile.UndoRequest {
	return reconcile.UndoRequest{
		Tool: "exoaudit test", RunID: id, Tenant: b.tenant.ID(), Now: time.Now,
		Run: run, Entries: journalAt(b.t, b.journal), AllowWeakening: true, Compliance: b.compliance,
	}
}

// planUndo plans an undo as another run of the program would.
func (b *retentionBench) planUndo(req reconcile.UndoRequest) *reconcile.Plan {
	b.t.Helper()
	b.dial()
	req.Compliance = b.compliance
	plan, err := reconcile.PlanUndo(b.ctx(), b.client, req)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

// applyUndo makes the changes of an undo.
func (b *retentionBench) applyUndo(plan *reconcile.Plan, change ...func(*reconcile.ApplyOptions)) *reconcile.Run {
	b.t.Helper()
	file, err := journal.Open(b.journal, plan.RunID, time.Now)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			b.t.Error(err)
		}
	}()
	opts := reconcile.ApplyOptions{Recorder: file, Now: time.Now, Compliance: b.compliance}
	for _, f := range change {
		f(&opts)
	}
	run, err := reconcile.ApplyUndo(b.ctx(), b.client, plan, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// auditSettings is all of a tenant that is about auditing, as the service shows it,
// with the stored AuditEnabled; all else that is stored stands beside it.
func auditSettings(tenant *simulator.Tenant) map[string]string {
	out := maps.Collect(tenant.Dump())
	for key := range out {
		// Undone is not unwritten; and a tenant once hydrated stays so.
		if strings.HasSuffix(key, "/WhenChangedUTC") || strings.HasSuffix(key, "/IsDehydrated") {
			delete(out, key)
		}
	}
	for m := range tenant.AllMailboxes() {
		for _, l := range []string{"Admin", "Delegate", "Owner"} {
			// What lies hidden under a list that Microsoft manages is no setting.
			list := m.Shown(l)
			slices.Sort(list)
			out["mailbox/"+m.Guid+"/Audit"+l] = strings.Join(list, ",")
		}
	}
	return out
}

// notGivenBack are the properties that a run which undoes another says it leaves as
// they are.
func notGivenBack(run *reconcile.Run) map[string]bool {
	out := map[string]bool{}
	for u := range run.Plan.Unknown() {
		out[string(u.Subject.Kind)+"/"+u.Subject.ID+"/"] = true
	}
	for c := range run.Changes() {
		if c.Fate == reconcile.FatePlanned && c.Result == reconcile.ResultVerified {
			continue
		}
		for _, property := range propertiesOf(c) {
			out[property] = true
		}
	}
	return out
}

// propertiesOf are the stored properties that a change is about, as the dump spells
// them.
func propertiesOf(c reconcile.Change) []string {
	at := string(c.Subject.Kind) + "/" + c.Subject.ID + "/"
	name := strings.ToUpper(string(c.Setting[:1])) + string(c.Setting[1:])
	out := []string{at + name}
	switch {
	case c.Setting == audit.SettingDefaultAuditSet:
		for _, l := range c.Add {
			out = append(out, at+"Audit"+l)
		}
	case strings.HasPrefix(name, "Audit") && c.Subject.Kind == audit.KindMailbox:
		out = append(out, at+"DefaultAuditSet")
	}
	return out
}

// undoing is one random case: an apply, its undo, and the undo of that.
type undoing struct {
	convergence
	withPolicy bool
}

func (c *undoing) run(t *testing.T) {
	p, diags := policy.Load("policy.yaml", []byte(c.text), func(string) ([]byte, error) { return []byte(c.base), nil })
	if diags.HasErrors() {
		c.problem("the generator made a policy that is not valid: %v", diags)
		return
	}
	b := newUndoBench(t, c.tenant, simulator.WithSwitches(c.switches), simulator.WithRowEdit(c.damage))
	states := []map[string]string{auditSettings(c.tenant)}
	never := neverSet(c.tenant)
	b.carry(b.plan(p))
	states = append(states, auditSettings(c.tenant))
	c.weakensNothing(t, b)
	for n, run := range []string{"run-1", "run-2"} {
		req := b.undoRequest(run, fmt.Sprintf("run-%d", n+2))
		if c.withPolicy {
			req.Policy = p
		}
		done := b.applyUndo(b.planUndo(req))
		c.holds(done)
		now := auditSettings(c.tenant)
		c.same(states[n], now, notGivenBack(done), never, run)
		states = append(states, now)
	}
}

// weakensNothing undoes the run on a copy of the tenant, where nothing is allowed to
// be weakened.
func (c *undoing) weakensNothing(t *testing.T, b *retentionBench) {
	text, err := os.ReadFile(b.journal)
	if err != nil {
		t.Fatal(err)
	}
	careful := newUndoBench(t, c.tenant.Snapshot(), simulator.WithSwitches(c.switches), simulator.WithRowEdit(c.damage))
	if err := os.WriteFile(careful.journal, text, 0o600); err != nil {
		t.Fatal(err)
	}
	req := careful.undoRequest("run-1", "careful")
	req.AllowWeakening = false
	careful.applyUndo(careful.planUndo(req))
	for m := range careful.tenant.AllMailboxes() {
		was, _ := c.tenant.Mailbox(m.Guid)
		for _, l := range []string{"Admin", "Delegate", "Owner"} {
			for _, action := range was.Shown(l) {
				if !slices.Contains(m.Shown(l), action) {
					c.problem("an undo that may not weaken took %s from Audit%s of %s", action, l, m.Guid)
				}
			}
		}
		if was.AuditEnabled == simulator.True && m.AuditEnabled != simulator.True || days(m.AgeLimit) < days(was.AgeLimit) {
			c.problem("an undo that may not weaken left %s with AuditEnabled %s and %s", m.Guid, m.AuditEnabled, m.AgeLimit)
		}
	}
	org, was := careful.tenant.Organization(), c.tenant.Organization()
	if org.AuditDisabled && !was.AuditDisabled || !org.UnifiedAuditLog && was.UnifiedAuditLog {
		c.problem("an undo that may not weaken left %+v", org)
	}
	if now, was := careful.tenant.RetentionPolicies(), c.tenant.RetentionPolicies(); fmt.Sprint(now) != fmt.Sprint(was) {
		c.problem("an undo that may not weaken left the retention policies %+v", now)
	}
}

func days(span string) time.Duration {
	d, _ := audit.ParseTimeSpan(span)
	return d
}

// neverSet are the mailboxes whose AuditEnabled was never set.
func neverSet(tenant *simulator.Tenant) map[string]bool {
	out := map[string]bool{}
	for m := range tenant.AllMailboxes() {
		if m.AuditEnabled == simulator.Unset {
			out["mailbox/"+m.Guid+"/AuditEnabled"] = true
		}
	}
	return out
}

// holds looks at one undo: what it planned it did, and no bypass came back.
func (c *undoing) holds(run *reconcile.Run) {
	if run.Stopped != "" {
		c.problem("%s stopped: %s", run.Plan.RunID, run.Stopped)
	}
	for ch := range run.Changes() {
		what := fmt.Sprint(ch.Setting, " ", ch.Fate)
		switch {
		case strings.Contains(ch.Reason, "changed since"):
			what += " changed since"
		case ch.Pins:
			what += " pins"
		case ch.Setting == audit.SettingRetentionPolicy && ch.After == nil:
			what += " removed"
		case ch.Setting == audit.SettingRetentionPolicy && ch.Before == nil:
			what += " made"
		case ch.Fate == reconcile.FateBlocked && strings.Contains(ch.Reason, "does not take"):
			what += " refused action"
		case ch.Fate == reconcile.FateBlocked && strings.Contains(ch.Reason, "emptied"):
			what += " empty"
		}
		c.cases.note(run.Plan.RunID, what)
		swallowed := c.switches.HiddenSet == simulator.HiddenSetSwallowed && ch.Setting == audit.SettingAuditEnabled && ch.After == true
		if ch.Fate == reconcile.FatePlanned && ch.Result != reconcile.ResultVerified && !swallowed {
			c.problem("%s: %s of %s ended %s: %s", run.Plan.RunID, ch.Setting, ch.Subject.Name, ch.Result, ch.Note)
		}
	}
}

// same holds the tenant against what it was: but for what the undo names, and for
// what had never been set and cannot be set to that.
func (c *undoing) same(before, now map[string]string, named, never map[string]bool, run string) {
	for key, was := range before {
		is, there := now[key]
		object := key[:strings.LastIndex(key, "/")+1]
		policyNamed := strings.HasPrefix(key, "retention/") && named[object+"RetentionPolicy"]
		switch {
		case was == is && there, named[key], named[object], policyNamed:
		case never[key] && is == "false":
		default:
			c.problem("after the undo of %s, %s is %q and was %q, and nothing names it", run, key, is, was)
		}
	}
	for key := range now {
		if _, there := before[key]; !there && !named[key[:strings.LastIndex(key, "/")+1]+"RetentionPolicy"] {
			c.problem("after the undo of %s, there is %s, and nothing names it", run, key)
		}
	}
}

// drawUndoTenant makes a tenant in which every kind of write comes up: lists that are
// refused today, empty ones, and retention policies.
func drawUndoTenant(r *rapid.T) *simulator.Tenant {
	tenant := drawTenant(r)
	tenant.AddMailbox(simulator.Mailbox{
		Type: "UserMailbox", Name: "old", PrimarySMTPAddress: "odd-old@contoso.com", AgeLimit: "90.00:00:00",
		Admin: []string{"MessageBind", "Update", "Copy"}, Owner: []string{"Update", "MessageBind"}, Delegate: []string{},
	})
	for i, d := range []string{"ThreeMonths", "TwelveMonths"} {
		if rapid.Bool().Draw(r, "retention "+d) {
			tenant.AddRetentionPolicy(simulator.RetentionPolicy{
				Name: "policy " + d, Priority: 10 + i, Duration: d, RecordTypes: []string{"ExchangeAdmin", "ExchangeItem"}[:1+i],
			})
		}
	}
	return tenant
}

func drawUndoPolicy(r *rapid.T, tenant *simulator.Tenant) (text, base string) {
	text, base = drawPolicy(r, tenant)
	return text + rapid.SampledFrom([]string{
		"", "retention: {floor: 180d}\n",
		"retention: {require: [{recordTypes: [ExchangeAdmin, ExchangeItemGroup], atLeast: 1y}]}\n",
	}).Draw(r, "retention"), base
}

// undoes makes as many cases as rapid is told to, and notes what came up.
func undoes(t *testing.T, cases seen) {
	var switches []string
	settings := map[string]simulator.Switches{}
	for name, s := range simulator.EachSwitch() {
		switches = append(switches, name)
		settings[name] = s
	}
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(switches).Draw(r, "switch")
		cases.note("switch", name)
		c := undoing{withPolicy: rapid.Bool().Draw(r, "with the policy")}
		c.cases, c.tenant, c.switches = cases, drawUndoTenant(r), settings[name]
		c.text, c.base = drawUndoPolicy(r, c.tenant)
		c.damage = func(string, *simulator.Row) {}
		if rapid.IntRange(0, 3).Draw(r, "damaged") == 0 {
			c.damage = drawDamage(r, c.tenant)
		}
		synctest.Test(t, c.run)
		if len(c.problems) > 0 {
			r.Fatalf("%s\nswitch %s\n\n%s\n%s", strings.Join(c.problems, "\n"), name, c.text, c.base)
		}
	})
}

// TestUndo applies random policies to random tenants, undoes it, and undoes that:
// each time the service itself, not the plan, is asked whether all of the tenant is as it was,
// but for what the undo said it would leave.
func TestUndo(t *testing.T) { undoes(t, seen{}) }

// undoCases is every kind of step that an undo must have been seen to make, in the
// undo of an apply (run-2) and in that of an undo (run-3).
func undoCases() []string {
	var out []string
	for _, s := range []string{"auditAdmin", "auditDelegate", "auditOwner"} {
		out = append(out, "run-2 "+s+" planned", "run-2 "+s+" planned pins", "run-3 "+s+" planned", "run-3 "+s+" planned pins")
	}
	for _, s := range []string{"defaultAuditSet", "auditEnabled", "auditLogAgeLimit", "auditDisabled", "unifiedAuditLogIngestionEnabled"} {
		out = append(out, "run-2 "+s+" planned", "run-3 "+s+" planned")
	}
	out = append(out,
		"run-2 retentionPolicy planned", "run-2 retentionPolicy planned removed", "run-3 retentionPolicy planned made",
		"run-2 auditBypassEnabled blocked", "run-2 auditDelegate blocked empty", "run-2 auditOwner blocked refused action",
		"run-2 defaultAuditSet blocked changed since",
	)
	for name := range simulator.EachSwitch() {
		out = append(out, "switch "+name)
	}
	return out
}

// TestLargeUndo goes on until every kind of step has come up.
func TestLargeUndo(t *testing.T) {
	if testing.Short() {
		t.Skip("makes random tenants until every kind of step has come up; run without -short")
	}
	cases := seen{}
	for range 20 {
		undoes(t, cases)
		if t.Failed() || len(cases.missing(undoCases())) == 0 {
			break
		}
	}
	if !t.Failed() {
		cases.require(t, undoCases())
	}
}
