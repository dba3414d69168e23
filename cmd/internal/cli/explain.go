package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newExplain builds the command that says why a mailbox needs what, and what is
// recorded there.
func newExplain(a *app) *cobra.Command {
	var on target
	var file string
	cmd := &cobra.Command{
		Use:   "explain [MAILBOX] -p POLICY",
		Short: "Say why a mailbox needs what, and what is recorded there today",
		Long: `explain reads one mailbox, by an address, sign-in name or id, and says which
rules and exemptions of the policy speak of it and by which of their conditions,
what they ask for and where, what is there today, and for owner, delegate and
admin what is recorded, what is not, and which of the five switches decides.
Without a mailbox it shows the policy with all that it extends, offline. It
writes nothing. Exit status: 0 explained, 3 something could not be read, 1 there
is no such mailbox or it could not be read, 4 wrong policy or flags, 5 no token
or not allowed.`,
		Example: `  exoaudit explain -p policy.yaml
  exoaudit explain ann@contoso.com -p policy.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return invalid("%s takes one mailbox at most, but got %s too", cmd.CommandPath(), report.Line(args[1]))
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	on.bind(cmd)
	cmd.Flags().StringVarP(&file, "policy", "p", "", "policy `FILE`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		if len(args) == 1 && args[0] == "" {
			return invalid("the mailbox is empty; leave it out to see the policy, or give an address, sign-in name or id")
		}
		p, err := a.loadPolicy(file)
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return a.describePolicy(p)
		}
		return a.explain(cmd.Context(), on, p, args[0])
	}
	return cmd
}

// describePolicy shows a policy with all that it extends.
func (a *app) describePolicy(p *policy.Policy) error {
	write := report.WritePolicyText
	if a.out.format == "json" {
		write = report.WritePolicy
	}
	if err := write(a.Out, reconcile.Describe(p)); err != nil {
		return noReport("cannot write the result: %w", err)
	}
	return nil
}

// explain reads one mailbox and shows what there is to say about it.
func (a *app) explain(ctx context.Context, on target, p *policy.Policy, identity string) error {
	conn, err := a.connect(ctx, on)
	if err != nil {
		return err
	}
	defer conn.idle()
	e, err := reconcile.Explain(ctx, conn.client, reconcile.ExplainRequest{
		Policy: p, Identity: identity, Now: a.env.Now, Tool: toolName(), Tenant: conn.tenant,
	})
	if err != nil {
		return err
	}
	if a.out.format == "json" {
		err = report.WriteExplanation(a.Out, e)
	} else {
		err = report.WriteExplanationText(a.Out, e, report.TextOptions{Color: a.colored(a.OutTerminal)})
	}
	if err != nil {
		return noReport("cannot write the report: %w", err)
	}
	return ends(statusOfExplanation(e))
}

// statusOfExplanation tells whether everything was read. Drift is no failure
// here: it is what is being explained.
func statusOfExplanation(e *reconcile.Explanation) int {
	if e.State == reconcile.Unknown || len(e.Unknown) > 0 {
		return ExitIncomplete
	}
	for _, s := range e.Switches {
		if s.Effect == reconcile.EffectUnknown {
			return ExitIncomplete
		}
	}
	for _, v := range e.Verdicts {
		// A list that no rule asks about is read for the verdict all the same.
		if v.Outcome == reconcile.OutcomeUnknown {
			return ExitIncomplete
		}
	}
	return ExitInLine
}
