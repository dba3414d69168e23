package reconcile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// The run-wide guards, in the order in which a plan lists them.
const (
	guardPopulation        = "population"
	guardMaxChangedPercent = "maxChangedPercent"
	guardMaxChanged        = "maxChanged"
)

// minForPercent is from how many changed mailboxes on a share is looked at: a
// third of nine is three, and no alarm.
const minForPercent = 10

// minPopulationPercent is how much of the last complete sweep must be there. A
// role with a read scope shows fewer mailboxes, and looks green.
const minPopulationPercent = 90

// RaisedGuard is a limit that a person raised for one run, with the reason
// that goes on record.
type RaisedGuard struct {
	Name   string
	Limit  float64
	Reason string
}

// ParseRaisedGuard reads NAME=LIMIT for one of the two guards that can be
// raised.
func ParseRaisedGuard(text, reason string) (RaisedGuard, error) {
	name, value, found := strings.Cut(text, "=")
	if !found || name != guardMaxChanged && name != guardMaxChangedPercent {
		return RaisedGuard{}, fmt.Errorf("%q is not NAME=LIMIT with the name %s or %s", text, guardMaxChangedPercent, guardMaxChanged)
	}
	limit, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(limit) || math.IsInf(limit, 0) || limit < 0 ||
		name == guardMaxChangedPercent && limit > 100 || name == guardMaxChanged && limit != math.Trunc(limit) {
		return RaisedGuard{}, fmt.Errorf("%q is not a limit for %s", value, name)
	}
	if strings.TrimSpace(reason) == "" {
		return RaisedGuard{}, fmt.Errorf("raising %s needs a reason, which goes on record", name)
	}
	return RaisedGuard{Name: name, Limit: limit, Reason: reason}, nil
}

// guards checks the limits over the whole plan, before anything is written.
// Only mailboxes that this run would write count, and with them those that an
// incremental run carries. Comparisons are of unrounded figures.
func (b *builder) guards() {
	p, policy := b.plan, b.req.Policy
	p.raised = b.req.Raised
	if !policy.HasMailboxes() {
		p.Guards = []Guard{}
		return
	}
	changed := b.changedMailboxes()
	p.Guards = []Guard{b.populationGuard(), b.percentGuard(changed)}
	if policy.Guards.MaxChanged != nil {
		count := Guard{Name: guardMaxChanged, Limit: float64(*policy.Guards.MaxChanged), Actual: float64(changed.all)}
		count.Limit = raised(b.req.Raised, count)
		count.Refused = count.Actual > count.Limit
		p.Guards = append(p.Guards, count)
	}
	for _, g := range p.Guards {
		if g.Refused {
			p.refusal = g.Name
			return
		}
	}
}

// populationGuard compares the number of mailboxes with that of the last complete
// sweep; without one it refuses an empty listing only. A listing that broke off
// says nothing of the population; that it did is said by the coverage.
func (b *builder) populationGuard() Guard {
	g := Guard{Name: guardPopulation, Limit: minPopulationPercent, Actual: 100}
	if b.scope() != ScopeFull || !b.readWhole(audit.KindMailbox) {
		return g
	}
	now, before := b.obs.pop.ordinary, b.req.Memory.population()
	switch {
	case now == 0:
		g.Actual = 0
	case before > 0:
		g.Actual = share(now, before)
	}
	g.Refused = g.Actual < g.Limit && !b.req.AcceptPopulation
	g.Actual = round(g.Actual)
	return g
}

// percentGuard compares the changed mailboxes with all: of the last complete
// sweep, which is this run where it looks at the whole tenant.
func (b *builder) percentGuard(changed changedMailboxes) Guard {
	g := Guard{Name: guardMaxChangedPercent, Limit: b.req.Policy.Guards.MaxChangedPercent}
	g.Limit = raised(b.req.Raised, g)
	part, whole := changed.all, b.plan.Coverage.Mailboxes.Read
	if b.scope() == ScopeIncremental {
		part, whole = changed.known, b.req.Memory.sweptMailboxes()
	}
	g.Actual = share(part, whole)
	g.Refused = b.scope() != ScopeMailbox && part >= minForPercent && g.Actual > g.Limit
	g.Actual = round(g.Actual)
	return g
}

// sweptMailboxes is how many mailboxes the last complete sweep read.
func (m *Memory) sweptMailboxes() int {
	if m == nil || m.sweep == nil {
		return 0
	}
	return m.sweep.read
}

// changedMailboxes counts the mailboxes that a run would change: all, and those
// that the last complete sweep knew.
type changedMailboxes struct{ all, known int }

// changedMailboxes counts what the guards look at. Mailboxes created since the last
// sweep are new to the share; without a sweep none is.
func (b *builder) changedMailboxes() changedMailboxes {
	if b.scope() != ScopeIncremental {
		n := b.plan.selectedMailboxes()
		return changedMailboxes{n, n}
	}
	var n changedMailboxes
	selection := b.plan.selection
	if !selection.kind(audit.KindMailbox) {
		return n
	}
	read := 0
	for _, r := range b.plan.pop.records {
		f := b.plan.cases[r.kase]
		if _, repeated := b.plan.pop.repeated[r.id]; repeated || !slices.ContainsFunc(f.changes, func(c Change) bool { return c.Fate == FatePlanned }) {
			continue
		}
		if !f.carried {
			if read++; selection.Limit > 0 && read > selection.Limit {
				continue
			}
		}
		n.all++
		if b.req.Memory.knew(r.id) {
			n.known++
		}
	}
	return n
}

// knew tells whether the last complete sweep saw a mailbox; without one every
// mailbox counts as known.
func (m *Memory) knew(id guid) bool {
	if m == nil || m.sweep == nil {
		return true
	}
	_, found := slices.BinarySearchFunc(m.sweep.known, id, compareGUID)
	return found
}

// raised is the limit in force: raising never lowers.
func raised(list []RaisedGuard, g Guard) float64 {
	for _, r := range list {
		if r.Name == g.Name {
			return max(g.Limit, r.Limit)
		}
	}
	return g.Limit
}

// raisedWarnings puts on record that a person raised a limit.
func raisedWarnings(list []RaisedGuard) []string {
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("guard %s was raised to %s for this run: %s",
			r.Name, strconv.FormatFloat(r.Limit, 'f', -1, 64), r.Reason))
	}
	return out
}

// share is a percentage; of nothing, anything is everything.
func share(part, whole int) float64 {
	switch {
	case part == 0:
		return 0
	case whole == 0:
		return 100
	default:
		return 100 * float64(part) / float64(whole)
	}
}

// round is for showing a percentage; comparisons use the unrounded figure.
func round(x float64) float64 { return math.Round(x*100) / 100 }
