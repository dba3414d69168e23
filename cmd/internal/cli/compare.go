package cli

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// comparison holds the flags that check, plan and apply share.
type comparison struct {
	target           target
	policyFile       string
	mailbox          string
	failOn           string
	strict           bool
	acceptPopulation bool
	reports          []string
	noCI             bool
	state            string
	sinceLastRun     bool
	// withoutPolicy says that the command does without one where none is given.
	withoutPolicy bool
	// raw keeps the rows of the tenant's own settings as they came.
	raw bool
	// reading is told of every file of the policy that is read; nil is nobody.
	reading func(name string, data []byte)
	// own gives the files of the command itself, once its flags are known.
	own func() []claim
}

// bindSince gives a command the flag for a look at what is new.
func (c *comparison) bindSince(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.sinceLastRun, "since-last-run", false,
		"look only at what was created or changed since the last complete run, and carry its open findings")
}

func (c *comparison) bind(cmd *cobra.Command) {
	c.target.bind(cmd)
	f := cmd.Flags()
	f.StringVarP(&c.policyFile, "policy", "p", "", "policy `FILE`")
	f.StringVar(&c.mailbox, "mailbox", "", "look at one mailbox only: its address, sign-in name or `ID`")
	f.StringVar(&c.failOn, "fail-on", "low", "lowest severity that counts as drift: info, low, medium, high")
	f.BoolVar(&c.strict, "strict", false, "count as drift what the service has no way to set")
	f.BoolVar(&c.acceptPopulation, "accept-population", false, "accept a tenant that shows no or far fewer mailboxes")
	bindState(cmd, &c.state)
	c.bindReports(cmd)
}

// bindReports gives a command the flags for reports beside that on standard output.
func (c *comparison) bindReports(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&c.reports, "report", nil, "also write the report to a file, `FORMAT=FILE` with "+formatNames()+" (repeatable)")
	f.BoolVar(&c.noCI, "no-ci", false, "write no summary and no remarks for GitHub Actions or Azure Pipelines")
}

// formatNames lists the forms of reports.
func formatNames() string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// job is a comparison whose flags and files have been checked.
type job struct {
	comparison
	policy    *policy.Policy
	threshold reconcile.Threshold
	files     []reportFile
}

// reportFile is one --report; real is where it is written.
type reportFile struct{ format, path, real string }

// prepare checks everything that needs no network, so that a mistake costs no
// request.
func (a *app) prepare(cmd *cobra.Command, c *comparison) (*job, error) {
	if err := a.settle(cmd); err != nil {
		return nil, err
	}
	threshold, err := reconcile.ParseThreshold(c.failOn, c.strict)
	if err != nil {
		return nil, invalid("--fail-on: %w", err)
	}
	if c.sinceLastRun && c.mailbox != "" {
		return nil, invalid("--since-last-run and --mailbox exclude each other: one looks at what changed, the other at one mailbox")
	}
	if _, err := a.storePath(c.state); err != nil && c.state != "" {
		return nil, err
	}
	j := &job{comparison: *c, threshold: threshold}
	for _, r := range c.reports {
		format, path, ok := strings.Cut(r, "=")
		if !ok || path == "" || !slices.Contains(report.Formats(), report.Format(format)) {
			return nil, invalid("--report %s: write FORMAT=FILE with %s", report.Line(r), formatNames())
		}
		if path == "-" {
			return nil, invalid("--report %s writes to a file; standard output has the form that --format says", report.Line(r))
		}
		j.files = append(j.files, reportFile{format: format, path: path})
	}
	claims := a.claims(j)
	if err := a.settleClaims(slices.Clone(claims)); err != nil {
		return nil, err
	}
	if c.policyFile == "" && c.withoutPolicy {
		return j, nil
	}
	if j.policy, err = a.loadPolicyTold(c.policyFile, c.reading); err != nil {
		return nil, err
	}
	if more := extendedClaims(j.policy); len(more) > 0 {
		// Which files the policy is made of is known only now.
		return j, a.settleClaims(append(claims, more...))
	}
	return j, nil
}

// extendedClaims lists the files that a policy extends: none of them may be
// replaced by a report or a plan either.
func extendedClaims(p *policy.Policy) []claim {
	var out []claim
	for _, e := range p.Extends {
		if !e.BuiltIn {
			out = append(out, claim{flag: "extends (" + e.Pos.String() + ")", path: filepath.FromSlash(e.Name)})
		}
	}
	return out
}

// claims lists the files of a comparison.
func (a *app) claims(j *job) []claim {
	var out []claim
	for _, c := range []claim{
		{flag: "--policy", path: j.policyFile},
		{flag: "--config", path: a.out.config},
		{flag: "--ca-file", path: j.target.caFile},
		{flag: certificateVariable, path: a.env.Getenv(certificateVariable)},
		{flag: federatedVariable, path: a.env.Getenv(federatedVariable)},
	} {
		if c.path != "" {
			out = append(out, c)
		}
	}
	out = append(out, a.receiverClaims()...)
	if j.own != nil {
		out = append(out, j.own()...)
	}
	out = append(out, a.storeClaims(j.state)...)
	for i, f := range j.files {
		out = append(out, claim{flag: "--report", path: f.path, use: replaces, settled: &j.files[i].real})
	}
	return out
}

// loadPolicy reads the policy with all that it extends, and shows the warnings
// about it.
func (a *app) loadPolicy(file string) (*policy.Policy, error) { return a.loadPolicyTold(file, nil) }

// loadPolicyTold is loadPolicy that tells of the files as they were read, by the names
// that the policy has for them.
func (a *app) loadPolicyTold(file string, tell func(name string, data []byte)) (*policy.Policy, error) {
	if file == "" {
		return nil, invalid("--policy (-p) FILE is needed: what the tenant is to be compared with")
	}
	if tell != nil {
		file = nearer(file)
	}
	data, err := readFile("--policy", file, maxInput)
	if err != nil {
		return nil, err
	}
	read := readExtended
	if tell != nil {
		tell(filepath.ToSlash(file), data)
		read = func(path string) ([]byte, error) {
			data, err := readExtended(path)
			tell(path, data)
			return data, err
		}
	}
	p, found := policy.Load(filepath.ToSlash(file), data, read)
	if found.HasErrors() {
		return nil, found
	}
	a.diagnose(found)
	return p, nil
}

// request gives what a comparison is asked for.
func (a *app) request(j *job, conn *connection) reconcile.Request {
	req := reconcile.Request{
		Tool: toolName(), RunID: uuid.NewString(), Tenant: conn.tenant, Now: a.env.Now,
		Policy: j.policy, Mailbox: j.mailbox, AcceptPopulation: j.acceptPopulation, SinceLastRun: j.sinceLastRun,
		Raw: j.wantsRaw(),
	}
	if conn.compliance != nil {
		req.Compliance = conn.compliance
	}
	return req
}

// wantsRaw tells whether the rows of the tenant's own settings are shown as they came.
func (j *job) wantsRaw() bool {
	return j.raw || slices.ContainsFunc(j.files, func(f reportFile) bool { return f.format == string(report.SCuBA) })
}

// calling says what a comparison calls: retention policies are at a service of
// their own, of which a look at one mailbox asks nothing.
func (j *job) calling() calling {
	return calling{retention: j.policy.Retention != nil && j.mailbox == ""}
}

// showPlan writes the plan to standard output and to the files asked for.
func (a *app) showPlan(j *job, p *reconcile.Plan) error {
	return a.show(j, report.OfPlan(p, j.threshold), report.TextOptions{})
}

// writable is a report that can be written in any form.
type writable interface {
	Write(w io.Writer, f report.Format, o report.Options) error
}

// show writes a report to standard output, then to the files of --report, then to where
// a CI host shows it. All are written even where one fails, since a file may be all that
// a CI job keeps. The options are for the text on standard output.
func (a *app) show(j *job, r writable, text report.TextOptions) error {
	text.Color, text.Verbose = a.colored(a.OutTerminal), a.out.verbose
	var errs []error
	if err := r.Write(a.Out, report.Format(a.out.format), report.Options{Text: text}); err != nil {
		errs = append(errs, noReport("cannot write the report: %w", err))
	}
	return together(append(errs, a.hand(j, r))...)
}

// hand writes a report to the files of --report, then to where a CI host shows it.
func (a *app) hand(j *job, r writable) error {
	o := a.inRepository(report.Options{Text: report.TextOptions{Verbose: a.out.verbose}})
	var errs []error
	for _, f := range j.files {
		errs = append(errs, writeFile(f.real, func(w io.Writer) error { return r.Write(w, report.Format(f.format), o) }))
	}
	if !j.noCI {
		a.tellCI(r, o)
	}
	return together(errs...)
}

// endsWith ends a command whose reports may have failed: that never hides a
// status that is worse.
func endsWith(status int, reports error) error {
	if reports == nil {
		return ends(status)
	}
	return &statusError{status: worst(status, ExitNoReport), err: reports}
}
