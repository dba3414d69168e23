package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/exoaudit/exoaudit/reconcile"
)

// writeRow writes a row of the service as it came, with where it came from. Its digest
// is that of the bytes of the answer: the row is written as JSON is written here, which
// means the same.
func (m *making) writeRow(r *reconcile.RawRow, cmdlet string) func(io.Writer) error {
	return func(w io.Writer) error {
		return writeObject(w, func(j *jsonFile) {
			m.head(j)
			j.field("cmdlet", cmdlet)
			j.field("read", r != nil)
			if r == nil {
				j.field("why", "it was not read, or the answer was not whole; the warnings and the coverage of report.json say more")
				return
			}
			sum := sha256.Sum256(r.Row)
			j.field("readAt", stamp(r.ReadAt))
			j.field("requestId", r.RequestID)
			j.field("clientRequestId", r.ClientRequestID)
			j.field("rowSha256", hex.EncodeToString(sum[:]))
			j.field("row", r.Row)
		})
	}
}

// mailbox is one line of observed/mailboxes.ndjson.
type mailbox struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Type    string          `json:"type"`
	State   reconcile.State `json:"state"`
	Profile int             `json:"profile"`
	// StoredNotTrue is there only where it is so.
	StoredNotTrue bool   `json:"storedAuditEnabledNotTrue,omitempty"`
	Unknown       string `json:"unknown,omitempty"`
}

// writeMailboxes writes a line for each mailbox that was read.
func (m *making) writeMailboxes(w io.Writer) error {
	for o := range m.Plan.ObservedMailboxes() {
		line := mailbox{
			ID: o.Subject.ID, Name: o.Subject.Name, Type: string(o.Subject.Type), State: o.State,
			Profile: o.Profile, StoredNotTrue: o.StoredNotTrue, Unknown: o.Unknown,
		}
		if err := writeLine(w, line); err != nil {
			return err
		}
	}
	return nil
}

// writeProfiles writes every combination of values that mailboxes showed.
func (m *making) writeProfiles(w io.Writer) error {
	return writeObject(w, func(j *jsonFile) {
		m.head(j)
		j.field("mailboxesRead", m.Plan.Coverage.Mailboxes.Read)
		j.list("profiles", func(element func(any) bool) {
			for _, p := range m.Plan.ObservedProfiles() {
				if !element(p) {
					return
				}
			}
		})
	})
}

// bypassed is an account that bypasses recording, or of which it is not known.
type bypassed struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Bypassed any            `json:"auditBypassEnabled"`
	Fate     reconcile.Fate `json:"fate"`
	Reason   string         `json:"reason"`
}

// writeBypass writes the accounts that bypass recording: the others are counted.
func (m *making) writeBypass(w io.Writer) error {
	c := m.Plan.Coverage.Bypass
	return writeObject(w, func(j *jsonFile) {
		m.head(j)
		j.field("asked", m.Policy.Bypass != nil)
		j.field("read", c.Read)
		j.field("readAt", stamp(c.ReadAt))
		j.field("unknownSystem", c.UnknownSystem)
		j.list("accounts", func(element func(any) bool) {
			for ch := range m.Plan.Changes() {
				if string(ch.Subject.Kind) == kindBypass && !element(bypassed{ch.Subject.ID, ch.Subject.Name, ch.Before, ch.Fate, ch.Reason}) {
					return
				}
			}
			for u := range m.Plan.Unknown() {
				if string(u.Subject.Kind) == kindBypass && !element(bypassed{u.Subject.ID, u.Subject.Name, nil, "", u.Reason}) {
					return
				}
			}
		})
	})
}

// kindBypass is the kind of the rows of the bypass listing (design section 6).
const kindBypass = "bypass"

// writeRetention writes the retention policies that were read.
func (m *making) writeRetention(w io.Writer) error {
	return writeObject(w, func(j *jsonFile) {
		m.head(j)
		j.list("policies", func(element func(any) bool) {
			for _, r := range m.Plan.Observed().Retention {
				if !element(r) {
					return
				}
			}
		})
	})
}
