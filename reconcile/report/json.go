package report

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// WritePlan writes a plan as exoaudit/plan/v1 (design section 6): what check
// and plan print with --format json, and what a saved plan is. The verdict is
// that under the threshold. Changes are written one by one, so the memory it
// takes does not grow with the plan. It returns the first error of w.
func WritePlan(w io.Writer, p *reconcile.Plan, t reconcile.Threshold) error {
	return writeJSON(w, ofPlan(p, t))
}

// WriteRun writes an applied run as exoaudit/run/v1: the plan's fields plus
// startedAt, finishedAt and journalHead, and with each change its result and a
// note, the service's own words about it. It returns the first error of w.
func WriteRun(w io.Writer, r *reconcile.Run, t reconcile.Threshold) error {
	return writeJSON(w, ofRun(r, t))
}

// writeJSON writes the document, one line for each change and each unknown
// object, so that a line-based tool can read a large plan as well.
func writeJSON(w io.Writer, d document) error {
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10)}
	j.raw("{")
	j.field("schema", d.schema)
	j.field("tool", d.header.Tool)
	j.field("runId", d.header.RunID)
	j.field("tenant", d.header.Tenant)
	j.field("createdAt", stamp(d.header.CreatedAt))
	if d.applied != nil {
		j.field("startedAt", stamp(d.applied.startedAt))
		j.field("finishedAt", stamp(d.applied.finishedAt))
		j.field("journalHead", d.applied.journalHead)
	}
	j.field("verdict", d.verdict)
	j.field("policy", d.header.Policy)
	j.field("coverage", coverageOf(d.coverage))
	j.field("summary", summaryOf(d.summary))
	j.field("guards", list(d.guards))
	j.field("estimate", d.estimate)
	j.field("catalogue", reconcile.Catalogue{Moved: list(d.catalogue.Moved), Lagging: list(d.catalogue.Lagging)})
	j.open("changes")
	for c := range d.changes {
		if !j.element(changeOf(c, d.applied != nil)) {
			return j.err
		}
	}
	j.close()
	j.open("unknown")
	for u := range d.unknown {
		if !j.element(u) {
			return j.err
		}
	}
	j.close()
	j.field("warnings", list(d.warnings))
	j.raw("\n}\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// The shapes below fix the names and the order of the fields.

type jsonCoverage struct {
	Complete  bool                `json:"complete"`
	Scope     reconcile.Scope     `json:"scope"`
	BaseRun   string              `json:"baseRun"`
	Reasons   []string            `json:"reasons"`
	Mailboxes jsonMailboxCoverage `json:"mailboxes"`
	Bypass    jsonBypassCoverage  `json:"bypass"`
	Requests  int                 `json:"requests"`
	Pages     int                 `json:"pages"`
	Cost      []reconcile.Cost    `json:"cost"`
}

type jsonMailboxCoverage struct {
	Read   int            `json:"read"`
	ByType map[string]int `json:"byType"`
}

type jsonBypassCoverage struct {
	Read          int    `json:"read"`
	UnknownSystem int    `json:"unknownSystem"`
	ReadAt        string `json:"readAt"`
}

type jsonSummary struct {
	States  jsonStates           `json:"states"`
	Changes reconcile.FateCounts `json:"changes"`
}

type jsonStates struct {
	Mailbox      any `json:"mailbox"`
	Bypass       any `json:"bypass"`
	Organization any `json:"organization"`
	AdminAudit   any `json:"adminAudit"`
	Retention    any `json:"retention"`
}

type jsonChange struct {
	ID       string            `json:"id"`
	Subject  reconcile.Subject `json:"subject"`
	Setting  string            `json:"setting"`
	Before   any               `json:"before"`
	After    any               `json:"after"`
	Add      []string          `json:"add"`
	Remove   []string          `json:"remove"`
	Fate     reconcile.Fate    `json:"fate"`
	Reason   string            `json:"reason"`
	Severity string            `json:"severity"`
	Weakens  bool              `json:"weakens"`
	Pins     bool              `json:"pins"`
	Origin   jsonOrigin        `json:"origin"`
	Controls []string          `json:"controls"`
	Carried  bool              `json:"carried,omitempty"`
	Result   *reconcile.Result `json:"result,omitempty"`
	Note     string            `json:"note,omitempty"`
}

type jsonOrigin struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule"`
}

func coverageOf(c reconcile.Coverage) jsonCoverage {
	byType := c.Mailboxes.ByType
	if byType == nil {
		byType = map[string]int{}
	}
	return jsonCoverage{
		Complete: c.Complete, Scope: c.Scope, BaseRun: c.BaseRun, Reasons: list(c.Reasons),
		Mailboxes: jsonMailboxCoverage{Read: c.Mailboxes.Read, ByType: byType},
		Bypass: jsonBypassCoverage{
			Read: c.Bypass.Read, UnknownSystem: c.Bypass.UnknownSystem, ReadAt: stamp(c.Bypass.ReadAt),
		},
		Requests: c.Requests, Pages: c.Pages, Cost: list(c.Cost),
	}
}

// summaryOf gives the states of each kind; a kind that the policy does not
// speak of is the empty object.
func summaryOf(s reconcile.Summary) jsonSummary {
	of := func(kind string) any {
		if counts, ok := states(s, kind); ok {
			return counts
		}
		return struct{}{}
	}
	return jsonSummary{
		States: jsonStates{
			Mailbox: of(kindMailbox), Bypass: of(kindBypass),
			Organization: of(kindOrganization), AdminAudit: of(kindAdminAudit),
			Retention: of(kindRetention),
		},
		Changes: s.Changes,
	}
}

func changeOf(c reconcile.Change, withResult bool) jsonChange {
	out := jsonChange{
		ID: c.ID, Subject: c.Subject, Setting: string(c.Setting),
		Before: value(c.Before), After: value(c.After), Add: list(c.Add), Remove: list(c.Remove),
		Fate: c.Fate, Reason: c.Reason, Severity: c.Severity.String(), Weakens: c.Weakens, Pins: c.Pins,
		Origin:   jsonOrigin{File: c.Origin.File, Line: c.Origin.Line, Column: c.Origin.Column, Rule: c.Origin.Rule},
		Controls: list(c.Controls), Carried: c.Carried,
	}
	if withResult {
		out.Result, out.Note = &c.Result, c.Note
	}
	return out
}

// value keeps an empty list a list; before and after are null only where there
// is nothing to hold a value.
func value(v any) any {
	if l, ok := v.([]string); ok {
		return list(l)
	}
	return v
}

// list makes an absent list an empty one: arrays are never null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// stamp writes a time as RFC 3339 in UTC, and a time that is not known as the
// empty string.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// jsonWriter writes one object, field by field, and remembers the first error.
type jsonWriter struct {
	w     *bufio.Writer
	err   error
	later bool // a field has been written
	row   bool // an element of the open array has been written
}

func (j *jsonWriter) raw(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

func (j *jsonWriter) name(name string) {
	if j.later {
		j.raw(",")
	}
	j.later = true
	j.raw("\n  \"" + name + "\": ")
}

func (j *jsonWriter) field(name string, v any) {
	j.name(name)
	j.value(v)
}

func (j *jsonWriter) open(name string) {
	j.name(name)
	j.raw("[")
	j.row = false
}

// element writes one more element and reports whether to go on.
func (j *jsonWriter) element(v any) bool {
	if j.row {
		j.raw(",")
	}
	j.row = true
	j.raw("\n    ")
	j.value(v)
	return j.err == nil
}

func (j *jsonWriter) close() {
	if j.row {
		j.raw("\n  ")
	}
	j.raw("]")
}

func (j *jsonWriter) value(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		j.err = err
		return
	}
	_, j.err = j.w.Write(harmless(b))
}
