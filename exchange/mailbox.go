package exchange

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Listing names one of the three listings of Get-Mailbox. None contains the
// mailboxes of another.
type Listing uint8

const (
	// Ordinary is every mailbox that is neither a group's nor a public folder's.
	Ordinary Listing = iota
	// Groups is the mailboxes of Microsoft 365 groups.
	Groups
	// PublicFolders is the public-folder mailboxes.
	PublicFolders
)

// String returns the name of the listing.
func (l Listing) String() string {
	switch l {
	case Ordinary:
		return "ordinary"
	case Groups:
		return "groups"
	case PublicFolders:
		return "publicFolders"
	default:
		return "listing " + strconv.Itoa(int(l))
	}
}

// switchOn sets the switch that the listing's mailboxes need, for reads and
// writes alike.
func (l Listing) switchOn(cmdlet string, p params) error {
	switch l {
	case Ordinary:
	case Groups:
		p["GroupMailbox"] = true
	case PublicFolders:
		p["PublicFolder"] = true
	default:
		return invalidCall(cmdlet, "there is no %v", l)
	}
	return nil
}

// Mailbox is one row of Get-Mailbox, with the properties that audit policies
// speak of (wire 1.5). Durations are the service's text, dd.hh:mm:ss.
type Mailbox struct {
	Guid                      Field[string]
	ExchangeObjectID          Field[string]
	ExternalDirectoryObjectID Field[string] // "" for system mailboxes
	UserPrincipalName         Field[string]
	PrimarySMTPAddress        Field[string]
	RecipientTypeDetails      Field[string]
	EmailAddresses            Field[[]string] // with prefix: "SMTP:", "smtp:", "SIP:"
	PersistedCapabilities     Field[[]string]
	// AuditEnabled is what the service shows, not always what it stores
	// (semantics 2.2).
	AuditEnabled     Field[bool]
	AuditLogAgeLimit Field[string]
	AuditAdmin       Field[[]string]
	AuditDelegate    Field[[]string]
	AuditOwner       Field[[]string]
	// DefaultAuditSet lists the logon types that Microsoft manages.
	DefaultAuditSet  Field[[]string]
	CustomAttributes [15]Field[string] // CustomAttribute1 is the first
	Office           Field[string]
	UsageLocation    Field[string]
	// GrantSendOnBehalfTo lists who may send on behalf of the mailbox.
	GrantSendOnBehalfTo Field[[]string]
	// Identity is how other rows name the mailbox, a [RecipientPermission] among
	// them; it need not be unique.
	Identity Field[string]
	// WhenChangedUTC and WhenMailboxCreated are dates as the service writes them,
	// see [ParseDate].
	WhenChangedUTC     Field[string]
	WhenMailboxCreated Field[string]
}

// ParseDate reads a date of a row: seven digits of fractions and Z or an offset
// (wire 1.5). One without a zone is taken for UTC, and is not a date to rely on to
// the hour. The zero time and false mean that the text is no date.
func ParseDate(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// mailboxProperty is the finder of Mailbox.
func mailboxProperty(m *Mailbox, name []byte) property {
	switch string(name) {
	case "Guid":
		return &m.Guid
	case "ExchangeObjectId":
		return &m.ExchangeObjectID
	case "ExternalDirectoryObjectId":
		return &m.ExternalDirectoryObjectID
	case "UserPrincipalName":
		return &m.UserPrincipalName
	case "PrimarySmtpAddress":
		return &m.PrimarySMTPAddress
	case "RecipientTypeDetails":
		return &m.RecipientTypeDetails
	case "EmailAddresses":
		return &m.EmailAddresses
	case "PersistedCapabilities":
		return &m.PersistedCapabilities
	case "Office":
		return &m.Office
	case "UsageLocation":
		return &m.UsageLocation
	case "GrantSendOnBehalfTo":
		return &m.GrantSendOnBehalfTo
	case "Identity":
		return &m.Identity
	case "WhenChangedUTC":
		return &m.WhenChangedUTC
	case "WhenMailboxCreated":
		return &m.WhenMailboxCreated
	}
	if rest, ok := strings.CutPrefix(string(name), "CustomAttribute"); ok {
		return m.customAttribute(rest)
	}
	return m.auditProperty(name)
}

func (m *Mailbox) auditProperty(name []byte) property {
	switch string(name) {
	case "AuditEnabled":
		return &m.AuditEnabled
	case "AuditLogAgeLimit":
		return &m.AuditLogAgeLimit
	case "AuditAdmin":
		return &m.AuditAdmin
	case "AuditDelegate":
		return &m.AuditDelegate
	case "AuditOwner":
		return &m.AuditOwner
	case "DefaultAuditSet":
		return &m.DefaultAuditSet
	default:
		return nil
	}
}

func (m *Mailbox) customAttribute(number string) property {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(m.CustomAttributes) || strconv.Itoa(n) != number {
		return nil
	}
	return &m.CustomAttributes[n-1]
}

// MailboxQuery says which mailboxes to list. Filter is what the server selects by,
// empty means all. Select names the properties to ask for, empty means all of about
// 260; the Guid is always among them.
type MailboxQuery struct {
	Listing Listing
	Filter  Filter
	Select  []string
}

// Mailboxes lists mailboxes, page by page while the caller ranges over it. It
// ends with one [IncompleteError] where the listing is not whole, and with
// [ErrInvalidCall] where the query cannot be asked.
func (c *Client) Mailboxes(ctx context.Context, q MailboxQuery) iter.Seq2[Mailbox, error] {
	p := params{"ResultSize": "Unlimited"}
	if err := q.Listing.switchOn(cmdletGetMailbox, p); err != nil {
		return failing[Mailbox](err)
	}
	if q.Filter != "" {
		p["Filter"] = q.Filter
	}
	return listing(ctx, c, invocation{
		kind: read, cmdlet: cmdletGetMailbox, params: p, selected: q.Select, anchor: organizationAnchor(),
	}, mailboxProperty)
}

// failing is a listing that could not begin.
func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

// MailboxRef names one mailbox. Guid is its Guid; for reads an address or another
// identity will do. Listing is the one it belongs to.
type MailboxRef struct {
	Guid    string
	Listing Listing
}

func (r MailboxRef) params(cmdlet string) (params, error) {
	p := params{"Identity": r.Guid}
	if err := checkIdentity(cmdlet, r.Guid); err != nil {
		return nil, err
	}
	return p, r.Listing.switchOn(cmdlet, p)
}

// MailboxesByID reads up to [BatchSize] mailboxes in one HTTP request, each
// through the server of its own mailbox. The results have the order of refs. A
// mailbox that does not exist gives an error for which [IsNotFound] holds.
func (c *Client) MailboxesByID(ctx context.Context, refs []MailboxRef, selected []string) []Result[Mailbox] {
	build := func(ref MailboxRef) (invocation, error) {
		p, err := ref.params(cmdletGetMailbox)
		if err == nil {
			err = checkSelected(cmdletGetMailbox, selected)
		}
		return invocation{params: p, selected: selected, anchor: mailboxAnchor(ref.Guid)}, err
	}
	judge := func(o outcome) Result[Mailbox] { return one(o, mailboxProperty) }
	return batchOf(ctx, c, read, cmdletGetMailbox, refs, build, judge)
}
