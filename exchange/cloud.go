package exchange

import "strings"

// Cloud is one row of the table of Microsoft's clouds (wire 6).
type Cloud struct {
	// Name is the word of the --cloud flag.
	Name string
	// Endpoint is the address of the admin API.
	Endpoint string
	// Scope is what a token for the admin API is asked for.
	Scope string
	// ComplianceEndpoint is the address of the Security & Compliance service, and
	// ComplianceScope what a token for it is asked for.
	ComplianceEndpoint, ComplianceScope string
	// ComplianceConflict names what other sources say of that address instead.
	ComplianceConflict string
	// Authority is the address of the login service.
	Authority string
	// Source says where the row comes from.
	Source string
	// Conflict names what other sources say instead; empty where they agree.
	Conflict string
}

// Clouds returns the table in a fixed order. Every value can be overridden by
// its user: two rows rest on sources that contradict each other.
func Clouds() []Cloud {
	const worldwide, us = "ps.compliance.protection.outlook.com", "ps.compliance.protection.office365.us"
	dod := cloud("dod", "outlook-dod.office365.us", us, "login.microsoftonline.us",
		"the module's connection address and token audience are webmail.apps.mil")
	dod.ComplianceConflict = "other pages name l5.ps.compliance.protection.office365.us and compliance.dod.microsoft.com"
	return []Cloud{
		cloud("worldwide", "outlook.office365.com", worldwide, "login.microsoftonline.com", ""),
		cloud("gcc", "outlook.office365.com", worldwide, "login.microsoftonline.com", ""),
		cloud("gcc-high", "outlook.office365.us", us, "login.microsoftonline.us", ""),
		dod,
		cloud("china", "outlook.office365.cn", "ps.compliance.protection.partner.outlook.cn", "login.partner.microsoftonline.cn",
			"the module's connection address is partner.outlook.cn; older pages name login.chinacloudapi.cn"),
	}
}

// CloudNamed returns the row of that name, in any case.
func CloudNamed(name string) (Cloud, bool) {
	for _, c := range Clouds() {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Cloud{}, false
}

func cloud(name, host, compliance, login, conflict string) Cloud {
	return Cloud{
		Name:     name,
		Endpoint: "https://" + host,
		Scope:    "https://" + host + "/.default",

		ComplianceEndpoint: "https://" + compliance,
		ComplianceScope:    "https://" + compliance + "/.default",

		Authority: "https://" + login,
		Source:    "admin API documentation, 2026-09-25, and public clients (wire 6)",
		Conflict:  conflict,
	}
}
