package notify

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Kind is a kind of target.
type Kind string

// The kinds of targets.
const (
	// KindWebhook gets the event as JSON, signed.
	KindWebhook Kind = "webhook"
	// KindSlack is an incoming webhook of Slack.
	KindSlack Kind = "slack"
	// KindTeams is a Teams workflow that begins with "When a Teams webhook request
	// is received".
	KindTeams Kind = "teams"
	// KindHeartbeat is an address that is called after each run which saw all, for a
	// service that raises an alarm when the calls stop.
	KindHeartbeat Kind = "heartbeat"
)

// Kinds lists the kinds of targets.
func Kinds() []Kind { return []Kind{KindWebhook, KindSlack, KindTeams, KindHeartbeat} }

// shortestSecret is the length in bytes from which a secret of a webhook is accepted.
const shortestSecret = 16

// Target is where events go. Its address is a secret: whatever prints a Target shows
// its kind and where it was configured.
type Target struct {
	kind Kind
	name string
	// where gives address and secret. It is a function since that is what no way of
	// formatting another struct looks into.
	where func() (address *url.URL, secret []byte)
}

// NewTarget checks a target. The name tells people which one it is, such as the place
// in the configuration; the secret is the key of a webhook's signature. Spaces around
// address and secret, as a file ends with, are not part of them. No error shows any of
// the address or the secret.
func NewTarget(kind Kind, name, address, secret string) (Target, error) {
	address, secret = strings.TrimSpace(address), strings.TrimSpace(secret)
	if !slices.Contains(Kinds(), kind) {
		return Target{}, errors.New("there is no such kind of target; there are webhook, slack, teams, heartbeat")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		// The parser's error repeats the address.
		return Target{}, errors.New("what is found there is not a URL; it must be one like https://example.com/path (it is not shown, as it is a secret)")
	}
	if u.User != nil {
		return Target{}, errors.New("the URL found there carries a user name or password; give one without")
	}
	if err := secure(u); err != nil {
		return Target{}, err
	}
	switch {
	case kind == KindWebhook && secret == "":
		return Target{}, errors.New("a webhook needs a secret, by which its receiver knows that an event is ours")
	case kind == KindWebhook && len(secret) < shortestSecret:
		return Target{}, fmt.Errorf("the secret of the webhook is too short to sign with; make it %d characters or more", shortestSecret)
	case kind != KindWebhook && secret != "":
		return Target{}, fmt.Errorf("a secret is for a webhook; %s has none", kind)
	}
	return Target{kind: kind, name: name, where: func() (*url.URL, []byte) { return u, []byte(secret) }}, nil
}

// secure refuses an address over which an event, and the address with it, could be
// read on the way.
func secure(u *url.URL) error {
	switch strings.ToLower(u.Scheme) {
	case "https":
		return nil
	case "http":
		if loopback(u.Hostname()) {
			return nil
		}
		return errors.New("the URL found there is http, by which anybody on the way could read it; it must be https (http is for loopback addresses only)")
	default:
		return errors.New("the URL found there is neither https nor, for a loopback address, http")
	}
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Kind gives the kind of the target.
func (t Target) Kind() Kind { return t.kind }

// Same tells whether another target is the same receiver: of the same kind, at the same
// address.
func (t Target) Same(o Target) bool {
	if t.kind != o.kind {
		return false
	}
	a, _ := t.where()
	b, _ := o.where()
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host) && a.RequestURI() == b.RequestURI()
}

// String gives kind and name.
func (t Target) String() string { return string(t.kind) + " " + t.name }

// Format writes String for every verb.
func (t Target) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue gives slog what String does.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText gives what String does, for every encoding that asks.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// wants tells whether an event goes to the target.
func (t Target) wants(kind EventKind) bool {
	return (t.kind == KindHeartbeat) == (kind == EventHeartbeat)
}
