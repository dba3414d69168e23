package notify

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The results of which [Options.Result] hears.
const (
	// ResultDelivered is an event that the receiver took.
	ResultDelivered = "delivered"
	// ResultRetried is an attempt that failed and will be made again.
	ResultRetried = "retried"
	// ResultRefused is an event that the receiver will never take.
	ResultRefused = "refused"
	// ResultExpired is an event that was tried for as long as it was of use.
	ResultExpired = "expired"
	// ResultDropped is an event for which there was no room, or no time at the end.
	ResultDropped = "dropped"
	// ResultMerged is an event for which a later one stands.
	ResultMerged = "merged"
)

// Results lists the results.
func Results() []string {
	return []string{ResultDelivered, ResultRetried, ResultRefused, ResultExpired, ResultDropped, ResultMerged}
}

// Options are what a Sender needs beside its targets.
type Options struct {
	// Transport carries the requests; nil is one to the network of its own.
	Transport http.RoundTripper
	// Now gives the time.
	Now func() time.Time
	// Logger hears of what was not delivered. It must not be nil.
	Logger *slog.Logger
	// Agent is the User-Agent of the requests.
	Agent string
	// Result, where it is set, hears the kind of the target and what became of an
	// event or an attempt. It is called from several goroutines.
	Result func(kind, result string)
}

// Sender brings events to targets. A nil Sender has none. It is safe for concurrent
// use.
type Sender struct {
	opts    Options
	lanes   []*lane
	workers sync.WaitGroup
	// closing ends when Close begins, cancel ends the requests under way.
	closing chan struct{}
	once    sync.Once
	cancel  context.CancelFunc
	lost    atomic.Int64
	open    atomic.Int64 // what is neither delivered nor lost, by target
}

// lane is one target with its queue and its worker.
type lane struct {
	target Target
	queue  *queue
	client *http.Client
}

// New makes a Sender and starts a worker for each target; Close ends them. The context
// gives values only: that it ends does not end the workers.
func New(ctx context.Context, targets []Target, opts Options) *Sender {
	opts.Transport = bounded(opts.Transport)
	if opts.Result == nil {
		opts.Result = func(string, string) {}
	}
	if opts.Agent == "" {
		opts.Agent = "exoaudit"
	}
	s := &Sender{opts: opts, closing: make(chan struct{})}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, t := range targets {
		l := &lane{target: t, queue: newQueue(), client: &http.Client{Transport: opts.Transport, CheckRedirect: stayHere}}
		s.lanes = append(s.lanes, l)
		s.workers.Go(func() { s.work(ctx, l) })
	}
	return s
}

// Notify hands an event to every target that wants its kind, and returns at once.
func (s *Sender) Notify(ctx context.Context, e Event) { s.NotifyOr(ctx, e, nil) }

// NotifyOr is Notify with a function that is called, once and maybe before NotifyOr
// returns, where no target at all took the event in the end.
func (s *Sender) NotifyOr(ctx context.Context, e Event, lost func()) {
	if s == nil {
		return
	}
	var lanes []*lane
	for _, l := range s.lanes {
		if l.target.wants(e.Kind) {
			lanes = append(lanes, l)
		}
	}
	f := &fate{lost: lost}
	f.left.Store(int32(len(lanes))) //nolint:gosec // There are as many as lines in a configuration file.
	s.open.Add(int64(len(lanes)))
	for _, l := range lanes {
		dropped, merged := l.queue.put(item{event: e, fates: []*fate{f}, put: s.opts.Now()})
		if merged {
			s.merged(l)
		}
		if dropped != nil {
			s.lose(ctx, l, *dropped, ResultDropped, "too many wait for it, or the program is ending")
		}
	}
}

// merged notes that one event stands for two.
func (s *Sender) merged(l *lane) {
	s.open.Add(-1)
	s.opts.Result(string(l.target.kind), ResultMerged)
}

// lose tells that an event will not be delivered.
func (s *Sender) lose(ctx context.Context, l *lane, it item, result, why string) {
	s.lost.Add(1)
	s.opts.Result(string(l.target.kind), result)
	s.opts.Logger.WarnContext(ctx, fmt.Sprintf("notification not delivered to %s: %s", l.target, why),
		slog.String("event", string(it.event.Kind)), slog.String("id", it.event.ID))
	s.settle(it, false)
}

// settle tells the fates of an event what became of it at one target.
func (s *Sender) settle(it item, heard bool) {
	s.open.Add(-1)
	for _, f := range it.fates {
		f.settle(heard)
	}
}

// Close lets no further event in and gives those that wait one more attempt each, at
// once. It returns when all is done, or when ctx ends; what is left then is lost, and
// the error says how many events were in all.
func (s *Sender) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.once.Do(func() {
		close(s.closing)
		for _, l := range s.lanes {
			l.queue.close()
		}
	})
	done := make(chan struct{})
	go func() {
		s.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.cancel()
	// Every wait of a worker ends with its context; a transport that does not heed it
	// shall not keep the process.
	select {
	case <-done:
	case <-time.After(graceTime):
	}
	if t, ok := s.opts.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	if n := s.lost.Load() + s.open.Load(); n > 0 {
		return fmt.Errorf("%s not delivered", counted(int(n), "notification"))
	}
	return nil
}

// work delivers the events of one target, one after the other.
func (s *Sender) work(ctx context.Context, l *lane) {
	for {
		it, ok, wait, done := l.queue.take(s.opts.Now())
		switch {
		case done:
			return
		case ok:
			s.deliver(ctx, l, it)
		default:
			l.queue.pause(ctx, wait)
		}
	}
}

// bounded gives a transport to the network, as given or one of its own, with a bound on
// what it reads of an answer's headers; of the body nothing is read.
func bounded(way http.RoundTripper) http.RoundTripper {
	if way == nil {
		way = http.DefaultTransport
	}
	t, ok := way.(*http.Transport)
	if !ok {
		return way
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	t.MaxConnsPerHost = 4
	return t
}
