package exchange

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// ComplianceClient calls the Security & Compliance service of one tenant, which
// speaks the protocol of the admin API on hosts of its own (wire 7). It offers the
// retention policies of the unified audit log, and nothing that the service answers
// wrongly there: the switch of that log always reads false (semantics 4.3).
//
// The front host sends each call to the host of the tenant's region; the client
// finds it with its first call and asks again when that host fails. Its methods may
// be used by several goroutines.
type ComplianceClient struct{ client *Client }

// NewCompliance makes a client. The endpoint is a [Cloud]'s ComplianceEndpoint, and
// the token source gives tokens for its ComplianceScope; one for Exchange Online is
// another. It refuses an endpoint to which a token must not be sent, those of
// Exchange Online, and a tenant that is not named by its GUID; it makes no call.
func NewCompliance(cfg Config) (*ComplianceClient, error) {
	at, err := endpointOf(cfg.Endpoint, cfg.TenantID, true)
	if err != nil {
		return nil, err
	}
	c, err := newClient(cfg, at)
	if err != nil {
		return nil, err
	}
	c.domain.Store(&cfg.Domain)
	return &ComplianceClient{client: c}, nil
}

// SetDomain tells the tenant's initial domain, by which the service finds the
// tenant; see [Organization].Name. Without one its GUID is sent, which may be
// refused (wire 7).
func (c *ComplianceClient) SetDomain(domain string) { c.client.domain.Store(&domain) }

// Stats returns the counts as they stand; they are apart from those of a [Client].
func (c *ComplianceClient) Stats() Stats { return c.client.Stats() }

// invoke runs one cmdlet in a call of its own. There is no other way for a dry run
// to change nothing than not to call: WhatIf has no effect there (semantics 5.3).
func (c *ComplianceClient) invoke(ctx context.Context, kind callKind, cmdlet string, p params) outcome {
	return c.client.invoke(ctx, invocation{kind: kind, cmdlet: cmdlet, params: p, anchor: organizationAnchor()})
}

// CheckComplianceEndpoint returns the error that [NewCompliance] would about the
// address of an endpoint, nil where it is one to which a token may be sent.
func CheckComplianceEndpoint(address string) error {
	_, err := parseAddress(address, true)
	return err
}

// complianceAnchor routes the calls of an application by the initial domain; with
// another name of the tenant the service may not find it (wire 5.2, 7).
func (c *Client) complianceAnchor() string {
	domain := c.endpoint.tenant
	if told := c.domain.Load(); told != nil && isAddress("a@"+*told) {
		domain = *told
	}
	return "UPN:" + organizationMailbox + "@" + domain
}

// complianceRegion rebuilds the public host of the region that a redirect names;
// empty where the endpoint is not of a cloud in the table, or the redirect leads out
// of that cloud. For the worldwide cloud the form was seen (wire 1.7), for the others
// it is taken to be alike.
func (e endpoint) complianceRegion(location *url.URL) string {
	own, host := e.base.Hostname(), strings.ToLower(location.Hostname())
	for _, c := range Clouds() {
		front := strings.TrimPrefix(c.ComplianceEndpoint, "https://")
		if own != front && !strings.HasSuffix(own, "."+front) {
			continue
		}
		region, _, _ := strings.Cut(host, ".")
		inside := strings.HasSuffix(host, strings.TrimPrefix(front, "ps.compliance"))
		if !inside || region == "" || strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return ""
		}
		return region + "." + front
	}
	return ""
}

// isElsewhere tells answers after which the region is asked for anew: the host does
// not serve the tenant, or fails.
func isElsewhere(e *Error) bool {
	return e.Status == http.StatusMisdirectedRequest || e.Status >= http.StatusInternalServerError
}

// isExchange tells the public hosts of Exchange Online's admin API.
func isExchange(host string) bool {
	for _, c := range Clouds() {
		if own := strings.TrimPrefix(c.Endpoint, "https://"); host == own || strings.HasSuffix(host, "."+own) {
			return true
		}
	}
	return host == "outlook.office.com"
}
