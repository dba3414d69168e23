package auth

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// federatedSetting names the file that a platform writes and renews.
const federatedSetting = "AZURE_FEDERATED_TOKEN_FILE"

// assertions gives an assertion that another identity provider signed, anew for each request
// for a token: such assertions live for minutes, and whoever makes them renews them.
type assertions func(ctx context.Context) (Secret, error)

// assert is what MSAL calls for each request for a token. It remembers whom the assertion
// names, for the hint about a refusal, and its text, to keep it out of every error.
func (p *Provider) assert(ctx context.Context, _ confidential.AssertionRequestOptions) (string, error) {
	text, err := p.assertions(ctx)
	if err != nil {
		return "", err
	}
	c, ok := decodeClaims(text.Reveal())
	if !ok {
		return "", p.unusable("it is not a signed token (JWT)")
	}
	p.mu.Lock()
	p.sent, p.sentText = c, text
	p.mu.Unlock()
	return text.Reveal(), nil
}

// unusable is an assertion that is not worth sending.
func (p *Provider) unusable(reason string) *Error {
	if p.cfg.Kind == KindGitHub {
		return &Error{Action: "use the token of GitHub's identity provider", Message: reason, Hint: "check " + githubURL}
	}
	return &Error{
		Action: "use the token in " + federatedSetting, Message: reason,
		Hint: "check what writes the file " + printable(p.cfg.FederatedTokenFile),
	}
}

// federatedFile reads the assertion out of a file. What is wrong with the file may be put
// right while a service runs, so it is an *Error of this one attempt, not of the
// configuration.
func (p *Provider) federatedFile(context.Context) (Secret, error) {
	text, reason := readAssertion(p.cfg.FederatedTokenFile)
	if reason != "" {
		return "", p.unusable(reason)
	}
	if _, ok := decodeClaims(text.Reveal()); !ok {
		return "", p.unusable("it is not a signed token (JWT)")
	}
	return text, nil
}

// readAssertion reads a file, or says what is wrong with it.
func readAssertion(path string) (Secret, string) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "the file cannot be read: " + printable(err.Error())
	}
	if !info.Mode().IsRegular() {
		return "", "it is not a regular file" // a pipe would keep the caller waiting
	}
	file, err := os.Open(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return "", "the file cannot be read: " + printable(err.Error())
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxJWT+1))
	if err != nil {
		return "", "the file cannot be read: " + printable(err.Error())
	}
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return "", "the file is empty"
	case len(data) > maxJWT:
		return "", fmt.Sprintf("the file is too large for a token, with more than %d bytes", maxJWT)
	}
	return Secret(text), ""
}
