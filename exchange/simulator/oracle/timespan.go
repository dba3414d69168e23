package oracle

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timeSpan reads a duration as the service prints it: "dd.hh:mm:ss",
// "hh:mm:ss", either with a fraction of up to seven digits, or a bare number
// of days (semantics 2.5). A sign is refused: no age lies in the future.
func timeSpan(text string) (time.Duration, error) {
	broken := func() (time.Duration, error) {
		return 0, fmt.Errorf("%q is not a duration of the form dd.hh:mm:ss", text)
	}
	clock := strings.Split(text, ":")
	if len(clock) == 1 {
		days, ok := number(text, math.MaxInt64/int64(24*time.Hour))
		if !ok {
			return broken()
		}
		return time.Duration(days) * 24 * time.Hour, nil
	}
	if len(clock) != 3 {
		return broken()
	}
	dayText, hourText, dotted := strings.Cut(clock[0], ".")
	if !dotted {
		dayText, hourText = "0", clock[0]
	}
	secondText, fractionText, dotted := strings.Cut(clock[2], ".")
	if !dotted {
		fractionText = "0"
	}
	// One day less than fits, so that the rest of the clock fits as well.
	days, ok1 := number(dayText, math.MaxInt64/int64(24*time.Hour)-1)
	hours, ok2 := number(hourText, 23)
	minutes, ok3 := number(clock[1], 59)
	seconds, ok4 := number(secondText, 59)
	fraction, ok5 := number(fractionText, 9_999_999)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || len(fractionText) > 7 {
		return broken()
	}
	for range 9 - len(fractionText) {
		fraction *= 10
	}
	return time.Duration(days)*24*time.Hour + time.Duration(hours)*time.Hour +
		time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second + time.Duration(fraction), nil
}

// number reads digits, and nothing but digits, up to a limit.
func number(text string, limit int64) (int64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n <= limit
}
