package audit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// ErrTimeSpan is wrapped by every error of [ParseTimeSpan].
var ErrTimeSpan = errors.New("not a time span of the service")

// ParseTimeSpan reads a time span as the service prints it: [dd.]hh:mm:ss with
// at most seven digits of a second's fraction, or a bare whole number, which
// Exchange takes as days (semantics 2.5). Negative spans and those that a
// time.Duration cannot hold (about 292 years) are refused.
func ParseTimeSpan(text string) (time.Duration, error) {
	d, err := parseTimeSpan(text)
	if err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrTimeSpan, text, err)
	}
	return d, nil
}

func parseTimeSpan(text string) (time.Duration, error) {
	if strings.HasPrefix(text, "-") {
		return 0, errors.New("it is negative")
	}
	clockAt := strings.IndexByte(text, ':')
	if clockAt < 0 {
		days, err := digits(text, 1, 10)
		if err != nil {
			return 0, err
		}
		return sum(days, 0)
	}
	var days int64
	clock := text
	if dot := strings.IndexByte(text, '.'); dot >= 0 && dot < clockAt {
		var err error
		if days, err = digits(text[:dot], 1, 10); err != nil {
			return 0, err
		}
		clock = text[dot+1:]
	}
	rest, err := parseClock(clock)
	if err != nil {
		return 0, err
	}
	return sum(days, rest)
}

// parseClock reads hh:mm:ss[.fffffff].
func parseClock(clock string) (time.Duration, error) {
	clock, fraction, hasFraction := strings.Cut(clock, ".")
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, errors.New("the time of day is not hh:mm:ss")
	}
	units := [3]time.Duration{time.Hour, time.Minute, time.Second}
	limits := [3]int64{23, 59, 59}
	var total time.Duration
	for i, p := range parts {
		n, err := digits(p, 1, 2)
		if err != nil {
			return 0, err
		}
		if n > limits[i] {
			return 0, fmt.Errorf("%d is over %d", n, limits[i])
		}
		total += time.Duration(n) * units[i]
	}
	if hasFraction {
		if _, err := digits(fraction, 1, 7); err != nil {
			return 0, err
		}
		ticks, err := digits((fraction + "000000")[:7], 7, 7)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ticks) * 100 * time.Nanosecond
	}
	return total, nil
}

// digits reads an unsigned decimal number of least to most digits.
func digits(text string, least, most int) (int64, error) {
	if len(text) < least || len(text) > most {
		return 0, fmt.Errorf("%q is not a number of %d to %d digits", text, least, most)
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is not a whole number", text)
		}
	}
	return strconv.ParseInt(text, 10, 64)
}

func sum(days int64, rest time.Duration) (time.Duration, error) {
	if days > (math.MaxInt64-int64(rest))/int64(day) {
		return 0, fmt.Errorf("%d days are too many", days)
	}
	return time.Duration(days)*day + rest, nil
}

// FormatTimeSpan gives a span as the service prints it: 90.00:00:00, under a day
// 06:00:00, and with seven digits where there is a fraction of a second. What is
// finer than the service's 100 nanoseconds is cut.
func FormatTimeSpan(d time.Duration) string {
	sign := ""
	magnitude := uint64(d) //nolint:gosec // a negative d is turned around below, in two's complement also the least one
	if d < 0 {
		sign, magnitude = "-", -magnitude
	}
	var b strings.Builder
	b.WriteString(sign)
	if days := magnitude / uint64(day); days > 0 {
		fmt.Fprintf(&b, "%d.", days)
	}
	seconds := magnitude % uint64(day) / uint64(time.Second)
	fmt.Fprintf(&b, "%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if ticks := magnitude % uint64(time.Second) / 100; ticks > 0 {
		fmt.Fprintf(&b, ".%07d", ticks)
	}
	return b.String()
}
