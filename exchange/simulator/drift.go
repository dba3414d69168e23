package simulator

import "slices"

// drift customises or weakens the audit settings of a generated mailbox in one of the
// ways that tenants are known to hold (semantics 1.3 E3, 2.1, 2.2, 2.5).
func drift(m *Mailbox, h uint64) {
	switch h % 8 {
	case 0: // An owner list from before MailItemsAccessed was standard (semantics 1.4).
		m.pin(logonOwner, without(defaultActions(logonOwner), "MailItemsAccessed", "Send"))
	case 1:
		m.pin(logonDelegate, without(defaultActions(logonDelegate), "SendAs", "HardDelete"))
	case 2: // Richer than the default, yet out of Microsoft's management.
		m.pin(logonAdmin, append(defaultActions(logonAdmin), "Copy", "FolderBind"))
	case 3:
		m.AgeLimit = "30.00:00:00"
	case 4:
		m.AuditEnabled = False
	case 5:
		m.AuditEnabled = Unset
	case 6: // Customised before on-by-default: nothing managed, a deprecated action left (semantics 1.3 E3).
		m.pin(logonAdmin, []string{"Update", "Move", "MoveToDeletedItems", "SoftDelete", "HardDelete", "FolderBind", "SendAs", "SendOnBehalf", "MessageBind", "Create"})
		m.pin(logonDelegate, []string{"Update", "SoftDelete", "HardDelete", "SendAs", "Create"})
		m.pin(logonOwner, []string{"MailboxLogin"})
	case 7:
		m.AgeLimit = "365.00:00:00"
		m.pin(logonOwner, append(defaultActions(logonOwner), "MailboxLogin", "SearchQueryInitiated"))
	}
}

func without(list []string, drop ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return slices.Contains(drop, s) })
}
