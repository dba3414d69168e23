package daemon

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// Assignment is what the service enforces: a policy on a tenant, and when.
type Assignment struct {
	Session *reconcile.Session
	// Request is what the runs share; each gets an id of its own, and says how far it
	// looks.
	Request   reconcile.Request
	Threshold reconcile.Threshold
	// Loops are those that run; at most one of a name.
	Loops []Loop
	// Lock keeps other processes of this host off the tenant while a run writes, and
	// gives it back. An error that is ErrLocked is waited for. Nil locks nothing.
	Lock func() (release func(), err error)
	// Hooks hear of the runs of this assignment, beside those of the Config.
	Hooks []Hooks
	// Close gives back what the assignment holds; nil where that is nothing.
	Close func()
}

// ErrLocked says that another process of this host writes to the tenant.
var ErrLocked = lockedError{}

type lockedError struct{}

// Error implements error.
func (lockedError) Error() string { return "another process of this host is writing to the tenant" }

// Config is what a Daemon needs.
type Config struct {
	// Load makes what is to be enforced: it reads the policy and the configuration,
	// checks them, and makes the clients. Its error leaves in force what was.
	Load func(context.Context) (*Assignment, error)
	Now  func() time.Time
	// Logger must not be nil.
	Logger *slog.Logger
	Hooks  []Hooks
	// Jitter gives by how much a run is put off, below a limit; nil is the part of
	// it that is the tenant's own.
	Jitter func(limit time.Duration) time.Duration
	// Grace is for how long writes in flight may go on when the service is to end; 0
	// is 30 seconds.
	Grace time.Duration
}

// defaultGrace is that of design section 5's SIGTERM.
const defaultGrace = 30 * time.Second

// Daemon is the service. It is made by New and lives for one Run.
type Daemon struct {
	cfg    Config
	reload chan struct{}
	// abandon is closed when writes in flight are given up.
	abandon chan struct{}
	once    sync.Once
	// closing are the assignments that give back what they hold.
	closing sync.WaitGroup

	// What follows is for the goroutine of Run alone.
	now    *Assignment
	clocks []*clock
	jitter func(time.Duration) time.Duration
	// retry is the pause after which a sweep that failed is made again; 0 where the
	// last one did not.
	retry time.Duration
	// warned are the warnings of the last run, which are not repeated.
	warned map[string]bool
}

// New makes a service that does nothing before Run.
func New(cfg Config) *Daemon {
	cfg.Grace = cmp.Or(cfg.Grace, defaultGrace)
	return &Daemon{cfg: cfg, reload: make(chan struct{}, 1), abandon: make(chan struct{})}
}

// Reload asks for the policy and the configuration to be read again, between two
// runs. It returns at once.
func (d *Daemon) Reload() {
	select {
	case d.reload <- struct{}{}:
	default: // one is asked for already, and will read what stands there now
	}
}

// Abandon gives up the writes in flight once Run has been told to end. It returns at
// once.
func (d *Daemon) Abandon() { d.once.Do(func() { close(d.abandon) }) }

// Run serves until the context ends, which is its good end and no error. An error
// says that nothing could be loaded to begin with.
func (d *Daemon) Run(ctx context.Context) error {
	a, err := d.cfg.Load(ctx)
	if err != nil {
		return err
	}
	d.adopt(ctx, a)
	defer func() {
		d.now.close()
		d.closing.Wait()
	}()
	defer d.giveGrace(ctx)()
	d.beginAtOnce(ctx)
	for ctx.Err() == nil {
		select {
		case <-d.reload: // also where each run is late, and there is no pause between them
			d.loadAgain(ctx)
		default:
		}
		if c := d.dueClock(); c != nil {
			d.turn(ctx, c)
			continue
		}
		d.sleep(ctx)
	}
	d.cfg.Logger.InfoContext(ctx, "the service has ended")
	return nil
}

func (a *Assignment) close() {
	if a.Close != nil {
		a.Close()
	}
}

// giveGrace abandons what is in flight some time after the context ended. The
// function calls that off.
func (d *Daemon) giveGrace(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		d.cfg.Logger.InfoContext(ctx, fmt.Sprintf("ending: nothing new is begun, and what is in flight has %s to come to its end", d.cfg.Grace))
		timer := time.NewTimer(d.cfg.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			d.Abandon()
		case <-done:
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// adopt makes an assignment the one that is enforced. Loops go on from where they
// were.
func (d *Daemon) adopt(ctx context.Context, a *Assignment) {
	before := d.clocks
	d.now, d.clocks = a, nil
	if d.jitter = d.cfg.Jitter; d.jitter == nil {
		d.jitter = seededJitter(a.Session.TenantID)
	}
	at := d.moment()
	for _, name := range LoopNames() {
		for _, l := range a.Loops {
			if l.Name != name {
				continue
			}
			c := &clock{Loop: l, last: at}
			old := slices.IndexFunc(before, func(c *clock) bool { return c.Name == name })
			if old >= 0 {
				c.last = before[old].last
			}
			c.arm(at, d.jitter)
			if old >= 0 && before[old].wake.Before(c.wake) {
				c.wake = before[old].wake // what was asked for out of turn still is
			}
			d.clocks = append(d.clocks, c)
		}
	}
	d.tell(func(h Hooks) {
		if h.Adopted != nil {
			h.Adopted(a)
		}
	})
	d.cfg.Logger.InfoContext(ctx, "enforcing policy "+a.Request.Policy.Name, slog.String("digest", a.Request.Policy.Digest()))
}

// tell calls the hooks.
func (d *Daemon) tell(call func(Hooks)) {
	for _, h := range d.cfg.Hooks {
		call(h)
	}
	for _, h := range d.now.Hooks {
		call(h)
	}
}

// moment is the time by the wall, which goes on while a machine sleeps.
func (d *Daemon) moment() time.Time { return d.cfg.Now().Round(0) }

// beginAtOnce has a run made at the start: a sweep where there is no fresh one, else
// one over what is new.
func (d *Daemon) beginAtOnce(ctx context.Context) {
	first := loopIncremental
	if d.needsSweep(ctx) {
		first = loopFull
	}
	for _, c := range d.clocks {
		if c.Name == first {
			c.wake = d.moment()
		}
	}
}

// needsSweep tells whether there is no complete sweep that is young enough.
func (d *Daemon) needsSweep(ctx context.Context) bool {
	m, err := reconcile.LoadMemory(ctx, d.now.Session.Store, d.now.Session.TenantID)
	if err != nil {
		return true // the run will say what is wrong with the store
	}
	at, _ := m.LastSweep()
	d.tell(func(h Hooks) {
		if h.Swept != nil {
			h.Swept(at)
		}
	})
	return at.IsZero() || d.moment().Sub(at) >= d.now.Request.Policy.Guards.MaxSweepAge
}

// dueClock gives the widest loop that is due, except that one which has waited longer,
// and for which that would not stand, comes first: else a wide loop whose runs take
// longer than its interval would keep a narrower one from ever running.
func (d *Daemon) dueClock() *clock {
	now := d.moment()
	var next *clock
	for _, c := range d.clocks { // the widest first
		if c.wake.After(now) {
			continue
		}
		if next == nil || c.wake.Before(next.wake) && !next.covers(c.Loop) {
			next = c
		}
	}
	return next
}

// longestSleep is how long the time is not looked at: timers stand still while a
// machine sleeps, and do not know of steps of the clock.
const longestSleep = time.Minute

// sleep waits for the next run, a reload, or the end.
func (d *Daemon) sleep(ctx context.Context) {
	now := d.moment()
	pause := longestSleep
	for _, c := range d.clocks {
		if c.last.After(now) { // the clock was put back
			c.last = now
			c.arm(now, d.jitter)
		}
		if again := now.Add(d.retry); c.Name == loopFull && d.retry > 0 && again.Before(c.wake) {
			c.wake = again // so that a sweep that is to be made again does not wait for the clock to catch up
		}
		pause = min(pause, c.wake.Sub(now))
	}
	d.tell(func(h Hooks) {
		if h.Sleeping != nil {
			h.Sleeping(pause)
		}
	})
	timer := time.NewTimer(max(pause, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-d.reload:
		d.loadAgain(ctx)
	}
}

// loadAgain puts a new assignment in the place of the old one, or keeps that. A
// policy that is another one is looked at with at once.
func (d *Daemon) loadAgain(ctx context.Context) {
	a, err := d.cfg.Load(ctx)
	if ctx.Err() != nil && err != nil {
		return
	}
	d.tell(func(h Hooks) {
		if h.Reloaded != nil {
			h.Reloaded(err)
		}
	})
	if err != nil {
		d.cfg.Logger.ErrorContext(ctx, "not reloaded, what was in force stays so: "+err.Error())
		return
	}
	old := d.now
	changed := old.Request.Policy.Digest() != a.Request.Policy.Digest()
	d.adopt(ctx, a)
	d.closing.Go(old.close) // receivers that hang delay no run
	d.cfg.Logger.InfoContext(ctx, "reloaded")
	for _, c := range d.clocks {
		if changed && c.Name == loopIncremental {
			c.wake = d.moment()
		}
	}
}

// turn makes the run of a loop, which stands also for the ticks of narrower ones.
func (d *Daemon) turn(ctx context.Context, c *clock) {
	began := d.moment()
	served := []*clock{c}
	for _, other := range d.clocks {
		if other != c && !other.wake.After(began) && c.covers(other.Loop) {
			served = append(served, other)
		}
	}
	done := d.run(ctx, c.Loop)
	now := d.moment()
	for _, s := range served {
		s.served(began)
		s.arm(now, d.jitter)
	}
	d.sweepAgain(c, done, now)
}

// The pauses after which a sweep that failed is made again: without one, all that
// is found in between is incomplete.
const (
	firstRetry = time.Minute
	lastRetry  = time.Hour
)

// sweepAgain brings the next sweep forward where the last one failed, or where a run
// could not write all that it should have: the fast loop does not look again at what
// was found before, a sweep does.
func (d *Daemon) sweepAgain(c *clock, done outcome, now time.Time) {
	switch {
	case c.Name == loopFull && done == outcomeDone:
		d.retry = 0
		return
	case c.Name == loopFull:
		d.retry = min(max(2*d.retry, firstRetry), lastRetry)
	case done != outcomeUndone:
		return
	}
	for _, full := range d.clocks {
		again := now.Add(max(d.retry, firstRetry))
		if full.Name == loopFull && again.Before(full.wake) && (c == full || full.Mode == ModeApply) {
			full.wake = again
		}
	}
}
