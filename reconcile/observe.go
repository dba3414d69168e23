package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// failure is a read that did not give what it should.
type failure struct {
	kind   audit.SubjectKind
	cmdlet string
	err    error
	// partial tells that only what hangs on it is unknown, and not the kind.
	partial bool
}

// Error names the cmdlet, once.
func (f failure) Error() string {
	if text := f.err.Error(); strings.HasPrefix(text, f.cmdlet) {
		return text
	}
	return f.cmdlet + ": " + f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// observation is everything that was read of a tenant, folded.
type observation struct {
	tenant   tenantView
	pop      *population
	accounts *accounts
	bypass   *bypassList
	stored   []guid
	// retention are the retention policies, nil where they were not read.
	retention []retained
	// storedMissing says why the stored values are not known.
	storedMissing string
	failures      []failure
	reads         int
	// groups and sendAs are what selectors ask about beside the mailboxes.
	groups       *groups
	sendAs       *sendAs
	delegateCost []Cost
	// delegates are the answers on Full Access that were read whole.
	delegates map[guid]delegateFact
	// changed is when the disputed mailboxes were last changed.
	changed sync.Map
	// raw are the tenant's own rows as they came, rawMissing what of them is missing
	// that nothing else asked for.
	raw        Observed
	rawMissing []string
	// skew is how far the service's clock is ahead of ours; 0 where it does not say.
	skew time.Duration
}

// observer reads a tenant. Listings run side by side; each folds into its own
// accumulator, so that a restart leaves nothing behind.
type observer struct {
	reader Reader
	policy *policy.Policy
	needs  needs
	now    func() time.Time
	seed   maphash.Seed
	// compliance is nil where retention is not asked for.
	compliance ComplianceReader
	// memory is what earlier runs left; nil for none.
	memory *Memory
	// tool is the name and version of this program.
	tool string
	// raw keeps the tenant's own rows as they come.
	raw bool
	// disputed are the mailboxes with a setting that somebody sets back, sorted.
	disputed []guid
	// window is nil where the whole tenant is looked at.
	window *window

	mu  sync.Mutex
	obs *observation
}

func newObserver(r Reader, p *policy.Policy, now func() time.Time) *observer {
	return &observer{
		reader: r, policy: p, needs: needsOf(p), now: now, seed: maphash.MakeSeed(),
		obs: &observation{pop: newPopulation(), accounts: newAccounts(p), groups: &groups{}},
	}
}

// observe reads the tenant: everything, or one mailbox where an identity is
// given. Failures are part of the observation; the error is the context's.
func (o *observer) observe(ctx context.Context, mailbox string) (*observation, error) {
	var wg sync.WaitGroup
	wg.Go(func() {
		o.organization(ctx)
		if o.asksRetention(mailbox) {
			o.retention(ctx)
		}
	})
	if o.asksAuditLog() || o.raw {
		wg.Go(func() { o.adminAuditLog(ctx) })
	}
	wg.Go(func() { o.population(ctx, mailbox) })
	if mailbox == "" && o.policy.Bypass != nil {
		wg.Go(func() { o.bypassAssociations(ctx) })
	}
	wg.Wait()
	if err := o.rest(ctx, mailbox != ""); err != nil {
		return nil, err
	}
	return o.obs, nil
}

// rest reads what hangs on the mailboxes. The error is the context's.
func (o *observer) rest(ctx context.Context, single bool) error {
	if o.needs.delegates {
		o.delegates(ctx, single)
	}
	if o.needs.stored {
		// After the mailboxes, not beside them: that a mailbox is not listed
		// says something only if it was there when the listing was made.
		o.storedValues(ctx)
	}
	slices.SortFunc(o.obs.failures, func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.Error(), b.Error()))
	})
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("reading the tenant: %w", err)
	}
	return nil
}

// population reads the mailboxes, or one of them. The groups come first: who is in
// one decides how a mailbox is folded.
func (o *observer) population(ctx context.Context, mailbox string) {
	var wg sync.WaitGroup
	if mailbox == "" && o.window == nil && o.needs.delegates {
		wg.Go(func() { o.sendAs(ctx) })
	}
	o.obs.groups = o.groups(ctx)
	if mailbox != "" {
		o.oneMailbox(ctx, mailbox)
	} else {
		for _, l := range o.needs.listings {
			wg.Go(func() { o.mailboxes(ctx, l) })
		}
	}
	wg.Wait()
}

// note keeps a failed read.
func (o *observer) note(kind audit.SubjectKind, cmdlet string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.reads++
	if err != nil {
		o.obs.failures = append(o.obs.failures, failure{kind: kind, cmdlet: cmdlet, err: err})
	}
}

func (o *observer) organization(ctx context.Context) {
	var org exchange.Organization
	err := attempt(ctx, func() (err error) {
		org, err = o.reader.Organization(ctx)
		return err
	})
	o.note(audit.KindOrganization, "Get-OrganizationConfig", err)
	v := &o.obs.tenant
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		v.auditDisabled.missing = "Get-OrganizationConfig failed: " + err.Error()
		v.dehydrated.missing = v.auditDisabled.missing
		return
	}
	o.hearClock()
	o.obs.raw.Organization = o.keepRaw("Get-OrganizationConfig", org.Raw)
	v.name = org.Name.Value
	v.auditDisabled = boolFact("AuditDisabled", org.AuditDisabled)
	v.dehydrated = boolFact("IsDehydrated", org.IsDehydrated)
}

func (o *observer) asksUnifiedLog() bool {
	return o.policy.Organization != nil && o.policy.Organization.UnifiedAuditLog != nil
}

// asksAuditLog tells whether the policy says anything of the row of
// Get-AdminAuditLogConfig.
func (o *observer) asksAuditLog() bool { return o.asksUnifiedLog() || o.policy.AdminAudit != nil }

// adminAuditLog reads the one row that holds the switch of the unified log and
// the settings of the admin audit log.
func (o *observer) adminAuditLog(ctx context.Context) {
	const cmdlet = "Get-AdminAuditLogConfig"
	var cfg exchange.AdminAuditLog
	err := attempt(ctx, func() (err error) {
		cfg, err = o.reader.AdminAuditLog(ctx)
		return err
	})
	o.keepAuditLog(cfg, err)
	if !o.asksAuditLog() {
		return // It was read for its row alone: nothing is judged by it.
	}
	kind := audit.KindAdminAudit
	if o.asksUnifiedLog() {
		kind = audit.KindOrganization
	}
	o.note(kind, cmdlet, err)
	var admin adminView
	switch {
	case err != nil:
		admin = unreadAdmin(cmdlet + " failed: " + err.Error())
	case o.policy.AdminAudit != nil:
		admin = o.adminAudit(ctx, cfg)
	}
	v := &o.obs.tenant
	o.mu.Lock()
	defer o.mu.Unlock()
	v.admin = admin
	if err != nil {
		v.unifiedLog.missing = cmdlet + " failed: " + err.Error()
		return
	}
	v.unifiedLogRead = true
	v.unifiedLog = boolFact("UnifiedAuditLogIngestionEnabled", cfg.UnifiedAuditLogIngestionEnabled)
}

// adminAudit reads what the settings of the admin audit log take to be judged:
// the cmdlets that the tenant exports are asked for only where the letters of the
// patterns leave something open.
func (o *observer) adminAudit(ctx context.Context, cfg exchange.AdminAuditLog) adminView {
	v := adminViewOf(cfg)
	if !v.needsExports(o.policy.AdminAudit) {
		return v
	}
	err := attempt(ctx, func() (err error) {
		v.exported.value, err = o.reader.ExportedCmdlets(ctx)
		return err
	})
	o.note(audit.KindAdminAudit, "EXOModuleFile", err)
	if err != nil {
		v.exported.missing = "the cmdlets that the tenant exports could not be read: " + err.Error()
	}
	return v
}

// mailboxes reads one of the three listings that the service keeps apart. Of a
// listing that could not be finished the part that came is kept for the
// report; nothing of it is written.
func (o *observer) mailboxes(ctx context.Context, l exchange.Listing) {
	q := exchange.MailboxQuery{Listing: l, Select: o.needs.selects()}
	if o.window != nil {
		q.Filter = o.window.filter()
	}
	var pop *population
	var acc *accounts
	err := attempt(ctx, func() error {
		pop, acc = newPopulation(), newAccounts(o.policy)
		for m, err := range o.reader.Mailboxes(ctx, q) {
			if err == nil && o.window != nil {
				err = o.window.check(m)
			}
			if err != nil {
				return err
			}
			o.fold(pop, acc, m, l)
		}
		return nil
	})
	o.note(audit.KindMailbox, "Get-Mailbox", err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.pop.merge(pop)
	o.obs.accounts.merge(acc)
}

// fold takes from a row what is needed, and forgets it.
func (o *observer) fold(pop *population, acc *accounts, m exchange.Mailbox, l exchange.Listing) {
	pop.read++
	if l == exchange.Ordinary {
		pop.ordinary++
	}
	prof := profileOf(m, l, o.needs)
	pop.byType[typeName(prof.kind)]++
	acc.see(m)
	name := mailboxName(m)
	id, ok := parseGUID(m.Guid.Value)
	if why := unread("Guid", m.Guid.State); why != "" || !ok {
		if why == "" {
			why = "Guid is not a Guid"
		}
		pop.nameless = append(pop.nameless, UnknownObject{
			Subject: Subject{Kind: audit.KindMailbox, Name: name, Type: prof.kind.value},
			Reason:  why + ": the mailbox cannot be told from others",
		})
		return
	}
	o.dispute(id, m)
	subject := o.subjectOf(m, prof)
	pop.add(id, name, prof, matchesOf(o.policy, subject))
	o.window.noteCreated(pop, id, m)
	o.suspend(pop, m, subject)
}

// matchers is the number of rules and exemptions of a policy.
func matchers(p *policy.Policy) int { return len(p.Mailboxes) + len(p.Exemptions) }

// matchesOf says how each rule, and after them each exemption, matches a mailbox.
func matchesOf(p *policy.Policy, s policy.Subject) []policy.Match {
	match := make([]policy.Match, 0, matchers(p))
	for _, r := range p.Mailboxes {
		match = append(match, r.Match(s))
	}
	for _, e := range p.Exemptions {
		match = append(match, e.Match(s))
	}
	return match
}

func typeName(t fact[audit.MailboxType]) string {
	if t.missing != "" {
		return "unknown"
	}
	return string(t.value)
}

// mailboxName is what people know a mailbox by.
func mailboxName(m exchange.Mailbox) string {
	for _, f := range []exchange.Field[string]{m.PrimarySMTPAddress, m.UserPrincipalName, m.Guid} {
		if f.State == exchange.Set && f.Value != "" {
			return f.Value
		}
	}
	return "(no name)"
}

// subjectOf gathers the facts that selectors ask about.
func (o *observer) subjectOf(m exchange.Mailbox, p profile) policy.Subject {
	s := policy.Subject{Type: p.kind.value, Attributes: map[policy.Attribute]policy.Fact{}}
	s.AddressesKnown = m.EmailAddresses.State == exchange.Set && m.PrimarySMTPAddress.State == exchange.Set
	if m.PrimarySMTPAddress.Value != "" {
		s.Addresses = append(s.Addresses, m.PrimarySMTPAddress.Value)
	}
	for _, proxy := range m.EmailAddresses.Value {
		if a, ok := smtpAddress(proxy); ok && !strings.EqualFold(a, m.PrimarySMTPAddress.Value) {
			s.Addresses = append(s.Addresses, a)
		}
	}
	for _, a := range o.needs.attributes {
		f := attributeOf(m, a)
		// Null is "not set", which is known.
		s.Attributes[a] = policy.Fact{Value: f.Value, Known: f.State == exchange.Set || f.State == exchange.Null}
	}
	s.Groups = o.obs.groups.of(m)
	if o.needs.delegates {
		s.Delegates = onBehalf(m)
	}
	if o.needs.capabilities {
		s.Capabilities, s.CapabilitiesKnown = m.PersistedCapabilities.Get()
	}
	return s
}

// attributeOf gives the property that an attribute of the language stands for.
func attributeOf(m exchange.Mailbox, a policy.Attribute) exchange.Field[string] {
	switch a {
	case policy.AttributeOffice:
		return m.Office
	case policy.AttributeUsageLocation:
		return m.UsageLocation
	}
	n, err := strconv.Atoi(strings.TrimPrefix(string(a), "customAttribute"))
	if err != nil || n < 1 || n > len(m.CustomAttributes) {
		return exchange.Field[string]{}
	}
	return m.CustomAttributes[n-1]
}

func (o *observer) bypassAssociations(ctx context.Context) {
	var list *bypassList
	err := attempt(ctx, func() error {
		list = &bypassList{}
		for row, err := range o.reader.BypassAssociations(ctx) {
			if err != nil {
				return err
			}
			list.add(row)
		}
		return nil
	})
	list.readAt = o.now()
	list.settle()
	o.note(audit.KindBypass, "Get-MailboxAuditBypassAssociation", err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.bypass = list
}

// storedValues lists the mailboxes whose stored AuditEnabled is not true.
func (o *observer) storedValues(ctx context.Context) {
	var ids []guid
	var err error
	trusted := false
	for n := 0; n < readAttempts && err == nil && !trusted; n++ {
		ids, err = readStoredIn(ctx, o.reader, o.window)
		trusted = !o.obs.pop.contradicts(ids)
	}
	o.note(audit.KindMailbox, "Get-Mailbox -Filter", err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.stored = ids
	switch {
	case err != nil:
		o.obs.storedMissing = "the listing of stored AuditEnabled values is not complete"
	case !trusted:
		o.obs.storedMissing = "the filter on stored AuditEnabled values cannot be trusted: it contradicts what mailboxes show"
	}
}

// readStored lists the mailboxes whose stored AuditEnabled is not true, sorted.
func readStored(ctx context.Context, r Reader) ([]guid, error) { return readStoredIn(ctx, r, nil) }

// readStoredIn lists those of them that a window shows; a nil one shows all.
func readStoredIn(ctx context.Context, r Reader, w *window) ([]guid, error) {
	q := exchange.MailboxQuery{Filter: exchange.StoredAuditNotEnabled(), Select: []string{"Guid"}}
	if w != nil {
		q.Filter = q.Filter.And(w.filter())
		q.Select = append(q.Select, "WhenChangedUTC", "WhenMailboxCreated")
	}
	var ids []guid
	err := attempt(ctx, func() error {
		ids = nil
		for m, err := range r.Mailboxes(ctx, q) {
			if err == nil && w != nil {
				err = w.check(m)
			}
			if err != nil {
				return err
			}
			id, ok := parseGUID(m.Guid.Value)
			if !ok || m.Guid.State != exchange.Set {
				return errors.New("a row of the listing of stored AuditEnabled values has no usable Guid")
			}
			ids = append(ids, id)
		}
		return nil
	})
	slices.SortFunc(ids, compareGUID)
	return slices.Compact(ids), err
}

// oneMailbox reads a mailbox by identity, from the listings that the policy
// speaks of. The service also finds mailboxes by names that people choose, so
// the answer counts only if it has the address or id that was asked for.
func (o *observer) oneMailbox(ctx context.Context, identity string) {
	refs := make([]exchange.MailboxRef, len(o.needs.listings))
	for i, l := range o.needs.listings {
		refs[i] = exchange.MailboxRef{Guid: identity, Listing: l}
	}
	err := fmt.Errorf("the policy has no rules for mailboxes, so there is nothing to check on %q", identity)
	read := func(ctx context.Context, refs []exchange.MailboxRef) []exchange.Result[exchange.Mailbox] {
		return o.reader.MailboxesByID(ctx, refs, o.needs.selectsWithAddresses())
	}
	for i, res := range batchAttempt(ctx, refs, read) {
		if exchange.IsNotFound(res.Err) || res.Err == nil && !isMailbox(res.Value, identity) {
			if i == 0 {
				err = &MailboxNotFoundError{Identity: identity}
			}
			continue
		}
		if err = res.Err; err == nil {
			o.mu.Lock()
			o.fold(o.obs.pop, o.obs.accounts, res.Value, refs[i].Listing)
			o.mu.Unlock()
		}
		break
	}
	o.note(audit.KindMailbox, "Get-Mailbox", err)
}

func isMailbox(m exchange.Mailbox, identity string) bool {
	if hasAddress(m, identity) {
		return true
	}
	for _, id := range []string{m.Guid.Value, m.ExchangeObjectID.Value, m.ExternalDirectoryObjectID.Value} {
		if id != "" && strings.EqualFold(id, identity) {
			return true
		}
	}
	return false
}

// MailboxNotFoundError says that the one mailbox that was asked for is not
// there, under the address, sign-in name or id that was given.
type MailboxNotFoundError struct{ Identity string }

func (e *MailboxNotFoundError) Error() string {
	return fmt.Sprintf("no mailbox has the address, sign-in name or id %q in the listings that the policy speaks of", e.Identity)
}
