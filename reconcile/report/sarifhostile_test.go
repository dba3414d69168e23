package report

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// sarifMarkup is what the standard gives a meaning in plain text.
var sarifMarkup = regexp.MustCompile(`\]\(|\{[0-9]`)

// TestSARIFHostile reads hostile texts back: there are as many results and
// notifications as there are findings and reasons, and each text is still there to be
// recognised.
func TestSARIFHostile(t *testing.T) {
	t.Parallel()
	r := hostileRun(t)
	doc := written(t, r, SARIF)
	run := readSARIF(t, doc).Runs[0]
	texts := hostileTexts()
	if len(run.Results) != len(texts) {
		t.Errorf("%d results of %d findings", len(run.Results), len(texts))
	}
	for i, result := range run.Results {
		recognised(t, "name", texts[i], result.Locations[0].Logical[0].Name)
		if len(result.Locations) != 1 || len(result.Locations[0].Logical) != 1 || result.Locations[0].Physical == nil {
			t.Errorf("%q stands at %+v", texts[i], result.Locations)
		}
		if uri := result.Locations[0].Physical.Artifact.URI; strings.ContainsAny(uri, " <>\"\\^`{|}\n\r\t:") && !strings.HasPrefix(uri, "file://") {
			t.Errorf("%q is no reference", uri)
		}
		unmarked(t, result.Message.Text)
	}
	notices := map[string]int{}
	for _, n := range run.Invocations[0].Notifications {
		notices[n.Descriptor.ID]++
		unmarked(t, n.Message.Text)
	}
	for id, want := range map[string]int{
		noticeCoverage: len(r.doc.coverage.Reasons), noticeRefused: len(r.doc.refused) + len(r.doc.applied.refused),
		noticeUnknown: len(texts), noticeWarning: len(r.doc.warnings), noticeStopped: 1,
	} {
		if notices[id] != want {
			t.Errorf("%d notifications of %s, want %d", notices[id], id, want)
		}
	}
	for line := range strings.Lines(string(doc)) {
		if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q holds an invisible rune", line[max(0, i-20):min(len(line), i+20)])
		}
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") {
			t.Errorf("%.80q can be read as a command", line)
		}
	}
}

// unmarked refuses in a message what a reader of SARIF acts upon.
func unmarked(t *testing.T, text string) {
	t.Helper()
	if sarifMarkup.MatchString(text) {
		t.Errorf("%q holds a link or a placeholder", text)
	}
}

// recognised holds what is shown of a hostile text to the start of what Line makes of
// it, which people can read.
func recognised(t testing.TB, what, text, shown string) {
	t.Helper()
	want := Line(text)
	cut, short := strings.CutSuffix(shown, "…")
	if !short && shown != want || short && (!strings.HasPrefix(want, cut) || len(cut) < 100) {
		t.Errorf("the %s %.60q is shown as %.60q", what, text, shown)
	}
}

// TestWithin: a cut text is the start of the whole, within its limit, and ends in no
// half of an escape.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 4, ""},
		{"abcd", 4, "abcd"},
		{"abcde", 4, "abc…"},
		{"山田太郎花子", 4, "山田太…"},
		{"a\x00bc", 4, "a…"}, // \x00 is four runes
		{"a\x00", 5, `a\x00`},
		{"\xff\xff", 4, "…"},
		{"::::", 4, "…"},
	} {
		if got := within(tt.in, tt.limit); got != tt.want {
			t.Errorf("within(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		got := within(s, limit)
		cut, short := strings.CutSuffix(got, "…")
		switch {
		case utf8.RuneCountInString(got) > limit:
			t.Fatalf("within(%q, %d) = %q is too long", s, limit, got)
		case short && got != Line(s):
			// What is left is what Line makes of a start of the text.
			for i := range s {
				if Line(s[:i]) == cut {
					return
				}
			}
			t.Fatalf("within(%q, %d) = %q ends within an escape", s, limit, got)
		case got != Line(s):
			t.Fatalf("within(%q, %d) = %q", s, limit, got)
		}
	})
}
