package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what the build says of itself.
type version struct {
	Tool     string `json:"tool"`
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildVersion() version {
	v := version{Tool: "exoaudit", Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// toolName is what plans and requests call this program.
func toolName() string {
	v := buildVersion()
	return v.Tool + " " + v.Version
}

func newVersion(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArguments,
	}
	a.out.bind(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		v := buildVersion()
		if a.out.format == "json" {
			return json.NewEncoder(a.Out).Encode(v)
		}
		_, err := fmt.Fprintf(a.Out, "%s %s (%s, %s)\n", v.Tool, v.Version, v.Go, v.Platform)
		return err
	}
	return cmd
}
