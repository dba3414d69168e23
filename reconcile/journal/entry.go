package journal

import (
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	KindBegin   Kind = "begin"
	KindIntent  Kind = "intent"
	KindOutcome Kind = "outcome"
	KindEnd     Kind = "end"
)

// Subject names the object of a write.
type Subject struct {
	Kind audit.SubjectKind `json:"kind"`
	ID   string            `json:"id"`
	Name string            `json:"name"`
	Type audit.MailboxType `json:"type"`
}

// Inverse says what would undo a write: the value to put back, the elements to
// add and remove, or the lists to write whole. Undoing an Add to a list that
// Microsoft managed means to restore DefaultAuditSet, which is what Setting then
// names; undoing a restore means to write the lists that it replaced.
type Inverse struct {
	Setting audit.Setting              `json:"setting"`
	Value   any                        `json:"value,omitempty"`
	Add     []string                   `json:"add,omitempty"`
	Remove  []string                   `json:"remove,omitempty"`
	Lists   map[audit.Setting][]string `json:"lists,omitempty"`
	// None says why there is no way back; empty where there is one.
	None string `json:"none,omitempty"`
}

// Intent is a write that is about to be made. Change is the id of the change
// in the plan, empty for a write that belongs to none.
type Intent struct {
	Change       string        `json:"change"`
	Subject      Subject       `json:"subject"`
	Setting      audit.Setting `json:"setting"`
	Before       any           `json:"before"`
	After        any           `json:"after"`
	Inverse      Inverse       `json:"inverse"`
	PolicyDigest string        `json:"policyDigest"`
	// Origin is the place in the policy that asks for the write, file:line:col.
	Origin string `json:"origin"`
}

// Outcome is what became of a write: the plan's result, and the service's own
// words where it had any.
type Outcome struct {
	Change  string        `json:"change"`
	Subject Subject       `json:"subject"`
	Setting audit.Setting `json:"setting"`
	Result  string        `json:"result"`
	Note    string        `json:"note,omitempty"`
	// Of is the run whose intent this closes, where a later run found it open and
	// looked at the tenant; empty where it is the entry's own run.
	Of string `json:"of,omitempty"`
}

// Begin opens a run: who wrote to what, under which policy, and which guards a
// person raised for it, with the reason.
type Begin struct {
	Tool         string   `json:"tool"`
	Tenant       string   `json:"tenant"`
	PolicyName   string   `json:"policyName"`
	PolicyDigest string   `json:"policyDigest"`
	Raised       []Raised `json:"raised"`
	// Undoes is the run that this one takes back; empty for every other run.
	Undoes string `json:"undoes,omitempty"`
}

// Raised is a guard that a person raised for one run.
type Raised struct {
	Guard  string  `json:"guard"`
	Limit  float64 `json:"limit"`
	Reason string  `json:"reason"`
}

// Entry is one record of the journal. Exactly one of the pointers is set, that
// of its kind; an end entry has none.
type Entry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Run     string    `json:"run"`
	Kind    Kind      `json:"kind"`
	Begin   *Begin    `json:"begin,omitempty"`
	Intent  *Intent   `json:"intent,omitempty"`
	Outcome *Outcome  `json:"outcome,omitempty"`
}
