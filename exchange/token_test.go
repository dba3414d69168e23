package exchange

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

// renewable is a token source that can forget its token.
type renewable struct {
	mu          sync.Mutex
	generation  int
	invalidated int
	fail        error
}

func (r *renewable) Token() (*oauth2.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	return &oauth2.Token{AccessToken: "token-" + strconv.Itoa(r.generation)}, nil
}

func (r *renewable) Invalidate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	r.invalidated++
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	accepts := func(token string) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			r := ok(`{"value":[{}]}`)
			if req.Header.Get("Authorization") != "Bearer "+token {
				r = reply{status: 401, header: map[string]string{"WWW-Authenticate": `Bearer error="invalid_token", claims="abc"`}}
			}
			return (&script{replies: []reply{r}}).RoundTrip(req)
		})
	}
	t.Run("a new token helps, also many calls at once", func(t *testing.T) {
		source := &renewable{}
		cfg := testConfig(accepts("token-1"))
		cfg.TokenSource = source
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if r := c.SetAuditDisabled(t.Context(), false); r.Err != nil {
					t.Error(r.Err)
				}
			})
		}
		group.Wait()
		if source.invalidated != 1 {
			t.Errorf("invalidated %d times, want once", source.invalidated)
		}
	})
	t.Run("a new token does not help", func(t *testing.T) {
		source := &renewable{}
		cfg := testConfig(accepts("no token"))
		cfg.TokenSource = source
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Organization(t.Context())
		if e, found := asError(err); !found || !IsUnauthenticated(err) || !e.Claims || c.Stats().Requests != 2 || source.invalidated != 1 {
			t.Errorf("err = %v after %d requests", err, c.Stats().Requests)
		}
	})
	t.Run("the source gives the same token again", func(t *testing.T) {
		cfg := testConfig(accepts("no token"))
		cfg.TokenSource = forgetful{cfg.TokenSource}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Organization(t.Context()); !IsUnauthenticated(err) || c.Stats().Requests != 1 {
			t.Errorf("err = %v after %d requests, want 1", err, c.Stats().Requests)
		}
	})
	t.Run("the source cannot renew", func(t *testing.T) {
		c := newTestClient(t, accepts("another"))
		if _, err := c.Organization(t.Context()); !IsUnauthenticated(err) || c.Stats().Requests != 1 {
			t.Errorf("err = %v after %d requests", err, c.Stats().Requests)
		}
	})
	t.Run("no token at all", func(t *testing.T) {
		cfg := testConfig(accepts("x"))
		cfg.TokenSource = &renewable{fail: errors.New(`raw message was: {"access_token":"abc"}`)}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Organization(t.Context())
		if !IsUnauthenticated(err) || c.Stats().Requests != 0 {
			t.Errorf("err = %v after %d requests", err, c.Stats().Requests)
		}
		leaks(t, err.Error(), "abc")
	})
	for _, bad := range []string{"", "a b", "a\nb"} {
		cfg := testConfig(accepts("x"))
		cfg.TokenSource = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: bad})
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Organization(t.Context()); !IsUnauthenticated(err) || c.Stats().Requests != 0 {
			t.Errorf("token %q: err = %v after %d requests", bad, err, c.Stats().Requests)
		}
	}
}

// forgetful is a token source whose Invalidate does nothing.
type forgetful struct{ oauth2.TokenSource }

func (forgetful) Invalidate() {}

// TestRefusedItemIsSentAgain: an item that is answered by 401 was not executed,
// so it is sent again, once, with another token.
func TestRefusedItemIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := `{"value":[]}`
		s := &script{replies: []reply{
			answers(item("0", 401, "", `{}`), item("1", 200, "", good), item("2", 429, `"Retry-After":"5"`, `{}`), item("3", 401, "", `{}`)),
			answers(item("0", 200, "", good), item("2", 200, "", good), item("3", 401, "", `{}`)),
		}}
		source := &renewable{}
		cfg := testConfig(s)
		cfg.TokenSource = source
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}, {Guid: guid(1)}, {Guid: guid(2)}, {Guid: guid(3)}})
		for i, r := range got {
			if refused := i == 3; refused != IsUnauthenticated(r.Err) || !refused && r.Err != nil {
				t.Errorf("item %d gave %v", i, r.Err)
			}
		}
		sent := s.requests()
		if len(sent) != 2 || source.invalidated != 1 || sent[1].header.Get("Authorization") != "Bearer token-1" {
			t.Fatalf("%d requests and %d renewals, want 2 and 1", len(sent), source.invalidated)
		}
		again := readBatch(t, sent[1].body).Requests
		if len(again) != 3 || again[0].ID != "0" || again[1].ID != "2" || again[2].ID != "3" || again[0].Headers["Authorization"] != "Bearer token-1" {
			t.Errorf("sent again: %+v", again)
		}
	})
	for name, source := range map[string]oauth2.TokenSource{
		"same token": forgetful{testConfig(nil).TokenSource}, "no renewal": testConfig(nil).TokenSource,
	} {
		s := &script{replies: []reply{answers(item("0", 401, "", `{}`))}}
		cfg := testConfig(s)
		cfg.TokenSource = source
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if r := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0]; !IsUnauthenticated(r.Err) || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests, want 1", name, r.Err, len(s.requests()))
		}
	}
}

// slowSource gives a token after an hour the first time, and then at once.
type slowSource struct {
	mu   sync.Mutex
	used bool
}

func (s *slowSource) Token() (*oauth2.Token, error) {
	s.mu.Lock()
	first := !s.used
	s.used = true
	s.mu.Unlock()
	if first {
		time.Sleep(time.Hour)
	}
	return &oauth2.Token{AccessToken: testToken}, nil
}

func TestWaitForATokenHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(&script{replies: []reply{ok(`{"value":[{}]}`)}})
		cfg.TokenSource, cfg.Concurrency = &slowSource{}, 1
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := c.Organization(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
				t.Errorf("err = %v after %v, want the context's after a minute", err, time.Since(start))
			}
		})
		synctest.Wait() // the first caller waits for its token
		if _, err := c.Organization(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("another call ended with %v after %v, want at once", err, time.Since(start))
		}
		group.Wait()
		if got := c.Stats().Requests; got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
		time.Sleep(time.Hour) // the source ends its sleep
	})
}

// stuckSource gives a token at once, and after it is forgotten never in time.
type stuckSource struct{ forgotten atomic.Bool }

func (s *stuckSource) Token() (*oauth2.Token, error) {
	if s.forgotten.Load() {
		time.Sleep(time.Hour)
	}
	return &oauth2.Token{AccessToken: testToken}, nil
}

func (s *stuckSource) Invalidate() { s.forgotten.Store(true) }

func TestWaitForARenewalEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(&script{replies: []reply{{status: 401}}})
		cfg.TokenSource = &stuckSource{}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var group sync.WaitGroup
		for i := range 2 { // the second waits for the first
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
				defer cancel()
				if _, err := c.Organization(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Duration(i+1)*time.Second {
					t.Errorf("err = %v after %v, want the context's after %d s", err, time.Since(start), i+1)
				}
			})
		}
		group.Wait()
		time.Sleep(time.Hour) // the source ends its sleep
	})
}
