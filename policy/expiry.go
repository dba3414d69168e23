package policy

import (
	"fmt"
	"time"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// notice is how many days before its last day an entry begins to warn.
const notice = 14

// farthest is how many years ahead a last day is still taken for one: a later
// one is a permission without an end.
const farthest = 10

// Expired tells whether the last day of the permission is over, in UTC.
func (a Allow) Expired(now time.Time) bool {
	return !now.Before(a.Expires.AddDate(0, 0, 1))
}

// subject names the account for messages.
func (a Allow) subject() string {
	if a.Account != "" {
		return a.Account
	}
	return a.ID
}

// Expiries warns of allow entries that have expired, which then allow nothing,
// of those that end within 14 days, and of those that end in more than 10 years.
func (p *Policy) Expiries(now time.Time) Diagnostics {
	var found Diagnostics
	if p.Bypass == nil {
		return found
	}
	for _, a := range p.Bypass.Allow {
		last := a.Expires.Format(time.DateOnly)
		d := Diagnostic{Pos: a.expiresPos, Severity: strict.Warning}
		switch {
		case a.Expired(now):
			d.Code = CodeExpired
			d.Message = fmt.Sprintf("the permission of %s ended on %s and allows nothing any more", a.subject(), last)
			d.Hint = "remove the entry, or agree with " + a.Owner + " on a later date"
		case !now.Before(a.Expires.AddDate(0, 0, -notice)):
			d.Code = CodeExpiresSoon
			d.Message = fmt.Sprintf("the permission of %s ends on %s", a.subject(), last)
			d.Hint = "ask " + a.Owner + " whether it is still needed"
		case a.Expires.After(now.AddDate(farthest, 0, 0)):
			d.Code = CodeExpiresLate
			d.Message = fmt.Sprintf("the permission of %s ends on %s, in more than %d years", a.subject(), last, farthest)
			d.Hint = "agree with " + a.Owner + " on a day by which it is looked at again"
		default:
			continue
		}
		found = append(found, d)
	}
	return found.Sorted()
}
