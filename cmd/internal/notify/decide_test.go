package notify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

var dawn = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// told runs Decide over runs that end an hour apart, and gives the kinds of events of
// each, with the verdict before where there is one.
func told(outcomes ...notify.Outcome) []string {
	var state notify.State
	var out []string
	for i, o := range outcomes {
		if o.At.IsZero() {
			o.At = dawn.Add(time.Duration(i) * time.Hour)
		}
		o.Tenant, o.RunID = "tenant-1", fmt.Sprint("run-", i)
		var events []notify.Event
		state, events = notify.Decide(state, o)
		var kinds []string
		for _, e := range events {
			text := string(e.Kind)
			if e.VerdictBefore != "" {
				text += "<" + e.VerdictBefore
			}
			kinds = append(kinds, text)
		}
		out = append(out, strings.Join(kinds, " "))
	}
	return out
}

func TestDecide(t *testing.T) {
	fine := notify.Outcome{Verdict: "inLine", Complete: true}
	drift := func(n int) notify.Outcome {
		return notify.Outcome{Verdict: "drift", Complete: true, Counts: notify.Counts{Drifting: n}}
	}
	blind := notify.Outcome{Verdict: "incomplete"}
	broken := notify.Outcome{Failed: "no token"}
	contested := func(ids ...string) notify.Outcome {
		o := drift(1)
		o.Contested = ids
		return o
	}
	which := func(n int, changes string) notify.Outcome {
		o := drift(n)
		o.Drift = changes
		return o
	}
	at := func(o notify.Outcome, hours int) notify.Outcome {
		o.At = dawn.Add(time.Duration(hours) * time.Hour)
		return o
	}
	wrote := fine
	wrote.Wrote = true
	one := drift(1)
	one.Partial, one.Wrote = true, true
	for _, tt := range []struct {
		name string
		runs []notify.Outcome
		want []string
	}{
		{"in line from the start", []notify.Outcome{fine, fine}, []string{"heartbeat", "heartbeat"}},
		{"drift from the start", []notify.Outcome{drift(1), drift(1)}, []string{"stateChanged heartbeat", "heartbeat"}},
		{"comes and goes", []notify.Outcome{fine, drift(1), fine}, []string{"heartbeat", "stateChanged<inLine heartbeat", "stateChanged<drift heartbeat"}},
		{"grows and shrinks", []notify.Outcome{drift(1), drift(2), drift(2), drift(1)}, []string{
			"stateChanged heartbeat", "stateChanged<drift heartbeat", "heartbeat", "stateChanged<drift heartbeat",
		}},
		{"one comes as another goes", []notify.Outcome{which(1, "a"), which(1, "a"), which(1, "b"), which(1, "b")}, []string{
			"stateChanged heartbeat", "heartbeat", "stateChanged<drift heartbeat", "heartbeat",
		}},
		{"which they are was not kept", []notify.Outcome{drift(1), which(1, "a")}, []string{"stateChanged heartbeat", "heartbeat"}},
		{"blind", []notify.Outcome{fine, blind, blind}, []string{"heartbeat", "stateChanged<inLine", ""}},
		{"each day", []notify.Outcome{drift(1), at(drift(1), 23), at(drift(1), 24), at(drift(1), 25), at(drift(1), 48)}, []string{
			"stateChanged heartbeat", "heartbeat", "stillDrifting<drift heartbeat", "heartbeat", "stillDrifting<drift heartbeat",
		}},
		{"each day, blind too", []notify.Outcome{blind, at(blind, 30)}, []string{"stateChanged", "stillDrifting<incomplete"}},
		{"a change is told, and the day begins anew", []notify.Outcome{drift(1), at(drift(2), 20), at(drift(2), 30), at(drift(2), 44)}, []string{
			"stateChanged heartbeat", "stateChanged<drift heartbeat", "heartbeat", "stillDrifting<drift heartbeat",
		}},
		{"a clock that was set back", []notify.Outcome{at(drift(1), 9000), at(drift(1), 1), at(drift(1), 2)}, []string{
			"stateChanged heartbeat", "stillDrifting<drift heartbeat", "heartbeat",
		}},
		{"fails", []notify.Outcome{fine, broken, broken, at(broken, 26), fine}, []string{
			"heartbeat", "runFailed<inLine", "", "runFailed<inLine", "stateChanged<noReport heartbeat",
		}},
		{"fails from the start", []notify.Outcome{broken, fine}, []string{"runFailed", "stateChanged<noReport heartbeat"}},
		{"contested", []notify.Outcome{contested("a"), contested("a"), contested("a", "b"), contested("b"), contested("a", "b")}, []string{
			"stateChanged contested heartbeat", "heartbeat", "contested heartbeat", "heartbeat", "contested heartbeat",
		}},
		{"wrote", []notify.Outcome{fine, wrote}, []string{"heartbeat", "afterApply heartbeat"}},
		{"one mailbox says nothing of the tenant", []notify.Outcome{fine, one, fine}, []string{"heartbeat", "afterApply", "heartbeat"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(tt.runs...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestManyContested: past what is remembered by id, their number tells.
func TestManyContested(t *testing.T) {
	many := func(n int) notify.Outcome {
		o := notify.Outcome{Verdict: "drift", Counts: notify.Counts{Drifting: 1}}
		for i := range n {
			o.Contested = append(o.Contested, fmt.Sprintf("%06d", i))
		}
		return o
	}
	want := []string{"stateChanged contested", "", "contested", "", ""}
	if diff := cmp.Diff(want, told(many(5000), many(5000), many(5001), many(4000), many(1))); diff != "" {
		t.Error(diff)
	}
}

// TestEachDayOnce: drift that stays for days is told when it comes and once each day,
// whatever the interval of the runs and however often the process is started again.
func TestEachDayOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.IntRange(20, 1500).Draw(t, "minutes")) * time.Minute
		days := rapid.IntRange(1, 5).Draw(t, "days")
		restarts := rapid.IntRange(1, 20).Draw(t, "restart every so many runs")
		var state notify.State
		var times []time.Time
		for i, at := 0, dawn; at.Before(dawn.AddDate(0, 0, days)); i, at = i+1, at.Add(interval) {
			if i%restarts == 0 {
				state = again(t, state)
			}
			var events []notify.Event
			state, events = notify.Decide(state, notify.Outcome{At: at, Tenant: "t", RunID: fmt.Sprint(i), Verdict: "drift", Counts: notify.Counts{Drifting: 7}})
			for _, e := range events {
				times = append(times, e.At)
			}
		}
		if len(times) < 1 || len(times) > days {
			t.Fatalf("told %d times in %d days", len(times), days)
		}
		for i := 1; i < len(times); i++ {
			if gap := times[i].Sub(times[i-1]); gap < 24*time.Hour || gap >= 24*time.Hour+interval {
				t.Fatalf("told again after %s", gap)
			}
		}
	})
}

// again is a state as the next process reads it.
func again(t interface{ Fatal(args ...any) }, s notify.State) notify.State {
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := notify.DecodeState(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDecideTellsEveryChange: whoever hears the events knows the verdict and the
// number of changes of the last run that gave a report, whatever the history; ids are
// never used twice, and the state survives a restart.
func TestDecideTellsEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var state notify.State
		verdict, drifting, ids := "inLine", 0, map[string]bool{}
		for i := range rapid.IntRange(1, 40).Draw(t, "runs") {
			o := notify.Outcome{At: dawn.Add(time.Duration(i) * time.Hour), Tenant: "t", RunID: fmt.Sprint(i)}
			if rapid.Float64Range(0, 1).Draw(t, "luck") < 0.2 {
				o.Failed = "broken"
			} else {
				o.Verdict = rapid.SampledFrom([]string{"inLine", "drift", "incomplete", "failed"}).Draw(t, "verdict")
				if o.Verdict != "inLine" {
					o.Counts.Drifting = rapid.IntRange(0, 2).Draw(t, "drifting")
				}
			}
			next, events := notify.Decide(state, o)
			if diff := cmp.Diff(next, again(t, next)); diff != "" {
				t.Fatal(diff)
			}
			state = next
			for _, e := range events {
				if ids[e.ID] {
					t.Fatalf("the id of %s of run %d was there before", e.Kind, i)
				}
				ids[e.ID] = true
				if e.Kind == notify.EventStateChanged || e.Kind == notify.EventStillDrifting {
					verdict, drifting = e.Verdict, e.Counts.Drifting
				}
			}
			if o.Failed == "" && (verdict != o.Verdict || drifting != o.Counts.Drifting) {
				t.Fatalf("run %d found %s with %d changes, and the last that was told is %s with %d", i, o.Verdict, o.Counts.Drifting, verdict, drifting)
			}
		}
	})
}

func TestDecodeStateRefuses(t *testing.T) {
	for _, data := range []string{"{", "[]", `{"verdict":"drift"}`, `{"schema":"exoaudit/notify-state/v9"}`} {
		if _, err := notify.DecodeState([]byte(data)); err == nil {
			t.Errorf("%s is taken", data)
		}
	}
	if s, err := notify.DecodeState(nil); err != nil || s.Verdict != "" {
		t.Errorf("no bytes: %v, %v", s, err)
	}
}

func FuzzDecodeState(f *testing.F) {
	data, err := notify.State{Verdict: "drift", Drifting: 3, Since: dawn, Contested: []string{"a"}, ContestedCount: 1}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"exoaudit/notify-state/v1","contested":["b","a"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := notify.DecodeState(data)
		if err != nil {
			return
		}
		_, events := notify.Decide(s, notify.Outcome{At: dawn, Verdict: "drift", Counts: notify.Counts{Drifting: s.Drifting + 1}})
		if !slices.ContainsFunc(events, func(e notify.Event) bool { return e.Kind == notify.EventStateChanged }) {
			t.Errorf("a change is not told after %s", data)
		}
	})
}
