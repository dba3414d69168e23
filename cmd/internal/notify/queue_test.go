package notify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

// runs are the runs of the events that came.
func (r *receiver) runs(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, e := range received(t, r) {
		out = append(out, e.RunID)
	}
	return out
}

// TestOneEventHoldsNoneBack: an event over which its receiver stumbles, as by a name in
// it that somebody chose for that, does not silence those after it.
func TestOneEventHoldsNoneBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(_ int, r *http.Request, body string) (*http.Response, error) {
			if strings.Contains(body, "poison") {
				return status(r, 500), nil
			}
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		o.Notify(t.Context(), event(notify.EventBeforeApply, "poison"))
		time.Sleep(10 * time.Minute)
		for _, run := range []string{"run-1", "run-2"} {
			o.Notify(t.Context(), event(notify.EventBeforeApply, run))
		}
		synctest.Wait()
		if n := o.count(notify.ResultDelivered); n != 2 {
			t.Errorf("%d delivered: %v", n, r.runs(t))
		}
		if err := o.end(time.Second); err == nil || err.Error() != "1 notification not delivered" {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestStaleStandingIsNotHeardLast: what a receiver refused at first is not told after
// what came later; the later event tells both.
func TestStaleStandingIsNotHeardLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				<-release
				return status(r, 500), nil
			}
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		first, second := event(notify.EventStateChanged, "first"), event(notify.EventStateChanged, "second")
		first.Verdict, first.VerdictBefore = "drift", "inLine"
		second.Verdict, second.VerdictBefore = "incomplete", "drift"
		o.Notify(t.Context(), first)
		synctest.Wait()
		o.Notify(t.Context(), second)
		close(release)
		time.Sleep(24 * time.Hour)
		if err := o.end(time.Second); err != nil {
			t.Error(err)
		}
		events := received(t, r)
		if len(events) != 2 || events[1].RunID != "second" || events[1].VerdictBefore != "inLine" || o.count(notify.ResultMerged) != 1 {
			t.Errorf("came %+v, results %v", events, o.results)
		}
	})
}

// TestThrottledIsLeftAlone: a receiver that asks to wait is not called for any event
// until then.
func TestThrottledIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
			if n == 1 {
				return status(r, 429, "Retry-After", "600"), nil
			}
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		for i := range 5 {
			o.Notify(t.Context(), event(notify.EventBeforeApply, fmt.Sprint(i)))
		}
		time.Sleep(599 * time.Second)
		if n := len(r.calls()); n != 1 {
			t.Errorf("%d calls before the time was over", n)
		}
		time.Sleep(time.Hour)
		if err := o.end(time.Second); err != nil || o.count(notify.ResultDelivered) != 5 {
			t.Errorf("%v, %v", err, o.results)
		}
	})
}

// TestSpread: what failed together does not come back together.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gaps := map[time.Duration]bool{}
		for i := range 20 {
			r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
				return status(r, []int{500, 200}[n-1]), nil
			}}
			o := newOutbox(t, r, target(t, notify.KindSlack, soc))
			o.Notify(t.Context(), event(notify.EventBeforeApply, fmt.Sprint(i)))
			time.Sleep(time.Minute)
			_ = o.end(time.Second)
			gaps[r.gaps()[0]] = true
		}
		if len(gaps) < 10 {
			t.Errorf("20 events came back after %v", gaps)
		}
	})
}

// TestLateHeartbeat: one whose turn comes when it is no longer true is not sent.
func TestLateHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) {
			return status(r, 429, "Retry-After", "300"), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindHeartbeat, soc))
		o.Notify(t.Context(), event(notify.EventHeartbeat, "run-1"))
		time.Sleep(time.Second)
		o.Notify(t.Context(), event(notify.EventHeartbeat, "run-2"))
		time.Sleep(10 * time.Minute)
		_ = o.end(time.Second)
		if len(r.calls()) != 1 || o.count(notify.ResultExpired) != 2 {
			t.Errorf("%d calls, results %v", len(r.calls()), o.results)
		}
	})
}

// TestHeardByNobody: who hands an event over hears where no target took it, and only
// then.
func TestHeardByNobody(t *testing.T) {
	change := func(run string) notify.Event { return event(notify.EventStateChanged, run) }
	for _, tt := range []struct {
		name   string
		status []int // by target
		events []notify.Event
		want   []string // lost runs, sorted
	}{
		{"all take it", []int{200, 200}, []notify.Event{change("1")}, nil},
		{"one takes it", []int{403, 200}, []notify.Event{change("1")}, nil},
		{"none does", []int{403, 500}, []notify.Event{change("1")}, []string{"1"}},
		{"none takes the one that stands for both", []int{500}, []notify.Event{change("1"), change("2")}, []string{"1", "2"}},
		{"none wants it", []int{403}, []notify.Event{event(notify.EventHeartbeat, "1")}, nil},
		{"there is none", nil, []notify.Event{change("1")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) {
					return status(r, tt.status[int(r.URL.Path[1]-'0')]), nil
				}}
				var targets []notify.Target
				for i := range tt.status {
					targets = append(targets, target(t, notify.KindWebhook, fmt.Sprint("https://soc.example/", i)))
				}
				o := newOutbox(t, r, targets...)
				var lost []string
				for _, e := range tt.events {
					o.NotifyOr(t.Context(), e, func() { lost = append(lost, e.RunID) })
					synctest.Wait()
				}
				_ = o.end(time.Second)
				if slices.Sort(lost); !slices.Equal(lost, tt.want) {
					t.Errorf("lost %v, want %v", lost, tt.want)
				}
				o.NotifyOr(t.Context(), change("after the end"), func() { lost = append(lost, "after") })
				if tt.status != nil && !slices.Contains(lost, "after") {
					t.Error("an event after the end is not known as lost")
				}
			})
		})
	}
}

// TestDeafTransport: a transport that does not heed its context delays the end by no
// more than a second over what was granted, and what is in its hands counts as lost.
func TestDeafTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) {
			<-release
			return status(r, 200), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindSlack, soc))
		o.Notify(t.Context(), event(notify.EventContested, "run-1"))
		synctest.Wait()
		begin := time.Now()
		err := o.end(5 * time.Second)
		if took := time.Since(begin); took > 6*time.Second || err == nil {
			t.Errorf("%v after %s", err, took)
		}
		close(release)
	})
}

// TestSameBytesSameKey: every attempt has the same body under the same key, and a
// signature of its own time.
func TestSameBytesSameKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, r *http.Request, _ string) (*http.Response, error) {
			return status(r, []int{500, 502, 200}[n-1]), nil
		}}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		o.Notify(t.Context(), event(notify.EventBeforeApply, "run-1"))
		time.Sleep(time.Minute)
		if err := o.end(time.Second); err != nil {
			t.Fatal(err)
		}
		signatures := map[string]bool{}
		for i, c := range r.calls() {
			sign := c.header.Get(notify.SignatureHeader)
			signatures[sign] = true
			if c.body != r.calls()[0].body || !json.Valid([]byte(c.body)) || c.header.Get(notify.IdempotencyHeader) != "id-run-1-beforeApply" {
				t.Errorf("attempt %d: %+v", i, c)
			}
			if err := notify.Verify([]byte(secret), sign, []byte(c.body), r.when[i], time.Second); err != nil {
				t.Errorf("attempt %d: %v", i, err)
			}
		}
		if len(signatures) != 3 {
			t.Errorf("signatures %v", signatures)
		}
	})
}
