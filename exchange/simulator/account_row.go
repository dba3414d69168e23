package simulator

import "time"

// bypassColumns are the row of wire 1.5: no UPN, no type, names that are not unique.
func bypassColumns(t *Tenant) []property[Bypass] {
	f := forestOf(t)
	text := func(name string, read func(*Bypass) string) property[Bypass] {
		return property[Bypass]{name, nil, func(b []byte, row *Bypass) []byte { return appendString(b, read(row)) }}
	}
	id := func(name string, read func(*Bypass) string) property[Bypass] {
		return property[Bypass]{name, sidecarOf(name, wireIDString), func(b []byte, row *Bypass) []byte { return appendString(b, read(row)) }}
	}
	name := func(row *Bypass) string { return row.Name }
	return []property[Bypass]{
		text("ObjectId", name),
		{"AuditBypassEnabled", nil, func(b []byte, row *Bypass) []byte { return appendBool(b, row.Enabled) }},
		text("Name", name),
		text("Identity", name),
		text("Id", name),
		constant[Bypass]("IsValid", wireBare, "true"),
		text("DistinguishedName", func(row *Bypass) string { return "CN=" + row.Name + "," + f.hosted() }),
		constant[Bypass]("ObjectClass", wireList, `["top","person","organizationalPerson","user"]`),
		{"WhenChangedUTC", sidecarOf("WhenChangedUTC", wireDate), func(b []byte, row *Bypass) []byte { return appendUTC(b, row.Changed) }},
		id("ExchangeObjectId", func(row *Bypass) string { return row.ExchangeObjectID }),
		constant[Bypass]("OrganizationId", wireBare, quoted(f.organization())),
		id("Guid", func(row *Bypass) string { return row.Guid }),
	}
}

// userView is an account as Get-User shows it.
type userView struct {
	User
	s       *Service
	kind    string // RecipientTypeDetails.
	display string
}

func userColumns(t *Tenant) []property[userView] {
	f := forestOf(t)
	text := func(name string, read func(*userView) string) property[userView] {
		return property[userView]{name, nil, func(b []byte, u *userView) []byte { return appendString(b, read(u)) }}
	}
	upn := func(u *userView) string { return u.UserPrincipalName }
	identity := func(u *userView) string {
		if u.ExternalDirectoryObjectID != "" {
			return u.ExternalDirectoryObjectID
		}
		return u.Name
	}
	columns := []property[userView]{
		text("ExternalDirectoryObjectId", func(u *userView) string { return u.ExternalDirectoryObjectID }),
		{"Guid", sidecarOf("Guid", wireGuid), func(b []byte, u *userView) []byte { return appendString(b, u.Guid) }},
		{"ExchangeObjectId", sidecarOf("ExchangeObjectId", wireGuid), func(b []byte, u *userView) []byte { return appendString(b, u.ExchangeObjectID) }},
		text("UserPrincipalName", upn),
		text("WindowsLiveID", upn),
		text("MicrosoftOnlineServicesID", upn),
		text("Name", func(u *userView) string { return u.Name }),
		text("DisplayName", func(u *userView) string {
			if u.display != "" {
				return u.display
			}
			return u.Name
		}),
		text("Identity", identity),
		text("Id", identity),
		text("RecipientType", func(u *userView) string {
			if u.kind == "User" {
				return "User"
			}
			return "UserMailbox"
		}),
		text("RecipientTypeDetails", func(u *userView) string { return u.kind }),
		constant[userView]("OrganizationId", wireBare, quoted(f.organization())),
		text("DistinguishedName", func(u *userView) string { return "CN=" + identity(u) + "," + f.hosted() }),
	}
	for _, name := range []string{"IsLinked", "IsDirSynced", "IsInactiveMailbox", "AccountDisabled", "IsSoftDeletedByRemove", "IsSoftDeletedByDisable"} {
		columns = append(columns, constant[userView](name, wireBare, "false"))
	}
	for _, name := range []string{"City", "Company", "Department", "FirstName", "LastName", "Office", "Title", "Phone", "MobilePhone", "Notes"} {
		columns = append(columns, constant[userView](name, wireBare, `""`))
	}
	for _, name := range []string{"AdministrativeUnits", "DirectReports", "VoiceMailSettings", "SidHistory"} {
		columns = append(columns, constant[userView](name, wireList, "[]"))
	}
	return columns
}

// adminAuditColumns are Get-AdminAuditLogConfig (wire 1.5); all but the unified log
// switch is read-only in Exchange Online (semantics 4.1).
func adminAuditColumns(t *Tenant) []property[Organization] {
	f := forestOf(t)
	id := t.gen.ids.guid(kindOrganization, fieldExchangeObject, 1)
	date := func(name string, moment time.Time) property[Organization] {
		return constant[Organization](name, wireDate, string(appendUTC(nil, moment)))
	}
	made := t.gen.seed.Now.AddDate(-1, 0, 0)
	name := quoted("Admin Audit Log Settings")
	return append(adminAuditStateColumns(t), []property[Organization]{
		constant[Organization]("LoadBalancerCount", wireInt32, "3"),
		constant[Organization]("RefreshInterval", wireInt32, "10"),
		constant[Organization]("PartitionInfo", wireList, "[]"),
		constant[Organization]("AdminAuditLogMailbox", wireBare, `""`),
		{"UnifiedAuditLogIngestionEnabled", nil, func(b []byte, o *Organization) []byte { return appendBool(b, o.UnifiedAuditLog) }},
		date("UnifiedAuditLogFirstOptInDate", made),
		constant[Organization]("AdminDisplayName", wireBare, `""`),
		constant[Organization]("ExchangeVersion", wireBare, quoted("0.10 (14.0.100.0)")),
		constant[Organization]("Name", wireBare, name),
		constant[Organization]("DistinguishedName", wireBare, quoted("CN=Admin Audit Log Settings,CN=Global Settings,CN=Configuration,CN="+f.domain+",CN=ConfigurationUnits,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM")),
		constant[Organization]("Identity", wireBare, name),
		constant[Organization]("ObjectCategory", wireBare, quoted(f.fqdn+"/Configuration/Schema/ms-Exch-Admin-Audit-Log-Config")),
		constant[Organization]("ObjectClass", wireList, `["top","msExchAdminAuditLogConfig"]`),
		constant[Organization]("WhenChanged", wireDate, string(appendDate(nil, made))),
		constant[Organization]("WhenCreated", wireDate, string(appendDate(nil, made))),
		date("WhenChangedUTC", made),
		date("WhenCreatedUTC", made),
		constant[Organization]("ExchangeObjectId", wireGuid, quoted(id)),
		constant[Organization]("OrganizationalUnitRoot", wireBare, quoted(f.domain)),
		constant[Organization]("OrganizationId", wireBare, quoted(f.organization())),
		constant[Organization]("Id", wireBare, name),
		constant[Organization]("Guid", wireGuid, quoted(id)),
		constant[Organization]("OriginatingServer", wireBare, quoted("AM1PR01A01DC001."+f.fqdn)),
		constant[Organization]("IsValid", wireBare, "true"),
		constant[Organization]("ObjectState", wireBare, `"Unchanged"`),
	}...)
}
