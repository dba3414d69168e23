package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// needsProcesses skips where real processes and signals cannot be had.
func needsProcesses(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped under -short: it builds and starts the program")
	}
	if runtime.GOOS == "windows" {
		t.Skip("skipped on Windows: a process cannot be sent SIGINT there")
	}
}

// program builds the real program, once.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildFolder is where the program is built; TestMain makes and removes it.
var buildFolder string

// built builds the program when the first test asks for it.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildFolder, "exoaudit")
	cmd := exec.Command("go", "build", "-o", path, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

const slowPolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: slow
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox, DiscoveryMailbox]
    record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}
    ageLimit: 90d
guards: {maxChangedPercent: 100}
`

// running is an apply under way.
type running struct {
	process *os.Process
	exited  chan error // receives what Wait said, once
	sim     *cli.Simulation
	out     bytes.Buffer // to be read after exited
	journal string
}

// slow starts an apply on a tenant whose answers take their time, and returns
// once the given number of batches have arrived there.
func slow(t *testing.T, latency time.Duration, batches int64) *running {
	t.Helper()
	needsProcesses(t)
	var arrived atomic.Int64
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 900, Drift: 1})
	sim, err := cli.StartSimulation(t.Context(), tenant, cli.SimulationConfig{
		Options: []simulator.Option{simulator.WithFaults(simulator.Fault{
			Name: "slow", Cmdlet: "$batch", Do: simulator.DoRun, Run: func(*simulator.Tenant) {
				arrived.Add(1)
				select {
				case <-time.After(latency):
				case <-t.Context().Done():
				}
			},
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close(t.Context()) })
	folder := t.TempDir()
	r := &running{exited: make(chan error, 1), sim: sim, journal: filepath.Join(folder, "journal.ndjson")}
	policy := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(policy, []byte(slowPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t), "apply", "-p", policy, "--cloud", "custom", "--yes", "--format", "json", "--journal", r.journal)
	for name, value := range sim.Environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdout = &r.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.process = cmd.Process
	go func() { r.exited <- cmd.Wait() }()
	for arrived.Load() < batches {
		select {
		case err := <-r.exited:
			t.Fatalf("apply ended before it wrote: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	return r
}

func exitStatus(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// TestProcessInterrupt: the first signal starts no new write; what is under way
// is finished, recorded and reported.
func TestProcessInterrupt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		signal os.Signal
		want   int
	}{
		{os.Interrupt, cli.ExitInterrupted},
		{syscall.SIGTERM, cli.ExitTerminated},
		{syscall.SIGHUP, cli.ExitTerminated},
	} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(tt.signal) {
				t.Skip("the signal is ignored here, as nohup does, and so it is by the program; run without nohup")
			}
			r := slow(t, 100*time.Millisecond, 8)
			if err := r.process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			if got := exitStatus(t, <-r.exited); got != tt.want {
				t.Errorf("exit status %d, want %d", got, tt.want)
			}
			var run struct {
				Schema, Verdict string
				Changes         []struct{ Result string }
			}
			if err := json.Unmarshal(r.out.Bytes(), &run); err != nil {
				t.Fatalf("the run was not reported: %v\n%s", err, r.out.String())
			}
			results := map[string]int{}
			for _, c := range run.Changes {
				results[c.Result]++
			}
			if run.Schema != "exoaudit/run/v1" || run.Verdict != "incomplete" || results["skipped"] == 0 || results["verified"] == 0 {
				t.Errorf("schema %s, verdict %s, results %v", run.Schema, run.Verdict, results)
			}
			if writes := r.sim.Service.Count("Set-Mailbox"); writes == 0 || writes >= len(run.Changes) {
				t.Errorf("%d of %d changes were sent, with results %v", writes, len(run.Changes), results)
			}
			sameRecord(t, r.journal)
		})
	}
}

// sameRecord: every intent of the journal has its outcome.
func sameRecord(t *testing.T, journal string) {
	t.Helper()
	data, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	open, intents := map[string]bool{}, 0
	for line := range bytes.Lines(data) {
		var l struct {
			Entry struct {
				Kind            string
				Intent, Outcome struct{ Change string }
			}
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		switch l.Entry.Kind {
		case "intent":
			intents++
			open[l.Entry.Intent.Change] = true
		case "outcome":
			delete(open, l.Entry.Outcome.Change)
		}
	}
	if intents == 0 || len(open) > 0 {
		t.Errorf("%d of %d intents have no outcome", len(open), intents)
	}
}

// TestProcessSecondInterrupt: a second signal does not wait for the service.
func TestProcessSecondInterrupt(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	r := slow(t, 10*time.Minute, 1)
	for {
		// Again and again, since signals of one kind are merged while one waits.
		_ = r.process.Signal(os.Interrupt)
		select {
		case err := <-r.exited:
			if got := exitStatus(t, err); got != cli.ExitInterrupted {
				t.Errorf("exit status %d, want %d", got, cli.ExitInterrupted)
			}
			if r.out.Len() > 0 {
				t.Errorf("quitting at once printed a run:\n%s", r.out.String())
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestProcessSimulate: the first line of simulate is all that another program
// needs, and nothing is left when it ends.
func TestProcessSimulate(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	temp := t.TempDir()
	server := exec.CommandContext(t.Context(), program(t), "simulate", "--mailboxes", "50", "--drift", "0.2", "--tls", "--switch", "nextLink=get")
	server.Env = []string{"TMPDIR=" + temp}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var at struct {
		Endpoint, Authority, CAFile, Tenant, ClientID, ClientSecretFile, CertificateFile, AccessToken string
	}
	if err := json.Unmarshal(line, &at); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{at.CAFile, at.ClientSecretFile, at.CertificateFile} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", file, err)
		}
	}
	secret, err := os.ReadFile(at.ClientSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte(slowPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"EXOAUDIT_ENDPOINT=" + at.Endpoint, "EXOAUDIT_CA_FILE=" + at.CAFile, "AZURE_TENANT_ID=" + at.Tenant}
	for name, env := range map[string][]string{
		"secret":      {"AZURE_AUTHORITY_HOST=" + at.Authority, "AZURE_CLIENT_ID=" + at.ClientID, "AZURE_CLIENT_SECRET=" + string(secret)},
		"certificate": {"AZURE_AUTHORITY_HOST=" + at.Authority, "AZURE_CLIENT_ID=" + at.ClientID, "AZURE_CLIENT_CERTIFICATE_PATH=" + at.CertificateFile},
		"token":       {"EXOAUDIT_ACCESS_TOKEN=" + at.AccessToken},
	} {
		check := exec.CommandContext(t.Context(), program(t), "check", "-p", policy, "--cloud", "custom")
		check.Env = append(env, base...)
		out, err := check.CombinedOutput()
		if got := exitStatus(t, err); got != cli.ExitDrift {
			t.Errorf("%s: exit status %d, want %d\n%s", name, got, cli.ExitDrift, out)
		}
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, stdout)
	if got := exitStatus(t, server.Wait()); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%d files are left in the temporary folder", len(left))
	}
}

func TestProcessSimulateRefuses(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	for want, args := range map[string][]string{
		"insecure-listen": {"--listen", "0.0.0.0:0"},
		"share":           {"--drift", "1.5"},
		"negative":        {"--mailboxes", "-1"},
		"unknown switch":  {"--switch", "weather=good"},
		"want NAME=VALUE": {"--switch", "weather"},
	} {
		out, err := exec.CommandContext(t.Context(), program(t), append([]string{"simulate"}, args...)...).CombinedOutput()
		if got := exitStatus(t, err); got != cli.ExitInvalid || !strings.Contains(string(out), want) {
			t.Errorf("simulate %v: exit status %d\n%s", args, got, out)
		}
	}
}
