package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/evidence"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// evidenceSchema names the form of what evidence prints as JSON.
const evidenceSchema = "exoaudit/evidence-made/v1"

// gathering holds the flags of evidence.
type gathering struct {
	comparison
	out, target string
	since, from string
}

// newEvidence builds the command that bundles a check for an auditor.
func newEvidence(a *app) *cobra.Command {
	var g gathering
	cmd := &cobra.Command{
		Use:   "evidence -p POLICY --out FILE.zip",
		Short: "Check a tenant and bundle what was found, for an auditor",
		Long: `evidence compares a tenant with a policy as check does, and writes a bundle: each
control with what was required, what was observed and the verdict; the values that
were read, with the service's id of each request; exemptions in force; the policy;
and the journal of what was written to the tenant. Its README.txt says what each
file is, how to check the bundle by hand, and what it does not prove.

The SHA-256 that is printed is worth keeping elsewhere: evidence verify finds any
byte that was changed, but a bundle that was made anew only by that digest. A run
that could not read everything makes a bundle too, which says INCOMPLETE. Places in
the policy are named as -p names it: by a relative path where nobody has to know its
folder. Exit status as check: 0 in line, 2 drift, 3 incomplete, 1 no bundle, 4 wrong
policy or flags, 5 no token or not allowed.`,
		Example: `  exoaudit evidence -p policy.yaml --out contoso.zip
  exoaudit evidence -p policy.yaml --out contoso.zip --since 2026-07-01
  exoaudit evidence verify contoso.zip --digest sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	g.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.gather(cmd, &g) }
	cmd.AddCommand(newEvidenceVerify(a))
	return cmd
}

// bind gives the flags of check but for those about a part of the tenant: evidence is
// of the whole.
func (g *gathering) bind(cmd *cobra.Command) {
	g.comparison.target.bind(cmd)
	f := cmd.Flags()
	f.StringVarP(&g.policyFile, "policy", "p", "", "policy `FILE`")
	f.StringVar(&g.failOn, "fail-on", "low", "lowest severity that counts as drift: info, low, medium, high")
	f.BoolVar(&g.strict, "strict", false, "count as drift what the service has no way to set")
	f.BoolVar(&g.acceptPopulation, "accept-population", false, "accept a tenant that shows no or far fewer mailboxes")
	bindState(cmd, &g.state)
	g.bindReports(cmd)
	f.StringVar(&g.out, "out", "", "write the bundle to this `FILE` (mode 0600: it names mailboxes)")
	f.StringVar(&g.since, "since", "90d", "take the journal from this `TIME` on: 90d, 24h, 2026-11-01, or RFC 3339")
	f.StringVar(&g.from, "from", "", "take the journal from this `FILE`, as apply --journal writes it, and not from the store")
}

// gather checks, and writes the bundle.
func (a *app) gather(cmd *cobra.Command, g *gathering) error {
	ctx := cmd.Context()
	read, since, j, err := a.prepareEvidence(cmd, g)
	if err != nil {
		return err
	}
	calls, err := evidence.NewCalls(filepath.Dir(g.target)) // a folder that can be written, which that for temporary files may not be
	if err != nil {
		return noReport("%w", err)
	}
	defer func() { _ = calls.Close() }() // it was of use to this run only
	run, err := a.beginWatched(ctx, j, func(t exchange.Trace) { calls.Add(callOf(t)) })
	if err != nil {
		return err
	}
	defer run.close()
	p, err := run.check(ctx)
	if err != nil {
		return err
	}
	run.keep(ctx, "evidence", p)
	b := evidence.Bundle{Plan: p, Threshold: j.threshold, Policy: j.policy, Sources: sourcesOf(j.policy, read), Calls: calls}
	taken, end, err := run.journal(ctx, g, since)
	if err != nil {
		return err
	}
	defer end()
	b.Journal = taken
	var w evidence.Written
	err = writeFile(g.target, func(out io.Writer) (err error) {
		w, err = evidence.Write(out, b)
		return err
	})
	if err != nil {
		return err
	}
	return a.tellEvidence(ctx, g, j, p, w)
}

// prepareEvidence checks everything that needs no network, and keeps the files of the
// policy as they were read.
func (a *app) prepareEvidence(cmd *cobra.Command, g *gathering) (read map[string][]byte, since time.Time, j *job, err error) {
	read = map[string][]byte{}
	g.raw, g.reading = true, func(name string, data []byte) { read[name] = data }
	g.own = func() []claim {
		var out []claim
		if g.out != "" {
			out = append(out, claim{flag: "--out", path: g.out, use: replaces, settled: &g.target})
		}
		if g.from != "" {
			out = append(out, claim{flag: "--from", path: g.from})
		}
		return out
	}
	if j, err = a.prepare(cmd, &g.comparison); err != nil {
		return nil, since, nil, err
	}
	if g.out == "" {
		return nil, since, nil, invalid("--out FILE.zip is needed: where the bundle is written")
	}
	since, err = timeOf("--since", g.since, a.env.Now())
	return read, since, j, err
}

// sourcesOf gives the files of a policy, itself first.
func sourcesOf(p *policy.Policy, read map[string][]byte) []evidence.Source {
	out := []evidence.Source{{Name: p.File, Data: read[p.File]}}
	for _, e := range p.Extends {
		data := read[e.Name]
		if e.BuiltIn {
			data, _ = policy.Baseline(e.Name)
		}
		out = append(out, evidence.Source{Name: e.Name, BuiltIn: e.BuiltIn, Data: data})
	}
	return out
}

// nearer gives a file below the working directory by its path from there. Places in a
// bundle name the file of the policy as it was named, and whose folders these are is
// nothing that an auditor has to know.
func nearer(file string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(file) {
		return file
	}
	near, err := filepath.Rel(here, file)
	if err != nil || !filepath.IsLocal(near) {
		return file
	}
	there, err := os.Stat(file)
	if same, nearErr := os.Stat(near); err != nil || nearErr != nil || !os.SameFile(there, same) {
		return file // Behind a symbolic link ".." leads elsewhere.
	}
	return near
}

// shownStore leaves the folder of a store out, which is in somebody's home as a rule.
func shownStore(described string) string {
	if file, ok := strings.CutPrefix(described, "sqlite:"); ok {
		return "sqlite:" + filepath.Base(file)
	}
	return described
}

func callOf(t exchange.Trace) evidence.Call {
	return evidence.Call{
		Time: t.Start, Method: t.Method, Path: t.Path, Cmdlets: t.Cmdlets, Status: t.Status,
		RequestID: t.RequestID, ClientRequestID: t.ClientRequestID, Bytes: t.Bytes,
	}
}

// journal says where the journal of the tenant is; it is nil where none is kept. The
// function gives it back.
func (c *comparing) journal(ctx context.Context, g *gathering, since time.Time) (*evidence.Journal, func(), error) {
	if g.from != "" {
		f, err := (&recorded{from: g.from}).journalFile()
		if err != nil {
			return nil, nil, err
		}
		return &evidence.Journal{Source: filepath.Base(g.from), Lines: journal.Lines(f), Since: since}, func() { _ = f.Close() }, nil // it was only read
	}
	if c.session.Store == nil {
		return nil, func() {}, nil
	}
	lines := watched(ctx, c.session.Store.Lines(ctx, c.conn.tenant, 0), nil)
	return &evidence.Journal{Source: shownStore(c.session.Store.Describe()), Lines: lines, Since: since}, func() {}, nil
}

// tellEvidence says where the bundle is and what it says, and ends as the check would
// have: a journal that does not hold together is worth no less than a mailbox that
// could not be read.
func (a *app) tellEvidence(ctx context.Context, g *gathering, j *job, p *reconcile.Plan, w evidence.Written) error {
	status := statusOfVerdict(p.Verdict(j.threshold))
	if m := w.Manifest.Journal; m.Kept && !m.Whole {
		status = worst(status, ExitIncomplete)
		a.logger().WarnContext(ctx, "the journal does not hold together, and is in the bundle up to that place: "+m.Why)
	}
	var errs []error
	if err := a.writeEvidence(g.out, w); err != nil {
		errs = append(errs, noReport("cannot write the result: %w", err))
	}
	return endsWith(status, together(append(errs, a.hand(j, report.OfPlan(p, j.threshold)))...))
}

// writeEvidence writes the result: where the bundle is, and its digest.
func (a *app) writeEvidence(path string, w evidence.Written) error {
	m := w.Manifest
	if a.out.format == "json" {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Schema   string                 `json:"schema"`
			File     string                 `json:"file"`
			Digest   string                 `json:"digest"`
			Size     int64                  `json:"size"`
			RunID    string                 `json:"runId"`
			Tenant   string                 `json:"tenant"`
			Verdict  string                 `json:"verdict"`
			Complete bool                   `json:"complete"`
			Reasons  []string               `json:"reasons"`
			Controls evidence.ControlCounts `json:"controls"`
			Head     string                 `json:"journalHead"`
			Whole    bool                   `json:"journalWhole"`
		}{
			evidenceSchema, report.Line(path), w.Digest, w.Size, m.RunID, m.Tenant, m.Verdict, m.Complete, m.Reasons, m.Controls,
			m.Journal.HeadHash, m.Journal.Whole,
		})
	}
	out := &printer{w: a.Out}
	out.line("%s", m.VerdictLine())
	for _, reason := range m.Reasons {
		out.line("  %s", report.Line(reason))
	}
	out.line("Controls: %s", m.Controls)
	switch {
	case !m.Journal.Kept:
		out.line("Journal: none is kept")
	case !m.Journal.Whole:
		out.line("Journal: NOT WHOLE, and in the bundle up to that place: %s", report.Line(m.Journal.Why))
	default:
		out.line("Journal: %d entries, its head is %s", m.Journal.Entries, cmp.Or(m.Journal.HeadHash, "none yet"))
	}
	out.line("Evidence: %s", report.Line(path))
	out.line("Digest: %s", w.Digest)
	return out.err
}

// errNoDigest says how a digest is written.
var errNoDigest = errors.New("a digest is sha256: and 64 hexadecimal digits, as evidence prints it")

// parseDigest reads --digest.
func parseDigest(text string) (string, error) {
	digits := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "sha256:")
	if len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", fmt.Errorf("--digest: %w", errNoDigest)
	}
	return "sha256:" + digits, nil
}
