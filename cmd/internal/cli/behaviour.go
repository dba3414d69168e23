package cli

import (
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// behaviour holds the flags that say how the simulated service behaves.
type behaviour struct {
	switches []string
	faults   string
	role     string
	throttle float64
}

func (b *behaviour) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&b.switches, "switch", nil, "how the service behaves where that is not known, `NAME=VALUE` (repeatable)")
	f.StringVar(&b.faults, "faults", "", "JSON `FILE` with what goes wrong, and when")
	f.StringVar(&b.role, "role", "", "`NAME` of what the caller may do: "+strings.Join(simulator.RoleNames(), ", ")+"; without it everything")
	f.Float64Var(&b.throttle, "throttle", 0, "let through `N` cmdlets a second, and answer 429 to the rest; 0 is no limit")
}

// apply adds the options to a simulation, or says which flag is wrong.
func (b *behaviour) apply(cfg *SimulationConfig) error {
	var s simulator.Switches
	for _, text := range b.switches {
		if err := simulator.ParseSwitch(&s, text); err != nil {
			return invalid("--switch: %w", err)
		}
	}
	cfg.Options = append(cfg.Options, simulator.WithSwitches(s))
	if b.faults != "" {
		data, err := readFile("--faults", b.faults, maxInput)
		if err != nil {
			return err
		}
		faults, err := simulator.ParseFaults(data)
		if err != nil {
			return invalid("--faults %s: %w", report.Line(b.faults), err)
		}
		cfg.Options = append(cfg.Options, simulator.WithFaults(faults...))
	}
	if b.role != "" {
		role, ok := simulator.RoleNamed(b.role)
		if !ok {
			return invalid("--role %s: there is %s", report.Line(b.role), strings.Join(simulator.RoleNames(), ", "))
		}
		cfg.play(role)
	}
	switch {
	case !(b.throttle >= 0) || math.IsInf(b.throttle, 0):
		return invalid("--throttle %v: it is a number of cmdlets a second, from 0", b.throttle)
	case b.throttle > 0:
		cfg.Options = append(cfg.Options, simulator.WithThrottle(simulator.Throttle{
			PerSecond: b.throttle, Burst: int(max(1, min(b.throttle, math.MaxInt32))), Headers: true, RetryAfter: true,
		}))
	}
	return nil
}

// play gives the caller a role, which the tokens name where it is one of Entra:
// a role group of Exchange shows in no token (wire 6).
func (c *SimulationConfig) play(role simulator.Role) {
	c.Options = append(c.Options, simulator.WithRole(role))
	if id := doctor.DirectoryRoleID(role.Name); id != "" {
		c.DirectoryRoles = []string{id}
	}
}
