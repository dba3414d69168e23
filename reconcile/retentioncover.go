package reconcile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
)

const (
	retentionDay = 24 * time.Hour
	// standardRetention is what is kept where no policy takes hold: 180 days, or a
	// year for records of Exchange by users with an E5 licence (semantics 5.3). What
	// a licence gives is not read, so it is not counted on, and not taken either.
	standardRetention = 180 * retentionDay
	licensedRetention = 365 * retentionDay
	// maxPriority is the last one; the lower number wins (wire 7).
	maxPriority = 10000
	nobody      = math.MaxInt
)

// recordClass is a kind of record that the policies of a tenant can tell apart: of
// one type, by some user, of some operation. It holds the indexes of those that
// fit, as they win.
type recordClass []int

// classesOf gives every class of records of a type: one for each combination of
// policies that a user and an operation can fall under. Names that no policy lists
// are one user and one operation.
func classesOf(policies []retained, recordType string) []recordClass {
	var fit []int
	for i, p := range policies {
		if p.takes(recordType) {
			fit = append(fit, i)
		}
	}
	users := signatures(policies, fit, func(p retained) []string { return p.users })
	operations := signatures(policies, fit, func(p retained) []string { return p.operations })
	seen := map[string]bool{}
	var out []recordClass
	for _, u := range users {
		for _, o := range operations {
			both := slices.DeleteFunc(slices.Clone(u), func(i int) bool { return !slices.Contains(o, i) })
			if key := fmt.Sprint(both); !seen[key] {
				seen[key] = true
				out = append(out, both)
			}
		}
	}
	return out
}

// signatures gives the distinct sets of policies that a name can fall under: those
// of each name that a policy lists, and first those of any other.
func signatures(policies []retained, fit []int, list func(retained) []string) []recordClass {
	var open recordClass
	byName := map[string]recordClass{}
	for _, i := range fit {
		if len(list(policies[i])) == 0 {
			open = append(open, i)
		}
		for _, name := range list(policies[i]) {
			byName[strings.ToLower(name)] = nil
		}
	}
	for _, i := range fit {
		if names := list(policies[i]); len(names) > 0 {
			for _, name := range names {
				byName[strings.ToLower(name)] = append(byName[strings.ToLower(name)], i)
			}
		}
	}
	out := []recordClass{open}
	seen := map[string]bool{fmt.Sprint(open): true}
	for _, named := range byName {
		all := append(slices.Clone(named), open...)
		slices.Sort(all) // Policies are ordered as they win.
		all = slices.Compact(all)
		if key := fmt.Sprint(all); !seen[key] {
			seen[key] = true
			out = append(out, all)
		}
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// winners are the policies that may take hold of a class: one, several where they
// share a priority, none where what is standard applies.
func (c recordClass) winners(policies []retained) []int {
	n := 0
	for n < len(c) && policies[c[n]].priority == policies[c[0]].priority {
		n++
	}
	return c[:n]
}

// priority is that of the policy that wins; that of nobody is over all.
func (c recordClass) priority(policies []retained) int {
	if len(c) == 0 {
		return nobody
	}
	return policies[c[0]].priority
}

// kept is how long records of a class are kept for sure.
func (c recordClass) kept(policies []retained) time.Duration {
	if len(c) == 0 {
		return standardRetention
	}
	least := time.Duration(math.MaxInt64)
	for _, i := range c.winners(policies) {
		least = min(least, policies[i].span)
	}
	return least
}

// mostKept is how long they may be kept, as far as a new policy must not cut it.
func (c recordClass) mostKept(policies []retained, need time.Duration) time.Duration {
	if len(c) == 0 && need <= standardRetention {
		return licensedRetention
	}
	if len(c) == 0 {
		return standardRetention
	}
	var most time.Duration
	for _, i := range c.winners(policies) {
		most = max(most, policies[i].span)
	}
	return most
}

// roundedUp is the shortest duration that the service can be told to keep records
// for at least so long. It is not sure where that would be ten years for want of a
// smaller one: then nobody has asked for what it costs.
func roundedUp(least time.Duration) (d exchange.RetentionDuration, sure bool) {
	for _, d := range exchange.RetentionDurations() {
		if span, _ := d.Span(); span >= least {
			return d, d != exchange.TenYears || span == least
		}
	}
	return exchange.TenYears, false
}

// inDays writes a time for people.
func inDays(d time.Duration) string {
	if d%retentionDay == 0 {
		return counted(int(d/retentionDay), "day")
	}
	return d.String()
}
