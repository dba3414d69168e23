package audit

import (
	"slices"
	"strings"
)

// Action is one mailbox action that can be audited, in the service's spelling.
// The service compares names without case; [Canonical] gives the one spelling
// that this package uses.
type Action string

// The members of the service's enumeration MailboxAuditOperations (semantics
// 1.1), without None and Default, which are members but no actions.
const (
	AddFolderPermissions         Action = "AddFolderPermissions"
	ApplyPriorityCleanup         Action = "ApplyPriorityCleanup"
	ApplyRecord                  Action = "ApplyRecord"
	AttachmentAccess             Action = "AttachmentAccess"
	Copy                         Action = "Copy"
	Create                       Action = "Create"
	FolderBind                   Action = "FolderBind"
	HardDelete                   Action = "HardDelete"
	MailItemsAccessed            Action = "MailItemsAccessed"
	MailboxLogin                 Action = "MailboxLogin"
	MessageBind                  Action = "MessageBind"
	ModifyFolderPermissions      Action = "ModifyFolderPermissions"
	Move                         Action = "Move"
	MoveToDeletedItems           Action = "MoveToDeletedItems"
	PreservedMailItemProactively Action = "PreservedMailItemProactively"
	PriorityCleanupDelete        Action = "PriorityCleanupDelete"
	RecordDelete                 Action = "RecordDelete"
	RemoveFolderPermissions      Action = "RemoveFolderPermissions"
	SearchQueryInitiated         Action = "SearchQueryInitiated"
	Send                         Action = "Send"
	SendAs                       Action = "SendAs"
	SendOnBehalf                 Action = "SendOnBehalf"
	SoftDelete                   Action = "SoftDelete"
	Update                       Action = "Update"
	UpdateCalendarDelegation     Action = "UpdateCalendarDelegation"
	UpdateComplianceTag          Action = "UpdateComplianceTag"
	UpdateFolderPermissions      Action = "UpdateFolderPermissions"
	UpdateInboxRules             Action = "UpdateInboxRules"
)

// Canonical gives the matrix spelling of a name written in any case. False means
// that this version does not know the name, which is then given back as it is.
// None and Default are not actions and give false too; see [NotAnAction].
func Canonical(name string) (Action, bool) {
	if i := rowOf(name); i >= 0 {
		return matrix[i].action, true
	}
	return Action(name), false
}

// NotAnAction explains a name that stands near the enumeration and can never be
// asked for: None and Default (members without a meaning as an audited action,
// semantics 1.1) and the two record names that search queries leave behind
// (Office365itpros #120). The second value is what to write instead, empty where
// nothing replaces it. An empty reason means that the name is not one of these.
func NotAnAction(name string) (reason string, instead Action) {
	switch strings.ToLower(name) {
	case "none":
		return "None is a member of the service's enumeration, not an action", ""
	case "default":
		return "Default is a member of the service's enumeration whose effect on a mailbox is not known", ""
	case "searchqueryinitiatedexchange", "searchqueryinitiatedsharepoint":
		return name + " is the name of a record, the service refuses it as a setting", SearchQueryInitiated
	default:
		return "", ""
	}
}

// TakenFor gives the members of the service's enumeration, sorted, that begin
// with a name which is none of them: the service completes such a name silently
// instead of refusing it (wire 1.2), by a choice among several that is not
// documented. None and Default are members too. Case does not matter. It is empty
// for a whole name and for one that no known member begins with.
func TakenFor(name string) []string {
	var members []string
	for _, m := range append(Actions(), "Default", "None") {
		switch {
		case strings.EqualFold(string(m), name):
			return nil
		case len(name) < len(m) && strings.EqualFold(string(m[:len(name)]), name):
			members = append(members, string(m))
		}
	}
	slices.Sort(members)
	return members
}

// FoldedInto names the action that records what a does, for the three folder
// permission actions which the service accepts and never records by themselves
// (Microsoft says not to use them; semantics 1.2 and 9.3). False for all others.
func FoldedInto(a Action) (Action, bool) {
	c, _ := Canonical(string(a))
	switch c {
	case AddFolderPermissions, ModifyFolderPermissions, RemoveFolderPermissions:
		return UpdateFolderPermissions, true
	default:
		return "", false
	}
}
