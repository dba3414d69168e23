package reconcile_test

import (
	"fmt"
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
)

// epoch is when the clock of a bubble begins.
func epoch() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// happening is something that people do to a tenant between two runs.
type happening struct {
	what string
	at   int // chooses the object
}

// happenings are what can be done so that the service shows it: on the object
// itself, or on what each run reads whole. Rights that are given or taken are said
// to change the mailbox, which the service does not document; where it does not, a
// full sweep is what finds them.
func happenings() []string {
	return []string{
		"weaken", "weaken", "unset", "pin", "lengthen", "create", "create", "delete", "restore", "retype",
		"attribute", "rename", "bypass", "unbypass", "join", "delegate", "switch", "repair",
	}
}

// episode is what happens between two runs, and which run comes then.
type episode struct {
	happenings []happening
	pause      time.Duration
	since      bool
	apply      bool
}

func drawEpisodes(r *rapid.T) []episode {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) episode {
		e := episode{
			pause: rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Minute, 3 * time.Hour, 20 * time.Hour}).Draw(r, "pause"),
			since: rapid.IntRange(0, 4).Draw(r, "since") > 0, apply: rapid.Bool().Draw(r, "apply"),
		}
		for range rapid.IntRange(0, 3).Draw(r, "happenings") {
			e.happenings = append(e.happenings, happening{rapid.SampledFrom(happenings()).Draw(r, "what"), rapid.IntRange(0, 99).Draw(r, "of")})
		}
		return e
	}), 2, 8).Draw(r, "episodes")
}

// history is a random tenant and what happens to it.
type history struct {
	cases    seen
	tenant   *simulator.Tenant
	switches simulator.Switches
	lag      time.Duration
	text     string
	base     string
	episodes []episode
	problems

	gone []simulator.Mailbox
	b    *bench
	s    *shelf
	p    *policy.Policy
}

// fixable is a policy to which an apply brings any of these tenants.
const fixable = `
organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: true}
mailboxes:
  everyone: {auditEnabled: effective, ageLimit: 60d}
  listed: {where: {memberOf: [list@contoso.com, dynamic@contoso.com]}, ageLimit: 180d}
  delegated: {where: {hasDelegates: true}, ageLimit: 90d}
  odd: {where: {anyOf: [{address: "odd-*"}, {attribute: {customAttribute1: VIP}}]}, ageLimit: 1y}
bypass: {}
guards: {maxChangedPercent: 100, rings: []}
`

// TestLargeSinceIsNoBetter: whatever happens to a tenant, a look at what changed
// never says that all is in line where a look at the whole, at that moment, does
// not; and it finds every mailbox that such a look finds. It goes on until every
// case has come up.
func TestLargeSinceIsNoBetter(t *testing.T) {
	t.Parallel()
	skipShort(t)
	cases := seen{}
	required := []string{"since inLine", "since drift", "since incomplete", "swept instead", "carried", "in line again"}
	for name := range simulator.EachSwitch() {
		required = append(required, "switch "+name)
	}
	for _, what := range happenings() {
		required = append(required, "happened "+what)
	}
	for range 20 {
		sinceIsNoBetter(t, cases)
		if t.Failed() || len(cases.missing(required)) == 0 {
			break
		}
	}
	if !t.Failed() {
		cases.require(t, required)
	}
}

func sinceIsNoBetter(t *testing.T, cases seen) {
	var switches []string
	settings := map[string]simulator.Switches{}
	for name, s := range simulator.EachSwitch() {
		switches = append(switches, name)
		settings[name] = s
	}
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(switches).Draw(r, "switch")
		cases.note("switch", name)
		h := history{
			cases: cases, switches: settings[name], tenant: drawTenantAt(r, epoch()), episodes: drawEpisodes(r), text: "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: fixable\n" + fixable,
			lag: rapid.SampledFrom([]time.Duration{0, 0, 0, 2 * time.Minute}).Draw(r, "lag"),
		}
		if rapid.IntRange(0, 2).Draw(r, "any policy") == 0 {
			h.text, h.base = drawPolicy(r, h.tenant)
		}
		synctest.Test(t, h.run)
		if len(h.problems) > 0 {
			r.Fatalf("%s\nswitch %s, lag %s\n%+v\n%s\n%s", strings.Join(h.problems, "\n"), name, h.lag, h.episodes, h.text, h.base)
		}
	})
}

func (h *history) run(t *testing.T) {
	p, diags := policy.Load("policy.yaml", []byte(h.text), func(string) ([]byte, error) { return []byte(h.base), nil })
	if diags.HasErrors() {
		h.Errorf("the generator made a policy that is not valid: %v", diags)
		return
	}
	h.p, h.b, h.s = p, newBench(t, h.tenant, simulator.WithSwitches(h.switches), simulator.WithReadLag(h.lag)), newShelf()
	for m := range h.tenant.AllMailboxes() {
		if m.Changed.After(epoch()) {
			// What was added to the seed was dated by the clock outside of the bubble.
			h.tenant.Update(m.Guid, func(m *simulator.Mailbox) {
				m.Created, m.Changed = epoch().AddDate(-1, 0, 0), epoch().AddDate(0, -1, 0)
			})
		}
	}
	h.look(0, episode{apply: true})
	for n, e := range h.episodes {
		for _, what := range e.happenings {
			h.cases.note("happened", what.what)
			h.happen(what)
		}
		time.Sleep(e.pause)
		h.look(n+1, e)
		if len(h.problems) > 0 {
			return
		}
	}
}

// look makes the run of an episode, and holds a look at what changed to a look at
// the whole.
func (h *history) look(n int, e episode) {
	req := h.b.request(h.p)
	req.RunID, req.SinceLastRun, req.BypassEvery = fmt.Sprintf("run-%d", n), e.since, time.Nanosecond
	h.b.reconnect()
	if e.since {
		h.hold(n, req)
	}
	if e.apply {
		h.b.applying(h.s, req)
	} else {
		h.b.remembering(h.s, req)
	}
}

// hold makes both looks, and keeps neither.
func (h *history) hold(n int, req reconcile.Request) {
	since, err := h.b.session(h.s).Check(h.b.ctx(), req)
	if err != nil {
		h.Errorf("run %d: %v", n, err)
		return
	}
	whole := h.b.checkRequest(h.b.request(h.p))
	h.noteLook(since)
	if since.Verdict(strict) == reconcile.VerdictInLine && whole.Verdict(strict) != reconcile.VerdictInLine {
		h.Errorf("run %d: in line by what changed (%s), %s by the whole: %+v", n, since.Coverage.Scope, whole.Verdict(strict), collect(whole.Changes()))
	}
	if !since.Coverage.Complete {
		return
	}
	seen := found(since)
	for c := range whole.Changes() {
		if c.Fate == reconcile.FateExempt {
			continue
		}
		if c.Subject.Kind == audit.KindMailbox && !slices.Contains(seen, c.Subject.ID) {
			h.Errorf("run %d: %s of %s is not found by what changed (%s): %s", n, c.Setting, c.Subject.Name, since.Coverage.Scope, c.Reason)
		}
	}
}

func (h *history) noteLook(plan *reconcile.Plan) {
	if plan.Coverage.Scope == reconcile.ScopeFull {
		h.cases.note("swept", "instead")
		return
	}
	verdict := plan.Verdict(strict)
	h.cases.note("since", string(verdict))
	if n := plan.Coverage.Mailboxes.Read; n > 0 && verdict == reconcile.VerdictInLine {
		h.cases.note("in line", "again")
	}
	for c := range plan.Changes() {
		if c.Carried {
			h.cases.note("carried")
		}
	}
}

// happen does something to the tenant.
func (h *history) happen(what happening) {
	all := collect(h.tenant.AllMailboxes())
	if len(all) < 4 {
		return
	}
	m := all[what.at%len(all)]
	if h.elsewhere(what, m) {
		return
	}
	h.tenant.Update(m.Guid, func(m *simulator.Mailbox) {
		switch what.what {
		case "weaken":
			m.AgeLimit = "12:00:00"
		case "unset":
			m.AuditEnabled = simulator.Unset
		case "pin":
			m.Admin, m.Managed = []string{"Update"}, []string{"Delegate", "Owner"}
		case "lengthen":
			m.AgeLimit = "365.00:00:00"
		case "retype":
			if other := map[string]string{"UserMailbox": "SharedMailbox", "SharedMailbox": "UserMailbox"}[m.Type]; other != "" {
				m.Type = other
			}
		case "attribute":
			m.CustomAttributes = map[int]string{1: "VIP"}
		case "rename":
			m.PrimarySMTPAddress = fmt.Sprintf("odd-renamed-%d@contoso.com", what.at)
			m.Addresses = []string{"SMTP:" + m.PrimarySMTPAddress}
		case "delegate", "repair":
			m.Office = fmt.Sprint(what, time.Now())
		}
	})
}

// elsewhere does what is not done to a mailbox by itself, and tells whether that
// was all.
func (h *history) elsewhere(what happening, m simulator.Mailbox) bool {
	switch what.what {
	case "create":
		h.tenant.AddMailbox(simulator.Mailbox{AgeLimit: []string{"", "12:00:00"}[what.at%2]})
	case "delete":
		if m.Type == "UserMailbox" && h.tenant.RemoveMailbox(m.Guid) {
			h.gone = append(h.gone, m)
		}
	case "restore":
		if n := len(h.gone); n > 0 {
			h.tenant.RestoreMailbox(h.gone[n-1])
			h.gone = h.gone[:n-1]
		}
	case "bypass", "unbypass":
		accounts := collect(h.tenant.AllUsers())
		h.tenant.SetBypass(accounts[what.at%len(accounts)].Guid, what.what == "bypass")
	case "join":
		group := h.b.client.GroupByID(h.b.ctx(), []string{"list@contoso.com"})[0].Value.Guid
		h.tenant.SetMembers(group, append(h.tenant.Members(group), m.Guid)...)
	case "switch":
		h.tenant.UpdateOrganization(func(o *simulator.Organization) {
			o.AuditDisabled, o.UnifiedAuditLog = what.at%3 == 0, what.at%2 == 0
		})
	case "delegate":
		if what.at%2 == 0 {
			h.tenant.AddMailboxPermission(m.Guid, simulator.Permission{Trustee: "ann@contoso.com"})
		} else {
			h.tenant.AddRecipientPermission(m.Guid, simulator.Permission{Trustee: "ann@contoso.com"})
		}
		return false
	default:
		return false
	}
	return true
}
