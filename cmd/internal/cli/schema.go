package cli

import (
	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newSchema builds the command that prints the JSON Schemas.
func newSchema(a *app) *cobra.Command {
	var plan, history bool
	cmd := &cobra.Command{
		Use:   "schema [--plan | --history]",
		Short: "Print the JSON Schema of policy files, of plans, or of past runs",
		Long: `schema prints the JSON Schema (draft 2020-12) of policy files, with which an
editor completes and checks while somebody writes; with --plan that of plans and
of what check and plan print as JSON, with --history that of what history prints
as JSON, and within it of a run, as apply prints it. The schema knows the shape of a policy and
not its meaning: validate finds more.`,
		Example: `  exoaudit schema > policy.schema.json
  exoaudit schema --plan > plan.schema.json
  exoaudit schema --history > history.schema.json`,
		Args: noArguments,
	}
	a.out.bind(cmd, "json")
	cmd.Flags().BoolVar(&plan, "plan", false, "the schema of plans")
	cmd.Flags().BoolVar(&history, "history", false, "the schema of past runs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		text := policy.Schema()
		switch {
		case plan && history:
			return invalid("--plan and --history exclude each other")
		case plan:
			text = report.PlanSchema()
		case history:
			text = report.HistorySchema()
		}
		if _, err := a.Out.Write(text); err != nil {
			return noReport("cannot write the result: %w", err)
		}
		return nil
	}
	return cmd
}
