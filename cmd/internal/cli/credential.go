package cli

import (
	"strings"

	"github.com/exoaudit/exoaudit/exchange/auth"
)

// The variables that name files of a credential.
const (
	certificateVariable = "AZURE_CLIENT_CERTIFICATE_PATH"
	federatedVariable   = "AZURE_FEDERATED_TOKEN_FILE"
)

// kindNames lists the words of --auth.
func kindNames() []string {
	var names []string
	for _, k := range auth.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// variablesOf lists the environment variables from which a kind of credential
// is read. A managed identity and a person at a terminal need none of them.
func variablesOf(k auth.Kind) []string {
	const client = "AZURE_CLIENT_ID"
	switch k {
	case auth.KindSecret:
		return []string{client, "AZURE_CLIENT_SECRET"}
	case auth.KindCertificate:
		return []string{client, certificateVariable, "AZURE_CLIENT_CERTIFICATE_PASSWORD"}
	case auth.KindFederated:
		return []string{client, federatedVariable}
	case auth.KindGitHub:
		return []string{client, "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}
	case auth.KindManagedIdentity:
		return []string{client, "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
	case auth.KindDeviceCode:
		return []string{client}
	case auth.KindToken:
		return []string{"EXOAUDIT_ACCESS_TOKEN"}
	default:
		return nil
	}
}

// sourceOf says from where a credential came, for people.
func (a *app) sourceOf(k auth.Kind) string {
	var from []string
	switch k {
	case auth.KindManagedIdentity:
		from = append(from, "this machine or app")
	case auth.KindDeviceCode:
		from = append(from, "a person at this terminal")
	default:
	}
	for _, v := range variablesOf(k) {
		if a.env.Getenv(v) != "" {
			from = append(from, v)
		}
	}
	return strings.Join(from, ", ")
}

// credential reads the credential that is asked for. A person is asked to sign
// in only where a terminal shows the code: in a log it would stand for others
// to use.
func (a *app) credential(t target) (auth.Config, error) {
	cfg, err := auth.FromEnvironment(a.env.Getenv, readCertificate, auth.Kind(t.auth))
	if err != nil {
		return auth.Config{}, err
	}
	cfg.Interactive = a.ErrTerminal
	cfg.Prompt = func(message string) {
		for line := range strings.Lines(message) {
			writeLine(a.Err, strings.TrimRight(line, "\r\n"))
		}
	}
	return cfg, nil
}

// readCertificate reads the file that [certificateVariable] names.
func readCertificate(path string) ([]byte, error) {
	return readFile(certificateVariable, path, maxInput)
}
