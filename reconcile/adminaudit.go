package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// readOnlyThere is why a setting of the admin audit log cannot be changed, with
// the source (semantics 4.1).
const readOnlyThere = "Exchange Online shows this and has no way to set it: Microsoft's page of Set-AdminAuditLogConfig " +
	"names the parameter for on-premises Exchange only; adminAudit.attempt: true tries all the same"

// adminView is what was read of the admin audit log's own settings.
type adminView struct {
	enabled                       fact[bool]
	cmdlets, parameters, excluded fact[[]string]
	age                           fact[time.Duration]
	// exported are the cmdlets that the tenant exports, by which patterns are
	// compared whose letters do not settle it.
	exported fact[[]string]
}

// adminViewOf canonicalises the row of Get-AdminAuditLogConfig.
func adminViewOf(a exchange.AdminAuditLog) adminView {
	names := func(property string, f exchange.Field[[]string]) fact[[]string] {
		list := slices.Clone(f.Value)
		slices.Sort(list)
		return fact[[]string]{value: slices.Compact(list), missing: unread(property, f.State)}
	}
	v := adminView{
		enabled:    boolFact("AdminAuditLogEnabled", a.AdminAuditLogEnabled),
		cmdlets:    names("AdminAuditLogCmdlets", a.AdminAuditLogCmdlets),
		parameters: names("AdminAuditLogParameters", a.AdminAuditLogParameters),
		excluded:   names("AdminAuditLogExcludedCmdlets", a.AdminAuditLogExcludedCmdlets),
	}
	v.age.missing = unread("AdminAuditLogAgeLimit", a.AdminAuditLogAgeLimit.State)
	if v.age.missing == "" {
		var err error
		if v.age.value, err = audit.ParseTimeSpan(a.AdminAuditLogAgeLimit.Value); err != nil {
			v.age.missing = "AdminAuditLogAgeLimit is not a time span"
		}
	}
	return v
}

// unreadAdmin is the view after a read that failed.
func unreadAdmin(why string) adminView {
	list := fact[[]string]{missing: why}
	return adminView{
		enabled: fact[bool]{missing: why}, cmdlets: list, parameters: list, excluded: list,
		age: fact[time.Duration]{missing: why}, exported: list,
	}
}

// needsExports tells whether the letters of the patterns leave open which
// cmdlets they cover: then those that the tenant exports are asked for.
func (v adminView) needsExports(a *policy.AdminAudit) bool {
	lacking := a.Cmdlets != nil && v.cmdlets.missing == "" && len(uncovered(v.cmdlets.value, a.Cmdlets.Value)) > 0
	extra := a.ExcludedCmdlets != nil && v.excluded.missing == "" && len(uncovered(a.ExcludedCmdlets.Value, v.excluded.value)) > 0
	return lacking || extra
}

// uncovered are those of some patterns that none of others covers, judged by
// their letters: a star is only covered by a star.
func uncovered(patterns, others []string) []string {
	return slices.DeleteFunc(slices.Clone(others), func(o string) bool { return policy.Covers(patterns, o) })
}

// uncoveredAmong looks again at patterns with a star that no single pattern
// covers, by the cmdlets that there are: several patterns together may cover all
// that one of them stands for. A pattern that stands for none of them is left,
// since the list holds what the caller's roles include (wire 1.7), not all.
func uncoveredAmong(exported, patterns, others []string) []string {
	return slices.DeleteFunc(uncovered(patterns, others), func(o string) bool {
		found, all := false, true
		for _, name := range exported {
			if policy.Covers([]string{o}, name) {
				found, all = true, all && policy.Covers(patterns, name)
			}
		}
		return strings.Contains(o, "*") && found && all
	})
}

// adminAudit judges the settings of the admin audit log. They are one object.
func (d differ) adminAudit(v adminView) finding {
	f := finding{state: NotApplicable}
	if d.policy.AdminAudit == nil {
		return f
	}
	f.state = InSync
	for _, part := range adminParts() {
		d.adminPart(&f, v, part)
	}
	subject := Subject{Kind: audit.KindAdminAudit, ID: string(audit.KindAdminAudit)}
	for i := range f.changes {
		c := &f.changes[i]
		c.Severity = d.policy.Severity(c.Setting)
		c.Controls = d.policy.AdminAudit.Controls
		c.normalise()
		*c = c.of(subject)
		f.stands(c.Fate)
	}
	for i := range f.unknown {
		f.unknown[i].Subject = subject
		f.state = Unknown
	}
	if f.state == Unknown {
		block(f.changes, "another setting of the admin audit log is unknown")
	}
	sortChanges(f.changes)
	return f
}

// adminPart judges one setting, and lowers the wish to what an exemption accepts
// where it is not met, as for mailboxes: of several exemptions it is enough to
// satisfy one, and where none is satisfied the first is what must be reached.
func (d differ) adminPart(f *finding, v adminView, part adminPart) {
	wish := part.of(*d.policy.AdminAudit)
	c, why := part.judge(v, wish)
	if why != "" {
		f.unknown = append(f.unknown, UnknownObject{Setting: part.setting, Reason: why})
		return
	}
	if c == nil {
		return
	}
	var floor *Change
	var ended strings.Builder
	for _, e := range d.policy.Exemptions {
		switch {
		case e.Subject != audit.KindAdminAudit || !part.speaks(e.Accept):
			continue
		case e.Expired(d.now):
			fmt.Fprintf(&ended, "; exemption %s ended on %s", e.Name, e.Expires.Format(time.DateOnly))
			continue
		}
		lowered, _ := part.judge(v, part.accepted(wish, e.Accept))
		if lowered == nil {
			c.excuse(e)
			f.changes = append(f.changes, *c)
			return
		}
		if floor == nil {
			floor = lowered
		}
	}
	if floor != nil {
		c = floor
	}
	c.Reason += ended.String()
	c.Fate = FateUnsupported
	if d.policy.AdminAudit.Attempt {
		c.Fate = FatePlanned
		c.Reason += "; Exchange Online documents it as read-only, and adminAudit.attempt has it tried"
	} else {
		c.Reason += "; " + readOnlyThere
	}
	f.changes = append(f.changes, *c)
}
