package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// alwaysDue is an interval after which every listing of bypass associations is due.
const alwaysDue = time.Nanosecond

// outcome is how a run ended, as far as the next one depends on it.
type outcome int

const (
	// outcomeFailed: it did not see all that it had to, or what it saw is not kept.
	outcomeFailed outcome = iota
	// outcomeUndone: some of what was planned is not written.
	outcomeUndone
	outcomeDone
)

// run makes one run of a loop and says how it ended.
func (d *Daemon) run(ctx context.Context, l Loop) outcome {
	d.tell(func(h Hooks) {
		if h.Started != nil {
			h.Started(l.Name)
		}
	})
	req := d.request(l)
	e := Ended{Loop: l.Name, StartedAt: d.moment(), Threshold: d.now.Threshold}
	var wait *waitError
	if l.Mode == ModeApply {
		e.Plan, e.Run, e.Err = d.apply(ctx, l, req)
		wait, _ = errors.AsType[*waitError](e.Err)
	} else {
		e.Plan, e.Err = d.check(ctx, l, req)
	}
	e.FinishedAt = d.moment()
	if conflict, ok := errors.AsType[*unkeptError](e.Err); ok {
		d.cfg.Logger.InfoContext(ctx, "this run is not remembered: "+conflict.Error())
		e.Unkept, e.Err = true, nil
	}
	switch {
	case ctx.Err() != nil && e.Err != nil && e.Run == nil: // what was written is told in any case
		d.cfg.Logger.InfoContext(ctx, "the "+l.Name+" run was interrupted")
		return outcomeFailed
	case wait != nil:
		d.cfg.Logger.WarnContext(ctx, fmt.Sprintf("no %s run this time: %v", l.Name, wait.err))
		return outcomeFailed
	}
	d.say(ctx, req.RunID, e)
	d.tell(func(h Hooks) {
		if h.Ended != nil {
			h.Ended(ctx, req.RunID, e)
		}
	})
	switch {
	case l.Mode == ModeApply && e.Plan != nil && undone(e):
		return outcomeUndone
	case e.Err != nil || e.Plan == nil || l.Name == loopFull && !sweptWhole(e):
		return outcomeFailed
	default:
		return outcomeDone
	}
}

// undone tells whether a run that was to apply left a change that was planned, and
// that no guard holds back. One that waits to be confirmed is seen by the next run.
func undone(e Ended) bool {
	if e.Plan.GuardRefused() {
		return false
	}
	changes := e.Plan.Changes()
	if e.Run != nil {
		changes = e.Run.Changes()
	}
	for c := range changes {
		if c.Fate == reconcile.FatePlanned && slices.Contains(
			[]reconcile.Result{reconcile.ResultNone, reconcile.ResultSkipped, reconcile.ResultFailed}, c.Result) {
			return true
		}
	}
	return false
}

// writes tells whether a plan holds something that this run is to write.
func writes(p *reconcile.Plan) bool {
	s := p.Summary()
	return s.Changes.Planned > s.Carried && !p.GuardRefused()
}

// request is what a run of a loop asks for. The fast loop lists the bypass
// associations only where their own loop has failed to for two of its periods.
func (d *Daemon) request(l Loop) reconcile.Request {
	req := d.now.Request
	req.RunID = uuid.NewString()
	req.SinceLastRun = l.Name != loopFull
	switch l.Name {
	case loopBypass:
		req.BypassEvery = alwaysDue
	case loopIncremental:
		for _, c := range d.clocks {
			if c.Name == loopBypass {
				req.BypassEvery = 2 * c.Schedule.Period(d.moment())
			}
		}
	}
	return req
}

// check looks and keeps what it saw.
func (d *Daemon) check(ctx context.Context, l Loop, req reconcile.Request) (*reconcile.Plan, error) {
	s := d.now.Session
	p, err := s.Check(ctx, req)
	if err != nil {
		return nil, err
	}
	return p, kept(s.Keep(ctx, Command(l.Name), p, d.now.Threshold))
}

// unkeptError says that another run kept what it saw meanwhile.
type unkeptError struct{ *store.ConflictError }

// kept passes on why something could not be kept. That another run kept something
// meanwhile is as it should be, where nothing else went wrong.
func kept(err error) error {
	if err == nil {
		return nil
	}
	reasons := []error{err}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		reasons = joined.Unwrap()
	}
	if conflict, ok := errors.AsType[*store.ConflictError](err); ok && len(reasons) == 1 {
		return &unkeptError{conflict}
	}
	return fmt.Errorf("the run could not be remembered, so later runs do not know of it: %w", err)
}

// apply gets the right to write, looks, and writes what is planned. Where that is
// nothing, nothing goes into the journal.
func (d *Daemon) apply(ctx context.Context, l Loop, req reconcile.Request) (*reconcile.Plan, *reconcile.Run, error) {
	s := d.now.Session
	w, giveBack, err := d.begin(ctx, req.RunID)
	if err != nil {
		return nil, nil, err
	}
	defer giveBack()
	d.sayRecovered(ctx, w)
	p, err := w.Check(ctx, req)
	if err != nil {
		for _, text := range w.Warnings { // The plan says them otherwise.
			d.cfg.Logger.WarnContext(ctx, text)
		}
		return nil, nil, err
	}
	if !writes(p) {
		return p, nil, kept(s.Keep(ctx, Command(l.Name), p, d.now.Threshold))
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	d.tell(func(h Hooks) {
		if h.Applying != nil {
			h.Applying(ctx, l.Name, p)
		}
	})
	run, err := w.Apply(ctx, p, reconcile.ApplyOptions{Now: d.cfg.Now, Abandon: d.abandon})
	if err != nil {
		return nil, nil, fmt.Errorf("nothing was written: %w", err)
	}
	return p, run, kept(w.Keep(ctx, Command(l.Name), run, d.now.Threshold, func(to io.Writer) error {
		return report.WriteRun(to, run, d.now.Threshold)
	}))
}

// waitError says that another process has the right to write.
type waitError struct{ err error }

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// A lease whose holder died runs out within its time; whoever waits that long and
// still finds it held waits for one that is alive.
const (
	leasePause  = time.Second
	leaseGiveUp = store.LeaseTTL + leasePause
)

// begin gets the right to write, waiting for a while where another process has it.
func (d *Daemon) begin(ctx context.Context, runID string) (*reconcile.Writing, func(), error) {
	for until := d.moment().Add(leaseGiveUp); ; {
		w, giveBack, err := d.tryBegin(ctx, runID)
		held := isHeld(err)
		if err == nil || held {
			d.tell(func(h Hooks) {
				if h.Lease != nil {
					h.Lease(!held)
				}
			})
		}
		switch {
		case err == nil:
			return w, giveBack, nil
		case !held:
			return nil, nil, err
		case d.moment().After(until):
			return nil, nil, &waitError{err}
		}
		select {
		case <-time.After(leasePause):
		case <-ctx.Done():
			return nil, nil, &waitError{err}
		}
	}
}

func isHeld(err error) bool {
	_, held := errors.AsType[*store.LeaseHeldError](err)
	return held || errors.Is(err, ErrLocked)
}

// tryBegin locks the tenant on this host and takes its lease.
func (d *Daemon) tryBegin(ctx context.Context, runID string) (*reconcile.Writing, func(), error) {
	release := func() {}
	if d.now.Lock != nil {
		var err error
		if release, err = d.now.Lock(); err != nil {
			return nil, nil, err
		}
	}
	w, err := d.now.Session.Begin(ctx, runID, nil, "")
	if err != nil {
		release()
		return nil, nil, err
	}
	return w, func() {
		if err := w.Close(); err != nil {
			d.cfg.Logger.WarnContext(ctx, "the lease of the tenant could not be given back: "+err.Error())
		}
		release()
	}, nil
}

// say puts a run in the log.
func (d *Daemon) say(ctx context.Context, runID string, e Ended) {
	about := []slog.Attr{
		slog.String("runId", runID), slog.String("verdict", e.Verdict()),
		slog.String("took", e.FinishedAt.Sub(e.StartedAt).Round(time.Millisecond).String()),
	}
	if e.Err != nil {
		d.cfg.Logger.LogAttrs(ctx, slog.LevelError, fmt.Sprintf("the %s run failed: %v", e.Loop, e.Err), about...)
	}
	if e.Plan == nil {
		return
	}
	level := slog.LevelInfo
	if e.Verdict() != string(reconcile.VerdictInLine) {
		level = slog.LevelWarn
	}
	text, about := describe(e, about)
	d.cfg.Logger.LogAttrs(ctx, level, text, about...)
	d.warn(ctx, e)
}

// describe sums a run up in a line.
func describe(e Ended, about []slog.Attr) (string, []slog.Attr) {
	p, run := e.Plan, e.Run
	about = append(about, slog.String("scope", string(p.Coverage.Scope)), slog.Int("mailboxesRead", p.Coverage.Mailboxes.Read))
	if run != nil {
		parts := []string{}
		for _, result := range results() {
			if n := run.Results()[reconcile.Result(result)]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, result))
			}
		}
		about = append(about, slog.Int("requests", run.Requests), slog.String("journalHead", run.JournalHead))
		return fmt.Sprintf("%s run: changes %s", e.Loop, strings.Join(parts, ", ")), about
	}
	about = append(about, slog.Int("requests", p.Coverage.Requests))
	n := p.Summary().Changes
	if n.Planned+n.Blocked+n.Unsupported == 0 {
		return e.Loop + " run: nothing to change", about
	}
	return fmt.Sprintf("%s run: %d to change, %d blocked, %d unsupported", e.Loop, n.Planned, n.Blocked, n.Unsupported), about
}

// warn puts in the log what the last run has not said already, and always why the
// writing stopped.
func (d *Daemon) warn(ctx context.Context, e Ended) {
	texts := e.Plan.WarningsFor(e.Threshold)
	for _, reason := range e.Plan.Coverage.Reasons {
		texts = append(texts, "incomplete: "+reason)
	}
	for _, cmdlet := range e.Plan.Refused {
		texts = append(texts, cmdlet+" was refused")
	}
	for _, g := range e.Plan.Guards {
		if g.Refused {
			texts = append(texts, fmt.Sprintf("the guard %s refuses all writes: %v is over its limit %v", g.Name, g.Actual, g.Limit))
		}
	}
	said := map[string]bool{}
	for _, text := range texts {
		if !d.warned[text] && !said[text] {
			d.cfg.Logger.WarnContext(ctx, text)
		}
		said[text] = true
	}
	d.warned = said
	if e.Run == nil {
		return
	}
	for _, text := range e.Run.Warnings {
		d.cfg.Logger.WarnContext(ctx, text)
	}
	if e.Run.Stopped != "" {
		d.cfg.Logger.WarnContext(ctx, "no further write was begun: "+e.Run.Stopped)
	}
	d.sayOpen(ctx, e.Run)
}

// sayRecovered says what became of writes that an earlier run left open.
func (d *Daemon) sayRecovered(ctx context.Context, w *reconcile.Writing) {
	for i, o := range w.Recovered {
		if i == mostNamed {
			d.cfg.Logger.WarnContext(ctx, fmt.Sprintf("and %d more writes are closed", len(w.Recovered)-i))
			return
		}
		d.cfg.Logger.WarnContext(ctx, fmt.Sprintf("a write of an earlier run was left open; by a look at the tenant it is closed as %s: %s of %s %s",
			o.Result, o.Setting, o.Subject.Kind, o.Subject.Name), slog.String("id", o.Subject.ID))
	}
}

// mostNamed is how many writes are named in the log.
const mostNamed = 50

// sayOpen names the writes of which the outcome is not known.
func (d *Daemon) sayOpen(ctx context.Context, run *reconcile.Run) {
	for i, o := range run.LeftOpen {
		if i == mostNamed {
			d.cfg.Logger.WarnContext(ctx, fmt.Sprintf("and %d more writes are left open", len(run.LeftOpen)-i))
			return
		}
		d.cfg.Logger.WarnContext(ctx, fmt.Sprintf("left open, to be closed by a look at the tenant at the next start: %s of %s %s",
			o.Setting, o.Subject.Kind, o.Subject.Name), slog.String("id", o.Subject.ID))
	}
}
