package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

func aRun(id string, started time.Time) store.Run {
	return store.Run{
		ID: id, Tenant: ours, Command: "serve/full", StartedAt: started, FinishedAt: started.Add(1500 * time.Millisecond),
		Scope: "full", Verdict: "drift", Complete: true, Tool: "exoaudit 1.2", PolicyName: "contoso\x1b[31m", PolicyDigest: "ab12",
		Wrote: 12, JournalHead: "ff00", JournalFile: "/var/lib/é.ndjson",
	}
}

func save(t *testing.T, s store.Store, r store.Run) {
	t.Helper()
	if err := s.SaveRun(t.Context(), r); err != nil {
		t.Fatalf("SaveRun %s: %v", r.ID, err)
	}
}

func listed(t *testing.T, s store.Store, q store.RunQuery) []store.Run {
	t.Helper()
	list, err := s.Runs(t.Context(), ours, q)
	if err != nil {
		t.Fatalf("Runs: %v", err)
	}
	return list
}

func runsKept(t *testing.T, s store.Store, c *Clock) {
	if list := listed(t, s, store.RunQuery{}); len(list) != 0 {
		t.Errorf("runs before the first: %v", list)
	}
	r := aRun("r1", c.Now())
	save(t, s, r)
	save(t, s, store.Run{ID: "zero", Tenant: ours})
	want := []store.Run{r, {ID: "zero", Tenant: ours}}
	if got := listed(t, s, store.RunQuery{}); !reflect.DeepEqual(got, want) {
		t.Errorf("Runs =\n%+v\nwant\n%+v", got, want)
	}
	r.Verdict, r.Complete, r.Document = "inLine", false, []byte("{}")
	save(t, s, r)
	r.Document = nil
	want[0] = r
	if got := listed(t, s, store.RunQuery{}); !reflect.DeepEqual(got, want) {
		t.Errorf("after it was saved again Runs =\n%+v\nwant\n%+v", got, want)
	}
}

func runsSelected(t *testing.T, s store.Store, c *Clock) {
	at := func(minutes int) time.Time { return c.Now().Add(time.Duration(minutes) * time.Minute) }
	for i, id := range []string{"ab1", "ab2", "ac", "b", "a%", "é1"} {
		save(t, s, aRun(id, at(i)))
	}
	save(t, s, aRun("ab0", at(1))) // at the same time as ab2
	for _, test := range []struct {
		name string
		q    store.RunQuery
		want string
	}{
		{"all", store.RunQuery{}, "[é1 a% b ac ab2 ab0 ab1]"},
		{"limit", store.RunQuery{Limit: 2}, "[é1 a%]"},
		{"one", store.RunQuery{ID: "ab1"}, "[ab1]"},
		{"beginning", store.RunQuery{ID: "ab"}, "[ab2 ab0 ab1]"},
		{"beginning and limit", store.RunQuery{ID: "a", Limit: 3}, "[a% ac ab2]"},
		{"a pattern is none", store.RunQuery{ID: "a%"}, "[a%]"},
		{"a letter is not folded", store.RunQuery{ID: "A"}, "[]"},
		{"part of a letter", store.RunQuery{ID: "é"[:1]}, "[é1]"},
		{"longer than any", store.RunQuery{ID: "ab11"}, "[]"},
		{"since is in", store.RunQuery{Since: at(3)}, "[é1 a% b]"},
		{"until is not", store.RunQuery{Until: at(1)}, "[ab1]"},
		{"between", store.RunQuery{Since: at(1), Until: at(3)}, "[ac ab2 ab0]"},
		{"within a millisecond", store.RunQuery{Since: at(2).Add(time.Microsecond), Until: at(3).Add(time.Microsecond)}, "[b ac]"},
		{"never", store.RunQuery{Since: at(3), Until: at(1)}, "[]"},
	} {
		ids := []string{}
		for _, r := range listed(t, s, test.q) {
			ids = append(ids, r.ID)
		}
		if got := fmt.Sprint(ids); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func document(t *testing.T, s store.Store, id string) []byte {
	t.Helper()
	text, err := s.Document(t.Context(), ours, id)
	if err != nil {
		t.Fatalf("Document %s: %v", id, err)
	}
	return text
}

func wantNoDocument(t *testing.T, s store.Store, tenant, id string) {
	t.Helper()
	if text, err := s.Document(t.Context(), tenant, id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Document %s = %d bytes, %v; want that there is none", id, len(text), err)
	}
}

func documents(t *testing.T, s store.Store, c *Clock) {
	wantNoDocument(t, s, ours, "r1")
	large := bytes.Repeat([]byte(`{"subject":{"kind":"mailbox","name":"ann@contoso.com"},"result":"verified"},`), 400_000) // 30 MB
	noise := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // it never fails
	for id, text := range map[string][]byte{"large": large, "noise": noise, "nearly nothing": {}} {
		r := aRun(id, c.Now())
		r.Document = text
		save(t, s, r)
		if got := document(t, s, id); !bytes.Equal(got, text) {
			t.Errorf("the document of %s is not as it was kept: %d bytes of %d", id, len(got), len(text))
		}
	}
	wantNoDocument(t, s, ours, "larg")
	wantNoDocument(t, s, theirs, "large")
	for _, r := range listed(t, s, store.RunQuery{}) {
		if r.Document != nil {
			t.Errorf("the row of %s comes with its document", r.ID)
		}
	}
	save(t, s, aRun("large", c.Now()))
	wantNoDocument(t, s, ours, "large")
}
