package reconcile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

var (
	errNoLogon = errors.New("it names a logon type that this version does not know")
	errNoCase  = errors.New("a mailbox is of a case that is not there")
)

func (m *Memory) packSweep(p *packer) {
	p.number(m.measure)
	p.flag(m.sweep != nil)
	if m.sweep == nil {
		return
	}
	s := m.sweep
	p.text(s.runID)
	p.moment(s.at)
	p.text(s.digest)
	p.text(s.tool)
	p.text(s.groups)
	p.number(s.ordinary)
	p.number(s.read)
	p.guids(s.known)
	p.flag(s.open != nil)
	if s.open != nil {
		p.carried(s.open)
	}
}

func (m *Memory) unpackSweep(u *unpacker) {
	m.measure = u.number()
	if !u.flag() {
		return
	}
	s := &sweep{runID: u.text(), at: u.moment(), digest: u.text(), tool: u.text(), groups: u.text(), ordinary: u.number(), read: u.number(), known: u.guids()}
	if u.flag() {
		s.open = u.carried()
	}
	m.sweep = s
}

// keptFindings are the parts of open findings that are few, as JSON.
type keptFindings struct {
	Cases   []keptCase      `json:"cases"`
	Tenant  []keptChange    `json:"tenant"`
	Unknown []UnknownObject `json:"unknown"`
}

type keptCase struct {
	Kind    audit.MailboxType `json:"kind"`
	Listing uint8             `json:"listing"`
	State   State             `json:"state"`
	Changes []keptChange      `json:"changes"`
	Unknown []UnknownObject   `json:"unknown"`
}

// keptChange is a change as it is kept. Its id follows from the rest.
type keptChange struct {
	Subject  Subject         `json:"subject"`
	Setting  audit.Setting   `json:"setting"`
	Before   json.RawMessage `json:"before"`
	After    json.RawMessage `json:"after"`
	Add      []string        `json:"add"`
	Remove   []string        `json:"remove"`
	Fate     Fate            `json:"fate"`
	Reason   string          `json:"reason"`
	Severity string          `json:"severity"`
	Weakens  bool            `json:"weakens"`
	Pins     bool            `json:"pins"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Column   int             `json:"column"`
	Rule     string          `json:"rule"`
	Controls []string        `json:"controls"`
}

// carried writes open findings: what is few as JSON, the mailboxes packed.
func (p *packer) carried(c *carried) {
	kept := keptFindings{Unknown: c.unknown}
	for _, k := range c.cases {
		kept.Cases = append(kept.Cases, keptCase{
			Kind: k.kind, Listing: uint8(k.listing), State: k.state, Changes: p.changes(k.changes), Unknown: k.unknown,
		})
	}
	kept.Tenant = p.changes(c.tenant)
	text, err := json.Marshal(kept)
	if err != nil {
		p.err = errors.Join(p.err, err)
	}
	p.text(string(text))
	p.number(len(c.records))
	for _, r := range c.records {
		p.b = append(p.b, r.id[:]...)
		p.text(r.name)
		p.number(int(r.kase))
	}
}

func (p *packer) changes(list []Change) []keptChange {
	out := make([]keptChange, len(list))
	for i, c := range list {
		before, errBefore := json.Marshal(c.Before)
		after, errAfter := json.Marshal(c.After)
		p.err = errors.Join(p.err, errBefore, errAfter)
		out[i] = keptChange{
			Subject: c.Subject, Setting: c.Setting, Before: before, After: after, Add: c.Add, Remove: c.Remove,
			Fate: c.Fate, Reason: c.Reason, Severity: c.Severity.String(), Weakens: c.Weakens, Pins: c.Pins,
			File: c.Origin.File, Line: c.Origin.Line, Column: c.Origin.Column, Rule: c.Origin.Rule, Controls: c.Controls,
		}
	}
	return out
}

func (u *unpacker) carried() *carried {
	var kept keptFindings
	text := u.text()
	if u.err != nil {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		u.fail(err)
		return nil
	}
	c := &carried{tenant: u.changes(kept.Tenant), unknown: kept.Unknown}
	for _, k := range kept.Cases {
		c.cases = append(c.cases, carriedCase{
			finding: finding{state: k.State, changes: u.changes(k.Changes), unknown: k.Unknown},
			kind:    k.Kind, listing: exchange.Listing(k.Listing),
		})
	}
	n := u.length(len(guid{}) + 2)
	c.records = make([]record, n)
	for i := range c.records {
		r := &c.records[i]
		copy(r.id[:], u.bytes(len(r.id)))
		r.name = u.text()
		kase := u.number()
		if u.err == nil && kase >= len(c.cases) {
			u.fail(errNoCase)
		}
		r.kase = int32(kase) //nolint:gosec // Below the number of cases.
	}
	return c
}

func (u *unpacker) changes(list []keptChange) []Change {
	var out []Change
	for _, k := range list {
		c := Change{
			Subject: k.Subject, Setting: k.Setting, Before: u.value(k.Before), After: u.value(k.After), Add: k.Add, Remove: k.Remove,
			Fate: k.Fate, Reason: k.Reason, Weakens: k.Weakens, Pins: k.Pins, Controls: k.Controls,
		}
		var known bool
		if c.Severity, known = audit.ParseSeverity(k.Severity); !known {
			u.fail(fmt.Errorf("%q is no severity", k.Severity))
		}
		if fateOrder(c.Fate) < 0 {
			u.fail(fmt.Errorf("%q is no fate", c.Fate))
		}
		c.Origin = policy.Origin{Pos: policy.Pos{File: k.File, Line: k.Line, Column: k.Column}, Rule: k.Rule}
		c.normalise()
		if c.Subject.Kind != "" {
			c = c.of(c.Subject)
		}
		out = append(out, c)
	}
	return out
}

// value reads the value of a change; null is that of what is not there.
func (u *unpacker) value(raw json.RawMessage) any {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	v, err := decodeValue(raw)
	if err != nil {
		u.fail(err)
	}
	return v
}
