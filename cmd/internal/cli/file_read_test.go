package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestReadFileIsBounded: whatever a flag names, reading it ends.
func TestReadFileIsBounded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, size := range map[string]int64{"fits": 10, "large": 11} {
		if err := os.WriteFile(filepath.Join(folder, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, path, want string }{
		{"as large as allowed", filepath.Join(folder, "fits"), ""},
		{"too large", filepath.Join(folder, "large"), "larger than"},
		{"a folder", folder, "it is a folder"},
		{"a device", os.DevNull, "not an ordinary file"},
		{"missing", filepath.Join(folder, "missing"), "cannot read"},
	} {
		data, err := readFile("--policy", tt.path, 10)
		if tt.want == "" {
			if err != nil || len(data) != 10 {
				t.Errorf("%s: %d bytes, %v", tt.name, len(data), err)
			}
			continue
		}
		if statusOf(err) != ExitInvalid || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--policy") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestReadFileFromPipe: process substitution gives a pipe, of which the size
// is known at its end only.
func TestReadFileFromPipe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: a pipe has a path in /proc on Linux only")
	}
	for size, fits := range map[int]bool{10: true, 11: false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := readFile("--policy", fmt.Sprintf("/proc/self/fd/%d", r.Fd()), 10)
		if (err == nil) != fits || fits && len(data) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(data), err)
		}
		_ = r.Close()
	}
}

// bare runs one command with no other arguments than the given ones.
func (b *bench) bare(ctx context.Context, command string, args ...string) int {
	b.out.Reset()
	b.err.Reset()
	return Main(ctx, append([]string{command}, args...), Streams{In: b.in, Out: &b.out, Err: &b.err}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now,
	})
}

// TestInputsAreBounded: every command that reads a file refuses the wrong kind
// before a request.
func TestInputsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxInput+1); err != nil { // sparse: it takes no room
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", "--policy", large},
		{"check", "--config", large},
		{"check", "--ca-file", large},
		{"validate", large},
		{"apply", os.DevNull},
		{"apply", filepath.Dir(large)},
	} {
		run := b.run
		if args[0] == "validate" {
			run = b.bare
		}
		if got := run(t.Context(), args[0], args[1:]...); got != ExitInvalid || !strings.Contains(b.err.String(), "cannot read") {
			t.Errorf("%v: exit status %d\n%s", args, got, b.err.String())
		}
	}
	for name := range b.vars {
		if name == "EXOAUDIT_ACCESS_TOKEN" || name == "AZURE_CLIENT_SECRET" {
			delete(b.vars, name)
		}
	}
	b.vars[certificateVariable] = large
	if got := b.run(t.Context(), "check"); got != ExitInvalid || !strings.Contains(b.err.String(), "larger than") {
		t.Errorf("certificate: exit status %d\n%s", got, b.err.String())
	}
	if n := b.sim.Service.Requests(); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}
