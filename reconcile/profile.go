package reconcile

import (
	"fmt"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// fact is one value as it was read: known, or not known for a reason.
type fact[T any] struct {
	value T
	// missing says why the value is not known; empty means that it is.
	missing string
}

// tri is a boolean attribute that may never have been set.
type tri uint8

const (
	triUnset tri = iota
	triFalse
	triTrue
)

// logons is a set of logon types, as bits by audit.LogonType.
type logons uint8

func (l logons) has(t audit.LogonType) bool       { return l&(1<<t) != 0 }
func (l logons) with(t audit.LogonType) logons    { return l | 1<<t }
func (l logons) without(t audit.LogonType) logons { return l &^ (1 << t) }

// names lists the set as DefaultAuditSet spells it, sorted.
func (l logons) names() []string {
	out := []string{}
	for _, t := range audit.LogonTypes() {
		if l.has(t) {
			out = append(out, t.String())
		}
	}
	return out
}

// profile is one distinct combination of the audit values that a mailbox can
// show. Tenants have few: everything that the diff needs of a mailbox hangs on
// its profile and on the rules that match it.
type profile struct {
	listing  exchange.Listing
	kind     fact[audit.MailboxType]
	enabled  fact[tri]
	age      fact[time.Duration]
	lists    [3]fact[audit.ActionSet]
	managed  fact[logons]
	licensed fact[bool]
}

// key is equal for equal profiles only; it is what profiles are interned by.
func (p profile) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q %q %d %q %d %q %d %q %t %q", p.listing,
		p.kind.value, p.kind.missing, p.enabled.value, p.enabled.missing,
		p.age.value, p.age.missing, p.managed.value, p.managed.missing,
		p.licensed.value, p.licensed.missing)
	for _, l := range p.lists {
		fmt.Fprintf(&b, " %q %q", l.missing, l.value.Slice())
	}
	return b.String()
}

// auditPlatform is the capability that marks a mailbox with the advanced
// auditing plan (semantics 1.4). Microsoft's default sets were once different
// with and without it, so defaults are learned apart.
const auditPlatform = "M365Auditing"

// profileOf canonicalises what one row says about auditing. It is the only
// place where the service's values become ours. Needs says which properties
// were asked for: what was not asked for is not missing, and not used.
func profileOf(m exchange.Mailbox, listing exchange.Listing, n needs) profile {
	p := profile{listing: listing, kind: mailboxType(m.RecipientTypeDetails)}
	if n.enabled {
		p.enabled = triState(m.AuditEnabled)
	}
	if n.age {
		p.age = ageLimit(m.AuditLogAgeLimit)
	}
	if n.lists {
		p.lists[audit.Admin] = actions("AuditAdmin", m.AuditAdmin)
		p.lists[audit.Delegate] = actions("AuditDelegate", m.AuditDelegate)
		p.lists[audit.Owner] = actions("AuditOwner", m.AuditOwner)
		p.managed = managedTypes(m.DefaultAuditSet)
		p.licensed = capability(m.PersistedCapabilities)
	}
	return p
}

// unread says in words why a property has no usable value; it is empty where
// it has one.
func unread(name string, s exchange.State) string {
	switch s {
	case exchange.Set:
		return ""
	case exchange.Absent:
		return name + " is missing from the answer"
	case exchange.Null:
		return name + " is null"
	case exchange.Duplicate:
		return name + " is there twice"
	case exchange.Mistyped:
		return name + " has a type that this version does not understand"
	}
	return name + " is in a state that this version does not know"
}

func mailboxType(f exchange.Field[string]) fact[audit.MailboxType] {
	if why := unread("RecipientTypeDetails", f.State); why != "" {
		return fact[audit.MailboxType]{missing: why}
	}
	// A type that this version does not know is kept by name: no rule can
	// speak of it, and the report counts it.
	if t, ok := audit.ParseMailboxType(f.Value); ok {
		return fact[audit.MailboxType]{value: t}
	}
	return fact[audit.MailboxType]{value: audit.MailboxType(f.Value)}
}

// triState reads AuditEnabled. Null is taken for "never set", which is not
// true: the service shows settings that were never configured as null (wire
// 1.5), and whether it does so for this one is not known.
func triState(f exchange.Field[bool]) fact[tri] {
	if f.State == exchange.Null {
		return fact[tri]{value: triUnset}
	}
	if why := unread("AuditEnabled", f.State); why != "" {
		return fact[tri]{missing: why}
	}
	if f.Value {
		return fact[tri]{value: triTrue}
	}
	return fact[tri]{value: triFalse}
}

func ageLimit(f exchange.Field[string]) fact[time.Duration] {
	if why := unread("AuditLogAgeLimit", f.State); why != "" {
		return fact[time.Duration]{missing: why}
	}
	d, err := audit.ParseTimeSpan(f.Value)
	if err != nil {
		return fact[time.Duration]{missing: "AuditLogAgeLimit is not a time span"}
	}
	return fact[time.Duration]{value: d}
}

func actions(name string, f exchange.Field[[]string]) fact[audit.ActionSet] {
	if why := unread(name, f.State); why != "" {
		return fact[audit.ActionSet]{missing: why}
	}
	return fact[audit.ActionSet]{value: audit.SetOf(f.Value)}
}

func managedTypes(f exchange.Field[[]string]) fact[logons] {
	if why := unread("DefaultAuditSet", f.State); why != "" {
		return fact[logons]{missing: why}
	}
	var set logons
	for _, name := range f.Value {
		t, ok := audit.ParseLogonType(name)
		if !ok {
			return fact[logons]{missing: "DefaultAuditSet names a logon type that this version does not know"}
		}
		set = set.with(t)
	}
	return fact[logons]{value: set}
}

func capability(f exchange.Field[[]string]) fact[bool] {
	if why := unread("PersistedCapabilities", f.State); why != "" {
		return fact[bool]{missing: why}
	}
	for _, c := range f.Value {
		if strings.EqualFold(c, auditPlatform) {
			return fact[bool]{value: true}
		}
	}
	return fact[bool]{}
}
