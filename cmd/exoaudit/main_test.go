package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"exoaudit": main})
}

// tidy runs the tests with a folder for what they build.
type tidy struct{ *testing.M }

func (t tidy) Run() int {
	folder, err := os.MkdirTemp("", "exoaudit-built-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	buildFolder = folder
	return t.M.Run()
}

// TestProcessScripts runs the scripts that are the manual of the command line:
// every command, every exit status.
func TestProcessScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped under -short: it starts a process for each command")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[simulationKey{}] = &holder{}
			e.Values[serviceKey{}] = &serving{}
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
				e.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    cmdStatus,
			"simulator": simulatorCommand(t.Context()),
			"tenant":    cmdTenant,
			"signin":    cmdSignIn,
			"nosecrets": cmdNoSecrets,
			"mode":      cmdMode,
			"count":     cmdCount,
			"edit":      cmdEdit,
			"cutline":   cmdCutLine,
			"head":      cmdHead,
			"tamper":    cmdTamper,
			"digest":    cmdDigest,
			"flip":      cmdFlip,
			"unpack":    cmdUnpack,
			"serve":     cmdServe,
			"receiver":  cmdReceiver,
		},
	})
}

// cmdStatus runs a program and compares its exit status:
//
//	status 2 exoaudit check -p policy.yaml
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// cmdMode compares the permissions of a file: mode 600 FILE.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	if got := fmt.Sprintf("%o", fileMode(ts, args[1])); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// cmdCount counts the lines of a file, or of stdout and stderr, that hold a
// text: count N FILE TEXT.
func cmdCount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: count N FILE TEXT")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if strings.Contains(line, args[2]) {
			got++
		}
	}
	if got != want {
		ts.Fatalf("%d lines of %s hold %q, want %d", got, args[1], args[2], want)
	}
}

// cmdEdit replaces a text in a file, which must hold it: edit FILE OLD NEW.
func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	data := ts.ReadFile(args[0])
	if !strings.Contains(data, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	writeFile(ts, args[0], strings.ReplaceAll(data, args[1], args[2]))
}
