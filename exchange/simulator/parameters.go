package simulator

// Parameters by type, as the live module declares them for an administrator (wire 1.2).
// Those that carry no behaviour here are a 501 when they are used, not a 400.

// getMailboxParameters lists what Get-Mailbox takes.
func getMailboxParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity MailboxPlan OrganizationalUnit ResultSize",
		"System.Object[]": "" +
			"RecipientTypeDetails",
		"string": "" +
			"Anr Filter SortBy",
		"switch": "" +
			"Archive GroupMailbox InactiveMailboxOnly IncludeAcceptMessagesOnlyFromDLMembersWithDisplayNames " +
			"IncludeAcceptMessagesOnlyFromSendersOrMembersWithDisplayNames IncludeAcceptMessagesOnlyFromWithDisplayNames " +
			"IncludeEmailAddressDisplayNames IncludeForwardingAddressWithDisplayNames " +
			"IncludeGrantSendOnBehalfToWithDisplayNames IncludeInactiveMailbox Migration PublicFolder SoftDeletedMailbox",
	}
}

// setMailboxParameters lists what Set-Mailbox takes.
func setMailboxParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers AcceptMessagesOnlyFromSendersOrMembers " +
			"AddressBookPolicy ArchiveName AuditAdmin AuditDelegate AuditLogAgeLimit AuditOwner " +
			"BypassModerationFromSendersOrMembers DataEncryptionPolicy DefaultAuditSet DefaultPublicFolderMailbox " +
			"EmailAddressDisplayNames EmailAddresses EndDateForRetentionHold ExtensionCustomAttribute1 " +
			"ExtensionCustomAttribute2 ExtensionCustomAttribute3 ExtensionCustomAttribute4 ExtensionCustomAttribute5 " +
			"ExternalOofOptions ForwardingAddress ForwardingSmtpAddress GrantSendOnBehalfTo Identity IssueWarningQuota " +
			"JournalArchiveAddress Languages LitigationHoldDate LitigationHoldDuration MailTipTranslations MaxReceiveSize " +
			"MaxSendSize MicrosoftOnlineServicesID ModeratedBy NonCompliantDevices ProhibitSendQuota " +
			"ProhibitSendReceiveQuota RecipientLimits RejectMessagesFrom RejectMessagesFromDLMembers " +
			"RejectMessagesFromSendersOrMembers ResourceCapacity ResourceCustom RetainDeletedItemsFor RetentionPolicy " +
			"RoleAssignmentPolicy RulesQuota SendModerationNotifications SharingPolicy StartDateForRetentionHold " +
			"StsRefreshTokensValidFrom Type UniqueRecipientsCountLimitLevel UseDatabaseQuotaDefaults UserCertificate " +
			"UserSMimeCertificate WindowsEmailAddress",
		"bool": "" +
			"AccountDisabled AuditEnabled AutoArchivingEnabled CalendarRepairDisabled CalendarVersionStoreDisabled " +
			"DeliverToMailboxAndForward ElcProcessingDisabled EnableRoomMailboxAccount HiddenFromAddressListsEnabled " +
			"IsExchangeCloudManaged IsExcludedFromServingHierarchy LitigationHoldEnabled " +
			"MessageCopyForSMTPClientSubmissionEnabled MessageCopyForSendOnBehalfEnabled MessageCopyForSentAsEnabled " +
			"MessageTrackingReadStatusEnabled ModerationEnabled RequireSenderAuthenticationEnabled RetentionHoldEnabled " +
			"SchedulerAssistant SingleItemRecoveryEnabled UniqueUnrestrictedGroupsLimitEnabled " +
			"UseDatabaseRetentionDefaults",
		"securestring": "" +
			"RoomMailboxPassword",
		"string": "" +
			"Alias CustomAttribute1 CustomAttribute10 CustomAttribute11 CustomAttribute12 CustomAttribute13 " +
			"CustomAttribute14 CustomAttribute15 CustomAttribute2 CustomAttribute3 CustomAttribute4 CustomAttribute5 " +
			"CustomAttribute6 CustomAttribute7 CustomAttribute8 CustomAttribute9 DisplayName EnforcedTimestamps " +
			"ImmutableId LitigationHoldOwner MailTip MailboxRegion Name Office RetentionComment RetentionUrl " +
			"SimpleDisplayName",
		"string[]": "" +
			"ExcludeFromOrgHolds RemoveOrphanedHolds",
		"switch": "" +
			"ApplyMandatoryProperties ClearThrottlingPolicyAssignment ExcludeFromAllHolds ExcludeFromAllOrgHolds Force " +
			"GroupMailbox InactiveMailbox ProvideConsent ProvisionedForOfficeGraph PublicFolder " +
			"RecalculateInactiveMailbox RemoveComplianceTagHoldApplied RemoveDelayHoldApplied " +
			"RemoveDelayReleaseHoldApplied RemoveDisabledArchive RemoveMailboxProvisioningConstraint " +
			"UpdateEnforcedTimestamp",
	}
}

// setOrganizationParameters lists what Set-OrganizationConfig takes.
func setOrganizationParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"ActivityBasedAuthenticationTimeoutInterval DefaultAuthenticationPolicy DefaultGroupAccessType " +
			"DefaultPublicFolderAgeLimit DefaultPublicFolderDeletedItemRetention DefaultPublicFolderIssueWarningQuota " +
			"DefaultPublicFolderMaxItemSize DefaultPublicFolderMovedItemRetention DefaultPublicFolderProhibitPostQuota " +
			"DistributionGroupDefaultOU DistributionGroupNameBlockedWordsList DistributionGroupNamingPolicy " +
			"EwsAllowEntourage EwsAllowList EwsAllowMacOutlook EwsAllowOutlook EwsApplicationAccessPolicy EwsBlockList " +
			"EwsEnabled ExchangeNotificationRecipients FocusedInboxOn HierarchicalAddressBookRoot IPListBlocked " +
			"MessageRecallEnabled MessageRecallMaxRecallableAge OnlineMeetingsByDefaultEnabled PublicFoldersEnabled " +
			"RecallReadMessagesEnabled RemotePublicFolderMailboxes ShortenEventScopeDefault",
		"bool": "" +
			"ActionableMessagesExtenalAccessTokenEnabled ActivityBasedAuthenticationTimeoutEnabled " +
			"ActivityBasedAuthenticationTimeoutWithSingleSignOnEnabled AppsForOfficeEnabled AsyncSendEnabled " +
			"AuditDisabled AutoEnableArchiveMailbox AutodiscoverPartialDirSync AutomaticForcedReadReceiptEnabled " +
			"BlockMoveMessagesForGroupFolders BookingsAddressEntryRestricted BookingsAuthEnabled " +
			"BookingsBlockedWordsEnabled BookingsCreationOfCustomQuestionsRestricted BookingsEnabled " +
			"BookingsExposureOfStaffDetailsRestricted BookingsMembershipApprovalRequired BookingsNamingPolicyEnabled " +
			"BookingsNamingPolicyPrefixEnabled BookingsNamingPolicySuffixEnabled BookingsNotesEntryRestricted " +
			"BookingsPaymentsEnabled BookingsPhoneNumberEntryRestricted BookingsSearchEngineIndexDisabled " +
			"BookingsSmsMicrosoftEnabled BookingsSocialSharingRestricted CalendarVersionStoreEnabled " +
			"ComplianceMLBgdCrawlEnabled ConnectorsActionableMessagesEnabled ConnectorsEnabled " +
			"ConnectorsEnabledForOutlook ConnectorsEnabledForSharepoint ConnectorsEnabledForTeams " +
			"ConnectorsEnabledForYammer CustomerLockboxEnabled DLPViaDcsEnabled DLPWaitOnSendEnabled " +
			"DefaultFolderPermissionRestricted DelayedDelicensingEnabled DirectReportsGroupAutoCreationEnabled " +
			"DisablePlusAddressInRecipients ElcProcessingDisabled EnableForwardingAddressSyncForMailboxes " +
			"EnableOutlookEvents EndUserDLUpgradeFlowsDisabled EndUserMailNotificationForDelayedDelicensingEnabled " +
			"EnforceExoAppRbacPermissions ExchangeNotificationEnabled FindTimeAttendeeAuthenticationEnabled " +
			"FindTimeAutoScheduleDisabled FindTimeLockPollForAttendeesEnabled FindTimeOnlineMeetingOptionDisabled " +
			"HybridRSVPEnabled InRegionRoutingEnabled IsAgendaMailEnabled IsGroupFoldersAndRulesEnabled " +
			"IsGroupMemberAllowedToEditContent LeanPopoutEnabled LinkPreviewEnabled MailTipsAllTipsEnabled " +
			"MailTipsExternalRecipientsTipsEnabled MailTipsGroupMetricsEnabled MailTipsMailboxSourcedTipsEnabled " +
			"MaskClientIpInReceivedHeadersEnabled MatchSenderOrganizerProperties MessageHighlightsEnabled " +
			"MessageRecallAlertRecipientsEnabled MessageRecallAlertRecipientsReadMessagesOnlyEnabled " +
			"MessageRemindersEnabled MobileAppEducationEnabled OAuth2ClientProfileEnabled OutlookGifPickerDisabled " +
			"OutlookMobileGCCRestrictionsEnabled OutlookMobileHelpShiftEnabled OutlookMobileSingleAccountEnabled " +
			"OutlookPayEnabled OutlookTextPredictionDisabled PerTenantSwitchToESTSEnabled " +
			"PostponeRoamingSignaturesUntilLater PublicComputersDetectionEnabled PublicFolderShowClientControl " +
			"ReadTrackingEnabled RecipientDelimiters RefreshSessionEnabled RejectDirectSend SendFromAliasEnabled " +
			"SharedDomainEmailAddressFlowEnabled SmtpActionableMessagesEnabled " +
			"TenantAdminNotificationForDelayedDelicensingEnabled TwoClickMailPreviewEnabled " +
			"UnblockUnsafeSenderPromptEnabled WebPushNotificationsDisabled WebSuggestedRepliesDisabled " +
			"WorkspaceTenantEnabled",
		"int": "" +
			"ByteEncoderTypeFor7BitCharsets DefaultMinutesToReduceLongEventsBy DefaultMinutesToReduceShortEventsBy " +
			"PreferredInternetCodePageForShiftJis RequiredCharsetCoverage",
		"short": "" +
			"AutoArchivingThresholdPercentage DLPWaitOnSendTimeout",
		"string": "" +
			"BookingsNamingPolicyPrefix BookingsNamingPolicySuffix EwsAllowedAppIDs VisibleMeetingUpdateProperties",
		"switch": "" +
			"AutoExpandingArchive EnforceShortenEventSetting ExchangeAttributesCloudManagedByDefault " +
			"ExchangeAttributesServerManagedByDefault",
		"uint": "" +
			"MailTipsLargeAudienceThreshold",
		"uri": "" +
			"SiteMailboxCreationURL",
	}
}

// getUserParameters lists what Get-User takes.
func getUserParameters() map[string]string {
	return map[string]string{
		"System.Object": "" +
			"Identity OrganizationalUnit ResultSize",
		"System.Object[]": "" +
			"RecipientTypeDetails",
		"string": "" +
			"Anr Filter SortBy",
		"switch": "" +
			"IncludeDirectReportsWithDisplayNames IncludeManagerWithDisplayName IsVIP PublicFolder",
	}
}
