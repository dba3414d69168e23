package simulator

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Service answers for a tenant as the admin API does. It is an [http.Handler] and
// safe for concurrent use.
//
//	POST /adminapi/beta/{tenant}/InvokeCommand
//	POST /adminapi/beta/{tenant}/$batch
//	GET  /adminapi/{beta|v1.0}/{tenant}/EXOModuleFile
//
// {tenant} is the tenant's GUID or its initial domain; the path is read without
// regard to case (wire 1.1).
type Service struct {
	tenant   *Tenant
	now      func() time.Time
	switches Switches
	latency  time.Duration
	lag      time.Duration
	check    func(token string) error
	edit     func(cmdlet string, row *Row)
	hook     func(Moment, Invocation)
	hosts    []string
	compress bool
	role     *Role // nil permits everything.
	pageMost int   // Rows of a page at most; 0 is the service's own 1000.

	cmdlets map[string]*cmdlet
	columns columns
	faults  *injector
	log     callLog
	cursors cursorStore
	history history
	serial  atomic.Int64
	rate    rateMeter
	// throttle refuses cmdlets over its limit.
	throttle tokenBucket

	permissionList bool        // See WithPermissionList.
	compliance     *compliance // Nil for Exchange Online.
}

// Option changes how a [Service] behaves.
type Option func(*Service)

// WithClock replaces [time.Now] as the service's clock; the tenant dates its changes by it too.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// WithSwitches chooses readings where the wire is not known.
func WithSwitches(switches Switches) Option { return func(s *Service) { s.switches = switches } }

// WithFaults arms faults, tried in order. Given twice, the later ones come after.
func WithFaults(faults ...Fault) Option { return func(s *Service) { s.faults.arm(faults) } }

// WithTokenCheck replaces the check of the bearer token; an error is answered with 401.
// Without it any token but the empty one will do.
func WithTokenCheck(check func(token string) error) Option {
	return func(s *Service) { s.check = check }
}

// WithAccessToken accepts one token only.
func WithAccessToken(token string) Option {
	return WithTokenCheck(func(got string) error {
		if got != token {
			return errTokenUnknown
		}
		return nil
	})
}

// WithLatency makes every HTTP request take that long.
func WithLatency(d time.Duration) Option { return func(s *Service) { s.latency = d } }

// WithRowEdit lets a test delete, rename, double or mistype properties of a row
// before it is sent. It may be called from several goroutines at once.
func WithRowEdit(edit func(cmdlet string, row *Row)) Option {
	return func(s *Service) { s.edit = edit }
}

// WithHosts refuses requests whose Host is none of these. Without it any host is taken.
func WithHosts(hosts ...string) Option {
	return func(s *Service) { s.hosts = append(s.hosts, hosts...) }
}

// WithReadLag makes reads see a write made through the service only after a while.
// Changes made on the tenant directly are seen at once.
func WithReadLag(lag time.Duration) Option { return func(s *Service) { s.lag = lag } }

// WithCompression answers with gzip where the client accepts it, as the service does.
func WithCompression() Option { return func(s *Service) { s.compress = true } }

// WithCallLimit keeps the newest n calls only, for a server that runs for long;
// [Service.Count] and [Service.Requests] still count all.
func WithCallLimit(n int) Option { return func(s *Service) { s.log.limit = n } }

// New makes a service in front of a tenant.
func New(t *Tenant, opts ...Option) *Service {
	s := &Service{tenant: t, now: time.Now, check: anyToken, faults: &injector{}}
	s.cmdlets = modelledCmdlets()
	s.columns = newColumns(t)
	for _, opt := range opts {
		opt(s)
	}
	t.setClock(s.now)
	return s
}

// Tenant returns the tenant the service stands in front of.
func (s *Service) Tenant() *Tenant { return s.tenant }

// AddFaults arms more faults on a running service.
func (s *Service) AddFaults(faults ...Fault) { s.faults.arm(faults) }

// DisarmFaults takes every fault away; what they did to the tenant stays.
func (s *Service) DisarmFaults() { s.faults.disarm() }

// Struck returns how often the armed faults of a name have struck.
func (s *Service) Struck(name string) int { return s.faults.strikes(name) }

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := s.log.begin(s.now(), r)
	answer, err := s.answer(r, entry)
	if err != nil {
		return // The client has gone; there is nobody to answer.
	}
	if answer.unanswered {
		panic(http.ErrAbortHandler) // The documented way to break a connection off.
	}
	s.stamp(answer.header, r)
	s.log.end(entry, answer)
	answer.send(w, r, s.compress)
}

// maxBody bounds a request; ten Set-Mailbox calls are a few kilobytes.
const maxBody = 8 << 20

func (s *Service) answer(r *http.Request, entry *Call) (reply, error) {
	if err := s.wait(r.Context(), s.latency); err != nil {
		return reply{}, err
	}
	if s.misdirected(r.Host) {
		return plainReply(http.StatusMisdirectedRequest), nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return reply{}, err
	}
	version, tenant, operation, ok := route(r.URL.Path)
	if !ok {
		return plainReply(http.StatusNotFound), nil
	}
	if refusal := s.authorize(r.Header); refusal != nil {
		return refusal.reply(), nil
	}
	if !s.isTenant(tenant) {
		return (&apiError{status: http.StatusNotFound, message: messageBinding, kind: typeSystem, text: "Unknown tenant " + tenant, spelling: spellNoDetails}).reply(), nil
	}
	if refusal := s.regional(r.Host, r.URL.Path); refusal != nil {
		return refusal.reply(), nil
	}
	in := invocation{
		method: r.Method, scheme: schemeOf(r), host: r.Host, path: r.URL.Path, tenant: tenant,
		query: r.URL.Query(), header: r.Header, body: body, entry: entry,
	}
	return s.dispatch(r.Context(), version, operation, in)
}

func (s *Service) dispatch(ctx context.Context, version, operation string, in invocation) (reply, error) {
	beta := strings.EqualFold(version, "beta")
	switch {
	case strings.EqualFold(operation, "EXOModuleFile"):
		return s.moduleFile(ctx, in)
	case strings.EqualFold(operation, "InvokeCommand") && beta:
		return s.invoke(ctx, in)
	case strings.EqualFold(operation, "$batch") && beta:
		return s.batch(ctx, in)
	case strings.EqualFold(operation, "InvokeCommand"):
		return plainReply(http.StatusMethodNotAllowed), nil // Only beta serves it (wire 1.1).
	}
	return unmodelled("%s %s of version %s", in.method, operation, version).reply(), nil
}

// route splits /adminapi/{version}/{tenant}/{operation}.
func route(path string) (version, tenant, operation string, ok bool) {
	parts := strings.SplitN(strings.Trim(path, "/"), "/", 4)
	if len(parts) != 4 || !strings.EqualFold(parts[0], "adminapi") {
		return "", "", "", false
	}
	return parts[1], parts[2], parts[3], true
}

func (s *Service) isTenant(name string) bool {
	return strings.EqualFold(name, s.tenant.ID()) || strings.EqualFold(name, s.tenant.Domain())
}

func schemeOf(r *http.Request) string {
	if r.URL.Scheme != "" {
		return r.URL.Scheme
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// wait sleeps, or returns the context's error; it needs no goroutine.
func (s *Service) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// moduleFile lists the cmdlets the caller may use (wire 1.7).
func (s *Service) moduleFile(ctx context.Context, in invocation) (reply, error) {
	fired := s.faults.fire(in.event("EXOModuleFile", false, nil))
	if err := s.prepare(ctx, fired, nil); err != nil {
		return reply{}, err
	}
	if refusal := s.refusal(fired, in); refusal != nil {
		return refusal.reply(), nil
	}
	if in.method != http.MethodGet {
		return plainReply(http.StatusMethodNotAllowed), nil
	}
	var names []string
	for _, c := range s.cmdlets {
		if s.role.permits(c.name) && !s.faults.refuses(c.name) {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	type file struct {
		Name    string `json:"fileName"`
		Content string `json:"fileContent"`
		Cmdlets string `json:"exportedCmdlets"`
	}
	answer := jsonReply(http.StatusOK, marshal(struct {
		Context string `json:"@odata.context"`
		Value   []file `json:"value"`
	}{in.root() + "/$metadata#EXOModuleFile", []file{{Name: "ExchangeOnline.psm1", Cmdlets: strings.Join(names, ",")}}}))
	return fired.damage(answer), nil
}
