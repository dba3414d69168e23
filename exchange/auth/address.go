package auth

import (
	"fmt"
	"net/url"
	"strings"
)

// parseAuthority reads an authority's address. A trailing slash is the Azure convention for
// AZURE_AUTHORITY_HOST and is dropped.
func parseAuthority(address string) (*url.URL, error) {
	if address == "" {
		address = DefaultAuthority
	}
	fail := func(reason string) (*url.URL, error) {
		return nil, &ConfigError{Setting: "AZURE_AUTHORITY_HOST", Reason: reason + "; write it as " + DefaultAuthority}
	}
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case err != nil:
		return fail("the authority is not an address") // the parse error would repeat a password in it
	case u.User != nil:
		return fail("the authority must not hold a user name or password")
	case u.Scheme != "https":
		return fail("the authority must be an https address")
	case u.Host == "" || u.Hostname() == "":
		return fail("the authority has no host")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fail("the authority must be a host alone, without a path or query")
	}
	return &url.URL{Scheme: "https", Host: guardHost(u)}, nil
}

// guardHost is an address's host in the form in which hosts are compared: in lower case, and
// without the port that its scheme implies.
func guardHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		return strings.TrimSuffix(host, ":80")
	}
	return strings.TrimSuffix(host, ":443")
}

// checkMicrosoft refuses an authority that is not Microsoft's, unless that is meant.
func (c *Config) checkMicrosoft(host string) error {
	if c.CustomAuthority || isMicrosoft(host) {
		return nil
	}
	return &ConfigError{Setting: "authority", Reason: fmt.Sprintf("%q is not a sign-in host of Microsoft, and the credential would be sent there; declare a custom cloud (--cloud custom) if that is meant", host)}
}

// IsMicrosoft reports whether an authority's address, as AZURE_AUTHORITY_HOST has it, is
// that of a sign-in service of Microsoft, to which a credential goes without more ado.
// Empty is DefaultAuthority.
func IsMicrosoft(authority string) bool {
	u, err := parseAuthority(authority)
	return err == nil && isMicrosoft(u.Host)
}

// isMicrosoft reports whether a host is one of Microsoft's sign-in services (wire 6,
// libraries section 1 "Clouds"). A port makes it another host.
func isMicrosoft(host string) bool {
	switch host {
	case "login.microsoftonline.com",
		"login.microsoftonline.us", "login.usgovcloudapi.net",
		"login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
		"login.microsoftonline.de",
		"login.sovcloud-identity.fr", "login.sovcloud-identity.de", "login.sovcloud-identity.sg":
		return true
	}
	return false
}

// isGUID reports whether text is a GUID in the form with hyphens and nothing around it.
func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(r)) {
				return false
			}
		}
	}
	return true
}

// equalGUID compares two GUIDs, in which the case of the letters does not count.
func equalGUID(a, b string) bool { return strings.EqualFold(a, b) }
