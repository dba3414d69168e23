package report

import (
	"bufio"
	"io"
	"net/url"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// sarifSchema is the address of the schema, as the standard wants it.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// writeSARIF writes SARIF 2.1.0: one run, which says first whether it is a judgement
// (executionSuccessful, and notifications for what was not read), then the rules, then
// a result for each open finding, at the line of the policy that asks for it. Findings
// below what counts are notes, accepted ones are suppressed with their reason, mended
// ones are counted in the properties of the run only. Above 5,000 findings, which is
// what GitHub keeps, there is one result for each cause, and a notification says so.
//
// It ranges over the findings before it writes the first, and holds none of them but the first of each
// cause where it puts them together. root leads from
// the names of policy files to those that hosts know.
func writeSARIF(w io.Writer, d document, root checkout) error {
	return writeSARIFUpTo(w, d, root, sarifMost)
}

// writeSARIFUpTo writes at most so many results, unless there are more causes.
func writeSARIFUpTo(w io.Writer, d document, root checkout, most int) error {
	s := surveyed(d, most)
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10)}
	j.raw("{")
	j.field("$schema", sarifSchema)
	j.field("version", "2.1.0")
	j.name("runs")
	j.raw("[{")
	j.later = false
	j.field("invocations", []sarifInvocation{d.invocation(s)})
	j.field("properties", d.runBag(s))
	j.field("automationDetails", sarifDetails{ID: d.category() + "/"})
	j.field("tool", sarifTool{Driver: sarifDriver{
		Name: "exoaudit", Version: sarifVersion(d.header.Tool), Rules: s.rules(), Notifications: sarifNotifications(),
	}})
	j.field("columnKind", "unicodeCodePoints")
	j.open("results")
	if s.aggregated() {
		for _, g := range d.grouped() {
			j.element(d.groupResult(g, s, root))
		}
	} else {
		d.sarifResults(j, s, root)
	}
	j.close()
	j.raw("\n}]}\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// sarifResults writes each open finding.
func (d document) sarifResults(j *jsonWriter, s sarifSurvey, root checkout) {
	var known twins
	for c := range d.changes {
		mark := known.fingerprint(d.header.Tenant, c)
		if d.standing(c) == settled {
			continue
		}
		r := d.result(c, s, d.sentence(c), root)
		r.PartialFingerprints = sarifFingerprints{Finding: mark, Primary: mark}
		if !j.element(r) {
			return
		}
	}
}

// result is a finding without its fingerprint. Every result has suppressions, if none:
// the standard wants them on all results of a run or on none.
func (d document) result(c reconcile.Change, s sarifSurvey, text string, root checkout) sarifResult {
	stands := d.standing(c)
	r := sarifResult{
		Kind: "fail", Level: d.level(c),
		Locations:    []sarifLocation{d.location(c, root)},
		Suppressions: []sarifSuppression{},
		Properties: sarifResultBag{
			Standing: stands.String(), Severity: c.Severity.String(), Fate: string(c.Fate), Result: string(c.Result),
			Counts: stands == counts, Controls: controlsShown(c.Controls),
		},
	}
	r.RuleID, r.RuleIndex = s.rule(string(c.Setting))
	switch stands {
	case accepted:
		r.Suppressions = append(r.Suppressions, sarifSuppression{
			Kind: "external", Status: "accepted", Justification: inert(within(c.Reason, textShown)),
		})
	case below:
		r.Properties.Why = d.whyBelow(c)
	case counts, settled:
	}
	r.Message = sarifMessage{Text: inert(text)}
	return r
}

func controlsShown(ids []string) []string {
	var out []string
	for _, id := range ids[:min(len(ids), sarifTags)] {
		out = append(out, within(id, tagShown))
	}
	return out
}

func (d document) runBag(s sarifSurvey) sarifRunBag {
	return sarifRunBag{
		Verdict: string(d.verdict), Headline: d.headline(), Complete: d.coverage.Complete, Scope: string(d.coverage.Scope),
		RunID: within(d.header.RunID, nameShown), Tenant: within(d.header.Tenant, nameShown),
		Policy: within(d.header.Policy.Name, nameShown), PolicyDigest: within(d.header.Policy.Digest, nameShown),
		Counting: s.standings[counts], Below: s.standings[below], Accepted: s.standings[accepted], Fixed: s.standings[settled],
		Unknown: s.unknown, Aggregated: s.aggregated(),
	}
}

// category is what hosts keep track of results by: what an earlier run of a category has
// found, and the newest has not, is mended to them, and a run whose category another has
// too closes what that one found. So each policy of a tenant has one; and so has what
// does not look at the whole tenant, or measures it by something else.
func (d document) category() string {
	parts := []string{"exoaudit", within(d.header.Tenant, nameShown), within(d.header.Policy.Name, nameShown)}
	switch d.coverage.Scope {
	case reconcile.ScopeFull, reconcile.ScopeIncremental: // The latter carries what the last full run has found.
	default:
		parts = append(parts, string(d.coverage.Scope))
	}
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// sarifVersion takes the version from the name and version of the program.
func sarifVersion(tool string) string {
	_, version, _ := strings.Cut(tool, " ")
	return Line(strings.TrimPrefix(version, "v"))
}
