package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// ExplainReader is what an explanation needs of a tenant: besides the reads of
// a comparison the bypass of one account. *exchange.Client satisfies it.
type ExplainReader interface {
	Reader
	BypassByID(ctx context.Context, guids []string) []exchange.Result[exchange.BypassAssociation]
}

// snapshot is all that was read for one mailbox. It is a Reader too: a
// comparison over it is answered from what was read, and only what is not in
// it is asked for.
type snapshot struct {
	ExplainReader
	// identity is what the mailbox was asked for by.
	identity string

	org      exchange.Organization
	orgErr   error
	adminLog exchange.AdminAuditLog
	adminErr error

	row     exchange.Mailbox
	listing exchange.Listing
	profile profile
	facts   policy.Subject
	// matches are how each rule and then each exemption matches.
	matches []policy.Match
	// spokenOf tells whether the policy has rules for the listing at all.
	spokenOf bool

	// bypass is that of the mailbox's own account.
	bypass fact[bool]
	// stored tells whether the stored AuditEnabled is true.
	stored fact[bool]
	// storedAsked and storedErr tell how asking the filter went.
	storedAsked bool
	storedErr   error
}

// explainNeeds is what an explanation asks of a mailbox, whatever the policy
// speaks of.
func explainNeeds(p *policy.Policy) needs {
	n := needsOf(p)
	n.enabled, n.age, n.lists, n.addresses = true, true, true, true
	return n
}

// snapshotOf reads the tenant's switches and the mailbox side by side, and then
// what hangs on the mailbox.
func snapshotOf(ctx context.Context, r ExplainReader, req ExplainRequest) (*snapshot, error) {
	s := &snapshot{ExplainReader: r, identity: req.Identity}
	var missing error
	var wg sync.WaitGroup
	wg.Go(func() {
		s.orgErr = attempt(ctx, func() (err error) {
			s.org, err = r.Organization(ctx)
			return err
		})
	})
	wg.Go(func() {
		s.adminErr = attempt(ctx, func() (err error) {
			s.adminLog, err = r.AdminAuditLog(ctx)
			return err
		})
	})
	wg.Go(func() { missing = s.find(ctx, req) })
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("reading the tenant: %w", err)
	}
	if missing != nil {
		return nil, missing
	}
	n := explainNeeds(req.Policy)
	s.profile = profileOf(s.row, s.listing, n)
	s.spokenOf = slices.Contains(n.listings, s.listing)
	wg.Go(func() { s.readBypass(ctx) })
	wg.Go(func() { s.readStored(ctx) })
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("reading the mailbox: %w", err)
	}
	return s, nil
}

// find looks for the mailbox in all three listings, of which the policy may
// speak of fewer: that no rule speaks of a mailbox is an explanation too.
func (s *snapshot) find(ctx context.Context, req ExplainRequest) error {
	var refs []exchange.MailboxRef
	for _, l := range []exchange.Listing{exchange.Ordinary, exchange.Groups, exchange.PublicFolders} {
		refs = append(refs, exchange.MailboxRef{Guid: req.Identity, Listing: l})
	}
	read := func(ctx context.Context, refs []exchange.MailboxRef) []exchange.Result[exchange.Mailbox] {
		return s.ExplainReader.MailboxesByID(ctx, refs, explainNeeds(req.Policy).selects())
	}
	var failed error
	for i, res := range batchAttempt(ctx, refs, read) {
		switch {
		case res.Err == nil && isMailbox(res.Value, req.Identity):
			s.row, s.listing = res.Value, refs[i].Listing
			return nil
		case res.Err != nil && !exchange.IsNotFound(res.Err) && failed == nil:
			failed = fmt.Errorf("reading the mailbox %q: %w", req.Identity, res.Err)
		}
	}
	if failed != nil {
		return failed
	}
	return &nowhereError{MailboxNotFoundError{Identity: req.Identity}}
}

// nowhereError is a [MailboxNotFoundError] after a look into every listing.
type nowhereError struct{ missing MailboxNotFoundError }

func (e *nowhereError) Error() string {
	return fmt.Sprintf("no mailbox has the address, sign-in name or id %q", e.missing.Identity)
}

func (e *nowhereError) Unwrap() error { return &e.missing }

// settle takes over what selectors know of the mailbox from the observer that
// read it. Its delegates are not kept there, only what hangs on them: they are
// known where the mailbox matches as it would with them, or as without.
func (s *snapshot) settle(o *observer, pop *population) {
	s.facts = o.subjectOf(s.row, s.profile)
	s.matches = matchesOf(o.policy, s.facts)
	if pop == nil || len(pop.records) != 1 {
		return
	}
	for i := range s.matches {
		s.matches[i] = pop.matchAt(pop.cases[pop.records[0].kase].match, i)
	}
	if s.facts.Delegates.Known || !o.needs.delegates {
		return
	}
	with, without := s.facts, s.facts
	with.Delegates = policy.BoolFact{Known: true, Value: true}
	without.Delegates = policy.BoolFact{Known: true}
	yes, no := matchesOf(o.policy, with), matchesOf(o.policy, without)
	switch {
	case slices.Equal(yes, no):
	case slices.Equal(s.matches, yes):
		s.facts = with
	case slices.Equal(s.matches, no):
		s.facts = without
	}
}

func (s *snapshot) subject() Subject {
	return Subject{Kind: audit.KindMailbox, ID: strings.ToLower(s.row.Guid.Value), Name: mailboxName(s.row), Type: s.profile.kind.value}
}

// readBypass asks for the bypass of the mailbox's own account, whose row has
// the Guid or the ExchangeObjectId of the mailbox (semantics 3).
func (s *snapshot) readBypass(ctx context.Context) {
	if s.listing != exchange.Ordinary {
		return // No account signs in to it.
	}
	var ids []string
	for _, id := range guidsOf(s.row.Guid, s.row.ExchangeObjectID) {
		if text := id.String(); !slices.Contains(ids, text) {
			ids = append(ids, text)
		}
	}
	s.bypass.missing = "the account of the mailbox has no row among the bypass associations"
	if len(ids) == 0 {
		s.bypass.missing = "the mailbox has no usable Guid to ask by"
		return
	}
	for _, res := range batchAttempt(ctx, ids, s.ExplainReader.BypassByID) {
		row := res.Value
		switch {
		case exchange.IsNotFound(res.Err):
			continue
		case res.Err != nil:
			s.bypass.missing = "Get-MailboxAuditBypassAssociation failed: " + res.Err.Error()
			return
		case !slices.ContainsFunc([]string{row.Guid.Value, row.ExchangeObjectID.Value}, func(id string) bool {
			return slices.Contains(ids, strings.ToLower(id))
		}):
			continue
		}
		s.bypass = boolFact("AuditBypassEnabled", row.AuditBypassEnabled)
		return
	}
}

// readStored asks for the stored AuditEnabled where the row does not show it
// (semantics 2.2): by the filter, and-ed with an id that it can select by (wire
// 3), so that it is one row and not the tenant.
func (s *snapshot) readStored(ctx context.Context) {
	if s.profile.kind.missing == "" && audit.OnByDefault(s.profile.kind.value) == audit.NotCovered {
		s.stored = fact[bool]{value: s.profile.enabled.value == triTrue, missing: s.profile.enabled.missing}
		return
	}
	id, ok := parseGUID(s.row.ExternalDirectoryObjectID.Value)
	self, named := parseGUID(s.row.Guid.Value)
	if s.listing != exchange.Ordinary || !ok || !named {
		s.stored.missing = "only the server's filter sees it, and it cannot name this mailbox"
		return
	}
	filter := exchange.StoredAuditNotEnabled().And(exchange.Filter("ExternalDirectoryObjectId -eq '" + id.String() + "'"))
	var listed bool
	s.storedErr = attempt(ctx, func() error {
		listed = false
		for m, err := range s.ExplainReader.Mailboxes(ctx, exchange.MailboxQuery{Filter: filter, Select: []string{"Guid"}}) {
			if err != nil {
				return err
			}
			row, ok := parseGUID(m.Guid.Value)
			if !ok || row != self {
				return errors.New("the filter on stored AuditEnabled values gave another mailbox than the one asked for")
			}
			listed = true
		}
		return nil
	})
	s.storedAsked = true
	s.stored.value = !listed
	switch enabled := s.profile.enabled; {
	case s.storedErr != nil:
		s.stored.missing = s.storedErr.Error()
	case enabled.missing == "" && enabled.value != triTrue && !listed:
		s.stored.missing = "the filter on stored AuditEnabled values cannot be trusted: it contradicts what the mailbox shows"
	}
}

// Organization answers from what was read.
func (s *snapshot) Organization(context.Context) (exchange.Organization, error) {
	return s.org, s.orgErr
}

// AdminAuditLog answers from what was read.
func (s *snapshot) AdminAuditLog(context.Context) (exchange.AdminAuditLog, error) {
	return s.adminLog, s.adminErr
}

// MailboxesByID answers with the one mailbox, which is asked for by the same
// identity in each listing that the policy speaks of. A listing that does not
// hold it answers with a row without names, which is nobody's.
func (s *snapshot) MailboxesByID(ctx context.Context, refs []exchange.MailboxRef, selected []string) []exchange.Result[exchange.Mailbox] {
	if slices.ContainsFunc(refs, func(ref exchange.MailboxRef) bool { return ref.Guid != s.identity }) {
		return s.ExplainReader.MailboxesByID(ctx, refs, selected)
	}
	out := make([]exchange.Result[exchange.Mailbox], len(refs))
	for i, ref := range refs {
		if ref.Listing == s.listing {
			out[i].Value = s.row
		}
	}
	return out
}

// Mailboxes answers the listing of stored values, as far as this mailbox is
// concerned; any other listing is the tenant's.
func (s *snapshot) Mailboxes(ctx context.Context, q exchange.MailboxQuery) iter.Seq2[exchange.Mailbox, error] {
	if !s.storedAsked || q.Filter != exchange.StoredAuditNotEnabled() || q.Listing != exchange.Ordinary {
		return s.ExplainReader.Mailboxes(ctx, q)
	}
	return func(yield func(exchange.Mailbox, error) bool) {
		switch {
		case s.storedErr != nil:
			yield(exchange.Mailbox{}, s.storedErr)
		case !s.stored.value:
			yield(exchange.Mailbox{Guid: s.row.Guid}, nil)
		}
	}
}
