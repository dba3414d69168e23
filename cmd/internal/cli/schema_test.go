package cli

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

const everyKind = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: every-kind
extends: [cis-m365-7.0]
organization: {unifiedAuditLog: true, mailboxAuditing: true}
adminAudit: {enabled: true, cmdlets: ["*"], ageLimit: 1y}
mailboxes:
  others:
    types: [RoomMailbox, EquipmentMailbox, GroupMailbox]
    ageLimit: 1y
  strict:
    types: [SharedMailbox]
    where: {address: "a*@*"}
    record: {owner: {managed: true}}
  short:
    types: [SharedMailbox]
    where: {not: {address: "a*@*"}}
    record: {delegate: {exact: [HardDelete, SoftDelete]}}
bypass: {}
exemptions:
  some:
    where: {address: "b*@*"}
    accept: {admin: [HardDelete], owner: [HardDelete], ageLimit: 1d}
    reason: an import
    owner: messaging@contoso.com
    expires: 2099-06-30
`

// TestPlanSchemaHoldsWhatIsPrinted: what check prints of tenants in every kind of
// disorder has the shape that the schema promises.
func TestPlanSchemaHoldsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.PlanSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("plan.schema.json")
	seed := simulator.Seed{Seed: 3, Mailboxes: 80, Groups: 4, Users: 5, Drift: 0.6, Bypassed: 0.1, UnifiedLogOff: true, AuditDisabled: true}
	fates := map[string]bool{}
	refused := simulator.WithFaults(simulator.Fault{Cmdlet: "Get-MailboxAuditBypassAssociation", Do: simulator.DoRefuse})
	for _, options := range [][]simulator.Option{nil, {refused}} {
		b := newBench(t, seed, options...)
		for _, text := range []string{everyKind, testPolicy} {
			if err := os.WriteFile(b.policy, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			status := b.run(t.Context(), "check", "--format", "json")
			plan, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.out.Bytes()))
			if err != nil {
				t.Fatalf("exit status %d: %v\n%s", status, err, b.err.String())
			}
			if err := schema.Validate(plan); err != nil {
				t.Error(err)
			}
			changes, _ := plan.(map[string]any)["changes"].([]any)
			for _, c := range changes {
				fate, _ := c.(map[string]any)["fate"].(string)
				fates[fate] = true
			}
		}
	}
	for _, fate := range []string{"planned", "blocked", "exempt", "unsupported"} {
		if !fates[fate] {
			t.Errorf("no change is %s: the test shows less than it means to", fate)
		}
	}
}
