package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// bench is a service on a simulated tenant, in one synctest bubble.
type bench struct {
	t       *testing.T
	tenant  *simulator.Tenant
	service *simulator.Service
	store   store.Store
	policy  string
	// loops are made from these texts.
	incremental, bypass, full, zone, mode string
	lock                                  func() (func(), error)
	loadErr                               error
	daemon                                *Daemon
	jitter                                func(time.Duration) time.Duration
	closes                                time.Duration // how long it takes to close an assignment

	mu    sync.Mutex
	log   bytes.Buffer
	ended []Ended
	heard []string
	opens atomic.Int64
}

func newServiceBench(t *testing.T, tenant *simulator.Tenant, opts ...simulator.Option) *bench {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{
		t: t, tenant: tenant, service: simulator.New(tenant, opts...), store: st, policy: measuredPolicy,
		incremental: "5m", bypass: "1h", full: "0 3 * * *", mode: "check",
		jitter: func(time.Duration) time.Duration { return 0 },
	}
	b.daemon = New(Config{
		Load: b.load, Now: time.Now, Logger: slog.New(slog.NewTextHandler(b, nil)),
		Jitter: func(limit time.Duration) time.Duration { return b.jitter(limit) },
		Hooks:  []Hooks{b.hooks()},
	})
	return b
}

// Write is the log.
func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bench) logged(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.log.String(), text)
}

func (b *bench) hooks() Hooks {
	hear := func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.heard = append(b.heard, text)
	}
	return Hooks{
		Ended: func(_ context.Context, _ string, e Ended) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ended = append(b.ended, e)
		},
		Applying: func(context.Context, string, *reconcile.Plan) { hear("applying") },
		Lease: func(held bool) {
			if held {
				hear("lease")
			} else {
				hear("no lease")
			}
		},
		Reloaded: func(err error) {
			if err != nil {
				hear("not reloaded")
			} else {
				hear("reloaded")
			}
		},
	}
}

// runs are the loops that ran, in order.
func (b *bench) runs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, e := range b.ended {
		out = append(out, e.Loop)
	}
	return out
}

// since forgets the runs so far.
func (b *bench) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended, b.heard = nil, nil
	b.log.Reset()
}

func (b *bench) last() Ended {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ended) == 0 {
		b.t.Fatal("no run has ended")
	}
	return b.ended[len(b.ended)-1]
}

func (b *bench) hears(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, h := range b.heard {
		if h == text {
			n++
		}
	}
	return n
}

// load is Config.Load.
func (b *bench) load(context.Context) (*Assignment, error) {
	if b.loadErr != nil {
		return nil, b.loadErr
	}
	p, diags := policy.Parse("policy.yaml", []byte(b.policy))
	if diags.HasErrors() {
		return nil, diags
	}
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: b.tenant.ID(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}),
		Transport:   b.service.RoundTripper(), CmdletsPerSecond: 1e6,
	})
	if err != nil {
		return nil, err
	}
	modes, err := ParseModes(b.mode)
	if err != nil {
		return nil, err
	}
	b.opens.Add(1)
	a := &Assignment{
		Session: &reconcile.Session{
			Store: b.store, TenantID: b.tenant.ID(), Client: client, Now: time.Now,
			Holder: store.Holder{Name: "this service", Place: "here"},
		},
		Request:   reconcile.Request{Tool: "exoaudit v1.2.3", Now: time.Now, Policy: p},
		Threshold: reconcile.Threshold{FailOn: audit.Low},
		Lock:      b.lock,
		Close: func() {
			time.Sleep(b.closes)
			b.opens.Add(-1)
		},
	}
	for name, text := range map[string]string{loopIncremental: b.incremental, loopBypass: b.bypass, loopFull: b.full} {
		if text == "" {
			continue
		}
		zone, err := ParseZone(b.zone)
		if err != nil {
			return nil, err
		}
		s, err := ParseSchedule(text, zone)
		if err != nil {
			return nil, err
		}
		a.Loops = append(a.Loops, Loop{Name: name, Schedule: s, Mode: modes[name]})
	}
	return a, nil
}

// start runs the service until the function is called, which waits for its end.
func (b *bench) start() (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.daemon.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				b.t.Error(err)
			}
			if n := b.opens.Load(); n != 0 {
				b.t.Errorf("%d assignments were not closed", n)
			}
		})
	}
	return stop
}

// inLine tells whether a mailbox records all that the policy asks for.
func (b *bench) inLine(guid string) bool {
	m, ok := b.tenant.Mailbox(guid)
	return ok && m.AgeLimit == "90.00:00:00" && slices.Contains(m.Shown("Delegate"), "HardDelete")
}

// weak is a mailbox that is not in line.
func weak(address string) simulator.Mailbox {
	return simulator.Mailbox{UserPrincipalName: address, AgeLimit: "30.00:00:00", Delegate: []string{"Create"}, Managed: []string{"Admin", "Owner"}}
}

func inBubble(t *testing.T, seed simulator.Seed, f func(*testing.T, *bench), opts ...simulator.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		seed.Now = time.Now()
		b := newServiceBench(t, simulator.NewTenant(seed), opts...)
		f(t, b)
	})
}

var errBroken = errors.New("broken on purpose")
