package exchange_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// renewable gives another token each time it is told to, and knows claims.
type renewable struct {
	mu         sync.Mutex
	generation int
}

func (r *renewable) Token() (*oauth2.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &oauth2.Token{AccessToken: fmt.Sprintf("simulated-token-%d", r.generation)}, nil
}

func (r *renewable) Invalidate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
}

func (r *renewable) Challenge(string) { r.Invalidate() }

// notTheCalls are the kinds of fault that no repeated call can cure, with why:
// they are for the caller, or are no faults of a call.
func notTheCalls(kind string) bool {
	switch kind {
	case "refused", "redirected elsewhere", // answers, as far as a call can know
		"next link missing", "next link repeated", "next link foreign", "cursor lost", "unknown warning", // of a listing, which its reader begins again
		"duplicate row", "stale read", "filter ignored", // look like a success
		"not hydrated", "no licence": // of writes
		return true
	}
	return strings.HasSuffix(kind, " meanwhile") // other people's changes
}

// TestPassingFaultsChangeNoRead: each kind of fault that a repeated call can cure,
// at each place where a read is not the page of a cursor, strikes and is not seen.
func TestPassingFaultsChangeNoRead(t *testing.T) {
	t.Parallel()
	type read struct {
		at   simulator.Site
		make func(*testing.T, *exchange.Client, *simulator.Tenant) (any, error)
	}
	item := func(cmdlet string) simulator.Site {
		return simulator.Site{Cmdlet: cmdlet, Item: true, With: []string{"Identity"}}
	}
	byID := func(t *testing.T, c *exchange.Client, tenant *simulator.Tenant) (any, error) {
		var refs []exchange.MailboxRef
		for m := range tenant.AllMailboxes() {
			if refs = append(refs, exchange.MailboxRef{Guid: m.Guid}); len(refs) == 4 {
				break
			}
		}
		results := c.MailboxesByID(t.Context(), refs, []string{"AuditEnabled"})
		return results, results[0].Err
	}
	reads := map[string]read{
		"organization": {simulator.Site{Cmdlet: "Get-OrganizationConfig"}, func(t *testing.T, c *exchange.Client, _ *simulator.Tenant) (any, error) {
			org, err := c.Organization(t.Context())
			text := rowOf(&org.Raw)
			return []any{org, text}, err
		}},
		"unified log": {simulator.Site{Cmdlet: "Get-AdminAuditLogConfig"}, func(t *testing.T, c *exchange.Client, _ *simulator.Tenant) (any, error) {
			log, err := c.AdminAuditLog(t.Context())
			text := rowOf(&log.Raw)
			return []any{log, text}, err
		}},
		"first page": {simulator.Site{Cmdlet: "Get-Mailbox"}, func(t *testing.T, c *exchange.Client, _ *simulator.Tenant) (any, error) {
			return result(collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"AuditEnabled"}})))
		}},
		"item":  {item("Get-Mailbox"), byID},
		"batch": {simulator.Site{Cmdlet: "$batch"}, byID},
	}
	for name, read := range reads {
		for _, kind := range simulator.FaultKinds() {
			if notTheCalls(kind.Name) || !kind.Strikes(read.at) {
				continue
			}
			t.Run(name+", "+kind.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					want, err := read.make(t, faulty(t), simulator.NewTenant(smallTenant()))
					if err != nil {
						t.Fatal(err)
					}
					c, s := faultyAt(t, kind.Passing(read.at))
					got, err := read.make(t, c, s.Tenant())
					if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%v, and\n%.200v, want\n%.200v", err, got, want)
					}
					if s.Struck(kind.Name) == 0 {
						t.Error("the fault did not strike")
					}
				})
			})
		}
	}
}

// rowOf takes out the row as it came, without the ids of its call.
func rowOf(r **exchange.RawRow) (text string) {
	if *r != nil {
		text = string((*r).JSON)
	}
	*r = nil
	return text
}

func result[T any](v T, err error) (any, error) { return v, err }

func faulty(t *testing.T) *exchange.Client {
	t.Helper()
	c, _ := faultyAt(t)
	return c
}

func faultyAt(t *testing.T, faults ...simulator.Fault) (*exchange.Client, *simulator.Service) {
	t.Helper()
	seed := smallTenant()
	seed.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := simulator.New(simulator.NewTenant(seed), simulator.WithFaults(faults...))
	return connect(t, s, func(cfg *exchange.Config) { cfg.TokenSource = &renewable{} }), s
}
