package reconcile

import (
	"context"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// mailboxes looks at mailboxes, in tens.
func (c *recovery) mailboxes(ctx context.Context, open []journal.Entry) error {
	order, of := byMailbox(open)
	n := needs{enabled: true, age: true, lists: true}
	read := func(ctx context.Context, refs []exchange.MailboxRef) []exchange.Result[exchange.Mailbox] {
		return c.s.Client.MailboxesByID(ctx, refs, n.selects())
	}
	var hidden []journal.Entry
	for refs := range slices.Chunk(order, exchange.BatchSize) {
		for i, res := range askBatch(ctx, c, refs, read) {
			for _, e := range of[refs[i].Guid] {
				seen := mailboxSighting(e.Intent.Setting, refs[i], res, n)
				if seen.hidden {
					hidden = append(hidden, e)
					continue
				}
				if err := c.settle(ctx, e, seen); err != nil {
					return err
				}
			}
		}
	}
	return c.stored(ctx, hidden)
}

// byMailbox gathers intents by their mailbox, in the order of the journal.
func byMailbox(open []journal.Entry) ([]exchange.MailboxRef, map[string][]journal.Entry) {
	var order []exchange.MailboxRef
	of := map[string][]journal.Entry{}
	for _, e := range open {
		s := e.Intent.Subject
		if _, known := of[s.ID]; !known {
			order = append(order, exchange.MailboxRef{Guid: s.ID, Listing: listingFor(s.Type)})
		}
		of[s.ID] = append(of[s.ID], e)
	}
	return order, of
}

// stored looks by the filter, in one listing, at the AuditEnabled that mailboxes
// hide.
func (c *recovery) stored(ctx context.Context, open []journal.Entry) error {
	if len(open) == 0 {
		return nil
	}
	ids, err := readStored(ctx, c.s.Client)
	for _, e := range open {
		id, _ := parseGUID(e.Intent.Subject.ID) // it was read by it
		_, listed := slices.BinarySearchFunc(ids, id, compareGUID)
		if err := c.settle(ctx, e, sighting{value: !listed, err: err}); err != nil {
			return err
		}
	}
	return nil
}
