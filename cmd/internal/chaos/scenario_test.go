package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// scenario is one random day before it begins.
type scenario struct {
	seed     uint64
	tenant   *simulator.Tenant
	policy   *model
	switches simulator.Switches
	readings []string // of the switches, name=value
	pageSize int      // 0 for what the client asks
	lag      time.Duration
	latency  time.Duration
	throttle *simulator.Throttle
	faults   []simulator.Fault
	kinds    []string // of the faults, with how often they strike
	role     simulator.Role
	secret   bool // sign in with a secret at the authority, not with a given token
	damage   map[string]string
	commands []command
	// settled days begin in line, but for what an administrator has done since:
	// what is not read then makes all the difference.
	settled bool
	since   []func(*simulator.Tenant)
}

// command is one command of the day.
type command struct {
	verb string
	args []string
	// only, limit, mailbox and slip are what the arguments restrict a write to;
	// raised says that the guards are raised out of the way.
	only         []string
	limit        int
	mailbox      string
	slip, raised bool
	since        bool // looks at what changed since the last run only
	strict       bool
	failOn       string
	interruptAt  int                     // the request at which Ctrl-C comes, 0 for none
	quiet        bool                    // every fault is gone
	silent       bool                    // nobody says yes
	before       func(*simulator.Tenant) // what an administrator does first
}

// full tells whether a command looks at, or writes, all that the policy covers.
func (c command) full() bool {
	return len(c.only) == 0 && c.limit == 0 && c.mailbox == "" && !c.slip
}

// dice draws from a seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x65786f))} }

// in is true in one of n draws.
func (d dice) in(n int) bool { return d.IntN(n) == 0 }

// between draws from a to b, both included.
func (d dice) between(a, b int) int { return a + d.IntN(b-a+1) }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some draws at least one and at most n of a list, in its order.
func some[T any](d dice, n int, from ...T) []T {
	n = d.between(1, min(n, len(from)))
	places := d.Perm(len(from))[:n]
	slices.Sort(places)
	out := make([]T, n)
	for i, p := range places {
		out[i] = from[p]
	}
	return out
}

// newScenario draws a day. It must be called in the bubble in which the day is
// played, as the tenant dates its objects by the clock.
func newScenario(seed uint64) *scenario {
	d := newDice(seed)
	s := &scenario{seed: seed, tenant: drawTenant(d, seed), damage: map[string]string{}}
	s.policy = drawPolicy(d, s.tenant)
	s.drawSwitches(d)
	s.drawService(d)
	s.drawRole(d)
	s.drawFaults(d)
	s.drawCommands(d)
	if s.settled = d.in(2); s.settled {
		for range d.between(1, 4) {
			name, change := drawChange(d, s.tenant)
			s.since = append(s.since, change)
			s.kinds = append(s.kinds, administrator+": "+name+" before the day")
		}
	}
	return s
}

// drawSwitches takes the first reading of most switches.
func (s *scenario) drawSwitches(d dice) {
	for _, name := range simulator.SwitchNames() {
		name, values, _ := strings.Cut(name, "=")
		all := strings.Split(values, "|")
		reading := name + "=" + all[0]
		if d.in(3) {
			reading = name + "=" + pick(d, all...)
		}
		if err := simulator.ParseSwitch(&s.switches, reading); err != nil {
			panic(err) // the simulator's own words
		}
		s.readings = append(s.readings, reading)
	}
}

// drawService draws how the service is when it is well.
func (s *scenario) drawService(d dice) {
	if !d.in(4) {
		s.pageSize = d.between(2, 25)
	}
	if d.in(4) {
		s.lag = time.Duration(d.between(1, 40)) * time.Second
	}
	if d.in(3) {
		s.latency = time.Duration(d.between(1, 900)) * time.Millisecond
	}
	if d.in(6) {
		s.throttle = &simulator.Throttle{
			PerSecond: float64(d.between(2, 30)), Burst: d.between(1, 40), Headers: d.in(2), RetryAfter: d.in(2),
		}
	}
	s.secret = d.in(3)
	if !d.in(3) {
		return
	}
	for m := range s.tenant.AllMailboxes() {
		if d.in(25) {
			s.damage[m.Guid] = pick(d, "AuditOwner", "AuditLogAgeLimit", "DefaultAuditSet", "AuditEnabled", "RecipientTypeDetails")
		}
	}
	for b := range s.tenant.AllBypass() {
		if !b.System && d.in(25) && s.damage[b.Guid] == "" {
			s.damage[b.Guid] = "AuditBypassEnabled"
		}
	}
	if d.in(6) {
		s.damage["organization"] = "AuditDisabled"
	}
}

// spoil leaves a property out of a row on its way, the same each time.
func (s *scenario) spoil(cmdlet string, row *simulator.Row) {
	key := "organization"
	if raw, ok := row.Get("Guid"); ok && cmdlet != "Get-OrganizationConfig" {
		key = strings.Trim(string(raw), `"`)
	} else if cmdlet != "Get-OrganizationConfig" {
		return
	}
	if property := s.damage[key]; property != "" {
		row.Delete(property)
	}
}

// restless tells whether the tenant may change other than by what is written.
func (s *scenario) restless() bool {
	return slices.ContainsFunc(s.faults, func(f simulator.Fault) bool {
		return slices.Contains([]simulator.Action{
			simulator.DoRun, simulator.DoCreateMailbox, simulator.DoRenameMailbox, simulator.DoDeleteMailbox,
		}, f.Do)
	})
}

// stale tells whether a read may see what was long ago.
func (s *scenario) stale() bool {
	return slices.ContainsFunc(s.faults, func(f simulator.Fault) bool { return f.Do == simulator.DoStaleRead })
}

// roles are those that a caller may have, the ordinary ones first, then what an
// operator may lack.
func roles() []simulator.Role {
	operator := simulator.AuditOperator()
	out := []simulator.Role{
		simulator.SecurityReader(), simulator.GlobalReader(), simulator.ExchangeAdministrator(), operator,
		simulator.ExchangeAdministrator().Without("Enable-OrganizationCustomization"),
	}
	for _, e := range operator.Entries {
		out = append(out, operator.Without(e.Cmdlet))
		if !strings.HasPrefix(e.Cmdlet, "Set-") {
			continue
		}
		for _, p := range e.Parameters {
			if p != "Identity" {
				out = append(out, operator.Lacking(e.Cmdlet, p))
			}
		}
	}
	return out
}

// drawRole gives a third of the days a role with limits, each in its turn.
func (s *scenario) drawRole(dice) {
	s.role = simulator.ExchangeAdministrator()
	if all := roles(); s.seed%3 == 0 {
		s.role = all[s.seed/3%uint64(len(all))]
	}
}

// sites are the places of a day at which a call can go wrong.
func sites() []simulator.Site {
	listing := []string{"Identity", "Filter", "GroupMailbox", "PublicFolder"}
	base := []simulator.Site{
		{Cmdlet: "Get-OrganizationConfig"},
		{Cmdlet: "Get-AdminAuditLogConfig"},
		{Cmdlet: "Get-Mailbox", Without: listing},
		{Cmdlet: "Get-Mailbox", Without: listing, Continued: true},
		{Cmdlet: "Get-Mailbox", With: []string{"Filter"}},
		{Cmdlet: "Get-Mailbox", With: []string{"GroupMailbox"}, Without: []string{"Identity"}},
		{Cmdlet: "Get-Mailbox", With: []string{"PublicFolder"}, Without: []string{"Identity"}},
		{Cmdlet: "Get-MailboxAuditBypassAssociation", Without: []string{"Identity"}},
		{Cmdlet: "Get-MailboxAuditBypassAssociation", Without: []string{"Identity"}, Continued: true},
	}
	for _, item := range []bool{false, true} {
		base = append(base,
			simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"Identity"}, Item: item},
			simulator.Site{Cmdlet: "Get-MailboxAuditBypassAssociation", With: []string{"Identity"}, Item: item},
			simulator.Site{Cmdlet: "Get-User", Item: item},
			simulator.Site{Cmdlet: "Set-Mailbox", Item: item},
			simulator.Site{Cmdlet: "Set-MailboxAuditBypassAssociation", Item: item},
		)
	}
	return append(base,
		simulator.Site{Cmdlet: "Set-OrganizationConfig"}, simulator.Site{Cmdlet: "Set-AdminAuditLogConfig"},
		simulator.Site{Cmdlet: "Enable-OrganizationCustomization"}, simulator.Site{Cmdlet: "$batch"}, simulator.Site{},
	)
}

// busySites are those that nearly every day comes by.
func busySites() []simulator.Site {
	return []simulator.Site{
		{Cmdlet: "Get-OrganizationConfig"},
		{Cmdlet: "Get-Mailbox", Without: []string{"Identity", "Filter", "GroupMailbox", "PublicFolder"}},
		{Cmdlet: "Get-Mailbox", With: []string{"Identity"}, Item: true},
		{Cmdlet: "Set-Mailbox", Item: true},
		{Cmdlet: "Get-Mailbox", With: []string{"Filter"}},
		{Cmdlet: "Get-Mailbox", Continued: true},
		{Cmdlet: "$batch"},
		{},
	}
}

// drawFaults draws up to six faults; the first is of each kind in its turn.
func (s *scenario) drawFaults(d dice) {
	kinds := simulator.FaultKinds()
	n := pick(d, 0, 1, 1, 2, 2, 3, 3, 4, 6)
	for i := range n {
		kind := pick(d, kinds...)
		if i == 0 {
			kind = kinds[s.seed%uint64(len(kinds))]
		}
		possible := slices.DeleteFunc(sites(), func(at simulator.Site) bool { return !kind.Strikes(at) })
		if len(possible) == 0 {
			continue
		}
		at := pick(d, possible...)
		if busy := slices.DeleteFunc(busySites(), func(at simulator.Site) bool { return !kind.Strikes(at) }); len(busy) > 0 && d.in(2) {
			at = pick(d, busy...)
		}
		f, how := kind.Passing(at), "passing"
		switch d.IntN(6) {
		case 0:
			f, how = kind.Lasting(at), "lasting"
		case 1, 2:
			f, how = kind.Lasting(at), "by chance"
			f.Probability, f.Seed = pick(d, 0.05, 0.2, 0.5), d.Uint64()
		case 3:
			f.Call = d.between(1, 4)
		}
		s.faults = append(s.faults, f)
		s.kinds = append(s.kinds, fmt.Sprintf("%s at %s, %s (call %d, times %d, probability %g)", kind.Name, siteName(at), how, f.Call, f.Times, f.Probability))
	}
	if d.in(3) {
		f, what := drawAdministrator(d, s.tenant)
		s.faults = append(s.faults, f)
		s.kinds = append(s.kinds, what)
	}
}

func siteName(at simulator.Site) string {
	name := at.Cmdlet
	if name == "" {
		name = "any call"
	}
	if at.Item {
		name += " in a batch"
	}
	if at.Continued {
		name += ", continued"
	}
	if len(at.With) > 0 {
		name += " with " + strings.Join(at.With, ", ")
	}
	return name
}

// drawAdministrator is somebody who changes the tenant while a command runs.
func drawAdministrator(d dice, t *simulator.Tenant) (simulator.Fault, string) {
	at := pick(d, "Get-Mailbox", "Get-MailboxAuditBypassAssociation", "Set-Mailbox", "Set-MailboxAuditBypassAssociation", "$batch", "")
	name, change := drawChange(d, t)
	call := d.between(1, 12)
	f := simulator.Meanwhile(at, call, change)
	f.Name = administrator
	return f, fmt.Sprintf("%s: %s before call %d of %q", administrator, name, call, at)
}

// administrator is the name of the faults that are other people's doing.
const administrator = "administrator"

// drawChange draws what an administrator does.
func drawChange(d dice, t *simulator.Tenant) (string, func(*simulator.Tenant)) {
	var guids []string
	for m := range t.AllMailboxes() {
		if m.Type != "GroupMailbox" && m.Type != "PublicFolderMailbox" {
			guids = append(guids, m.Guid)
		}
	}
	if d.in(2) { // what comes last is lost first
		guids = guids[len(guids)-min(len(guids), 4):]
	}
	guid := pick(d, guids...)
	number := d.IntN(1000)
	switch d.IntN(9) {
	case 0, 6:
		return "cuts a list of " + guid, func(t *simulator.Tenant) {
			t.Update(guid, func(m *simulator.Mailbox) {
				m.Delegate = []string{"SendAs"}
				m.Managed = slices.DeleteFunc(slices.Clone(m.Managed), func(l string) bool { return l == "Delegate" })
			})
		}
	case 1:
		return "bypasses " + guid, func(t *simulator.Tenant) { t.SetBypass(guid, true) }
	case 2, 7:
		return "shortens the age limit of " + guid, func(t *simulator.Tenant) {
			t.Update(guid, func(m *simulator.Mailbox) { m.AgeLimit = "7.00:00:00" })
		}
	case 3:
		return "turns auditing off", func(t *simulator.Tenant) {
			t.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled, o.UnifiedAuditLog = true, false })
		}
	case 4:
		return "makes " + guid + " a VIP", func(t *simulator.Tenant) {
			t.Update(guid, func(m *simulator.Mailbox) {
				m.CustomAttributes = maps.Clone(m.CustomAttributes)
				if m.CustomAttributes == nil {
					m.CustomAttributes = map[int]string{}
				}
				m.CustomAttributes[1] = "VIP"
			})
		}
	default:
		return "adds a mailbox", func(t *simulator.Tenant) {
			t.AddMailbox(simulator.Mailbox{
				Name: "meanwhile", PrimarySMTPAddress: fmt.Sprintf("meanwhile-%d@contoso.com", number),
				AgeLimit: "30.00:00:00", Owner: []string{"Update"},
			})
		}
	}
}
