package exchange_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// probed are all parameters that can be probed.
func probed() map[string][]string {
	return map[string][]string{
		"Set-Mailbox": {
			"AuditEnabled", "AuditLogAgeLimit", "AuditAdmin", "AuditDelegate", "AuditOwner", "DefaultAuditSet",
			"GroupMailbox", "PublicFolder",
		},
		"Set-MailboxAuditBypassAssociation": {"AuditBypassEnabled"},
	}
}

func TestProbesFindEachParameterThatIsLacking(t *testing.T) {
	for mode, want := range map[simulator.RoleParameterMode]exchange.Permission{
		simulator.RoleParameterForbidden:     exchange.Denied,
		simulator.RoleParameterBindingError:  exchange.Denied,
		simulator.RoleParameterIdentityFirst: exchange.Undetermined,
	} {
		for cmdlet, parameters := range probed() {
			for _, lacking := range append([]string{""}, parameters...) {
				role := simulator.AuditOperator()
				if lacking != "" {
					role = role.Lacking(cmdlet, lacking)
				}
				tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
				s := simulator.New(tenant, simulator.WithRole(role), simulator.WithSwitches(simulator.Switches{RoleParameter: mode}))
				before := dump(tenant)
				probes, err := connect(t, s).ProbeParameters(t.Context(), cmdlet, parameters)
				if err != nil || len(probes) != len(parameters) {
					t.Fatalf("%d probes, %v", len(probes), err)
				}
				for i, p := range probes {
					expected := exchange.Allowed
					if p.Parameter == lacking || want == exchange.Undetermined {
						expected = want
					}
					if p.Parameter != parameters[i] || p.Cmdlet != cmdlet || p.Permission != expected || (p.Err == nil) != (expected == exchange.Allowed) {
						t.Errorf("%s lacking %q, reading %d: %+v, want %v", cmdlet, lacking, mode, p, expected)
					}
					if want == exchange.Undetermined && !errors.Is(p.Err, exchange.ErrProbeBlind) {
						t.Errorf("err = %v, want blindness", p.Err)
					}
				}
				if !slices.Equal(before, dump(tenant)) {
					t.Error("a probe changed the tenant")
				}
			}
		}
	}
}

// dump is all that a tenant stores.
func dump(tenant *simulator.Tenant) (lines []string) {
	for name, value := range tenant.Dump() {
		lines = append(lines, name+" "+value)
	}
	return lines
}

func TestProbesOfACmdletThatIsRefused(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
	c := connect(t, simulator.New(tenant, simulator.WithRole(simulator.GlobalReader())))
	probes, err := c.ProbeParameters(t.Context(), "Set-Mailbox", []string{"AuditEnabled", "AuditOwner"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range probes {
		if p.Permission != exchange.Denied || !exchange.IsRefused(p.Err) {
			t.Errorf("%+v, want a refusal", p)
		}
	}
}

func TestProbesAreOnlyOfWhatIsSafe(t *testing.T) {
	s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 3}))
	for cmdlet, parameter := range map[string]string{
		"Set-Mailbox": "Office", "Set-OrganizationConfig": "AuditDisabled", "Set-AdminAuditLogConfig": "UnifiedAuditLogIngestionEnabled",
		"Enable-OrganizationCustomization": "Identity", "Set-MailboxAuditBypassAssociation": "AuditEnabled", "": "Identity",
	} {
		if _, err := connect(t, s).ProbeParameters(t.Context(), cmdlet, []string{parameter}); !errors.Is(err, exchange.ErrInvalidCall) {
			t.Errorf("%s -%s: %v, want a refusal", cmdlet, parameter, err)
		}
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// TestProbesUnderFaults: what passes changes nothing, what lasts determines nothing,
// and a success is an alarm.
func TestProbesUnderFaults(t *testing.T) {
	const set = "Set-Mailbox"
	tests := []struct {
		name  string
		fault simulator.Fault
		want  []exchange.Permission
		is    error // of the second probe
		ends  bool
	}{
		{"unavailable once", simulator.Unavailable(set, 1), []exchange.Permission{exchange.Allowed, exchange.Allowed}, nil, false},
		{"dropped", simulator.Fault{Name: "x", Cmdlet: set, Do: simulator.DoDropConnection, Times: 1}, []exchange.Permission{exchange.Allowed, exchange.Allowed}, nil, false},
		{"unavailable", simulator.Unavailable(set, 0), []exchange.Permission{exchange.Undetermined, exchange.Undetermined}, nil, false},
		{"unauthenticated", simulator.Unauthenticated(set, 0), []exchange.Permission{exchange.Undetermined, exchange.Undetermined}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 3, Now: time.Now()}), simulator.WithFaults(tt.fault))
				probes, err := connect(t, s).ProbeParameters(t.Context(), set, []string{"AuditEnabled", "AuditOwner"})
				if (err != nil) != tt.ends {
					t.Errorf("err = %v", err)
				}
				for i, p := range probes {
					if p.Permission != tt.want[i] {
						t.Errorf("%+v, want %v", p, tt.want[i])
					}
				}
			})
		})
	}
}

func TestProbeThatSucceedsIsAnAlarm(t *testing.T) {
	for calls, denied := range []int{0, 1} { // the control itself, and the first probe
		s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 3}))
		inner, n := s.RoundTripper(), 0
		c := connect(t, s, func(cfg *exchange.Config) {
			cfg.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				if n++; n > calls {
					return (&canned{status: 200, body: `{"value":[]}`}).RoundTrip(req)
				}
				return inner.RoundTrip(req)
			})
		})
		probes, err := c.ProbeParameters(t.Context(), "Set-Mailbox", []string{"AuditEnabled", "AuditOwner"})
		if !errors.Is(err, exchange.ErrProbeSucceeded) || n != denied+1 {
			t.Errorf("err = %v after %d requests, want an alarm at once", err, n)
		}
		for i, p := range probes {
			if p.Permission != exchange.Undetermined || (calls == 0 || i == 0) != errors.Is(p.Err, exchange.ErrProbeSucceeded) {
				t.Errorf("%+v", p)
			}
		}
	}
}

func TestProbingEndsWithTheContext(t *testing.T) {
	s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 3}))
	ctx, cancel := context.WithCancel(t.Context())
	inner := s.RoundTripper()
	c := connect(t, s, func(cfg *exchange.Config) {
		cfg.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			defer cancel()
			return inner.RoundTrip(req)
		})
	})
	probes, err := c.ProbeParameters(ctx, "Set-Mailbox", []string{"AuditEnabled", "AuditOwner", "AuditAdmin"})
	if !errors.Is(err, context.Canceled) || len(probes) != 3 || s.Requests() != 1 {
		t.Errorf("%d probes, %v after %d requests", len(probes), err, s.Requests())
	}
}

func TestExportedCmdletsAreThoseOfTheRole(t *testing.T) {
	for _, role := range []simulator.Role{simulator.SecurityReader(), simulator.AuditOperator()} {
		s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 3}), simulator.WithRole(role))
		got, err := connect(t, s).ExportedCmdlets(t.Context())
		var want []string
		for _, entry := range role.Entries {
			want = append(want, entry.Cmdlet)
		}
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", role.Name, got, err, want)
		}
	}
}
