package doctor

import (
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

const (
	// exchangeAppID is Office 365 Exchange Online, appRoleID its app role
	// Exchange.ManageAsApp (wire 6).
	exchangeAppID = "00000002-0000-0ff1-ce00-000000000000"
	appRoleID     = "dc50a0fb-09a3-484d-be87-e023b12c6440"
	// auditLogs is the management role from which a public recipe of least
	// privilege derives its own (semantics 4.5).
	auditLogs = "Audit Logs"
	// ownRole names the role and the role group that the commands make.
	ownRole = "exoaudit"
)

// grants gives the commands for every gap that a permission closes.
func (e *examination) grants() []Grant {
	var out []Grant
	var reads, writes, parameters []Check
	for _, c := range e.report.Checks {
		switch {
		case c.Status != Missing, isCompliance(c.Cmdlet):
		case c.Name == "app role":
			out = append(out, e.grantAppRole(c))
		case c.Parameter != "":
			parameters = append(parameters, c)
		case c.Cmdlet != "" && c.Area == AreaRead:
			reads = append(reads, c)
		case c.Cmdlet != "":
			writes = append(writes, c)
		}
	}
	if len(reads)+len(writes) > 0 {
		out = append(out, e.grantDirectoryRole(reads, writes), e.grantRoleGroup(slices.Concat(reads, writes)))
	}
	for _, n := range e.needs {
		lacking := slices.DeleteFunc(slices.Clone(parameters), func(c Check) bool { return c.Cmdlet != n.Cmdlet })
		if len(lacking) > 0 {
			out = append(out, e.grantParameters(n.Cmdlet, lacking))
		}
	}
	out = append(out, e.grantRetention()...)
	if g := e.ask(); len(g.For) > 0 {
		out = append(out, g)
	}
	return out
}

// ask gives the queries for parameters about which no call could tell.
func (e *examination) ask() Grant {
	g := Grant{
		Title: "Ask an administrator about what could not be tried",
		Notes: []string{"In Exchange Online PowerShell: each query names the roles that hold all of its parameters; one of them must be the " + e.grantee().noun() + "'s."},
	}
	for _, n := range e.needs {
		var open []string
		for _, c := range e.report.Checks {
			if c.Cmdlet == n.Cmdlet && c.Parameter != "" && c.Fix == askBelow {
				open = append(open, c.Parameter)
				g.For = append(g.For, c.Name)
			}
		}
		if len(open) > 0 {
			g.Commands = append(g.Commands, roleQuery(n.Cmdlet, open...))
		}
	}
	return g
}

func namesOf(checks []Check) []string {
	var names []string
	for _, c := range checks {
		names = append(names, c.Name)
	}
	return names
}

func (e *examination) grantAppRole(c Check) Grant {
	client := e.grantee().name
	return Grant{
		For: []string{c.Name}, Title: "Give the application the permission " + appRole,
		Notes: []string{
			"Or in the Entra admin centre: API permissions, Office 365 Exchange Online, application permissions, " + appRole + ", grant admin consent.",
			"A managed identity gets it by an appRoleAssignment of Microsoft Graph. The next token carries it.",
		},
		Commands: []string{
			"az ad app permission add --id " + client + " --api " + exchangeAppID + " --api-permissions " + appRoleID + "=Role",
			"az ad app permission admin-consent --id " + client,
		},
	}
}

// grantDirectoryRole is the short way: one role of Entra.
func (e *examination) grantDirectoryRole(reads, writes []Check) Grant {
	to := e.grantee()
	role := globalReader
	g := Grant{For: namesOf(slices.Concat(reads, writes)), Notes: []string{
		"The role travels in the token: get a new one afterwards.",
	}}
	if len(writes) > 0 {
		role = exchangeAdministrator
		g.Notes = append(g.Notes, "It may do far more than is needed; the role group below may not.")
	} else {
		g.Notes = append(g.Notes, "That this role may read what check reads was measured by others; "+
			"Security Reader is refused Get-Mailbox and Get-OrganizationConfig.")
		if e.needed(getUser) {
			g.Notes = append(g.Notes, "Whether it may call "+getUser+" is not known.")
		}
	}
	if c, _ := exchange.CloudNamed("worldwide"); c.Endpoint != e.Endpoint {
		g.Notes = append(g.Notes, "The address in the command is that of Microsoft Graph in the worldwide cloud; another cloud has its own.")
	}
	g.Title = "The short way: the Entra directory role " + role
	g.Commands = []string{
		to.whoIs(),
		assignDirectoryRole(role),
	}
	return g
}

// assignDirectoryRole is the command that gives a role of Entra.
func assignDirectoryRole(role string) string {
	return "az rest --method POST --url https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments " +
		`--body '{"principalId": "` + objectID + `", "roleDefinitionId": "` + DirectoryRoleID(role) + `", "directoryScopeId": "/"}'`
}

// grantRoleGroup is the way of least privilege: a role group of Exchange with a
// role of its own. Built-in roles cannot be changed and a child role holds no
// more than its parent, so that the parent decides what can be given this way.
func (e *examination) grantRoleGroup(gaps []Check) Grant {
	var kept, rest []string
	var mailbox *reconcile.Need
	for _, n := range e.needs {
		switch {
		case n.Cmdlet == setMailbox:
			mailbox = &n
		case n.Cmdlet == customization && !slices.ContainsFunc(gaps, func(c Check) bool { return c.Cmdlet == customization }):
		default:
			kept = append(kept, `"`+n.Cmdlet+`"`)
			rest = append(rest, roleQuery(n.Cmdlet, n.Parameters...))
		}
	}
	g := Grant{
		For: namesOf(gaps), Title: "Least privilege: an Exchange role group with what is needed and no more",
		Notes: []string{
			"In Exchange Online PowerShell, by a member of Organization Management. A public recipe, extended here; it was not tried on a tenant.",
			"Of what is needed the new role keeps what its parent \"" + auditLogs + "\" holds. " + e.knownHolders() +
				"Which role holds the rest is not known here: each query below tells; assign a role that it gives " +
				"in place of ROLE, or a child of it.",
		},
		Commands: []string{
			`New-ManagementRole -Name "` + ownRole + `" -Parent "` + auditLogs + `"`,
			`Get-ManagementRoleEntry "` + ownRole + `\*" | Where-Object Name -notin ` + strings.Join(kept, ",") +
				` | ForEach-Object { Remove-ManagementRoleEntry -Identity "` + ownRole + `\$($_.Name)" -Confirm:$false }`,
		},
	}
	if mailbox != nil {
		g.Commands = append(g.Commands,
			`Add-ManagementRoleEntry "`+ownRole+`\Set-Mailbox" -Parameters `+strings.Join(mailbox.Parameters, ","))
		rest = append(rest, roleQuery(setMailbox, mailbox.Parameters...))
	}
	g.Commands = append(g.Commands,
		`New-RoleGroup -Name "`+ownRole+`" -Roles "`+ownRole+`"`)
	g.Commands = append(g.Commands, e.grantee().join(ownRole)...)
	g.Commands = append(g.Commands,
		`Get-ManagementRoleEntry "`+ownRole+`\*" | Format-Table Name,Parameters   # what it holds now`)
	g.Commands = append(g.Commands, rest...)
	g.Commands = append(g.Commands, `New-ManagementRoleAssignment -SecurityGroup "`+ownRole+`" -Role ROLE`)
	return g
}

// knownHolders says which roles are known to hold what is needed, and from where
// (semantics 3, 4.5).
func (e *examination) knownHolders() string {
	var known []string
	for _, holder := range []struct{ cmdlet, says string }{
		{"Set-AdminAuditLogConfig", "Microsoft's documentation gives it Set-AdminAuditLogConfig"},
		{setBypass, "the settings of a public tool (Microsoft365DSC) name it for Set-MailboxAuditBypassAssociation"},
		{"Get-MailboxAuditBypassAssociation", "the settings of a public tool (Microsoft365DSC) name View-Only Configuration for Get-MailboxAuditBypassAssociation"},
	} {
		if e.needed(holder.cmdlet) {
			known = append(known, holder.says)
		}
	}
	if len(known) == 0 {
		return ""
	}
	return "Known is this: " + strings.Join(known, "; ") + ". "
}

// grantParameters adds parameters to the role that lets the cmdlet be called.
func (e *examination) grantParameters(cmdlet string, gaps []Check) Grant {
	var parameters []string
	for _, c := range gaps {
		parameters = append(parameters, c.Parameter)
	}
	names := strings.Join(parameters, ",")
	return Grant{
		For: namesOf(gaps), Title: "Add to the role that holds " + cmdlet + ": " + strings.Join(parameters, ", "),
		Notes: []string{
			"In Exchange Online PowerShell. ROLE is the custom role of the " + e.grantee().noun() + "'s role group; a built-in role cannot be changed.",
			"A parameter can be added only if the parent of ROLE holds it. If it does not, the last query names the roles that do.",
		},
		Commands: []string{
			roleQuery(cmdlet),
			`Set-ManagementRoleEntry "ROLE\` + cmdlet + `" -Parameters ` + names + " -AddParameter",
			roleQuery(cmdlet, parameters...),
		},
	}
}
