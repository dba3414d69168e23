package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// ControlsOf gives the identifiers of the published controls that one switch of
// the section serves, sorted: those of the section and those of the switch alone.
func (o *Organization) ControlsOf(s audit.Setting) []string {
	switch s {
	case audit.SettingUnifiedAuditLogIngestionEnabled:
		return united(o.Controls, o.unifiedControls)
	case audit.SettingAuditDisabled:
		return united(o.Controls, o.auditingControls)
	default:
		return o.Controls
	}
}

// AdminAudit is what the admin audit log must record. Exchange Online shows these
// fields and documents all of them as read-only (semantics 4.1): what differs can
// be reported, and is written only where Attempt says so. A nil field is no
// opinion.
type AdminAudit struct {
	Pos Pos
	// Enabled wants AdminAuditLogEnabled true; it is never false.
	Enabled *Located[bool]
	// Cmdlets and Parameters are patterns in which * stands for any run of
	// characters, sorted without case and not empty. What they cover must be covered.
	Cmdlets, Parameters *Located[[]string]
	// ExcludedCmdlets are the only patterns that may be excluded; it may be empty.
	ExcludedCmdlets *Located[[]string]
	// AgeLimit is the least AdminAuditLogAgeLimit.
	AgeLimit *Located[time.Duration]
	// Attempt has the tool try to set what is documented as read-only.
	Attempt bool
	// Controls are identifiers of published controls that the section serves, sorted.
	Controls []string

	attempt *Located[bool]
}

// Retention is what the retention policies of the unified audit log must keep. At
// least one part is present.
type Retention struct {
	Pos Pos
	// Floor is the shortest duration that a custom policy on Exchange records may
	// have, nil for no opinion.
	Floor *Located[time.Duration]
	// Require holds what must be covered, in the order of the file.
	Require []RequiredRetention
	// Controls are identifiers of published controls that the section serves, sorted.
	Controls []string
}

// RequiredRetention wants the records of some types kept for a time.
type RequiredRetention struct {
	Pos Pos
	// RecordTypes is sorted and not empty.
	RecordTypes []string
	// AtLeast is at most ten years, the longest that the service has.
	AtLeast Located[time.Duration]
}

// Covers tells whether one of the patterns, in which * stands for any run of
// characters, matches the whole name of a cmdlet or parameter, without case
// (semantics 4.1).
func Covers(patterns []string, name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(patterns, func(p string) bool {
		return matchGlob(strings.ToLower(p), lower)
	})
}

// coversAll tells whether every name that a pattern of the second list matches is
// matched by one pattern of the first. A star in a pattern can only be met by a
// star, so the second pattern is compared like a name.
func coversAll(patterns, others []string) bool {
	return !slices.ContainsFunc(others, func(o string) bool { return !Covers(patterns, o) })
}

// united gives the members of two sorted lists, each once.
func united(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
