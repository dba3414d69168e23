package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

const day = 24 * time.Hour

var counted = regexp.MustCompile(`^([1-9][0-9]{0,9})([hdy])$`)

// parseDuration reads 90d, 1y (365 days), dd.hh:mm:ss and, where hours may be
// asked for, 26h. A bare number is refused: the service takes it for days, a
// reader may take it for anything.
func parseDuration(text string, hours bool) (time.Duration, error) {
	if strings.Contains(text, ":") {
		d, err := audit.ParseTimeSpan(text)
		switch {
		case err != nil:
			return 0, err
		case d == 0:
			return 0, errZero
		case d%time.Second != 0:
			return 0, errors.New("fractions of a second are not read")
		}
		return d, nil
	}
	m := counted.FindStringSubmatch(text)
	if m == nil || m[2] == "h" && !hours {
		if strings.Trim(text, "0") == "" || len(text) > 1 && strings.Trim(text[:len(text)-1], "0") == "" {
			return 0, errZero
		}
		return 0, errors.New("it is no duration")
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("it is no duration: %w", err)
	}
	unit := map[string]time.Duration{"h": time.Hour, "d": day, "y": 365 * day}[m[2]]
	if n > math.MaxInt64/int64(unit) {
		return 0, errors.New("it is too long")
	}
	return time.Duration(n) * unit, nil
}

var errZero = errors.New("zero is refused, it would purge what is kept")

// readDuration reads a duration of more than nothing; nil where there is none.
func readDuration(n *strict.Node, hours bool) *Located[time.Duration] {
	if n == nil {
		return nil
	}
	text, ok := n.Written("a duration")
	if !ok {
		return nil
	}
	d, err := parseDuration(text, hours)
	if err != nil {
		hint := "write 90d, 1y or 90.00:00:00"
		if hours {
			hint = "write 26h, 2d or 1.02:00:00"
		}
		n.Errorf(CodeBadDuration, hint, "%s %q: %v", orValue(n.Key()), text, err)
		return nil
	}
	return &Located[time.Duration]{Value: d, Pos: n.Pos()}
}
