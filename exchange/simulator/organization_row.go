package simulator

// organizationColumns are Get-OrganizationConfig (wire 1.5).
func organizationColumns(t *Tenant) []property[Organization] {
	f := forestOf(t)
	made := t.gen.seed.Now.AddDate(-1, 0, 0)
	text := func(name, value string) property[Organization] {
		return constant[Organization](name, wireBare, quoted(value))
	}
	all := []property[Organization]{
		text("OrganizationId", f.organization()),
		text("Name", f.domain),
		text("Identity", f.domain),
		constant[Organization]("Guid", wireGuid, quoted(t.gen.ids.guid(kindOrganization, fieldGuid, 0))),
		constant[Organization]("ExchangeObjectId", wireGuid, quoted(t.gen.ids.guid(kindOrganization, fieldExchangeObject, 0))),
		text("DisplayName", localPart(f.domain)),
		{"AuditDisabled", nil, func(b []byte, o *Organization) []byte { return appendBool(b, o.AuditDisabled) }},
		{"IsDehydrated", nil, func(b []byte, o *Organization) []byte { return appendBool(b, o.Dehydrated) }},
		text("Id", f.domain),
		text("DistinguishedName", "CN=Configuration,CN="+f.domain+",CN=ConfigurationUnits,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"),
		text("OrganizationalUnitRoot", f.domain),
		text("OriginatingServer", "AM1PR01A01DC001."+f.fqdn),
		constant[Organization]("WhenChanged", wireDate, string(appendDate(nil, made))),
		constant[Organization]("WhenCreated", wireDate, string(appendDate(nil, made))),
		constant[Organization]("WhenChangedUTC", wireDate, string(appendUTC(nil, made))),
		constant[Organization]("WhenCreatedUTC", wireDate, string(appendUTC(nil, made))),
	}
	return append(all, organizationConstants()...)
}
