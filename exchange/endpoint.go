package exchange

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// endpoint is the one host a client speaks to, with the paths of one tenant.
type endpoint struct {
	base   *url.URL // scheme and host only
	front  *url.URL // where the region base was learned; else nil
	tenant string
	// compliance tells the Security & Compliance service.
	compliance bool
}

// on is the same tenant on the public host of its region, which the front door
// named.
func (e endpoint) on(region string) endpoint {
	front := e.base
	if e.front != nil {
		front = e.front
	}
	return endpoint{base: &url.URL{Scheme: "https", Host: region}, front: front, tenant: e.tenant, compliance: e.compliance}
}

// newEndpoint checks the address and the tenant and joins them. The tenant must
// be its GUID: a vanity domain in the anchor loses the page cursor (wire 1.6).
func newEndpoint(address, tenant string) (endpoint, error) {
	return endpointOf(address, tenant, false)
}

// endpointOf is newEndpoint, for either service.
func endpointOf(address, tenant string, compliance bool) (endpoint, error) {
	u, err := parseAddress(address, compliance)
	if err != nil {
		return endpoint{}, err
	}
	if !isGUID(tenant) {
		return endpoint{}, fmt.Errorf("exchange: the tenant %q is not a GUID; resolve the domain to the tenant's id first", tenant)
	}
	base := &url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host)}
	return endpoint{base: base, tenant: strings.ToLower(tenant), compliance: compliance}, nil
}

// CheckEndpoint returns the error that [New] would about the address of an endpoint,
// nil where it is one to which a token may be sent. The error shows no password of it.
func CheckEndpoint(address string) error {
	_, err := parseAddress(address, false)
	return err
}

func parseAddress(address string, compliance bool) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		// The parser's error repeats the address, which may hold a password.
		return nil, errors.New("exchange: the endpoint is not a URL; give one like https://outlook.office365.com")
	}
	if err := checkAddress(u, compliance); err != nil {
		return nil, err
	}
	return u, nil
}

// checkAddress refuses every address a token must not be sent to, and the public
// ones of the service that is not meant.
func checkAddress(u *url.URL, compliance bool) error {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.User != nil:
		return errors.New("exchange: the endpoint must not carry a user name or password")
	case host == "" || u.Opaque != "":
		return errors.New("exchange: the endpoint has no host; give one like https://outlook.office365.com")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return fmt.Errorf("exchange: the endpoint %s must be scheme and host only, without path, query or fragment", host)
	case u.Port() == "446" || isInternal(host):
		return fmt.Errorf("exchange: %s is internal to the service, as port 446 and the admin hosts are; "+
			"use the public Exchange Online host, outlook.office365.com", u.Host)
	case compliance && isExchange(host):
		return fmt.Errorf("exchange: %s is the Exchange Online endpoint; retention policies are at the Security & Compliance "+
			"host, ps.compliance.protection.outlook.com", u.Host)
	case !compliance && isCompliance(host):
		return fmt.Errorf("exchange: %s is the Security & Compliance endpoint, where UnifiedAuditLogIngestionEnabled "+
			"always reads false; use the Exchange Online host, outlook.office365.com", host)
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
		return nil
	case "http":
		if isLoopback(host) {
			return nil
		}
		return fmt.Errorf("exchange: the endpoint %s must use https; plain http is for loopback addresses only", host)
	default:
		return fmt.Errorf("exchange: the endpoint %s must use https", host)
	}
}

// isCompliance tells the Security & Compliance hosts of all clouds and regions
// (wire 6, 7).
func isCompliance(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "compliance" {
			return true
		}
	}
	return false
}

// isInternal tells the hosts that the service redirects to and keeps to itself
// (wire 1.7): an admin label somewhere before a protection label.
func isInternal(host string) bool {
	admin := false
	for label := range strings.SplitSeq(host, ".") {
		if admin && label == "protection" {
			return true
		}
		admin = admin || label == "admin"
	}
	return false
}

// The worldwide host, and the parents of the hosts that redirects from it name.
const (
	worldwideHost    = "outlook.office365.com"
	worldwideParent  = ".outlook.office365.com"
	redirectedParent = ".protection.outlook.com"
)

// regional rebuilds the public host of the region that a redirect names (wire
// 1.7); empty where the endpoint or the redirect is not of the worldwide service.
func (e endpoint) regional(location *url.URL) string {
	if e.compliance {
		return e.complianceRegion(location)
	}
	own, host := e.base.Hostname(), strings.ToLower(location.Hostname())
	if own != worldwideHost && own != "outlook.office.com" && !strings.HasSuffix(own, worldwideParent) {
		return ""
	}
	if isCompliance(host) || !strings.HasSuffix(host, worldwideParent) && !strings.HasSuffix(host, redirectedParent) {
		return ""
	}
	region, _, _ := strings.Cut(host, ".")
	if region == "" || strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return region + worldwideParent
}

// isLoopback tells localhost and the loopback address ranges.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// isGUID tells the 8-4-4-4-12 form, in any case.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if strings.IndexByte("0123456789abcdefABCDEF", c) < 0 {
				return false
			}
		}
	}
	return true
}

// path returns the path of an action of the tenant. Only beta serves
// InvokeCommand (wire 1.1).
func (e endpoint) path(action string) string {
	return "/adminapi/beta/" + e.tenant + "/" + action
}

// invokeURL returns the absolute URL of InvokeCommand with an optional raw query.
func (e endpoint) invokeURL(query string) *url.URL {
	return &url.URL{Scheme: e.base.Scheme, Host: e.base.Host, Path: e.path(actionInvoke), RawQuery: query}
}

// errForeignLink is wrapped by every refusal of a next link.
var errForeignLink = errors.New("the next link leads elsewhere")

// next checks a next link that came with the answer to from, and returns it
// rebuilt on this endpoint's own scheme, host and path: whatever the link held,
// the token can go nowhere else, and the cursor stays where it was born. A link
// that a region gives may name the front door.
func (e endpoint) next(from *url.URL, link string) (*url.URL, error) {
	ref, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a URL", errForeignLink)
	}
	u := from.ResolveReference(ref)
	own := e.path(actionInvoke)
	switch {
	case u.Opaque != "" || u.User != nil:
		return nil, fmt.Errorf("%w: it carries a user name or is opaque", errForeignLink)
	case !e.names(u):
		return nil, fmt.Errorf("%w: to %s://%s instead of %s", errForeignLink, u.Scheme, clean(u.Host), e.base.Host)
	case u.RawPath != "" || path.Clean(u.Path) != u.Path || !strings.EqualFold(u.Path, own):
		return nil, fmt.Errorf("%w: its path is not %s", errForeignLink, own)
	}
	return e.invokeURL(u.RawQuery), nil
}

// names tells whether a link names the endpoint or the front door to it.
func (e endpoint) names(u *url.URL) bool {
	for _, own := range []*url.URL{e.base, e.front} {
		if own != nil && strings.EqualFold(u.Scheme, own.Scheme) && sameHost(u, own) {
			return true
		}
	}
	return false
}

// sameHost compares host names and ports, a missing port being the scheme's.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(hostPort(a), hostPort(b))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
