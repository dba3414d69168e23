package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

// examination holds the flags of doctor.
type examination struct {
	target     target
	policyFile string
	readOnly   bool
	state      string
}

// newDoctor builds the command for the first contact with a tenant.
func newDoctor(a *app) *cobra.Command {
	var x examination
	cmd := &cobra.Command{
		Use:   "doctor [-p POLICY]",
		Short: "Say what a credential may do in a tenant, and what is missing",
		Long: `doctor looks at the credential and what its token says, at the service and its
clock, and at every cmdlet and parameter that the policy needs, or without a
policy at all that this program can need. It names what is missing, and gives
the commands that grant it. It writes nothing: it reads the beginning of what
check would read, and parameters of writes are tried on a mailbox that does not
exist. Exit status: 0 all that is needed is there, 5 something is missing or
there is no token, 3 something could not be determined, 4 wrong policy or flags.`,
		Example: `  exoaudit doctor
  exoaudit doctor -p policy.yaml --read-only
  exoaudit doctor -p policy.yaml --format json`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	x.target.bind(cmd)
	f := cmd.Flags()
	f.StringVarP(&x.policyFile, "policy", "p", "", "policy `FILE`; without one, everything that can be needed")
	f.BoolVar(&x.readOnly, "read-only", false, "only what check needs, not what apply needs")
	bindState(cmd, &x.state)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		if _, err := a.storePath(x.state); err != nil && x.state != "" {
			return err
		}
		r, err := a.examine(cmd.Context(), x)
		if err != nil {
			return err
		}
		if err := a.showExamination(r); err != nil {
			return noReport("cannot write the report: %w", err)
		}
		return ends(statusOfExamination(r.Verdict()))
	}
	return cmd
}

func statusOfExamination(v doctor.Verdict) int {
	switch v {
	case doctor.VerdictReady:
		return ExitInLine
	case doctor.VerdictMissing:
		return ExitDenied
	default:
		return ExitIncomplete
	}
}

func (a *app) showExamination(r *doctor.Report) error {
	if a.out.format == "json" {
		return doctor.WriteJSON(a.Out, r)
	}
	return doctor.WriteText(a.Out, r, a.colored(a.OutTerminal))
}

// examine gathers what doctor judges. A configuration that is wrong ends it;
// the want of a token is a finding.
func (a *app) examine(ctx context.Context, x examination) (*doctor.Report, error) {
	var p *policy.Policy
	if x.policyFile != "" {
		var err error
		if p, err = a.loadPolicy(x.policyFile); err != nil {
			return nil, err
		}
	}
	at, err := a.place(x.target)
	if err != nil {
		return nil, err
	}
	var clock clock
	req := doctor.Request{
		Tool: toolName(), Tenant: x.target.tenant, Endpoint: at.endpoint, Policy: p, ReadOnly: x.readOnly,
		Clock: clock.ahead, Now: a.env.Now,
	}
	// Somebody waits for the answer, and a call that fails is an answer too.
	conn, err := a.connectWith(ctx, x.target, calling{
		watch: clock.see, retry: exchange.Retry{Tries: 3, Budget: time.Minute},
		// Without a policy it is looked at where it is known.
		retention: p != nil && p.Retention != nil || p == nil && at.checkCompliance() == nil,
	})
	switch {
	case err == nil:
		defer conn.idle()
		req.Tenant = conn.tenant
		err = a.describe(ctx, conn, &req.Credential)
	case !wantsToken(err):
	default:
		req.Credential.Err, err = err, nil
	}
	if err != nil {
		return nil, err
	}
	if conn == nil {
		req.State = a.lookAtState(ctx, x.state, "") // what the tenant's folder is called is not known
		return doctor.Examine(ctx, nil, req), context.Cause(ctx)
	}
	req.State = a.lookAtState(ctx, x.state, req.Tenant)
	if conn.compliance != nil {
		req.Compliance = conn.compliance
	}
	return doctor.Examine(ctx, conn.client, req), context.Cause(ctx)
}

// wantsToken tells the want of a token, which is a finding, from a
// configuration that is wrong.
func wantsToken(err error) bool {
	_, none := errors.AsType[*auth.NoCredentialError](err)
	_, refused := errors.AsType[*auth.Error](err)
	return none || refused
}

// describe gets a token, and says what it says of itself.
func (a *app) describe(ctx context.Context, conn *connection, c *doctor.Credential) error {
	c.ClientID, c.Scope = a.env.Getenv("AZURE_CLIENT_ID"), conn.place.scope
	c.Description, c.Source = conn.provider.Describe(), a.sourceOf(conn.provider.Kind())
	c.Renews = conn.provider.Kind() != auth.KindToken
	c.CertificateExpires, _ = conn.provider.CertificateExpiry()
	facts, err := conn.provider.Facts(ctx, conn.place.scope)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		if !wantsToken(err) {
			return err
		}
		c.Err = err
		if _, none := errors.AsType[*auth.NoCredentialError](err); none {
			c.Description, c.Source = "", "" // what was only guessed is not there
		}
		return nil
	}
	c.Token = doctor.Token{
		Audience: facts.Audience, Roles: facts.Roles, DirectoryRoles: facts.DirectoryRoles,
		TenantID: facts.TenantID, AppID: facts.AppID, UserName: facts.UserName, Expires: facts.Expires, Opaque: facts.Opaque,
	}
	return nil
}

// clock compares the service's clock with this machine's, by the first answer
// that says its time.
type clock struct {
	mu    sync.Mutex
	known bool
	by    time.Duration
}

// see takes note of a call. The service said its time somewhere between the
// call's start and its end.
func (c *clock) see(t exchange.Trace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known || t.ServiceTime.IsZero() {
		return
	}
	c.known, c.by = true, t.ServiceTime.Sub(t.Start.Add(t.Duration/2))
}

// ahead is by how much the service's clock is ahead of this machine's.
func (c *clock) ahead() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by, c.known
}
