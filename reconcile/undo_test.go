package reconcile_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// strictRules asks for every kind of change that a tenant can be given back from.
const strictRules = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox]
    record:
      admin: {defaults: true, plus: [Copy]}
      owner: {managed: true}
      delegate: {defaults: true, plus: [FolderBind]}
    auditEnabled: effective
    ageLimit: 180d
bypass: {}
retention: {floor: 180d, require: [{recordTypes: [ExchangeItem], atLeast: 1y}]}
guards: {maxChangedPercent: 100, allowWeakening: true}
`

// shortfall is a small tenant that falls short of strictRules in every way.
func shortfall() *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Users: 2, AuditDisabled: true, UnifiedLogOff: true})
	tenant.AddMailbox(simulator.Mailbox{
		Type: "UserMailbox", Name: "managed", PrimarySMTPAddress: "managed@contoso.com", AgeLimit: "90.00:00:00", AuditEnabled: simulator.True,
		Managed: []string{"Admin", "Delegate", "Owner"},
	})
	tenant.AddMailbox(simulator.Mailbox{
		Type: "UserMailbox", Name: "pinned", PrimarySMTPAddress: "pinned@contoso.com", AgeLimit: "30.00:00:00", AuditEnabled: simulator.True,
		Admin: []string{"Update"}, Delegate: []string{"Update", "SendAs"}, Owner: []string{"Update", "Move"},
	})
	tenant.AddMailbox(simulator.Mailbox{
		Type: "RoomMailbox", Name: "room", PrimarySMTPAddress: "room@contoso.com", AgeLimit: "180.00:00:00", AuditEnabled: simulator.False,
		Managed: []string{"Owner"}, Admin: []string{"Update"}, Delegate: []string{"Update"},
	})
	tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "short", Priority: 50, Duration: "ThreeMonths", RecordTypes: []string{"ExchangeAdmin"}})
	for u := range tenant.AllUsers() {
		tenant.SetBypass(u.Guid, true)
	}
	return tenant
}

// broughtInLine is a bench whose tenant was brought in line by run-1, and what the tenant
// was before.
func broughtInLine(t *testing.T, opts ...simulator.Option) (*retentionBench, map[string]string) {
	t.Helper()
	tenant := shortfall()
	b := newUndoBench(t, tenant, opts...)
	before := auditSettings(tenant)
	run := b.carry(b.plan(parse(t, strictRules)))
	if run.Verdict(strict) != reconcile.VerdictInLine {
		t.Fatalf("the apply ended %s, stopped %q, results %v", run.Verdict(strict), run.Stopped, run.Results())
	}
	return b, before
}

// guidOf is the Guid of the mailbox of a name.
func guidOf(t *testing.T, tenant *simulator.Tenant, name string) string {
	t.Helper()
	m, ok := tenant.FindMailbox(name + "@contoso.com")
	if !ok {
		t.Fatalf("no mailbox %s", name)
	}
	return m.Guid
}

// differences lists the settings that differ, leaving out bypass rows.
func differences(before, now map[string]string) []string {
	var out []string
	for key, was := range before {
		if now[key] != was && !strings.HasPrefix(key, "bypass/") {
			out = append(out, key+": "+was+" -> "+now[key])
		}
	}
	for key := range now {
		if _, there := before[key]; !there {
			out = append(out, key+" is new")
		}
	}
	slices.Sort(out)
	return out
}

// blockedReasons gives the reason of each blocked change by setting.
func blockedReasons(p *reconcile.Plan) map[audit.Setting]string {
	out := map[audit.Setting]string{}
	for c := range p.Changes() {
		if c.Fate == reconcile.FateBlocked {
			out[c.Setting] += c.Reason + "\n"
		}
	}
	return out
}

// TestUndoGivesEverythingBack but bypasses, and says so; the second time there is
// nothing to do.
func TestUndoGivesEverythingBack(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, before := broughtInLine(t)
		plan := b.planUndo(b.undoRequest("run-1", "run-2"))
		if plan.UndoOf() != "run-1" || plan.Coverage.Scope != reconcile.ScopeUndo || plan.Coverage.BaseRun != "run-1" || !plan.Coverage.Complete {
			t.Errorf("of %q, coverage %+v", plan.UndoOf(), plan.Coverage)
		}
		run := b.applyUndo(plan)
		if diff := differences(before, auditSettings(b.tenant)); len(diff) > 0 {
			t.Errorf("not as before:\n%s", strings.Join(diff, "\n"))
		}
		for u := range b.tenant.AllBypass() {
			if u.Enabled {
				t.Errorf("%s is bypassed again", u.Name)
			}
		}
		if reasons := blockedReasons(plan); len(reasons) != 1 || !strings.Contains(reasons[audit.SettingAuditBypassEnabled], "never sets a bypass") {
			t.Errorf("blocked: %v", reasons)
		}
		if run.Verdict(strict) != reconcile.VerdictDrift {
			t.Errorf("verdict %s with bypasses left", run.Verdict(strict))
		}
		b.service.ResetCalls()
		again := b.planUndo(b.undoRequest("run-1", "run-3"))
		if n := again.Summary().Changes.Planned; n != 0 || b.writes() != 0 {
			t.Errorf("%d changes planned once more", n)
		}
		if !slices.ContainsFunc(again.Warnings, func(w string) bool { return strings.Contains(w, "as before the run already") }) {
			t.Errorf("warnings %q", again.Warnings)
		}
	})
}

// TestUndoIsOnRecord: each write of an undo stands in the journal before it is made,
// with the run that it takes back, and no intent is left open.
func TestUndoIsOnRecord(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		plan := b.planUndo(b.undoRequest("run-1", "run-2"))
		rec := &recorder{}
		b.through(watched{t, b.service.RoundTripper(), rec, nil})
		b.service.ResetCalls()
		run := b.applyUndo(plan, with(rec))
		planned := plan.Summary().Changes.Planned
		if len(rec.intents) != planned || len(rec.outcomes) != planned || run.Results()[reconcile.ResultVerified] != planned {
			t.Errorf("%d planned, %d intents, %d outcomes, results %v", planned, len(rec.intents), len(rec.outcomes), run.Results())
		}
		order := []string{}
		for _, c := range b.service.Calls() {
			for _, cmdlet := range c.Cmdlets {
				if !strings.HasPrefix(cmdlet.Cmdlet, "Get-") {
					order = append(order, cmdlet.Cmdlet)
				}
			}
		}
		order = slices.Compact(order)
		if want := []string{"Set-Mailbox", "Set-OrganizationConfig", "Set-AdminAuditLogConfig"}; !slices.Equal(order, want) {
			t.Errorf("written in the order %v, want %v", order, want)
		}
		// With the journal of the bench, which another run reads.
		again := b.planUndo(b.undoRequest("run-1", "run-4"))
		b.applyUndo(again)
		var pending journal.Pending
		undoes := ""
		for _, e := range journalAt(t, b.journal) {
			pending.Take(e)
			if e.Begin != nil && e.Run == "run-4" {
				undoes = e.Begin.Undoes
			}
		}
		if len(pending.Open()) > 0 || undoes != "run-1" {
			t.Errorf("%d intents are open; the run says that it undoes %q", len(pending.Open()), undoes)
		}
	})
}

// TestUndoWeakensOnlyWhereAllowed: without a policy nothing, with one what it does
// not ask for.
func TestUndoWeakensOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		after := auditSettings(b.tenant)
		req := b.undoRequest("run-1", "run-2")
		req.AllowWeakening = false
		plan := b.planUndo(req)
		for c := range plan.Changes() {
			if c.Fate == reconcile.FatePlanned && c.Weakens {
				t.Errorf("%s of %s weakens and is planned", c.Setting, c.Subject.Name)
			}
			if c.Weakens && c.Setting != audit.SettingAuditBypassEnabled && !strings.Contains(c.Reason, "allowWeakening") {
				t.Errorf("%s: %s", c.Setting, c.Reason)
			}
		}
		b.applyUndo(plan)
		for key, was := range after {
			if now := auditSettings(b.tenant)[key]; strings.HasSuffix(key, "AuditAdmin") && now != was {
				t.Errorf("%s went from %q to %q", key, was, now)
			}
		}
		// This policy asks for the switches and the age, and no more.
		req = b.undoRequest("run-1", "run-3")
		req.AllowWeakening = false
		req.Policy = parse(t, "organization: {unifiedAuditLog: true}\nmailboxes: {all: {types: [UserMailbox, SharedMailbox, RoomMailbox], ageLimit: 100d, record: {admin: {plus: [Copy]}}}}\n")
		planned, blocked := map[audit.Setting]bool{}, map[audit.Setting]string{}
		for c := range b.planUndo(req).Changes() {
			if c.Fate == reconcile.FatePlanned {
				planned[c.Setting] = true
			} else {
				blocked[c.Setting] = c.Reason
				if c.Origin.File == "" && c.Setting != audit.SettingAuditBypassEnabled {
					t.Errorf("%s is blocked, and not said by whom", c.Setting)
				}
			}
		}
		for _, s := range []audit.Setting{audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAuditLogAgeLimit, audit.SettingAuditAdmin} {
			if planned[s] || !strings.Contains(blocked[s], "breaks the policy") {
				t.Errorf("%s: planned %t, reason %q", s, planned[s], blocked[s])
			}
		}
		for _, s := range []audit.Setting{audit.SettingAuditDelegate, audit.SettingAuditEnabled, audit.SettingRetentionPolicy} {
			if !planned[s] {
				t.Errorf("%s is not planned, though the policy does not speak of it: %q", s, blocked[s])
			}
		}
	})
}

// TestUndoLeavesWhatOthersChanged: what does not show any more what the run left is
// somebody else's.
func TestUndoLeavesWhatOthersChanged(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		managed, pinned := guidOf(t, b.tenant, "managed"), guidOf(t, b.tenant, "pinned")
		b.tenant.Update(managed, func(m *simulator.Mailbox) { m.Admin, m.AgeLimit = append(m.Admin, "Move"), "365.00:00:00" })
		b.tenant.Update(pinned, func(m *simulator.Mailbox) {
			m.Delegate = slices.DeleteFunc(m.Delegate, func(a string) bool { return a == "FolderBind" })
			m.Managed, m.Owner = nil, []string{"Send"}
		})
		b.tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "short", Priority: 50, Duration: "TenYears", RecordTypes: []string{"ExchangeAdmin"}})
		b.tenant.RemoveMailbox(guidOf(t, b.tenant, "room"))
		foreign := auditSettings(b.tenant)
		plan := b.planUndo(b.undoRequest("run-1", "run-2"))
		want := []string{
			"managed defaultAuditSet", "managed auditLogAgeLimit", "pinned auditDelegate", "pinned auditOwner", "short retentionPolicy",
			"room gone",
		}
		var got []string
		for c := range plan.Changes() {
			name, _, _ := strings.Cut(c.Subject.Name, "@")
			switch {
			case c.Fate != reconcile.FateBlocked:
			case strings.Contains(c.Reason, "changed since"):
				got = append(got, name+" "+string(c.Setting))
			case strings.Contains(c.Reason, "gone"):
				got = append(got, name+" gone")
			}
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%q is not among %q", w, got)
			}
		}
		b.applyUndo(plan)
		now := auditSettings(b.tenant)
		for _, key := range []string{
			"mailbox/" + managed + "/AuditAdmin", "mailbox/" + managed + "/AuditLogAgeLimit", "mailbox/" + pinned + "/AuditDelegate",
			"mailbox/" + pinned + "/AuditOwner", "retention/short/RetentionDuration",
		} {
			if now[key] != foreign[key] {
				t.Errorf("%s is %q, and somebody had made it %q", key, now[key], foreign[key])
			}
		}
	})
}

// TestUndoLooksOnceMore: what changes between the plan and the write is left alone.
func TestUndoLooksOnceMore(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		managed, pinned := guidOf(t, b.tenant, "managed"), guidOf(t, b.tenant, "pinned")
		plan := b.planUndo(b.undoRequest("run-1", "run-2"))
		b.tenant.Update(managed, func(m *simulator.Mailbox) { m.Admin = append(m.Admin, "Move") })
		b.tenant.Update(pinned, func(m *simulator.Mailbox) { m.AgeLimit = "365.00:00:00" })
		b.tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
		b.tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "short", Priority: 50, Duration: "TenYears", RecordTypes: []string{"ExchangeAdmin"}})
		run := b.applyUndo(plan)
		results := map[string]reconcile.Result{}
		for c := range run.Changes() {
			name, _, _ := strings.Cut(c.Subject.Name, "@")
			results[name+" "+string(c.Setting)] = c.Result
		}
		if r := results["managed defaultAuditSet"]; r != reconcile.ResultSkipped {
			t.Errorf("a list that somebody added to ended %s", r)
		}
		if r := results["pinned auditLogAgeLimit"]; r != reconcile.ResultSkipped {
			t.Errorf("an age limit that somebody changed ended %s", r)
		}
		if n := run.Results()[reconcile.ResultNotNeeded]; n != 1 {
			t.Errorf("%d not needed: %v", n, run.Results())
		}
		if m, _ := b.tenant.Mailbox(managed); !slices.Contains(m.Admin, "Move") {
			t.Error("what somebody added is gone")
		}
		kept := slices.ContainsFunc(b.tenant.RetentionPolicies(), func(p simulator.RetentionPolicy) bool { return p.Name == "short" && p.Duration == "TenYears" })
		if r := results["short retentionPolicy"]; r != reconcile.ResultSkipped || !kept {
			t.Errorf("a retention policy that somebody changed ended %s, kept %t", r, kept)
		}
	})
}

// TestUndoRefuses what is not a run of this tenant, and what it cannot understand.
func TestUndoRefuses(t *testing.T) {
	b, _ := broughtInLine(t)
	plan := func(change func(*reconcile.UndoRequest)) error {
		req := b.undoRequest("run-1", "run-2")
		change(&req)
		_, err := reconcile.PlanUndo(t.Context(), b.client, req)
		return err
	}
	if _, ok := errors.AsType[*reconcile.UnknownRunError](plan(func(r *reconcile.UndoRequest) { r.Run = "run-9" })); !ok {
		t.Error("a run that is not there was planned")
	}
	if _, ok := errors.AsType[*reconcile.ForeignRunError](plan(func(r *reconcile.UndoRequest) { r.Tenant = "another" })); !ok {
		t.Error("the run of another tenant was planned")
	}
	for name, spoil := range map[string]func(*journal.Intent){
		"a mailbox that is no Guid":        func(i *journal.Intent) { i.Subject.ID = "*" },
		"another kind":                     func(i *journal.Intent) { i.Subject.Kind = audit.KindBypass },
		"a setting that is none":           func(i *journal.Intent) { i.Setting = "forwardingAddress" },
		"a value of another form":          func(i *journal.Intent) { i.Before = 7 },
		"a list with something else in it": func(i *journal.Intent) { i.After = []any{"Update", 3.0} },
	} {
		err := plan(func(r *reconcile.UndoRequest) {
			r.Entries = slices.Clone(r.Entries)
			at := slices.IndexFunc(r.Entries, func(e journal.Entry) bool { return e.Intent != nil && e.Intent.Subject.Kind == audit.KindMailbox })
			i := *r.Entries[at].Intent
			spoil(&i)
			r.Entries[at].Intent = &i
		})
		if _, ok := errors.AsType[*reconcile.DeedError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := reconcile.ApplyUndo(t.Context(), b.client, b.plan(parse(t, modest)), reconcile.ApplyOptions{Now: time.Now}); err == nil {
		t.Error("a plan that undoes nothing was applied as an undo")
	}
}

// TestUndoUnknown: a value that could not be read leaves its object alone, and the
// plan incomplete.
func TestUndoUnknown(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		var blind bool
		b, _ := broughtInLine(t, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if blind && cmdlet == "Get-Mailbox" {
				row.Delete("AuditOwner")
			}
		}))
		blind = true
		plan := b.planUndo(b.undoRequest("run-1", "run-2"))
		run := b.applyUndo(plan)
		if plan.Coverage.Complete || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("coverage %+v, verdict %s", plan.Coverage, run.Verdict(strict))
		}
		for c := range plan.Changes() {
			if c.Subject.Name == "pinned@contoso.com" && c.Fate == reconcile.FatePlanned {
				t.Errorf("%s of a mailbox with an unknown value is planned", c.Setting)
			}
		}
		req := b.undoRequest("run-1", "run-3")
		without := reconcile.UndoRequest{Tool: req.Tool, RunID: req.RunID, Tenant: req.Tenant, Now: req.Now, Run: req.Run, Entries: req.Entries, AllowWeakening: true}
		plan, err := reconcile.PlanUndo(t.Context(), b.client, without)
		if err != nil || plan.Summary().States[audit.KindRetention].Unknown == 0 {
			t.Errorf("retention policies that nobody asked about are known: %v", err)
		}
	})
}

// TestUndoOfAnotherMailbox: an answer about another mailbox than was asked for says
// nothing of it, neither to the plan nor just before the write.
func TestUndoOfAnotherMailbox(t *testing.T) {
	for name, early := range map[string]bool{"to the plan": true, "before the write": false} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				strange := false
				b, _ := broughtInLine(t, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
					if strange && cmdlet == "Get-Mailbox" {
						row.Set("Guid", `"11111111-2222-4333-8444-555555555555"`)
					}
				}))
				strange = early
				plan := b.planUndo(b.undoRequest("run-1", "run-2"))
				named := slices.ContainsFunc(slices.Collect(plan.Unknown()), func(u reconcile.UnknownObject) bool { return strings.Contains(u.Reason, "another mailbox") })
				if named != early || plan.Coverage.Complete == early {
					t.Errorf("named %t, coverage %+v", named, plan.Coverage)
				}
				strange = true
				b.service.ResetCalls()
				run := b.applyUndo(plan)
				if n := b.service.Count("Set-Mailbox"); n != 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
					t.Errorf("%d writes, verdict %s", n, run.Verdict(strict))
				}
			})
		})
	}
}

// TestUndoKeepsTheGuards of a policy: one that bounds the number of mailboxes holds
// back the whole undo.
func TestUndoKeepsTheGuards(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		req := b.undoRequest("run-1", "run-2")
		req.Policy = parse(t, "mailboxes: {all: {ageLimit: 1d}}\nguards: {maxChanged: 1}\n")
		plan := b.planUndo(req)
		b.service.ResetCalls()
		run := b.applyUndo(plan)
		if !plan.GuardRefused() || b.writes() != 0 || run.Results()[reconcile.ResultVerified] != 0 {
			t.Errorf("refused %t, %d writes, results %v", plan.GuardRefused(), b.writes(), run.Results())
		}
		if len(plan.Guards) != 1 || plan.Guards[0].Actual != 3 || plan.Guards[0].Limit != 1 {
			t.Errorf("guards %+v", plan.Guards)
		}
	})
}

// TestUndoOfTheAdminAuditLog: what the service shows and does not take is planned,
// tried, and named; a list is not emptied.
func TestUndoOfTheAdminAuditLog(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(1)
		tenant.UpdateAdminAudit(func(a *simulator.AdminAudit) {
			a.Cmdlets, a.ExcludedCmdlets, a.AgeLimit = []string{"*", "Set-Mailbox"}, []string{"Get-User"}, "365.00:00:00"
		})
		b := newUndoBench(t, tenant)
		entries := []journal.Entry{{Seq: 1, Run: "run-1", Kind: journal.KindBegin, Begin: &journal.Begin{Tenant: tenant.ID()}}}
		for _, w := range []struct {
			setting       audit.Setting
			before, after any
		}{
			{audit.SettingAdminAuditLogEnabled, false, true},
			{audit.SettingAdminAuditLogCmdlets, []any{"Set-Mailbox"}, []any{"*", "Set-Mailbox"}},
			{audit.SettingAdminAuditLogParameters, []any{}, []any{"*"}},
			{audit.SettingAdminAuditLogExcludedCmdlets, []any{"Get-User", "Set-User"}, []any{"Get-User"}},
			{audit.SettingAdminAuditLogAgeLimit, "90.00:00:00", "180.00:00:00"},
		} {
			entries = append(entries, journal.Entry{Seq: int64(len(entries) + 1), Run: "run-1", Kind: journal.KindIntent, Intent: &journal.Intent{
				Subject: journal.Subject{Kind: audit.KindAdminAudit, ID: string(audit.KindAdminAudit)},
				Setting: w.setting, Before: w.before, After: w.after, Inverse: journal.Inverse{Setting: w.setting},
			}})
		}
		req := reconcile.UndoRequest{RunID: "run-2", Tenant: tenant.ID(), Now: time.Now, Run: "run-1", Entries: entries, AllowWeakening: true}
		got := map[audit.Setting]string{}
		plan := b.planUndo(req)
		for c := range plan.Changes() {
			got[c.Setting] = string(c.Fate)
			if !c.Weakens {
				t.Errorf("%s does not weaken", c.Setting)
			}
			if c.Setting == audit.SettingAdminAuditLogCmdlets && (!slices.Equal(c.Remove, []string{"*"}) || !slices.Equal(c.After.([]string), []string{"Set-Mailbox"})) {
				t.Errorf("%+v", c)
			}
		}
		want := map[audit.Setting]string{
			audit.SettingAdminAuditLogEnabled: "planned", audit.SettingAdminAuditLogCmdlets: "planned", audit.SettingAdminAuditLogExcludedCmdlets: "planned",
			audit.SettingAdminAuditLogParameters: "blocked", // it would be emptied
			audit.SettingAdminAuditLogAgeLimit:   "blocked", // somebody made it longer since
		}
		if !maps.Equal(got, want) {
			t.Errorf("fates %v, want %v", got, want)
		}
		if r := b.applyUndo(plan).Results(); r[reconcile.ResultUnsupported] != 3 {
			t.Errorf("results %v", r)
		}
		req.AllowWeakening, req.Policy = false, parse(t, "adminAudit: {enabled: true, excludedCmdlets: [\"Get-User\"]}\n")
		for c := range b.planUndo(req).Changes() {
			allowed := c.Setting == audit.SettingAdminAuditLogCmdlets
			if (c.Fate == reconcile.FatePlanned) != allowed {
				t.Errorf("%s is %s: %s", c.Setting, c.Fate, c.Reason)
			}
		}
	})
}

// TestUndoSaysWhatHasNoWayBack: a tenant that was given its own configuration keeps it.
func TestUndoSaysWhatHasNoWayBack(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, UnifiedLogOff: true, Dehydrated: true})
		b := newUndoBench(t, tenant)
		b.carry(b.plan(parse(t, "organization: {unifiedAuditLog: true, enableCustomization: true}\n")))
		run := b.applyUndo(b.planUndo(b.undoRequest("run-1", "run-2")))
		if !slices.ContainsFunc(run.Plan.Warnings, func(w string) bool { return strings.Contains(w, "no way back") }) {
			t.Errorf("warnings %q", run.Plan.Warnings)
		}
		if org := tenant.Organization(); org.UnifiedAuditLog || org.Dehydrated {
			t.Errorf("%+v", org)
		}
	})
}
