package oracle

import "strings"

// The three logon types, as DefaultAuditSet spells them.
const (
	admin    = "Admin"
	delegate = "Delegate"
	owner    = "Owner"
)

// groupMailbox is the type whose lists are fixed by the service and whose
// DefaultAuditSet always reads as all three logon types (semantics 1.5).
const groupMailbox = "GroupMailbox"

// defaultSet gives what the service records for a logon type that it manages:
// the sets of April 2025 (semantics 1.2), and for group mailboxes the fixed
// ones (semantics 1.5). The documents speak of user and shared mailboxes; for
// the types they leave out, the same sets are taken.
func defaultSet(mailboxType, logon string) set {
	if strings.EqualFold(mailboxType, groupMailbox) {
		return groupSet(logon)
	}
	switch logon {
	case admin:
		return newSet(strings.Fields(`ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems
			Send SendAs SendOnBehalf SoftDelete Update
			UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules`))
	case delegate:
		return newSet(strings.Fields(`ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems
			SendAs SendOnBehalf SoftDelete Update
			UpdateFolderPermissions UpdateInboxRules`))
	case owner:
		return newSet(strings.Fields(`ApplyRecord HardDelete MailItemsAccessed MoveToDeletedItems
			Send SoftDelete Update
			UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules`))
	default:
		return nil
	}
}

// groupSet is the table of semantics 1.5.
func groupSet(logon string) set {
	switch logon {
	case admin, delegate:
		return newSet(strings.Fields(`Create HardDelete MoveToDeletedItems SendAs SendOnBehalf SoftDelete Update`))
	case owner:
		return newSet(strings.Fields(`HardDelete MoveToDeletedItems SoftDelete Update`))
	default:
		return nil
	}
}

// onByDefault says whether a mailbox of this type records whatever its stored
// AuditEnabled is (semantics 0 and 2.4). The types that no document speaks of
// are taken as not covered: a wish is not granted on a guess.
func onByDefault(mailboxType string) bool {
	switch strings.ToLower(mailboxType) {
	case "usermailbox", "sharedmailbox", "groupmailbox":
		return true
	default:
		return false
	}
}
