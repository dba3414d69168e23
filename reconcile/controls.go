package reconcile

import (
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// controls gives each change the published controls of every rule that asks for
// it, not only of the one that the change names as its origin: an auditor looks
// for the id of the one catalogue that he knows.
func (d differ) controls(changes []Change, c judged, rules []int) {
	if len(changes) == 0 {
		return
	}
	of := map[audit.Setting][]string{}
	for _, i := range rules {
		r := d.policy.Mailboxes[i]
		if len(r.Controls) == 0 {
			continue
		}
		wishes, _ := d.policy.Resolve(c.profile.kind.value, []int{i})
		for _, unmet := range d.judge(c, wishes).changes {
			of[unmet.Setting] = mergedControls(of[unmet.Setting], r.Controls)
		}
	}
	for i := range changes {
		changes[i].Controls = mergedControls(changes[i].Controls, of[changes[i].Setting])
	}
}

// mergedControls gives the ids of both lists, sorted and each once, in a list of
// its own.
func mergedControls(a, b []string) []string {
	out := append(append([]string{}, a...), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
