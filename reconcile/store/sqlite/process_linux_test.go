package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// inside runs a test again in a process with mounts of its own, that end with it.
func inside(t *testing.T, test string) {
	t.Helper()
	cmd := another(t, test, t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.Output()
	if _, ran := err.(*exec.ExitError); err != nil && !ran { //nolint:errorlint // as os/exec gives it
		t.Skipf("a process with mounts of its own cannot be started here: %v", err)
	}
	if strings.Contains(string(out), cannotMount) {
		t.Skip("nothing can be mounted here")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

const cannotMount = "no mounts here"

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		t.Logf("%s: %s: %v", cannotMount, target, err)
		t.FailNow()
	}
}

// TestProcessDiskFull: on a disk that is really full an append fails as a whole, and
// works again once there is room.
func TestProcessDiskFull(t *testing.T) {
	if !isChild() {
		if testing.Short() {
			t.Skip("it starts a process: left out with -short")
		}
		t.Parallel()
		inside(t, "TestProcessDiskFull")
		return
	}
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=1m")
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	filler := filepath.Join(dir, "filler")
	write(t, filler, make([]byte, 300<<10))
	path := filepath.Join(dir, "state.db")
	s := opened(t, path)
	l := leased(t, s)
	head := fill(t, s, l, store.Head{})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	head = grown(t, s, l, head, 20)
	head = fill(t, s, l, head)
	closed(t, s)
	s = opened(t, path)
	if lines := storetest.Read(t, s, tenant, store.Head{}); int64(len(lines)) != head.Seq || head.Seq == 0 {
		t.Errorf("%d lines, want %d", len(lines), head.Seq)
	}
	if err := s.Examine(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestProcessReadOnly: a store in a folder to which nothing can be written is read.
func TestProcessReadOnly(t *testing.T) {
	if !isChild() {
		if testing.Short() {
			t.Skip("it starts a process: left out with -short")
		}
		t.Parallel()
		inside(t, "TestProcessReadOnly")
		return
	}
	dir := t.TempDir()
	path, crashed, alone := filepath.Join(dir, "state.db"), filepath.Join(dir, "crashed.db"), filepath.Join(dir, "alone.db")
	head := filled(t, path, 30)
	w := opened(t, path)
	after := grown(t, w, leased(t, w), head, 5)
	write(t, crashed, read(t, path))
	write(t, crashed+"-wal", read(t, path+"-wal"))
	write(t, crashed+"-shm", read(t, path+"-shm"))
	write(t, alone, read(t, path))
	write(t, alone+"-wal", read(t, path+"-wal"))
	closed(t, w)
	mount(t, dir, dir, "", syscall.MS_BIND, "")
	mount(t, "", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	for _, file := range []string{path, crashed} {
		s := opened(t, file)
		wantReadOnly(t, s, after)
		closed(t, s)
	}
	if _, err := Open(t.Context(), alone, clock); err == nil || !strings.Contains(err.Error(), "left a log") {
		t.Errorf("a log without an index, where none can be made: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "new.db"), clock); err == nil {
		t.Error("a new store was made where nothing can be written")
	}
}
