package exchange

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestParseDate(t *testing.T) {
	at := time.Date(2026, 7, 15, 16, 40, 6, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-07-15T16:40:06.0000000Z":      at,
		"2026-07-15T16:40:06.1234567+00:00": at.Add(123456700),
		"2026-07-15T18:40:06.0000000+02:00": at,
		"2026-07-15T16:40:06Z":              at,
		"2026-07-15T16:40:06.0000000":       at,
		"":                                  {},
		"07/15/2026 16:40:06":               {},
		"/Date(1618327011162)/":             {},
		"2026-07-15":                        {},
	} {
		got, ok := ParseDate(text)
		if !got.Equal(want) || ok == want.IsZero() || got.Location() != time.UTC {
			t.Errorf("%q is %s, %t; want %s", text, got, ok, want)
		}
	}
}

// TestServiceTime: the clock of the service is that of its last answer, and not of
// an earlier one.
func TestServiceTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	c, err := New(Config{
		Endpoint: testEndpoint, TenantID: simulator.NewTenant(simulator.Seed{}).ID(), Retry: Retry{Tries: 1},
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: testToken}),
		Transport:   simulator.New(simulator.NewTenant(simulator.Seed{}), simulator.WithClock(func() time.Time { return at })).RoundTripper(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Stats().ServiceTime; !got.IsZero() {
		t.Errorf("before any call it is %s", got)
	}
	for range 2 {
		if _, err := c.Organization(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.Stats().ServiceTime; !got.Equal(at) {
			t.Errorf("it is %s, want %s", got, at)
		}
		at = at.Add(time.Hour)
	}
	c.counters.hear(time.Time{})
	if got := c.Stats().ServiceTime; !got.IsZero() {
		t.Errorf("after an answer without a date it is %s", got)
	}
}
