package simulator

import "strings"

// mailboxConstants are the properties of a mailbox that carry nothing for this project
// and have one realistic value here: names and types of the service's own metadata.
func mailboxConstants() []property[mailboxView] {
	var all []property[mailboxView]
	add := func(kind wireKind, raw, names string) {
		for name := range strings.FieldsSeq(names) {
			all = append(all, constant[mailboxView](name, kind, raw))
		}
	}
	addMailboxTexts(add)
	addMailboxFlagsAndLists(add)
	return all
}

func addMailboxTexts(add func(kind wireKind, raw, names string)) {
	add(wireBare, `"EURPR01DG001-db001"`, "Database")
	add(wireBare, `"eur"`, "MailboxRegion")
	add(wireBare, `"Unlimited"`, "LitigationHoldDuration")
	add(wireBare, `"Default MRM Policy"`, "RetentionPolicy")
	add(wireBare, `"None"`, "ExchangeUserAccountControl")
	add(wireBare, `"External"`, "ExternalOofOptions")
	add(wireBare, `"14.00:00:00"`, "RetainDeletedItemsFor")
	add(wireBare, `"99 GB (106,300,440,576 bytes)"`, "ProhibitSendQuota")
	add(wireBare, `"100 GB (107,374,182,400 bytes)"`, "ProhibitSendReceiveQuota")
	add(wireBare, `"30 GB (32,212,254,720 bytes)"`, "RecoverableItemsQuota")
	add(wireBare, `"20 GB (21,474,836,480 bytes)"`, "RecoverableItemsWarningQuota")
	add(wireBare, `"6 GB (6,442,450,944 bytes)"`, "CalendarLoggingQuota")
	add(wireBare, `"500"`, "RecipientLimits")
	add(wireBare, `"98 GB (105,226,698,752 bytes)"`, "IssueWarningQuota")
	add(wireBare, `"256 KB (262,144 bytes)"`, "RulesQuota")
	add(wireBare, `"Default Role Assignment Policy"`, "RoleAssignmentPolicy")
	add(wireBare, `"Default Sharing Policy"`, "SharingPolicy")
	add(wireBare, `"100 GB (107,374,182,400 bytes)"`, "ArchiveQuota")
	add(wireBare, `"90 GB (96,636,764,160 bytes)"`, "ArchiveWarningQuota")
	add(wireBare, `"None"`, "ArchiveStatus")
	add(wireBare, `"None"`, "ArchiveState")
	add(wireBare, `"None"`, "MailboxMoveFlags")
	add(wireBare, `"None"`, "MailboxMoveStatus")
	add(wireBare, `"35 MB (36,700,160 bytes)"`, "MaxSendSize")
	add(wireBare, `"36 MB (37,748,736 bytes)"`, "MaxReceiveSize")
	add(wireBare, `"Always"`, "SendModerationNotifications")
	add(wireBare, `"0.20 (15.0.0.0)"`, "ExchangeVersion")
	add(wireBare, `""`, ""+
		"ArchiveDatabase DisabledArchiveDatabase WhenSoftDeleted StsRefreshTokensValidFrom")
	add(wireBare, "null", ""+
		"MailboxProvisioningConstraint MailboxRegionLastUpdateTime EndDateForRetentionHold StartDateForRetentionHold "+
		"RetentionComment RetentionUrl LitigationHoldDate LitigationHoldOwner InactiveMailboxRetireTime "+
		"OrphanSoftDeleteTrackingTime PitrPausedTimestamp PitrOffboardedTimestamp PitrState M365BackupState "+
		"ManagedFolderMailboxPolicy AddressBookPolicy UnifiedMailbox ExchangeSecurityDescriptor ForwardingAddress "+
		"ForwardingSmtpAddress OfflineAddressBook DowngradeHighPriorityMessagesEnabled SiloName LinkedMasterAccount "+
		"ResetPasswordOnNextLogon ServerLegacyDN UseDatabaseQuotaDefaults NetID ReconciliationId ThrottlingPolicy "+
		"DefaultPublicFolderMailbox EffectivePublicFolderMailbox RemoteAccountPolicy MailboxPlan "+
		"JournalArchiveAddress ArchiveDomain RemoteRecipientType QueryBaseDN MailboxMoveTargetMDB "+
		"MailboxMoveSourceMDB MailboxMoveRemoteHostName MailboxMoveBatchName MailboxRelease ArchiveRelease "+
		"IsPersonToPersonTextMessagingEnabled IsMachineToPersonTextMessagingEnabled ImmutableId SourceAnchor "+
		"DataEncryptionPolicy ArbitrationMailbox LastExchangeChangedTime SimpleDisplayName MailTip EnforcedTimestamps")
}

func addMailboxFlagsAndLists(add func(kind wireKind, raw, names string)) {
	add(wireBare, "true", ""+
		"MessageCopyForSMTPClientSubmissionEnabled UseDatabaseRetentionDefaults SingleItemRecoveryEnabled "+
		"MessageTrackingReadStatusEnabled IsMailboxEnabled EmailAddressPolicyEnabled IsExchangeCloudManaged")
	add(wireBare, "false", ""+
		"IsMonitoringMailbox MessageRecallProcessingEnabled MessageCopyForSentAsEnabled "+
		"MessageCopyForSendOnBehalfEnabled RetainDeletedItemsUntilBackup DeliverToMailboxAndForward "+
		"IsExcludedFromServingHierarchy IsHierarchyReady IsHierarchySyncEnabled IsPublicFolderSystemMailbox "+
		"HasSnackyAppData LitigationHoldEnabled RetentionHoldEnabled ElcProcessingDisabled ComplianceTagHoldApplied "+
		"WasInactiveMailbox DelayHoldApplied PitrEnabled PitrPaused CalendarRepairDisabled ImListMigrationCompleted "+
		"IsLinked IsRootPublicFolderMailbox RoomMailboxAccountEnabled SCLDeleteEnabled SCLRejectEnabled "+
		"SCLQuarantineEnabled SCLJunkEnabled AntispamBypassEnabled AutoExpandingArchiveEnabled AutoArchivingEnabled "+
		"DisabledMailboxLocations QueryBaseDNRestrictionEnabled CalendarVersionStoreDisabled IsSoftDeletedByRemove "+
		"IsSoftDeletedByDisable IsInactiveMailbox IncludeInGarbageCollection HasPicture HasSpokenName IsDirSynced "+
		"ModerationEnabled RequireSenderAuthenticationEnabled")
	add(wireList, "[]", ""+
		"MailboxProvisioningPreferences MailboxLocations AggregatedMailboxGuids Languages ProtocolSettings "+
		"ResourceCustom ArchiveName UserSMimeCertificate UserCertificate InPlaceHolds GeneratedOfflineAddressBooks "+
		"NonCompliantDevices AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers "+
		"AcceptMessagesOnlyFromSendersOrMembers AddressListMembership AdministrativeUnits "+
		"BypassModerationFromSendersOrMembers ExtensionCustomAttribute1 ExtensionCustomAttribute2 "+
		"ExtensionCustomAttribute3 ExtensionCustomAttribute4 ExtensionCustomAttribute5 "+
		"ModeratedBy PoliciesIncluded PoliciesExcluded RejectMessagesFrom RejectMessagesFromDLMembers "+
		"RejectMessagesFromSendersOrMembers UMDtmfMap MailTipTranslations")
	add(wireInt32, "0", ""+
		"ResourceCapacity SCLDeleteThreshold SCLRejectThreshold SCLQuarantineThreshold SCLJunkThreshold "+
		"MaxSafeSenders MaxBlockedSenders")
	add(wireInt16, "0", ""+
		"PitrCopyIntervalInSeconds")
	add(wireGuid, `"00000000-0000-0000-0000-000000000000"`, ""+
		"DatabaseGuid MailboxContainerGuid ArchiveDatabaseGuid ArchiveGuid DisabledArchiveGuid")
}
