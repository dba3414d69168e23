package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// changeID is the first 16 hex digits of SHA-256 over kind, subject id,
// setting, add and remove (design section 6). The parts are closed with bytes
// that occur in none of them, so that no two changes share a text.
func changeID(s Subject, setting audit.Setting, add, remove []string) string {
	h := sha256.New()
	for _, part := range []string{string(s.Kind), s.ID, string(setting), strings.Join(add, "\x1f"), strings.Join(remove, "\x1f")} {
		h.Write([]byte(part))
		h.Write([]byte{0x1e})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// of gives a copy of a change for one subject.
func (c Change) of(s Subject) Change {
	c.Subject = s
	c.ID = changeID(s, c.Setting, c.Add, c.Remove)
	return c
}

// fateOrder puts what will be done before what will not, where one setting
// has both.
func fateOrder(f Fate) int {
	return slices.Index([]Fate{FatePlanned, FateBlocked, FateUnsupported, FateExempt}, f)
}

// sortChanges orders the changes of one object: by setting, then by fate.
func sortChanges(list []Change) {
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(
			strings.Compare(string(a.Setting), string(b.Setting)),
			cmp.Compare(fateOrder(a.Fate), fateOrder(b.Fate)),
			slices.Compare(a.Add, b.Add),
		)
	})
}

// sortAll orders the changes of many objects: by kind, name, id, then as
// within one object.
func sortAll(list []Change) {
	sortChanges(list)
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(
			strings.Compare(string(a.Subject.Kind), string(b.Subject.Kind)),
			strings.Compare(a.Subject.Name, b.Subject.Name),
			strings.Compare(a.Subject.ID, b.Subject.ID),
		)
	})
}

// sortUnknown orders objects that could not be judged as changes are ordered.
func sortUnknown(list []UnknownObject) {
	slices.SortStableFunc(list, func(a, b UnknownObject) int {
		return cmp.Or(
			strings.Compare(string(a.Subject.Kind), string(b.Subject.Kind)),
			strings.Compare(a.Subject.Name, b.Subject.Name),
			strings.Compare(a.Subject.ID, b.Subject.ID),
			strings.Compare(string(a.Setting), string(b.Setting)),
			strings.Compare(a.Reason, b.Reason),
		)
	})
}
