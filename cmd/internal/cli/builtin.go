package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// addBuiltin gives the root the commands that cobra would add by itself, help
// and completion. Cobra's own end with status 0 whatever they are asked for.
// The streams must be set before, since completion takes them now.
func addBuiltin(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	strictHelp(child(root, "help"))
	strictCompletion(child(root, "completion"))
}

// strictHelp makes the command refuse what is no command.
func strictHelp(help *cobra.Command) {
	help.Args, help.Run = cobra.ArbitraryArgs, nil
	help.RunE = func(cmd *cobra.Command, args []string) error {
		about := cmd.Root()
		for _, name := range args {
			next := child(about, name)
			if next == nil {
				return unknownCommand(about, name)
			}
			about = next
		}
		about.InitDefaultHelpFlag()
		return about.Help()
	}
}

// child gives the command below another by its name, or nil.
func child(parent *cobra.Command, name string) *cobra.Command {
	for _, c := range parent.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// strictCompletion makes the command refuse what is no shell it knows.
func strictCompletion(completion *cobra.Command) {
	var shells []string
	for _, c := range completion.Commands() {
		c.Args = noArguments
		shells = append(shells, c.Name())
	}
	slices.Sort(shells)
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return invalid("%s needs the name of a shell: there is %s", cmd.CommandPath(), strings.Join(shells, ", "))
		}
		return invalid("%s %s: there is %s", cmd.CommandPath(), report.Line(args[0]), strings.Join(shells, ", "))
	}
}
