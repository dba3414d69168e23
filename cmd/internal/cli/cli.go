package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// Streams are where a command reads and writes, and whether a person sits
// there.
type Streams struct {
	In                       io.Reader
	Out, Err                 io.Writer
	InTerminal               bool
	OutTerminal, ErrTerminal bool
}

// StandardStreams are those of the process.
func StandardStreams() Streams {
	terminal := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: terminal(os.Stdin), OutTerminal: terminal(os.Stdout), ErrTerminal: terminal(os.Stderr),
	}
}

// Environment is what a command knows of its surroundings beside its streams.
type Environment struct {
	// Getenv reads an environment variable.
	Getenv func(string) string
	// Now gives the time.
	Now func() time.Time
	// Transport carries every call, to the admin API and to the authority; nil
	// is the network. It stands in for it where a tenant lives in the same
	// process.
	Transport http.RoundTripper
	// Signals lets a service take signals its own way; nil is none.
	Signals *Signals
}

// ProcessEnvironment is that of the process.
func ProcessEnvironment() Environment {
	return Environment{Getenv: os.Getenv, Now: time.Now}
}

// app is one run of the program.
type app struct {
	Streams
	env Environment
	out output
	// receivers are those of notify in the configuration file.
	receivers []receiver
	// stopped is set by a command that a signal ends in good order.
	stopped bool
}

// Main runs the program with the arguments after its name and returns the exit
// status. A context that [Signals.NotifyContext] made ends it as a signal should.
func Main(ctx context.Context, args []string, streams Streams, env Environment) int {
	a := &app{Streams: streams, env: env}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	addBuiltin(root)
	err := root.ExecuteContext(ctx)
	status := statusOf(err)
	if signaled := statusOfSignal(ctx); signaled != 0 && !a.stopped {
		if errors.Is(err, context.Canceled) {
			err = context.Cause(ctx) // what was under way when it came does not matter
		}
		status = signaled
	}
	if e, ok := errors.AsType[*statusError](err); err != nil && (!ok || e.err != nil) {
		a.fail(err)
	}
	return status
}

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "exoaudit",
		Short: "Keep the audit configuration of Exchange Online as a policy file says",
		Long: `exoaudit compares the audit configuration of an Exchange Online tenant with a
policy file, shows the drift, and fixes it.

  exoaudit demo                        see it work, on a tenant in this process
  exoaudit doctor                      say what a credential may do, and what is missing
  exoaudit init --out policy.yaml      draft a policy from a tenant
  exoaudit validate policy.yaml        check a policy, offline
  exoaudit check -p policy.yaml        compare; exit status 2 on drift (for CI)
  exoaudit plan  -p policy.yaml        compare; show what apply would do
  exoaudit apply -p policy.yaml        show, ask, fix, read back
  exoaudit serve -p policy.yaml        do so by a schedule, as a service
  exoaudit undo  last                  take back what the last run wrote
  exoaudit history                     list what past runs did
  exoaudit verify                      check that the record of it is whole
  exoaudit evidence -p policy.yaml --out FILE.zip
                                       check, and bundle what was found for an auditor`,
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return invalid("a command is needed; exoaudit --help lists them")
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newValidate(a), newCheck(a), newPlan(a), newApply(a), newUndo(a), newHistory(a), newVerify(a), newEvidence(a),
		newInit(a), newExplain(a), newTest(a), newBaselines(a), newSchema(a),
		newDoctor(a), newServe(a), newSimulate(a), newDemo(a), newVersion(a),
	)
	return root
}

// unknownCommand names the nearest command, or says that it comes later.
func unknownCommand(cmd *cobra.Command, name string) error {
	if slices.Contains(laterCommands(), name) {
		return invalid("the command %s is not in this version", name)
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return invalid("unknown command %s%s; %s --help lists the commands", report.Line(name), nearest(name, names, ""), cmd.CommandPath())
}

// laterCommands are known by name and not built yet.
func laterCommands() []string {
	return []string{
		"events", "gaps", "fleet", "store",
	}
}

// laterFlags are known by name and not built yet: they are refused, since a
// flag that is accepted and ignored is a promise broken in silence.
func laterFlags() []string { return []string{"feed"} }

// flagError turns the flag parser's error into one that says what to do.
func flagError(cmd *cobra.Command, err error) error {
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return invalid("%s: %s", cmd.CommandPath(), report.Line(err.Error()))
	}
	name := missing.GetSpecifiedName()
	if missing.GetSpecifiedShortnames() != "" {
		return invalid("%s: unknown flag -%s; see exoaudit %s --help", cmd.CommandPath(), report.Line(name), cmd.Name())
	}
	if slices.Contains(laterFlags(), name) {
		return invalid("%s: unknown flag --%s: it is not in this version", cmd.CommandPath(), name)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return invalid("%s: unknown flag --%s%s; see exoaudit %s --help",
		cmd.CommandPath(), report.Line(name), nearest(name, names, "--"), cmd.Name())
}

// nearest gives ", did you mean X?" where a name is near another.
func nearest(word string, names []string, prefix string) string {
	slices.Sort(names)
	if n := strict.Nearest(strings.ToLower(word), names); n != "" {
		return ", did you mean " + prefix + n + "?"
	}
	return ""
}

// noArguments refuses arguments, with words of our own.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return invalid("%s takes no argument, but got %s", cmd.CommandPath(), report.Line(args[0]))
	}
	return nil
}
