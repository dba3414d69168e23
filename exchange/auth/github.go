package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// The two variables that a job of GitHub Actions has where its workflow grants it the
// permission `id-token: write`.
const (
	githubURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	githubToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// GitHubRequest says how a job asks GitHub for a token about itself.
type GitHubRequest struct {
	// URL is ACTIONS_ID_TOKEN_REQUEST_URL, https.
	URL string
	// Token is ACTIONS_ID_TOKEN_REQUEST_TOKEN, which is sent to that address alone.
	Token Secret
	// PlainLoopback accepts http for a loopback address: for tests.
	PlainLoopback bool
}

// check reads the address. The two variables come together.
func (g GitHubRequest) check() (*url.URL, error) {
	missing := ""
	switch {
	case g.URL == "":
		missing = githubURL
	case g.Token == "":
		missing = githubToken
	}
	if missing != "" {
		return nil, &ConfigError{Setting: missing, Reason: "it is not set; give the job `permissions: id-token: write`, and run this in that job itself"}
	}
	u, err := url.Parse(g.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return nil, &ConfigError{Setting: githubURL, Reason: "it is not an address; leave it as GitHub sets it"}
	case u.Scheme != "https" && !(g.PlainLoopback && u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, &ConfigError{Setting: githubURL, Reason: "it must be an https address, since a token is sent there; leave it as GitHub sets it"}
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// githubAssertion asks GitHub's identity provider for a token about this job.
func (p *Provider) githubAssertion(ctx context.Context) (Secret, error) {
	u, err := p.cfg.GitHub.check()
	if err != nil {
		return "", err
	}
	f := p.failure("get GitHub's token about this job")
	f.host, f.advice = guardHost(u), advice{}
	query := u.Query()
	query.Set("audience", p.cfg.assertionAudience())
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", f.explain(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.cfg.GitHub.Token.Reveal())
	resp, err := guardedClient(p.cfg.HTTPClient, &guard{host: f.host, plain: p.cfg.GitHub.PlainLoopback}).Do(req)
	if err != nil {
		return "", f.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", f.explain(err)
	}
	e := &Error{Action: f.action, Host: f.host, Status: resp.StatusCode}
	if resp.StatusCode != http.StatusOK {
		f.answered(e, resp, body)
		if e.Hint == "" {
			e.Hint = fmt.Sprintf("%s is good for one job while it runs; check that the job has `permissions: id-token: write`", githubToken)
		}
		return "", e
	}
	var answer struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Value == "" {
		e.Message, e.temporary = "the answer holds no token", true
		return "", e
	}
	return Secret(answer.Value), nil
}

// assertionAudience is the audience that an authority wants of an assertion, one per cloud
// (libraries section 1 "Clouds").
func (c *Config) assertionAudience() string {
	const audience = "api://AzureADTokenExchange"
	switch {
	case c.AssertionAudience != "":
		return c.AssertionAudience
	case strings.HasSuffix(c.Authority, ".us") || strings.HasSuffix(c.Authority, "login.usgovcloudapi.net"):
		return audience + "USGov"
	case strings.HasSuffix(c.Authority, ".cn"):
		return audience + "China"
	}
	return audience
}
