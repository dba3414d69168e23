package audit

import "strings"

// MailboxType is the service's RecipientTypeDetails of a mailbox. The zero value
// means that the type is not known.
type MailboxType string

// The mailbox types that a listing of the service can show (semantics 2.4). The
// listings of group and public folder mailboxes are separate ones.
const (
	UserMailbox         MailboxType = "UserMailbox"
	SharedMailbox       MailboxType = "SharedMailbox"
	RoomMailbox         MailboxType = "RoomMailbox"
	EquipmentMailbox    MailboxType = "EquipmentMailbox"
	DiscoveryMailbox    MailboxType = "DiscoveryMailbox"
	SchedulingMailbox   MailboxType = "SchedulingMailbox"
	TeamMailbox         MailboxType = "TeamMailbox"
	LinkedMailbox       MailboxType = "LinkedMailbox"
	LinkedRoomMailbox   MailboxType = "LinkedRoomMailbox"
	LegacyMailbox       MailboxType = "LegacyMailbox"
	GroupMailbox        MailboxType = "GroupMailbox"
	PublicFolderMailbox MailboxType = "PublicFolderMailbox"
)

// Coverage says whether Microsoft's auditing on by default includes a type.
type Coverage uint8

// The degrees of coverage. The zero value claims nothing.
const (
	// Undocumented means that no source says it.
	Undocumented Coverage = iota
	// Covered means that the mailbox is audited whatever AuditEnabled stores.
	Covered
	// NotCovered means that the mailbox is audited only where AuditEnabled is
	// stored true.
	NotCovered
)

// Writability says which audit settings of a type can be set.
type Writability uint8

// The degrees of writability. The zero value claims nothing.
const (
	// WriteUndocumented means that no source says it.
	WriteUndocumented Writability = iota
	// FullyWritable means lists, AuditEnabled and the age limit.
	FullyWritable
	// AgeLimitOnly means AuditLogAgeLimit and nothing else.
	AgeLimitOnly
)

// typeRow is what semantics 2.4 knows of one mailbox type.
type typeRow struct {
	name   MailboxType
	covers Coverage
	writes Writability
	source string
}

// typeRows is sorted by name and never written.
var typeRows = [...]typeRow{
	{DiscoveryMailbox, NotCovered, FullyWritable, "CIS 6.1.2; OfficeDev/O365-InvestigationTooling writes it"},
	{EquipmentMailbox, NotCovered, FullyWritable, "Microsoft Purview 2023; a public runbook writes it"},
	{GroupMailbox, Covered, AgeLimitOnly, "Microsoft Purview 2023 (semantics 1.5)"},
	{LegacyMailbox, Undocumented, WriteUndocumented, "a filter value of Get-EXOMailbox only"},
	{LinkedMailbox, Undocumented, WriteUndocumented, "a filter value of Get-EXOMailbox only"},
	{LinkedRoomMailbox, Undocumented, WriteUndocumented, "a filter value of Get-EXOMailbox only"},
	{PublicFolderMailbox, NotCovered, FullyWritable, "Microsoft Purview 2023; Set-Mailbox -PublicFolder"},
	{RoomMailbox, NotCovered, FullyWritable, "Microsoft Purview 2023; a public runbook writes it"},
	{SchedulingMailbox, Undocumented, WriteUndocumented, "a filter value of Get-EXOMailbox only"},
	{SharedMailbox, Covered, FullyWritable, "Microsoft Purview 2023"},
	{TeamMailbox, Undocumented, WriteUndocumented, "a filter value of Get-EXOMailbox only"},
	{UserMailbox, Covered, FullyWritable, "Microsoft Purview 2023"},
}

func typeRowOf(name string) (typeRow, bool) {
	for _, r := range typeRows {
		if strings.EqualFold(string(r.name), name) {
			return r, true
		}
	}
	return typeRow{}, false
}

// MailboxTypes gives every type this version knows, sorted by name.
func MailboxTypes() []MailboxType {
	all := make([]MailboxType, len(typeRows))
	for i, r := range typeRows {
		all[i] = r.name
	}
	return all
}

// ParseMailboxType reads a RecipientTypeDetails name in any case. False means
// that this version does not know the type.
func ParseMailboxType(name string) (MailboxType, bool) {
	r, ok := typeRowOf(name)
	return r.name, ok
}

// OnByDefault says whether auditing on by default covers mailboxes of a type
// (semantics 2.4). For a covered type the service shows AuditEnabled true,
// whatever is stored (semantics 2.2). An unknown type is [Undocumented].
func OnByDefault(t MailboxType) Coverage {
	r, _ := typeRowOf(string(t))
	return r.covers
}

// Writable says which audit settings of a type can be set (semantics 2.4). An
// unknown type is [WriteUndocumented].
func Writable(t MailboxType) Writability {
	r, _ := typeRowOf(string(t))
	return r.writes
}

// TypeSource names where [OnByDefault] and [Writable] have their answer from;
// empty for an unknown type.
func TypeSource(t MailboxType) string {
	r, _ := typeRowOf(string(t))
	return r.source
}
