package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// appRole is the application permission that opens the admin API (wire 6).
	appRole = "Exchange.ManageAsApp"
	// certificateNotice is how long before its end a certificate is spoken of.
	certificateNotice = 30 * 24 * time.Hour
	// tokenNotice is the same for a token that nobody renews.
	tokenNotice = 10 * time.Minute
)

// credential judges the credential and what its token says.
func (e *examination) credential() {
	c := e.Credential
	for _, fact := range []struct{ name, text string }{{"credential", c.Description}, {"read from", c.Source}} {
		if fact.text != "" {
			e.add(Check{Area: AreaCredential, Name: fact.name, Status: OK, Seen: say("%s", fact.text)})
		}
	}
	if c.Err != nil {
		e.add(Check{
			Area: AreaCredential, Name: "token", Status: Missing, Seen: say("none: %v", c.Err),
			Fix: "do what the message says, then run doctor again: without a token nothing else can be tried",
		})
		e.certificate()
		return
	}
	e.certificate()
	if c.Token.Opaque {
		e.add(Check{
			Area: AreaCredential, Name: "token", Status: Warning,
			Seen: "it cannot be read, so its audience, roles and tenant are not known; what the service answers below decides",
		})
		return
	}
	e.expiry()
	e.audience()
	e.tokenTenant()
	e.roles()
}

func (e *examination) certificate() {
	end := e.Credential.CertificateExpires
	if end.IsZero() {
		return
	}
	check := Check{Area: AreaCredential, Name: "certificate", Status: OK, Seen: "valid until " + day(end)}
	left := end.Sub(e.Now())
	if left < certificateNotice {
		check.Status = Warning
		check.Fix = "make a new certificate, add it to the application beside this one, then change to it"
		check.Seen += fmt.Sprintf(", for %d days", max(0, int(left.Hours()/24)))
	}
	if left <= 0 {
		check.Status, check.Seen = Missing, "it ended on "+day(end)
	}
	e.add(check)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (e *examination) expiry() {
	end := e.Credential.Token.Expires
	if end.IsZero() {
		return
	}
	check := Check{Area: AreaCredential, Name: "token", Status: OK, Seen: "valid until " + end.UTC().Format(time.RFC3339)}
	switch left := end.Sub(e.Now()); {
	case left <= 0:
		check.Status, check.Seen = Missing, "it ended at "+end.UTC().Format(time.RFC3339)
		check.Fix = "get a new token"
	case left < tokenNotice && !e.Credential.Renews:
		check.Status = Warning
		check.Fix = "a run may outlast it: get a new token, or use a credential that renews it"
	}
	e.add(check)
}

// audience compares the token's audience with what was asked for. The service
// names itself by address or by application id (wire 6).
func (e *examination) audience() {
	asked := strings.TrimSuffix(e.Credential.Scope, "/.default")
	got := e.Credential.Token.Audience
	check := Check{Area: AreaCredential, Name: "audience", Status: OK, Seen: say("%s", got)}
	same := strings.EqualFold(strings.TrimSuffix(got, "/"), strings.TrimSuffix(asked, "/"))
	if !same && !strings.EqualFold(got, exchangeAppID) {
		check.Status = Warning
		check.Seen = say("%q, and %q was asked for; the service may refuse it", got, asked)
		check.Fix = say("get a token with the scope %s", e.Credential.Scope)
	}
	e.add(check)
}

func (e *examination) tokenTenant() {
	got := e.Credential.Token.TenantID
	switch {
	case got == "":
		e.add(Check{Area: AreaCredential, Name: "tenant", Status: Warning, Seen: "the token does not name one"})
	case strings.EqualFold(got, e.Tenant):
		e.add(Check{Area: AreaCredential, Name: "tenant", Status: OK, Seen: say("the token is of tenant %s", got)})
	default:
		e.add(Check{
			Area: AreaCredential, Name: "tenant", Status: Missing,
			Seen: say("the token is of tenant %s, and tenant %s is asked for", got, e.Tenant),
			Fix:  "give the tenant of the credential by --tenant or AZURE_TENANT_ID, or the credential of this tenant",
		})
	}
}

// roles judges the two grants that an application needs: the app role, and a
// directory role or membership in an Exchange role group (wire 6). The latter
// does not show in the token, so that a missing directory role is no gap by
// itself.
func (e *examination) roles() {
	t := e.Credential.Token
	var names []string
	known := false
	for _, id := range t.DirectoryRoles {
		name, ok := roleName(id)
		known = known || ok
		names = append(names, name)
	}
	slices.Sort(names)
	if t.UserName != "" {
		e.add(Check{
			Area: AreaCredential, Name: "app role", Status: OK,
			Seen: say("not needed: %s has signed in, and acts with that account's own roles", t.UserName),
		})
	} else if slices.Contains(t.Roles, appRole) {
		e.add(Check{Area: AreaCredential, Name: "app role", Status: OK, Seen: appRole})
	} else {
		seen := "the token holds no app role"
		if len(t.Roles) > 0 {
			seen = say("%s is not among the app roles of the token: %s", appRole, strings.Join(slices.Sorted(slices.Values(t.Roles)), ", "))
		}
		e.add(Check{
			Area: AreaCredential, Name: "app role", Status: Missing, Seen: seen,
			Fix: "give the application the permission " + appRole + " and consent to it, then get a new token",
		})
	}
	switch {
	case known:
		e.add(Check{Area: AreaCredential, Name: "directory role", Status: OK, Seen: say("%s", strings.Join(names, ", "))})
	case len(names) > 0:
		e.add(Check{
			Area: AreaCredential, Name: "directory role", Status: Warning,
			Seen: say("%s: not among those that Exchange Online honours; an Exchange role group may allow what is needed", strings.Join(names, ", ")),
		})
	default:
		e.add(Check{
			Area: AreaCredential, Name: "directory role", Status: Warning,
			Seen: "none in the token; an Exchange role group may allow what is needed, which no token shows",
		})
	}
}
