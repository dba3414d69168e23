package reconcile

import (
	"errors"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// bypass never takes an account off the record again, whatever is allowed.
func (b *undoBuilder) bypass(of []deed) {
	s := of[0].subject
	var steps []step
	var unknown []UnknownObject
	for _, d := range of {
		now := b.view.bypass[s.ID]
		switch st := b.begin(d, now.value); {
		case b.view.gone[s.ID]:
			st.Before = d.after
			steps = append(steps, st.blocked("the account is gone"))
		case now.missing != "":
			unknown = append(unknown, UnknownObject{Setting: d.setting, Reason: now.missing})
		case now.value == d.before:
			st.asBefore = true
			steps = append(steps, st)
		default:
			st.Weakens = true
			steps = append(steps, st.blocked("this tool never sets a bypass: nothing that the account does would be recorded"))
		}
	}
	b.keep(s, steps, unknown)
}

// organization goes back to former switches of the tenant.
func (b *undoBuilder) organization(of []deed) {
	s := Subject{Kind: audit.KindOrganization, ID: string(audit.KindOrganization), Name: b.view.tenant.name}
	b.plan.orgName = s.Name
	var steps []step
	var unknown []UnknownObject
	for _, d := range of {
		now := b.view.tenant.auditDisabled
		if d.setting == audit.SettingUnifiedAuditLogIngestionEnabled {
			now = b.view.tenant.unifiedLog
		}
		if now.missing != "" {
			unknown = append(unknown, UnknownObject{Setting: d.setting, Reason: now.missing})
			continue
		}
		st := b.begin(d, now.value)
		if st.asBefore = now.value == d.before; !st.asBefore && now.value != d.after {
			st = st.since(now.value)
		}
		steps = append(steps, b.judgeSwitch(st))
	}
	b.keep(s, steps, unknown)
}

// adminAudit goes back to former settings of the admin audit log.
func (b *undoBuilder) adminAudit(of []deed) {
	s := Subject{Kind: audit.KindAdminAudit, ID: string(audit.KindAdminAudit)}
	var steps []step
	var unknown []UnknownObject
	for _, d := range of {
		now, missing := adminValue(b.view.tenant.admin, d.setting)
		if missing != "" {
			unknown = append(unknown, UnknownObject{Setting: d.setting, Reason: missing})
			continue
		}
		st := b.begin(d, now)
		list, isNames := now.([]string)
		if isNames {
			steps = append(steps, b.adminList(st, d, list))
			continue
		}
		switch {
		case now == d.before:
			st.asBefore = true
		case now != d.after:
			st = st.since(now)
		case d.setting == audit.SettingAdminAuditLogAgeLimit && !writableText(d.before):
			st = st.blocked("%v cannot be written: a limit must be above zero and of whole seconds", d.before)
		}
		steps = append(steps, b.judgeAdmin(st))
	}
	b.keep(s, steps, unknown)
}

// writableText tells whether a time span as a text can be sent.
func writableText(v any) bool {
	text, _ := v.(string)
	span, err := audit.ParseTimeSpan(text)
	return err == nil && writableSpan(span)
}

// adminValue is what a setting of the admin audit log shows.
func adminValue(v adminView, s audit.Setting) (now any, missing string) {
	switch s {
	case audit.SettingAdminAuditLogEnabled:
		return v.enabled.value, v.enabled.missing
	case audit.SettingAdminAuditLogCmdlets:
		return namesNow(v.cmdlets)
	case audit.SettingAdminAuditLogParameters:
		return namesNow(v.parameters)
	case audit.SettingAdminAuditLogExcludedCmdlets:
		return namesNow(v.excluded)
	default:
		return audit.FormatTimeSpan(v.age.value), v.age.missing
	}
}

func namesNow(f fact[[]string]) (any, string) { return append([]string{}, f.value...), f.missing }

// adminList takes back what was added to a list of names, and puts back what was
// removed.
func (b *undoBuilder) adminList(st step, d deed, now []string) step {
	before, _ := d.before.([]string)
	after, _ := d.after.([]string)
	st.Remove, st.Add = without(after, before), without(before, after)
	then := append(without(now, st.Remove), without(st.Add, now)...)
	slices.Sort(then)
	st.After = then
	switch {
	case len(without(st.Remove, now)) == len(st.Remove) && len(without(st.Add, now)) == 0:
		st.asBefore = true
	case len(without(st.Remove, now)) > 0 || len(without(st.Add, now)) < len(st.Add):
		st = st.since(now)
	case len(then) == 0 && d.setting != audit.SettingAdminAuditLogExcludedCmdlets:
		st = st.blocked("%s", emptyList)
	}
	return b.judgeAdmin(st)
}

// without are the names of one list that another does not have, in any case.
func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool {
		return slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, name) })
	})
}

// retention goes back to a former retention policy, or to none.
func (b *undoBuilder) retention(of []deed) {
	s := of[0].subject
	var steps []step
	var unknown []UnknownObject
	for _, d := range of {
		i := slices.IndexFunc(b.view.retention, func(p retained) bool { return strings.EqualFold(p.name, s.ID) })
		missing := b.view.retentionMissing
		if missing == "" && i >= 0 {
			missing = b.view.retention[i].missing
		}
		if missing != "" {
			unknown = append(unknown, UnknownObject{Setting: d.setting, Reason: missing})
			continue
		}
		var now any
		if i >= 0 {
			now = b.view.retention[i].values()
		}
		steps = append(steps, b.judgeRetention(b.retentionStep(d, now)))
	}
	b.keep(s, steps, unknown)
}

func (b *undoBuilder) retentionStep(d deed, now any) step {
	st := b.begin(d, now)
	st.Add, st.Remove = without(namesOf(d.before), namesOf(now)), without(namesOf(now), namesOf(d.before))
	switch edit := retentionEdit(namesOf(d.before)); {
	case samePolicy(now, d.before):
		st.asBefore = true
	case !samePolicy(now, d.after):
		return st.since(now)
	case d.before == nil:
	case !slices.Contains(exchange.RetentionDurations(), edit.Duration):
		return st.blocked("the service documents no duration %s", edit.Duration)
	case now != nil && onlyDuration(st) != nil:
		return st.blocked("%v", onlyDuration(st))
	case now == nil:
		if at := slices.IndexFunc(b.view.retention, func(p retained) bool { return p.priority == edit.Priority }); at >= 0 {
			return st.blocked("the priority %d was taken by %s since", edit.Priority, b.view.retention[at].name)
		}
	}
	return st
}

// onlyDuration refuses to set anything of a policy but its duration: a list that is
// empty is not sent, and would stay as it is.
func onlyDuration(st step) error {
	for _, pair := range slices.Concat(st.Add, st.Remove) {
		if !strings.HasPrefix(pair, "RetentionDuration=") {
			return errors.New("the policy was another in more than its duration")
		}
	}
	return nil
}

func namesOf(v any) []string {
	list, _ := v.([]string)
	return list
}

// samePolicy compares two policies as they stand in a change; nil is none.
func samePolicy(a, b any) bool {
	x, isX := a.([]string)
	y, isY := b.([]string)
	return isX == isY && sameValues(x, y)
}
