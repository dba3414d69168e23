package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/exoaudit/exoaudit/cmd/internal/daemon"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// defaultListen is where a service says how it is: on this host alone.
const defaultListen = "127.0.0.1:9468"

// serveFlags are the flags of serve.
type serveFlags struct {
	comparison
	serving
	dryRun bool
}

// bind gives a command the flags. One mailbox, reports, and an unlikely population
// taken for the truth are for a single run.
func (s *serveFlags) bind(cmd *cobra.Command) {
	s.target.bind(cmd)
	f := cmd.Flags()
	f.StringVarP(&s.policyFile, "policy", "p", "", "policy `FILE`")
	f.StringVar(&s.failOn, "fail-on", "low", "lowest severity that counts as drift: info, low, medium, high")
	f.BoolVar(&s.strict, "strict", false, "count as drift what the service has no way to set")
	bindState(cmd, &s.state)
	f.StringVar(&s.incremental, flagIncremental, "5m", "`WHEN` to look at what was created or changed: a duration, or five fields of cron")
	f.StringVar(&s.bypassEvery, flagBypassEvery, "1h", "`WHEN` to list the bypass associations as well")
	f.StringVar(&s.full, flagFull, "0 3 * * *", "`WHEN` to sweep the whole tenant")
	f.StringVar(&s.zone, flagZone, "UTC", "time `ZONE` of the fields of cron, such as Europe/Berlin")
	f.StringVar(&s.mode, flagMode, string(daemon.ModeCheck), "check, or apply; or LOOP=MODE,... for some of full, bypass, incremental")
	f.StringVar(&s.listen, flagListen, defaultListen, "`ADDRESS` of /livez, /readyz and /metrics, or none")
	f.BoolVar(&s.dryRun, "dry-run", false, "check policy and configuration, say what would run and when, and end; nothing is called")
}

// newServe builds the command that runs as a service.
func newServe(a *app) *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve -p POLICY",
		Short: "Check or apply by a schedule, as a service",
		Long: `serve looks at a tenant by a schedule: every few minutes at what was created or
changed, every hour at the bypass associations too, every night at all of it.
It reports, or with --mode apply makes the tenant as the policy says, each write
recorded as by apply. It begins with a sweep where there is no fresh one.

SIGHUP reads policy and configuration again; if they are not valid, those in
force stay so. SIGTERM and SIGINT begin no new write, give those in flight 30
seconds, and end with exit status 0. Runs take turns; one that is late or was
missed is made once. Where clocks are put forward over a run it comes after
the gap, where they are put back over it, it comes twice.`,
		Example: `  exoaudit serve -p policy.yaml --dry-run
  exoaudit serve -p policy.yaml --mode apply
  exoaudit serve --config exoaudit.yaml

  exoaudit.yaml: {policy: policy.yaml, serve: {incremental: 5m, full: "0 3 * * *", zone: Europe/Berlin, mode: apply}}`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text")
	flags.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s := &service{app: a, given: givenFlags(cmd.Flags())}
		set, err := a.prepareServe(cmd, &flags)
		if err != nil {
			return err
		}
		if flags.dryRun {
			return a.describeService(a.Out, set)
		}
		return s.run(cmd.Context(), set)
	}
	return cmd
}

// givenFlags gives the flags of a command line, so that they can be read again over a
// configuration that has changed.
func givenFlags(flags *pflag.FlagSet) []string {
	var out []string
	flags.Visit(func(f *pflag.Flag) { out = append(out, "--"+f.Name+"="+f.Value.String()) })
	return out
}

// serviceSettings are the flags, the configuration and the policy of a service, checked.
type serviceSettings struct {
	*serveFlags
	job   *job
	loops []daemon.Loop
}

// prepareServe checks all that needs no network.
func (a *app) prepareServe(cmd *cobra.Command, flags *serveFlags) (*serviceSettings, error) {
	j, err := a.prepare(cmd, &flags.comparison)
	if err != nil {
		return nil, err
	}
	loops, err := flags.loops()
	if err != nil {
		return nil, err
	}
	path, err := a.storePath(flags.state)
	if err == nil && path == "" {
		err = invalid("serve needs a store: without one it cannot tell what is new; give --state PATH")
	}
	return &serviceSettings{serveFlags: flags, job: j, loops: loops}, err
}

// again reads flags, configuration and policy anew, with a logger of its own.
func (s *service) again() (*app, *serviceSettings, error) {
	fresh := &app{Streams: s.Streams, env: s.env}
	cmd := newServe(fresh)
	var flags serveFlags
	read := &cobra.Command{Use: cmd.Use}
	fresh.out.bind(read, "text")
	flags.bind(read)
	if err := read.ParseFlags(s.given); err != nil {
		return nil, nil, err
	}
	set, err := fresh.prepareServe(read, &flags)
	if found, ok := errors.AsType[policy.Diagnostics](err); ok {
		fresh.diagnose(found)
		err = errors.New("the file is not valid, see above")
	}
	return fresh, set, err
}

// describeService says what a service will do, and when.
func (a *app) describeService(w io.Writer, set *serviceSettings) error {
	for _, line := range a.serviceLines(set) {
		if _, err := fmt.Fprintln(w, report.Line(line)); err != nil {
			return noReport("cannot write the report: %w", err)
		}
	}
	return nil
}

// serviceLines sums up a service: what it enforces, where it remembers, and two runs
// of each loop.
func (a *app) serviceLines(set *serviceSettings) []string {
	now := a.env.Now()
	state, _ := a.storePath(set.state) // prepareServe has read it
	lines := []string{fmt.Sprintf("policy %s (%s), remembered in %s", set.job.policy.Name, set.policyFile, state)}
	for _, l := range set.loops {
		first := l.Schedule.Next(now)
		lines = append(lines, fmt.Sprintf("%-11s  %-5s  %-12s  next %s, then %s", l.Name, l.Mode, l.Schedule,
			tickTime(first, l.Schedule.Zone()), tickTime(l.Schedule.Next(first), l.Schedule.Zone())))
		age := set.job.policy.Guards.MaxSweepAge
		if period := l.Schedule.Period(now); l.Name == "full" && period > age {
			lines = append(lines, fmt.Sprintf("warning: sweeps are up to %s apart, but from an age of %s (guards.maxSweepAge) on runs are incomplete", period, age))
		}
	}
	return append(lines, "probes and metrics at "+set.listen)
}

func tickTime(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04:05 MST")
}

// request gives what the runs of a service share.
func (s *serviceSettings) request(a *app, conn *connection) reconcile.Request {
	req := a.request(s.job, conn)
	req.RunID = "" // each run has its own
	return req
}

// sayService puts what will be done in the log.
func (a *app) sayService(ctx context.Context, set *serviceSettings) {
	for _, line := range a.serviceLines(set) {
		a.logger().LogAttrs(ctx, slog.LevelInfo, line)
	}
	if set.listen != noListen && !daemon.Loopback(set.listen) {
		a.logger().WarnContext(ctx, "--listen "+set.listen+": other machines can reach the probes and metrics, which ask for no credential")
	}
}
