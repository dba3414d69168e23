package doctor

import (
	"context"
	"iter"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// Tenant is what an examination calls. *exchange.Client satisfies it.
type Tenant interface {
	ExportedCmdlets(ctx context.Context) ([]string, error)
	Organization(ctx context.Context) (exchange.Organization, error)
	AdminAuditLog(ctx context.Context) (exchange.AdminAuditLog, error)
	Mailboxes(ctx context.Context, q exchange.MailboxQuery) iter.Seq2[exchange.Mailbox, error]
	MailboxesByID(ctx context.Context, refs []exchange.MailboxRef, sel []string) []exchange.Result[exchange.Mailbox]
	BypassAssociations(ctx context.Context) iter.Seq2[exchange.BypassAssociation, error]
	BypassByID(ctx context.Context, guids []string) []exchange.Result[exchange.BypassAssociation]
	Users(ctx context.Context, identities []string) []exchange.Result[exchange.User]
	GroupByID(ctx context.Context, identities []string) []exchange.Result[exchange.Group]
	GroupMembers(ctx context.Context, g exchange.Group) iter.Seq2[exchange.Member, error]
	RecipientPermissions(ctx context.Context) iter.Seq2[exchange.RecipientPermission, error]
	RecipientPermissionsByID(ctx context.Context, guids []string) []exchange.Result[[]exchange.RecipientPermission]
	MailboxPermissions(ctx context.Context, guids []string) []exchange.Result[[]exchange.MailboxPermission]
	ProbeParameters(ctx context.Context, cmdlet string, parameters []string) ([]exchange.Probe, error)
	Stats() exchange.Stats
}

// Request says what to examine, and what its caller knows already.
type Request struct {
	Tool string
	// Tenant is the GUID of the tenant, as far as it is known, and Endpoint the
	// address of the admin API.
	Tenant, Endpoint string
	// Compliance reads retention policies; nil where there is no client for it.
	Compliance reconcile.ComplianceReader
	// Policy says what is needed; nil is everything that this tool can need.
	Policy *policy.Policy
	// ReadOnly leaves out what only apply needs.
	ReadOnly   bool
	Credential Credential
	// Clock gives by how much the service's clock is ahead of this one, once it
	// has answered; false where it did not say. It may be nil.
	Clock func() (time.Duration, bool)
	// State is where apply keeps its journal; nil where that was not looked at.
	State *State
	// Now gives the time.
	Now func() time.Time
}

// Credential is what the caller knows of the credential. It holds no secret.
type Credential struct {
	// Description says in one line which credential is used, Source from where it
	// was read.
	Description, Source string
	// ClientID is the application; empty where it is not known.
	ClientID string
	// Scope is what the token was asked for.
	Scope string
	// Renews says that a token that ends is replaced by a new one.
	Renews bool
	// Err says why there is no token; then no call is made.
	Err error
	// Token is what the token says of itself. Nobody has verified it.
	Token Token
	// CertificateExpires is zero where no certificate is used.
	CertificateExpires time.Time
}

// Token holds the claims of a bearer token.
type Token struct {
	Audience string
	// Roles are application permissions, DirectoryRoles the template ids of the
	// Entra roles (claim wids).
	Roles, DirectoryRoles []string
	TenantID, AppID       string
	// UserName is set where a person has signed in.
	UserName string
	Expires  time.Time
	// Opaque says that the token could not be read.
	Opaque bool
}

// State is where runs are remembered and the journal is kept.
type State struct {
	// Path is the file of the store; empty where it was said that there is none.
	Path string
	// Err says why apply could not write there, or lock the tenant.
	Err error
}

// examination gathers what is found.
type examination struct {
	Request
	report *Report
	needs  []reconcile.Need
	tenant Tenant
	// access is what was learned about the cmdlets.
	access access
	// mailbox is the Guid of one that is shown, to read by identity.
	mailbox string
	// complianceErr is how reading the retention policies ended.
	complianceErr error
}

// Examine looks at everything that can be looked at without a write, and
// judges it. A context that ends leaves the rest unknown. Tenant may be nil
// where the credential has an error.
func Examine(ctx context.Context, t Tenant, r Request) *Report {
	e := &examination{Request: r, tenant: t, report: &Report{
		Tool: r.Tool, Tenant: r.Tenant, Endpoint: r.Endpoint, CreatedAt: r.Now(), ReadOnly: r.ReadOnly,
	}}
	if p := r.Policy; p != nil {
		e.report.PolicyFile, e.report.PolicyName, e.report.PolicyDigest = p.File, p.Name, p.Digest()
	}
	for _, n := range reconcile.Needs(r.Policy) {
		if !n.Write || !r.ReadOnly {
			e.needs = append(e.needs, n)
		}
	}
	e.credential()
	if r.Credential.Err == nil {
		e.read(ctx)
		e.service()
		e.tenantSettings()
		e.cmdlets(ctx)
	} else {
		e.untried()
	}
	e.retention(ctx)
	if r.Credential.Err == nil {
		e.report.Requests = t.Stats().Requests
		if r.Compliance != nil {
			e.report.Requests += r.Compliance.Stats().Requests
		}
	}
	e.state()
	e.report.sort()
	e.report.Grants = e.grants()
	return e.report
}

// add keeps a check.
func (e *examination) add(c Check) { e.report.Checks = append(e.report.Checks, c) }

// untried says of everything that takes a token that it was not tried.
func (e *examination) untried() {
	const why = "not tried: there is no token"
	e.add(Check{Area: AreaService, Name: "endpoint", Status: Unknown, Seen: say("%s, %s", e.Endpoint, why)})
	for _, n := range e.needs {
		e.add(Check{Area: areaOf(n), Name: n.Cmdlet, Cmdlet: n.Cmdlet, Status: Unknown, Seen: why})
	}
}

// state judges the store, without which an apply needs a file for its journal. A
// comparison can do without it.
func (e *examination) state() {
	if e.State == nil || e.ReadOnly {
		return
	}
	c := Check{Area: AreaState, Name: "store", Status: OK, Seen: say("%s can be written", e.State.Path)}
	switch {
	case e.State.Err != nil:
		c.Status, c.Seen = Missing, say("%v", e.State.Err)
		c.Fix = "runs are remembered and the journal is kept there: make it writable, name another with --state, or give apply --journal FILE"
	case e.State.Path == "":
		c.Status, c.Seen = Warning, "none: runs share no memory, and apply needs --journal FILE"
	}
	e.add(c)
}
