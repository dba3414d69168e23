package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy"
)

// TestPolicyPlace: a plan knows which file its policy was, and who names a baseline.
func TestPolicyPlace(t *testing.T) {
	t.Parallel()
	file := "audit/policy.yaml"
	pol, found := policy.Load(file, []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: t\nextends: [cis-m365-7.0]\n"), nil)
	if pol == nil {
		t.Fatal(found)
	}
	p := &Plan{policy: pol}
	if got := p.PolicyFile(); got != file {
		t.Errorf("PolicyFile() = %q, want %q", got, file)
	}
	want := []policy.Extended{{Name: "cis-m365-7.0", BuiltIn: true, Pos: policy.Pos{File: file, Line: 4, Column: 11}}}
	if diff := cmp.Diff(want, p.Extends()); diff != "" {
		t.Errorf("Extends() (-want +got):\n%s", diff)
	}
	p.Extends()[0].Name = "changed"
	if diff := cmp.Diff(want, p.Extends()); diff != "" {
		t.Errorf("a caller can change the policy (-want +got):\n%s", diff)
	}
	if without := (&Plan{}); without.PolicyFile() != "" || without.Extends() != nil {
		t.Error("a plan without a policy has a place of one")
	}
}
