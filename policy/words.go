package policy

import (
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/policy/strict"
)

func quote(text string) string { return strconv.Quote(text) }

// names gives typed words as texts.
func names[S ~string](list []S) []string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return texts
}

// suggest makes a hint: the nearest word, or all of them where none is near.
func suggest(word string, candidates []string) string {
	if near := strict.Nearest(word, candidates); near != "" {
		return "did you mean " + near + "?"
	}
	return "expected one of " + strings.Join(candidates, ", ")
}
