package notify_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

// update writes the golden files anew: go test ./cmd/internal/notify -update.
var update = flag.Bool("update", false, "write the golden files anew")

// hostile is an event whose every text of the tenant tries to be more than text.
func hostile(t testing.TB) notify.Event {
	t.Helper()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	_, events := notify.Decide(
		notify.State{Verdict: "inLine", Since: at.Add(-48 * time.Hour), Told: at.Add(-48 * time.Hour)},
		notify.Outcome{
			At: at, Tenant: "3c6f1a44-0000-4000-8000-000000000001", RunID: "6d1c5a40-0000-4000-8000-000000000002",
			Command: "serve/full", ApplicationID: "6c1f1f2e-0000-4000-8000-000000000003", Policy: "base <!here> & *co*",
			PolicyDigest: "sha256:00", Verdict: "drift", Counts: notify.Counts{Planned: 2, Blocked: 1, Drifting: 3, Unknown: 1},
			Changes: []notify.ChangeCount{{Kind: "bypass", Setting: "auditBypassEnabled", Count: 1}, {Kind: "mailbox", Setting: "auditOwner", Count: 2}},
			Reasons: []string{"<https://evil.example|click>", "a `code` and a\nline", "{{DATE(2026-01-01)}}"}, ReasonsLeftOut: 4,
			Objects: []notify.Object{
				{Kind: "bypass", ID: "1", Name: "<!channel> :tada: *bold*"},
				{Kind: "mailbox", ID: "2", Name: "[click](https://evil.example) \u202egnp.exe\x1b[31m"},
				{Kind: "mailbox", ID: "3", Name: "`rm -rf`##vso[task.setvariable]"},
				{Kind: "mailbox", ID: "a-guid", Name: ""},
			}, ObjectsLeftOut: 7,
		})
	if len(events) != 1 || events[0].Kind != notify.EventStateChanged {
		t.Fatalf("events %+v", events)
	}
	return events[0]
}

// delivered is the body that a kind of target gets.
func delivered(t *testing.T, kind notify.Kind, e notify.Event) call {
	t.Helper()
	var got call
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		o := newOutbox(t, r, target(t, kind, soc))
		o.Notify(t.Context(), e)
		if err := o.end(time.Second); err != nil {
			t.Fatal(err)
		}
		got = r.calls()[0]
	})
	return got
}

func TestMessages(t *testing.T) {
	for _, kind := range []notify.Kind{notify.KindWebhook, notify.KindSlack, notify.KindTeams} {
		t.Run(string(kind), func(t *testing.T) {
			got := delivered(t, kind, hostile(t))
			if got.method != http.MethodPost || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Errorf("%s with %v", got.method, got.header)
			}
			signed := got.header.Get(notify.SignatureHeader) != ""
			if signed != (kind == notify.KindWebhook) {
				t.Errorf("signed: %t", signed)
			}
			var tree any
			if err := json.Unmarshal([]byte(got.body), &tree); err != nil {
				t.Fatal(err)
			}
			pretty, err := json.MarshalIndent(tree, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(kind)+".json", append(pretty, '\n'))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// texts are all texts of a decoded document.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, texts(e)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, e := range v {
			out = append(out, texts(e)...)
		}
		return out
	default:
		return nil
	}
}

// TestHostileNames: no text of the tenant is a mention, a link, a format or a control
// in what Slack and Teams get.
func TestHostileNames(t *testing.T) {
	for kind, not := range map[notify.Kind][]string{
		notify.KindSlack: {"<!", "<https", "&co", "\x1b", "\u202e", "`rm"},
		notify.KindTeams: {"\x1b", "\u202e", "{{"},
	} {
		got := delivered(t, kind, hostile(t))
		var tree any
		if err := json.Unmarshal([]byte(got.body), &tree); err != nil {
			t.Fatal(err)
		}
		for _, text := range texts(tree) {
			for _, n := range not {
				if strings.Contains(text, n) {
					t.Errorf("%s: %q holds %q", kind, text, n)
				}
			}
		}
	}
}

// TestMessageSize: an event of the longest texts stays within what the services take
// (Slack 3000 characters in a section, Teams 28 kilobytes), and says how much of it is
// not shown.
func TestMessageSize(t *testing.T) {
	for _, letter := range []string{"a", "<", "&", "語", "\u202e", "😀", "`", `"`, `\`, "\xff"} {
		long := strings.Repeat(letter, 1000)
		e := hostile(t)
		e.Reasons, e.Objects, e.Policy = nil, nil, long
		for range 10 {
			e.Reasons = append(e.Reasons, long)
		}
		for range 20 {
			e.Objects = append(e.Objects, notify.Object{Kind: "mailbox", ID: "id", Name: long})
		}
		e.ReasonsLeftOut, e.ObjectsLeftOut = 1000, 70_000
		card := delivered(t, notify.KindTeams, e)
		if len(card.body) > 28_000 {
			t.Errorf("a card of %q has %d bytes", letter, len(card.body))
		}
		var message struct {
			Blocks []struct{ Text struct{ Text string } }
		}
		got := delivered(t, notify.KindSlack, e)
		if err := json.Unmarshal([]byte(got.body), &message); err != nil {
			t.Fatal(err)
		}
		whole := 0
		for _, b := range message.Blocks {
			whole += len(b.Text.Text)
			if len(b.Text.Text) == 0 || len(b.Text.Text) > 3000 {
				t.Errorf("a section of %q has %d bytes", letter, len(b.Text.Text))
			}
		}
		if whole > 12_000 || len(message.Blocks) > 50 {
			t.Errorf("a message of %q has %d bytes of text in %d blocks", letter, whole, len(message.Blocks))
		}
		for name, body := range map[string]string{"Slack": got.body, "Teams": card.body} {
			if sum := counted(body); sum != 10+1000+20+70_000 {
				t.Errorf("%s: shown and said to be left out are %d of %q", name, sum, letter)
			}
		}
	}
}

var andMore = regexp.MustCompile(`and (\d+) more`)

// counted adds the objects and reasons that a message shows and those which it says
// there are beside them.
func counted(body string) int {
	sum := strings.Count(body, "mailbox ") - strings.Count(body, "mailbox audit") // a heading counts by settings
	for _, m := range andMore.FindAllStringSubmatch(body, -1) {
		n, _ := strconv.Atoi(m[1])
		sum += n
	}
	// A reason begins like a name, but without the kind before it.
	_, reasons, _ := strings.Cut(body, "Reasons")
	return sum + strings.Count(reasons, "…")
}

// TestHeartbeatSaysNothing: a heartbeat is a call and no more.
func TestHeartbeatSaysNothing(t *testing.T) {
	got := delivered(t, notify.KindHeartbeat, event(notify.EventHeartbeat, "run-1"))
	if got.method != http.MethodGet || got.body != "" || got.header.Get(notify.IdempotencyHeader) != "" {
		t.Errorf("%+v", got)
	}
}

// TestEventKeys: the example that shows how to read an event, and receivers, know
// these keys; they only grow.
func TestEventKeys(t *testing.T) {
	var keys []string
	for field := range reflect.TypeFor[notify.Event]().Fields() {
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	want := []string{
		"schema", "id", "kind", "at", "text", "tenant", "runId", "command", "applicationId", "policy", "policyDigest", "verdict",
		"verdictBefore", "since", "counts", "driftingBefore", "changes", "reasons", "reasonsLeftOut", "objects", "objectsLeftOut",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
}
