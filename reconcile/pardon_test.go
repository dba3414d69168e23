package reconcile_test

import (
	"slices"
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
	mailboxes, dir := all.Mailboxes, directoryOf(p, tenant)
	all.Mailboxes = nil
	findings, pardoned = judgeAdminAudit(p, tenant, oracle.Judge(tenant, all)), map[string]bool{}
	for _, w := range mailboxes {
		m, _ := tenant.Mailbox(w.Guid)
		for _, part := range partsOf(w) {
			unmet := oracle.Judge(tenant, oracle.Wishes{Mailboxes: []oracle.Wish{part.wish}})
			if len(unmet) == 0 {
				continue
			}
			below, ok := part.below(p, tenant, truth(dir, m))
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
func (part wishPart) below(p *policy.Policy, tenant *simulator.Tenant, m policy.Subject) (first []oracle.Finding, ok bool) {
	for _, e := range p.Exemptions {
		if e.Subject != "" || e.Expired(time.Now()) || e.Match(m) != policy.Yes {
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

// judgeAdminAudit adds what the admin audit log lacks, setting by setting, and
// leaves out what exemptions accept.
func judgeAdminAudit(p *policy.Policy, tenant *simulator.Tenant, findings []oracle.Finding) []oracle.Finding {
	if p.AdminAudit == nil {
		return findings
	}
	ask := func(a policy.Accept) []oracle.Finding {
		w := oracle.AdminAuditWish{Enabled: p.AdminAudit.Enabled != nil && a.Enabled == nil}
		for _, l := range []struct {
			into         *[]string
			wish, accept *policy.Located[[]string]
			sum          bool
		}{
			{&w.Cmdlets, p.AdminAudit.Cmdlets, a.Cmdlets, false},
			{&w.Parameters, p.AdminAudit.Parameters, a.Parameters, false},
			{&w.Excluded, p.AdminAudit.ExcludedCmdlets, a.ExcludedCmdlets, true},
		} {
			if l.wish == nil {
				continue
			}
			*l.into = append([]string{}, l.wish.Value...)
			if l.accept != nil {
				if !l.sum {
					*l.into = nil
				}
				*l.into = append(*l.into, l.accept.Value...)
			}
		}
		if age := p.AdminAudit.AgeLimit; age != nil {
			w.AgeLimit = age.Value
			if a.AgeLimit != nil {
				w.AgeLimit = min(w.AgeLimit, a.AgeLimit.Value)
			}
		}
		return oracle.Judge(tenant, oracle.Wishes{AdminAudit: &w})
	}
	unmet := ask(policy.Accept{})
	for _, e := range p.Exemptions {
		if e.Subject != audit.KindAdminAudit || e.Expired(time.Now()) {
			continue
		}
		below := ask(e.Accept)
		unmet = slices.DeleteFunc(unmet, func(f oracle.Finding) bool {
			return !slices.ContainsFunc(below, func(b oracle.Finding) bool { return b.Setting == f.Setting })
		})
	}
	for _, f := range unmet {
		f.Guid = string(audit.KindAdminAudit) // as a plan spells it
		findings = append(findings, f)
	}
	return findings
}
