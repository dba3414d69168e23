package simulator

import "strings"

// knownCmdlet says whether the service has a cmdlet of this name: published names of
// Exchange Online, by verb. What is known and not modelled is a 501; what is not known
// is the service's own 403.
func knownCmdlet(name string) bool {
	verb, noun, ok := strings.Cut(name, "-")
	if !ok {
		return false
	}
	for _, family := range cmdletNouns() {
		if strings.EqualFold(family.verb, verb) && containsFold(strings.Fields(family.nouns), noun) {
			return true
		}
	}
	return false
}

type cmdletFamily struct{ verb, nouns string }

func cmdletNouns() []cmdletFamily {
	families := smallFamilies()
	families = append(families, cmdletFamily{"Get", nounsOfGet}, cmdletFamily{"New", nounsOfNew},
		cmdletFamily{"Remove", nounsOfRemove}, cmdletFamily{"Set", nounsOfSet})
	return families
}

func smallFamilies() []cmdletFamily {
	return []cmdletFamily{
		{"Add", "" +
			"AvailabilityAddressSpace DistributionGroupMember HVEAppAccess LdapDirectory MailboxFolderPermission " +
			"MailboxLocation MailboxPermission ManagementRoleEntry PublicFolderClientPermission " +
			"RecipientPermission RoleGroupMember UnifiedGroupLinks VivaModuleFeaturePolicy " +
			"VivaOrgInsightsDelegatedRole WorkforceInsightsDelegationAccess"},
		{"Approve", "ElevatedAccessRequest"},
		{"Check", "ExoInformationBarrierSymmetry"},
		{"Clear", "ActiveSyncDevice MobileDevice TextMessagingAccount"},
		{"Compare", "TextMessagingVerificationCode"},
		{"Complete", "MigrationBatch"},
		{"Debug", "AdditionalCapacityProtection"},
		{"Delete", "QuarantineMessage"},
		{"Deny", "ElevatedAccessRequest"},
		{"Disable", "" +
			"ATPEvaluationRule ATPProtectionPolicyRule AntiPhishRule App BirthdayCalendar DnssecForVerifiedDomain " +
			"EOPProtectionPolicyRule ElevatedAccessControl HostedContentFilterRule HostedOutboundSpamFilterRule " +
			"IPv6ForAcceptedDomain InboxRule JournalArchiving JournalRule MailPublicFolder Mailbox " +
			"MalwareFilterRule OutlookProtectionRule ReportSubmissionRule SafeAttachmentRule SafeLinksRule " +
			"SmtpDaneInbound SweepRule TransportRule"},
		{"Enable", "" +
			"ATPEvaluationRule ATPProtectionPolicyRule AntiPhishRule App BirthdayCalendar DnssecForVerifiedDomain " +
			"EOPProtectionPolicyRule ElevatedAccessControl ExoInformationBarriersMultiSegment " +
			"HostedContentFilterRule HostedOutboundSpamFilterRule IPv6ForAcceptedDomain InboxRule JournalRule " +
			"MailPublicFolder Mailbox MalwareFilterRule OrganizationCustomization OutlookProtectionRule " +
			"ReportSubmissionRule SafeAttachmentRule SafeLinksRule SmtpDaneInbound SweepRule TransportRule"},
		{"Expedite", "Delicensing"},
		{"Export", "" +
			"DlpPolicyCollection MailboxDiagnosticLogs MigrationReport QuarantineMessage QuarantineMessageV1 " +
			"TransportAzureResourceGroups TransportRuleCollection"},
		{"Import", "DlpPolicyCollection RecipientDataProperty"},
		{"Invoke", "" +
			"BirthdayCalendarSync ChangeMeetingOrganizer ComplianceSearchActionStep " +
			"ProvisioningAcceptedDomainDiagnostic ProvisioningCompanyObjectDiagnostic " +
			"ProvisioningRecipientDiagnostic ProvisioningVerifyRbacDiagnostic"},
		{"Preview", "QuarantineMessage QuarantineMessageV1"},
		{"Release", "QuarantineMessage"},
		{"Reset", "EventsFromEmailBlockStatus"},
		{"Restore", "RecoverableItems"},
		{"Resume", "" +
			"MailboxImportRequest MailboxRestoreRequest MoveRequest PublicFolderMailboxMigrationRequest " +
			"TenantScanRequest"},
		{"Revoke", "ElevatedAccessAuthorization"},
		{"Rotate", "DkimSigningConfig"},
		{"Search", "MailboxAuditLog MessageTrackingReport UnifiedAuditLog"},
		{"Send", "TextMessagingVerificationCode"},
		{"Start", "" +
			"AuditAssistant HistoricalSearch MailboxSearch ManagedFolderAssistant MigrationBatch MigrationUser"},
		{"Stop", "HistoricalSearch MailboxSearch MigrationBatch MigrationUser"},
		{"Suspend", "" +
			"MailboxImportRequest MailboxRestoreRequest MoveRequest PublicFolderMailboxMigrationRequest"},
		{"Sync", "CrossTenantAccessPolicy"},
		{"Test", "" +
			"ApplicationAccessPolicy ArchiveConnectivity ClientAccessRule DataClassification DataEncryptionPolicy " +
			"DatabaseEvent DlpPolicies IRMConfiguration InformationBarrierPolicy M365DataAtRestEncryptionPolicy " +
			"MAPIConnectivity MailboxAssistant Message MigrationServerAvailability OAuthConnectivity " +
			"OrganizationRelationship ServicePrincipalAuthorization StoreEndpoint TextExtraction"},
		{"Troubleshoot", "AgendaMail"},
		{"Undo", "SoftDeletedMailbox SoftDeletedUnifiedGroup"},
		{"Update", "" +
			"DistributionGroupMember HybridConfiguration MaskingIndex PublicFolderMailbox Recipient " +
			"RoleGroupMember VivaModuleFeaturePolicy"},
		{"Upgrade", "DistributionGroup"},
		{"Validate", "CrawlFilter OutboundConnector RetentionRuleQuery"},
		{"Write", "AdminAuditLog"},
		{"set", "CASMailboxPlan"},
	}
}

const nounsOfGet = "" +
	"ATPBuiltInProtectionRule ATPEvaluationRule ATPProtectionPolicyRule ATPTotalTrafficReport AcceptedDomain " +
	"AccessLabel AccessToCustomerDataRequest ActiveSyncDevice ActiveSyncDeviceAccessRule ActiveSyncDeviceClass " +
	"ActiveSyncDeviceStatistics ActiveSyncMailboxPolicy ActiveSyncOrganizationSettings AdaptivePolicyLocation " +
	"AdaptiveScope AdaptiveScopeLocation AdaptiveScopeMembers AddressBookPolicy AddressList AdminAuditLogConfig " +
	"AdministrativeUnit AggregateZapReport AntiPhishPolicy AntiPhishRule App ApplicationAccessPolicy ArcConfig " +
	"AtpPolicyForO365 AuditConfig AuditLogSearch AuthServer AuthenticationPolicy AvailabilityAddressSpace " +
	"AvailabilityConfig BillingPolicy BlockedConnector BlockedSenderAddress BookingMailbox CASMailbox " +
	"CASMailboxPlan CalendarDiagnosticAnalysis CalendarDiagnosticLog CalendarDiagnosticObjects CalendarProcessing " +
	"CalendarSettings CalendarViewDiagnostics ClassificationRuleCollection ClientAccessRule Clutter " +
	"CompliancePolicyFileSyncNotification CompliancePolicySyncNotification ComplianceTag ComplianceTagStorage " +
	"CompromisedUserAggregateReport CompromisedUserDetailReport ConfigAnalyzerPolicyRecommendation " +
	"ConnectorSyncStatsAggregationRequest Contact ContentMalwareMdoAggregateReport ContentMalwareMdoDetailReport " +
	"CrawlState CrossTenantAccessPolicy CustomDlpEmailTemplates CustomizedUserSubmission DataClassification " +
	"DataClassificationConfig DataEncryptionPolicy DataRetentionReport DefaultTenantBriefingConfig " +
	"DefaultTenantMyAnalyticsFeatureConfig DetailZapReport DeviceComplianceDetailsReport " +
	"DeviceComplianceDetailsReportFilter DeviceCompliancePolicyInventory DeviceComplianceReportDate " +
	"DeviceComplianceSummaryReport DeviceComplianceUserInventory DeviceComplianceUserReport " +
	"DeviceConditionalAccessPolicy DeviceConditionalAccessRule DeviceConfigurationPolicy DeviceConfigurationRule " +
	"DevicePolicy DeviceTenantPolicy DeviceTenantRule DistributionGroup DistributionGroupMember DkimSigningConfig " +
	"DlpDetailReport DlpDetectionsReport DlpIncidentDetailReport DlpKeywordDictionary DlpPolicy DlpPolicyTemplate " +
	"DlpSensitiveInformationTypeConfig DlpSensitiveInformationTypeRulePackage DlpSiDetectionsReport " +
	"DnssecStatusForVerifiedDomain DynamicDistributionGroup DynamicDistributionGroupMember " +
	"EOPProtectionPolicyRule ElevatedAccessApprovalPolicy ElevatedAccessAuthorization ElevatedAccessRequest " +
	"EligibleDistributionGroupForMigration EmailAddressPolicy EmailTenantSettings EtrLimits EvaluationModeReport " +
	"EvaluationModeReportSeries EventsFromEmailConfiguration ExoConnectivityTableSnapshot " +
	"ExoInformationBarrierPolicy ExoInformationBarrierRelationship ExoInformationBarrierRelationshipTable " +
	"ExoInformationBarrierSegment ExoInformationBarrierUpgradeImpact ExoPhishSimOverrideRule ExoRecipientsStatus " +
	"ExoSecOpsOverrideRule ExoSegmentsSnapshot ExoUsersByIBSegment ExportedCustomerContent ExternalInOutlook " +
	"FederatedOrganizationIdentifier FederationInformation FederationTrust FfoMigrationReport FocusedInbox " +
	"GlobalAddressList Group HVEAccountBillingPolicy HVEAccountSettings HistoricalSearch " +
	"HostedConnectionFilterPolicy HostedContentFilterPolicy HostedContentFilterRule " +
	"HostedOutboundSpamFilterPolicy HostedOutboundSpamFilterRule HybridMailflowDatacenterIPs " +
	"IPv6StatusForAcceptedDomain IRMConfiguration InboundConnector InboxRule InformationBarrierReportDetails " +
	"InformationBarrierReportSummary IntraOrganizationConfiguration IntraOrganizationConnector JitConfiguration " +
	"JournalRule LdapDirectory LimitsEnforcementStatus LinkedUser LogonStatistics M365CrossTenantAccessPolicy " +
	"M365DataAtRestEncryptionPolicy M365DataAtRestEncryptionPolicyAssignment MailContact MailDetailATPReport " +
	"MailDetailDlpPolicyReport MailDetailEncryptionReport MailDetailEvaluationModeReport " +
	"MailDetailTransportRuleReport MailFilterListReport MailFlowStatusReport MailPublicFolder " +
	"MailTrafficATPReport MailTrafficEncryptionReport MailTrafficPolicyReport MailTrafficSummaryReport MailUser " +
	"Mailbox MailboxAnalysisRequest MailboxAnalysisRequestStatistics MailboxAuditBypassAssociation " +
	"MailboxAutoReplyConfiguration MailboxCalendarConfiguration MailboxCalendarFolder MailboxExtendedProperty " +
	"MailboxExtendedPropertyCleanupRequest MailboxFolder MailboxFolderPermission MailboxFolderStatistics " +
	"MailboxIRMAccess MailboxImportRequest MailboxImportRequestStatistics MailboxJunkEmailConfiguration " +
	"MailboxLocation MailboxMessageConfiguration MailboxOverrideConfiguration MailboxPermission MailboxPlan " +
	"MailboxRegionalConfiguration MailboxRestoreRequest MailboxRestoreRequestStatistics MailboxSearch " +
	"MailboxSpellingConfiguration MailboxStatistics MailboxUserConfiguration MalwareFilterPolicy " +
	"MalwareFilterRule ManagementRole ManagementRoleAssignment ManagementRoleEntry ManagementScope " +
	"MeetingInsightsSettings MessageCategory MessageClassification MessageTrace MessageTraceDetail " +
	"MessageTraceDetailV2 MessageTraceV2 MessageTrackingReport MigrationBatch MigrationConfig MigrationEndpoint " +
	"MigrationStatistics MigrationUser MigrationUserStatistics MobileDevice MobileDeviceDashboardSummaryReport " +
	"MobileDeviceMailboxPolicy MobileDeviceStatistics MoveRequest MoveRequestStatistics MxRecordReport " +
	"MxRecordsReport MyAnalyticsFeatureConfig OMEConfiguration OMEMessageStatus OfflineAddressBook " +
	"OnPremServerExemptionQuota OnPremServerReportInfo OnPremisesOrganization OnlineMeetingConfiguration " +
	"OrganizationConfig OrganizationRelationship OrganizationalUnit OutboundConnector OutboundConnectorReport " +
	"OutlookProtectionRule OwaMailboxPolicy PartnerApplication PendingDelicenseUser PerimeterConfig " +
	"PerimeterMessageTrace PhishSimOverridePolicy Place PlaceMailbox PolicyConfig PolicyTipConfig PublicFolder " +
	"PublicFolderClientPermission PublicFolderItemStatistics PublicFolderMailboxDiagnostics " +
	"PublicFolderMailboxMigrationRequest PublicFolderMailboxMigrationRequestStatistics PublicFolderMoveRequest " +
	"PublicFolderMoveRequestStatistics PublicFolderStatistics QuarantineMessage QuarantineMessageHeader " +
	"QuarantinePolicy RMSTemplate RbacDiagnosticInfo Recipient RecipientPermission RecipientStatisticsReport " +
	"RecoverableItems RemoteDomain ReportExecutionInstance ReportSchedule ReportScheduleList " +
	"ReportSubmissionPolicy ReportSubmissionRule RequestBrokerResult ResourceConfig RetentionEvent " +
	"RetentionPolicy RetentionPolicyTag ReviewItems RoleAssignmentPolicy RoleGroup RoleGroupMember SCInsights " +
	"SafeAttachmentPolicy SafeAttachmentRule SafeLinksAggregateReport SafeLinksDetailReport SafeLinksPolicy " +
	"SafeLinksRule ScopeEntities SecOpsOverridePolicy SecurityPrincipal SensitivityLabelActivityDetailsReport " +
	"SensitivityLabelActivityReport ServiceDeliveryReport ServicePrincipal ServiceStatus SharingPolicy " +
	"SmimeConfig SmtpDaneInboundStatus SpoofIntelligenceInsight SpoofMailReport SupervisoryReviewActivity " +
	"SupervisoryReviewPolicyReport SupervisoryReviewPolicyV2 SupervisoryReviewReport SupervisoryReviewRule " +
	"SweepRule SyncConfig SyncRequest SyncRequestStatistics TDPReport TeamsProtectionPolicy " +
	"TeamsProtectionPolicyRule TenantAllowBlockListItems TenantAllowBlockListSpoofItems TenantExemptionInfo " +
	"TenantExemptionQuota TenantExemptionQuotaEligibility TenantRecipientLimitInfo TenantScanRequestStatistics " +
	"TextMessagingAccount ToolInformation TransportConfig TransportRule TransportRuleAction " +
	"TransportRulePredicate UnifiedAuditSetting UnifiedGroup UnifiedGroupLinks User UserBriefingConfig " +
	"VivaInsightsSettings VivaModuleFeature VivaModuleFeatureEnablement VivaModuleFeaturePolicy " +
	"VivaOrgInsightsDelegatedRole WorkforceInsightsDelegationAccess"

const nounsOfNew = "" +
	"ATPBuiltInProtectionRule ATPEvaluationRule ATPProtectionPolicyRule AccessLabel ActiveSyncDeviceAccessRule " +
	"ActiveSyncMailboxPolicy AddressBookPolicy AddressList AntiPhishPolicy AntiPhishRule App " +
	"ApplicationAccessPolicy AuthenticationPolicy AvailabilityConfig ClassificationRuleCollection " +
	"CompliancePolicySyncNotification DataClassification DataEncryptionPolicy DatabaseMaintenanceRequest " +
	"DistributionGroup DkimSigningConfig DkimSigningConfigSelectorCnames DlpPolicy DynamicDistributionGroup " +
	"EOPProtectionPolicyRule ElevatedAccessApprovalPolicy ElevatedAccessRequest EmailAddressPolicy " +
	"ExoPhishSimOverrideRule ExoSecOpsOverrideRule Fingerprint GlobalAddressList HostedConnectionFilterPolicy " +
	"HostedContentFilterPolicy HostedContentFilterRule HostedOutboundSpamFilterPolicy " +
	"HostedOutboundSpamFilterRule InboundConnector InboxRule IntraOrganizationConnector JournalRule " +
	"M365DataAtRestEncryptionPolicy MailContact MailMessage MailUser Mailbox MailboxAuditLogSearch " +
	"MailboxExtendedPropertyCleanupRequest MailboxFolder MailboxImportRequest MailboxRestoreRequest MailboxSearch " +
	"MalwareFilterPolicy MalwareFilterRule ManagementRole ManagementRoleAssignment ManagementScope " +
	"MessageClassification MigrationBatch MigrationEndpoint MobileDeviceMailboxPolicy MoveRequest " +
	"OMEConfiguration OfflineAddressBook OnPremisesOrganization OrganizationRelationship OutboundConnector " +
	"OutlookProtectionRule OwaMailboxPolicy PartnerApplication PhishSimOverridePolicy PlaceMailbox " +
	"PolicyTipConfig PrivilegedIdentityManagementRequest ProcessComplianceReviewRecords ProtectionServicePolicy " +
	"PublicFolder PublicFolderMoveRequest QuarantinePermissions QuarantinePolicy RemoteDomain ReportSchedule " +
	"ReportSubmissionPolicy ReportSubmissionRule RetentionPolicy RetentionPolicyTag RoleAssignmentPolicy " +
	"RoleGroup SafeAttachmentPolicy SafeAttachmentRule SafeLinksPolicy SafeLinksRule SchedulingMailbox " +
	"SecOpsOverridePolicy ServicePrincipal SharingPolicy SlackTenantScanRequest SweepRule SyncMailPublicFolder " +
	"TeamsProtectionPolicy TeamsProtectionPolicyRule TenantAllowBlockListItems TenantAllowBlockListSpoofItems " +
	"TenantExemptionInfo TenantExemptionQuota TenantScanRequest TransportRule UnifiedGroup"

const nounsOfRemove = "" +
	"ATPProtectionPolicyRule AccessLabel ActiveSyncDevice ActiveSyncDeviceAccessRule ActiveSyncMailboxPolicy " +
	"AddressBookPolicy AddressList AntiPhishPolicy AntiPhishRule App ApplicationAccessPolicy AuditStubFolder " +
	"AuthenticationPolicy AvailabilityAddressSpace AvailabilityConfig BlockedConnector BlockedSenderAddress " +
	"BookingMailbox CalendarEvents ClassificationRuleCollection ClientAccessRule " +
	"CompliancePolicyFileSyncNotification CompliancePolicySyncNotification DataClassification DistributionGroup " +
	"DistributionGroupMember DkimSigningConfig DlpPolicy DynamicDistributionGroup EOPProtectionPolicyRule " +
	"ElevatedAccessApprovalPolicy EmailAddressPolicy ExoInformationBarriersV1Configuration " +
	"ExoPhishSimOverrideRule ExoSecOpsOverrideRule GlobalAddressList HVEAppAccess HostedConnectionFilterPolicy " +
	"HostedContentFilterPolicy HostedContentFilterRule HostedOutboundSpamFilterPolicy " +
	"HostedOutboundSpamFilterRule HybridConfiguration InboundConnector InboxRule IntraOrganizationConnector " +
	"JournalRule LdapDirectory M365CrossTenantAccessPolicy MailContact MailUser Mailbox MailboxAnalysisRequest " +
	"MailboxExtendedPropertyCleanupRequest MailboxFolderPermission MailboxIRMAccess MailboxImportRequest " +
	"MailboxLocation MailboxPermission MailboxRestoreRequest MailboxSearch MailboxUserConfiguration " +
	"MalwareFilterPolicy MalwareFilterRule ManagementRole ManagementRoleAssignment ManagementRoleEntry " +
	"ManagementScope MessageClassification MigrationBatch MigrationEndpoint MigrationUser MobileDevice " +
	"MobileDeviceMailboxPolicy MoveRequest OMEConfiguration OfflineAddressBook OnPremisesOrganization " +
	"OrganizationRelationship OutboundConnector OutlookProtectionRule OwaMailboxPolicy PartnerApplication " +
	"PhishSimOverridePolicy PlaceMailbox PolicyTipConfig PublicFolder PublicFolderClientPermission " +
	"PublicFolderMailboxMigrationRequest PublicFolderMoveRequest QuarantinePolicy RecipientPermission " +
	"RemoteDomain ReportSchedule ReportSubmissionPolicy ReportSubmissionRule RetentionPolicy RetentionPolicyTag " +
	"RoleAssignmentPolicy RoleGroup RoleGroupMember SafeAttachmentPolicy SafeAttachmentRule SafeLinksPolicy " +
	"SafeLinksRule SecOpsOverridePolicy ServicePrincipal SharingPolicy SweepRule SyncMailPublicFolder SyncRequest " +
	"TenantAllowBlockListItems TenantAllowBlockListSpoofItems TenantScanRequest TransportRule UnifiedGroup " +
	"UnifiedGroupLinks VivaModuleFeaturePolicy VivaOrgInsightsDelegatedRole WorkforceInsightsDelegationAccess"

const nounsOfSet = "" +
	"ATPBuiltInProtectionRule ATPEvaluationRule ATPProtectionPolicyRule AcceptedDomain " +
	"AccessToCustomerDataRequest ActiveSyncDeviceAccessRule ActiveSyncMailboxPolicy " +
	"ActiveSyncOrganizationSettings AddressBookPolicy AddressList AdminAuditLogConfig AntiPhishPolicy " +
	"AntiPhishRule App ApplicationAccessPolicy ArcConfig AtpPolicyForO365 AuthenticationPolicy AvailabilityConfig " +
	"BookingMailboxPermission CASMailbox CASMailboxPlan CalendarProcessing CalendarSettings " +
	"ClassificationRuleCollection ClientAccessRule Clutter Contact DataClassification DataEncryptionPolicy " +
	"DefaultTenantBriefingConfig DefaultTenantMyAnalyticsFeatureConfig DistributionGroup DkimSigningConfig " +
	"DlpPolicy DynamicDistributionGroup EOPProtectionPolicyRule ElevatedAccessApprovalPolicy " +
	"ElevatedAccessRequest EmailAddressPolicy EmailTenantSettings EventsFromEmailConfiguration " +
	"ExoPhishSimOverrideRule ExoSecOpsOverrideRule ExternalInOutlook FederatedOrganizationIdentifier FocusedInbox " +
	"GlobalAddressList Group HVEAccountBillingPolicy HVEAccountSettings HostedConnectionFilterPolicy " +
	"HostedContentFilterPolicy HostedContentFilterRule HostedOutboundSpamFilterPolicy " +
	"HostedOutboundSpamFilterRule IRMConfiguration InboundConnector InboxRule IntraOrganizationConnector " +
	"JournalRule LabelProperties LdapDirectory LinkedUser M365CrossTenantAccessPolicy " +
	"M365DataAtRestEncryptionPolicy M365DataAtRestEncryptionPolicyAssignment MailContact MailPublicFolder " +
	"MailUser Mailbox MailboxAuditBypassAssociation MailboxAutoReplyConfiguration MailboxCalendarConfiguration " +
	"MailboxCalendarFolder MailboxFolder MailboxFolderPermission MailboxIRMAccess MailboxImportRequest " +
	"MailboxJunkEmailConfiguration MailboxLocation MailboxMessageConfiguration MailboxPlan " +
	"MailboxRegionalConfiguration MailboxRestoreRequest MailboxSearch MailboxSpellingConfiguration " +
	"MalwareFilterPolicy MalwareFilterRule ManagementRoleAssignment ManagementRoleEntry ManagementScope " +
	"MeetingInsightsSettings MessageClassification MigrationBatch MigrationConfig MigrationEndpoint MigrationUser " +
	"MobileDeviceMailboxPolicy MoveRequest MyAnalyticsFeatureConfig OMEConfiguration OMEMessageRevocation " +
	"OfflineAddressBook OnPremisesOrganization Organization OrganizationConfig OrganizationRelationship " +
	"OutboundConnector OutlookProtectionRule OwaMailboxPolicy PartnerApplication PerimeterConfig " +
	"PhishSimOverridePolicy Place PlaceMailbox PolicyTipConfig ProtectionServicePolicy PublicFolder " +
	"PublicFolderMailboxMigrationRequest QuarantinePermissions QuarantinePolicy RMSTemplate " +
	"RegulatoryComplianceUI RemoteDomain ReportSchedule ReportSubmissionPolicy ReportSubmissionRule " +
	"ResourceConfig RetentionPolicy RetentionPolicyTag RoleAssignmentPolicy RoleGroup SafeAttachmentPolicy " +
	"SafeAttachmentRule SafeLinksPolicy SafeLinksRule SecOpsOverridePolicy ServicePrincipal SharingPolicy " +
	"SmimeConfig SweepRule TeamsProtectionPolicy TeamsProtectionPolicyRule TenantAllowBlockListItems " +
	"TenantAllowBlockListSpoofItems TenantMailFromAddress TenantSettingCrossTenantAccessPolicy " +
	"TextMessagingAccount TransportConfig TransportRule UnifiedAuditSetting UnifiedGroup User UserBriefingConfig " +
	"VivaInsightsSettings"
