package reconcile

import (
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// wishPart is one of the wishes for a mailbox: a logon type's list, or with
// logon nil one of the two scalars.
type wishPart struct {
	logon *audit.LogonType
	age   bool
}

func wishParts() []wishPart {
	var out []wishPart
	for _, l := range audit.LogonTypes() {
		out = append(out, wishPart{logon: &l})
	}
	return append(out, wishPart{}, wishPart{age: true})
}

// of gives this wish alone.
func (p wishPart) of(w policy.Wishes) policy.Wishes { return p.replace(policy.Wishes{}, w) }

// replace takes this wish from other wishes.
func (p wishPart) replace(w, from policy.Wishes) policy.Wishes {
	switch {
	case p.logon != nil:
		w.Record[*p.logon] = from.Record[*p.logon]
	case p.age:
		w.AgeLimit = from.AgeLimit
	default:
		w.AuditEnabled = from.AuditEnabled
	}
	return w
}

// accepted gives what an exemption accepts in place of this wish, and whether it
// speaks of it at all; a scalar that is no less than the wish does not. No wish
// means that anything is accepted.
func (p wishPart) accepted(w policy.Wishes, e policy.Exemption) (policy.Wishes, bool) {
	var out policy.Wishes
	a := e.Accept
	switch {
	case p.logon != nil:
		record := a.Record[*p.logon]
		if record == nil {
			return out, false
		}
		out.Record[*p.logon] = acceptedRecord(*record)
	case p.age:
		if a.AgeLimit == nil || a.AgeLimit.Value >= w.AgeLimit.Value {
			return out, false
		}
		out.AgeLimit = &policy.Wish[time.Duration]{Value: a.AgeLimit.Value, Origin: policy.Origin{Pos: a.AgeLimit.Pos}}
	default:
		if a.AuditEnabled == nil || !a.AuditEnabled.Value.None && a.AuditEnabled.Value.Mode >= w.AuditEnabled.Value {
			return out, false
		}
		if mode := a.AuditEnabled.Value; !mode.None {
			out.AuditEnabled = &policy.Wish[policy.EnabledMode]{Value: mode.Mode, Origin: policy.Origin{Pos: a.AuditEnabled.Pos}}
		}
	}
	return out, true
}

// acceptedRecord is the least list, as a wish; nil where any list will do.
func acceptedRecord(a policy.AcceptedRecord) *policy.RecordWish {
	w := policy.RecordWish{Plus: a.Floor, Origin: policy.Origin{Pos: a.Pos}}
	if form := a.Form; form != nil {
		w.Defaults, w.Managed, w.Plus = form.Defaults != nil, form.Managed != nil, form.Plus.Set()
		if form.Exact != nil {
			w.Exact = new(form.Exact.Set())
		}
	} else if w.Plus.Len() == 0 {
		return nil
	}
	return &w
}

// floorAt is where an exemption says what it accepts for this wish.
func (p wishPart) floorAt(a policy.Accept) policy.Pos {
	switch {
	case p.logon != nil:
		return a.Record[*p.logon].Pos
	case p.age:
		return a.AgeLimit.Pos
	default:
		return a.AuditEnabled.Pos
	}
}

// speaksOf tells whether an exemption accepts less of a setting of a mailbox.
func speaksOf(a policy.Accept, s audit.Setting) bool {
	switch s {
	case audit.SettingAuditEnabled:
		return a.AuditEnabled != nil
	case audit.SettingAuditLogAgeLimit:
		return a.AgeLimit != nil
	case audit.SettingDefaultAuditSet:
		return a.Record != [3]*policy.AcceptedRecord{}
	default:
		return a.Record[logonType(s)] != nil
	}
}
