package cli

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

// TestDoctorOfAPerson: somebody at a terminal is shown the code, even where
// notices are not wanted, and needs no app role.
func TestDoctorOfAPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	maps.Copy(b.vars, b.sim.EnvironmentFor(auth.KindDeviceCode))
	if got := b.run(t.Context(), "doctor", "--auth", "device-code"); got != ExitInvalid || !strings.Contains(b.err.String(), "terminal") {
		t.Errorf("without a terminal: exit status %d\n%s", got, b.err.String())
	}
	b.tty = true
	if got := b.run(t.Context(), "doctor", "--auth", "device-code", "--quiet", "--format", "json"); got != ExitInLine {
		t.Fatalf("exit status %d\n%s%s", got, b.out.String(), b.err.String())
	}
	if !strings.Contains(b.err.String(), "enter the code") {
		t.Errorf("the code is not shown:\n%s", b.err.String())
	}
	var report struct {
		Checks []struct{ Name, Status, Seen string }
	}
	if err := json.Unmarshal(b.out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if c.Name == "app role" && (c.Status != "ok" || !strings.Contains(c.Seen, simulatedPerson)) {
			t.Errorf("%+v", c)
		}
	}
}

// TestOldCertificate: a certificate that soon ends is spoken of by every
// command, also where notices are not wanted.
func TestOldCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	old, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{Lifetime: 10 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	b.vars[certificateVariable] = filepath.Join(t.TempDir(), "old.pem")
	if err := os.WriteFile(b.vars[certificateVariable], old.ClientPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := b.run(t.Context(), "check", "--quiet"); got != ExitDenied || !strings.Contains(b.err.String(), "warning: the client certificate") {
		t.Errorf("exit status %d\n%s", got, b.err.String())
	}
	if got := b.run(t.Context(), "doctor", "--quiet"); got != ExitDenied || !strings.Contains(b.out.String(), "\n  warning  certificate ") {
		t.Errorf("exit status %d\n%s", got, b.out.String())
	}
}

// TestDoctorUnreachable: a service that cannot be reached is a finding, and not
// a role that is missing.
func TestDoctorUnreachable(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 5})
	way := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // It is one.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b.vars = map[string]string{
		"AZURE_TENANT_ID": b.sim.Tenant.ID(), "EXOAUDIT_ACCESS_TOKEN": "x", "EXOAUDIT_ENDPOINT": b.sim.Endpoint,
		"HOME": t.TempDir(), "LOCALAPPDATA": t.TempDir(),
	}
	got := Main(ctx, []string{"doctor", "--cloud", "custom"}, Streams{In: b.in, Out: &b.out, Err: &b.err}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now, Transport: refusing{way},
	})
	if got != ExitIncomplete || !strings.Contains(b.out.String(), "no way") {
		t.Errorf("exit status %d\n%s%s", got, b.out.String(), b.err.String())
	}
}

// refusing is a network without a way to the service.
type refusing struct{ http.RoundTripper }

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no way")
}

func TestLookAtState(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: the folders of other systems are tested by TestStateFolder")
	}
	home := t.TempDir()
	a := &app{env: Environment{Getenv: func(name string) string { return map[string]string{"XDG_STATE_HOME": home}[name] }}}
	look := func(dsn string) *doctor.State { return a.lookAtState(t.Context(), dsn, "tenant") }
	if s := look(""); s.Err != nil || s.Path != filepath.Join(home, "exoaudit", "state.db") {
		t.Errorf("%+v", s)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind (%v)", left, err)
	}
	if s := look("none"); s.Err != nil || s.Path != "" {
		t.Errorf("%+v", s)
	}
	folder := filepath.Join(home, "exoaudit")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "state.db")
	if err := os.WriteFile(foreign, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := look(""); s.Err == nil {
		t.Error("a file that is no store is no finding")
	}
	if data, err := os.ReadFile(foreign); err != nil || string(data) != "hello\n" {
		t.Errorf("the file is %q now (%v)", data, err)
	}
	if err := errors.Join(os.Remove(foreign), os.WriteFile(filepath.Join(folder, "tenant"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if s := look(""); s.Err == nil {
		t.Error("a file in place of the tenant's folder is no finding")
	}
	home = "" // no home at all
	if s := look(""); s.Err == nil || !strings.Contains(s.Err.Error(), "--state") {
		t.Errorf("%+v", s)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	var c clock
	if _, known := c.ahead(); known {
		t.Error("known before any answer")
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c.see(exchange.Trace{Start: start})
	c.see(exchange.Trace{Start: start, Duration: 4 * time.Second, ServiceTime: start.Add(62 * time.Second)})
	c.see(exchange.Trace{Start: start, ServiceTime: start.Add(time.Hour)})
	if by, known := c.ahead(); !known || by != time.Minute {
		t.Errorf("%s, %t", by, known)
	}
}

// TestBehaviour: what the flags of simulate say is what the service then does.
func TestBehaviour(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`[{"cmdlet": "Get-OrganizationConfig", "do": "refuse"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		b    behaviour
		want int
		says string
	}{
		{"a fault", behaviour{faults: file}, ExitDenied, "\nMissing: Get-OrganizationConfig "},
		{"a role", behaviour{role: "globalReader"}, ExitDenied, "Global Reader (f2ef992c-3afb-46b9-b7cf-a126ee74c451)"},
		{"a switch", behaviour{role: "auditOperator", switches: []string{"roleParameter=identityFirst"}}, ExitIncomplete, "\nNot all could be determined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var cfg SimulationConfig
			if err := tt.b.apply(&cfg); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, simulator.Seed{Mailboxes: 5}, cfg.Options...)
			b.sim.Authority.SetClaims(simulator.AuthorityClaims{DirectoryRoles: cfg.DirectoryRoles})
			if got := b.run(t.Context(), "doctor"); got != tt.want || !strings.Contains(b.out.String(), tt.says) {
				t.Errorf("exit status %d, want %d with %q\n%s%s", got, tt.want, tt.says, b.out.String(), b.err.String())
			}
		})
	}
}

// TestThrottle: of cmdlets that come faster than the limit some are refused.
func TestThrottle(t *testing.T) {
	t.Parallel()
	var cfg SimulationConfig
	if err := (&behaviour{throttle: 0.5}).apply(&cfg); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, simulator.Seed{Mailboxes: 5}, cfg.Options...)
	var status []int
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.sim.Endpoint+"/adminapi/beta/"+b.sim.Tenant.ID()+"/InvokeCommand",
			strings.NewReader(`{"CmdletInput":{"CmdletName":"Get-OrganizationConfig","Parameters":{}}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+b.sim.AccessToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		status = append(status, resp.StatusCode)
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if status[0] != http.StatusOK || status[1] != http.StatusTooManyRequests {
		t.Errorf("answers %d", status)
	}
}
