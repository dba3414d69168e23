package exchange

import "strings"

// X-AnchorMailbox decides which backend serves a call (wire 1.4). The two system
// mailboxes have the same GUID in every tenant.
const (
	organizationMailbox = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
	auditLogMailbox     = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}"
)

// anchor is a routing hint. Its text is made after the token of the call, since
// who signed in may not be known before.
type anchor struct {
	kind     anchorKind
	identity string // of a mailbox
}

type anchorKind uint8

const (
	anchorOrganization anchorKind = iota
	anchorAuditLog
	anchorGUID
	anchorAddress
)

// organizationAnchor routes everything that has no mailbox of its own.
func organizationAnchor() anchor { return anchor{kind: anchorOrganization} }

// auditLogAnchor routes Set-AdminAuditLogConfig, which other backends refuse
// (semantics 4.6), and the reads that must see what it wrote.
func auditLogAnchor() anchor { return anchor{kind: anchorAuditLog} }

// mailboxAnchor routes a call to the server of the mailbox that identity names,
// as the service's own module does: by a GUID or an address, by the organization
// otherwise (wire 1.4).
func mailboxAnchor(identity string) anchor {
	switch {
	case isGUID(identity):
		return anchor{kind: anchorGUID, identity: identity}
	case isAddress(identity):
		return anchor{kind: anchorAddress, identity: identity}
	default:
		return organizationAnchor()
	}
}

// targeted tells a hint that was derived from a parameter, which the service is
// told by parameter-based-routing (wire 1.3).
func (a anchor) targeted() bool { return a.kind == anchorGUID || a.kind == anchorAddress }

// other is the anchor to try once where the backend of this one says that it is
// the wrong one (semantics 1.3 E8, 9.14): the mailbox's server gives way to the
// organization's, and the two system mailboxes to each other.
func (a anchor) other() anchor {
	if a.kind == anchorOrganization {
		return auditLogAnchor()
	}
	return organizationAnchor()
}

// anchorValue writes the hint. The calls of a person are routed by that person,
// as the service's own module does (wire 1.4); a system mailbox stands under UPN
// there and under APP for an application.
func (c *Client) anchorValue(a anchor) string {
	at := "@" + c.endpoint.tenant
	account := ""
	if c.account != nil {
		account = c.account()
	}
	switch {
	case c.endpoint.compliance && !isAddress(account):
		return c.complianceAnchor()
	case a.kind == anchorGUID:
		return "MBX:" + a.identity + at
	case a.kind == anchorAddress:
		return "SMTP:" + a.identity
	case a.kind == anchorAuditLog && isAddress(account):
		return "UPN:" + auditLogMailbox + at
	case a.kind == anchorAuditLog:
		return "APP:" + auditLogMailbox + at
	case isAddress(account):
		return "UPN:" + account
	default:
		return "APP:" + organizationMailbox + at
	}
}

// isAddress tells a mail address that can stand in a header.
func isAddress(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
