package policy_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

func baseline(t *testing.T, name string) *policy.Policy {
	t.Helper()
	data, ok := policy.Baseline(name)
	if !ok {
		t.Fatalf("there is no baseline %s", name)
	}
	p, found := policy.Parse("builtin:"+name, data)
	if len(found) > 0 {
		t.Fatal(found.Error())
	}
	return p
}

// TestBaselines holds each built-in policy to what it resolves to for every type
// of mailbox, and to being written like a policy of the user.
func TestBaselines(t *testing.T) {
	var listed []string
	for _, info := range policy.Baselines() {
		listed = append(listed, info.Name)
		t.Run(info.Name, func(t *testing.T) {
			p := baseline(t, info.Name)
			if p.Name != info.Name || info.Title == "" || info.Source == "" {
				t.Errorf("the policy is called %s, %+v", p.Name, info)
			}
			if found := p.Expiries(time.Unix(0, 0)); len(found) > 0 {
				t.Error(found.Error())
			}
			golden(t, "testdata/baselines/"+info.Name+".golden", dump(p)+dumpTypes(p))
		})
	}
	files, err := os.ReadDir("baselines")
	if err != nil || len(files) != len(listed) {
		t.Errorf("%d files for %d baselines (%v)", len(files), len(listed), err)
	}
	if _, ok := policy.Baseline("../baselines"); ok {
		t.Error("a path is taken for a baseline")
	}
	want := []string{"microsoft-default", "defaults-plus", "cis-m365-4.0-e3", "cis-m365-4.0-e5", "cis-m365-7.0", "cisa-scuba", "whitepaper-2016"}
	if !slices.Equal(listed, want) {
		t.Errorf("Baselines() = %v", listed)
	}
}

// dumpTypes writes the lists that a mailbox of each type must show, with
// Microsoft's defaults written out.
func dumpTypes(p *policy.Policy) string {
	var b strings.Builder
	for _, typ := range audit.MailboxTypes() {
		w := resolveType(p, typ)
		if w == (policy.Wishes{}) {
			fmt.Fprintf(&b, "%s: no rule\n", typ)
			continue
		}
		fmt.Fprintf(&b, "%s:\n", typ)
		for _, l := range audit.LogonTypes() {
			if w.Record[l] != nil {
				fmt.Fprintf(&b, "  %s: %s\n", l, least(w.Record[l], typ, l))
			}
		}
	}
	return b.String()
}

// resolveType merges the rules that speak of a type, whatever their selectors.
func resolveType(p *policy.Policy, typ audit.MailboxType) policy.Wishes {
	var rules []int
	for i, r := range p.Mailboxes {
		if slices.Contains(r.Types, typ) {
			rules = append(rules, i)
		}
	}
	w, _ := p.Resolve(typ, rules)
	return w
}

func least(w *policy.RecordWish, typ audit.MailboxType, l audit.LogonType) audit.ActionSet {
	set := w.Plus
	if w.Defaults || w.Managed {
		set = set.Union(audit.Defaults(typ, l))
	}
	return set
}

// cisLists are the lists of CIS 6.1.2 (semantics 6.1): of v4.0 for E3, then what
// v4.0 for E5 and v5 to v7 have on top.
func cisLists() (e3, more [3]string) {
	e3[audit.Admin] = "ApplyRecord, Copy, Create, FolderBind, HardDelete, Move, MoveToDeletedItems, SendAs, SendOnBehalf, SoftDelete, Update, UpdateCalendarDelegation, UpdateFolderPermissions, UpdateInboxRules"
	e3[audit.Delegate] = "ApplyRecord, Create, FolderBind, HardDelete, Move, MoveToDeletedItems, SendAs, SendOnBehalf, SoftDelete, Update, UpdateFolderPermissions, UpdateInboxRules"
	e3[audit.Owner] = "ApplyRecord, Create, HardDelete, MailboxLogin, Move, MoveToDeletedItems, SoftDelete, Update, UpdateCalendarDelegation, UpdateFolderPermissions, UpdateInboxRules"
	more[audit.Admin] = "MailItemsAccessed, Send"
	more[audit.Delegate] = "MailItemsAccessed"
	more[audit.Owner] = "MailItemsAccessed, Send"
	return e3, more
}

func setOf(lists ...string) audit.ActionSet {
	var set audit.ActionSet
	for _, list := range lists {
		set = set.Union(audit.SetOf(strings.Split(list, ", ")))
	}
	return set
}

func TestCISListsAreThePublishedOnes(t *testing.T) {
	e3, more := cisLists()
	for name, tt := range map[string]struct {
		lists   [3]audit.ActionSet
		age     time.Duration
		control string
	}{
		"cis-m365-4.0-e3": {[3]audit.ActionSet{setOf(e3[0]), setOf(e3[1]), setOf(e3[2])}, 90 * 24 * time.Hour, "CIS-M365-4.0:6.1.2"},
		"cis-m365-4.0-e5": {[3]audit.ActionSet{setOf(e3[0], more[0]), setOf(e3[1], more[1]), setOf(e3[2], more[2])}, 180 * 24 * time.Hour, "CIS-M365-4.0:6.1.3"},
		"cis-m365-7.0":    {[3]audit.ActionSet{setOf(e3[0], more[0]), setOf(e3[1], more[1]), setOf(e3[2], more[2])}, 180 * 24 * time.Hour, "CIS-M365-7.0:6.1.2"},
	} {
		p := baseline(t, name)
		w := resolveType(p, audit.UserMailbox)
		for _, l := range audit.LogonTypes() {
			r := w.Record[l]
			if r == nil || r.Defaults || r.Managed || r.Exact != nil || !r.Plus.Equal(tt.lists[l]) {
				t.Errorf("%s %s asks for %+v, want %s alone", name, l, r, tt.lists[l])
			}
			if !slices.Contains(r.Origin.Controls, tt.control) {
				t.Errorf("%s %s serves %v", name, l, r.Origin.Controls)
			}
		}
		if w.AgeLimit.Value != tt.age || w.AuditEnabled.Value != policy.Effective || len(p.Types()) != 1 || len(p.Bypass.Allow) != 0 {
			t.Errorf("%s: %v, %v, types %v", name, w.AgeLimit.Value, w.AuditEnabled.Value, p.Types())
		}
	}
}

// TestCISListsMatchTheReference compares the literal copy above with the table it
// is from, where that is at hand.
func TestCISListsMatchTheReference(t *testing.T) {
	data, err := os.ReadFile("../../shared/reference/audit-semantics.md")
	if err != nil {
		t.Skip("the reference is not beside this repository: only the literal copy of the lists is tested")
	}
	e3, more := cisLists()
	for _, l := range audit.LogonTypes() {
		row := regexp.MustCompile(`(?m)^\| ` + l.String() + ` \| ([A-Za-z, ]+) \| \+ ([A-Za-z, ]+) \|$`).FindSubmatch(data)
		if row == nil {
			t.Fatalf("the reference has no row for %s", l)
		}
		if !setOf(e3[l]).Equal(setOf(string(row[1]))) || !setOf(more[l]).Equal(setOf(string(row[2]))) {
			t.Errorf("%s: the reference has %s and %s", l, row[1], row[2])
		}
	}
}

// TestDefaultsPlusIsCISLessMailboxLogin: the extras of CIS on top of defaults.
func TestDefaultsPlusIsCISLessMailboxLogin(t *testing.T) {
	plus, cis := resolveType(baseline(t, "defaults-plus"), audit.UserMailbox), resolveType(baseline(t, "cis-m365-7.0"), audit.UserMailbox)
	for _, l := range audit.LogonTypes() {
		want := cis.Record[l].Plus.Minus(audit.Defaults(audit.UserMailbox, l)).Minus(audit.NewActionSet(audit.MailboxLogin))
		if r := plus.Record[l]; !r.Defaults || !r.Plus.Equal(want) {
			t.Errorf("%s: %+v, want the defaults and %s", l, r, want)
		}
	}
}

// TestWhitePaper: no owner, no exclusion, a year.
func TestWhitePaper(t *testing.T) {
	p := baseline(t, "whitepaper-2016")
	w := resolveType(p, audit.SharedMailbox)
	if w.Record[audit.Owner] != nil || w.Record[audit.Admin].Plus.String() != "Copy, MailItemsAccessed" || w.Record[audit.Delegate].Plus.String() != "FolderBind, SendOnBehalf" {
		t.Errorf("%s", dumpWishes(w))
	}
	year := 365 * 24 * time.Hour
	if w.AgeLimit.Value != year || p.Retention.Require[0].AtLeast.Value != year || len(p.AdminAudit.ExcludedCmdlets.Value) != 0 {
		t.Errorf("age %v, %+v, %+v", w.AgeLimit.Value, p.Retention, p.AdminAudit)
	}
}

// TestBaselinesGoTogether: no two published baselines contradict each other.
func TestBaselinesGoTogether(t *testing.T) {
	var all []string
	for _, b := range policy.Baselines() {
		all = append(all, b.Name)
	}
	mustParse(t, head+"extends: ["+strings.Join(all, ", ")+"]\n")
}
