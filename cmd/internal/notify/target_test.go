package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

const (
	hidden = "T0KEN-in-the-path"
	secret = "sixteen bytes and more"
)

func target(t testing.TB, kind notify.Kind, address string) notify.Target {
	t.Helper()
	key := ""
	if kind == notify.KindWebhook {
		key = secret
	}
	to, err := notify.NewTarget(kind, "config.yaml:3:5", address, key)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestNewTarget(t *testing.T) {
	for _, tt := range []struct {
		name         string
		kind         notify.Kind
		address, key string
		want         string // of the error; empty for none
	}{
		{"https", notify.KindSlack, "https://hooks.slack.com/services/" + hidden, "", ""},
		{"with the end of a file", notify.KindSlack, "  https://hooks.slack.com/services/" + hidden + "\r\n", "", ""},
		{"query", notify.KindTeams, "https://prod.logic.azure.com:443/workflows/x?sig=" + hidden, "", ""},
		{"loopback name", notify.KindHeartbeat, "http://localhost:8080/" + hidden, "", ""},
		{"loopback", notify.KindHeartbeat, "http://127.0.0.1/" + hidden, "", ""},
		{"loopback v6", notify.KindHeartbeat, "http://[::1]:8080/" + hidden, "", ""},
		{"signed", notify.KindWebhook, "https://soc.example/" + hidden, secret, ""},
		{"plain http", notify.KindSlack, "http://hooks.slack.com/" + hidden, "", "must be https"},
		{"looks like loopback", notify.KindSlack, "http://localhost.example/" + hidden, "", "must be https"},
		{"other scheme", notify.KindSlack, "ftp://hooks.slack.com/" + hidden, "", "neither https"},
		{"no scheme", notify.KindSlack, "hooks.slack.com/" + hidden, "", "not a URL"},
		{"opaque", notify.KindSlack, "https:" + hidden, "", "not a URL"},
		{"empty", notify.KindSlack, "", "", "not a URL"},
		{"port only", notify.KindSlack, "https://:443/" + hidden, "", "not a URL"},
		{"control character", notify.KindSlack, "https://a.example/" + hidden + "\x00", "", "not a URL"},
		{"bad escape", notify.KindSlack, "https://a.example/%zz" + hidden, "", "not a URL"},
		{"user", notify.KindSlack, "https://user:" + hidden + "@a.example/", "", "user name"},
		{"no secret", notify.KindWebhook, "https://soc.example/" + hidden, " \n", "needs a secret"},
		{"short secret", notify.KindWebhook, "https://soc.example/" + hidden, "hunter2", "too short"},
		{"secret of 15 bytes", notify.KindWebhook, "https://soc.example/" + hidden, "hunter2-hunter2", "too short"},
		{"secret of 16 bytes", notify.KindWebhook, "https://soc.example/" + hidden, "hunter2-hunter2-\n", ""},
		{"two lines", notify.KindSlack, "https://a.example/" + hidden + "\nhttps://b.example/", "", "not a URL"},
		{"mark of a byte order", notify.KindSlack, "\ufeffhttps://a.example/" + hidden, "", "not a URL"},
		{"all interfaces", notify.KindSlack, "http://0.0.0.0/" + hidden, "", "must be https"},
		{"a loopback that is spelt otherwise", notify.KindSlack, "http://2130706433/" + hidden, "", "must be https"},
		{"secret for Slack", notify.KindSlack, "https://a.example/" + hidden, secret, "is for a webhook"},
		{"kind", "pager", "https://a.example/" + hidden, "", "no such kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := notify.NewTarget(tt.kind, "x", tt.address, tt.key)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				return
			case err == nil:
				t.Fatal("accepted")
			}
			if text := err.Error(); !strings.Contains(text, tt.want) || strings.Contains(text, hidden) || strings.Contains(text, "hunter2") {
				t.Errorf("%s", text)
			}
		})
	}
}

// TestTargetHidesItsAddress: whatever prints a target, alone or within something.
func TestTargetHidesItsAddress(t *testing.T) {
	to := target(t, notify.KindWebhook, "https://soc.example/"+hidden)
	var out strings.Builder
	within := struct{ unexported notify.Target }{to}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, to, within, []notify.Target{to})
	}
	doc, err := json.Marshal(map[string]any{"target": to})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(doc)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "target", to, "within", within)
	out.Write(log.Bytes())
	text := out.String()
	for _, not := range []string{hidden, "soc.example", secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%d", []byte(secret))} {
		if strings.Contains(text, strings.Trim(not, "[]")) {
			t.Errorf("%q is shown in %s", not, text)
		}
	}
	if !strings.Contains(text, "webhook config.yaml:3:5") {
		t.Errorf("nothing says which target it is: %s", text)
	}
}

func TestSameTarget(t *testing.T) {
	one := target(t, notify.KindSlack, "https://hooks.slack.com/services/"+hidden)
	for address, want := range map[string]bool{
		"https://hooks.slack.com/services/" + hidden:              true,
		"HTTPS://Hooks.Slack.Com/services/" + hidden + "#x":       true,
		"https://hooks.slack.com/services/" + hidden + "?x=1":     false,
		"https://hooks.slack.com/Services/" + hidden:              false,
		"https://hooks.slack.com:8443/services/" + hidden:         false,
		"https://hooks.slack.com.evil.example/services/" + hidden: false,
	} {
		if got := one.Same(target(t, notify.KindSlack, address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if one.Same(target(t, notify.KindTeams, "https://hooks.slack.com/services/"+hidden)) {
		t.Error("another kind is the same")
	}
}
