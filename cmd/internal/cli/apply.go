package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// applying holds the flags of apply alone.
type applying struct {
	comparison
	yes          bool
	only         []string
	limit        int
	acceptGuards []string
	reason       string
	journal      string
	maxPlanAge   time.Duration
}

func (c *applying) bind(cmd *cobra.Command) {
	c.comparison.bind(cmd)
	c.bindSince(cmd)
	f := cmd.Flags()
	f.BoolVar(&c.yes, "yes", false, "do not ask")
	f.StringSliceVar(&c.only, "only", nil, "write these `KIND`s only: organization, adminAudit, bypass, retention, mailbox")
	f.IntVar(&c.limit, "limit", 0, "write the first `N` mailboxes only")
	f.StringArrayVar(&c.acceptGuards, "accept-guard", nil, "raise a guard for this run, `NAME=LIMIT`; needs --reason (repeatable)")
	f.StringVar(&c.reason, "reason", "", "why a guard is raised; goes on record")
	f.StringVar(&c.journal, "journal", "", "keep the record of changes in this `FILE` (default: in the store, see --state)")
	f.DurationVar(&c.maxPlanAge, "max-plan-age", 24*time.Hour, "refuse a saved plan that is older")
}

// newApply builds the command that writes.
func newApply(a *app) *cobra.Command {
	var c applying
	cmd := &cobra.Command{
		Use:   "apply [PLAN] -p POLICY",
		Short: "Show the plan, ask, write it, and read it back",
		Long: `apply compares as check does, shows the plan, asks, and writes it. Each change
is recorded in a journal together with its inverse before it is made, and read
back after. With a saved PLAN it writes only what stands in both plans.
SIGINT starts no new write, finishes those under way, and reports.`,
		Example: `  exoaudit apply -p policy.yaml
  exoaudit apply -p policy.yaml --yes --only bypass,organization
  exoaudit apply plan.json -p policy.yaml --yes
  exoaudit apply -p policy.yaml --accept-guard maxChangedPercent=60 --reason CHG-4711`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return invalid("apply takes one saved plan, but got %d arguments", len(args))
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := &applyRun{app: a, flags: &c}
		if err := r.prepare(cmd, args); err != nil {
			return err
		}
		return r.run(cmd.Context())
	}
	return cmd
}

// applyRun is one apply, step by step.
type applyRun struct {
	*app
	flags     *applying
	job       *job
	slip      *reconcile.Slip
	selection reconcile.Selection
	raised    []reconcile.RaisedGuard
	journal   string // where it is, if --journal says
	targets   []notify.Target
}

// prepare checks flags, policy and saved plan; nothing is sent yet.
func (r *applyRun) prepare(cmd *cobra.Command, args []string) error {
	var err error
	r.flags.own = func() []claim { return r.claims(args) }
	if r.job, err = r.app.prepare(cmd, &r.flags.comparison); err != nil {
		return err
	}
	if err := r.journaled(); err != nil {
		return err
	}
	if r.flags.sinceLastRun && len(args) > 0 {
		return invalid("--since-last-run and a saved plan exclude each other: a saved plan is of the whole tenant")
	}
	if r.selection, err = r.flags.selection(cmd.Flags().Changed("limit")); err != nil {
		return err
	}
	if r.raised, err = r.flags.raised(); err != nil {
		return err
	}
	if r.targets, err = r.app.targets(); err != nil {
		return err
	}
	if len(args) == 0 {
		return nil
	}
	r.slip, err = readSlip(args[0])
	return err
}

// journaled makes sure that there is a place for the record of what is written.
func (r *applyRun) journaled() error {
	if r.flags.journal != "" {
		return nil
	}
	path, err := r.storePath(r.flags.state)
	if err == nil && path == "" {
		return invalid("without a store (--state %s) nothing records what is written; give --journal FILE", noStore)
	}
	return err
}

// claims lists the saved plan and the journal.
func (r *applyRun) claims(args []string) []claim {
	var out []claim
	for _, path := range args {
		out = append(out, claim{flag: "PLAN", path: path})
	}
	if path := r.flags.journal; path != "" {
		out = append(out,
			claim{flag: "--journal", path: path, use: appends, settled: &r.journal},
			claim{flag: "the lock of --journal", path: path, use: locks})
	}
	return out
}

func readSlip(path string) (*reconcile.Slip, error) {
	f, err := openInput(path, maxPlan, 0)
	if err != nil {
		return nil, fileProblem("PLAN", err)
	}
	slip, err := reconcile.ReadSlip(io.LimitReader(f, maxPlan))
	return slip, errors.Join(err, f.Close())
}

// selection reads --only and, where it was given, --limit.
func (c *applying) selection(limited bool) (reconcile.Selection, error) {
	if limited && c.limit < 1 {
		return reconcile.Selection{}, invalid("--limit %d: it must be 1 or more; leave it out to write all", c.limit)
	}
	s, err := reconcile.ParseSelection(c.only, c.limit)
	if err != nil {
		return s, invalid("--only: %w", err)
	}
	return s, nil
}

// raised reads --accept-guard and --reason.
func (c *applying) raised() ([]reconcile.RaisedGuard, error) {
	if c.reason != "" && len(c.acceptGuards) == 0 {
		return nil, invalid("--reason says why a guard is raised, but there is no --accept-guard")
	}
	var out []reconcile.RaisedGuard
	for _, text := range c.acceptGuards {
		g, err := reconcile.ParseRaisedGuard(text, c.reason)
		if err != nil {
			return nil, invalid("--accept-guard: %w (give --reason TEXT)", err)
		}
		out = append(out, g)
	}
	return out, nil
}

// run connects, plans, shows, asks, writes, reports, and tells those who are to hear
// of it.
func (r *applyRun) run(ctx context.Context) error {
	c, err := r.begin(ctx, r.job)
	if err != nil {
		return err
	}
	defer c.close()
	if r.slip != nil {
		if err := r.slip.Admit(c.conn.tenant, r.job.policy.Digest(), r.env.Now(), r.flags.maxPlanAge); err != nil {
			return err
		}
	}
	req := r.request(r.job, c.conn)
	req.Selection, req.Raised = r.selection, r.raised
	telling, err := c.tell(ctx, r.targets, req.RunID)
	if err != nil {
		return err
	}
	err = r.write(ctx, c, req, telling)
	telling.end(ctx, err)
	return err
}

// write is run from the lock on. The tenant is locked and its lease taken before it is
// read, so that two runs cannot plan from the same state.
func (r *applyRun) write(ctx context.Context, c *comparing, req reconcile.Request, telling *telling) error {
	writing, done, err := c.write(ctx, req.RunID, r.journal)
	if err != nil {
		return err
	}
	defer done()
	p, err := writing.Check(ctx, req)
	if p, err = c.planned(ctx, writing, p, err); err != nil {
		return err
	}
	run, err := r.carryOut(ctx, c, writing, task{command: "apply", plan: p, telling: telling, write: writing.Apply, slip: r.slip})
	if err != nil {
		return err
	}
	telling.run = run
	return r.finish(run)
}

// task is a plan, and how it is written.
type task struct {
	command string
	plan    *reconcile.Plan
	telling *telling
	write   func(context.Context, *reconcile.Plan, reconcile.ApplyOptions) (*reconcile.Run, error)
	slip    *reconcile.Slip
}

// carryOut shows a plan, asks, tells those who are to hear of it, writes it, and keeps
// what came of it.
func (r *applyRun) carryOut(ctx context.Context, c *comparing, writing *reconcile.Writing, t task) (*reconcile.Run, error) {
	if err := r.showBefore(t.plan); err != nil {
		return nil, err
	}
	if err := r.confirm(ctx, t.plan); err != nil {
		return nil, err
	}
	t.telling.before(ctx, t.command, t.plan)
	progress := r.newProgress("writing mailboxes")
	run, err := t.write(ctx, t.plan, reconcile.ApplyOptions{
		Slip: t.slip, Now: r.env.Now, Observer: reconcile.Observer{Wrote: progress.show},
	})
	progress.end()
	if err != nil {
		return nil, noReport("nothing was written: %w", err)
	}
	c.notKept(ctx, writing.Keep(ctx, t.command, run, r.job.threshold, func(w io.Writer) error {
		return report.WriteRun(w, run, r.job.threshold)
	}))
	return run, nil
}

// showBefore shows the plan: on standard output, or where that is for the
// run's JSON, on standard error.
func (r *applyRun) showBefore(p *reconcile.Plan) error {
	to, color := r.Out, r.colored(r.OutTerminal)
	if r.app.out.format == "json" {
		to, color = r.Err, r.colored(r.ErrTerminal)
	}
	if err := report.WritePlanText(to, p, r.job.threshold, report.TextOptions{Color: color, Verbose: r.app.out.verbose}); err != nil {
		return noReport("cannot show the plan: %w", err)
	}
	return nil
}

// confirm asks, where there is something to write and nobody said yes.
func (r *applyRun) confirm(ctx context.Context, p *reconcile.Plan) error {
	s := p.Summary()
	planned := s.Changes.Planned - s.Carried
	if planned == 0 || p.GuardRefused() || r.flags.yes {
		return nil
	}
	if !r.InTerminal {
		return refused("%d changes are planned and nobody can be asked, as standard input is no terminal; give --yes to write them", planned)
	}
	return r.ask(ctx, "Write these changes to tenant "+p.Tenant+"? Type yes to go on: ")
}

// finish reports the run and gives its exit status.
func (r *applyRun) finish(done *reconcile.Run) error {
	reports := r.results(done)
	r.explainGuard(done.Plan)
	return endsWith(statusOfRun(done, r.job.threshold), reports)
}

// results reports what became of a plan. On the stream the plan has just been
// shown, so text there is of the results alone.
func (r *applyRun) results(done *reconcile.Run) error {
	return r.show(r.job, report.OfRun(done, r.job.threshold), report.TextOptions{ResultsOnly: true})
}

// explainGuard says what can be done about the guard that refused a run.
func (r *applyRun) explainGuard(p *reconcile.Plan) {
	for _, g := range p.Guards {
		switch {
		case !g.Refused:
		case g.Name == "population":
			r.logger().Error("nothing was written: the tenant shows no mailboxes, or far fewer; if that is so, give --accept-population")
		default:
			r.logger().Error("nothing was written: the guard " + g.Name + " refuses the run; --accept-guard " + g.Name + "=LIMIT --reason TEXT raises it once")
		}
	}
}

// statusOfRun gives the exit status of an applied run.
func statusOfRun(r *reconcile.Run, t reconcile.Threshold) int {
	codes := []int{ExitInLine}
	if r.Denied() {
		codes = append(codes, ExitDenied)
	}
	if r.Plan.GuardRefused() {
		codes = append(codes, ExitRefused)
	}
	if r.Incomplete() {
		codes = append(codes, ExitIncomplete)
	}
	if r.DriftLeft(t) {
		codes = append(codes, ExitDrift)
	}
	return worst(codes...)
}
