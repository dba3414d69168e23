package strict_test

import (
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// TestRootIsNotRepeated: a file that is one text, as a secret is, is refused
// without its text, which would stand in a log then.
func TestRootIsNotRepeated(t *testing.T) {
	for _, secret := range []string{"8Q8Q~hunter2-hunter2", "8123456789", "\"hunter2\"", "true"} {
		d := strict.Parse("../secrets/client.yaml", []byte(secret+"\n"))
		if _, ok := d.Root().Map(strict.Keys("name")); ok {
			t.Fatalf("%q is a map", secret)
		}
		found := d.Diagnostics()
		if len(found) != 1 || found[0].Code != strict.CodeWrongType || strings.Contains(found.Error(), strings.Trim(secret, `"`)) {
			t.Errorf("%s", found.Error())
		}
	}
}
