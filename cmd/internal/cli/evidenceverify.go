package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/reconcile/evidence"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// evidenceVerificationSchema names the form of what evidence verify prints as JSON.
const evidenceVerificationSchema = "exoaudit/evidence-verification/v1"

// maxBundle is the largest file that is taken for a bundle.
const maxBundle = 4<<30 - 1

// newEvidenceVerify builds the command that checks a bundle.
func newEvidenceVerify(a *app) *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use:   "verify FILE.zip",
		Short: "Check that a bundle is as it was made, offline",
		Long: `verify checks a bundle that evidence made: its seal over every byte, every file
against the manifest, and the chain of the journal in it. What was changed, added
or taken out is named by its place. Nothing is asked of a tenant; no policy and no
credential is needed. A bundle that was made anew, with a seal of its own, is found
only by --digest, the SHA-256 that was printed when the first was made. Exit status
2 says that something does not fit.`,
		Example: `  exoaudit evidence verify contoso.zip
  exoaudit evidence verify contoso.zip --digest sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return invalid("evidence verify takes one bundle, FILE.zip")
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	cmd.Flags().StringVar(&digest, "digest", "", "the SHA-256 that the file must have, `sha256:…`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		if digest != "" {
			var err error
			if digest, err = parseDigest(digest); err != nil {
				return invalid("%w", err)
			}
		}
		return a.verifyEvidence(args[0], digest)
	}
	return cmd
}

// verifyEvidence checks a bundle and says what was found.
func (a *app) verifyEvidence(path, digest string) error {
	f, err := openInput(path, maxBundle, 0)
	if err != nil {
		return fileProblem("evidence verify", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	v, err := verifyOpen(f, digest)
	if err != nil {
		return noReport("%s: %w", report.Line(filepath.Base(path)), err)
	}
	show := a.writeEvidenceText
	if a.out.format == "json" {
		show = a.writeEvidenceJSON
	}
	if err := show(path, digest, v); err != nil {
		return noReport("cannot write the result: %w", err)
	}
	if !v.Whole() {
		return ends(ExitDrift)
	}
	return nil
}

func verifyOpen(f *os.File, digest string) (evidence.Verification, error) {
	info, err := f.Stat()
	if err != nil {
		return evidence.Verification{}, errors.Unwrap(err)
	}
	return evidence.Verify(f, info.Size(), digest)
}

func (a *app) writeEvidenceText(path, digest string, v evidence.Verification) error {
	out := &printer{w: a.Out}
	out.line("Bundle: %s", report.Line(path))
	out.line("Digest: %s", v.Digest)
	for _, p := range v.Problems {
		out.line("NOT WHOLE: %s", report.Line(p.String()))
	}
	m := v.Manifest
	if m.RunID != "" {
		out.line("%s", report.Line("Says of itself: run "+m.RunID+" of tenant "+m.Tenant+", "+m.CreatedAt+", by "+m.Tool+", policy "+m.Policy.Name+" "+m.Policy.Digest))
		out.line("%s", report.Line("Says of itself: "+m.VerdictLine()))
	}
	if m.Journal.Kept && !m.Journal.Whole {
		out.line("%s", report.Line("Says of itself: the journal did not hold together when the bundle was made: "+m.Journal.Why))
	}
	switch {
	case !v.Whole():
	case digest == "":
		out.line("Whole: %d files and %d entries of the journal are as they were put in; only --digest tells a bundle that was made anew", v.Files, v.Entries)
	default:
		out.line("Whole: it is the bundle of that digest, with %d files and %d entries of the journal", v.Files, v.Entries)
	}
	return out.err
}

func (a *app) writeEvidenceJSON(path, digest string, v evidence.Verification) error {
	type problem struct {
		Place string `json:"place"`
		Why   string `json:"why"`
	}
	problems := []problem{}
	for _, p := range v.Problems {
		problems = append(problems, problem{report.Line(p.Place), report.Line(p.Why)})
	}
	m := v.Manifest
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema   string    `json:"schema"`
		File     string    `json:"file"`
		Whole    bool      `json:"whole"`
		Problems []problem `json:"problems"`
		Digest   string    `json:"digest"`
		Pinned   string    `json:"pinnedDigest"`
		RunID    string    `json:"runId"`
		Tenant   string    `json:"tenant"`
		Verdict  string    `json:"verdict"`
		Complete bool      `json:"complete"`
		Files    int       `json:"files"`
		Entries  int64     `json:"journalEntries"`
	}{
		evidenceVerificationSchema, report.Line(path), v.Whole(), problems, v.Digest, digest,
		report.Line(m.RunID), report.Line(m.Tenant), report.Line(m.Verdict), m.Complete, v.Files, v.Entries,
	})
}
