package reconcile

import "testing"

func TestParseRaisedGuard(t *testing.T) {
	good, err := ParseRaisedGuard("maxChanged=6000", "CHG-1")
	if err != nil || good != (RaisedGuard{Name: "maxChanged", Limit: 6000, Reason: "CHG-1"}) {
		t.Errorf("got %+v, %v", good, err)
	}
	for _, c := range []struct{ text, reason string }{
		{"maxChanged=6000", ""},
		{"maxChanged=6000", "  "},
		{"maxChanged", "r"},
		{"maxChanged=", "r"},
		{"maxChanged=1.5", "r"},
		{"maxChanged=-1", "r"},
		{"maxChanged=NaN", "r"},
		{"maxChangedPercent=101", "r"},
		{"maxChangedPercent=Inf", "r"},
		{"population=0", "r"},
		{"allowWeakening=1", "r"},
		{"=5", "r"},
	} {
		if g, err := ParseRaisedGuard(c.text, c.reason); err == nil {
			t.Errorf("ParseRaisedGuard(%q, %q) = %+v", c.text, c.reason, g)
		}
	}
}

func TestRaisingNeverLowers(t *testing.T) {
	g := Guard{Name: guardMaxChanged, Limit: 50}
	for limit, want := range map[float64]float64{10: 50, 50: 50, 60: 60} {
		if got := raised([]RaisedGuard{{Name: guardMaxChanged, Limit: limit}}, g); got != want {
			t.Errorf("raised to %v: %v, want %v", limit, got, want)
		}
	}
	if got := raised([]RaisedGuard{{Name: guardMaxChangedPercent, Limit: 90}}, g); got != 50 {
		t.Errorf("another guard's limit was taken: %v", got)
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, whole int
		want        float64
	}{{0, 0, 0}, {3, 0, 100}, {30, 100, 30}, {1, 3, 100.0 / 3}} {
		if got := share(c.part, c.whole); got != c.want {
			t.Errorf("share(%d, %d) = %v, want %v", c.part, c.whole, got, c.want)
		}
	}
}
