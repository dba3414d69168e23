package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// errNotARun says that a kept report is not of the form that it should have.
var errNotARun = errors.New("it is not the report of a run")

// copyRun writes a report that was kept once more, with those changes and unknown
// objects only that keep wants, and gives their number. What was kept was harmless
// to print; it is made so again, as others may have written into the store.
func copyRun(w io.Writer, doc []byte, keep func(reconcile.Subject) bool) (int, error) {
	j := &jsonWriter{w: bufio.NewWriter(w)}
	kept := 0
	j.raw("{")
	err := walkRun(doc, func(name string, element bool, raw json.RawMessage) error {
		switch {
		case !element && raw == nil:
			j.open(name)
			return j.err
		case !element:
			j.field(name, raw)
			return j.err
		}
		var of struct {
			Subject reconcile.Subject `json:"subject"`
		}
		if err := json.Unmarshal(raw, &of); err != nil {
			return err
		}
		if keep(of.Subject) {
			kept++
			j.element(raw)
		}
		return j.err
	}, j.close)
	if err != nil {
		return 0, err
	}
	j.raw("\n}\n")
	if j.err != nil {
		return 0, j.err
	}
	return kept, j.w.Flush()
}

// walkRun goes through the fields of a report in their order. The lists of changes
// and of unknown objects, which can be long, come as their name without a value,
// each element, and their end.
func walkRun(doc []byte, each func(name string, element bool, raw json.RawMessage) error, end func()) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if err := expect(dec, json.Delim('{')); err != nil {
		return err
	}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return errNotARun
		}
		if name == "changes" || name == "unknown" {
			if err := walkList(dec, name, each); err != nil {
				return err
			}
			end()
			continue
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if name == "schema" && string(raw) != fmt.Sprintf("%q", reconcile.RunSchema) {
			return errNotARun
		}
		if err := each(name, false, raw); err != nil {
			return err
		}
	}
	if err := expect(dec, json.Delim('}')); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errNotARun
	}
	return nil
}

func walkList(dec *json.Decoder, name string, each func(name string, element bool, raw json.RawMessage) error) error {
	if err := expect(dec, json.Delim('[')); err != nil {
		return err
	}
	if err := each(name, false, nil); err != nil {
		return err
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := each(name, true, raw); err != nil {
			return err
		}
	}
	return expect(dec, json.Delim(']'))
}

func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil || token != want {
		return errNotARun
	}
	return nil
}

// changesIn decodes the changes of a report that keep wants.
func changesIn(doc []byte, keep func(reconcile.Subject) bool) ([]reconcile.PastChange, error) {
	var out []reconcile.PastChange
	err := walkRun(doc, func(name string, element bool, raw json.RawMessage) error {
		if name != "changes" || !element {
			return nil
		}
		var c jsonChange
		if err := json.Unmarshal(raw, &c); err != nil {
			return err
		}
		if keep(c.Subject) {
			out = append(out, reconcile.PastChange{Change: c.change()})
		}
		return nil
	}, func() {})
	return out, err
}

// change is the other way of changeOf, for what text shows.
func (c jsonChange) change() reconcile.Change {
	out := reconcile.Change{
		ID: c.ID, Subject: c.Subject, Before: c.Before, After: c.After, Fate: c.Fate, Reason: c.Reason, Note: c.Note,
		Origin: policy.Origin{Pos: policy.Pos{File: c.Origin.File, Line: c.Origin.Line, Column: c.Origin.Column}, Rule: c.Origin.Rule},
	}
	setName(&out.Setting, c.Setting)
	if c.Result != nil {
		out.Result = *c.Result
	}
	return out
}

// setName assigns a word of a type that this package does not import.
func setName[S ~string](to *S, word string) { *to = S(word) }

// rebuilt makes the report of a run of which none was kept, from its row and the
// journal. What the run read is not known, so it is not complete.
func rebuilt(r reconcile.PastRun, changes []reconcile.PastChange) document {
	d := document{
		schema: reconcile.RunSchema,
		header: reconcile.Header{
			Tool: r.Tool, RunID: r.ID, Tenant: r.Tenant, CreatedAt: r.StartedAt,
			Policy: reconcile.PolicyRef{Name: r.PolicyName, Digest: r.PolicyDigest},
		},
		verdict:  reconcile.Verdict(r.Verdict),
		coverage: reconcile.Coverage{Complete: r.Complete, Scope: reconcile.Scope(r.Scope)},
		changes: func(yield func(reconcile.Change) bool) {
			for _, c := range changes {
				if c.ID != "" && !yield(c.Change) {
					return
				}
			}
		},
		unknown: func(func(reconcile.UnknownObject) bool) {},
		applied: &applied{startedAt: r.StartedAt, finishedAt: r.FinishedAt, journalHead: r.JournalHead},
	}
	for _, c := range changes {
		if c.ID != "" {
			d.summary.Changes.Planned++
			continue
		}
		// It is no change of a plan, which has no place for it.
		d.warnings = append(d.warnings, fmt.Sprintf("beside the changes, %s was written: %s", c.Setting, c.Result))
	}
	if !r.Complete {
		d.coverage.Reasons = []string{"of this run no report was kept: it is told as the journal has it, which holds what was written, and not what was read"}
	}
	for _, text := range []string{ended(r), elsewhere(r)} {
		if text != "" {
			d.warnings = append(d.warnings, text)
		}
	}
	return d
}

// ended says that a run did not come to its end.
func ended(r reconcile.PastRun) string {
	if r.Ended {
		return ""
	}
	return "the run did not come to its end, or goes on"
}

// elsewhere says where the journal of a run is, if not here.
func elsewhere(r reconcile.PastRun) string {
	if r.JournalFile == "" || r.Journaled {
		return ""
	}
	return "the journal of this run is in the file " + r.JournalFile
}
