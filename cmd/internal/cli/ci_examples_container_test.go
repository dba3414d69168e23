package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// instructions are the lines of a container file, each with its continuations, and the
// commands that its comments show.
func instructions(text string) (lines, remarks []string) {
	var code, comments strings.Builder
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, "#"); found {
			comments.WriteString(strings.TrimSpace(rest) + "\n")
		} else {
			code.WriteString(line)
		}
	}
	joined := func(s string) string { return strings.ReplaceAll(s, "\\\n", " ") }
	for line := range strings.Lines(joined(code.String())) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	for line := range strings.Lines(joined(comments.String())) {
		if strings.HasPrefix(line, "docker ") {
			remarks = append(remarks, strings.Join(strings.Fields(line), " "))
		}
	}
	return lines, remarks
}

// TestCIExampleContainer: the image holds the program and no shell, runs it as a user
// without rights, and keeps its state where the program looks for it.
func TestCIExampleContainer(t *testing.T) {
	t.Parallel()
	lines, _ := instructions(deployment(t, "ci", "Containerfile"))
	var last []string
	for _, line := range lines {
		if strings.HasPrefix(line, "FROM ") {
			last = nil
		}
		last = append(last, line)
		for _, word := range []string{"SECRET", "TOKEN", "PASSWORD", "CREDENTIAL", "CLIENT_ID"} {
			if strings.Contains(strings.ToUpper(line), word) {
				t.Errorf("the image holds a credential: %s", line)
			}
		}
		if variable, _, found := strings.Cut(strings.TrimPrefix(line, "ENV "), "="); found && strings.HasPrefix(line, "ENV ") && !knownVariable(variable) {
			t.Errorf("the image sets %s, which nothing reads", variable)
		}
	}
	minor := languageVersion(t)[:strings.LastIndexByte(languageVersion(t), '.')]
	if !strings.HasSuffix(lines[0], "/golang:"+minor+" AS build") {
		t.Errorf("it is built with %s, and the module asks for %s", lines[0], minor)
	}
	build := strings.Join(lines, "\n")
	for _, part := range []string{"CGO_ENABLED=0 ", " -trimpath ", " ./cmd/exoaudit "} {
		if !strings.Contains(build, part) {
			t.Errorf("the build lacks %s", part)
		}
	}
	if !regexp.MustCompile(`^FROM gcr\.io/distroless/static-debian\d+:nonroot$`).MatchString(last[0]) {
		t.Errorf("the image is made from %s", last[0])
	}
	for _, want := range []string{
		"ENV XDG_STATE_HOME=/var/lib", `VOLUME ["/var/lib/` + stateName + `"]`, "COPY --from=build --chown=65532:65532 /out/state /var/lib/" + stateName,
		"USER 65532:65532", "STOPSIGNAL SIGTERM", `ENTRYPOINT ["/exoaudit"]`, "COPY --from=build /out/exoaudit /exoaudit",
	} {
		if !slices.Contains(last, want) {
			t.Errorf("the image lacks %s", want)
		}
	}
	for _, line := range last {
		if strings.HasPrefix(line, "RUN ") || strings.HasPrefix(line, "CMD ") || strings.HasPrefix(line, "ADD ") {
			t.Errorf("the image needs more than the program: %s", line)
		}
	}
}

// TestCIExampleContainerCommands: the command lines that the container file shows are
// such as the program takes, and leave it time to end.
func TestCIExampleContainerCommands(t *testing.T) {
	t.Parallel()
	_, remarks := instructions(deployment(t, "ci", "Containerfile"))
	runs := 0
	for _, line := range remarks {
		fields := strings.Fields(line)
		if fields[1] != "run" {
			continue
		}
		runs++
		image := slices.Index(fields, "exoaudit")
		if slices.Contains(fields, "--name") {
			image += 1 + slices.Index(fields[image+1:], "exoaudit")
		}
		options, args := fields[:image], fields[image+1:]
		accepted(t, "Containerfile", args)
		for _, v := range flagged(options, "-e") {
			if variable, _, _ := strings.Cut(v, "="); !knownVariable(variable) {
				t.Errorf("%s: nothing reads %s", line, variable)
			}
		}
		if !slices.Contains(flagged(options, "-v"), "exoaudit-state:/var/lib/"+stateName) || !slices.Contains(options, "--read-only") {
			t.Errorf("%s: its state goes with it, or it may write elsewhere", line)
		}
		if args[0] == "serve" {
			stop, err := time.ParseDuration(strings.Join(flagged(options, "--stop-timeout"), "") + "s")
			if err != nil || stop < 45*time.Second {
				t.Errorf("%s: it is killed %s after SIGTERM, %v", line, stop, err)
			}
			port := flagged(args, "--listen")[0]
			port = port[strings.LastIndexByte(port, ':'):]
			if published := flagged(options, "-p")[0]; !strings.HasPrefix(published, "127.0.0.1:") || !strings.HasSuffix(published, port) {
				t.Errorf("%s: the port %s is published as %s", line, port, published)
			}
		}
	}
	if runs != 2 {
		t.Errorf("the container file shows %d runs", runs)
	}
}

// TestCIExampleContainerContext: nothing that is committed is kept from the build, as
// the version would then say that something was changed.
func TestCIExampleContainerContext(t *testing.T) {
	t.Parallel()
	var endings []string
	for line := range strings.Lines(deployment(t, "ci", "Containerfile.dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			endings = append(endings, strings.TrimLeft(line, "*/"))
		}
	}
	if !slices.Contains(endings, ".pem") || !slices.Contains(endings, ".db") {
		t.Errorf("left out are %q", endings)
	}
	root := filepath.Join("..", "..", "..")
	for _, folder := range []string{"cmd", "exchange", "policy", "reconcile", "examples", "testdata"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ os.DirEntry, err error) error {
			if slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(path, e) }) {
				t.Errorf("%s would be missing", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
