package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/exoaudit/exoaudit/reconcile"
)

// aDraft has the name wherever a tenant can put one.
func aDraft(name string) *reconcile.Draft {
	return &reconcile.Draft{
		Tenant: "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0", CreatedAt: time.Date(2026, 11, 23, 9, 0, 0, 5, time.UTC),
		Extends: []string{"cis-m365-7.0"}, Nearest: "cis-m365-7.0",
		Distances:     []reconcile.BaselineDistance{{Name: "microsoft-default", Differs: 31}, {Name: "cis-m365-7.0", Differs: 1}},
		Rules:         []reconcile.DraftRule{{Name: "also", Mailboxes: 7}},
		Allow:         []reconcile.DraftAllow{{ID: "id", Account: name}},
		Accepted:      []reconcile.DraftExemption{{Name: "below-1", Addresses: []string{name, "b@contoso.com"}, Mailboxes: 2}},
		AuditDisabled: true, Expires: time.Date(2027, 2, 21, 0, 0, 0, 0, time.UTC),
		Notes: []string{"1 mailbox cannot be named: " + name}, Mailboxes: 1200, Requests: 6,
	}
}

func TestDraftSummary(t *testing.T) {
	t.Parallel()
	var text, doc, nothing bytes.Buffer
	if err := WriteDraftSummary(&text, aDraft("ann@contoso.com"), "policy.yaml"); err != nil {
		t.Fatal(err)
	}
	goldenText(t, "draft.txt", text.Bytes())
	if err := WriteDraft(&doc, aDraft("ann@contoso.com")); err != nil {
		t.Fatal(err)
	}
	goldenText(t, "draft.json", doc.Bytes())
	if err := WriteDraftSummary(&nothing, &reconcile.Draft{}, "policy.yaml"); err != nil {
		t.Fatal(err)
	}
	if got, want := lastLine(nothing.String()), "Nothing is left to fill in: exoaudit check -p policy.yaml compares."; got != want {
		t.Errorf("the last line is %q, want %q", got, want)
	}
}

func TestDraftIsHarmless(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames() {
		var text, doc bytes.Buffer
		if err := WriteDraftSummary(&text, aDraft(name), name); err != nil {
			t.Fatal(err)
		}
		if err := WriteDraft(&doc, aDraft(name)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String() + doc.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") ||
				strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q can be acted upon", line)
			}
		}
		var got struct{ Notes []string }
		if err := json.Unmarshal(doc.Bytes(), &got); err != nil || !strings.HasSuffix(got.Notes[0], name) {
			t.Errorf("%q came back as %q (%v)", name, got.Notes, err)
		}
	}
}
