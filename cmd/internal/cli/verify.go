package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// verificationSchema names the form of what verify prints as JSON.
const verificationSchema = "exoaudit/verification/v1"

// newVerify builds the command that checks a journal.
func newVerify(a *app) *cobra.Command {
	var c recorded
	var head string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that the journal is whole and as it was written",
		Long: `verify goes through the journal of a tenant and checks its chain of hashes: an
entry that was changed, taken out, put in or moved is found, with its place. That
entries were cut off at the end shows only against a hash that was kept elsewhere:
apply prints the head of the journal, and --head takes it. Nothing is asked of the
tenant, and no credential is needed. Exit status 2 says that something does not fit.`,
		Example: `  exoaudit verify
  exoaudit verify --head 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
  exoaudit verify --from journal.ndjson`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	c.bind(cmd)
	cmd.Flags().StringVar(&head, "head", "", "the `HASH` of an entry that the journal must hold")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		head = strings.ToLower(strings.TrimSpace(head))
		if cmd.Flags().Changed("head") && !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(head) {
			return invalid("--head: a head is 64 hexadecimal digits, as apply prints it")
		}
		return a.verify(cmd.Context(), &c, head)
	}
	return cmd
}

// verify checks the journal and says what was found.
func (a *app) verify(ctx context.Context, c *recorded, head string) error {
	var v verification
	var err error
	if c.from != "" {
		v, err = verifyFile(c, head)
	} else {
		v, err = a.verifyStore(ctx, c, head)
	}
	if err != nil {
		return err
	}
	if err := a.showVerification(v, head); err != nil {
		return noReport("cannot write the result: %w", err)
	}
	if v.wrong != nil {
		return ends(ExitDrift)
	}
	return nil
}

// verification is what was found, and what does not fit.
type verification struct {
	journal.Verification
	place string
	wrong error
}

// judge sorts what went wrong: a journal that does not fit is a finding, one that
// cannot be read an error.
func (v *verification) judge(err error) error {
	_, broken := errors.AsType[*journal.ChainError](err)
	_, cut := errors.AsType[*journal.HeadError](err)
	if broken || cut {
		v.wrong = err
		return nil
	}
	if err != nil {
		return noReport("%w", err)
	}
	return nil
}

func verifyFile(c *recorded, head string) (v verification, err error) {
	f, err := c.journalFile()
	if err != nil {
		return v, err
	}
	v.place = c.from
	v.Verification, err = journal.Verify(journal.Lines(f), head)
	return v, errors.Join(v.judge(err), f.Close())
}

// verifyStore checks the journal in the store, also against the heads that the runs
// in it have noted.
func (a *app) verifyStore(ctx context.Context, c *recorded, head string) (v verification, err error) {
	st, tenant, err := a.openPast(ctx, c)
	if err != nil {
		return v, err
	}
	defer func() { _ = st.Close() }() // it was only read
	v.place = st.Describe() + ", tenant " + tenant
	runs, err := st.Runs(ctx, tenant, store.RunQuery{})
	if err != nil {
		return v, noReport("reading the runs in %s: %w", st.Describe(), err)
	}
	noted := headsOf(runs)
	v.Verification, err = journal.Verify(watched(ctx, st.Lines(ctx, tenant, 0), noted), head)
	if err := v.judge(err); err != nil || v.wrong != nil {
		return v, err
	}
	if left := slices.SortedFunc(maps.Values(noted), func(a, b store.Run) int { return a.StartedAt.Compare(b.StartedAt) }); len(left) > 0 {
		v.wrong = fmt.Errorf("the journal does not hold the head %s that run %s noted: its tail was cut off", left[0].JournalHead, left[0].ID)
	}
	return v, nil
}

// headsOf are the heads that runs noted whose journal is in the store.
func headsOf(runs []store.Run) map[string]store.Run {
	noted := map[string]store.Run{}
	for _, r := range runs {
		if r.JournalHead != "" && r.JournalFile == "" {
			noted[r.JournalHead] = r
		}
	}
	return noted
}

// watched gives lines as they come, until ctx ends, and strikes out the heads that
// are among them.
func watched(ctx context.Context, lines iter.Seq2[store.Line, error], noted map[string]store.Run) iter.Seq2[store.Line, error] {
	return func(yield func(store.Line, error) bool) {
		for line, err := range lines {
			if err == nil {
				err = context.Cause(ctx)
			}
			delete(noted, line.Hash)
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// showVerification writes what was found.
func (a *app) showVerification(v verification, pinned string) error {
	why, entry := "", int64(0)
	if v.wrong != nil {
		why = v.wrong.Error()
	}
	if broken, ok := errors.AsType[*journal.ChainError](v.wrong); ok {
		entry = broken.Entry
	}
	if a.out.format == "json" {
		return writeVerification(a.Out, v, why, entry, pinned)
	}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, report.Line(fmt.Sprintf(format, args...))) }
	add("Journal: %s", v.place)
	if why != "" {
		add("NOT WHOLE: %s", why)
	}
	if entry > 0 {
		add("Entries before that: %d, of %d runs", v.Seq, v.Runs)
	} else {
		add("Entries: %d, of %d runs", v.Seq, v.Runs)
	}
	if v.Seq > 0 {
		add("From %s to %s", v.First.UTC().Format(time.RFC3339), v.Last.UTC().Format(time.RFC3339))
	}
	if v.Seq > 0 && entry == 0 {
		add("Head: %s", v.Head)
	}
	if v.OpenIntents > 0 {
		add("Without outcome: %d writes of %d runs; the next run that writes looks at the tenant", v.OpenIntents, v.OpenRuns)
	}
	if v.Torn {
		add("The last line is only the beginning of one: its write was cut off, so it never counted")
	}
	switch {
	case why != "":
	case pinned != "":
		add("Whole: the pinned head is there, and %d entries follow it", v.After)
	default:
		add("Whole")
	}
	_, err := io.WriteString(a.Out, strings.Join(lines, "\n")+"\n")
	return err
}

// writeVerification writes what was found as JSON.
func writeVerification(w io.Writer, v verification, why string, entry int64, pinned string) error {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema      string `json:"schema"`
		Journal     string `json:"journal"`
		Whole       bool   `json:"whole"`
		Why         string `json:"why"`
		BrokenEntry int64  `json:"brokenEntry"`
		Entries     int64  `json:"entries"`
		Runs        int    `json:"runs"`
		First       string `json:"first"`
		Last        string `json:"last"`
		Head        string `json:"head"`
		PinnedHead  string `json:"pinnedHead"`
		After       int64  `json:"entriesAfterPinnedHead"`
		OpenIntents int    `json:"openIntents"`
		OpenRuns    int    `json:"openRuns"`
		Torn        bool   `json:"torn"`
	}{
		verificationSchema, report.Line(v.place), why == "", report.Line(why), entry, v.Seq, v.Runs, stamp(v.First), stamp(v.Last),
		v.Head, pinned, v.After, v.OpenIntents, v.OpenRuns, v.Torn,
	})
}
