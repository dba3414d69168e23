package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// goldenFile compares text with a file below testdata, or writes it.
func goldenFile(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// overlapping has five rules that speak of ann, and one that does not.
const overlapping = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox]
    record:
      admin: {defaults: true}
      delegate: {defaults: true}
      owner: {defaults: true}
    auditEnabled: effective
    ageLimit: 90d
  board:
    where: {address: ["ann@*", "ben@*"]}
    record:
      owner: {plus: [SearchQueryInitiated]}
    ageLimit: 180d
  vips:
    where:
      anyOf:
        - attribute: {customAttribute1: VIP}
        - allOf:
            - address: "*@board.contoso.com"
            - not: {attribute: {office: Oslo}}
    record:
      owner: {defaults: true, plus: [Move]}
      delegate: {plus: [FolderBind]}
    auditEnabled: explicit
  long-kept:
    where: {not: {address: "svc-*"}}
    ageLimit: 1y
    controls: [ISO-27001:A.8.15]
  watched:
    types: [UserMailbox]
    record:
      admin: {plus: [Copy, HardDelete]}
    ageLimit: 120d
  rooms:
    types: [RoomMailbox]
    auditEnabled: explicit
bypass:
  allow:
    - {account: dan@contoso.com, reason: scanner, owner: sec@contoso.com, expires: 2027-03-31}
exemptions:
  import: {where: {address: "ann@*"}, accept: {owner: [HardDelete], ageLimit: 30d}, reason: an import, owner: msg@contoso.com, expires: 2027-01-31}
  over: {where: {attribute: {customAttribute1: vip}}, accept: {admin: {defaults: true}, auditEnabled: none}, reason: tests, owner: msg@contoso.com, expires: 2026-11-22}
  others: {where: {address: "ben@*"}, accept: {delegate: []}, reason: tests, owner: msg@contoso.com, expires: 2027-01-31}
  tenant: {subject: organization, accept: {unifiedAuditLog: false}, reason: a trial, owner: sec@contoso.com, expires: 2027-01-31}
`

func explainedTenant() *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 12})
	for _, m := range []simulator.Mailbox{
		{Name: "Ann", PrimarySMTPAddress: "ann@contoso.com", CustomAttributes: map[int]string{1: "vip"}, Owner: []string{"HardDelete", "MailboxLogin", "Move"}, AgeLimit: "180.00:00:00"},
		{Name: "Dan", PrimarySMTPAddress: "dan@contoso.com", AuditEnabled: simulator.True, Capabilities: []string{"M365Auditing"}},
		{Name: "Eve", PrimarySMTPAddress: "eve@contoso.com", Owner: []string{}, AuditEnabled: simulator.True},
		{Name: "Room", PrimarySMTPAddress: "oslo@contoso.com", Type: "RoomMailbox", AuditEnabled: simulator.False},
		{Name: "Team", PrimarySMTPAddress: "team@contoso.com", Type: "TeamMailbox"},
		{Name: "Project", PrimarySMTPAddress: "project@contoso.com", Type: "GroupMailbox"},
	} {
		tenant.AddMailbox(m)
	}
	return tenant
}

// explainDay is when the explanations of these tests are made.
func explainDay() time.Time { return time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC) }

func (b *bench) explain(p *policy.Policy, identity string) (*reconcile.Explanation, error) {
	return reconcile.Explain(b.ctx(), b.client, reconcile.ExplainRequest{
		Policy: p, Identity: identity, Now: explainDay, Tool: "exoaudit test", Tenant: b.tenant.ID(),
	})
}

func (b *bench) mustExplain(p *policy.Policy, identity string) *reconcile.Explanation {
	b.t.Helper()
	e, err := b.explain(p, identity)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// TestExplainRules: five rules that overlap, each with its clauses and wishes.
func TestExplainRules(t *testing.T) {
	b := newBench(t, explainedTenant())
	e := b.mustExplain(parse(t, overlapping), "ANN@contoso.com")
	goldenFile(t, "explain/rules.json", jsonOf(t, e))
	if e.State != reconcile.Drifted || len(e.Rules) != 6 || len(e.Exemptions) != 3 {
		t.Errorf("state %s, %d rules, %d exemptions", e.State, len(e.Rules), len(e.Exemptions))
	}
	if n := b.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// TestExplainSwitches: each of the five switches decides once, and the golden
// file says which.
func TestExplainSwitches(t *testing.T) {
	decided := map[reconcile.SwitchName]bool{}
	for name, c := range map[string]struct {
		who   string
		owner reconcile.SwitchName
		set   func(*simulator.Tenant)
	}{
		"unified-log": {"dan@contoso.com", reconcile.SwitchUnifiedLog, func(t *simulator.Tenant) {
			t.UpdateOrganization(func(o *simulator.Organization) { o.UnifiedAuditLog = false })
		}},
		"mailbox-auditing": {"dan@contoso.com", reconcile.SwitchMailboxAuditing, func(t *simulator.Tenant) {
			t.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
		}},
		"bypass": {"dan@contoso.com", reconcile.SwitchBypass, func(t *simulator.Tenant) {
			m, _ := t.FindMailbox("dan@contoso.com")
			t.SetBypass(m.Guid, true)
		}},
		"actions":       {"eve@contoso.com", reconcile.SwitchActions, func(*simulator.Tenant) {}},
		"audit-enabled": {"oslo@contoso.com", reconcile.SwitchAuditEnabled, func(*simulator.Tenant) {}},
		"group":         {"project@contoso.com", reconcile.SwitchActions, func(*simulator.Tenant) {}},
		"undocumented":  {"team@contoso.com", reconcile.SwitchAuditEnabled, func(*simulator.Tenant) {}},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := explainedTenant()
			c.set(tenant)
			e := newBench(t, tenant).mustExplain(parse(t, overlapping), c.who)
			goldenFile(t, "explain/"+name+".json", jsonOf(t, struct {
				State    reconcile.State             `json:"state"`
				Values   []reconcile.ExplainedValue  `json:"values"`
				Switches []reconcile.ExplainedSwitch `json:"switches"`
				Verdicts []reconcile.LogonVerdict    `json:"verdicts"`
				Warnings []string                    `json:"warnings"`
			}{e.State, e.Values, e.Switches, e.Verdicts, e.Warnings}))
			if got := e.Verdicts[0]; got.Logon != "Owner" || got.DecidedBy != c.owner {
				t.Errorf("%s is decided by %s, want %s", got.Logon, got.DecidedBy, c.owner)
			}
			decided[e.Verdicts[0].DecidedBy] = true
		})
	}
	for i, s := range newBench(t, explainedTenant()).mustExplain(parse(t, overlapping), "dan@contoso.com").Switches {
		if s.Number != i+1 || !decided[s.Name] {
			t.Errorf("switch %d (%s) decides no case of this test", s.Number, s.Name)
		}
	}
}

// TestExplainIdentity: a mailbox is found by any of its addresses and ids, in
// each listing, and never by a name that people choose.
func TestExplainIdentity(t *testing.T) {
	tenant := explainedTenant()
	ann, _ := tenant.FindMailbox("ann@contoso.com")
	project, _ := tenant.FindMailbox("project@contoso.com")
	b := newBench(t, tenant)
	p := parse(t, overlapping)
	for identity, want := range map[string]string{
		"ann@contoso.com": ann.Guid, ann.Guid: ann.Guid, ann.ExternalDirectoryObjectID: ann.Guid, ann.ExchangeObjectID: ann.Guid,
		project.Guid: project.Guid, "project@contoso.com": project.Guid,
	} {
		if e := b.mustExplain(p, identity); e.Mailbox.ID != want {
			t.Errorf("%s is %s, want %s", identity, e.Mailbox.ID, want)
		}
	}
	if e := b.mustExplain(p, project.Guid); e.State != reconcile.NotApplicable || len(e.Changes) > 0 {
		t.Errorf("no rule speaks of group mailboxes, and it is %s with %d changes", e.State, len(e.Changes))
	}
	for _, identity := range []string{"nobody@contoso.com", "Ann", "7c9e1d42-0000-4f63-9a17-3d2e86c4b5f0"} {
		_, err := b.explain(p, identity)
		if _, ok := errors.AsType[*reconcile.MailboxNotFoundError](err); !ok {
			t.Errorf("%s: %v", identity, err)
		}
	}
}

// TestExplainCost: a mailbox costs five requests whatever the size of the
// tenant, and the comparison in it none.
func TestExplainCost(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 5, Mailboxes: 3000}))
	e := b.mustExplain(parse(t, overlapping), anyUser(t, b.tenant))
	if n := len(b.service.Calls()); n != 5 || e.Requests != n {
		t.Errorf("%d calls, %d requests in the explanation", n, e.Requests)
	}
}

// TestExplainUnread: what could not be read is unknown, decides, and is never
// taken for recorded.
func TestExplainUnread(t *testing.T) {
	for name, c := range map[string]struct {
		fault   simulator.Fault
		decides reconcile.SwitchName
	}{
		"organization": {simulator.Refused("Get-OrganizationConfig"), reconcile.SwitchMailboxAuditing},
		"unified log":  {simulator.Refused("Get-AdminAuditLogConfig"), reconcile.SwitchUnifiedLog},
		"bypass":       {simulator.Refused("Get-MailboxAuditBypassAssociation"), reconcile.SwitchBypass},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, explainedTenant(), simulator.WithFaults(c.fault))
			e := b.mustExplain(parse(t, overlapping), "dan@contoso.com")
			v := e.Verdicts[0]
			if v.Outcome != reconcile.OutcomeUnknown || v.DecidedBy != c.decides || len(v.Recorded) > 0 {
				t.Errorf("%s by %s, %d recorded", v.Outcome, v.DecidedBy, len(v.Recorded))
			}
		})
	}
	b := newBench(t, explainedTenant(), simulator.WithFaults(simulator.Refused("Get-Mailbox")))
	if _, err := b.explain(parse(t, overlapping), "dan@contoso.com"); !exchange.IsRefused(err) {
		t.Errorf("a mailbox that could not be read: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := reconcile.Explain(ctx, b.client, reconcile.ExplainRequest{Policy: parse(t, overlapping), Identity: "dan@contoso.com", Now: explainDay})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// TestExplainAgreesWithPlan: for every mailbox of a drifting tenant the
// explanation has the state and changes of the plan, and a wish that decides
// and is not met wherever there is a change.
func TestExplainAgreesWithPlan(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: 24, Drift: 0.6})
	b := newBench(t, tenant)
	p := parse(t, overlapping)
	differing := 0
	for m := range tenant.AllMailboxes() {
		req := b.request(p)
		req.Mailbox = m.Guid
		plan := b.checkRequest(req)
		e := b.mustExplain(p, m.Guid)
		if got, want := len(e.Changes), len(collect(plan.Changes())); got != want {
			t.Errorf("%s: %d changes explained, %d planned", m.PrimarySMTPAddress, got, want)
		}
		for _, c := range e.Changes {
			differing++
			if !slices.ContainsFunc(e.Wishes, func(w reconcile.ExplainedWish) bool {
				return w.Setting == c.Setting && w.Met == "no" && w.Decides
			}) {
				t.Errorf("%s: %s changes, and no wish that decides is unmet", m.PrimarySMTPAddress, c.Setting)
			}
		}
		for _, w := range e.Wishes {
			if w.Met == "no" && w.Decides && !slices.ContainsFunc(e.Changes, func(c reconcile.ExplainedChange) bool { return c.Setting == w.Setting }) {
				t.Errorf("%s: a wish for %s at line %d is not met, and nothing changes", m.PrimarySMTPAddress, w.Setting, w.Place.Line)
			}
		}
		if e.Mailbox.Type == audit.UserMailbox && e.State == reconcile.NotApplicable {
			t.Errorf("%s: no rule", m.PrimarySMTPAddress)
		}
	}
	if differing == 0 {
		t.Error("nothing drifted, so nothing was compared")
	}
}

// TestExplainTable: the outcomes follow the table of semantics 0, row by row,
// which is written here once more and in another way.
func TestExplainTable(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{"UserMailbox": true, "SharedMailbox": true, "GroupMailbox": true}
	for _, kind := range []string{"UserMailbox", "SharedMailbox", "GroupMailbox", "RoomMailbox", "EquipmentMailbox", "DiscoveryMailbox", "PublicFolderMailbox"} {
		for bits := range 8 {
			disabled, bypassed, logOff := bits&1 != 0, bits&2 != 0, bits&4 != 0
			tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 3, AuditDisabled: disabled, UnifiedLogOff: logOff})
			b := newBench(t, tenant)
			p := parse(t, overlapping)
			for _, stored := range []simulator.Tri{simulator.True, simulator.False, simulator.Unset} {
				m := tenant.AddMailbox(simulator.Mailbox{Type: kind, PrimarySMTPAddress: kind + stored.String() + "@contoso.com", AuditEnabled: stored})
				if bypassed {
					tenant.SetBypass(m.Guid, true)
				}
				records := !disabled && (covered[kind] || stored == simulator.True)
				for _, v := range b.mustExplain(p, m.Guid).Verdicts {
					want := reconcile.OutcomeRecorded
					hasAccount := kind != "GroupMailbox" && kind != "PublicFolderMailbox"
					switch {
					case !records || bypassed && v.Logon == "Owner" && hasAccount:
						want = reconcile.OutcomeNothing
					case logOff:
						want = reconcile.OutcomeNotSearchable
					}
					if v.Outcome != want || (len(v.Recorded) > 0) != (want != reconcile.OutcomeNothing) {
						t.Errorf("%s stored %s, AuditDisabled %t, bypassed %t, log off %t: %s is %s (%s), want %s",
							kind, stored, disabled, bypassed, logOff, v.Logon, v.Outcome, v.DecidedBy, want)
					}
				}
			}
		}
	}
}

// TestExplainSelectors: what a rule asks of groups, delegates and capabilities is
// read once, and each clause says what it found.
func TestExplainSelectors(t *testing.T) {
	tenant := explainedTenant()
	ann, _ := tenant.FindMailbox("ann@contoso.com")
	dan, _ := tenant.FindMailbox("dan@contoso.com")
	inner := tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "inner@contoso.com", Members: []string{ann.Guid}})
	tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "leads@contoso.com", Members: []string{inner.Guid}})
	tenant.AddMailboxPermission(dan.Guid, simulator.Permission{Trustee: "eve@contoso.com"})
	p := parse(t, `
mailboxes:
  leads: {where: {memberOf: leads@contoso.com}, ageLimit: 1y}
  shared: {where: {hasDelegates: true}, ageLimit: 180d}
  licensed: {where: {capability: M365Auditing}, ageLimit: 120d}
exemptions:
  trial: {where: {not: {hasDelegates: true}}, accept: {ageLimit: 30d}, reason: a trial, owner: msg@contoso.com, expires: 2027-01-31}
`)
	for who, want := range map[string][]string{
		ann.Guid: {"yes", "no", "no", "yes"},
		dan.Guid: {"no", "yes", "yes", "no"},
	} {
		b := newBench(t, tenant)
		e := b.mustExplain(p, who)
		var got, clauses []string
		for _, r := range e.Rules {
			got = append(got, r.Match)
			clauses = append(clauses, r.Clauses[1].Match)
		}
		got, clauses = append(got, e.Exemptions[0].Match), append(clauses, e.Exemptions[0].Clauses[0].Match)
		if !slices.Equal(got, want) || !slices.Equal(clauses, want) {
			t.Errorf("%s: matches %v, clauses %v, want %v", e.Mailbox.Name, got, clauses, want)
		}
		if len(e.Unknown) > 0 || e.Requests != len(b.service.Calls()) {
			t.Errorf("%s: unknown %v, %d requests for %d calls", e.Mailbox.Name, e.Unknown, e.Requests, len(b.service.Calls()))
		}
		req := b.request(p)
		req.Mailbox = who
		if plan := b.checkRequest(req); len(collect(plan.Changes())) != len(e.Changes) {
			t.Errorf("%s: the plan has other changes", e.Mailbox.Name)
		}
	}
	// What cannot be read leaves the rule open, and the mailbox unknown.
	b := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Get-MailboxPermission")))
	e := b.mustExplain(p, ann.Guid)
	if e.Rules[1].Match != "open" || e.Rules[1].Clauses[1].Found != "not known" || e.State != reconcile.Unknown {
		t.Errorf("delegates that could not be read: %s, %+v", e.State, e.Rules[1])
	}
}
