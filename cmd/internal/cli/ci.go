package cli

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// maxSummary is what GitHub takes of one step's summary; a larger one is refused whole.
const maxSummary = 1 << 20

// ciHost is a CI system that shows more than a log.
type ciHost struct {
	// remarks is the form of its commands.
	remarks report.Format
	// summarise hands over a summary in Markdown, and gives the command that makes the
	// host take it, if it needs one.
	summarise func(markdown []byte) (command string, err error)
}

// ciHost finds the system in whose job this process runs; nil for none.
func (a *app) ciHost() *ciHost {
	switch {
	case a.env.Getenv("GITHUB_ACTIONS") == "true":
		return &ciHost{remarks: report.GitHub, summarise: a.githubSummary}
	case strings.EqualFold(a.env.Getenv("TF_BUILD"), "true"):
		return &ciHost{remarks: report.Azure, summarise: a.azureSummary}
	default:
		return nil
	}
}

// tellCI gives the CI host a summary, and where standard output is text the remarks
// beside the lines of the policy. The report has been written by then, so what fails here
// is a warning.
func (a *app) tellCI(r writable, o report.Options) {
	host := a.ciHost()
	if host == nil {
		return
	}
	var markdown, remarks bytes.Buffer
	err := errors.Join(r.Write(&markdown, report.Markdown, o), r.Write(&remarks, host.remarks, o))
	if err != nil {
		a.logger().Warn("the report is not shown by the CI host: " + err.Error())
		return
	}
	command, err := host.summarise(markdown.Bytes())
	if err != nil {
		a.logger().Warn("there is no summary of this run: " + err.Error())
	}
	if a.out.format != string(report.Text) {
		return // Standard output is one document.
	}
	if command != "" {
		remarks.WriteString(command + "\n")
	}
	if _, err := a.Out.Write(remarks.Bytes()); err != nil {
		a.logger().Warn("the remarks on this run cannot be written: " + err.Error())
	}
}

// githubSummary adds to the summary of the step. Other programs of the step may have
// written there too: an empty line ends whatever line or block they have left open, in
// which the verdict would be no heading.
func (a *app) githubSummary(markdown []byte) (string, error) {
	path := a.env.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return "", errors.New("GITHUB_STEP_SUMMARY names no file")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		markdown = append([]byte("\n\n"), markdown...)
	}
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "summary", Path: path, Err: errors.New("not an ordinary file")}
	case info.Size()+int64(len(markdown)) > maxSummary:
		err = errors.New("with it the summary of the step would be larger than GitHub takes")
	default:
		_, err = f.Write(markdown)
	}
	return "", errors.Join(err, f.Close())
}

// azureSummary writes the summary to a file of the job, which a command uploads.
func (a *app) azureSummary(markdown []byte) (string, error) {
	folder := a.env.Getenv("AGENT_TEMPDIRECTORY")
	if folder == "" {
		return "", errors.New("AGENT_TEMPDIRECTORY names no folder")
	}
	path, err := filepath.Abs(filepath.Join(folder, "exoaudit-"+uuid.NewString()+".md"))
	if err != nil {
		return "", err
	}
	if report.Line(path) != path {
		return "", errors.New("AGENT_TEMPDIRECTORY is not fit for a command")
	}
	return "##vso[task.uploadsummary]" + path, os.WriteFile(path, markdown, 0o600)
}

// inRepository tells a report where the working folder is in the repository that a CI host
// has checked out, as hosts know files by their path from its root. Outside of a CI host
// there is nothing to tell.
func (a *app) inRepository(o report.Options) report.Options {
	root := cmp.Or(a.env.Getenv("GITHUB_WORKSPACE"), a.env.Getenv("BUILD_SOURCESDIRECTORY"))
	wd, err := os.Getwd()
	if root == "" || !filepath.IsAbs(root) || err != nil {
		return o
	}
	names := []string{root}
	if r, err := filepath.EvalSymlinks(root); err == nil {
		names = []string{r, root} // Files are named by either.
	}
	if w, err := filepath.EvalSymlinks(wd); err == nil {
		wd = w
	}
	rel, err := filepath.Rel(names[0], wd)
	if err != nil {
		return o // On another drive.
	}
	for _, name := range names {
		o.Repository = append(o.Repository, filepath.ToSlash(name))
	}
	if rel != "." {
		o.Root = filepath.ToSlash(rel) + "/"
	}
	return o
}
