package auth

import (
	"fmt"
	"path/filepath"
	"strings"
)

// candidate is one credential that the environment may hold.
type candidate struct {
	kind     Kind
	variable string // whose presence means that it is there
	needs    string // what is looked for, for people
}

// candidates lists, in the order in which they are told, what the environment may hold
// (the Azure conventions, and a token of the caller's own).
func candidates() []candidate {
	return []candidate{
		{KindSecret, "AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID with AZURE_CLIENT_SECRET"},
		{KindCertificate, certificateSetting, "AZURE_CLIENT_ID with " + certificateSetting},
		{KindFederated, federatedSetting, "AZURE_CLIENT_ID with " + federatedSetting},
		{KindToken, "EXOAUDIT_ACCESS_TOKEN", "EXOAUDIT_ACCESS_TOKEN"},
	}
}

// FromEnvironment reads a Config from environment variables; kind is the value of --auth.
// Where it is empty, the one credential that is there is taken: a secret, a certificate, a
// federated token or an access token; where none of them is, GitHub's token about the job;
// and where that is not, the machine's managed identity. Whether there is one is not known
// before it is asked: a virtual machine's is found out by the first token, whose error is
// then a *NoCredentialError. A device code must be named.
//
// The tenant and the authority are taken over as they are, for flags to replace;
// CustomAuthority, HTTPClient, Interactive and Prompt are the caller's. readFile reads the
// certificate; a federated token is read later, from its own file.
//
// The error is a *NoCredentialError where the named kind is not there, or a *ConfigError
// where the choice is open, a part is missing, or a file cannot be read.
func FromEnvironment(getenv func(string) string, readFile func(string) ([]byte, error), kind Kind) (Config, error) {
	cfg := Config{
		TenantID:  strings.TrimSpace(getenv("AZURE_TENANT_ID")),
		ClientID:  strings.TrimSpace(getenv("AZURE_CLIENT_ID")),
		Authority: strings.TrimSpace(getenv("AZURE_AUTHORITY_HOST")),
	}
	if err := cfg.choose(getenv, kind); err != nil {
		return Config{}, err
	}
	if err := cfg.read(getenv, readFile); err != nil {
		return Config{}, err
	}
	switch cfg.Kind {
	case KindToken, KindManagedIdentity, KindDeviceCode:
		return cfg, nil
	}
	if cfg.ClientID == "" {
		return Config{}, &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: fmt.Sprintf("it is missing beside the credential of the kind %s; set it to the application (client) id", cfg.Kind)}
	}
	return cfg, nil
}

// read takes over what the chosen kind needs.
func (c *Config) read(getenv func(string) string, readFile func(string) ([]byte, error)) (err error) {
	// A final newline is what reading a file into a variable leaves behind.
	secret := func(name string) Secret { return Secret(strings.TrimRight(getenv(name), "\r\n")) }
	switch c.Kind {
	case KindToken:
		c.AccessToken = secret("EXOAUDIT_ACCESS_TOKEN")
		return validToken(c.AccessToken)
	case KindSecret:
		c.Secret = secret("AZURE_CLIENT_SECRET")
	case KindCertificate:
		c.CertificatePassword = secret(passwordSetting)
		c.CertificatePEM, err = readCertificate(getenv(certificateSetting), readFile)
	case KindFederated:
		c.FederatedTokenFile = getenv(federatedSetting)
	case KindGitHub:
		c.GitHub = GitHubRequest{URL: strings.TrimSpace(getenv(githubURL)), Token: secret(githubToken)}
		_, err = c.GitHub.check()
	case KindManagedIdentity:
		if atAppService(getenv) {
			c.IdentityEndpoint, c.IdentityHeader = getenv("IDENTITY_ENDPOINT"), secret("IDENTITY_HEADER")
		}
	}
	return err
}

func atAppService(getenv func(string) string) bool {
	return getenv("IDENTITY_ENDPOINT") != "" && getenv("IDENTITY_HEADER") != ""
}

// choose picks the kind: the named one, else the only one that is there, else what the
// platform may offer.
func (c *Config) choose(getenv func(string) string, named Kind) error {
	if named != "" {
		if err := named.check(); err != nil {
			return err
		}
	}
	var looked, present []string
	c.Kind = named
	for _, candidate := range candidates() {
		if named != "" && candidate.kind != named {
			continue
		}
		looked = append(looked, candidate.needs)
		if getenv(candidate.variable) != "" {
			present = append(present, candidate.variable)
			c.Kind = candidate.kind
		}
	}
	switch {
	case len(present) > 1:
		return &ConfigError{Setting: "auth", Reason: fmt.Sprintf("several credentials are set (%s); name the one to use with --auth", strings.Join(present, ", "))}
	case len(present) == 1:
		return nil
	case named != "" && len(looked) > 0:
		return &NoCredentialError{Looked: looked}
	case named == "":
		c.fallBack(getenv, looked)
	}
	return nil
}

// fallBack chooses what a platform offers, which counts only where nothing else is there.
func (c *Config) fallBack(getenv func(string) string, looked []string) {
	if getenv(githubURL) != "" && getenv(githubToken) != "" {
		c.Kind = KindGitHub
		return
	}
	github := "GitHub's " + githubURL + " with " + githubToken
	if getenv("GITHUB_ACTIONS") != "" || getenv(githubURL) != "" || getenv(githubToken) != "" {
		github += " (the job lacks `permissions: id-token: write`)"
	}
	c.Kind = KindManagedIdentity
	if !atAppService(getenv) {
		c.looked = append(looked, github, "a managed identity (IDENTITY_ENDPOINT with IDENTITY_HEADER, or an answer of "+imdsHost+")")
	}
}

func readCertificate(path string, readFile func(string) ([]byte, error)) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, &ConfigError{Setting: certificateSetting, Reason: "the file cannot be read: " + printable(err.Error()), cause: err}
	}
	extension := strings.ToLower(filepath.Ext(path))
	if (extension == ".pfx" || extension == ".p12") && !isPFX(data) {
		return nil, certificateProblem("the name says PFX (PKCS#12), and the file is none in its binary form (DER)")
	}
	return data, nil
}
