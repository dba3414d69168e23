package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// bypassRow is an account that the service does not audit, or one of which it
// did not say. Its name is text for people: names are not unique and are
// chosen in the tenant, so nothing is matched by it.
type bypassRow struct {
	id, objectID guid
	name         string
	// missing says why the row cannot be judged; empty for a bypassed one.
	missing string
}

// bypassList is the listing, folded: of the rows that are not bypassed only
// their number is kept.
type bypassList struct {
	read, clean, unknownSystem int
	rows                       []bypassRow
	// recorded are the accounts that are not bypassed, until the list is settled.
	recorded []guid
	readAt   time.Time
	// partial tells that only some accounts were read, by their ids; readAt is then
	// when all were listed last.
	partial bool
}

// add folds one row of the listing.
func (b *bypassList) add(row exchange.BypassAssociation) {
	b.read++
	enabled, known := row.AuditBypassEnabled.Get()
	id, named := parseGUID(row.Guid.Value)
	if known && !enabled {
		b.clean++
		if named {
			b.recorded = append(b.recorded, id)
		}
		return
	}
	r := bypassRow{name: row.Name.Value, id: id}
	r.objectID, _ = parseGUID(row.ExchangeObjectID.Value)
	switch {
	case !known && serviceOwned(r.name):
		b.unknownSystem++
		return
	case !known:
		r.missing = unread("AuditBypassEnabled", row.AuditBypassEnabled.State)
	case r.id == guid{}:
		r.missing = "the account is bypassed, and its row has no usable Guid"
	}
	b.rows = append(b.rows, r)
}

// serviceOwned tells the service's own objects, which fill most of the listing
// and may come without a value (wire 1.5, design section 7). The prefixes are
// matched in the service's spelling only: a look-alike is not one of them.
func serviceOwned(name string) bool {
	return strings.HasPrefix(name, "SystemMailbox{") ||
		strings.HasPrefix(name, "TenantSetting_") ||
		strings.HasPrefix(name, "Asc-")
}

// settle orders the rows and makes one of those that name one account, which a
// listing that moves while it is read can do. Rows that do not agree leave the
// account unknown, as nothing says which of them is true.
func (b *bypassList) settle() {
	slices.SortFunc(b.rows, func(x, y bypassRow) int {
		return cmp.Or(compareGUID(x.id, y.id), strings.Compare(x.name, y.name), strings.Compare(x.missing, y.missing))
	})
	slices.SortFunc(b.recorded, compareGUID)
	again := len(b.recorded)
	b.recorded = slices.Compact(b.recorded)
	again -= len(b.recorded)
	b.clean -= again
	kept := b.rows[:0]
	for _, r := range b.rows {
		n := len(kept)
		if r.id != (guid{}) && n > 0 && kept[n-1].id == r.id {
			again++
			if kept[n-1].missing != r.missing || kept[n-1].objectID != r.objectID {
				kept[n-1].missing = listedTwice
			}
			continue
		}
		if _, recorded := slices.BinarySearchFunc(b.recorded, r.id, compareGUID); recorded {
			again++
			b.clean--
			r.missing = listedTwice
		}
		kept = append(kept, r)
	}
	b.read -= again
	b.rows, b.recorded = kept, nil
}

// allowance is an allow entry with the object that it stands for.
type allowance struct {
	entry policy.Allow
	// ids are the Guid and the ExchangeObjectId of the account, as far as they
	// are known.
	ids []guid
	// failed says that the account could not be looked up, which is not the
	// same as not being there: no bypass may be judged without it.
	failed string
}

// bypass judges the rows. Everything that no entry allows is drift.
func (d differ) bypass(list *bypassList, allowed []allowance, now time.Time) finding {
	var f finding
	unresolved := ""
	for _, a := range allowed {
		if a.failed != "" && unresolved == "" {
			unresolved = fmt.Sprintf("whether this account is the one allowed at %s cannot be told: %s", a.entry.Pos, a.failed)
		}
	}
	for _, row := range list.rows {
		subject := Subject{Kind: audit.KindBypass, Name: row.name}
		if row.id != (guid{}) {
			subject.ID = row.id.String()
		}
		entry, found := entryFor(row, allowed, now)
		switch {
		case row.missing != "":
			f.unknown = append(f.unknown, UnknownObject{Subject: subject, Setting: audit.SettingAuditBypassEnabled, Reason: row.missing})
		case found && !entry.Expired(now):
			f.changes = append(f.changes, d.allowedBypass(entry).of(subject))
		case !found && unresolved != "":
			f.unknown = append(f.unknown, UnknownObject{Subject: subject, Setting: audit.SettingAuditBypassEnabled, Reason: unresolved})
		default:
			f.changes = append(f.changes, d.removedBypass(entry, found).of(subject))
		}
	}
	sortAll(f.changes)
	return f
}

// entryFor finds the entry that names a row, by object id only. One that is
// still in force goes before one that has expired.
func entryFor(row bypassRow, allowed []allowance, now time.Time) (policy.Allow, bool) {
	var ended policy.Allow
	found := false
	for _, a := range allowed {
		if !slices.Contains(a.ids, row.id) && (row.objectID == guid{} || !slices.Contains(a.ids, row.objectID)) {
			continue
		}
		if !a.entry.Expired(now) {
			return a.entry, true
		}
		ended, found = a.entry, true
	}
	return ended, found
}

func (d differ) allowedBypass(entry policy.Allow) Change {
	c := Change{
		Setting: audit.SettingAuditBypassEnabled, Before: true, After: true, Fate: FateExempt,
		Severity: d.policy.Severity(audit.SettingAuditBypassEnabled), Origin: policy.Origin{Pos: entry.Pos, Controls: d.policy.Bypass.Controls},
		Reason: fmt.Sprintf("allowed until %s for %s: %s", entry.Expires.Format(time.DateOnly), entry.Owner, entry.Reason),
	}
	c.normalise()
	return c
}

func (d differ) removedBypass(entry policy.Allow, expired bool) Change {
	c := Change{
		Setting: audit.SettingAuditBypassEnabled, Before: true, After: false, Fate: FatePlanned,
		Severity: d.policy.Severity(audit.SettingAuditBypassEnabled), Origin: policy.Origin{Pos: d.policy.Bypass.Pos, Controls: d.policy.Bypass.Controls},
		Reason: "nothing that this account does is recorded, in any mailbox, and no entry allows it",
	}
	if expired {
		c.Origin.Pos = entry.Pos
		c.Reason = fmt.Sprintf("nothing that this account does is recorded; its permission ended on %s", entry.Expires.Format(time.DateOnly))
	}
	c.normalise()
	return c
}
