package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// target says which tenant is meant and how it is reached.
type target struct {
	tenant, cloud, endpoint, caFile, auth string
}

func (t *target) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.tenant, "tenant", "", "tenant `ID`, a GUID or an onmicrosoft.com domain (AZURE_TENANT_ID)")
	f.StringVar(&t.cloud, "cloud", "worldwide", "worldwide, gcc, gcc-high, dod, china, or custom")
	f.StringVar(&t.endpoint, "endpoint", "", "`URL` of the admin API, https (EXOAUDIT_ENDPOINT)")
	f.StringVar(&t.caFile, "ca-file", "", "PEM `FILE` with more certificate authorities (EXOAUDIT_CA_FILE)")
	f.StringVar(&t.auth, "auth", "", "credential to use: "+strings.Join(kindNames(), ", ")+" (without it, the one that is set)")
}

// connection is a client of one tenant.
type connection struct {
	client *exchange.Client
	// compliance is nil where the policy does not speak of retention.
	compliance *exchange.ComplianceClient
	provider   *auth.Provider
	tenant     string // the GUID
	place      place
	idle       func() // closes connections that are kept for the next request
}

// place is where a cloud is found, after every override.
type place struct {
	endpoint, scope, authority string
	custom                     bool
	// compliance is the address of the Security & Compliance service; empty where
	// nothing says which one belongs to the endpoint.
	compliance, complianceScope string
}

// connect resolves the tenant, chooses the credential, and makes the client.
// Only the resolution of a domain makes a call, to which no credential is
// sent; the first token is asked for by the first request.
func (a *app) connect(ctx context.Context, t target) (*connection, error) {
	return a.connectWith(ctx, t, calling{})
}

// calling says how the calls of a connection are made, where not as usual.
type calling struct {
	// watch is told of every call, beside --verbose.
	watch func(exchange.Trace)
	retry exchange.Retry
	// retention says that the policy speaks of retention policies.
	retention bool
}

// connectWith is connect with another way of calling.
func (a *app) connectWith(ctx context.Context, t target, c calling) (*connection, error) {
	at, err := a.place(t)
	if err != nil {
		return nil, err
	}
	if c.retention {
		if err := at.checkCompliance(); err != nil {
			return nil, err
		}
	}
	cfg, err := a.credential(t)
	if err != nil {
		return nil, err
	}
	transport, err := a.transport(t.caFile)
	if err != nil {
		return nil, err
	}
	web := &http.Client{Transport: transport}
	cfg.HTTPClient = web
	cfg.Authority, cfg.CustomAuthority = at.authority, at.custom
	if cfg.TenantID, err = cfg.ResolveTenant(ctx, t.tenant); err != nil {
		return nil, err
	}
	provider, err := auth.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	service := exchange.Config{
		Endpoint:    at.endpoint,
		TenantID:    cfg.TenantID,
		TokenSource: provider.TokenSource(at.scope),
		Transport:   transport,
		UserAgent:   strings.ReplaceAll(toolName(), " ", "/"),
		Account:     provider.Account,
		Trace:       traces(c.watch, a.trace()),
		Retry:       c.retry,
	}
	client, err := exchange.New(service)
	if err != nil {
		return nil, invalid("%w", err)
	}
	conn := &connection{client: client, provider: provider, tenant: cfg.TenantID, place: at, idle: web.CloseIdleConnections}
	if c.retention {
		if conn.compliance, err = at.comply(service, provider, t.tenant); err != nil {
			return nil, err
		}
	}
	a.logger().InfoContext(ctx, fmt.Sprintf("tenant %s at %s, with %s", cfg.TenantID, at.endpoint, provider.Describe()))
	for _, w := range provider.Warnings() {
		a.logger().WarnContext(ctx, w)
	}
	return conn, nil
}

// place finds the cloud's addresses. Each can be set alone, since the sources
// disagree about some of them (wire 6). An authority that is not Microsoft's
// needs a custom cloud before anything is sent to it, the question which
// tenant a domain belongs to included. An endpoint to which no token may be
// sent is refused, and not shown: it may hold a password.
func (a *app) place(t target) (place, error) {
	at := place{custom: strings.EqualFold(t.cloud, "custom")}
	if c, ok := exchange.CloudNamed(t.cloud); ok {
		at.endpoint, at.scope, at.authority = c.Endpoint, c.Scope, c.Authority
		at.compliance, at.complianceScope = c.ComplianceEndpoint, c.ComplianceScope
	} else if !at.custom {
		return place{}, invalid("--cloud %s: there is %s, custom", report.Line(t.cloud), strings.Join(cloudNames(), ", "))
	}
	if t.endpoint != "" {
		if !strings.EqualFold(strings.TrimSuffix(t.endpoint, "/"), at.endpoint) {
			at.compliance = "" // That of the cloud may belong to another tenant's world.
		}
		at.endpoint = t.endpoint
	}
	a.placeCompliance(&at)
	if at.endpoint == "" {
		return place{}, invalid("--cloud custom needs --endpoint (or EXOAUDIT_ENDPOINT), the address of the admin API")
	}
	if err := exchange.CheckEndpoint(at.endpoint); err != nil {
		return place{}, invalid("%w", err)
	}
	if at.custom {
		at.scope = strings.TrimSuffix(at.endpoint, "/") + "/.default"
	}
	if scope := a.env.Getenv("EXOAUDIT_SCOPE"); scope != "" {
		at.scope = scope
	}
	if authority := strings.TrimSpace(a.env.Getenv("AZURE_AUTHORITY_HOST")); authority != "" {
		at.authority = authority
	}
	if at.authority == "" && strings.HasSuffix(strings.ToLower(t.tenant), ".onmicrosoft.com") {
		return place{}, invalid("--cloud custom needs AZURE_AUTHORITY_HOST to find the tenant of a domain")
	}
	if !at.custom && !auth.IsMicrosoft(at.authority) && a.asksAuthority(t) {
		return place{}, invalid("AZURE_AUTHORITY_HOST%s is not the address of a sign-in host of Microsoft, and the credential would be sent there; "+
			"declare --cloud custom if that is meant", hostOf(at.authority))
	}
	return at, nil
}

// asksAuthority tells whether the authority will be spoken to at all: it is
// not where the token and the tenant's GUID are given.
func (a *app) asksAuthority(t target) bool {
	return !(auth.Kind(t.auth) == auth.KindToken || t.auth == "" && a.env.Getenv("EXOAUDIT_ACCESS_TOKEN") != "") ||
		strings.Contains(t.tenant, ".")
}

// hostOf shows the host of an address, which may hold a password too, in
// brackets; nothing where it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return " (" + report.Line(u.Host) + ")"
}

func cloudNames() []string {
	var names []string
	for _, c := range exchange.Clouds() {
		names = append(names, c.Name)
	}
	return names
}

// transport gives the transport for every call: that of the environment, else
// one to the network. A CA file has to be right in either case.
func (a *app) transport(caFile string) (http.RoundTripper, error) {
	network, err := newTransport(caFile)
	if err != nil || a.env.Transport == nil {
		return network, err
	}
	return a.env.Transport, nil
}

// newTransport gives a transport to the network, with the roots of a CA file
// beside the system's.
func newTransport(caFile string) (*http.Transport, error) {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, noReport("the default HTTP transport was replaced")
	}
	transport := base.Clone()
	if caFile == "" {
		return transport, nil
	}
	pem, err := readFile("--ca-file", caFile, maxInput)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, invalid("--ca-file: %s holds no certificate in PEM form", report.Line(caFile))
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// trace shows each request under --verbose: what was called and how it ended,
// never a body, a query or a token.
func (a *app) trace() func(exchange.Trace) {
	if !a.out.verbose {
		return nil
	}
	log := a.logger()
	return func(t exchange.Trace) {
		attrs := []any{
			slog.String("cmdlets", strings.Join(compact(t.Cmdlets), ",")),
			slog.Int("status", t.Status),
			slog.String("requestId", t.RequestID),
			slog.Int64("ms", t.Duration.Milliseconds()),
			slog.Int64("bytes", t.Bytes),
		}
		if t.Err != nil {
			attrs = append(attrs, slog.String("error", t.Err.Error()))
		}
		log.Debug(t.Method+" "+t.Path, attrs...)
	}
}

// traces tells several watchers of each call; nil ones are left out.
func traces(watchers ...func(exchange.Trace)) func(exchange.Trace) {
	watchers = slices.DeleteFunc(watchers, func(f func(exchange.Trace)) bool { return f == nil })
	if len(watchers) == 0 {
		return nil
	}
	return func(t exchange.Trace) {
		for _, tell := range watchers {
			tell(t)
		}
	}
}

// compact folds repeated names, as the ten items of a batch have.
func compact(names []string) []string {
	var out []string
	for i := 0; i < len(names); {
		n := 1
		for i+n < len(names) && names[i+n] == names[i] {
			n++
		}
		if n == 1 {
			out = append(out, names[i])
		} else {
			out = append(out, fmt.Sprintf("%s*%d", names[i], n))
		}
		i += n
	}
	return out
}
