package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// allowance is what a service lets through: a bucket of cmdlets.
type allowance struct {
	mu               sync.Mutex
	perSecond, burst float64
	tokens           float64
	at               time.Time
	taken, refused   int
}

func newAllowance(perSecond, burst float64) *allowance {
	return &allowance{perSecond: perSecond, burst: burst, tokens: burst, at: time.Now()}
}

func (a *allowance) change(perSecond float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fill()
	a.perSecond = perSecond
}

func (a *allowance) fill() {
	now := time.Now()
	a.tokens = min(a.burst, a.tokens+now.Sub(a.at).Seconds()*a.perSecond)
	a.at = now
}

// ask lets as many of n cmdlets through as it has, and tells the rest.
func (a *allowance) ask(n int) (refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fill()
	for range n {
		if a.tokens >= 1 {
			a.tokens--
			a.taken++
		} else {
			refused++
		}
	}
	a.refused += refused
	return refused
}

// header is the truth about the bucket, with a clock that is ahead of ours.
func (a *allowance) header(ahead time.Duration) http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fill()
	now := time.Now().Add(ahead).UTC()
	whole := now.Add(time.Duration((a.burst - a.tokens) / a.perSecond * float64(time.Second)))
	return http.Header{
		headerRemaining: {strconv.Itoa(int(a.tokens))}, headerReset: {whole.Format("2006-01-02T15:04:05.000Z")},
		"Date": {now.Format(http.TimeFormat)},
	}
}

// counts returns what was taken and refused since it was asked the last time.
func (a *allowance) counts() (taken, refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken, refused = a.taken, a.refused
	a.taken, a.refused = 0, 0
	return taken, refused
}

// load is what four workers do that write and read back in batches of ten.
type load struct {
	limiter    *limiter
	service    *allowance
	headers    bool
	ahead      time.Duration
	retryAfter time.Duration
}

func (w load) run(t *testing.T, until time.Time) {
	for time.Now().Before(until) {
		for _, kind := range []callKind{write, read} {
			for pending := BatchSize; pending > 0; {
				if err := w.limiter.of(kind).turn(t.Context(), pending); err != nil {
					t.Error(err)
					return
				}
				pending = w.send(kind, pending)
			}
		}
	}
}

// send is one $batch; it returns what was refused, after the wait for another try.
func (w load) send(kind callKind, n int) (refused int) {
	sent := time.Now()
	time.Sleep(10 * time.Millisecond)
	refused = w.service.ask(n)
	resp := response{status: http.StatusOK, header: http.Header{}, sent: sent}
	if w.headers {
		resp.header = w.service.header(w.ahead)
	}
	time.Sleep(10 * time.Millisecond)
	w.limiter.heard(call{kind: kind, batch: true}, resp)
	w.limiter.counted(kind, n-refused, refused, sent)
	if refused > 0 {
		w.limiter.of(kind).hold(w.retryAfter)
		time.Sleep(max(2*time.Second, w.retryAfter))
	}
	return refused
}

// TestRateFollowsTheLimit holds the search for the limit to what it is for, when
// the limit falls to a fifth and rises again: nearly all of it is used, and little
// is refused. A service that saves up less than the four batches in flight weigh is
// not among these: it refuses them whatever their pace. The classes share one limit
// here, which is the harder case.
func TestRateFollowsTheLimit(t *testing.T) {
	const high, low = 200, 40
	for _, tt := range []struct {
		name    string
		load    load
		least   float64
		refused float64
	}{
		{"with headers", load{headers: true}, 0.98, 0},
		{"with headers of a clock that is ahead", load{headers: true, ahead: 40 * time.Minute}, 0.98, 0},
		{"with headers of a clock that is behind", load{headers: true, ahead: -40 * time.Minute}, 0.98, 0},
		{"with Retry-After", load{retryAfter: time.Second}, 0.9, 0.05},
		{"with nothing", load{}, 0.9, 0.05},
	} {
		for _, burst := range []float64{40, 100, 400} {
			if tt.load.headers && burst < 100 {
				continue // the pace leaves a third of the burst, here less than two batches
			}
			t.Run(fmt.Sprintf("%s, a burst of %.0f", tt.name, burst), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := tt.load
					w.limiter, w.service = newLimiter(4, 1000), newAllowance(high, burst)
					start := time.Now()
					var group sync.WaitGroup
					for range 4 {
						group.Go(func() { w.run(t, start.Add(6*time.Minute)) })
					}
					for _, stable := range []float64{high, low, high} {
						w.service.change(stable)
						time.Sleep(time.Minute) // to find it
						w.service.counts()
						time.Sleep(time.Minute)
						taken, refused := w.service.counts()
						used, share := float64(taken)/60/stable, float64(refused)/float64(taken+refused)
						t.Logf("limit %.0f: %.3f used, %.2f%% refused", stable, used, 100*share)
						if used < tt.least || share > tt.refused {
							t.Errorf("limit %.0f: %.3f of it was used and %.2f%% refused, want %.2f and at most %.0f%%", stable, used, 100*share, tt.least, 100*tt.refused)
						}
					}
					group.Wait()
				})
			})
		}
	}
}

// TestRateIsFoundSoon: a fifth of the limit is learned within seconds, and five
// times as much in less than a minute.
func TestRateIsFoundSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := load{limiter: newLimiter(4, 1000), service: newAllowance(200, 100)}
		start := time.Now()
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { w.run(t, start.Add(4*time.Minute)) })
		}
		time.Sleep(time.Minute)
		w.service.change(40)
		time.Sleep(10 * time.Second)
		w.service.counts()
		time.Sleep(10 * time.Second)
		if taken, refused := w.service.counts(); refused > taken/10 {
			t.Errorf("10 s after the fall %d cmdlets are refused and %d taken in as many", refused, taken)
		}
		time.Sleep(40 * time.Second)
		w.service.change(200)
		time.Sleep(50 * time.Second)
		w.service.counts()
		time.Sleep(10 * time.Second)
		if taken, _ := w.service.counts(); taken < 1500 {
			t.Errorf("50 s after the rise %d cmdlets were taken in 10 s, want about 2000", taken)
		}
		group.Wait()
	})
}

func TestReadsAreNotSlowedByRefusedWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(4, 1000)
		l.counted(write, 0, 10, time.Now())
		l.of(write).hold(time.Hour)
		start := time.Now()
		for range 50 {
			if err := l.of(read).turn(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			release, err := l.slot(t.Context(), read)
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("50 reads waited %v for a write", waited)
		}
		if err := l.of(probe).turn(t.Context(), 1); err != nil || time.Since(start) < time.Hour {
			t.Errorf("a probe, which is a write, went after %v, %v", time.Since(start), err)
		}
	})
}

func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newController(10)
		var mu sync.Mutex
		var order []int
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				weight := BatchSize
				if i%3 == 0 {
					weight = 1 // a light one neither overtakes nor starves
				}
				if err := c.turn(t.Context(), weight); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
		}
		group.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("the order is %v", order)
			}
		}
	})
}

func TestTurnIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newController(1)
		c.hold(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var group sync.WaitGroup
		for range 3 { // the first in the queue and two behind it
			group.Go(func() {
				if err := c.turn(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("err = %v", err)
				}
			})
		}
		start := time.Now()
		group.Wait()
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("they gave up after %v, want the minute of their context", waited)
		}
		if err := c.turn(t.Context(), 1); err != nil || time.Since(start) != time.Hour {
			t.Errorf("the next went after %v, %v; want the hour of the gate", time.Since(start), err)
		}
	})
}

func TestGateThatClosesDuringAWaitIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newController(1)
		if err := c.turn(t.Context(), BatchSize); err != nil { // takes what is in the bucket
			t.Fatal(err)
		}
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			if err := c.turn(t.Context(), 1); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // it waits for the bucket
		c.hold(10 * time.Second)
		c.hold(5 * time.Second) // an earlier end does not open it
		group.Wait()
		if waited := time.Since(start); waited != 10*time.Second {
			t.Errorf("waited %v, want the 10 s of the gate", waited)
		}
	})
}

// TestThrottledClientSlowsDown: a 429 of a whole call and one of a batch item reach
// the class that it is about, and no other.
func TestThrottledClientSlowsDown(t *testing.T) {
	good := answers(item("0", 200, "", `{"value":[{}]}`))
	for name, replies := range map[string][]reply{
		"the call":     {throttled("1"), good},
		"a batch item": {answers(item("0", 429, "", `{}`)), good},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := scripted(t, replies...)
			if r := c.BypassByID(t.Context(), []string{guid(0)})[0]; r.Err != nil {
				t.Fatal(r.Err)
			}
			reads, writes := c.limit.reads.learned.rate, c.limit.writes.learned.rate
			if reads > 100 || writes != 1000 {
				t.Errorf("%s: after a 429 of a read, reads go at %v and writes at %v", name, reads, writes)
			}
			if got := c.Stats().Throttled; got != 1 {
				t.Errorf("%s: %d answers 429 were counted", name, got)
			}
		})
	}
}

func TestLearnedRate(t *testing.T) {
	t0 := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }
	t.Run("an echo is no second fall", func(t *testing.T) {
		l := newLearnedRate(100)
		l.refuse(10, at(0), at(1))
		first := l.rate
		l.refuse(10, at(0.5), at(1.2)) // sent before the fall
		if l.rate != first || first >= 100 {
			t.Errorf("the rate fell to %v, and to %v for its echo", first, l.rate)
		}
		if l.refuse(10, at(1.1), at(1.3)); l.rate >= first {
			t.Errorf("the rate stays at %v for a call that was sent after the fall", l.rate)
		}
	})
	t.Run("no refusals end it", func(t *testing.T) {
		l := newLearnedRate(100)
		for i := range 200 {
			l.refuse(10, at(float64(i)), at(float64(i)))
		}
		if l.rate != slowestRate {
			t.Errorf("after 200 refusals the rate is %v, want %v", l.rate, slowestRate)
		}
		l.pressed = true
		for i := range 100_000 {
			l.pressed = true
			if l.accept(10, at(200+float64(i)/10)); l.rate > 100 {
				t.Fatalf("the rate is %v, over the ceiling", l.rate)
			}
		}
		if l.rate != 100 {
			t.Errorf("after many successes the rate is %v, want the ceiling", l.rate)
		}
	})
	t.Run("what is not used does not grow", func(t *testing.T) {
		for name, l := range map[string]learnedRate{"no call waited": newLearnedRate(100), "few calls": newLearnedRate(100)} {
			l.refuse(10, at(0), at(1))
			found := l.rate
			for i := range 1000 {
				l.pressed = name == "few calls"
				l.accept(1, at(10+float64(i)))
			}
			if l.rate != found {
				t.Errorf("%s: the rate went from %v to %v", name, found, l.rate)
			}
		}
	})
	t.Run("a rest says nothing of the limit", func(t *testing.T) {
		l := newLearnedRate(100)
		for i := range 100 {
			l.accept(10, at(float64(i)/10))
		}
		l.accept(10, at(3600))
		if l.refuse(10, at(3600), at(3600.1)); l.rate < 40 {
			t.Errorf("after an hour without calls one refusal makes the rate %v", l.rate)
		}
	})
	t.Run("what a 429 costs bounds how often one is risked", func(t *testing.T) {
		l := newLearnedRate(100)
		l.closed(5*time.Second, at(0))
		for i := range 3 {
			for k := range 100 {
				l.accept(1, at(float64(10*i)+float64(k)/50))
			}
			l.refuse(10, at(float64(10*i)+2), at(float64(10*i)+2))
		}
		if l.rest != 100*time.Second {
			t.Errorf("the rate rests for %v after a 429 that costs 5 s, want 100 s", l.rest)
		}
	})
}
