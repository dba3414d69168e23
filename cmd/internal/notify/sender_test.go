package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

const soc = "https://soc.example/" + hidden

// gaps are the times between the attempts.
func (r *receiver) gaps() []time.Duration {
	var out []time.Duration
	for i := 1; i < len(r.when); i++ {
		out = append(out, r.when[i].Sub(r.when[i-1]))
	}
	return out
}

// TestRetries: which answers are tried again, and when.
func TestRetries(t *testing.T) {
	const s, m = time.Second, time.Minute
	for _, tt := range []struct {
		name   string
		answer func(n int, r *http.Request, body string) (*http.Response, error)
		gaps   []time.Duration
		result string
	}{
		{"taken", func(_ int, r *http.Request, _ string) (*http.Response, error) { return status(r, 202), nil }, nil, notify.ResultDelivered},
		{"fails at first", func(n int, r *http.Request, _ string) (*http.Response, error) {
			return status(r, []int{500, 503, 408, 425, 429, 200}[n-1]), nil
		}, []time.Duration{s, 5 * s, 30 * s, 2 * m, 10 * m}, notify.ResultDelivered},
		{"no connection at first", func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return nil, errors.New("broken")
			}
			return status(r, 200), nil
		}, []time.Duration{s}, notify.ResultDelivered},
		{"asks to wait", func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 429, "Retry-After", "90"), nil
			}
			return status(r, 200), nil
		}, []time.Duration{90 * s}, notify.ResultDelivered},
		{"asks by a date", func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 503, "Retry-After", time.Now().Add(3*m).UTC().Format(http.TimeFormat)), nil
			}
			return status(r, 200), nil
		}, []time.Duration{3 * m}, notify.ResultDelivered},
		{"asks for too much", func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 503, "Retry-After", "864000"), nil
			}
			return status(r, 200), nil
		}, []time.Duration{time.Hour}, notify.ResultDelivered},
		{"asks for nonsense", func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 503, "Retry-After", "-5"), nil
			}
			return status(r, 200), nil
		}, []time.Duration{s}, notify.ResultDelivered},
		{"hangs once", func(n int, r *http.Request, b string) (*http.Response, error) {
			if n == 1 {
				return hang(n, r, b)
			}
			return status(r, 200), nil
		}, []time.Duration{11 * s}, notify.ResultDelivered},
		{"refuses", func(_ int, r *http.Request, _ string) (*http.Response, error) { return status(r, 400), nil }, nil, notify.ResultRefused},
		{"is gone", func(_ int, r *http.Request, _ string) (*http.Response, error) { return status(r, 410), nil }, nil, notify.ResultRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: tt.answer}
				o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
				o.Notify(t.Context(), event(notify.EventBeforeApply, "run-1"))
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if err := o.end(time.Second); (err != nil) != (tt.result == notify.ResultRefused) {
					t.Errorf("Close: %v", err)
				}
				if !slices.EqualFunc(tt.gaps, r.gaps(), func(want, got time.Duration) bool { return got >= want && got <= want+want/4 }) {
					t.Errorf("between the attempts: %v, want %v and up to a quarter more", r.gaps(), tt.gaps)
				}
				if o.count(tt.result) != 1 || o.count(notify.ResultRetried) != len(tt.gaps) {
					t.Errorf("results %v", o.results)
				}
				for _, c := range r.calls() {
					if got := c.header.Get(notify.IdempotencyHeader); got != "id-run-1-beforeApply" {
						t.Errorf("idempotency key %q", got)
					}
				}
			})
		})
	}
}

// TestHopeless: a receiver that always fails ends the event after a day, a heartbeat
// after a minute.
func TestHopeless(t *testing.T) {
	for kind, about := range map[notify.Kind]time.Duration{notify.KindSlack: 24 * time.Hour, notify.KindHeartbeat: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) { return status(r, 500), nil }}
			o := newOutbox(t, r, target(t, kind, soc))
			o.Notify(t.Context(), event(notify.EventContested, "run-1"))
			o.Notify(t.Context(), event(notify.EventHeartbeat, "run-1"))
			time.Sleep(30 * time.Hour)
			synctest.Wait()
			if n := o.count(notify.ResultExpired); n != 1 {
				t.Errorf("%s: %d expired", kind, n)
			}
			if took := r.when[len(r.when)-1].Sub(r.when[0]); took > about || took < about/2 {
				t.Errorf("%s: tried for %s", kind, took)
			}
			if err := o.end(time.Second); err == nil || err.Error() != "1 notification not delivered" {
				t.Errorf("%s: Close: %v", kind, err)
			}
		})
	}
}

// body is an answer whose body comes byte by byte, for ever.
type body struct{ closed chan struct{} }

func (b body) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	case <-b.closed:
		return 0, io.ErrUnexpectedEOF
	}
}

func (b body) Close() error { close(b.closed); return nil }

// TestNotifyNeverWaits: whatever a receiver does, an event is handed over in no time,
// and the end takes no longer than it may.
func TestNotifyNeverWaits(t *testing.T) {
	for name, answer := range map[string]func(int, *http.Request, string) (*http.Response, error){
		"hangs": hang,
		"fails": func(int, *http.Request, string) (*http.Response, error) { return nil, errors.New("no") },
		"throttles": func(_ int, r *http.Request, _ string) (*http.Response, error) {
			return status(r, 429, "Retry-After", "3600"), nil
		},
		"crawls": func(_ int, r *http.Request, _ string) (*http.Response, error) {
			a := status(r, 500)
			a.Body = body{make(chan struct{})}
			return a, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: answer}
				var targets []notify.Target
				for _, k := range notify.Kinds() {
					targets = append(targets, target(t, k, soc))
				}
				o := newOutbox(t, r, targets...)
				begin := time.Now()
				for i := range 30 { // more than one queue holds
					for _, k := range notify.EventKinds() {
						o.Notify(t.Context(), event(k, fmt.Sprint(i)))
					}
				}
				if took := time.Since(begin); took != 0 {
					t.Errorf("handing over took %s", took)
				}
				time.Sleep(time.Minute)
				begin = time.Now()
				err := o.end(5 * time.Second)
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("the end took %s", took)
				}
				if err == nil {
					t.Error("nothing tells that events were lost")
				}
				if strings.Contains(o.logged(), hidden) {
					t.Error("the address is in the log")
				}
			})
		})
	}
}

// TestEndlessBody: an answer is judged by its header, and the body is let go.
func TestEndlessBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := body{make(chan struct{})}
		r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) {
			a := status(r, 200)
			a.Body = b
			return a, nil
		}}
		o := newOutbox(t, r, target(t, notify.KindSlack, soc))
		begin := time.Now()
		o.Notify(t.Context(), event(notify.EventContested, "run-1"))
		<-b.closed
		if err := o.end(time.Second); err != nil || time.Since(begin) != 0 {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

// TestOverflow: what had to make room is told and counted, and what says how the
// tenant stands is not among it.
func TestOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) {
			<-release
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		o.Notify(t.Context(), event(notify.EventBeforeApply, "in hand"))
		synctest.Wait()
		change := event(notify.EventStateChanged, "first")
		change.Verdict, change.VerdictBefore, change.Counts.Drifting = "drift", "inLine", 3
		o.Notify(t.Context(), change)
		for i := range 100 {
			o.Notify(t.Context(), event(notify.EventBeforeApply, fmt.Sprint(i)))
		}
		change = event(notify.EventStillDrifting, "last")
		change.Verdict, change.VerdictBefore, change.Counts.Drifting, change.DriftingBefore = "incomplete", "drift", 4, 3
		o.Notify(t.Context(), change)
		close(release)
		synctest.Wait()
		_ = o.end(time.Second)

		var runs []string
		for _, c := range r.calls() {
			var e notify.Event
			if err := json.Unmarshal([]byte(c.body), &e); err != nil {
				t.Fatal(err)
			}
			if runs = append(runs, e.RunID); e.RunID != "last" {
				continue
			}
			if e.Kind != notify.EventStateChanged || e.VerdictBefore != "inLine" || e.Verdict != "incomplete" || e.Counts.Drifting != 4 || e.DriftingBefore != 0 {
				t.Errorf("the two changes became %+v", e)
			}
		}
		if len(runs) != 65 || !slices.Contains(runs, "last") || slices.Contains(runs, "0") || !slices.Contains(runs, "99") {
			t.Errorf("delivered %v", runs)
		}
		if o.count(notify.ResultDropped) != 37 || o.count(notify.ResultMerged) != 1 || strings.Count(o.logged(), "not delivered") != 37 {
			t.Errorf("results %v", o.results)
		}
	})
}

// TestClose: what waits for its next attempt gets one at once, nothing is let in
// after, and closing twice is harmless.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 503, "Retry-After", "3000"), nil
			}
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindTeams, soc))
		o.Notify(t.Context(), event(notify.EventContested, "run-1"))
		o.Notify(t.Context(), event(notify.EventContested, "run-2"))
		time.Sleep(time.Minute)
		begin := time.Now()
		if err := o.end(time.Minute); err != nil || time.Since(begin) != 0 || len(r.calls()) != 3 {
			t.Errorf("%v after %s and %d calls", err, time.Since(begin), len(r.calls()))
		}
		o.Notify(t.Context(), event(notify.EventContested, "run-3"))
		if err := o.end(time.Minute); err == nil || len(r.calls()) != 3 {
			t.Errorf("an event was let in after the end: %v", err)
		}
	})
}

// TestNothingToSend: a sender without targets, and none at all, do nothing.
func TestNothingToSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var none *notify.Sender
		none.Notify(t.Context(), event(notify.EventContested, "run-1"))
		if err := none.Close(t.Context()); err != nil {
			t.Error(err)
		}
		o := newOutbox(t, &receiver{})
		o.Notify(t.Context(), event(notify.EventContested, "run-1"))
		if err := o.end(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// TestRedirects: an address is a secret, so that no other host hears of it, nor of the
// event.
func TestRedirects(t *testing.T) {
	for _, tt := range []struct {
		name, to string
		code     int
		want     string // the address of the last call
		result   string
	}{
		{"same host", "/other", 307, "https://soc.example/other", notify.ResultDelivered},
		{"same host, another method", "/other", 302, soc, notify.ResultRefused},
		{"other host", "https://evil.example/", 307, soc, notify.ResultRefused},
		{"other port", "https://soc.example:8443/", 308, soc, notify.ResultRefused},
		{"no TLS", "http://soc.example/other", 307, soc, notify.ResultRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
					if n == 1 {
						return status(r, tt.code, "Location", tt.to), nil
					}
					return status(r, 200), nil
				}}
				o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
				o.Notify(t.Context(), event(notify.EventContested, "run-1"))
				_ = o.end(time.Minute)
				calls := r.calls()
				last := calls[len(calls)-1]
				if last.url != tt.want || o.count(tt.result) != 1 {
					t.Errorf("the last call went to %s, results %v", last.url, o.results)
				}
				if err := notify.Verify([]byte(secret), last.header.Get(notify.SignatureHeader), []byte(last.body), time.Now(), time.Minute); err != nil {
					t.Error(err)
				}
				if got := last.header.Get("Referer"); got != "" {
					t.Errorf("Referer %q", got)
				}
			})
		})
	}
}

// TestErrorsHideTheAddress: what the HTTP library says of a failed call repeats its
// address; none of it is logged.
func TestErrorsHideTheAddress(t *testing.T) {
	for _, err := range []error{
		errors.New("dial " + soc),
		&url.Error{Op: "Post", URL: soc, Err: errors.New("proxy http://user:" + hidden + "@proxy")},
		fmt.Errorf("wrapped: %w", &url.Error{Op: "Post", URL: soc, Err: io.EOF}),
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &receiver{answer: func(int, *http.Request, string) (*http.Response, error) { return nil, err }}
			o := newOutbox(t, r, target(t, notify.KindWebhook, soc), target(t, notify.KindHeartbeat, soc))
			o.Notify(t.Context(), event(notify.EventContested, "run-1"))
			o.Notify(t.Context(), event(notify.EventHeartbeat, "run-1"))
			time.Sleep(48 * time.Hour)
			end := o.end(time.Second)
			text := o.logged() + end.Error()
			if strings.Contains(text, hidden) || strings.Contains(text, "soc.example") || !strings.Contains(text, "connection failed") {
				t.Errorf("the log holds:\n%s", text)
			}
		})
	}
}
