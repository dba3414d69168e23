package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestProcessDemo runs the demo as a stranger would: a fresh build, an empty
// home, nothing in the environment. It believes no count of the demo alone, but
// looks at the sockets of the process itself where the system shows them.
func TestProcessDemo(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	home, temp := t.TempDir(), t.TempDir()
	cmd := exec.CommandContext(t.Context(), program(t), "demo")
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + temp}
	cmd.Dir = home
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := make(chan sockets)
	ended := make(chan struct{})
	go func() { seen <- watchSockets(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	observed := <-seen
	if got := exitStatus(t, err); got != 0 || stderr.Len() > 0 {
		t.Fatalf("exit status %d\n%s\n%s", got, out.String(), stderr.String())
	}
	said := regexp.MustCompile(`(\d+) HTTP requests to the two services, (\d+) to the authority,\n(\d+) TCP connections accepted, (\d+) tokens issued by certificate`).FindStringSubmatch(out.String())
	if said == nil {
		t.Fatalf("the demo ends without its counts:\n%s", out.String())
	}
	for i, least := range []int{30, 12, 10, 6} {
		if n, err := strconv.Atoi(said[i+1]); err != nil || n < least {
			t.Errorf("%q: number %d is under %d", said[0], i+1, least)
		}
	}
	if runtime.GOOS == "linux" && (observed.listening < 2 || observed.connected < 2) {
		t.Errorf("the process was seen to listen on %d loopback sockets and to hold %d connections; at least 2 and 2 are due",
			observed.listening, observed.connected)
	}
	for _, folder := range []string{home, temp} {
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("the demo left %d files in %s", len(left), folder)
		}
	}
}

// sockets counts the loopback sockets that a process was seen to hold.
type sockets struct{ listening, connected int }

// watchSockets looks at a process again and again until it ends. It sees only
// what lives long enough, so its counts are a lower bound.
func watchSockets(pid int, ended <-chan struct{}) sockets {
	listening, connected := map[string]bool{}, map[string]bool{}
	for {
		select {
		case <-ended:
			return sockets{len(listening), len(connected)}
		case <-time.After(time.Millisecond):
		}
		owned := ownedSockets(pid)
		table, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "net", "tcp"))
		for line := range strings.Lines(string(table)) {
			// Columns of proc(5): sl, local, remote, state, …, inode.
			f := strings.Fields(line)
			if len(f) < 10 || !strings.HasPrefix(f[1], "0100007F:") || !owned[f[9]] {
				continue
			}
			switch f[3] {
			case "0A":
				listening[f[9]] = true
			case "01":
				connected[f[9]] = true
			}
		}
	}
}

// ownedSockets gives the inodes of the sockets that a process holds.
func ownedSockets(pid int) map[string]bool {
	folder := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	owned := map[string]bool{}
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(folder, e.Name()))
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			owned[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return owned
}
