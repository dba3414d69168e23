package audit

import "strings"

// MatrixVersion is the month whose catalogue the matrix describes: the last in
// which Microsoft's default sets were published where we could read them
// (semantics 1.2). It is part of a policy's digest.
const MatrixVersion = "2025-04"

// Mark says how the service treats an action for a logon type.
type Mark uint8

// The marks, from the least to the most. The zero value is not a refusal: it
// says that the matrix has no such row.
const (
	// Unlisted means that the action is unknown to this version.
	Unlisted Mark = iota
	// Rejected means that the service refuses the whole call.
	Rejected
	// AcceptedUseless means that the service takes the action and records
	// nothing, or nothing of its own.
	AcceptedUseless
	// Accepted means that the action can be added and is not a default.
	Accepted
	// Default means accepted, and in Microsoft's managed set.
	Default
)

// String gives the mark in words.
func (m Mark) String() string {
	switch m {
	case Rejected:
		return "rejected"
	case AcceptedUseless:
		return "accepted, useless"
	case Accepted:
		return "accepted"
	case Default:
		return "default"
	default:
		return "unlisted"
	}
}

// row is what is known of one action on user and shared mailboxes.
type row struct {
	action   Action
	marks    [3]Mark // by LogonType
	refusal  string  // why a Rejected mark is refused; "" where no mark is
	licence  string  // "" none known to matter
	source   string  // where the row comes from, for people
	verified string  // day on which the source was read
}

const (
	premium = "before mid-2024 only with E5; the service may still answer that a licence is missing"
	unclear = "licence need not documented"

	microsoft = "Microsoft Purview, audit-mailboxes, 2023; defaults of o365soa/Scripts 3.0.1 and CIS v7.0"
	field     = "community scripts that agree (Nathan McNulty, Office365itpros); no Microsoft table seen"

	checked = "2026-11-23"
)

// matrix has one row per action, sorted by name, because a bit of an [ActionSet]
// is the index of its row. At most 32 rows fit. It is never written.
var matrix = [...]row{
	{AddFolderPermissions, [3]Mark{AcceptedUseless, AcceptedUseless, AcceptedUseless}, "", "", microsoft, checked},
	{ApplyPriorityCleanup, [3]Mark{Accepted, Accepted, Accepted}, "", unclear, field, checked},
	{ApplyRecord, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{AttachmentAccess, [3]Mark{Accepted, Accepted, Accepted}, "", unclear, field, checked},
	{Copy, [3]Mark{Accepted, Rejected, Rejected}, "copying is recorded for admins only", "", microsoft, checked},
	{Create, [3]Mark{Default, Default, Accepted}, "", "", microsoft, checked},
	{FolderBind, [3]Mark{Accepted, Accepted, Rejected}, "opening a folder is recorded for admins and delegates only", "", microsoft, checked},
	{HardDelete, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{MailItemsAccessed, [3]Mark{Default, Default, Default}, "", premium, microsoft, checked},
	{MailboxLogin, [3]Mark{Rejected, Rejected, AcceptedUseless}, "signing in is a setting of the owner only", "", microsoft, checked},
	{MessageBind, [3]Mark{Rejected, Rejected, Rejected}, "the service has deprecated it, use MailItemsAccessed", "", "o365soa/Scripts #29, 2024-05; OfficeDocs-o365seccomp #286", checked},
	{ModifyFolderPermissions, [3]Mark{AcceptedUseless, AcceptedUseless, AcceptedUseless}, "", "", microsoft, checked},
	{Move, [3]Mark{Accepted, Accepted, Accepted}, "", "", microsoft, checked},
	{MoveToDeletedItems, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{PreservedMailItemProactively, [3]Mark{Accepted, Accepted, Accepted}, "", unclear, field, checked},
	{PriorityCleanupDelete, [3]Mark{Accepted, Accepted, Accepted}, "", unclear, field, checked},
	{RecordDelete, [3]Mark{Accepted, Accepted, Accepted}, "", "", microsoft, checked},
	{RemoveFolderPermissions, [3]Mark{AcceptedUseless, AcceptedUseless, AcceptedUseless}, "", "", microsoft, checked},
	{SearchQueryInitiated, [3]Mark{Rejected, Rejected, Accepted}, "search queries are recorded for the owner only", premium, microsoft, checked},
	{Send, [3]Mark{Default, Rejected, Default}, "a delegate sends by SendAs or SendOnBehalf", premium, "microsoft-365-docs #5241; " + microsoft, checked},
	{SendAs, [3]Mark{Default, Default, Rejected}, "an owner does not send as another, use Send", "", microsoft, checked},
	{SendOnBehalf, [3]Mark{Default, Default, Rejected}, "an owner does not send on behalf of another, use Send", "", microsoft, checked},
	{SoftDelete, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{Update, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{UpdateCalendarDelegation, [3]Mark{Default, Rejected, Default}, "calendar delegation is recorded for admins and owners only", "", microsoft, checked},
	{UpdateComplianceTag, [3]Mark{Accepted, Accepted, Accepted}, "", unclear, "Search-MailboxAuditLog page; " + field, checked},
	{UpdateFolderPermissions, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
	{UpdateInboxRules, [3]Mark{Default, Default, Default}, "", "", microsoft, checked},
}

// rowOf finds a name written in any case; -1 where there is no such row.
func rowOf(name string) int {
	for i := range matrix {
		known := string(matrix[i].action)
		if len(known) == len(name) && strings.EqualFold(known, name) {
			return i
		}
	}
	return -1
}

// Actions gives every action of the matrix, sorted by name, those that the
// service refuses today included.
func Actions() []Action {
	all := make([]Action, len(matrix))
	for i := range matrix {
		all[i] = matrix[i].action
	}
	return all
}

// Status says how the service treats an action for a logon type on a user or
// shared mailbox. An action that the matrix does not know is [Unlisted].
func Status(l LogonType, a Action) Mark {
	i := rowOf(string(a))
	if i < 0 || l > Owner {
		return Unlisted
	}
	return matrix[i].marks[l]
}

// Rejection explains why the service refuses an action for a logon type, with
// the source, as half a sentence for a diagnostic. It is empty for an action
// that is accepted or unknown.
func Rejection(l LogonType, a Action) string {
	if Status(l, a) != Rejected {
		return ""
	}
	r := matrix[rowOf(string(a))]
	return r.refusal + " (" + r.source + "; checked " + r.verified + ")"
}

// Licence tells what is known of the licence that an action needs; empty where
// none is known to matter. It is a remark for people: the service decides when
// it is written to (semantics 1.4).
func Licence(a Action) string {
	if i := rowOf(string(a)); i >= 0 {
		return matrix[i].licence
	}
	return ""
}

// Defaults gives Microsoft's managed set for a logon type: 13 actions for Admin,
// 11 for Delegate, 10 for Owner (semantics 1.2). Published for user and shared
// mailboxes; other writable types are taken to have the same set, which is an
// inference. GroupMailbox has a fixed smaller set (semantics 1.5). It is the
// fallback where a tenant's own defaults could not be learned.
func Defaults(t MailboxType, l LogonType) ActionSet {
	if l > Owner {
		return ActionSet{}
	}
	if t == GroupMailbox {
		return groupDefaults(l)
	}
	var set ActionSet
	for i := range matrix {
		if matrix[i].marks[l] == Default {
			set.known |= 1 << i
		}
	}
	return set
}

// groupDefaults is the table of semantics 1.5 (Microsoft Purview, 2023): what a
// group mailbox records, which nobody can change.
func groupDefaults(l LogonType) ActionSet {
	set := NewActionSet(HardDelete, MoveToDeletedItems, SoftDelete, Update)
	if l == Owner {
		return set
	}
	return set.Union(NewActionSet(Create, SendAs, SendOnBehalf))
}
