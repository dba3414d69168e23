package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Limits by which the service is told to be alive and ready.
const (
	// stuckAfter is how long a run may go without finishing a single call before the
	// loop counts as stuck. The service's own limit for a cmdlet is 15 minutes (wire
	// 1.7).
	stuckAfter = 30 * time.Minute
	// oversleep is how much later than it said a loop may wake.
	oversleep = 2 * time.Minute
	// missedIntervals is how many intervals may pass without a report.
	missedIntervals = 3
	// storeProbeEvery is for how long an answer of the store is good, so that whoever
	// asks often does not make it write often.
	storeProbeEvery = 30 * time.Second
	// storeProbeTimeout bounds one question to the store.
	storeProbeTimeout = 5 * time.Second
)

// Health knows whether the service works: whether its loop still turns, and
// whether it has what it needs to do its work. Its methods may be called by
// several goroutines.
type Health struct {
	now   func() time.Time
	store storeProbe

	mu         sync.Mutex
	beatBefore time.Time // the loop said that it would be heard of again before then
	loaded     bool
	waiting    bool // another process has the right to write
	every      time.Duration
	reportedAt time.Time
	// sweptAt is when the last complete sweep began, and sweepLimit the age from
	// which it counts no more; 0 where that is not known.
	sweptAt    time.Time
	sweepLimit time.Duration
}

// NewHealth makes the health of a service that starts now. The probe tells
// whether the store takes a write, as that of [StoreProbe] does. The figures get one
// more, which tells the same.
func NewHealth(m *Metrics, now func() time.Time, probe func(context.Context) error) (*Health, error) {
	h := &Health{now: now, store: storeProbe{probe: probe, now: now}, beatBefore: now().Add(stuckAfter)}
	writable := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "exoaudit_store_writable", Help: "1 where the store took a write when it was last asked.",
	}, func() float64 {
		if h.store.ask(context.Background()) != nil {
			return 0
		}
		return 1
	})
	if err := m.registry.Register(writable); err != nil {
		return nil, fmt.Errorf("making the figures of the store: %w", err)
	}
	return h, nil
}

// Working says that the loop does something; it is to be called when a run begins
// and whenever one gets on.
func (h *Health) Working() { h.beat(stuckAfter) }

// Sleeping says that the loop will do nothing for a while.
func (h *Health) Sleeping(d time.Duration) { h.beat(max(d, 0) + oversleep) }

// Call is Working for each call of a run; it is fit for exchange.Config.Trace.
func (h *Health) Call(exchange.Trace) { h.Working() }

func (h *Health) beat(within time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beatBefore = h.now().Add(within)
}

// Loaded says that a policy is in force. A reload that fails leaves the old one in
// force.
func (h *Health) Loaded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded = true
}

// Every tells the shortest interval of the schedule.
func (h *Health) Every(interval time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.every = interval
}

// SweepLimit tells from which age of the last complete sweep on runs are incomplete.
func (h *Health) SweepLimit(age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweepLimit = age
}

// Swept tells when the last complete sweep began; the zero time says that there was
// none.
func (h *Health) Swept(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweptAt = at
}

// Lease tells whether this process got the right to write when it last asked.
func (h *Health) Lease(held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = !held
}

// Ran takes in a run that is over.
func (h *Health) Ran(e Ended) {
	if !e.Reported() {
		return
	}
	if sweptWhole(e) {
		h.Swept(e.Plan.CreatedAt)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reportedAt = e.FinishedAt
}

// errStuck says that the loop stands still.
var errStuck = errors.New("the loop has not been heard of for too long")

// Alive is an error where the loop is stuck, so that only a restart helps.
func (h *Health) Alive() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now().After(h.beatBefore) {
		return errStuck
	}
	return nil
}

// Missing names what is missing for the service to do its work; nothing where it
// is ready. How the tenant stands has no part in it. The sentences are fixed: they
// hold no text of the tenant, no path and no error.
func (h *Health) Missing(ctx context.Context) []string {
	var missing []string
	if !h.isLoaded() {
		missing = append(missing, "no policy is loaded")
	}
	if h.store.ask(ctx) != nil {
		missing = append(missing, "the store cannot be written")
	}
	if why := h.late(); why != "" {
		missing = append(missing, why)
	}
	if h.sweepTooOld() {
		missing = append(missing, "there is no complete sweep that is young enough, so all runs are incomplete")
	}
	return missing
}

func (h *Health) isLoaded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loaded
}

// late says that no run has made a report in time, and why where that is known.
func (h *Health) late() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	because := ""
	if h.waiting {
		because = ": another process has the right to write"
	}
	now := h.now()
	if h.reportedAt.After(now) { // the clock was put back
		h.reportedAt = now
	}
	switch {
	case h.reportedAt.IsZero():
		return "no run has made a report yet" + because
	case now.Sub(h.reportedAt) > missedIntervals*h.every:
		return fmt.Sprintf("no run has made a report for %d intervals%s", missedIntervals, because)
	}
	return ""
}

// sweepTooOld tells whether runs are incomplete for want of a complete sweep, as long
// as there have been runs at all.
func (h *Health) sweepTooOld() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sweepLimit > 0 && !h.reportedAt.IsZero() && h.now().Sub(h.sweptAt) > h.sweepLimit
}

// storeProbe asks whether the store can be written, and keeps the answer for a
// while.
type storeProbe struct {
	probe func(context.Context) error
	now   func() time.Time

	mu    sync.Mutex
	asked time.Time
	err   error
}

// ask gives the answer of the store; whoever asks meanwhile waits for the same one.
// A request that goes away does not spoil it for the others.
func (p *storeProbe) ask(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asked.IsZero() && p.now().Sub(p.asked) < storeProbeEvery {
		return p.err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), storeProbeTimeout)
	defer stop()
	p.err = p.probe(ctx)
	p.asked = p.now()
	return p.err
}

// probeName is the snapshot that is written to see whether a store can be.
const probeName = "probe"

// StoreProbe asks a store whether it takes a write for a tenant, by a write that
// means nothing. That another process did the same at once shows that it does.
func StoreProbe(st store.Store, tenant string) func(context.Context) error {
	return func(ctx context.Context) error {
		s, err := st.Snapshot(ctx, tenant, probeName)
		if err != nil {
			return err
		}
		s.Name, s.Data = probeName, []byte("ok")
		err = st.PutSnapshots(ctx, tenant, []store.Snapshot{s})
		if _, ok := errors.AsType[*store.ConflictError](err); ok {
			return nil
		}
		return err
	}
}
