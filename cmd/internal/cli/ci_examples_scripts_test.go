package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// standIn takes the place of exoaudit in the scripts of pipelines: it notes how it was
// called and what it was given, and ends as it is told to.
const standIn = `#!/bin/sh
{
	echo "args: $*"
	echo "tenant: ${AZURE_TENANT_ID-} client: ${AZURE_CLIENT_ID-} idToken: ${idToken-none}"
	if [ -n "${AZURE_FEDERATED_TOKEN_FILE-}" ]; then
		echo "token: $(cat "$AZURE_FEDERATED_TOKEN_FILE") $(ls -l "$AZURE_FEDERATED_TOKEN_FILE" | cut -c1-10)"
	fi
} > "$CALL"
exit "$STATUS"
`

// ran is what came of a script.
type ran struct {
	status                int
	printed, output, call string
}

// runScript lets a shell run a script of a pipeline, as the pipeline does, with a
// program in the place of exoaudit that ends with a status.
func runScript(t *testing.T, shell []string, script string, status int) ran {
	t.Helper()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, text := range map[string]string{"exoaudit": standIn, "script": script, "output": "", "call": ""} {
		if err := os.WriteFile(in(name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], in("script"))...)
	cmd.Dir = folder
	cmd.Env = []string{
		"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH"), "CALL=" + in("call"), fmt.Sprint("STATUS=", status),
		"GITHUB_OUTPUT=" + in("output"), "AGENT_TEMPDIRECTORY=" + folder, "PIPELINE_WORKSPACE=" + in("workspace of the run"),
		"tenantId=the-tenant", "servicePrincipalId=the-client", "idToken=the-token",
	}
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	out := ran{}
	if err := cmd.Run(); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		out.status = failed.ExitCode()
	}
	out.printed = printed.String()
	for name, to := range map[string]*string{"output": &out.output, "call": &out.call} {
		data, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		*to = string(data)
	}
	return out
}

// bash finds the shell that both systems run scripts with, or skips the test.
func bash(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped under -short: it starts bash")
	}
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not on PATH; the scripts were read by the other tests alone")
	}
	return path
}

// TestProcessCIExampleStatuses: every script ends with the status of exoaudit, but a
// plan that found drift succeeds and says so, and one that does not know all fails.
func TestProcessCIExampleStatuses(t *testing.T) {
	t.Parallel()
	shells := map[string][]string{githubExample: {bash(t), "-e"}, azureExample: {bash(t)}}
	for name, shell := range shells {
		for _, script := range scripts(pipeline(t, name)) {
			lines := invocations(script)
			if len(lines) == 0 {
				continue
			}
			for _, status := range []int{ExitInLine, ExitNoReport, ExitDrift, ExitIncomplete, ExitInvalid, ExitDenied, ExitRefused, ExitTerminated} {
				got := runScript(t, shell, script, status)
				said, want := got.output+got.printed, status
				switch {
				case lines[0][0] != "plan":
				case status == ExitDrift:
					want = ExitInLine
					said = strings.TrimSuffix(strings.TrimSpace(said), "true")
				case status == ExitInLine:
					said = strings.TrimSuffix(strings.TrimSpace(said), "false")
				}
				if planned := lines[0][0] == "plan" && (status == ExitDrift || status == ExitInLine); planned {
					if said != "drift=" && said != "##vso[task.setvariable variable=drift;isOutput=true]" {
						t.Errorf("%s: %v ended with %d, and the script says %+v", name, lines[0], status, got)
					}
				} else if said != "" {
					t.Errorf("%s: %v ended with %d, and the script says %q", name, lines[0], status, said)
				}
				if got.status != want {
					t.Errorf("%s: %v ended with %d, and the script with %d, want %d", name, lines[0], status, got.status, want)
				}
			}
		}
	}
}

// TestProcessCIExampleAzureToken: exoaudit finds the token of the connection in a file
// that nobody else can read, and nowhere else.
func TestProcessCIExampleAzureToken(t *testing.T) {
	t.Parallel()
	shell := bash(t)
	tasks := inlineScripts(pipeline(t, azureExample))
	if len(tasks) != 3 {
		t.Fatalf("%d tasks sign in", len(tasks))
	}
	for _, script := range tasks {
		got := runScript(t, []string{shell}, script, ExitInLine)
		for _, want := range []string{"tenant: the-tenant client: the-client idToken: none\n", "token: the-token -rw-------\n"} {
			if !strings.Contains(got.call, want) {
				t.Errorf("exoaudit was called so:\n%s\nwant %s", got.call, want)
			}
		}
		if strings.Contains(got.printed, "the-token") {
			t.Errorf("the token is in the log: %s", got.printed)
		}
	}
}

func inlineScripts(n *strict.Node) []string {
	var out []string
	for _, s := range within(n, "inlineScript") {
		out = append(out, told(s))
	}
	return out
}
