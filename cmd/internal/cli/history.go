package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// asked holds the flags of history.
type asked struct {
	recorded
	run, mailbox string
	since, until string
	limit        int
	all          bool
}

func (c *asked) bind(cmd *cobra.Command) {
	c.recorded.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&c.run, "run", "", "one run, by its `ID` or the beginning of it, with each change")
	f.StringVar(&c.mailbox, "mailbox", "", "what was done to one object, by its address or `GUID`")
	f.StringVar(&c.since, "since", "", "runs that started at or after this `TIME`: 24h, 7d, 2026-11-01, or RFC 3339")
	f.StringVar(&c.until, "until", "", "runs that started before this `TIME`")
	f.IntVar(&c.limit, "limit", 0, "the newest `N` runs only")
	f.BoolVar(&c.all, "all", false, "also the runs that only compared")
}

// newHistory builds the command that lists past runs.
func newHistory(a *app) *cobra.Command {
	var c asked
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what past runs did to a tenant",
		Long: `history lists the runs that wrote to a tenant, the newest first: when, by which
command, with which verdict, and what became of the changes. With --run or
--mailbox it shows each change. A run that was killed is told as the journal has
it. Nothing is asked of the tenant, and no credential is needed. A journal that
does not hold together is told up to that place, with exit status 2; see verify.`,
		Example: `  exoaudit history
  exoaudit history --since 7d --mailbox ceo@contoso.com
  exoaudit history --run 7c9e1d42 --format json
  exoaudit history --from journal.ndjson`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		query, err := c.query(a.env.Now())
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("limit") && c.limit < 1 {
			return invalid("--limit %d: it must be 1 or more; leave it out to list all", c.limit)
		}
		return a.history(cmd.Context(), &c, query)
	}
	return cmd
}

// query reads the flags that select runs.
func (c *asked) query(now time.Time) (reconcile.HistoryQuery, error) {
	q := reconcile.HistoryQuery{Run: c.run, All: c.all}
	var err error
	if q.Since, err = timeOf("--since", c.since, now); err != nil {
		return q, err
	}
	if q.Until, err = timeOf("--until", c.until, now); err != nil {
		return q, err
	}
	if !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return q, invalid("--since is not before --until")
	}
	return q, nil
}

// timeOf reads a time: so long ago, the beginning of a day in UTC, or RFC 3339.
func timeOf(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n).UTC(), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago).UTC(), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, invalid("%s %s: write how long ago (24h, 7d), a day (2026-11-01), or a time of RFC 3339", flag, report.Line(text))
}

// history reads the record and writes what was asked for.
func (a *app) history(ctx context.Context, c *asked, q reconcile.HistoryQuery) error {
	h, end, err := a.openHistory(ctx, c)
	if err != nil {
		return err
	}
	defer end()
	runs, err := h.Runs(ctx, q)
	if err != nil {
		return noReport("%w", err)
	}
	options := report.HistoryOptions{Subject: c.mailbox, Limit: c.limit, Changes: c.run != "", Color: a.colored(a.OutTerminal)}
	write := report.WriteHistoryText
	if a.out.format == "json" {
		write = report.WriteHistory
	}
	notices, err := write(ctx, a.Out, h, runs, options)
	for _, n := range notices {
		a.logger().WarnContext(ctx, n)
	}
	if err != nil {
		return noReport("cannot write the result: %w", err)
	}
	if h.Broken != nil {
		return &statusError{status: ExitDrift, err: errors.Join(h.Broken, errors.New("what the journal holds from there on is not told; exoaudit verify checks it"))}
	}
	return nil
}

// openHistory opens the record; the function gives it back.
func (a *app) openHistory(ctx context.Context, c *asked) (*reconcile.History, func(), error) {
	if c.from != "" {
		f, err := c.journalFile()
		if err != nil {
			return nil, nil, err
		}
		h, err := reconcile.FileHistory(ctx, f)
		if err != nil {
			return nil, nil, errors.Join(noReport("%s: %w", report.Line(c.from), err), f.Close())
		}
		return h, func() { _ = f.Close() }, nil // nothing was written to it
	}
	st, tenant, err := a.openPast(ctx, &c.recorded)
	if err != nil {
		return nil, nil, err
	}
	h, err := reconcile.OpenHistory(ctx, st, tenant)
	if err != nil {
		return nil, nil, errors.Join(noReport("%w", err), st.Close())
	}
	return h, func() { _ = st.Close() }, nil // it was only read
}
