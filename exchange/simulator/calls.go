package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Call is one HTTP request as it arrived and was answered. The token is not kept.
type Call struct {
	At           time.Time
	Method       string
	Host         string
	Path         string
	Query        string
	Anchor       string // X-AnchorMailbox.
	Header       http.Header
	Cmdlets      []Invocation // One, or one per batch item in the order they were carried out.
	Status       int          // 0 while the request is still being answered, or was abandoned.
	RequestBytes int64        // Content-Length, or -1.
	Bytes        int          // Length of the answer's body before any compression.
}

// Invocation is one cmdlet of a [Call].
type Invocation struct {
	Cmdlet     string // As the client spelled it.
	Parameters map[string]any
	Anchor     string
	Item       string // The id of the batch item, or "".
	Status     int
}

type callLog struct {
	mu       sync.Mutex
	limit    int // Calls kept; 0 is all.
	calls    []*Call
	requests int
	counts   map[string]int // By lower-case cmdlet.
}

func (l *callLog) begin(now time.Time, r *http.Request) *Call {
	header := r.Header.Clone()
	header.Del("Authorization")
	entry := &Call{
		At: now, Method: r.Method, Host: r.Host, Path: r.URL.Path, Query: r.URL.RawQuery,
		Anchor: r.Header.Get("X-AnchorMailbox"), Header: header, RequestBytes: r.ContentLength,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	l.calls = append(l.calls, entry)
	if l.limit > 0 && len(l.calls) >= 2*l.limit {
		l.calls = slices.Clone(l.calls[len(l.calls)-l.limit:])
	}
	return entry
}

func (l *callLog) end(entry *Call, answer reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status, entry.Bytes = answer.status, len(answer.body)
}

// invocation notes a cmdlet and returns how to note its status.
func (l *callLog) invocation(entry *Call, note Invocation, parameters map[string]json.RawMessage) func(status int) {
	note.Parameters = decoded(parameters)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[strings.ToLower(note.Cmdlet)]++
	i := len(entry.Cmdlets)
	entry.Cmdlets = append(entry.Cmdlets, note)
	return func(status int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		entry.Cmdlets[i].Status = status
	}
}

// Calls returns the log of every request so far, oldest first; with [WithCallLimit] of
// the newest ones.
func (s *Service) Calls() []Call {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	kept := s.log.calls
	if limit := s.log.limit; limit > 0 && len(kept) > limit {
		kept = kept[len(kept)-limit:]
	}
	calls := make([]Call, 0, len(kept))
	for _, entry := range kept {
		c := *entry
		c.Header = c.Header.Clone()
		c.Cmdlets = slices.Clone(c.Cmdlets)
		for i := range c.Cmdlets {
			c.Cmdlets[i].Parameters = maps.Clone(c.Cmdlets[i].Parameters)
		}
		calls = append(calls, c)
	}
	return calls
}

// Count returns how often a cmdlet was invoked, pages and batch items included.
func (s *Service) Count(cmdlet string) int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.counts[strings.ToLower(cmdlet)]
}

// Requests returns the number of HTTP requests so far.
func (s *Service) Requests() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.requests
}

// ResetCalls forgets the log.
func (s *Service) ResetCalls() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.requests, s.log.counts = nil, 0, nil
}
