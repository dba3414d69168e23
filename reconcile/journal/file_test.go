package journal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

func clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

func open(t *testing.T, path string) *journal.File {
	t.Helper()
	f, err := journal.Open(path, "run-1", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func intent(id string) journal.Intent {
	return journal.Intent{
		Change: id, Subject: journal.Subject{Kind: audit.KindMailbox, ID: "g", Name: "ann\n\x1b[31m"},
		Setting: audit.SettingAuditOwner, Before: []string{"Update"}, After: []string{"Move", "Update"},
		Inverse: journal.Inverse{Setting: audit.SettingDefaultAuditSet, Add: []string{"Owner"}},
	}
}

// entries reads a journal whole.
func entries(t *testing.T, path string) ([]journal.Entry, journal.Tail, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []journal.Entry
	tail, err := journal.Read(bytes.NewReader(data), func(e journal.Entry) error {
		list = append(list, e)
		return nil
	})
	return list, tail, err
}

func TestFileKeepsWhatItWasTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	f := open(t, path)
	ctx := t.Context()
	steps := []error{
		f.Begin(ctx, journal.Begin{Tool: "exoaudit", Raised: []journal.Raised{{Guard: "maxChanged", Limit: 9, Reason: "pilot"}}}),
		f.Intend(ctx, []journal.Intent{intent("a"), intent("b")}),
		f.Conclude(ctx, []journal.Outcome{{Change: "a", Result: "verified"}}),
		f.End(ctx),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	list, tail, err := entries(t, path)
	if err != nil || len(list) != 5 || tail.Head != f.Head() || tail.Seq != 5 {
		t.Fatalf("%d entries, tail %+v, err %v", len(list), tail, err)
	}
	if list[1].Intent.Subject.Name != "ann\n\x1b[31m" || list[1].Run != "run-1" || !list[1].At.Equal(clock()) {
		t.Errorf("the intent came back as %+v", list[1])
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, err %v: others can read it", info.Mode(), err)
	}
}

func TestOpenGoesOnWhereTheFileEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	for range 3 {
		f := open(t, path)
		if err := f.Intend(t.Context(), []journal.Intent{intent("a")}); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	list, _, err := entries(t, path)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d entries, err %v", len(list), err)
	}
}

func TestOpenTakesOutATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	f := open(t, path)
	if err := f.Intend(t.Context(), []journal.Intent{intent("a"), intent("b")}); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	g := open(t, path)
	if err := g.Intend(t.Context(), []journal.Intent{intent("c")}); err != nil {
		t.Fatal(err)
	}
	list, tail, err := entries(t, path)
	if err != nil || len(list) != 2 || list[1].Intent.Change != "c" || tail.Torn {
		t.Fatalf("entries %+v, tail %+v, err %v", list, tail, err)
	}
}

func TestReadFindsTampering(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	f := open(t, path)
	for _, id := range []string{"a", "b", "c"} {
		if err := f.Intend(t.Context(), []journal.Intent{intent(id)}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	lines[2] += "\n"
	for name, text := range map[string]string{
		"a word changed":             strings.Replace(string(data), `"Move"`, `"Send"`, 1),
		"a line taken out":           lines[0] + lines[2],
		"two lines swapped":          lines[1] + lines[0] + lines[2],
		"a line repeated":            lines[0] + lines[0] + lines[1] + lines[2],
		"a line put in":              lines[0] + "{}\n" + lines[1] + lines[2],
		"not a journal":              "hello\n",
		"not a journal, and no line": `{"schema": "exoaudit/plan/v1"}`,
		"text behind the seal":       strings.Replace(string(data), "}}\n", "}} {\"more\": 1}\n", 1),
		"an entry before the entry":  strings.Replace(string(data), `"entry":`, `"entry":{"seq":1},"entry":`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := journal.Read(strings.NewReader(text), func(journal.Entry) error { return nil })
			if _, ok := errors.AsType[*journal.ChainError](err); !ok {
				t.Errorf("the chain holds: %v", err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := journal.Open(path, "run-2", clock); err == nil {
				t.Error("it was opened for more entries")
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != text {
				t.Errorf("%d of %d bytes are left of it: %v", len(left), len(text), err)
			}
		})
	}
}

func TestFileStopsAfterAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	f := open(t, path)
	_ = f.Close()
	first := f.Intend(t.Context(), []journal.Intent{intent("a")})
	second := f.Intend(t.Context(), []journal.Intent{intent("b")})
	if first == nil || second == nil {
		t.Errorf("a closed file took entries: %v, %v", first, second)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"prev":"","hash":"x","entry":{}}` + "\n"))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		tail, err := journal.Read(bytes.NewReader(data), func(journal.Entry) error { n++; return nil })
		if err == nil && tail.Seq != int64(n) {
			t.Errorf("%d entries, number %d", n, tail.Seq)
		}
	})
}

// TestOpenTakesOrdinaryFilesOnly: a device has no end, or keeps nothing.
func TestOpenTakesOrdinaryFilesOnly(t *testing.T) {
	for _, path := range []string{os.DevNull, t.TempDir()} {
		if f, err := journal.Open(path, "run-1", clock); err == nil {
			t.Errorf("%s was opened as a journal", path)
			_ = f.Close()
		}
	}
	_, err := journal.Read(endless{}, func(journal.Entry) error { return nil })
	if _, ok := errors.AsType[*journal.ChainError](err); !ok {
		t.Errorf("a line without end: %v", err)
	}
}

// endless is a file of one line that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestOpenIntents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.ndjson")
	f := open(t, path)
	if err := errors.Join(
		f.Intend(t.Context(), []journal.Intent{intent("a"), intent("b"), intent("c")}),
		f.Conclude(t.Context(), []journal.Outcome{{Change: "b", Subject: intent("b").Subject, Setting: intent("b").Setting, Result: "verified"}}),
		f.Close(),
	); err != nil {
		t.Fatal(err)
	}
	if g := open(t, path); len(g.Open()) != 2 || len(f.Open()) != 0 {
		t.Errorf("%d intents are open, and %d were before", len(g.Open()), len(f.Open()))
	}
}
