package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy"
)

// TestReadme holds the README to the program: its policy is valid, its
// commands and flags exist, its table of statuses is whole.
func TestReadme(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	_, rest, _ := strings.Cut(text, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if _, found := policy.Parse("README.md", []byte(example)); len(found) > 0 {
		t.Errorf("the policy of the README: %v", found)
	}
	for _, status := range []int{ExitInLine, ExitNoReport, ExitDrift, ExitIncomplete, ExitInvalid, ExitDenied, ExitRefused} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", status)) {
			t.Errorf("the README does not explain exit status %d", status)
		}
	}
	if !strings.Contains(text, fmt.Sprintf("\n| %d, %d | ", ExitInterrupted, ExitTerminated)) {
		t.Error("the README does not explain the statuses of signals")
	}
	root := newRoot(&app{})
	known := map[string]bool{}
	for _, c := range root.Commands() {
		for name := range strings.FieldsSeq(c.LocalFlags().FlagUsages()) {
			known[strings.TrimSuffix(name, ",")] = true
		}
		if c.Name() != "version" && !strings.Contains(text, c.Name()) {
			t.Errorf("the README does not mention the command %s", c.Name())
		}
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" `\n(),;.|=", r) }) {
		if strings.HasPrefix(word, "--") && strings.Trim(word, "-") != "" && !known[word] {
			t.Errorf("the README mentions the flag %s, which no command has", word)
		}
	}
}
