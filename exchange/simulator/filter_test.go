package simulator

import (
	"strings"
	"testing"
	"time"
)

func TestFilter(t *testing.T) {
	changed := time.Date(2026, time.July, 4, 13, 30, 0, 0, time.UTC)
	m := Mailbox{
		Type: typeRoom, Alias: "o'hara", AuditEnabled: Unset, Changed: changed, Created: changed.AddDate(-1, 0, 0),
		Capabilities: []string{"M365Auditing"}, UserPrincipalName: "ann@contoso.com",
	}
	for filter, want := range map[string]bool{
		"AuditEnabled -ne 'True'":                                                true,
		"auditenabled -EQ 'true'":                                                false,
		"AuditEnabled -eq 'False'":                                               false,
		"AuditEnabled -ne '$true'":                                               true,
		"WhenChangedUTC -ge '7/4/2026 1:30:00 PM'":                               true,
		"WhenChangedUTC -gt '7/4/2026 1:30:00 PM'":                               false,
		"WhenChangedUTC -ge '07/04/2026 01:30:01 PM'":                            false,
		"WhenChangedUTC -lt '2026-07-05T00:00:00Z'":                              true,
		"WhenMailboxCreated -ge '7/4/2025 1:30:00 PM'":                           true,
		"WhenMailboxCreated -le '7/3/2025'":                                      false,
		"Alias -eq 'O''Hara'":                                                    true,
		"RecipientTypeDetails -ne 'RoomMailbox'":                                 false,
		"PersistedCapabilities -ne 'M365Auditing'":                               false,
		"PersistedCapabilities -ne 'BPOS_S_EquivioAnalytics'":                    true,
		"UserPrincipalName -eq \"Ann@Contoso.com\"":                              true,
		"-not (AuditEnabled -eq 'True')":                                         true,
		"-not AuditEnabled -eq 'True' -and Alias -eq 'nobody'":                   false,
		"Alias -eq 'nobody' -or AuditEnabled -ne 'True'":                         true,
		"Alias -eq 'x' -and Alias -eq 'y' -or Office -eq 'z'":                    false,
		"Alias -eq 'x' -and (Alias -eq 'y' -or Alias -ne 'z')":                   false,
		"(Alias -ne 'x' -or Alias -eq 'y') -and Alias -ne 'z'":                   true,
		"((AuditEnabled -ne 'True'))and":                                         false,
		"AuditEnabled -ne 'True' -and WhenChangedUTC -ge '1/1/2026 12:00:00 AM'": true,
	} {
		test, err := parseFilter(filter)
		if strings.Contains(filter, "Office") || strings.HasSuffix(filter, ")and") {
			if err == nil {
				t.Errorf("%s: no error", filter)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := test(&m); got != want {
			t.Errorf("%s is %v, want %v", filter, got, want)
		}
	}
}

func TestFilterRefuses(t *testing.T) {
	for _, filter := range []string{
		"", "AuditEnabled", "AuditEnabled -eq", "AuditEnabled -eq $true", "AuditEnabled -eq 'maybe'", "AuditEnabled -like 'T*'",
		"AuditOwner -eq 'Update'", "WhenChangedUTC -ge 'yesterday'", "WhenChangedUTC -like '1/1/2026'", "(AuditEnabled -eq 'True'",
		"AuditEnabled -eq 'True')", "AuditEnabled -eq 'True", "AuditEnabled -eq 'True' -and", "-not", "Alias -like 'a*'",
		"AuditEnabled -eq 'True' AuditEnabled -eq 'True'", strings.Repeat("(", 100) + "AuditEnabled -eq 'True'" + strings.Repeat(")", 100),
	} {
		if _, err := parseFilter(filter); err == nil {
			t.Errorf("%q is accepted", filter)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"AuditEnabled -ne 'True'", "-not (Alias -eq 'a' -or Alias -ne 'b')", "WhenChangedUTC -ge '7/4/2026 1:30:00 PM'", "((", "'", "Alias -eq ''''",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		test, err := parseFilter(text)
		if err != nil {
			return
		}
		negated, err := parseFilter("-not (" + text + ")")
		if err != nil {
			return // The parentheses may go one level too deep.
		}
		m := Mailbox{Alias: "a", AuditEnabled: True, Type: typeUser}
		if test(&m) == negated(&m) {
			t.Errorf("%q and its negation agree", text)
		}
	})
}

func TestTimeSpan(t *testing.T) {
	for text, want := range map[string]string{
		"90.00:00:00": "90.00:00:00", "090.01:02:03": "90.01:02:03", "00:00:00": "00:00:00", "0.06:00:00": "06:00:00", "30": "30.00:00:00",
	} {
		if got, ok := parseTimeSpan(text); !ok || got != want {
			t.Errorf("%q gives %q, %v; want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1.2.3", "24:00:00", "1.00:60:00", "P90D", "90d", "1:2", "99999999", "1.:00:00"} {
		if got, ok := parseTimeSpan(text); ok {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func FuzzTimeSpan(f *testing.F) {
	f.Add("90.00:00:00")
	f.Add("30")
	f.Fuzz(func(t *testing.T, text string) {
		if first, ok := parseTimeSpan(text); ok {
			if second, ok := parseTimeSpan(first); !ok || second != first {
				t.Errorf("%q becomes %q, which becomes %q", text, first, second)
			}
		}
	})
}

func TestGuidsCanBeReadBack(t *testing.T) {
	ids := newMint(defaultTenantID, 42)
	other := newMint(defaultTenantID, 43)
	seen := map[string]bool{}
	for _, kind := range []idKind{kindOrdinary, kindGroup, kindUser, kindSystem} {
		for _, n := range []int{0, 1, 2, 999_999, 1 << 40} {
			for field := fieldGuid; field <= fieldEntra; field++ {
				guid := ids.guid(kind, field, n)
				if seen[guid] || guid[14] != '4' || canonicalGuid(guid) != guid {
					t.Fatalf("%s is doubled or no version 4 Guid", guid)
				}
				seen[guid] = true
				k, f, i, ok := ids.read(strings.ToUpper("{" + guid + "}"))
				if !ok || k != kind || f != field || i != n {
					t.Fatalf("%s reads as %d %d %d %v, want %d %d %d", guid, k, f, i, ok, kind, field, n)
				}
				if _, _, _, ok := other.read(guid); ok {
					t.Fatalf("%s is taken for one of another seed", guid)
				}
			}
		}
	}
	for _, bad := range []string{"", "x", "9feb45ad-0000-4000-8000-00000000000", "9feb45ad-0000-4000-8000-00000000000g", "9feb45ad-0000-4000-8000-000000000000"} {
		if _, _, _, ok := ids.read(bad); ok {
			t.Errorf("%q reads as ours", bad)
		}
	}
}
