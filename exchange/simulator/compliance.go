package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Hosts of the Security & Compliance service (wire 7).
const (
	complianceFront = "ps.compliance.protection.outlook.com"
	complianceHosts = "." + complianceFront
)

// compliance is what a service has that stands for Security & Compliance.
type compliance struct{ region string }

// NewCompliance makes a Security & Compliance service in front of a tenant, beside the
// Exchange Online one that [New] makes: the same protocol on other hosts, with the
// retention policies of the unified audit log and an AdminAuditLogConfig that always
// says the log is off (semantics 4.3).
//
// Called by its public front host it sends everybody to the host of the tenant's region
// (see [WithRegion]); another region's answers 421. Called by any other name, such as a
// loopback address, it answers itself. It finds the tenant by an anchor in the initial
// domain alone, and gives a 403 in JSON for what the caller's role lacks.
func NewCompliance(t *Tenant, opts ...Option) *Service {
	s := &Service{
		tenant: t, now: time.Now, check: anyToken, faults: &injector{}, cmdlets: complianceCmdlets(), columns: newColumns(t),
		compliance: &compliance{region: defaultRegion},
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// WithRegion names the region of the tenant, such as "nam13b", for [NewCompliance].
func WithRegion(region string) Option {
	return func(s *Service) {
		if s.compliance != nil {
			s.compliance.region = region
		}
	}
}

// ComplianceAdministrator is the directory role that reads retention policies, and so
// also writes them (semantics 4.5).
func ComplianceAdministrator() Role {
	return Role{Name: "Compliance Administrator", Entries: []RoleEntry{
		{Cmdlet: "Get-AdminAuditLogConfig"},
		{Cmdlet: "Get-UnifiedAuditLogRetentionPolicy"},
		{Cmdlet: "New-UnifiedAuditLogRetentionPolicy"},
		{Cmdlet: "Remove-UnifiedAuditLogRetentionPolicy"},
		{Cmdlet: "Set-UnifiedAuditLogRetentionPolicy"},
	}}
}

// regional is what the front host and the hosts of other regions answer; nil where the
// request is to be served.
func (s *Service) regional(host, path string) *apiError {
	if s.compliance == nil {
		return nil
	}
	name := strings.ToLower(hostName(host))
	switch {
	case name == complianceFront:
		return &apiError{status: http.StatusFound, spelling: spellEmptyBody, header: http.Header{
			"Location": {"https://" + s.compliance.region + internalHosts + ":446" + path},
		}}
	case strings.HasSuffix(name, complianceHosts) && name != s.compliance.region+complianceHosts:
		return &apiError{status: http.StatusMisdirectedRequest, spelling: spellEmptyBody}
	}
	return nil
}

// unserved is the refusal of a cmdlet that the service or the caller's role does not
// have, and of an anchor that does not lead to the tenant (wire 5.2).
func (s *Service) unserved(in invocation, name string) *apiError {
	if s.compliance == nil {
		return nil
	}
	if s.cmdlets[strings.ToLower(name)] == nil || !s.role.permits(name) {
		return &apiError{
			status: http.StatusForbidden, message: "User is not allowed to call " + name, kind: typeSystem,
			text: "User is not allowed to call " + name, spelling: spellNoDetails,
		}
	}
	if _, domain, found := strings.Cut(in.header.Get("X-AnchorMailbox"), "@"); !found || !strings.EqualFold(domain, s.tenant.Domain()) {
		return &apiError{
			status: http.StatusInternalServerError, message: "Internal server error", kind: typeSystem,
			text: "Could not find the organization container", spelling: spellNoDetails,
		}
	}
	return nil
}

// namesRetention says whether the Identity of a call about retention policies names one.
func (t *Tenant) namesRetention(given map[string]json.RawMessage) bool {
	return t.dir.findRetention(asText(givenParameter(given, "Identity"))) >= 0
}
