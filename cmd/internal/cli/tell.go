package cli

import (
	"context"
	"errors"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// flushTime is the most that a command waits at its end for receivers.
const flushTime = 5 * time.Second

// newSender starts the sender of the configured targets; nil where there are none.
func (a *app) newSender(ctx context.Context, targets []notify.Target, caFile string) (*notify.Sender, error) {
	if len(targets) == 0 {
		return nil, nil //nolint:nilnil // A nil sender sends nothing.
	}
	transport, err := a.transport(caFile)
	if err != nil {
		return nil, err
	}
	return notify.New(ctx, targets, notify.Options{
		Transport: transport, Now: a.env.Now, Logger: a.logger(), Agent: toolName(),
	}), nil
}

// newReporter makes what tells of the runs on a tenant. The store keeps what was told;
// without one, or without targets, nothing does.
func (c *comparing) newReporter(sender *notify.Sender) *notify.Reporter {
	if sender == nil {
		return nil
	}
	r := &notify.Reporter{
		Sender: sender, Tenant: c.conn.tenant, Threshold: c.job.threshold, Now: c.env.Now, Logger: c.logger(),
		ApplicationID: c.env.Getenv("AZURE_CLIENT_ID"),
	}
	if c.session.Store != nil {
		k := &keeper{store: c.session.Store, tenant: c.conn.tenant}
		r.Load, r.Save = k.load, k.save
	}
	return r
}

// applicationID is the application that a connection acts as, by its token; where that
// does not say, the one that was configured.
func (c *comparing) applicationID(ctx context.Context) string {
	if facts, err := c.conn.provider.Facts(ctx, c.conn.place.scope); err == nil && facts.AppID != "" {
		return facts.AppID
	}
	return c.env.Getenv("AZURE_CLIENT_ID")
}

// keeper keeps what was told of a tenant as a snapshot of a store.
type keeper struct {
	store   store.Store
	tenant  string
	version int64
}

func (k *keeper) load(ctx context.Context) ([]byte, error) {
	s, err := k.store.Snapshot(ctx, k.tenant, notify.SnapshotName)
	k.version = s.Version
	return s.Data, err
}

// save keeps the bytes. Where another run has done so meanwhile, this one comes after
// it: what counts is what was told last.
func (k *keeper) save(ctx context.Context, data []byte) error {
	err := k.put(ctx, data)
	if _, moved := errors.AsType[*store.ConflictError](err); moved {
		if _, err := k.load(ctx); err != nil {
			return err
		}
		err = k.put(ctx, data)
	}
	return err
}

func (k *keeper) put(ctx context.Context, data []byte) error {
	err := k.store.PutSnapshots(ctx, k.tenant, []store.Snapshot{{Name: notify.SnapshotName, Version: k.version, Data: data}})
	if err == nil {
		k.version++
	}
	return err
}

// telling tells of one apply. Without targets it does nothing.
type telling struct {
	c        *comparing
	sender   *notify.Sender
	reporter *notify.Reporter
	runID    string
	run      *reconcile.Run // nil until there is one
	undone   *reconcile.Run // likewise, of an undo
}

// tell begins to tell of a run.
func (c *comparing) tell(ctx context.Context, targets []notify.Target, runID string) (*telling, error) {
	sender, err := c.newSender(ctx, targets, c.job.target.caFile)
	if err != nil {
		return nil, err
	}
	return &telling{c: c, sender: sender, reporter: c.newReporter(sender), runID: runID}, nil
}

// before announces the writes of a plan.
func (t *telling) before(ctx context.Context, command string, p *reconcile.Plan) {
	if t.reporter == nil {
		return
	}
	t.reporter.ApplicationID = t.c.applicationID(ctx)
	t.reporter.BeforeApply(ctx, command, p)
}

// end tells how the run ended, and waits a little for the receivers. A run that was
// declined, or that a person interrupted before it wrote, has not failed.
func (t *telling) end(ctx context.Context, err error) {
	if t.reporter == nil {
		return
	}
	failed := t.run == nil && err != nil && ctx.Err() == nil
	if status := statusOf(err); failed && status != ExitNoReport && status != ExitDenied {
		failed = false
	}
	switch {
	case t.undone != nil:
		t.reporter.Undone(ctx, "undo", t.undone)
	case t.run != nil: // The error is then what it found, by its status.
		t.reporter.Ended(ctx, "apply", t.runID, nil, t.run, nil)
	case failed:
		t.reporter.Ended(ctx, "apply", t.runID, nil, nil, err)
	}
	settled := context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := t.sender.Close(ctx); err != nil {
		t.c.logger().WarnContext(ctx, err.Error())
	}
	t.reporter.Settle(settled)
}
