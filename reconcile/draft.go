package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// draftTerm is how many days what a draft accepts is accepted.
const draftTerm = 90

// DraftRequest says for which tenant a policy is drafted, and when.
type DraftRequest struct {
	Now func() time.Time
	// Tenant is named in the text; it may be empty.
	Tenant string
}

// Draft is a policy made from what a tenant has. It asks for the built-in
// policy that the tenant is nearest to, and for what the tenant does beyond it.
// What falls short, and every bypass, is accepted for a time and marked TODO: a
// tenant that was weakened is in line with its draft, and does not become the
// norm.
type Draft struct {
	Tenant    string
	CreatedAt time.Time
	// Extends are the built-in policies that the draft rests on.
	Extends []string
	// Nearest is the one that the tenant differs from least.
	Nearest string
	// Distances says of each candidate in how many values the tenant differs.
	Distances []BaselineDistance
	Rules     []DraftRule
	Allow     []DraftAllow
	// Accepted are mailboxes that fall short, grouped by what is accepted.
	Accepted []DraftExemption
	// UnifiedLogOff and AuditDisabled are switches of the tenant that are off,
	// which is accepted for a time as well.
	UnifiedLogOff, AuditDisabled bool
	// Expires is the last day of all that is accepted, 00:00 UTC.
	Expires time.Time
	// Notes are what the reader must know: what the draft says nothing of.
	Notes []string
	// Mailboxes is how many were read.
	Mailboxes int
	// Requests is the number of HTTP requests that it took.
	Requests int

	text []byte
}

// BaselineDistance is in how many values a tenant differs from a baseline, in
// either direction.
type BaselineDistance struct {
	Name    string
	Differs int
}

// DraftRule asks for what mailboxes do beyond the baseline.
type DraftRule struct {
	Name  string
	Types []audit.MailboxType
	// Addresses are the mailboxes that it speaks of, Except those that it does
	// not; at most one of them has any, and with neither it speaks of all.
	Addresses, Except []string
	// Defaults asks for Microsoft's default actions of every logon type.
	Defaults bool
	Plus     [3]audit.ActionSet
	// AgeLimit is 0 for no wish.
	AgeLimit time.Duration
	// Enabled is empty for no wish.
	Enabled string
	// Mailboxes is how many it speaks of today.
	Mailboxes int
}

// DraftAllow is a bypass that is there.
type DraftAllow struct {
	// ID is the Guid of its row.
	ID string
	// Account is the sign-in name or address, where it is known.
	Account string
}

// DraftExemption accepts what some mailboxes have.
type DraftExemption struct {
	Name      string
	Addresses []string
	Accept    DraftAccept
	// Mailboxes is how many it speaks of today.
	Mailboxes int
	// Lacks says per setting what the baseline would add.
	Lacks []string
}

// DraftAccept is what an exemption accepts; a nil part is not exempted.
type DraftAccept struct {
	Record   [3]*DraftFloor
	AgeLimit *time.Duration
}

// DraftFloor is the least list that is accepted: Microsoft's defaults and Plus,
// or Plus alone.
type DraftFloor struct {
	Defaults bool
	Plus     audit.ActionSet
	// have is the whole list, to find what two floors have in common.
	have audit.ActionSet
}

// NewDraft reads the tenant whole and drafts a policy. It writes nothing. A
// tenant that cannot be read whole gives an error, which wraps what failed: a
// norm must not be made of a part.
func NewDraft(ctx context.Context, r Reader, req DraftRequest) (*Draft, error) {
	before := r.Stats()
	base, err := newDraftBase()
	if err != nil {
		return nil, err
	}
	obs, err := newObserver(r, base.union, req.Now).observe(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := obs.draftable(); err != nil {
		return nil, err
	}
	if obs.storedMissing == "" {
		obs.pop.markStored(obs.stored)
	}
	obs.pop.settle()
	now := req.Now().UTC()
	d := &Draft{
		Tenant: req.Tenant, CreatedAt: now, Mailboxes: obs.pop.read,
		Expires:       time.Date(now.Year(), now.Month(), now.Day()+draftTerm, 0, 0, 0, 0, time.UTC),
		UnifiedLogOff: !obs.tenant.unifiedLog.value, AuditDisabled: obs.tenant.auditDisabled.value,
	}
	a := drafter{base: base, obs: obs, draft: d, differ: differ{
		policy: base.union, catalogue: learn(obs.pop), storedMissing: obs.storedMissing, now: now,
	}}
	a.choose()
	a.mailboxes()
	if err := a.bypass(ctx, r); err != nil {
		return nil, err
	}
	a.notes()
	d.Requests = int(r.Stats().Requests - before.Requests)
	d.text = d.render()
	// The names and addresses of a tenant are nobody's promise: what was written
	// is read once before it is given away.
	if _, found := policy.Load("draft.yaml", d.text, nil); found.HasErrors() {
		return nil, fmt.Errorf("the drafted policy would not be valid: %w", found)
	}
	return d, nil
}

// YAML gives the policy as text, with comments for those who fill it in.
func (d *Draft) YAML() []byte { return slices.Clone(d.text) }

// WriteTo writes the policy. It returns the first error of w.
func (d *Draft) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(d.text)
	return int64(n), err
}

// draftable gives what kept the tenant from being read whole.
func (o *observation) draftable() error {
	var errs []error
	for _, f := range o.failures {
		errs = append(errs, f)
	}
	for _, f := range []fact[bool]{o.tenant.auditDisabled, o.tenant.unifiedLog} {
		if f.missing != "" && len(errs) == 0 {
			errs = append(errs, errors.New(f.missing))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("no policy is drafted of a tenant that could not be read whole: %w", &unreadError{errs})
}

// bypass makes an entry of each account that is bypassed, with the sign-in name
// of it where it is a mailbox or Get-User knows it.
func (a *drafter) bypass(ctx context.Context, r Reader) error {
	names := map[guid]string{}
	for _, rec := range a.obs.pop.records {
		names[rec.id] = rec.name
	}
	unclear := 0
	for _, row := range a.obs.bypass.rows {
		if row.missing != "" {
			unclear++
			continue
		}
		a.draft.Allow = append(a.draft.Allow, DraftAllow{ID: row.id.String(), Account: names[row.id]})
	}
	slices.SortFunc(a.draft.Allow, func(x, y DraftAllow) int { return strings.Compare(x.ID, y.ID) })
	left := max(0, len(a.draft.Allow)-maxDraftAllow)
	a.draft.Allow = a.draft.Allow[:len(a.draft.Allow)-left]
	if unclear > 0 {
		a.note("whether %s bypassed could not be read, and no entry allows it", plural(unclear, "account is", "accounts are"))
	}
	if left > 0 {
		a.note("%s bypassed, too many to list: no entry allows them, and they stay drift", plural(left, "more account is", "more accounts are"))
	}
	if a.obs.bypass.read == 0 {
		a.note("the listing of bypass associations is empty, which no tenant's is: the role may not see it")
	}
	return a.nameBypassed(ctx, r)
}

// nameBypassed looks up the sign-in names of the accounts that are no mailbox.
func (a *drafter) nameBypassed(ctx context.Context, r Reader) error {
	var ask []string
	for _, e := range a.draft.Allow {
		if e.Account == "" {
			ask = append(ask, e.ID)
		}
	}
	found := map[string]string{}
	for batch := range slices.Chunk(ask, exchange.BatchSize) {
		for i, res := range batchAttempt(ctx, batch, r.Users) {
			if res.Err == nil && isUser(res.Value, policy.Allow{ID: batch[i]}) {
				found[batch[i]] = res.Value.UserPrincipalName.Value
			}
		}
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("looking up bypassed accounts: %w", err)
	}
	for i := range a.draft.Allow {
		e := &a.draft.Allow[i]
		if e.Account == "" {
			e.Account = found[e.ID]
		}
	}
	return nil
}

// note keeps something for the reader.
func (a *drafter) note(format string, args ...any) {
	a.draft.Notes = append(a.draft.Notes, fmt.Sprintf(format, args...))
}

// plural puts a number before the one or the other text.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
