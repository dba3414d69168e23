package exchange

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Delegation is what a permission row says about delegates of the mailbox.
type Delegation uint8

const (
	// DelegationUnknown means that the row is not of a form that is known.
	DelegationUnknown Delegation = iota
	// NotDelegated means that the row gives nobody else the right: it is the
	// mailbox's own, denies, is inherited, or is for an account that is gone.
	NotDelegated
	// Delegated means that the row gives somebody else the right.
	Delegated
)

// String returns the name of the delegation.
func (d Delegation) String() string {
	switch d {
	case NotDelegated:
		return "notDelegated"
	case Delegated:
		return "delegated"
	default:
		return "unknown"
	}
}

// delegation judges one row. Any part that alone rules a delegate out does so,
// whatever is not known of the others.
func delegation(trustee Field[string], rights Field[[]string], right string, inherited, deny Field[bool]) Delegation {
	who, named := trustee.Get()
	what, listed := rights.Get()
	has, plain := holdsRight(what, right)
	switch {
	case inherited == Of(true), deny == Of(true), listed && plain && !has, named && isNobodyElse(who):
		return NotDelegated
	case !listed, !has, inherited.State != Set, deny.State != Set, !named, isBlank(who):
		return DelegationUnknown
	default:
		return Delegated
	}
}

// holdsRight tells whether a list of rights holds one, and whether each of them is
// a plain name. An element may be several names with commas between them
// (audit-records 3: ["FullAccess, ReadPermission"]); what is no name, such as the
// number of a right, may stand for any.
func holdsRight(rights []string, right string) (has, plain bool) {
	plain = true
	for _, element := range rights {
		for name := range strings.SplitSeq(element, ",") {
			name = strings.TrimSpace(name)
			has = has || sameAction(name, right)
			plain = plain && name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz") == ""
		}
	}
	return has, plain
}

// isNobodyElse tells the mailbox itself, and the bare security identifier of an
// account that is gone.
func isNobodyElse(trustee string) bool {
	trustee = strings.TrimSpace(trustee)
	return strings.EqualFold(trustee, `NT AUTHORITY\SELF`) || len(trustee) > len(orphaned) && strings.EqualFold(trustee[:len(orphaned)], orphaned)
}

const orphaned = "S-1-5-21-"

// RecipientPermission is one row of Get-RecipientPermission: who may send as a
// recipient. The columns are those of the service's metadata; no capture of the
// cmdlet is known.
type RecipientPermission struct {
	// Identity names the recipient as the Identity of its own row does, a [Mailbox]
	// having it where it was selected. It is not a Guid and need not be unique.
	Identity          Field[string]
	Trustee           Field[string]
	AccessControlType Field[string] // Allow or Deny
	AccessRights      Field[[]string]
	IsInherited       Field[bool]
}

func recipientPermissionProperty(p *RecipientPermission, name []byte) property {
	switch string(name) {
	case "Identity":
		return &p.Identity
	case "Trustee":
		return &p.Trustee
	case "AccessControlType":
		return &p.AccessControlType
	case "AccessRights":
		return &p.AccessRights
	case "IsInherited":
		return &p.IsInherited
	default:
		return nil
	}
}

// Delegation tells whether the row lets somebody else send as the recipient.
func (p RecipientPermission) Delegation() Delegation {
	var deny Field[bool]
	switch kind, _ := p.AccessControlType.Get(); {
	case strings.EqualFold(kind, "Allow"):
		deny = Of(false)
	case strings.EqualFold(kind, "Deny"):
		deny = Of(true)
	}
	return delegation(p.Trustee, p.AccessRights, "SendAs", p.IsInherited, deny)
}

// RecipientPermissions lists who may send as whom, in the whole tenant; each
// mailbox is in it at least with itself. It ends with one [IncompleteError] where
// the listing is not whole.
func (c *Client) RecipientPermissions(ctx context.Context) iter.Seq2[RecipientPermission, error] {
	return listing(ctx, c, invocation{
		kind: read, cmdlet: cmdletGetRecipientPermission, params: params{"ResultSize": "Unlimited"}, anchor: organizationAnchor(),
	}, recipientPermissionProperty)
}

// RecipientPermissionsByID reads who may send as each of up to [BatchSize] mailboxes,
// by their Guid, in one HTTP request: for those that the Identity of a row in the
// listing of all does not tell apart. The results have the order of guids.
func (c *Client) RecipientPermissionsByID(ctx context.Context, guids []string) []Result[[]RecipientPermission] {
	build := func(guid string) (invocation, error) {
		return invocation{
			params: params{"Identity": guid, "ResultSize": "Unlimited"}, anchor: mailboxAnchor(guid),
		}, checkGUID(cmdletGetRecipientPermission, guid)
	}
	judge := func(o outcome) Result[[]RecipientPermission] { return several(o, recipientPermissionProperty) }
	return batchOf(ctx, c, read, cmdletGetRecipientPermission, guids, build, judge)
}

// MailboxPermission is one row of Get-MailboxPermission. The cmdlet's own form has
// a row per trustee and kind of right; the metadata has a row per trustee with a
// list of what it may. Both are read, the latter as several of the former.
type MailboxPermission struct {
	User         Field[string]
	AccessRights Field[[]string]
	IsInherited  Field[bool]
	Deny         Field[bool]
	list         permissionList
}

func mailboxPermissionProperty(p *MailboxPermission, name []byte) property {
	switch string(name) {
	case "User":
		return &p.User
	case "PermissionList":
		return &p.list
	default:
		return p.right(name)
	}
}

// right finds what both forms have.
func (p *MailboxPermission) right(name []byte) property {
	switch string(name) {
	case "AccessRights":
		return &p.AccessRights
	case "IsInherited":
		return &p.IsInherited
	case "Deny":
		return &p.Deny
	default:
		return nil
	}
}

// Delegation tells whether the row gives somebody else full access.
func (p MailboxPermission) Delegation() Delegation {
	return delegation(p.User, p.AccessRights, "FullAccess", p.IsInherited, p.Deny)
}

// each returns the row, or one for each element of the list in it. A row that has
// both forms, or a list that cannot be read, is one of which no right is known.
func (p MailboxPermission) each() []MailboxPermission {
	flat := p.AccessRights.State != Absent || p.IsInherited.State != Absent || p.Deny.State != Absent
	if p.list.state == Absent {
		return []MailboxPermission{p}
	}
	if flat || p.list.state != Set {
		return []MailboxPermission{{User: p.User, AccessRights: Field[[]string]{State: Mistyped}}}
	}
	out := make([]MailboxPermission, 0, len(p.list.rows))
	for _, row := range p.list.rows {
		row.User = p.User
		out = append(out, row)
	}
	return out
}

// permissionList is the property PermissionList.
type permissionList struct {
	rows  []MailboxPermission
	state State
}

func (l *permissionList) take(dec *jsontext.Decoder, shared names) error {
	if l.state != Absent {
		l.rows, l.state = nil, Duplicate
		return dec.SkipValue()
	}
	if dec.PeekKind() != '[' {
		l.state = Mistyped
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	l.state = Set
	for dec.PeekKind() != ']' {
		var row MailboxPermission
		if err := takeRow(dec, shared, row.right); err != nil {
			return err
		}
		l.rows = append(l.rows, row)
	}
	_, err := dec.ReadToken()
	return err
}

// MailboxPermissions reads who has what access to up to [BatchSize] mailboxes, by
// their Guid, in one HTTP request. The results have the order of guids; each holds
// all rows, those of the mailbox itself among them (see
// [MailboxPermission.Delegation]).
func (c *Client) MailboxPermissions(ctx context.Context, guids []string) []Result[[]MailboxPermission] {
	build := func(guid string) (invocation, error) {
		return invocation{
			params: params{"Identity": guid, "ResultSize": "Unlimited"}, anchor: mailboxAnchor(guid),
		}, checkGUID(cmdletGetMailboxPermission, guid)
	}
	judge := func(o outcome) Result[[]MailboxPermission] {
		r := several(o, mailboxPermissionProperty)
		if r.Err == nil {
			flat := []MailboxPermission{}
			for _, row := range r.Value {
				flat = append(flat, row.each()...)
			}
			r.Value = flat
		}
		return r
	}
	return batchOf(ctx, c, read, cmdletGetMailboxPermission, guids, build, judge)
}

// several judges the answer to a read of a short list: all its rows on one page,
// and nothing that says there are more.
func several[T any](o outcome, find finder[T]) Result[[]T] {
	var r Result[[]T]
	a, err := o.answer()
	r.Warnings = a.warnings
	switch {
	case err != nil && a.reason != "":
		r.Err = o.wanting(a.reason, 0, err)
	case err != nil:
		r.Err = err
	case a.valueState != Set:
		r.Err = o.wanting(ReasonNoValue, 0, nil)
	}
	if r.Err != nil {
		return r
	}
	list := []T{}
	if err := rows(a, nil, find, func(row T) bool {
		list = append(list, row)
		return true
	}); err != nil {
		r.Err = o.wanting(ReasonTruncated, len(list), err)
		return r
	}
	if r.Err = o.complete(a, len(list)); r.Err == nil {
		r.Value = list
	}
	return r
}

// complete tells whether a page is all there is.
func (o outcome) complete(a answer, count int) error {
	if a.nextLink != "" {
		return o.wanting(ReasonMoreResults, count, errors.New("there is a link to more"))
	}
	for _, warning := range a.warnings {
		switch classify(o.cmdlet, warning) {
		case warningMoreResults:
			return o.wanting(ReasonMoreResults, count, nil)
		case warningUnknown:
			return o.wanting(ReasonWarning, count, errors.New(warning))
		default: // known, and harmless to a listing
		}
	}
	return nil
}

// The cmdlets of permissions.
const (
	cmdletGetRecipientPermission = "Get-RecipientPermission"
	cmdletGetMailboxPermission   = "Get-MailboxPermission"
)
