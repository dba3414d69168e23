package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// undoing holds the flags of undo.
type undoing struct {
	applying
	allowWeakening bool
	from           string
}

func (c *undoing) bind(cmd *cobra.Command) {
	c.target.bind(cmd)
	f := cmd.Flags()
	f.StringVarP(&c.policyFile, "policy", "p", "", "policy `FILE` that must not be broken (without it nothing may be weakened)")
	f.BoolVar(&c.allowWeakening, "allow-weakening", false, "let the undo break the policy, or without one weaken auditing")
	f.BoolVar(&c.yes, "yes", false, "do not ask")
	f.StringVar(&c.from, "from", "", "read the run from this journal `FILE` (default: from the store)")
	f.StringVar(&c.journal, "journal", "", "keep the record of changes in this `FILE` (default: in the store, see --state)")
	bindState(cmd, &c.state)
	c.bindReports(cmd)
	// Whatever is left of a run is said by the exit status.
	c.failOn, c.withoutPolicy = "info", true
}

// newUndo builds the command that takes a run back.
func newUndo(a *app) *cobra.Command {
	var c undoing
	cmd := &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run wrote",
		Long: `undo plans the way back of a run from its journal, shows it, asks, writes it, and
reads it back. RUN is the id of a run, the beginning of one, or "last". What does
not show any more what the run left is somebody else's by now, and left alone.
A removed bypass never comes back. Without a policy nothing is weakened, with
-p POLICY nothing is done that would break it, unless --allow-weakening is given.
What is written is on record as that of any run, so an undo can be undone.`,
		Example: `  exoaudit undo last --allow-weakening
  exoaudit undo 7c9e1d42 -p policy.yaml
  exoaudit undo last --from journal.ndjson --journal undo.ndjson --yes`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || strings.TrimSpace(args[0]) == "" {
				return invalid("undo takes one run: its id, the beginning of it, or last")
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := &undoRun{applyRun: applyRun{app: a, flags: &c.applying}, flags: &c}
		if err := r.prepare(cmd); err != nil {
			return err
		}
		return r.run(cmd.Context(), args[0])
	}
	return cmd
}

// undoRun is one undo, step by step. It shows, asks and reports as an apply does.
type undoRun struct {
	applyRun
	flags *undoing
}

// prepare checks flags and policy; nothing is sent yet.
func (r *undoRun) prepare(cmd *cobra.Command) error {
	var err error
	r.flags.own = func() []claim {
		own := r.claims(nil)
		if r.flags.from != "" {
			own = append(own, claim{flag: "--from", path: r.flags.from})
		}
		return own
	}
	if r.job, err = r.app.prepare(cmd, &r.flags.comparison); err != nil {
		return err
	}
	if err := r.journaled(); err != nil {
		return err
	}
	if path, err := r.storePath(r.flags.state); r.flags.from == "" && (err != nil || path == "") {
		return invalid("without a store there is no journal to read the run from; give --from FILE")
	}
	r.targets, err = r.app.targets()
	return err
}

// run finds the run, connects, plans, shows, asks, writes and reports.
func (r *undoRun) run(ctx context.Context, text string) error {
	c, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	past, err := r.find(ctx, c, text)
	if err != nil {
		return err
	}
	if past.tenant != c.conn.tenant {
		return refused("%w", &reconcile.ForeignRunError{Run: past.id, Tenant: past.tenant})
	}
	if !past.wrote {
		return r.nothing(past.id)
	}
	if err := r.comply(ctx, c, past); err != nil {
		return err
	}
	id := uuid.NewString()
	telling, err := c.tell(ctx, r.targets, id)
	if err != nil {
		return err
	}
	// How an undo ends says nothing of how the tenant stands to its policy, so that only
	// its beginning and its end are told.
	defer telling.end(ctx, nil)
	return r.write(ctx, c, past, id, telling)
}

// nothing ends an undo of a run that wrote nothing.
func (r *undoRun) nothing(id string) error {
	to := r.Out
	if r.app.out.format == "json" {
		to = r.Err // There is no run to print.
	}
	if _, err := fmt.Fprintf(to, "Run %s wrote nothing, so there is nothing to undo.\n", report.Line(id)); err != nil {
		return noReport("cannot write the report: %w", err)
	}
	return nil
}

// begin connects to the tenant and opens the store.
func (r *undoRun) begin(ctx context.Context) (*comparing, error) {
	st, err := r.openStore(ctx, r.flags.state, false)
	if err != nil {
		return nil, err
	}
	c := &comparing{app: r.app, job: r.job, session: &reconcile.Session{Store: st, Now: r.env.Now}}
	if c.conn, err = r.connect(ctx, r.job.target); err != nil {
		if st != nil {
			err = errors.Join(err, st.Close())
		}
		return nil, err
	}
	c.session.TenantID, c.session.Client = c.conn.tenant, c.conn.client
	return c, nil
}

// comply connects once more, to the service of the retention policies too, where the
// run wrote one.
func (r *undoRun) comply(ctx context.Context, c *comparing, past *pastRun) error {
	if !past.retention {
		return nil
	}
	conn, err := r.connectWith(ctx, r.job.target, calling{retention: true})
	if err != nil {
		return err
	}
	c.conn.idle()
	c.conn, c.session.Client, c.session.Compliance = conn, conn.client, conn.compliance
	return nil
}

// write is run from the lock on.
func (r *undoRun) write(ctx context.Context, c *comparing, past *pastRun, id string, telling *telling) error {
	writing, done, err := c.write(ctx, id, r.journal)
	if err != nil {
		return err
	}
	defer done()
	// Only now: what an earlier run left open was closed by the look at the tenant
	// that write takes.
	if past.entries, err = r.entries(ctx, c, past.id); err != nil {
		return err
	}
	p, err := writing.PlanUndo(ctx, reconcile.UndoRequest{
		Tool: toolName(), RunID: id, Now: r.env.Now, Run: past.id, Entries: past.entries,
		Policy: r.job.policy, AllowWeakening: r.flags.allowWeakening,
	})
	if p, err = c.planned(ctx, writing, p, err); err != nil {
		return err
	}
	run, err := r.carryOut(ctx, c, writing, task{command: "undo", plan: p, telling: telling, write: writing.Undo})
	if err != nil {
		return err
	}
	telling.undone = run
	reports := r.results(run)
	if i := slices.IndexFunc(p.Guards, func(g reconcile.Guard) bool { return g.Refused }); i >= 0 {
		r.logger().ErrorContext(ctx, "nothing was written: the guard "+p.Guards[i].Name+" of the policy refuses the undo; without -p no guard holds it back")
	}
	return endsWith(statusOfRun(run, r.job.threshold), reports)
}
