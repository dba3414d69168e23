package evidence

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// writeControls writes one object for each control: what was required, what was
// observed, and the verdict. What the policy asks for without naming a control is the
// last, and its id is empty.
func (m *making) writeControls(w io.Writer) error {
	return writeObject(w, func(j *jsonFile) {
		m.head(j)
		j.name("controls")
		j.raw("[")
		for i, c := range m.controls {
			if i > 0 {
				j.raw(",")
			}
			j.raw("\n{")
			in := &jsonFile{w: w, err: j.err}
			m.control(in, c)
			j.err = in.err
			j.raw("\n}")
		}
		j.raw("\n]")
	})
}

// head begins a file with the run that it is of, and says first of all where the run
// was not complete.
func (m *making) head(j *jsonFile) {
	j.field("schema", Schema)
	j.field("runId", m.manifest.RunID)
	j.field("tenant", m.manifest.Tenant)
	j.field("createdAt", m.manifest.CreatedAt)
	j.field("runVerdict", m.manifest.Verdict)
	j.field("runComplete", m.manifest.Complete)
}

// requirement is one part of the policy, and its values in a line of text.
type requirement struct {
	Text string `json:"text"`
	reconcile.PolicyPart
}

// observation is what was found of a control, in numbers. The states of the objects
// are those under the whole policy: one may drift for the sake of another control.
type observation struct {
	States   any   `json:"objects"`
	Differs  int   `json:"differs"`
	Accepted int   `json:"accepted"`
	Unknown  int   `json:"unknown"`
	Profiles []int `json:"profiles"`
}

// finding is one difference that concerns a control.
type finding struct {
	ID       string            `json:"id"`
	Subject  reconcile.Subject `json:"subject"`
	Setting  string            `json:"setting"`
	Before   any               `json:"before"`
	After    any               `json:"after"`
	Add      []string          `json:"add"`
	Remove   []string          `json:"remove"`
	Fate     reconcile.Fate    `json:"fate"`
	Severity string            `json:"severity"`
	Reason   string            `json:"reason"`
	Place    string            `json:"place"`
}

// exemption is an entry of the policy that lets something of a control be.
type exemption struct {
	Kind    reconcile.PartKind `json:"kind"`
	Name    string             `json:"name"`
	Reason  string             `json:"reason"`
	Owner   string             `json:"owner"`
	Expires string             `json:"expires"`
	Place   string             `json:"place"`
}

func (m *making) control(j *jsonFile, c reconcile.ControlStanding) {
	j.field("id", c.ID)
	j.field("verdict", c.Verdict)
	j.field("why", notNil(c.Why))
	j.field("idleRules", notNil(c.Idle))
	required := make([]requirement, len(c.Required))
	for i, part := range c.Required {
		required[i] = requirement{requirementText(part), part}
	}
	j.field("required", required)
	j.field("observed", observation{
		States: c.States, Differs: c.Differs, Accepted: c.Accepted, Unknown: c.Unknown, Profiles: notNil(c.Profiles),
	})
	j.field("exemptions", m.exemptionsAt(c.Acceptances))
	j.list("findings", func(element func(any) bool) {
		if c.Differs+c.Accepted == 0 {
			return
		}
		for ch := range m.Plan.ControlChanges(c.ID) {
			if !element(findingOf(ch)) {
				return
			}
		}
	})
}

func findingOf(c reconcile.Change) finding {
	f := finding{
		ID: c.ID, Subject: c.Subject, Setting: string(c.Setting), Before: c.Before, After: c.After, Add: notNil(c.Add), Remove: notNil(c.Remove),
		Fate: c.Fate, Severity: c.Severity.String(), Reason: c.Reason, Place: c.Origin.Pos.String(),
	}
	return f
}

// exemptionsAt finds entries by their places.
func (m *making) exemptionsAt(places []policy.Pos) []exemption {
	out := []exemption{}
	for _, at := range places {
		for _, a := range m.acceptances {
			if a.Place == at {
				out = append(out, exemption{
					Kind: a.Kind, Name: a.Name, Reason: a.Reason, Owner: a.Owner, Expires: a.Expires.Format(time.DateOnly), Place: at.String(),
				})
			}
		}
	}
	return out
}

// requirementText says in a line what a part of the policy asks for.
func requirementText(p reconcile.PolicyPart) string {
	var b strings.Builder
	b.WriteString(string(p.Kind))
	if p.Name != "" {
		b.WriteString(" " + p.Name)
	}
	if len(p.Types) > 0 {
		b.WriteString(" for " + strings.Join(p.Types, ", "))
	}
	if p.Where != "" {
		b.WriteString(" where " + p.Where)
	}
	if p.Kind == reconcile.PartBypass {
		b.WriteString(": no account may bypass recording but those allowed")
	}
	for i, v := range p.Values {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + v.Key + " " + valueText(v.Value))
	}
	return b.String()
}

func valueText(v any) string {
	if list, ok := v.([]string); ok {
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// accepting is an entry of exemptions.json.
type accepting struct {
	exemption
	InForce bool `json:"inForce"`
	// Accepted is the number of differences that it lets be in this run.
	Accepted int                   `json:"accepted"`
	Where    string                `json:"where"`
	Accepts  []reconcile.PartValue `json:"accepts"`
}

// writeExemptions writes every exemption and allow entry of the policy, those that
// have expired too.
func (m *making) writeExemptions(w io.Writer) error {
	parts := map[reconcile.Place]reconcile.PolicyPart{}
	for _, part := range reconcile.Describe(m.Policy).Parts {
		if part.Kind == reconcile.PartAllow || part.Kind == reconcile.PartExemption {
			parts[part.Place] = part
		}
	}
	return writeObject(w, func(j *jsonFile) {
		m.head(j)
		j.list("entries", func(element func(any) bool) {
			for _, a := range m.acceptances {
				part := parts[reconcile.Place{File: a.Place.File, Line: a.Place.Line, Column: a.Place.Column}]
				e := accepting{
					exemption: m.exemptionsAt([]policy.Pos{a.Place})[0], InForce: !a.Expired, Accepted: a.Accepted,
					Where: part.Where, Accepts: notNil(part.Values),
				}
				if !element(e) {
					return
				}
			}
		})
	})
}

// notNil gives a list that JSON shows as one.
func notNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
