package simulator_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestHook: both moments of a cmdlet, and a request that a hook ends before its effect,
// or after it.
func TestHook(t *testing.T) {
	var (
		mu   sync.Mutex // the hook is called by the goroutines that serve
		seen []string
		end  string
	)
	tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 3})
	service := simulator.New(tenant, simulator.WithHook(func(m simulator.Moment, in simulator.Invocation) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(m, " ", in.Cmdlet, " ", in.Parameters["AuditDisabled"], " ", in.Status, " ", tenant.Organization().AuditDisabled))
		if string(m) == end {
			panic(http.ErrAbortHandler)
		}
	}))
	server := httptest.NewServer(service)
	defer server.Close()
	set := func(disabled bool) error {
		body := fmt.Sprintf(`{"CmdletInput":{"CmdletName":"Set-OrganizationConfig","Parameters":{"AuditDisabled":%t}}}`, disabled)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/adminapi/beta/"+tenant.ID()+"/InvokeCommand", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer a-token")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-AnchorMailbox", "UPN:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@"+tenant.Domain())
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		return err
	}
	if err := set(true); err != nil {
		t.Fatal(err)
	}
	want := []string{"received Set-OrganizationConfig true 0 false", "done Set-OrganizationConfig true 200 true"}
	mu.Lock()
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	mu.Unlock()
	for _, moment := range []string{"received", "done"} {
		mu.Lock()
		end = moment
		mu.Unlock()
		if err := set(false); !errors.Is(err, io.EOF) {
			t.Errorf("ended when %s: %v", moment, err)
		}
		if got := tenant.Organization().AuditDisabled; got != (moment == "received") {
			t.Errorf("ended when %s: AuditDisabled is %t", moment, got)
		}
	}
}
