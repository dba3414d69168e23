package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

var update = flag.Bool("update", false, "write the golden files anew")

const endpoint = "https://outlook.office365.com"

// parameter is one that can be tried, with its cmdlet.
type parameter struct{ cmdlet, name string }

// triable derives from the needs what a call can tell: every parameter that a
// role may lack by itself, other than those of cmdlets that act on the tenant,
// and the identity without which no write can be tried at all.
func triable(write bool) []parameter {
	var out []parameter
	for _, n := range reconcile.Needs(nil) {
		if n.Write != write || n.Write && n.Cmdlet != "Set-Mailbox" && n.Cmdlet != "Set-MailboxAuditBypassAssociation" {
			continue
		}
		for _, p := range n.Parameters {
			if p != "Identity" || !n.Write {
				out = append(out, parameter{n.Cmdlet, p})
			}
		}
	}
	return out
}

// aCredential is one that has nothing wrong with it.
func aCredential(tenant string, roles ...string) doctor.Credential {
	return doctor.Credential{
		Description: "client secret of application 6c1f1f2e-0000-4000-8000-000000000001, authority login.microsoftonline.com",
		Source:      "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET",
		ClientID:    "6c1f1f2e-0000-4000-8000-000000000001",
		Scope:       endpoint + "/.default",
		Token: doctor.Token{
			Audience: endpoint, Roles: []string{"Exchange.ManageAsApp"}, DirectoryRoles: roles,
			TenantID: tenant, AppID: "6c1f1f2e-0000-4000-8000-000000000001", Expires: time.Now().Add(time.Hour),
		},
	}
}

// bench is a simulated tenant, its client, and a request for all that can be
// needed. It lives in a synctest bubble, so that waiting costs nothing and the
// time is always the same.
type bench struct {
	t       *testing.T
	service *simulator.Service
	client  *exchange.Client
	request doctor.Request
	skew    time.Duration
	dated   bool
}

func newBench(t *testing.T, seed simulator.Seed, opts ...simulator.Option) *bench {
	t.Helper()
	b := &bench{t: t, service: simulator.New(simulator.NewTenant(seed), opts...)}
	var err error
	b.client, err = exchange.New(exchange.Config{
		Endpoint: endpoint, TenantID: b.service.Tenant().ID(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "x"}),
		Transport:   b.service.RoundTripper(),
		Trace: func(tr exchange.Trace) {
			if !tr.ServiceTime.IsZero() {
				b.skew, b.dated = tr.ServiceTime.Sub(tr.Start), true
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.request = doctor.Request{
		Tool: "exoaudit test", Tenant: b.service.Tenant().ID(), Endpoint: endpoint, Now: time.Now,
		Credential: aCredential(b.service.Tenant().ID()),
		Clock:      func() (time.Duration, bool) { return b.skew, b.dated },
		State:      &doctor.State{Path: "/state/exoaudit"},
	}
	return b
}

// examine runs it, and holds it to its promise: the tenant is as it was.
func (b *bench) examine() *doctor.Report {
	b.t.Helper()
	before := stateOf(b.service.Tenant())
	r := doctor.Examine(b.t.Context(), b.client, b.request)
	if diff := cmp.Diff(before, stateOf(b.service.Tenant())); diff != "" {
		b.t.Errorf("the tenant was changed:\n%s", diff)
	}
	return r
}

// stateOf is everything of a tenant that this tool could write.
func stateOf(t *simulator.Tenant) string {
	var out []any
	for m := range t.AllMailboxes() {
		out = append(out, m)
	}
	for a := range t.AllBypass() {
		out = append(out, a)
	}
	data, err := json.Marshal(append(out, t.Organization()))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func text(t *testing.T, r *doctor.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := doctor.WriteText(&b, r, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if that is meant:\n%s", path, diff)
	}
}

// TestRoles: what doctor says of each role, whole.
func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		name      string
		role      simulator.Role
		directory string
		want      doctor.Verdict
	}{
		{"security-reader", simulator.SecurityReader(), "5d6b6bb7-de71-4623-b4af-96380a352509", doctor.VerdictMissing},
		{"global-reader", simulator.GlobalReader(), "f2ef992c-3afb-46b9-b7cf-a126ee74c451", doctor.VerdictMissing},
		{"exchange-administrator", simulator.ExchangeAdministrator(), "29232cdf-9323-42fd-ade2-1d097af3e4de", doctor.VerdictReady},
		{"audit-operator", simulator.AuditOperator(), "", doctor.VerdictReady},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3}, simulator.WithRole(tt.role))
				if tt.directory != "" {
					b.request.Credential.Token.DirectoryRoles = []string{tt.directory}
				}
				r := b.examine()
				if r.Verdict() != tt.want {
					t.Errorf("verdict %s, want %s", r.Verdict(), tt.want)
				}
				golden(t, tt.name+".txt", text(t, r))
				if tt.name == "security-reader" {
					var out bytes.Buffer
					if err := doctor.WriteJSON(&out, r); err != nil {
						t.Fatal(err)
					}
					golden(t, tt.name+".json", out.String())
				}
			})
		})
	}
}

// TestLackingOneParameter: a role that lacks exactly one parameter is named by
// that parameter and no other, however the service refuses it; where its
// answers cannot tell, every parameter is unknown, and that is said.
func TestLackingOneParameter(t *testing.T) {
	readings := map[string]simulator.RoleParameterMode{
		"forbidden": simulator.RoleParameterForbidden, "bindingError": simulator.RoleParameterBindingError,
	}
	for _, p := range slices.Concat(triable(false), triable(true)) {
		for name, reading := range readings {
			t.Run(p.cmdlet+"/"+p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3},
						simulator.WithRole(simulator.AuditOperator().Lacking(p.cmdlet, p.name)),
						simulator.WithSwitches(simulator.Switches{RoleParameter: reading}))
					r := b.examine()
					want := []string{p.cmdlet + " -" + p.name}
					if goesTogether(p.cmdlet) {
						want = []string{p.cmdlet}
					}
					if !slices.Equal(r.Gaps(), want) || r.Count(doctor.Unknown) > 0 && p.name != "ResultSize" {
						t.Errorf("missing %q with %d unknown, want %q", r.Gaps(), r.Count(doctor.Unknown), want)
					}
					if reading == simulator.RoleParameterBindingError && (!goesTogether(p.cmdlet) || p.name == "LinkType") {
						golden(t, "audit-operator-lacking-"+strings.ToLower(p.cmdlet+"-"+p.name)+".txt", text(t, r))
					}
				})
			})
		}
	}
}

// goesTogether tells a cmdlet whose parameters are always passed together, so that
// a refusal is that of the cmdlet.
func goesTogether(cmdlet string) bool {
	return strings.HasSuffix(cmdlet, "GroupMember") || strings.HasSuffix(cmdlet, "Permission") || cmdlet == "Get-UnifiedGroupLinks"
}

// TestNoSafeProbe: what cannot be tried is named as such, whether the role has
// it or not.
func TestNoSafeProbe(t *testing.T) {
	for _, p := range []parameter{{"Set-OrganizationConfig", "AuditDisabled"}, {"Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled"}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3}, simulator.WithRole(simulator.AuditOperator().Lacking(p.cmdlet, p.name)))
			r := b.examine()
			c := find(t, r, p.cmdlet+" -"+p.name)
			if c.Status != doctor.Warning || !strings.Contains(c.Seen, "no safe probe") || r.Verdict() != doctor.VerdictReady {
				t.Errorf("%+v, verdict %s", c, r.Verdict())
			}
			if query := "Get-ManagementRole -Cmdlet " + p.cmdlet + " -CmdletParameters " + p.name + "\n"; !strings.Contains(text(t, r), query) {
				t.Errorf("the query %q is not given", query)
			}
			if b.service.Count(p.cmdlet) > 0 {
				t.Errorf("%s was called", p.cmdlet)
			}
		})
	}
}

// TestHostileNames: what a tenant calls itself commands neither a terminal nor a
// CI system, in either form.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const name = "\x1b[2J##vso[task.complete]\u202e\u0085::error::x"
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3}, simulator.WithRowEdit(func(cmdlet string, r *simulator.Row) {
			if cmdlet == "Get-OrganizationConfig" {
				r.Set("Name", string(quoted))
			}
		}))
		r := b.examine()
		var out bytes.Buffer
		if err := doctor.WriteJSON(&out, r); err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{text(t, r), out.String()} {
			for _, bad := range []string{"\x1b", "##vso", "\u202e", "\u0085", "::error"} {
				if strings.Contains(shown, bad) {
					t.Errorf("%q is in\n%s", bad, shown)
				}
			}
		}
		if !strings.Contains(text(t, r), `\x1b[2J`) {
			t.Error("the name is not shown at all")
		}
	})
}

// TestJSONArrays: no array is ever null.
func TestJSONArrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3})
		b.request.ReadOnly = true
		var out bytes.Buffer
		if err := doctor.WriteJSON(&out, b.examine()); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "null") || !strings.Contains(out.String(), `"grants": []`) {
			t.Error(out.String())
		}
	})
}

func TestIdentityFirst(t *testing.T) {
	for _, role := range []simulator.Role{simulator.AuditOperator(), simulator.AuditOperator().Lacking("Set-Mailbox", "AuditOwner")} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3}, simulator.WithRole(role),
				simulator.WithSwitches(simulator.Switches{RoleParameter: simulator.RoleParameterIdentityFirst}))
			r := b.examine()
			if n := len(triable(true)); r.Verdict() != doctor.VerdictIncomplete || r.Count(doctor.Unknown) != n {
				t.Errorf("verdict %s with %d unknown, want %d", r.Verdict(), r.Count(doctor.Unknown), n)
			}
			golden(t, "audit-operator-identity-first.txt", text(t, r))
		})
	}
}

// TestNeededOnly: a policy narrows what is looked at, and --read-only narrows
// it further.
func TestNeededOnly(t *testing.T) {
	p, found := policy.Parse("policy.yaml", []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: small\n"+
		"mailboxes:\n  everyone:\n    record: {owner: {plus: [Copy2]}}\n    ageLimit: 90d\n"))
	if p == nil {
		t.Fatal(found)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Seed: 1, Mailboxes: 3}, simulator.WithRole(
			simulator.AuditOperator().Lacking("Set-Mailbox", "AuditDelegate").Without("Set-MailboxAuditBypassAssociation").Without("Get-User")))
		b.request.Policy = p
		r := b.examine()
		if r.Verdict() != doctor.VerdictReady {
			t.Errorf("missing %q, and the policy needs none of it", r.Gaps())
		}
		if b.service.Count("Get-AdminAuditLogConfig") > 0 {
			t.Error("a cmdlet was called that the policy does not need")
		}
		b.request.Policy, b.request.ReadOnly = nil, true
		if r = b.examine(); !slices.Equal(r.Gaps(), []string{"Get-User"}) {
			t.Errorf("missing %q of what check needs, want Get-User", r.Gaps())
		}
		for _, c := range r.Checks {
			if c.Area == doctor.AreaWrite || c.Area == doctor.AreaState {
				t.Errorf("%s was looked at", c.Name)
			}
		}
	})
}

// TestService: what goes wrong between here and the tenant is told apart.
func TestService(t *testing.T) {
	off := simulator.Seed{Seed: 1, Mailboxes: 3, UnifiedLogOff: true, Dehydrated: true}
	all := simulator.Fault{Do: simulator.DoUnauthenticated}
	tests := []struct {
		name  string
		seed  simulator.Seed
		opts  []simulator.Option
		edit  func(*doctor.Request)
		check string
		want  doctor.Status
		seen  string
	}{
		{"the log is off", off, nil, nil, "unified log", doctor.Warning, "is off"},
		{"not hydrated", off, nil, nil, "hydrated", doctor.Warning, "cannot be undone"},
		{
			"not hydrated, not allowed", off,
			[]simulator.Option{simulator.WithRole(simulator.AuditOperator().Without("Enable-OrganizationCustomization"))},
			nil,
			"Enable-OrganizationCustomization", doctor.Missing, "not among",
		},
		{
			"hydrated",
			simulator.Seed{Mailboxes: 3},
			[]simulator.Option{simulator.WithRole(simulator.AuditOperator().Without("Enable-OrganizationCustomization"))},
			nil,
			"Enable-OrganizationCustomization", doctor.OK, "not needed",
		},
		{"no token is taken", simulator.Seed{}, []simulator.Option{simulator.WithFaults(all)}, nil, "sign-in", doctor.Missing, "401"},
		{
			"no answer at all",
			simulator.Seed{},
			[]simulator.Option{simulator.WithFaults(simulator.Fault{Do: simulator.DoDropConnection})},
			nil,
			"endpoint", doctor.Unknown, "gave no answer",
		},
		{"no module file", simulator.Seed{Mailboxes: 3}, []simulator.Option{simulator.WithFaults(simulator.Fault{
			Cmdlet: "EXOModuleFile", Do: simulator.DoStatus, Status: 500,
		})}, nil, "Get-Mailbox", doctor.Unknown, "could not be had"},
		{"a cmdlet that was called needs no list", simulator.Seed{Mailboxes: 3}, []simulator.Option{simulator.WithFaults(simulator.Fault{
			Cmdlet: "EXOModuleFile", Do: simulator.DoStatus, Status: 500,
		})}, nil, "Get-OrganizationConfig", doctor.OK, "answered"},
		{"refused though exported", simulator.Seed{Mailboxes: 3}, []simulator.Option{simulator.WithFaults(simulator.Fault{
			Cmdlet: "Get-AdminAuditLogConfig", Do: simulator.DoStatus, Status: 403,
		})}, nil, "Get-AdminAuditLogConfig", doctor.Missing, "refused"},
		{"a switch that is not there", simulator.Seed{Mailboxes: 3}, []simulator.Option{simulator.WithRowEdit(
			func(_ string, r *simulator.Row) { r.Delete("UnifiedAuditLogIngestionEnabled") })}, nil, "unified log", doctor.Unknown, "cannot be read"},
		{"a clock that is late", simulator.Seed{}, nil, func(r *doctor.Request) {
			r.Clock = func() (time.Duration, bool) { return 6 * time.Minute, true }
		}, "clock", doctor.Warning, "6m0s behind"},
		{"a clock that is early", simulator.Seed{}, nil, func(r *doctor.Request) {
			r.Clock = func() (time.Duration, bool) { return -6 * time.Minute, true }
		}, "clock", doctor.Warning, "6m0s ahead of"},
		{"no journal", simulator.Seed{}, nil, func(r *doctor.Request) {
			r.State = &doctor.State{Err: errors.New("no room")}
		}, "store", doctor.Missing, "no room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.seed, tt.opts...)
				if tt.edit != nil {
					tt.edit(&b.request)
				}
				found := find(t, b.examine(), tt.check)
				if found.Status != tt.want || !strings.Contains(found.Seen, tt.seen) {
					t.Errorf("%+v, want %s with %q", found, tt.want, tt.seen)
				}
				if found.Status != doctor.OK && found.Fix == "" {
					t.Error("it does not say what to do")
				}
			})
		})
	}
}

func find(t *testing.T, r *doctor.Report, name string) doctor.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %q in\n%s", name, text(t, r))
	return doctor.Check{}
}

// TestCredential: what a token says of itself.
func TestCredential(t *testing.T) {
	tests := []struct {
		name  string
		edit  func(*doctor.Credential)
		check string
		want  doctor.Status
		seen  string
	}{
		{"no app role", func(c *doctor.Credential) { c.Token.Roles = nil }, "app role", doctor.Missing, "no app role"},
		{
			"another app role", func(c *doctor.Credential) { c.Token.Roles = []string{"Exchange.ManageAsAppV2"} },
			"app role", doctor.Missing, "Exchange.ManageAsAppV2",
		},
		{"a person", func(c *doctor.Credential) { c.Token.Roles, c.Token.UserName = nil, "ann@contoso.com" }, "app role", doctor.OK, "ann@contoso.com"},
		{"another tenant", func(c *doctor.Credential) { c.Token.TenantID = "0" }, "tenant", doctor.Missing, "tenant 0"},
		{"another audience", func(c *doctor.Credential) { c.Token.Audience = "https://graph.microsoft.com" }, "audience", doctor.Warning, "graph"},
		{"the audience as an id", func(c *doctor.Credential) { c.Token.Audience = "00000002-0000-0ff1-ce00-000000000000" }, "audience", doctor.OK, "0ff1"},
		{"over", func(c *doctor.Credential) { c.Token.Expires = time.Now() }, "token", doctor.Missing, "it ended at"},
		{"nearly over", func(c *doctor.Credential) { c.Token.Expires = time.Now().Add(time.Minute) }, "token", doctor.Warning, "valid until"},
		{"opaque", func(c *doctor.Credential) { c.Token = doctor.Token{Opaque: true} }, "token", doctor.Warning, "cannot be read"},
		{"an unknown role", func(c *doctor.Credential) { c.Token.DirectoryRoles = []string{"1234"} }, "directory role", doctor.Warning, "1234"},
		{"a hostile role", func(c *doctor.Credential) { c.Token.DirectoryRoles = []string{"\x1b[2J"} }, "directory role", doctor.Warning, `\x1b[2J`},
		{"a certificate", func(c *doctor.Credential) { c.CertificateExpires = time.Now().AddDate(0, 0, 40) }, "certificate", doctor.OK, "valid until"},
		{"an old certificate", func(c *doctor.Credential) { c.CertificateExpires = time.Now().AddDate(0, 0, 29) }, "certificate", doctor.Warning, "29 days"},
		{"an ended certificate", func(c *doctor.Credential) { c.CertificateExpires = time.Now() }, "certificate", doctor.Missing, "ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, simulator.Seed{Mailboxes: 1})
				tt.edit(&b.request.Credential)
				found := find(t, b.examine(), tt.check)
				if found.Status != tt.want || !strings.Contains(found.Seen, tt.seen) {
					t.Errorf("%+v, want %s with %q", found, tt.want, tt.seen)
				}
			})
		})
	}
}

// TestNoToken: without a token nothing is called, and the report still says
// what would have been looked at.
func TestNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1})
		b.request.Credential = doctor.Credential{Err: errors.New("AADSTS7000215: the secret is wrong")}
		r := b.examine()
		if r.Verdict() != doctor.VerdictMissing || r.Requests != 0 || len(b.service.Calls()) != 0 {
			t.Errorf("verdict %s, %d requests", r.Verdict(), len(b.service.Calls()))
		}
		golden(t, "no-token.txt", text(t, r))
	})
}

// TestHopeless: where there is no way in, nothing more is tried, and what was
// not tried is unknown, never missing.
func TestHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1}, simulator.WithFaults(simulator.Fault{Do: simulator.DoDropConnection}))
		r := b.examine()
		if r.Verdict() != doctor.VerdictIncomplete {
			t.Errorf("verdict %s, missing %q", r.Verdict(), r.Gaps())
		}
		for _, c := range b.service.Calls() {
			if len(c.Cmdlets) > 0 {
				t.Errorf("%s was called", c.Cmdlets[0].Cmdlet)
			}
		}
	})
}

// accepting is a service that takes a probe for a write, which must not happen.
type accepting struct{ doctor.Tenant }

func (accepting) ProbeParameters(_ context.Context, cmdlet string, parameters []string) ([]exchange.Probe, error) {
	probes := make([]exchange.Probe, len(parameters))
	for i, p := range parameters {
		probes[i] = exchange.Probe{Cmdlet: cmdlet, Parameter: p}
	}
	return probes, exchange.ErrProbeSucceeded
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1})
		r := doctor.Examine(t.Context(), accepting{b.client}, b.request)
		shown := text(t, r)
		if r.Verdict() != doctor.VerdictIncomplete || !strings.Contains(shown, "ALARM") || strings.Contains(shown, "nothing was written.\nReady") ||
			!strings.Contains(shown, "not certain that nothing was written") {
			t.Errorf("verdict %s:\n%s", r.Verdict(), shown)
		}
	})
}

// TestColor: colour repeats what is said anyway.
func TestColor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1}, simulator.WithRole(simulator.SecurityReader()))
		r := b.examine()
		var colored bytes.Buffer
		if err := doctor.WriteText(&colored, r, true); err != nil {
			t.Fatal(err)
		}
		plain := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colored.String(), "")
		if plain == colored.String() || plain != text(t, r) {
			t.Error("without colour the text differs")
		}
	})
}
