package doctor

import "regexp"

// objectID stands for an id of Entra that no token need hold.
const objectID = "OBJECT-ID"

// grantee is whom the commands name: an application, or the person who signed in.
// What is not in a form that is harmless in a shell is replaced by a word, since the
// token that says it is not verified.
type grantee struct {
	name   string
	person bool
}

// grantee tells to whom what is missing has to be granted. The service looks at whom
// the token names, whatever the environment says; and where a person has signed in, at
// that person, and not at the application by which they did, which is Microsoft's own.
func (e *examination) grantee() grantee {
	c := e.Credential
	if c.Token.UserName != "" {
		if !regexp.MustCompile(`^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$`).MatchString(c.Token.UserName) {
			return grantee{"USER-NAME", true}
		}
		return grantee{c.Token.UserName, true}
	}
	for _, id := range []string{c.Token.AppID, c.ClientID} {
		if regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`).MatchString(id) {
			return grantee{id, false}
		}
	}
	return grantee{"APPLICATION-ID", false}
}

func (g grantee) noun() string {
	if g.person {
		return "account"
	}
	return "application"
}

// whoIs is the command that gives the object id: of the enterprise application, or of
// the account.
func (g grantee) whoIs() string {
	kind := "sp"
	if g.person {
		kind = "user"
	}
	return "az ad " + kind + " show --id " + g.name + " --query id --output tsv   # " + objectID
}

// join are the commands that make it a member of a role group (wire 6 for an
// application, which Exchange has to be told of first).
func (g grantee) join(group string) []string {
	if g.person {
		return []string{`Add-RoleGroupMember -Identity "` + group + `" -Member ` + g.name}
	}
	return []string{
		g.whoIs(),
		"New-ServicePrincipal -AppId " + g.name + " -ObjectId " + objectID + ` -DisplayName "` + group + `"`,
		`Add-RoleGroupMember -Identity "` + group + `" -Member ` + objectID,
	}
}
