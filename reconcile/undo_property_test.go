package reconcile_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
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

// ledger is a journal that lasts as long as its test: to wait for a disk is most of
// what a journal in a file costs.
type ledger struct {
	lines []journal.Line
	head  string
}

// book goes on with the journal for a run.
func (l *ledger) book(run string) *journal.Book {
	return journal.NewBook(run, time.Now, l.head, int64(len(l.lines)), func(_ context.Context, lines []journal.Line) error {
		l.lines, l.head = append(l.lines, lines...), lines[len(lines)-1].Hash
		return nil
	})
}

// entries reads the journal whole, as it would be read from a file.
func (l *ledger) entries(t testing.TB) []journal.Entry {
	t.Helper()
	var out []journal.Entry
	each := func(yield func(journal.Line, error) bool) {
		for _, line := range l.lines {
			if !yield(line, nil) {
				return
			}
		}
	}
	if _, err := journal.Follow(journal.Tail{}, each, func(_ journal.Line, e journal.Entry) error {
		out = append(out, e)
		return nil
	}); err != nil {
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
	return b.undoOf(run, id, journalAt(b.t, b.journal))
}

// undoOf asks for the undo of a run that is in another journal.
func (b *retentionBench) undoOf(run, id string, entries []journal.Entry) reconcile.UndoRequest {
	return reconcile.UndoRequest{
		Tool: "exoaudit test", RunID: id, Tenant: b.tenant.ID(), Now: time.Now,
		Run: run, Entries: entries, AllowWeakening: true, Compliance: b.compliance,
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
	opts := reconcile.ApplyOptions{Now: time.Now, Compliance: b.compliance}
	for _, f := range change {
		f(&opts)
	}
	if opts.Recorder == nil {
		file, err := journal.Open(b.journal, plan.RunID, time.Now)
		if err != nil {
			b.t.Fatal(err)
		}
		defer func() {
			if err := file.Close(); err != nil {
				b.t.Error(err)
			}
		}()
		opts.Recorder = file
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
	pages      ledger
	withPolicy bool
	// careful asks for the undo on a copy where nothing may be weakened.
	careful bool
	// meddled are the mailboxes that somebody changes between the apply and its undo,
	// by their place.
	meddled map[int]bool
	// stored is the AuditEnabled of each mailbox before the apply.
	stored map[string]simulator.Tri
}

func (c *undoing) run(t *testing.T) {
	p, diags := policy.Load("policy.yaml", []byte(c.text), func(string) ([]byte, error) { return []byte(c.base), nil })
	if diags.HasErrors() {
		c.problem("the generator made a policy that is not valid: %v", diags)
		return
	}
	b := newUndoBench(t, c.tenant, simulator.WithSwitches(c.switches), simulator.WithRowEdit(c.damage))
	states := []map[string]string{auditSettings(c.tenant)}
	c.stored = map[string]simulator.Tri{}
	for m := range c.tenant.AllMailboxes() {
		c.stored[m.Guid] = m.AuditEnabled
	}
	if _, err := reconcile.Apply(t.Context(), b.client, b.plan(p), reconcile.ApplyOptions{
		Recorder: c.pages.book("run-1"), Now: time.Now, Compliance: b.compliance,
	}); err != nil {
		t.Fatal(err)
	}
	others := c.meddle()
	states = append(states, auditSettings(c.tenant))
	if c.careful {
		c.weakensNothing(t)
	}
	for n, run := range []string{"run-1", "run-2"} {
		req := b.undoOf(run, fmt.Sprintf("run-%d", n+2), c.pages.entries(t))
		if c.withPolicy {
			req.Policy = p
		}
		done := b.applyUndo(b.planUndo(req), with(c.pages.book(req.RunID)))
		c.holds(done)
		now := auditSettings(c.tenant)
		named := notGivenBack(done)
		for key := range others {
			named[key], named[path.Dir(key)+"/DefaultAuditSet"] = true, true
		}
		c.same(states[n], now, named, run)
		for key := range others {
			if !keeps(states[1][key], now[key]) {
				c.problem("the undo of %s made %s %q, which somebody had made %q", run, key, now[key], states[1][key])
			}
		}
		states = append(states, now)
	}
}

// meddle is somebody else, who makes some lists longer and sets other age limits. It
// gives what that is.
func (c *undoing) meddle() map[string]bool {
	out := map[string]bool{}
	var guids []string
	for m := range c.tenant.AllMailboxes() {
		guids = append(guids, m.Guid)
	}
	for at := range c.meddled {
		id := guids[at%len(guids)]
		c.tenant.Update(id, func(m *simulator.Mailbox) {
			if m.Type != "GroupMailbox" {
				m.Admin = append(m.Shown("Admin"), "Copy") // No generated policy asks for it.
				m.Managed = slices.DeleteFunc(m.Managed, func(l string) bool { return l == "Admin" })
				out["mailbox/"+id+"/AuditAdmin"] = true
			}
			m.AgeLimit = "777.00:00:00"
		})
		out["mailbox/"+id+"/AuditLogAgeLimit"] = true
	}
	return out
}

// keeps tells whether a value is what somebody made it, or a list has what somebody
// put in.
func keeps(made, now string) bool {
	return made == now || slices.Contains(strings.Split(made, ","), "Copy") && slices.Contains(strings.Split(now, ","), "Copy")
}

// weakensNothing undoes the run on a copy of the tenant, where nothing is allowed to
// be weakened.
func (c *undoing) weakensNothing(t *testing.T) {
	careful := newUndoBench(t, c.tenant.Snapshot(), simulator.WithSwitches(c.switches), simulator.WithRowEdit(c.damage))
	req := careful.undoOf("run-1", "careful", c.pages.entries(t))
	req.AllowWeakening = false
	pages := c.pages // A copy, as the tenant is one.
	careful.applyUndo(careful.planUndo(req), with(pages.book("careful")))
	c.notWeaker(careful.tenant)
}

// notWeaker holds another tenant against that of the case.
func (c *undoing) notWeaker(other *simulator.Tenant) {
	for m := range other.AllMailboxes() {
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
	org, was := other.Organization(), c.tenant.Organization()
	if org.AuditDisabled && !was.AuditDisabled || !org.UnifiedAuditLog && was.UnifiedAuditLog {
		c.problem("an undo that may not weaken left %+v", org)
	}
	if now, was := other.RetentionPolicies(), c.tenant.RetentionPolicies(); fmt.Sprint(now) != fmt.Sprint(was) {
		c.problem("an undo that may not weaken left the retention policies %+v", now)
	}
}

func days(span string) time.Duration {
	d, _ := audit.ParseTimeSpan(span)
	return d
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
		switch {
		case ch.Setting == audit.SettingAuditEnabled && c.stored[ch.Subject.ID] == simulator.Unset:
			what += " never set"
		case ch.Setting == audit.SettingAuditEnabled && c.stored[ch.Subject.ID] == simulator.False:
			what += " stored false"
		case ch.Setting == audit.SettingDefaultAuditSet && ch.Fate == reconcile.FatePlanned:
			for _, l := range ch.Add {
				c.cases.note(run.Plan.RunID, "restores", l)
			}
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
func (c *undoing) same(before, now map[string]string, named map[string]bool, run string) {
	for key, was := range before {
		is, there := now[key]
		object := key[:strings.LastIndex(key, "/")+1]
		policyNamed := strings.HasPrefix(key, "retention/") && named[object+"RetentionPolicy"]
		switch {
		case was == is && there, named[key], named[object], policyNamed:
		case strings.HasSuffix(key, "/AuditEnabled") && c.stored[strings.Split(key, "/")[1]] == simulator.Unset && is == "false":
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

// drawUndoPolicy writes a policy that often speaks of everything, so that few cases
// are enough for every kind of step.
func drawUndoPolicy(r *rapid.T, tenant *simulator.Tenant) (text, base string) {
	text, base = drawPolicy(r, tenant)
	if rapid.Bool().Draw(r, "everything") {
		base = ""
		text = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: random\nguards: {maxChangedPercent: 100, allowWeakening: true}\nbypass: {}\n" +
			"organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: true}\nmailboxes:\n  all:\n" +
			"    types: [UserMailbox, SharedMailbox, RoomMailbox, TeamMailbox]\n    ageLimit: 180d\n    auditEnabled: explicit\n    record:\n"
		for _, l := range []string{"admin", "delegate", "owner"} {
			text += "      " + l + ": " + rapid.SampledFrom([]string{"{managed: true}", "{exact: [Update, Move, HardDelete]}", "{defaults: true, plus: [Move]}"}).Draw(r, "form") + "\n"
		}
	}
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
		c := undoing{withPolicy: rapid.Bool().Draw(r, "with the policy"), careful: rapid.IntRange(0, 2).Draw(r, "careful") == 0, meddled: map[int]bool{}}
		if rapid.IntRange(0, 3).Draw(r, "meddled") == 0 {
			for range 4 {
				c.meddled[rapid.IntRange(0, 40).Draw(r, "place")] = true
			}
		}
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

// undoCases is every kind of step that an undo must have been seen to make, in the
// undo of an apply (run-2) and in that of an undo (run-3).
func undoCases() []string {
	var out []string
	for _, s := range []string{"auditAdmin", "auditDelegate", "auditOwner"} {
		out = append(out, "run-2 "+s+" planned", "run-2 "+s+" planned pins", "run-3 "+s+" planned", "run-3 "+s+" planned pins")
	}
	for _, l := range []string{"Admin", "Delegate", "Owner"} {
		out = append(out, "run-2 restores "+l, "run-3 restores "+l)
	}
	for _, s := range []string{"auditEnabled", "auditLogAgeLimit", "auditDisabled", "unifiedAuditLogIngestionEnabled"} {
		if s == "auditEnabled" {
			out = append(out, "run-2 auditEnabled planned never set", "run-2 auditEnabled planned stored false", "run-3 auditEnabled planned never set")
			continue
		}
		out = append(out, "run-2 "+s+" planned", "run-3 "+s+" planned")
	}
	out = append(out,
		"run-2 retentionPolicy planned", "run-2 retentionPolicy planned removed", "run-3 retentionPolicy planned made",
		"run-2 auditBypassEnabled blocked", "run-2 auditDelegate blocked empty", "run-2 auditOwner blocked refused action",
		"run-2 defaultAuditSet blocked changed since", "run-2 auditLogAgeLimit blocked changed since",
	)
	for name := range simulator.EachSwitch() {
		out = append(out, "switch "+name)
	}
	return out
}

// TestUndo applies random policies to random tenants, lets others meddle, undoes it,
// and undoes that: each time the service itself, not the plan, is asked whether all of
// the tenant is as it was, but for what the undo said it would leave and what others did.
// It goes on until every kind of step has come up.
func TestUndo(t *testing.T) {
	t.Parallel()
	cases := seen{}
	for range 20 {
		undoes(t, cases)
		if t.Failed() || testing.Short() || len(cases.missing(undoCases())) == 0 {
			break
		}
	}
	if !t.Failed() && !testing.Short() {
		cases.require(t, undoCases())
	}
}
