package simulator

import (
	"slices"
	"strings"
)

// Logon types, as DefaultAuditSet spells them (semantics 2.1).
const (
	logonAdmin    = "Admin"
	logonDelegate = "Delegate"
	logonOwner    = "Owner"
)

// Mailbox types, as RecipientTypeDetails spells them (semantics 2.4).
const (
	typeUser         = "UserMailbox"
	typeShared       = "SharedMailbox"
	typeRoom         = "RoomMailbox"
	typeEquipment    = "EquipmentMailbox"
	typeDiscovery    = "DiscoveryMailbox"
	typeGroup        = "GroupMailbox"
	typePublicFolder = "PublicFolderMailbox"
)

const defaultAgeLimit = "90.00:00:00"

func logonTypes() []string { return []string{logonAdmin, logonDelegate, logonOwner} }

// coveredByDefault says whether auditing on by default covers a mailbox type: user,
// shared and group mailboxes, not resources, public folders, discovery (semantics 0, 2.4).
func coveredByDefault(recipientType string) bool {
	switch recipientType {
	case typeUser, typeShared, typeGroup:
		return true
	}
	return false
}

// defaultActions is the set Microsoft manages for a logon type, in the order the
// service was seen to send it (wire 1.5; the members agree with semantics 1.2).
func defaultActions(logon string) []string {
	switch logon {
	case logonAdmin:
		return []string{
			"Update", "MoveToDeletedItems", "SoftDelete", "HardDelete", "SendAs", "SendOnBehalf", "Create",
			"UpdateFolderPermissions", "UpdateInboxRules", "UpdateCalendarDelegation", "ApplyRecord", "MailItemsAccessed", "Send",
		}
	case logonDelegate:
		return []string{
			"Update", "MoveToDeletedItems", "SoftDelete", "HardDelete", "SendAs", "SendOnBehalf", "Create",
			"UpdateFolderPermissions", "UpdateInboxRules", "ApplyRecord", "MailItemsAccessed",
		}
	case logonOwner:
		return []string{
			"Update", "MoveToDeletedItems", "SoftDelete", "HardDelete", "UpdateFolderPermissions", "UpdateInboxRules",
			"UpdateCalendarDelegation", "ApplyRecord", "MailItemsAccessed", "Send",
		}
	}
	return nil
}

// auditOperations is the enumeration MailboxAuditOperations (semantics 1.1).
func auditOperations() []string {
	return []string{
		"None", "Default", "AddFolderPermissions", "ApplyPriorityCleanup", "ApplyRecord", "AttachmentAccess", "Copy", "Create",
		"FolderBind", "HardDelete", "MailboxLogin", "MailItemsAccessed", "MessageBind", "ModifyFolderPermissions", "Move",
		"MoveToDeletedItems", "PreservedMailItemProactively", "PriorityCleanupDelete", "RecordDelete",
		"RemoveFolderPermissions", "SearchQueryInitiated", "Send", "SendAs", "SendOnBehalf", "SoftDelete", "Update",
		"UpdateCalendarDelegation", "UpdateComplianceTag", "UpdateFolderPermissions", "UpdateInboxRules",
	}
}

// acceptsAction says whether a logon type takes an action (semantics 1.2, rows of the table).
func acceptsAction(logon, action string) bool {
	switch action {
	case "Copy":
		return logon == logonAdmin
	case "FolderBind", "SendAs", "SendOnBehalf":
		return logon != logonOwner
	case "Send", "UpdateCalendarDelegation":
		return logon != logonDelegate
	case "MailboxLogin", "SearchQueryInitiated":
		return logon == logonOwner
	case "MessageBind", "None", "Default":
		return false
	}
	return slices.Contains(auditOperations(), action)
}

// needsLicence names the actions that the service may refuse for want of a licence (semantics 1.3 E4, 1.4).
func needsLicence(action string) bool {
	return action == "MailItemsAccessed" || action == "Send" || action == "SearchQueryInitiated"
}

// recipientTypes are the values Get-Mailbox takes for RecipientTypeDetails (semantics 2.4).
func recipientTypes() []string {
	return []string{
		typeDiscovery, typeEquipment, typeGroup, "LegacyMailbox", "LinkedMailbox", "LinkedRoomMailbox", typePublicFolder,
		typeRoom, "SchedulingMailbox", typeShared, "TeamMailbox", typeUser,
	}
}

// matchEnum finds an enumerator by name without regard to case, else the first one
// that the value is a prefix of: the service does so too, and silently (wire 1.2).
func matchEnum(members []string, value string) (string, bool) {
	if value == "" {
		return "", false
	}
	for _, member := range members {
		if strings.EqualFold(member, value) {
			return member, true
		}
	}
	for _, member := range members {
		if len(member) > len(value) && strings.EqualFold(member[:len(value)], value) {
			return member, true
		}
	}
	return "", false
}

func containsFold(list []string, value string) bool {
	return slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, value) })
}
