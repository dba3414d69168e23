package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestEveryActionHasAKind reads the actions from the source, so that a new one cannot be
// forgotten in either list.
func TestEveryActionHasAKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Action" {
				declared += len(spec.Names)
			}
		}
		return true
	})
	actions := simulator.Actions()
	if declared != len(actions) || len(slices.Compact(slices.Sorted(slices.Values(actions)))) != declared {
		t.Errorf("%d actions are declared, Actions lists %d: %v", declared, len(actions), actions)
	}
	covered, names := map[simulator.Action]bool{}, map[string]bool{}
	for _, kind := range simulator.FaultKinds() {
		passing, lasting := kind.Passing(simulator.Site{}), kind.Lasting(simulator.Site{})
		covered[passing.Do] = true
		if names[kind.Name] || passing.Name != kind.Name || lasting.Do != passing.Do || passing.Times < 1 || passing.Times > 2 || lasting.Times != 0 {
			t.Errorf("kind %q: passing %+v, lasting %+v", kind.Name, passing, lasting)
		}
		names[kind.Name] = true
	}
	for _, action := range actions {
		if !covered[action] {
			t.Errorf("action %s is in no kind", action)
		}
	}
}

func sites() []simulator.Site {
	return []simulator.Site{
		{},
		{Item: true},
		{Continued: true},
		{Cmdlet: "$batch"},
		{Cmdlet: "EXOModuleFile"},
		{Cmdlet: "Get-Mailbox", Without: []string{"Filter", "GroupMailbox", "Identity"}},
		{Cmdlet: "Get-Mailbox", Continued: true},
		{Cmdlet: "Get-Mailbox", With: []string{"Filter"}},
		{Cmdlet: "get-mailbox", With: []string{"groupmailbox"}},
		{Cmdlet: "Get-Mailbox", With: []string{"Identity"}},
		{Cmdlet: "Get-Mailbox", Item: true},
		{Cmdlet: "Get-MailboxAuditBypassAssociation"},
		{Cmdlet: "Get-OrganizationConfig"},
		{Cmdlet: "Set-OrganizationConfig"},
		{Cmdlet: "Set-Mailbox"},
		{Cmdlet: "Set-Mailbox", Item: true},
	}
}

// TestLargeFaultKindsDoWhatTheySay sends the same traffic with and without each kind at each
// site where it says that it strikes: the answers differ, a passing fault strikes once or
// twice in all rounds together, a lasting one in every round.
func TestLargeFaultKindsDoWhatTheySay(t *testing.T) {
	if testing.Short() {
		t.Skip("short: thousands of requests")
	}
	const rounds = 3
	var sound []string
	synctest.Test(t, func(t *testing.T) { sound, _ = traffic(t, rounds) })
	for _, site := range sites() {
		for _, kind := range simulator.FaultKinds() {
			if !kind.Strikes(site) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				name := fmt.Sprintf("%s at %+v", kind.Name, site)
				passing, hits := traffic(t, rounds, kind.Passing(site))
				if slices.Equal(passing, sound) || hits[rounds-1] < 1 || hits[rounds-1] > 2 || hits[rounds-1] != hits[rounds-2] {
					t.Errorf("%s, passing: struck %v times, visible %v", name, hits, !slices.Equal(passing, sound))
				}
				lasting, hits := traffic(t, rounds-1, kind.Lasting(site))
				for i, n := range hits {
					if before := slices.Concat([]int{0}, hits)[i]; n <= before {
						t.Errorf("%s, lasting: struck %v times, not in every round", name, hits)
					}
				}
				if slices.Equal(lasting, sound[:rounds-1]) {
					t.Errorf("%s, lasting: nothing to be seen of it", name)
				}
			})
		}
	}
}

func TestTrafficIsRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, _ := traffic(t, 2)
		two, _ := traffic(t, 2)
		if !slices.Equal(one, two) || !strings.Contains(strings.Join(one, ""), `"status":200`) {
			t.Errorf("sound traffic differs from itself:\n%s\n%s", one, two)
		}
	})
}

func TestWhereKindsCannotStrike(t *testing.T) {
	kinds := map[string]simulator.FaultKind{}
	for _, kind := range simulator.FaultKinds() {
		kinds[kind.Name] = kind
	}
	for _, tc := range []struct {
		kind string
		at   simulator.Site
		want bool
	}{
		{"cursor lost", simulator.Site{Cmdlet: "Get-Mailbox"}, false},
		{"cursor lost", simulator.Site{Cmdlet: "Get-Mailbox", Continued: true}, true},
		{"cursor lost", simulator.Site{Cmdlet: "Set-Mailbox", Continued: true}, false},
		{"cursor lost", simulator.Site{Cmdlet: "Get-Mailbox", Continued: true, With: []string{"identity"}}, false},
		{"body cut", simulator.Site{Cmdlet: "Set-Mailbox", Item: true}, false},
		{"item dropped", simulator.Site{Cmdlet: "Set-Mailbox"}, false},
		{"item dropped", simulator.Site{Cmdlet: "Set-Mailbox", Item: true}, true},
		{"filter ignored", simulator.Site{Cmdlet: "Get-Mailbox"}, false},
		{"filter ignored", simulator.Site{Cmdlet: "Get-Mailbox", With: []string{"filter"}}, true},
		{"no licence", simulator.Site{Cmdlet: "Set-OrganizationConfig"}, false},
		{"not hydrated", simulator.Site{Cmdlet: "Get-Mailbox"}, false},
		{"error inside", simulator.Site{Cmdlet: "$batch"}, false},
		{"throttled", simulator.Site{Cmdlet: "$batch"}, true},
		{"throttled", simulator.Site{Cmdlet: "$batch", Item: true}, false},
		{"next link foreign", simulator.Site{Cmdlet: "Get-OrganizationConfig"}, false},
		{"stale read", simulator.Site{Cmdlet: "Set-Mailbox"}, false},
	} {
		kind, ok := kinds[tc.kind]
		if !ok {
			t.Fatalf("no kind %q", tc.kind)
		}
		if got := kind.Strikes(tc.at); got != tc.want {
			t.Errorf("%s at %+v: %v, want %v", tc.kind, tc.at, got, tc.want)
		}
	}
}

// traffic sends one of everything a client sends, several rounds of it, and returns what
// came back in each, with how often the fault had struck by then.
func traffic(t *testing.T, rounds int, faults ...simulator.Fault) (transcripts []string, struck []int) {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 40, Groups: 12, BypassPerMailbox: -1, Now: time.Now()})
	s := simulator.New(tenant, simulator.WithFaults(faults...), simulator.WithPageSize(10))
	all := slices.Collect(tenant.AllMailboxes())
	box, group := all[14], all[40]
	for round := range rounds {
		w := &wire{t: t, s: s}
		action := [][]string{{"Update", "Create"}, {"Update", "Move"}}[round%2]
		set := map[string]any{"Identity": box.Guid, "AuditOwner": action}
		w.call("Set-OrganizationConfig", map[string]any{"AuditDisabled": round%2 == 0})
		w.call("Set-Mailbox", set)
		w.call("Set-Mailbox", map[string]any{"Identity": all[2].Guid, "AuditLogAgeLimit": 100 + round})
		w.call("Set-Mailbox", map[string]any{"Identity": group.Guid, "GroupMailbox": true, "AuditLogAgeLimit": 100 + round})
		w.call("Set-MailboxAuditBypassAssociation", map[string]any{"Identity": box.Guid, "AuditBypassEnabled": round%2 == 0})
		set["AuditOwner"] = append(slices.Clone(action), "HardDelete")
		w.batch(set)
		w.call("Get-OrganizationConfig", nil)
		w.call("Get-Mailbox", map[string]any{"Identity": box.Guid})
		w.call("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"})
		w.call("Get-Mailbox", map[string]any{"Filter": "RecipientTypeDetails -eq 'UserMailbox'"})
		w.call("Get-Mailbox", map[string]any{"GroupMailbox": true})
		w.call("Get-MailboxAuditBypassAssociation", nil)
		w.send(http.MethodGet, "EXOModuleFile?Version=3.9.2", nil)
		transcripts = append(transcripts, w.transcript.String())
		if len(faults) > 0 {
			struck = append(struck, s.Struck(faults[0].Name))
		}
	}
	return transcripts, struck
}

// wire writes down all that comes back.
type wire struct {
	t          *testing.T
	s          *simulator.Service
	transcript strings.Builder
}

// call invokes a cmdlet and follows a handful of next links.
func (w *wire) call(cmdlet string, parameters map[string]any) {
	body := command(cmdlet, parameters)
	url := "InvokeCommand?%24select=Guid,DisplayName,AuditOwner,AuditLogAgeLimit,AuditDisabled,AuditBypassEnabled"
	for range 6 {
		var a struct {
			Next string `json:"@odata.nextLink"`
		}
		_ = json.Unmarshal(w.send(http.MethodPost, url, body), &a)
		_, token, more := strings.Cut(a.Next, "/InvokeCommand?")
		if !more {
			return
		}
		url = "InvokeCommand?" + token
	}
}

func (w *wire) batch(set map[string]any) {
	w.send(http.MethodPost, "$batch", []byte(`{"requests":[{"id":"a","method":"POST","url":"InvokeCommand","body":`+
		string(command("Set-Mailbox", set))+`},{"id":"c","method":"POST","url":"InvokeCommand?%24select=Guid,AuditLogAgeLimit","body":`+
		string(command("Get-Mailbox", nil))+`},{"id":"b","method":"POST","url":"InvokeCommand","body":`+
		string(command("Get-Mailbox", map[string]any{"Identity": set["Identity"]}))+`}]}`))
}

func (w *wire) send(method, operation string, body []byte) []byte {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, "https://"+host+"/adminapi/beta/"+w.s.Tenant().ID()+"/"+operation, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Prefer", "odata.maxpagesize=1000;odata.continue-on-error")
	req.Header.Set("X-AnchorMailbox", orgMail+w.s.Tenant().ID())
	start := time.Now()
	res, err := w.s.RoundTripper().RoundTrip(req)
	if err != nil {
		fmt.Fprintf(&w.transcript, "%v: %v\n", time.Since(start), err)
		return nil
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	fmt.Fprintf(&w.transcript, "%v %d %q %q %q %q %v %s\n", time.Since(start), res.StatusCode, res.Header.Get("Retry-After"),
		res.Header.Get("Location"), res.Header.Get("Www-Authenticate"), res.Header.Get("Content-Encoding"), err, raw)
	return raw
}
