package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

const longAge = "mailboxes: {everyone: {ageLimit: 90d}}\nguards: {maxChangedPercent: 100}\n"

// shorten makes mailboxes drift from longAge.
func shorten(tenant *simulator.Tenant, guids ...string) {
	for _, g := range guids {
		tenant.Update(g, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
	}
}

func users(tenant *simulator.Tenant) []string {
	var out []string
	for m := range tenant.AllMailboxes() {
		if m.Type == "UserMailbox" {
			out = append(out, m.Guid)
		}
	}
	return out
}

func remembered(t *testing.T, s store.Store, b *bench) *reconcile.Memory {
	t.Helper()
	m, err := reconcile.LoadMemory(t.Context(), s, b.tenant.ID())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// request of a later run.
func (b *bench) later(text string, id string) reconcile.Request {
	req := b.request(parse(b.t, text))
	req.RunID = id
	return req
}

// reasons of the changes with a fate.
func reasonsOf(plan *reconcile.Plan, fate reconcile.Fate) []string {
	var out []string
	for c := range plan.Changes() {
		if c.Fate == fate {
			out = append(out, c.Reason)
		}
	}
	return out
}

// agrees fails where the summary counts otherwise than the plan lists.
func agrees(t interface {
	Helper()
	Errorf(string, ...any)
}, plan *reconcile.Plan,
) {
	t.Helper()
	var fates reconcile.FateCounts
	drift := map[audit.Severity]int{}
	planned, unknown := map[string]bool{}, map[string]bool{}
	for c := range plan.Changes() {
		switch c.Fate {
		case reconcile.FatePlanned:
			fates.Planned++
			drift[c.Severity]++
			if c.Subject.Kind == audit.KindMailbox && !c.Carried {
				planned[c.Subject.ID] = true
			}
		case reconcile.FateBlocked:
			fates.Blocked++
			drift[c.Severity]++
		case reconcile.FateUnsupported:
			fates.Unsupported++
		case reconcile.FateExempt:
			fates.Exempt++
		}
	}
	for u := range plan.Unknown() {
		unknown[string(u.Subject.Kind)+" "+u.Subject.ID] = true
	}
	s := plan.Summary()
	objects := 0
	for _, states := range s.States {
		objects += states.Unknown
	}
	if s.Changes != fates || s.ChangedMailboxes != len(planned) || objects != len(unknown) {
		t.Errorf("the summary counts %+v, %d mailboxes, %d unknown; the plan lists %+v, %d, %d", s.Changes, s.ChangedMailboxes, objects, fates, len(planned), len(unknown))
	}
	for _, severity := range audit.Severities() {
		if s.DriftAt[severity] != drift[severity] {
			t.Errorf("the summary counts %d at %s, the plan lists %d", s.DriftAt[severity], severity, drift[severity])
		}
	}
}

// TestPopulationGuard: what is much smaller than the last complete sweep was not
// seen whole, whatever the listing says.
func TestPopulationGuard(t *testing.T) {
	for _, tt := range []struct {
		gone    int
		accept  bool
		verdict reconcile.Verdict
	}{{1, false, reconcile.VerdictInLine}, {2, false, reconcile.VerdictInLine}, {3, false, reconcile.VerdictIncomplete}, {3, true, reconcile.VerdictInLine}} {
		tenant := healthyTenant(20)
		b, s := newBench(t, tenant), newShelf()
		b.remembering(s, b.later(longAge, "run-1"))
		all := collect(tenant.AllMailboxes())
		for _, m := range all[:tt.gone] {
			tenant.RemoveMailbox(m.Guid)
		}
		req := b.later(longAge, "run-2")
		req.AcceptPopulation = tt.accept
		plan := b.remembering(s, req)
		g := plan.Guards[0]
		if got := plan.Verdict(strict); got != tt.verdict || g.Refused != (got == reconcile.VerdictIncomplete) || plan.GuardRefused() != g.Refused {
			t.Errorf("%d of %d are gone: verdict %s, guard %+v", tt.gone, len(all), got, g)
		}
		_, last := remembered(t, s, b).LastSweep()
		if want := map[bool]string{true: "", false: "run-2"}[g.Refused]; last != want {
			t.Errorf("%d are gone: the last sweep is %q, want %q", tt.gone, last, want)
		}
		// Of mailboxes that do not show any more no earlier look says that they are in line.
		since := b.later(longAge, "since")
		since.SinceLastRun = true
		if got := b.remembering(s, since).Verdict(strict); got != tt.verdict {
			t.Errorf("%d are gone: a look at what changed gives %s, want %s", tt.gone, got, tt.verdict)
		}
		// What was accepted is the measure from then on; what was refused is not.
		next := b.remembering(s, b.later(longAge, "run-3"))
		if next.GuardRefused() != g.Refused {
			t.Errorf("%d are gone: after that %+v", tt.gone, next.Guards[0])
		}
	}
}

// TestMeasureOutlivesTheSweep: an undo forgets the sweep, and not how many
// mailboxes there were.
func TestMeasureOutlivesTheSweep(t *testing.T) {
	tenant := healthyTenant(20)
	b, s := newBench(t, tenant), newShelf()
	b.remembering(s, b.later(longAge, "run-1"))
	m := remembered(t, s, b).Without()
	if at, run := m.LastSweep(); run != "" || !at.IsZero() {
		t.Errorf("there is a sweep: %s", run)
	}
	if err := m.Save(t.Context(), s, tenant.ID()); err != nil {
		t.Fatal(err)
	}
	for _, box := range collect(tenant.AllMailboxes())[:5] {
		tenant.RemoveMailbox(box.Guid)
	}
	if plan := b.remembering(s, b.later(longAge, "run-2")); !plan.Guards[0].Refused {
		t.Errorf("%+v", plan.Guards[0])
	}
}

// TestAwaitingConfirmation: a write that was accepted and does not show is not made
// again for a quarter of an hour, and nobody calls it drift or in line meanwhile.
func TestAwaitingConfirmation(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 12, Bypassed: 0.1, AuditDisabled: true, UnifiedLogOff: true})
		b, s := newBench(t, tenant, simulator.WithReadLag(20*time.Minute)), newShelf()
		all := strings.Replace(everything, "types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox]", "types: [UserMailbox]", 1)
		run := b.applying(s, b.later(all, "run-1"))
		sent := b.writes()
		if got := run.Results()[reconcile.ResultUnconfirmed]; got == 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Fatalf("results %v", run.Results())
		}
		second := b.applying(s, b.later(all, "run-2"))
		agrees(t, second.Plan)
		if b.writes() != sent || second.Verdict(strict) != reconcile.VerdictIncomplete || second.Plan.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("%d more writes, verdict %s", b.writes()-sent, second.Verdict(strict))
		}
		blocked := reasonsOf(second.Plan, reconcile.FateBlocked)
		if len(blocked) == 0 || slices.ContainsFunc(blocked, func(r string) bool { return !strings.HasPrefix(r, "awaiting confirmation until 2000-01-01T") }) {
			t.Errorf("blocked: %q", blocked)
		}
		time.Sleep(16 * time.Minute)
		// The quarter is over for mailboxes and accounts, not for the tenant.
		plan := b.remembering(s, b.later(all, "run-3"))
		agrees(t, plan)
		for c := range plan.Changes() {
			if tenantWide := c.Subject.Kind == audit.KindOrganization; tenantWide != (c.Fate == reconcile.FateBlocked) {
				t.Errorf("%s %s is %s: %s", c.Subject.Kind, c.Setting, c.Fate, c.Reason)
			}
		}
		time.Sleep(time.Hour)
		if plan := b.remembering(s, b.later(all, "run-4")); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Errorf("verdict %s, %q", plan.Verdict(strict), plan.Coverage.Reasons)
		}
	})
}

// TestWaitingEndsWhenItShows: what shows is not waited for any more, so that who
// undoes it is answered at once.
func TestWaitingEndsWhenItShows(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(10)
		guid := anyUser(t, tenant)
		shorten(tenant, guid)
		b, s := newBench(t, tenant, simulator.WithReadLag(2*time.Minute)), newShelf()
		b.applying(s, b.later(longAge, "run-1"))
		time.Sleep(2 * time.Minute)
		if plan := b.remembering(s, b.later(longAge, "run-2")); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Fatalf("verdict %s", plan.Verdict(strict))
		}
		shorten(tenant, guid)
		plan := b.remembering(s, b.later(longAge, "run-3"))
		if got := plan.Summary().Changes; got.Planned != 1 || got.Blocked != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// TestNotSettableIsRemembered: what the service would not set is sent once.
func TestNotSettableIsRemembered(t *testing.T) {
	const explicit = "mailboxes: {everyone: {types: [UserMailbox], auditEnabled: explicit}}\nguards: {maxChangedPercent: 100}\n"
	tenant := healthyTenant(10)
	stuck := users(tenant)[:2]
	for _, guid := range stuck {
		tenant.Update(guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
	}
	b, s := newBench(t, tenant, simulator.WithSwitches(simulator.Switches{HiddenSet: simulator.HiddenSetSwallowed})), newShelf()
	run := b.applying(s, b.later(explicit, "run-1"))
	if run.Results()[reconcile.ResultUnsupported] != 2 {
		t.Fatalf("results %v", run.Results())
	}
	sent := b.writes()
	second := b.applying(s, b.later(explicit, "run-2"))
	agrees(t, second.Plan)
	why := reasonsOf(second.Plan, reconcile.FateUnsupported)
	if b.writes() != sent || len(why) != 2 || !strings.Contains(why[0], "not settable without a toggle, as run run-1 found") {
		t.Errorf("%d more writes, unsupported: %q", b.writes()-sent, why)
	}
	if got := second.Verdict(strict); got != reconcile.VerdictDrift {
		t.Errorf("verdict %s with strict", got)
	}
	// Somebody has set one of them. When it is lost again, it is tried again.
	tenant.Update(stuck[0], func(m *simulator.Mailbox) { m.AuditEnabled = simulator.True })
	b.remembering(s, b.later(explicit, "run-3"))
	tenant.Update(stuck[0], func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
	if got := b.remembering(s, b.later(explicit, "run-4")).Summary().Changes; got.Planned != 1 || got.Unsupported != 1 {
		t.Errorf("%+v", got)
	}
}

// TestOpenFindingsAfterARun: what is settled is gone from what is remembered,
// the rest stays, and a failed run moves no watermark.
func TestOpenFindingsAfterARun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(10)
		b, s := newBench(t, tenant, simulator.WithFaults(simulator.Fault{Name: "no", Cmdlet: "Set-Mailbox", Item: true, Call: 2, Do: simulator.DoStatus, Status: 400})), newShelf()
		shorten(tenant, users(tenant)[:3]...)
		b.remembering(s, b.later(longAge, "run-1"))
		first := remembered(t, s, b)
		if first.Open() != 3 {
			t.Errorf("%d are open after a check", first.Open())
		}
		time.Sleep(time.Minute)
		run := b.applying(s, b.later(longAge, "run-2"))
		m := remembered(t, s, b)
		if run.Results()[reconcile.ResultFailed] != 1 || m.Open() != 1 || !m.Watermark().Equal(first.Watermark()) {
			t.Errorf("results %v, %d open, watermark %s after %s", run.Results(), m.Open(), m.Watermark(), first.Watermark())
		}
		time.Sleep(time.Minute)
		started := time.Now()
		b.applying(s, b.later(longAge, "run-3"))
		if m := remembered(t, s, b); m.Open() != 0 || m.Watermark().Before(started) {
			t.Errorf("%d open, watermark %s, begun %s", m.Open(), m.Watermark(), started)
		}
	})
}

// TestIncompleteSweepIsNoMeasure: what was not read whole leaves the last complete
// sweep in its place.
func TestIncompleteSweepIsNoMeasure(t *testing.T) {
	tenant := healthyTenant(10)
	b, s := newBench(t, tenant), newShelf()
	b.remembering(s, b.later(longAge, "run-1"))
	before := remembered(t, s, b).Watermark()
	broken := newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
		if cmdlet == "Get-Mailbox" {
			row.Delete("AuditLogAgeLimit")
		}
	}))
	if plan := broken.remembering(s, broken.later(longAge, "run-2")); plan.Verdict(strict) != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", plan.Verdict(strict))
	}
	m := remembered(t, s, b)
	if _, run := m.LastSweep(); run != "run-1" || !m.Watermark().Equal(before) {
		t.Errorf("the last sweep is %s, watermark %s after %s", run, m.Watermark(), before)
	}
}

// TestOneMailboxTouchesItselfOnly: a look at one mailbox settles its finding, and
// says nothing of the others.
func TestOneMailboxTouchesItselfOnly(t *testing.T) {
	tenant := healthyTenant(10)
	b, s := newBench(t, tenant), newShelf()
	drifted := users(tenant)[:2]
	shorten(tenant, drifted...)
	b.remembering(s, b.later(longAge, "run-1"))
	before := remembered(t, s, b)
	req := b.later(longAge, "run-2")
	req.Mailbox = drifted[0]
	b.applying(s, req)
	m := remembered(t, s, b)
	_, run := m.LastSweep()
	if m.Open() != 1 || run != "run-1" || !m.Watermark().Equal(before.Watermark()) {
		t.Errorf("%d open, sweep %s, watermark %s", m.Open(), run, m.Watermark())
	}
	shorten(tenant, drifted[0])
	req.RunID = "run-3"
	b.remembering(s, req)
	if m := remembered(t, s, b); m.Open() != 2 {
		t.Errorf("%d open after it drifted again", m.Open())
	}
}

// TestCheckGivesWay: a comparison whose memory another run has overtaken, or beside
// which something was written, keeps its row and nothing else.
func TestCheckGivesWay(t *testing.T) {
	for name, overtake := range map[string]func(t *testing.T, b *bench, s *shelf){
		"by a comparison": func(_ *testing.T, b *bench, s *shelf) { b.remembering(s, b.later(longAge, "other")) },
		"by an apply": func(_ *testing.T, b *bench, s *shelf) {
			b.applying(s, b.later(longAge, "other"))
		},
		"by one that was killed": func(t *testing.T, b *bench, s *shelf) {
			session := b.session(s)
			w, err := session.Begin(t.Context(), "other", nil, "")
			if err != nil {
				t.Fatal(err)
			}
			defer closing(t, w)
			plan, err := w.Check(t.Context(), b.later(longAge, "other"))
			if err == nil {
				_, err = w.Apply(t.Context(), plan, reconcile.ApplyOptions{Now: time.Now})
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := healthyTenant(10)
			b, s := newBench(t, tenant), newShelf()
			shorten(tenant, anyUser(t, tenant))
			session := b.session(s)
			plan, err := session.Check(t.Context(), b.later(longAge, "mine"))
			if err != nil {
				t.Fatal(err)
			}
			overtake(t, b, s)
			err = session.Keep(t.Context(), "check", plan, strict)
			if _, conflict := errors.AsType[*store.ConflictError](err); !conflict {
				t.Errorf("kept: %v", err)
			}
			if _, run := remembered(t, s, b).LastSweep(); run == "mine" {
				t.Error("what was overtaken is remembered")
			}
			if !slices.ContainsFunc(s.runs, func(r store.Run) bool { return r.ID == "mine" && r.Verdict == "drift" && r.Complete }) {
				t.Errorf("the row was not kept: %+v", s.runs)
			}
		})
	}
}

// TestApplyIsPutOnTop: a comparison that is kept while an apply writes does not
// keep it from being remembered. Which of them saw a mailbox last is not known, so
// the next look at what changed goes back to the beginning of the earlier one.
func TestApplyIsPutOnTop(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 10, Users: 2, Now: time.Now()})
		b, s := newBench(t, tenant), newShelf()
		shorten(tenant, users(tenant)[:2]...)
		session := b.session(s)
		w, err := session.Begin(t.Context(), "apply", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, w)
		plan, err := w.Check(t.Context(), b.later(longAge, "apply"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		b.remembering(s, b.later(longAge, "check"))
		run, err := w.Apply(t.Context(), plan, reconcile.ApplyOptions{Now: time.Now})
		if err == nil {
			err = w.Keep(t.Context(), "apply", run, strict, noDocument)
		}
		if err != nil {
			t.Fatal(err)
		}
		m := remembered(t, s, b)
		if m.Open() != 2 || m.Watermark().After(plan.CreatedAt) {
			t.Errorf("%d open, watermark %s, though the apply began at %s", m.Open(), m.Watermark(), plan.CreatedAt)
		}
		if row := s.runs[len(s.runs)-1]; row.ID != "apply" || row.Wrote != 2 || row.JournalHead == "" {
			t.Errorf("row %+v", row)
		}
		time.Sleep(10 * time.Hour)
		req := b.later(longAge, "later")
		req.SinceLastRun = true
		if plan := b.remembering(s, req); plan.Coverage.Scope != reconcile.ScopeIncremental || plan.Verdict(strict) != reconcile.VerdictInLine || remembered(t, s, b).Open() != 0 {
			t.Errorf("scope %s, verdict %s, %d open", plan.Coverage.Scope, plan.Verdict(strict), remembered(t, s, b).Open())
		}
	})
}

// TestMemoryIsReadWhole: a memory that another run keeps while it is read is read
// again: parts of two would hide what happened between them.
func TestMemoryIsReadWhole(t *testing.T) {
	tenant := healthyTenant(10)
	b, s := newBench(t, tenant), newShelf()
	b.remembering(s, b.later(longAge, "run-1"))
	shorten(tenant, users(tenant)[:2]...)
	s.reading = func(name string) {
		if name == "notSettable" {
			s.reading = nil
			b.remembering(s, b.later(longAge, "run-2"))
		}
	}
	if m := remembered(t, s, b); m.Open() != 2 {
		t.Errorf("%d open", m.Open())
	}
	n := 0
	s.reading = func(name string) {
		if name == "notSettable" {
			n++
			marks := s.snapshots["marks"]
			marks.Version++
			s.snapshots["marks"] = marks
		}
	}
	_, err := reconcile.LoadMemory(t.Context(), s, tenant.ID())
	if _, conflict := errors.AsType[*store.ConflictError](err); !conflict || n > 10 {
		t.Errorf("after %d attempts: %v", n, err)
	}
}

// TestReadOnlyStore: nothing is kept, and it says so.
func TestReadOnlyStore(t *testing.T) {
	tenant := healthyTenant(5)
	b, s := newBench(t, tenant), newShelf()
	s.readOnly = true
	session := b.session(s)
	plan, err := session.Check(t.Context(), b.later(longAge, "run-1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Keep(t.Context(), "check", plan, strict); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("kept: %v", err)
	}
}

// TestForeignMemory: bytes that nobody understands stop the run, and stay.
func TestForeignMemory(t *testing.T) {
	b, s := newBench(t, healthyTenant(5)), newShelf()
	s.snapshots["sweep"] = store.Snapshot{Name: "sweep", Version: 3, Data: []byte("something else")}
	_, err := b.session(s).Check(context.WithoutCancel(t.Context()), b.later(longAge, "run-1"))
	if e, ok := errors.AsType[*reconcile.MemoryError](err); !ok || e.Name != "sweep" {
		t.Errorf("%v", err)
	}
}

// TestFewSnapshotsAreWritten: what did not change is not put again.
func TestFewSnapshotsAreWritten(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, s := newBench(t, healthyTenant(5)), newShelf()
		b.remembering(s, b.later(longAge, "run-1"))
		if s.snapshots["sweep"].Version != 1 || s.snapshots["marks"].Version != 1 || s.snapshots["delegates"].Version != 0 {
			t.Errorf("%+v", s.snapshots)
		}
		m := remembered(t, s, b)
		if err := m.Save(t.Context(), s, b.tenant.ID()); err != nil || s.snapshots["sweep"].Version != 1 {
			t.Errorf("%v, %d", err, s.snapshots["sweep"].Version)
		}
	})
}

// TestUndoForgetsTheSweep: what was undone drifts again, and only a full sweep finds
// all of it. It is forgotten before the first write, so that a crash changes nothing.
func TestUndoForgetsTheSweep(t *testing.T) {
	for _, name := range []string{"kept", "killed", "overtaken by a check"} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(10)
				shorten(tenant, anyUser(t, tenant))
				b, s := newBench(t, tenant), newShelf()
				b.applying(s, b.later(longAge, "run-1"))
				if at, _ := remembered(t, s, b).LastSweep(); at.IsZero() {
					t.Fatal("there is no sweep to forget")
				}
				w, err := b.session(s).Begin(t.Context(), "run-2", nil, "")
				if err != nil {
					t.Fatal(err)
				}
				defer closing(t, w)
				plan, err := w.PlanUndo(t.Context(), reconcile.UndoRequest{Tool: "test", RunID: "run-2", Now: time.Now, Run: "run-1", Entries: s.entries(t), AllowWeakening: true})
				if err != nil {
					t.Fatal(err)
				}
				run, err := w.Undo(t.Context(), plan, reconcile.ApplyOptions{Now: time.Now})
				if err != nil || run.Results()[reconcile.ResultVerified] != 1 {
					t.Fatalf("%v, %v", run, err)
				}
				if name == "overtaken by a check" {
					b.remembering(s, b.later(longAge, "check"))
				}
				if name != "killed" {
					if err := w.Keep(t.Context(), "undo", run, strict, noDocument); err != nil {
						t.Fatal(err)
					}
				}
				m := remembered(t, s, b)
				if _, last := m.LastSweep(); last != "" || m.Open() != -1 {
					t.Errorf("the sweep of %s is believed", last)
				}
				req := b.later(longAge, "run-3")
				req.SinceLastRun = true
				if plan := b.remembering(s, req); plan.Verdict(strict) != reconcile.VerdictIncomplete {
					t.Errorf("verdict %s", plan.Verdict(strict))
				}
				// What we undid ourselves is no fix that somebody contests.
				if plan := b.remembering(s, b.later(longAge, "run-4")); plan.Summary().Changes.Planned != 1 {
					t.Errorf("%+v", plan.Summary().Changes)
				}
			})
		})
	}
}

// TestGuardsOfALookAtWhatChanged: the share is of the mailboxes of the last sweep,
// and those that it did not know count toward the number only.
func TestGuardsOfALookAtWhatChanged(t *testing.T) {
	const text = "mailboxes: {everyone: {ageLimit: 90d}}\nguards: {maxChangedPercent: %PERCENT, maxChanged: %MOST}\n"
	for _, tt := range []struct {
		percent, most  string
		weakened, born int
		refusing       string
	}{
		{"30", "100", 9, 0, ""}, // Of fewer than ten no share is taken.
		{"30", "100", 12, 0, ""},
		{"30", "100", 13, 0, "maxChangedPercent"},
		{"30", "100", 12, 20, ""},
		{"30", "32", 12, 20, ""},
		{"30", "31", 12, 20, "maxChanged"},
		{"0", "100", 0, 20, ""},
	} {
		synctestRun(t, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 40, BypassPerMailbox: -1, Now: time.Now()})
			b, s := newBench(t, tenant), newShelf()
			policy := strings.NewReplacer("%PERCENT", tt.percent, "%MOST", tt.most).Replace(text)
			b.remembering(s, b.later(policy, "run-1"))
			time.Sleep(time.Hour)
			shorten(tenant, users(tenant)[:tt.weakened]...)
			for n := range tt.born {
				tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", Name: "new" + string(rune('a'+n)), PrimarySMTPAddress: "new" + string(rune('a'+n)) + "@contoso.com", AgeLimit: "30.00:00:00"})
			}
			req := b.later(policy, "run-2")
			req.SinceLastRun = true
			plan := b.remembering(s, req)
			refusing := ""
			for _, g := range plan.Guards {
				if g.Refused {
					refusing = g.Name
				}
			}
			if plan.Coverage.Scope != reconcile.ScopeIncremental || refusing != tt.refusing || plan.Summary().Changes.Planned+plan.Summary().Changes.Blocked != tt.weakened+tt.born {
				t.Errorf("%+v: scope %s, guards %+v, %+v, %q", tt, plan.Coverage.Scope, plan.Guards, plan.Summary().Changes, plan.Warnings)
			}
			// A run later nothing of it is new to be read, and all of it counts still.
			time.Sleep(3 * time.Hour)
			req.RunID = "run-3"
			if again := b.remembering(s, req); again.GuardRefused() != (tt.refusing != "") || again.Summary().Changes != plan.Summary().Changes {
				t.Errorf("%+v: a run later %+v, %+v", tt, again.Guards, again.Summary().Changes)
			}
		})
	}
}
