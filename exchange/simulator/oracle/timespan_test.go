package oracle

import (
	"fmt"
	"testing"
	"time"
)

func TestTimeSpan(t *testing.T) {
	const day = 24 * time.Hour
	good := []struct {
		text string
		want time.Duration
	}{
		{"90.00:00:00", 90 * day},
		{"90", 90 * day},
		{"0", 0},
		{"00:00:00", 0},
		{"06:00:00", 6 * time.Hour},
		{"1.02:03:04", day + 2*time.Hour + 3*time.Minute + 4*time.Second},
		{"00:00:01.5", 1500 * time.Millisecond},
		{"00:00:00.0000001", 100 * time.Nanosecond},
		{"00:00:00.9999999", 999_999_900 * time.Nanosecond},
		{"106750.23:59:59.9999999", 106751*day - 100*time.Nanosecond},
		{"106751", 106751 * day},
	}
	for _, test := range good {
		if got, err := timeSpan(test.text); err != nil || got != test.want {
			t.Errorf("%q: got %v, %v, want %v", test.text, got, err, test.want)
		}
	}
	bad := []string{
		"", " ", "-1", "-90.00:00:00", "+1", "1.5", "90d", "24:00:00", "1.24:00:00", "00:60:00", "00:00:60", "1:2", "1:2:3:4",
		".00:00:00", "1..00:00:00", "00:00:00.", "00:00:00.00000000", "106752", "106751.00:00:00", "99999999999999999999", "١",
	}
	for _, text := range bad {
		if got, err := timeSpan(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// FuzzTimeSpan holds the reader to the printer: what is read prints back to
// the same duration, and nothing wraps below zero.
func FuzzTimeSpan(f *testing.F) {
	for _, seed := range []string{"90.00:00:00", "06:00:00", "180", "1.02:03:04.5", "-1.00:00:00", "106751.23:59:59", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := timeSpan(text)
		if err != nil {
			return
		}
		if got < 0 {
			t.Fatalf("%q is %v", text, got)
		}
		days, rest := got/(24*time.Hour), got%(24*time.Hour)
		if rest == 0 {
			return // A whole number of days may have been written as one.
		}
		clock := time.Time{}.Add(rest)
		printed := fmt.Sprintf("%d.%s.%07d", days, clock.Format(time.TimeOnly), clock.Nanosecond()/100)
		if again, err := timeSpan(printed); err != nil || again != got {
			t.Fatalf("%q is %v, printed as %q, which is %v (%v)", text, got, printed, again, err)
		}
	})
}
