package policy_test

import (
	"os"
	"testing"

	"github.com/exoaudit/exoaudit/policy"
)

func TestParseDesign(t *testing.T) {
	data, err := os.ReadFile("testdata/ok/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, found := policy.Parse("design.yaml", data)
	if len(found) > 0 || p == nil {
		t.Fatalf("Parse gave:\n%v", found.Error())
	}
	if got := len(p.Mailboxes); got != 2 {
		t.Errorf("%d rules, want 2", got)
	}
}
