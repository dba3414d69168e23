package daemon

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// exposition is what is scraped.
func exposition(t *testing.T, m *Metrics) string {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	encoder := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// series holds values of series, as the exposition writes them, to what is wanted;
// empty is absent.
func series(t *testing.T, m *Metrics, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(exposition(t, m)) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			got[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %q, want %q", name, got[name], v)
		}
	}
}

// hostile are texts as tenants and receivers may hold them.
func hostile() []string {
	return []string{
		"ceo@contoso.com", "\"} 1\nexoaudit_objects{kind=\"mailbox", "\u202eevil\x1b[2J", "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0",
		"https://hooks.example/T0/secret", strings.Repeat("x", 10_000),
	}
}

// busy are figures that have seen all that can be seen.
func busy(t *testing.T) *measured {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 40, Users: 4, Drift: 0.3, Bypassed: 0.5, UnifiedLogOff: true})
	i, names := 0, hostile()
	for box := range tenant.AllMailboxes() {
		if i < len(names) {
			tenant.Update(box.Guid, func(b *simulator.Mailbox) { b.Name, b.Owner, b.Managed = names[i], []string{"Update"}, nil })
		}
		i++
	}
	m := measure(t, tenant, simulator.WithFaults(simulator.Throttled("Get-Mailbox", 1, time.Second)))
	for _, loop := range append(hostile(), loopFull, loopIncremental, loopBypass) {
		m.Scheduled(loop, 5*time.Minute)
		m.Ran(Ended{Loop: loop, Err: errors.New(loop)})
	}
	m.Ran(m.apply(loopFull))
	m.Ran(m.check(hostile()[0]))
	for _, text := range append(hostile(), "slack", "delivered") {
		m.Notified(text, text)
	}
	for _, status := range []int{-5, 0, 99, 200, 429, 600, 1 << 30} {
		m.Call(exchange.Trace{Status: status, Path: "/adminapi/beta/" + tenant.ID(), Err: errors.New("ceo@contoso.com")})
	}
	m.Reloaded(errors.New("policy.yaml:3: ceo@contoso.com"))
	m.Reloaded(nil)
	m.Lease(true)
	m.Credential(time.Unix(2_000_000_000, 0), true)
	m.SweepLimit(26 * time.Hour)
	return m
}

// TestMetricsNameNobody: whatever names a tenant, a receiver or an error holds, the
// exposition holds none, and every value of a label is one of a small set.
func TestMetricsNameNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := busy(t)
		text := exposition(t, m.Metrics)
		if !strings.Contains(text, `exoaudit_notifications_total{kind="other",result="other"} 6`) {
			t.Errorf("the figures were not busy:\n%s", text)
		}
		for box := range m.tenant.AllMailboxes() {
			for _, word := range []string{box.Name, box.PrimarySMTPAddress, box.Guid} {
				if strings.Contains(text, word) {
					t.Errorf("the exposition holds %q", word)
				}
			}
		}
		for _, word := range append(hostile(), m.tenant.ID(), "@", "contoso", "secret", "policy.yaml") {
			if strings.Contains(text, word) {
				t.Errorf("the exposition holds %q", word)
			}
		}
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile(`^[A-Za-z0-9.]{1,20}$`)
		for _, f := range families {
			if !strings.HasPrefix(f.GetName(), "exoaudit_") {
				continue
			}
			if n := len(f.GetMetric()); n > 40 {
				t.Errorf("%s has %d series", f.GetName(), n)
			}
			for _, metric := range f.GetMetric() {
				for _, label := range metric.GetLabel() {
					if !plain.MatchString(label.GetValue()) {
						t.Errorf("%s has %s=%q", f.GetName(), label.GetName(), label.GetValue())
					}
					if label.GetName() == "job" || label.GetName() == "instance" {
						t.Errorf("%s has the label %s, which the one who scrapes puts on", f.GetName(), label.GetName())
					}
				}
			}
		}
	})
}

// TestMetricsNames: the names are as Prometheus wants them.
func TestMetricsNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := busy(t)
		healthy(t, m.Metrics)
		problems, err := testutil.GatherAndLint(m.registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			if strings.HasPrefix(p.Metric, "exoaudit_") {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
		}
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "exoaudit_") {
				names = append(names, f.GetName())
			}
		}
		if want := metricNames(); !slices.Equal(names, want) {
			t.Errorf("the figures are\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
		}
	})
}

// metricNames are the figures that users build upon; they change only by adding.
func metricNames() []string {
	return []string{
		"exoaudit_build_info",
		"exoaudit_changes_total",
		"exoaudit_contested_changes",
		"exoaudit_creation_to_in_line_seconds",
		"exoaudit_credential_expiry_timestamp_seconds",
		"exoaudit_interval_seconds",
		"exoaudit_last_complete_sweep_timestamp_seconds",
		"exoaudit_last_success_timestamp_seconds",
		"exoaudit_lease_held",
		"exoaudit_max_sweep_age_seconds",
		"exoaudit_notifications_total",
		"exoaudit_objects",
		"exoaudit_reloads_total",
		"exoaudit_requests_total",
		"exoaudit_run_duration_seconds",
		"exoaudit_runs_total",
		"exoaudit_store_writable",
		"exoaudit_throttled_total",
	}
}

// TestMetricsBeforeTheFirstRun: nothing looks in line before anybody has looked,
// and a run that never comes is late from the start.
func TestMetricsBeforeTheFirstRun(t *testing.T) {
	t.Parallel()
	m, err := NewMetrics(nil, "exoaudit v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	m.Scheduled(loopFull, 24*time.Hour)
	m.Scheduled(loopBypass, 0)
	m.Swept(time.Time{})
	m.Credential(time.Time{}, false)
	series(t, m, map[string]string{
		`exoaudit_objects{kind="mailbox",state="drifted"}`:        "",
		`exoaudit_contested_changes`:                              "",
		`exoaudit_lease_held`:                                     "",
		`exoaudit_credential_expiry_timestamp_seconds`:            "",
		`exoaudit_last_success_timestamp_seconds{loop="full"}`:    "0",
		`exoaudit_last_success_timestamp_seconds{loop="bypass"}`:  "",
		`exoaudit_interval_seconds{loop="full"}`:                  "86400",
		`exoaudit_last_complete_sweep_timestamp_seconds`:          "0",
		`exoaudit_changes_total{result="failed"}`:                 "0",
		`exoaudit_runs_total{loop="incremental",verdict="error"}`: "0",
		`exoaudit_throttled_total`:                                "0",
	})
	if text := exposition(t, m); !strings.Contains(text, `exoaudit_build_info{goversion="go1`) || !strings.Contains(text, `version="v1.2.3"} 1`) {
		t.Errorf("the version is not told:\n%s", text)
	}
}

// TestMetricsRegistry: the figures are on the registry that was given, once.
func TestMetricsRegistry(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	if _, err := NewMetrics(registry, "exoaudit"); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(registry, "exoaudit_build_info"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := NewMetrics(registry, "exoaudit"); err == nil {
		t.Error("the same figures were registered twice")
	}
}

// TestMetricsOfACheck: a comparison says what is, and that it was a success,
// however the tenant stands.
func TestMetricsOfACheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		e := m.check(loopIncremental)
		e.StartedAt = e.FinishedAt.Add(-90 * time.Second)
		m.Ran(e)
		at := formatted(seconds(e.FinishedAt))
		series(t, m.Metrics, map[string]string{
			`exoaudit_runs_total{loop="incremental",verdict="drift"}`:           "1",
			`exoaudit_last_success_timestamp_seconds{loop="incremental"}`:       at,
			`exoaudit_last_complete_sweep_timestamp_seconds`:                    formatted(seconds(e.Plan.CreatedAt)),
			`exoaudit_objects{kind="mailbox",state="drifted"}`:                  "5",
			`exoaudit_objects{kind="mailbox",state="inSync"}`:                   "23",
			`exoaudit_objects{kind="organization",state="drifted"}`:             "1",
			`exoaudit_run_duration_seconds_bucket{loop="incremental",le="60"}`:  "0",
			`exoaudit_run_duration_seconds_bucket{loop="incremental",le="120"}`: "1",
			`exoaudit_changes_total{result="verified"}`:                         "0",
			`exoaudit_contested_changes`:                                        "0",
			`exoaudit_runs_total{loop="incremental",verdict="inLine"}`:          "0",
			`exoaudit_requests_total{code="200"}`:                               formatted(float64(m.client.Stats().Requests)),
		})
	})
}

// drifting is a tenant of which the test knows all: 30 mailboxes of which 5 drift,
// and a unified log that is off.
func drifting() *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 30, UnifiedLogOff: true})
	n := 0
	for box := range tenant.AllMailboxes() {
		if box.Type == "UserMailbox" && n < 5 {
			n++
			tenant.Update(box.Guid, func(b *simulator.Mailbox) { b.Owner, b.Managed = []string{"Update"}, []string{"Admin", "Delegate"} })
		}
	}
	return tenant
}

// TestMetricsOfAnApply: what was fixed does not drift any more.
func TestMetricsOfAnApply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		m.Ran(m.check(loopFull))
		e := m.apply(loopFull)
		m.Ran(e)
		series(t, m.Metrics, map[string]string{
			`exoaudit_runs_total{loop="full",verdict="drift"}`:      "1",
			`exoaudit_runs_total{loop="full",verdict="inLine"}`:     "1",
			`exoaudit_changes_total{result="verified"}`:             "6",
			`exoaudit_objects{kind="mailbox",state="drifted"}`:      "0",
			`exoaudit_objects{kind="mailbox",state="inSync"}`:       "28",
			`exoaudit_objects{kind="organization",state="drifted"}`: "0",
			`exoaudit_objects{kind="organization",state="inSync"}`:  "1",
		})
	})
}

// TestMetricsOfWritesThatDoNotShow: a change that was accepted and is not seen yet
// is known neither as drift nor as in line, and the run is no success.
func TestMetricsOfWritesThatDoNotShow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting(), simulator.WithReadLag(time.Hour))
		m.Ran(m.apply(loopFull))
		series(t, m.Metrics, map[string]string{
			`exoaudit_objects{kind="mailbox",state="drifted"}`:      "0",
			`exoaudit_objects{kind="organization",state="unknown"}`: "1",
			`exoaudit_objects{kind="organization",state="drifted"}`: "0",
			`exoaudit_runs_total{loop="full",verdict="incomplete"}`: "1",
			`exoaudit_last_success_timestamp_seconds{loop="full"}`:  "",
			`exoaudit_changes_total{result="unconfirmed"}`:          "6",
			`exoaudit_objects{kind="mailbox",state="unknown"}`:      "5",
		})
	})
}

// TestMetricsOfGaps: a run that could not read all lowers nothing that is wrong.
func TestMetricsOfGaps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		m.Ran(m.check(loopFull))
		m.connect(simulator.New(m.tenant, simulator.WithFaults(simulator.NextLinkMissing("Get-Mailbox", 0)), simulator.WithPageSize(10)))
		e := m.check(loopFull)
		if e.Plan.Coverage.Complete || e.Complete() || !e.Reported() {
			t.Fatalf("the listing that was cut is complete: %+v", e.Plan.Coverage)
		}
		m.Ran(e)
		series(t, m.Metrics, map[string]string{
			`exoaudit_runs_total{loop="full",verdict="incomplete"}`: "1",
			`exoaudit_objects{kind="mailbox",state="drifted"}`:      "5",
			`exoaudit_objects{kind="mailbox",state="inSync"}`:       "23",
		})
	})
}

// TestMetricsOfWhatIsHidden: what a run with gaps did not see of the drift, and of
// what is contested, is still told.
func TestMetricsOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		m.Ran(m.check(loopFull))
		m.contested.WithLabelValues().Set(2)
		m.shown[gaugeKey{kind: contestedReason}] = 2
		m.connect(simulator.New(m.tenant, simulator.WithFaults(simulator.Refused("Get-Mailbox"))))
		e := m.check(loopFull)
		if n := e.Plan.Summary().States[audit.KindMailbox].Drifted; n != 0 || e.Complete() {
			t.Fatalf("%d mailboxes drift in a run that saw none, complete %t", n, e.Complete())
		}
		m.Ran(e)
		series(t, m.Metrics, map[string]string{
			`exoaudit_objects{kind="mailbox",state="drifted"}`: "5",
			`exoaudit_contested_changes`:                       "2",
		})
		m.connect(simulator.New(m.tenant))
		m.Ran(m.check(loopFull))
		series(t, m.Metrics, map[string]string{`exoaudit_contested_changes`: "0"})
	})
}

// TestMetricsOfRefusals: a plan that a guard refuses is told as such, and was a whole
// look at the tenant, unless it is the population that is missing.
func TestMetricsOfRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		m.policy = strings.Replace(m.policy, "maxChangedPercent: 100", "maxChanged: 1", 1)
		e := m.check(loopFull)
		m.Ran(e)
		series(t, m.Metrics, map[string]string{
			`exoaudit_runs_total{loop="full",verdict="refused"}`:   "1",
			`exoaudit_last_success_timestamp_seconds{loop="full"}`: formatted(seconds(e.FinishedAt)),
			`exoaudit_objects{kind="mailbox",state="drifted"}`:     "5",
		})
		empty := measure(t, simulator.NewTenant(simulator.Seed{Seed: 1, BypassPerMailbox: -1}))
		e = empty.check(loopFull)
		if !e.Plan.GuardRefused() || e.Complete() || !e.Reported() {
			t.Errorf("an empty tenant: guards %+v, complete %t", e.Plan.Guards, e.Complete())
		}
		empty.Ran(e)
		series(t, empty.Metrics, map[string]string{
			`exoaudit_runs_total{loop="full",verdict="refused"}`:   "1",
			`exoaudit_last_success_timestamp_seconds{loop="full"}`: "",
			`exoaudit_last_complete_sweep_timestamp_seconds`:       "0",
		})
	})
}

// TestMetricsOfNewMailboxes: how long a new mailbox waited is counted once.
func TestMetricsOfNewMailboxes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		run := m.remembering()
		run(loopFull, false)
		time.Sleep(time.Hour)
		m.tenant.AddMailbox(simulator.Mailbox{
			Name: "new", PrimarySMTPAddress: "new@contoso.com", AgeLimit: "30.00:00:00", Created: time.Now(),
		})
		time.Sleep(4 * time.Minute)
		run(loopIncremental, true)
		time.Sleep(5 * time.Minute)
		run(loopIncremental, true)
		series(t, m.Metrics, map[string]string{
			`exoaudit_creation_to_in_line_seconds_count`:               "1",
			`exoaudit_creation_to_in_line_seconds_bucket{le="120"}`:    "0",
			`exoaudit_creation_to_in_line_seconds_bucket{le="300"}`:    "1",
			`exoaudit_runs_total{loop="incremental",verdict="inLine"}`: "2",
		})
	})
}

// remembering gives runs that know of each other, through a store.
func (m *measured) remembering() func(loop string, since bool) {
	m.t.Helper()
	st, err := sqlite.Open(m.t.Context(), filepath.Join(m.t.TempDir(), "state.db"), time.Now)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = st.Close() })
	p, _ := policy.Parse("policy.yaml", []byte(m.policy))
	threshold := reconcile.Threshold{FailOn: audit.Low}
	s := &reconcile.Session{
		Store: st, TenantID: m.tenant.ID(), Client: m.client, Now: time.Now, Holder: store.Holder{Name: "here", Place: "here"},
	}
	return func(loop string, since bool) {
		at := time.Now()
		id := "run-" + formatted(seconds(at))
		w, err := s.Begin(m.t.Context(), id, nil, "")
		if err != nil {
			m.t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		plan, err := w.Check(m.t.Context(), reconcile.Request{Tool: "exoaudit v1.2.3", RunID: id, Now: time.Now, Policy: p, SinceLastRun: since})
		if err != nil {
			m.t.Fatal(err)
		}
		done, err := w.Apply(m.t.Context(), plan, reconcile.ApplyOptions{Now: time.Now})
		if err == nil {
			err = w.Keep(m.t.Context(), "serve/"+loop, done, threshold, func(io.Writer) error { return nil })
		}
		if err != nil {
			m.t.Fatal(err)
		}
		m.Ran(Ended{Loop: loop, StartedAt: at, FinishedAt: time.Now(), Plan: plan, Run: done, Threshold: threshold})
	}
}

// TestMetricsOfContested: what somebody sets back after each fix is counted from the
// run on that leaves it alone.
func TestMetricsOfContested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		run := m.remembering()
		run(loopFull, false)
		guid := ""
		for box := range m.tenant.AllMailboxes() {
			if box.Type == "UserMailbox" {
				guid = box.Guid
			}
		}
		for range 4 {
			series(t, m.Metrics, map[string]string{`exoaudit_contested_changes`: "0"})
			time.Sleep(20 * time.Minute)
			m.tenant.Update(guid, func(b *simulator.Mailbox) { b.AgeLimit = "30.00:00:00" })
			run(loopIncremental, true)
		}
		series(t, m.Metrics, map[string]string{
			`exoaudit_contested_changes`:                              "1",
			`exoaudit_objects{kind="mailbox",state="drifted"}`:        "1",
			`exoaudit_runs_total{loop="incremental",verdict="drift"}`: "1",
		})
	})
}

// TestMetricsOfErrors: a run without a report leaves the figures of the last one,
// and is no success.
func TestMetricsOfErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting())
		before := m.check(loopFull)
		m.Ran(before)
		time.Sleep(time.Hour)
		m.Ran(Ended{Loop: loopFull, StartedAt: time.Now(), FinishedAt: time.Now(), Err: errors.New("no token")})
		unkept := m.check(loopFull)
		unkept.Err = errors.New("the disk is full")
		m.Ran(unkept)
		series(t, m.Metrics, map[string]string{
			`exoaudit_runs_total{loop="full",verdict="error"}`:     "2",
			`exoaudit_last_success_timestamp_seconds{loop="full"}`: formatted(seconds(before.FinishedAt)),
			`exoaudit_last_complete_sweep_timestamp_seconds`:       formatted(seconds(before.Plan.CreatedAt)),
			`exoaudit_objects{kind="mailbox",state="drifted"}`:     "5",
		})
	})
}

// TestMetricsOfThrottling: answers 429 add up over the clients that came one after
// another, batch items included.
func TestMetricsOfThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := measure(t, drifting(), simulator.WithFaults(simulator.Throttled("Get-Mailbox", 1, time.Second)))
		m.check(loopFull)
		series(t, m.Metrics, map[string]string{`exoaudit_throttled_total`: "1", `exoaudit_requests_total{code="429"}`: "1"})
		m.connect(simulator.New(m.tenant, simulator.WithFaults(simulator.ItemThrottled("Set-Mailbox", 1, time.Second))))
		series(t, m.Metrics, map[string]string{`exoaudit_throttled_total`: "1"})
		m.apply(loopFull)
		series(t, m.Metrics, map[string]string{`exoaudit_throttled_total`: "2", `exoaudit_requests_total{code="429"}`: "1"})
	})
}

// TestSettledObjects: an object is what the worst of its changes makes it.
func TestSettledObjects(t *testing.T) {
	t.Parallel()
	change := func(f reconcile.Fate, r reconcile.Result) reconcile.Change {
		return reconcile.Change{Fate: f, Result: r}
	}
	planned := func(r reconcile.Result) reconcile.Change { return change(reconcile.FatePlanned, r) }
	exempt := change(reconcile.FateExempt, reconcile.ResultNone)
	for name, tt := range map[string]struct {
		changes []reconcile.Change
		blind   bool
		want    reconcile.State
	}{
		"fixed":                {changes: []reconcile.Change{planned(reconcile.ResultVerified), planned(reconcile.ResultNotNeeded)}, want: reconcile.InSync},
		"one failed":           {changes: []reconcile.Change{planned(reconcile.ResultVerified), planned(reconcile.ResultFailed)}, want: reconcile.Drifted},
		"one skipped":          {changes: []reconcile.Change{planned(reconcile.ResultSkipped)}, want: reconcile.Drifted},
		"not settable":         {changes: []reconcile.Change{planned(reconcile.ResultUnsupported)}, want: reconcile.Drifted},
		"one blocked":          {changes: []reconcile.Change{planned(reconcile.ResultVerified), change(reconcile.FateBlocked, "")}, want: reconcile.Drifted},
		"one unsupported":      {changes: []reconcile.Change{planned(reconcile.ResultVerified), change(reconcile.FateUnsupported, "")}, want: reconcile.Drifted},
		"one is not seen":      {changes: []reconcile.Change{planned(reconcile.ResultUnconfirmed), planned(reconcile.ResultFailed)}, want: reconcile.Unknown},
		"the rest is accepted": {changes: []reconcile.Change{exempt, planned(reconcile.ResultVerified)}, want: reconcile.Exempt},
		"never judged":         {changes: []reconcile.Change{planned(reconcile.ResultVerified)}, blind: true, want: reconcile.Drifted},
	} {
		states := map[reconcile.State]int{reconcile.Drifted: 1}
		s := settling{id: objectID{kind: "mailbox"}, blind: tt.blind}
		for _, c := range tt.changes {
			s.add(c)
		}
		s.settle(map[string]map[reconcile.State]int{"mailbox": states})
		if states[tt.want] != 1 {
			t.Errorf("%s: %v, want %s", name, states, tt.want)
		}
	}
}

// formatted is a number as the exposition writes it.
func formatted(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// healthy gives the figures a store that takes every write.
func healthy(t *testing.T, m *Metrics) *Health {
	t.Helper()
	h, err := NewHealth(m, time.Now, func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return h
}
