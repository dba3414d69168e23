package cli

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// TestCIExampleGitHubLint lets the linter for workflows look: it knows the syntax, the
// expressions, and the inputs and outputs of the actions. There is no schema at hand.
func TestCIExampleGitHubLint(t *testing.T) {
	t.Parallel()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(deployment(t, "ci", githubExample))
	found, err := linter.Lint(githubExample, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
	broken := strings.Replace(string(text), "needs.plan.outputs.drift", "needs.plan.outputs.drifts", 1)
	if found, err := linter.Lint(githubExample, []byte(broken), nil); err != nil || len(found) == 0 {
		t.Errorf("it finds nothing in a broken workflow either: %v", err)
	}
}

// granted are the permissions of a job.
func granted(job *strict.Node) map[string]string {
	out := map[string]string{}
	for _, e := range at(job, "permissions").Entries() {
		out[e.Key()] = told(e)
	}
	return out
}

// TestCIExampleGitHubRights: no job has a right that it does not need, and forks have
// none at all.
func TestCIExampleGitHubRights(t *testing.T) {
	t.Parallel()
	root := pipeline(t, githubExample)
	if top := at(root, "permissions"); !top.IsMap() || len(top.Entries()) > 0 {
		t.Error("jobs have permissions that they do not say")
	}
	for _, job := range at(root, "jobs").Entries() {
		name, rights, text := job.Key(), granted(job), strings.Join(commands(job), " ")
		signsIn := regexp.MustCompile(`check|plan|apply`).MatchString(text)
		if (rights["id-token"] == "write") != signsIn {
			t.Errorf("%s runs %q with id-token: %q", name, text, rights["id-token"])
		}
		uploadsSARIF := slices.ContainsFunc(within(job, "uses"), func(n *strict.Node) bool { return strings.Contains(told(n), "/upload-sarif@") })
		if (rights["security-events"] == "write") != uploadsSARIF || uploadsSARIF && signsIn {
			t.Errorf("%s may write to the security dashboard: %v", name, rights)
		}
		delete(rights, "id-token")
		delete(rights, "security-events")
		for right, level := range rights {
			if level != "read" {
				t.Errorf("%s has %s: %s", name, right, level)
			}
		}
		condition := at(job, "if")
		if signsIn && (condition == nil || strings.Contains(told(condition), "pull_request") && !strings.Contains(told(condition), "head.repo.full_name == github.repository")) {
			t.Errorf("%s signs in for forks too", name)
		}
		if at(job, "timeout-minutes") == nil {
			t.Errorf("%s has no time limit", name)
		}
		steps(t, name, job)
	}
}

// steps: the token of the repository stays with nobody, actions have a version, and what
// was written is kept where the comparison fails.
func steps(t *testing.T, name string, job *strict.Node) {
	t.Helper()
	for _, step := range items(at(job, "steps")) {
		uses := at(step, "uses")
		if uses == nil {
			continue
		}
		action, version, _ := strings.Cut(told(uses), "@")
		if !regexp.MustCompile(`^(v\d+|[0-9a-f]{40})$`).MatchString(version) {
			t.Errorf("%s uses %s at %q", name, action, version)
		}
		switch action {
		case "actions/checkout":
			if told(at(step, "with", "persist-credentials")) != "false" {
				t.Errorf("%s leaves the token of the repository on the disk", name)
			}
		case "actions/setup-go":
			if !strings.HasPrefix(languageVersion(t)+".", told(at(step, "with", "go-version"))+".") {
				t.Errorf("%s builds with Go %s", name, told(at(step, "with", "go-version")))
			}
		case "actions/upload-artifact":
			condition := at(step, "if")
			if condition == nil || name != "plan" && !regexp.MustCompile(`!cancelled\(\)|always\(\)`).MatchString(told(condition)) {
				t.Errorf("%s keeps nothing of %s where a step fails", name, told(at(step, "with", "name")))
			}
		}
	}
}

// TestCIExampleGitHubApply: writes happen for main alone, behind the environment, one
// at a time, as an application that no other job uses.
func TestCIExampleGitHubApply(t *testing.T) {
	t.Parallel()
	root := pipeline(t, githubExample)
	writers := 0
	for _, job := range at(root, "jobs").Entries() {
		if !slices.Contains(commands(job), "apply") {
			if at(job, "environment") != nil {
				t.Errorf("%s gets the token that the writer trusts", job.Key())
			}
			continue
		}
		writers++
		condition := told(at(job, "if"))
		for _, part := range []string{"github.event_name == 'push'", "github.ref == 'refs/heads/main'", "needs.plan.outputs.drift == 'true'"} {
			if !strings.Contains(condition, part) || strings.Contains(condition, "||") {
				t.Errorf("%s runs if %s", job.Key(), condition)
			}
		}
		if at(job, "environment") == nil || told(at(job, "needs")) != "plan" {
			t.Errorf("%s asks nobody, or has no plan to show", job.Key())
		}
		if c := at(job, "concurrency"); c == nil || told(at(c, "cancel-in-progress")) != "false" || strings.Contains(told(at(c, "group")), "${{") {
			t.Errorf("two of %s may overlap", job.Key())
		}
		writer := told(at(job, "env", "AZURE_CLIENT_ID"))
		if n := strings.Count(deployment(t, "ci", githubExample), writer); n != 1 {
			t.Errorf("the writer %s is named %d times", writer, n)
		}
	}
	if writers != 1 {
		t.Errorf("%d jobs write", writers)
	}
}
