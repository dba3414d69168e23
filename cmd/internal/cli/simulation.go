package cli

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// SimulationConfig says how to serve a simulated tenant.
type SimulationConfig struct {
	// Listen is the address of the admin API; 127.0.0.1:0 where empty.
	Listen string
	// TLS serves the admin API over TLS too; the authority always is.
	TLS bool
	// DirectoryRoles are the template ids of Entra roles that the tokens name.
	DirectoryRoles []string
	// Options go to the simulated services.
	Options []simulator.Option
}

// Simulation is a simulated tenant behind loopback sockets: the admin API, the
// Security & Compliance service, and the authority that issues tokens for both, with throw-away credentials in a
// folder of its own.
type Simulation struct {
	Tenant  *simulator.Tenant
	Service *simulator.Service
	// Compliance has the retention policies.
	Compliance *simulator.Service
	Authority  *simulator.Authority

	// Endpoint, ComplianceEndpoint and AuthorityURL are the addresses that are served.
	Endpoint, ComplianceEndpoint, AuthorityURL string
	// CAFile, CertificateFile, SecretFile and FederatedFile are files in Folder,
	// mode 0600.
	Folder, CAFile, CertificateFile, SecretFile, FederatedFile string
	// AccessToken is a bearer token that the service takes beside those of the
	// authority.
	AccessToken string

	secret   string
	platform platform
	servers  []*http.Server
	opened   atomic.Int64
}

// StartSimulation serves a tenant until Close.
func StartSimulation(ctx context.Context, tenant *simulator.Tenant, cfg SimulationConfig) (*Simulation, error) {
	s := &Simulation{Tenant: tenant, AccessToken: randomToken(), platform: newPlatform()}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	credentials, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{})
	if err != nil {
		return nil, err
	}
	if err := s.writeFiles(credentials); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.Folder))
	}
	if err := s.serve(ctx, cfg, credentials); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// writeFiles puts the credentials into a new folder that only its owner reads.
func (s *Simulation) writeFiles(c *simulator.AuthorityCredentials) error {
	var err error
	if s.Folder, err = os.MkdirTemp("", "exoaudit-simulation-"); err != nil {
		return fmt.Errorf("cannot make a folder for the credentials: %w", err)
	}
	s.secret = c.ClientSecret
	for _, f := range []struct {
		path *string
		name string
		data []byte
	}{
		{&s.CAFile, "ca.pem", c.CAPEM()},
		{&s.CertificateFile, "client.pem", c.ClientPEM()},
		{&s.SecretFile, "client-secret", []byte(c.ClientSecret)},
		{&s.FederatedFile, "federated-token", []byte(s.platform.federatedToken(time.Now()))},
	} {
		*f.path = filepath.Join(s.Folder, f.name)
		if err := os.WriteFile(*f.path, f.data, 0o600); err != nil {
			return fmt.Errorf("cannot write the credentials: %w", err)
		}
	}
	return nil
}

// serve opens the listeners. The authority issues tokens for the endpoints it
// stands beside, and for the name of the real service.
func (s *Simulation) serve(ctx context.Context, cfg SimulationConfig, c *simulator.AuthorityCredentials) error {
	api, address, err := s.listenFor(ctx, cfg, cfg.Listen, c)
	if err != nil {
		return err
	}
	s.Endpoint = address
	compliance, address, err := s.listenFor(ctx, cfg, besides(cfg.Listen), c)
	if err != nil {
		return errors.Join(err, api.Close())
	}
	s.ComplianceEndpoint = address
	s.Authority = simulator.NewAuthority(s.platform.trusted(simulator.AuthorityConfig{
		TenantID: s.Tenant.ID(), Domain: s.Tenant.Domain(),
		Audiences: []string{s.Endpoint, s.ComplianceEndpoint, simulator.AuthorityAudience},
		Secret:    c.ClientSecret, Certificate: c.ClientCertificate,
		Claims: simulator.AuthorityClaims{DirectoryRoles: cfg.DirectoryRoles},
	}))
	options := append([]simulator.Option{simulator.WithTokenCheck(s.check)}, cfg.Options...)
	s.Service = simulator.New(s.Tenant, options...)
	s.run(api, s.Service)
	s.Compliance = simulator.NewCompliance(s.Tenant, options...)
	s.run(compliance, s.Compliance)

	authority, err := s.listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.AuthorityURL = "https://" + authority.Addr().String()
	s.run(tls.NewListener(authority, c.TLSConfig()), s.Authority)
	return nil
}

// listenFor opens a listener for a service, and gives its address.
func (s *Simulation) listenFor(ctx context.Context, cfg SimulationConfig, at string, c *simulator.AuthorityCredentials) (net.Listener, string, error) {
	l, err := s.listen(ctx, at)
	if err != nil {
		return nil, "", err
	}
	if cfg.TLS {
		return tls.NewListener(l, c.TLSConfig()), "https://" + l.Addr().String(), nil
	}
	return l, "http://" + l.Addr().String(), nil
}

// besides is any other port of the same host.
func besides(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort(host, "0")
}

func (s *Simulation) listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return countingListener{l, &s.opened}, nil
}

// run serves until Close; the error of a closed server is no news.
func (s *Simulation) run(l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients tell their own side
	}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }()
}

// check takes the tokens of the authority and the simulation's own.
func (s *Simulation) check(token string) error {
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.AccessToken)) == 1 {
		return nil
	}
	return s.Authority.Check(token)
}

// Connections is the number of TCP connections that were accepted so far.
func (s *Simulation) Connections() int { return int(s.opened.Load()) }

// Secret is the client secret, the content of SecretFile.
func (s *Simulation) Secret() string { return s.secret }

// Close ends the servers and removes the credentials.
func (s *Simulation) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(s.Folder))...)
}

// countingListener counts the connections it accepts.
type countingListener struct {
	net.Listener
	opened *atomic.Int64
}

// Accept is part of net.Listener.
func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.opened.Add(1)
	}
	return c, err
}

func randomToken() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return "simulated-" + hex.EncodeToString(b[:])
}
