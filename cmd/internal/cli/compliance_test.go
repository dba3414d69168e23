package cli

import (
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestReadmeCompliance: the README lists what the other service is asked for.
func TestReadmeCompliance(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, n := range reconcile.ComplianceNeeds(nil) {
		who := map[bool]string{false: "check", true: "apply"}[n.Write]
		row := strings.ReplaceAll("| "+n.Cmdlet+" | "+strings.Join(n.Parameters, ", ")+" | "+who+" |", "|  |", "| |")
		if !strings.Contains(text, "\n"+row+"\n") {
			t.Errorf("no row %q", row)
		}
	}
}

// TestCompliancePlace: no token goes to a service that nobody named beside the
// endpoint that it is for.
func TestCompliancePlace(t *testing.T) {
	t.Parallel()
	const own = "https://compliance.example"
	for _, tt := range []struct {
		name, cloud, endpoint string
		vars                  map[string]string
		address, scope        string
	}{
		{"worldwide", "worldwide", "", nil, "https://ps.compliance.protection.outlook.com", "https://ps.compliance.protection.outlook.com/.default"},
		{"the same endpoint", "worldwide", "https://outlook.office365.com/", nil, "https://ps.compliance.protection.outlook.com", ""},
		{"gcc-high", "gcc-high", "", nil, "https://ps.compliance.protection.office365.us", ""},
		{"an endpoint alone", "worldwide", "https://gateway.example", nil, "", ""},
		{"custom, alone", "custom", "https://gateway.example", nil, "", ""},
		{"custom", "custom", "https://gateway.example", map[string]string{complianceVariable: own}, own, own + "/.default"},
		{"another scope", "dod", "", map[string]string{complianceVariable: own, complianceScopeVariable: "x/.default"}, own, "x/.default"},
		{"the cloud's scope", "dod", "", map[string]string{complianceVariable: own}, own, "https://ps.compliance.protection.office365.us/.default"},
	} {
		a := &app{env: Environment{Getenv: func(name string) string { return tt.vars[name] }}}
		at, err := a.place(target{tenant: "11111111-2222-3333-4444-555555555555", cloud: tt.cloud, endpoint: tt.endpoint})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if at.compliance != tt.address || tt.scope != "" && at.complianceScope != tt.scope {
			t.Errorf("%s: %+v", tt.name, at)
		}
		if err := at.checkCompliance(); (err != nil) != (tt.address == "") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, c := range exchange.Clouds() {
		if err := (place{compliance: c.ComplianceEndpoint}).checkCompliance(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
