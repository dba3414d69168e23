// Package auth turns credentials into bearer tokens for Exchange Online: a client secret, a
// client certificate (PEM or PFX), a token that a platform's identity provider signed (from a
// file, or from GitHub for the job that runs), the managed identity of the machine or app, a
// person who signs in with a device code, or an access token that the caller holds already.
// A Provider is made from a Config; it gives one oauth2.TokenSource per scope, since the
// admin API, the compliance endpoint and others are different resources.
//
// The MSAL library speaks to the authority and holds the tokens; this package adds what it
// leaves open. Concurrent cold calls collapse into one request. An authority that throttles,
// fails or does not answer is asked again, five times within two minutes, as its Retry-After
// says. A token that the service has refused can be dropped (Provider.Invalidate), and a
// claims challenge passed on. A credential goes to Microsoft's sign-in hosts only, unless the
// configuration says that another authority is meant, follows no redirect, and goes to no
// other host that a discovery document may name. A certificate is checked before it is used.
// No error holds a token, an assertion or a secret: MSAL's own errors may hold the whole
// token response, so none of them is wrapped or printed.
//
// # Limits
//
// Tokens live in memory only, so a person signs in once per process. Regional token endpoints
// are never used: the environment variable MSAL_FORCE_REGION, which the library would obey
// without a word, is overridden. Managed identities are those of virtual machines (IMDS) and
// of App Service; the library takes the latter's address from the process's environment
// itself, and those of Azure Arc, Service Fabric, Cloud Shell and Azure ML are refused by
// name. A managed identity cannot pass a claims challenge on. Private keys are RSA, and
// encrypted in PFX files only. The claims of a token are read for people and never verified.
package auth
