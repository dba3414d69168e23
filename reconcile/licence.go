package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
)

// noteLicence keeps for the report that the service wants a licence for an action
// of a mailbox: once for all of them, and not only one by one.
func (e *engine) noteLicence(j *job) {
	action := unlicensedAction(j.editErr)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.unlicensed == nil {
		e.unlicensed = map[string]map[int]bool{}
	}
	if e.unlicensed[action] == nil {
		e.unlicensed[action] = map[int]bool{}
	}
	e.unlicensed[action][j.record] = true
}

// unlicensedAction is the action that the service names where it wants a licence
// (semantics 1.3 E4), or in other words an action that it does not name.
func unlicensedAction(err error) string {
	refusal, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return "an action"
	}
	_, rest, _ := strings.Cut(refusal.Message, "Auditing of ")
	action, _, found := strings.Cut(rest, " event is only available")
	if !found || action == "" || strings.ContainsAny(action, " \t\r\n") {
		return "an action"
	}
	return action
}

// licences says how many mailboxes want a licence, by action.
func (e *engine) licences() []string {
	var out []string
	for _, action := range slices.Sorted(maps.Keys(e.unlicensed)) {
		needs, n := "need", len(e.unlicensed[action])
		if n == 1 {
			needs = "needs"
		}
		out = append(out, fmt.Sprintf("%s %s a licence for %s: their lists were left as they are", countedMailboxes(n), needs, action))
	}
	return out
}
