package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

// hiddenURL is what no message may show any part of.
const hiddenURL = "https://hooks.example/T0KEN/S3CRET"

func TestReadReceivers(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // of the error; empty for none
	}{
		{"all kinds", "notify:\n- {kind: slack, url: env:URL}\n- {kind: teams, url: file:secrets/url}\n- {kind: heartbeat, url: env:URL}\n- {kind: webhook, url: env:URL, secret: file:secrets/key}\n", ""},
		{"none", "notify: []\n", ""},
		{"the URL itself", "notify: [{kind: slack, url: '" + hiddenURL + "'}]\n", "config.yaml:1:29: error literal-secret: url must say where"},
		{"the secret itself", "notify: [{kind: webhook, url: env:URL, secret: " + hiddenURL + "}]\n", "config.yaml:1:48: error literal-secret: secret must say where"},
		{"a number", "notify: [{kind: webhook, url: env:URL, secret: 8123456789}]\n", "literal-secret"},
		{"nothing", "notify: [{kind: slack, url: }]\n", "config.yaml:1:29: error wrong-type"},
		{"a list as URL", "notify: [{kind: slack, url: ['" + hiddenURL + "']}]\n", "wrong-type"},
		{"no list", "notify: " + hiddenURL + "\n", "config.yaml:1:9: error wrong-type: notify: expected a list"},
		{"no map", "notify: ['" + hiddenURL + "']\n", "config.yaml:1:10: error wrong-type: notify: expected a map"},
		{"the URL as a key", "notify: [{kind: slack, " + hiddenURL + "}]\n", "config.yaml:1:24: error unknown-key: unknown key in notify (it is not shown"},
		{"another key", "notify: [{kind: slack, url: env:URL, channel: x}]\n", "error unknown-key: unknown key \"channel\""},
		{"no kind", "notify: [{url: env:URL}]\n", "error missing-key: the key \"kind\""},
		{"no url", "notify: [{kind: slack}]\n", "error missing-key: the key \"url\""},
		{"kind", "notify: [{kind: slak, url: env:URL}]\n", "config.yaml:1:17: error bad-target: there is no such kind of receiver (did you mean slack?)"},
		{"variable", "notify: [{kind: slack, url: 'env:A B'}]\n", "literal-secret"},
		{"file", "notify: [{kind: slack, url: 'file:'}]\n", "literal-secret"},
		{"the URL itself as a file", "notify: [{kind: slack, url: 'file:" + hiddenURL + "'}]\n", "literal-secret"},
		{"the URL itself as a variable", "notify: [{kind: slack, url: 'env:" + hiddenURL + "'}]\n", "literal-secret"},
		{"the URL itself as kind", "notify: [{kind: '" + hiddenURL + "', url: env:URL}]\n", "bad-target"},
		{"no secret", "notify: [{kind: webhook, url: env:URL}]\n", "error missing-key: a webhook needs a secret"},
		{"secret of Slack", "notify: [{kind: slack, url: env:URL, secret: env:KEY}]\n", "config.yaml:1:46: error bad-target: a secret is for a webhook"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "config.yaml", tt.text)
			config, err := readConfig("config.yaml")
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				if got := strings.Count(tt.text, "kind:"); got != len(config.receivers) {
					t.Errorf("%d receivers, want %d", len(config.receivers), got)
				}
				return
			case err == nil:
				t.Fatal("accepted")
			}
			if statusOf(err) != ExitInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("status %d: %v", statusOf(err), err)
			}
			noSecret(t, err.Error())
		})
	}
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, part := range []string{"T0KEN", "S3CRET", "hooks.example", "8123456789"} {
		if strings.Contains(text, part) {
			t.Errorf("%q is shown in %s", part, text)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTargets: where the secrets are is relative to the configuration file, and what
// is wrong with them is told with the place, and without them.
func TestTargets(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "conf/config.yaml", `notify:
- {kind: slack, url: env:SLACK}
- {kind: webhook, url: file:url, secret: env:KEY}
`)
	write(t, "conf/url", hiddenURL+"\n")
	config, err := readConfig("conf/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	resolve := func(vars map[string]string) ([]notify.Target, error) {
		a := &app{env: Environment{Getenv: func(name string) string { return vars[name] }}, receivers: config.receivers}
		return a.targets()
	}
	got, err := resolve(map[string]string{"SLACK": hiddenURL, "KEY": "0123456789abcdef"})
	if err != nil || len(got) != 2 || got[0].String() != "slack conf/config.yaml:2:22 (env:SLACK)" || got[1].Kind() != notify.KindWebhook {
		t.Errorf("%v, %v", got, err)
	}
	for want, vars := range map[string]map[string]string{
		"conf/config.yaml:2:22: error no-secret: the environment variable SLACK is not set": {"KEY": "0123456789abcdef"},
		"conf/config.yaml:2:22: error bad-target: env:SLACK: the URL found there is http":   {"SLACK": "http://hooks.example/S3CRET", "KEY": "0123456789abcdef"},
		"error no-secret: the environment variable KEY is not set":                          {"SLACK": hiddenURL},
		"error bad-target: file:conf/url: the secret of the webhook is too short":           {"SLACK": hiddenURL, "KEY": "S3CRET"},
	} {
		_, err := resolve(vars)
		if err == nil || !strings.Contains(err.Error(), want) || statusOf(err) != ExitInvalid {
			t.Errorf("status %d, %v; want %s", statusOf(err), err, want)
			continue
		}
		noSecret(t, err.Error())
	}
	for name, text := range map[string]string{"conf/url": " \n", "conf/url/x": "x"} {
		if err := os.RemoveAll("conf/url"); err != nil {
			t.Fatal(err)
		}
		write(t, name, text)
		if _, err := resolve(map[string]string{"SLACK": hiddenURL, "KEY": "0123456789abcdef"}); err == nil || !strings.Contains(err.Error(), "conf/config.yaml:3:24: error no-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if claims := (&app{receivers: config.receivers}).receiverClaims(); len(claims) != 1 || claims[0].path != filepath.Join("conf", "url") {
		t.Errorf("claims %+v", claims)
	}
}

// TestTargetsTwice: two entries for one receiver are a mistake: it would hear all twice.
// Two of other kinds, or at other addresses, are none.
func TestTargetsTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.yaml", "notify:\n- {kind: slack, url: env:A}\n- {kind: heartbeat, url: env:A}\n- {kind: slack, url: env:B}\n")
	config, err := readConfig("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	resolve := func(b string) error {
		a := &app{env: Environment{Getenv: func(name string) string { return map[string]string{"A": hiddenURL, "B": b}[name] }}, receivers: config.receivers}
		_, err := a.targets()
		return err
	}
	err = resolve(hiddenURL + "\n")
	if err == nil || !strings.Contains(err.Error(), "config.yaml:4:22: error bad-target: env:B: it is the same receiver as slack config.yaml:2:22 (env:A)") {
		t.Fatalf("%v", err)
	}
	noSecret(t, err.Error())
	if err := resolve(hiddenURL + "/other"); err != nil {
		t.Error(err)
	}
}
