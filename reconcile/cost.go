package reconcile

import (
	"cmp"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
)

// Cost says what a part of a policy costs in HTTP requests beyond the listings
// that every run makes, and why. It counts the calls that the answers took;
// repeated calls are counted in [Coverage] alone.
type Cost struct {
	// For is the selector as the policy has it.
	For      string `json:"for"`
	Requests int    `json:"requests"`
	// Why says in a few words what the requests are made for.
	Why string `json:"why"`
}

// costs gives the cost of the selectors, sorted.
func (o *observation) costs() []Cost {
	out := slices.Concat(o.groups.cost, o.delegateCost)
	slices.SortFunc(out, func(a, b Cost) int { return cmp.Or(cmp.Compare(a.For, b.For), cmp.Compare(a.Why, b.Why)) })
	return out
}

// pagesOf is the number of requests for a listing of n rows.
func pagesOf(n int) int { return max(1, (n+exchange.PageSize-1)/exchange.PageSize) }

// selectorLimits are what the selectors of a policy do not see, for the report.
func selectorLimits(p *policy.Policy) []string {
	if !p.NeedsDelegates() || !p.HasMailboxes() {
		return nil
	}
	return []string{"hasDelegates sees Send on Behalf, Send As and Full Access; who may open single folders only is not covered"}
}

// whyOpen says why it cannot be told whether a rule or an exemption applies.
func (d differ) whyOpen() string {
	if len(d.policy.Groups()) > 0 || d.policy.NeedsDelegates() {
		return "a property that it asks for was not in the answer, or a group or a permission could not be read"
	}
	return "a property that it asks for was not in the answer"
}
