package audit_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// genNames draws known actions in any case and a few names nobody knows.
func genNames() *rapid.Generator[[]string] {
	words := []string{"Telepathy", "TELEPATHY", "telepathy", "Zeal", "aardvark", "Ægir", "ægir"}
	for _, a := range audit.Actions() {
		words = append(words, string(a), strings.ToLower(string(a)))
	}
	return rapid.SliceOfN(rapid.SampledFrom(words), 0, 12)
}

// model is a set as anybody would write it first.
func model(names []string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[strings.ToLower(n)] = true
	}
	return m
}

func lower(s audit.ActionSet) []string {
	var names []string
	for _, n := range s.Slice() {
		names = append(names, strings.ToLower(n))
	}
	slices.Sort(names)
	return names
}

func keys(m map[string]bool, keep func(string) bool) []string {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(m)) {
		if keep(n) {
			names = append(names, n)
		}
	}
	return names
}

func TestActionSetAlgebraIsThatOfSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := genNames().Draw(t, "x"), genNames().Draw(t, "y")
		a, b, ma, mb := audit.SetOf(x), audit.SetOf(y), model(x), model(y)
		all := maps.Clone(ma)
		maps.Copy(all, mb)
		want := map[string][]string{
			"self":      keys(ma, func(string) bool { return true }),
			"union":     keys(all, func(string) bool { return true }),
			"minus":     keys(ma, func(n string) bool { return !mb[n] }),
			"intersect": keys(ma, func(n string) bool { return mb[n] }),
		}
		got := map[string][]string{
			"self": lower(a), "union": lower(a.Union(b)), "minus": lower(a.Minus(b)), "intersect": lower(a.Intersect(b)),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		if a.Len() != len(ma) || a.Equal(b) != maps.Equal(ma, mb) || a.ContainsAll(b) != (len(want["union"]) == len(ma)) {
			t.Fatalf("Len %d, Equal %v, ContainsAll %v of %v and %v", a.Len(), a.Equal(b), a.ContainsAll(b), a, b)
		}
		for n := range all {
			if a.Has(audit.Action(strings.ToUpper(n))) != ma[n] {
				t.Fatalf("%v.Has(%s) = %v", a, n, !ma[n])
			}
		}
	})
}

func TestActionSetDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := genNames().Draw(t, "names")
		shuffled := rapid.Permutation(names).Draw(t, "shuffled")
		a, b := audit.SetOf(names), audit.SetOf(shuffled)
		if diff := cmp.Diff(a.Slice(), b.Slice()); diff != "" {
			t.Fatalf("(-in order +shuffled)\n%s", diff)
		}
		if !slices.IsSorted(a.Slice()) {
			t.Fatalf("not sorted: %v", a.Slice())
		}
	})
}

func TestActionSetIsImmutable(t *testing.T) {
	base := audit.SetOf([]string{"Copy", "Beta", "Delta"})
	left := base.Union(audit.SetOf([]string{"Alpha"}))
	right := base.Union(audit.SetOf([]string{"Gamma"}))
	slice := base.Slice()
	slice[0] = "changed"
	for set, want := range map[string]audit.ActionSet{
		"Beta, Copy, Delta": base, "Alpha, Beta, Copy, Delta": left, "Beta, Copy, Delta, Gamma": right,
	} {
		if want.String() != set {
			t.Errorf("%s, want %s", want, set)
		}
	}
}

func TestActionSetSpelling(t *testing.T) {
	set := audit.SetOf([]string{"mailitemsaccessed", "MAILBOXLOGIN", "telepathy", "Telepathy"})
	if got := set.String(); got != "MailItemsAccessed, MailboxLogin, Telepathy" {
		t.Errorf("String() = %s", got)
	}
	if got := set.Unknown(); got.String() != "Telepathy" || got.Len() != 1 {
		t.Errorf("Unknown() = %s", got)
	}
	var empty audit.ActionSet
	if empty.Slice() == nil || empty.Len() != 0 || empty.String() != "" || empty.Has("") || !set.ContainsAll(empty) {
		t.Error("the zero value is not the empty set")
	}
	for other, want := range map[string]bool{"TELEPATHY": true, "Telepathy, Zeal": false, "Zeal": false, "": false, "Copy": false} {
		if got := audit.SetOf([]string{"telepathy"}).Equal(audit.SetOf(strings.FieldsFunc(other, func(r rune) bool { return r == ',' || r == ' ' }))); got != want {
			t.Errorf("{telepathy} equals {%s}: %v", other, got)
		}
	}
	if !audit.NewActionSet(audit.Copy).Equal(audit.SetOf([]string{"cOPY"})) {
		t.Error("NewActionSet and SetOf differ")
	}
}
