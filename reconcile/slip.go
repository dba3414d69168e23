package reconcile

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// clockTolerance is how far a saved plan may lie in the future: machines that
// plan and machines that apply have different clocks.
const clockTolerance = 5 * time.Minute

// Slip is a saved plan, as what it is good for: a permission slip, not a
// script. It can only hold back changes of a fresh plan, never add one or
// alter a value, so a poisoned plan can write nothing that the policy does not
// ask for.
type Slip struct {
	schema, tenant, digest string
	createdAt              time.Time
	allowed                map[string]valueKey
}

// valueKey stands for the value after a change.
type valueKey [16]byte

// SlipError says why a saved plan permits nothing.
type SlipError struct{ Why string }

func (e *SlipError) Error() string { return "the saved plan cannot be used: " + e.Why }

// ReadSlip reads a saved plan. One that is not a plan is a *SlipError.
func ReadSlip(r io.Reader) (*Slip, error) {
	s := &Slip{allowed: map[string]valueKey{}}
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, &SlipError{"it is not a JSON object"}
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, &SlipError{"its JSON breaks off: " + err.Error()}
		}
		if err := s.member(dec, key); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, &SlipError{"its JSON breaks off: " + err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &SlipError{"something follows the plan"}
	}
	return s, nil
}

// member reads one member of the plan; those that it does not need are read
// over.
func (s *Slip) member(dec *json.Decoder, key json.Token) error {
	var policyRef PolicyRef
	var skipped json.RawMessage
	var into any
	switch key {
	case "schema":
		into = &s.schema
	case "tenant":
		into = &s.tenant
	case "createdAt":
		into = &s.createdAt
	case "policy":
		into = &policyRef
	case "changes":
		return s.changes(dec)
	default:
		into = &skipped
	}
	if err := dec.Decode(into); err != nil {
		return &SlipError{fmt.Sprintf("%v is not readable: %v", key, err)}
	}
	if policyRef.Digest != "" {
		s.digest = policyRef.Digest
	}
	return nil
}

// changes reads the planned changes, one by one.
func (s *Slip) changes(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return &SlipError{"changes is not a list"}
	}
	for dec.More() {
		var c struct {
			ID    string          `json:"id"`
			Fate  Fate            `json:"fate"`
			After json.RawMessage `json:"after"`
		}
		if err := dec.Decode(&c); err != nil {
			return &SlipError{"a change is not readable: " + err.Error()}
		}
		if c.Fate != FatePlanned {
			continue
		}
		after, err := decodeValue(c.After)
		if err != nil {
			return &SlipError{fmt.Sprintf("change %q: %v", c.ID, err)}
		}
		s.allowed[c.ID] = keyOf(after)
	}
	if _, err := dec.Token(); err != nil {
		return &SlipError{"its JSON breaks off: " + err.Error()}
	}
	return nil
}

// decodeValue reads the value of a change: a boolean, a time span, or a list.
func decodeValue(raw json.RawMessage) (any, error) {
	var list []string
	var flag bool
	var text string
	switch {
	case json.Unmarshal(raw, &flag) == nil && string(raw) != "null":
		return flag, nil
	case json.Unmarshal(raw, &list) == nil && list != nil:
		return list, nil
	case json.Unmarshal(raw, &text) == nil && string(raw) != "null":
		return text, nil
	}
	return nil, errors.New("after is no value of a change")
}

// keyOf is equal for equal values; lists are compared as sets, regardless of
// case, as the service does.
func keyOf(v any) valueKey {
	if list, ok := v.([]string); ok {
		v = "list:" + audit.SetOf(list).String()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%T:%v", v, v))
	return valueKey(sum[:16])
}

// Admit tells whether the slip may be used for a tenant and a policy now. All
// refusals are *SlipError.
func (s *Slip) Admit(tenant, policyDigest string, now time.Time, maxAge time.Duration) error {
	age := now.Sub(s.createdAt)
	switch {
	case s.schema != PlanSchema:
		return &SlipError{fmt.Sprintf("its schema is %q, and this version reads %q", s.schema, PlanSchema)}
	case s.tenant != tenant:
		return &SlipError{"it was made for another tenant"}
	case s.digest != policyDigest:
		return &SlipError{"it was made from another policy; plan again"}
	case age > maxAge:
		return &SlipError{fmt.Sprintf("it is %s old, and the limit is %s; plan again", age.Round(time.Second), maxAge)}
	case age < -clockTolerance:
		return &SlipError{"it was made in the future; compare the clocks of the two machines"}
	}
	return nil
}

// holds tells why a change must wait for another plan; empty where the slip
// permits it.
func (s *Slip) holds(c Change) string {
	if s == nil {
		return ""
	}
	after, ok := s.allowed[c.ID]
	switch {
	case !ok:
		return "not in the saved plan"
	case after != keyOf(c.After):
		return "the saved plan has another value for it"
	}
	return ""
}
