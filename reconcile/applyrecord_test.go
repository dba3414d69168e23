package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// recorder is a journal that can be told to fail.
type recorder struct {
	mu       sync.Mutex
	intents  []journal.Intent
	outcomes []journal.Outcome
	fail     func(intents int) error
	onIntend func()
	// unconcluded is the error of every outcome.
	unconcluded error
}

func (r *recorder) Begin(context.Context, journal.Begin) error { return nil }

func (r *recorder) End(context.Context) error { return nil }

func (r *recorder) Head() string { return "head" }

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
	return r.unconcluded
}

// intended counts the intents so far, while others may be under way.
func (r *recorder) intended() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.intents)
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

// TestNoOutcomeNoFurtherWrite: where outcomes cannot be recorded, nothing more is
// written, and the run says so.
func TestNoOutcomeNoFurtherWrite(t *testing.T) {
	tenant := healthyTenant(30)
	shorten(tenant, users(tenant)...)
	b := newBench(t, tenant)
	rec := &recorder{unconcluded: errors.New("no space left on device")}
	run := b.apply(b.check(parse(t, longAge)), with(rec), func(o *reconcile.ApplyOptions) { o.InFlight = 1 })
	if n := b.writes(); n != 10 || !strings.Contains(run.Stopped, "no space left") || run.Verdict(strict) != reconcile.VerdictIncomplete {
		t.Errorf("%d writes, stopped %q, verdict %s", n, run.Stopped, run.Verdict(strict))
	}
}

// TestJournalHoldsTheRun: every planned change has its intent and its inverse in
// the journal, and the outcome that the run reports.
func TestJournalHoldsTheRun(t *testing.T) {
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

// watched is a way to the service on which every write must have been intended.
type watched struct {
	t    *testing.T
	next http.RoundTripper
	rec  *recorder
	// seen, if any, hears of each cmdlet before it is sent.
	seen func(cmdlet string)
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	type call struct {
		CmdletInput struct {
			CmdletName string
			Parameters map[string]any
		}
	}
	var envelope struct {
		call
		Requests []struct{ Body call } `json:"requests"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	calls := []call{envelope.call}
	for _, item := range envelope.Requests {
		calls = append(calls, item.Body)
	}
	for _, c := range calls {
		w.look(c.CmdletInput.CmdletName, c.CmdletInput.Parameters)
	}
	return w.next.RoundTrip(r)
}

func (w watched) look(cmdlet string, parameters map[string]any) {
	if w.seen != nil {
		w.seen(cmdlet)
	}
	if cmdlet == "" || strings.HasPrefix(cmdlet, "Get-") {
		return
	}
	w.rec.mu.Lock()
	defer w.rec.mu.Unlock()
	subject, _ := parameters["Identity"].(string)
	settings := []string{string(audit.SettingAuditBypassEnabled)}
	switch cmdlet {
	case "Set-AdminAuditLogConfig":
		subject, settings = "organization", []string{"unifiedAuditLogIngestionEnabled"}
	case "Set-OrganizationConfig":
		subject, settings = "organization", []string{"auditDisabled"}
	case "Enable-OrganizationCustomization":
		subject, settings = "organization", []string{"organizationCustomization"}
	case newRetention:
		subject, _ = parameters["Name"].(string)
		settings = []string{string(audit.SettingRetentionPolicy)}
	case setRetention:
		settings = []string{string(audit.SettingRetentionPolicy)}
	case "Set-Mailbox":
		settings = nil
		for name := range parameters {
			if name != "Identity" && name != "GroupMailbox" && name != "PublicFolder" {
				settings = append(settings, strings.ToLower(name[:1])+name[1:])
			}
		}
	}
	for _, s := range settings {
		if !slices.ContainsFunc(w.rec.intents, func(i journal.Intent) bool { return i.Subject.ID == subject && string(i.Setting) == s }) {
			w.t.Errorf("%s of %s on %s was sent, and not intended", cmdlet, s, subject)
		}
	}
}

// TestWritesAreIntendedOnTheWire looks at each request as it leaves.
func TestWritesAreIntendedOnTheWire(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{
			Seed: 7, Mailboxes: 40, Drift: 0.5, Bypassed: 0.2, UnifiedLogOff: true, AuditDisabled: true, Dehydrated: true,
		})
		b, rec := newBench(t, tenant), &recorder{}
		b.through(watched{t, b.service.RoundTripper(), rec, nil})
		p := parse(t, `
organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox]
    record: {owner: {managed: true}, admin: {defaults: true, plus: [Copy]}}
    auditEnabled: effective
    ageLimit: 180d
bypass: {}
guards: {maxChangedPercent: 100, allowWeakening: true}
`)
		run := b.apply(b.check(p), with(rec))
		if got := run.Verdict(strict); got != reconcile.VerdictInLine || b.service.Count("Enable-OrganizationCustomization") != 1 {
			t.Errorf("verdict %s, results %v", got, run.Results())
		}
		b.satisfied(p)
	})
}
