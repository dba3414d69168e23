package cli

import (
	"context"
	"fmt"

	"github.com/exoaudit/exoaudit/cmd/internal/daemon"
	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// service is one run of serve.
type service struct {
	*app
	// given are the flags of the command line.
	given []string

	metrics *daemon.Metrics
	health  *daemon.Health
	store   store.Store
	// first is the assignment of the start, until it is taken.
	first *daemon.Assignment
	// What a reload may not change, since the store and the lock go by it.
	tenant, state, listen string
}

// run serves until a signal comes.
func (s *service) run(ctx context.Context, set *serviceSettings) error {
	var err error
	if s.metrics, err = daemon.NewMetrics(nil, toolName()); err != nil {
		return noReport("%w", err)
	}
	if s.store, err = s.openStore(ctx, set.state, false); err != nil {
		return err
	}
	if s.store == nil {
		return noReport("serve needs a store, and none could be opened; give --state PATH")
	}
	defer func() { _ = s.store.Close() }() // what was kept is durable
	if s.health, err = daemon.NewHealth(s.metrics, s.env.Now, s.probe); err != nil {
		return noReport("%w", err)
	}
	d := daemon.New(daemon.Config{
		Load: s.load, Now: s.env.Now, Logger: s.logger(),
		Hooks: []daemon.Hooks{daemon.Observing(s.metrics, s.health, s.env.Now)},
	})
	// From here on SIGHUP asks for a reload, however early it comes.
	defer s.env.Signals.Take(d.Reload, d.Abandon)()
	if s.first, err = s.assign(ctx, s.app, set); err != nil {
		s.stopped = ctx.Err() != nil
		return s.unlessStopped(err)
	}
	s.sayService(ctx, set)
	stopListening, err := s.answer(ctx, set.listen)
	if err != nil {
		return err
	}
	defer stopListening()
	err = d.Run(ctx)
	s.stopped = err == nil
	return err
}

// unlessStopped gives an error of the start, which is none where a signal ended it.
func (s *service) unlessStopped(err error) error {
	if s.stopped {
		return nil
	}
	return err
}

// probe tells whether the store takes a write.
func (s *service) probe(ctx context.Context) error {
	return daemon.StoreProbe(s.store, s.tenant)(ctx)
}

// load gives the first assignment, which has been made, and then new ones.
func (s *service) load(ctx context.Context) (*daemon.Assignment, error) {
	if a := s.first; a != nil {
		s.first = nil
		return a, nil
	}
	fresh, set, err := s.again()
	if err != nil {
		return nil, err
	}
	a, err := s.assign(ctx, fresh, set)
	if err == nil {
		fresh.sayService(ctx, set)
	}
	return a, err
}

// answer serves the probes and metrics.
func (s *service) answer(ctx context.Context, address string) (stop func(), err error) {
	if address == noListen {
		return func() {}, nil
	}
	server, err := daemon.Listen(ctx, address, daemon.Handler(s.health, s.metrics), s.logger())
	if err != nil {
		return nil, invalid("--listen: %w", err)
	}
	s.logger().InfoContext(ctx, "probes and metrics at http://"+server.Addr().String()+"/")
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			s.logger().WarnContext(ctx, err.Error())
		}
	}, nil
}

// assign connects to the tenant and makes what is to be enforced.
func (s *service) assign(ctx context.Context, a *app, set *serviceSettings) (*daemon.Assignment, error) {
	targets, err := a.targets()
	if err != nil {
		return nil, err
	}
	calls := set.job.calling()
	calls.watch = s.watch
	conn, err := a.connectWith(ctx, set.job.target, calls)
	if err != nil {
		return nil, err
	}
	if err := s.sameAs(a, conn, set); err != nil {
		conn.idle()
		return nil, err
	}
	session := &reconcile.Session{Store: s.store, TenantID: conn.tenant, Client: conn.client, Now: s.env.Now}
	sender, err := s.newServiceSender(ctx, a, targets, set.target.caFile)
	if err != nil {
		conn.idle()
		return nil, err
	}
	// Nothing fails any more: from here on the new clients are the ones that are counted.
	s.metrics.Credential(conn.provider.CertificateExpiry())
	if conn.compliance != nil {
		session.Compliance = conn.compliance
		s.metrics.Clients(conn.client, conn.compliance)
	} else {
		s.metrics.Clients(conn.client)
	}
	c := &comparing{app: a, job: set.job, conn: conn, session: session}
	reporter := c.newReporter(sender)
	out := &daemon.Assignment{
		Session: session, Request: set.request(a, conn), Threshold: set.job.threshold, Loops: set.loops,
		Lock: func() (func(), error) { return s.lock(session) },
		Close: func() {
			s.flush(ctx, sender)
			reporter.Settle(context.WithoutCancel(ctx))
			conn.idle()
		},
	}
	if reporter != nil {
		out.Hooks = []daemon.Hooks{identify(c, reporter), daemon.Telling(reporter)}
	}
	return out, nil
}

// watch tells figures and health of each call.
func (s *service) watch(t exchange.Trace) {
	s.metrics.Call(t)
	s.health.Call(t)
}

// sameAs remembers what a service is bound to, and refuses a reload that asks for
// something else.
func (s *service) sameAs(a *app, conn *connection, set *serviceSettings) error {
	state, err := a.storePath(set.state)
	if err != nil {
		return err
	}
	if s.tenant == "" {
		s.tenant, s.state, s.listen = conn.tenant, state, set.listen
		return nil
	}
	for _, bound := range [][3]string{
		{"tenant", s.tenant, conn.tenant}, {"state", s.state, state}, {"listen", s.listen, set.listen},
	} {
		if bound[1] != bound[2] {
			return invalid("%s has changed, which takes a restart", bound[0])
		}
	}
	return nil
}

// lock keeps other processes of this host off the tenant, and names this one by the
// lock.
func (s *service) lock(session *reconcile.Session) (func(), error) {
	l, err := s.lockTenant(session.TenantID)
	if err != nil {
		if l != nil {
			l.release()
		}
		if statusOf(err) == ExitNoReport { // that it is locked; what else goes wrong is the configuration's
			return nil, fmt.Errorf("%w: %w", daemon.ErrLocked, err)
		}
		return nil, err
	}
	session.Holder = holder(l.place)
	return l.release, nil
}

// newServiceSender starts a sender whose results are counted; nil without targets.
func (s *service) newServiceSender(ctx context.Context, a *app, targets []notify.Target, caFile string) (*notify.Sender, error) {
	if len(targets) == 0 {
		return nil, nil //nolint:nilnil // A nil sender sends nothing.
	}
	transport, err := a.transport(caFile)
	if err != nil {
		return nil, err
	}
	return notify.New(ctx, targets, notify.Options{
		Transport: transport, Now: s.env.Now, Logger: s.logger(), Agent: toolName(), Result: s.metrics.Notified,
	}), nil
}

// flush gives what waits to be sent a little time.
func (s *service) flush(ctx context.Context, sender *notify.Sender) {
	if sender == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := sender.Close(ctx); err != nil {
		s.logger().WarnContext(ctx, err.Error())
	}
}

// identify has a reporter name the application that the token is for, once there is
// one.
func identify(c *comparing, r *notify.Reporter) daemon.Hooks {
	return daemon.Hooks{Applying: func(ctx context.Context, _ string, _ *reconcile.Plan) { r.ApplicationID = c.applicationID(ctx) }}
}
