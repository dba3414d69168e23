package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// childVariable tells a process that a test started it, to work in its folder.
const childVariable = "EXOAUDIT_TEST_STORE"

func isChild() bool { return os.Getenv(childVariable) != "" }

// another is a command that runs one test in another process, in a folder.
func another(t *testing.T, test, dir string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+test+"$", "-test.count=1")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), childVariable+"=1")
	cmd.Stderr = t.Output()
	return cmd
}

// appending appends batches of lines under leases, each time as a process of its
// own, and says so on its output when they are kept.
func appending(t *testing.T, batches, lines int) {
	s, err := Open(t.Context(), "state.db", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	h := store.Holder{Name: fmt.Sprint("process ", os.Getpid()), Place: fmt.Sprint(os.Getpid())}
	for n := 0; n < batches; {
		l, err := s.Acquire(t.Context(), tenant, h, time.Minute)
		if is[*store.LeaseHeldError](err) {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // under one lease nobody else may append
			head, err := s.Head(t.Context(), tenant)
			if err == nil {
				err = s.Append(t.Context(), l, head, storetest.Chain(head, lines, h.Name))
			}
			if err == nil {
				l, err = s.Renew(t.Context(), l, time.Minute)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintln(os.Stdout, "\nkept", head.Seq+int64(lines)); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if err := s.Release(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
}

// kept reads what a process says it has kept: the number of the last line.
func kept(line string) (seq int64, ok bool) {
	if text, found := strings.CutPrefix(line, "kept "); found {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// TestProcessAppend: two processes append by turns.
func TestProcessAppend(t *testing.T) {
	if isChild() {
		appending(t, 30, 4)
		return
	}
	if testing.Short() {
		t.Skip("it starts processes: left out with -short")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	var processes []*exec.Cmd
	for range 2 {
		cmd := another(t, "TestProcessAppend", filepath.Dir(path))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, cmd)
	}
	for _, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	s := opened(t, path)
	if lines := storetest.Read(t, s, tenant, store.Head{}); len(lines) != 2*30*4 {
		t.Errorf("%d lines, want %d", len(lines), 2*30*4)
	}
}

// TestProcessKilled: a process that is killed in the middle of its appends leaves
// whole ones, and all of those of which it was told that they are kept.
func TestProcessKilled(t *testing.T) {
	const lines = 25
	if isChild() {
		appending(t, 1<<30, lines)
		return
	}
	if testing.Short() {
		t.Skip("it starts processes: left out with -short")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	last := int64(0)
	for round := range 8 {
		cmd := another(t, "TestProcessKilled", filepath.Dir(path))
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for text := bufio.NewScanner(out); text.Scan(); {
			seq, ok := kept(text.Text())
			if !ok {
				continue
			}
			last = max(last, seq)
			if n++; n == 2+round {
				time.Sleep(time.Duration(round) * 300 * time.Microsecond)
				_ = cmd.Process.Kill() // what it wrote before is still read
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Error("it was not killed")
		}
		wantWhole(t, path, last, lines)
	}
}

// wantWhole checks what a process left that was killed, and waits out its lease.
func wantWhole(t *testing.T, path string, last, lines int64) {
	t.Helper()
	later := func() time.Time { return time.Now().Add(2 * time.Minute) }
	s, err := Open(t.Context(), path, later)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	got := int64(len(storetest.Read(t, s, tenant, store.Head{})))
	if got < last || got%lines != 0 {
		t.Errorf("%d lines, of which %d were told to be kept, %d at a time", got, last, lines)
	}
	if err := s.Examine(t.Context()); err != nil {
		t.Error(err)
	}
	l, err := s.Acquire(t.Context(), tenant, store.Holder{Name: "next", Place: "next"}, time.Minute)
	if err == nil {
		err = s.Release(t.Context(), l)
	}
	if err != nil {
		t.Error(err)
	}
}
