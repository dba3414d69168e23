package reconcile

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// Recorder keeps the record of what is done to a tenant. Intend must not
// return before its entries are durable: what it cannot record is not written.
// *journal.File satisfies it.
type Recorder interface {
	Begin(ctx context.Context, b journal.Begin) error
	Intend(ctx context.Context, intents []journal.Intent) error
	Conclude(ctx context.Context, outcomes []journal.Outcome) error
	End(ctx context.Context) error
	Head() string
}

// Observer hears of progress. A nil function hears nothing; calls come from
// several goroutines.
type Observer struct {
	// Wrote is told how many mailboxes have been written, of how many.
	Wrote func(done, total int)
}

// ApplyOptions say how to apply a plan.
type ApplyOptions struct {
	Recorder Recorder
	// Slip restricts the writes to those of a saved plan; nil restricts nothing.
	Slip *Slip
	// Rings divide the mailboxes; none are those of the policy's guards.
	Rings []Ring
	// InFlight is the number of batches under way at once; 0 is 4.
	InFlight int
	// Compliance writes the retention policies; without it they are skipped.
	Compliance Compliance
	Observer   Observer
	Now        func() time.Time
	// Permit is asked before each batch, and again before each request that writes,
	// as it may have waited for long; an error ends the writing. Nil permits all.
	Permit func() error
	// Abandon, once it is closed, gives up the calls under way as well, which an
	// interrupt lets come to their end. The writes of which the outcome is then not
	// known stay open in the journal. Nil gives up nothing.
	Abandon <-chan struct{}
}

// readBackWaits are the times after a write at which it is read back, until
// it shows (design section 7).
const (
	firstReadBackWait  = 5 * time.Second
	secondReadBackWait = 30*time.Second - firstReadBackWait
)

// batchTimeout bounds the calls for one batch, waits for throttling included.
// A batch under way is finished even when the run is interrupted, but not for
// ever; the service's own limit for a cmdlet is 15 minutes (wire 1.7).
const batchTimeout = 2 * time.Hour

// Apply makes the planned changes of a plan, in the order of design section 7:
// unified log, mailbox auditing, bypass, retention, mailboxes by ring. Each batch is
// recorded before it is sent and read back after it. When ctx ends no new
// batch is begun; those under way are finished and recorded.
//
// What went wrong with single changes is in the run. The error is for a run
// that could not begin: the journal did not take its first entry.
func Apply(ctx context.Context, t Tenant, p *Plan, opts ApplyOptions) (*Run, error) {
	run := newRun(p, opts)
	ctx = opts.gated(ctx)
	abandon, done := opts.abandonment(ctx)
	defer done()
	if err := opts.Recorder.Begin(ctx, run.begin()); err != nil {
		return nil, fmt.Errorf("the journal cannot be written, so nothing else is: %w", err)
	}
	e := &engine{abandon: abandon, tenant: t, plan: p, run: run, opts: opts, total: p.selectedMailboxes(), refusedOnce: map[string]bool{}, taken: map[string]bool{}}
	e.tenantSettings(ctx)
	e.bypass(ctx)
	e.retention(ctx)
	e.mailboxes(ctx)
	e.storedValues(ctx)
	run.Stopped = e.why
	run.Warnings = append(run.Warnings, e.licences()...)
	if err := opts.Recorder.End(context.WithoutCancel(ctx)); err != nil && run.Stopped == "" {
		run.Stopped = "the journal could not be closed: " + err.Error()
	}
	run.JournalHead = opts.Recorder.Head()
	run.FinishedAt = opts.Now().UTC()
	stats := t.Stats()
	if opts.Compliance != nil {
		stats = statsOf(t, opts.Compliance)
	}
	run.Requests, run.Pages = int(stats.Requests-p.before.Requests), int(stats.Pages-p.before.Pages)
	slices.Sort(run.Refused)
	return run, nil
}

// engine applies one plan once.
type engine struct {
	// abandon ends when the calls under way are given up; nil is never.
	abandon context.Context
	tenant  Tenant
	plan    *Plan
	run     *Run
	opts    ApplyOptions
	total   int

	mu  sync.Mutex
	why string // why no further write is begun
	// failing is the number of mailboxes in a row whose writes have failed.
	failing int
	done    int
	// refusedOnce are the cmdlets whose last answers were all refusals.
	refusedOnce map[string]bool
	// taken are the cmdlets of which an answer was a success.
	taken       map[string]bool
	customizing error // how that ended
	// mayNotCustomize tells that it was refused to the caller: nothing is coming
	// that could be waited for.
	mayNotCustomize bool
	customized      bool    // Enable-OrganizationCustomization was run
	pending         []int32 // mailboxes that were written and do not show it yet
	lost            []int32 // mailboxes of which a write may not have been made
	// unlicensed are the mailboxes by the action for which they want a licence.
	unlicensed map[string]map[int]bool
}

// stop ends the writing, for the first reason given.
func (e *engine) stop(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == "" {
		e.why = fmt.Sprintf(format, args...)
	}
}

// stopped says why no further write may be begun; empty where one may. It is
// asked only where there is one to begin, so that an interrupt after the last
// write stops nothing.
func (e *engine) stopped(ctx context.Context) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == "" && ctx.Err() != nil {
		e.why = "interrupted"
	}
	if e.why == "" && e.opts.Permit != nil {
		if err := e.opts.Permit(); err != nil {
			e.why = err.Error()
		}
	}
	return e.why
}

// gated is the context whose writes are sent only while they are permitted.
func (o ApplyOptions) gated(ctx context.Context) context.Context {
	if o.Permit == nil {
		return ctx
	}
	return exchange.WithGate(ctx, o.Permit)
}

// abandonment is the context in which writes are made: it outlives an interrupt, and
// ends when they are to be given up.
func (o ApplyOptions) abandonment(ctx context.Context) (abandon context.Context, done func()) {
	abandon, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if o.Abandon == nil {
		return abandon, cancel
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-o.Abandon:
			cancel()
		case <-abandon.Done():
		}
	})
	return abandon, func() {
		cancel()
		waiting.Wait()
	}
}

// inFlight is the context of a batch: it outlives an interrupt, and ends where the
// calls under way are given up.
func (e *engine) inFlight(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.abandon == nil {
		return inFlight(ctx)
	}
	return context.WithTimeout(e.abandon, batchTimeout)
}

// abandoned tells whether the calls under way were given up.
func (e *engine) abandoned() bool { return e.abandon != nil && e.abandon.Err() != nil }

// inFlight is the context of a batch that nothing gives up: it outlives an interrupt.
func inFlight(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), batchTimeout)
}

// intend records intents, and stops all writing where that fails.
func (e *engine) intend(ctx context.Context, intents []journal.Intent) bool {
	if err := e.opts.Recorder.Intend(context.WithoutCancel(ctx), intents); err != nil {
		e.stop("the journal cannot be written, so nothing else is: %v", err)
		return false
	}
	return true
}

// conclude records outcomes. Where that fails the writes were made all the
// same, and stand in the run; no further one is begun.
func (e *engine) conclude(ctx context.Context, outcomes []journal.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	if e.abandoned() { // What was seen of them is what was seen of broken calls.
		e.mu.Lock()
		e.run.LeftOpen = append(e.run.LeftOpen, outcomes...)
		e.mu.Unlock()
		return
	}
	if err := e.opts.Recorder.Conclude(context.WithoutCancel(ctx), outcomes); err != nil {
		e.stop("the outcome of writes could not be recorded: %v", err)
	}
}

// refusals looks at the answers to one cmdlet. Where the service refused them
// all, and did so before, thousands of further attempts would end the same way:
// nothing more of that kind is begun. Other kinds have other cmdlets, and go
// on. Without a token nothing goes on.
func (e *engine) refusals(kind audit.SubjectKind, cmdlet string, errs []error) {
	refused, taken := 0, slices.Contains(errs, nil)
	for _, err := range errs {
		if exchange.IsUnauthenticated(err) {
			e.stop("the service takes no token of ours any more: %v", err)
		}
		if exchange.IsRefused(err) {
			refused++
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken[cmdlet] = e.taken[cmdlet] || taken
	if refused == 0 || refused < len(errs) {
		delete(e.refusedOnce, cmdlet)
		return
	}
	if !e.refusedOnce[cmdlet] {
		e.refusedOnce[cmdlet] = true
		return
	}
	if !slices.Contains(e.run.Refused, cmdlet) {
		e.run.Refused = append(e.run.Refused, cmdlet)
	}
	if kind != audit.KindOrganization { // Its two settings have a cmdlet each.
		e.run.halted[kind] = cmdlet + " was refused"
	}
}

// refusalsAgain looks at the answers to writes that were sent again. They are those
// of the refused ones alone: where the service has taken others, that it refuses
// these once more says nothing of the cmdlet.
func (e *engine) refusalsAgain(kind audit.SubjectKind, cmdlet string, errs []error) {
	e.mu.Lock()
	taken := e.taken[cmdlet]
	e.mu.Unlock()
	if taken {
		errs = slices.DeleteFunc(errs, exchange.IsRefused)
	}
	e.refusals(kind, cmdlet, errs)
}

// refused tells whether a cmdlet was refused as a whole, and again.
func (e *engine) refused(cmdlet string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.run.Refused, cmdlet)
}

// halted tells whether a kind may not be written any more.
func (e *engine) halted(kind audit.SubjectKind) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.run.halted[kind] != ""
}

// wait sleeps, unless the run is interrupted.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// intentOf is the record of a change that is about to be made. For a mailbox
// before is what it shows now.
func (e *engine) intentOf(c Change, before profile) journal.Intent {
	return journal.Intent{
		Change: c.ID, Subject: journalSubject(c.Subject), Setting: c.Setting,
		Before: c.Before, After: c.After, Inverse: inverseOf(c, before),
		PolicyDigest: e.plan.Policy.Digest, Origin: c.Origin.Pos.String(),
	}
}

func outcomeOf(c Change, o outcome) journal.Outcome {
	return journal.Outcome{
		Change: c.ID, Subject: journalSubject(c.Subject), Setting: c.Setting,
		Result: string(o.result), Note: o.note,
	}
}

func journalSubject(s Subject) journal.Subject {
	return journal.Subject{Kind: s.Kind, ID: s.ID, Name: s.Name, Type: s.Type}
}

// inverseOf says what would undo a change. Adding to a list that Microsoft
// manages pins it; the way back is to restore the default set (semantics 2.1).
// Restoring replaces lists; the way back is to write them as they were.
// What was not there before is undone by taking away all of it.
func inverseOf(c Change, before profile) journal.Inverse {
	switch {
	case c.Pins:
		return journal.Inverse{Setting: audit.SettingDefaultAuditSet, Add: []string{logonType(c.Setting).String()}}
	case c.Setting == audit.SettingDefaultAuditSet:
		lists := map[audit.Setting][]string{}
		for _, name := range c.Add {
			if l, ok := audit.ParseLogonType(name); ok {
				lists[audit.ListSetting(l)] = before.lists[l].value.Slice()
			}
		}
		return journal.Inverse{Setting: c.Setting, Lists: lists}
	case len(c.Add)+len(c.Remove) > 0:
		return journal.Inverse{Setting: c.Setting, Add: c.Remove, Remove: c.Add}
	default:
		return journal.Inverse{Setting: c.Setting, Value: c.Before}
	}
}
