package daemon

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func scheduleOf(t testing.TB, text, zone string) Schedule {
	t.Helper()
	s, err := ParseSchedule(text, zoneOf(t, zone))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestScheduleRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "fields"},
		{"5", "fields"},
		{"30s", "once in 1m0s"},
		{"0s", "once in"},
		{"-1h", "once in"},
		{"@every 30s", "once in"},
		{"@every 0s", "once in"},
		{"@every -1h", "once in"},
		{"@every soon", "no duration"},
		{"@reboot", "write a duration"},
		{"0 0 30 2 *", "never comes"},
		{"* * * * * *", "fields"},
		{"61 * * * *", "write a duration"},
		{"TZ=0", "serve.zone"},
		{"TZ=", "serve.zone"},
		{"TZ=UTC", "serve.zone"},
		{"CRON_TZ=", "serve.zone"},
		{"CRON_TZ=UTC 0 3 * * *", "serve.zone"},
	} {
		s, err := ParseSchedule(tt.text, time.UTC)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v; want an error with %q", tt.text, s, err, tt.want)
		}
	}
}

func TestParseZone(t *testing.T) {
	for _, name := range []string{"", "UTC", "Europe/Berlin", "America/St_Johns"} {
		if _, err := ParseZone(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"Local", "Berlin", "../etc/passwd", "CET+1"} {
		if zone, err := ParseZone(name); err == nil {
			t.Errorf("%q is taken as %s", name, zone)
		}
	}
}

// TestScheduleNext follows schedules over ordinary days and over both changes of the
// clocks of Europe/Berlin: 2026-03-29 02:00 to 03:00, 2026-10-25 03:00 to 02:00.
func TestScheduleNext(t *testing.T) {
	for _, tt := range []struct {
		name, text, zone, from string
		want                   []string
	}{
		{"duration", "5m", "UTC", "2026-11-23T10:00:07Z", []string{"2026-11-23T10:05:07Z", "2026-11-23T10:10:07Z"}},
		{"every", "@every 1h", "UTC", "2026-11-23T10:00:00Z", []string{"2026-11-23T11:00:00Z"}},
		{"daily", "@daily", "UTC", "2026-11-23T10:00:00Z", []string{"2026-11-24T00:00:00Z"}},
		{"in its zone", "0 3 * * *", "Europe/Berlin", "2026-11-23T10:00:00Z", []string{"2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z"}},
		{
			"in the hour that is skipped", "30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		{
			"at the end of the hour that is skipped", "0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"},
		},
		{
			"in the hour that comes twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		},
		{
			"often, over the hour that is skipped", "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z",
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"},
		},
		{
			"often, over the hour that comes twice", "*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"},
		},
		{"a rare day", "0 0 29 2 *", "Europe/Berlin", "2026-11-23T10:00:00Z", []string{"2028-02-28T23:00:00Z"}},
		{
			"a rare day in the hour that is skipped", "30 2 29 3 *", "Europe/Berlin", "2025-06-01T00:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2027-03-29T00:30:00Z"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, at := scheduleOf(t, tt.text, tt.zone), instant(t, tt.from)
			for _, want := range tt.want {
				if at = s.Next(at); !at.Equal(instant(t, want)) {
					t.Fatalf("next is %s, want %s", at.UTC().Format(time.RFC3339), want)
				}
			}
		})
	}
}

// TestScheduleNeverStalls: time goes on, and no daily run is further from the one
// before than the longest day, whatever the clocks do.
func TestScheduleNeverStalls(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"}).Draw(r, "zone")
		minute, hour := rapid.IntRange(0, 59).Draw(r, "minute"), rapid.IntRange(0, 23).Draw(r, "hour")
		s, err := ParseSchedule(strings.Join([]string{itoa(minute), itoa(hour), "*", "*", "*"}, " "), zoneOf(t, zone))
		if err != nil {
			r.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(r, "from"), 0)
		for range 400 {
			next := s.Next(at)
			if gap := next.Sub(at); gap <= 0 || gap > 25*time.Hour {
				r.Fatalf("after %s comes %s", at.UTC(), next.UTC())
			}
			at = next
		}
	})
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

func TestPeriod(t *testing.T) {
	from := instant(t, "2026-11-23T10:00:00Z")
	for text, want := range map[string]time.Duration{
		"5m": 5 * time.Minute, "0 3 * * *": 24 * time.Hour, "0 3 * * 1": 7 * 24 * time.Hour, "0 8-18 * * *": 14 * time.Hour,
	} {
		if got := scheduleOf(t, text, "UTC").Period(from); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// FuzzParseSchedule: nothing makes the parser panic, and what it takes comes, and not
// more than once a minute.
func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"5m", "0 3 * * *", "TZ=0", "CRON_TZ=UTC", "@every -1h", "0 0 30 2 *", "*/0 * * * *", "1-70/2 ? * JAN MON-FRI", "TZ=\t"} {
		f.Add(seed)
	}
	from := time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text, time.UTC)
		if err != nil {
			return
		}
		first := s.Next(from)
		if second := s.Next(first); !first.After(from) || !second.IsZero() && second.Sub(first) < time.Minute {
			t.Errorf("%q: %s, then %s", text, first, second)
		}
	})
}

func TestParseModes(t *testing.T) {
	for text, want := range map[string]string{
		"check": "check check check", "apply": "apply apply apply",
		"incremental=apply": "check check apply", "full=check, bypass=apply": "check apply check",
	} {
		m, err := ParseModes(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.Join([]string{string(m["full"]), string(m["bypass"]), string(m["incremental"])}, " "); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "Apply", "full", "full=write", "weekly=check", "full=check,full=apply", "full=check,"} {
		if m, err := ParseModes(text); err == nil {
			t.Errorf("%q is taken as %v", text, m)
		}
	}
}
