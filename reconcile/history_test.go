package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// deed is an intent about the owner list of a mailbox.
func deed(change, id, name string) journal.Intent {
	return journal.Intent{
		Change:  change,
		Subject: journal.Subject{Kind: audit.KindMailbox, ID: id, Name: name, Type: audit.UserMailbox},
		Setting: audit.SettingAuditOwner, Before: []string{"Create"}, After: []string{"Create", "Move"},
		Inverse: journal.Inverse{Setting: audit.SettingDefaultAuditSet, Add: []string{"Owner"}}, Origin: "policy.yaml:7:5",
	}
}

func became(i journal.Intent, result reconcile.Result, of string) journal.Outcome {
	return journal.Outcome{Change: i.Change, Subject: i.Subject, Setting: i.Setting, Result: string(result), Of: of}
}

// pastOf is a shelf with three runs: one that was killed, one that closed what the
// first left open and came to its end, and one that only compared.
func pastOf(t *testing.T) *shelf {
	t.Helper()
	s := newShelf()
	ctx := t.Context()
	lease, err := s.Acquire(ctx, "t", store.Holder{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(run string) *journal.Book {
		time.Sleep(time.Hour)
		head := s.head
		return journal.NewBook(run, time.Now, head.Hash, head.Seq, func(_ context.Context, lines []journal.Line) error {
			defer func() { head = s.head }()
			return s.Append(ctx, lease, head, lines)
		})
	}
	a, b, c, d := deed("a", "id-1", "ann@contoso.com"), deed("b", "id-2", "bob@contoso.com"), deed("c", "id-3", "cyd@contoso.com"), deed("d", "id-1", "ann.new@contoso.com")
	killed := begin("killed")
	err = errors.Join(
		killed.Begin(ctx, journal.Begin{Tool: "exoaudit test", Tenant: "t", PolicyName: "p", PolicyDigest: "sha256:00"}),
		killed.Intend(ctx, []journal.Intent{a, b, c}),
		killed.Conclude(ctx, []journal.Outcome{became(a, reconcile.ResultUnconfirmed, "")}),
		killed.Conclude(ctx, []journal.Outcome{became(a, reconcile.ResultVerified, "")}),
	)
	ended := begin("ended")
	started := time.Now()
	err = errors.Join(err,
		ended.Conclude(ctx, []journal.Outcome{became(b, reconcile.ResultFailed, "killed")}),
		ended.Begin(ctx, journal.Begin{Tool: "exoaudit test", Tenant: "t"}),
		ended.Intend(ctx, []journal.Intent{d}),
		ended.Conclude(ctx, []journal.Outcome{became(d, reconcile.ResultVerified, "")}),
		ended.End(ctx),
		s.SaveRun(ctx, store.Run{ID: "ended", Tenant: "t", Command: "apply", StartedAt: started, Verdict: "inLine", Wrote: 1, JournalHead: ended.Head(), Complete: true}),
		s.SaveRun(ctx, store.Run{ID: "compared", Tenant: "t", Command: "check", StartedAt: started.Add(time.Hour), Verdict: "drift"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func idsOf(runs []reconcile.PastRun) []string {
	ids := []string{}
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestHistoryOfAStore: rows and journal together tell every run, what became of
// each write, and who closed it.
func TestHistoryOfAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := pastOf(t)
		h, err := reconcile.OpenHistory(t.Context(), s, "t")
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			q    reconcile.HistoryQuery
			want []string
		}{
			"what wrote":       {reconcile.HistoryQuery{}, []string{"ended", "killed"}},
			"all":              {reconcile.HistoryQuery{All: true}, []string{"compared", "ended", "killed"}},
			"by id":            {reconcile.HistoryQuery{Run: "ki"}, []string{"killed"}},
			"since":            {reconcile.HistoryQuery{Since: begun.Add(90 * time.Minute)}, []string{"ended"}},
			"until":            {reconcile.HistoryQuery{Until: begun.Add(90 * time.Minute)}, []string{"killed"}},
			"until it started": {reconcile.HistoryQuery{Until: begun.Add(time.Hour)}, []string{}},
			"since it started": {reconcile.HistoryQuery{Since: begun.Add(2 * time.Hour)}, []string{"ended"}},
		} {
			runs, err := h.Runs(t.Context(), c.q)
			if diff := cmp.Diff(c.want, idsOf(runs)); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", name, err, diff)
			}
		}
		runs, _ := h.Runs(t.Context(), reconcile.HistoryQuery{})
		ended, killed := runs[0], runs[1]
		want := map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultFailed: 1, reconcile.ResultUnconfirmed: 1}
		if diff := cmp.Diff(want, killed.Results); diff != "" || killed.Ended || killed.Wrote != 3 || killed.Verdict != "incomplete" ||
			killed.Tool != "exoaudit test" || !killed.StartedAt.Equal(begun.Add(time.Hour)) || !killed.FinishedAt.IsZero() || killed.JournalHead == "" {
			t.Errorf("the killed run is %+v\n%s", killed, diff)
		}
		if diff := cmp.Diff(map[reconcile.Result]int{reconcile.ResultVerified: 1}, ended.Results); diff != "" || !ended.Ended || ended.Verdict != "inLine" {
			t.Errorf("the run that ended is %+v\n%s", ended, diff)
		}
		changes, err := h.Changes(t.Context(), killed)
		if err != nil || len(changes) != 3 {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		for i, want := range []reconcile.Result{reconcile.ResultVerified, reconcile.ResultFailed, reconcile.ResultUnconfirmed} {
			c := changes[i]
			if c.Result != want || !c.At.Equal(begun.Add(time.Hour)) || !c.Pins || c.Weakens || !slices.Equal(c.Add, []string{"Move"}) || len(c.Remove) != 0 ||
				c.Origin.File != "policy.yaml" || c.Origin.Line != 7 || c.Origin.Column != 5 {
				t.Errorf("change %d is %+v", i, c)
			}
		}
		ids, err := h.Identities(t.Context(), "ANN@contoso.com")
		if err != nil || !slices.Equal(ids, []string{"id-1"}) {
			t.Errorf("ann is %v, %v", ids, err)
		}
	})
}

// TestHistoryOfAFile: the journal alone tells the same of the writes.
func TestHistoryOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pastOf(t)
		var file bytes.Buffer
		for _, l := range s.lines {
			raw, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&file, "%s\n", raw)
		}
		file.WriteString(`{"prev":"`) // cut off by a crash
		h, err := reconcile.FileHistory(t.Context(), bytes.NewReader(file.Bytes()))
		if err != nil || h.Broken != nil {
			t.Fatal(err, h.Broken)
		}
		runs, err := h.Runs(t.Context(), reconcile.HistoryQuery{})
		if err != nil || !slices.Equal(idsOf(runs), []string{"ended", "killed"}) {
			t.Fatalf("%v, %v", idsOf(runs), err)
		}
		for i, want := range []int{1, 3} {
			changes, err := h.Changes(t.Context(), runs[i])
			if err != nil || len(changes) != want || runs[i].Ended != (i == 0) {
				t.Errorf("%s: %d changes, %v", runs[i].ID, len(changes), err)
			}
		}
	})
}

// TestHistoryEndsWhereTheChainBreaks: what stands behind a forged entry is not
// told, and that is said.
func TestHistoryEndsWhereTheChainBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pastOf(t)
		s.lines[6].Entry = bytes.Replace(s.lines[6].Entry, []byte("failed"), []byte("verified"), 1)
		h, err := reconcile.OpenHistory(t.Context(), s, "t")
		if err != nil {
			t.Fatal(err)
		}
		broken, ok := errors.AsType[*journal.ChainError](h.Broken)
		if !ok || broken.Entry != 7 {
			t.Errorf("broken: %v", h.Broken)
		}
		runs, err := h.Runs(t.Context(), reconcile.HistoryQuery{})
		if err != nil || !slices.Equal(idsOf(runs), []string{"ended", "killed"}) || runs[0].Journaled || runs[1].Results[reconcile.ResultUnconfirmed] != 2 {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}
