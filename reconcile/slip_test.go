package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const savedPlan = `{"schema": "exoaudit/plan/v1", "tool": "x", "tenant": "t", "createdAt": "2026-11-23T08:00:00Z",
"policy": {"name": "p", "digest": "sha256:d"}, "coverage": {"complete": true, "reasons": []},
"changes": [
 {"id": "a", "fate": "planned", "after": ["Move", "update"]},
 {"id": "b", "fate": "planned", "after": true},
 {"id": "c", "fate": "planned", "after": "180.00:00:00"},
 {"id": "d", "fate": "blocked", "after": true}], "unknown": [], "warnings": []}`

func TestSlipPermits(t *testing.T) {
	s, err := ReadSlip(strings.NewReader(savedPlan))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change Change
		held   bool
	}{
		{Change{ID: "a", After: []string{"Move", "Update"}}, false},
		{Change{ID: "a", After: []string{"Move"}}, true},
		{Change{ID: "a", After: "Move, Update"}, true},
		{Change{ID: "b", After: true}, false},
		{Change{ID: "b", After: false}, true},
		{Change{ID: "b", After: "true"}, true},
		{Change{ID: "c", After: "180.00:00:00"}, false},
		{Change{ID: "c", After: "1.00:00:00"}, true},
		{Change{ID: "d", After: true}, true},
		{Change{ID: "e", After: true}, true},
	} {
		if why := s.holds(c.change); (why != "") != c.held {
			t.Errorf("%+v: held %q", c.change, why)
		}
	}
	if why := (*Slip)(nil).holds(Change{ID: "z"}); why != "" {
		t.Errorf("without a slip a change is held: %s", why)
	}
}

func TestSlipAdmit(t *testing.T) {
	made := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		edit           string
		tenant, digest string
		now            time.Time
		ok             bool
	}{
		"good":              {"", "t", "sha256:d", made.Add(time.Hour), true},
		"another tenant":    {"", "u", "sha256:d", made, false},
		"another policy":    {"", "t", "sha256:e", made, false},
		"old":               {"", "t", "sha256:d", made.Add(24*time.Hour + time.Second), false},
		"from the future":   {"", "t", "sha256:d", made.Add(-time.Hour), false},
		"clocks that drift": {"", "t", "sha256:d", made.Add(-time.Minute), true},
		"unknown schema":    {"plan/v9", "t", "sha256:d", made, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := savedPlan
			if c.edit != "" {
				text = strings.Replace(text, "plan/v1", c.edit, 1)
			}
			s, err := ReadSlip(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			err = s.Admit(c.tenant, c.digest, c.now, 24*time.Hour)
			if _, typed := errors.AsType[*SlipError](err); (err == nil) != c.ok || err != nil && !typed {
				t.Errorf("admitted: %v", err)
			}
		})
	}
}

func TestReadSlipRefusesWhatIsNoPlan(t *testing.T) {
	for i, text := range []string{
		"", "[]", "null", `{"changes": {}}`, `{"changes": [1]}`, `{"changes": [{"id": "a", "fate": "planned", "after": null}]}`,
		`{"changes": [{"id": "a", "fate": "planned", "after": 3}]}`, `{"createdAt": "yesterday"}`, savedPlan + savedPlan, savedPlan[:len(savedPlan)-3],
		`{"changes": [{"id": "a", "fate": "planned"}]}`,
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			_, err := ReadSlip(strings.NewReader(text))
			if _, ok := errors.AsType[*SlipError](err); !ok {
				t.Errorf("%.40q was read: %v", text, err)
			}
		})
	}
}

func FuzzReadSlip(f *testing.F) {
	f.Add(savedPlan)
	f.Add(`{"changes": [{"id": "a", "fate": "planned", "after": [null]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSlip(strings.NewReader(text))
		if err != nil {
			return
		}
		for id := range s.allowed {
			if s.holds(Change{ID: id, After: struct{}{}}) == "" {
				t.Errorf("a change with another value is permitted by %q", text)
			}
		}
	})
}
