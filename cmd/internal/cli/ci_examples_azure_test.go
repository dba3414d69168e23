package cli

import (
	"slices"
	"strings"
	"testing"
)

// TestCIExampleAzureStages: a stage signs in by the connection of its kind, forks do
// not, and writes happen for main alone, behind an environment, one at a time.
func TestCIExampleAzureStages(t *testing.T) {
	t.Parallel()
	for _, stage := range items(at(pipeline(t, azureExample), "stages")) {
		name, runs := told(at(stage, "stage")), commands(stage)
		connections := within(stage, "azureSubscription")
		want := ""
		switch {
		case slices.Contains(runs, "apply"):
			want = "exoaudit-writer"
			condition := told(at(stage, "condition"))
			for _, part := range []string{"succeeded()", "eq(variables['Build.SourceBranch'], 'refs/heads/main')", "eq(dependencies.plan.outputs['save.diff.drift'], 'true')"} {
				if !strings.Contains(condition, part) {
					t.Errorf("%s runs on %s", name, condition)
				}
			}
			if len(within(stage, "environment")) != 1 || len(within(stage, "deployment")) != 1 || len(within(stage, "job")) > 0 || told(at(stage, "lockBehavior")) != "sequential" {
				t.Errorf("%s asks nobody, or two may overlap", name)
			}
		case slices.Contains(runs, "check") || slices.Contains(runs, "plan"):
			want = "exoaudit-reader"
			if c := told(at(stage, "condition")); strings.Contains(c, "PullRequest") && !strings.Contains(c, "ne(variables['System.PullRequest.IsFork'], 'True')") {
				t.Errorf("%s signs in for forks too", name)
			}
		}
		if want == "" && len(connections) > 0 || want != "" && (len(connections) != 1 || told(connections[0]) != want) {
			t.Errorf("%s runs %q with %d connections", name, runs, len(connections))
		}
		for _, v := range within(stage, "version") {
			if told(v) != languageVersion(t) {
				t.Errorf("%s builds with Go %s", name, told(v))
			}
		}
		for _, v := range within(stage, "persistCredentials") {
			if told(v) != "false" {
				t.Errorf("%s leaves the token of the repository on the disk", name)
			}
		}
		if len(within(stage, "timeoutInMinutes")) != 1 || len(within(stage, "checkout")) != len(within(stage, "persistCredentials")) {
			t.Errorf("%s has no time limit, or leaves the token of the repository on the disk", name)
		}
	}
}

// TestCIExampleAzureReports: what is published where a step fails is published
// whatever the comparison says, and the test report is JUnit.
func TestCIExampleAzureReports(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, list := range within(pipeline(t, azureExample), "steps") {
		var written []string
		for _, step := range items(list) {
			for _, script := range scripts(step) {
				for _, args := range invocations(script) {
					written = append(written, flagged(args, "--report")...)
				}
			}
			task := at(step, "task")
			if task == nil || !strings.HasPrefix(told(task), "Publish") {
				continue
			}
			seen++
			condition := told(at(step, "condition"))
			if told(task) == "PublishTestResults@2" {
				if told(at(step, "inputs", "testResultsFormat")) != "JUnit" || !slices.Contains(written, "junit="+told(at(step, "inputs", "testResultsFiles"))) {
					t.Errorf("the test results are none of %q", written)
				}
			}
			if condition != "succeededOrFailed()" && condition != "always()" && !strings.Contains(condition, "diff.drift") {
				t.Errorf("%s is published on %s", told(task), condition)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d reports are published", seen)
	}
}
