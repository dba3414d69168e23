package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestPersonIsAskedOnce(t *testing.T) {
	k := kindNamed(t, "device code")
	synctest.Test(t, func(t *testing.T) {
		w, a, cfg := k.open(t)
		p := provider(t, cfg)
		token(t, a, p.TokenSource(scope))
		if len(w.prompts) != 1 || !strings.Contains(w.prompts[0], "enter the code") {
			t.Fatalf("prompts %q", w.prompts)
		}
		if p.Account() != person {
			t.Errorf("account %q", p.Account())
		}
		token(t, a, p.TokenSource(otherAudience+"/.default"))
		time.Sleep(58 * time.Minute)
		token(t, a, p.TokenSource(scope))
		p.Invalidate(scope)
		token(t, a, p.TokenSource(scope))
		if len(w.prompts) != 1 || a.DeviceCodes() != 1 {
			t.Errorf("the person was asked %d times", len(w.prompts))
		}
		a.SignOut()
		p.Invalidate(scope)
		token(t, a, p.TokenSource(scope))
		if len(w.prompts) != 2 || a.DeviceCodes() != 2 {
			t.Errorf("after the sign-out the person was asked %d times in all, want 2", len(w.prompts))
		}
	})
}

// TestTwoScopesAskOnePersonOneThing: two cold scopes at once show one code.
func TestTwoScopesAskOnePersonOneThing(t *testing.T) {
	k := kindNamed(t, "device code")
	synctest.Test(t, func(t *testing.T) {
		w, a, cfg := k.open(t)
		w.authority.Person.Polls = 10
		p := provider(t, cfg)
		done := make(chan error, 2)
		for _, s := range []string{scope, otherAudience + "/.default"} {
			go func() {
				_, err := p.TokenSource(s).Token()
				done <- err
			}()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if len(w.prompts) != 1 || a.DeviceCodes() != 1 {
			t.Errorf("the person was asked %d times, for %d codes", len(w.prompts), a.DeviceCodes())
		}
	})
}

// TestSlowPersonMeetsAnOutage: failures minutes apart are not one outage.
func TestSlowPersonMeetsAnOutage(t *testing.T) {
	k := kindNamed(t, "device code")
	synctest.Test(t, func(t *testing.T) {
		w, _, cfg := k.open(t)
		w.authority.Person.Polls = 120 // five seconds each
		a := w.reopen(&cfg)
		a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
			if c.Token > 0 && c.Token%40 == 0 {
				return simulator.AuthorityUnavailable()
			}
			return simulator.AuthorityAnswer{}
		})
		start := time.Now()
		token(t, a, provider(t, cfg).TokenSource(scope))
		if took := time.Since(start); took < 8*time.Minute || len(w.prompts) != 1 {
			t.Errorf("signed in after %v and %d prompts", took, len(w.prompts))
		}
	})
}

func TestPromptCannotDriveTheTerminal(t *testing.T) {
	k := kindNamed(t, "device code")
	synctest.Test(t, func(t *testing.T) {
		w, a, cfg := k.open(t)
		cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/devicecode") {
				return response(200, `{"device_code":"d","user_code":"u","expires_in":900,"interval":5,"message":"go\u001b[2J\nthere"}`), nil
			}
			return a.RoundTripper().RoundTrip(r)
		})}
		_, err := provider(t, cfg).TokenSource(scope).Token()
		if e := wantError(t, err); e.Code != "bad_verification_code" || len(w.prompts) != 1 || w.prompts[0] != "go[2J there" {
			t.Errorf("prompts %q, then %v", w.prompts, err)
		}
	})
}

func TestWaitForAPersonCanBeInterrupted(t *testing.T) {
	k := kindNamed(t, "device code")
	synctest.Test(t, func(t *testing.T) {
		w, _, cfg := k.open(t)
		w.authority.Person.Polls = -1
		w.reopen(&cfg)
		ctx, cancel := context.WithCancel(t.Context())
		p, err := auth.New(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		impatient, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		_, err = p.Facts(impatient, scope)
		if e := wantError(t, err); !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("Facts: %v", err)
		}
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		_, err = p.TokenSource(scope).Token()
		if e := wantError(t, err); !errors.Is(e, context.Canceled) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if len(w.prompts) != 1 {
			t.Errorf("%d prompts: the second caller must join the first", len(w.prompts))
		}
	})
}
