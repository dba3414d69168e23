package audit

import "strings"

// LogonType says in which role somebody acted in a mailbox. Each mailbox has one
// list of audited actions per logon type (AuditAdmin, AuditDelegate, AuditOwner).
type LogonType uint8

// The three logon types, in the order in which the service prints them.
const (
	// Admin is access by administrative means.
	Admin LogonType = iota
	// Delegate is access by another user with permissions on the mailbox.
	Delegate
	// Owner is access by the mailbox's own account.
	Owner
)

// LogonTypes gives all logon types in their fixed order. The index of each is
// its own value, so an array of three can be indexed by logon type.
func LogonTypes() [3]LogonType { return [3]LogonType{Admin, Delegate, Owner} }

// String gives the service's name, as it stands in DefaultAuditSet: Admin,
// Delegate or Owner.
func (l LogonType) String() string {
	switch l {
	case Admin:
		return "Admin"
	case Delegate:
		return "Delegate"
	case Owner:
		return "Owner"
	default:
		return "LogonType(?)"
	}
}

// ParseLogonType reads a service's name in any case. False means that the name
// is none of the three.
func ParseLogonType(name string) (LogonType, bool) {
	for _, l := range LogonTypes() {
		if strings.EqualFold(name, l.String()) {
			return l, true
		}
	}
	return 0, false
}
