package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestBytesOnTheWire pins the shapes that were captured from the service (wire 1.5):
// the envelope, and annotations directly before their values.
func TestBytesOnTheWire(t *testing.T) {
	created := time.Date(2022, 9, 21, 8, 7, 47, 0, time.UTC)
	p := newProbe(t, simulator.Seed{})
	p.tenant().AddMailbox(simulator.Mailbox{
		Guid: "9feb45ad-3c1f-4c43-8c0a-2f7b54b4c111", Alias: "ann", Delegate: []string{}, Created: created, Changed: created,
	})
	p.query = "%24select=Guid,AuditEnabled,AuditLogAgeLimit,AuditDelegate,AuditOwner,DefaultAuditSet,WhenMailboxCreated,WhenChangedUTC,ResourceCapacity,PitrCopyIntervalInSeconds,UsageLocation"
	got := string(p.invoke("Get-Mailbox", map[string]any{}).Raw)
	want := strings.Join([]string{
		`{"@odata.context":"https://outlook.office365.com/adminapi/beta/` + p.tenant().ID() + `/$metadata#Collection(Exchange.GenericHashTable)"`,
		`"adminapi.warnings@odata.type":"#Collection(String)"`, `"@adminapi.warnings":[]`,
		`"value":[{"Guid@data.type":"System.Guid"`, `"Guid@odata.type":"#Guid"`, `"Guid":"9feb45ad-3c1f-4c43-8c0a-2f7b54b4c111"`,
		`"AuditEnabled":true`, `"AuditLogAgeLimit":"90.00:00:00"`,
		`"AuditDelegate@odata.type":"#Collection(String)"`, `"AuditDelegate":[]`,
		`"AuditOwner@odata.type":"#Collection(String)"`,
		`"AuditOwner":["Update","MoveToDeletedItems","SoftDelete","HardDelete","UpdateFolderPermissions","UpdateInboxRules","UpdateCalendarDelegation","ApplyRecord","MailItemsAccessed","Send"]`,
		`"DefaultAuditSet@odata.type":"#Collection(String)"`, `"DefaultAuditSet":["Admin","Owner"]`,
		`"WhenMailboxCreated@data.type":"System.DateTime"`, `"WhenMailboxCreated":"2022-09-21T08:07:47.0000000+00:00"`,
		`"UsageLocation":null`,
		`"WhenChangedUTC@data.type":"System.DateTime"`, `"WhenChangedUTC":"2022-09-21T08:07:47.0000000Z"`,
		`"ResourceCapacity@data.type":"System.Int32"`, `"ResourceCapacity":0`,
		`"PitrCopyIntervalInSeconds@data.type":"System.Int16"`, `"PitrCopyIntervalInSeconds@odata.type":"#Int16"`, `"PitrCopyIntervalInSeconds":0}]}`,
	}, ",")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestErrorsOnTheWire pins an error with details and one without (wire 5.1, 5.2).
func TestErrorsOnTheWire(t *testing.T) {
	p := newProbe(t, simulator.Seed{})
	for _, tc := range []struct {
		parameters map[string]any
		holds      []string
	}{
		{map[string]any{"Identity": "nobody"}, []string{
			`{"error":{"code":"NotFound","message":"Error executing cmdlet","details":[{"code":"Context","target":"nobody","message":"Ex`,
			`|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'nobody' couldn't be found on '`,
			`DirectInvokeCmdletExecutionException`, `"adminapi.warnings@odata.type":"#Collection(String)","@adminapi.warnings":[]}}`,
		}},
		{map[string]any{"RecipientTypeDetails": "x"}, []string{
			`{"error":{"code":"BadRequest","message":"Invalid Operation","innererror":{`, `ParameterTransformationException`,
			`Cannot process argument transformation on parameter 'RecipientTypeDetails'.`,
		}},
		{map[string]any{"BogusParameter": 1}, []string{
			`"message":"|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. BogusParameter"`,
		}},
	} {
		raw := strings.ReplaceAll(string(p.invoke("Get-Mailbox", tc.parameters).Raw), `\u0026`, "&")
		for _, part := range tc.holds {
			if !strings.Contains(raw, part) {
				t.Errorf("%v: no %s\nin %s", tc.parameters, part, raw)
			}
		}
	}
}
