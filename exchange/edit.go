package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// ListEdit adds actions to a list of a mailbox and removes others: what it does
// not name stays as it is. Or it replaces the whole list; an empty list is
// refused, since the service takes it for no change (wire 1.2).
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
	// DefaultAuditSet lists the logon types that Microsoft is to manage: those
	// managed now and those to restore. It cannot stand in one edit with a
	// ListEdit, as the effect of both together is not known (semantics 10).
	DefaultAuditSet []string
}

// SetMailboxes changes up to [BatchSize] mailboxes in one HTTP request, one
// Set-Mailbox each. The results have the order of edits. Edits that change
// nothing or name no mailbox end with [ErrInvalidCall] and are not sent. Nothing
// is repeated unless the service said 429; a result with another error may have
// been executed.
func (c *Client) SetMailboxes(ctx context.Context, edits []MailboxEdit) []Result[struct{}] {
	build := func(edit MailboxEdit) (invocation, error) {
		p, err := edit.params()
		return invocation{params: p, anchor: c.endpoint.mailboxAnchor(edit.Ref.Guid)}, err
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
		actions := slices.Concat(list.edit.Add, list.edit.Remove, list.edit.Replace)
		if len(actions) == 0 || slices.ContainsFunc(actions, isBlank) {
			return invalidCall(cmdletSetMailbox, "the edit of %s names no action, or an empty one: sent, it could clear the list", list.name)
		}
		if list.edit.Replace != nil && len(list.edit.Add)+len(list.edit.Remove) > 0 {
			return invalidCall(cmdletSetMailbox, "the edit of %s both replaces the list and changes it", list.name)
		}
		if e.DefaultAuditSet != nil {
			return invalidCall(cmdletSetMailbox, "DefaultAuditSet and %s cannot be set in one call", list.name)
		}
		p[list.name] = list.edit.encode()
	}
	if e.DefaultAuditSet == nil {
		return nil
	}
	if len(e.DefaultAuditSet) == 0 || slices.ContainsFunc(e.DefaultAuditSet, isBlank) {
		return invalidCall(cmdletSetMailbox, "DefaultAuditSet names no logon type")
	}
	p["DefaultAuditSet"] = e.DefaultAuditSet
	return nil
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
