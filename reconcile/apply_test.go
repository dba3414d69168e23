package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

func TestApplyBringsATenantInLine(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{
		Seed: 7, Mailboxes: 60, Groups: 3, PublicFolders: 2, Users: 5, Drift: 0.5, Bypassed: 0.1,
		AuditDisabled: true, UnifiedLogOff: true,
	}))
	p := parse(t, everything)
	plan := b.check(p)
	if got := plan.Verdict(strict); got != reconcile.VerdictDrift {
		t.Fatalf("verdict before the apply: %s, coverage %+v", got, plan.Coverage)
	}
	run := b.apply(plan)
	b.satisfied(p)
	if got := run.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of the run: %s, results %v", got, run.Results())
	}
	if got := b.check(p).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of a second check: %s", got)
	}
}

// TestOrderOfWrites: unified log, mailbox auditing, bypass, mailboxes; and what
// restores Microsoft's defaults is answered before anything else of the same
// mailboxes is sent.
func TestOrderOfWrites(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 12, Bypassed: 0.2, AuditDisabled: true, UnifiedLogOff: true})
	tenant.Update(anyUser(t, tenant), func(m *simulator.Mailbox) {
		m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
	})
	b := newBench(t, tenant)
	p := parse(t, `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes: {everyone: {record: {owner: {managed: true}}, ageLimit: 180d}}
bypass: {}
guards: {maxChangedPercent: 100}
`)
	b.apply(b.check(p))
	var order []string
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			name := in.Cmdlet
			if in.Parameters["DefaultAuditSet"] != nil {
				name += " restore"
			}
			if !strings.HasPrefix(name, "Get-") && !slices.Contains(order, name) {
				order = append(order, name)
			}
			if len(call.Cmdlets) > 1 && in.Parameters["DefaultAuditSet"] != nil && call.Cmdlets[0].Parameters["DefaultAuditSet"] == nil {
				t.Error("a restore shares its batch with other writes")
			}
		}
	}
	want := []string{"Set-AdminAuditLogConfig", "Set-OrganizationConfig", "Set-MailboxAuditBypassAssociation", "Set-Mailbox restore", "Set-Mailbox"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	b.satisfied(p)
}

// recorder is a journal that can be told to fail.
type recorder struct {
	mu       sync.Mutex
	intents  []journal.Intent
	outcomes []journal.Outcome
	fail     func(intents int) error
	onIntend func()
}

func (r *recorder) Begin(context.Context, journal.Begin) error { return nil }
func (r *recorder) End(context.Context) error                  { return nil }
func (r *recorder) Head() string                               { return "head" }

func (r *recorder) Intend(_ context.Context, intents []journal.Intent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		if err := r.fail(len(r.intents)); err != nil {
			return err
		}
	}
	if r.onIntend != nil {
		r.onIntend()
	}
	r.intents = append(r.intents, intents...)
	return nil
}

func (r *recorder) Conclude(_ context.Context, outcomes []journal.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, outcomes...)
	return nil
}

func with(r reconcile.Recorder) func(*reconcile.ApplyOptions) {
	return func(o *reconcile.ApplyOptions) { o.Recorder = r }
}

// TestNoJournalNoWrite: what cannot be recorded is not written.
func TestNoJournalNoWrite(t *testing.T) {
	for after, name := range map[int]string{0: "from the start", 25: "in the middle"} {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 80, UnifiedLogOff: true})
			b := newBench(t, tenant)
			rec := &recorder{fail: func(n int) error {
				if n >= after {
					return errors.New("no space left on device")
				}
				return nil
			}}
			run := b.apply(b.check(parse(t, everything)), with(rec))
			written := map[string]bool{}
			for _, i := range rec.intents {
				written[i.Subject.ID] = true
			}
			if n := b.writes(); n > len(written) || after == 0 && n != 0 {
				t.Errorf("%d writes for %d recorded intents", n, len(rec.intents))
			}
			if run.Verdict(strict) != reconcile.VerdictIncomplete || !strings.Contains(run.Stopped, "no space left") {
				t.Errorf("verdict %s, stopped %q", run.Verdict(strict), run.Stopped)
			}
			if run.Results()[reconcile.ResultSkipped] == 0 {
				t.Errorf("results %v", run.Results())
			}
		})
	}
}

// TestEveryWriteIsRecordedFirst goes by the order in which the journal and the
// service saw things.
func TestEveryWriteIsRecordedFirst(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 50, Drift: 0.4, Bypassed: 0.1, UnifiedLogOff: true, AuditDisabled: true})
	b := newBench(t, tenant)
	run := b.apply(b.check(parse(t, everything)))
	data, err := os.ReadFile(b.journal)
	if err != nil {
		t.Fatal(err)
	}
	intents, outcomes := map[string]journal.Intent{}, map[string]string{}
	tail, err := journal.Read(bytes.NewReader(data), func(e journal.Entry) error {
		switch e.Kind {
		case journal.KindIntent:
			intents[e.Intent.Change] = *e.Intent
		case journal.KindOutcome:
			if _, ok := intents[e.Outcome.Change]; !ok {
				t.Errorf("an outcome without intent: %+v", e.Outcome)
			}
			outcomes[e.Outcome.Change] = e.Outcome.Result
		case journal.KindBegin, journal.KindEnd:
		}
		return nil
	})
	if err != nil || tail.Head != run.JournalHead {
		t.Fatalf("journal: %v, head %s, run says %s", err, tail.Head, run.JournalHead)
	}
	n := 0
	for c := range run.Changes() {
		if c.Fate != reconcile.FatePlanned {
			continue
		}
		n++
		if outcomes[c.ID] != string(c.Result) || intents[c.ID].Inverse.Setting == "" {
			t.Errorf("%s: the journal says %q, the run %q", c.ID, outcomes[c.ID], c.Result)
		}
	}
	if n == 0 || n != len(intents) {
		t.Errorf("%d planned changes, %d intents", n, len(intents))
	}
}

// TestInterrupt: when the run is told to end, no new write is begun; those
// under way are finished, recorded and reported.
func TestInterrupt(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 200})
		b := newBench(t, tenant, simulator.WithLatency(time.Second))
		p := parse(t, everything)
		plan := b.check(p)
		ctx, cancel := context.WithCancel(t.Context())
		rec := &recorder{}
		batches := 0
		rec.onIntend = func() {
			if batches++; batches == 6 {
				cancel()
			}
		}
		run, err := reconcile.Apply(ctx, b.client, plan, reconcile.ApplyOptions{Recorder: rec, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		results := run.Results()
		if results[reconcile.ResultVerified] != len(rec.intents) || len(rec.outcomes) != len(rec.intents) {
			t.Errorf("%v, with %d intents and %d outcomes", results, len(rec.intents), len(rec.outcomes))
		}
		if results[reconcile.ResultSkipped] == 0 || run.Stopped != "interrupted" {
			t.Errorf("%v, stopped %q", results, run.Stopped)
		}
		if n := b.service.Count("Set-Mailbox"); n > 60 {
			t.Errorf("%d mailboxes were written after the interrupt of the sixth batch", n)
		}
		written := map[string]bool{}
		for _, i := range rec.intents {
			written[i.Subject.ID] = true
		}
		if n := b.service.Count("Set-Mailbox"); n != len(written) {
			t.Errorf("%d mailboxes were written, %d recorded", n, len(written))
		}
	})
}

// TestReadLag: a write that does not show at once is read again at 5 and at 30
// seconds; what does not show then is unconfirmed, and not a success.
func TestReadLag(t *testing.T) {
	for lag, want := range map[time.Duration]reconcile.Result{
		0: reconcile.ResultVerified, 4 * time.Second: reconcile.ResultVerified, 20 * time.Second: reconcile.ResultVerified, time.Minute: reconcile.ResultUnconfirmed,
	} {
		t.Run(lag.String(), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 15, Bypassed: 0.1, AuditDisabled: true, UnifiedLogOff: true})
				b := newBench(t, tenant, simulator.WithReadLag(lag))
				run := b.apply(b.check(parse(t, everything)))
				results := run.Results()
				if len(results) != 1 || results[want] == 0 {
					t.Errorf("results %v, want all %s", results, want)
				}
				verdict := map[reconcile.Result]reconcile.Verdict{reconcile.ResultVerified: reconcile.VerdictInLine, reconcile.ResultUnconfirmed: reconcile.VerdictIncomplete}
				if got := run.Verdict(strict); got != verdict[want] {
					t.Errorf("verdict %s", got)
				}
			})
		})
	}
}

// TestHarmStopsTheRun: a mailbox that records less after its write than before
// it ends the writing.
func TestHarmStopsTheRun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		var b *bench
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 300})
		b = newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if cmdlet == "Get-Mailbox" && b.service.Count("Set-Mailbox") > 0 {
				row.Set("AuditAdmin", `["Copy", "FolderBind", "Move"]`)
			}
		}))
		run := b.apply(b.check(parse(t, everything)), func(o *reconcile.ApplyOptions) { o.InFlight = 1 })
		if n := b.service.Count("Set-Mailbox"); n > 20 {
			t.Errorf("%d mailboxes were written although the first ones were harmed", n)
		}
		if !strings.Contains(run.Stopped, "records less") || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("stopped %q, verdict %s", run.Stopped, run.Verdict(strict))
		}
	})
}

// TestRefusedWriteStopsTheRun: when the role may not write, one attempt shows it.
func TestRefusedWriteStopsTheRun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 300})
		b := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Set-Mailbox")))
		run := b.apply(b.check(parse(t, everything)))
		if n := b.service.Count("Set-Mailbox"); n > 50 {
			t.Errorf("%d attempts", n)
		}
		if r := run.Results(); r[reconcile.ResultFailed] == 0 || r[reconcile.ResultSkipped] == 0 || r[reconcile.ResultVerified] > 0 {
			t.Errorf("results %v", r)
		}
	})
}

// TestThrottledWrites: a 429 costs time, never a result.
func TestThrottledWrites(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 60})
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Throttled("$batch", 2, 30*time.Second), simulator.ItemThrottled("Set-Mailbox", 7, 3*time.Second), simulator.ItemThrottled("Set-Mailbox", 23, 0)))
		p := parse(t, everything)
		run := b.apply(b.check(p))
		if r := run.Results(); r[reconcile.ResultVerified] == 0 || len(r) != 1 {
			t.Errorf("results %v", r)
		}
		b.satisfied(p)
	})
}

// TestLostAnswers: a write whose answer is lost is looked at, not repeated.
func TestLostAnswers(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 20})
		b := newBench(t, tenant, simulator.WithFaults(simulator.ItemDropped("Set-Mailbox", 3)))
		p := parse(t, everything)
		plan := b.check(p)
		planned := plan.Summary().ChangedMailboxes
		run := b.apply(plan)
		if n := b.service.Count("Set-Mailbox"); n != planned {
			t.Errorf("%d writes for %d mailboxes", n, planned)
		}
		if r := run.Results(); r[reconcile.ResultVerified] == 0 || len(r) != 1 {
			t.Errorf("results %v", r)
		}
		b.satisfied(p)
	})
}

func TestGuards(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 40, UnifiedLogOff: true, Bypassed: 0.1})
	for name, c := range map[string]struct {
		guards    string
		raised    []reconcile.RaisedGuard
		selection reconcile.Selection
		refused   bool
	}{
		"percent over":          {guards: "{maxChangedPercent: 50}", refused: true},
		"the default is 30":     {guards: "{allowWeakening: false}", refused: true},
		"percent raised":        {guards: "{maxChangedPercent: 50}", raised: []reconcile.RaisedGuard{{Name: "maxChangedPercent", Limit: 100, Reason: "r"}}},
		"count over":            {guards: "{maxChangedPercent: 100, maxChanged: 10}", refused: true},
		"count raised":          {guards: "{maxChangedPercent: 100, maxChanged: 10}", raised: []reconcile.RaisedGuard{{Name: "maxChanged", Limit: 40, Reason: "r"}}},
		"count is exact":        {guards: "{maxChangedPercent: 100, maxChanged: 39}"},
		"the pilot is counted":  {guards: "{maxChangedPercent: 50, maxChanged: 8}", selection: reconcile.Selection{Limit: 8}},
		"no mailboxes selected": {guards: "{maxChangedPercent: 50}", selection: reconcile.Selection{Only: []audit.SubjectKind{audit.KindBypass}}},
		"nine are no alarm":     {guards: "{maxChangedPercent: 1}", selection: reconcile.Selection{Limit: 9}},
		"ten are":               {guards: "{maxChangedPercent: 1}", selection: reconcile.Selection{Limit: 10}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tenant.Snapshot())
			req := b.request(parse(t, strings.Replace(everything, "{maxChangedPercent: 100}", c.guards, 1)))
			req.Raised, req.Selection = c.raised, c.selection
			plan := b.checkRequest(req)
			if plan.GuardRefused() != c.refused {
				t.Fatalf("refused %t, guards %+v", plan.GuardRefused(), plan.Guards)
			}
			if plan.Verdict(strict) != reconcile.VerdictDrift {
				t.Errorf("verdict %s", plan.Verdict(strict))
			}
			run := b.apply(plan)
			if c.refused && b.writes() != 0 {
				t.Errorf("%d writes under a guard that refuses", b.writes())
			}
			if !c.refused && run.Results()[reconcile.ResultVerified] == 0 {
				t.Errorf("results %v", run.Results())
			}
			for ch := range plan.Changes() {
				if c.refused && ch.Fate == reconcile.FatePlanned {
					t.Errorf("%s is still planned", ch.Setting)
				}
			}
		})
	}
}

func TestEmptyPopulation(t *testing.T) {
	tenant := healthyTenant(3)
	for m := range tenant.AllMailboxes() {
		tenant.RemoveMailbox(m.Guid)
	}
	b := newBench(t, tenant)
	req := b.request(parse(t, modest))
	if got := b.checkRequest(req).Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("a tenant that shows no mailbox is %s", got)
	}
	req.AcceptPopulation = true
	if got := b.checkRequest(req).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("accepted, it is %s", got)
	}
}

func TestSelection(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 40, UnifiedLogOff: true, Bypassed: 0.1})
	b := newBench(t, tenant)
	req := b.request(parse(t, everything))
	req.Selection = reconcile.Selection{Limit: 7}
	run := b.apply(b.checkRequest(req))
	if n := b.service.Count("Set-Mailbox"); n != 7 || !tenant.Organization().UnifiedAuditLog {
		t.Errorf("%d mailboxes were written, tenant settings %+v", n, tenant.Organization())
	}
	if run.Results()[reconcile.ResultSkipped] == 0 || run.Verdict(strict) != reconcile.VerdictDrift {
		t.Errorf("results %v, verdict %s", run.Results(), run.Verdict(strict))
	}
	verified := map[string]bool{}
	var order []string
	for c := range run.Changes() {
		if c.Subject.Kind == audit.KindMailbox && c.Fate == reconcile.FatePlanned {
			verified[c.Subject.ID] = c.Result == reconcile.ResultVerified
			if len(order) == 0 || order[len(order)-1] != c.Subject.ID {
				order = append(order, c.Subject.ID)
			}
		}
	}
	for i, id := range order {
		if verified[id] != (i < 7) {
			t.Errorf("mailbox %d of the plan: written %t", i, verified[id])
		}
	}
}

// TestPoisonedPlan: a saved plan that was tampered with can hold writes back,
// and nothing else.
func TestPoisonedPlan(t *testing.T) {
	base := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 10, Drift: 0.5})
	p := parse(t, everything)
	saved := func(t *testing.T, b *bench) string {
		var out bytes.Buffer
		if err := report.WritePlan(&out, b.check(p), strict); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for name, poison := range map[string]func(string) string{
		"none": func(s string) string { return s },
		"every planned change is another value": func(s string) string {
			return strings.ReplaceAll(s, `"after":"180.00:00:00"`, `"after":"00:00:00"`)
		},
		"blocked changes are planned": func(s string) string { return strings.ReplaceAll(s, `"fate":"blocked"`, `"fate":"planned"`) },
		"actions are removed": func(s string) string {
			return strings.ReplaceAll(s, `"remove":[]`, `"remove":["HardDelete"]`)
		},
		"a change is added": func(s string) string {
			return strings.Replace(s, `"changes":[`, `"changes":[{"id":"0123456789abcdef","subject":{"kind":"mailbox","id":"`+anyUser(t, base)+
				`","name":"x","type":"UserMailbox"},"setting":"auditEnabled","before":true,"after":false,"add":[],"remove":[],"fate":"planned"},`, 1)
		},
		"ids are swapped": func(s string) string { return strings.ReplaceAll(s, `"id":"`, `"id":"f`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, base.Snapshot())
			text := poison(compact(saved(t, b)))
			slip, err := reconcile.ReadSlip(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			before := maps.Collect(b.tenant.Dump())
			plan := b.check(p)
			run := b.apply(plan, func(o *reconcile.ApplyOptions) { o.Slip = slip })
			named := changedProperties(run)
			for k, v := range b.tenant.Dump() {
				if before[k] != v && !named[k] {
					t.Errorf("%s went from %q to %q", k, before[k], v)
				}
			}
			for f := range run.Changes() {
				if f.Fate == reconcile.FatePlanned && f.Result == reconcile.ResultSkipped && f.Note == "" {
					t.Errorf("%s was skipped without a reason", f.Setting)
				}
			}
			switch r := run.Results(); name {
			case "none", "blocked changes are planned", "a change is added", "actions are removed":
				if r[reconcile.ResultSkipped] > 0 {
					t.Errorf("results %v", r)
				}
				b.satisfied(p)
			case "ids are swapped":
				if b.writes() != 0 {
					t.Errorf("%d writes", b.writes())
				}
			default:
				if r[reconcile.ResultSkipped] == 0 || run.Verdict(strict) != reconcile.VerdictDrift {
					t.Errorf("results %v, verdict %s", r, run.Verdict(strict))
				}
			}
		})
	}
}

// compact takes out the white space between JSON tokens, for replacing text.
func compact(s string) string {
	s = strings.ReplaceAll(s, `": `, `":`)
	return s
}

// TestHydration: a tenant on shared defaults is given its own configuration
// only where the policy consents, once.
func TestHydration(t *testing.T) {
	for consent, want := range map[bool]reconcile.Verdict{true: reconcile.VerdictInLine, false: reconcile.VerdictDrift} {
		t.Run(fmt.Sprint(consent), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, Dehydrated: true, UnifiedLogOff: true})
				b := newBench(t, tenant)
				run := b.apply(b.check(parse(t, fmt.Sprintf("organization: {unifiedAuditLog: true, enableCustomization: %t}\n", consent))))
				if got := run.Verdict(strict); got != want {
					t.Errorf("verdict %s, results %v", got, run.Results())
				}
				if n := b.service.Count("Enable-OrganizationCustomization"); n != map[bool]int{true: 1, false: 0}[consent] {
					t.Errorf("Enable-OrganizationCustomization ran %d times", n)
				}
			})
		})
	}
}

// TestStoredAuditEnabled: explicit is asked of the filter, confirmed by it, and
// left unsupported where the service swallows the write.
func TestStoredAuditEnabled(t *testing.T) {
	const explicit = "mailboxes: {everyone: {auditEnabled: explicit}}\nguards: {maxChangedPercent: 100}\n"
	for mode, want := range map[simulator.HiddenSetMode]reconcile.Result{
		simulator.HiddenSetStored: reconcile.ResultVerified, simulator.HiddenSetSwallowed: reconcile.ResultUnsupported,
	} {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 25})
		for i, m := range collect(tenant.AllMailboxes()) {
			if i%3 == 0 && m.Type == "UserMailbox" {
				tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
			}
		}
		b := newBench(t, tenant, simulator.WithSwitches(simulator.Switches{HiddenSet: mode}))
		p := parse(t, explicit)
		run := b.apply(b.check(p))
		if r := run.Results(); len(r) != 1 || r[want] == 0 {
			t.Errorf("results %v, want all %s", r, want)
		}
		lenient := reconcile.Threshold{FailOn: audit.Low}
		if got := run.Verdict(lenient); got != reconcile.VerdictInLine {
			t.Errorf("verdict %s without strict", got)
		}
		if got := run.Verdict(strict); (got == reconcile.VerdictInLine) != (want == reconcile.ResultVerified) {
			t.Errorf("verdict %s with strict", got)
		}
		if want == reconcile.ResultVerified {
			b.satisfied(p)
		}
	}
}

// TestFilterThatCannotBeTrusted: a filter that contradicts what is shown makes
// stored values unknown.
func TestFilterThatCannotBeTrusted(t *testing.T) {
	const explicit = "mailboxes: {everyone: {types: [UserMailbox], auditEnabled: explicit}}\n"
	tenant := healthyTenant(10)
	tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", PrimarySMTPAddress: "room-x@contoso.com", AuditEnabled: simulator.True})
	b := newBench(t, tenant, simulator.WithSwitches(simulator.Switches{Filter: simulator.FilterIgnored}))
	plan := b.check(parse(t, explicit))
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
	if run := b.apply(plan); b.writes() != 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
		t.Errorf("%d writes on values that nobody knows", b.writes())
	}
}

// TestRings: a ring is begun only when the one before it shows what was
// written.
func TestRings(t *testing.T) {
	for lag, want := range map[time.Duration]int{10 * time.Second: 49, time.Hour: 5} {
		t.Run(lag.String(), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 50})
				b := newBench(t, tenant, simulator.WithReadLag(lag))
				run := b.apply(b.check(parse(t, everything)), func(o *reconcile.ApplyOptions) {
					o.Rings = []reconcile.Ring{{Mailboxes: 5}, {Mailboxes: 20}, {}}
				})
				if n := b.service.Count("Set-Mailbox"); n != want {
					t.Errorf("%d mailboxes were written, want %d; stopped %q", n, want, run.Stopped)
				}
				if (run.Stopped == "") != (want == 49) {
					t.Errorf("stopped %q, results %v", run.Stopped, run.Results())
				}
			})
		})
	}
}
