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
	return []Cloud{
		cloud("worldwide", "outlook.office365.com", "login.microsoftonline.com", ""),
		cloud("gcc", "outlook.office365.com", "login.microsoftonline.com", ""),
		cloud("gcc-high", "outlook.office365.us", "login.microsoftonline.us", ""),
		cloud("dod", "outlook-dod.office365.us", "login.microsoftonline.us",
			"the module's connection address and token audience are webmail.apps.mil"),
		cloud("china", "outlook.office365.cn", "login.partner.microsoftonline.cn",
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

func cloud(name, host, login, conflict string) Cloud {
	return Cloud{
		Name:      name,
		Endpoint:  "https://" + host,
		Scope:     "https://" + host + "/.default",
		Authority: "https://" + login,
		Source:    "admin API documentation, 2026-09-25, and public clients (wire 6)",
		Conflict:  conflict,
	}
}
