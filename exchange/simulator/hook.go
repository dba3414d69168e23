package simulator

import "encoding/json"

// Moment is a point on the way of a cmdlet through the service.
type Moment string

// The moments of a cmdlet, alone or as an item of a batch.
const (
	// MomentReceived is when a cmdlet has arrived and nothing of it is done.
	MomentReceived Moment = "received"
	// MomentDone is when it was carried out or refused, and nothing of the answer was
	// sent. The Invocation has its status.
	MomentDone Moment = "done"
)

// WithHook calls a function at the moments of every cmdlet, so that a test can do
// something just then, such as end the client. It is called by the goroutine that
// serves the request, from several at once, while the service holds no lock: it may wait,
// look at the tenant, or end the request with panic(http.ErrAbortHandler), which
// breaks the connection off as a service that dies does.
func WithHook(hook func(Moment, Invocation)) Option { return func(s *Service) { s.hook = hook } }

// moment calls the hook, if there is one.
func (s *Service) moment(m Moment, note Invocation, parameters map[string]json.RawMessage) {
	if s.hook != nil {
		note.Parameters = decoded(parameters)
		s.hook(m, note)
	}
}

// decoded gives parameters as a client meant them.
func decoded(parameters map[string]json.RawMessage) map[string]any {
	out := make(map[string]any, len(parameters))
	for name, raw := range parameters {
		var value any
		if json.Unmarshal(raw, &value) == nil {
			out[name] = value
		}
	}
	return out
}
