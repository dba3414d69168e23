package auth

import (
	"fmt"
	"time"
)

// advice is what the hint about a refusal depends on, beside its code.
type advice struct {
	kind      Kind
	assertion claims // the one sent last, of an identity provider; zero for other kinds
	chosen    bool   // a managed identity was named by its client id
}

// on says what to do about a code, or about the word of OAuth where the code tells nothing.
// The codes are those of libraries section 1, those of federated credentials, and
// AADSTS7000222, whose own text says that the secret keys are expired.
func (a advice) on(code, word string, skew time.Duration) string {
	switch code {
	case "AADSTS7000215":
		return "check AZURE_CLIENT_SECRET: it must be the secret's value, not its id, of this application"
	case "AADSTS7000222":
		return "make a new client secret in the application registration, and set AZURE_CLIENT_SECRET to its value"
	case "AADSTS700016":
		return "check AZURE_CLIENT_ID and the tenant: the application must be registered in, or consented to by, this tenant"
	case "AADSTS700027":
		if a.kind == KindCertificate {
			return "upload the public part of this certificate to the application registration, and check that AZURE_CLIENT_ID is that application"
		}
		return "the assertion does not verify: " + a.federation()
	case "AADSTS700024":
		return a.time(skew)
	case "AADSTS90002":
		return "check the tenant, and that --cloud or AZURE_AUTHORITY_HOST is the cloud that it lives in"
	case "AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213":
		return a.federation()
	}
	return a.word(word)
}

// word is the advice on an error that has no number: of OAuth itself, of a device code (RFC
// 8628 section 3.5) and of a managed identity.
func (a advice) word(word string) string {
	if word == "invalid_scope" || word == "invalid_resource" {
		return "the resource is not known there; check --cloud, --endpoint and EXOAUDIT_SCOPE"
	}
	if a.kind == KindManagedIdentity {
		return a.identity()
	}
	switch word {
	case "authorization_declined", "access_denied":
		return "the sign-in was declined; run the command again and approve it, as a person who may read and change auditing"
	case "expired_token":
		return "nobody signed in while the code was good; run the command again and sign in sooner"
	case "bad_verification_code":
		return "run the command again, and sign in with the code that it shows"
	}
	return ""
}

// identity is the advice on a refusal by the machine's own giver of tokens.
func (a advice) identity() string {
	if a.chosen {
		return "the managed identity that AZURE_CLIENT_ID names must be assigned to this machine or app; unset AZURE_CLIENT_ID to use the system-assigned one"
	}
	return "assign a managed identity to this machine or app; where it is a user-assigned one, set AZURE_CLIENT_ID to its client id"
}

// federation tells what the application registration must trust: it compares all three, and
// the case of the letters counts.
func (a advice) federation() string {
	return fmt.Sprintf("the application registration needs a federated credential with issuer %q, subject %q and audience %q; "+
		"add it, or check that AZURE_CLIENT_ID is the application that has it", a.assertion.issuer, a.assertion.subject, a.assertion.audience)
}

// time tells why an assertion is not in its time.
func (a advice) time(skew time.Duration) string {
	switch {
	case a.kind == KindFederated && !a.assertion.expiry.IsZero():
		return fmt.Sprintf("the token in AZURE_FEDERATED_TOKEN_FILE is good until %s; check that whoever writes the file renews it, and the clock of this machine",
			a.assertion.expiry.UTC().Format(time.RFC3339))
	case skew != 0:
		return fmt.Sprintf("set the clock of this machine: it is %s the authority's", ahead(skew))
	}
	return "check the clock of this machine: a signed assertion is good for ten minutes around now"
}
