package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// asked is what a path answers.
func asked(t *testing.T, handler http.Handler, method, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Code, w.Body.String()
}

// probed is a service whose store answers as the test says.
type probed struct {
	t *testing.T
	*Health
	handler http.Handler
	err     error
	asked   int
}

func newProbed(t *testing.T) *probed {
	t.Helper()
	m, err := NewMetrics(nil, "exoaudit v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	p := &probed{t: t}
	p.Health, err = NewHealth(m, time.Now, func(context.Context) error {
		p.asked++
		return p.err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.handler = Handler(p.Health, m)
	return p
}

// TestLive: a loop that sleeps as long as it said, or that gets on with a run, is
// alive; one that is not heard of is stuck.
func TestLive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(h *Health)
		want int
	}{
		"just started":      {func(*Health) {}, 200},
		"never heard of":    {func(*Health) { time.Sleep(31 * time.Minute) }, 503},
		"asleep":            {func(h *Health) { h.Sleeping(5 * time.Hour); time.Sleep(5 * time.Hour) }, 200},
		"wakes late":        {func(h *Health) { h.Sleeping(time.Hour); time.Sleep(time.Hour + time.Minute) }, 200},
		"does not wake":     {func(h *Health) { h.Sleeping(5 * time.Minute); time.Sleep(8 * time.Minute) }, 503},
		"sleep of the past": {func(h *Health) { h.Sleeping(-time.Hour); time.Sleep(time.Minute) }, 200},
		"long run": {func(h *Health) {
			for range 40 {
				h.Working()
				time.Sleep(20 * time.Minute)
			}
		}, 200},
		"stuck run": {func(h *Health) { h.Working(); time.Sleep(time.Hour) }, 503},
		"back again": {func(h *Health) {
			h.Working()
			time.Sleep(time.Hour)
			h.Sleeping(time.Minute)
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newProbed(t)
				tt.do(p.Health)
				status, body := asked(t, p.handler, http.MethodGet, "/livez")
				if status != tt.want || (status == 200) != (body == "alive\n") {
					t.Errorf("status %d, want %d: %q", status, tt.want, body)
				}
			})
		})
	}
}

// reported is a run that made a report.
func reported(t *testing.T) Ended {
	t.Helper()
	return measure(t, drifting()).check(loopIncremental)
}

// TestReady says one thing at a time what is missing.
func TestReady(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(p *probed)
		want []string
	}{
		"as it should be": {func(*probed) {}, nil},
		"still in time":   {func(*probed) { time.Sleep(15 * time.Minute) }, nil},
		"late":            {func(*probed) { time.Sleep(15*time.Minute + time.Second) }, []string{"no run has made a report for 3 intervals"}},
		"only errors": {func(p *probed) {
			time.Sleep(time.Hour)
			p.Ran(Ended{FinishedAt: time.Now(), Err: errors.New("no token")})
		}, []string{"no run has made a report for 3 intervals"}},
		"longer intervals": {func(p *probed) { p.Every(time.Hour); time.Sleep(3 * time.Hour) }, nil},
		"another writes": {
			func(p *probed) { p.Lease(false); time.Sleep(time.Hour) },
			[]string{"no run has made a report for 3 intervals: another process has the right to write"},
		},
		"clock put back": {func(p *probed) {
			p.reportedAt = time.Now().Add(24 * time.Hour)
			_ = p.Missing(p.t.Context())
			time.Sleep(16 * time.Minute)
		}, []string{"no run has made a report for 3 intervals"}},
		"no sweep": {func(p *probed) {
			p.SweepLimit(26 * time.Hour)
			p.Swept(time.Time{})
		}, []string{tooOld}},
		"young sweep": {func(p *probed) {
			p.SweepLimit(26 * time.Hour)
			p.Swept(time.Now().Add(-26 * time.Hour))
		}, nil},
		"old sweep": {func(p *probed) {
			p.SweepLimit(26 * time.Hour)
			p.Swept(time.Now().Add(-26*time.Hour - time.Second))
		}, []string{tooOld}},
		"got it back": {func(p *probed) { p.Lease(false); p.Lease(true) }, nil},
		"store":       {func(p *probed) { p.err = errors.New("/var/lib/x.db: read-only"); time.Sleep(time.Minute) }, []string{"the store cannot be written"}},
		"store, a while ago": {func(p *probed) {
			p.err = errors.New("busy")
			time.Sleep(time.Minute)
			_, _ = asked(p.t, p.handler, http.MethodGet, "/readyz")
			p.err = nil
			time.Sleep(time.Minute)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newProbed(t)
				p.Loaded()
				p.Every(5 * time.Minute)
				p.Ran(reported(t))
				tt.do(p)
				status, body := asked(t, p.handler, http.MethodGet, "/readyz")
				want := "ready\n"
				if tt.want != nil {
					want = "not ready\n" + strings.Join(tt.want, "\n") + "\n"
				}
				if body != want || (status == 200) != (tt.want == nil) {
					t.Errorf("status %d: %q, want %q", status, body, want)
				}
			})
		})
	}
}

// TestReadyAtTheStart: before anything has come in, everything is missing.
func TestReadyAtTheStart(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	p.err = store.ErrReadOnly
	got := p.Missing(t.Context())
	if want := []string{"no policy is loaded", "the store cannot be written", "no run has made a report yet"}; !slices.Equal(got, want) {
		t.Errorf("missing is %q, want %q", got, want)
	}
}

// TestReadyAsksSeldom: however often somebody asks, the store writes once in a
// while.
func TestReadyAsksSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbed(t)
		for range 60 {
			asked(t, p.handler, http.MethodGet, "/readyz")
			asked(t, p.handler, http.MethodGet, "/metrics")
			time.Sleep(time.Second)
		}
		if p.asked != 2 {
			t.Errorf("the store was asked %d times in a minute, want 2", p.asked)
		}
	})
}

// TestReadyOfAHangingStore: a store that does not answer is one that cannot be
// written, and whoever asks is told so in time, also after another went away.
func TestReadyOfAHangingStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, err := NewMetrics(nil, "exoaudit")
		if err != nil {
			t.Fatal(err)
		}
		h, err := NewHealth(m, time.Now, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		gone, stop := context.WithCancel(t.Context())
		stop()
		at := time.Now()
		for _, ctx := range []context.Context{gone, t.Context()} {
			if got := h.Missing(ctx); !slices.Contains(got, "the store cannot be written") {
				t.Errorf("missing is %q", got)
			}
		}
		if took := time.Since(at); took > storeProbeTimeout {
			t.Errorf("two answers took %s", took)
		}
	})
}

// TestHandlerRefuses: nothing but reading, and nothing but the three paths.
func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodConnect, http.MethodOptions, "BREW"} {
			if status, _ := asked(t, p.handler, method, path); status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d", method, path, status)
			}
		}
		if status, _ := asked(t, p.handler, http.MethodHead, path); status == http.StatusMethodNotAllowed {
			t.Errorf("HEAD %s is refused", path)
		}
	}
	for _, path := range []string{"/", "/debug/pprof/", "/metrics/", "/livez/x", "/healthz"} {
		if status, _ := asked(t, p.handler, http.MethodGet, path); status != http.StatusNotFound {
			t.Errorf("GET %s: status %d", path, status)
		}
	}
}

// TestListen: the three paths answer over a socket, a second server cannot take the
// same one, and closing leaves nothing behind, whatever clients hold open.
func TestListen(t *testing.T) {
	before := goleak.IgnoreCurrent()
	p := newProbed(t)
	s, err := Listen(t.Context(), "127.0.0.1:0", p.handler, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), s.Addr().String(), p.handler, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), s.Addr().String()) {
		t.Errorf("the address was taken twice: %v", err)
	}
	idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	for path, want := range map[string]string{"/livez": "alive", "/readyz": "not ready", "/metrics": "exoaudit_build_info"} {
		answer, err := client.Get("http://" + s.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if _ = answer.Body.Close(); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %v\n%s", path, err, body)
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Close(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = idle.Close()
	client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

// TestLoopback: what other hosts can reach is not taken for loopback.
func TestLoopback(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:9468": true, "127.8.8.8:1": true, "[::1]:9468": true, "localhost:0": true,
		"0.0.0.0:9468": false, ":9468": false, "[::]:9468": false, "10.0.0.1:9468": false, "localhost.evil.example:1": false,
		"127.0.0.1": false, "": false,
	} {
		if got := Loopback(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
}

// TestStoreProbe asks a real store: it takes a write also when another asks at the
// same time, and none when it is closed.
func TestStoreProbe(t *testing.T) {
	t.Parallel()
	const tenant = "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0"
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	probe := StoreProbe(st, tenant)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 5 {
				if err := probe(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	if s, err := st.Snapshot(t.Context(), tenant, probeName); err != nil || s.Version < 5 {
		t.Errorf("version %d after 40 writes of which at least those of one took (%v)", s.Version, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := probe(t.Context()); err == nil {
		t.Error("a store that is closed takes a write")
	}
}
