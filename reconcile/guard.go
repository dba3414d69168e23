package reconcile

import (
	"fmt"
	"math"
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
// Only mailboxes that this run would write count. Until runs are remembered,
// the last complete sweep is this run.
func (b *builder) guards() {
	p, policy := b.plan, b.req.Policy
	p.raised = b.req.Raised
	if !policy.HasMailboxes() {
		p.Guards = []Guard{}
		return
	}
	changed := p.selectedMailboxes()
	population := Guard{Name: guardPopulation, Limit: minPopulationPercent, Actual: 100}
	// A listing that broke off says nothing of the population; that it did is
	// said by the coverage.
	if b.obs.pop.ordinary == 0 && b.readWhole(audit.KindMailbox) {
		population.Actual = 0
		population.Refused = !b.req.AcceptPopulation && p.Coverage.Scope == ScopeFull
	}
	percent := Guard{Name: guardMaxChangedPercent, Limit: policy.Guards.MaxChangedPercent, Actual: share(changed, p.Coverage.Mailboxes.Read)}
	percent.Limit = raised(b.req.Raised, percent)
	percent.Refused = p.Coverage.Scope == ScopeFull && changed >= minForPercent && percent.Actual > percent.Limit
	percent.Actual = round(percent.Actual)
	p.Guards = []Guard{population, percent}
	if policy.Guards.MaxChanged != nil {
		count := Guard{Name: guardMaxChanged, Limit: float64(*policy.Guards.MaxChanged), Actual: float64(changed)}
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
