package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// came are the kinds of the events that came, each with the verdict before.
func (r *receiver) came(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, e := range received(t, r) {
		out = append(out, string(e.Kind)+"<"+e.VerdictBefore)
	}
	return out
}

// plans gives one plan with drift and one without.
func plans(t testing.TB) (drift, fine *reconcile.Plan) {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, AuditDisabled: true})
	client, drift := check(t, tenant, "drift")
	apply(t, client, drift)
	_, fine = check(t, tenant, "fine")
	return drift, fine
}

// TestTwoWorkers: two processes that take turns on a tenant tell each change once, and
// one that comes back is not mistaken for the one that this process had seen.
func TestTwoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drift, fine := plans(t)
		k, r := &kept{}, &receiver{}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		one, two := reporter(k, o, "t"), reporter(k, o, "t")
		for i, turn := range []struct {
			by   *notify.Reporter
			plan *reconcile.Plan
		}{{one, drift}, {two, drift}, {two, fine}, {one, drift}, {two, drift}, {one, drift}} {
			turn.by.Ended(t.Context(), "serve/full", fmt.Sprint(i), turn.plan, nil, nil)
			synctest.Wait()
		}
		if err := o.end(time.Second); err != nil {
			t.Fatal(err)
		}
		if want := []string{"stateChanged<", "stateChanged<drift", "stateChanged<inLine"}; !slices.Equal(r.came(t), want) {
			t.Errorf("told %v, want %v", r.came(t), want)
		}
	})
}

// TestHeardByNobodyIsToldAgain: what a process could not deliver to anybody, the next
// one tells, from where people last knew.
func TestHeardByNobodyIsToldAgain(t *testing.T) {
	drift, fine := plans(t)
	for _, tt := range []struct {
		name string
		tell func(r *notify.Reporter)
		want []string
	}{
		{"drift", func(r *notify.Reporter) { r.Ended(t.Context(), "apply", "2", drift, nil, nil) }, []string{"stateChanged<inLine"}},
		{"in line after drift", func(r *notify.Reporter) { r.Ended(t.Context(), "apply", "2", fine, nil, nil) }, []string{"stateChanged<drift"}},
		{"no report", func(r *notify.Reporter) { r.Ended(t.Context(), "apply", "2", nil, nil, errors.New("no token")) }, []string{"runFailed<inLine"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &kept{}
				down := &receiver{answer: func(_ int, r *http.Request, _ string) (*http.Response, error) { return status(r, 503), nil }}
				r := &receiver{}
				begin := func(way http.RoundTripper) (*outbox, *notify.Reporter) {
					o := newOutbox(t, way, target(t, notify.KindWebhook, soc))
					return o, reporter(k, o, "t")
				}
				settle := func(o *outbox, r *notify.Reporter) {
					_ = o.end(time.Second)
					r.Settle(t.Context())
				}
				before := map[bool]*reconcile.Plan{true: drift, false: fine}[tt.name == "in line after drift"]
				o, first := begin(&receiver{})
				first.Ended(t.Context(), "apply", "0", before, nil, nil)
				settle(o, first)
				o, second := begin(down)
				tt.tell(second)
				settle(o, second)
				o, third := begin(r)
				tt.tell(third)
				settle(o, third)
				if !slices.Equal(r.came(t), tt.want) {
					t.Errorf("told %v, want %v", r.came(t), tt.want)
				}
				o, fourth := begin(r)
				tt.tell(fourth)
				settle(o, fourth)
				if len(r.calls()) != 1 {
					t.Errorf("told again though it was heard: %v", r.came(t))
				}
			})
		})
	}
}

// TestAheadOfWhatIsKept: where the state can be read but not kept, each change is still
// told once by a process, not at each run.
func TestAheadOfWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drift, _ := plans(t)
		r := &receiver{}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		one := reporter(&kept{}, o, "t")
		one.Save = func(_ context.Context, _ []byte) error { return errors.New("read-only") }
		for i := range 3 {
			one.Ended(t.Context(), "serve/full", fmt.Sprint(i), drift, nil, nil)
			synctest.Wait()
		}
		_ = o.end(time.Second)
		if len(r.calls()) != 1 || !strings.Contains(o.logged(), "read-only") {
			t.Errorf("told %v", r.came(t))
		}
	})
}

// TestNoHeartbeat: a heartbeat says that all is well with the service. It is not sent
// for a run that saw not all, was refused, wrote what is not known, or is not kept.
func TestNoHeartbeat(t *testing.T) {
	const refusing = "guards: {maxChanged: 1}\n"
	deaf := simulator.Seed{Seed: 7, Mailboxes: 3, AuditDisabled: true}
	for _, tt := range []struct {
		name   string
		policy string
		end    func(t *testing.T, r *notify.Reporter, plan *reconcile.Plan, run func() *reconcile.Run)
		want   int
	}{
		{"a look that finds drift", "", func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, _ func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, nil, nil)
		}, 1},
		{"a run that fixed it", "", func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, run func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, run(), nil)
		}, 1},
		{"a run that is not kept", "", func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, run func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, run(), errors.New("disk full"))
		}, 0},
		{"a look that is not kept", "", func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, _ func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, nil, errors.New("disk full"))
		}, 0},
		{"a plan that a guard refuses", refusing, func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, _ func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, nil, nil)
		}, 0},
		{"a run that a guard refuses", refusing, func(t *testing.T, r *notify.Reporter, _ *reconcile.Plan, run func() *reconcile.Run) {
			r.Ended(t.Context(), "apply", "1", nil, run(), nil)
		}, 0},
		{"an incomplete look", "incomplete", func(t *testing.T, r *notify.Reporter, p *reconcile.Plan, _ func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", p, nil, nil)
		}, 0},
		{"an undo", "", func(t *testing.T, r *notify.Reporter, _ *reconcile.Plan, run func() *reconcile.Run) {
			r.Undone(t.Context(), "undo", run())
		}, 0},
		{"no report", "", func(t *testing.T, r *notify.Reporter, _ *reconcile.Plan, _ func() *reconcile.Run) {
			r.Ended(t.Context(), "serve/full", "1", nil, nil, errors.New("no token"))
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := wish
				if tt.policy == refusing {
					text = strings.Replace(wish, "guards: {maxChangedPercent: 100}\n", refusing, 1)
				}
				client, plan := checkBy(t, text, simulator.NewTenant(deaf), "1")
				if tt.policy == "incomplete" {
					plan.Coverage.Complete = false
				}
				beat := &receiver{}
				o := newOutbox(t, beat, target(t, notify.KindHeartbeat, soc))
				tt.end(t, reporter(&kept{}, o, "t"), plan, func() *reconcile.Run { return apply(t, client, plan) })
				if err := o.end(time.Second); err != nil {
					t.Fatal(err)
				}
				if n := len(beat.calls()); n != tt.want {
					t.Errorf("%d heartbeats", n)
				}
			})
		})
	}
}

// TestUndone: the end of an undo is told, since its beginning was, and nothing else.
func TestUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, plan := check(t, simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, AuditDisabled: true}), "1")
		r, k := &receiver{}, &kept{}
		o := newOutbox(t, r, target(t, notify.KindWebhook, soc))
		one := reporter(k, o, "t")
		one.BeforeApply(t.Context(), "undo", plan)
		one.Undone(t.Context(), "undo", apply(t, client, plan))
		if err := o.end(time.Second); err != nil {
			t.Fatal(err)
		}
		if want := []string{"beforeApply<", "afterApply<"}; !slices.Equal(r.came(t), want) || len(k.data) != 0 {
			t.Errorf("told %v, and kept %s", r.came(t), k.data)
		}
		for _, e := range received(t, r) {
			if e.Command != "undo" || e.RunID != "1" || e.ApplicationID != "app-1" {
				t.Errorf("%+v", e)
			}
		}
	})
}

// TestOutcomeDrift: what stands for the changes that drift is the same for the same
// ones and another for others, also where they are as many.
func TestOutcomeDrift(t *testing.T) {
	outcome := func(seed uint64) notify.Outcome {
		_, plan := check(t, simulator.NewTenant(simulator.Seed{Seed: seed, Mailboxes: 1, Bypassed: 1}), "1")
		return notify.OutcomeOfPlan(plan, low, dawn)
	}
	a, again, b := outcome(1), outcome(1), outcome(2)
	if a.Counts.Drifting != b.Counts.Drifting || a.Counts.Drifting == 0 {
		t.Fatalf("%d and %d changes", a.Counts.Drifting, b.Counts.Drifting)
	}
	if a.Drift != again.Drift || a.Drift == b.Drift || a.Drift == "" {
		t.Errorf("%q, %q, of others %q", a.Drift, again.Drift, b.Drift)
	}
	_, fine := plans(t)
	if o := notify.OutcomeOfPlan(fine, low, dawn); o.Drift != "" || o.Counts.Drifting != 0 {
		t.Errorf("%+v", o)
	}
}
