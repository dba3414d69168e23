package cli

import (
	"maps"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// What the issuers beside the authority sign. The audience is the one that
// Entra asks for (wire 6).
const (
	clusterIssuer   = "https://cluster.example"
	clusterSubject  = "system:serviceaccount:audit:exoaudit"
	githubIssuer    = "https://token.actions.githubusercontent.com"
	githubSubject   = "repo:contoso/audit:ref:refs/heads/main"
	federationScope = "api://AzureADTokenExchange"
	simulatedPerson = "admin@contoso.onmicrosoft.com"
)

// platform is where a simulated program runs: in a cluster with a federated
// token, in a job of GitHub's, on an app with an identity, beside a person. The
// authority trusts all of them.
type platform struct {
	cluster, github *simulator.AuthorityIssuer
	job, app        string // the words by which a job and an app are known
}

func newPlatform() platform {
	return platform{
		cluster: simulator.NewAuthorityIssuer(clusterIssuer),
		github:  simulator.NewAuthorityIssuer(githubIssuer),
		job:     randomToken(), app: randomToken(),
	}
}

// federatedToken is what a cluster puts into a file; it outlasts any simulation
// that somebody watches.
func (p platform) federatedToken(now time.Time) string {
	return p.cluster.Assertion(clusterSubject, federationScope, now, 24*time.Hour)
}

// trusted makes an authority trust the platform.
func (p platform) trusted(cfg simulator.AuthorityConfig) simulator.AuthorityConfig {
	cfg.Trusts = []simulator.AuthorityTrust{
		{Issuer: p.cluster, Subject: clusterSubject, Audience: federationScope},
		{Issuer: p.github, Subject: githubSubject, Audience: federationScope},
	}
	cfg.GitHub = &simulator.AuthorityGitHub{Issuer: p.github, Subject: githubSubject, RequestToken: p.job}
	cfg.Machine = &simulator.AuthorityMachine{
		System: "0ddba11e-2b5e-4c52-8a7e-9d1f3e5b7a03", User: []string{simulator.AuthorityClientID}, Header: p.app,
	}
	cfg.Person = &simulator.AuthorityPerson{UserName: simulatedPerson}
	return cfg
}

// Environment gives the environment variables with which a command finds the
// simulation and signs in by certificate; it needs --cloud custom too.
func (s *Simulation) Environment() map[string]string {
	return s.EnvironmentFor(auth.KindCertificate)
}

// EnvironmentFor is Environment for a kind of credential. Every variable that
// another kind is read from is in it and empty.
func (s *Simulation) EnvironmentFor(kind auth.Kind) map[string]string {
	vars := map[string]string{}
	for _, k := range auth.Kinds() {
		for _, name := range variablesOf(k) {
			vars[name] = ""
		}
	}
	maps.Copy(vars, map[string]string{
		"AZURE_TENANT_ID":      s.Tenant.ID(),
		"AZURE_CLIENT_ID":      s.Authority.ClientID(),
		"AZURE_AUTHORITY_HOST": s.AuthorityURL,
		"EXOAUDIT_ENDPOINT":    s.Endpoint,
		complianceVariable:     s.ComplianceEndpoint,
		"EXOAUDIT_CA_FILE":     s.CAFile,
	})
	switch kind {
	case auth.KindSecret:
		vars["AZURE_CLIENT_SECRET"] = s.secret
	case auth.KindCertificate:
		vars[certificateVariable] = s.CertificateFile
	case auth.KindFederated:
		vars[federatedVariable] = s.FederatedFile
	case auth.KindGitHub:
		vars["ACTIONS_ID_TOKEN_REQUEST_URL"] = s.AuthorityURL + simulator.AuthorityGitHubPath + "?api-version=2"
		vars["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = s.platform.job
	case auth.KindManagedIdentity:
		vars["IDENTITY_ENDPOINT"] = s.AuthorityURL + simulator.AuthorityAppServicePath
		vars["IDENTITY_HEADER"] = s.platform.app
	case auth.KindToken:
		vars["EXOAUDIT_ACCESS_TOKEN"] = s.AccessToken
	case auth.KindDeviceCode:
	}
	return vars
}

// Secrets lists what must appear in no output of a command that signs in here.
func (s *Simulation) Secrets() []string {
	return []string{s.secret, s.AccessToken, s.platform.job, s.platform.app}
}
