package cli

import (
	"testing"

	"github.com/exoaudit/exoaudit/reconcile"
)

// TestStatusOfExplanation: whatever leaves a verdict open makes an explanation
// incomplete, also where no rule asks about it.
func TestStatusOfExplanation(t *testing.T) {
	for name, tc := range map[string]struct {
		explained reconcile.Explanation
		want      int
	}{
		"read":    {reconcile.Explanation{State: reconcile.Drifted, Verdicts: []reconcile.LogonVerdict{{Outcome: reconcile.OutcomeNothing}}}, ExitInLine},
		"state":   {reconcile.Explanation{State: reconcile.Unknown}, ExitIncomplete},
		"object":  {reconcile.Explanation{State: reconcile.InSync, Unknown: make([]reconcile.UnknownObject, 1)}, ExitIncomplete},
		"switch":  {reconcile.Explanation{State: reconcile.InSync, Switches: []reconcile.ExplainedSwitch{{Effect: reconcile.EffectUnknown}}}, ExitIncomplete},
		"verdict": {reconcile.Explanation{State: reconcile.NotApplicable, Verdicts: []reconcile.LogonVerdict{{Outcome: reconcile.OutcomeUnknown}}}, ExitIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			if got := statusOfExplanation(&tc.explained); got != tc.want {
				t.Errorf("status %d, want %d", got, tc.want)
			}
		})
	}
}
