package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// esc begins what a terminal obeys.
const esc = "\x1b[2J"

// handWritten is a journal file whose chain holds, by whoever wants to: a run of a
// tenant with these intents.
func handWritten(t *testing.T, tenant string, intents ...journal.Intent) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.ndjson")
	file, err := journal.Open(path, "run-1", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		file.Begin(t.Context(), journal.Begin{Tenant: tenant}), file.Intend(t.Context(), intents), file.End(t.Context()), file.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestUndoFromFile: how an undo of what a file says ends, and that no text of the
// file reaches the terminal as it is.
func TestUndoFromFile(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Seed: 3, Mailboxes: 3})
	tenant := b.sim.Tenant.ID()
	var mailbox simulator.Mailbox
	for m := range b.sim.Tenant.AllMailboxes() {
		mailbox = m
	}
	of := func(s audit.Setting, before, after any) journal.Intent {
		return journal.Intent{
			Subject: journal.Subject{Kind: audit.KindMailbox, ID: mailbox.Guid, Name: "ann" + esc},
			Setting: s, Before: before, After: after, Inverse: journal.Inverse{Setting: s},
		}
	}
	gone := of(audit.SettingAuditLogAgeLimit, "1.00:00:00", "2.00:00:00")
	gone.Subject.ID = "11111111-2222-3333-4444-555555555555"
	named := of(audit.SettingAuditOwner, []string{"Update", "Jump" + esc}, []string{"Update"})
	noWay := of(audit.SettingAuditOwner, []string{}, []string{"Update"})
	noWay.Inverse.None = "never" + esc
	odd := of(audit.Setting("forwardTo"+esc), "a", "b")
	longer := of(audit.SettingAuditLogAgeLimit, mailbox.AgeLimit, "9999.00:00:00")
	for _, test := range []struct {
		name    string
		tenant  string
		run     string
		intents []journal.Intent
		torn    bool
		want    int
		says    string
	}{
		{name: "another tenant", tenant: "another" + esc, intents: []journal.Intent{longer}, want: ExitRefused, says: "wrote to tenant"},
		{name: "a run of another tenant that wrote nothing", tenant: "another" + esc, run: "run-1", want: ExitRefused, says: "wrote to tenant"},
		{name: "a run that wrote nothing", tenant: tenant, run: "run-1", want: ExitInLine, says: "wrote nothing"},
		{name: "no such run", tenant: tenant, run: "run-9" + esc, intents: []journal.Intent{longer}, want: ExitInvalid, says: "there is no run"},
		{name: "something that this tool does not set", tenant: tenant, intents: []journal.Intent{odd}, want: ExitNoReport, says: "is no setting of"},
		{name: "hostile names", tenant: tenant, intents: []journal.Intent{gone, named, noWay}, want: ExitDrift, says: "the mailbox is gone"},
		{name: "a last line that was cut off", tenant: tenant, intents: []journal.Intent{gone}, torn: true, want: ExitDrift, says: "the mailbox is gone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := handWritten(t, test.tenant, test.intents...)
			if test.torn {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, text[:len(text)-20], 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := test.run
			if run == "" {
				run = "last"
			}
			before := b.sim.Tenant.Snapshot()
			if got := b.run(t.Context(), "undo", run, "--from", path, "--yes"); got != test.want {
				t.Errorf("exit status %d, want %d", got, test.want)
			}
			shown := b.out.String() + b.err.String()
			if !strings.Contains(shown, test.says) || strings.Contains(shown, esc) {
				t.Errorf("it does not say %q, or says more than text: %q", test.says, shown)
			}
			was, _ := before.Mailbox(mailbox.Guid)
			is, _ := b.sim.Tenant.Mailbox(mailbox.Guid)
			if was.AgeLimit != is.AgeLimit || !strings.EqualFold(strings.Join(was.Shown("Owner"), ","), strings.Join(is.Shown("Owner"), ",")) {
				t.Errorf("the mailbox was %+v and is %+v", was, is)
			}
		})
	}
}
