package cli

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// output is how a command speaks.
type output struct {
	format    string
	color     string
	quiet     bool
	verbose   bool
	logFormat string
	config    string
	log       *slog.Logger
}

// bind gives a command the flags about output. The first format is the
// default.
func (o *output) bind(cmd *cobra.Command, formats ...string) {
	f := cmd.Flags()
	f.StringVar(&o.format, "format", formats[0], "form of the result on standard output: "+strings.Join(formats, ", "))
	f.StringVar(&o.color, "color", "auto", "colour: auto, always, never (NO_COLOR is honoured)")
	f.BoolVar(&o.quiet, "quiet", false, "no notices on standard error, warnings and errors only")
	f.BoolVar(&o.verbose, "verbose", false, "name every object; show each request on standard error")
	f.StringVar(&o.logFormat, "log-format", "text", "form of standard error: text, json")
	f.StringVar(&o.config, "config", "", "YAML `FILE` with flag names as keys; flags and environment win over it")
	cmd.Annotations = map[string]string{"formats": strings.Join(formats, " ")}
}

// given gives the flags about text and notices that differ from their
// defaults, for a command that runs others.
func (o *output) given() []string {
	var flags []string
	if o.color != "auto" {
		flags = append(flags, "--color", o.color)
	}
	if o.quiet {
		flags = append(flags, "--quiet")
	}
	if o.verbose {
		flags = append(flags, "--verbose")
	}
	if o.logFormat != "text" {
		flags = append(flags, "--log-format", o.logFormat)
	}
	return flags
}

// settle completes the flags of a command from the environment and the
// configuration file, checks the ones about output, and makes the logger.
func (a *app) settle(cmd *cobra.Command) error {
	if err := a.layer(cmd); err != nil {
		return err
	}
	o := &a.out
	formats := strings.Fields(cmd.Annotations["formats"])
	if !cmd.Flags().Changed("format") {
		o.format = formats[0] // commands share the variable, not the default
	}
	if !slices.Contains(formats, o.format) {
		return invalid("--format %s: there is %s", report.Line(o.format), strings.Join(formats, ", "))
	}
	if !slices.Contains([]string{"auto", "always", "never"}, o.color) {
		return invalid("--color %s: there is auto, always, never", report.Line(o.color))
	}
	if !slices.Contains([]string{"text", "json"}, o.logFormat) {
		return invalid("--log-format %s: there is text, json", report.Line(o.logFormat))
	}
	if o.quiet && o.verbose {
		return invalid("--quiet and --verbose exclude each other")
	}
	level := slog.LevelInfo
	switch {
	case o.quiet:
		level = slog.LevelWarn
	case o.verbose:
		level = slog.LevelDebug
	}
	o.log = newLogger(a.Err, o.logFormat, level)
	return nil
}

// colored says whether text for a terminal or a file is coloured.
func (a *app) colored(terminal bool) bool {
	switch a.out.color {
	case "always":
		return true
	case "never":
		return false
	default:
		return terminal && a.env.Getenv("NO_COLOR") == "" && a.env.Getenv("TERM") != "dumb"
	}
}

// logger gives the logger, also before the flags are known to be right.
func (a *app) logger() *slog.Logger {
	if a.out.log == nil {
		return newLogger(a.Err, a.out.logFormat, slog.LevelInfo)
	}
	return a.out.log
}

// fail says why the program ends. The mistakes of a file are one line each,
// without a prefix, so that editors and CI systems find the position.
func (a *app) fail(err error) {
	if found, ok := errors.AsType[policy.Diagnostics](err); ok {
		a.diagnose(found)
		err = errors.New("the file is not valid, see above")
	}
	a.logger().Error(err.Error())
}

// diagnose writes findings about a file to standard error.
func (a *app) diagnose(found policy.Diagnostics) {
	for _, d := range found.Sorted() {
		if a.out.logFormat == "json" {
			level := slog.LevelWarn
			if d.Severity == strict.Error {
				level = slog.LevelError
			}
			a.logger().Log(context.Background(), level, d.Message, "severity", d.Severity.String(), "code", d.Code, "position", d.Pos.String(), "hint", d.Hint)
			continue
		}
		writeLine(a.Err, d.String())
	}
}
