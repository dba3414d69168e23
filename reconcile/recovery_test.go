package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// hiding asks for every kind of write there is, the stored AuditEnabled that
// mailboxes hide among them.
const hiding = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox]
    record:
      admin: {defaults: true, plus: [FolderBind]}
      delegate: {defaults: true}
      owner: {managed: true}
    auditEnabled: explicit
    ageLimit: 180d
bypass: {}
retention: {floor: 180d, require: [{recordTypes: [ExchangeAdmin], atLeast: 1y}]}
guards: {maxChangedPercent: 100, rings: []}
`

func drifted() simulator.Seed {
	return simulator.Seed{Seed: 11, Mailboxes: 30, Drift: 0.5, Bypassed: 0.2, UnifiedLogOff: true, AuditDisabled: true}
}

// shelfEntries decodes the journal of a shelf.
func shelfEntries(t testing.TB, s *shelf) []journal.Entry {
	t.Helper()
	var list []journal.Entry
	_, err := journal.Follow(journal.Tail{}, s.Lines(t.Context(), "", 0), func(_ journal.Line, e journal.Entry) error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// stillOpen are the intents of a shelf's journal that have no outcome.
func stillOpen(t testing.TB, s *shelf) []journal.Entry {
	t.Helper()
	var p journal.Pending
	for _, e := range shelfEntries(t, s) {
		p.Take(e)
	}
	return p.Open()
}

// killed gives a shelf that holds what runs left that recorded intents and were
// then killed.
func killed(t testing.TB, tenant string, runs ...[]journal.Intent) *shelf {
	t.Helper()
	s := newShelf()
	ctx := t.Context()
	lease, err := s.Acquire(ctx, tenant, store.Holder{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for i, intents := range runs {
		head := s.head
		book := journal.NewBook(fmt.Sprint("killed-", i+1), time.Now, head.Hash, head.Seq, func(ctx context.Context, lines []journal.Line) error {
			err := s.Append(ctx, lease, head, lines)
			head = s.head
			return err
		})
		if err := errors.Join(book.Begin(ctx, journal.Begin{Tool: "exoaudit", Tenant: tenant}), book.Intend(ctx, intents)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// intentsOf are the writes of a run that came to its end.
func intentsOf(entries []journal.Entry) []journal.Intent {
	var out []journal.Intent
	for _, e := range entries {
		if e.Intent != nil {
			out = append(out, *e.Intent)
		}
	}
	return out
}

// retentionSession is a session that also speaks to the Security & Compliance
// service.
func (b *retentionBench) retentionSession(s store.Store) *reconcile.Session {
	session := b.session(s)
	session.Compliance = b.compliance
	return session
}

// afterApply applies the policy to a drifted tenant, and gives its state before, and
// what was recorded.
func afterApply(t *testing.T) (before *simulator.Tenant, b *retentionBench, intents []journal.Intent) {
	t.Helper()
	tenant := simulator.NewTenant(drifted())
	before = tenant.Snapshot()
	b = newRetentionBench(t, tenant)
	s := newShelf()
	w, err := b.retentionSession(s).Begin(t.Context(), "run-1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, w)
	req := b.request(parse(t, hiding))
	req.Compliance = b.compliance
	plan, err := w.Check(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Apply(t.Context(), plan, reconcile.ApplyOptions{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	entries := shelfEntries(t, s)
	verified := map[string]bool{}
	for _, e := range entries {
		if e.Outcome != nil && e.Outcome.Result == string(reconcile.ResultVerified) {
			verified[e.Outcome.Change] = true
		}
	}
	settings := map[audit.Setting]bool{}
	for _, i := range intentsOf(entries) {
		if verified[i.Change] {
			intents, settings[i.Setting] = append(intents, i), true
		}
	}
	for _, s := range []audit.Setting{
		audit.SettingAuditDisabled, audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAuditBypassEnabled, audit.SettingRetentionPolicy,
		audit.SettingAuditEnabled, audit.SettingAuditLogAgeLimit, audit.SettingAuditAdmin, audit.SettingDefaultAuditSet,
	} {
		if !settings[s] {
			t.Errorf("no write of %s was verified: the test shows less than it means to", s)
		}
	}
	return before, b, intents
}

// recovered begins a run on what a killed one left.
func recovered(t *testing.T, session *reconcile.Session) *reconcile.Writing {
	t.Helper()
	w, err := session.Begin(t.Context(), "run-2", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	closing(t, w)
	return w
}

// TestRecoveryReadsTheTenant: of every kind of write whose outcome a killed run did
// not record, a look at the tenant says whether it was made. Nothing is written.
func TestRecoveryReadsTheTenant(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		before, b, intents := afterApply(t)
		for want, tenant := range map[reconcile.Result]*simulator.Tenant{
			reconcile.ResultVerified: b.tenant, reconcile.ResultFailed: before,
		} {
			b := newRetentionBench(t, tenant)
			s := killed(t, tenant.ID(), intents)
			w := recovered(t, b.retentionSession(s))
			if len(w.Recovered) != len(intents) || len(w.Warnings) != 0 {
				t.Errorf("%s: %d of %d, warnings %q", want, len(w.Recovered), len(intents), w.Warnings)
			}
			for _, o := range w.Recovered {
				if o.Result != string(want) || o.Of != "killed-1" || !strings.HasPrefix(o.Note, "interrupted; ") {
					t.Errorf("%s: %+v", want, o)
				}
			}
			if open := stillOpen(t, s); len(open) > 0 || b.writes()+b.complianceWrites() > 0 {
				t.Errorf("%s: %d are open, %d were written", want, len(open), b.writes())
			}
			if again := recovered(t, b.retentionSession(s)); len(again.Recovered) > 0 {
				t.Errorf("%s: %d were closed twice", want, len(again.Recovered))
			}
		}
	})
}

// TestRecoverySaysWhatItCannotTell: neither value, an object that is gone, and
// services that are closed to the run.
func TestRecoverySaysWhatItCannotTell(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		before, _, intents := afterApply(t)
		for m := range before.AllMailboxes() {
			before.Update(m.Guid, func(m *simulator.Mailbox) { m.AgeLimit = "33.00:00:00" })
		}
		gone := intents[slices.IndexFunc(intents, func(i journal.Intent) bool { return i.Subject.Kind == audit.KindMailbox })].Subject.ID
		before.RemoveMailbox(gone)
		b := newBench(t, before, simulator.WithFaults(simulator.Refused("Get-AdminAuditLogConfig")))
		s := killed(t, before.ID(), intents)
		for _, o := range recovered(t, b.session(s)).Recovered {
			switch {
			case o.Subject.ID == gone, o.Setting == audit.SettingRetentionPolicy, o.Setting == audit.SettingUnifiedAuditLogIngestionEnabled:
				if o.Result != string(reconcile.ResultUnconfirmed) || !strings.Contains(o.Note, "cannot be told") {
					t.Errorf("%+v", o)
				}
			case o.Setting == audit.SettingAuditLogAgeLimit:
				if o.Result != string(reconcile.ResultUnconfirmed) || !strings.Contains(o.Note, "neither") {
					t.Errorf("%+v", o)
				}
			case o.Result != string(reconcile.ResultFailed):
				t.Errorf("%+v", o)
			}
		}
		if open := stillOpen(t, s); len(open) > 0 {
			t.Errorf("%d are open", len(open))
		}
	})
}

// TestRecoveryWaitsForTheTenant: where nothing can be read the intents stay open,
// the run goes on, and a later one closes them. A dead service is not asked about
// each of them.
func TestRecoveryWaitsForTheTenant(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		_, b, intents := afterApply(t)
		s := killed(t, b.tenant.ID(), intents)
		working, calls := b.service.RoundTripper(), 0
		b.through(roundTrip(func(*http.Request) (*http.Response, error) {
			calls++
			return nil, errors.New("connection refused")
		}))
		session := b.session(s)
		session.Compliance = b.compliance
		w, err := session.Begin(t.Context(), "run-2", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		closing(t, w)
		mailboxes := func(i journal.Intent) bool { return i.Subject.Kind != audit.KindRetention }
		want := len(slices.DeleteFunc(slices.Clone(intents), func(i journal.Intent) bool { return !mailboxes(i) }))
		if len(stillOpen(t, s)) < want || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "stay open") || calls > 40 {
			t.Errorf("%d of %d are open after %d calls; warnings %q", len(stillOpen(t, s)), want, calls, w.Warnings)
		}
		b.through(working)
		if recovered(t, b.retentionSession(s)); len(stillOpen(t, s)) > 0 {
			t.Errorf("%d are open when the tenant answers again", len(stillOpen(t, s)))
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRecoveryEndsWithTheRun: an interrupt leaves the intents as they are.
func TestRecoveryEndsWithTheRun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		_, b, intents := afterApply(t)
		s := killed(t, b.tenant.ID(), intents)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.session(s).Begin(ctx, "run-2", nil, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("an interrupted run began: %v", err)
		}
		if len(stillOpen(t, s)) != len(intents) {
			t.Errorf("%d of %d are open", len(stillOpen(t, s)), len(intents))
		}
	})
}

// TestLargeRecoveryOfManyRuns: 20,000 open intents of several runs, most of them
// about mailboxes that are not there.
func TestLargeRecoveryOfManyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped under -short: 20,000 intents")
	}
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 5000})
		var ids []string
		for m := range tenant.AllMailboxes() {
			ids = append(ids, m.Guid)
		}
		runs := make([][]journal.Intent, 4)
		for i := range 20_000 {
			runs[i%4] = append(runs[i%4], journal.Intent{
				Change:  fmt.Sprint(i),
				Subject: journal.Subject{Kind: audit.KindMailbox, ID: ids[i/4%len(ids)], Type: audit.UserMailbox},
				Setting: audit.SettingAuditLogAgeLimit, Before: "90.00:00:00", After: "180.00:00:00",
			})
		}
		s := killed(t, tenant.ID(), runs...)
		b := newBench(t, tenant)
		w := recovered(t, b.session(s))
		if len(w.Recovered) != 20_000 || len(stillOpen(t, s)) > 0 {
			t.Errorf("%d were closed, %d are open", len(w.Recovered), len(stillOpen(t, s)))
		}
		if n := b.service.Count("Get-Mailbox"); n > len(ids) {
			t.Errorf("%d reads of %d mailboxes", n, len(ids))
		}
	})
}

// longJournal is a journal of a run that ended, long enough for a mark.
func longJournal(t *testing.T, b *bench) *shelf {
	t.Helper()
	s := killed(t, b.tenant.ID(), slices.Repeat([]journal.Intent{{
		Change: "c", Subject: journal.Subject{Kind: audit.KindOrganization, ID: "organization"},
		Setting: audit.SettingAuditDisabled, Before: true, After: false,
	}}, 400))
	recovered(t, b.session(s))
	recovered(t, b.session(s))
	return s
}

// countingShelf tells from where its journal was read.
type countingShelf struct {
	*shelf
	read int
}

func (s *countingShelf) Lines(ctx context.Context, tenant string, after int64) iter.Seq2[store.Line, error] {
	return func(yield func(store.Line, error) bool) {
		for l, err := range s.shelf.Lines(ctx, tenant, min(after, int64(len(s.lines)))) {
			if s.read++; !yield(l, err) {
				return
			}
		}
	}
}

// TestJournalIsReadFromTheMark: what an earlier run has checked is not read again,
// and nothing is believed that the journal does not bear out.
func TestJournalIsReadFromTheMark(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 1}))
	begin := func(s *countingShelf) (*reconcile.Writing, error) {
		w, err := b.session(s).Begin(t.Context(), "run-9", nil, "")
		if err == nil {
			closing(t, w)
		}
		return w, err
	}
	s := &countingShelf{shelf: longJournal(t, b)}
	if w, err := begin(s); err != nil || len(w.Warnings) > 0 || s.read > 10 {
		t.Fatalf("%d of %d lines were read: %v", s.read, len(s.lines), err)
	}
	var at struct{ Seq int64 }
	if err := json.Unmarshal(s.snapshots["journal"].Data, &at); err != nil || at.Seq < 300 {
		t.Fatalf("the mark is %s, %v", s.snapshots["journal"].Data, err)
	}
	for name, data := range map[string]string{
		"another hash":   fmt.Sprintf(`{"seq":%d,"hash":"%064d"}`, at.Seq, 0),
		"another number": strings.Replace(string(s.snapshots["journal"].Data), fmt.Sprint(at.Seq), fmt.Sprint(at.Seq-1), 1),
		"behind the end": fmt.Sprintf(`{"seq":%d,"hash":"%064d"}`, len(s.lines)+5, 0),
		"no number":      `{"seq":-1}`,
		"no mark":        `[]`,
	} {
		lying := &countingShelf{shelf: longJournal(t, b)}
		lying.snapshots["journal"] = store.Snapshot{Name: "journal", Version: lying.snapshots["journal"].Version, Data: []byte(data)}
		w, err := begin(lying)
		if err != nil || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "all of it was checked") || lying.read < len(lying.lines) {
			t.Errorf("%s: %d of %d lines were read: %v", name, lying.read, len(lying.lines), err)
			continue
		}
		lying.read = 0
		if w, err := begin(lying); err != nil || len(w.Warnings) > 0 || lying.read > 10 {
			t.Errorf("%s: afterwards %d lines were read: %v", name, lying.read, err)
		}
	}
}

// TestMarkStaysBehindOpenIntents: an intent that could not be closed is found by
// every later run until it is.
func TestMarkStaysBehindOpenIntents(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 1}))
		s := longJournal(t, b)
		more := killed(t, b.tenant.ID(), slices.Repeat([]journal.Intent{{
			Change: "c", Subject: journal.Subject{Kind: audit.KindOrganization, ID: "organization"},
			Setting: audit.SettingAuditDisabled, Before: true, After: false,
		}}, 400))
		b.through(roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }))
		for range 3 {
			if w := recovered(t, b.session(more)); len(w.Recovered) > 0 || len(stillOpen(t, more)) != 1 {
				t.Errorf("%d were closed, %d are open", len(w.Recovered), len(stillOpen(t, more)))
			}
		}
		b.reconnect()
		if w := recovered(t, b.session(more)); len(w.Recovered) != 1 {
			t.Errorf("%d were closed", len(w.Recovered))
		}
		if w := recovered(t, b.session(s)); len(w.Recovered) != 0 {
			t.Errorf("%d were closed of a journal without open intents", len(w.Recovered))
		}
	})
}

// TestNothingIsWrittenAfterABrokenChain: a journal that was tampered with behind
// the mark ends the run before it began.
func TestNothingIsWrittenAfterABrokenChain(t *testing.T) {
	b := newBench(t, simulator.NewTenant(drifted()))
	s := newShelf()
	b.applying(s, b.request(parse(t, everything)))
	s.lines[3].Entry = json.RawMessage(strings.Replace(string(s.lines[3].Entry), "run-1", "run-7", 1))
	sent := b.writes()
	_, err := b.session(s).Begin(t.Context(), "run-2", nil, "")
	broken, ok := errors.AsType[*journal.ChainError](err)
	if !ok || broken.Entry != 4 || !strings.Contains(err.Error(), "exoaudit verify") || b.writes() != sent {
		t.Errorf("the run began: %v", err)
	}
}

// TestRecoveryLeavesOtherTenants: a journal in a file may be that of several tenants.
// What a run on another one left open is not judged by a look at this one.
func TestRecoveryLeavesOtherTenants(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
		b := newBench(t, tenant)
		write := []journal.Intent{{
			Change: "a", Subject: journal.Subject{Kind: audit.KindOrganization}, Setting: audit.SettingUnifiedAuditLogIngestionEnabled, Before: false, After: true,
		}}
		for n, of := range []string{"00000000-0000-4000-8000-000000000001", strings.ToUpper(tenant.ID())} {
			f, err := journal.Open(b.journal, of, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(f.Begin(t.Context(), journal.Begin{Tenant: of}), f.Intend(t.Context(), write), f.Close()); err != nil {
				t.Fatal(err)
			}
			if f, err = journal.Open(b.journal, fmt.Sprint("next-", n), time.Now); err != nil {
				t.Fatal(err)
			}
			w, err := b.session(nil).Begin(t.Context(), "next", f, b.journal)
			if err != nil {
				t.Fatal(err)
			}
			closing(t, w)
			if len(w.Recovered) != n || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "another tenant") {
				t.Errorf("%s: closed %v, warnings %q", of, w.Recovered, w.Warnings)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
