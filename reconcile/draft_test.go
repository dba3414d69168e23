package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

func (b *bench) draft() *reconcile.Draft {
	b.t.Helper()
	d, err := reconcile.NewDraft(b.ctx(), b.client, reconcile.DraftRequest{Now: time.Now, Tenant: b.tenant.ID()})
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// loadDraft reads a draft as validate would: marks that are not filled in are
// all that it may be warned of.
func loadDraft(t testing.TB, d *reconcile.Draft) *policy.Policy {
	t.Helper()
	p, found := policy.Load("drafted.yaml", d.YAML(), nil)
	for _, f := range found {
		if f.Code != policy.CodeUnfilled {
			t.Errorf("%s", f)
		}
	}
	if p == nil {
		t.Fatalf("the draft does not load:\n%s", d.YAML())
	}
	return p
}

// draftTenant is a random tenant in which anything may be wrong.
func draftTenant(seed uint64) *simulator.Tenant {
	r := rand.New(rand.NewPCG(seed, 7))
	tenant := simulator.NewTenant(simulator.Seed{
		Seed: seed, Mailboxes: 30 + r.IntN(90), Groups: r.IntN(3), PublicFolders: r.IntN(2), Users: 4,
		Drift: float64(r.IntN(5)) / 5, Bypassed: 0.1, Dehydrated: r.IntN(3) == 0,
		AuditDisabled: r.IntN(4) == 0, UnifiedLogOff: r.IntN(3) == 0,
	})
	for i := range 6 {
		m := simulator.Mailbox{
			Type: []string{"UserMailbox", "SharedMailbox", "RoomMailbox", "TeamMailbox"}[r.IntN(4)], PrimarySMTPAddress: fmt.Sprintf("odd-%d@contoso.com", i),
			AgeLimit: []string{"30.00:00:00", "12:00:00", "400.00:00:00", "90.00:00:00.5000000"}[r.IntN(4)], AuditEnabled: simulator.Tri(r.IntN(3)),
		}
		if r.IntN(2) == 0 {
			m.Owner = [][]string{{}, {"MailboxLogin"}, {"HardDelete", "SoftDelete", "Teleport"}, {"MessageBind", "Update"}}[r.IntN(4)]
		}
		tenant.AddMailbox(m)
	}
	return tenant
}

// TestDraftIsInLine: what is drafted of a tenant is valid, rests on Microsoft's
// defaults, and calls that tenant in line to the last change.
func TestDraftIsInLine(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			b := newBench(t, draftTenant(seed))
			d := b.draft()
			if n := b.writes(); n != 0 {
				t.Errorf("%d writes", n)
			}
			p := loadDraft(t, d)
			plan := b.check(p)
			if got := plan.Verdict(strict); got != reconcile.VerdictInLine {
				t.Errorf("verdict %s %v\n%s", got, plan.Coverage.Reasons, d.YAML())
			}
			for c := range plan.Changes() {
				if c.Fate != reconcile.FateExempt {
					t.Errorf("%s %s: %v -> %v (%s: %s)", c.Subject.Name, c.Setting, c.Before, c.After, c.Fate, c.Reason)
				}
			}
			for _, w := range plan.Warnings {
				if strings.Contains(w, "matches no mailbox") || strings.Contains(w, "allows nothing") {
					t.Errorf("the draft has a useless entry: %s", w)
				}
			}
			atLeastDefaults(t, p)
		})
	}
}

// atLeastDefaults fails the test where the rules of a draft ask for less than
// Microsoft's baseline. Only exemptions may, and only for a time.
func atLeastDefaults(t *testing.T, p *policy.Policy) {
	t.Helper()
	for _, kind := range []audit.MailboxType{audit.UserMailbox, audit.SharedMailbox} {
		var rules []int
		for i, r := range p.Mailboxes {
			if r.Where == nil && slices.Contains(r.Types, kind) {
				rules = append(rules, i)
			}
		}
		w, conflicts := p.Resolve(kind, rules)
		for _, l := range audit.LogonTypes() {
			if w.Record[l] == nil || !w.Record[l].Defaults {
				t.Errorf("%s of a %s need not record Microsoft's defaults", l, kind)
			}
		}
		if len(conflicts) > 0 || w.AgeLimit == nil || w.AgeLimit.Value < 90*24*time.Hour {
			t.Errorf("%s: %v, conflicts %v", kind, w.AgeLimit, conflicts)
		}
	}
	if p.Organization == nil || p.Organization.MailboxAuditing == nil || p.Organization.UnifiedAuditLog == nil || p.Bypass == nil {
		t.Error("the draft has no opinion on the tenant's switches or on bypasses")
	}
	for _, e := range p.Exemptions {
		if left := time.Until(e.Expires); left > 91*24*time.Hour || left < 88*24*time.Hour {
			t.Errorf("%s ends on %s", e.Name, e.Expires)
		}
	}
}

// TestDraftNoticesWeakening: after any one value of the tenant is weakened, the
// draft names that and nothing else.
func TestDraftNoticesWeakening(t *testing.T) {
	t.Parallel()
	noticesWeakening(t, 2)
}

// TestLargeDraftNoticesWeakening does so of more tenants.
func TestLargeDraftNoticesWeakening(t *testing.T) {
	if testing.Short() {
		t.Skip("weakens ten tenants in every way; run without -short")
	}
	t.Parallel()
	noticesWeakening(t, 10)
}

func noticesWeakening(t *testing.T, tenants uint64) {
	for seed := range tenants {
		for name, w := range weakenings() {
			t.Run(fmt.Sprintf("%d %s", seed, name), func(t *testing.T) {
				tenant := draftTenant(seed)
				tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled, o.UnifiedAuditLog = false, true })
				b := newBench(t, tenant)
				p := loadDraft(t, b.draft())
				subject := w.weaken(tenant, rand.New(rand.NewPCG(seed, 11)))
				plan := b.check(p)
				var named []string
				for c := range plan.Changes() {
					if c.Fate != reconcile.FateExempt {
						named = append(named, c.Subject.ID+" "+string(c.Setting))
					}
				}
				if want := []string{subject + " " + string(w.setting)}; !slices.Equal(named, want) {
					t.Errorf("named %v, want %v", named, want)
				}
				if got := plan.Verdict(reconcile.Threshold{FailOn: audit.Low}); got != reconcile.VerdictDrift {
					t.Errorf("verdict %s", got)
				}
			})
		}
	}
}

// weakening lowers one value and gives the id of what it was done to.
type weakening struct {
	setting audit.Setting
	weaken  func(*simulator.Tenant, *rand.Rand) string
}

func weakenings() map[string]weakening {
	out := map[string]weakening{
		"mailbox auditing": {audit.SettingAuditDisabled, func(t *simulator.Tenant, _ *rand.Rand) string {
			t.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
			return "organization"
		}},
		"unified log": {audit.SettingUnifiedAuditLogIngestionEnabled, func(t *simulator.Tenant, _ *rand.Rand) string {
			t.UpdateOrganization(func(o *simulator.Organization) { o.UnifiedAuditLog = false })
			return "organization"
		}},
		"bypass": {audit.SettingAuditBypassEnabled, func(t *simulator.Tenant, r *rand.Rand) string {
			var free []string
			for m := range t.AllMailboxes() {
				if row, ok := t.Bypass(m.Guid); ok && !row.Enabled {
					free = append(free, m.Guid)
				}
			}
			guid := free[r.IntN(len(free))]
			t.SetBypass(guid, true)
			return guid
		}},
		"audit enabled": {audit.SettingAuditEnabled, func(t *simulator.Tenant, r *rand.Rand) string {
			var on []string
			for m := range t.AllMailboxes() {
				if m.AuditEnabled == simulator.True && m.Type != "TeamMailbox" && recordsDefaults(m) {
					on = append(on, m.Guid)
				}
			}
			guid := on[r.IntN(len(on))]
			t.Update(guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.False })
			return guid
		}},
		"age limit": {audit.SettingAuditLogAgeLimit, func(t *simulator.Tenant, r *rand.Rand) string {
			guid := anyCovered(t, r)
			t.Update(guid, func(m *simulator.Mailbox) { m.AgeLimit = "01:00:00" })
			return guid
		}},
	}
	for _, l := range audit.LogonTypes() {
		out[l.String()] = weakening{audit.ListSetting(l), func(t *simulator.Tenant, r *rand.Rand) string {
			return dropAction(t, r, l)
		}}
	}
	return out
}

// recordsDefaults tells whether a mailbox records all that Microsoft does by
// default, without which nothing is asked of a room.
func recordsDefaults(m simulator.Mailbox) bool {
	for _, l := range audit.LogonTypes() {
		if !audit.SetOf(m.Shown(l.String())).ContainsAll(audit.Defaults(audit.UserMailbox, l)) {
			return false
		}
	}
	return true
}

// anyCovered is a random mailbox of the types that Microsoft's baseline speaks of.
func anyCovered(t *simulator.Tenant, r *rand.Rand) string {
	var all []string
	for m := range t.AllMailboxes() {
		if m.Type == "UserMailbox" || m.Type == "SharedMailbox" {
			all = append(all, m.Guid)
		}
	}
	return all[r.IntN(len(all))]
}

// dropAction takes one action, a default one or not, from the list of one
// mailbox, whatever state it was in.
func dropAction(t *simulator.Tenant, r *rand.Rand, l audit.LogonType) string {
	for {
		guid := anyCovered(t, r)
		m, _ := t.Mailbox(guid)
		list := slices.DeleteFunc(m.Shown(l.String()), func(a string) bool {
			mark := audit.Status(l, audit.Action(a))
			return mark != audit.Default && mark != audit.Accepted
		})
		if len(list) == 0 {
			continue
		}
		drop := list[r.IntN(len(list))]
		t.Update(guid, func(m *simulator.Mailbox) {
			kept := slices.DeleteFunc(slices.Clone(m.Shown(l.String())), func(a string) bool { return a == drop })
			m.Managed = slices.DeleteFunc(slices.Clone(m.Managed), func(name string) bool { return name == l.String() })
			*map[audit.LogonType]*[]string{audit.Admin: &m.Admin, audit.Delegate: &m.Delegate, audit.Owner: &m.Owner}[l] = kept
		})
		return guid
	}
}

// cisTenant has its user mailboxes as CIS v7.0 wants them, but for some that
// nobody touched.
func cisTenant() *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 2, Mailboxes: 60})
	n := 0
	for m := range tenant.AllMailboxes() {
		if n++; m.Type != "UserMailbox" || n%10 == 0 {
			continue
		}
		tenant.Update(m.Guid, func(m *simulator.Mailbox) {
			m.Managed, m.AgeLimit = nil, "180.00:00:00"
			m.Admin = audit.Defaults(audit.UserMailbox, audit.Admin).Union(audit.SetOf([]string{"Copy", "FolderBind", "Move"})).Slice()
			m.Delegate = audit.Defaults(audit.UserMailbox, audit.Delegate).Union(audit.SetOf([]string{"FolderBind", "Move"})).Slice()
			m.Owner = audit.Defaults(audit.UserMailbox, audit.Owner).Union(audit.SetOf([]string{"Create", "MailboxLogin", "Move"})).Slice()
		})
	}
	return tenant
}

// TestDraftNearest: a tenant is near to what it does, not to what asks for
// least; and it never goes below Microsoft's own.
func TestDraftNearest(t *testing.T) {
	for name, c := range map[string]struct {
		tenant  *simulator.Tenant
		nearest string
		extends []string
	}{
		"as Microsoft makes it": {healthyTenant(30), "microsoft-default", []string{"microsoft-default"}},
		"weakened as a whole":   {simulator.NewTenant(simulator.Seed{Seed: 4, Mailboxes: 40, Drift: 1}), "microsoft-default", []string{"microsoft-default"}},
		"empty":                 {simulator.NewTenant(simulator.Seed{Seed: 4}), "microsoft-default", []string{"microsoft-default"}},
		"after CIS":             {cisTenant(), "cis-m365-7.0", []string{"microsoft-default", "cis-m365-7.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.tenant)
			d := b.draft()
			if d.Nearest != c.nearest || !slices.Equal(d.Extends, c.extends) {
				t.Errorf("nearest %s, extends %v (%v)", d.Nearest, d.Extends, d.Distances)
			}
			p := loadDraft(t, d)
			atLeastDefaults(t, p)
			if name == "empty" {
				return // A tenant without mailboxes is never in line.
			}
			if got := b.check(p).Verdict(strict); got != reconcile.VerdictInLine {
				t.Errorf("verdict %s\n%s", got, d.YAML())
			}
		})
	}
}

// TestDraftGolden: the text that people get.
func TestDraftGolden(t *testing.T) {
	tenant := cisTenant()
	tenant.UpdateOrganization(func(o *simulator.Organization) { o.UnifiedAuditLog = false })
	user := tenant.AddUser(simulator.User{UserPrincipalName: "svc-dlp@contoso.com"})
	tenant.SetBypass(user.Guid, true)
	tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "weak@contoso.com", AgeLimit: "30.00:00:00", Owner: []string{"HardDelete"}})
	tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "kept@contoso.com", Type: "SharedMailbox", AgeLimit: "365.00:00:00", Owner: append(audit.Defaults(audit.UserMailbox, audit.Owner).Slice(), "SearchQueryInitiated")})
	tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "purged@contoso.com", AgeLimit: "00:00:00"})
	b := newBench(t, tenant)
	d, err := reconcile.NewDraft(b.ctx(), b.client, reconcile.DraftRequest{Now: explainDay, Tenant: tenant.ID()})
	if err != nil {
		t.Fatal(err)
	}
	goldenFile(t, "draft/drafted.yaml", d.YAML())
	if n := len(b.service.Calls()); n != d.Requests || n != 6 {
		t.Errorf("%d calls, %d requests in the draft", n, d.Requests)
	}
	var text strings.Builder
	if n, err := d.WriteTo(&text); err != nil || int(n) != len(d.YAML()) || text.String() != string(d.YAML()) {
		t.Errorf("WriteTo gave %d bytes, %v", n, err)
	}
}

// TestDraftHostile: names that people choose in the tenant are text in the draft
// and nothing else.
func TestDraftHostile(t *testing.T) {
	tenant := healthyTenant(12)
	for i, address := range []string{
		"a\nexemptions: {}@contoso.com", "*@contoso.com", "quote\"d@contoso.com", "o'neil+x@contoso.com", "b\u202ec@contoso.com", "no-domain", "##x@contoso.com",
	} {
		tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: address, AgeLimit: fmt.Sprintf("%d.00:00:00", 10+i)})
	}
	for _, upn := range []string{"x\nbypass:\n  allow: []\n@contoso.com", "y\x1b[2J@contoso.com", "##vso[task.complete]@contoso.com"} {
		tenant.SetBypass(tenant.AddUser(simulator.User{UserPrincipalName: upn}).Guid, true)
	}
	b := newBench(t, tenant)
	d := b.draft()
	p := loadDraft(t, d)
	if len(p.Bypass.Allow) != 3 || len(p.Exemptions) != 2 {
		t.Errorf("%d allow entries, %d exemptions:\n%s", len(p.Bypass.Allow), len(p.Exemptions), d.YAML())
	}
	for c := range b.check(p).Changes() {
		if c.Fate != reconcile.FateExempt && (strings.HasPrefix(c.Subject.Name, "o'neil") || c.Subject.Kind != audit.KindMailbox) {
			t.Errorf("%s %s is %s", c.Subject.Name, c.Setting, c.Fate)
		}
	}
	if text := string(d.YAML()); strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "##") {
		t.Error("the draft holds what a terminal acts upon")
	}
}

// TestDraftUnread: of a tenant that could not be read whole nothing is drafted.
func TestDraftUnread(t *testing.T) {
	for _, cmdlet := range []string{"Get-OrganizationConfig", "Get-AdminAuditLogConfig", "Get-Mailbox", "Get-MailboxAuditBypassAssociation"} {
		b := newBench(t, healthyTenant(12), simulator.WithFaults(simulator.Refused(cmdlet)))
		d, err := reconcile.NewDraft(b.ctx(), b.client, reconcile.DraftRequest{Now: time.Now})
		if d != nil || !exchange.IsRefused(err) {
			t.Errorf("%s refused: %v", cmdlet, err)
		}
	}
	b := newBench(t, healthyTenant(12), simulator.WithRowEdit(func(cmdlet string, r *simulator.Row) {
		if cmdlet == "Get-OrganizationConfig" {
			r.Delete("AuditDisabled")
		}
	}))
	if d, err := reconcile.NewDraft(b.ctx(), b.client, reconcile.DraftRequest{Now: time.Now}); d != nil || err == nil {
		t.Error("a tenant whose switch was not in the answer has a draft")
	}
}

// TestDraftManyKinds: more kinds of mailboxes than a policy for people has room
// for are accepted together, and the tenant is in line all the same.
func TestDraftManyKinds(t *testing.T) {
	tenant := healthyTenant(12)
	actions := audit.Defaults(audit.UserMailbox, audit.Owner).Slice()
	for i := range 60 {
		m := simulator.Mailbox{PrimarySMTPAddress: fmt.Sprintf("kind-%d@contoso.com", i), AgeLimit: fmt.Sprintf("%d.00:00:00", 20+i*3)}
		for bit, a := range actions[:6] {
			if i>>bit&1 == 1 {
				m.Owner = append(m.Owner, a)
			}
		}
		tenant.AddMailbox(m)
	}
	b := newBench(t, tenant)
	d := b.draft()
	if len(d.Rules) > 25 || len(d.Accepted) > 25 {
		t.Errorf("%d rules, %d exemptions", len(d.Rules), len(d.Accepted))
	}
	if got := b.check(loadDraft(t, d)).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict %s\n%s", got, d.YAML())
	}
}

// TestLargeDraft: a tenant that falls short as a whole has a draft that the
// language still reads.
func TestLargeDraft(t *testing.T) {
	if testing.Short() {
		t.Skip("20,000 mailboxes take some seconds")
	}
	t.Parallel()
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 8, Mailboxes: 20_000, Drift: 1}))
	d := b.draft()
	p := loadDraft(t, d)
	if len(d.YAML()) > 1<<19 || len(d.Accepted) != 1 {
		t.Errorf("%d bytes, %d exemptions", len(d.YAML()), len(d.Accepted))
	}
	if got := b.check(p).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict %s", got)
	}
}

// TestDraftRooms: types that no baseline speaks of are asked to stay audited,
// all of them or those that are.
func TestDraftRooms(t *testing.T) {
	for name, c := range map[string]struct {
		off  int
		rule string
	}{"all are audited": {0, "every-roommailbox"}, "some are": {2, "audited-roommailbox"}, "none is": {5, ""}} {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 8})
			var last string
			for i := range 5 {
				last = tenant.AddMailbox(simulator.Mailbox{
					Type: "RoomMailbox", PrimarySMTPAddress: fmt.Sprintf("room-%d@contoso.com", i),
					AuditEnabled: simulator.TriOf(i >= c.off), AgeLimit: "120.00:00:00",
				}).Guid
			}
			b := newBench(t, tenant)
			d := b.draft()
			at := slices.IndexFunc(d.Rules, func(r reconcile.DraftRule) bool { return r.Types[0] == audit.RoomMailbox })
			if c.rule == "" {
				if at >= 0 {
					t.Errorf("rule %s, though no room is audited", d.Rules[at].Name)
				}
				return
			}
			if at < 0 || d.Rules[at].Name != c.rule || d.Rules[at].Mailboxes != 5-c.off || d.Rules[at].AgeLimit != 120*24*time.Hour {
				t.Fatalf("rules %+v", d.Rules)
			}
			p := loadDraft(t, d)
			if got := b.check(p).Verdict(strict); got != reconcile.VerdictInLine {
				t.Errorf("verdict %s\n%s", got, d.YAML())
			}
			tenant.Update(last, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.False })
			changes := collect(b.check(p).Changes())
			if len(changes) != 1 || changes[0].Subject.ID != last || changes[0].Setting != audit.SettingAuditEnabled {
				t.Errorf("a room that was switched off: %+v", changes)
			}
		})
	}
}
