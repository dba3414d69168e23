package reconcile_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// FuzzUndo plans from an intent that says anything: it is refused, or nothing that
// weakens is planned where that is not allowed, and never a bypass.
func FuzzUndo(f *testing.F) {
	tenant := shortfall()
	m, _ := tenant.FindMailbox("pinned@contoso.com")
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: tenant.ID(), Transport: simulator.New(tenant).RoundTripper(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}), CmdletsPerSecond: 1e6,
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, intent := range []journal.Intent{
		{Subject: journal.Subject{Kind: audit.KindMailbox, ID: m.Guid}, Setting: audit.SettingAuditOwner, Before: []string{"Update"}, After: []string{"Move", "Update"}},
		{Subject: journal.Subject{Kind: audit.KindMailbox, ID: m.Guid}, Setting: audit.SettingAuditLogAgeLimit, Before: "1.00:00:00", After: "30.00:00:00"},
		{
			Subject: journal.Subject{Kind: audit.KindMailbox, ID: m.Guid}, Setting: audit.SettingDefaultAuditSet, Before: []string{}, After: []string{"Owner"},
			Inverse: journal.Inverse{Setting: audit.SettingDefaultAuditSet, Lists: map[audit.Setting][]string{audit.SettingAuditOwner: {"Update"}}},
		},
		{Subject: journal.Subject{Kind: audit.KindOrganization, ID: "organization"}, Setting: audit.SettingAuditDisabled, Before: false, After: true},
		{Subject: journal.Subject{Kind: audit.KindRetention, ID: "short"}, Setting: audit.SettingRetentionPolicy, After: []string{"RetentionDuration=TenYears"}},
	} {
		text, err := json.Marshal(intent)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var intent journal.Intent
		if json.Unmarshal(text, &intent) != nil {
			t.Skip()
		}
		plan, err := reconcile.PlanUndo(t.Context(), client, reconcile.UndoRequest{
			Tenant: tenant.ID(), Now: time.Now, Run: "run-1", Entries: []journal.Entry{
				{Seq: 1, Run: "run-1", Kind: journal.KindBegin, Begin: &journal.Begin{Tenant: tenant.ID()}},
				{Seq: 2, Run: "run-1", Kind: journal.KindIntent, Intent: &intent},
			},
		})
		if err != nil {
			if _, ok := errors.AsType[*reconcile.DeedError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		for c := range plan.Changes() {
			if c.Fate == reconcile.FatePlanned && (c.Weakens || c.Subject.Kind == audit.KindBypass) {
				t.Errorf("planned: %+v", c)
			}
		}
	})
}
