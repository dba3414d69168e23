package simulator

import (
	"slices"
	"strconv"
)

// AdminAudit is the admin audit log's configuration, read-only in Exchange Online
// (semantics 4.1): only [Tenant.UpdateAdminAudit] changes it.
type AdminAudit struct {
	Enabled                              bool // AdminAuditLogEnabled.
	Cmdlets, Parameters, ExcludedCmdlets []string
	AgeLimit                             string // "90.00:00:00".
	LogLevel                             string // None or Verbose.
	TestCmdletLogging                    bool
}

// defaultAdminAudit is what published tenants show (wire 1.5).
func defaultAdminAudit() AdminAudit {
	return AdminAudit{Enabled: true, Cmdlets: []string{"*"}, Parameters: []string{"*"}, ExcludedCmdlets: []string{}, AgeLimit: defaultAgeLimit, LogLevel: "None"}
}

func (a AdminAudit) clone() AdminAudit {
	a.Cmdlets, a.Parameters, a.ExcludedCmdlets = slices.Clone(a.Cmdlets), slices.Clone(a.Parameters), slices.Clone(a.ExcludedCmdlets)
	return a
}

// AdminAudit returns the admin audit log's configuration.
func (t *Tenant) AdminAudit() AdminAudit {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.dir.admin.clone()
}

// UpdateAdminAudit changes the admin audit log's configuration; the function must not
// call the tenant's methods.
func (t *Tenant) UpdateAdminAudit(change func(*AdminAudit)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.dir.admin)
}

func (a AdminAudit) pairs(tenant string) [][2]string {
	at := "adminAudit/" + tenant + "/"
	return [][2]string{
		{at + "AdminAuditLogEnabled", strconv.FormatBool(a.Enabled)},
		{at + "AdminAuditLogCmdlets", sortedList(a.Cmdlets)},
		{at + "AdminAuditLogParameters", sortedList(a.Parameters)},
		{at + "AdminAuditLogExcludedCmdlets", sortedList(a.ExcludedCmdlets)},
		{at + "AdminAuditLogAgeLimit", a.AgeLimit},
		{at + "LogLevel", a.LogLevel},
		{at + "TestCmdletLoggingEnabled", strconv.FormatBool(a.TestCmdletLogging)},
	}
}

// adminAuditStateColumns are the columns that can differ from tenant to tenant.
func adminAuditStateColumns(t *Tenant) []property[Organization] {
	text := func(name string, read func(AdminAudit) string) property[Organization] {
		return property[Organization]{name, nil, func(b []byte, _ *Organization) []byte { return appendString(b, read(t.AdminAudit())) }}
	}
	flag := func(name string, read func(AdminAudit) bool) property[Organization] {
		return property[Organization]{name, nil, func(b []byte, _ *Organization) []byte { return appendBool(b, read(t.AdminAudit())) }}
	}
	list := func(name string, read func(AdminAudit) []string) property[Organization] {
		return property[Organization]{name, sidecarOf(name, wireList), func(b []byte, _ *Organization) []byte { return appendList(b, read(t.AdminAudit())) }}
	}
	return []property[Organization]{
		flag("AdminAuditLogEnabled", func(a AdminAudit) bool { return a.Enabled }),
		text("LogLevel", func(a AdminAudit) string { return a.LogLevel }),
		flag("TestCmdletLoggingEnabled", func(a AdminAudit) bool { return a.TestCmdletLogging }),
		list("AdminAuditLogCmdlets", func(a AdminAudit) []string { return a.Cmdlets }),
		list("AdminAuditLogParameters", func(a AdminAudit) []string { return a.Parameters }),
		list("AdminAuditLogExcludedCmdlets", func(a AdminAudit) []string { return a.ExcludedCmdlets }),
		text("AdminAuditLogAgeLimit", func(a AdminAudit) string { return a.AgeLimit }),
	}
}
