package reconcile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// faultPolicy makes every call that check and apply can make: all listings, the
// stored values, an allowed account that is no mailbox, groups of each kind,
// permissions, every setter, restores.
const faultPolicy = `
organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox]
    record: {admin: {defaults: true, plus: [Copy]}, owner: {managed: true}}
    ageLimit: 180d
  explicit: {where: {address: "vip-*@contoso.com"}, auditEnabled: explicit}
  chosen:
    where: {anyOf: [{memberOf: [list@contoso.com, team@contoso.com, dynamic@contoso.com]}, {hasDelegates: true}]}
    ageLimit: 1y
  groups: {types: [GroupMailbox], ageLimit: 180d}
  folders: {types: [PublicFolderMailbox], ageLimit: 180d}
bypass: {allow: [{account: "scanner@contoso.com", reason: r, owner: o@contoso.com, expires: 2099-01-01}]}
guards: {maxChangedPercent: 100}
`

// driftedTenant has something to write at every site.
func driftedTenant(dehydrated bool) *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{
		Seed: 9, Mailboxes: 24, Groups: 3, PublicFolders: 3, Users: 2, BypassPerMailbox: -1,
		AuditDisabled: true, UnifiedLogOff: true, Dehydrated: dehydrated, Now: time.Now(),
	})
	for i := range 3 {
		tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", PrimarySMTPAddress: fmt.Sprintf("vip-%d@contoso.com", i)})
	}
	// A room that stores true shows whether a filter is honoured.
	tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", PrimarySMTPAddress: "room-true@contoso.com", AuditEnabled: simulator.True})
	for i := range 3 {
		tenant.AddMailbox(simulator.Mailbox{
			Type: "UserMailbox", PrimarySMTPAddress: fmt.Sprintf("pinned-%d@contoso.com", i),
			Managed: []string{"Admin", "Delegate"}, Owner: []string{"HardDelete"},
		})
	}
	for i, guid := range userGuids(tenant) {
		if i < 10 {
			tenant.Update(guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
		}
	}
	addDirectory(tenant)
	scanner := tenant.AddUser(simulator.User{UserPrincipalName: "scanner@contoso.com"})
	tenant.SetBypass(scanner.Guid, true)
	for i, guid := range userGuids(tenant) {
		if i < 2 {
			tenant.SetBypass(guid, true)
		}
	}
	return tenant
}

// addDirectory adds a group of each kind, one of more than a page, and permissions
// that must be asked for one by one.
func addDirectory(tenant *simulator.Tenant) {
	guids := userGuids(tenant)
	tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "list@contoso.com", Members: guids[:15]})
	tenant.AddGroup(simulator.Group{Type: "DynamicDistributionGroup", PrimarySMTPAddress: "dynamic@contoso.com", Members: guids[15:17]})
	tenant.AddGroup(simulator.Group{
		Type: "GroupMailbox", Guid: "0000000a-0000-4000-8000-000000000001", Name: "team", PrimarySMTPAddress: "team@contoso.com", Members: guids[17:19],
	})
	tenant.AddRecipientPermission(guids[19], simulator.Permission{Trustee: "ann@contoso.com"})
	tenant.AddMailboxPermission(guids[20], simulator.Permission{Trustee: "ann@contoso.com"})
	addTwins(tenant)
}

func userGuids(tenant *simulator.Tenant) []string {
	var out []string
	for m := range tenant.AllMailboxes() {
		if m.Type == "UserMailbox" {
			out = append(out, m.Guid)
		}
	}
	return out
}

// faultSite is one place at which check and apply call the service.
type faultSite struct {
	name string
	at   simulator.Site
	// late faults are armed between the check and the apply.
	late       bool
	dehydrated bool
	// batchOf is the cmdlet in the first batch that a fault on whole batches hits:
	// it is armed when that batch is on its way.
	batchOf string
}

// readSites are those of check, which apply also passes through.
func readSites() []faultSite {
	plain := []string{"Filter", "GroupMailbox", "PublicFolder", "Identity"}
	bypass, permission := "Get-MailboxAuditBypassAssociation", "Get-RecipientPermission"
	return []faultSite{
		{name: "org", at: simulator.Site{Cmdlet: "Get-OrganizationConfig"}},
		{name: "log", at: simulator.Site{Cmdlet: "Get-AdminAuditLogConfig"}},
		{name: "box", at: simulator.Site{Cmdlet: "Get-Mailbox", Without: plain}},
		{name: "box+", at: simulator.Site{Cmdlet: "Get-Mailbox", Without: plain, Continued: true}},
		{name: "sto", at: simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"Filter"}}},
		{name: "sto+", at: simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"Filter"}, Continued: true}},
		{name: "grp", at: simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"GroupMailbox"}, Without: []string{"Identity"}}},
		{name: "pub", at: simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"PublicFolder"}, Without: []string{"Identity"}}},
		{name: "byp", at: simulator.Site{Cmdlet: bypass, Without: []string{"Identity"}}},
		{name: "byp+", at: simulator.Site{Cmdlet: bypass, Without: []string{"Identity"}, Continued: true}},
		{name: "usr", at: simulator.Site{Cmdlet: "Get-User", Item: true}},
		{name: "bat", at: simulator.Site{Cmdlet: "$batch"}},
		{name: "rcp", at: simulator.Site{Cmdlet: "Get-Recipient", Item: true}},
		{name: "mem", at: simulator.Site{Cmdlet: "Get-DistributionGroupMember"}},
		{name: "mem+", at: simulator.Site{Cmdlet: "Get-DistributionGroupMember", Continued: true}},
		{name: "lnk", at: simulator.Site{Cmdlet: "Get-UnifiedGroupLinks"}},
		{name: "dyn", at: simulator.Site{Cmdlet: "Get-DynamicDistributionGroupMember"}},
		{name: "per", at: simulator.Site{Cmdlet: permission, Without: []string{"Identity"}}},
		{name: "per+", at: simulator.Site{Cmdlet: permission, Without: []string{"Identity"}, Continued: true}},
		{name: "snd", at: simulator.Site{Cmdlet: permission, Item: true, With: []string{"Identity"}}},
		{name: "ful", at: simulator.Site{Cmdlet: "Get-MailboxPermission", Item: true}},
	}
}

// writeSites are the writes of apply and the reads that confirm them.
func writeSites() []faultSite {
	item := func(cmdlet string, with ...string) simulator.Site {
		return simulator.Site{Cmdlet: cmdlet, Item: true, With: with}
	}
	return []faultSite{
		{name: "Org", late: true, at: simulator.Site{Cmdlet: "Get-OrganizationConfig"}},
		{name: "Log", late: true, at: simulator.Site{Cmdlet: "Get-AdminAuditLogConfig"}},
		{name: "Sto", late: true, at: simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"Filter"}}},
		{name: "Box", at: item("Get-Mailbox", "Identity")},
		{name: "Byp", at: item("Get-MailboxAuditBypassAssociation", "Identity")},
		{name: "BaR", late: true, at: simulator.Site{Cmdlet: "$batch"}, batchOf: "Get-Mailbox"},
		{name: "BaW", late: true, at: simulator.Site{Cmdlet: "$batch"}, batchOf: "Set-Mailbox"},
		{name: "sOrg", at: simulator.Site{Cmdlet: "Set-OrganizationConfig"}},
		{name: "sLog", at: simulator.Site{Cmdlet: "Set-AdminAuditLogConfig"}},
		{name: "sCus", dehydrated: true, at: simulator.Site{Cmdlet: "Enable-OrganizationCustomization"}},
		{name: "sByp", at: item("Set-MailboxAuditBypassAssociation")},
		{name: "sBox", at: item("Set-Mailbox")},
	}
}

// renewable is a source that can be told that its token was refused, and why.
type renewable struct{ n atomic.Int64 }

func (r *renewable) Token() (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: fmt.Sprintf("token-%d", r.n.Load()), TokenType: "Bearer"}, nil
}

func (r *renewable) Invalidate()      { r.n.Add(1) }
func (r *renewable) Challenge(string) { r.n.Add(1) }

// faultRun is what came of one command on one tenant with one fault.
type faultRun struct {
	status int
	// planned is the status that check would have given.
	planned int
	plan    string // what the plan said, without counts and times
	run     string
	text    string // everything that it told a person
	struck  int
	before  map[string]string
	after   map[string]string
	judged  []oracle.Finding
}

// planStatus is the exit status of design section 5 for a comparison.
func planStatus(p *reconcile.Plan, err error) int {
	if err != nil {
		if exchange.IsUnauthenticated(err) || exchange.IsRefused(err) {
			return 5
		}
		return 1
	}
	return verdictStatus(p.Verdict(strict))
}

// verdictStatus is the mapping of design section 5.
func verdictStatus(v reconcile.Verdict) int {
	return map[reconcile.Verdict]int{
		reconcile.VerdictInLine: 0, reconcile.VerdictDrift: 2, reconcile.VerdictIncomplete: 3, reconcile.VerdictFailed: 5,
	}[v]
}

// faultBench is a small tenant in small pages, and a client whose token can be
// renewed.
func faultBench(t *testing.T, tenant *simulator.Tenant, rec *recorder, seen func(cmdlet string)) *bench {
	t.Helper()
	b := &bench{t: t, tenant: tenant, service: simulator.New(tenant, simulator.WithPageSize(7))}
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: tenant.ID(), TokenSource: &renewable{},
		Transport: watched{t, b.service.RoundTripper(), rec, seen}, CmdletsPerSecond: 1e6,
		Retry: exchange.Retry{Tries: 3, Budget: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.client = client
	return b
}

// runFault runs a command on a tenant under a fault; nil is none.
func runFault(t *testing.T, p *policy.Policy, tenant *simulator.Tenant, site faultSite, fault *simulator.Fault, apply bool) faultRun {
	t.Helper()
	rec := &recorder{}
	var b *bench
	phase, armed := "", fault == nil
	arm := func(cmdlet string) {
		if due := site.late == (phase == "apply") && (site.batchOf == "" || site.batchOf == cmdlet); due && !armed {
			armed = true
			b.service.AddFaults(*fault)
		}
	}
	b = faultBench(t, tenant, rec, arm)
	out := faultRun{before: audited(tenant)}
	arm("")
	plan, err := reconcile.Check(t.Context(), b.client, b.request(p))
	out.status = planStatus(plan, err)
	if err != nil {
		out.text = err.Error()
	} else {
		out.plan, out.text = planText(t, plan)
	}
	out.planned = out.status
	phase = "apply"
	if arm(""); apply && err == nil {
		run, err := reconcile.Apply(t.Context(), b.client, plan, reconcile.ApplyOptions{Recorder: rec, Now: time.Now, InFlight: 1})
		if err != nil {
			t.Fatal(err)
		}
		out.status = verdictStatus(run.Verdict(strict))
		var text string
		out.run, text = runText(t, run)
		out.text += text
	}
	if fault != nil {
		out.struck = b.service.Struck(fault.Name)
	}
	b.service.DisarmFaults()
	out.after = audited(tenant)
	out.judged = oracle.Judge(tenant, wishes(t, p, tenant))
	return out
}

// audited is the stored truth of a tenant without the times of changes.
func audited(tenant *simulator.Tenant) map[string]string {
	out := maps.Collect(tenant.Dump())
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasSuffix(key, "/WhenChangedUTC") })
	return out
}

func planText(t *testing.T, p *reconcile.Plan) (plan, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := report.WritePlan(&b, p, strict); err != nil {
		t.Fatal(err)
	}
	text = strings.Join(slices.Concat(p.Coverage.Reasons, p.Refused), "\n") + "\n"
	for u := range p.Unknown() {
		text += u.Reason + "\n"
	}
	return withoutCounts(t, b.Bytes()), text
}

func runText(t *testing.T, r *reconcile.Run) (run, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteRun(&b, r, strict); err != nil {
		t.Fatal(err)
	}
	text = strings.Join(slices.Concat([]string{r.Stopped}, r.Refused, r.Warnings), "\n") + "\n"
	for c := range r.Changes() {
		if c.Fate == reconcile.FatePlanned && c.Result != reconcile.ResultVerified {
			text += string(c.Setting) + " " + string(c.Result) + ": " + c.Note + "\n"
		}
	}
	return withoutCounts(t, b.Bytes()), text
}

// withoutCounts leaves out of a report what a fault may change: requests, pages
// and times.
func withoutCounts(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range []string{"requests", "pages", "readAt", "createdAt", "startedAt", "finishedAt", "journalHead", "why"} {
				delete(v, name)
			}
			for _, member := range v {
				strip(member)
			}
		case []any:
			for _, element := range v {
				strip(element)
			}
		}
	}
	strip(v)
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// settledTenant is one that is in line, and has something to read at every site.
func settledTenant(t *testing.T, p *policy.Policy) *simulator.Tenant {
	t.Helper()
	tenant := driftedTenant(false)
	if out := runFault(t, p, tenant, faultSite{}, nil, true); out.status != 0 || len(out.judged) > 0 {
		t.Fatalf("without a fault the status is %d, the oracle finds %v:\n%s", out.status, out.judged, out.text)
	}
	return tenant
}

// faultBases are the tenants and the undisturbed runs that all pairs share.
type faultBases struct {
	policy  *policy.Policy
	settled *simulator.Tenant
	// undisturbed runs, by apply and by dehydrated.
	undisturbed [2][2]faultRun
}

func newFaultBases(t *testing.T) *faultBases {
	t.Helper()
	f := &faultBases{policy: parse(t, faultPolicy)}
	synctestRun(t, func(t *testing.T) { f.settled = settledTenant(t, f.policy) })
	for apply := range f.undisturbed {
		for dehydrated := range f.undisturbed[apply] {
			synctestRun(t, func(t *testing.T) {
				tenant := f.tenant(apply == 1, dehydrated == 1)
				f.undisturbed[apply][dehydrated] = runFault(t, f.policy, tenant, faultSite{}, nil, apply == 1)
			})
		}
	}
	return f
}

func (f *faultBases) tenant(apply, dehydrated bool) *simulator.Tenant {
	if apply {
		return driftedTenant(dehydrated)
	}
	return f.settled.Snapshot()
}

// reference is the run of a command at a site without a fault.
func (f *faultBases) reference(apply bool, site faultSite) faultRun {
	a, d := 0, 0
	if apply {
		a = 1
	}
	if site.dehydrated {
		d = 1
	}
	return f.undisturbed[a][d]
}

// faultPair is one kind of fault at one site in one command.
type faultPair struct {
	row   faultRow
	kind  simulator.FaultKind
	site  faultSite
	apply bool
	cell  string
}

func (p faultPair) String() string {
	command := map[bool]string{false: "check", true: "apply"}[p.apply]
	return command + "/" + strings.ReplaceAll(p.kind.Name, " ", "-") + "/" + p.site.name
}

// faultPairs joins the kinds and sites with the rows. Every pair has one cell;
// every row a kind.
func faultPairs(t *testing.T) []faultPair {
	t.Helper()
	rows := map[string]faultRow{}
	for _, r := range faultRows() {
		if _, twice := rows[r.kind]; twice {
			t.Errorf("%s has two rows", r.kind)
		}
		rows[r.kind] = r
	}
	var pairs []faultPair
	for _, k := range simulator.FaultKinds() {
		row, listed := rows[k.Name]
		if !listed {
			t.Errorf("%s is not in the table: say what comes of it at each site", k.Name)
			continue
		}
		delete(rows, k.Name)
		for _, apply := range []bool{false, true} {
			sites, cells := readSites(), strings.Fields(row.check)
			if apply {
				sites, cells = slices.Concat(readSites(), writeSites()), strings.Fields(row.apply)
			}
			if len(cells) != len(sites) {
				t.Errorf("%s has %d cells for %d sites (apply %t)", k.Name, len(cells), len(sites), apply)
				continue
			}
			for i, site := range sites {
				pairs = append(pairs, faultPair{row, k, site, apply, cells[i]})
			}
		}
	}
	for name := range rows {
		t.Errorf("%s is in the table and no kind of fault", name)
	}
	return pairs
}

// TestFaultTable: every pair is in the table, and one in a hundred does what it says.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	testFaultTable(t, 97)
}

// everyFault makes TestLargeFaultTable run every pair, which takes minutes.
const everyFault = "EXOAUDIT_EVERY_FAULT"

// TestLargeFaultTable: a fault that passes changes nothing in the result; one that
// lasts ends in a status of the table with a message that names it. It runs one pair in
// eight: a row has 21 or 33 sites, so each kind and each site is among them.
func TestLargeFaultTable(t *testing.T) {
	if testing.Short() {
		t.Skip("runs an eighth of the fault table; run without -short, and all of it with " + everyFault + "=yes")
	}
	nth := 8
	if os.Getenv(everyFault) != "" {
		nth = 1
	}
	testFaultTable(t, nth)
}

// testFaultTable looks at every pair and runs each nth.
func testFaultTable(t *testing.T, nth int) {
	pairs, bases := faultPairs(t), newFaultBases(t)
	if u := bases.undisturbed; u[0][0].status != 0 || u[1][0].status != 0 || u[1][1].status != 0 || u[1][0].planned != 2 {
		t.Fatalf("without a fault: check %d, apply %d and %d, planned %d", u[0][0].status, u[1][0].status, u[1][1].status, u[1][0].planned)
	}
	for i, p := range pairs {
		if strikes := p.kind.Strikes(p.site.at); strikes != (p.cell != "-") {
			t.Errorf("%s is %q in the table, and strikes: %t", p, p.cell, strikes)
		}
		if p.cell == "-" && p.row.never == "" {
			t.Errorf("%s does not say why it cannot strike", p)
		}
		if p.cell == "-" || i%nth != 0 {
			continue
		}
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			t.Run("lasting", func(t *testing.T) { synctestRun(t, func(t *testing.T) { p.lasting(t, bases) }) })
			t.Run("passing", func(t *testing.T) { synctestRun(t, func(t *testing.T) { p.passing(t, bases) }) })
		})
	}
}

func (p faultPair) lasting(t *testing.T, bases *faultBases) {
	fault := p.kind.Lasting(p.site.at)
	tenant := bases.tenant(p.apply, p.site.dehydrated)
	out := runFault(t, bases.policy, tenant, p.site, &fault, p.apply)
	ref := bases.reference(p.apply, p.site)
	if out.struck == 0 {
		t.Fatal("it did not strike")
	}
	if p.row.moves {
		p.moved(t, bases.policy, tenant, out)
		return
	}
	if got := fmt.Sprint(out.status); got != p.cell {
		t.Errorf("status %s, the table says %s:\n%s", got, p.cell, out.text)
	}
	switch p.cell {
	case "0", "2":
		if p.row.same == "" {
			t.Errorf("the row does not say why %s is right", p.cell)
		}
		if p.cell == "0" && (out.plan != ref.plan || out.run != ref.run) {
			t.Errorf("the table says that nothing is different:\n%s", cmp.Diff(ref.plan+ref.run, out.plan+out.run))
		}
	default:
		p.named(t, out.text)
	}
	p.honest(t, out, ref)
}

// named checks that a message says what went wrong, and where.
func (p faultPair) named(t *testing.T, text string) {
	t.Helper()
	wanted := []string{p.row.says}
	switch {
	case p.row.quiet:
	case p.site.at.Item:
		wanted = append(wanted, p.site.at.Cmdlet+"|$batch")
	default:
		wanted = append(wanted, p.site.at.Cmdlet)
	}
	for _, words := range wanted {
		if words == "" || !slices.ContainsFunc(strings.Split(words, "|"), func(word string) bool { return strings.Contains(text, word) }) {
			t.Errorf("the message does not name %q:\n%s", words, text)
		}
	}
}

// honest checks what no fault may do: pass for a tenant that is in line, or
// write what the policy does not ask for.
func (p faultPair) honest(t *testing.T, out, ref faultRun) {
	t.Helper()
	if out.status == 0 && len(out.judged) > 0 {
		t.Errorf("in line, and the oracle finds %v", out.judged)
	}
	at := slices.IndexFunc(readSites(), func(s faultSite) bool { return s.name == p.site.name })
	if at >= 0 && p.apply {
		if alone := strings.Fields(p.row.check)[at]; strings.Contains("135", alone) && fmt.Sprint(out.planned) != alone {
			t.Errorf("check gives %s where there is no drift, and %d where there is", alone, out.planned)
		}
	}
	for key, value := range out.after {
		// Of a restore and a list after it, the restore alone may have been made.
		restored := strings.HasSuffix(key, "/DefaultAuditSet") && strings.Contains(value, out.before[key])
		if value != out.before[key] && value != ref.after[key] && !restored {
			t.Errorf("%s went from %q to %q, the policy asks for %q", key, out.before[key], value, ref.after[key])
		}
	}
}

func (p faultPair) passing(t *testing.T, bases *faultBases) {
	fault := p.kind.Passing(p.site.at)
	tenant := bases.tenant(p.apply, p.site.dehydrated)
	out := runFault(t, bases.policy, tenant, p.site, &fault, p.apply)
	ref := bases.reference(p.apply, p.site)
	if out.struck == 0 {
		t.Fatal("it did not strike")
	}
	if p.row.moves {
		p.moved(t, bases.policy, tenant, out)
		return
	}
	if diff := cmp.Diff(ref.plan+ref.run, out.plan+out.run); out.status != ref.status || diff != "" {
		t.Errorf("it passed, and the result is another: status %d, not %d\n%s\n%s", out.status, ref.status, diff, out.text)
	}
	if !maps.Equal(ref.after, out.after) {
		t.Errorf("it passed, and the tenant is another:\n%s", cmp.Diff(ref.after, out.after))
	}
	if len(out.judged) > len(ref.judged) {
		t.Errorf("the oracle finds %v", out.judged)
	}
}

// moved judges a run during which the tenant changed: what it says is right
// before or after the change, and the next run puts right what is left.
func (p faultPair) moved(t *testing.T, pol *policy.Policy, tenant *simulator.Tenant, out faultRun) {
	t.Helper()
	if !slices.Contains([]int{0, 2, 3}, out.status) || out.status == 3 && !strings.Contains(out.text, "couldn't be found") {
		t.Errorf("status %d:\n%s", out.status, out.text)
	}
	next := runFault(t, pol, tenant, faultSite{}, nil, true)
	if next.status == 3 && strings.Contains(next.text, "'team@contoso.com' couldn't be found") {
		return // What moved is the group that the policy names, and it stays so.
	}
	if next.status != 0 || len(next.judged) > 0 {
		t.Errorf("the next run ends with %d, the oracle finds %v:\n%s", next.status, next.judged, next.text)
	}
}
