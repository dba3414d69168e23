package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// transcript is what a process has written so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// machine is a host on which services for one simulated tenant run.
type machine struct {
	t      *testing.T
	sim    *cli.Simulation
	folder string
	// hold, where it is set, keeps a batch of writes waiting before it takes effect.
	hold    atomic.Pointer[chan struct{}]
	arrived atomic.Int64
}

const servedPolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: served
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone: {types: [UserMailbox, SharedMailbox], ageLimit: 90d}
guards: {maxChangedPercent: 100}
`

// newMachine makes a tenant of which a dozen mailboxes drift, over TLS, and a folder
// for its services.
func newMachine(t *testing.T) *machine {
	t.Helper()
	needsProcesses(t)
	m := &machine{t: t, folder: t.TempDir()}
	tenant := simulator.NewTenant(simulator.Seed{Seed: 5, Mailboxes: 40, Now: time.Now()})
	drifting := 0
	for box := range tenant.AllMailboxes() {
		if box.Type == "UserMailbox" && drifting < 12 {
			drifting++
			tenant.Update(box.Guid, func(b *simulator.Mailbox) { b.AgeLimit = "30.00:00:00" })
		}
	}
	var err error
	m.sim, err = cli.StartSimulation(t.Context(), tenant, cli.SimulationConfig{
		TLS: true,
		Options: []simulator.Option{simulator.WithFaults(simulator.Fault{
			Name: "held", Cmdlet: "$batch", Do: simulator.DoRun, Run: func(*simulator.Tenant) {
				m.arrived.Add(1)
				if hold := m.hold.Load(); hold != nil {
					select {
					case <-*hold:
					case <-t.Context().Done():
					}
				}
			},
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.sim.Close(t.Context()) })
	m.write("policy.yaml", servedPolicy)
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.folder, name) }

func (m *machine) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// command is a process of the program on this machine.
func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(m.t.Context(), program(m.t), args...)
	cmd.Env = []string{"XDG_STATE_HOME=" + m.path("state"), "HOME=" + m.folder}
	for name, value := range m.sim.Environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// served is a service under way.
type served struct {
	t       *testing.T
	process *os.Process
	exited  chan error // receives what Wait said, once
	log     transcript
	at      string
}

// serve starts a service, and returns once it listens.
func (m *machine) serve(args ...string) *served {
	m.t.Helper()
	s := &served{t: m.t, exited: make(chan error, 1)}
	cmd := m.command(append([]string{
		"serve", "-p", m.path("policy.yaml"), "--cloud", "custom", "--mode", "apply", "--listen", "127.0.0.1:0", "--verbose",
	}, args...)...)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	s.process = cmd.Process
	go func() { s.exited <- cmd.Wait() }()
	m.t.Cleanup(func() { _ = cmd.Process.Kill() })
	listens := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)
	s.until("it listens", func() bool {
		if found := listens.FindStringSubmatch(s.log.String()); found != nil {
			s.at = found[1]
		}
		return s.at != ""
	})
	return s
}

// longEnough is how long a test waits for what should come at once, before it gives up.
const longEnough = time.Minute

// until waits for something, as long as the service runs.
func (s *served) until(what string, done func() bool) {
	s.t.Helper()
	late := time.After(longEnough)
	for !done() {
		select {
		case err := <-s.exited:
			s.t.Fatalf("the service ended before %s: %v\n%s", what, err, s.log.String())
		case <-late:
			s.t.Fatalf("%s did not come within %s\n%s", what, longEnough, s.log.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// get asks the service how it is.
func (s *served) get(method, path string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.at+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log.String())
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// series waits until a series of the metrics has a value.
func (s *served) series(name, value string) {
	s.t.Helper()
	s.until(name+" "+value, func() bool {
		_, text := s.get(http.MethodGet, "/metrics")
		return strings.Contains(text, "\n"+name+" "+value+"\n")
	})
}

// end sends signals, and gives the exit status when the service is gone.
func (s *served) end(signals ...os.Signal) int {
	s.t.Helper()
	for _, sig := range signals {
		if err := s.process.Signal(sig); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // signals of one kind are merged while one waits
	}
	select {
	case err := <-s.exited:
		return exitStatus(s.t, err)
	case <-time.After(longEnough):
		s.t.Fatalf("the service does not end\n%s", s.log.String())
		return 0
	}
}

// settled expects that every mailbox has its age limit, and that the journal is whole.
func (m *machine) settled() {
	m.t.Helper()
	for box := range m.sim.Tenant.AllMailboxes() {
		if box.AgeLimit == "30.00:00:00" {
			m.t.Errorf("%s has the age limit %s", box.PrimarySMTPAddress, box.AgeLimit)
		}
	}
	if out, err := m.command("verify", "--tenant", m.sim.Tenant.ID()).CombinedOutput(); exitStatus(m.t, err) != 0 {
		m.t.Errorf("the journal: %v\n%s", err, out)
	}
}

// TestProcessService runs the service as an operator would: it brings a tenant in
// line, says so to probes and metrics, keeps its policy where a new one is not valid,
// ends at SIGTERM, and at the next start finds the mailbox that was created meanwhile
// by a look at what is new alone.
func TestProcessService(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	s := m.serve()
	s.series(`exoaudit_objects{kind="mailbox",state="drifted"}`, "0")
	s.series(`exoaudit_runs_total{loop="full",verdict="inLine"}`, "1")
	s.series(`exoaudit_lease_held`, "1")
	for path, want := range map[string]string{"/livez": "alive\n", "/readyz": "ready\n"} {
		if status, body := s.get(http.MethodGet, path); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
		if status, _ := s.get(http.MethodPost, path); status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, status)
		}
	}
	m.write("policy.yaml", strings.Replace(servedPolicy, "90d", "ninety", 1))
	if err := s.process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.series(`exoaudit_reloads_total{result="failed"}`, "1")
	m.write("policy.yaml", servedPolicy)
	if status := s.end(syscall.SIGTERM); status != cli.ExitInLine {
		t.Errorf("exit status %d\n%s", status, s.log.String())
	}
	m.settled()

	m.sim.Tenant.AddMailbox(simulator.Mailbox{
		Name: "late", PrimarySMTPAddress: "late@contoso.com", AgeLimit: "30.00:00:00", Created: time.Now(), Changed: time.Now(),
	})
	before := m.sim.Service.Count("Get-Mailbox")
	s = m.serve()
	s.series(`exoaudit_runs_total{loop="incremental",verdict="inLine"}`, "1")
	s.series(`exoaudit_creation_to_in_line_seconds_count`, "1")
	if status := s.end(os.Interrupt); status != cli.ExitInLine {
		t.Errorf("exit status %d\n%s", status, s.log.String())
	}
	t.Logf("Get-Mailbox was called %d times for one new mailbox", m.sim.Service.Count("Get-Mailbox")-before)
	m.settled()
}

// TestProcessServiceGivesUp: at SIGTERM what is in flight may come to its end; at a
// second one it is given up, named, and closed by the next start.
func TestProcessServiceGivesUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	never := make(chan struct{})
	m.hold.Store(&never)
	s := m.serve()
	s.until("a batch", func() bool { return m.arrived.Load() > 0 })
	if status := s.end(syscall.SIGTERM, syscall.SIGTERM); status != cli.ExitInLine {
		t.Errorf("exit status %d\n%s", status, s.log.String())
	}
	if !strings.Contains(s.log.String(), "left open") {
		t.Errorf("what was left open is not named:\n%s", s.log.String())
	}
	m.hold.Store(nil)
	close(never)
	s = m.serve()
	s.series(`exoaudit_objects{kind="mailbox",state="drifted"}`, "0")
	if status := s.end(syscall.SIGTERM); status != cli.ExitInLine {
		t.Errorf("exit status %d\n%s", status, s.log.String())
	}
	m.settled()
}

// TestProcessServiceTakesOver: of two services on one store one writes at a time, and
// when it is killed the other goes on at once, since it knows by the lock of the host
// that nobody holds the lease any more.
func TestProcessServiceTakesOver(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	never := make(chan struct{})
	m.hold.Store(&never)
	first := m.serve()
	first.until("a batch", func() bool { return m.arrived.Load() > 0 })
	second := m.serve()
	second.series("exoaudit_lease_held", "0")
	if _, body := second.get(http.MethodGet, "/readyz"); !strings.Contains(body, "another process has the right to write") {
		t.Errorf("the second one says %q", body)
	}
	if status, body := second.get(http.MethodGet, "/livez"); status != http.StatusOK {
		t.Errorf("the second one is not alive: %s", body)
	}
	if err := first.process.Kill(); err != nil {
		t.Fatal(err)
	}
	if exitStatus(t, <-first.exited) == 0 {
		t.Error("the first one ended by itself")
	}
	killed := time.Now()
	m.hold.Store(nil)
	close(never)
	second.series(`exoaudit_objects{kind="mailbox",state="drifted"}`, "0")
	t.Logf("in line %s after the kill", time.Since(killed).Round(time.Millisecond))
	if status := second.end(syscall.SIGTERM); status != cli.ExitInLine {
		t.Errorf("exit status %d\n%s", status, second.log.String())
	}
	m.settled()
}
