package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// TestOpenIntentsAreSaid: what an earlier run may or may not have written is
// said before this one reads.
func TestOpenIntentsAreSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	const want = "2 writes of earlier runs had no recorded outcome; the tenant shows 0 as made, 0 as not made, 2 cannot be told"
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitInLine || strings.Contains(b.err.String(), "no recorded outcome") {
		t.Errorf("an empty journal: exit status %d\n%s", got, b.err.String())
	}
	f, err := journal.Open(path, "earlier", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		f.Intend(t.Context(), []journal.Intent{{Change: "a"}, {Change: "b"}, {Change: "c"}}),
		f.Conclude(t.Context(), []journal.Outcome{{Change: "b", Result: "verified"}}),
		f.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.run(t.Context(), "apply", "--yes", "--quiet", "--journal", path); got != ExitInLine || strings.Count(b.err.String(), want) != 1 {
		t.Errorf("exit status %d, want %q once in\n%s", got, want, b.err.String())
	}
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitInLine || strings.Contains(b.err.String(), "no recorded outcome") {
		t.Errorf("once they are closed: exit status %d\n%s", got, b.err.String())
	}
}

// TestJournalWarningsAreSaidOnce: what came up while the journal was opened stands in
// the report of the run, and where there is none in the log; not in both.
func TestJournalWarningsAreSaidOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"a report":  {Cmdlet: "none", Do: simulator.DoRefuse},
		"no report": {Do: simulator.DoUnauthenticated},
	} {
		b := newBench(t, simulator.Seed{Mailboxes: 5}, simulator.WithFaults(fault))
		path := filepath.Join(t.TempDir(), "state.db")
		st, err := sqlite.Open(t.Context(), path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(st.PutSnapshots(t.Context(), simulator.NewTenant(simulator.Seed{Mailboxes: 5}).ID(), []store.Snapshot{{Name: "journal", Data: []byte("?")}}), st.Close()); err != nil {
			t.Fatal(err)
		}
		got := b.run(t.Context(), "apply", "--yes", "--state", path)
		if n := strings.Count(strings.Join(strings.Fields(b.out.String()+b.err.String()), " "), "is not readable, so all of it was checked"); n != 1 {
			t.Errorf("%s: exit status %d, said %d times\n%s%s", name, got, n, b.out.String(), b.err.String())
		}
	}
}

// TestNoStateFolderIsSaid: with --journal a run needs no home folder, but the
// lock of the tenant has no place then.
func TestNoStateFolderIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LOCALAPPDATA"} {
		delete(b.vars, name)
	}
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitInLine || !strings.Contains(b.err.String(), "the tenant is not locked on this host") {
		t.Errorf("exit status %d\n%s", got, b.err.String())
	}
}

// TestStateFolderThatCannotBeMade is an error, also with --journal: the tenant
// has to be locked.
func TestStateFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LOCALAPPDATA"} {
		b.vars[name] = filepath.Join(b.policy, "below")
	}
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitInvalid || !strings.Contains(b.err.String(), "state folder") {
		t.Errorf("exit status %d\n%s", got, b.err.String())
	}
}

// TestStateFolderThatCannotBeWritten: as in a container that is read-only. What only
// reads goes on without memory and says so; what writes does not begin. A file that was
// asked for is an error to all.
func TestStateFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	const closed = "/sys" // Nobody can make a file there, whoever runs the tests.
	if canMake(closed) == nil || canMake(filepath.Join(closed, "x")) == nil {
		t.Skip("this system has no folder that nobody can write to")
	}
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	if err := os.Symlink(closed, filepath.Join(b.vars["XDG_STATE_HOME"], stateName)); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "plan"} {
		if got := b.run(t.Context(), command); got != ExitInLine || strings.Count(b.err.String(), "nothing is remembered of this run: the state folder cannot be written to") != 1 {
			t.Errorf("%s: exit status %d\n%s", command, got, b.err.String())
		}
		if got := b.run(t.Context(), command, "--state", filepath.Join(closed, "state.db")); got == ExitInLine {
			t.Errorf("%s with a file that was asked for: exit status %d\n%s", command, got, b.err.String())
		}
	}
	for _, more := range [][]string{nil, {"--journal", filepath.Join(t.TempDir(), "journal.ndjson")}} {
		if got := b.run(t.Context(), "apply", append(more, "--yes")...); got != ExitInvalid || !strings.Contains(b.err.String(), "cannot make the state folder") {
			t.Errorf("apply: exit status %d\n%s", got, b.err.String())
		}
	}
}

// TestLostReportDoesNotHideTheRun: a report whose folder goes away while the
// tenant is read is an error, and what the run itself came to weighs more.
func TestLostReportDoesNotHideTheRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		denied bool
		want   int
	}{
		{"done", false, ExitNoReport},
		{"denied", true, ExitDenied},
	} {
		folder := filepath.Join(t.TempDir(), "reports")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		faults := []simulator.Fault{{
			Cmdlet: "Get-Mailbox", Times: 1, Do: simulator.DoRun, Run: func(*simulator.Tenant) { _ = os.Remove(folder) },
		}}
		if tt.denied {
			faults = append(faults, simulator.Fault{Cmdlet: "Set-AdminAuditLogConfig", Do: simulator.DoRefuse})
		}
		b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true}, simulator.WithFaults(faults...))
		kept := filepath.Join(t.TempDir(), "kept.json")
		args := []string{"--yes", "--report", "text=" + filepath.Join(folder, "x"), "--report", "json=" + kept}
		if got := b.run(t.Context(), "apply", args...); got != tt.want || !strings.Contains(b.err.String(), "cannot write") {
			t.Errorf("%s: exit status %d, want %d\n%s", tt.name, got, tt.want, b.err.String())
		}
		if info, err := os.Stat(kept); err != nil || info.Size() == 0 {
			t.Errorf("%s: the other report was not written: %v", tt.name, err)
		}
	}
}

// TestPlanIsSavedWithoutOutput: a standard output that fails costs the saved
// plan nothing.
func TestPlanIsSavedWithoutOutput(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	out := filepath.Join(t.TempDir(), "plan.json")
	args := []string{"plan", "--policy", b.policy, "--cloud", "custom", "--out", out}
	got := Main(t.Context(), args, Streams{In: b.in, Out: broken{}, Err: &b.err}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now,
	})
	if info, err := os.Stat(out); got != ExitNoReport || err != nil || info.Size() == 0 {
		t.Errorf("exit status %d, %v\n%s", got, err, b.err.String())
	}
}

// TestEmptyConfiguration: the file's empty values count as those of flags do.
func TestEmptyConfiguration(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	config := filepath.Join(t.TempDir(), "conf.yaml")
	if err := os.WriteFile(config, []byte("journal: \"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, b, []string{"apply", "--yes", "--config", config}, "--journal")
}
