// Package auth turns the credentials of an application into bearer tokens for Exchange
// Online: a client secret, a client certificate, or an access token that the caller holds
// already. A Provider is made from a Config; it gives one oauth2.TokenSource per scope,
// since the admin API, the compliance endpoint and others are different resources.
//
// The MSAL library speaks to the authority and holds the tokens; this package adds what it
// leaves open. Concurrent cold calls collapse into one request. A token that the service has
// refused can be dropped (Provider.Invalidate). The secret goes to Microsoft's sign-in
// hosts only, unless the configuration says that another authority is meant, follows no
// redirect, and goes to no other host that a discovery document may name. A certificate is
// checked before it is used. No error holds a token, an assertion or a secret: MSAL's own
// errors may hold the whole token response, so none of them is wrapped or printed.
//
// # Limits
//
// A refused or throttled token request (429, 503) is not tried again here; the Error says so
// and carries RetryAfter. Tokens live in memory only. Regional token endpoints are never
// used: the environment variable MSAL_FORCE_REGION, which the library would obey without a
// word, is overridden. Workload identity federation, GitHub's OIDC tokens, managed identity,
// device code and PFX files are known by name and refused with that reason.
package auth
