package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newBaselines builds the command that shows the built-in policies.
func newBaselines(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baselines [NAME]",
		Short: "List the built-in policies, or print one",
		Long: `baselines lists the policies that are built in, by the names that extends takes.
With a name it prints that one: YAML, in the language of policy files, so that
it can be read, reviewed and copied. A baseline never changes what it asks for
under its name.`,
		Example: `  exoaudit baselines
  exoaudit baselines cis-m365-7.0`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return invalid("%s takes one name at most, but got %s too", cmd.CommandPath(), report.Line(args[1]))
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		show := a.listBaselines
		if len(args) == 1 {
			text, ok := policy.Baseline(args[0])
			if !ok {
				return invalid("there is no baseline %s%s; exoaudit baselines lists them",
					report.Line(args[0]), nearest(args[0], baselineNames(), ""))
			}
			show = func() error { return a.printBaseline(args[0], text) }
		}
		if err := show(); err != nil {
			return noReport("cannot write the result: %w", err)
		}
		return nil
	}
	return cmd
}

func baselineNames() []string {
	var names []string
	for _, b := range policy.Baselines() {
		names = append(names, b.Name)
	}
	return names
}

// baseline is one built-in policy, as JSON. Text is its YAML, which the list
// leaves out.
type baseline struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Source string `json:"source"`
	Digest string `json:"digest"`
	Text   string `json:"text,omitempty"`
}

func describeBaseline(b policy.BaselineInfo) baseline {
	out := baseline{Name: b.Name, Title: b.Title, Source: b.Source}
	text, _ := policy.Baseline(b.Name)
	if p, _ := policy.Parse(b.Name, text); p != nil {
		out.Digest = p.Digest()
	}
	return out
}

// listBaselines writes every baseline: the name, and under it what it is and
// what it is taken from.
func (a *app) listBaselines() error {
	if a.out.format == "json" {
		list := []baseline{}
		for _, b := range policy.Baselines() {
			list = append(list, describeBaseline(b))
		}
		return a.printJSON(struct {
			Schema    string     `json:"schema"`
			Baselines []baseline `json:"baselines"`
		}{"exoaudit/baselines/v1", list})
	}
	out := &printer{w: a.Out}
	for _, b := range policy.Baselines() {
		out.line("%s\n    %s\n    from %s", b.Name, b.Title, b.Source)
	}
	return out.err
}

// printBaseline writes one baseline as it is.
func (a *app) printBaseline(name string, text []byte) error {
	if a.out.format != "json" {
		_, err := a.Out.Write(text)
		return err
	}
	for _, b := range policy.Baselines() {
		if b.Name == name {
			described := describeBaseline(b)
			described.Text = string(text)
			return a.printJSON(struct {
				Schema string `json:"schema"`
				baseline
			}{"exoaudit/baseline/v1", described})
		}
	}
	return nil
}

// printJSON writes a result that holds nothing of a tenant as JSON for people
// and programs.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
