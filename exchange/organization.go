package exchange

import "context"

// Organization is the one row of Get-OrganizationConfig.
type Organization struct {
	Guid Field[string]
	// Name is the initial domain.
	Name Field[string]
	// AuditDisabled turns mailbox auditing off for the whole tenant.
	AuditDisabled Field[bool]
	// IsDehydrated tells a tenant that needs Enable-OrganizationCustomization
	// before some settings can be written (semantics 4.4).
	IsDehydrated Field[bool]
	// Raw is the whole row as it came; nil where the read failed.
	Raw *RawRow
}

func organizationProperty(o *Organization, name []byte) property {
	switch string(name) {
	case "Guid":
		return &o.Guid
	case "Name":
		return &o.Name
	case "AuditDisabled":
		return &o.AuditDisabled
	case "IsDehydrated":
		return &o.IsDehydrated
	default:
		return nil
	}
}

// Organization reads the tenant's own settings.
func (c *Client) Organization(ctx context.Context) (Organization, error) {
	o := c.invoke(ctx, invocation{kind: read, cmdlet: cmdletGetOrganization, anchor: organizationAnchor()})
	r := one(o, organizationProperty)
	if r.Err == nil {
		r.Value.Raw = o.raw()
	}
	return r.Value, r.Err
}

// SetAuditDisabled turns mailbox auditing off or on for the tenant.
func (c *Client) SetAuditDisabled(ctx context.Context, disabled bool) Result[struct{}] {
	return c.invoke(ctx, invocation{
		kind: write, cmdlet: cmdletSetOrganization, params: params{"AuditDisabled": disabled},
		anchor: organizationAnchor(),
	}).written()
}

// EnableOrganizationCustomization hydrates the tenant, which cannot be undone. A
// second run is an error, and settings may be refused for minutes to hours after
// the first (semantics 4.4).
func (c *Client) EnableOrganizationCustomization(ctx context.Context) Result[struct{}] {
	return c.invoke(ctx, invocation{
		kind: write, cmdlet: cmdletEnableCustomize, anchor: organizationAnchor(),
	}).written()
}
