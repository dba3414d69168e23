package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// defaultBypassEvery is how old the last whole listing of bypass associations may be
// in a look at what changed.
const defaultBypassEvery = time.Hour

// errOtherAccount is an answer about another account than was asked for.
var errOtherAccount = errors.New("the service gave another account than the one that was asked for")

// bypassSince reads the bypass associations. They have no filter: all are listed
// where the last whole listing is too old, and else those are read by their ids that
// were then bypassed or allowed.
func (o *observer) bypassSince(ctx context.Context, every time.Duration) {
	if every <= 0 {
		every = defaultBypassEvery
	}
	age := o.now().Sub(o.memory.bypassAt)
	if o.memory.bypassAt.IsZero() || age < 0 || age >= every || !o.knownBypass(ctx) {
		o.bypassAssociations(ctx)
	}
}

// knownBypass reads the accounts that are known to be bypassed or allowed. It tells
// that they do not do: one that was bypassed and is not found may be gone, or be
// known by that id to the listing alone, and only another listing can tell.
func (o *observer) knownBypass(ctx context.Context) bool {
	list := &bypassList{readAt: o.memory.bypassAt, partial: true}
	var errs []error
	for ids := range slices.Chunk(o.memory.bypassKnown, exchange.BatchSize) {
		for i, res := range batchAttempt(ctx, ids, o.reader.BypassByID) {
			switch {
			case exchange.IsNotFound(res.Err):
				if !o.memory.allows(ids[i]) {
					return false
				}
			case res.Err != nil:
				errs = append(errs, res.Err)
			case !answersFor(res.Value, ids[i]):
				errs = append(errs, fmt.Errorf("%s: %w", ids[i], errOtherAccount))
			default:
				list.add(res.Value)
			}
		}
	}
	list.settle()
	o.note(audit.KindBypass, "Get-MailboxAuditBypassAssociation", errors.Join(errs...))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.bypass = list
	return true
}

// allows tells whether an id is one that an allow entry stands for: its bypass is no
// drift, whatever became of it.
func (m *Memory) allows(id string) bool {
	want, ok := parseGUID(id)
	return ok && slices.ContainsFunc(m.allowed, func(a resolvedAccount) bool { return slices.Contains(a.ids, want) })
}

// answersFor tells whether a row is that of an id. One without ids is nobody's: that
// it is not bypassed says nothing of the account that was asked for.
func answersFor(row exchange.BypassAssociation, id string) bool {
	want, _ := parseGUID(id)
	return slices.Contains(guidsOf(row.Guid, row.ExchangeObjectID), want)
}

// recall takes over what earlier runs found the allow entries to stand for: a look
// at what changed does not see the mailboxes that answer to them.
func (a *accounts) recall(m *Memory) {
	a.known = map[string][]guid{}
	for _, r := range m.allowed {
		a.known[r.account] = r.ids
	}
}

// moved tells that an allow entry stands for another account than it did, or for
// none any more; it is empty where none does.
func (a *accounts) moved(pop *population) string {
	for i, e := range a.entries {
		known, resolved := a.known[accountOf(e)]
		if !resolved {
			continue
		}
		why := fmt.Sprintf("which account the allow entry for %s stands for has changed since the last full sweep", accountOf(e))
		for id := range a.found[i] {
			if !slices.Contains(known, id) {
				return why
			}
		}
		for _, r := range pop.records {
			if _, still := a.found[i][r.id]; !still && slices.Contains(known, r.id) {
				return why
			}
		}
	}
	return ""
}

// remembered gives the entries as earlier runs resolved them, and the places of
// those to ask for: that were nobody then, where an account is bypassed that no
// other entry allows.
func (a *accounts) remembered(list *bypassList) (out []allowance, open []int) {
	out = make([]allowance, len(a.entries))
	for i, e := range a.entries {
		out[i].entry = e
		ids, resolved := a.known[accountOf(e)]
		if !resolved {
			out[i].failed = accountOf(e) + " could not be resolved by the last full sweep"
			continue
		}
		out[i].ids = slices.Clone(ids)
	}
	if !list.bypasses(out) {
		return out, nil
	}
	for i, e := range a.entries {
		named, _ := parseGUID(e.ID)
		nobody := !slices.ContainsFunc(out[i].ids, func(id guid) bool { return id != named })
		if out[i].failed == "" && nobody {
			open = append(open, i)
		}
	}
	return out, open
}

// bypasses tells whether an account is bypassed that none of the entries names.
func (b *bypassList) bypasses(allowed []allowance) bool {
	return slices.ContainsFunc(b.rows, func(r bypassRow) bool {
		return r.missing == "" && !slices.ContainsFunc(allowed, func(a allowance) bool {
			return slices.Contains(a.ids, r.id) || r.objectID != guid{} && slices.Contains(a.ids, r.objectID)
		})
	})
}
