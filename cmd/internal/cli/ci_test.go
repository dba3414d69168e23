package cli

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// inCI runs check on a tenant that drifts, in a job of a CI host.
func inCI(t *testing.T, vars map[string]string, args ...string) (status int, out, errs string) {
	t.Helper()
	b := newBench(t, simulator.Seed{Mailboxes: 5, UnifiedLogOff: true})
	maps.Copy(b.vars, vars)
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	text := "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: ci\norganization: {unifiedAuditLog: true}\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.policy = policy
	switch vars["GITHUB_WORKSPACE"] {
	case "by its link":
		b.vars["GITHUB_WORKSPACE"] = linked(t, filepath.Dir(policy))
		b.policy = filepath.Join(b.vars["GITHUB_WORKSPACE"], "policy.yaml")
	case "from the working folder":
		b.vars["GITHUB_WORKSPACE"] = above(t, 3)
		b.policy = "demo.yaml"
	}
	status = b.run(t.Context(), "check", args...)
	return status, b.out.String(), b.err.String()
}

// TestGitHubActions: the summary is added to what the step has written already, the
// remarks follow the text; as JSON standard output stays one document.
func TestGitHubActions(t *testing.T) {
	t.Parallel()
	summary := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(summary, []byte("<b>before</b>"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
	status, out, errs := inCI(t, vars)
	if status != ExitDrift || !strings.Contains(out, "\n::error title=exoaudit%3A drift::") || !strings.Contains(out, "title=EXA002 ") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	status, out, errs = inCI(t, vars, "--format", "json")
	if status != ExitDrift || strings.Contains(out, "::error") || !strings.HasPrefix(out, "{") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	status, out, errs = inCI(t, vars, "--no-ci")
	if status != ExitDrift || strings.Contains(out, "::error") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	text, err := os.ReadFile(summary)
	if err != nil || !bytes.HasPrefix(text, []byte("<b>before</b>\n\n## ❌ Drift")) || bytes.Count(text, []byte("\n\n## ❌ Drift")) != 2 {
		t.Errorf("%v: the summary is\n%s", err, text)
	}
}

// linked gives another name of a folder.
func linked(t *testing.T, folder string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "checkout")
	if err := os.Symlink(folder, link); err != nil {
		t.Skip("no symbolic links here: " + err.Error())
	}
	return link
}

// above gives a folder above the working folder.
func above(t *testing.T, levels int) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range levels {
		folder = filepath.Dir(folder)
	}
	return folder
}

// TestPathsInRepository: a policy stands at its path in the repository, also where it is
// named from the root of the machine, by a link, or from a working folder below.
func TestPathsInRepository(t *testing.T) {
	t.Parallel()
	for named, path := range map[string]string{"by its link": "policy.yaml", "from the working folder": "cmd/internal/cli/demo.yaml"} {
		sarif := filepath.Join(t.TempDir(), "a.sarif")
		vars := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": filepath.Join(t.TempDir(), "s.md"), "GITHUB_WORKSPACE": named}
		status, out, errs := inCI(t, vars, "--report", "sarif="+sarif)
		if status != ExitDrift || !strings.Contains(out, "\n::error file="+path+",line=") {
			t.Errorf("%s: status %d\n%s%s", named, status, out, errs)
		}
		if text, err := os.ReadFile(sarif); err != nil || !bytes.Contains(text, []byte(`"artifactLocation":{"uri":"`+path+`"}`)) {
			t.Errorf("%s: %v: %s", named, err, text)
		}
	}
}

// TestGitHubSummaryIsNotRefused: one that does not fit, or has no place, is a warning.
func TestGitHubSummaryIsNotRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	full := filepath.Join(folder, "full.md")
	if err := os.WriteFile(full, bytes.Repeat([]byte("x"), maxSummary-10), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", full, folder, filepath.Join(folder, "gone", "x")} {
		status, out, errs := inCI(t, map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": path})
		if status != ExitDrift || !strings.Contains(errs, "there is no summary of this run") || !strings.Contains(out, "::error") {
			t.Errorf("%s: status %d\n%s", path, status, errs)
		}
	}
	if info, err := os.Stat(full); err != nil || info.Size() != maxSummary-10 {
		t.Errorf("%v: a part of a summary was written: %v", err, info)
	}
}

// TestAzurePipelines: the issues follow the text, and the summary is handed over by name.
func TestAzurePipelines(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	status, out, errs := inCI(t, map[string]string{"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": folder})
	_, name, found := strings.Cut(out, "\n##vso[task.uploadsummary]")
	if status != ExitDrift || !found || !strings.Contains(out, "\n##vso[task.logissue type=error;]exoaudit: drift") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if text, err := os.ReadFile(strings.TrimSpace(name)); err != nil || !bytes.HasPrefix(text, []byte("## ❌ Drift")) {
		t.Errorf("%v: %s", err, text)
	}
	status, _, errs = inCI(t, map[string]string{"TF_BUILD": "True"})
	if status != ExitDrift || !strings.Contains(errs, "AGENT_TEMPDIRECTORY") {
		t.Errorf("status %d\n%s", status, errs)
	}
}

// TestOutsideOfCI: nothing is written for hosts that are not there.
func TestOutsideOfCI(t *testing.T) {
	t.Parallel()
	for _, vars := range []map[string]string{{}, {"CI": "true"}, {"GITHUB_ACTIONS": "false"}, {"TF_BUILD": ""}} {
		if _, out, errs := inCI(t, vars); strings.Contains(out, "::error") || strings.Contains(out, "##vso") || strings.Contains(errs, "summary") {
			t.Errorf("%v:\n%s%s", vars, out, errs)
		}
	}
}
