package simulator

import (
	"slices"
	"strings"
)

// apply checks an edit against a mailbox and makes it.
func (e mailboxEdit) apply(c *call, m *Mailbox) *apiError {
	lists := e.lists[0].given || e.lists[1].given || e.lists[2].given
	if m.Type == typeGroup && (lists || e.enabled != Unset || len(e.restore) > 0) {
		// A group mailbox has a fixed set; only its age limit can be set (semantics 1.5).
		return c.cmdletError(typeRecipientTask, m.identity(), "The audit actions of a group mailbox can't be changed.")
	}
	for i, logon := range logonTypes() {
		if err := e.lists[i].check(c, m, logon); err != nil {
			return err
		}
	}
	for i, logon := range logonTypes() {
		if e.lists[i].given {
			m.pin(logon, e.lists[i].result(c, m, logon))
		}
	}
	if len(e.restore) > 0 {
		m.restore(e.restore)
	}
	if e.ageLimit != "" {
		m.AgeLimit = e.ageLimit
	}
	if e.enabled != Unset && !(c.s.switches.HiddenSet == HiddenSetSwallowed && e.enabled == True && coveredByDefault(m.Type)) {
		m.AuditEnabled = e.enabled
	}
	return nil
}

// check refuses what the service refuses (semantics 1.3 E2, E3, E4, E6), one bad value failing the whole call.
func (e listEdit) check(c *call, m *Mailbox, logon string) *apiError {
	wanted := append(slices.Clone(e.replace), e.add...)
	if slices.Contains(wanted, "MessageBind") {
		return c.cmdletError(typeRecipientTask, m.identity(), "MessageBind audit operation type is deprecated. Use MailItemsAccessed audit operation type instead.")
	}
	for _, action := range wanted {
		if !acceptsAction(logon, action) {
			return c.cmdletError(typeRecipientTask, m.identity(), "Invalid audit operation specified. Supported audit operations for %s are %s.", logonPhrase(logon), staleActions(logon))
		}
	}
	if action := e.unlicensed(c, m, logon, wanted); action != "" {
		return c.cmdletError(typeRecipientTask, m.identity(), "Auditing of %s event is only available for users with appropriate license. Please visit the documentation to know more about this.", action)
	}
	if c.s.switches.ReAdd != ReAddError {
		return nil
	}
	for _, action := range e.add {
		if slices.Contains(m.shown(logon), action) {
			return c.cmdletError(typeRecipientTask, m.identity(), "The input audit operation(s) is/are already being audited")
		}
	}
	return nil
}

// unlicensed names the action that is refused for want of a licence, or nothing. The fault
// refuses a list whatever it holds: that actions beyond the known three need a licence is
// not known, nor that they do not (semantics 1.2).
func (e listEdit) unlicensed(c *call, m *Mailbox, logon string, wanted []string) string {
	for _, action := range wanted {
		if (m.Unlicensed || c.fired.has(DoUnlicensed)) && needsLicence(action) && !slices.Contains(m.shown(logon), action) {
			return action
		}
	}
	if c.fired.has(DoUnlicensed) && len(wanted) > 0 {
		return wanted[0]
	}
	return ""
}

// result is the list after the edit. Writing any list pins its logon type (semantics 2.1).
func (e listEdit) result(c *call, m *Mailbox, logon string) []string {
	if len(e.replace) > 0 {
		if have := m.stored(logon); sortedList(have) == sortedList(e.replace) {
			return have // Order carries no meaning, so this is no change (semantics 2.1).
		}
		return e.replace
	}
	list := slices.Clone(m.shown(logon))
	if c.s.switches.AddBase == AddBaseStored && slices.Contains(m.Managed, logon) {
		list = slices.Clone(m.stored(logon))
	}
	for _, action := range e.add {
		if !slices.Contains(list, action) {
			list = append(list, action)
		}
	}
	return slices.DeleteFunc(list, func(action string) bool { return slices.Contains(e.remove, action) })
}

// restore sets DefaultAuditSet to the given types: their own actions are lost, and a
// managed type that is not named is pinned with the list it shows. Whether the service
// leaves such a type managed is unknown; a client must name them all (semantics 2.1).
func (m *Mailbox) restore(types []string) {
	var managed []string
	for _, logon := range logonTypes() {
		switch {
		case slices.Contains(types, logon):
			managed = append(managed, logon)
			if !slices.Contains(m.Managed, logon) {
				m.setStored(logon, nil)
			}
		case slices.Contains(m.Managed, logon):
			m.setStored(logon, slices.Clone(m.shown(logon)))
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(managed)), slices.Sorted(slices.Values(m.Managed))) {
		m.Managed = managed
	}
}

// logonPhrase is how the error text names a logon type.
func logonPhrase(logon string) string {
	if logon == logonOwner {
		return "Mailbox Owner"
	}
	return logon
}

// staleActions is the list in the error text, which is old and incomplete: the truth
// is acceptsAction (semantics 1.3 E2).
func staleActions(logon string) string {
	list := []string{"None"}
	for _, action := range []string{"Copy", "Create", "FolderBind", "SendAs", "SendOnBehalf", "SoftDelete", "HardDelete", "Update", "Move", "MoveToDeletedItems"} {
		if acceptsAction(logon, action) {
			list = append(list, action)
		}
	}
	return strings.Join(list, ", ") + " and UpdateFolderPermissions"
}
