package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestFaultsThatAnswer(t *testing.T) {
	const get = "Get-OrganizationConfig"
	for _, tc := range []struct {
		name     string
		fault    simulator.Fault
		statuses []int
		check    func(answer) bool
	}{
		{"throttled with Retry-After", simulator.Throttled(get, 1, 1500*time.Millisecond), []int{429, 200}, func(a answer) bool { return a.Header.Get("Retry-After") == "2" }},
		{"throttled without", simulator.Throttled(get, 2, 0), []int{200, 429, 200}, nil},
		{"any cmdlet", simulator.Throttled("", 2, 0), []int{200, 429, 200}, nil},
		{"another cmdlet", simulator.Throttled("Get-Mailbox", 0, 0), []int{200, 200}, nil},
		{"unavailable twice", simulator.Unavailable(get, 2), []int{503, 503, 200}, nil},
		{"front door", simulator.FrontDoor(get, 502, 1), []int{502, 200}, func(a answer) bool { return strings.Contains(string(a.Raw), "<title>") }},
		{"transient", simulator.Transient(get, 1), []int{500, 200}, func(a answer) bool { return strings.Contains(string(a.Raw), "ADTransientException") }},
		{"refused", simulator.Refused("get-organizationconfig"), []int{403, 403}, func(a answer) bool { return len(a.Raw) == 4096 }},
		{"unauthenticated", simulator.Unauthenticated(get, 1), []int{401, 200}, func(a answer) bool { return a.Header.Get("Www-Authenticate") != "" }},
		{"redirected", simulator.Redirected(get, "evil.example"), []int{302, 302}, func(a answer) bool { return strings.HasPrefix(a.Header.Get("Location"), "https://evil.example/") }},
		{"error inside", simulator.ErrorInside(get, 1, "half of it failed"), []int{200, 200}, func(a answer) bool { return len(a.Errors) == 1 && len(a.Value) == 1 }},
		{"warned", simulator.Warned(get, 1, "strange days"), []int{200, 200}, func(a answer) bool { return len(a.Warnings) == 1 && a.Warnings[0] == "strange days" }},
		{"null", simulator.ValueNull(get, 1), []int{200}, func(a answer) bool { return strings.Contains(string(a.Raw), `"value":null`) }},
		{"cut", simulator.BodyCut(get, 1), []int{200, 200}, func(a answer) bool { return !json.Valid(a.Raw) && a.Err == nil }},
		{"broken", simulator.BodyBroken(get, 1), []int{200, 200}, func(a answer) bool { return errors.Is(a.Err, io.ErrUnexpectedEOF) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{}, simulator.WithFaults(tc.fault))
			for i, want := range tc.statuses {
				a := p.invoke(get, nil)
				if a.Status != want {
					t.Fatalf("call %d gives %d, want %d", i+1, a.Status, want)
				}
				if i == 0 && tc.check != nil && !tc.check(a) {
					t.Errorf("the fault does not show: %v %s %v", a.Header, a.Raw, a.Err)
				}
			}
		})
	}
}

func TestFaultsOfPaging(t *testing.T) {
	pages := func(t *testing.T, fault simulator.Fault) (*probe, answer, answer) {
		t.Helper()
		p := newProbe(t, simulator.Seed{Mailboxes: 30}, simulator.WithFaults(fault))
		p.prefer = "odata.maxpagesize=10"
		one := p.invoke("Get-Mailbox", nil)
		if one.Next == "" {
			return p, one, answer{}
		}
		return p, one, p.send(http.MethodPost, one.Next, command("Get-Mailbox", nil), nil)
	}
	p, one, two := pages(t, simulator.CursorLost("Get-Mailbox", 1))
	if one.Status != 200 || two.Status != 400 || !strings.Contains(two.text(), "Expired or Invalid pagination request") {
		t.Errorf("cursor lost: %d, %d %s", one.Status, two.Status, two.text())
	}
	if got := len(p.list("Get-Mailbox", nil)); got != 30 {
		t.Errorf("a cursor lost once is lost again: %d rows", got)
	}
	if _, one, _ := pages(t, simulator.NextLinkMissing("Get-Mailbox", 1)); len(one.Value) != 10 || one.Next != "" || len(one.Warnings) != 1 {
		t.Errorf("next link missing: link %q, warnings %q", one.Next, one.Warnings)
	}
	if _, one, two := pages(t, simulator.NextLinkRepeated("Get-Mailbox")); two.Next != one.Next {
		t.Errorf("next link repeated: %q, %q", one.Next, two.Next)
	}
	if _, one, _ := pages(t, simulator.NextLinkForeign("Get-Mailbox", "evil.example")); !strings.HasPrefix(one.Next, "https://evil.example/adminapi/") {
		t.Errorf("next link foreign: %q", one.Next)
	}
	cut := simulator.BodyCut("Get-Mailbox", 1)
	cut.Row = 3
	if _, one, _ := pages(t, cut); strings.Count(string(one.Raw), `"AuditOwner":`) != 3 || json.Valid(one.Raw) {
		t.Errorf("cut after row 3: %d rows", strings.Count(string(one.Raw), `"AuditOwner":`))
	}
}

func TestFaultWithProbability(t *testing.T) {
	fault := simulator.Unavailable("", 0)
	fault.Probability = 0.25
	outcome := func() (failed int, pattern string) {
		p := newProbe(t, simulator.Seed{}, simulator.WithFaults(fault))
		for range 400 {
			if p.invoke("Get-OrganizationConfig", nil).Status == 503 {
				failed++
				pattern += "x"
				continue
			}
			pattern += "."
		}
		return failed, pattern
	}
	failed, pattern := outcome()
	if _, again := outcome(); again != pattern {
		t.Error("the same fault strikes other calls the second time")
	}
	if failed < 60 || failed > 140 {
		t.Errorf("%d of 400 failed, want about 100", failed)
	}
}

func TestDelayWaitsInABubbleAndHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 1, Now: time.Now()})
		s := simulator.New(tenant, simulator.WithLatency(time.Second), simulator.WithFaults(simulator.Delayed("", 2, time.Hour)))
		p := &probe{t: t, s: s}
		start := time.Now()
		if a := p.invoke("Get-OrganizationConfig", nil); a.Status != 200 || time.Since(start) != time.Second {
			t.Errorf("first call: %d after %v", a.Status, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url(), strings.NewReader(string(command("Get-OrganizationConfig", nil))))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer token")
		start = time.Now()
		res, err := s.RoundTripper().RoundTrip(req)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("abandoned call: %v after %v", err, time.Since(start))
		}
		if err == nil {
			res.Body.Close()
		}
		if calls := s.Calls(); len(calls) != 2 || calls[1].Status != 0 {
			t.Errorf("log %+v", calls)
		}
		m := first(tenant)
		p.invoke("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": 180})
		if after, _ := tenant.Mailbox(m.Guid); !after.Changed.Equal(time.Now()) {
			t.Errorf("changed %v, now %v", after.Changed, time.Now())
		}
	})
}

func TestOverSockets(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 30})
	server := httptest.NewServer(simulator.New(tenant, simulator.WithCompression(), simulator.WithFaults(simulator.BodyBroken("Get-Mailbox", 2))))
	defer server.Close()
	post := func(url string) (answer, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(command("Get-Mailbox", nil))))
		if err != nil {
			return answer{}, err
		}
		req.Header.Set("Authorization", "Bearer token")
		req.Header.Set("Prefer", "odata.maxpagesize=10")
		req.Header.Set("X-AnchorMailbox", orgMail+tenant.ID())
		res, err := server.Client().Do(req)
		if err != nil {
			return answer{}, err
		}
		defer res.Body.Close()
		var a answer
		raw, err := io.ReadAll(res.Body)
		if err == nil {
			err = json.Unmarshal(raw, &a)
		}
		return a, err
	}
	one, err := post(server.URL + "/adminapi/beta/" + tenant.ID() + "/InvokeCommand")
	if err != nil || len(one.Value) != 10 || !strings.HasPrefix(one.Next, server.URL+"/adminapi/") {
		t.Fatalf("page one: %v, %d rows, next %q", err, len(one.Value), one.Next)
	}
	if _, err := post(one.Next); err == nil {
		t.Error("a broken body is read to its end")
	}
	if two, err := post(one.Next); err != nil || len(two.Value) != 10 {
		t.Errorf("page two: %v, %d rows", err, len(two.Value))
	}
}
