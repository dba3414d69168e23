package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newPlan builds the command that shows what apply would do, and saves it for
// review.
func newPlan(a *app) *cobra.Command {
	var c comparison
	var out, target string
	var detailed bool
	cmd := &cobra.Command{
		Use:   "plan -p POLICY",
		Short: "Show what apply would do, and save it for review",
		Long: `plan compares as check does and shows what apply would do. With --out it saves
the plan; apply PLAN then writes no more than that plan allows. Exit status: as
check, but 0 on drift unless --detailed-exitcode is given.`,
		Example: `  exoaudit plan -p policy.yaml
  exoaudit plan -p policy.yaml --out plan.json
  exoaudit apply plan.json -p policy.yaml`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	cmd.Flags().StringVar(&out, "out", "", "save the plan to a `FILE` (mode 0600: it names mailboxes)")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 on drift, as check does")
	c.own = func() []claim {
		if out == "" {
			return nil
		}
		return []claim{{flag: "--out", path: out, use: replaces, settled: &target}}
	}
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
		run.keep(cmd.Context(), "plan", p)
		err = a.showPlan(j, p)
		if out != "" {
			outErr := writeFile(target, func(w io.Writer) error { return report.WritePlan(w, p, j.threshold) })
			if outErr == nil {
				a.logger().Info("saved the plan to " + out)
			}
			err = together(err, outErr)
		}
		status := statusOfVerdict(p.Verdict(j.threshold))
		if status == ExitDrift && !detailed {
			status = ExitInLine
		}
		return endsWith(status, err)
	}
	return cmd
}
