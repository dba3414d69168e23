package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile"
)

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReadmeCredentials: each kind of credential is in the README, with the
// variables that it is read from.
func TestReadmeCredentials(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, k := range auth.Kinds() {
		row := fmt.Sprintf("\n| `%s` | `%s` |", k, strings.Join(variablesOf(k), "`, `"))
		if !strings.Contains(text, row) {
			t.Errorf("the README has no row%s", row)
		}
	}
}

// TestReadmePermissions holds the table of roles to what a policy can need, and
// to the roles of the simulator as far as they are known.
func TestReadmePermissions(t *testing.T) {
	t.Parallel()
	text := readme(t)
	_, table, _ := strings.Cut(text, "| --- | --- | --- | --- | --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	needs := reconcile.Needs(nil)
	if len(rows) != len(needs) {
		t.Fatalf("the table has %d rows, and %d cmdlets are needed", len(rows), len(needs))
	}
	roles := []simulator.Role{simulator.SecurityReader(), simulator.GlobalReader(), simulator.ExchangeAdministrator()}
	for i, n := range needs {
		cells := strings.Split(strings.Trim(rows[i], "|"), "|")
		for c := range cells {
			cells[c] = strings.TrimSpace(cells[c])
		}
		who := map[bool]string{false: "check", true: "apply"}[n.Write]
		if len(cells) != 6 || cells[0] != n.Cmdlet || cells[1] != strings.Join(n.Parameters, ", ") || cells[2] != who {
			t.Errorf("row %q, want %s with %q for %s", rows[i], n.Cmdlet, n.Parameters, who)
			continue
		}
		for r, role := range roles {
			if cell := cells[3+r]; cell != "not known" && (cell == "yes") != holds(role, n.Cmdlet) {
				t.Errorf("%s for %s: %q, and the simulated role says otherwise", n.Cmdlet, role.Name, cell)
			}
		}
	}
}

func holds(r simulator.Role, cmdlet string) bool {
	return slices.ContainsFunc(r.Entries, func(e simulator.RoleEntry) bool { return e.Cmdlet == cmdlet })
}

// TestReadme holds the README to the program: its policy is valid, its
// commands and flags exist, its table of statuses is whole.
func TestReadme(t *testing.T) {
	t.Parallel()
	text := readme(t)
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
		for _, part := range append(c.Commands(), c) {
			for name := range strings.FieldsSeq(part.LocalFlags().FlagUsages()) {
				known[strings.TrimSuffix(name, ",")] = true
			}
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

// TestReadmeCommands parses every command line of the README as the program
// would, also those of the workflow.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	seen, code := 0, false
	for line := range strings.Lines(readme(t)) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		line = strings.TrimPrefix(strings.TrimPrefix(line, "- run: "), "./")
		fields := strings.Fields(line)
		if !code || len(fields) < 2 || fields[0] != "exoaudit" {
			continue
		}
		if i := slices.Index(fields, ">"); i > 0 {
			fields = fields[:i]
		}
		seen++
		cmd, rest, err := newRoot(&app{}).Find(fields[1:])
		if err != nil || strings.Fields(cmd.CommandPath() + " .")[1] != fields[1] {
			t.Errorf("%s: no such command (%v)", line, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if seen < 12 {
		t.Errorf("the README has only %d command lines", seen)
	}
}

// TestReadmeWorkflow: the workflow is YAML, and has what a sign-in without a
// secret needs.
func TestReadmeWorkflow(t *testing.T) {
	t.Parallel()
	blocks := strings.Split(readme(t), "```yaml\n")
	if len(blocks) != 3 {
		t.Fatalf("the README has %d YAML blocks, want a policy and a workflow", len(blocks)-1)
	}
	text, _, _ := strings.Cut(blocks[2], "```")
	doc := strict.Parse("workflow.yaml", []byte(text))
	root, ok := doc.Root().Map(strict.Required("name", "on", "jobs"))
	if !ok {
		t.Fatal(doc.Diagnostics())
	}
	jobs, _ := root.Get("jobs").OpenMap()
	for _, job := range jobs {
		job.OpenMap()
	}
	if found := doc.Diagnostics(); len(jobs) != 2 || found.HasErrors() {
		t.Errorf("%d jobs: %v", len(jobs), found)
	}
	for _, need := range []string{"id-token: write", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"} {
		if !strings.Contains(text, need) {
			t.Errorf("the workflow lacks %s", need)
		}
	}
}
