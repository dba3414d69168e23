package exchange

import (
	"context"
	"iter"
)

// BypassAssociation is one row of Get-MailboxAuditBypassAssociation: an account,
// not a mailbox, and most often a system object (wire 1.5). Name is neither
// unique nor to be trusted.
type BypassAssociation struct {
	Guid             Field[string]
	ExchangeObjectID Field[string]
	Name             Field[string]
	Identity         Field[string]
	// AuditBypassEnabled means that nothing the account does is recorded.
	AuditBypassEnabled Field[bool]
}

func bypassProperty(b *BypassAssociation, name []byte) property {
	switch string(name) {
	case "Guid":
		return &b.Guid
	case "ExchangeObjectId":
		return &b.ExchangeObjectID
	case "Name":
		return &b.Name
	case "Identity":
		return &b.Identity
	case "AuditBypassEnabled":
		return &b.AuditBypassEnabled
	default:
		return nil
	}
}

// bypassSelected is what a row is asked for; its other properties are three
// quarters of it.
func bypassSelected() []string {
	return []string{"Guid", "ExchangeObjectId", "Name", "Identity", "AuditBypassEnabled"}
}

// BypassAssociations lists the accounts of the tenant with their bypass. The
// service has no filter for it, so all accounts come. It ends with one
// [IncompleteError] where the listing is not whole.
func (c *Client) BypassAssociations(ctx context.Context) iter.Seq2[BypassAssociation, error] {
	return listing(ctx, c, invocation{
		kind:   read,
		cmdlet: cmdletGetBypass,
		// Without it the service stops at 1000, silently for some (semantics 3).
		params:   params{"ResultSize": "Unlimited"},
		selected: bypassSelected(),
		anchor:   organizationAnchor(),
	}, bypassProperty)
}

// BypassByID reads the bypass of up to [BatchSize] accounts, by their Guid, in
// one HTTP request. The results have the order of guids.
func (c *Client) BypassByID(ctx context.Context, guids []string) []Result[BypassAssociation] {
	build := func(guid string) (invocation, error) {
		return invocation{
			params: params{"Identity": guid}, selected: bypassSelected(), anchor: organizationAnchor(),
		}, checkGUID(cmdletGetBypass, guid)
	}
	judge := func(o outcome) Result[BypassAssociation] { return one(o, bypassProperty) }
	return batchOf(ctx, c, read, cmdletGetBypass, guids, build, judge)
}

// BypassEdit takes the bypass from one account, named by its Guid. Enabled must
// be false: this tool never sets a bypass.
type BypassEdit struct {
	Guid    string
	Enabled bool
}

// SetBypass takes the bypass from up to [BatchSize] accounts in one HTTP request.
// The results have the order of edits; those without a Guid, and those that would
// set a bypass, end with [ErrInvalidCall] and are not sent.
func (c *Client) SetBypass(ctx context.Context, edits []BypassEdit) []Result[struct{}] {
	build := func(edit BypassEdit) (invocation, error) {
		if edit.Enabled {
			return invocation{}, invalidCall(cmdletSetBypass, "this tool never sets a bypass: nothing that %q does would be recorded", edit.Guid)
		}
		return invocation{
			params: params{"Identity": edit.Guid, "AuditBypassEnabled": edit.Enabled},
			anchor: organizationAnchor(),
		}, checkGUID(cmdletSetBypass, edit.Guid)
	}
	return batchOf(ctx, c, write, cmdletSetBypass, edits, build, outcome.written)
}
