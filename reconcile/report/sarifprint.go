package report

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/exoaudit/exoaudit/reconcile"
)

// digest is SHA-256 over parts, each closed with a byte that occurs in no name, as hex
// digits.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0x1e})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// twins tells apart the changes of one setting of one object: an exact list gives one
// that adds and one that removes, an action that this version does not know a third.
// Changes come object by object.
type twins struct {
	subject string
	seen    map[string]int
}

// fingerprint gives what a finding is known by from run to run. It hangs on nothing
// that an edit of the policy or a new name changes: neither on lines nor names, neither
// on lists nor on whether a guard holds the change back. It must see every change of a
// report, in order, also those that are not written.
func (t *twins) fingerprint(tenant string, c reconcile.Change) string {
	subject := string(c.Subject.Kind) + "\x1f" + c.Subject.ID
	if t.seen == nil || subject != t.subject {
		t.subject, t.seen = subject, map[string]int{}
	}
	key := string(c.Setting) + "\x1f" + strconv.FormatBool(c.Weakens)
	n := t.seen[key]
	t.seen[key]++
	return digest("exoauditFinding/v1", tenant, string(c.Subject.Kind), c.Subject.ID, key, strconv.Itoa(n))
}
