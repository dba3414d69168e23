package simulator

// Parameters by type of the cmdlets of retention policies, as the live module declares
// them (wire 7).

// getRetentionParameters lists what Get-UnifiedAuditLogRetentionPolicy takes.
func getRetentionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"RecordType RetentionDuration",
		"string": "" +
			"Operation UserId",
	}
}

// newRetentionParameters lists what New-UnifiedAuditLogRetentionPolicy takes.
func newRetentionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Operations RecordTypes RetentionDuration UserIds",
		"int": "" +
			"Priority",
		"string": "" +
			"Description Name",
	}
}

// removeRetentionParameters lists what Remove-UnifiedAuditLogRetentionPolicy takes.
func removeRetentionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"DomainController Identity",
		"switch": "" +
			"ForceDeletion",
	}
}

// setRetentionParameters lists what Set-UnifiedAuditLogRetentionPolicy takes.
func setRetentionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity Operations RecordTypes RetentionDuration UserIds",
		"int": "" +
			"Priority",
		"string": "" +
			"Description",
	}
}
