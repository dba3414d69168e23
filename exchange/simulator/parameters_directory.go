package simulator

// Parameters by type of the cmdlets of groups and permissions, as the live module
// declares them (wire 1.2).

// getRecipientParameters lists what Get-Recipient takes.
func getRecipientParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"AuthenticationType Capabilities Identity OrganizationalUnit PropertySet ResultSize",
		"System.Object[]": "" +
			"RecipientType RecipientTypeDetails",
		"bool": "" +
			"IncludeBookmarkObject",
		"string": "" +
			"Anr BookmarkDisplayName Filter RecipientPreviewFilter SortBy",
		"string[]": "" +
			"Properties",
		"switch": "" +
			"IncludeManagerWithDisplayName IncludeSoftDeletedRecipients",
	}
}

// getGroupMemberParameters lists what Get-DistributionGroupMember and Get-DynamicDistributionGroupMember take.
func getGroupMemberParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity ResultSize",
		"pscredential": "" +
			"Credential",
		"switch": "" +
			"IncludeSoftDeletedObjects",
	}
}

// getGroupLinksParameters lists what Get-UnifiedGroupLinks takes.
func getGroupLinksParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity LinkType ResultSize",
	}
}

// getRecipientPermissionParameters lists what Get-RecipientPermission takes.
func getRecipientPermissionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"AccessRights Identity ResultSize Trustee",
		"switch": "" +
			"IncludeTrusteeWithPrimarySmtpAddress ReadFromDomainController",
	}
}

// getMailboxPermissionParameters lists what Get-MailboxPermission takes.
func getMailboxPermissionParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity ResultSize User",
		"pscredential": "" +
			"Credential",
		"switch": "" +
			"GroupMailbox IncludeSoftDeletedUserPermissions IncludeUnresolvedPermissions IncludeUserWithDisplayName " +
			"Owner ReadFromDomainController SoftDeletedMailbox UseCustomRouting",
	}
}
