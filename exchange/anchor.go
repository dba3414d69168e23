package exchange

import "strings"

// X-AnchorMailbox decides which backend serves a call (wire 1.4). The two system
// mailboxes have the same GUID in every tenant.
const (
	organizationMailbox = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
	auditLogMailbox     = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}"
)

// anchor is a routing hint. targeted is set where the hint was derived from a
// parameter, which the service is told by parameter-based-routing (wire 1.3).
type anchor struct {
	value    string
	targeted bool
}

// organizationAnchor routes everything that has no mailbox of its own.
func (e endpoint) organizationAnchor() anchor {
	return anchor{value: "APP:" + organizationMailbox + "@" + e.tenant}
}

// auditLogAnchor routes Set-AdminAuditLogConfig, which other backends refuse
// (semantics 4.6), and the reads that must see what it wrote.
func (e endpoint) auditLogAnchor() anchor {
	return anchor{value: "APP:" + auditLogMailbox + "@" + e.tenant}
}

// mailboxAnchor routes a call to the server of the mailbox that identity names,
// as the service's own module does: MBX for a GUID, SMTP for an address, the
// organization otherwise (wire 1.4).
func (e endpoint) mailboxAnchor(identity string) anchor {
	switch {
	case isGUID(identity):
		return anchor{value: "MBX:" + identity + "@" + e.tenant, targeted: true}
	case isAddress(identity):
		return anchor{value: "SMTP:" + identity, targeted: true}
	default:
		return e.organizationAnchor()
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
