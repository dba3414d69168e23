package exchange

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// GroupKind is a kind of group whose members can be listed, by the service's name
// for it in RecipientTypeDetails.
type GroupKind string

// The kinds of a [Group].
const (
	DistributionList  GroupKind = "MailUniversalDistributionGroup"
	SecurityGroup     GroupKind = "MailUniversalSecurityGroup"
	Microsoft365Group GroupKind = "GroupMailbox"
	DynamicList       GroupKind = "DynamicDistributionGroup"
)

// members is the cmdlet that lists the members of a group of the kind, empty for
// a kind that is none.
func (k GroupKind) members() string {
	switch k {
	case DistributionList, SecurityGroup:
		return cmdletGetListMember
	case Microsoft365Group:
		return cmdletGetGroupLinks
	case DynamicList:
		return cmdletGetDynamicMember
	default:
		return ""
	}
}

// Group is a recipient with members. Guid and Kind are always known; without them
// there is an error instead.
type Group struct {
	Guid    string
	Kind    GroupKind
	Address Field[string] // PrimarySmtpAddress
	// Addresses are the proxy addresses, as smtp:leads@contoso.com; absent where the
	// group is a member of another.
	Addresses Field[[]string] // EmailAddresses
}

// NotAGroupError means that a recipient is of a type whose members this client
// cannot list.
type NotAGroupError struct {
	// Identity is what the recipient was asked for by, or its Guid.
	Identity string
	// Type is its RecipientTypeDetails.
	Type string
}

// Error names the recipient, its type, and the types that would do.
func (e *NotAGroupError) Error() string {
	return redact(fmt.Sprintf("%s is a %s and no group whose members can be listed; those are %s, %s, %s and %s",
		clean(e.Identity), clean(e.Type), DistributionList, SecurityGroup, Microsoft365Group, DynamicList))
}

// ReasonRow means that a row came without what it is known by. It is a [Reason] of
// an [IncompleteError].
const ReasonRow Reason = "the row lacks what it is known by"

// Member is one member of a group, which may be a group itself (see [Member.Group]).
// The columns are those of a recipient in the service's metadata; that the cmdlets
// which list members give these is not documented, and what they do not give is
// absent.
type Member struct {
	Guid                      Field[string]
	ExternalDirectoryObjectID Field[string]
	Type                      Field[string] // RecipientTypeDetails
	Address                   Field[string] // PrimarySmtpAddress
	// addresses is asked for where a group is looked up, and not of its members.
	addresses Field[[]string] // EmailAddresses
}

func memberProperty(m *Member, name []byte) property {
	switch string(name) {
	case "Guid":
		return &m.Guid
	case "ExternalDirectoryObjectId":
		return &m.ExternalDirectoryObjectID
	case "RecipientTypeDetails":
		return &m.Type
	case "PrimarySmtpAddress":
		return &m.Address
	case "EmailAddresses":
		return &m.addresses
	default:
		return nil
	}
}

// memberSelected is what the row of a recipient is asked for.
func memberSelected() []string {
	return []string{"Guid", "ExternalDirectoryObjectId", "RecipientTypeDetails", "PrimarySmtpAddress"}
}

// Group returns the member as a group, and whether it is one. The error means that
// nobody can say who is behind the member: it has no type or no usable Guid, or is
// of a type that sounds like a group and is none of the four, a [NotAGroupError].
func (m Member) Group() (Group, bool, error) {
	kind, typed := m.Type.Get()
	guid, known := m.Guid.Get()
	switch {
	case !typed || !known || !isGUID(guid):
		return Group{}, false, &IncompleteError{
			Cmdlet: "a member of a group", Reason: ReasonRow, Err: fmt.Errorf("its Guid is %v, its type %v", m.Guid.State, m.Type.State),
		}
	case GroupKind(kind).members() != "":
		return Group{Guid: strings.ToLower(guid), Kind: GroupKind(kind), Address: m.Address, Addresses: m.addresses}, true, nil
	case strings.Contains(strings.ToLower(kind), "group"), strings.EqualFold(kind, "RoomList"):
		return Group{}, false, &NotAGroupError{Identity: guid, Type: kind}
	default:
		return Group{}, false, nil
	}
}

// GroupByID looks up to [BatchSize] groups up in one HTTP request, each by an
// address or a GUID. The results have the order of identities. A recipient that is
// no group gives a [NotAGroupError], one that does not exist an error for which
// [IsNotFound] holds; a group without an address is not found, as it is no
// recipient. The service also finds a recipient by names that people choose, so that
// a caller who means an address has to look for it in the answer.
func (c *Client) GroupByID(ctx context.Context, identities []string) []Result[Group] {
	build := func(identity string) (invocation, error) {
		err := checkIdentity(cmdletGetRecipient, identity)
		if err == nil && strings.ContainsRune(identity, '*') {
			// It would be read as a pattern (wire 1.2 warns of Get-* that give all).
			err = invalidCall(cmdletGetRecipient, "the identity %q holds an asterisk", identity)
		}
		return invocation{
			params: params{"Identity": identity}, selected: append(memberSelected(), "EmailAddresses"), anchor: organizationAnchor(),
		}, err
	}
	judge := func(o outcome) Result[Group] { return asGroup(o, one(o, memberProperty)) }
	return batchOf(ctx, c, read, cmdletGetRecipient, identities, build, judge)
}

// asGroup turns the row of a recipient into a group.
func asGroup(o outcome, row Result[Member]) Result[Group] {
	r := Result[Group]{Err: row.Err, Warnings: row.Warnings}
	if r.Err != nil {
		return r
	}
	group, is, err := row.Value.Group()
	if incomplete, ok := errors.AsType[*IncompleteError](err); ok {
		err = o.wanting(ReasonRow, 1, incomplete.Err)
	} else if err == nil && !is {
		err = &NotAGroupError{Identity: row.Value.Guid.Value, Type: row.Value.Type.Value}
	}
	r.Value, r.Err = group, err
	return r
}

// GroupMembers lists the direct members of a group, page by page while the caller
// ranges over it. It ends with one [IncompleteError] where the listing is not
// whole.
func (c *Client) GroupMembers(ctx context.Context, g Group) iter.Seq2[Member, error] {
	cmdlet := g.Kind.members()
	if cmdlet == "" {
		return failing[Member](&NotAGroupError{Identity: g.Guid, Type: string(g.Kind)})
	}
	if err := checkGUID(cmdlet, g.Guid); err != nil {
		return failing[Member](err)
	}
	p := params{"Identity": g.Guid, "ResultSize": "Unlimited"}
	if cmdlet == cmdletGetGroupLinks {
		p["LinkType"] = "Members"
	}
	return listing(ctx, c, invocation{
		kind: read, cmdlet: cmdlet, params: p, selected: memberSelected(), anchor: organizationAnchor(),
	}, memberProperty)
}

// The cmdlets of groups.
const (
	cmdletGetRecipient     = "Get-Recipient"
	cmdletGetListMember    = "Get-DistributionGroupMember"
	cmdletGetGroupLinks    = "Get-UnifiedGroupLinks"
	cmdletGetDynamicMember = "Get-DynamicDistributionGroupMember"
)
