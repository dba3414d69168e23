package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// The figures of an incremental run (design section 7).
const (
	// changedOverlap is how long before the watermark a change is still looked for:
	// what the service shows lags behind what was done.
	changedOverlap = 2 * time.Hour
	// createdBack is how far back mailboxes are looked for by when they were made,
	// since the time zone in which the service reads that date is not documented.
	createdBack = 48 * time.Hour
	// anyZone is more than any time zone is away from UTC.
	anyZone = 15 * time.Hour
	// skewSaid is from which difference of the clocks on it is said, skewMost up to
	// which the marks of earlier runs are believed.
	skewSaid = 5 * time.Minute
	skewMost = time.Hour
	// defaultsEvery is how often defaults that seem to have moved make a run a full
	// sweep: while Microsoft rolls out an action, mailboxes differ for weeks.
	defaultsEvery = time.Hour
)

// ErrNoMemory says that a run cannot look at what changed since the last one, as
// none is remembered: it was begun without a store.
var ErrNoMemory = errors.New("nothing is remembered of earlier runs, so what changed since the last one cannot be told: give a store, or look at the whole tenant")

// window is what an incremental run looks back at, by the service's clock.
type window struct {
	// changed and created are the times from which on a mailbox that was changed or
	// made is read.
	changed, created time.Time
}

// windowOf opens the window. Without a watermark it is as wide as that for new
// mailboxes; with an old one that for new mailboxes is as wide.
func windowOf(watermark, now time.Time) *window {
	w := &window{created: now.Add(-createdBack)}
	if w.changed = watermark.Add(-changedOverlap); watermark.IsZero() {
		w.changed = w.created
	}
	if w.changed.Before(w.created) {
		w.created = w.changed
	}
	return w
}

func (w *window) filter() exchange.Filter {
	return exchange.ChangedSince(w.changed).Or(exchange.CreatedSince(w.created))
}

// unfilteredError says that a listing is not the one that was asked for.
type unfilteredError struct{ why string }

func (e *unfilteredError) Error() string { return e.why }

// check holds a row against the filter: one that it does not choose shows that the
// filter was ignored, or is read in another way than is meant. Dates that cannot be
// read show nothing, and then the filter is not trusted either.
func (w *window) check(m exchange.Mailbox) error {
	changed, known := date(m.WhenChangedUTC)
	if known && !changed.Before(w.changed.Add(-time.Second)) {
		return nil
	}
	created, dated := date(m.WhenMailboxCreated)
	switch {
	case dated && !created.Before(w.created.Add(-anyZone)):
		return nil
	case !known || !dated:
		return &unfilteredError{"the service does not say when mailboxes were changed and made, so that its filter cannot be trusted"}
	}
	return &unfilteredError{"the service ignored the filter on what was created or changed"}
}

func date(f exchange.Field[string]) (time.Time, bool) {
	text, ok := f.Get()
	if !ok {
		return time.Time{}, false
	}
	return exchange.ParseDate(text)
}

// sinceLastRun reads what was created or changed since the last complete run. Where
// that would leave something unseen it tells why the whole tenant must be read
// instead, and there is no observation.
func (o *observer) sinceLastRun(ctx context.Context, every time.Duration) (obs *observation, why string, err error) {
	o.organization(ctx)
	now := o.now().UTC().Add(o.obs.skew)
	if why = o.memory.outdated(o.policy, o.tool, now, o.obs.skew); why != "" {
		return nil, why, nil
	}
	o.window = windowOf(o.memory.watermark, now)
	o.needs.dates = true
	o.obs.accounts.recall(o.memory)
	var wg sync.WaitGroup
	if o.asksAuditLog() || o.raw {
		wg.Go(func() { o.adminAuditLog(ctx) })
	}
	wg.Go(func() { o.population(ctx, "") })
	if o.policy.Bypass != nil {
		wg.Go(func() { o.bypassSince(ctx, every) })
	}
	wg.Wait()
	if err := o.rest(ctx, false); err != nil {
		return nil, "", err
	}
	if why := o.unseen(now); why != "" {
		return nil, why, nil
	}
	return o.obs, "", nil
}

// hearClock notes how far the service's clock is ahead of ours, by its last answer.
func (o *observer) hearClock() {
	if at := o.reader.Stats().ServiceTime; !at.IsZero() {
		o.obs.skew = at.Sub(o.now())
	}
}

// judging is the time by which exemptions and permissions end: the later one of ours
// and the service's, as long as that is believed. The marks of runs are by the
// service's: what a sweep by our clock, where that is late, took for valid would
// never be asked about again.
func (o *observation) judging(started time.Time) time.Time {
	if o.skew > skewMost {
		return started
	}
	return started.Add(max(0, o.skew))
}

// outdated tells why what earlier runs left is no base for a look at what changed;
// it is empty where it is one. That there is no sweep at all, or too old a one, is
// no such reason: it makes the run incomplete.
func (m *Memory) outdated(p *policy.Policy, tool string, now time.Time, skew time.Duration) string {
	soon := now.Add(skewSaid)
	switch {
	case skew.Abs() > skewMost:
		return fmt.Sprintf("this machine's clock and the service's differ by %s", skew.Abs().Round(time.Second))
	case m.watermark.After(soon):
		return fmt.Sprintf("the last complete run is marked for %s, which is in the future", m.watermark.UTC().Format(time.RFC3339))
	case m.sweep == nil:
		return ""
	case m.sweep.at.After(soon):
		return fmt.Sprintf("the last full sweep is marked for %s, which is in the future", m.sweep.at.UTC().Format(time.RFC3339))
	case m.sweep.digest != p.Digest():
		return "the policy is not the one of the last full sweep"
	case majorOf(m.sweep.tool) != majorOf(tool):
		return fmt.Sprintf("the last full sweep was made by %s, this is %s", m.sweep.tool, tool)
	}
	return endedSince(p, m.sweep.at, now)
}

// majorOf is the first number of the version in a name such as "exoaudit v1.2.3";
// of other versions it is all of it.
func majorOf(tool string) string {
	fields := strings.Fields(tool)
	if len(fields) == 0 {
		return ""
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(fields[len(fields)-1], "v"), ".")
	return major
}

// endedSince names an exemption or a permission whose last day is over, and was not yet
// at the time of the sweep: what it covered drifts, although nothing changed.
func endedSince(p *policy.Policy, sweep, now time.Time) string {
	for _, e := range p.Exemptions {
		if e.Expired(now) && !e.Expired(sweep) {
			return fmt.Sprintf("the exemption %s ended since the last full sweep", e.Name)
		}
	}
	if p.Bypass != nil {
		for _, a := range p.Bypass.Allow {
			if a.Expired(now) && !a.Expired(sweep) {
				return fmt.Sprintf("the permission of %s ended since the last full sweep", accountOf(a))
			}
		}
	}
	return ""
}

// unseen tells why what was read leaves open how mailboxes stand that did not
// change; it is empty where it does not.
func (o *observer) unseen(now time.Time) string {
	for _, f := range o.obs.failures {
		if why := filterFailed(f); why != "" {
			return why
		}
	}
	m := o.memory
	if m.sweep == nil {
		return ""
	}
	if digest, whole := o.obs.groups.digest(); whole && digest != m.sweep.groups {
		return "somebody has joined or left a group that the policy names since the last full sweep"
	}
	if now.Sub(m.sweep.at) >= defaultsEvery && m.learnedMoved(learn(o.obs.pop)) {
		return "Microsoft's default sets are not those of the last full sweep any more"
	}
	return o.obs.accounts.moved(o.obs.pop)
}

// filterFailed tells a listing that failed by its filter: it was ignored, or the
// service does not take it, or the role does not.
func filterFailed(f failure) string {
	if ignored, ok := errors.AsType[*unfilteredError](f.err); ok {
		return ignored.why
	}
	if f.kind != audit.KindMailbox || !strings.HasPrefix(f.cmdlet, "Get-Mailbox") || f.partial {
		return ""
	}
	if e, ok := errors.AsType[*exchange.Error](f.err); ok && e.Status == http.StatusBadRequest || exchange.IsRefused(f.err) {
		return "the service refused the filter on what was created or changed (" + f.err.Error() + ")"
	}
	return ""
}

// sweepInstead is the warning of a run that was to look at what changed only.
func sweepInstead(why string) string { return why + ": full sweep instead of a look at what changed" }

// sinceReasons adds why a look at what changed says nothing of the whole tenant.
func (b *builder) sinceReasons(c *Coverage) {
	if b.scope() != ScopeIncremental {
		return
	}
	const advice = "run the same command without --since-last-run"
	m, most := b.req.Memory, b.req.Policy.Guards.MaxSweepAge
	if m.sweep == nil {
		c.Reasons = append(c.Reasons, "there is no complete full sweep to go by, so nothing is known of the mailboxes that did not change: "+advice)
		return
	}
	c.BaseRun = m.sweep.runID
	if age := b.plan.lasting.asOf.Sub(m.sweep.at); age > most {
		c.Reasons = append(c.Reasons, fmt.Sprintf("the last complete full sweep (run %s, %s) is older than %s (guards.maxSweepAge), so nothing fresh is known of the mailboxes that did not change: %s",
			m.sweep.runID, m.sweep.at.UTC().Format(time.RFC3339), most, advice))
	}
}

// sinceWarnings say what a look at what changed does not see.
func (b *builder) sinceWarnings() []string {
	if b.scope() != ScopeIncremental {
		return nil
	}
	var out []string
	if skew := b.obs.skew.Abs(); skew > skewSaid {
		out = append(out, fmt.Sprintf("this machine's clock and the service's differ by %s; what changed is looked for by the service's", skew.Round(time.Second)))
	}
	if b.req.Policy.NeedsDelegates() && b.req.Policy.HasMailboxes() {
		out = append(out, "a right to a mailbox that was given or taken need not show as a change of the mailbox: hasDelegates finds it in the next full sweep at the latest")
	}
	return out
}
