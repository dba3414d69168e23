package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func throttled(after string) reply {
	r := reply{status: 429}
	if after != "" {
		r.header = map[string]string{"Retry-After": after}
	}
	return r
}

func TestReadsAreRepeatedAndWritesHardly(t *testing.T) {
	good := ok(`{"value":[{}]}`)
	transient := reply{status: 500, body: failure("InternalServerError", "Internal server error", "", "Microsoft.Exchange.Data.Directory.ADTransientException", "The LDAP server is unavailable")}
	readOne := func(ctx context.Context, c *Client) error { _, err := c.Organization(ctx); return err }
	writeOne := func(ctx context.Context, c *Client) error { return c.SetAuditDisabled(ctx, false).Err }
	tests := []struct {
		name    string
		call    func(context.Context, *Client) error
		replies []reply
		want    int // requests
		fails   bool
		waits   time.Duration // exactly, where the service named it
	}{
		{"read after 429", readOne, []reply{throttled("7"), good}, 2, false, 7 * time.Second},
		{"read after a fraction", readOne, []reply{throttled("7.5"), good}, 2, false, 7500 * time.Millisecond},
		{"read after less than the least wait", readOne, []reply{throttled("0.1"), good}, 2, false, 2 * time.Second},
		{"read after 429 without a time", readOne, []reply{throttled(""), good}, 2, false, 0},
		{"read after 503", readOne, []reply{{status: 503}, {status: 503}, good}, 3, false, 0},
		{"read after 503 with a time", readOne, []reply{{status: 503, header: map[string]string{"Retry-After": "3"}}, good}, 2, false, 3 * time.Second},
		{"read throttled more often than it may be tried", readOne, append(slices.Repeat([]reply{throttled("3")}, 40), good), 41, false, 120 * time.Second},
		{"write throttled more often than it may be tried", writeOne, append(slices.Repeat([]reply{throttled("3")}, 40), good), 41, false, 120 * time.Second},
		{"read throttled for ever", readOne, []reply{throttled("1")}, 451, true, 15 * time.Minute},
		{"write throttled for ever", writeOne, []reply{throttled("100")}, 10, true, 15 * time.Minute},
		{"read throttled and unavailable in turn", readOne, []reply{throttled("9"), {status: 503}, throttled("9"), {status: 503}, throttled("9"), {status: 503}, throttled("9"), {status: 503}, good}, 9, false, 0},
		{"read unavailable for ever", readOne, []reply{{status: 503}, throttled("9"), {status: 503}}, 6, true, 0},
		{"read throttled beyond the budget", readOne, []reply{throttled("100000"), good}, 1, true, 0},
		{"read after 500", readOne, []reply{{status: 500}, good}, 1, true, 0},
		{"read after a transient 500", readOne, []reply{transient, good}, 2, false, 0},
		{"read after a 500 of a busy server", readOne, []reply{{status: 500, body: failure("InternalServerError", "m", "|A.DCOverloadedException|busy", "A.B", "x")}, good}, 2, false, 0},
		{"read after a 500 that names one", readOne, []reply{{status: 500, body: failure("InternalServerError", "m", "|A.B|failed with ServerInMMException", "A.B", "x")}, good}, 2, false, 0},
		{"read after a transient 400", readOne, []reply{{status: 400, body: transient.body}, good}, 2, false, 0},
		{"read after 502", readOne, []reply{{status: 502}, good}, 2, false, 0},
		{"read after 504", readOne, []reply{{status: 504}, good}, 2, false, 0},
		{"read after 408", readOne, []reply{{status: 408}, good}, 2, false, 0},
		{"read after 501", readOne, []reply{{status: 501}, good}, 1, true, 0},
		{"read after 403", readOne, []reply{{status: 403}, good}, 1, true, 0},
		{"read after 400", readOne, []reply{{status: 400}, good}, 1, true, 0},
		{"read without an answer", readOne, []reply{{err: errors.New("reset")}, good}, 2, false, 0},
		{"read without an answer for ever", readOne, []reply{{err: errors.New("reset")}}, 5, true, 0},
		{"read of a host whose certificate is not good", readOne, []reply{{err: &tls.CertificateVerificationError{Err: errors.New("x")}}, good}, 1, true, 0},
		{"read of a host that does not exist", readOne, []reply{{err: &net.DNSError{Err: "x", IsNotFound: true}}, good}, 1, true, 0},
		{"read with a broken answer", readOne, []reply{{status: 200, cut: true}, good}, 2, false, 0},
		{"read with a broken answer for ever", readOne, []reply{{status: 200, cut: true}}, 5, true, 0},
		{"read cut short", readOne, []reply{ok(`{"value":[{`), good}, 2, false, 0},
		{"read with a damaged gzip", readOne, []reply{ok("\x1f\x8b damaged"), ok("damaged"), good}, 3, false, 0},
		{"read of no value", readOne, []reply{ok(`{"value":null}`), ok(`{}`), ok(``), good}, 4, false, 0},
		{"read of no value for ever", readOne, []reply{ok(`{"value":null}`)}, 5, true, 0},
		{"read with errors inside", readOne, []reply{ok(`{"@adminapi.errors":["busy"],"value":[{}]}`), good}, 2, false, 0},
		{"read with a failure inside", readOne, []reply{ok(`{"error":{"code":"x"}}`), good}, 2, false, 0},
		{"read that is asked back", readOne, []reply{ok(`{"@adminapi.confirmationmessage":"sure?","value":[]}`), good}, 1, true, 0},
		{"read of what is not there, inside", readOne, []reply{ok(`{"@adminapi.errors":["|A.ManagementObjectNotFoundException|gone"]}`), good}, 1, true, 0},
		{"read of a row too many", readOne, []reply{ok(`{"value":[{},{}]}`), good}, 1, true, 0},
		{"write after 429", writeOne, []reply{throttled("7"), good}, 2, false, 7 * time.Second},
		{"write after 503", writeOne, []reply{{status: 503}, good}, 1, true, 0},
		{"write after a transient 500", writeOne, []reply{transient, good}, 1, true, 0},
		{"write after 502", writeOne, []reply{{status: 502}, good}, 1, true, 0},
		{"write after 408", writeOne, []reply{{status: 408}, good}, 1, true, 0},
		{"write after 504", writeOne, []reply{{status: 504}, good}, 1, true, 0},
		{"write without an answer", writeOne, []reply{{err: errors.New("reset")}, good}, 1, true, 0},
		{"write with a broken answer", writeOne, []reply{{status: 200, cut: true}, good}, 1, true, 0},
		{"write cut short", writeOne, []reply{ok(`{"value":[`), good}, 1, true, 0},
		{"write with errors inside", writeOne, []reply{ok(`{"@adminapi.errors":["busy"]}`), good}, 1, true, 0},
		{"write after a transient 400", writeOne, []reply{{status: 400, body: transient.body}, good}, 1, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := patient(t, tt.replies...)
				start := time.Now()
				err := tt.call(t.Context(), c)
				if (err != nil) != tt.fails {
					t.Errorf("err = %v, want failure %v", err, tt.fails)
				}
				sent := s.requests()
				if len(sent) != tt.want {
					t.Errorf("%d requests, want %d", len(sent), tt.want)
				}
				if waited := time.Since(start); tt.waits > 0 && (waited < tt.waits || waited > tt.waits+time.Second) {
					t.Errorf("waited %v, want %v", waited, tt.waits)
				}
				for _, r := range sent {
					if a, b := sent[0].header.Get("client-request-id"), r.header.Get("client-request-id"); a != b {
						t.Errorf("client-request-id changed from %s to %s", a, b)
					}
				}
			})
		})
	}
}

func TestThrottlingCostsTimeOnEveryPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := patient(t, throttled("1"), page(`{}`, linkTo("A")), throttled("1"), throttled("1"), page(`{}`, ""))
		rows, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		if err != nil || len(rows) != 2 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		if got := c.Stats(); got.Throttled != 3 || got.Requests != 5 || got.Pages != 2 {
			t.Errorf("Stats() = %+v", got)
		}
		if sent := s.requests(); sent[2].url != linkTo("A") || sent[4].url != linkTo("A") {
			t.Errorf("the page was not asked for again: %v", sent)
		}
	})
}

// TestPageIsRepeatedLessThanARead: a further page moves a cursor that is bound to
// its backend, so whatever may pass but a 429 is a lost cursor.
func TestPageIsRepeatedLessThanARead(t *testing.T) {
	const again, lost, fails = "again", "lost", "fails"
	for name, tt := range map[string]struct {
		bad  reply
		want string
	}{
		"429":           {throttled("1"), again},
		"502":           {reply{status: 502}, lost},
		"503":           {reply{status: 503}, lost},
		"504":           {reply{status: 504}, lost},
		"no answer":     {reply{err: errors.New("reset")}, lost},
		"408":           {reply{status: 408}, lost},
		"transient 500": {reply{status: 500, body: failure("InternalServerError", "m", "", "A.ADTransientException", "x")}, lost},
		"broken body":   {reply{status: 200, body: `{"value":[`, cut: true}, lost},
		"cut body":      {ok(`{"value":[{`), lost},
		"null value":    {ok(`{"value":null}`), lost},
		"no body":       {ok(``), lost},
		"wrong backend": {reply{status: 400, body: failure("BadRequest", "m", "|A.CmdletProxyNotAvailableException|Cmdlet needs proxy.", "A.B", "x")}, lost},
		"500":           {reply{status: 500}, fails},
		"403":           {reply{status: 403}, fails},
		"question":      {ok(`{"@adminapi.confirmationmessage":"sure?"}`), fails},
	} {
		for _, page2 := range []string{"A", "B"} {
			t.Run(name+" after page "+page2, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, s := patient(t, page(`{}`, linkTo("A")), tt.bad, page(`{}`, ""))
					want, before := tt.want, 1
					if page2 == "B" {
						c, s = patient(t, page(`{}`, linkTo("A")), page(`{}`, linkTo("B")), tt.bad, page(`{}`, ""))
						before = 2
					}
					_, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
					requests := before + 1
					if want == again {
						requests++
					}
					if len(s.requests()) != requests || (err == nil) != (want == again) || IsCursorLost(err) != (want == lost) {
						t.Errorf("%v after %d requests, want %s", err, len(s.requests()), want)
					}
				})
			})
		}
	}
}

// TestLostCursorIsNotReportedAtOnce: whoever begins again waits as long as a call
// that is repeated.
func TestLostCursorIsNotReportedAtOnce(t *testing.T) {
	for after, want := range map[string]time.Duration{"": 2 * time.Second, "30": 30 * time.Second, "100000": 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			bad := reply{status: 503, header: map[string]string{"Retry-After": after}}
			c, _ := patient(t, page(`{}`, linkTo("A")), bad)
			start := time.Now()
			_, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
			if waited := time.Since(start); !IsCursorLost(err) || waited != want {
				t.Errorf("Retry-After %q: %v after %v, want a lost cursor after %v", after, err, waited, want)
			}
		})
	}
}

// TestCallThatHadAllItsTimeIsMadeOnceMore: a quarter of an hour is lost by then.
func TestCallThatHadAllItsTimeIsMadeOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		cfg := testConfig(roundTripper(func(req *http.Request) (*http.Response, error) {
			requests.Add(1)
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		cfg.Retry = Retry{}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Organization(t.Context()); err == nil || requests.Load() != 2 {
			t.Errorf("a read: %v after %d requests, want 2", err, requests.Load())
		}
		if r := c.SetAuditDisabled(t.Context(), false); r.Err == nil || requests.Load() != 3 {
			t.Errorf("a write: %v after %d requests, want 3", r.Err, requests.Load())
		}
	})
}

// TestBudgetIsThatOfOnePage: what one page waited is not taken from the next.
func TestBudgetIsThatOfOnePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := patient(t, throttled("800"), page(`{}`, linkTo("A")), throttled("800"), page(`{}`, linkTo("B")), throttled("800"), page(`{}`, ""))
		if rows, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{})); err != nil || len(rows) != 3 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})
}

func TestRetryAfterHoldsAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		transport := roundTripper(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
			r := ok(`{"value":[{}]}`)
			if len(at) == 1 {
				r = throttled("30")
			}
			return (&script{replies: []reply{r}}).RoundTrip(req)
		})
		c := newTestClient(t, transport)
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := c.Organization(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if len(at) != 7 {
			t.Fatalf("%d requests, want 7", len(at))
		}
		for _, moment := range at[1:] {
			if moment < 30*time.Second {
				t.Errorf("a request went out %v after the start, within the 30 s of Retry-After", moment)
			}
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestExhaustedRateLimitHoldsTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		first := ok(`{"value":[{}]}`)
		first.header = map[string]string{
			"Rate-Limit-Remaining": "0", "Rate-Limit-Reset": now.Add(16 * time.Second).Format(time.RFC3339), "Date": now.Format(http.TimeFormat),
		}
		c, _ := patient(t, first, ok(`{"value":[{}]}`))
		start := time.Now()
		for range 2 {
			if _, err := c.Organization(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited < 16*time.Second || waited > 17*time.Second {
			t.Errorf("waited %v, want 16 s", waited)
		}
	})
}

func TestContextEndsEveryWait(t *testing.T) {
	tests := []struct {
		name    string
		replies []reply
	}{
		{"waiting for Retry-After", []reply{throttled("600")}},
		{"waiting between tries", []reply{{status: 503}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := patient(t, tt.replies...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				_, err := c.Organization(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("err = %v after %v, want the context's after 1 s", err, time.Since(start))
				}
			})
		})
	}
	t.Run("waiting for a turn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newTestClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var group sync.WaitGroup
			for range 10 { // more than may be in flight
				group.Go(func() {
					if _, err := c.Organization(ctx); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("err = %v", err)
					}
				})
			}
			group.Wait()
			if got := c.Stats().Requests; got != 4 {
				t.Errorf("%d requests were in flight, want 4", got)
			}
		})
	})
	t.Run("before the first call", func(t *testing.T) {
		c, s := patient(t, ok(`{"value":[{}]}`))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Organization(ctx); !errors.Is(err, context.Canceled) || len(s.requests()) != 0 {
			t.Errorf("err = %v with %d requests", err, len(s.requests()))
		}
	})
}

func TestOneCallHasItsOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, &url.Error{Op: "Post", URL: "https://x/?secret", Err: req.Context().Err()}
		}))
		for call, want := range map[*func() error]time.Duration{
			new(func() error { _, err := c.Organization(t.Context()); return err }): 960 * time.Second,
			new(func() error { return c.SetAuditDisabled(t.Context(), false).Err }): 1860 * time.Second,
		} {
			start := time.Now()
			err := (*call)()
			if e, found := asError(err); !found || e.Status != 0 || time.Since(start) != want {
				t.Errorf("err = %v after %v, want no answer after %v", err, time.Since(start), want)
			}
		}
	})
}

func TestNoAnswerKeepsItsCauseAndNotItsURL(t *testing.T) {
	cause := &net.OpError{Op: "dial", Err: errors.New("refused Bearer " + testToken)}
	cfg := testConfig(&script{replies: []reply{{err: &url.Error{Op: "Post", URL: "https://outlook.example/?%24skiptoken=ADsecret", Err: cause}}}})
	cfg.Retry.Tries = 1
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Organization(t.Context())
	if found, ok := errors.AsType[*net.OpError](err); !ok || found != cause {
		t.Errorf("the cause is lost: %v", err)
	}
	leaks(t, err.Error(), testToken, "ADsecret", "https://")
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, " 5 ": 5 * time.Second, "0.25": 250 * time.Millisecond, "-1": 0, "0": 0, "x": 0, "NaN": 0, "-Inf": 0,
		"Inf": math.MaxInt32 * time.Second, "1e300": math.MaxInt32 * time.Second,
		"Mon, 23 Nov 2026 12:00:09 GMT": 9 * time.Second, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("parseRetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

// TestRetryAfterByTheServicesClock: a date is read by the clock that wrote it.
func TestRetryAfterByTheServicesClock(t *testing.T) {
	for _, skew := range []time.Duration{-2 * time.Hour, 0, 2 * time.Hour} {
		now := time.Now().Add(skew).UTC()
		h := http.Header{}
		h.Set("Date", now.Format(http.TimeFormat))
		h.Set("Retry-After", now.Add(30*time.Second).Format(http.TimeFormat))
		if got := newError("Get-Mailbox", http.StatusTooManyRequests, h, nil).RetryAfter; got != 30*time.Second {
			t.Errorf("with a clock %v away: %v, want 30 s", skew, got)
		}
	}
}
