package simulator

import (
	"strconv"
	"strings"
	"time"
)

// mailboxView is a mailbox as one service shows it.
type mailboxView struct {
	m *Mailbox
	s *Service
}

// columns are the properties of each object kind, in the order they are sent.
type columns struct {
	mailbox      []property[mailboxView]
	bypass       []property[Bypass]
	user         []property[userView]
	organization []property[Organization]
	adminAudit   []property[Organization]

	recipient             []property[recipientView]
	retention             []property[RetentionPolicy]
	recipientPermission   []property[permissionView]
	mailboxPermission     []property[permissionView]
	mailboxPermissionList []property[permissionView]
}

func newColumns(t *Tenant) columns {
	return columns{
		mailbox:      mailboxColumns(t),
		bypass:       bypassColumns(t),
		user:         userColumns(t),
		organization: organizationColumns(t),
		adminAudit:   adminAuditColumns(t),

		recipient:             recipientColumns(t),
		retention:             retentionColumns(t),
		recipientPermission:   recipientPermissionColumns(),
		mailboxPermission:     mailboxPermissionColumns(),
		mailboxPermissionList: mailboxPermissionListColumns(),
	}
}

func mailboxColumns(t *Tenant) []property[mailboxView] {
	all := mailboxIdentityColumns(t)
	all = append(all, mailboxAuditColumns()...)
	all = append(all, mailboxStateColumns()...)
	for i := 1; i <= 15; i++ {
		all = append(all, boxText("CustomAttribute"+strconv.Itoa(i), func(m *Mailbox) string { return m.CustomAttributes[i] }))
	}
	return append(all, mailboxConstants()...)
}

func boxText(name string, read func(*Mailbox) string) property[mailboxView] {
	return property[mailboxView]{name, nil, func(b []byte, v *mailboxView) []byte { return appendString(b, read(v.m)) }}
}

func boxGuid(name string, read func(*Mailbox) string) property[mailboxView] {
	return property[mailboxView]{name, sidecarOf(name, wireGuid), func(b []byte, v *mailboxView) []byte { return appendString(b, read(v.m)) }}
}

func boxBool(name string, read func(*Mailbox) bool) property[mailboxView] {
	return property[mailboxView]{name, nil, func(b []byte, v *mailboxView) []byte { return appendBool(b, read(v.m)) }}
}

func boxList(name string, read func(*Mailbox) []string) property[mailboxView] {
	return property[mailboxView]{name, sidecarOf(name, wireList), func(b []byte, v *mailboxView) []byte { return appendList(b, read(v.m)) }}
}

func boxDate(name string, read func(*Mailbox) time.Time) property[mailboxView] {
	write := appendDate
	if strings.HasSuffix(name, "UTC") {
		write = appendUTC
	}
	return property[mailboxView]{name, sidecarOf(name, wireDate), func(b []byte, v *mailboxView) []byte { return write(b, read(v.m)) }}
}

// mailboxIdentityColumns name the mailbox.
func mailboxIdentityColumns(t *Tenant) []property[mailboxView] {
	f := forestOf(t)
	return []property[mailboxView]{
		boxText("ExternalDirectoryObjectId", func(m *Mailbox) string { return m.ExternalDirectoryObjectID }),
		boxGuid("ExchangeGuid", func(m *Mailbox) string { return m.ExchangeGuid }),
		boxGuid("Guid", func(m *Mailbox) string { return m.Guid }),
		boxGuid("ExchangeObjectId", func(m *Mailbox) string { return m.ExchangeObjectID }),
		boxText("UserPrincipalName", func(m *Mailbox) string { return m.UserPrincipalName }),
		boxText("WindowsLiveID", func(m *Mailbox) string { return m.UserPrincipalName }),
		boxText("MicrosoftOnlineServicesID", func(m *Mailbox) string { return m.UserPrincipalName }),
		boxText("Alias", func(m *Mailbox) string { return m.Alias }),
		boxText("DisplayName", func(m *Mailbox) string { return m.DisplayName }),
		boxText("Name", func(m *Mailbox) string { return m.Name }),
		boxText("Identity", (*Mailbox).identity),
		boxText("Id", (*Mailbox).identity),
		boxText("SamAccountName", func(m *Mailbox) string { return "$" + strings.ToUpper(m.Guid[:8]) }),
		boxText("PrimarySmtpAddress", func(m *Mailbox) string { return m.PrimarySMTPAddress }),
		boxText("WindowsEmailAddress", func(m *Mailbox) string { return m.PrimarySMTPAddress }),
		boxList("EmailAddresses", func(m *Mailbox) []string { return m.Addresses }),
		boxText("RecipientType", func(*Mailbox) string { return "UserMailbox" }),
		boxText("RecipientTypeDetails", func(m *Mailbox) string { return m.Type }),
		boxText("Office", func(m *Mailbox) string { return m.Office }),
		boxText("DistinguishedName", func(m *Mailbox) string { return "CN=" + m.identity() + "," + f.hosted() }),
		boxText("LegacyExchangeDN", func(m *Mailbox) string {
			return "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=" + strings.ReplaceAll(m.ExchangeGuid, "-", "")
		}),
		constant[mailboxView]("OrganizationalUnit", wireBare, quoted(strings.ToLower(f.fqdn)+"/Microsoft Exchange Hosted Organizations/"+f.domain)),
		constant[mailboxView]("OrganizationId", wireBare, quoted(f.organization())),
		constant[mailboxView]("ObjectCategory", wireBare, quoted(f.fqdn+"/Configuration/Schema/Person")),
		constant[mailboxView]("ObjectClass", wireList, `["top","person","organizationalPerson","user"]`),
	}
}

// mailboxAuditColumns are the audit block of wire 1.5.
func mailboxAuditColumns() []property[mailboxView] {
	list := func(logon string) property[mailboxView] {
		return boxList("Audit"+logon, func(m *Mailbox) []string { return m.shown(logon) })
	}
	return []property[mailboxView]{
		{"AuditEnabled", nil, func(b []byte, v *mailboxView) []byte {
			switch {
			case coveredByDefault(v.m.Type):
				return appendBool(b, true) // Whatever is stored (semantics 2.2).
			case v.m.AuditEnabled == Unset && v.s.switches.UnsetAuditEnabled == UnsetNull:
				return append(b, "null"...)
			}
			return appendBool(b, v.m.AuditEnabled == True)
		}},
		boxText("AuditLogAgeLimit", func(m *Mailbox) string { return m.AgeLimit }),
		list(logonAdmin), list(logonDelegate), list(logonOwner),
		boxList("DefaultAuditSet", func(m *Mailbox) []string {
			if m.Type == typeGroup {
				return logonTypes() // Always reads so (semantics 1.5).
			}
			return m.Managed
		}),
		boxDate("WhenMailboxCreated", func(m *Mailbox) time.Time { return m.Created }),
	}
}

// mailboxStateColumns follow from type, licence and dates.
func mailboxStateColumns() []property[mailboxView] {
	discovery := func(m *Mailbox) bool { return m.Type == typeDiscovery }
	resource := func(m *Mailbox) bool { return m.Type == typeRoom || m.Type == typeEquipment }
	return []property[mailboxView]{
		boxList("PersistedCapabilities", func(m *Mailbox) []string { return m.Capabilities }),
		boxList("GrantSendOnBehalfTo", func(m *Mailbox) []string { return m.SendOnBehalf }),
		boxBool("SKUAssigned", func(m *Mailbox) bool { return len(m.Capabilities) > 0 }),
		{"UsageLocation", nil, func(b []byte, v *mailboxView) []byte {
			if v.m.UsageLocation == "" {
				return append(b, "null"...)
			}
			return appendString(b, v.m.UsageLocation)
		}},
		boxBool("AccountDisabled", func(m *Mailbox) bool { return m.Type != typeUser }),
		boxBool("HiddenFromAddressListsEnabled", discovery),
		boxBool("IsShared", func(m *Mailbox) bool { return m.Type == typeShared || m.Type == typeDiscovery }),
		boxBool("IsResource", resource),
		{"ResourceType", nil, func(b []byte, v *mailboxView) []byte {
			switch v.m.Type {
			case typeRoom:
				return append(b, `"Room"`...)
			case typeEquipment:
				return append(b, `"Equipment"`...)
			}
			return append(b, "null"...)
		}},
		boxDate("WhenChanged", func(m *Mailbox) time.Time { return m.Changed }),
		boxDate("WhenCreated", func(m *Mailbox) time.Time { return m.Created }),
		boxDate("WhenChangedUTC", func(m *Mailbox) time.Time { return m.Changed }),
		boxDate("WhenCreatedUTC", func(m *Mailbox) time.Time { return m.Created }),
	}
}

// forest holds the directory names of a tenant.
type forest struct{ domain, fqdn string }

func forestOf(t *Tenant) forest { return forest{t.Domain(), "EURPR01A001.PROD.OUTLOOK.COM"} }

func (f forest) hosted() string {
	return "OU=" + f.domain + ",OU=Microsoft Exchange Hosted Organizations,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"
}

func (f forest) organization() string {
	return f.fqdn + "/Microsoft Exchange Hosted Organizations/" + f.domain + " - " + f.fqdn + "/ConfigurationUnits/" + f.domain + "/Configuration"
}

func quoted(s string) string { return string(appendString(nil, s)) }
