package oracle

import (
	"fmt"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// AdminAuditWish is what the admin audit log is to record. No wish of it can be
// fulfilled in Exchange Online, where it is read-only (semantics 4.1); a tenant has it
// or has not.
type AdminAuditWish struct {
	Enabled bool
	// Cmdlets and Parameters are patterns that the tenant's are to hold as they stand,
	// or all of them.
	Cmdlets, Parameters []string
	// Excluded are the only exclusions that may be; nil for no opinion.
	Excluded []string
	AgeLimit time.Duration // 0 for no opinion.
}

func judgeAdminAudit(a simulator.AdminAudit, w AdminAuditWish) []Finding {
	var findings []Finding
	miss := func(setting, why string) {
		findings = append(findings, Finding{Kind: "adminAudit", Guid: "adminaudit", Setting: setting, Why: why})
	}
	if w.Enabled && !a.Enabled {
		miss("adminAuditLogEnabled", "the admin audit log is off")
	}
	for _, list := range []struct {
		setting string
		have    []string
		want    []string
	}{{"adminAuditLogCmdlets", a.Cmdlets, w.Cmdlets}, {"adminAuditLogParameters", a.Parameters, w.Parameters}} {
		have := newSet(list.have)
		if missing := newSet(list.want).minus(have); len(missing) > 0 && !have.has("*") {
			miss(list.setting, "it lacks "+strings.Join(missing, ", "))
		}
	}
	if w.Excluded != nil {
		if extra := newSet(a.ExcludedCmdlets).minus(newSet(w.Excluded)); len(extra) > 0 {
			miss("adminAuditLogExcludedCmdlets", "it leaves out "+strings.Join(extra, ", "))
		}
	}
	if w.AgeLimit == 0 {
		return findings
	}
	age, err := timeSpan(a.AgeLimit)
	switch {
	case err != nil:
		miss("adminAuditLogAgeLimit", err.Error())
	case age < w.AgeLimit:
		miss("adminAuditLogAgeLimit", fmt.Sprintf("%s is less than %s", a.AgeLimit, w.AgeLimit))
	}
	return findings
}
