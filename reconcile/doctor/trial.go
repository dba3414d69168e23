package doctor

import (
	"context"
	"iter"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// trial is the outcome of a read that was made to see whether its parameters
// are taken.
type trial struct {
	parameter string
	err       error
	// idle says why there was nothing to read, deaf that the answer shows the
	// parameter to have no effect.
	idle, deaf string
}

// tryReads makes one small read for each parameter of a read cmdlet: those that
// check would make, of which the first page is enough. A cmdlet all of whose
// reads are refused is refused itself.
func (e *examination) tryReads(ctx context.Context, cmdlet Check, n reconcile.Need) []Check {
	var trials []trial
	switch n.Cmdlet {
	case "Get-Mailbox":
		trials = e.tryMailboxes(ctx, n)
	case "Get-MailboxAuditBypassAssociation":
		trials = e.tryBypass(ctx)
	case getUser:
		trials = e.tryUser(ctx)
	case "Get-Recipient":
		trials = e.tryRecipient(ctx)
	default:
		return []Check{e.tryWhole(ctx, cmdlet, n)}
	}
	if len(trials) > 0 && isNotTaken(trials[0].err) {
		cmdlet.Status, cmdlet.Seen, cmdlet.Fix = Missing, "exported, and the service does not take the token for it (401)", lacksRole
		return []Check{cmdlet}
	}
	checks := []Check{cmdlet}
	refused := 0
	for _, t := range trials {
		c := t.check(n.Cmdlet)
		if c.Status == Missing {
			refused++
		}
		checks = append(checks, c)
	}
	if refused == len(trials) && refused > 1 {
		cmdlet.Status, cmdlet.Seen = Missing, "exported, and every call of it was refused"
		cmdlet.Fix = lacksRole
		return []Check{cmdlet}
	}
	return withoutDoubt(checks)
}

// withoutDoubt holds back what a refusal may be due to: the listings pass
// ResultSize too, so where it is refused by itself the others say nothing.
func withoutDoubt(checks []Check) []Check {
	blamed := ""
	for i, c := range checks {
		switch {
		case c.Parameter == resultSize && c.Status == Missing:
			blamed = resultSize
		case blamed != "" && c.Parameter != identity && c.Status == Missing:
			checks[i].Status, checks[i].Fix = Unknown, "grant -"+blamed+", then run doctor again"
			checks[i].Seen = "it goes with -" + blamed + ", which is refused"
		}
	}
	return checks
}

const resultSize = "ResultSize"

// check judges a trial. An object that is not found was looked for.
func (t trial) check(cmdlet string) Check {
	c := Check{Area: AreaRead, Name: cmdlet + " -" + t.parameter, Cmdlet: cmdlet, Parameter: t.parameter, Status: OK}
	switch {
	case t.idle != "":
		c.Status, c.Seen = Unknown, t.idle
		c.Fix = "see to it that the listing above shows one (its own gap, a read scope of the role, an empty tenant), then run doctor again"
	case t.deaf != "" && t.err == nil:
		c.Status, c.Seen, c.Fix = Unknown, t.deaf, "run doctor again; if it stays so, what check asks by it cannot be trusted"
	case t.err == nil || exchange.IsNotFound(t.err):
		c.Seen = "called, and it answered"
	case exchange.IsRefused(t.err) || isBindingError(t.err):
		c.Status, c.Seen = Missing, say("a call was refused%s", refusal(t.err))
		c.Fix = "the role that holds the cmdlet lacks this parameter: see the commands below"
	default:
		c.Status, c.Seen, c.Fix = Unknown, say("called, and it failed: %v", t.err), "run doctor again"
	}
	return c
}

// isBindingError tells a parameter that was refused as if there were none of
// that name (semantics 4.5, wire 5.2).
func isBindingError(err error) bool {
	kind := refusal(err)
	return strings.HasSuffix(kind, "AmbiguousParameterSetException") || strings.HasSuffix(kind, "ParameterBindingException")
}

func (e *examination) tryMailboxes(ctx context.Context, n reconcile.Need) []trial {
	guid, listed := firstGUID(e.tenant.Mailboxes(ctx, exchange.MailboxQuery{Select: []string{"Guid"}}),
		func(m exchange.Mailbox) string { return m.Guid.Value })
	e.mailbox = guid
	trials := []trial{{parameter: resultSize, err: listed}}
	byID := trial{parameter: identity}
	if guid == "" {
		byID.idle = noMailbox
	} else {
		byID.err = e.tenant.MailboxesByID(ctx, []exchange.MailboxRef{{Guid: guid}}, []string{"Guid"})[0].Err
	}
	trials = append(trials, byID)
	for _, p := range n.Parameters {
		q, try := exchange.MailboxQuery{Select: []string{"Guid"}}, trial{parameter: p}
		switch p {
		case "Filter":
			// No mailbox was created in a year to come, so that the answer is short, and
			// any row in it was let through by a filter that does nothing.
			q.Filter = exchange.StoredAuditNotEnabled().And(exchange.CreatedSince(e.Now().AddDate(1, 0, 0)))
		case "GroupMailbox":
			q.Listing = exchange.Groups
		case "PublicFolder":
			q.Listing = exchange.PublicFolders
		default:
			continue
		}
		rows, err := countRows(e.tenant.Mailboxes(ctx, q))
		if try.err = err; rows > 0 && p == "Filter" {
			try.deaf = "called, and the service answered with a mailbox that the filter excludes: it ignores the filter"
		}
		trials = append(trials, try)
	}
	return trials
}

// noMailbox is said where none was listed: the listing was refused, the tenant
// has none, or the role has a read scope that shows none.
const noMailbox = "not tried: no mailbox was listed that could be read"

func (e *examination) tryBypass(ctx context.Context) []trial {
	guid, listed := firstGUID(e.tenant.BypassAssociations(ctx), func(b exchange.BypassAssociation) string { return b.Guid.Value })
	byID := trial{parameter: identity}
	if guid == "" {
		byID.idle = "not tried: no row was listed that could be read"
	} else {
		byID.err = e.tenant.BypassByID(ctx, []string{guid})[0].Err
	}
	return []trial{{parameter: resultSize, err: listed}, byID}
}

func (e *examination) tryUser(ctx context.Context) []trial {
	if e.mailbox == "" {
		return []trial{{parameter: identity, idle: noMailbox}}
	}
	return []trial{{parameter: identity, err: e.tenant.Users(ctx, []string{e.mailbox})[0].Err}}
}

// countRows reads a listing up to its first row: one, or none.
func countRows[T any](rows iter.Seq2[T, error]) (int, error) {
	for _, err := range rows {
		if err != nil {
			return 0, err
		}
		return 1, nil
	}
	return 0, nil
}

// firstGUID reads a listing up to its first row; empty where it has none.
func firstGUID[T any](rows iter.Seq2[T, error], guid func(T) string) (string, error) {
	for row, err := range rows {
		if err != nil {
			return "", err
		}
		return guid(row), nil
	}
	return "", nil
}
