package report

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// palettes gives the colours of the page's style, by where they hold: on a light screen,
// on a dark one, and on paper.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	style, err := htmlFiles.ReadFile("html/page.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(style), -1)
	colour := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	out := map[string]map[string]string{}
	for i, name := range []string{"light", "dark", "print"} {
		if i >= len(blocks) {
			t.Fatalf("the style has %d palettes", len(blocks))
		}
		out[name] = map[string]string{}
		for _, m := range colour.FindAllStringSubmatch(blocks[i][1], -1) {
			out[name][m[1]] = m[2]
		}
	}
	return out
}

// contrast is that of WCAG 2.2 between two colours, from 1 to 21.
func contrast(a, b string) float64 {
	luminance := func(colour string) float64 {
		var parts [3]float64
		for i := range parts {
			n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
			v := float64(n) / 255
			if v <= 0.04045 {
				parts[i] = v / 12.92
			} else {
				parts[i] = math.Pow((v+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*parts[0] + 0.7152*parts[1] + 0.0722*parts[2]
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// TestHTMLPalette: text has a contrast of 4.5 to what is behind it, and what is drawn has
// 3 (WCAG 2.2, 1.4.3 and 1.4.11), in every palette; all have the same colours.
func TestHTMLPalette(t *testing.T) {
	t.Parallel()
	if got := contrast("#000000", "#ffffff"); math.Abs(got-21) > 0.01 {
		t.Fatalf("black on white has a contrast of %.2f, want 21", got)
	}
	var pairs []string
	for _, front := range []string{"ink", "muted", "link", "ok", "drift", "bad", "unknown", "exempt", "none"} {
		pairs = append(pairs, front+" surface 4.5")
	}
	for _, front := range []string{"ink", "muted", "link"} {
		pairs = append(pairs, front+" bg 4.5")
	}
	for _, state := range []string{"ok", "drift", "bad", "unknown", "exempt", "none"} {
		pairs = append(pairs, state+" "+state+"-soft 4.5", state+"-fill surface 3")
	}
	// The banner of a report that did not judge, and what has the focus or is pointed at.
	pairs = append(pairs, "ink bad-soft 4.5", "none bad-soft 4.5", "surface bad 4.5", "ink track 4.5", "edge surface 3")
	all := palettes(t)
	names := slices.Sorted(maps.Keys(all["light"]))
	for palette, colours := range all {
		if got := slices.Sorted(maps.Keys(colours)); !slices.Equal(got, names) {
			t.Errorf("the %s palette has the colours %q, want %q", palette, got, names)
		}
		for _, pair := range pairs {
			part := strings.Fields(pair)
			want, err := strconv.ParseFloat(part[2], 64)
			if err != nil || colours[part[0]] == "" || colours[part[1]] == "" {
				t.Fatalf("%s: %q: %v", palette, pair, err)
			}
			if got := contrast(colours[part[0]], colours[part[1]]); got < want {
				t.Errorf("%s: %s on %s has a contrast of %s, want %s", palette, part[0], part[1], fmt.Sprintf("%.2f", got), part[2])
			}
		}
	}
}
