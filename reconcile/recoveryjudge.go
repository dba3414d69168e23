package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// foundAs judges an intent by what the tenant shows: what it was to become, what it
// was before, or neither. A write that was under way may still show, or be carried out
// later; that is for the next comparison to see.
func foundAs(i journal.Intent, seen sighting) (Result, string) {
	if seen.missing != "" {
		return ResultUnconfirmed, "interrupted; what the tenant shows cannot be told: " + seen.missing
	}
	before, after := recorded(i.Setting, i.Before), recorded(i.Setting, i.After)
	switch {
	case sameShown(seen.value, after):
		return ResultVerified, "interrupted; the tenant shows it"
	case sameShown(seen.value, before):
		return ResultFailed, "interrupted; the tenant shows the value from before"
	case showsMore(i.Setting, before, after, seen.value):
		return ResultVerified, "interrupted; the tenant shows it, and more"
	}
	return ResultUnconfirmed, "interrupted; the tenant shows neither the value from before nor the one written, but " + spelt(seen.value)
}

// recorded is a value of the journal as it is shown: what was decoded from JSON has
// lost its type. A list that is empty was perhaps recorded as null; only a retention
// policy can be absent as a whole.
func recorded(s audit.Setting, v any) any {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			text, _ := e.(string)
			out = append(out, text)
		}
		return out
	case nil:
		if s != audit.SettingRetentionPolicy {
			return []string{}
		}
	}
	return v
}

// sameShown compares two values; names are the same in any case and order, and so
// are time spans however they are written.
func sameShown(a, b any) bool {
	switch a := a.(type) {
	case []string:
		b, ok := b.([]string)
		return ok && len(a) == len(b) && holdsAll(a, b) && holdsAll(b, a)
	case string:
		b, ok := b.(string)
		x, errX := audit.ParseTimeSpan(a)
		y, errY := audit.ParseTimeSpan(b)
		return ok && (a == b || errX == nil && errY == nil && x == y)
	default:
		return a == b
	}
}

func holdsAll(list, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, name) })
	})
}

// showsMore tells whether a value that was to grow has grown beyond what was
// written. That is no less than what was asked for; of a value that was to shrink,
// and of a retention policy, which is written whole, it would not be.
func showsMore(s audit.Setting, before, after, shown any) bool {
	switch want := after.(type) {
	case []string:
		had, _ := before.([]string)
		have, ok := shown.([]string)
		grows := holdsAll(want, had) || s == audit.SettingDefaultAuditSet
		return ok && s != audit.SettingRetentionPolicy && grows && holdsAll(have, want)
	case string:
		had, _ := before.(string)
		have, _ := shown.(string)
		from, errFrom := audit.ParseTimeSpan(had)
		to, errTo := audit.ParseTimeSpan(want)
		now, errNow := audit.ParseTimeSpan(have)
		return errFrom == nil && errTo == nil && errNow == nil && to > from && now >= to
	default:
		return false
	}
}

// spelt writes a value for a note.
func spelt(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// mailboxSighting is what a mailbox shows of one setting.
func mailboxSighting(s audit.Setting, ref exchange.MailboxRef, res exchange.Result[exchange.Mailbox], n needs) sighting {
	if res.Err != nil {
		return sighting{err: res.Err}
	}
	if id, ok := parseGUID(res.Value.Guid.Value); !ok || !strings.EqualFold(id.String(), ref.Guid) {
		return sighting{missing: "the service answered with another mailbox"}
	}
	p := profileOf(res.Value, ref.Listing, n)
	switch s {
	case audit.SettingAuditEnabled:
		shown := p.enabled.value == triTrue
		return sighting{value: shown, missing: p.enabled.missing, hidden: shown && p.enabled.missing == "" && hidesStored(p)}
	case audit.SettingAuditLogAgeLimit:
		return sighting{value: audit.FormatTimeSpan(p.age.value), missing: p.age.missing}
	case audit.SettingDefaultAuditSet:
		return sighting{value: p.managed.value.names(), missing: p.managed.missing}
	case audit.SettingAuditAdmin, audit.SettingAuditDelegate, audit.SettingAuditOwner:
		list := p.lists[logonType(s)]
		return sighting{value: list.value.Slice(), missing: list.missing}
	default:
		return unknownSetting(s)
	}
}

func unknownSetting(s audit.Setting) sighting {
	return sighting{missing: fmt.Sprintf("this version knows no setting %q", s)}
}

// adminSighting is what the admin audit log shows of one setting.
func adminSighting(s audit.Setting, v adminView) sighting {
	names := func(f fact[[]string]) sighting { return sighting{value: f.value, missing: f.missing} }
	switch s {
	case audit.SettingAdminAuditLogEnabled:
		return sighting{value: v.enabled.value, missing: v.enabled.missing}
	case audit.SettingAdminAuditLogCmdlets:
		return names(v.cmdlets)
	case audit.SettingAdminAuditLogParameters:
		return names(v.parameters)
	case audit.SettingAdminAuditLogExcludedCmdlets:
		return names(v.excluded)
	case audit.SettingAdminAuditLogAgeLimit:
		return sighting{value: audit.FormatTimeSpan(v.age.value), missing: v.age.missing}
	default:
		return unknownSetting(s)
	}
}

// retentionSighting is the policy of a name; nil where there is none.
func retentionSighting(name string, list []retained) sighting {
	i := slices.IndexFunc(list, func(p retained) bool { return strings.EqualFold(p.name, name) })
	if i < 0 {
		return sighting{}
	}
	return sighting{value: list[i].values(), missing: list[i].missing}
}
