package reconcile_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestConsecutiveFailures: ten mailboxes in a row that fail for good end the run;
// one that takes its write in between does not let it come to that, nor does what
// says nothing of the next mailbox.
func TestConsecutiveFailures(t *testing.T) {
	t.Parallel()
	bad := func(call int) simulator.Fault {
		return simulator.Fault{Name: "bad", Cmdlet: "Set-Mailbox", Item: true, Call: call, Do: simulator.DoStatus, Status: http.StatusBadRequest}
	}
	var mostly []simulator.Fault
	for call := 1; call <= 60; call++ {
		if call%9 != 0 {
			mostly = append(mostly, bad(call))
		}
	}
	first := func(n int) (out []simulator.Fault) {
		for call := 1; call <= n; call++ {
			out = append(out, bad(call))
		}
		return out
	}
	unlicensed := simulator.Fault{Name: "licence", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoUnlicensed, Text: "FolderBind"}
	for name, c := range map[string]struct {
		faults  []simulator.Fault
		stopped bool
		most    int // mailboxes that are sent a write
	}{
		"none fails":                  {nil, false, 60},
		"each fails":                  {[]simulator.Fault{bad(0)}, true, 10},
		"nine fail, then all is well": {first(9), false, 60},
		"ten fail, then all is well":  {first(10), true, 10},
		"each ninth takes it":         {mostly, false, 60},
		"each wants a licence":        {[]simulator.Fault{unlicensed}, false, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(0)
				for n := range 60 {
					tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", Name: itoa(n), PrimarySMTPAddress: "u" + string(rune('a'+n/26)) + string(rune('a'+n%26)) + "@contoso.com"})
				}
				b := newBench(t, tenant, simulator.WithFaults(c.faults...))
				p := parse(t, "mailboxes: {everyone: {record: {delegate: {plus: [FolderBind]}}}}\nguards: {maxChangedPercent: 100, rings: []}\n")
				if !strings.Contains(name, "licence") {
					p = parse(t, "mailboxes: {everyone: {ageLimit: 180d}}\nguards: {maxChangedPercent: 100, rings: []}\n")
				}
				run := b.apply(b.check(p), func(o *reconcile.ApplyOptions) { o.InFlight = 1 })
				results := run.Results()
				sent := 60 - results[reconcile.ResultSkipped]
				if got := strings.HasPrefix(run.Stopped, "10 mailboxes in a row failed"); got != c.stopped || sent != c.most {
					t.Errorf("stopped %q, %d mailboxes were sent a write: %v", run.Stopped, sent, results)
				}
			})
		})
	}
}
