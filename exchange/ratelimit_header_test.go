package exchange

import (
	"net/http"
	"testing"
	"time"
)

func TestToldRate(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }
	for name, tt := range map[string]struct {
		remaining, reset string
		hold             time.Duration
		bound            float64 // of a rate of 1000
		ok               bool
	}{
		"what remains lasts until the reset": {"160", in(16 * time.Second), 0, 10, true},
		"a fraction of a second":             {"100", in(500 * time.Millisecond), 0, 200, true},
		"more than the rate":                 {"30000", in(16 * time.Second), 0, 1000, true},
		"next to nothing":                    {"1", in(16 * time.Second), 0, slowestRate, true},
		"nothing":                            {"0", in(16 * time.Second), 16 * time.Second, 1000, true},
		"nothing for long":                   {"0", in(30 * time.Minute), maxReset, 1000, true},
		"a number below zero":                {"-1", in(16 * time.Second), 0, 1000, false},
		"no number":                          {"many", in(16 * time.Second), 0, 1000, false},
		"NaN":                                {"NaN", in(16 * time.Second), 0, 1000, false},
		"without end":                        {"Inf", in(16 * time.Second), 0, 1000, false},
		"no reset":                           {"5", "", 0, 1000, false},
		"a reset that is no time":            {"5", "16", 0, 1000, false},
		"a reset that has passed":            {"5", in(-time.Second), 0, 1000, false},
		"nothing until a time that passed":   {"0", in(-time.Second), 0, 1000, false},
		"a reset now":                        {"5", in(0), 0, 1000, false},
		"an absurd reset":                    {"5", in(48 * time.Hour), 0, 1000, false},
		"nothing until an absurd reset":      {"0", "2999-01-01T00:00:00Z", 0, 1000, false},
	} {
		var told toldRate
		hold, ok := told.follow(http.Header{headerRemaining: {tt.remaining}, headerReset: {tt.reset}}, now, now)
		if bound := told.bound(1000, now); hold != tt.hold || ok != tt.ok || bound != tt.bound {
			t.Errorf("%s: hold %v, %t, bound %v; want %v, %t, %v", name, hold, ok, bound, tt.hold, tt.ok, tt.bound)
		}
		if bound := told.bound(1000, now.Add(17*time.Second)); bound != 1000 {
			t.Errorf("%s: after the reset the rate is bound to %v", name, bound)
		}
	}
}

func TestServiceClock(t *testing.T) {
	ours := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	type answer struct{ at, theirs time.Duration } // since noon, on our clock and on theirs
	for name, tt := range map[string]struct {
		answers []answer
		want    time.Duration // theirs at the last answer
	}{
		"the same clock":                   {[]answer{{0, 0}}, 0},
		"the nearest to a full second":     {[]answer{{900 * time.Millisecond, 0}, {1100 * time.Millisecond, time.Second}, {3800 * time.Millisecond, 3 * time.Second}}, 3700 * time.Millisecond},
		"ahead":                            {[]answer{{0, time.Hour}, {500 * time.Millisecond, time.Hour}}, time.Hour + 500*time.Millisecond},
		"behind":                           {[]answer{{0, -time.Hour}}, -time.Hour},
		"set back meanwhile":               {[]answer{{0, 0}, {time.Minute, 0}}, 0},
		"set forward meanwhile":            {[]answer{{0, 0}, {time.Minute, 2 * time.Minute}}, 2 * time.Minute},
		"an answer that was long underway": {[]answer{{0, 0}, {9 * time.Second, 2 * time.Second}}, 9 * time.Second},
	} {
		var c serviceClock
		var got time.Time
		for _, a := range tt.answers {
			got = c.read(ours.Add(a.theirs).Format(http.TimeFormat), ours.Add(a.at))
		}
		if want := ours.Add(tt.want); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	var c serviceClock
	if got := c.read("", ours); !got.Equal(ours) {
		t.Errorf("without a Date the clock shows %v, want ours", got)
	}
}
