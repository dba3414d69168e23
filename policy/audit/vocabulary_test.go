package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/audit"
)

func TestLogonTypes(t *testing.T) {
	for i, l := range audit.LogonTypes() {
		if int(l) != i {
			t.Errorf("%s stands at %d and is %d", l, i, l)
		}
		if got, ok := audit.ParseLogonType(strings.ToUpper(l.String())); got != l || !ok {
			t.Errorf("ParseLogonType(%s) = %v, %v", l, got, ok)
		}
	}
	if _, ok := audit.ParseLogonType("External"); ok {
		t.Error("External is taken for a logon type")
	}
}

// TestMailboxTypes is semantics 2.4, type by type.
func TestMailboxTypes(t *testing.T) {
	tests := []struct {
		typ    audit.MailboxType
		covers audit.Coverage
		writes audit.Writability
	}{
		{"UserMailbox", audit.Covered, audit.FullyWritable},
		{"SharedMailbox", audit.Covered, audit.FullyWritable},
		{"RoomMailbox", audit.NotCovered, audit.FullyWritable},
		{"EquipmentMailbox", audit.NotCovered, audit.FullyWritable},
		{"DiscoveryMailbox", audit.NotCovered, audit.FullyWritable},
		{"PublicFolderMailbox", audit.NotCovered, audit.FullyWritable},
		{"GroupMailbox", audit.Covered, audit.AgeLimitOnly},
		{"SchedulingMailbox", audit.Undocumented, audit.WriteUndocumented},
		{"TeamMailbox", audit.Undocumented, audit.WriteUndocumented},
		{"LinkedMailbox", audit.Undocumented, audit.WriteUndocumented},
		{"LinkedRoomMailbox", audit.Undocumented, audit.WriteUndocumented},
		{"LegacyMailbox", audit.Undocumented, audit.WriteUndocumented},
	}
	for _, tt := range tests {
		if got := audit.OnByDefault(tt.typ); got != tt.covers {
			t.Errorf("OnByDefault(%s) = %v", tt.typ, got)
		}
		if got := audit.Writable(tt.typ); got != tt.writes {
			t.Errorf("Writable(%s) = %v", tt.typ, got)
		}
		if audit.TypeSource(tt.typ) == "" {
			t.Errorf("%s has no source", tt.typ)
		}
		if got, ok := audit.ParseMailboxType(strings.ToLower(string(tt.typ))); got != tt.typ || !ok {
			t.Errorf("ParseMailboxType(%s) = %s, %v", tt.typ, got, ok)
		}
	}
	if all := audit.MailboxTypes(); len(all) != len(tests) || !slices.IsSorted(all) {
		t.Errorf("MailboxTypes() = %v", all)
	}
	const stranger = "HologramMailbox"
	if _, ok := audit.ParseMailboxType(stranger); ok || audit.OnByDefault(stranger) != audit.Undocumented ||
		audit.Writable(stranger) != audit.WriteUndocumented {
		t.Error("something is claimed of an unknown type")
	}
}

// TestSettings is the table of the plan's settings with kind and severity.
func TestSettings(t *testing.T) {
	const want = `
auditDisabled organization high
unifiedAuditLogIngestionEnabled organization high
adminAuditLogEnabled adminAudit info
adminAuditLogCmdlets adminAudit info
adminAuditLogParameters adminAudit info
adminAuditLogExcludedCmdlets adminAudit info
adminAuditLogAgeLimit adminAudit info
auditBypassEnabled bypass high
auditEnabled mailbox medium
auditAdmin mailbox high
auditDelegate mailbox high
auditOwner mailbox high
defaultAuditSet mailbox high
auditLogAgeLimit mailbox low
retentionPolicy retention medium
`
	var b strings.Builder
	b.WriteString("\n")
	for _, s := range audit.Settings() {
		b.WriteString(string(s) + " " + string(s.Kind()) + " " + audit.DefaultSeverity(s).String() + "\n")
	}
	if b.String() != want {
		t.Errorf("the settings read %s", b.String())
	}
	if audit.Setting("auditEverything").Kind() != "" || audit.DefaultSeverity("auditEverything") != audit.High {
		t.Error("a setting that does not exist has a kind, or a low severity")
	}
	for _, l := range audit.LogonTypes() {
		if got := string(audit.ListSetting(l)); got != "audit"+l.String() {
			t.Errorf("ListSetting(%s) = %s", l, got)
		}
	}
	if kinds := audit.SubjectKinds(); !slices.IsSorted(kinds[:]) {
		t.Errorf("SubjectKinds() = %v, not sorted", kinds)
	}
}

func TestSeverityWords(t *testing.T) {
	all := audit.Severities()
	if !slices.IsSorted(all[:]) {
		t.Errorf("Severities() = %v, not ordered", all)
	}
	for _, s := range all {
		if got, ok := audit.ParseSeverity(s.String()); got != s || !ok {
			t.Errorf("ParseSeverity(%s) = %v, %v", s, got, ok)
		}
	}
	for _, word := range []string{"", "High", "critical", "severity(?)"} {
		if _, ok := audit.ParseSeverity(word); ok {
			t.Errorf("ParseSeverity(%q) is a severity", word)
		}
	}
}
