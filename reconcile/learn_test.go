package reconcile

import (
	"testing"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// TestLearnedDefaultsAreKept: a full run learns afresh and falls back on what is
// remembered where too few vote; a look at part of the tenant goes by what was
// learned of the whole.
func TestLearnedDefaultsAreKept(t *testing.T) {
	matrix := audit.Defaults(audit.UserMailbox, audit.Owner)
	moved, earlier := matrix.Union(audit.SetOf([]string{"Brandnew"})), matrix.Union(audit.SetOf([]string{"Older"}))
	show := func(set audit.ActionSet) profile {
		return healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].value = set })
	}
	remembers := &Memory{learned: map[defaultKey]audit.ActionSet{{audit.UserMailbox, audit.Owner, healthy(audit.UserMailbox).licensed.value}: earlier}}
	for name, c := range map[string]struct {
		profiles []profile
		memory   *Memory
		change   func(*Request)
		want     audit.ActionSet
	}{
		"three vote":                   {[]profile{show(moved), show(moved), show(moved)}, remembers, nil, moved},
		"two are too few":              {[]profile{show(moved), show(moved)}, remembers, nil, earlier},
		"two are too few, and no more": {[]profile{show(moved), show(moved)}, &Memory{}, nil, matrix},
		"no memory":                    {[]profile{show(moved), show(moved)}, nil, nil, matrix},
		"a tie is an answer":           {[]profile{show(moved), show(moved), show(matrix), show(matrix)}, remembers, nil, matrix},
		"a look at what changed":       {[]profile{show(moved), show(moved), show(moved)}, remembers, func(r *Request) { r.SinceLastRun = true }, earlier},
		"a look at one mailbox":        {[]profile{show(moved)}, remembers, func(r *Request) { r.Mailbox = "x" }, earlier},
	} {
		t.Run(name, func(t *testing.T) {
			pop := newPopulation()
			for i, p := range c.profiles {
				pop.add(guid{byte(i + 1)}, "m", p, nil)
			}
			b := builder{req: Request{Memory: c.memory}, obs: &observation{pop: pop}, plan: &Plan{}}
			if c.change != nil {
				c.change(&b.req)
			}
			if got := b.defaults().defaults(show(matrix), audit.Owner); !got.Equal(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestLearnedMoved: what mailboxes vote for is held against what was learned, and
// where nothing was against the matrix.
func TestLearnedMoved(t *testing.T) {
	matrix := audit.Defaults(audit.UserMailbox, audit.Owner)
	more := matrix.Union(audit.SetOf([]string{"Brandnew"}))
	of := func(set audit.ActionSet) map[defaultKey]audit.ActionSet {
		return map[defaultKey]audit.ActionSet{{audit.UserMailbox, audit.Owner, true}: set}
	}
	for name, c := range map[string]struct {
		learned, fresh map[defaultKey]audit.ActionSet
		want           bool
	}{
		"nobody votes":             {of(more), nil, false},
		"as before":                {of(more), of(more), false},
		"otherwise":                {of(matrix), of(more), true},
		"as the matrix":            {nil, of(matrix), false},
		"not as the matrix":        {nil, of(more), true},
		"back to what is built in": {of(more), of(matrix), true},
	} {
		if got := (&Memory{learned: c.learned}).learnedMoved(catalogue{learned: c.fresh}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
