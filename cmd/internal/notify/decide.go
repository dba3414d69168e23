package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// StateSchema names the JSON form of a [State].
const StateSchema = "exoaudit/notify-state/v1"

// reminder is how often an event repeats while nothing gets better.
const reminder = 24 * time.Hour

// maxContested bounds the contested changes that are remembered by id; past it
// their number alone tells whether there are new ones.
const maxContested = 1000

// State is what was last told of a tenant. The zero State is that of a tenant of
// which nothing was.
type State struct {
	Verdict  string `json:"verdict"`
	Drifting int    `json:"drifting"`
	// Changes stands for which changes drift, as [Outcome.Drift].
	Changes string `json:"changes,omitempty"`
	// Owed is what people last heard, where what was told after that reached nobody.
	Owed *Owed `json:"owed,omitempty"`
	// Since is when the verdict became what it is, Told when people last heard of it.
	Since time.Time `json:"since,omitzero"`
	Told  time.Time `json:"told,omitzero"`
	// Failing is since when runs end without a report, zero where they do not, and
	// FailureTold when people last heard of that.
	Failing     time.Time `json:"failing,omitzero"`
	FailureTold time.Time `json:"failureTold,omitzero"`
	// Contested are the ids of the changes that were told as contested, sorted, and
	// ContestedCount is their number also where there are too many to name.
	Contested      []string `json:"contested,omitempty"`
	ContestedCount int      `json:"contestedCount"`
}

// Owed is how a tenant stood when somebody last heard of it.
type Owed struct {
	Verdict  string `json:"verdict"`
	Drifting int    `json:"drifting"`
}

// sealedState is a State as it is kept.
type sealedState struct {
	Schema string `json:"schema"`
	State
}

// Encode gives the state as it is kept between processes.
func (s State) Encode() ([]byte, error) {
	return json.Marshal(sealedState{Schema: StateSchema, State: s})
}

// DecodeState reads what [State.Encode] gave; no bytes are the zero State.
func DecodeState(data []byte) (State, error) {
	if len(data) == 0 {
		return State{}, nil
	}
	var s sealedState
	if err := json.Unmarshal(data, &s); err != nil {
		return State{}, fmt.Errorf("what was last told of the tenant cannot be read: %w", err)
	}
	if s.Schema != StateSchema {
		return State{}, errors.New("what was last told of the tenant was kept by another version of this program")
	}
	return s.State, nil
}

// The verdicts of package reconcile, as texts, that are looked for here.
const (
	verdictInLine = "inLine"
	verdictNone   = "noReport" // of a run that ended without one
)

// Decide says what is to be told of a run, given what was told before, and what
// has then been told. It is a function of its arguments. Events come in the order in
// which they are to be sent.
func Decide(prev State, o Outcome) (State, []Event) {
	if o.Failed != "" {
		return decideFailure(prev, o)
	}
	var events []Event
	if o.Wrote {
		events = append(events, o.event(EventAfterApply))
	}
	if o.Partial {
		return prev, events
	}
	next := prev
	if e, ok := next.standing(o); ok {
		events = append(events, e)
	}
	if e, ok := next.contested(o); ok {
		events = append(events, e)
	}
	if o.Complete {
		events = append(events, o.event(EventHeartbeat))
	}
	return next, events
}

// decideFailure is Decide for a run without a report. How the tenant stands is then
// as it was last seen.
func decideFailure(prev State, o Outcome) (State, []Event) {
	next := prev
	if prev.Failing.IsZero() {
		next.Failing = o.At
	} else if !due(prev.FailureTold, o.At) {
		return next, nil
	}
	next.FailureTold = o.At
	e := o.event(EventRunFailed)
	e.VerdictBefore, e.DriftingBefore, e.Since = prev.Verdict, prev.Drifting, &next.Failing
	e.Reasons = []string{o.Failed}
	return next, []Event{e}
}

// standing moves on to how the tenant stands now, and tells of it where that is
// another thing than before, or another day.
func (s *State) standing(o Outcome) (Event, bool) {
	prev := *s
	recovered, owed := !prev.Failing.IsZero(), prev.Owed
	s.Failing, s.FailureTold, s.Owed = time.Time{}, time.Time{}, nil
	s.Drifting, s.Changes = o.Counts.Drifting, o.Drift
	if prev.Verdict != o.Verdict {
		s.Verdict, s.Since = o.Verdict, o.At
	}
	// A state of an earlier version does not say which changes it was about.
	others := prev.Drifting == s.Drifting && prev.Changes != s.Changes && prev.Changes != ""
	kind := EventStateChanged
	switch {
	case prev.Verdict == "" && !recovered && owed == nil && o.Verdict == verdictInLine:
		return Event{}, false
	case prev.Verdict != o.Verdict, prev.Drifting != s.Drifting, others, recovered, owed != nil:
	case o.Verdict != verdictInLine && due(prev.Told, o.At):
		kind = EventStillDrifting
	default:
		return Event{}, false
	}
	s.Told = o.At
	e := o.event(kind)
	e.VerdictBefore, e.DriftingBefore, e.others = prev.Verdict, prev.Drifting, others
	switch {
	case recovered:
		e.VerdictBefore = verdictNone
	case owed != nil:
		e.VerdictBefore, e.DriftingBefore = owed.Verdict, owed.Drifting
	}
	e.Since = new(s.Since)
	e.Text = e.line()
	return e, true
}

// owe takes back that an event was told: it reached nobody, so that the next run is to
// tell of what it still finds.
func (s *State) owe(e Event) {
	switch {
	case standing(e.Kind) && s.Owed == nil:
		s.Owed = &Owed{Verdict: e.VerdictBefore, Drifting: e.DriftingBefore}
	case e.Kind == EventRunFailed:
		s.FailureTold = time.Time{}
	case e.Kind == EventContested:
		s.Contested, s.ContestedCount = nil, 0
	}
}

// contested moves on to what is contested now, and tells of what was not.
func (s *State) contested(o Outcome) (Event, bool) {
	prev := *s
	s.ContestedCount, s.Contested = len(o.Contested), nil
	if len(o.Contested) <= maxContested {
		s.Contested = o.Contested
	}
	news := slices.ContainsFunc(o.Contested, func(id string) bool {
		_, known := slices.BinarySearch(prev.Contested, id)
		return !known
	})
	if s.ContestedCount > maxContested || prev.ContestedCount > maxContested {
		news = s.ContestedCount > prev.ContestedCount
	}
	if !news {
		return Event{}, false
	}
	return o.event(EventContested), true
}

// due tells whether a day has passed since people last heard. A time that is yet to
// come is that of a clock that was set back.
func due(told, now time.Time) bool {
	return told.After(now) || now.Sub(told) >= reminder
}

// event gives an event of a kind about the run.
func (o Outcome) event(kind EventKind) Event {
	e := Event{
		Schema: EventSchema, ID: idOf(o.Tenant, o.RunID, kind), Kind: kind, At: o.At,
		Tenant: o.Tenant, RunID: o.RunID, Command: o.Command, ApplicationID: o.ApplicationID,
		Policy: o.Policy, PolicyDigest: o.PolicyDigest, Verdict: o.Verdict, Counts: o.Counts,
		Changes: o.Changes, Reasons: o.Reasons, ReasonsLeftOut: o.ReasonsLeftOut,
		Objects: o.Objects, ObjectsLeftOut: o.ObjectsLeftOut,
	}
	return e.whole()
}

// whole puts lists where there are none, and the line that says it all.
func (e Event) whole() Event {
	e.Changes, e.Reasons, e.Objects = slices.Concat([]ChangeCount{}, e.Changes), slices.Concat([]string{}, e.Reasons), slices.Concat([]Object{}, e.Objects)
	e.Text = e.line()
	return e
}

// equal tells whether two states say the same.
func (s State) equal(o State) bool {
	owed := (s.Owed == nil) == (o.Owed == nil) && (s.Owed == nil || *s.Owed == *o.Owed)
	return owed && s.Verdict == o.Verdict && s.Drifting == o.Drifting && s.Changes == o.Changes && s.Since.Equal(o.Since) && s.Told.Equal(o.Told) &&
		s.Failing.Equal(o.Failing) && s.FailureTold.Equal(o.FailureTold) &&
		s.ContestedCount == o.ContestedCount && slices.Equal(s.Contested, o.Contested)
}
