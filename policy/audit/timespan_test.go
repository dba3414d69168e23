package audit_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy/audit"
)

const day = 24 * time.Hour

func TestParseTimeSpan(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
	}{
		{"90.00:00:00", 90 * day},
		{"06:00:00", 6 * time.Hour},
		{"00:00:00", 0},
		{"1.02:03:04", day + 2*time.Hour + 3*time.Minute + 4*time.Second},
		{"12:00:00", 12 * time.Hour},
		{"90", 90 * day},
		{"0", 0},
		{"365.00:00:00.5", 365*day + 500*time.Millisecond},
		{"00:00:00.0000001", 100 * time.Nanosecond},
		{"23:59:59.9999999", day - 100*time.Nanosecond},
		{"106751.00:00:00", 106751 * day},
	}
	for _, tt := range tests {
		if got, err := audit.ParseTimeSpan(tt.text); err != nil || got != tt.want {
			t.Errorf("ParseTimeSpan(%q) = %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{
		"", " ", "-1", "-90.00:00:00", "+1", "1d", "90.0", "90.00", "90.00:00", "1:2", "24:00:00", "00:60:00", "00:00:60",
		"1.2.3:00:00", ".00:00:00", "90.00:00:00.", "00:00:00.00000001", "0:00:00:00", "106752", "106752.00:00:00",
		"9999999999", "99999999999", "106751.23:47:16.8547759", "1e3", "０", "00:00:00 ", "001:00:00",
	} {
		if got, err := audit.ParseTimeSpan(text); err == nil || !errors.Is(err, audit.ErrTimeSpan) {
			t.Errorf("ParseTimeSpan(%q) = %v, %v, want ErrTimeSpan", text, got, err)
		}
	}
}

func TestFormatTimeSpan(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "00:00:00"},
		{6 * time.Hour, "06:00:00"},
		{day, "1.00:00:00"},
		{90 * day, "90.00:00:00"},
		{day - time.Second, "23:59:59"},
		{500 * time.Millisecond, "00:00:00.5000000"},
		{99 * time.Nanosecond, "00:00:00"},
		{-90 * day, "-90.00:00:00"},
		{math.MaxInt64, "106751.23:47:16.8547758"},
		{math.MinInt64, "-106751.23:47:16.8547758"},
	}
	for _, tt := range tests {
		if got := audit.FormatTimeSpan(tt.d); got != tt.want {
			t.Errorf("FormatTimeSpan(%d) = %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestTimeSpanRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "ticks") / 100 * 100)
		if got, err := audit.ParseTimeSpan(audit.FormatTimeSpan(d)); err != nil || got != d {
			t.Fatalf("%d became %q became %d, %v", d, audit.FormatTimeSpan(d), got, err)
		}
	})
}

func FuzzParseTimeSpan(f *testing.F) {
	for _, seed := range []string{"90.00:00:00", "06:00:00", "-1", "90", "1.2:3:4.5", "106751.23:47:16.8547758", "9999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := audit.ParseTimeSpan(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("%q became negative: %v", text, d)
		}
		if again, err := audit.ParseTimeSpan(audit.FormatTimeSpan(d)); err != nil || again != d {
			t.Fatalf("%q became %v, printed %s, became %v, %v", text, d, audit.FormatTimeSpan(d), again, err)
		}
	})
}
