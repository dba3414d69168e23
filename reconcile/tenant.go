package reconcile

import (
	"context"
	"iter"

	"github.com/exoaudit/exoaudit/exchange"
)

// Reader is what a comparison needs of a tenant. *exchange.Client satisfies
// it. Listings are whole or end with an error; they never restart themselves.
type Reader interface {
	Organization(ctx context.Context) (exchange.Organization, error)
	AdminAuditLog(ctx context.Context) (exchange.AdminAuditLog, error)
	ExportedCmdlets(ctx context.Context) ([]string, error)
	Mailboxes(ctx context.Context, q exchange.MailboxQuery) iter.Seq2[exchange.Mailbox, error]
	BypassAssociations(ctx context.Context) iter.Seq2[exchange.BypassAssociation, error]
	BypassByID(ctx context.Context, guids []string) []exchange.Result[exchange.BypassAssociation]
	MailboxesByID(ctx context.Context, refs []exchange.MailboxRef, sel []string) []exchange.Result[exchange.Mailbox]
	Users(ctx context.Context, identities []string) []exchange.Result[exchange.User]
	GroupByID(ctx context.Context, identities []string) []exchange.Result[exchange.Group]
	GroupMembers(ctx context.Context, g exchange.Group) iter.Seq2[exchange.Member, error]
	RecipientPermissions(ctx context.Context) iter.Seq2[exchange.RecipientPermission, error]
	RecipientPermissionsByID(ctx context.Context, guids []string) []exchange.Result[[]exchange.RecipientPermission]
	MailboxPermissions(ctx context.Context, guids []string) []exchange.Result[[]exchange.MailboxPermission]
	Stats() exchange.Stats
}

// Tenant is what an apply needs: the reads, and the few writes this tool ever
// makes. *exchange.Client satisfies it.
type Tenant interface {
	Reader
	SetMailboxes(ctx context.Context, edits []exchange.MailboxEdit) []exchange.Result[struct{}]
	SetBypass(ctx context.Context, edits []exchange.BypassEdit) []exchange.Result[struct{}]
	SetAuditDisabled(ctx context.Context, disabled bool) exchange.Result[struct{}]
	SetUnifiedAuditLog(ctx context.Context, enabled bool) exchange.Result[struct{}]
	SetAdminAuditLog(ctx context.Context, edit exchange.AdminAuditEdit) exchange.Result[struct{}]
	EnableOrganizationCustomization(ctx context.Context) exchange.Result[struct{}]
}
