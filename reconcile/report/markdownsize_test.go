package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestMarkdownIsBoundedInBytes: a job summary is refused whole above 1 MiB, so no tenant and no
// policy makes one that is larger.
func TestLargeMarkdownIsBoundedInBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("writes names of kilobytes by the hundred; run without -short")
	}
	t.Parallel()
	for name, letter := range map[string]string{"wide": "山", "combining": "\u0301", "markup": "*", "narrow": "𐌀"} {
		r := driftOnly()
		text := func(i int) string { return fmt.Sprint(i) + strings.Repeat(letter, 1_500) }
		var changes []reconcile.Change
		var unknown []reconcile.UnknownObject
		for i := range 210 {
			c := reconcile.Change{
				Subject: mailbox(i, text(i)), Setting: audit.SettingAuditOwner, Fate: reconcile.FateBlocked, Severity: audit.High,
				Before: []string{}, Add: []string{text(i)}, Reason: text(i), Note: text(i), Weakens: true, Pins: true,
			}
			c.Origin.File, c.Origin.Rule = text(i), text(i)
			for n := range 25 {
				c.Controls = append(c.Controls, text(n))
			}
			twin := c
			twin.Subject = mailbox(1_000+i, text(i))
			changes = append(changes, c, twin)
			unknown = append(unknown, reconcile.UnknownObject{Subject: mailbox(i, text(i)), Setting: audit.SettingAuditEnabled, Reason: text(i)})
			r.doc.warnings, r.doc.coverage.Reasons = append(r.doc.warnings, text(i)), append(r.doc.coverage.Reasons, text(i))
			r.doc.acceptances = append(r.doc.acceptances, reconcile.Acceptance{Name: text(i), Reason: text(i), Owner: text(i)})
		}
		r.doc.changes, r.doc.unknown = slices.Values(changes), slices.Values(unknown)
		if n := len(written(t, r, Markdown)); n > 1<<20 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// TestTruncateMarks: a text of marks that take no column is cut too, and what scripts
// need of them stays.
func TestTruncateMarks(t *testing.T) {
	t.Parallel()
	if n := len([]rune(truncate("a"+strings.Repeat("\u0301", 10_000), 10))); n != 30 {
		t.Errorf("%d runes are left for 10 columns", n)
	}
	if s := strings.Repeat("a\u0301\u0323", 10); truncate(s, 10) != s {
		t.Errorf("%q became %q", s, truncate(s, 10))
	}
}
