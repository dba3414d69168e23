package cli

import (
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
)

// The variables by which the Security & Compliance service is named.
const (
	complianceVariable      = "EXOAUDIT_COMPLIANCE_ENDPOINT"
	complianceScopeVariable = "EXOAUDIT_COMPLIANCE_SCOPE"
)

// placeCompliance finds the Security & Compliance service, which has the retention
// policies: that of the cloud, or the one that the environment names.
func (a *app) placeCompliance(at *place) {
	if address := strings.TrimSpace(a.env.Getenv(complianceVariable)); address != "" {
		at.compliance = address
		if at.custom {
			at.complianceScope = strings.TrimSuffix(address, "/") + "/.default"
		}
	}
	if scope := strings.TrimSpace(a.env.Getenv(complianceScopeVariable)); scope != "" {
		at.complianceScope = scope
	}
}

// checkCompliance refuses a service that is not known, and an address to which no
// token may be sent. The address is not shown: it may hold a password.
func (at place) checkCompliance() error {
	if at.compliance == "" {
		return invalid("the policy speaks of retention: %s must name the Security & Compliance service that belongs to --endpoint", complianceVariable)
	}
	if err := exchange.CheckComplianceEndpoint(at.compliance); err != nil {
		return invalid("%s: %w", complianceVariable, err)
	}
	return nil
}

// comply makes the client of the Security & Compliance service from the
// configuration of the other one: it has a token and a host of its own.
func (at place) comply(cfg exchange.Config, provider *auth.Provider, tenant string) (*exchange.ComplianceClient, error) {
	cfg.Endpoint, cfg.TokenSource = at.compliance, provider.TokenSource(at.complianceScope)
	if strings.HasSuffix(strings.ToLower(tenant), ".onmicrosoft.com") {
		cfg.Domain = tenant
	}
	c, err := exchange.NewCompliance(cfg)
	if err != nil {
		return nil, invalid("%w", err)
	}
	return c, nil
}
