package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// PastChange is a write as the journal tells it, with when it was begun.
type PastChange struct {
	Change
	At time.Time
}

// noOutcome is the note of a write of which no outcome is recorded.
const noOutcome = "no outcome is recorded: the run was killed, or goes on"

// errSeen ends the reading of a journal behind the last entry about a run.
var errSeen = errors.New("all of the run was seen")

// Changes gives the writes of a run as the journal tells them, sorted as a plan is;
// nothing where the journal at hand does not hold the run. What a plan knows beside that
// (the rule, the controls, what was blocked) the journal does not.
func (h *History) Changes(ctx context.Context, r PastRun) ([]PastChange, error) {
	t := h.traced[r.ID]
	if t == nil {
		return nil, nil
	}
	var out []PastChange
	at := map[string]int{}
	_, err := journal.Follow(t.before, h.lines(ctx, t.before.Seq), func(_ journal.Line, e journal.Entry) error {
		switch {
		case e.Intent != nil && e.Run == r.ID:
			key := writeOf(e.Intent.Subject, string(e.Intent.Setting), e.Intent.Change)
			if _, known := at[key]; !known {
				at[key] = len(out)
				out = append(out, PastChange{Change: changeFrom(*e.Intent), At: e.At})
			}
		case e.Outcome != nil && (e.Outcome.Of == r.ID || e.Outcome.Of == "" && e.Run == r.ID):
			if i, known := at[writeOf(e.Outcome.Subject, string(e.Outcome.Setting), e.Outcome.Change)]; known {
				out[i].Result, out[i].Note = Result(e.Outcome.Result), e.Outcome.Note
			}
		}
		if e.Seq >= t.last {
			return errSeen
		}
		return context.Cause(ctx)
	})
	if err != nil && !errors.Is(err, errSeen) {
		return nil, fmt.Errorf("reading the journal of run %s: %w", r.ID, err)
	}
	slices.SortStableFunc(out, func(a, b PastChange) int { return compareChanges(a.Change, b.Change) })
	return out, nil
}

// compareChanges orders changes as a plan does.
func compareChanges(a, b Change) int {
	for _, pair := range [][2]string{
		{string(a.Subject.Kind), string(b.Subject.Kind)},
		{a.Subject.Name, b.Subject.Name},
		{a.Subject.ID, b.Subject.ID},
		{string(a.Setting), string(b.Setting)},
	} {
		if n := strings.Compare(pair[0], pair[1]); n != 0 {
			return n
		}
	}
	return 0
}

// changeFrom makes the change of a plan from an intent.
func changeFrom(i journal.Intent) Change {
	c := Change{
		ID: i.Change, Setting: i.Setting, Fate: FatePlanned, Severity: audit.DefaultSeverity(i.Setting),
		Subject: Subject{Kind: i.Subject.Kind, ID: i.Subject.ID, Name: i.Subject.Name, Type: i.Subject.Type},
		Before:  recorded(i.Setting, i.Before), After: recorded(i.Setting, i.After),
		Pins:   i.Inverse.Setting == audit.SettingDefaultAuditSet && i.Setting != audit.SettingDefaultAuditSet,
		Origin: originFrom(i.Origin),
		Result: ResultUnconfirmed, Note: noOutcome,
	}
	if before, ok := c.Before.([]string); ok {
		after, _ := c.After.([]string)
		c.Add, c.Remove = lackingIn(before, after), lackingIn(after, before)
	}
	c.Weakens = weakening(c)
	return c
}

// lackingIn are those of the names that a list does not hold.
func lackingIn(list, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(list, name) })
}

// weakening tells whether a write records less than before.
func weakening(c Change) bool {
	switch c.Setting {
	case audit.SettingAuditDisabled, audit.SettingAuditBypassEnabled:
		return c.After == true
	case audit.SettingAuditEnabled, audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAdminAuditLogEnabled:
		return c.After == false
	case audit.SettingAuditLogAgeLimit, audit.SettingAdminAuditLogAgeLimit:
		before, _ := c.Before.(string)
		after, _ := c.After.(string)
		from, errFrom := audit.ParseTimeSpan(before)
		to, errTo := audit.ParseTimeSpan(after)
		return errFrom == nil && errTo == nil && to < from
	case audit.SettingAdminAuditLogExcludedCmdlets:
		return len(c.Add) > 0
	case audit.SettingRetentionPolicy:
		return c.After == nil
	case audit.SettingDefaultAuditSet:
		return false // What Microsoft's set holds is not in the journal.
	default:
		return len(c.Remove) > 0
	}
}

// originFrom reads file:line:col; what is of another form is a file.
func originFrom(text string) policy.Origin {
	file, rest := text, ""
	var numbers [2]int
	for i := 1; i >= 0; i-- {
		at := strings.LastIndexByte(file, ':')
		if at < 0 {
			break
		}
		n, err := strconv.Atoi(file[at+1:])
		if err != nil {
			break
		}
		numbers[i], rest, file = n, file[at:]+rest, file[:at]
	}
	if numbers[0] == 0 || numbers[1] == 0 {
		return policy.Origin{Pos: policy.Pos{File: file + rest}}
	}
	return policy.Origin{Pos: policy.Pos{File: file, Line: numbers[0], Column: numbers[1]}}
}
