package cli

import (
	"encoding/json"
	"net"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newSimulate builds the command that serves the simulator to any client.
func newSimulate(a *app) *cobra.Command {
	var cfg SimulationConfig
	var seed simulator.Seed
	var b behaviour
	var insecure bool
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a simulated tenant, for any client",
		Long: `simulate serves a tenant that behaves as Exchange Online's admin API, the
Security & Compliance service with its retention policies, and an authority
that issues tokens for both, on loopback addresses until it is interrupted. The first line of its output is JSON that says how to reach it; the
files it names are removed at the end. It is for trying things out and for
tests: nothing it says is about a real tenant.`,
		Example: `  exoaudit simulate --mailboxes 1200 --drift 0.1
  exoaudit simulate --role auditOperator --throttle 20 --faults faults.json

  faults.json: [{"cmdlet": "Get-Mailbox", "call": 2, "do": "throttle", "retryAfter": "3s"}]`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:0", "address of the admin API; loopback only")
	f.BoolVar(&insecure, "insecure-listen", false, "allow an address that other machines reach")
	f.BoolVar(&cfg.TLS, "tls", false, "serve the admin API over TLS as well")
	f.IntVar(&seed.Mailboxes, "mailboxes", 100, "number of mailboxes")
	f.Uint64Var(&seed.Seed, "seed", 1, "the same seed makes the same tenant")
	f.Float64Var(&seed.Drift, "drift", 0, "share of mailboxes with a weakened setting, 0 to 1")
	b.bind(cmd)
	a.out.bind(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		if err := checkSeed(seed); err != nil {
			return err
		}
		if !insecure && !isLoopbackAddress(cfg.Listen) {
			return invalid("--listen %s: not a loopback address; whoever reaches it may use it, so --insecure-listen has to say that is meant", report.Line(cfg.Listen))
		}
		if err := b.apply(&cfg); err != nil {
			return err
		}
		return a.simulate(cmd, seed, cfg)
	}
	return cmd
}

func checkSeed(s simulator.Seed) error {
	switch {
	case s.Mailboxes < 0:
		return invalid("--mailboxes %d: it must not be negative", s.Mailboxes)
	case !(s.Drift >= 0 && s.Drift <= 1):
		return invalid("--drift %v: it is a share from 0 to 1", s.Drift)
	default:
		return nil
	}
}

// isLoopbackAddress reports whether host:port is reached from this machine
// only.
func isLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// simulated is the first line of output. The secret is in a file, so that the
// line can be kept; the access token is good for this simulation only.
type simulated struct {
	Endpoint         string `json:"endpoint"`
	Compliance       string `json:"complianceEndpoint"`
	Authority        string `json:"authority"`
	CAFile           string `json:"caFile"`
	Tenant           string `json:"tenant"`
	ClientID         string `json:"clientId"`
	ClientSecretFile string `json:"clientSecretFile"`
	CertificateFile  string `json:"certificateFile"`
	AccessToken      string `json:"accessToken"`
}

// simulate serves until the context ends, which is its good end.
func (a *app) simulate(cmd *cobra.Command, seed simulator.Seed, cfg SimulationConfig) error {
	ctx := cmd.Context()
	s, err := StartSimulation(ctx, simulator.NewTenant(seed), cfg)
	if err != nil {
		return err
	}
	err = json.NewEncoder(a.Out).Encode(simulated{ //nolint:gosec // The token is good for this simulation only, and the way in.
		Endpoint: s.Endpoint, Compliance: s.ComplianceEndpoint, Authority: s.AuthorityURL, CAFile: s.CAFile, Tenant: s.Tenant.ID(),
		ClientID: s.Authority.ClientID(), ClientSecretFile: s.SecretFile,
		CertificateFile: s.CertificateFile, AccessToken: s.AccessToken,
	})
	if err == nil {
		a.logger().Info("serving a simulated tenant; interrupt to end")
		<-ctx.Done()
		a.stopped = true
	}
	if closeErr := s.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
