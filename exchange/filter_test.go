package exchange

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestFilters(t *testing.T) {
	at := time.Date(2026, 7, 4, 15, 4, 5, 999_999_999, time.FixedZone("x", 3600))
	for got, want := range map[Filter]string{
		StoredAuditNotEnabled():                                            "AuditEnabled -ne 'True'",
		ChangedSince(at):                                                   "WhenChangedUTC -ge '7/4/2026 2:04:05 PM'",
		CreatedSince(at.Add(-2 * time.Hour)):                               "WhenMailboxCreated -ge '7/4/2026 12:04:05 PM'",
		ChangedSince(at.Add(10 * time.Hour)):                               "WhenChangedUTC -ge '7/5/2026 12:04:05 AM'",
		ChangedSince(time.Time{}):                                          "WhenChangedUTC -ge '1/1/0001 12:00:00 AM'",
		ChangedSince(time.Unix(math.MaxInt32<<8, 0)):                       "WhenChangedUTC -ge '12/31/9999 11:59:59 PM'",
		StoredAuditNotEnabled().And(""):                                    "AuditEnabled -ne 'True'",
		Filter("").And(StoredAuditNotEnabled()):                            "AuditEnabled -ne 'True'",
		StoredAuditNotEnabled().Or(""):                                     "",
		StoredAuditNotEnabled().And(ChangedSince(at).Or(CreatedSince(at))): "(AuditEnabled -ne 'True') -and ((WhenChangedUTC -ge '7/4/2026 2:04:05 PM') -or (WhenMailboxCreated -ge '7/4/2026 2:04:05 PM'))",
	} {
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// program is a filter and what it should mean, built from bytes and dates.
type program struct {
	filter Filter
	means  func(simulator.Mailbox) bool
}

// build reads one operation per byte on a stack of programs: an atom, or the two
// topmost joined. It never nests deeper than the service of the tests reads.
func build(code []byte, dates []time.Time) program {
	all := program{means: func(simulator.Mailbox) bool { return true }}
	stack := []program{all}
	for i, op := range code[:min(len(code), 24)] {
		date := dates[i%len(dates)]
		top := stack[len(stack)-1]
		switch op % 5 {
		case 0:
			stack = append(stack, program{StoredAuditNotEnabled(), func(m simulator.Mailbox) bool { return m.AuditEnabled != simulator.True }})
		case 1:
			stack = append(stack, program{ChangedSince(date), func(m simulator.Mailbox) bool { return !m.Changed.Before(date.Truncate(time.Second)) }})
		case 2:
			stack = append(stack, program{CreatedSince(date), func(m simulator.Mailbox) bool { return !m.Created.Before(date.Truncate(time.Second)) }})
		default:
			if len(stack) < 2 {
				continue
			}
			below := stack[len(stack)-2]
			joined := program{below.filter.And(top.filter), func(m simulator.Mailbox) bool { return below.means(m) && top.means(m) }}
			if op%5 == 3 {
				joined = program{below.filter.Or(top.filter), func(m simulator.Mailbox) bool { return below.means(m) || top.means(m) }}
			}
			stack = append(stack[:len(stack)-2], joined)
		}
	}
	return stack[len(stack)-1]
}

// FuzzFilter holds the builder to what it says: whatever is joined, and whatever
// the dates, the service reads the expression and selects by its meaning.
func FuzzFilter(f *testing.F) {
	f.Add([]byte{0, 1, 4, 2, 3}, int64(0), int64(-3600))
	f.Add([]byte{0}, int64(math.MaxInt64), int64(math.MinInt64))
	f.Add([]byte{1, 2, 3, 1, 4, 0, 3}, int64(1), int64(-1))
	f.Add([]byte{3, 4, 0, 3}, int64(1<<40), int64(-1<<40))
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 12, Drift: 0.5, Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)})
	var mailboxes []simulator.Mailbox
	for m := range tenant.AllMailboxes() {
		mailboxes = append(mailboxes, m)
	}
	c, err := New(Config{
		Endpoint: testEndpoint, TenantID: tenant.ID(), Transport: simulator.New(tenant).RoundTripper(), CmdletsPerSecond: 1e9,
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: testToken}), Retry: Retry{Tries: 1},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, code []byte, first, second int64) {
		// Dates near those of the mailboxes, to the nanosecond, and far from any.
		near := mailboxes[int(uint64(first)%uint64(len(mailboxes)))].Changed
		dates := []time.Time{near.Add(time.Duration(second % int64(time.Hour))), time.Unix(first, 0), near, time.Unix(second>>8, first&0xffff)}
		p := build(code, dates)
		if strings.Count(string(p.filter), "(") != strings.Count(string(p.filter), ")") || strings.ContainsAny(string(p.filter), "\"$\n") {
			t.Fatalf("filter %s", p.filter)
		}
		var want, got []string
		for _, m := range mailboxes {
			if p.means(m) {
				want = append(want, m.Guid)
			}
		}
		for m, err := range c.Mailboxes(t.Context(), MailboxQuery{Filter: p.filter, Select: []string{"Guid"}}) {
			if err != nil {
				t.Fatalf("%s: %v", p.filter, err)
			}
			got = append(got, m.Guid.Value)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s selects %v, want %v", p.filter, got, want)
		}
	})
}
