package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// walked runs the demo in this process; the process test does so from outside.
func walked(t *testing.T, terminal bool, vars map[string]string, flags ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	streams := Streams{In: strings.NewReader(""), Out: &out, Err: &stderr, OutTerminal: terminal}
	got := Main(t.Context(), append([]string{"demo"}, flags...), streams, Environment{
		Getenv: func(name string) string { return vars[name] }, Now: time.Now,
	})
	if got != ExitInLine || stderr.Len() > 0 {
		t.Fatalf("exit status %d\n%s\n%s", got, out.String(), stderr.String())
	}
	return out.String()
}

func TestDemo(t *testing.T) {
	t.Parallel()
	out := walked(t, false, nil)
	for _, want := range []string{
		"auditDisabled: true → false", "unifiedAuditLogIngestionEnabled: false → true", "= auditBypassEnabled", "! auditOwner",
		"- auditLogAgeLimit", "AuditEnabled is missing", "new.director@", "Exit status 3.", "tokens issued by certificate", "~ retentionPolicy",
		"| exoaudit: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	if strings.Contains(out, "expires-late") {
		t.Error("the policy of the demo allows a bypass for longer than is good")
	}
}

// TestDemoPassesOn: its steps speak as the demo was told to.
func TestDemoPassesOn(t *testing.T) {
	t.Parallel()
	const escape, notice, structured = "\x1b[", "| exoaudit: ", `| {"time":`
	for _, tt := range []struct {
		name       string
		vars       map[string]string
		flags      []string
		has, lacks []string
	}{
		{"terminal", nil, nil, []string{escape, notice}, []string{structured}},
		{"NO_COLOR", map[string]string{"NO_COLOR": "1"}, nil, nil, []string{escape}},
		{"dumb terminal", map[string]string{"TERM": "dumb"}, nil, nil, []string{escape}},
		{"never, quiet", nil, []string{"--color", "never", "--quiet"}, nil, []string{escape, notice}},
		{"always, JSON", map[string]string{"NO_COLOR": "1"}, []string{"--color=always", "--log-format=json"}, []string{escape, structured}, []string{notice}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := walked(t, true, tt.vars, tt.flags...)
			for _, text := range tt.has {
				if !strings.Contains(out, text) {
					t.Errorf("%q is missing", text)
				}
			}
			for _, text := range tt.lacks {
				if strings.Contains(out, text) {
					t.Errorf("%q is shown", text)
				}
			}
		})
	}
}
