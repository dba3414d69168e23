package cli

import "github.com/spf13/cobra"

// newCheck builds the command for CI: compare, report, and say the outcome by
// the exit status.
func newCheck(a *app) *cobra.Command {
	var c comparison
	cmd := &cobra.Command{
		Use:   "check -p POLICY",
		Short: "Compare a tenant with a policy and report the drift",
		Long: `check reads the tenant, compares it with the policy, and reports. It writes
nothing to the tenant. Exit status: 0 in line, 2 drift, 3 the report is
incomplete, 1 no report, 4 wrong policy or flags, 5 no token or not allowed.`,
		Example: `  exoaudit check -p policy.yaml
  exoaudit check -p policy.yaml --format json --fail-on high
  exoaudit check -p policy.yaml --since-last-run
  exoaudit check -p policy.yaml --report json=drift.json`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	c.bindSince(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		j, err := a.prepare(cmd, &c)
		if err != nil {
			return err
		}
		run, err := a.begin(cmd.Context(), j)
		if err != nil {
			return err
		}
		defer run.close()
		p, err := run.check(cmd.Context())
		if err != nil {
			return err
		}
		run.keep(cmd.Context(), "check", p)
		return endsWith(statusOfVerdict(p.Verdict(j.threshold)), a.showPlan(j, p))
	}
	return cmd
}
