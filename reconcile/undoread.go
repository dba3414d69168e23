package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// notAsked is why a value is not known that nothing asked for.
const notAsked = "not asked for"

// undoView is what the tenant shows of all that a run wrote.
type undoView struct {
	tenant    tenantView
	mailboxes map[string]seenMailbox
	bypass    map[string]fact[bool]
	gone      map[string]bool // bypass rows that are not there any more
	retention []retained
	// retentionMissing says why the policies are not known.
	retentionMissing string
	// stored are the mailboxes whose stored AuditEnabled is not true, and
	// storedMissing says why that is not known.
	stored        []guid
	storedMissing string

	pop      *population
	failures []failure
	costs    []Cost
	reads    int
}

// seenMailbox is one mailbox as it shows now.
type seenMailbox struct {
	name    string
	profile profile
	match   []policy.Match
	gone    bool
	unread  string
}

// undoObserver reads what a run wrote, each object by its identity.
type undoObserver struct {
	*observer
	b    *undoBuilder
	view *undoView
}

// read reads everything that the deeds are about.
func (b *undoBuilder) read(ctx context.Context, r UndoReader) (*undoView, error) {
	o := &undoObserver{observer: newObserver(r, b.policy, b.req.Now), b: b, view: &undoView{
		mailboxes: map[string]seenMailbox{}, bypass: map[string]fact[bool]{}, gone: map[string]bool{},
	}}
	o.compliance = b.req.Compliance
	// Everything that a run can have written is looked at, whatever the policy
	// speaks of.
	o.needs.enabled, o.needs.age, o.needs.lists = true, true, true
	o.readTenant(ctx)
	o.readRetention(ctx)
	o.readBypass(ctx, r)
	o.readMailboxes(ctx)
	o.readStored(ctx)
	v := o.view
	v.tenant, v.pop, v.costs = o.obs.tenant, o.obs.pop, o.obs.costs()
	v.failures = append(v.failures, o.obs.failures...)
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("reading the tenant: %w", err)
	}
	return v, v.hopeless(o.obs.reads + v.reads)
}

// hopeless gives the error of an undo that could read nothing at all.
func (v *undoView) hopeless(reads int) error {
	var errs []error
	for _, f := range v.failures {
		if token, ok := errors.AsType[*exchange.TokenError](f.err); ok {
			return token
		}
		if exchange.IsRefused(f.err) {
			return nil
		}
		errs = append(errs, f)
	}
	if reads == 0 || len(errs) < reads {
		return nil
	}
	return fmt.Errorf("nothing of what the run wrote could be read: %w", &unreadError{errs})
}

// failed keeps a read that did not give what it should.
func (o *undoObserver) failed(kind audit.SubjectKind, cmdlet string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.view.reads++
	if err != nil {
		o.view.failures = append(o.view.failures, failure{kind: kind, cmdlet: cmdlet, err: err})
	}
}

// readTenant reads the two rows of the tenant's own settings.
func (o *undoObserver) readTenant(ctx context.Context) {
	v := &o.obs.tenant
	v.auditDisabled.missing, v.unifiedLog.missing, v.dehydrated.missing = notAsked, notAsked, notAsked
	v.admin = unreadAdmin(notAsked)
	switches, admin := o.b.deeds.of(audit.KindOrganization), o.b.deeds.of(audit.KindAdminAudit)
	if len(switches) > 0 || len(o.b.deeds.of(audit.KindRetention)) > 0 {
		o.organization(ctx)
	}
	if len(switches)+len(admin) == 0 {
		return
	}
	const cmdlet = "Get-AdminAuditLogConfig"
	var cfg exchange.AdminAuditLog
	err := attempt(ctx, func() (err error) {
		cfg, err = o.reader.AdminAuditLog(ctx)
		return err
	})
	o.note(audit.KindAdminAudit, cmdlet, err)
	if err != nil {
		v.unifiedLog.missing = cmdlet + " failed: " + err.Error()
		v.admin = unreadAdmin(v.unifiedLog.missing)
		return
	}
	v.unifiedLog, v.unifiedLogRead = boolFact("UnifiedAuditLogIngestionEnabled", cfg.UnifiedAuditLogIngestionEnabled), true
	v.admin = adminViewOf(cfg)
	v.admin.exported.missing = "which cmdlets its patterns stand for was not asked"
}

// readRetention reads the retention policies, where the run wrote one.
func (o *undoObserver) readRetention(ctx context.Context) {
	switch {
	case len(o.b.deeds.of(audit.KindRetention)) == 0:
		return
	case o.compliance == nil:
		o.view.retentionMissing = "the Security & Compliance service was not asked"
		return
	}
	o.retention(ctx)
	o.view.retention = o.obs.retention
	if o.obs.retention == nil {
		o.view.retentionMissing = "the retention policies could not be read"
	}
}

// readBypass reads the rows of the accounts that the run took off the list.
func (o *undoObserver) readBypass(ctx context.Context, r UndoReader) {
	const cmdlet = "Get-MailboxAuditBypassAssociation"
	var ids []string
	for _, d := range o.b.deeds.of(audit.KindBypass) {
		ids = append(ids, d.subject.ID)
	}
	for batch := range slices.Chunk(ids, exchange.BatchSize) {
		for i, res := range batchAttempt(ctx, batch, func(ctx context.Context, ids []string) []exchange.Result[exchange.BypassAssociation] {
			return r.BypassByID(ctx, ids)
		}) {
			if exchange.IsNotFound(res.Err) {
				o.view.gone[batch[i]] = true
				o.failed(audit.KindBypass, cmdlet, nil)
				continue
			}
			o.failed(audit.KindBypass, cmdlet, res.Err)
			o.view.bypass[batch[i]] = bypassFact(res, batch[i])
		}
	}
}

// bypassFact reads one row, which must be the one that was asked for.
func bypassFact(res exchange.Result[exchange.BypassAssociation], id string) fact[bool] {
	shown, ok := parseGUID(res.Value.Guid.Value)
	switch {
	case res.Err != nil:
		return fact[bool]{missing: "it could not be read: " + res.Err.Error()}
	case !ok || shown.String() != id:
		return fact[bool]{missing: "the service answered with another account"}
	}
	return boolFact("AuditBypassEnabled", res.Value.AuditBypassEnabled)
}

// readMailboxes reads the mailboxes that the run wrote, in tens, several at a
// time. They are folded as those of a comparison are, so that the rules of a policy
// match them as they do there.
func (o *undoObserver) readMailboxes(ctx context.Context) {
	var refs []exchange.MailboxRef
	for _, d := range o.b.deeds.of(audit.KindMailbox) {
		if n := len(refs); n == 0 || refs[n-1].Guid != d.subject.ID {
			refs = append(refs, exchange.MailboxRef{Guid: d.subject.ID, Listing: listingFor(d.subject.Type)})
		}
	}
	if len(refs) == 0 {
		return
	}
	few := len(refs) <= exchange.BatchSize // They are asked about one by one.
	if o.needs.delegates && !few {
		o.sendAs(ctx)
	}
	o.obs.groups = o.groups(ctx)
	results := o.fetch(ctx, refs)
	for i, res := range results {
		o.take(refs[i], res)
	}
	if o.needs.delegates {
		o.delegates(ctx, few)
	}
	o.obs.pop.settle()
	for _, r := range o.obs.pop.records {
		seen := seenMailbox{name: r.name, profile: o.obs.pop.profileOf(r.kase)}
		for i := range matchers(o.policy) {
			seen.match = append(seen.match, o.obs.pop.matchAt(o.obs.pop.cases[r.kase].match, i))
		}
		o.view.mailboxes[r.id.String()] = seen
	}
}

// listingFor is the listing that a type of mailbox belongs to.
func listingFor(t audit.MailboxType) exchange.Listing {
	switch t {
	case audit.GroupMailbox:
		return exchange.Groups
	case audit.PublicFolderMailbox:
		return exchange.PublicFolders
	default:
		return exchange.Ordinary
	}
}

// fetch reads mailboxes by identity.
func (o *undoObserver) fetch(ctx context.Context, refs []exchange.MailboxRef) []exchange.Result[exchange.Mailbox] {
	results := make([]exchange.Result[exchange.Mailbox], len(refs))
	read := func(ctx context.Context, refs []exchange.MailboxRef) []exchange.Result[exchange.Mailbox] {
		return o.reader.MailboxesByID(ctx, refs, o.needs.selectsWithAddresses())
	}
	starts := make(chan int)
	var wg sync.WaitGroup
	for range defaultInFlight {
		wg.Go(func() {
			for at := range starts {
				end := min(at+exchange.BatchSize, len(refs))
				copy(results[at:end], batchAttempt(ctx, refs[at:end], read))
			}
		})
	}
	for at := 0; at < len(refs); at += exchange.BatchSize {
		starts <- at
	}
	close(starts)
	wg.Wait()
	return results
}

// take folds one answer. It counts only if it is about the mailbox asked for.
func (o *undoObserver) take(ref exchange.MailboxRef, res exchange.Result[exchange.Mailbox]) {
	const cmdlet = "Get-Mailbox"
	if exchange.IsNotFound(res.Err) {
		o.failed(audit.KindMailbox, cmdlet, nil)
		o.view.mailboxes[ref.Guid] = seenMailbox{gone: true}
		return
	}
	o.failed(audit.KindMailbox, cmdlet, res.Err)
	if res.Err != nil {
		o.view.mailboxes[ref.Guid] = seenMailbox{unread: "it could not be read: " + res.Err.Error()}
		return
	}
	if id, ok := parseGUID(res.Value.Guid.Value); !ok || res.Value.Guid.State != exchange.Set || id.String() != ref.Guid {
		o.view.mailboxes[ref.Guid] = seenMailbox{unread: "the service answered with another mailbox"}
		return
	}
	o.fold(o.obs.pop, o.obs.accounts, res.Value, ref.Listing)
}

// readStored lists the mailboxes whose stored AuditEnabled is not true, where the
// run set one that the mailbox does not show. Without a comparison of all mailboxes the
// filter is held against those that were read.
func (o *undoObserver) readStored(ctx context.Context) {
	hidden := slices.ContainsFunc(o.b.deeds.of(audit.KindMailbox), func(d deed) bool {
		seen, known := o.view.mailboxes[d.subject.ID]
		return d.setting == audit.SettingAuditEnabled && known && hidesStored(seen.profile)
	})
	if !hidden && !o.policy.NeedsStoredAuditEnabled() {
		o.view.storedMissing = notAsked
		return
	}
	ids, err := readStored(ctx, o.reader)
	o.failed(audit.KindMailbox, "Get-Mailbox -Filter", err)
	switch {
	case err != nil:
		o.view.storedMissing = "the listing of stored AuditEnabled values is not complete"
	case o.obs.pop.contradicts(ids):
		o.view.storedMissing = "the filter on stored AuditEnabled values cannot be trusted: it contradicts what mailboxes show"
	}
	o.view.stored = ids
}

// hidesStored tells whether a mailbox shows AuditEnabled true whatever is stored
// (semantics 2.2), so that only the filter knows.
func hidesStored(p profile) bool { return audit.OnByDefault(p.kind.value) != audit.NotCovered }

// notStored tells whether the filter finds the stored AuditEnabled of a mailbox not
// to be true.
func (v *undoView) notStored(id string) bool {
	g, _ := parseGUID(id)
	_, found := slices.BinarySearchFunc(v.stored, g, compareGUID)
	return found
}
