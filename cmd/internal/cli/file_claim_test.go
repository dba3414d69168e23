package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// TestFilesDoNotCollide: nothing that a command names twice, or keeps on
// record, is replaced, and no request is sent to find that out.
func TestFilesDoNotCollide(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	kept := filepath.Join(b.vars["XDG_STATE_HOME"], stateName, b.sim.Tenant.ID())
	if runtime.GOOS == "darwin" {
		kept = filepath.Join(b.vars["HOME"], "Library", "Application Support", stateName, b.sim.Tenant.ID())
	}
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	config := in("conf.yaml")
	for _, err := range []error{
		os.WriteFile(config, []byte("quiet: true\n"), 0o600),
		os.Symlink(b.policy, in("link")),
		os.Link(b.policy, filepath.Join(filepath.Dir(b.policy), "hard")),
		os.Symlink(in("later"), in("dangling")),
		os.Mkdir(in("sub"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ca := b.vars["EXOAUDIT_CA_FILE"]
	before, err := os.ReadFile(b.policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"plan --out " + b.policy, []string{"--out", "--policy"}},
		{"plan --out " + in("link"), []string{"--out", "--policy"}},
		{"plan --out " + filepath.Join(filepath.Dir(b.policy), "hard"), []string{"--out", "--policy"}},
		{"plan --out " + in("x") + " --report json=" + in("sub/../x"), []string{"--out", "--report"}},
		{"plan --out " + in("later") + " --report json=" + in("dangling"), []string{"--out", "--report"}},
		{"check --report json=" + in("x") + " --report text=" + in("x"), []string{"--report"}},
		{"check --config " + config + " --report json=" + config, []string{"--config", "--report"}},
		{"check --ca-file " + ca + " --report text=" + ca, []string{"--ca-file", "--report"}},
		{"apply " + in("p") + " --yes --report json=" + in("p"), nil},
		{"apply --yes --journal " + in("j") + " --report json=" + in("j"), []string{"--journal", "--report"}},
		{"apply --yes --journal " + in("j") + " --report json=" + in("j.lock"), []string{"--journal", "--report"}},
		{"apply --yes --journal " + b.policy, []string{"--journal", "--policy"}},
		{"apply --yes --journal " + filepath.Join(kept, tenantLockName), []string{"--journal", "lock of a tenant"}},
		{"apply --yes --report json=" + filepath.Join(filepath.Dir(kept), storeName), []string{"--report", "store of runs"}},
		{"check --report json=" + filepath.Join(filepath.Dir(kept), storeName+"-wal"), []string{"--report", "log of the store"}},
		{"check --state " + in("other.db") + " --report json=" + in("other.db"), []string{"--report", "--state"}},
		{"check --report json=" + filepath.Join(kept, tenantLockName), []string{"--report", "lock of a tenant"}},
	} {
		args := strings.Fields(tt.args)
		if tt.want != nil {
			tt.want = append(tt.want, "same file")
		}
		refuses(t, b, args, tt.want...)
	}
	if after, err := os.ReadFile(b.policy); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the policy was changed: %v", err)
	}
}

// refuses makes sure that a command ends with 4 and these words, unsent.
func refuses(t *testing.T, b *bench, args []string, want ...string) {
	t.Helper()
	sent := b.sim.Service.Requests() + b.sim.Authority.Requests()
	if got := b.run(t.Context(), args[0], args[1:]...); got != ExitInvalid {
		t.Errorf("%v: exit status %d, want %d\n%s", args, got, ExitInvalid, b.err.String())
	}
	for _, w := range want {
		if !strings.Contains(b.err.String(), w) {
			t.Errorf("%v: %q is missing in: %s", args, w, b.err.String())
		}
	}
	if now := b.sim.Service.Requests() + b.sim.Authority.Requests(); now != sent {
		t.Errorf("%v: %d requests were sent", args, now-sent)
	}
}

// TestTargetsAreChecked: what cannot be written is found before a request, and
// looking leaves nothing behind.
func TestTargetsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	folder := t.TempDir()
	missing := filepath.Join(folder, "missing", "x")
	refuses(t, b, []string{"plan", "--out", missing}, "--out", "cannot write", missing)
	refuses(t, b, []string{"check", "--report", "json=" + missing}, "--report", "cannot write", missing)
	refuses(t, b, []string{"plan", "--out", filepath.Join(b.policy, "x")}, "--out", "cannot write")
	refuses(t, b, []string{"apply", "--yes", "--journal", missing}, "--journal", "cannot write", missing)
	refuses(t, b, []string{"plan", "--out", folder}, "not an ordinary file", "standard output")
	refuses(t, b, []string{"plan", "--out", os.DevNull}, "not an ordinary file", "standard output")
	refuses(t, b, []string{"apply", "--yes", "--journal", folder}, "must be an ordinary file")
	refuses(t, b, []string{"apply", "--yes", "--journal", os.DevNull}, "must be an ordinary file")
	refuses(t, b, []string{"plan", "--out", filepath.Join(folder, "x"), "--report", "text=" + missing}, "--report")
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}

// TestOutThroughLink: a symbolic link stays, and what it points at is written.
func TestOutThroughLink(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	folder, other := t.TempDir(), t.TempDir()
	link := filepath.Join(folder, "plan.json")
	if err := os.Symlink(filepath.Join(other, "real.json"), link); err != nil {
		t.Fatal(err)
	}
	if got := b.run(t.Context(), "plan", "--out", link); got != ExitInLine {
		t.Fatalf("exit status %d\n%s", got, b.err.String())
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link was replaced: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(other, "real.json")); err != nil || !bytes.Contains(data, []byte("exoaudit/plan/v1")) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// TestEmptyValues: a value that a script has lost must not widen what a
// command does.
func TestEmptyValues(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	for flag, values := range map[string][]string{
		"--mailbox": {"", " "}, "--only": {"", ","}, "--policy": {""}, "--limit": {"0", "-1"},
		"--journal": {""}, "--ca-file": {""}, "--tenant": {""}, "--report": {""}, "--reason": {""}, "--accept-guard": {""},
	} {
		for _, v := range values {
			refuses(t, b, []string{"apply", "--yes", flag, v}, flag)
		}
	}
	refuses(t, b, []string{"plan", "--out", ""}, "--out")
	if b.sim.Tenant.Organization().UnifiedAuditLog {
		t.Error("something was written")
	}
}

// broken is a standard output that nobody reads.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("nobody reads") }

// plainReport is the same in every form.
type plainReport string

func (r plainReport) Write(w io.Writer, _ report.Format, _ report.Options) error {
	_, err := io.WriteString(w, string(r))
	return err
}

// TestReportsAreAllTried: one that fails keeps none of the others.
func TestReportsAreAllTried(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	gone, kept := filepath.Join(folder, "gone", "x"), filepath.Join(folder, "kept")
	a := &app{Streams: Streams{Out: broken{}, Err: &bytes.Buffer{}}, env: Environment{Getenv: func(string) string { return "" }}, out: output{format: "text"}}
	j := &job{files: []reportFile{{format: "text", real: gone}, {format: "text", real: kept}}}
	err := a.show(j, plainReport("report"), report.TextOptions{})
	if err == nil || !strings.Contains(err.Error(), "nobody reads; cannot write "+gone) || statusOf(err) != ExitNoReport {
		t.Errorf("show: %v", err)
	}
	if data, err := os.ReadFile(kept); err != nil || string(data) != "report" {
		t.Errorf("%q, %v", data, err)
	}
	for status, want := range map[int]int{ExitInLine: ExitNoReport, ExitIncomplete: ExitNoReport, ExitDenied: ExitDenied} {
		if got := statusOf(endsWith(status, err)); got != want {
			t.Errorf("endsWith(%d) gives %d, want %d", status, got, want)
		}
		if got := statusOf(endsWith(status, nil)); got != status {
			t.Errorf("endsWith(%d) without a problem gives %d", status, got)
		}
	}
}

// TestTenantIsLocked: whatever the journal, one run at a time writes to a
// tenant; and one journal is that whatever the link it is reached by.
func TestTenantIsLocked(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	folder := t.TempDir()
	journal, link := filepath.Join(folder, "journal"), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(journal, link); err != nil {
		t.Fatal(err)
	}
	state, err := stateFolder(runtime.GOOS, func(name string) string { return b.vars[name] })
	if err != nil {
		t.Fatal(err)
	}
	tenant := filepath.Join(state, stateName, b.sim.Tenant.ID())
	if err := os.MkdirAll(tenant, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ lock, path, want string }{
		{filepath.Join(tenant, tenantLockName), journal, "to this tenant"},
		{journal + lockSuffix, link, "to this journal"},
	} {
		lock := flock.New(tt.lock)
		if ok, err := lock.TryLock(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if got := b.run(t.Context(), "apply", "--yes", "--journal", tt.path); got != ExitNoReport || !strings.Contains(b.err.String(), tt.want) {
			t.Errorf("exit status %d, want %d and %q\n%s", got, ExitNoReport, tt.want, b.err.String())
		}
		if err := lock.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	if b.sim.Tenant.Organization().UnifiedAuditLog {
		t.Error("a second run was not held back")
	}
	if got := b.run(t.Context(), "apply", "--yes", "--journal", link); got != ExitInLine {
		t.Errorf("exit status %d\n%s", got, b.err.String())
	}
	if _, err := os.Stat(journal); err != nil {
		t.Error(err)
	}
}
