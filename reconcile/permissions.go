package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/exoaudit/exoaudit/exchange"
)

// settlement asks for the delegates of candidates, the cheaper way first.
type settlement struct {
	*observer
	pop *population
	// sendAs and full are what is known of each candidate.
	sendAs, full []delegated
}

// delegates settles the candidates: by the listing of send-as permissions, then,
// where that leaves it open, by the permissions of the single mailbox. Without the
// listing nothing more is asked, since nobody could then be without delegates.
func (o *observer) delegates(ctx context.Context, single bool) {
	pop, send := o.obs.pop, o.obs.sendAs
	if send == nil {
		send = newSendAs(o.seed) // It says nothing, so that the few mailboxes are asked about.
	} else {
		o.charge(pagesOf(send.rows), "listing who may send as whom, "+counted(send.rows, "row"))
	}
	s := settlement{observer: o, pop: pop, sendAs: make([]delegated, len(pop.candidates)), full: make([]delegated, len(pop.candidates))}
	shared := pop.sharedIdentities(send)
	for i, c := range pop.candidates {
		identity := pop.identities[c.record]
		s.sendAs[i] = send.of(identity, shared[identity] > 1)
	}
	asked := ask(ctx, s, "Get-RecipientPermission", s.sendAs, func(ctx context.Context, ids []string) []exchange.Result[delegated] {
		return eachDelegated(o.reader.RecipientPermissionsByID(ctx, ids), exchange.RecipientPermission.Delegation)
	})
	s.charged(asked, "asking who may send as the %s that the listing does not tell apart")
	for i := range s.full {
		if s.sendAs[i] != delegatedYes && send.missing == "" {
			s.full[i] = delegatedAsk
		}
	}
	if !single { // Of the one that is asked for by name it is asked anew.
		s.recall(s.full)
	}
	open, at := slices.Clone(s.full), o.now()
	asked = ask(ctx, s, "Get-MailboxPermission", s.full, func(ctx context.Context, ids []string) []exchange.Result[delegated] {
		return eachDelegated(o.reader.MailboxPermissions(ctx, ids), exchange.MailboxPermission.Delegation)
	})
	s.charged(asked, "asking who has full access to the %s of which nothing cheaper tells it")
	s.learnt(open, s.full, at)
	pop.decide(s.verdicts())
}

// verdicts join the three ways to be a delegate.
func (s settlement) verdicts() []delegated {
	out := make([]delegated, len(s.pop.candidates))
	for i, c := range s.pop.candidates {
		switch {
		case s.sendAs[i] == delegatedYes || s.full[i] == delegatedYes:
			out[i] = delegatedYes
		case c.quiet && s.sendAs[i] == delegatedNo && s.full[i] == delegatedNo:
			out[i] = delegatedNo
		}
	}
	return out
}

// charge adds to the cost of hasDelegates.
func (o *observer) charge(requests int, why string) {
	if requests > 0 {
		o.obs.delegateCost = append(o.obs.delegateCost, Cost{For: "hasDelegates", Requests: requests, Why: why})
	}
}

func (s settlement) charged(mailboxes int, why string) {
	s.charge(batches(mailboxes), fmt.Sprintf(why, countMailboxes(mailboxes)))
}

// eachDelegated judges the rows of each mailbox. A mailbox without any is one that
// cannot be seen, as each is listed at least with itself.
func eachDelegated[T any](results []exchange.Result[[]T], judge func(T) exchange.Delegation) []exchange.Result[delegated] {
	out := make([]exchange.Result[delegated], len(results))
	for i, res := range results {
		if out[i].Err = res.Err; res.Err != nil {
			continue
		}
		best := exchange.NotDelegated
		for _, row := range res.Value {
			switch d := judge(row); {
			case d == exchange.Delegated:
				best = d
			case d == exchange.DelegationUnknown && best == exchange.NotDelegated:
				best = d
			}
		}
		switch {
		case len(res.Value) == 0:
			out[i].Err = errNoRows
		case best == exchange.DelegationUnknown:
			out[i].Err = errStrangeRow
		case best == exchange.Delegated:
			out[i].Value = delegatedYes
		default:
			out[i].Value = delegatedNo
		}
	}
	return out
}

var (
	errNoRows     = errors.New("no permission was shown, where a mailbox shows at least its own")
	errStrangeRow = errors.New("a permission is of a form that this version does not know")
	errNotAsked   = errors.New("not asked, as everything in a request before it failed")
	errOtherKind  = errors.New("not asked: the cmdlet takes no mailboxes of public folders, and those of groups only by themselves")
)

// ask puts the question of one cmdlet about those mailboxes that it is open for,
// ten in a request, a few requests at a time, and gives the number of mailboxes
// that were asked about. Where a request fails for all of its mailboxes no further
// one is begun: thousands would fail alike.
func ask(
	ctx context.Context, s settlement, cmdlet string, known []delegated,
	read func(context.Context, []string) []exchange.Result[delegated],
) int {
	ids, results := s.questions(known)
	var wg sync.WaitGroup
	var hopeless atomic.Bool
	var asked atomic.Int64
	slots := make(chan struct{}, defaultInFlight)
	for from := 0; from < len(ids); from += exchange.BatchSize {
		part := ids[from:min(from+exchange.BatchSize, len(ids))]
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if hopeless.Load() || ctx.Err() != nil {
				return
			}
			texts := make([]string, len(part))
			for i, id := range part {
				texts[i] = id.String()
			}
			failed := 0
			for i, res := range batchAttempt(ctx, texts, read) {
				results[from+i] = res
				if res.Err != nil && !exchange.IsNotFound(res.Err) {
					failed++
				}
			}
			asked.Add(int64(len(part)))
			if failed == len(part) {
				hopeless.Store(true)
			}
		})
	}
	wg.Wait()
	s.take(cmdlet, known, ids, results)
	return int(asked.Load())
}

// questions are the mailboxes to ask about, each once, sorted.
func (s settlement) questions(known []delegated) ([]guid, []exchange.Result[delegated]) {
	var ids []guid
	for i, c := range s.pop.candidates {
		if known[i] == delegatedAsk && s.ordinary(c) {
			ids = append(ids, s.pop.records[c.record].id)
		}
	}
	slices.SortFunc(ids, compareGUID)
	ids = slices.Compact(ids)
	results := make([]exchange.Result[delegated], len(ids))
	for i := range results {
		results[i].Err = errNotAsked
	}
	return ids, results
}

// ordinary tells a mailbox that can be asked about by its id alone: for others the
// cmdlets have switches that are not known to work for both (wire 1.2).
func (s settlement) ordinary(c suspended) bool {
	return s.pop.profileOf(s.pop.records[c.record].kase).listing == exchange.Ordinary
}

// take puts the answers where the questions were, and notes what failed, once.
func (s settlement) take(cmdlet string, known []delegated, ids []guid, results []exchange.Result[delegated]) {
	failed, first := 0, error(nil)
	for i, c := range s.pop.candidates {
		if known[i] != delegatedAsk {
			continue
		}
		res := exchange.Result[delegated]{Err: errOtherKind}
		if at, found := slices.BinarySearchFunc(ids, s.pop.records[c.record].id, compareGUID); found {
			res = results[at]
		}
		known[i] = res.Value
		if res.Err != nil {
			known[i] = delegatedUnknown
			failed++
			if first == nil || errors.Is(first, errNotAsked) || exchange.IsRefused(res.Err) {
				first = res.Err
			}
		}
	}
	if len(ids) == 0 && first == nil {
		return
	}
	if first != nil {
		first = fmt.Errorf("%w; the delegates of %s could not be asked for", first, countMailboxes(failed))
	}
	s.notePart(cmdlet, first)
}

// countMailboxes puts a number before the word.
func countMailboxes(n int) string {
	if n == 1 {
		return "1 mailbox"
	}
	return fmt.Sprintf("%d mailboxes", n)
}
