package exchange

import "time"

// Filter is an OPATH expression of Get-Mailbox, which the server evaluates over
// what it stores; empty means all. Truth values are written 'True' and 'False', as
// no PowerShell runs there to expand others (wire 1.2). The constructors make what
// this project asks; each of them, and what [Filter.And] and [Filter.Or] make of
// them, is one expression.
type Filter string

// StoredAuditNotEnabled selects mailboxes whose stored AuditEnabled is not true;
// unset counts as not true. Only the server sees that value (semantics 2.2).
func StoredAuditNotEnabled() Filter { return "AuditEnabled -ne 'True'" }

// ChangedSince selects mailboxes that were changed at t or later, to the second
// before. A time that no date can express is moved to the nearest one that can.
func ChangedSince(t time.Time) Filter { return since("WhenChangedUTC", t) }

// CreatedSince selects mailboxes that were made at t or later, to the second
// before. The time zone in which the service reads the date is not documented, so
// t must leave room for any. A time that no date can express is moved to the
// nearest one that can.
func CreatedSince(t time.Time) Filter { return since("WhenMailboxCreated", t) }

// And selects what both select; an empty one selects all.
func (f Filter) And(g Filter) Filter {
	switch {
	case f == "":
		return g
	case g == "":
		return f
	default:
		return "(" + f + ") -and (" + g + ")"
	}
}

// Or selects what either selects; an empty one selects all.
func (f Filter) Or(g Filter) Filter {
	if f == "" || g == "" {
		return ""
	}
	return "(" + f + ") -or (" + g + ")"
}

// since compares a date, in the American form that the service documents: month
// first, twelve hours, UTC.
func since(property string, t time.Time) Filter {
	t = t.UTC()
	// The service's dates have years of one to four digits.
	if first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); t.Before(first) {
		t = first
	}
	if last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC); t.After(last) {
		t = last
	}
	return Filter(property + " -ge '" + t.Format("1/2/2006 3:04:05 PM") + "'")
}
