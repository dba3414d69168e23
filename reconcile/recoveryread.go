package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// recoveredAtOnce is how many outcomes are recorded together.
const recoveredAtOnce = 100

// recoverOpen looks at the tenant for writes whose outcome an earlier run did not
// record, and records what it shows. Each object is read by its identity; nothing is
// written to the tenant, and nothing sent again: what is still wanted the next
// comparison finds. Where the tenant cannot be reached the intents stay open, which
// the warnings say. The error is that of the journal, or of the context.
func recoverOpen(ctx context.Context, s *Session, r Recorder, open []journal.Entry) ([]journal.Outcome, []string, error) {
	c := &recovery{s: s, recorder: r}
	of := map[audit.SubjectKind][]journal.Entry{}
	for _, e := range open {
		of[e.Intent.Subject.Kind] = append(of[e.Intent.Subject.Kind], e)
	}
	steps := []struct {
		kind audit.SubjectKind
		look func(context.Context, []journal.Entry) error
	}{
		{audit.KindOrganization, c.organization},
		{audit.KindAdminAudit, c.adminAudit},
		{audit.KindBypass, c.bypass},
		{audit.KindRetention, c.retention},
		{audit.KindMailbox, c.mailboxes},
	}
	for _, step := range steps {
		if err := step.look(ctx, of[step.kind]); err != nil {
			return c.outcomes, c.warnings(), err
		}
		delete(of, step.kind)
	}
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		for _, e := range of[kind] {
			if err := c.settle(ctx, e, sighting{missing: fmt.Sprintf("this version knows no %q", kind)}); err != nil {
				return c.outcomes, c.warnings(), err
			}
		}
	}
	return c.outcomes, c.warnings(), c.flush(ctx)
}

// recovery closes the intents of runs that were killed.
type recovery struct {
	s        *Session
	recorder Recorder
	outcomes []journal.Outcome
	waiting  []journal.Outcome // not recorded yet
	// left counts the intents that stay open, and leftFor is why the first of them does.
	left    int
	leftFor error
	// down is why nothing more is asked of Exchange: it gave no answer.
	down error
}

// sighting is what the tenant shows of one setting. Missing says why that will not
// be known, and err why it is not known now.
type sighting struct {
	value   any
	missing string
	err     error
	// hidden is set where the value that counts is not the one shown: only the
	// filter knows it.
	hidden bool
}

// settle notes what became of one intent.
func (c *recovery) settle(ctx context.Context, e journal.Entry, seen sighting) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("looking for the writes of an earlier run: %w", err)
	}
	if seen.err != nil && !answered(seen.err) {
		if c.left++; c.leftFor == nil {
			c.leftFor = seen.err
		}
		return nil
	}
	if seen.err != nil {
		seen.missing = seen.err.Error()
	}
	result, note := foundAs(*e.Intent, seen)
	c.waiting = append(c.waiting, journal.Outcome{
		Change: e.Intent.Change, Subject: e.Intent.Subject, Setting: e.Intent.Setting,
		Result: string(result), Note: note, Of: e.Run,
	})
	if len(c.waiting) < recoveredAtOnce {
		return nil
	}
	return c.flush(ctx)
}

// flush records what was found.
func (c *recovery) flush(ctx context.Context) error {
	if err := c.recorder.Conclude(context.WithoutCancel(ctx), c.waiting); err != nil {
		return fmt.Errorf("recording what became of the writes of an earlier run: %w", err)
	}
	c.outcomes = append(c.outcomes, c.waiting...)
	c.waiting = nil
	return nil
}

func (c *recovery) warnings() []string {
	if c.left == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s of earlier runs stay open in the journal, as the tenant could not be read: %v; a later run looks again",
		counted(c.left, "write"), c.leftFor)}
}

// answered tells whether the service gave an answer that it would give again: that
// the object is not there, or that it may not be read. Everything else may pass.
func answered(err error) bool {
	if errors.Is(err, exchange.ErrInvalidCall) {
		return true
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && !exchange.IsTransient(err) && !exchange.IsThrottled(err) && !exchange.IsUnauthenticated(err) &&
		(exchange.IsNotFound(err) || e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError)
}

// ask makes a read, unless the service gave no answer before.
func (c *recovery) ask(ctx context.Context, read func() error) error {
	if c.down != nil {
		return c.down
	}
	err := attempt(ctx, read)
	if err != nil && !answered(err) {
		c.down = err
	}
	return err
}

// askBatch reads objects by identity, unless the service gave no answer before.
func askBatch[In, Out any](ctx context.Context, c *recovery, inputs []In, read func(context.Context, []In) []exchange.Result[Out]) []exchange.Result[Out] {
	results := make([]exchange.Result[Out], len(inputs))
	if c.down != nil {
		for i := range results {
			results[i].Err = c.down
		}
		return results
	}
	results = batchAttempt(ctx, inputs, read)
	lost := func(r exchange.Result[Out]) bool { return r.Err != nil && !answered(r.Err) }
	if len(results) > 0 && !slices.ContainsFunc(results, func(r exchange.Result[Out]) bool { return !lost(r) }) {
		c.down = results[0].Err
	}
	return results
}

// organization looks at the tenant's own switches.
func (c *recovery) organization(ctx context.Context, open []journal.Entry) error {
	for _, e := range open {
		var f fact[bool]
		err := c.ask(ctx, func() (err error) {
			f, err = c.switchShown(ctx, e.Intent.Setting)
			return err
		})
		if err := c.settle(ctx, e, sighting{value: f.value, missing: f.missing, err: err}); err != nil {
			return err
		}
	}
	return nil
}

// customization is the setting under which Enable-OrganizationCustomization is
// recorded.
const customization audit.Setting = "organizationCustomization"

func (c *recovery) switchShown(ctx context.Context, s audit.Setting) (fact[bool], error) {
	switch s {
	case audit.SettingUnifiedAuditLogIngestionEnabled:
		cfg, err := c.s.Client.AdminAuditLog(ctx)
		return boolFact("UnifiedAuditLogIngestionEnabled", cfg.UnifiedAuditLogIngestionEnabled), err
	case audit.SettingAuditDisabled:
		org, err := c.s.Client.Organization(ctx)
		return boolFact("AuditDisabled", org.AuditDisabled), err
	case customization:
		org, err := c.s.Client.Organization(ctx)
		f := boolFact("IsDehydrated", org.IsDehydrated)
		f.value = !f.value
		return f, err
	default:
		return fact[bool]{missing: unknownSetting(s).missing}, nil
	}
}

// adminAudit looks at the settings of the admin audit log.
func (c *recovery) adminAudit(ctx context.Context, open []journal.Entry) error {
	if len(open) == 0 {
		return nil
	}
	var cfg exchange.AdminAuditLog
	err := c.ask(ctx, func() (err error) {
		cfg, err = c.s.Client.AdminAuditLog(ctx)
		return err
	})
	for _, e := range open {
		seen := adminSighting(e.Intent.Setting, adminViewOf(cfg))
		seen.err = err
		if err := c.settle(ctx, e, seen); err != nil {
			return err
		}
	}
	return nil
}

// bypass looks at the rows of accounts, in tens.
func (c *recovery) bypass(ctx context.Context, open []journal.Entry) error {
	for batch := range slices.Chunk(open, exchange.BatchSize) {
		ids := make([]string, len(batch))
		for i, e := range batch {
			ids[i] = e.Intent.Subject.ID
		}
		for i, res := range askBatch(ctx, c, ids, c.s.Client.BypassByID) {
			seen := sighting{err: res.Err}
			if res.Err == nil {
				f := bypassFact(res, strings.ToLower(ids[i]))
				seen.value, seen.missing = f.value, f.missing
			}
			if err := c.settle(ctx, batch[i], seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// retention looks at the retention policies. Where the policy of this run does not
// speak of them there is no access to them.
func (c *recovery) retention(ctx context.Context, open []journal.Entry) error {
	if len(open) == 0 {
		return nil
	}
	var list []retained
	seenNone := sighting{missing: "this run does not speak to the Security & Compliance service"}
	if c.s.Compliance != nil {
		list, seenNone = c.retained(ctx)
	}
	for _, e := range open {
		seen := seenNone
		if seen.err == nil && seen.missing == "" {
			seen = retentionSighting(e.Intent.Subject.ID, list)
		}
		if err := c.settle(ctx, e, seen); err != nil {
			return err
		}
	}
	return nil
}

// retained lists the retention policies; the service finds the tenant by its name.
func (c *recovery) retained(ctx context.Context) ([]retained, sighting) {
	var rows []exchange.RetentionPolicy
	err := attempt(ctx, func() error {
		org, err := c.s.Client.Organization(ctx)
		if err != nil {
			return err
		}
		if org.Name.Value != "" {
			c.s.Compliance.SetDomain(org.Name.Value)
		}
		rows, err = c.s.Compliance.RetentionPolicies(ctx)
		return err
	})
	return foldRetention(rows), sighting{err: err}
}
