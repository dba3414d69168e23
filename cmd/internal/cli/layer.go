package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// flagVariables names the environment variable that stands for a flag.
func flagVariables() map[string]string {
	return map[string]string{
		"tenant":   "AZURE_TENANT_ID",
		"endpoint": "EXOAUDIT_ENDPOINT",
		"ca-file":  "EXOAUDIT_CA_FILE",
		"state":    "EXOAUDIT_STATE",
	}
}

// layer fills the flags that were not given: from the environment, else from
// the configuration file.
func (a *app) layer(cmd *cobra.Command) error {
	values := map[string][]string{}
	if a.out.config != "" {
		config, err := readConfig(a.out.config)
		if err != nil {
			return err
		}
		values, a.receivers = config.values, config.receivers
	}
	for name, variable := range flagVariables() {
		if v := a.env.Getenv(variable); v != "" {
			values[name] = []string{v}
		}
	}
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			return
		}
		for _, v := range values[f.Name] {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				errs = append(errs, invalid("%s for --%s (from the environment or %s): %w", v, f.Name, a.out.config, err))
			}
		}
	})
	return together(append(errs, empty(cmd))...)
}

// empty refuses a flag whose value is empty: where a script has lost a value,
// the command would look at, or write, more than was meant.
func empty(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		blank := func(v string) bool { return strings.TrimSpace(v) == "" }
		if f.Changed && (len(values) == 0 || slices.ContainsFunc(values, blank)) {
			errs = append(errs, invalid("--%s has an empty value; leave the flag out, or give a value", f.Name))
		}
	})
	return together(errs...)
}

// configuration is what a configuration file holds: values of flags by their names,
// and what no flag says.
type configuration struct {
	values    map[string][]string
	receivers []receiver
}

// readConfig reads a configuration file: flag names as keys. Files it names
// are relative to its own folder, since it may be read from anywhere.
func readConfig(file string) (*configuration, error) {
	data, err := readFile("--config", file, maxInput)
	if err != nil {
		return nil, err
	}
	doc := strict.Parse(file, data)
	values := map[string][]string{}
	top, _ := doc.Root().Map(
		strict.Keys("policy", "tenant", "cloud", "endpoint", "ca-file", "auth", "format", "report",
			"color", "quiet", "verbose", "log-format", "strict", "fail-on", "journal", "max-plan-age", "state", "notify", "serve"),
	)
	for _, name := range []string{"tenant", "cloud", "endpoint", "auth", "format", "color", "log-format", "fail-on", "max-plan-age"} {
		if v, ok := top.Get(name).Text(); ok {
			values[name] = []string{v}
		}
	}
	for _, name := range []string{"policy", "ca-file", "journal"} {
		if v, ok := top.Get(name).Text(); ok {
			values[name] = []string{beside(file, v)}
		}
	}
	if v, ok := top.Get("state").Text(); ok {
		values["state"] = []string{stateBeside(file, v)}
	}
	for _, name := range []string{"quiet", "verbose", "strict"} {
		if v, ok := top.Get(name).Bool(); ok {
			values[name] = []string{map[bool]string{true: "true", false: "false"}[v]}
		}
	}
	for _, n := range top.Get("report").OneOrMore() {
		if v, ok := n.Text(); ok {
			form, target, _ := strings.Cut(v, "=")
			values["report"] = append(values["report"], form+"="+beside(file, target))
		}
	}
	readServe(top.Get("serve"), values)
	receivers := readReceivers(file, top.Get("notify"))
	if found := doc.Diagnostics(); found.HasErrors() {
		return nil, found
	}
	return &configuration{values: values, receivers: receivers}, nil
}

// stateBeside is beside for a store, which may also be none, or be named with its
// kind.
func stateBeside(file, dsn string) string {
	kind, path, found := strings.Cut(dsn, ":")
	switch {
	case dsn == "" || dsn == noStore:
		return dsn
	case found && kind == "sqlite":
		return kind + ":" + beside(file, path)
	case found && len(kind) > 1:
		return dsn
	default:
		return beside(file, dsn)
	}
}

// beside gives a path relative to the folder of a file.
func beside(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}
