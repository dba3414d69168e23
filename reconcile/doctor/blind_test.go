package doctor_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

// without takes a property out of the rows of a cmdlet.
func without(cmdlet, property string) simulator.Option {
	return simulator.WithRowEdit(func(of string, r *simulator.Row) {
		if of == cmdlet {
			r.Delete(property)
		}
	})
}

// TestNotReadyWhileBlind: what check could not judge by is not called ready.
func TestNotReadyWhileBlind(t *testing.T) {
	p, found := policy.Parse("policy.yaml", []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: small\norganization:\n  mailboxAuditing: true\n"))
	if p == nil {
		t.Fatal(found)
	}
	three := simulator.Seed{Seed: 1, Mailboxes: 3}
	for _, tt := range []struct {
		name   string
		policy *policy.Policy
		seed   simulator.Seed
		opt    simulator.Option
		check  string
		want   doctor.Status
		seen   string
	}{
		{
			"401 for one cmdlet", p, three, simulator.WithFaults(simulator.Fault{Cmdlet: "Get-OrganizationConfig", Do: simulator.DoUnauthenticated}),
			"Get-OrganizationConfig", doctor.Missing, "401",
		},
		{
			"401 for a listing", nil, three, simulator.WithFaults(simulator.Fault{Cmdlet: "Get-Mailbox", Do: simulator.DoUnauthenticated}),
			"Get-Mailbox", doctor.Missing, "401",
		},
		{"no AuditDisabled", p, three, without("Get-OrganizationConfig", "AuditDisabled"), "mailbox auditing", doctor.Unknown, "AuditDisabled"},
		{"no mailbox", nil, simulator.Seed{}, without("", ""), "Get-Mailbox -Identity", doctor.Unknown, "no mailbox was listed"},
		{"no mailbox to ask Get-User for", nil, simulator.Seed{}, without("", ""), "Get-User -Identity", doctor.Unknown, "no mailbox was listed"},
		{"mailboxes without a Guid", nil, three, without("Get-Mailbox", "Guid"), "Get-Mailbox -Identity", doctor.Unknown, "no mailbox was listed"},
		{
			"rows without a Guid", nil, three, without("Get-MailboxAuditBypassAssociation", "Guid"),
			"Get-MailboxAuditBypassAssociation -Identity", doctor.Unknown, "no row was listed",
		},
		{
			"a filter that does nothing", nil, three, simulator.WithSwitches(simulator.Switches{Filter: simulator.FilterIgnored}),
			"Get-Mailbox -Filter", doctor.Unknown, "ignores the filter",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.seed, tt.opt)
				b.request.Policy, b.request.ReadOnly = tt.policy, true
				r := b.examine()
				if r.Verdict() == doctor.VerdictReady {
					t.Error("it is called ready")
				}
				c := find(t, r, tt.check)
				if c.Status != tt.want || !strings.Contains(c.Seen, tt.seen) || c.Fix == "" {
					t.Errorf("%+v, want %s with %q, and what to do", c, tt.want, tt.seen)
				}
			})
		})
	}
}

// TestCauseIsNamed: where a call itself failed, no other cause is looked for.
func TestCauseIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 3}, simulator.WithFaults(simulator.Fault{
			Cmdlet: "Get-AdminAuditLogConfig", Do: simulator.DoStatus, Status: 500,
		}))
		c := find(t, b.examine(), "Get-AdminAuditLogConfig")
		if c.Status != doctor.Unknown || !strings.Contains(c.Seen, "500") || c.Fix != "run doctor again" {
			t.Errorf("%+v", c)
		}
	})
}

// probing counts the cmdlets that were probed.
type probing struct {
	accepting
	cmdlets *[]string
}

func (p probing) ProbeParameters(ctx context.Context, cmdlet string, parameters []string) ([]exchange.Probe, error) {
	*p.cmdlets = append(*p.cmdlets, cmdlet)
	return p.accepting.ProbeParameters(ctx, cmdlet, parameters)
}

// TestAlarmEndsProbing: after a probe that may have written there is no other, of
// any cmdlet.
func TestAlarmEndsProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1})
		var probed []string
		r := doctor.Examine(t.Context(), probing{accepting{b.client}, &probed}, b.request)
		if want := []string{"Set-MailboxAuditBypassAssociation"}; !slices.Equal(probed, want) {
			t.Errorf("probed %q, want %q", probed, want)
		}
		if c := find(t, r, "Set-Mailbox -AuditOwner"); c.Status != doctor.Unknown || !strings.Contains(c.Seen, "alarm") {
			t.Errorf("%+v", c)
		}
	})
}

// TestGraphOfAnotherCloud: the command that names the worldwide Graph says so elsewhere.
func TestGraphOfAnotherCloud(t *testing.T) {
	for address, want := range map[string]bool{endpoint: false, "https://outlook.office365.us": true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, simulator.Seed{Mailboxes: 1}, simulator.WithRole(simulator.SecurityReader()))
			b.request.Endpoint = address
			if shown := strings.Join(strings.Fields(text(t, b.examine())), " "); strings.Contains(shown, "another cloud has its own") != want {
				t.Errorf("%s:\n%s", address, shown)
			}
		})
	}
}

// TestTokenThatIsRenewed: its end needs no notice.
func TestTokenThatIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1})
		b.request.Credential.Token.Expires, b.request.Credential.Renews = time.Now().Add(time.Minute), true
		if c := find(t, b.examine(), "token"); c.Status != doctor.OK {
			t.Errorf("%+v", c)
		}
	})
}

// TestReaderNote: of the role that is advised for reads, what is not known is said.
func TestReaderNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, simulator.Seed{Mailboxes: 1}, simulator.WithRole(simulator.SecurityReader()))
		b.request.ReadOnly = true
		if shown := text(t, b.examine()); !strings.Contains(shown, "Whether it may call Get-User is not known.") {
			t.Error(shown)
		}
	})
}

// TestGrantee: the commands grant to whom the token names, and hold nothing of it
// that a shell would run.
func TestGrantee(t *testing.T) {
	const module, other = "fb78d390-0c51-40cd-8e17-fdbfab77341b", "6c1f1f2e-0000-4000-8000-000000000009"
	for _, tt := range []struct {
		name      string
		edit      func(*doctor.Credential)
		want, not string
	}{
		{"the application of the token", func(c *doctor.Credential) { c.Token.AppID = other }, "az ad sp show --id " + other, "000000000001"},
		{"no application in the token", func(c *doctor.Credential) { c.Token.AppID, c.ClientID = "", other }, "New-ServicePrincipal -AppId " + other, "APPLICATION-ID"},
		{"a hostile application", func(c *doctor.Credential) { c.Token.AppID, c.ClientID = "$(reboot)", "" }, "--id APPLICATION-ID", "reboot"},
		{
			"a person", func(c *doctor.Credential) { c.Token.UserName, c.Token.AppID = "ann@contoso.com", module },
			`Add-RoleGroupMember -Identity "exoaudit" -Member ann@contoso.com`, module,
		},
		{"a person's directory role", func(c *doctor.Credential) { c.Token.UserName = "ann@contoso.com" }, "az ad user show --id ann@contoso.com", "az ad sp"},
		{"a hostile person", func(c *doctor.Credential) { c.Token.UserName = "$(reboot)@contoso.com" }, "-Member USER-NAME", "-Member $(reboot)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, simulator.Seed{Mailboxes: 3}, simulator.WithRole(simulator.SecurityReader()))
				b.request.Credential.Description, b.request.Credential.Source = "", ""
				tt.edit(&b.request.Credential)
				var commands []string
				for _, g := range b.examine().Grants {
					commands = append(commands, g.Commands...)
				}
				shown := strings.Join(commands, "\n")
				if !strings.Contains(shown, tt.want) || strings.Contains(shown, tt.not) {
					t.Errorf("want %q and no %q in\n%s", tt.want, tt.not, shown)
				}
			})
		})
	}
}
