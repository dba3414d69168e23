package reconcile

import (
	"slices"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// adminPart is one setting of the admin audit log.
type adminPart struct {
	setting audit.Setting
	// of gives the wish for this setting alone.
	of func(policy.AdminAudit) policy.AdminAudit
	// speaks tells whether an exemption accepts less of it, accepted what.
	speaks   func(policy.Accept) bool
	accepted func(policy.AdminAudit, policy.Accept) policy.AdminAudit
	// judge gives the change that would meet a wish, nil where it is met, and why
	// it cannot be judged.
	judge func(adminView, policy.AdminAudit) (*Change, string)
}

func adminParts() []adminPart {
	return []adminPart{adminEnabled(), adminCmdlets(), adminParameters(), adminExcluded(), adminAge()}
}

func adminEnabled() adminPart {
	return adminPart{
		setting:  audit.SettingAdminAuditLogEnabled,
		of:       func(a policy.AdminAudit) policy.AdminAudit { return policy.AdminAudit{Enabled: a.Enabled} },
		speaks:   func(a policy.Accept) bool { return a.Enabled != nil },
		accepted: func(policy.AdminAudit, policy.Accept) policy.AdminAudit { return policy.AdminAudit{} },
		judge: func(v adminView, a policy.AdminAudit) (*Change, string) {
			if a.Enabled == nil || v.enabled.missing != "" || v.enabled.value {
				return nil, missingIf(a.Enabled != nil, v.enabled.missing)
			}
			return &Change{
				Setting: audit.SettingAdminAuditLogEnabled, Before: false, After: true,
				Reason: "what administrators do is not recorded", Origin: policy.Origin{Pos: a.Enabled.Pos},
			}, ""
		},
	}
}

func adminCmdlets() adminPart {
	return adminPart{
		setting: audit.SettingAdminAuditLogCmdlets,
		of:      func(a policy.AdminAudit) policy.AdminAudit { return policy.AdminAudit{Cmdlets: a.Cmdlets} },
		speaks:  func(a policy.Accept) bool { return a.Cmdlets != nil },
		accepted: func(_ policy.AdminAudit, a policy.Accept) policy.AdminAudit {
			return policy.AdminAudit{Cmdlets: a.Cmdlets}
		},
		judge: func(v adminView, a policy.AdminAudit) (*Change, string) {
			if a.Cmdlets == nil || v.cmdlets.missing != "" {
				return nil, missingIf(a.Cmdlets != nil, v.cmdlets.missing)
			}
			lacking, missing := v.uncovered(v.cmdlets.value, a.Cmdlets.Value)
			if missing != "" {
				return nil, missing
			}
			return added(audit.SettingAdminAuditLogCmdlets, v.cmdlets.value, lacking,
				"not every cmdlet that the policy names is recorded", a.Cmdlets.Pos), ""
		},
	}
}

// uncovered gives the patterns of cmdlets that others do not cover, and why that
// cannot be told. Only where their letters leave it open are the cmdlets asked that
// they stand for.
func (v adminView) uncovered(by, patterns []string) (lacking []string, missing string) {
	lacking = uncovered(by, patterns)
	switch {
	case len(lacking) == 0:
		return nil, ""
	case v.exported.missing != "":
		return nil, v.exported.missing
	default:
		return uncoveredAmong(v.exported.value, by, patterns), ""
	}
}

func adminParameters() adminPart {
	return adminPart{
		setting: audit.SettingAdminAuditLogParameters,
		of:      func(a policy.AdminAudit) policy.AdminAudit { return policy.AdminAudit{Parameters: a.Parameters} },
		speaks:  func(a policy.Accept) bool { return a.Parameters != nil },
		accepted: func(_ policy.AdminAudit, a policy.Accept) policy.AdminAudit {
			return policy.AdminAudit{Parameters: a.Parameters}
		},
		judge: func(v adminView, a policy.AdminAudit) (*Change, string) {
			if a.Parameters == nil || v.parameters.missing != "" {
				return nil, missingIf(a.Parameters != nil, v.parameters.missing)
			}
			return added(audit.SettingAdminAuditLogParameters, v.parameters.value, uncovered(v.parameters.value, a.Parameters.Value),
				"not every parameter that the policy names is recorded", a.Parameters.Pos), ""
		},
	}
}

func adminExcluded() adminPart {
	return adminPart{
		setting: audit.SettingAdminAuditLogExcludedCmdlets,
		of: func(a policy.AdminAudit) policy.AdminAudit {
			return policy.AdminAudit{ExcludedCmdlets: a.ExcludedCmdlets}
		},
		speaks: func(a policy.Accept) bool { return a.ExcludedCmdlets != nil },
		accepted: func(w policy.AdminAudit, a policy.Accept) policy.AdminAudit {
			return policy.AdminAudit{ExcludedCmdlets: &policy.Located[[]string]{
				Value: slices.Concat(w.ExcludedCmdlets.Value, a.ExcludedCmdlets.Value), Pos: a.ExcludedCmdlets.Pos,
			}}
		},
		judge: func(v adminView, a policy.AdminAudit) (*Change, string) {
			if a.ExcludedCmdlets == nil || v.excluded.missing != "" {
				return nil, missingIf(a.ExcludedCmdlets != nil, v.excluded.missing)
			}
			extra, missing := v.uncovered(a.ExcludedCmdlets.Value, v.excluded.value)
			if missing != "" || len(extra) == 0 {
				return nil, missing
			}
			kept := slices.DeleteFunc(slices.Clone(v.excluded.value), func(p string) bool { return slices.Contains(extra, p) })
			return &Change{
				Setting: audit.SettingAdminAuditLogExcludedCmdlets, Before: v.excluded.value, After: kept, Remove: extra,
				Reason: "cmdlets are left out of the record that the policy wants in it", Origin: policy.Origin{Pos: a.ExcludedCmdlets.Pos},
			}, ""
		},
	}
}

func adminAge() adminPart {
	return adminPart{
		setting: audit.SettingAdminAuditLogAgeLimit,
		of:      func(a policy.AdminAudit) policy.AdminAudit { return policy.AdminAudit{AgeLimit: a.AgeLimit} },
		speaks:  func(a policy.Accept) bool { return a.AgeLimit != nil },
		accepted: func(w policy.AdminAudit, a policy.Accept) policy.AdminAudit {
			if a.AgeLimit.Value < w.AgeLimit.Value {
				w.AgeLimit = a.AgeLimit
			}
			return w
		},
		judge: func(v adminView, a policy.AdminAudit) (*Change, string) {
			if a.AgeLimit == nil || v.age.missing != "" || v.age.value >= a.AgeLimit.Value {
				return nil, missingIf(a.AgeLimit != nil, v.age.missing)
			}
			return &Change{
				Setting: audit.SettingAdminAuditLogAgeLimit,
				Before:  audit.FormatTimeSpan(v.age.value), After: audit.FormatTimeSpan(a.AgeLimit.Value),
				Reason: "the admin audit log is kept for less than the policy asks", Origin: policy.Origin{Pos: a.AgeLimit.Pos},
			}, ""
		},
	}
}

// missingIf keeps quiet about what nobody asks for.
func missingIf(asked bool, missing string) string {
	if asked {
		return missing
	}
	return ""
}

// added is the change that adds names to a list; nil where there are none.
func added(s audit.Setting, have, lacking []string, why string, at policy.Pos) *Change {
	if len(lacking) == 0 {
		return nil
	}
	after := slices.Concat(have, lacking)
	slices.Sort(after)
	return &Change{
		Setting: s, Before: have, After: slices.Compact(after), Add: lacking, Reason: why, Origin: policy.Origin{Pos: at},
	}
}
