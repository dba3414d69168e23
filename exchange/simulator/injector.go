package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
)

// event is a moment at which faults may strike.
type event struct {
	cmdlet    string
	inBatch   bool
	continued bool
	passed    []string // Names of the parameters.
	host      string
	anchor    string
}

// event is the moment before a cmdlet, or a request that is known by another name.
func (in invocation) event(name string, continued bool, parameters map[string]json.RawMessage) event {
	return event{
		cmdlet: name, inBatch: in.inBatch, continued: continued, passed: slices.Collect(maps.Keys(parameters)),
		host: in.host, anchor: in.header.Get("X-AnchorMailbox"),
	}
}

func (f *Fault) matches(e event) bool {
	switch {
	case f.Do.wholeAnswer() && e.inBatch, (f.Do == DoDropItem || f.Do == DoDropStatus) && !e.inBatch:
		return false
	case f.Do == DoRegional && f.isRegional(e.host):
		return false // Who is there already needs no redirect.
	}
	if f.Item && !e.inBatch || f.Continued && !e.continued || !f.fits(e.passed) {
		return false
	}
	if f.Cmdlet == "" {
		return f.Item || !e.inBatch
	}
	return strings.EqualFold(f.Cmdlet, e.cmdlet)
}

// wholeAnswer says whether an action works on HTTP answers, of which a batch item has none.
func (a Action) wholeAnswer() bool {
	switch a {
	case DoCutBody, DoBreakBody, DoRedirect, DoRegional, DoDropConnection, DoWrongGzip:
		return true
	}
	return false
}

// fits says whether a call passes every parameter of With and none of Without.
func (f *Fault) fits(passed []string) bool {
	for _, name := range f.With {
		if !containsFold(passed, name) {
			return false
		}
	}
	return !slices.ContainsFunc(f.Without, func(name string) bool { return containsFold(passed, name) })
}

// chosen says whether the nth matching call is among the share of Probability.
func (f *Fault) chosen(n int) bool {
	if f.Probability <= 0 {
		return true
	}
	roll := mix(hashText(f.Name) + mix(f.Seed) + uint64(n)*mixB) //nolint:gosec // a count
	return float64(roll>>11)/(1<<53) < f.Probability
}

// injector holds the armed faults and how often each matched and struck.
type injector struct {
	mu      sync.Mutex
	armed   []armedFault
	regions []string // That faults ever redirected to.
}

type armedFault struct {
	Fault
	matched, struck int
	anchor          string // Of the first call it struck.
}

// strike is a fault that hits a call, which is the nth that it matched.
type strike struct {
	Fault
	n int
}

// otherAnchor says whether a wrong anchor was put right: a passing [DoNeedsProxy] holds
// against the first anchor it met, not against another.
func (f *armedFault) otherAnchor(e event) bool {
	return f.Do == DoNeedsProxy && f.Times > 0 && f.struck > 0 && f.anchor != e.anchor
}

func (i *injector) arm(faults []Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, f := range faults {
		i.armed = append(i.armed, armedFault{Fault: f})
		if f.Do == DoRegional {
			i.regions = append(i.regions, f.region())
		}
	}
}

// fire returns the faults that strike at an event, in the order they were armed.
func (i *injector) fire(e event) firing {
	i.mu.Lock()
	defer i.mu.Unlock()
	var strikes firing
	for n := range i.armed {
		f := &i.armed[n]
		if !f.matches(e) || f.otherAnchor(e) {
			continue
		}
		f.matched++
		if f.Call > 0 && f.matched != f.Call || f.Times > 0 && f.struck >= f.Times {
			continue
		}
		if !f.chosen(f.matched) {
			continue
		}
		if f.struck == 0 {
			f.anchor = e.anchor
		}
		f.struck++
		strikes = append(strikes, strike{f.Fault, f.matched})
	}
	return strikes
}

func (i *injector) disarm() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.armed = nil
}

func (i *injector) strikes(name string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for _, f := range i.armed {
		if f.Name == name {
			n += f.struck
		}
	}
	return n
}

// refuses says whether a cmdlet is withheld for good.
func (i *injector) refuses(cmdlet string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.armed {
		f := &i.armed[n]
		if f.Do == DoRefuse && f.Call == 0 && f.Times == 0 && f.Probability == 0 && len(f.With)+len(f.Without) == 0 && strings.EqualFold(f.Cmdlet, cmdlet) {
			return true
		}
	}
	return false
}
