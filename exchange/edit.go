package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// ListEdit adds actions to a list of a mailbox and removes others: what it does
// not name stays as it is. Or it replaces the whole list; an empty list is
// refused, since the service takes it for no change (wire 1.2). None and Default
// are refused, as is an action that is both added and removed.
type ListEdit struct {
	Add, Remove []string
	// Replace is the whole new list; it stands alone.
	Replace []string
}

// MailboxEdit is what one Set-Mailbox changes; a zero field changes nothing.
type MailboxEdit struct {
	// Ref names the mailbox, by its Guid.
	Ref          MailboxRef
	AuditEnabled *bool
	// AuditLogAgeLimit is a duration above zero in the service's form,
	// dd.hh:mm:ss.
	AuditLogAgeLimit       string
	Admin, Delegate, Owner *ListEdit
	// DefaultAuditSet lists the logon types that Microsoft is to manage, of Admin,
	// Delegate and Owner: those managed now and those to restore. It cannot stand
	// in one edit with a ListEdit, as the effect of both together is not known
	// (semantics 10).
	DefaultAuditSet []string
}

// SetMailboxes changes up to [BatchSize] mailboxes in one HTTP request, one
// Set-Mailbox each. The results have the order of edits. Edits that change
// nothing or name no mailbox end with [ErrInvalidCall] and are not sent. Nothing
// is repeated unless the service said 429 or 401; a result with another error may have
// been executed.
func (c *Client) SetMailboxes(ctx context.Context, edits []MailboxEdit) []Result[struct{}] {
	build := func(edit MailboxEdit) (invocation, error) {
		p, err := edit.params()
		return invocation{params: p, anchor: mailboxAnchor(edit.Ref.Guid)}, err
	}
	return batchOf(ctx, c, write, cmdletSetMailbox, edits, build, outcome.written)
}

// params encodes the edit, or refuses it.
func (e MailboxEdit) params() (params, error) {
	p, err := e.Ref.params(cmdletSetMailbox)
	if err != nil {
		return nil, err
	}
	if err := checkGUID(cmdletSetMailbox, e.Ref.Guid); err != nil {
		return nil, err
	}
	named := len(p)
	if e.AuditEnabled != nil {
		p["AuditEnabled"] = *e.AuditEnabled
	}
	if e.AuditLogAgeLimit != "" {
		if !isPositiveSpan(e.AuditLogAgeLimit) {
			return nil, invalidCall(cmdletSetMailbox, "the age limit %q is not a duration above zero in the form dd.hh:mm:ss", e.AuditLogAgeLimit)
		}
		p["AuditLogAgeLimit"] = e.AuditLogAgeLimit
	}
	if err := e.lists(p); err != nil {
		return nil, err
	}
	if len(p) == named {
		return nil, invalidCall(cmdletSetMailbox, "the edit of %s changes nothing", e.Ref.Guid)
	}
	return p, nil
}

// lists encodes the audit lists.
func (e MailboxEdit) lists(p params) error {
	for _, list := range []struct {
		name string
		edit *ListEdit
	}{{"AuditAdmin", e.Admin}, {"AuditDelegate", e.Delegate}, {"AuditOwner", e.Owner}} {
		if list.edit == nil {
			continue
		}
		if err := list.edit.check(list.name); err != nil {
			return err
		}
		if e.DefaultAuditSet != nil {
			return invalidCall(cmdletSetMailbox, "DefaultAuditSet and %s cannot be set in one call", list.name)
		}
		p[list.name] = list.edit.encode()
	}
	if e.DefaultAuditSet == nil {
		return nil
	}
	if len(e.DefaultAuditSet) == 0 {
		return invalidCall(cmdletSetMailbox, "DefaultAuditSet names no logon type")
	}
	for _, kind := range e.DefaultAuditSet {
		switch kind {
		case "Admin", "Delegate", "Owner":
		default: // the service would take a part of a name for the whole (wire 1.2)
			return invalidCall(cmdletSetMailbox, "DefaultAuditSet: %q is none of Admin, Delegate and Owner", kind)
		}
	}
	p["DefaultAuditSet"] = e.DefaultAuditSet
	return nil
}

// check refuses a list edit that is empty, says two things at once, or names
// what is no action: None and Default are values of the whole list.
func (l *ListEdit) check(name string) error {
	actions := slices.Concat(l.Add, l.Remove, l.Replace)
	if len(actions) == 0 || slices.ContainsFunc(actions, isBlank) {
		return invalidCall(cmdletSetMailbox, "the edit of %s names no action, or an empty one: sent, it could clear the list", name)
	}
	if l.Replace != nil && len(l.Add)+len(l.Remove) > 0 {
		return invalidCall(cmdletSetMailbox, "the edit of %s both replaces the list and changes it", name)
	}
	for _, action := range actions {
		if sameAction(action, "None") || sameAction(action, "Default") {
			return invalidCall(cmdletSetMailbox, "the edit of %s names %q, which is no action and could empty the list", name, action)
		}
	}
	for _, added := range l.Add {
		if slices.ContainsFunc(l.Remove, func(removed string) bool { return sameAction(added, removed) }) {
			return invalidCall(cmdletSetMailbox, "the edit of %s both adds and removes %q", name, added)
		}
	}
	return nil
}

// sameAction compares in any case and without the spaces around.
func sameAction(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// isPositiveSpan tells [d.]hh:mm:ss above zero: a limit of zero empties the log.
func isPositiveSpan(s string) bool {
	days, clock, dotted := strings.Cut(s, ".")
	if !dotted {
		days, clock = "0", s
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return false
	}
	above := false
	for i, part := range append([]string{days}, parts...) {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || i > 0 && (len(part) != 2 || n > [...]uint64{0, 23, 59, 59}[i]) {
			return false
		}
		above = above || n > 0
	}
	return above
}
