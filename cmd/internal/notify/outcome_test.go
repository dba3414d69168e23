package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

const wish = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: wish
organization: {mailboxAuditing: true}
bypass: {}
mailboxes: {everyone: {ageLimit: 180d}}
guards: {maxChangedPercent: 100}
`

// low is the threshold of the program.
var low = reconcile.Threshold{FailOn: audit.Low}

func check(t testing.TB, tenant *simulator.Tenant, run string) (*exchange.Client, *reconcile.Plan) {
	t.Helper()
	return checkBy(t, wish, tenant, run)
}

func checkBy(t testing.TB, text string, tenant *simulator.Tenant, run string) (*exchange.Client, *reconcile.Plan) {
	t.Helper()
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: tenant.ID(), Transport: simulator.New(tenant).RoundTripper(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}), CmdletsPerSecond: 1e6,
	})
	if err != nil {
		t.Fatal(err)
	}
	p, found := policy.Parse("policy.yaml", []byte(text))
	if found.HasErrors() {
		t.Fatal(found)
	}
	plan, err := reconcile.Check(t.Context(), client, reconcile.Request{Tool: "test", RunID: run, Tenant: tenant.ID(), Now: time.Now, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	return client, plan
}

func apply(t testing.TB, client *exchange.Client, plan *reconcile.Plan) *reconcile.Run {
	t.Helper()
	file, err := journal.Open(t.TempDir()+"/journal.ndjson", plan.RunID, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	run, err := reconcile.Apply(t.Context(), client, plan, reconcile.ApplyOptions{Recorder: file, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func drifting() *simulator.Tenant {
	return simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 30, Users: 9, Bypassed: 0.1, AuditDisabled: true})
}

// kept is where a Reporter keeps its state, and what it was handed out to send.
type kept struct {
	data []byte
	fail error
}

func reporter(k *kept, o *outbox, tenant string) *notify.Reporter {
	return &notify.Reporter{
		Sender: o.Sender, Tenant: tenant, Threshold: low, Now: time.Now, Logger: slog.New(slog.NewTextHandler(o, nil)),
		ApplicationID: "app-1",
		Load:          func(context.Context) ([]byte, error) { return k.data, k.fail },
		Save:          func(_ context.Context, data []byte) error { k.data = data; return k.fail },
	}
}

// TestReporter: a tenant that drifts, is fixed, cannot be reached and comes back, over
// two processes that share what is kept.
func TestReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant, k, r := drifting(), &kept{}, &receiver{}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		first := reporter(k, o, tenant.ID())
		client, plan := check(t, tenant, "run-1")
		first.Ended(t.Context(), "check", plan.RunID, plan, nil, nil)
		synctest.Wait()
		first.BeforeApply(t.Context(), "apply", plan)
		run := apply(t, client, plan)
		first.Ended(t.Context(), "apply", plan.RunID, plan, run, nil)
		synctest.Wait()

		second := reporter(k, o, tenant.ID())
		_, again := check(t, tenant, "run-2")
		second.BeforeApply(t.Context(), "serve/full", again)
		second.Ended(t.Context(), "serve/full", again.RunID, again, nil, nil)
		synctest.Wait()
		second.Ended(t.Context(), "serve/full", "run-3", nil, nil, errors.New("no token ##vso[x]"))
		synctest.Wait()
		second.Ended(t.Context(), "serve/full", "run-4", nil, nil, errors.New("no token"))
		synctest.Wait()
		second.Ended(t.Context(), "serve/full", again.RunID, again, nil, nil)
		synctest.Wait()
		if err := o.end(time.Minute); err != nil {
			t.Fatal(err)
		}
		events := received(t, r)
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, string(e.Kind)+"<"+e.VerdictBefore)
			if e.Schema != notify.EventSchema || e.ApplicationID != "app-1" || e.Tenant != tenant.ID() || e.Text == "" {
				t.Errorf("%+v", e)
			}
		}
		want := []string{"stateChanged<", "beforeApply<", "afterApply<", "stateChanged<drift", "runFailed<inLine", "stateChanged<noReport"}
		if !slices.Equal(kinds, want) {
			t.Errorf("told %v, want %v", kinds, want)
		}
	})
}

// received decodes what came.
func received(t *testing.T, r *receiver) []notify.Event {
	t.Helper()
	var out []notify.Event
	for _, c := range r.calls() {
		var e notify.Event
		if err := json.Unmarshal([]byte(c.body), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// TestBeforeApply: what is announced is what will be written, by kind and setting, and
// nothing is where nothing will be.
func TestBeforeApply(t *testing.T) {
	tenant := drifting()
	client, plan := check(t, tenant, "run-1")
	e, ok := notify.BeforeApply(plan, low, "apply", "app-1", time.Now())
	if !ok {
		t.Fatal("nothing is announced")
	}
	planned := map[string]int{}
	for c := range plan.Changes() {
		planned[string(c.Subject.Kind)+"/"+string(c.Setting)]++
	}
	sum := 0
	for _, c := range e.Changes {
		if planned[c.Kind+"/"+c.Setting] != c.Count || c.Count == 0 {
			t.Errorf("%+v announced, %v planned", c, planned)
		}
		sum += c.Count
	}
	if len(e.Changes) != len(planned) || sum != e.Counts.Planned || len(planned) < 3 {
		t.Errorf("announced %+v of %v", e.Changes, planned)
	}
	if len(e.Objects) != 20 || len(e.Objects)+e.ObjectsLeftOut != plan.Summary().ChangedMailboxes+planned["bypass/auditBypassEnabled"]+1 {
		t.Errorf("%d objects and %d more", len(e.Objects), e.ObjectsLeftOut)
	}
	if o := notify.OutcomeOfRun(apply(t, client, plan), low); !o.Wrote || o.Counts.Drifting != 0 || o.Verdict != "inLine" || !o.Complete || o.Counts.Results["verified"] != sum {
		t.Errorf("the run gives %+v", o)
	}
	if _, after := check(t, tenant, "run-2"); after != nil {
		if e, ok := notify.BeforeApply(after, low, "apply", "app-1", time.Now()); ok {
			t.Errorf("announced %+v", e)
		}
	}
}

// TestStateIsNotKept: where the state cannot be read or kept, events are sent all the
// same, and it is said.
func TestStateIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		_, plan := check(t, drifting(), "run-1")
		reporter(&kept{fail: errors.New("disk full")}, o, "t").Ended(t.Context(), "check", "run-1", plan, nil, nil)
		if err := o.end(time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(r.calls()) != 1 || strings.Count(o.logged(), "disk full") != 2 {
			t.Errorf("%d events, and the log is\n%s", len(r.calls()), o.logged())
		}
	})
}
