package main

import (
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// serviceKey finds the service that a script has started.
type serviceKey struct{}

// serving is a service in the background, and what it has said.
type serving struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu   sync.Mutex
	said []byte
	// seen is up to where a wait has read.
	seen int
}

// Write takes what the service says.
func (s *serving) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, p...)
	return len(p), nil
}

// find looks for a line after those that were found before.
func (s *serving) find(line *regexp.Regexp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := line.FindIndex(s.said[s.seen:])
	if at != nil {
		s.seen += at[1]
	}
	return at != nil
}

// text is all that the service has said.
func (s *serving) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.said)
}

// scriptPatience is how long a script waits for what does not come.
const scriptPatience = 30 * time.Second

// cmdServe runs the service beside a script:
//
//	serve start FLAGS...
//	serve wait REGEXP     (until it says so, after what was waited for before)
//	serve hangup          (SIGHUP)
//	serve stop STATUS     (SIGTERM)
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve start|wait|hangup|stop")
	}
	h, _ := ts.Value(serviceKey{}).(*serving)
	switch args[0] {
	case "start":
		startServing(ts, h, args[1:])
	case "wait":
		line := regexp.MustCompile("(?m)" + args[1])
		for until := time.Now().Add(scriptPatience); !h.find(line); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				ts.Fatalf("the service never said %q:\n%s", args[1], h.text())
			}
		}
	case "hangup":
		ts.Check(h.cmd.Process.Signal(syscall.SIGHUP))
	case "stop":
		ts.Check(h.cmd.Process.Signal(syscall.SIGTERM))
		<-h.done
		if got := strconv.Itoa(h.cmd.ProcessState.ExitCode()); got != args[1] {
			ts.Fatalf("exit status %s, want %s:\n%s", got, args[1], h.text())
		}
	default:
		ts.Fatalf("serve: there is no %q", args[0])
	}
}

func startServing(ts *testscript.TestScript, h *serving, flags []string) {
	path, err := exec.LookPath("exoaudit")
	ts.Check(err)
	h.said, h.seen, h.done = nil, 0, make(chan struct{})
	h.cmd = exec.Command(path, append([]string{"serve"}, flags...)...)
	h.cmd.Dir = ts.MkAbs(".")
	names := []string{"HOME", "XDG_STATE_HOME", "PATH", "TMPDIR"}
	for name := range simulationOf(ts).Environment() {
		names = append(names, name)
	}
	for _, name := range names {
		h.cmd.Env = append(h.cmd.Env, name+"="+ts.Getenv(name))
	}
	h.cmd.Stdout, h.cmd.Stderr = h, h
	ts.Check(h.cmd.Start())
	process, done := h.cmd, h.done
	go func() {
		_ = process.Wait() // its state has the exit status
		close(done)
	}()
	ts.Defer(func() {
		_ = process.Process.Kill() // which fails where it has ended
		<-done
	})
}
