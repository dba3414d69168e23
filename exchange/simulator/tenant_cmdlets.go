package simulator

import (
	"strings"
)

// getBypass is Get-MailboxAuditBypassAssociation: no filter, everything or one (semantics 3).
func getBypass(c *call) (outcome, *apiError) {
	if c.isNull("Identity") {
		return listPage(c, c.s.columns.bypass, func(position int) (Bypass, int, bool) {
			b, at, ok := c.s.tenant.nextRow(position)
			return seen(c, "bypass/"+b.Guid, b), at, ok
		})
	}
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	c.s.tenant.mu.RLock()
	defer c.s.tenant.mu.RUnlock()
	position, err := c.locateAccount(identity)
	if err != nil {
		return outcome{}, err
	}
	b, _ := c.s.tenant.row(position)
	return single(c, c.s.columns.bypass, seen(c, "bypass/"+b.Guid, b)), nil
}

func setBypass(c *call) (outcome, *apiError) {
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	if !c.has("AuditBypassEnabled") {
		return outcome{}, bindingError(typeParameterSet, "Cannot process command because of one or more missing mandatory parameters: AuditBypassEnabled.")
	}
	t := c.s.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	position, err := c.locateAccount(identity)
	if err != nil {
		return outcome{}, err
	}
	before, _ := t.row(position)
	if out, ok := c.rehearsed(before.Name); ok {
		return out, nil
	}
	enabled := truth(c.parameters["AuditBypassEnabled"])
	t.setRow(position, enabled)
	if before.Enabled != enabled {
		c.later("bypass/"+before.Guid, before)
	}
	return written(before.Enabled != enabled, before.Name), nil
}

// locateAccount finds the one account an identity names; the caller holds the lock.
func (c *call) locateAccount(identity string) (int, *apiError) {
	var found []int
	for _, position := range c.s.tenant.findAccounts(identity) {
		if _, ok := c.s.tenant.row(position); ok {
			found = append(found, position)
		}
	}
	switch len(found) {
	case 0:
		return 0, c.notFound(identity)
	case 1:
		return found[0], nil
	}
	return 0, c.ambiguous(identity)
}

// getUser is Get-User by identity: a Guid of any kind or a UPN.
func getUser(c *call) (outcome, *apiError) {
	if c.isNull("Identity") {
		return outcome{}, unmodelled("Get-User without Identity")
	}
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	t := c.s.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	position, err := c.locateAccount(identity)
	if err != nil {
		return outcome{}, err
	}
	u, ok := t.account(position)
	if !ok {
		return outcome{}, c.notFound(identity) // A system object is no user.
	}
	view := userView{User: u, s: c.s, kind: "User"}
	if numbers := t.find(u.Guid); len(numbers) == 1 {
		if m, ok := t.at(numbers[0]); ok {
			view.kind, view.display = m.Type, m.DisplayName
		}
	}
	return single(c, c.s.columns.user, view), nil
}

func (c *call) organization() Organization {
	return seen(c, "organization", c.s.tenant.Organization())
}

func getOrganization(c *call) (outcome, *apiError) {
	return single(c, c.s.columns.organization, c.organization()), nil
}

func getAdminAuditLog(c *call) (outcome, *apiError) {
	return single(c, c.s.columns.adminAudit, c.organization()), nil
}

// setOrganizationValue changes one value of the organization and says whether it was different.
func (c *call) setOrganizationValue(change func(*Organization)) bool {
	t := c.s.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.org
	change(&t.org)
	if t.org == before {
		return false
	}
	c.later("organization", before)
	return true
}

func setOrganization(c *call) (outcome, *apiError) {
	if out, ok := c.rehearsed(c.s.tenant.Domain()); ok {
		return out, nil
	}
	changed := c.setOrganizationValue(func(o *Organization) {
		if c.has("AuditDisabled") {
			o.AuditDisabled = truth(c.parameters["AuditDisabled"])
		}
	})
	return written(changed, c.s.tenant.Domain()), nil
}

// setAdminAuditLog is Set-AdminAuditLogConfig. It runs only on the server of the audit
// log's own system mailbox, else E8; in a dehydrated tenant it is E7 (semantics 1.3, 4.6).
func setAdminAuditLog(c *call) (outcome, *apiError) {
	if !strings.Contains(strings.ToLower(c.in.header.Get("X-AnchorMailbox")), strings.ToLower(anchorAuditLog)) {
		return outcome{}, needsProxy(c.backend, c.s.backendOf("auditlog."+c.s.tenant.Domain()))
	}
	if c.s.tenant.Organization().Dehydrated {
		return outcome{}, c.notHydrated()
	}
	const target = "Admin Audit Log Settings"
	if out, ok := c.rehearsed(target); ok {
		return out, nil
	}
	changed := c.setOrganizationValue(func(o *Organization) {
		if c.has("UnifiedAuditLogIngestionEnabled") {
			o.UnifiedAuditLog = truth(c.parameters["UnifiedAuditLogIngestionEnabled"])
		}
	})
	out := written(changed, target)
	if changed {
		out.warnings = append(out.warnings, "The admin audit log configuration change you specified could take up to 60 minutes to take effect.")
	}
	return out, nil
}

// enableCustomization hydrates the tenant; a second run is an error (semantics 4.4).
func enableCustomization(c *call) (outcome, *apiError) {
	if !c.s.tenant.Organization().Dehydrated {
		return outcome{}, c.cmdletError("Microsoft.Exchange.Configuration.Common.InvalidOperationException", "", "This operation is not needed: the organization is already enabled for customization.")
	}
	if out, ok := c.rehearsed(c.s.tenant.Domain()); ok {
		return out, nil
	}
	c.setOrganizationValue(func(o *Organization) { o.Dehydrated = false })
	return nothing(), nil
}
