package doctor

import "strings"

// directoryRole is an Entra role that Exchange Online honours for an
// application.
type directoryRole struct{ id, name string }

// directoryRoles are the roles that Microsoft lists as supported for app-only
// access (wire 6), with the template ids of its page "Microsoft Entra built-in
// roles" (learn.microsoft.com/entra/identity/role-based-access-control/
// permissions-reference, 2026-07). An id that is not here is shown as it is.
func directoryRoles() []directoryRole {
	return []directoryRole{
		{"17315797-102d-40b4-93e0-432062caca18", "Compliance Administrator"},
		{"29232cdf-9323-42fd-ade2-1d097af3e4de", exchangeAdministrator},
		{"31392ffb-586c-42d1-9346-e59415a2cc4e", "Exchange Recipient Administrator"},
		{"62e90394-69f5-4237-9190-012177145e10", "Global Administrator"},
		{"f2ef992c-3afb-46b9-b7cf-a126ee74c451", globalReader},
		{"729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"},
		{"194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"},
		{"5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"},
	}
}

// The roles that this tool advises.
const (
	globalReader          = "Global Reader"
	exchangeAdministrator = "Exchange Administrator"
)

// roleName gives the name of a role with its id, or the id alone; known tells a
// role that Exchange Online honours.
func roleName(id string) (name string, known bool) {
	for _, r := range directoryRoles() {
		if strings.EqualFold(r.id, id) {
			return r.name + " (" + r.id + ")", true
		}
	}
	return id, false
}

// DirectoryRoleID gives the template id of an Entra role that Exchange Online
// honours, by its English name; empty where there is none.
func DirectoryRoleID(name string) string {
	for _, r := range directoryRoles() {
		if r.name == name {
			return r.id
		}
	}
	return ""
}
