package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// attemptTime bounds one attempt, until the header of the answer is there.
	attemptTime = 10 * time.Second
	// graceTime is how long Close waits for workers whose requests were cut off.
	graceTime = time.Second
	// longestWait is the most that a receiver can ask to wait.
	longestWait = time.Hour
	// usefulTime is for how long an event is tried. A heartbeat says that a run ended
	// just now; late it would say what is not so.
	usefulTime          = 24 * time.Hour
	usefulHeartbeatTime = time.Minute
)

// backoff is how long is waited after attempt n, counted from 1.
func backoff(n int) time.Duration {
	steps := [...]time.Duration{
		time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
	}
	return steps[min(n, len(steps))-1]
}

// failure is why an attempt did not deliver. It holds nothing of the address.
type failure struct {
	why string
	// again tells that another attempt may do better, not before wait is over.
	again bool
	wait  time.Duration
}

// deliver makes one attempt, and puts the event back into its queue where another may
// do better.
func (s *Sender) deliver(ctx context.Context, l *lane, it item) {
	e, useful := it.event, usefulTime
	if e.Kind == EventHeartbeat {
		useful = usefulHeartbeatTime
	}
	if s.opts.Now().Sub(it.put) > useful {
		s.lose(ctx, l, it, ResultExpired, "its turn came too late")
		return
	}
	m, err := messageFor(l.target.kind, e)
	if err != nil {
		s.lose(ctx, l, it, ResultRefused, err.Error())
		return
	}
	last := s.ending()
	f := s.attempt(ctx, l, m, e.ID)
	if f == nil {
		s.opts.Result(string(l.target.kind), ResultDelivered)
		s.settle(it, true)
		return
	}
	it.failed++
	wait := spread(max(backoff(it.failed), f.wait), e.ID, it.failed)
	now := s.opts.Now()
	it.due = now.Add(wait)
	l.queue.hold(now.Add(f.wait))
	switch {
	case !f.again:
		s.lose(ctx, l, it, ResultRefused, f.why)
	case last:
		s.lose(ctx, l, it, ResultDropped, f.why+", and the program is ending")
	case it.due.Sub(it.put) > useful:
		s.lose(ctx, l, it, ResultExpired, f.why)
	default:
		s.opts.Result(string(l.target.kind), ResultRetried)
		s.opts.Logger.DebugContext(ctx, fmt.Sprintf("notification to %s: %s; trying again in %s", l.target, f.why, wait))
		if l.queue.again(it) {
			s.merged(l)
		}
	}
}

// spread makes a wait up to a quarter longer, so that what failed together, in this
// process and others, does not come back together. A hash of what differs between them
// does for chance.
func spread(wait time.Duration, id string, n int) time.Duration {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %d", id, n)
	const steps = 1024
	return wait + wait/4*time.Duration(h.Sum32()%steps)/steps
}

// ending tells whether Close has begun: the next attempt is then the last.
func (s *Sender) ending() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// pause waits until something may be due. Below zero there is nothing to wait for but
// what is put.
func (q *queue) pause(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-q.wake: // also by its close
	case <-ctx.Done():
	}
}

// attempt sends a message once. Nothing of the answer's body is read: it may echo the
// address, and may never end.
func (s *Sender) attempt(ctx context.Context, l *lane, m message, id string) *failure {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	r, err := l.target.request(ctx, m, id, s.opts.Agent, s.opts.Now())
	if err != nil {
		return &failure{why: "its address is none that can be called"}
	}
	answer, err := l.client.Do(r)
	if err != nil {
		return &failure{why: cause(err), again: true}
	}
	_ = answer.Body.Close()
	return judge(answer, s.opts.Now())
}

// judge says what a status means.
func judge(answer *http.Response, now time.Time) *failure {
	code := answer.StatusCode
	why := fmt.Sprintf("it answered with status %d", code)
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return &failure{why: why + ", which leads to another host or asks in another way; that is not followed, as the address is a secret"}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &failure{why: why, again: true, wait: retryAfter(answer.Header.Get("Retry-After"), now)}
	default:
		return &failure{why: why}
	}
}

// retryAfter reads seconds or a date, and takes no more than an hour of either.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestWait)
	}
	return 0
}

// stayHere follows a redirect on the same host that repeats the request as it is, and
// ends at any other with the answer itself.
func stayHere(r *http.Request, via []*http.Request) error {
	first := via[0]
	same := strings.EqualFold(r.URL.Scheme, first.URL.Scheme) && strings.EqualFold(r.URL.Host, first.URL.Host)
	if !same || r.Method != first.Method || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	r.Header.Del("Referer") // It would repeat the address.
	return nil
}

// cause says why a request failed, in words of our own: the errors below repeat
// addresses, names of hosts and proxies.
func cause(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", attemptTime)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name of its host cannot be resolved"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "the connection was refused"
	}
	if certificate(err) {
		return "its certificate is not valid for it, or not trusted here"
	}
	if errors.Is(err, context.Canceled) {
		return "it was interrupted"
	}
	return "the connection failed"
}

// certificate tells whether an error is about the certificate of the receiver.
func certificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}
