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
		{kindFederated, "AZURE_FEDERATED_TOKEN_FILE", ""},
		{KindToken, "EXOAUDIT_ACCESS_TOKEN", "EXOAUDIT_ACCESS_TOKEN"},
	}
}

// FromEnvironment reads a Config from environment variables; kind is the value of --auth, or
// empty to take the one credential that is there. The tenant and the authority are taken
// over as they are, for flags to replace; CustomAuthority and HTTPClient are the caller's.
//
// The error is a *NoCredentialError where none is there, or a *ConfigError where the choice
// is open, a part is missing, a file cannot be read, or the kind is not supported.
func FromEnvironment(getenv func(string) string, readFile func(string) ([]byte, error), kind Kind) (Config, error) {
	cfg := Config{
		TenantID:  strings.TrimSpace(getenv("AZURE_TENANT_ID")),
		ClientID:  strings.TrimSpace(getenv("AZURE_CLIENT_ID")),
		Authority: strings.TrimSpace(getenv("AZURE_AUTHORITY_HOST")),
	}
	kind, err := choose(getenv, kind)
	if err != nil {
		return Config{}, err
	}
	cfg.Kind = kind
	switch kind {
	case KindToken:
		// A final newline is what reading a file into a variable leaves behind.
		cfg.AccessToken = Secret(strings.TrimRight(getenv("EXOAUDIT_ACCESS_TOKEN"), "\r\n"))
		if err := validToken(cfg.AccessToken); err != nil {
			return Config{}, err
		}
		return cfg, nil
	case KindSecret:
		cfg.Secret = Secret(strings.TrimRight(getenv("AZURE_CLIENT_SECRET"), "\r\n"))
	default: // choose gives no other kind than KindCertificate
		if cfg.CertificatePEM, err = readCertificate(getenv(certificateSetting), readFile); err != nil {
			return Config{}, err
		}
	}
	if cfg.ClientID == "" {
		return Config{}, &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: fmt.Sprintf("it is missing beside the client %s; set it to the application (client) id", kind)}
	}
	return cfg, nil
}

// choose picks the kind: the named one if it is there, else the only one that is.
func choose(getenv func(string) string, named Kind) (Kind, error) {
	if named != "" {
		if err := named.check(); err != nil {
			return "", err
		}
	}
	var looked, present []string
	var found Kind
	for _, c := range candidates() {
		if named != "" && c.kind != named {
			continue
		}
		if c.needs != "" {
			looked = append(looked, c.needs)
		}
		if getenv(c.variable) != "" {
			present = append(present, c.variable)
			found = c.kind
		}
	}
	switch len(present) {
	case 0:
		return "", &NoCredentialError{Looked: looked}
	case 1:
		if err := found.check(); err != nil {
			return "", err
		}
		return found, nil
	}
	return "", &ConfigError{Setting: "auth", Reason: fmt.Sprintf("several credentials are set (%s); name the one to use with --auth", strings.Join(present, ", "))}
}

func readCertificate(path string, readFile func(string) ([]byte, error)) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, &ConfigError{Setting: certificateSetting, Reason: "the file cannot be read: " + printable(err.Error()), cause: err}
	}
	extension := strings.ToLower(filepath.Ext(path))
	if isPFX(data) || extension == ".pfx" || extension == ".p12" {
		return nil, certificateProblem(pfxReason)
	}
	return data, nil
}
