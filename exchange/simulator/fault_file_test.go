package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestParseFaults(t *testing.T) {
	faults, err := simulator.ParseFaults([]byte(`[
		{"name": "busy", "cmdlet": "Get-Mailbox", "call": 2, "do": "throttle", "retryAfter": "3s"},
		{"do": "delay", "delay": "1500ms", "probability": 0.5},
		{"cmdlet": "Set-Mailbox", "item": true, "do": "status", "status": 503, "times": 2},
		{"cmdlet": "Get-Mailbox", "with": ["Filter"], "without": ["GroupMailbox"], "do": "regional", "host": "nam13b", "probability": 0.5, "seed": 18446744073709551615}
	]`))
	if err != nil || len(faults) != 4 {
		t.Fatalf("%d faults, %v", len(faults), err)
	}
	if f := faults[0]; f.Do != simulator.DoThrottle || f.RetryAfter != 3*time.Second || f.Call != 2 || f.Name != "busy" {
		t.Errorf("%+v", f)
	}
	if f := faults[1]; f.Delay != 1500*time.Millisecond || f.Probability != 0.5 {
		t.Errorf("%+v", f)
	}
	if f := faults[3]; f.With[0] != "Filter" || f.Without[0] != "GroupMailbox" || f.Seed != 1<<64-1 || f.Host != "nam13b" {
		t.Errorf("%+v", f)
	}
	p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithFaults(faults[0]))
	if one, two := p.invoke("Get-Mailbox", nil), p.invoke("Get-Mailbox", nil); one.Status != 200 || two.Status != 429 {
		t.Errorf("the parsed fault gives %d, %d", one.Status, two.Status)
	}
	for text, hint := range map[string]string{
		`{}`:                                              "cannot unmarshal",
		`[] []`:                                           "follows",
		`[{"do":"throttle"},{"do":"explode"}]`:            `entry 2: unknown action "explode", want one of absentValue`,
		`[{"do":"run"}]`:                                  "unknown action",
		`[{"do":"delay","delay":"soon"}]`:                 "delay \"soon\"",
		`[{"do":"status"}]`:                               "status 0",
		`[{"do":"redirect"}]`:                             "needs a host",
		`[{"do":"regional","host":"a.b"}]`:                "not a region",
		`[{"do":"challenge","text":"{"}]`:                 "not JSON",
		`[{"do":"wrongGzip","text":"bad"}]`:               "neither empty",
		`[{"do":"cutBody","item":true}]`:                  "never on a batch item",
		`[{"do":"delay","cmdlet":"$batch","with":["x"]}]`: "passes no parameters",
		`[{"do":"throttle","cal":1}]`:                     "unknown field",
		`[{"do":"throttle","call":-1}]`:                   "0 or more",
		`[{"do":"throttle","probability":1.5}]`:           "0 to 1",
	} {
		if _, err := simulator.ParseFaults([]byte(text)); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v, want a hint at %s", text, err, hint)
		}
	}
}

// TestParseFaultsKnowsEveryAction but the one that needs a function.
func TestParseFaultsKnowsEveryAction(t *testing.T) {
	for _, action := range simulator.Actions() {
		_, err := simulator.ParseFaults([]byte(`[{"do":"` + string(action) + `","status":503,"host":"region"}]`))
		if (err == nil) != (action != simulator.DoRun) {
			t.Errorf("%s: %v", action, err)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add([]byte(`[{"do":"throttle","cmdlet":"Get-Mailbox"}]`))
	f.Add([]byte(`[`))
	f.Add([]byte(`[{"do":"wrongGzip","text":"damaged","with":["Filter"],"without":["Identity"],"seed":7}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		faults, err := simulator.ParseFaults(data)
		if err != nil && faults != nil {
			t.Errorf("faults and an error: %v", err)
		}
		for _, fault := range faults {
			if fault.Do == simulator.DoRun || fault.Do == "" {
				t.Errorf("action %q was read from a file", fault.Do)
			}
		}
	})
}
