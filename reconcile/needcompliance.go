package reconcile

import "github.com/exoaudit/exoaudit/policy"

// ComplianceNeeds derives the cmdlets that a policy takes at the Security &
// Compliance endpoint, as [Needs] does those of Exchange Online: another service,
// with roles of its own. It is empty for a policy that does not speak of retention;
// a nil policy gives everything.
func ComplianceNeeds(p *policy.Policy) []Need {
	if p != nil && p.Retention == nil {
		return nil
	}
	return []Need{
		{Cmdlet: cmdletGetRetention, For: "retention policies, and reading them back"},
		{
			Cmdlet: cmdletNewRetention, Parameters: []string{"Name", "Priority", "RecordTypes", "RetentionDuration"},
			Write: true, For: "a retention policy that is missing",
		},
		{
			Cmdlet: cmdletSetRetention, Parameters: []string{"Identity", "Operations", "Priority", "RecordTypes", "RetentionDuration", "UserIds"},
			Write: true, For: "a retention policy that is too short",
		},
	}
}
