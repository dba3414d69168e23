package reconcile_test

import (
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// judge asks the oracle what a tenant lacks under a policy, and leaves out what
// exemptions accept: a wish that is not met is pardoned where what an exemption
// in force accepts in its place is met. The exemptions are read here once more,
// not through the code under test.
func judge(t testing.TB, p *policy.Policy, tenant *simulator.Tenant) (findings []oracle.Finding, pardoned map[string]bool) {
	t.Helper()
	all := wishes(t, p, tenant)
	mailboxes := all.Mailboxes
	all.Mailboxes = nil
	findings, pardoned = oracle.Judge(tenant, all), map[string]bool{}
	for _, w := range mailboxes {
		m, _ := tenant.Mailbox(w.Guid)
		for _, part := range partsOf(w) {
			unmet := oracle.Judge(tenant, oracle.Wishes{Mailboxes: []oracle.Wish{part.wish}})
			if len(unmet) == 0 {
				continue
			}
			below, ok := part.below(p, tenant, m)
			if !ok {
				findings = append(findings, unmet...)
				continue
			}
			if len(below) > 0 {
				findings = append(findings, below...)
				continue
			}
			for _, f := range unmet {
				pardoned[f.Kind+f.Guid+"/"+f.Setting] = true
			}
		}
	}
	return findings, pardoned
}

// wishPart is a wish for one setting of a mailbox, and how an exemption would
// replace it.
type wishPart struct {
	wish    oracle.Wish
	instead func(oracle.Wish, policy.Accept) (oracle.Wish, bool)
}

func partsOf(w oracle.Wish) []wishPart {
	list := func(l audit.LogonType, of func(*oracle.Wish) **oracle.Record) wishPart {
		only := oracle.Wish{Guid: w.Guid}
		*of(&only) = *of(&w)
		return wishPart{only, func(w oracle.Wish, a policy.Accept) (oracle.Wish, bool) {
			*of(&w) = floorOf(a.Record[l])
			return w, a.Record[l] != nil
		}}
	}
	return []wishPart{
		list(audit.Admin, func(w *oracle.Wish) **oracle.Record { return &w.Admin }),
		list(audit.Delegate, func(w *oracle.Wish) **oracle.Record { return &w.Delegate }),
		list(audit.Owner, func(w *oracle.Wish) **oracle.Record { return &w.Owner }),
		{oracle.Wish{Guid: w.Guid, AuditEnabled: w.AuditEnabled}, func(w oracle.Wish, a policy.Accept) (oracle.Wish, bool) {
			if a.AuditEnabled == nil {
				return w, false
			}
			w.AuditEnabled = ""
			if !a.AuditEnabled.Value.None {
				w.AuditEnabled = a.AuditEnabled.Value.String()
			}
			return w, true
		}},
		{oracle.Wish{Guid: w.Guid, AgeLimit: w.AgeLimit}, func(w oracle.Wish, a policy.Accept) (oracle.Wish, bool) {
			if a.AgeLimit == nil {
				return w, false
			}
			w.AgeLimit = a.AgeLimit.Value
			return w, true
		}},
	}
}

// floorOf is what an exemption accepts of a list.
func floorOf(a *policy.AcceptedRecord) *oracle.Record {
	switch {
	case a == nil:
		return nil
	case a.Form == nil:
		return &oracle.Record{Plus: a.Floor.Slice()}
	}
	r := &oracle.Record{Defaults: a.Form.Defaults != nil, Managed: a.Form.Managed != nil, Plus: a.Form.Plus.Set().Slice()}
	if a.Form.Exact != nil {
		r.Exact = a.Form.Exact.Set().Slice()
	}
	return r
}

// below is what a mailbox lacks of what the exemptions in force accept: nothing
// where it satisfies one of them, else what it lacks of the first. It tells
// whether there is one that speaks of this wish.
func (part wishPart) below(p *policy.Policy, tenant *simulator.Tenant, m simulator.Mailbox) (first []oracle.Finding, ok bool) {
	for _, e := range p.Exemptions {
		if e.Subject != "" || e.Expired(time.Now()) || e.Match(truth(m)) != policy.Yes {
			continue
		}
		floor, speaks := part.instead(part.wish, e.Accept)
		if !speaks {
			continue
		}
		unmet := oracle.Judge(tenant, oracle.Wishes{Mailboxes: []oracle.Wish{floor}})
		if len(unmet) == 0 {
			return nil, true
		}
		if !ok {
			first, ok = unmet, true
		}
	}
	return first, ok
}
