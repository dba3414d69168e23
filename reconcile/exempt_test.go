package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// today is a day on which entries that expire in 2026 are in force.
func today() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// exemption writes one, in force unless it says otherwise.
func exemption(name, where, accept, expires string) string {
	return fmt.Sprintf("  %s: {where: %s, accept: %s, reason: an import, owner: msg@contoso.com, expires: %s}\n", name, where, accept, expires)
}

const (
	onAnn   = `{address: "ann@contoso.com"}`
	onBob   = `{address: "bob@contoso.com"}`
	inForce = "2026-06-01"
	ended   = "2026-05-31"
)

// ann is a mailbox with every fact known.
func ann(kind audit.MailboxType) policy.Subject {
	return policy.Subject{Type: kind, Addresses: []string{"ann@contoso.com"}, AddressesKnown: true}
}

func exempting(t *testing.T, rules string, exemptions ...string) differ {
	t.Helper()
	d := differFor(t, rules, "exemptions:\n"+strings.Join(exemptions, ""))
	d.now = today()
	return d
}

func TestExemptMailbox(t *testing.T) {
	const defaults = `{types: [UserMailbox, RoomMailbox], record: {owner: {defaults: true}}}`
	lacksSend := pinned(audit.Owner, audit.Defaults(audit.UserMailbox, audit.Owner).Minus(audit.SetOf([]string{"Send"})).Slice()...)
	deletes := func(p *profile) { pinned(audit.Owner, "HardDelete", "SoftDelete")(p) }
	for name, c := range map[string]struct {
		rules      string
		exemptions []string
		profile    profile
		stored     bool
		want       string
	}{
		"within what is accepted": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onAnn, "{owner: [HardDelete, SoftDelete]}", inForce)},
			want:       "exempt\nauditOwner exempt +Send\n",
		},
		"in line, and exempt from nothing": {
			rules: defaults, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", onAnn, "{owner: []}", inForce)}, want: "inSync\n",
		},
		"below what is accepted is repaired to that, no further": {
			rules: defaults, profile: healthy(audit.UserMailbox, pinned(audit.Owner, "HardDelete")),
			exemptions: []string{exemption("e", onAnn, "{owner: [HardDelete, SoftDelete]}", inForce)},
			want:       "drifted\nauditOwner planned +SoftDelete\n",
		},
		"an empty list is accepted": {
			rules: defaults, profile: healthy(audit.UserMailbox, pinned(audit.Owner)),
			exemptions: []string{exemption("e", onAnn, "{owner: []}", inForce)},
			want:       "exempt\nauditOwner exempt +ApplyRecord+HardDelete+MailItemsAccessed+MoveToDeletedItems+Send+SoftDelete+Update+UpdateCalendarDelegation+UpdateFolderPermissions+UpdateInboxRules\n",
		},
		"expired": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onAnn, "{owner: []}", ended)},
			want:       "drifted\nauditOwner planned +Send\n",
		},
		"somebody else's": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onBob, "{owner: []}", inForce)},
			want:       "drifted\nauditOwner planned +Send\n",
		},
		"of another logon type": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onAnn, "{admin: [], delegate: [], ageLimit: 1d, auditEnabled: none}", inForce)},
			want:       "drifted\nauditOwner planned +Send\n",
		},
		"one of two is enough": {
			rules: defaults, profile: healthy(audit.UserMailbox, deletes),
			exemptions: []string{
				exemption("e1", onAnn, "{owner: [HardDelete, Update]}", inForce),
				exemption("e2", onAnn, "{owner: [SoftDelete]}", inForce),
			},
			want: "exempt\nauditOwner exempt +ApplyRecord+MailItemsAccessed+MoveToDeletedItems+Send+Update+UpdateCalendarDelegation+UpdateFolderPermissions+UpdateInboxRules\n",
		},
		"of two that are not satisfied the first": {
			rules: defaults, profile: healthy(audit.UserMailbox, deletes),
			exemptions: []string{
				exemption("e1", onAnn, "{owner: [HardDelete, Update]}", inForce),
				exemption("e2", onAnn, "{owner: [Send]}", inForce),
			},
			want: "drifted\nauditOwner planned +Update\n",
		},
		"an exact list, with more and less": {
			rules: `{types: [UserMailbox], record: {owner: {exact: [Update, Move]}}}`, profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update", "Send")),
			exemptions: []string{exemption("e", onAnn, "{owner: [Update]}", inForce)},
			want:       "exempt\nauditOwner exempt +Move -Send\n",
		},
		"management by Microsoft": {
			rules:      `{types: [UserMailbox], record: {owner: {managed: true}, admin: {managed: true}}}`,
			profile:    healthy(audit.UserMailbox, deletes, pinned(audit.Admin, "Update", "Move")),
			exemptions: []string{exemption("e", onAnn, "{owner: [HardDelete], admin: [Update]}", inForce)},
			want:       "exempt\ndefaultAuditSet exempt +Admin\ndefaultAuditSet exempt +Owner\n",
		},
		"management by Microsoft, below": {
			rules:      `{types: [UserMailbox], record: {owner: {managed: true}}}`,
			profile:    healthy(audit.UserMailbox, deletes),
			exemptions: []string{exemption("e", onAnn, "{owner: [HardDelete, Update]}", inForce)},
			want:       "drifted\nauditOwner planned +Update\n",
		},
		"a record is accepted": {
			rules: `{types: [UserMailbox], record: {owner: {defaults: true, plus: [Move]}}}`, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", onAnn, "{owner: {managed: true}}", inForce)},
			want:       "exempt\nauditOwner exempt +Move\n",
		},
		"a record is accepted, below": {
			rules: `{types: [UserMailbox], record: {owner: {defaults: true, plus: [Move]}}}`, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onAnn, "{owner: {defaults: true}}", inForce)},
			want:       "drifted\nauditOwner planned +Send\n",
		},
		"a shorter age limit": {
			rules: `{ageLimit: 180d}`, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", onAnn, "{ageLimit: 90d}", inForce)},
			want:       "exempt\nauditLogAgeLimit exempt 90.00:00:00=>90.00:00:00\n",
		},
		"a shorter age limit than that": {
			rules: `{ageLimit: 180d}`, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", onAnn, "{ageLimit: 120d}", inForce)},
			want:       "drifted\nauditLogAgeLimit planned 90.00:00:00=>120.00:00:00\n",
		},
		"an accepted limit that is longer than the wish asks for no more than the wish": {
			rules: `{ageLimit: 180d}`, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", onAnn, "{ageLimit: 365d}", inForce)},
			want:       "drifted\nauditLogAgeLimit planned 90.00:00:00=>180.00:00:00\n",
		},
		"a room need not be audited": {
			rules:   `{types: [RoomMailbox], auditEnabled: effective}`,
			profile: healthy(audit.RoomMailbox, func(p *profile) { p.enabled.value = triFalse }),
			exemptions: []string{
				exemption("e", onAnn, "{auditEnabled: none}", inForce),
			},
			want: "exempt\nauditEnabled exempt false=>false\n",
		},
		"effective in place of explicit": {
			rules: `{auditEnabled: explicit}`, profile: healthy(audit.UserMailbox), stored: true,
			exemptions: []string{exemption("e", onAnn, "{auditEnabled: effective}", inForce)},
			want:       "exempt\nauditEnabled exempt false=>false\n",
		},
		"what is exempt beside what is not": {
			rules: `{types: [UserMailbox], ageLimit: 180d, record: {owner: {defaults: true}}}`, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", onAnn, "{owner: []}", inForce)},
			want:       "drifted\nauditLogAgeLimit planned 90.00:00:00=>180.00:00:00\nauditOwner exempt +Send\n",
		},
		"a list that could not be read is not within anything": {
			rules: defaults, profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].missing = "gone" }),
			exemptions: []string{exemption("e", onAnn, "{owner: []}", inForce)}, want: "unknown\n? auditOwner\n",
		},
		"an action that nobody knows": {
			rules: `{types: [UserMailbox], record: {owner: {plus: [Move, Teleport]}}}`, profile: healthy(audit.UserMailbox, deletes),
			exemptions: []string{exemption("e", onAnn, "{owner: [HardDelete]}", inForce)},
			want:       "exempt\nauditOwner exempt +Move+Teleport\n",
		},
		"whom it is for cannot be told": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", `{attribute: {office: Berlin}}`, "{owner: []}", inForce)},
			want:       "unknown\nauditOwner blocked +Send\n? \n",
		},
		"whom it is for cannot be told, and does not matter": {
			rules: defaults, profile: healthy(audit.UserMailbox),
			exemptions: []string{exemption("e", `{attribute: {office: Berlin}}`, "{owner: []}", inForce)}, want: "inSync\n",
		},
		"whom it is for cannot be told, and it has expired": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{exemption("e", `{attribute: {office: Berlin}}`, "{owner: []}", ended)},
			want:       "drifted\nauditOwner planned +Send\n",
		},
		"whom one is for cannot be told, another exempts": {
			rules: defaults, profile: healthy(audit.UserMailbox, lacksSend),
			exemptions: []string{
				exemption("e1", `{attribute: {office: Berlin}}`, "{owner: []}", inForce),
				exemption("e2", onAnn, "{owner: []}", inForce),
			},
			want: "exempt\nauditOwner exempt +Send\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := exempting(t, c.rules, c.exemptions...)
			got := d.mailbox(c.profile, matchesOf(d.policy, ann(c.profile.kind.value)), c.stored)
			if diff := cmp.Diff(c.want, say(got)); diff != "" {
				t.Error(diff)
			}
			for _, ch := range got.changes {
				if ch.Reason == "" || ch.Origin.Line == 0 || ch.Add == nil || ch.Remove == nil || ch.Controls == nil {
					t.Errorf("a change without reason, position or lists: %+v", ch)
				}
			}
		})
	}
}

// TestExemptReasons: who reads of a difference is told which exemption it is
// about, and until when.
func TestExemptReasons(t *testing.T) {
	const rule = `{ageLimit: 180d, controls: [A.1]}`
	for expires, want := range map[string]struct {
		reason string
		line   int
	}{
		"{ageLimit: 90d}, 2026-07-01":  {"exemption e until 2026-07-01 for msg@contoso.com: an import", 5},
		"{ageLimit: 120d}, 2026-07-01": {"the least that exemption e accepts, until 2026-07-01", 5},
		"{ageLimit: 90d}, 2026-05-01":  {"exemption e ended on 2026-05-01", 8},
	} {
		accept, day, _ := strings.Cut(expires, ", ")
		d := exempting(t, rule, exemption("e", onAnn, accept, day))
		got := d.mailbox(healthy(audit.UserMailbox), matchesOf(d.policy, ann(audit.UserMailbox)), false)
		if len(got.changes) != 1 {
			t.Fatalf("%s: %s", expires, say(got))
		}
		c := got.changes[0]
		if !strings.Contains(c.Reason, want.reason) || c.Origin.Line != want.line || len(c.Controls) != 1 || c.Controls[0] != "A.1" {
			t.Errorf("%s: reason %q at line %d, controls %v", expires, c.Reason, c.Origin.Line, c.Controls)
		}
	}
}

// TestExemptOrganization: a switch of the tenant may be off for a time.
func TestExemptOrganization(t *testing.T) {
	const text = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\n" +
		"organization: {unifiedAuditLog: true, mailboxAuditing: true, controls: [A.1]}\n" +
		"exemptions:\n  e: {subject: organization, accept: %s, reason: r, owner: o@contoso.com, expires: %s}\n"
	off := tenantView{unifiedLogRead: true, auditDisabled: fact[bool]{value: true}}
	for _, c := range []struct{ accept, expires, want string }{
		{"{unifiedAuditLog: false, mailboxAuditing: false}", inForce, "exempt\nauditDisabled exempt true=>true\nunifiedAuditLogIngestionEnabled exempt false=>false\n"},
		{"{unifiedAuditLog: false}", inForce, "drifted\nauditDisabled planned true=>false\nunifiedAuditLogIngestionEnabled exempt false=>false\n"},
		{"{mailboxAuditing: false}", inForce, "drifted\nauditDisabled exempt true=>true\nunifiedAuditLogIngestionEnabled planned false=>true\n"},
		{"{unifiedAuditLog: false, mailboxAuditing: false}", ended, "drifted\nauditDisabled planned true=>false\nunifiedAuditLogIngestionEnabled planned false=>true\n"},
	} {
		p, diags := policy.Parse("policy.yaml", fmt.Appendf(nil, text, c.accept, c.expires))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got := differ{policy: p, now: today()}.organization(off)
		if diff := cmp.Diff(c.want, say(got)); diff != "" {
			t.Errorf("%s until %s:\n%s", c.accept, c.expires, diff)
		}
		for _, ch := range got.changes {
			if diff := cmp.Diff([]string{"A.1"}, ch.Controls); diff != "" || ch.ID == "" {
				t.Errorf("%s: %s", ch.Setting, diff)
			}
		}
	}
}

// TestControls: a change answers to the controls of each rule that asks for it,
// and of no other.
func TestControls(t *testing.T) {
	d := differFor(t, `{controls: [B.2, A.1], record: {owner: {plus: [Move]}}}`+"\n"+
		`{controls: [C.3], record: {owner: {plus: [Move, Update]}}, ageLimit: 30d}`+"\n"+
		`{controls: [D.4], record: {owner: {plus: [Update]}}, ageLimit: 180d}`+"\n"+
		`{record: {owner: {plus: [Move]}}}`+"\n"+
		`{controls: [E.5], types: [RoomMailbox], record: {owner: {plus: [Move]}}}`, "")
	got := d.mailbox(healthy(audit.UserMailbox), matchesOf(d.policy, ann(audit.UserMailbox)), false)
	want := map[audit.Setting][]string{audit.SettingAuditOwner: {"A.1", "B.2", "C.3"}, audit.SettingAuditLogAgeLimit: {"D.4"}}
	have := map[audit.Setting][]string{}
	for _, c := range got.changes {
		have[c.Setting] = c.Controls
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func TestRingsOf(t *testing.T) {
	for _, c := range []struct {
		guards  string
		changed int
		want    []Ring
	}{
		{"{}", 0, []Ring{{}}},
		{"{}", 99, []Ring{{}}},
		{"{}", 100, []Ring{{5}, {1}, {}}},
		{"{}", 101, []Ring{{5}, {2}, {}}},
		{"{}", 20_000, []Ring{{5}, {200}, {}}},
		{"{rings: []}", 20_000, []Ring{{}}},
		{"{rings: [5]}", 5, []Ring{{}}},
		{"{rings: [5]}", 6, []Ring{{5}, {}}},
		{"{rings: [10%, 5]}", 11, []Ring{{2}, {5}, {}}},
		{"{rings: [1, 50%, 60%]}", 100, []Ring{{1}, {50}, {}}},
		{"{rings: [0.1%]}", 1000, []Ring{{1}, {}}},
		{"{rings: [100%]}", 1000, []Ring{{}}},
	} {
		d := differFor(t, "{ageLimit: 30d}", "guards: "+c.guards)
		if diff := cmp.Diff(c.want, ringsOf(d.policy.Guards, c.changed)); diff != "" {
			t.Errorf("%s of %d: %s", c.guards, c.changed, diff)
		}
	}
}

// TestUnsupportedPolicy: what a run has no means to compare is refused and not
// passed over.
func TestUnsupportedPolicy(t *testing.T) {
	p := differFor(t, "{ageLimit: 30d}", "retention: {floor: 180d}").policy
	_, err := Check(t.Context(), nil, Request{Policy: p})
	if unsupported, ok := errors.AsType[*UnsupportedError](err); !ok || !strings.HasPrefix(err.Error(), "policy.yaml:") || unsupported.Pos != p.Retention.Pos {
		t.Errorf("without a client for it: %v", err)
	}
	if err := withoutCompliance(Request{Policy: p, Mailbox: "ann@contoso.com"}); err != nil {
		t.Errorf("a look at one mailbox: %v", err)
	}
}
