package report

import (
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile"
)

// TestHTMLScope: a page of a part of a tenant does not look like one of the whole: what
// was not looked at is said in the verdict, before its figures, and in the title.
func TestHTMLScope(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scope      reconcile.Scope
		bypass     int
		said, not  string
		title      string
		wantNoWord bool
	}{
		"the whole tenant":   {scope: reconcile.ScopeFull, title: "In line: mailbox audit report", wantNoWord: true},
		"one mailbox":        {scope: reconcile.ScopeMailbox, said: "Of other mailboxes, of accounts that bypass recording and of retention policies this says nothing.", title: "In line, one mailbox only: "},
		"what changed":       {scope: reconcile.ScopeIncremental, said: "Of all others this says what is still open since run run-0<b>. Which accounts bypass recording was not read.", title: "In line, changes only: "},
		"what changed, both": {scope: reconcile.ScopeIncremental, bypass: 5, said: "still open since run run-0<b>.", not: "was not read", title: "In line, changes only: "},
	} {
		r := inLineRun()
		r.doc.coverage.Scope, r.doc.coverage.BaseRun = tt.scope, "run-0<b>"
		r.doc.coverage.Bypass.Read = tt.bypass
		page := pageOf(t, r)
		if title := textOf(page.named("title")[0]); !strings.HasPrefix(title, tt.title) {
			t.Errorf("%s: the title is %q", name, title)
		}
		part := page.id("verdict-part")
		if tt.wantNoWord {
			if part != nil {
				t.Errorf("%s: %q", name, textOf(part))
			}
			continue
		}
		if part == nil || !strings.Contains(textOf(part), tt.said) || tt.not != "" && strings.Contains(textOf(part), tt.not) {
			t.Errorf("%s: it does not say what was not looked at, %q", name, tt.said)
			continue
		}
		if text := textOf(page.id("verdict")); strings.Index(text, tt.said) > strings.Index(text, "differences count") {
			t.Errorf("%s: it is said after the figures: %s", name, text)
		}
	}
}
