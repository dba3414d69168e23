package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// genRules draws a policy whose rules each have a selector of their own, so that
// no conflict is certain and all are left to Resolve.
func genRules() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteString("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: p\nmailboxes:\n")
		for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
			fmt.Fprintf(&b, "  r%d:\n    where: {attribute: {office: o%d}}\n", i, i)
			fmt.Fprintf(&b, "    ageLimit: %dd\n", rapid.IntRange(1, 4).Draw(t, "days"))
			if mode := rapid.SampledFrom([]string{"", "effective", "explicit"}).Draw(t, "enabled"); mode != "" {
				fmt.Fprintf(&b, "    auditEnabled: %s\n", mode)
			}
			b.WriteString("    record:\n")
			for _, l := range audit.LogonTypes() {
				parts := rapid.SampledFrom([]string{
					"defaults: true", "managed: true", "plus: [Move]", "plus: [HardDelete, Strange]", "defaults: true, plus: [AttachmentAccess]",
					"exact: [HardDelete, Move]", "exact: [Move, HardDelete]", "exact: [Update]", "exact: [Move], plus: [Move]",
				}).Draw(t, "record")
				fmt.Fprintf(&b, "      %s: {%s}\n", strings.ToLower(l.String()), parts)
			}
		}
		return b.String()
	})
}

// drawPolicy parses a drawn text; the unknown action in it warns.
func drawPolicy(t *rapid.T) *policy.Policy {
	text := genRules().Draw(t, "policy")
	p, found := policy.Parse("p.yaml", []byte(text))
	if p == nil {
		t.Fatalf("%s\n%s", found.Error(), text)
	}
	return p
}

func indexes(p *policy.Policy) []int {
	all := make([]int, len(p.Mailboxes))
	for i := range all {
		all[i] = i
	}
	return all
}

func TestResolveDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		some := rapid.SliceOfN(rapid.SampledFrom(indexes(p)), 1, 6).Draw(t, "some")
		w1, c1 := p.Resolve(audit.UserMailbox, slices.Compact(slices.Sorted(slices.Values(some))))
		w2, c2 := p.Resolve(audit.UserMailbox, some)
		if diff := cmp.Diff(dumpWishes(w1), dumpWishes(w2)); diff != "" {
			t.Fatalf("(-sorted +shuffled)\n%s", diff)
		}
		if diff := cmp.Diff(c1, c2); diff != "" {
			t.Fatalf("(-sorted +shuffled)\n%s", diff)
		}
	})
}

func TestAddingARuleNeverWeakens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		all := indexes(p)
		some := all[:len(all)-1]
		before, conflicts := p.Resolve(audit.UserMailbox, some)
		after, more := p.Resolve(audit.UserMailbox, all)
		if len(more) < len(conflicts) {
			t.Fatalf("a rule took conflicts away: %v then %v", conflicts, more)
		}
		if before.AgeLimit != nil && after.AgeLimit.Value < before.AgeLimit.Value {
			t.Fatalf("the age limit went from %v to %v", before.AgeLimit.Value, after.AgeLimit.Value)
		}
		if before.AuditEnabled != nil && after.AuditEnabled.Value < before.AuditEnabled.Value {
			t.Fatalf("auditEnabled went from %v to %v", before.AuditEnabled.Value, after.AuditEnabled.Value)
		}
		for _, l := range audit.LogonTypes() {
			x, y := before.Record[l], after.Record[l]
			if x == nil {
				continue
			}
			weaker := x.Defaults && !y.Defaults || x.Managed && !y.Managed || !y.Plus.ContainsAll(x.Plus) ||
				x.Exact != nil && (y.Exact == nil || !y.Exact.Equal(*x.Exact))
			if weaker {
				t.Fatalf("%s went from %+v to %+v", l, x, y)
			}
		}
	})
}

// TestNoConflictMeansFulfillable: where Resolve sees no conflict there is a list
// that fulfils every rule; where it sees one there is none.
func TestNoConflictMeansFulfillable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		w, conflicts := p.Resolve(audit.UserMailbox, indexes(p))
		for _, l := range audit.LogonTypes() {
			list, managed := candidate(w.Record[l], l)
			fulfilled := true
			for _, r := range p.Mailboxes {
				fulfilled = fulfilled && fulfils(r.Record[l], l, list, managed)
			}
			conflict := slices.ContainsFunc(conflicts, func(c policy.Conflict) bool { return c.Logon == l })
			if fulfilled == conflict {
				t.Fatalf("%s: fulfilled %v by %s (managed %v), conflict %v", l, fulfilled, list, managed, conflict)
			}
		}
	})
}

// candidate is the list that a wish asks for, at the least.
func candidate(w *policy.RecordWish, l audit.LogonType) (list audit.ActionSet, managed bool) {
	defaults := audit.Defaults(audit.UserMailbox, l)
	switch {
	case w.Exact != nil:
		return *w.Exact, false
	case w.Managed:
		return defaults, true
	case w.Defaults:
		return defaults.Union(w.Plus), false
	default:
		return w.Plus, false
	}
}

// fulfils tells whether a mailbox's list is what one rule asks for.
func fulfils(r *policy.Record, l audit.LogonType, list audit.ActionSet, managed bool) bool {
	if r == nil {
		return true
	}
	return (r.Defaults == nil || managed || list.ContainsAll(audit.Defaults(audit.UserMailbox, l))) &&
		(r.Managed == nil || managed) &&
		list.ContainsAll(r.Plus.Set()) &&
		(r.Exact == nil || !managed && list.Equal(r.Exact.Set()))
}

func TestConflictsNameBothPlacesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		_, conflicts := p.Resolve(audit.UserMailbox, indexes(p))
		for _, c := range conflicts {
			if c.First.Pos.Compare(c.Second.Pos) > 0 || c.First.Rule == "" || c.Second.Rule == "" || c.Message == "" {
				t.Fatalf("%+v", c)
			}
		}
	})
}

func TestOriginOf(t *testing.T) {
	p := mustParse(t, `apiVersion: exoaudit/v1
kind: AuditPolicy
name: p
mailboxes:
  first:
    where: {attribute: {office: a}}
    record:
      admin: {defaults: true}
      delegate: {managed: true}
      owner: {exact: [Update, Move]}
  second:
    where: {attribute: {office: b}}
    record:
      admin: {plus: [Copy, FolderBind], defaults: true}
      owner: {plus: [Move]}
  third:
    where: {attribute: {office: c}}
    record:
      admin: {plus: [FolderBind, Move]}
`)
	w, _ := p.Resolve(audit.UserMailbox, []int{2, 0, 1})
	tests := []struct {
		logon   audit.LogonType
		missing string
		want    string
	}{
		{audit.Admin, "FolderBind", "second@14:28"},
		{audit.Admin, "Move", "third@19:34"},
		{audit.Admin, "HardDelete", "first@8:25"},
		{audit.Admin, "HardDelete Move", "third@19:34"},
		{audit.Delegate, "HardDelete", "first@9:27"},
		{audit.Owner, "Move", "second@15:22"},
		{audit.Owner, "Update", "first@10:23"},
		{audit.Owner, "Send", "first@10:15"},
	}
	for _, tt := range tests {
		if got := origin(w.Record[tt.logon].OriginOf(audit.SetOf(strings.Fields(tt.missing)))); got != tt.want {
			t.Errorf("%s missing %s is asked for by %s, want %s", tt.logon, tt.missing, got, tt.want)
		}
	}
	if got := w.Record[audit.Admin].Origin; got.Rule != "first" || got.Line != 8 {
		t.Errorf("Origin of Admin = %+v", got)
	}
}

func TestResolveOfNothing(t *testing.T) {
	p := mustParse(t, head+"mailboxes: {r: {ageLimit: 90d}}\n")
	w, conflicts := p.Resolve(audit.UserMailbox, nil)
	if w != (policy.Wishes{}) || conflicts != nil {
		t.Errorf("Resolve of no rule = %+v, %v", w, conflicts)
	}
	w, _ = p.Resolve(audit.UserMailbox, []int{0})
	if w.AgeLimit.Value != 90*24*time.Hour || w.AgeLimit.Origin.Rule != "r" || w.AuditEnabled != nil {
		t.Errorf("Resolve = %+v", w)
	}
}
