package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// tryRecipient looks a mailbox up as if it were a group. That it is none is an
// answer.
func (e *examination) tryRecipient(ctx context.Context) []trial {
	if e.mailbox == "" {
		return []trial{{parameter: identity, idle: noMailbox}}
	}
	err := e.tenant.GroupByID(ctx, []string{e.mailbox})[0].Err
	if _, isNone := errors.AsType[*exchange.NotAGroupError](err); isNone {
		err = nil
	}
	return []trial{{parameter: identity, err: err}}
}

// tryWhole makes the read of a cmdlet whose parameters always go together, so that
// a refusal cannot be told to be due to one of them.
func (e *examination) tryWhole(ctx context.Context, c Check, n reconcile.Need) Check {
	read := e.directoryRead(n.Cmdlet)
	if read == nil {
		return c
	}
	if e.mailbox == "" {
		c.Status, c.Seen = Unknown, "exported; "+noMailbox
		c.Fix = "see to it that the listing above shows one (its own gap, a read scope of the role, an empty tenant), then run doctor again"
		return c
	}
	with := " with " + strings.Join(n.Parameters, ", ")
	switch err := read(ctx); {
	case err == nil || exchange.IsNotFound(err):
		c.Seen = "called" + with + ", and it answered"
	case exchange.IsRefused(err) || isBindingError(err):
		c.Status, c.Seen = Missing, say("called%s, and refused%s", with, refusal(err))
		c.Fix = "its role lacks the cmdlet or one of these parameters: see the commands below"
	default:
		c.Status, c.Seen, c.Fix = Unknown, say("called%s, and it failed: %v", with, err), "run doctor again"
	}
	return c
}

// directoryRead is one small read with a cmdlet of groups or permissions, nil for
// any other. A mailbox that is asked for its members is not found, which is an
// answer too.
func (e *examination) directoryRead(cmdlet string) func(context.Context) error {
	members := func(k exchange.GroupKind) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := countRows(e.tenant.GroupMembers(ctx, exchange.Group{Guid: e.mailbox, Kind: k}))
			return err
		}
	}
	switch cmdlet {
	case "Get-DistributionGroupMember":
		return members(exchange.DistributionList)
	case "Get-DynamicDistributionGroupMember":
		return members(exchange.DynamicList)
	case "Get-UnifiedGroupLinks":
		return members(exchange.Microsoft365Group)
	case "Get-RecipientPermission":
		return func(ctx context.Context) error {
			if _, err := countRows(e.tenant.RecipientPermissions(ctx)); err != nil {
				return err
			}
			return e.tenant.RecipientPermissionsByID(ctx, []string{e.mailbox})[0].Err
		}
	case "Get-MailboxPermission":
		return func(ctx context.Context) error { return e.tenant.MailboxPermissions(ctx, []string{e.mailbox})[0].Err }
	default:
		return nil
	}
}
