package reconcile

import (
	"encoding/json"
	"testing"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// TestFoundAs: what the tenant shows against what was recorded, as it comes back
// from JSON. Whatever was to shrink must show as it was written.
func TestFoundAs(t *testing.T) {
	none := []string(nil)
	for _, c := range []struct {
		setting             audit.Setting
		before, after, show any
		want                Result
	}{
		{audit.SettingAuditDisabled, true, false, false, ResultVerified},
		{audit.SettingAuditDisabled, true, false, true, ResultFailed},
		{audit.SettingAuditEnabled, false, true, true, ResultVerified},
		{audit.SettingAuditEnabled, true, false, false, ResultVerified},
		{audit.SettingAuditLogAgeLimit, "90.00:00:00", "180.00:00:00", "180.00:00:00", ResultVerified},
		{audit.SettingAuditLogAgeLimit, "90.00:00:00", "180.00:00:00", "365.00:00:00", ResultVerified},
		{audit.SettingAuditLogAgeLimit, "90.00:00:00", "180.00:00:00", "90.00:00:00", ResultFailed},
		{audit.SettingAuditLogAgeLimit, "90.00:00:00", "180.00:00:00", "100.00:00:00", ResultUnconfirmed},
		{audit.SettingAuditLogAgeLimit, "180.00:00:00", "90.00:00:00", "365.00:00:00", ResultUnconfirmed},
		{audit.SettingAuditOwner, none, []string{"Move"}, none, ResultFailed},
		{audit.SettingAuditOwner, none, []string{"Move"}, []string{"Move"}, ResultVerified},
		{audit.SettingAuditOwner, []string{"Create"}, []string{"Create", "Move"}, []string{"Create", "Move", "Update"}, ResultVerified},
		{audit.SettingAuditOwner, []string{"Create"}, []string{"Create", "Move"}, []string{"Create", "Update"}, ResultUnconfirmed},
		{audit.SettingAuditOwner, []string{"Create", "Move"}, []string{"Create"}, []string{"Create", "Update"}, ResultUnconfirmed},
		{audit.SettingAuditOwner, []string{"Create", "Move"}, []string{"Create"}, []string{"Create"}, ResultVerified},
		{audit.SettingAuditOwner, []string{"Create", "Move"}, none, none, ResultVerified},
		{audit.SettingDefaultAuditSet, []string{"Admin", "Delegate"}, []string{"Admin", "Owner"}, []string{"Admin", "Delegate", "Owner"}, ResultVerified},
		{audit.SettingDefaultAuditSet, []string{"Admin", "Delegate"}, []string{"Admin", "Owner"}, []string{"Admin", "Delegate"}, ResultFailed},
		{audit.SettingDefaultAuditSet, none, []string{"Owner"}, []string{"Admin"}, ResultUnconfirmed},
		{audit.SettingRetentionPolicy, nil, []string{"Priority=1"}, nil, ResultFailed},
		{audit.SettingRetentionPolicy, nil, []string{"Priority=1"}, []string{"priority=1"}, ResultVerified},
		{audit.SettingRetentionPolicy, []string{"Priority=1"}, nil, nil, ResultVerified},
		{audit.SettingRetentionPolicy, []string{"Priority=1"}, nil, []string{"Priority=2"}, ResultUnconfirmed},
		{audit.SettingRetentionPolicy, nil, []string{"Priority=1"}, []string{"Priority=1", "RecordTypes=A"}, ResultUnconfirmed},
		{audit.SettingAuditBypassEnabled, true, false, []string{"odd"}, ResultUnconfirmed},
	} {
		raw, err := json.Marshal(journal.Intent{Setting: c.setting, Before: c.before, After: c.after})
		if err != nil {
			t.Fatal(err)
		}
		var back journal.Intent
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if got, note := foundAs(back, sighting{value: c.show}); got != c.want || note == "" {
			t.Errorf("%s %v -> %v, shown %v: %s (%s), want %s", c.setting, c.before, c.after, c.show, got, note, c.want)
		}
		if got, _ := foundAs(back, sighting{missing: "a reason"}); got != ResultUnconfirmed {
			t.Errorf("%s: what was not seen is %s", c.setting, got)
		}
	}
}
