package reconcile_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

const (
	newRetention = "New-UnifiedAuditLogRetentionPolicy"
	setRetention = "Set-UnifiedAuditLogRetentionPolicy"
	getRetention = "Get-UnifiedAuditLogRetentionPolicy"

	// switchAndYear has work in two kinds.
	switchAndYear = "organization: {mailboxAuditing: true}\n" + aYear
)

// worksOn is a tenant that lacks a retention policy, has one that is too short, and
// does not record.
func worksOn() *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, AuditDisabled: true})
	tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "items", Priority: 5, RecordTypes: []string{"ExchangeItem"}, UserIDs: []string{"ann@contoso.com"}, Duration: "ThreeMonths"})
	return tenant
}

// TestRetentionRefused: a role that does not read retention policies leaves them
// unknown, the rest is compared and fixed, and the verdict says so (design section 5).
func TestRetentionRefused(t *testing.T) {
	for name, broken := range map[string]struct {
		option simulator.Option
		want   reconcile.Verdict
	}{
		"role":        {simulator.WithRole(simulator.SecurityReader()), reconcile.VerdictFailed},
		"no token":    {simulator.WithFaults(simulator.Unauthenticated("", 0)), reconcile.VerdictFailed},
		"unavailable": {simulator.WithFaults(simulator.Unavailable("", 0)), reconcile.VerdictIncomplete},
		"cut":         {simulator.WithFaults(simulator.BodyCut(getRetention, 0)), reconcile.VerdictIncomplete},
		"more":        {simulator.WithFaults(simulator.Warned(getRetention, 0, "something new")), reconcile.VerdictIncomplete},
		"null":        {simulator.WithFaults(simulator.ValueNull(getRetention, 0)), reconcile.VerdictIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRetentionBench(t, worksOn(), broken.option)
				plan := b.plan(parse(t, switchAndYear))
				if got := plan.Verdict(strict); got != broken.want {
					t.Errorf("verdict %s, want %s: %v", got, broken.want, plan.Coverage.Reasons)
				}
				if n := plan.Summary().States[audit.KindRetention]; n.Unknown != 1 || n.InSync+n.Drifted > 0 {
					t.Errorf("states %+v", n)
				}
				if slices.Contains(plan.Refused, getRetention) != (broken.want == reconcile.VerdictFailed) {
					t.Errorf("refused %v", plan.Refused)
				}
				run := b.carry(plan)
				if run.Verdict(strict) != broken.want || run.Results()[reconcile.ResultVerified] != 1 || b.tenant.Organization().AuditDisabled {
					t.Errorf("verdict %s, results %v", run.Verdict(strict), run.Results())
				}
				if n := b.complianceWrites(); n > 0 {
					t.Errorf("%d writes", n)
				}
			})
		})
	}
}

// TestRetentionWriteRefused: a refused write ends this kind and no other.
func TestRetentionWriteRefused(t *testing.T) {
	for _, fault := range []simulator.Fault{simulator.Refused(setRetention), simulator.Unauthenticated(setRetention, 0)} {
		synctest.Test(t, func(t *testing.T) {
			b := newRetentionBench(t, worksOn(), simulator.WithFaults(fault))
			run := b.carry(b.plan(parse(t, "mailboxes: {everyone: {ageLimit: 365d}}\nguards: {maxChangedPercent: 100}\nretention: {floor: 180d}")))
			results := run.Results()
			if run.Verdict(strict) != reconcile.VerdictFailed || !slices.Contains(run.Refused, setRetention) ||
				results[reconcile.ResultVerified] != 3 || results[reconcile.ResultFailed] != 1 || run.Stopped != "" {
				t.Errorf("%s: refused %v, results %v, stopped %q", fault.Do, run.Refused, results, run.Stopped)
			}
		})
	}
}

// TestRetentionRows: a row that cannot be judged leaves its policy unknown, and
// nothing of the kind is written; one that the policy does not speak of harms none.
func TestRetentionRows(t *testing.T) {
	for name, tt := range map[string]struct {
		edit    func(*simulator.Row)
		unknown int
	}{
		"no duration":        {func(r *simulator.Row) { r.Delete("RetentionDuration") }, 1},
		"unknown duration":   {func(r *simulator.Row) { r.Set("RetentionDuration", `"Forever"`) }, 1},
		"no priority":        {func(r *simulator.Row) { r.Delete("Priority") }, 1},
		"priority is a text": {func(r *simulator.Row) { r.Set("Priority", `"5"`) }, 0},
		"no types":           {func(r *simulator.Row) { r.Delete("RecordTypes") }, 1},
		"types of no form":   {func(r *simulator.Row) { r.Set("RecordTypes", `{"a": 1}`) }, 1},
		"types are null":     {func(r *simulator.Row) { r.Set("RecordTypes", "null") }, 0},
		"types in one text":  {func(r *simulator.Row) { r.Set("RecordTypes", `["SharePoint, ExchangeItem"]`) }, 1},
		"types are numbers":  {func(r *simulator.Row) { r.Set("RecordTypes", `["2"]`) }, 1},
		"an empty type":      {func(r *simulator.Row) { r.Set("RecordTypes", `[""]`) }, 1},
		"users in one text":  {func(r *simulator.Row) { r.Set("UserIds", `["a@contoso.com,b@contoso.com"]`) }, 1},
		"users are missing":  {func(r *simulator.Row) { r.Delete("UserIds") }, 1},
		"no name":            {func(r *simulator.Row) { r.Delete("Name") }, 1},
		"of other records": {func(r *simulator.Row) {
			r.Set("RecordTypes", `["SharePoint"]`)
			r.Delete("RetentionDuration")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRetentionBench(t, worksOn(), simulator.WithRowEdit(func(_ string, r *simulator.Row) { tt.edit(r) }))
				plan := b.plan(parse(t, aYear))
				n := plan.Summary().States[audit.KindRetention]
				if n.Unknown != tt.unknown || plan.Coverage.Complete == (tt.unknown > 0) {
					t.Errorf("states %+v, complete %t", n, plan.Coverage.Complete)
				}
				if planned := plan.Summary().Changes.Planned; (planned == 0) != (tt.unknown > 0) {
					t.Errorf("%d changes are planned", planned)
				}
			})
		})
	}
}

// TestRetentionListedTwice: rows of one name that do not agree are no fact.
func TestRetentionListedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, worksOn())
		b.tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "other", Priority: 9, Duration: "TenYears"})
		b.front = simulator.NewCompliance(b.tenant, simulator.WithRowEdit(func(_ string, r *simulator.Row) { r.Set("Name", `"one"`) }))
		b.dial()
		if n := b.plan(parse(t, aYear)).Summary().States[audit.KindRetention]; n.Unknown != 1 || n.Drifted > 1 {
			t.Errorf("states %+v", n)
		}
	})
}

// TestRetentionListedTwiceElsewhere: nor is it known then that the policy takes hold
// of other records only.
func TestRetentionListedTwiceElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 1})
		tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "files", Priority: 2, RecordTypes: []string{"SharePoint"}, Duration: "ThreeMonths"})
		tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "mail", Priority: 3, RecordTypes: []string{"ExchangeItem"}, Duration: "ThreeMonths"})
		b := newRetentionBench(t, tenant)
		b.front = simulator.NewCompliance(b.tenant, simulator.WithRowEdit(func(_ string, r *simulator.Row) { r.Set("Name", `"one"`) }))
		b.dial()
		plan := b.plan(parse(t, "retention: {floor: 180d}"))
		if n := plan.Summary().States[audit.KindRetention]; n.Unknown != 1 || plan.Coverage.Complete {
			t.Errorf("states %+v, complete %t", n, plan.Coverage.Complete)
		}
	})
}

// TestRetentionSaysWhatALicenceLoses: a new policy for less than a year says that it
// stands before what a licence gives.
func TestRetentionSaysWhatALicenceLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, simulator.NewTenant(simulator.Seed{Mailboxes: 1}))
		for wish, want := range map[string]bool{"200d": true, "1y": false} {
			changes := collect(b.plan(parse(t, "retention: {require: [{recordTypes: [ExchangeItem], atLeast: "+wish+"}]}")).Changes())
			if len(changes) != 1 || strings.Contains(changes[0].Reason, "E5") != want {
				t.Errorf("%s: %+v", wish, changes)
			}
		}
	})
}

// TestRetentionChangedBetweenSends: a write whose answer was lost is not sent again
// over what somebody else has made of the policy since.
func TestRetentionChangedBetweenSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 1})
		tenant.AddRetentionPolicy(simulator.RetentionPolicy{
			Name: "mine", Priority: 7, RecordTypes: []string{"ExchangeAdmin", "ExchangeItem"}, Duration: "SixMonths",
		})
		listings := 0
		b := newRetentionBench(t, tenant,
			simulator.WithFaults(simulator.Fault{Cmdlet: setRetention, Do: simulator.DoTransient, Times: 1}),
			simulator.WithRowEdit(func(_ string, r *simulator.Row) {
				// The first two are the plan's, and the look before the first write.
				if listings++; listings > 2 {
					r.Set("RetentionDuration", `"TenYears"`)
				}
			}))
		run := b.carry(b.plan(parse(t, aYear)))
		if got := run.Results(); got[reconcile.ResultFailed] != 1 || len(got) != 1 {
			t.Errorf("results %v", got)
		}
		if left := tenant.RetentionPolicies(); len(left) != 1 || left[0].Duration != "SixMonths" {
			t.Errorf("it was sent again: %+v", left)
		}
	})
}

// TestRetentionLostAnswers: what was lost on the way is found by reading, and a
// policy is never made twice.
func TestRetentionLostAnswers(t *testing.T) {
	for _, do := range []simulator.Action{simulator.DoDropConnection, simulator.DoTransient, simulator.DoStatus, simulator.DoThrottle} {
		for _, cmdlet := range []string{newRetention, setRetention} {
			synctest.Test(t, func(t *testing.T) {
				p := parse(t, aYear)
				b := newRetentionBench(t, worksOn(), simulator.WithFaults(simulator.Fault{Cmdlet: cmdlet, Do: do, Status: 502, Times: 1}))
				run := b.carry(b.plan(p))
				if got := run.Results(); got[reconcile.ResultVerified] != 2 || len(got) != 1 {
					t.Errorf("%s %s: %v", do, cmdlet, got)
				}
				if findings := oracle.Judge(b.tenant, retentionWish(p)); len(findings) > 0 || len(b.tenant.RetentionPolicies()) != 2 {
					t.Errorf("%s %s: %+v, %+v", do, cmdlet, findings, b.tenant.RetentionPolicies())
				}
			})
		}
	}
}

// TestRetentionLag: a write that shows late is looked at again, one that does not
// show is not confirmed.
func TestRetentionLag(t *testing.T) {
	for lag, want := range map[time.Duration]reconcile.Result{29 * time.Second: reconcile.ResultVerified, time.Hour: reconcile.ResultUnconfirmed} {
		synctest.Test(t, func(t *testing.T) {
			b := newRetentionBench(t, worksOn(), simulator.WithReadLag(lag))
			run := b.carry(b.plan(parse(t, aYear)))
			if got := run.Results(); got[want] != 2 || b.complianceWrites() != 2 {
				t.Errorf("%s: %v, %d writes", lag, got, b.complianceWrites())
			}
		})
	}
}

// TestRetentionIsRecorded: each write is intended with its inverse, after bypass
// and before mailboxes, and one policy at a time.
func TestRetentionIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := worksOn()
		rec := &recorder{}
		b := newRetentionBench(t, tenant)
		plan := b.plan(parse(t, switchAndYear+"\nmailboxes: {everyone: {ageLimit: 365d}}\nguards: {maxChangedPercent: 100}"))
		stated := plan.Estimate()
		run := b.carry(plan, with(rec))
		var kinds []string
		for _, in := range rec.intents {
			if len(kinds) == 0 || kinds[len(kinds)-1] != string(in.Subject.Kind) {
				kinds = append(kinds, string(in.Subject.Kind))
			}
			switch in.Subject.ID {
			case "exoaudit 1":
				if in.Before != nil || len(in.Inverse.Remove) != 4 || len(in.Inverse.Add) > 0 {
					t.Errorf("%+v", in)
				}
			case "items":
				if !slices.Equal(in.Inverse.Add, []string{"RetentionDuration=ThreeMonths"}) || !slices.Equal(in.Inverse.Remove, []string{"RetentionDuration=TwelveMonths"}) {
					t.Errorf("%+v", in)
				}
			}
		}
		if got := strings.Join(kinds, " "); got != "organization retention mailbox" {
			t.Errorf("order %s", got)
		}
		if len(rec.outcomes) != len(rec.intents) {
			t.Errorf("%d outcomes of %d intents", len(rec.outcomes), len(rec.intents))
		}
		if got := run.Requests - plan.Coverage.Requests; got != stated.Requests+stated.VerifyRequests {
			t.Errorf("%d requests, stated %+v", got, stated)
		}
		b.tenant = worksOn()
		b.service, b.front = simulator.New(b.tenant), simulator.NewCompliance(b.tenant)
		b.dial()
		b.carry(b.plan(parse(t, aYear)), with(&recorder{fail: func(int) error { return bytes.ErrTooLarge }}))
		if n := b.complianceWrites(); n > 0 {
			t.Errorf("%d writes without a record", n)
		}
	})
}

// TestRetentionSlip: a saved plan permits what stands in it, with the same values.
func TestRetentionSlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, worksOn())
		p := parse(t, aYear)
		var saved bytes.Buffer
		if err := report.WritePlan(&saved, b.plan(p), strict); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(saved.String(), `"before":null,"after":["Priority=10000",`) {
			t.Errorf("the plan:\n%s", &saved)
		}
		// The number is taken in the meantime: what was reviewed is another policy.
		b.tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "files", Priority: 10000, RecordTypes: []string{"SharePoint"}, Duration: "SixMonths"})
		slip, err := reconcile.ReadSlip(&saved)
		if err != nil {
			t.Fatal(err)
		}
		run := b.carry(b.plan(p), func(o *reconcile.ApplyOptions) { o.Slip = slip })
		if got := run.Results(); got[reconcile.ResultVerified] != 1 || got[reconcile.ResultSkipped] != 1 {
			t.Errorf("results %v", got)
		}
	})
}

// TestRetentionChangedMeanwhile: what somebody did while the plan was looked at is
// not undone by it.
func TestRetentionChangedMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*simulator.Tenant)
		want   map[reconcile.Result]int
		writes int
	}{
		"nothing": {func(*simulator.Tenant) {}, map[reconcile.Result]int{reconcile.ResultVerified: 2}, 2},
		"priority taken": {func(tenant *simulator.Tenant) {
			tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "files", Priority: 10000, RecordTypes: []string{"SharePoint"}, Duration: "SixMonths"})
		}, map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultSkipped: 1}, 1},
		"more users": {func(tenant *simulator.Tenant) {
			p := tenant.RetentionPolicies()[0]
			p.UserIDs = append(p.UserIDs, "bob@contoso.com")
			tenant.AddRetentionPolicy(p)
		}, map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultSkipped: 1}, 1},
		"done": {func(tenant *simulator.Tenant) {
			p := tenant.RetentionPolicies()[0]
			p.Duration = "TwelveMonths"
			tenant.AddRetentionPolicy(p)
		}, map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultNotNeeded: 1}, 1},
		"gone": {
			func(tenant *simulator.Tenant) { tenant.RemoveRetentionPolicy("items") },
			map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultSkipped: 1},
			1,
		},
		"our name": {func(tenant *simulator.Tenant) {
			tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "Exoaudit 1", Priority: 77, Duration: "ThreeMonths"})
		}, map[reconcile.Result]int{reconcile.ResultVerified: 1, reconcile.ResultSkipped: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, rec := newRetentionBench(t, worksOn()), &recorder{}
				plan := b.plan(parse(t, aYear))
				tt.change(b.tenant)
				run := b.carry(plan, with(rec))
				if got := run.Results(); !maps.Equal(got, tt.want) || b.complianceWrites() != tt.writes || len(rec.intents) != tt.writes {
					t.Errorf("results %v, %d writes, %d intents", got, b.complianceWrites(), len(rec.intents))
				}
			})
		})
	}
}

// TestRetentionUnreadBeforeWrites: without a look nothing is written.
func TestRetentionUnreadBeforeWrites(t *testing.T) {
	for _, tt := range []struct {
		fault simulator.Fault
		want  reconcile.Verdict
	}{
		{simulator.Refused(getRetention), reconcile.VerdictFailed},
		{simulator.BodyCut(getRetention, 0), reconcile.VerdictIncomplete},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newRetentionBench(t, worksOn())
			plan := b.plan(parse(t, switchAndYear))
			b.front.AddFaults(tt.fault)
			run := b.carry(plan)
			if got := run.Results(); got[reconcile.ResultFailed] != 1 || got[reconcile.ResultSkipped] != 1 || got[reconcile.ResultVerified] != 1 || b.complianceWrites() > 0 || run.Verdict(strict) != tt.want {
				t.Errorf("%s: results %v, %d writes, %s", tt.fault.Do, got, b.complianceWrites(), run.Verdict(strict))
			}
		})
	}
}

// TestRetentionExempt: what an exemption accepts is listed and not written, less is
// drift, and one that ended exempts nothing.
func TestRetentionExempt(t *testing.T) {
	const wish = "retention: {floor: 180d, require: [{recordTypes: [ExchangeItem], atLeast: 1y}]}\n"
	exempt := func(accept, expires string) string {
		return wish + "exemptions:\n  cheap: {subject: retention, accept: " + accept + ", reason: budget, owner: sec@contoso.com, expires: " + expires + "}\n"
	}
	twice := func(first, second string) string {
		_, also, _ := strings.Cut(strings.TrimPrefix(exempt(second, "2099-01-01"), wish), "cheap")
		return exempt(first, "2099-01-01") + "  also" + also
	}
	short := simulator.RetentionPolicy{Name: "short", Priority: 5, RecordTypes: []string{"ExchangeItem"}, Duration: "ThreeMonths"}
	const both = "{floor: 90d, require: [{recordTypes: [ExchangeItem], atLeast: 90d}]}"
	for name, tt := range map[string]struct {
		text, want string
		states     reconcile.StateCounts
	}{
		"within":    {exempt(both, "2099-01-01"), "exempt short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Exempt: 1}},
		"below":     {exempt("{floor: 90d, require: [{recordTypes: [ExchangeItem], atLeast: 180d}]}", "2099-01-01"), "planned short: RetentionDuration=SixMonths", reconcile.StateCounts{Drifted: 1}},
		"one part":  {exempt("{floor: 90d}", "2099-01-01"), "planned short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Drifted: 1}},
		"ended":     {exempt(both, "1999-01-01"), "planned short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Drifted: 1}},
		"two":       {twice("{floor: 90d}", "{require: [{recordTypes: [ExchangeItem], atLeast: 90d}]}"), "exempt short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Exempt: 1}},
		"swapped":   {twice("{require: [{recordTypes: [ExchangeItem], atLeast: 90d}]}", "{floor: 90d}"), "exempt short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Exempt: 1}},
		"the first": {twice("{floor: 90d, require: [{recordTypes: [ExchangeItem], atLeast: 180d}]}", "{floor: 100d}"), "planned short: RetentionDuration=SixMonths", reconcile.StateCounts{Drifted: 1}},
		"no policy": {wish, "planned short: RetentionDuration=TwelveMonths", reconcile.StateCounts{Drifted: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRetentionBench(t, healthyTenant(1))
				b.tenant.AddRetentionPolicy(short)
				plan := b.plan(parse(t, tt.text))
				changes := collect(plan.Changes())
				if len(changes) != 1 || told(changes[0]) != tt.want {
					t.Fatalf("%+v", changes)
				}
				if got := plan.Summary().States[audit.KindRetention]; got != tt.states {
					t.Errorf("states %+v", got)
				}
				if ended := strings.Contains(changes[0].Reason, "ended on"); ended != (name == "ended") {
					t.Errorf("reason %s", changes[0].Reason)
				}
			})
		})
	}
}

// TestRetentionOfOneMailbox: a look at one mailbox reads no retention policy.
func TestRetentionOfOneMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, healthyTenant(3))
		req := b.request(parse(t, aYear+"\nmailboxes: {everyone: {ageLimit: 30d}}"))
		req.Compliance, req.Mailbox = b.compliance, anyUser(t, b.tenant)
		if plan := b.checkRequest(req); b.front.Requests() > 0 || plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Errorf("%d requests, %s", b.front.Requests(), plan.Verdict(strict))
		}
	})
}

// TestRetentionSelection: --only decides for this kind as for the others.
func TestRetentionSelection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, worksOn())
		req := b.request(parse(t, switchAndYear))
		req.Compliance, req.Selection = b.compliance, reconcile.Selection{Only: []audit.SubjectKind{audit.KindRetention}}
		run := b.carry(b.checkRequest(req))
		if got := run.Results(); got[reconcile.ResultVerified] != 2 || got[reconcile.ResultSkipped] != 1 {
			t.Errorf("results %v", got)
		}
	})
}

// TestRetentionWithoutToken: who gets no token for the other service has read the
// rest.
func TestRetentionWithoutToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetentionBench(t, worksOn())
		var err error
		b.compliance, err = exchange.NewCompliance(exchange.Config{
			Endpoint: "https://ps.compliance.protection.outlook.com", TenantID: b.tenant.ID(),
			Transport: b.front.RoundTripper(), TokenSource: noToken{},
		})
		if err != nil {
			t.Fatal(err)
		}
		plan := b.plan(parse(t, switchAndYear))
		if plan.Verdict(strict) != reconcile.VerdictFailed || plan.Summary().Changes.Planned != 1 {
			t.Errorf("%s, %+v", plan.Verdict(strict), plan.Summary())
		}
	})
}

type noToken struct{}

func (noToken) Token() (*oauth2.Token, error) { return nil, bytes.ErrTooLarge }
