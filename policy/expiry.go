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

// isOver tells whether a last day is over, in UTC.
func isOver(last, now time.Time) bool { return !now.Before(last.AddDate(0, 0, 1)) }

// Expired tells whether the last day of the permission is over, in UTC.
func (a Allow) Expired(now time.Time) bool { return isOver(a.Expires, now) }

// subject names the account for messages.
func (a Allow) subject() string {
	if a.Account != "" {
		return a.Account
	}
	return a.ID
}

// Expiries warns of allow entries and exemptions that have expired, which then
// allow nothing, of those that end within 14 days, and of those that end in more
// than 10 years.
func (p *Policy) Expiries(now time.Time) Diagnostics {
	var found Diagnostics
	if p.Bypass != nil {
		for _, a := range p.Bypass.Allow {
			found = term{"the permission of " + a.subject(), "allows", a.Owner, a.Expires, a.expiresPos}.warn(found, now)
		}
	}
	for _, e := range p.Exemptions {
		found = term{"the exemption " + e.Name, "exempts", e.Owner, e.Expires, e.expiresPos}.warn(found, now)
	}
	return found.Sorted()
}

// term is a permission that ends.
type term struct {
	what, does string // for messages
	owner      string
	expires    time.Time
	pos        Pos
}

// warn adds what is to be said of a term on a day.
func (t term) warn(found Diagnostics, now time.Time) Diagnostics {
	last := t.expires.Format(time.DateOnly)
	d := Diagnostic{Pos: t.pos, Severity: strict.Warning}
	switch {
	case isOver(t.expires, now):
		d.Code = CodeExpired
		d.Message = fmt.Sprintf("%s ended on %s and %s nothing any more", t.what, last, t.does)
		d.Hint = "remove the entry, or agree with " + t.owner + " on a later date"
	case !now.Before(t.expires.AddDate(0, 0, -notice)):
		d.Code = CodeExpiresSoon
		d.Message = fmt.Sprintf("%s ends on %s", t.what, last)
		d.Hint = "ask " + t.owner + " whether it is still needed"
	case t.expires.After(now.AddDate(farthest, 0, 0)):
		d.Code = CodeExpiresLate
		d.Message = fmt.Sprintf("%s ends on %s, in more than %d years", t.what, last, farthest)
		d.Hint = "agree with " + t.owner + " on a day by which it is looked at again"
	default:
		return found
	}
	return append(found, d)
}
