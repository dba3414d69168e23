package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/exoaudit/exoaudit/reconcile"
)

// draftSchema names the JSON form of a draft; it changes only by adding.
const draftSchema = "exoaudit/draft/v1"

type jsonDraft struct {
	Schema    string         `json:"schema"`
	Tenant    string         `json:"tenant"`
	CreatedAt string         `json:"createdAt"`
	Mailboxes int            `json:"mailboxes"`
	Requests  int            `json:"requests"`
	Nearest   string         `json:"nearest"`
	Extends   []string       `json:"extends"`
	Distances []jsonDistance `json:"distances"`
	Rules     int            `json:"rules"`
	Allowed   int            `json:"allowed"`
	Exempted  int            `json:"exempted"`
	ToFill    int            `json:"toFill"`
	Expires   string         `json:"expires"`
	Notes     []string       `json:"notes"`
	Policy    string         `json:"policy"`
}

type jsonDistance struct {
	Name    string `json:"name"`
	Differs int    `json:"differs"`
}

// WriteDraft writes a draft as exoaudit/draft/v1: what it was made from, and the
// policy as text. It returns the first error of w.
func WriteDraft(w io.Writer, d *reconcile.Draft) error {
	out := jsonDraft{
		Schema: draftSchema, Tenant: d.Tenant, CreatedAt: stamp(d.CreatedAt), Mailboxes: d.Mailboxes, Requests: d.Requests,
		Nearest: d.Nearest, Extends: list(d.Extends), Distances: []jsonDistance{},
		Rules: len(d.Rules), Allowed: len(d.Allow), Exempted: exempted(d), ToFill: toFill(d),
		Expires: d.Expires.Format("2006-01-02"), Notes: list(d.Notes), Policy: string(d.YAML()),
	}
	for _, b := range d.Distances {
		out.Distances = append(out.Distances, jsonDistance(b))
	}
	return writeIndented(w, out)
}

// exempted counts what is accepted although it falls short: mailboxes, and
// switches of the tenant.
func exempted(d *reconcile.Draft) int {
	n := 0
	for _, e := range d.Accepted {
		n += e.Mailboxes
	}
	for _, off := range []bool{d.UnifiedLogOff, d.AuditDisabled} {
		if off {
			n++
		}
	}
	return n
}

// toFill counts the entries that want a reason and an owner.
func toFill(d *reconcile.Draft) int {
	n := len(d.Allow) + len(d.Accepted)
	if d.UnifiedLogOff || d.AuditDisabled {
		n++
	}
	return n
}

// WriteDraftSummary says for people what a draft was made from and what is left
// to do; file is where the policy was written. It returns the first error of w.
func WriteDraftSummary(w io.Writer, d *reconcile.Draft, file string) error {
	t := &textWriter{w: bufio.NewWriter(w)}
	t.para("", fmt.Sprintf("Read %s of tenant %s in %s.", plural(d.Mailboxes, "mailbox", "mailboxes"), Line(d.Tenant), plural(d.Requests, "request", "requests")))
	t.para("", fmt.Sprintf("The nearest baseline is %s.", Line(d.Nearest)))
	for _, b := range d.Distances {
		t.line("  %-20s differs in %s", Line(b.Name), plural(b.Differs, "value", "values"))
	}
	t.para("", fmt.Sprintf("%s for what the tenant does beyond it.", plural(len(d.Rules), "rule", "rules")))
	if n := exempted(d); n > 0 {
		t.para("", fmt.Sprintf("%s below it, accepted until %s.", plural(n, "object falls", "objects fall"), d.Expires.Format("2006-01-02")))
	}
	if n := len(d.Allow); n > 0 {
		t.para("", fmt.Sprintf("%s recording, allowed until %s.", plural(n, "account bypasses", "accounts bypass"), d.Expires.Format("2006-01-02")))
	}
	for _, note := range d.Notes {
		t.para("  - ", Line(note))
	}
	if n := toFill(d); n > 0 {
		t.line("%s to be given a reason and an owner: exoaudit validate %s lists them.", plural(n, "entry has", "entries have"), Line(file))
	} else {
		t.line("Nothing is left to fill in: exoaudit check -p %s compares.", Line(file))
	}
	return t.w.Flush()
}
