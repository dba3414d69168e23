package reconcile_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// restoreAndPin wants one logon type of a mailbox back under Microsoft's
// management and pins another, which Microsoft manages so far.
const restoreAndPin = "mailboxes: {everyone: {types: [UserMailbox], record: {owner: {managed: true}, admin: {plus: [Copy]}}}}\nguards: {maxChangedPercent: 100}\n"

// TestRestoreSentAgainKeepsWhatWasPinned: a DefaultAuditSet that is sent again
// does not take back a list that was written meanwhile.
func TestRestoreSentAgainKeepsWhatWasPinned(t *testing.T) {
	for name, do := range map[string]simulator.Fault{
		"not answered by the service": {Do: simulator.DoStatus, Status: http.StatusServiceUnavailable},
		"refused":                     {Do: simulator.DoRefuse},
		"an error inside":             {Do: simulator.DoErrorInside, Text: "something went wrong"},
		"transient":                   {Do: simulator.DoTransient},
		"carried out":                 {Do: simulator.DoDropItem},
	} {
		for _, lag := range []time.Duration{0, 3 * time.Second} {
			t.Run(fmt.Sprint(name, " ", lag), func(t *testing.T) {
				synctestRun(t, func(t *testing.T) {
					tenant := healthyTenant(3)
					tenant.Update(anyUser(t, tenant), func(m *simulator.Mailbox) {
						m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
					})
					do.Name, do.Cmdlet, do.Item, do.With, do.Times = name, "Set-Mailbox", true, []string{"DefaultAuditSet"}, 1
					b := newBench(t, tenant, simulator.WithFaults(do), simulator.WithReadLag(lag))
					p := parse(t, restoreAndPin)
					run := b.apply(b.check(p))
					if r := run.Results(); len(r) != 1 || r[reconcile.ResultVerified] == 0 {
						t.Errorf("results %v", r)
					}
					b.satisfied(p)
				})
			})
		}
	}
}

// TestListsWaitForTheAnswerOfARestore: a restore whose answer is lost may be
// carried out yet, so no list is written after it until it is known.
func TestListsWaitForTheAnswerOfARestore(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(3)
		user := anyUser(t, tenant)
		tenant.Update(user, func(m *simulator.Mailbox) {
			m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
		})
		b := newBench(t, tenant, simulator.WithFaults(simulator.Fault{
			Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, With: []string{"DefaultAuditSet"}, Do: simulator.DoStatus, Status: http.StatusServiceUnavailable,
		}))
		run := b.apply(b.check(parse(t, restoreAndPin)))
		if got := order(b, user); strings.Count(got, "Set") != 3 {
			t.Errorf("%s, want three restores and no list", got)
		}
		for c := range run.Changes() {
			switch {
			case c.Subject.ID != user:
			case len(c.Before.([]string)) > 2 && c.Add[0] == "Copy":
				if c.Result != reconcile.ResultFailed || !strings.Contains(c.Note, "not sent") {
					t.Errorf("%s: %s, %s", c.Setting, c.Result, c.Note)
				}
			case c.Result != reconcile.ResultUnconfirmed:
				t.Errorf("%s: %s, %s", c.Setting, c.Result, c.Note)
			}
		}
	})
}

// TestInterruptEndsTheReading: told to end, a run does not go on to read back
// all that does not show yet, nor all that may not have been made.
func TestInterruptEndsTheReading(t *testing.T) {
	for name, options := range map[string][]simulator.Option{
		"not shown yet": {simulator.WithReadLag(time.Hour)},
		"not answered":  {simulator.WithFaults(simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoStatus, Status: 503})},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 300})
				b := newBench(t, tenant, append(options, simulator.WithLatency(time.Second))...)
				plan := b.check(parse(t, everything))
				ctx, cancel := context.WithCancel(t.Context())
				const ended = 25 * time.Second
				time.AfterFunc(ended, cancel)
				rec := &recorder{}
				start := time.Now()
				run, err := reconcile.Apply(ctx, b.client, plan, reconcile.ApplyOptions{Recorder: rec, Now: time.Now})
				if err != nil {
					t.Fatal(err)
				}
				if after := time.Since(start) - ended; after < 0 || after > 4*time.Second {
					t.Errorf("it ended %v after it was told to", after)
				}
				concluded := map[string]bool{}
				for _, o := range rec.outcomes {
					concluded[o.Change] = true
				}
				for _, i := range rec.intents {
					if !concluded[i.Change] {
						t.Errorf("%s has no outcome", i.Change)
					}
				}
				if r := run.Results(); r[reconcile.ResultVerified] > 0 || r[reconcile.ResultUnconfirmed] == 0 {
					t.Errorf("results %v", r)
				}
			})
		})
	}
}

// TestFailedStoredWriteStaysFailed: where the filter cannot be asked, a write of
// a stored value that was refused has failed, and not been accepted.
func TestFailedStoredWriteStaysFailed(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(5)
		tenant.Update(anyUser(t, tenant), func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
		faults := []simulator.Fault{{Name: "refused", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoRefuse}}
		for call := range 2 { // of which the check made one before
			faults = append(faults, simulator.Fault{Name: "unreadable", Cmdlet: "Get-Mailbox", With: []string{"Filter"}, Call: call + 2, Do: simulator.DoRefuse})
		}
		b := newBench(t, tenant, simulator.WithFaults(faults...))
		run := b.apply(b.check(parse(t, "mailboxes: {everyone: {auditEnabled: explicit}}\nguards: {maxChangedPercent: 100}\n")))
		if r := run.Results(); len(r) != 1 || r[reconcile.ResultFailed] != 1 {
			t.Errorf("results %v", r)
		}
	})
}

// altered is a way to the service that changes its answers.
type altered struct {
	next   http.RoundTripper
	change func(string) string
}

func (a altered) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = []byte(a.change(string(body)))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// TestPassingRefusalIsNotAboutTheLists: a 400 of a server that cannot just now,
// or is the wrong one, takes nothing out of an edit; the edit is sent again whole.
func TestPassingRefusalIsNotAboutTheLists(t *testing.T) {
	for name, do := range map[string]simulator.Fault{
		"transient":     {Do: simulator.DoTransient, Times: 1},
		"wrong backend": {Do: simulator.DoNeedsProxy},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				do.Name, do.Cmdlet, do.Item = name, "Set-Mailbox", true
				b := newBench(t, healthyTenant(1), simulator.WithFaults(do))
				b.through(altered{b.service.RoundTripper(), func(body string) string {
					return strings.Replace(body, `"status":500`, `"status":400`, 1)
				}})
				p := parse(t, "mailboxes: {everyone: {types: [UserMailbox], record: {admin: {plus: [Copy]}}}}\nguards: {maxChangedPercent: 100}\n")
				run := b.apply(b.check(p))
				sent := 0
				for _, call := range b.service.Calls() {
					for _, in := range call.Cmdlets {
						if in.Cmdlet != "Set-Mailbox" {
							continue
						}
						sent++
						if list := fmt.Sprint(in.Parameters["AuditAdmin"]); !strings.Contains(list, "HardDelete") {
							t.Errorf("sent %s, which is not the whole list", list)
						}
					}
				}
				want := map[bool]reconcile.Result{true: reconcile.ResultVerified, false: reconcile.ResultFailed}[do.Times == 1]
				if r := run.Results(); len(r) != 1 || r[want] != 1 || sent < 2 {
					t.Errorf("results %v after %d writes", r, sent)
				}
			})
		})
	}
}
