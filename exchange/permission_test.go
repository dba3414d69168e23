package exchange

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDelegationIsUnknownWhereTheRowIs covers each part of a row that is missing or
// of another form.
func TestDelegationIsUnknownWhereTheRowIs(t *testing.T) {
	whole := MailboxPermission{User: Of("ann@contoso.com"), AccessRights: Of([]string{"fullaccess"}), IsInherited: Of(false), Deny: Of(false)}
	tests := []struct {
		name   string
		change func(*MailboxPermission)
		want   Delegation
	}{
		{"whole", func(*MailboxPermission) {}, Delegated},
		{"no user", func(p *MailboxPermission) { p.User = Field[string]{} }, DelegationUnknown},
		{"an empty user", func(p *MailboxPermission) { p.User = Of(" ") }, DelegationUnknown},
		{"no rights", func(p *MailboxPermission) { p.AccessRights = Field[[]string]{} }, DelegationUnknown},
		{"rights of another form", func(p *MailboxPermission) { p.AccessRights = Field[[]string]{State: Mistyped} }, DelegationUnknown},
		{"no inheritance", func(p *MailboxPermission) { p.IsInherited = Field[bool]{State: Null} }, DelegationUnknown},
		{"no deny", func(p *MailboxPermission) { p.Deny = Field[bool]{} }, DelegationUnknown},
		{"inherited, the rest not known", func(p *MailboxPermission) { *p = MailboxPermission{IsInherited: Of(true)} }, NotDelegated},
		{"denied, the rest not known", func(p *MailboxPermission) { *p = MailboxPermission{Deny: Of(true)} }, NotDelegated},
		{"itself, the rest not known", func(p *MailboxPermission) { *p = MailboxPermission{User: Of(`nt authority\self`)} }, NotDelegated},
		{"gone", func(p *MailboxPermission) { p.User = Of("s-1-5-21-7") }, NotDelegated},
		{"an identifier of another kind", func(p *MailboxPermission) { p.User = Of("S-1-5-18") }, Delegated},
		{"another right", func(p *MailboxPermission) { p.AccessRights = Of([]string{"ReadPermission"}) }, NotDelegated},
		{"several rights in one element", func(p *MailboxPermission) { p.AccessRights = Of([]string{"ReadPermission, FullAccess"}) }, Delegated},
		{"several others in one element", func(p *MailboxPermission) { p.AccessRights = Of([]string{"DeleteItem, ReadPermission"}) }, NotDelegated},
		{"a number", func(p *MailboxPermission) { p.AccessRights = Of([]string{"1"}) }, DelegationUnknown},
		{"a number beside", func(p *MailboxPermission) { p.AccessRights = Of([]string{"ReadPermission, 65536"}) }, DelegationUnknown},
		{"an empty right", func(p *MailboxPermission) { p.AccessRights = Of([]string{""}) }, DelegationUnknown},
		{"no right at all", func(p *MailboxPermission) { p.AccessRights = Of([]string{}) }, NotDelegated},
	}
	for _, test := range tests {
		p := whole
		test.change(&p)
		if got := p.Delegation(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	row := RecipientPermission{Trustee: Of("a"), AccessRights: Of([]string{"SendAs"}), IsInherited: Of(false)}
	for kind, want := range map[string]Delegation{"Allow": Delegated, "deny": NotDelegated, "Audit": DelegationUnknown, "": DelegationUnknown} {
		row.AccessControlType = Of(kind)
		if got := row.Delegation(); got != want {
			t.Errorf("%q: %v, want %v", kind, got, want)
		}
	}
}

// TestPermissionForms reads both forms of a row and what is neither.
func TestPermissionForms(t *testing.T) {
	const one = `{"AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}`
	for body, want := range map[string][]Delegation{
		`{"User":"a","AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}`:            {Delegated},
		`{"User":"a","PermissionList":[` + one + `,{"Deny":true}]}`:                              {Delegated, NotDelegated},
		`{"User":"a","PermissionList":[]}`:                                                       {},
		`{"User":"a","PermissionList":[7]}`:                                                      {DelegationUnknown},
		`{"User":"a","PermissionList":null}`:                                                     {DelegationUnknown},
		`{"User":"a","PermissionList":"FullAccess"}`:                                             {DelegationUnknown},
		`{"User":"a","PermissionList":[` + one + `],"PermissionList":[]}`:                        {DelegationUnknown},
		`{"User":"a","PermissionList":[],"AccessRights":["FullAccess"],"IsInherited":false}`:     {DelegationUnknown},
		`{"User":"a","AccessRights":"FullAccess","IsInherited":false,"Deny":false}`:              {DelegationUnknown},
		`{"User":"a","User":"b","AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}`: {DelegationUnknown},
		`{"user":"a","AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}`:            {DelegationUnknown},
		`{"User":"a","AccessRights":["FullAccess"],"IsInherited":"False","Deny":"True"}`:         {NotDelegated},
		`"FullAccess"`: {DelegationUnknown},
	} {
		var p MailboxPermission
		if err := takeRow(newDecoder([]byte(body)), nil, func(name []byte) property { return mailboxPermissionProperty(&p, name) }); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		got := []Delegation{}
		for _, row := range p.each() {
			got = append(got, row.Delegation())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// FuzzMailboxPermission never takes a row for a delegate's that has not all that
// makes one, and agrees with the row of the other form.
func FuzzMailboxPermission(f *testing.F) {
	for _, seed := range []string{
		`{"User":"a","AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}`,
		`{"User":"a","PermissionList":[{"AccessRights":["FullAccess"],"IsInherited":false,"Deny":false}]}`,
		`{"User":"NT AUTHORITY\\SELF","AccessRights":["FullAccess","ReadPermission"],"IsInherited":false,"Deny":false}`,
		`{"User":null,"AccessRights":"x","PermissionList":{}}`, `[]`, `{"User":"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p MailboxPermission
		if takeRow(newDecoder(body), nil, func(name []byte) property { return mailboxPermissionProperty(&p, name) }) != nil {
			return
		}
		for _, row := range p.each() {
			if row.Delegation() != Delegated {
				continue
			}
			if row.User.State != Set || row.AccessRights.State != Set || row.IsInherited != Of(false) || row.Deny != Of(false) || isNobodyElse(row.User.Value) {
				t.Errorf("%s is taken for a delegate's: %+v", body, row)
			}
		}
		if p.list.state != Absent && p.list.state != Set {
			for _, row := range p.each() {
				if row.Delegation() == Delegated {
					t.Errorf("a list that is %v names a delegate", p.list.state)
				}
			}
		}
	})
}

// TestPermissionPagesAreNotTakenTwice shows a page that comes in the place of the
// last one.
func TestPermissionPagesAreNotTakenTwice(t *testing.T) {
	const row = `{"Identity":"a","Trustee":"b","AccessControlType":"Allow","AccessRights":["SendAs"],"IsInherited":false}`
	c, _ := scripted(t, page(row, invokePath+"?%24skiptoken=1"), page(row, ""))
	rows, err := drain[RecipientPermission](c.RecipientPermissions(t.Context()))
	if e, ok := errors.AsType[*IncompleteError](err); !ok || e.Reason != ReasonSamePage || len(rows) != 2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}
