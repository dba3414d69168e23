package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// parseTimeSpan reads "d.hh:mm:ss", "hh:mm:ss" or a bare number of days (semantics
// 2.5), and writes it back as the service shows it.
func parseTimeSpan(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if days, ok := number(text, 10675199); ok {
		return formatTimeSpan(days, 0, 0, 0), true
	}
	clock, days := text, 0
	if before, after, ok := strings.Cut(text, "."); ok {
		if days, ok = number(before, 10675199); !ok {
			return "", false
		}
		clock = after
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return "", false
	}
	hours, okH := number(parts[0], 23)
	minutes, okM := number(parts[1], 59)
	seconds, okS := number(parts[2], 59)
	if !okH || !okM || !okS {
		return "", false
	}
	return formatTimeSpan(days, hours, minutes, seconds), true
}

func formatTimeSpan(days, hours, minutes, seconds int) string {
	clock := fmt.Sprintf("%02d:%02d:%02d", hours, minutes, seconds)
	if days > 0 {
		return strconv.Itoa(days) + "." + clock
	}
	return clock
}

func number(text string, most int) (int, bool) {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n <= most
}
