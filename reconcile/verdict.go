package reconcile

import (
	"fmt"
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Threshold says from where on drift counts: FailOn is the lowest severity
// that does, Strict makes changes count that the service has no way to make.
type Threshold struct {
	FailOn audit.Severity
	Strict bool
}

// Verdict says in a word what check would exit with.
func (p *Plan) Verdict(t Threshold) Verdict {
	switch {
	case len(p.Refused) > 0:
		return VerdictFailed
	case !p.Coverage.Complete || p.refusal == guardPopulation:
		return VerdictIncomplete
	case p.Summary().drift(t):
		return VerdictDrift
	default:
		return VerdictInLine
	}
}

// drift tells whether anything counts at or above the threshold.
func (s Summary) drift(t Threshold) bool {
	for _, severity := range []audit.Severity{audit.Info, audit.Low, audit.Medium, audit.High} {
		if severity < t.FailOn {
			continue
		}
		if s.DriftAt[severity] > 0 || t.Strict && s.UnsupportedAt[severity] > 0 {
			return true
		}
	}
	return false
}

// WarningsFor gives the plan's warnings, and one more where the verdict is
// inLine although objects drift below the threshold.
func (p *Plan) WarningsFor(t Threshold) []string {
	out := slices.Clone(p.Warnings)
	if n := p.Summary().driftedObjects(); n > 0 && p.Verdict(t) == VerdictInLine {
		out = append(out, fmt.Sprintf("drift that does not count here (fail-on %s, strict %t): %s", t.FailOn, t.Strict, counted(n, "object")))
	}
	return out
}

// ParseThreshold reads a severity by name.
func ParseThreshold(failOn string, strict bool) (Threshold, error) {
	s, ok := audit.ParseSeverity(failOn)
	if !ok {
		return Threshold{}, fmt.Errorf("%q is no severity; severities are info, low, medium, high", failOn)
	}
	return Threshold{FailOn: s, Strict: strict}, nil
}
