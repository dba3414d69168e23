package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestProcessDemoIntoClosedPipe: as in "demo | head -1", the reader goes away.
// The demo ends with an error of its own and takes its key files with it.
func TestProcessDemoIntoClosedPipe(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program(t), "demo")
	cmd.Env = []string{"HOME=" + temp, "TMPDIR=" + temp}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if got := exitStatus(t, cmd.Wait()); got != cli.ExitNoReport || !strings.Contains(stderr.String(), "cannot write") {
		t.Errorf("exit status %d, want %d (-1 is the end by a signal)\n%s", got, cli.ExitNoReport, stderr.String())
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%d files are left in the temporary folder", len(left))
	}
}

// TestProcessClosedStreams: a standard error that nobody reads changes nothing;
// a standard output that nobody reads is an error, after the work is done and
// on record.
func TestProcessClosedStreams(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	sim, err := cli.StartSimulation(t.Context(), simulator.NewTenant(simulator.Seed{Mailboxes: 30, Drift: 1}), cli.SimulationConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close(t.Context()) })
	folder := t.TempDir()
	policy, journal, kept := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "journal.ndjson"), filepath.Join(folder, "plan.json")
	if err := os.WriteFile(policy, []byte(slowPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program(t), append(args, "-p", policy, "--cloud", "custom")...)
		for name, value := range sim.Environment() {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		return cmd
	}
	check := start("check", "--report", "json="+kept)
	check.Stdout = unread(t)
	if got := exitStatus(t, check.Run()); got != cli.ExitNoReport {
		t.Errorf("check: exit status %d, want %d (-1 is the end by a signal)", got, cli.ExitNoReport)
	}
	if info, err := os.Stat(kept); err != nil || info.Size() == 0 {
		t.Errorf("the file of --report was not written: %v", err)
	}
	apply := start("apply", "--yes", "--verbose", "--journal", journal)
	apply.Stderr = unread(t)
	if got := exitStatus(t, apply.Run()); got != cli.ExitInLine {
		t.Errorf("apply: exit status %d, want %d (-1 is the end by a signal)", got, cli.ExitInLine)
	}
	sameRecord(t, journal)
}

// unread gives the end of a pipe whose other end is closed.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}
