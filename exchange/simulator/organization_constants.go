package simulator

import "strings"

// organizationConstants are the properties of the organization that carry nothing for
// this project and have one realistic value here.
func organizationConstants() []property[Organization] {
	var all []property[Organization]
	add := func(kind wireKind, raw, names string) {
		for name := range strings.FieldsSeq(names) {
			all = append(all, constant[Organization](name, kind, raw))
		}
	}
	addOrganizationTexts(add)
	addOrganizationFlagsAndLists(add)
	return all
}

func addOrganizationTexts(add func(kind wireKind, raw, names string)) {
	add(wireBare, "null", ""+
		"DefaultPublicFolderAgeLimit AVAuthenticationService CustomerFeedbackEnabled DistributionGroupDefaultOU "+
		"EwsAllowEntourage EwsAllowList EwsAllowMacOutlook EwsAllowOutlook EwsApplicationAccessPolicy EwsBlockList "+
		"EwsEnabled HierarchicalAddressBookRoot MicrosoftExchangeRecipientReplyRecipient SIPAccessService "+
		"SIPSessionBorderController MaxAddressBookPolicies MaxOfflineAddressBooks MaxInformationBarrierSegmentsLegacy "+
		"ReleaseTrack CompassEnabled NetworkThrottlingConfiguration ElevatedAccessControl "+
		"OnlineMeetingsByDefaultEnabled ForeignForestOrgAdminUSGSid ForeignForestRecipientAdminUSGSid "+
		"ForeignForestViewOnlyAdminUSGSid AdfsIssuer AdfsEncryptCertificateThumbprint SiteMailboxCreationURL "+
		"DefaultDataEncryptionPolicy DefaultAuthenticationPolicy IsJitEnabled AutoJitForests "+
		"GroupsCreationWhitelistedId GroupsUsageGuidelinesLink GroupsNamingPolicy ServiceInstanceMove "+
		"GuestsUsageGuidelinesLink OrganizationPrivacyStatementLink FocusedInboxOn OcmGroupId "+
		"RecallReadMessagesEnabled")
	add(wireBare, `"1.7 GB (1,825,361,920 bytes)"`, "DefaultPublicFolderIssueWarningQuota")
	add(wireBare, `"2 GB (2,147,483,648 bytes)"`, "DefaultPublicFolderProhibitPostQuota")
	add(wireBare, `"Unlimited"`, "DefaultPublicFolderMaxItemSize MaxConcurrentMigrations")
	add(wireBare, `"30.00:00:00"`, "DefaultPublicFolderDeletedItemRetention")
	add(wireBare, `"7.00:00:00"`, "DefaultPublicFolderMovedItemRetention")
	add(wireBare, `"Local"`, "PublicFoldersEnabled")
	add(wireBare, `"06:00:00"`, "ActivityBasedAuthenticationTimeoutInterval")
	add(wireBare, `""`, ""+
		"DistributionGroupNamingPolicy ManagedFolderHomepage BookingsNamingPolicyPrefix BookingsNamingPolicySuffix "+
		"TargetServicePlan WACDiscoveryEndpoint AdfsAuthenticationConfiguration ForestConfigVersion")
	add(wireBare, `"NotSpecified"`, "Industry")
	add(wireBare, `"Legacy"`, "InformationBarrierMode")
	add(wireBare, `"Unknown"`, "RmsoSubscriptionStatus HybridConfigurationStatus")
	add(wireBare, `"255"`, "BasicAuthBlockedApps")
	add(wireBare, `"None"`, "ShortenEventScopeDefault Heuristics")
	add(wireBare, `"0.10 (14.0.100.0)"`, "PreviousAdminDisplayVersion")
	add(wireBare, `"nam"`, "DefaultMailboxRegion")
	add(wireBare, `"Private"`, "DefaultGroupAccessType")
	add(wireBare, `"Location,AllProperties:15"`, "VisibleMeetingUpdateProperties")
	add(wireBare, `"0.1 (8.0.535.0)"`, "ExchangeVersion")
	add(wireBare, `"Changed"`, "ObjectState")
}

func addOrganizationFlagsAndLists(add func(kind wireKind, raw, names string)) {
	add(wireInt32, "16500", "ObjectVersion")
	add(wireBare, "false", ""+
		"PublicFoldersLockedForMigration PublicFolderMigrationComplete PublicFolderMailboxesLockedForNewConnections "+
		"PublicFolderMailboxesMigrationComplete PublicFolderShowClientControl DisablePlusAddressInRecipients "+
		"AutodiscoverPartialDirSync ElcProcessingDisabled AutoExpandingArchiveEnabled ComplianceMLBgdCrawlEnabled "+
		"MailTipsExternalRecipientsTipsEnabled MicrosoftExchangeRecipientEmailAddressPolicyEnabled "+
		"ForwardSyncLiveIdBusinessInstance ReadTrackingEnabled InformationBarriersManagementEnabled "+
		"InformationBarriersEnforcementEnabled UpgradeIBInProgress IsExcludedFromOnboardMigration "+
		"IsExcludedFromOffboardMigration IsFfoMigrationInProgress ExternalCloudAccessEnabled "+
		"IsProcessEhaMigratedMessagesEnabled TenantRelocationsAllowed ACLableSyncedObjectEnabled "+
		"PublicComputersDetectionEnabled AzurePremiumSubscriptionStatus MapiHttpEnabled RealTimeLogServiceEnabled "+
		"CustomerLockboxEnabled PerTenantSwitchToESTSEnabled OfficeGraphActivitySharingOrgOptout "+
		"RefreshSessionEnabled BookingsPaymentsEnabled BookingsSocialSharingRestricted BookingsAddressEntryRestricted "+
		"BookingsAuthEnabled BookingsCreationOfCustomQuestionsRestricted BookingsExposureOfStaffDetailsRestricted "+
		"BookingsNotesEntryRestricted BookingsPhoneNumberEntryRestricted BookingsMembershipApprovalRequired "+
		"BookingsNamingPolicyEnabled BookingsBlockedWordsEnabled BookingsNamingPolicyPrefixEnabled "+
		"BookingsNamingPolicySuffixEnabled BookingsSearchEngineIndexDisabled LeanPopoutEnabled "+
		"OutlookMobileSingleAccountEnabled OutlookMobileGCCRestrictionsEnabled WebPushNotificationsDisabled "+
		"WebSuggestedRepliesDisabled AutoEnableArchiveMailbox SendFromAliasEnabled OutlookTextPredictionDisabled "+
		"EnableForwardingAddressSyncForMailboxes OutlookGifPickerDisabled FindTimeAttendeeAuthenticationEnabled "+
		"FindTimeOnlineMeetingOptionDisabled FindTimeAutoScheduleDisabled FindTimeLockPollForAttendeesEnabled "+
		"IsEopTrialEnabled EnableOutlookEvents IsComplianceTrialEnabled IsTenantAccessBlocked IsTenantInGracePeriod "+
		"IsGuidPrefixedLegacyDnDisabled IsMailboxForcedReplicationDisabled IsUpgradingOrganization "+
		"IsUpdatingServicePlan MailboxDataEncryptionEnabled DirectReportsGroupAutoCreationEnabled "+
		"HiddenMembershipGroupsCreationEnabled MatchSenderOrganizerProperties DisableMailboxForSubstrateOnlyFinished "+
		"IsMIPLabelForGroupsEnabled IsGroupFoldersAndRulesEnabled BlockMoveMessagesForGroupFolders "+
		"EndUserDLUpgradeFlowsDisabled IsGroupMemberAllowedToEditContent")
	add(wireBare, "true", ""+
		"ActivityBasedAuthenticationTimeoutEnabled ActivityBasedAuthenticationTimeoutWithSingleSignOnEnabled "+
		"AppsForOfficeEnabled MaskClientIpInReceivedHeadersEnabled ExchangeNotificationEnabled MailTipsAllTipsEnabled "+
		"MailTipsGroupMetricsEnabled MailTipsMailboxSourcedTipsEnabled InformationBarriersRestrictPeopleSearch "+
		"IntuneManagedStatus OAuth2ClientProfileEnabled LinkPreviewEnabled OutlookPayEnabled ConnectorsEnabled "+
		"ConnectorsActionableMessagesEnabled SmtpActionableMessagesEnabled UnblockUnsafeSenderPromptEnabled "+
		"AsyncSendEnabled IsAgendaMailEnabled BookingsEnabled BookingsSmsMicrosoftEnabled "+
		"OutlookMobileHelpShiftEnabled ConnectorsEnabledForOutlook ConnectorsEnabledForTeams "+
		"ConnectorsEnabledForSharepoint ConnectorsEnabledForYammer MobileAppEducationEnabled WorkspaceTenantEnabled "+
		"MessageRemindersEnabled MessageHighlightsEnabled SharedDomainEmailAddressFlowEnabled IsMixedMode "+
		"IsAddressListPagingEnabled IsLicensingEnforced IsDualWriteEnabled AllowToAddGuests GuestsEnabled "+
		"GroupsCreationEnabled IsValid")
	add(wireInt32, "0", ""+
		"AppsForOfficeCorpCatalogAppsCount PrivateCatalogAppsCount PreferredInternetCodePageForShiftJis "+
		"ByteEncoderTypeFor7BitCharsets DataInsightsFlag")
	add(wireList, `[]`, ""+
		"DistributionGroupNameBlockedWordsList IPListBlocked ExchangeNotificationRecipients OrganizationSummary "+
		"ForeignForestFQDN MimeTypes RemotePublicFolderMailboxes AdfsAudienceUris AdfsSignCertificateThumbprints "+
		"InPlaceHolds")
	add(wireInt32, "25", "MailTipsLargeAudienceThreshold")
	add(wireInt32, "4", "SCLJunkThreshold")
	add(wireInt32, "5000", "MaxInformationBarrierSegments MaxInformationBarrierBridges")
	add(wireInt32, "100", "RequiredCharsetCoverage")
	add(wireInt32, "5", "DefaultMinutesToReduceShortEventsBy")
	add(wireInt32, "10", "DefaultMinutesToReduceLongEventsBy")
	add(wireList, `["All Rooms"]`, "ResourceAddressLists")
	add(wireList, `["en-US"]`, "UMAvailableLanguages")
	add(wireList, `["top","container","msExchOrganizationContainer","msExchConfigurationUnitContainer"]`, "ObjectClass")
	add(wireDate, `"0001-01-01T00:00:00.0000000Z"`, "BookingsEnabledLastUpdateTime ConnectorsEnabledForOutlookLastUpdateTime ConnectorsEnabledForTeamsLastUpdateTime ConnectorsEnabledForSharepointLastUpdateTime ConnectorsEnabledForYammerLastUpdateTime DefaultMailboxRegionLastUpdateTime AllowedMailboxRegionsLastUpdateTime FocusedInboxOnLastUpdateTime ForestConfigLastRunTime")
}
