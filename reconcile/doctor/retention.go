package doctor

import (
	"context"
	"errors"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// complianceAdministrator is the Entra role that reads retention policies, and
// writes and removes them too (semantics 4.5).
const complianceAdministrator = "Compliance Administrator"

// retention judges the cmdlets at the Security & Compliance endpoint by one read.
// Nothing is tried of the writes: a dry run has no effect there (semantics 5.3).
// Without a policy a gap is no fault, since most policies do not need them.
func (e *examination) retention(ctx context.Context) {
	needs := reconcile.ComplianceNeeds(e.Policy)
	if e.Policy == nil && e.Compliance == nil {
		return
	}
	for i, n := range needs {
		if n.Write && e.ReadOnly {
			continue
		}
		c := Check{Area: areaOf(n), Name: n.Cmdlet, Cmdlet: n.Cmdlet, Status: OK}
		if i == 0 {
			e.complianceErr = e.readRetention(ctx)
		}
		e.judgeRetention(&c, n.Write)
		if e.Policy == nil && c.Status != OK {
			c.Status = Warning
			c.Seen += "; only a policy that speaks of retention needs it"
		}
		e.add(c)
	}
}

// errNoCompliance says that the caller brought no client for the service.
var errNoCompliance = errors.New("there is no client for the Security & Compliance endpoint")

func (e *examination) readRetention(ctx context.Context) error {
	switch {
	case e.Credential.Err != nil || e.access.hopeless:
		return errNotCalled
	case e.Compliance == nil:
		return errNoCompliance
	}
	if e.access.orgErr == nil && e.access.org.Name.Value != "" {
		e.Compliance.SetDomain(e.access.org.Name.Value)
	}
	_, err := e.Compliance.RetentionPolicies(ctx)
	return err
}

// judgeRetention judges a cmdlet by how the read ended.
func (e *examination) judgeRetention(c *Check, write bool) {
	const at = "at the Security & Compliance endpoint: "
	switch err := e.complianceErr; {
	case errors.Is(err, errNotCalled):
		c.Status, c.Seen = Unknown, at+"not tried"
	case errors.Is(err, errNoCompliance):
		c.Status, c.Seen = Unknown, say("%snot tried: %v", at, err)
	case exchange.IsRefused(err) || exchange.IsUnauthenticated(err):
		c.Status, c.Seen = Missing, say("%scalled, and refused: %v", at, err)
		if write {
			c.Seen = at + "not tried, as reading is refused already"
		}
		c.Fix = "its role is missing: see the commands below"
	case err != nil:
		c.Status, c.Seen, c.Fix = Unknown, say("%scalled, and it failed: %v", at, err), "run doctor again"
	case write:
		c.Status, c.Seen = Warning, at+"not tried, as any call would write; the role that reads these policies writes them too"
	default:
		c.Seen = at + "called, and it answered"
	}
}

// isCompliance tells the cmdlets of the other service, which no role of Exchange
// Online grants.
func isCompliance(cmdlet string) bool {
	return slices.ContainsFunc(reconcile.ComplianceNeeds(nil), func(n reconcile.Need) bool { return n.Cmdlet == cmdlet })
}

// grantRetention gives the role for retention policies, where it is missing.
func (e *examination) grantRetention() []Grant {
	var gaps []Check
	for _, c := range e.report.Checks {
		if isCompliance(c.Cmdlet) && c.Status == Missing {
			gaps = append(gaps, c)
		}
	}
	if len(gaps) == 0 {
		return nil
	}
	return []Grant{{
		For: namesOf(gaps), Title: "For retention: the Entra directory role " + complianceAdministrator,
		Notes: []string{
			"A public tool measured it: Global Reader and Security Reader are refused. Its role Organization Configuration reads the policies, and also writes and removes them.",
			"The role travels in the token: get a new one afterwards. The token is another one, for the Security & Compliance service.",
		},
		Commands: []string{e.grantee().whoIs(), assignDirectoryRole(complianceAdministrator)},
	}}
}
