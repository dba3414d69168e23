package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile"
)

const testPolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: test
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    record: {delegate: {defaults: true}}
`

// bench is a simulated tenant, a policy, and the surroundings of a command.
type bench struct {
	sim    *Simulation
	policy string
	vars   map[string]string
	in     io.Reader
	tty    bool
	out    bytes.Buffer
	err    bytes.Buffer
}

func newBench(t *testing.T, seed simulator.Seed, options ...simulator.Option) *bench {
	t.Helper()
	sim, err := StartSimulation(t.Context(), simulator.NewTenant(seed), SimulationConfig{Options: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(context.Background()); err != nil { //nolint:usetesting // The test's own context has ended by now.
			t.Error(err)
		}
	})
	b := &bench{sim: sim, policy: filepath.Join(t.TempDir(), "policy.yaml"), vars: sim.Environment(), in: strings.NewReader("")}
	b.vars["XDG_STATE_HOME"] = t.TempDir()
	b.vars["HOME"] = b.vars["XDG_STATE_HOME"]
	b.vars["LOCALAPPDATA"] = b.vars["XDG_STATE_HOME"]
	if err := os.WriteFile(b.policy, []byte(testPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs one command on the tenant and gives its exit status.
func (b *bench) run(ctx context.Context, command string, more ...string) int {
	b.out.Reset()
	b.err.Reset()
	args := append([]string{command, "--policy", b.policy, "--cloud", "custom"}, more...)
	return Main(ctx, args, Streams{In: b.in, Out: &b.out, Err: &b.err, InTerminal: b.tty, ErrTerminal: b.tty}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now,
	})
}

func TestPrompt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	b.tty = true
	for _, tt := range []struct {
		answer string
		want   int
	}{
		{"", ExitRefused},
		{"\n", ExitRefused},
		{"y\n", ExitRefused},
		{"YES\n", ExitRefused},
		{"no\n", ExitRefused},
		{" yes \r\n", ExitInLine},
	} {
		b.in = strings.NewReader(tt.answer)
		if got := b.run(t.Context(), "apply"); got != tt.want {
			t.Fatalf("answer %q: exit status %d, want %d\n%s", tt.answer, got, tt.want, b.err.String())
		}
		if !strings.Contains(b.err.String(), "Type yes to go on: ") || strings.Contains(b.out.String(), "Type yes") {
			t.Errorf("the question does not stand on standard error:\n%s", b.err.String())
		}
		if on := b.sim.Tenant.Organization().UnifiedAuditLog; on != (tt.want == ExitInLine) {
			t.Errorf("answer %q: unified audit log on = %t", tt.answer, on)
		}
	}
}

// unread fails the test when it is read: nobody may be asked.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("standard input was read")
	return 0, io.EOF
}

func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	b.tty, b.in = true, unread{t}
	if got := b.run(t.Context(), "apply"); got != ExitInLine {
		t.Errorf("exit status %d, want %d\n%s", got, ExitInLine, b.err.String())
	}
}

func TestInterruptedAtThePrompt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	for _, tt := range []struct {
		signal os.Signal
		want   int
	}{{os.Interrupt, ExitInterrupted}, {syscall.SIGTERM, ExitTerminated}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		b.tty, b.in = true, &interrupting{cancel: func() { cancel(&signalError{tt.signal}) }, done: ctx.Done()}
		if got := b.run(ctx, "apply"); got != tt.want {
			t.Errorf("%v: exit status %d, want %d", tt.signal, got, tt.want)
		}
		if b.sim.Tenant.Organization().UnifiedAuditLog {
			t.Errorf("%v: something was written", tt.signal)
		}
	}
}

// TestInterruptedCheck: a signal while the tenant is being read ends without a
// report, and says so in one line.
func TestInterruptedCheck(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	b := newBench(t, simulator.Seed{Mailboxes: 5}, simulator.WithFaults(simulator.Fault{
		Cmdlet: "Get-Mailbox", Do: simulator.DoRun, Run: func(*simulator.Tenant) { cancel(&signalError{syscall.SIGTERM}) },
	}))
	if got := b.run(ctx, "check", "--quiet"); got != ExitTerminated {
		t.Errorf("exit status %d, want %d", got, ExitTerminated)
	}
	if b.out.Len() > 0 || strings.Count(b.err.String(), "\n") != 1 || !strings.Contains(b.err.String(), "ended by SIGTERM") {
		t.Errorf("output %q, %q", b.out.String(), b.err.String())
	}
}

// interrupting is a person who presses Ctrl-C at the question.
type interrupting struct {
	cancel func()
	done   <-chan struct{}
}

func (i *interrupting) Read([]byte) (int, error) {
	i.cancel()
	<-i.done
	return 0, io.EOF
}

// TestJournalIsLocked: two runs must not plan from the same state.
func TestJournalIsLocked(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	lock := flock.New(path + ".lock")
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitNoReport {
		t.Errorf("exit status %d, want %d", got, ExitNoReport)
	}
	if !strings.Contains(b.err.String(), "is locked") || b.sim.Tenant.Organization().UnifiedAuditLog {
		t.Errorf("a second run was not held back:\n%s", b.err.String())
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if got := b.run(t.Context(), "apply", "--yes", "--journal", path); got != ExitInLine {
		t.Errorf("exit status %d, want %d\n%s", got, ExitInLine, b.err.String())
	}
}

func TestNoHomeNoJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LOCALAPPDATA"} {
		delete(b.vars, name)
	}
	if got := b.run(t.Context(), "apply", "--yes"); got != ExitInvalid || !strings.Contains(b.err.String(), "--journal") {
		t.Errorf("exit status %d, want %d\n%s", got, ExitInvalid, b.err.String())
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	order := []int{
		ExitInterrupted, ExitTerminated, ExitDenied, ExitInvalid, ExitNoReport, ExitRefused, ExitIncomplete, ExitDrift, ExitInLine,
	}
	for i, better := range order {
		for _, worse := range order[:i] {
			if got := worst(better, worse); got != worse {
				t.Errorf("worst(%d, %d) = %d, want %d", better, worse, got, worse)
			}
		}
	}
	if got := worst(); got != ExitInLine {
		t.Errorf("worst() = %d", got)
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error { return fmt.Errorf("while at it: %w", err) }
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, ExitInLine},
		{errors.New("anything"), ExitNoReport},
		{invalid("x"), ExitInvalid},
		{wrap(refused("x")), ExitRefused},
		{ends(ExitDrift), ExitDrift},
		{wrap(&reconcile.SlipError{Why: "x"}), ExitRefused},
		{wrap(policy.Diagnostics{{Code: "x"}}), ExitInvalid},
		{wrap(&auth.ConfigError{}), ExitInvalid},
		{wrap(&auth.NoCredentialError{}), ExitDenied},
		{wrap(&auth.Error{}), ExitDenied},
		{fileProblem("PLAN", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), ExitInvalid},
	} {
		if got := statusOf(tt.err); got != tt.want {
			t.Errorf("statusOf(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
	for verdict, want := range map[reconcile.Verdict]int{
		reconcile.VerdictInLine: ExitInLine, reconcile.VerdictDrift: ExitDrift,
		reconcile.VerdictIncomplete: ExitIncomplete, reconcile.VerdictFailed: ExitDenied, "later": ExitDenied,
	} {
		if got := statusOfVerdict(verdict); got != want {
			t.Errorf("statusOfVerdict(%s) = %d, want %d", verdict, got, want)
		}
	}
}

func TestStateFolder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, system string
		vars         map[string]string
		want         string
	}{
		{"XDG", "linux", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x"},
		{"a relative XDG is ignored", "linux", map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state"},
		{"home", "linux", map[string]string{"HOME": "/h"}, "/h/.local/state"},
		{"none", "linux", nil, ""},
		{"darwin", "darwin", map[string]string{"HOME": "/h"}, "/h/Library/Application Support"},
		{"darwin without home", "darwin", nil, ""},
		{"windows", "windows", map[string]string{"LOCALAPPDATA": "/l", "HOME": "/h"}, "/l"},
		{"windows without", "windows", map[string]string{"HOME": "/h"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("skipped on Windows: the paths of the table are not absolute there")
			}
			got, err := stateFolder(tt.system, func(name string) string { return tt.vars[name] })
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("stateFolder = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestWriteFileIsAllOrNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := writeFile(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 10_000))
		return broken
	})
	if !errors.Is(err, broken) || statusOf(err) != ExitNoReport {
		t.Errorf("writeFile: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the file holds %d bytes of a report that failed", len(got))
	}
	if err := writeFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("the file holds %q", got)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestColored(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flag     string
		terminal bool
		vars     map[string]string
		want     bool
	}{
		{"auto", true, nil, true},
		{"auto", false, nil, false},
		{"auto", true, map[string]string{"NO_COLOR": "1"}, false},
		{"auto", true, map[string]string{"TERM": "dumb"}, false},
		{"never", true, nil, false},
		{"always", false, map[string]string{"NO_COLOR": "1"}, true},
	}
	for _, tt := range tests {
		a := &app{env: Environment{Getenv: func(name string) string { return tt.vars[name] }}}
		a.out.color = tt.flag
		if got := a.colored(tt.terminal); got != tt.want {
			t.Errorf("--color %s, terminal %t, %v: %t, want %t", tt.flag, tt.terminal, tt.vars, got, tt.want)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		terminal bool
		quiet    bool
		term     string
		want     string
	}{
		{"terminal", true, false, "xterm", "\rwriting: 10 of 20\rwriting: 20 of 20\n"},
		{"no terminal", false, false, "xterm", ""},
		{"quiet", true, true, "xterm", ""},
		{"dumb", true, false, "dumb", ""},
	} {
		var err bytes.Buffer
		a := &app{Streams: Streams{Err: &err, ErrTerminal: tt.terminal}, env: Environment{Getenv: func(string) string { return tt.term }}}
		a.out.quiet, a.out.logFormat = tt.quiet, "text"
		p := a.newProgress("writing")
		p.show(10, 20)
		p.show(10, 20)
		p.show(20, 20)
		p.show(15, 20)
		p.end()
		if got := err.String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLogEscapes(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := newLogger(&out, format, -4).With("who", "\x1b[31m")
		log.Error("a\n::error::b", "name", "##vso[x]", "empty", "")
		got := out.String()
		if strings.Count(got, "\n") != 1 || strings.Contains(got, "\x1b") || strings.Contains(got, "::error") || strings.Contains(got, "##vso") {
			t.Errorf("%s: %q", format, got)
		}
		if !strings.Contains(got, "error") && !strings.Contains(got, "ERROR") {
			t.Errorf("%s: %q does not say that it is an error", format, got)
		}
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	got := strings.Join(compact([]string{"A", "A", "A", "B", "A"}), ",")
	if got != "A*3,B,A" {
		t.Errorf("compact = %s", got)
	}
}

func TestIsLoopbackAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "[::1]:80": true, "localhost:1": true,
		"0.0.0.0:80": false, ":80": false, "10.0.0.1:1": false, "example.com:1": false, "127.0.0.1": false,
	} {
		if got := isLoopbackAddress(address); got != want {
			t.Errorf("isLoopbackAddress(%s) = %t", address, got)
		}
	}
}

// TestBuiltin: what cobra answers with status 0 is a mistake here.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args     string
		status   int
		out, err string
	}{
		{"help", ExitInLine, "exoaudit demo", ""},
		{"help check", ExitInLine, "--policy", ""},
		{"help completion bash", ExitInLine, "completion bash", ""},
		{"help chekc", ExitInvalid, "", "unknown command chekc, did you mean check?"},
		{"help nonsense", ExitInvalid, "", "unknown command nonsense; exoaudit --help lists"},
		{"help check nonsense", ExitInvalid, "", "unknown command nonsense; exoaudit check --help"},
		{"help fleet", ExitInvalid, "", "fleet is not in this version"},
		{"hlep", ExitInvalid, "", "did you mean help?"},
		{"completion", ExitInvalid, "", "needs the name of a shell: there is bash, fish, powershell, zsh"},
		{"completion tcsh", ExitInvalid, "", "completion tcsh: there is bash, fish"},
		{"completion bash extra", ExitInvalid, "", "takes no argument"},
		{"completion --nonsense", ExitInvalid, "", "unknown flag --nonsense"},
		{"completion zsh", ExitInLine, "#compdef exoaudit", ""},
	} {
		var out, stderr bytes.Buffer
		got := Main(t.Context(), strings.Fields(tt.args), Streams{Out: &out, Err: &stderr}, Environment{Getenv: func(string) string { return "" }})
		if got != tt.status || !strings.Contains(out.String(), tt.out) || !strings.Contains(stderr.String(), tt.err) {
			t.Errorf("%s: exit status %d, want %d\n%s\n%s", tt.args, got, tt.status, out.String(), stderr.String())
		}
		if got != ExitInLine && (out.Len() > 0 || strings.Count(stderr.String(), "\n") != 1) {
			t.Errorf("%s: not one line on standard error:\n%s%s", tt.args, out.String(), stderr.String())
		}
	}
}

func TestDiagnoseLevels(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	a := &app{Streams: Streams{Err: &stderr}}
	a.out.logFormat = "json"
	a.fail(policy.Diagnostics{{Severity: strict.Error, Code: "wrong"}, {Severity: strict.Warning, Code: "doubtful"}})
	levels := map[string]string{}
	for line := range bytes.Lines(stderr.Bytes()) {
		var l struct{ Level, Code string }
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		levels[l.Code] = l.Level
	}
	if want := map[string]string{"wrong": "ERROR", "doubtful": "WARN", "": "ERROR"}; !maps.Equal(levels, want) {
		t.Errorf("levels %v, want %v", levels, want)
	}
}
