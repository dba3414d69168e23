package exchange_test

import (
	"errors"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const endpoint = "https://outlook.office365.com"

// connect makes a client of a simulated tenant, in process.
func connect(t *testing.T, s *simulator.Service, change ...func(*exchange.Config)) *exchange.Client {
	t.Helper()
	cfg := exchange.Config{
		Endpoint: endpoint, TenantID: s.Tenant().ID(), Transport: s.RoundTripper(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "simulated-access-token"}),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := exchange.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func collect[T any](seq iter.Seq2[T, error]) (rows []T, err error) {
	for row, e := range seq {
		if e != nil {
			return rows, e
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func smallTenant() simulator.Seed {
	return simulator.Seed{Seed: 1, Mailboxes: 40, Groups: 3, PublicFolders: 2, Users: 5, Drift: 0.3, Bypassed: 0.1}
}

// selection is all that a Mailbox holds.
func selection() []string {
	list := []string{
		"Guid", "ExchangeObjectId", "ExternalDirectoryObjectId", "UserPrincipalName", "PrimarySmtpAddress", "RecipientTypeDetails",
		"EmailAddresses", "PersistedCapabilities", "AuditEnabled", "AuditLogAgeLimit", "AuditAdmin", "AuditDelegate", "AuditOwner",
		"DefaultAuditSet", "Office", "UsageLocation",
	}
	for n := range 15 {
		list = append(list, "CustomAttribute"+strconv.Itoa(n+1))
	}
	return list
}

func TestEveryListingUnderEverySwitch(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(smallTenant())
			c := connect(t, simulator.New(tenant, simulator.WithSwitches(switches)))
			total := 0
			for _, listing := range []exchange.Listing{exchange.Ordinary, exchange.Groups, exchange.PublicFolders} {
				rows, err := collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Listing: listing, Select: selection()}))
				if err != nil {
					t.Fatal(err)
				}
				total += len(rows)
				for _, row := range rows {
					compare(t, tenant, row)
				}
			}
			if want := len(slices.Collect(tenant.AllMailboxes())); total != want {
				t.Errorf("%d mailboxes, want %d", total, want)
			}
			var want []string
			for b := range tenant.AllBypass() {
				want = append(want, b.Guid)
			}
			rows, err := collect(c.BypassAssociations(t.Context()))
			if err != nil || len(rows) != len(want) {
				t.Fatalf("%d bypass rows, %v; want %d", len(rows), err, len(want))
			}
			for i, row := range rows {
				stored, _ := tenant.Bypass(want[i])
				enabled, known := row.AuditBypassEnabled.Get()
				if row.Guid != exchange.Of(stored.Guid) || !known || enabled != stored.Enabled || row.Name.Value != stored.Name {
					t.Errorf("bypass row %+v, want %+v", row, stored)
				}
			}
		})
	}
}

// compare holds a row against what the tenant stores.
func compare(t *testing.T, tenant *simulator.Tenant, row exchange.Mailbox) {
	t.Helper()
	guid, _ := row.Guid.Get()
	m, found := tenant.Mailbox(guid)
	if !found {
		t.Fatalf("a row with the Guid %q of no mailbox", guid)
	}
	texts := map[string]bool{
		"UserPrincipalName":    row.UserPrincipalName == exchange.Of(m.UserPrincipalName),
		"PrimarySmtpAddress":   row.PrimarySMTPAddress == exchange.Of(m.PrimarySMTPAddress),
		"RecipientTypeDetails": row.RecipientTypeDetails == exchange.Of(m.Type),
		"ExchangeObjectId":     row.ExchangeObjectID == exchange.Of(m.ExchangeObjectID),
		"AuditLogAgeLimit":     row.AuditLogAgeLimit == exchange.Of(m.AgeLimit),
	}
	for name, equal := range texts {
		if !equal {
			t.Errorf("%s of %s differs: %+v", name, guid, row)
		}
	}
	lists := []struct {
		name string
		got  exchange.Field[[]string]
		want []string
	}{
		{"AuditAdmin", row.AuditAdmin, m.Shown("Admin")},
		{"AuditDelegate", row.AuditDelegate, m.Shown("Delegate")},
		{"AuditOwner", row.AuditOwner, m.Shown("Owner")},
		{"DefaultAuditSet", row.DefaultAuditSet, m.Managed},
		{"EmailAddresses", row.EmailAddresses, m.Addresses},
		{"PersistedCapabilities", row.PersistedCapabilities, m.Capabilities},
	}
	for _, list := range lists {
		if got, known := list.got.Get(); !known || !sameSet(got, list.want) {
			t.Errorf("%s of %s = %+v, want %v", list.name, guid, list.got, list.want)
		}
	}
	for n, want := range m.CustomAttributes {
		if row.CustomAttributes[n-1] != exchange.Of(want) {
			t.Errorf("CustomAttribute%d of %s = %+v, want %q", n, guid, row.CustomAttributes[n-1], want)
		}
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestRequestsOfAListing(t *testing.T) {
	for name, want := range map[string]int{"nextLink=post": 3, "nextLink=both": 3, "nextLink=get": 4} {
		t.Run(name, func(t *testing.T) {
			var switches simulator.Switches
			if err := simulator.ParseSwitch(&switches, name); err != nil {
				t.Fatal(err)
			}
			s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 2500}), simulator.WithSwitches(switches), simulator.WithCompression())
			c := connect(t, s)
			for round := range 2 {
				s.ResetCalls()
				rows, err := collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"AuditEnabled"}}))
				if err != nil || len(rows) != 2500 {
					t.Fatalf("%d rows, %v", len(rows), err)
				}
				seen := map[string]bool{}
				for _, row := range rows {
					seen[row.Guid.Value] = true
				}
				if len(seen) != 2500 {
					t.Errorf("%d different mailboxes, want 2500", len(seen))
				}
				if round > 0 {
					want = 3 // the verb is known by now
				}
				if got := s.Requests(); got != want {
					t.Errorf("round %d: %d requests, want %d", round, got, want)
				}
			}
			if got := c.Stats(); got.Pages != 6 {
				t.Errorf("Stats() = %+v, want 6 pages", got)
			}
		})
	}
}

func TestSingletonsAndTheirWritesUnderEverySwitch(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{AuditDisabled: true, UnifiedLogOff: true})
			c := connect(t, simulator.New(tenant, simulator.WithSwitches(switches)))
			before, err := c.Organization(t.Context())
			if err != nil || before.AuditDisabled != exchange.Of(true) || before.IsDehydrated != exchange.Of(false) || before.Name.State != exchange.Set {
				t.Fatalf("Organization() = %+v, %v", before, err)
			}
			log, err := c.AdminAuditLog(t.Context())
			if err != nil || log.UnifiedAuditLogIngestionEnabled != exchange.Of(false) || log.AdminAuditLogEnabled != exchange.Of(true) ||
				log.AdminAuditLogAgeLimit != exchange.Of("90.00:00:00") || !slices.Equal(log.AdminAuditLogCmdlets.Value, []string{"*"}) {
				t.Fatalf("AdminAuditLog() = %+v, %v", log, err)
			}
			for _, r := range []exchange.Result[struct{}]{c.SetAuditDisabled(t.Context(), false), c.SetUnifiedAuditLog(t.Context(), true)} {
				if r.Err != nil || r.Unchanged {
					t.Errorf("write = %+v", r)
				}
			}
			after, err := c.Organization(t.Context())
			if err != nil || after.AuditDisabled != exchange.Of(false) {
				t.Errorf("Organization() = %+v, %v", after, err)
			}
			log, err = c.AdminAuditLog(t.Context())
			if err != nil || log.UnifiedAuditLogIngestionEnabled != exchange.Of(true) {
				t.Errorf("AdminAuditLog() = %+v, %v", log, err)
			}
		})
	}
}

func TestDehydratedTenantIsTold(t *testing.T) {
	c := connect(t, simulator.New(simulator.NewTenant(simulator.Seed{Dehydrated: true, UnifiedLogOff: true})))
	if r := c.SetUnifiedAuditLog(t.Context(), true); !exchange.IsNotHydrated(r.Err) {
		t.Errorf("err = %v, want not hydrated", r.Err)
	}
	if r := c.EnableOrganizationCustomization(t.Context()); r.Err != nil {
		t.Fatal(r.Err)
	}
	if r := c.SetUnifiedAuditLog(t.Context(), true); r.Err != nil {
		t.Error(r.Err)
	}
	if r := c.EnableOrganizationCustomization(t.Context()); r.Err == nil {
		t.Error("the second run succeeded")
	}
}

func TestMailboxWritesUnderEverySwitch(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 12, Groups: 1})
			s := simulator.New(tenant, simulator.WithSwitches(switches))
			c := connect(t, s)
			var refs []exchange.MailboxRef
			for m := range tenant.AllMailboxes() {
				if m.Type == "UserMailbox" && len(refs) < 3 {
					refs = append(refs, exchange.MailboxRef{Guid: m.Guid})
				}
				if m.Type == "GroupMailbox" {
					refs = append(refs, exchange.MailboxRef{Guid: m.Guid, Listing: exchange.Groups})
				}
			}
			edits := []exchange.MailboxEdit{
				{Ref: refs[0], Delegate: &exchange.ListEdit{Add: []string{"FolderBind", "Move"}}},
				{Ref: refs[1], AuditLogAgeLimit: "180.00:00:00", Owner: &exchange.ListEdit{Remove: []string{"Update"}}},
				{Ref: refs[2], Owner: &exchange.ListEdit{Add: []string{"FolderBind"}}}, // not for owners
				{Ref: refs[3], AuditLogAgeLimit: "120.00:00:00"},
			}
			s.ResetCalls()
			results := c.SetMailboxes(t.Context(), edits)
			if got := s.Requests(); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
			for i, r := range results {
				if (r.Err != nil) != (i == 2) || r.Unchanged {
					t.Errorf("result %d = %+v", i, r)
				}
			}
			rows := c.MailboxesByID(t.Context(), refs, selection())
			for _, row := range rows {
				if row.Err != nil {
					t.Fatal(row.Err)
				}
				compare(t, tenant, row.Value)
			}
			if got := rows[0].Value.AuditDelegate.Value; !slices.Contains(got, "FolderBind") || !slices.Contains(got, "Move") {
				t.Errorf("AuditDelegate = %v", got)
			}
			if slices.Contains(rows[1].Value.AuditOwner.Value, "Update") || rows[1].Value.AuditLogAgeLimit.Value != "180.00:00:00" ||
				rows[3].Value.AuditLogAgeLimit.Value != "120.00:00:00" {
				t.Errorf("rows = %+v, %+v", rows[1].Value, rows[3].Value)
			}
			restored := c.SetMailboxes(t.Context(), []exchange.MailboxEdit{{Ref: refs[0], DefaultAuditSet: []string{"Admin", "Delegate", "Owner"}}})
			row := c.MailboxesByID(t.Context(), refs[:1], nil)[0]
			if restored[0].Err != nil || row.Err != nil || !sameSet(row.Value.DefaultAuditSet.Value, []string{"Admin", "Delegate", "Owner"}) {
				t.Errorf("restore: %+v, then %+v", restored[0], row)
			}
		})
	}
}

// TestRepeatedWritesAreTold: a second write of the same is told to be one, by a
// warning or by the error of its own (semantics 1.3 E5, E6).
func TestRepeatedWritesAreTold(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
			c := connect(t, simulator.New(tenant, simulator.WithSwitches(switches)))
			var guid string
			for m := range tenant.AllMailboxes() {
				guid = m.Guid
			}
			edit := exchange.MailboxEdit{Ref: exchange.MailboxRef{Guid: guid}, Owner: &exchange.ListEdit{Add: []string{"Move"}}}
			first := c.SetMailboxes(t.Context(), []exchange.MailboxEdit{edit})[0]
			second := c.SetMailboxes(t.Context(), []exchange.MailboxEdit{edit})[0]
			if first.Err != nil || first.Unchanged || second.Unchanged == exchange.IsAlreadyAudited(second.Err) {
				t.Errorf("first %+v, second %+v", first, second)
			}
		})
	}
}

func TestAccountsByIdentity(t *testing.T) {
	tenant := simulator.NewTenant(smallTenant())
	s := simulator.New(tenant)
	c := connect(t, s)
	var identities, guids []string
	var users []simulator.User
	for u := range tenant.AllUsers() {
		users = append(users, u)
		guids = append(guids, u.Guid)
		identities = append(identities, []string{u.Guid, u.UserPrincipalName, u.ExternalDirectoryObjectID}[len(users)%3])
		if len(users) == 9 {
			break
		}
	}
	unknown := "ffffffff-0000-0000-0000-000000000001"
	for i, r := range c.Users(t.Context(), append(slices.Clone(identities), unknown)) {
		if i == 9 {
			if !exchange.IsNotFound(r.Err) {
				t.Errorf("an unknown account gave %v", r.Err)
			}
			continue
		}
		if r.Err != nil || r.Value.Guid != exchange.Of(users[i].Guid) || r.Value.UserPrincipalName != exchange.Of(users[i].UserPrincipalName) {
			t.Errorf("%s gave %+v", identities[i], r)
		}
	}
	var edits []exchange.BypassEdit
	for _, guid := range guids {
		edits = append(edits, exchange.BypassEdit{Guid: guid})
	}
	for i, guid := range guids[:3] {
		tenant.SetBypass(guid, i < 2)
	}
	s.ResetCalls()
	for i, r := range c.SetBypass(t.Context(), edits) {
		before := i < 2
		if stored, _ := tenant.Bypass(guids[i]); r.Err != nil || stored.Enabled || before && r.Unchanged {
			t.Errorf("SetBypass %d = %+v, stored %+v", i, r, stored)
		}
	}
	for i, r := range c.BypassByID(t.Context(), append(guids[:2:2], unknown)) {
		if i == 2 {
			if !exchange.IsNotFound(r.Err) {
				t.Errorf("an unknown account gave %v", r.Err)
			}
		} else if r.Err != nil || r.Value.AuditBypassEnabled != exchange.Of(false) || r.Value.Guid != exchange.Of(guids[i]) {
			t.Errorf("BypassByID %d = %+v", i, r)
		}
	}
	if got := s.Requests(); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

func TestMailboxesByAddressAndUnknown(t *testing.T) {
	tenant := simulator.NewTenant(smallTenant())
	c := connect(t, simulator.New(tenant))
	var first simulator.Mailbox
	for m := range tenant.AllMailboxes() {
		first = m
		break
	}
	got := c.MailboxesByID(t.Context(), []exchange.MailboxRef{
		{Guid: first.PrimarySMTPAddress},
		{Guid: first.UserPrincipalName},
		{Guid: "nobody@" + tenant.Domain()},
		{Guid: first.Guid, Listing: exchange.Groups},
	}, nil)
	for i, r := range got {
		if found := i < 2; found && (r.Err != nil || r.Value.Guid != exchange.Of(first.Guid)) || !found && !exchange.IsNotFound(r.Err) {
			t.Errorf("result %d = %+v", i, r)
		}
	}
}

func TestFilterIsSent(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 30})
	c := connect(t, simulator.New(tenant))
	n := 0
	for m := range tenant.AllMailboxes() {
		n++
		tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.TriOf(n > 4) })
	}
	rows, err := collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Filter: "AuditEnabled -ne 'True'"}))
	if err != nil || len(rows) != 4 {
		t.Errorf("%d rows, %v; want 4", len(rows), err)
	}
}

func TestFaultsOfAListing(t *testing.T) {
	const get = "Get-Mailbox"
	tests := []struct {
		fault  simulator.Fault
		whole  bool
		reason exchange.Reason
		is     func(error) bool
	}{
		{fault: simulator.Throttled(get, 1, 3*time.Second), whole: true},
		{fault: simulator.Throttled(get, 2, 0), whole: true},
		{fault: simulator.Throttled(get, 0, time.Second), reason: exchange.ReasonRequest, is: exchange.IsThrottled},
		{fault: simulator.Unavailable(get, 2), whole: true},
		{fault: simulator.Unavailable(get, 0), reason: exchange.ReasonRequest},
		{fault: simulator.FrontDoor(get, 502, 1), whole: true},
		{fault: simulator.FrontDoor(get, 504, 0), reason: exchange.ReasonRequest},
		{fault: simulator.Transient(get, 1), whole: true},
		{fault: simulator.Transient(get, 0), reason: exchange.ReasonRequest},
		{fault: simulator.Refused(get), reason: exchange.ReasonRequest, is: exchange.IsRefused},
		{fault: simulator.Unauthenticated(get, 1), reason: exchange.ReasonRequest, is: exchange.IsUnauthenticated},
		{fault: simulator.CursorLost(get, 1), reason: exchange.ReasonCursorLost, is: exchange.IsCursorLost},
		{fault: simulator.CursorLost(get, 0), reason: exchange.ReasonCursorLost, is: exchange.IsCursorLost},
		{fault: simulator.BodyCut(get, 1), whole: true},
		{fault: simulator.BodyCut(get, 0), reason: exchange.ReasonTruncated},
		{fault: simulator.BodyCut(get, 3), reason: exchange.ReasonCursorLost, is: exchange.IsCursorLost},
		{fault: simulator.BodyBroken(get, 2), reason: exchange.ReasonCursorLost, is: exchange.IsCursorLost},
		{fault: simulator.NextLinkMissing(get, 1), reason: exchange.ReasonMoreResults},
		{fault: simulator.NextLinkMissing(get, 3), reason: exchange.ReasonMoreResults},
		{fault: simulator.NextLinkRepeated(get), reason: exchange.ReasonSamePage},
		{fault: simulator.NextLinkForeign(get, "evil.example"), reason: exchange.ReasonForeignLink},
		{fault: simulator.Redirected(get, "evil.example"), reason: exchange.ReasonRequest, is: func(err error) bool {
			e, found := errors.AsType[*exchange.RedirectError](err)
			return found && e.Host == "evil.example"
		}},
		{fault: simulator.ErrorInside(get, 2, "something failed"), reason: exchange.ReasonErrors},
		{fault: simulator.Warned(get, 3, "something is odd"), reason: exchange.ReasonWarning},
		{fault: simulator.ValueNull(get, 1), whole: true},
		{fault: simulator.ValueNull(get, 0), reason: exchange.ReasonNoValue},
		{fault: simulator.ValueNull(get, 2), reason: exchange.ReasonCursorLost, is: exchange.IsCursorLost},
		{fault: simulator.Delayed(get, 2, time.Minute), whole: true},
	}
	for _, tt := range tests {
		t.Run(tt.fault.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 2300, Now: time.Now()})
				hosts := &hostRecorder{next: nil, seen: map[string]int{}}
				s := simulator.New(tenant, simulator.WithFaults(tt.fault))
				hosts.next = s.RoundTripper()
				c := connect(t, s, func(cfg *exchange.Config) { cfg.Transport = hosts })
				rows, err := collect(c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"AuditEnabled"}}))
				if tt.whole {
					if err != nil || len(rows) != 2300 {
						t.Errorf("%d rows, %v; want all 2300", len(rows), err)
					}
				} else {
					e, found := errors.AsType[*exchange.IncompleteError](err)
					if !found || e.Reason != tt.reason || e.Rows != len(rows) {
						t.Errorf("%d rows and %v; want reason %q", len(rows), err, tt.reason)
					}
					if tt.is != nil && !tt.is(err) {
						t.Errorf("err = %v is not recognised", err)
					}
				}
				if len(hosts.seen) != 1 || hosts.seen["outlook.office365.com"] == 0 {
					t.Errorf("requests went to %v", hosts.seen)
				}
			})
		})
	}
}

// hostRecorder counts the requests of each host.
type hostRecorder struct {
	mu   sync.Mutex
	next http.RoundTripper
	seen map[string]int
}

func (h *hostRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.seen[req.URL.Host]++
	h.mu.Unlock()
	return h.next.RoundTrip(req)
}

func TestFaultsOfABatch(t *testing.T) {
	tests := []struct {
		name   string
		fault  simulator.Fault
		failed func(i int) bool
		stored func(i int) bool // whether the write is done
	}{
		{"an item is throttled", simulator.ItemThrottled("Set-Mailbox", 2, 5*time.Second), func(int) bool { return false }, func(int) bool { return true }},
		{"all are throttled once", simulator.Fault{Name: "all once", Cmdlet: "Set-Mailbox", Item: true, Times: 4, Do: simulator.DoThrottle}, func(int) bool { return false }, func(int) bool { return true }},
		{"the batch is throttled", simulator.Throttled("$batch", 1, time.Second), func(int) bool { return false }, func(int) bool { return true }},
		{"the batch is unavailable", simulator.Unavailable("$batch", 1), func(int) bool { return true }, func(int) bool { return false }},
		{"an answer is missing", simulator.ItemDropped("Set-Mailbox", 3), func(i int) bool { return i == 2 }, func(int) bool { return true }},
		{"an error inside", simulator.ErrorInside("Set-Mailbox", 1, "x"), func(i int) bool { return i == 0 }, func(int) bool { return true }},
		{"refused", simulator.Refused("Set-Mailbox"), func(int) bool { return true }, func(int) bool { return false }},
		{"the body is cut", simulator.BodyCut("$batch", 1), func(int) bool { return true }, func(int) bool { return true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 4, Now: time.Now()})
				c := connect(t, simulator.New(tenant, simulator.WithFaults(tt.fault)))
				var edits []exchange.MailboxEdit
				for m := range tenant.AllMailboxes() {
					edits = append(edits, exchange.MailboxEdit{Ref: exchange.MailboxRef{Guid: m.Guid}, AuditLogAgeLimit: "200.00:00:00"})
				}
				for i, r := range c.SetMailboxes(t.Context(), edits) {
					m, _ := tenant.Mailbox(edits[i].Ref.Guid)
					if (r.Err != nil) != tt.failed(i) || (m.AgeLimit == "200.00:00:00") != tt.stored(i) {
						t.Errorf("item %d: %v, stored %s", i, r.Err, m.AgeLimit)
					}
				}
			})
		})
	}
}

func TestStrangeRowsSpoilOneMailbox(t *testing.T) {
	tests := map[string]struct {
		edit func(*simulator.Row)
		want exchange.State
	}{
		"absent":          {func(r *simulator.Row) { r.Delete("AuditOwner") }, exchange.Absent},
		"other spelling":  {func(r *simulator.Row) { r.Rename("AuditOwner", "auditOwner") }, exchange.Absent},
		"null":            {func(r *simulator.Row) { r.Set("AuditOwner", "null") }, exchange.Null},
		"text":            {func(r *simulator.Row) { r.Set("AuditOwner", `"Update"`) }, exchange.Mistyped},
		"given twice":     {func(r *simulator.Row) { r.Append("AuditOwner", `[]`) }, exchange.Duplicate},
		"nested":          {func(r *simulator.Row) { r.Set("AuditOwner", `[{"a":[1]}]`) }, exchange.Mistyped},
		"only annotation": {func(r *simulator.Row) { r.Rename("AuditOwner", "AuditOwner@data.type") }, exchange.Absent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: 30}), simulator.WithRowEdit(func(_ string, row *simulator.Row) {
				if n++; n == 7 {
					tt.edit(row)
				}
			}))
			rows, err := collect(connect(t, s).Mailboxes(t.Context(), exchange.MailboxQuery{}))
			if err != nil || len(rows) != 30 {
				t.Fatalf("%d rows, %v; want all 30", len(rows), err)
			}
			for i, row := range rows {
				want := exchange.Set
				if i == 6 {
					want = tt.want
				}
				if row.AuditOwner.State != want || row.AuditAdmin.State != exchange.Set {
					t.Errorf("row %d: AuditOwner %v, want %v", i, row.AuditOwner.State, want)
				}
			}
		})
	}
}

// TestLargeListing reads a tenant of a size at which a second copy of anything
// would be felt.
func TestLargeListing(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred thousand mailboxes; not under -short")
	}
	const mailboxes = 100_000
	s := simulator.New(simulator.NewTenant(simulator.Seed{Mailboxes: mailboxes}))
	c := connect(t, s, func(cfg *exchange.Config) { cfg.CmdletsPerSecond = 10_000 })
	count := 0
	for row, err := range c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"AuditEnabled", "AuditOwner", "DefaultAuditSet"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.AuditOwner.State != exchange.Set {
			t.Fatalf("row %d = %+v", count, row)
		}
		count++
	}
	if got := c.Stats(); count != mailboxes || got.Requests != mailboxes/exchange.PageSize || got.Pages != got.Requests {
		t.Errorf("%d rows with %+v", count, got)
	}
}
