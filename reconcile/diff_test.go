package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// healthy is a mailbox as the service makes it: managed, with defaults.
func healthy(kind audit.MailboxType, change ...func(*profile)) profile {
	p := profile{
		kind: fact[audit.MailboxType]{value: kind}, enabled: fact[tri]{value: triTrue},
		age: fact[time.Duration]{value: 90 * 24 * time.Hour}, managed: fact[logons]{value: 7},
		licensed: fact[bool]{value: true},
	}
	for _, l := range audit.LogonTypes() {
		p.lists[l].value = audit.Defaults(kind, l)
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func pinned(l audit.LogonType, actions ...string) func(*profile) {
	return func(p *profile) {
		p.managed.value = p.managed.value.without(l)
		p.lists[l].value = audit.SetOf(actions)
	}
}

func defaultsAnd(l audit.LogonType, more ...string) []string {
	return audit.Defaults(audit.UserMailbox, l).Union(audit.SetOf(more)).Slice()
}

func differFor(t *testing.T, rules, rest string) differ {
	t.Helper()
	text := "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\n" + rest + "\nmailboxes:\n"
	for i, r := range strings.Split(rules, "\n") {
		text += fmt.Sprintf("  r%d: %s\n", i, r)
	}
	p, diags := policy.Parse("policy.yaml", []byte(text))
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	return differ{policy: p}
}

// say puts a finding in a line per fact.
func say(f finding) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.state)
	for _, c := range f.changes {
		fmt.Fprintf(&b, "%s %s", c.Setting, c.Fate)
		if len(c.Add) > 0 {
			fmt.Fprintf(&b, " +%s", strings.Join(c.Add, "+"))
		}
		if len(c.Remove) > 0 {
			fmt.Fprintf(&b, " -%s", strings.Join(c.Remove, "-"))
		}
		if len(c.Add)+len(c.Remove) == 0 {
			fmt.Fprintf(&b, " %v=>%v", c.Before, c.After)
		}
		for word, is := range map[string]bool{" weakens": c.Weakens, " pins": c.Pins} {
			if is {
				b.WriteString(word)
			}
		}
		b.WriteByte('\n')
	}
	for _, u := range f.unknown {
		fmt.Fprintf(&b, "? %s\n", u.Setting)
	}
	return b.String()
}

func TestDiffMailbox(t *testing.T) {
	const userRule = `{types: [UserMailbox], record: %s}`
	owner := func(form string) string { return fmt.Sprintf(userRule, "{owner: "+form+"}") }
	for name, c := range map[string]struct {
		rules, rest string
		profile     profile
		stored      bool
		want        string
	}{
		"a managed list satisfies defaults": {
			rules: owner("{defaults: true}"), profile: healthy(audit.UserMailbox), want: "inSync\n",
		},
		"a managed list that holds less than the matrix satisfies defaults": {
			rules:   owner("{defaults: true}"),
			profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].value = audit.SetOf([]string{"Update"}) }),
			want:    "inSync\n",
		},
		"a pinned list that lacks a default gets it": {
			rules:   owner("{defaults: true}"),
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, audit.Defaults(audit.UserMailbox, audit.Owner).Minus(audit.SetOf([]string{"Send"})).Slice()...)),
			want:    "drifted\nauditOwner planned +Send\n",
		},
		"extras on a managed list pin it": {
			rules: owner("{defaults: true, plus: [Move]}"), profile: healthy(audit.UserMailbox),
			want: "drifted\nauditOwner planned +Move pins\n",
		},
		"extras alone, there already": {
			rules: owner("{plus: [Update]}"), profile: healthy(audit.UserMailbox), want: "inSync\n",
		},
		"managed, and is": {
			rules: owner("{managed: true}"), profile: healthy(audit.UserMailbox), want: "inSync\n",
		},
		"managed, pinned, nothing to lose": {
			rules: owner("{managed: true}"), profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update")),
			want: "drifted\ndefaultAuditSet planned +Owner\n",
		},
		"managed, pinned, something to lose": {
			rules: owner("{managed: true}"), profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update", "Move")),
			want: "drifted\ndefaultAuditSet blocked +Owner weakens\n",
		},
		"managed, something to lose, allowed": {
			rules: owner("{managed: true}"), rest: "guards: {allowWeakening: true}",
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update", "Move")),
			want:    "drifted\ndefaultAuditSet planned +Owner weakens\n",
		},
		"managed is split": {
			rules:   fmt.Sprintf(userRule, "{owner: {managed: true}, admin: {managed: true}}"),
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Move"), pinned(audit.Admin, "Update")),
			want:    "drifted\ndefaultAuditSet planned +Admin\ndefaultAuditSet blocked +Owner weakens\n",
		},
		"managed with extras that Microsoft dropped": {
			rules:   owner("{managed: true, plus: [Send]}"),
			profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].value = audit.SetOf([]string{"Update"}) }),
			want:    "unknown\n? auditOwner\n",
		},
		"exact, and is": {
			rules: owner("{exact: [Update, Move]}"), profile: healthy(audit.UserMailbox, pinned(audit.Owner, "move", "UPDATE")),
			want: "inSync\n",
		},
		"exact is split": {
			rules: owner("{exact: [Update, Move]}"), profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update", "Send")),
			want: "drifted\nauditOwner planned +Move\nauditOwner blocked -Send weakens\n",
		},
		"exact, weakening allowed": {
			rules: owner("{exact: [Update, Move]}"), rest: "guards: {allowWeakening: true}",
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update", "Send")),
			want:    "drifted\nauditOwner planned +Move -Send weakens\n",
		},
		"an action that nobody knows is wanted, and not written": {
			rules: owner("{plus: [Move, Teleport]}"), profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update")),
			want: "drifted\nauditOwner planned +Move\nauditOwner blocked +Teleport\n",
		},
		"exact with an action that nobody knows, weakening allowed": {
			rules: owner("{exact: [Update, Teleport]}"), rest: "guards: {allowWeakening: true}",
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Send")),
			want:    "drifted\nauditOwner planned +Update -Send weakens\nauditOwner blocked +Teleport\n",
		},
		"a managed list that is empty was not shown": {
			rules:   owner("{defaults: true}"),
			profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].value = audit.ActionSet{} }),
			want:    "unknown\n? auditOwner\n",
		},
		"an action that nobody knows, allowed": {
			rules: owner("{plus: [Move, Teleport]}"), rest: "allowUnknownActions: true",
			profile: healthy(audit.UserMailbox, pinned(audit.Owner, "Update")),
			want:    "drifted\nauditOwner planned +Move+Teleport\n",
		},
		"a list that could not be read": {
			rules:   owner("{defaults: true}"),
			profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Owner].missing = "gone" }),
			want:    "unknown\n? auditOwner\n",
		},
		"a list that nobody asks for may be unreadable": {
			rules:   owner("{defaults: true}"),
			profile: healthy(audit.UserMailbox, func(p *profile) { p.lists[audit.Admin].missing = "gone" }),
			want:    "inSync\n",
		},
		"what is unknown in one value keeps the others from being written": {
			rules: `{types: [UserMailbox], ageLimit: 180d, record: {owner: {defaults: true}}}`,
			profile: healthy(audit.UserMailbox, func(p *profile) {
				p.lists[audit.Owner].missing = "gone"
			}),
			want: "unknown\nauditLogAgeLimit blocked 90.00:00:00=>180.00:00:00\n? auditOwner\n",
		},
		"DefaultAuditSet unreadable": {
			rules: owner("{defaults: true}"), profile: healthy(audit.UserMailbox, func(p *profile) { p.managed.missing = "gone" }),
			want: "unknown\n? auditOwner\n",
		},
		"a longer age limit is fine": {
			rules: `{ageLimit: 30d}`, profile: healthy(audit.UserMailbox), want: "inSync\n",
		},
		"an age limit that is null": {
			rules: `{ageLimit: 30d}`, profile: healthy(audit.UserMailbox, func(p *profile) { p.age.missing = "null" }),
			want: "unknown\n? auditLogAgeLimit\n",
		},
		"effective on a covered type": {
			rules: `{auditEnabled: effective}`, profile: healthy(audit.UserMailbox), stored: true, want: "inSync\n",
		},
		"effective on a room": {
			rules:   `{types: [RoomMailbox], auditEnabled: effective}`,
			profile: healthy(audit.RoomMailbox, func(p *profile) { p.enabled.value = triFalse }),
			want:    "drifted\nauditEnabled planned false=>true\n",
		},
		"effective on a room that was never set": {
			rules:   `{types: [RoomMailbox], auditEnabled: effective}`,
			profile: healthy(audit.RoomMailbox, func(p *profile) { p.enabled.value = triUnset }),
			want:    "drifted\nauditEnabled planned false=>true\n",
		},
		"explicit on a covered type that stores false": {
			rules: `{auditEnabled: explicit}`, profile: healthy(audit.UserMailbox), stored: true,
			want: "drifted\nauditEnabled planned false=>true\n",
		},
		"explicit on a covered type that stores true": {
			rules: `{auditEnabled: explicit}`, profile: healthy(audit.UserMailbox), want: "inSync\n",
		},
		"AuditEnabled unreadable": {
			rules: `{auditEnabled: effective}`, profile: healthy(audit.UserMailbox, func(p *profile) { p.enabled.missing = "gone" }),
			want: "unknown\n? auditEnabled\n",
		},
		"a type that nobody documents": {
			rules:   `{types: [TeamMailbox], ageLimit: 180d}`,
			profile: healthy(audit.TeamMailbox), want: "drifted\nauditLogAgeLimit unsupported 90.00:00:00=>180.00:00:00\n",
		},
		"no rule": {
			rules: `{types: [RoomMailbox], ageLimit: 180d}`, profile: healthy(audit.UserMailbox), want: "notApplicable\n",
		},
		"two rules that contradict each other on this mailbox": {
			rules: `{where: {address: "a*@contoso.com"}, record: {owner: {exact: [Update]}}}` + "\n" +
				`{where: {address: "*@contoso.com"}, record: {owner: {plus: [Move]}}}`,
			profile: healthy(audit.UserMailbox), want: "unknown\n? auditOwner\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := differFor(t, c.rules, c.rest)
			match := make([]policy.Match, len(d.policy.Mailboxes))
			for i, r := range d.policy.Mailboxes {
				match[i] = r.Match(policy.Subject{
					Type: c.profile.kind.value, Addresses: []string{"ann@contoso.com"}, AddressesKnown: true,
				})
			}
			got := d.mailbox(c.profile, match, c.stored)
			if diff := cmp.Diff(c.want, say(got)); diff != "" {
				t.Error(diff)
			}
			for _, ch := range got.changes {
				if ch.Reason == "" || ch.Origin.Line == 0 || ch.Add == nil || ch.Remove == nil {
					t.Errorf("a change without reason, position or lists: %+v", ch)
				}
			}
		})
	}
}

func TestDiffOpenRule(t *testing.T) {
	d := differFor(t, `{ageLimit: 180d}`+"\n"+`{where: {attribute: {office: Berlin}}, ageLimit: 365d}`, "")
	got := d.mailbox(healthy(audit.UserMailbox), []policy.Match{policy.Yes, policy.Open}, false)
	if got.state != Unknown || len(got.changes) != 1 || got.changes[0].Fate != FateBlocked {
		t.Errorf("an open rule was taken for no: %s", say(got))
	}
	got = d.mailbox(healthy(audit.UserMailbox), []policy.Match{policy.No, policy.Open}, false)
	if got.state != Unknown {
		t.Errorf("a mailbox that only an open rule may match is %s", got.state)
	}
}

func TestDiffStoredUnknown(t *testing.T) {
	d := differFor(t, `{auditEnabled: explicit}`, "")
	d.storedMissing = "the listing broke off"
	if got := d.mailbox(healthy(audit.UserMailbox), []policy.Match{policy.Yes}, false); got.state != Unknown {
		t.Errorf("without the listing a mailbox is %s", got.state)
	}
	room := differFor(t, `{types: [RoomMailbox], auditEnabled: explicit}`, "")
	room.storedMissing = d.storedMissing
	if got := room.mailbox(healthy(audit.RoomMailbox), []policy.Match{policy.Yes}, false); got.state != InSync {
		t.Errorf("a room shows what is stored, and is %s", got.state)
	}
}

func TestLearn(t *testing.T) {
	moved := audit.SetOf(defaultsAnd(audit.Owner, "AttachmentAccess"))
	shows := func(set audit.ActionSet) func(*profile) {
		return func(p *profile) { p.lists[audit.Owner].value = set }
	}
	for name, c := range map[string]struct {
		profiles []profile
		want     audit.ActionSet
	}{
		"two are too few": {[]profile{healthy(audit.UserMailbox, shows(moved)), healthy(audit.UserMailbox, shows(moved))}, audit.Defaults(audit.UserMailbox, audit.Owner)},
		"three of three": {[]profile{
			healthy(audit.UserMailbox, shows(moved)), healthy(audit.UserMailbox, shows(moved)), healthy(audit.UserMailbox, shows(moved)),
		}, moved},
		"a tie": {[]profile{
			healthy(audit.UserMailbox, shows(moved)), healthy(audit.UserMailbox, shows(moved)), healthy(audit.UserMailbox), healthy(audit.UserMailbox),
		}, audit.Defaults(audit.UserMailbox, audit.Owner)},
		"pinned lists have no vote": {[]profile{
			healthy(audit.UserMailbox, pinned(audit.Owner, "Move")), healthy(audit.UserMailbox, pinned(audit.Owner, "Move")),
			healthy(audit.UserMailbox, pinned(audit.Owner, "Move")),
		}, audit.Defaults(audit.UserMailbox, audit.Owner)},
		"other types have no vote": {[]profile{
			healthy(audit.SharedMailbox, shows(moved)), healthy(audit.SharedMailbox, shows(moved)), healthy(audit.SharedMailbox, shows(moved)),
		}, audit.Defaults(audit.UserMailbox, audit.Owner)},
		"group mailboxes are not believed": {[]profile{
			healthy(audit.UserMailbox, shows(moved), func(p *profile) { p.listing = exchange.Groups }),
			healthy(audit.UserMailbox, shows(moved), func(p *profile) { p.listing = exchange.Groups }),
			healthy(audit.UserMailbox, shows(moved), func(p *profile) { p.listing = exchange.Groups }),
		}, audit.Defaults(audit.UserMailbox, audit.Owner)},
	} {
		t.Run(name, func(t *testing.T) {
			pop := newPopulation()
			for i, p := range c.profiles {
				pop.add(guid{byte(i + 1)}, "m", p, nil)
			}
			cat := learn(pop)
			if got := cat.defaults(healthy(audit.UserMailbox), audit.Owner); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := len(cat.moved()) > 0; name != "other types have no vote" && got == c.want.Equal(audit.Defaults(audit.UserMailbox, audit.Owner)) {
				t.Errorf("says that the catalogue moved: %t", got)
			}
		})
	}
}
