package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// RetentionWish asks how long the unified audit log keeps records.
type RetentionWish struct {
	// Floor is the least duration of any policy that may take hold of a record of
	// Exchange; 0 for no opinion.
	Floor   time.Duration
	Require []RequiredRetention
}

// RequiredRetention asks that every record of some types, by whomever and of
// whatever operation, is kept so long.
type RequiredRetention struct {
	RecordTypes []string
	AtLeast     time.Duration
}

// standard is what is kept where no policy takes hold: 180 days (semantics 5.3).
const standard = 180 * 24 * time.Hour

// anything stands for a user or an operation that no policy names.
const anything = "\x00anything"

// judgeRetention tries every kind of record that the policies can tell apart.
func judgeRetention(t *simulator.Tenant, w RetentionWish) []Finding {
	policies := t.RetentionPolicies()
	findings := clashes(policies)
	for _, p := range policies {
		span, known := spanOf(p.Duration)
		switch {
		case w.Floor == 0 || !onExchange(p):
		case !known:
			findings = append(findings, retentionFinding(p.Name, fmt.Sprintf("it keeps records for %q, which is not known", p.Duration)))
		case span < w.Floor:
			findings = append(findings, retentionFinding(p.Name, fmt.Sprintf("it keeps records of Exchange for %s, which is below %s", p.Duration, w.Floor)))
		}
	}
	for _, r := range w.Require {
		for _, kind := range r.RecordTypes {
			if why := shortest(policies, kind, r.AtLeast); why != "" {
				findings = append(findings, retentionFinding("", why))
			}
		}
	}
	return findings
}

func retentionFinding(name, why string) Finding {
	return Finding{Kind: "retention", Guid: strings.ToLower(name), Setting: "retentionPolicy", Why: why}
}

// clashes finds priorities that two policies share: nobody can say which wins.
func clashes(policies []simulator.RetentionPolicy) []Finding {
	var findings []Finding
	first := map[int]string{}
	for _, p := range policies {
		if other, taken := first[p.Priority]; taken {
			findings = append(findings, retentionFinding(p.Name, fmt.Sprintf("it has the priority %d of %s", p.Priority, other)))
			continue
		}
		first[p.Priority] = p.Name
	}
	return findings
}

// shortest says of which record of a type less is kept than is asked for, and why;
// empty where there is none.
func shortest(policies []simulator.RetentionPolicy, kind string, least time.Duration) string {
	users, operations := map[string]bool{anything: true}, map[string]bool{anything: true}
	for _, p := range policies {
		for _, user := range p.UserIDs {
			users[strings.ToLower(user)] = true
		}
		for _, operation := range p.Operations {
			operations[strings.ToLower(operation)] = true
		}
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		for _, operation := range slices.Sorted(maps.Keys(operations)) {
			kept, by := standard, "no policy"
			if p := winner(policies, kind, user, operation); p != nil {
				kept, _ = spanOf(p.Duration) // A name that is not known keeps nothing for sure.
				by = fmt.Sprintf("%s (priority %d, %s)", p.Name, p.Priority, p.Duration)
			}
			if kept < least {
				return strings.ReplaceAll(fmt.Sprintf("records %s of user %s, operation %s, are kept by %s, which is less than %s", kind, user, operation, by, least), anything, "any other")
			}
		}
	}
	return ""
}

// winner is the policy that takes hold of a record: of those that fit the one with
// the lowest number, nil where none fits.
func winner(policies []simulator.RetentionPolicy, kind, user, operation string) *simulator.RetentionPolicy {
	var won *simulator.RetentionPolicy
	for i := range policies {
		p := &policies[i]
		if !open(p.RecordTypes, kind) || !open(p.UserIDs, user) || !open(p.Operations, operation) {
			continue
		}
		if won == nil || p.Priority < won.Priority {
			won = p
		}
	}
	return won
}

// open says whether a list lets a name in: an empty one lets in all.
func open(list []string, name string) bool {
	return len(list) == 0 || newSet(list).has(name)
}

// onExchange says whether a policy may take hold of a record of Exchange.
func onExchange(p simulator.RetentionPolicy) bool {
	return len(p.RecordTypes) == 0 || slices.ContainsFunc(p.RecordTypes, func(kind string) bool {
		return strings.HasPrefix(strings.ToLower(kind), "exchange")
	})
}

// spanOf reads the names that the documentation and public tools know (semantics 5.3).
func spanOf(name string) (time.Duration, bool) {
	days, known := map[string]int{
		"sevendays": 7, "onemonth": 30, "threemonths": 90, "sixmonths": 180, "ninemonths": 270, "twelvemonths": 365,
		"threeyears": 1095, "fiveyears": 1825, "sevenyears": 2555, "tenyears": 3650,
	}[strings.ToLower(name)]
	return time.Duration(days) * 24 * time.Hour, known
}
