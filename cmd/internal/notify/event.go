package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// EventSchema names the JSON form of an [Event]; it changes only by adding.
const EventSchema = "exoaudit/event/v1"

// EventKind says what an event tells.
type EventKind string

// The kinds of events.
const (
	// EventBeforeApply is sent before a run writes: what it will change, and as
	// which application, so that a SOC can tell these writes from others.
	EventBeforeApply EventKind = "beforeApply"
	// EventAfterApply is sent when a run that was announced has ended.
	EventAfterApply EventKind = "afterApply"
	// EventStateChanged is sent when the verdict is another than that of the run
	// before, or when more, fewer or other changes drift.
	EventStateChanged EventKind = "stateChanged"
	// EventStillDrifting is sent once a day while the verdict stays what it is and is
	// not inLine.
	EventStillDrifting EventKind = "stillDrifting"
	// EventRunFailed is sent when a run ends without a report, and once a day while
	// runs do.
	EventRunFailed EventKind = "runFailed"
	// EventContested is sent when something else undoes what this tool fixes.
	EventContested EventKind = "contested"
	// EventHeartbeat goes to heartbeats alone, after a run that saw the whole of what
	// it was to look at, that no guard refused, and of which all is kept.
	EventHeartbeat EventKind = "heartbeat"
)

// EventKinds lists the kinds.
func EventKinds() []EventKind {
	return []EventKind{
		EventBeforeApply, EventAfterApply, EventStateChanged, EventStillDrifting, EventRunFailed, EventContested, EventHeartbeat,
	}
}

// The most that an event holds of what a tenant may have very many of.
const (
	maxReasons    = 10
	maxObjects    = 20
	maxReasonText = 300
	maxNameText   = 120
)

// Event is one thing to tell, in the form in which a webhook gets it. Names and
// reasons hold text that people in the tenant chose.
type Event struct {
	Schema string `json:"schema"`
	// ID is the same however often the event is sent.
	ID   string    `json:"id"`
	Kind EventKind `json:"kind"`
	At   time.Time `json:"at"`
	// Text says it in one line of plain words, without any name of an object.
	Text   string `json:"text"`
	Tenant string `json:"tenant"`
	RunID  string `json:"runId"`
	// Command is what ran: apply, or a loop of serve such as serve/full.
	Command string `json:"command"`
	// ApplicationID is the application (client) id that the run acts as; empty where
	// it is not known.
	ApplicationID string `json:"applicationId"`
	// Policy and PolicyDigest name the policy; empty where a run failed early.
	Policy       string `json:"policy"`
	PolicyDigest string `json:"policyDigest"`
	// Verdict is how the tenant stands, empty for a run without a report, and
	// VerdictBefore how it stood, empty where that is not known. Since is when the
	// verdict became what it is.
	Verdict       string     `json:"verdict"`
	VerdictBefore string     `json:"verdictBefore"`
	Since         *time.Time `json:"since,omitempty"`
	Counts        Counts     `json:"counts"`
	// DriftingBefore is Counts.Drifting of the run before.
	DriftingBefore int `json:"driftingBefore"`
	// Changes counts the changes that the event is about by kind and setting.
	Changes []ChangeCount `json:"changes"`
	// Reasons are the first ten, ReasonsLeftOut counts the others.
	Reasons        []string `json:"reasons"`
	ReasonsLeftOut int      `json:"reasonsLeftOut"`
	// Objects are the first twenty objects that Changes is about, ObjectsLeftOut
	// counts the others.
	Objects        []Object `json:"objects"`
	ObjectsLeftOut int      `json:"objectsLeftOut"`
	// others tells that as many changes drift as before, but not the same ones.
	others bool
}

// Counts are numbers of changes; Unknown is that of objects which could not be
// judged.
type Counts struct {
	Planned     int `json:"planned"`
	Blocked     int `json:"blocked"`
	Unsupported int `json:"unsupported"`
	Exempt      int `json:"exempt"`
	Unknown     int `json:"unknown"`
	// Drifting are the changes that count as drift, or are left as such after an
	// apply.
	Drifting  int `json:"drifting"`
	Contested int `json:"contested"`
	// Results counts planned changes by what became of them; absent before an apply.
	Results map[string]int `json:"results,omitempty"`
}

// ChangeCount counts the changes of one setting of one kind of object.
type ChangeCount struct {
	Kind    string `json:"kind"`
	Setting string `json:"setting"`
	Count   int    `json:"count"`
}

// Object names an object of the tenant. The name is no key.
type Object struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// idOf makes the id of an event: a run tells each kind of thing once.
func idOf(tenant, run string, kind EventKind) string {
	sum := sha256.Sum256([]byte(tenant + "\x1e" + run + "\x1e" + string(kind)))
	return hex.EncodeToString(sum[:16])
}
