package exchange_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const (
	frontHost  = "outlook.office365.com"
	regionHost = "eur01b.outlook.office365.com"
)

// hostTrace keeps the host of every request, in order.
type hostTrace struct {
	next  http.RoundTripper
	hosts []string
}

func (h *hostTrace) RoundTrip(req *http.Request) (*http.Response, error) {
	h.hosts = append(h.hosts, req.URL.Host)
	return h.next.RoundTrip(req)
}

// regional makes a client of a service that redirects as fault says.
func regional(t *testing.T, fault simulator.Fault) (*exchange.Client, *simulator.Service, *hostTrace) {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 2300, Users: 3, Now: time.Now()})
	s := simulator.New(tenant, simulator.WithFaults(fault), simulator.WithHosts(frontHost))
	trace := &hostTrace{next: s.RoundTripper()}
	return connect(t, s, func(cfg *exchange.Config) { cfg.Transport = trace }), s, trace
}

func TestRegionIsLearnedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, trace := regional(t, simulator.Fault{Name: "regional", Do: simulator.DoRegional})
		if _, err := c.Organization(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"Guid"}}))
		if err != nil || len(rows) != 2300 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		// A batch holds the address in its items too, and a write was not executed by
		// the host that redirects.
		guid := rows[0].Guid.Value
		edit := exchange.MailboxEdit{Ref: exchange.MailboxRef{Guid: guid}, AuditLogAgeLimit: "365.00:00:00"}
		if r := c.SetMailboxes(t.Context(), []exchange.MailboxEdit{edit})[0]; r.Err != nil {
			t.Error(r.Err)
		}
		if m, _ := s.Tenant().Mailbox(guid); m.AgeLimit != "365.00:00:00" {
			t.Errorf("the age limit is %s", m.AgeLimit)
		}
		if _, err := c.ExportedCmdlets(t.Context()); err != nil {
			t.Error(err)
		}
		want := append([]string{frontHost}, slices.Repeat([]string{regionHost}, 1+3+1+1)...)
		if !slices.Equal(trace.hosts, want) {
			t.Errorf("requests went to %v, want %v", trace.hosts, want)
		}
	})
}

// TestWriteIsMovedToItsRegion: the host that redirects has not executed it.
func TestWriteIsMovedToItsRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, trace := regional(t, simulator.Fault{Name: "regional", Do: simulator.DoRegional})
		if r := c.SetAuditDisabled(t.Context(), true); r.Err != nil || !s.Tenant().Organization().AuditDisabled {
			t.Errorf("SetAuditDisabled: %v", r.Err)
		}
		if want := []string{frontHost, regionHost}; !slices.Equal(trace.hosts, want) {
			t.Errorf("requests went to %v, want %v", trace.hosts, want)
		}
	})
}

// TestCursorStaysWhereItWasBorn: a further page that is redirected is lost, and the
// next listing begins in the region and ends there.
func TestCursorStaysWhereItWasBorn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, trace := regional(t, simulator.Fault{Name: "regional", Continued: true, Cmdlet: "Get-Mailbox", Do: simulator.DoRegional})
		q := exchange.MailboxQuery{Select: []string{"Guid"}}
		rows, err := collect(c.Mailboxes(t.Context(), q))
		if _, found := errors.AsType[*exchange.RedirectError](err); !found || !exchange.IsCursorLost(err) || len(rows) != 1000 {
			t.Fatalf("%d rows, %v; want a cursor that a redirect lost", len(rows), err)
		}
		if rows, err = collect(c.Mailboxes(t.Context(), q)); err != nil || len(rows) != 2300 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		want := []string{frontHost, frontHost, regionHost, regionHost, regionHost}
		if !slices.Equal(trace.hosts, want) {
			t.Errorf("requests went to %v, want %v", trace.hosts, want)
		}
	})
}

// TestRegionThatCannotBeReachedIsForgotten: the front door may name another.
func TestRegionThatCannotBeReachedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, trace := regional(t, simulator.Fault{Name: "regional", Do: simulator.DoRegional, Times: 1})
		inner, down := trace.next, 1
		trace.next = roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == regionHost && down > 0 {
				down--
				return nil, errors.New("connection refused")
			}
			return inner.RoundTrip(req)
		})
		if _, err := c.Organization(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []string{frontHost, regionHost, frontHost}; !slices.Equal(trace.hosts, want) {
			t.Errorf("requests went to %v, want %v", trace.hosts, want)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// canned answers every request alike.
type canned struct {
	status int
	body   string
}

func (c *canned) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader(c.body))}, nil
}
