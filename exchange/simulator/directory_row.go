package simulator

import (
	"slices"
	"strings"
)

// recipientView is a mailbox or a group as Get-Recipient and the listings of members
// show it.
type recipientView struct {
	guid, exchange, entra, kind, name, display, alias, address string
	addresses                                                  []string
	capabilities                                               []string
}

func viewOfMailbox(m Mailbox) recipientView {
	return recipientView{
		guid: m.Guid, exchange: m.ExchangeObjectID, entra: m.ExternalDirectoryObjectID, kind: m.Type, name: m.Name, display: m.DisplayName,
		alias: m.Alias, address: m.PrimarySMTPAddress, addresses: m.Addresses, capabilities: m.Capabilities,
	}
}

func viewOfGroup(g Group) recipientView {
	return recipientView{
		guid: g.Guid, exchange: g.Guid, entra: g.ExternalDirectoryObjectID, kind: g.Type, name: g.Name, display: g.Name,
		alias: localPart(g.PrimarySMTPAddress), address: g.PrimarySMTPAddress, addresses: g.Addresses,
	}
}

// recipientColumns are of the metadata's entity Recipient, which writes a Guid as a text.
// Whether the cmdlets that list members send all of it is not known.
func recipientColumns(t *Tenant) []property[recipientView] {
	f := forestOf(t)
	text := func(name string, read func(*recipientView) string) property[recipientView] {
		return property[recipientView]{name, nil, func(b []byte, r *recipientView) []byte { return appendString(b, read(r)) }}
	}
	guid := func(name string, read func(*recipientView) string) property[recipientView] {
		return property[recipientView]{name, sidecarOf(name, wireGuid), func(b []byte, r *recipientView) []byte { return appendString(b, read(r)) }}
	}
	list := func(name string, read func(*recipientView) []string) property[recipientView] {
		return property[recipientView]{name, sidecarOf(name, wireList), func(b []byte, r *recipientView) []byte { return appendList(b, read(r)) }}
	}
	identity := func(r *recipientView) string {
		if r.entra != "" {
			return r.entra
		}
		return r.name
	}
	columns := []property[recipientView]{
		text("ExternalDirectoryObjectId", func(r *recipientView) string { return r.entra }),
		text("Identity", identity),
		text("Alias", func(r *recipientView) string { return r.alias }),
		list("EmailAddresses", func(r *recipientView) []string { return r.addresses }),
		text("DisplayName", func(r *recipientView) string { return r.display }),
		text("Name", func(r *recipientView) string { return r.name }),
		text("PrimarySmtpAddress", func(r *recipientView) string { return r.address }),
		text("RecipientType", func(r *recipientView) string {
			if slices.Contains(recipientTypes(), r.kind) {
				return "UserMailbox"
			}
			return r.kind
		}),
		text("RecipientTypeDetails", func(r *recipientView) string { return r.kind }),
		list("Capabilities", func(r *recipientView) []string { return r.capabilities }),
		text("DistinguishedName", func(r *recipientView) string { return "CN=" + identity(r) + "," + f.hosted() }),
		guid("ExchangeObjectId", func(r *recipientView) string { return r.exchange }),
		constant[recipientView]("OrganizationId", wireBare, quoted(f.organization())),
		text("Id", identity),
		guid("Guid", func(r *recipientView) string { return r.guid }),
	}
	for _, name := range []string{"City", "Company", "Department", "FirstName", "LastName", "Notes", "Office", "Phone", "Title"} {
		columns = append(columns, constant[recipientView](name, wireBare, `""`))
	}
	return columns
}

// permissionView is an entry with the mailbox that it is about.
type permissionView struct {
	Permission
	identity string
}

func permissionText(name string, read func(*permissionView) string) property[permissionView] {
	return property[permissionView]{name, nil, func(b []byte, p *permissionView) []byte { return appendString(b, read(p)) }}
}

func permissionRights() property[permissionView] {
	return property[permissionView]{"AccessRights", sidecarOf("AccessRights", wireList), func(b []byte, p *permissionView) []byte { return appendList(b, p.Rights) }}
}

func permissionInherited() property[permissionView] {
	return property[permissionView]{"IsInherited", nil, func(b []byte, p *permissionView) []byte { return appendBool(b, p.Inherited) }}
}

// recipientPermissionColumns are of the metadata's entity RecipientPermission.
func recipientPermissionColumns() []property[permissionView] {
	return []property[permissionView]{
		permissionText("Identity", func(p *permissionView) string { return p.identity }),
		permissionText("Trustee", func(p *permissionView) string { return p.Trustee }),
		permissionText("AccessControlType", func(p *permissionView) string {
			if p.Deny {
				return "Deny"
			}
			return "Allow"
		}),
		permissionRights(),
		permissionInherited(),
		constant[permissionView]("InheritanceType", wireBare, `"None"`),
	}
}

// mailboxPermissionColumns are what the cmdlet shows: the parts of the metadata's
// MailboxPermissionInfo beside who it is about. The rights of an entry are one text
// in a list of one (audit-records 3: ["FullAccess, ReadPermission"]).
func mailboxPermissionColumns() []property[permissionView] {
	joined := permissionRights()
	joined.write = func(b []byte, p *permissionView) []byte { return appendList(b, []string{strings.Join(p.Rights, ", ")}) }
	return []property[permissionView]{
		joined,
		{"Deny", nil, func(b []byte, p *permissionView) []byte { return appendBool(b, p.Deny) }},
		constant[permissionView]("InheritanceType", wireBare, `"All"`),
		permissionText("User", func(p *permissionView) string { return p.Trustee }),
		permissionText("Identity", func(p *permissionView) string { return p.identity }),
		permissionInherited(),
		constant[permissionView]("IsValid", wireBare, "true"),
	}
}

// mailboxPermissionListColumns are of the metadata's entity MailboxPermission.
func mailboxPermissionListColumns() []property[permissionView] {
	return []property[permissionView]{
		permissionText("MailboxIdentity", func(p *permissionView) string { return p.identity }),
		permissionText("User", func(p *permissionView) string { return p.Trustee }),
		{"IsOwner", nil, func(b []byte, _ *permissionView) []byte { return appendBool(b, false) }},
		{"PermissionList", []Field{{"PermissionList@odata.type", []byte(`"#Collection(Exchange.MailboxPermissionInfo)"`)}}, func(b []byte, p *permissionView) []byte {
			b = append(b, `[{"AccessRights":`...)
			b = append(appendList(b, p.Rights), `,"IsInherited":`...)
			b = append(appendBool(b, p.Inherited), `,"Deny":`...)
			b = append(appendBool(b, p.Deny), `,"InheritanceType":"All"}]`...)
			return b
		}},
	}
}
