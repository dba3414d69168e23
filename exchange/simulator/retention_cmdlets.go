package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// complianceCmdlets are those of the Security & Compliance service, by lower-case name.
func complianceCmdlets() map[string]*cmdlet {
	table := map[string]*cmdlet{}
	const edit = "Description Name Operations Priority RecordTypes RetentionDuration UserIds Identity"
	for _, c := range []cmdlet{
		{"Get-AdminAuditLogConfig", map[string]parameter{}, spellIDTypeText, true, getComplianceAuditLog},
		{"Get-UnifiedAuditLogRetentionPolicy", parameters(getRetentionParameters(), ""), spellIDTypeText, true, getRetention},
		{"New-UnifiedAuditLogRetentionPolicy", parameters(newRetentionParameters(), edit), spellJSON, false, newRetention},
		{"Set-UnifiedAuditLogRetentionPolicy", parameters(setRetentionParameters(), edit), spellTypeText, false, setRetention},
		{"Remove-UnifiedAuditLogRetentionPolicy", parameters(removeRetentionParameters(), "Identity ForceDeletion"), spellTypeText, false, removeRetention},
	} {
		table[strings.ToLower(c.name)] = &c
	}
	return table
}

// getComplianceAuditLog always reads false what Exchange Online may store as true
// (semantics 4.3).
func getComplianceAuditLog(c *call) (outcome, *apiError) {
	return single(c, c.s.columns.adminAudit, Organization{}), nil
}

func getRetention(c *call) (outcome, *apiError) {
	list := seen(c, "retention", c.s.tenant.RetentionPolicies())
	return listPage(c, c.s.columns.retention, func(position int) (RetentionPolicy, int, bool) {
		if position >= len(list) {
			return RetentionPolicy{}, 0, false
		}
		return list[position], position, true
	})
}

// editRetention changes the tenant's policies, unless a confirmation is asked for. WhatIf
// is bound and has no effect: the change is made (semantics 5.3).
func (c *call) editRetention(target string, change func(t *Tenant) *apiError) (outcome, *apiError) {
	if c.validate {
		out, _ := c.rehearsed(target)
		return out, nil
	}
	t := c.s.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	before := cloneRetention(t.dir.retention)
	if err := change(t); err != nil {
		return outcome{}, err
	}
	c.later("retention", before)
	return nothing(), nil
}

func newRetention(c *call) (outcome, *apiError) {
	for _, name := range []string{"Name", "Priority", "RetentionDuration"} {
		if c.isNull(name) {
			return outcome{}, bindingError(typeParameterSet, "Cannot process command because of one or more missing mandatory parameters: %s.", name)
		}
	}
	name, err := c.text("Name")
	if err != nil {
		return outcome{}, err
	}
	if n := utf8.RuneCountInString(name); strings.TrimSpace(name) == "" || n > 64 {
		return outcome{}, bindingError(typeTransform, "Cannot validate argument on parameter 'Name'. It must have 1 to 64 characters.")
	}
	p := RetentionPolicy{Name: name}
	if err := c.fillRetention(&p); err != nil {
		return outcome{}, err
	}
	return c.editRetention(name, func(t *Tenant) *apiError {
		if t.dir.findRetention(name) >= 0 {
			return c.cmdletError("Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException", name, "The object '%s' already exists.", name)
		}
		if err := c.priorityTaken(t, p); err != nil {
			return err
		}
		t.storeRetention(p)
		return nil
	})
}

func setRetention(c *call) (outcome, *apiError) {
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	for _, name := range []string{"Priority", "RetentionDuration"} {
		if c.isNull(name) {
			return outcome{}, bindingError(typeParameterSet, "Cannot process command because of one or more missing mandatory parameters: %s.", name)
		}
	}
	return c.editRetention(identity, func(t *Tenant) *apiError {
		i := t.dir.findRetention(identity)
		if i < 0 {
			return c.notFound(identity)
		}
		p := t.dir.retention[i].clone()
		if err := c.fillRetention(&p); err != nil {
			return err
		}
		if err := c.priorityTaken(t, p); err != nil {
			return err
		}
		t.storeRetention(p)
		return nil
	})
}

func removeRetention(c *call) (outcome, *apiError) {
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	return c.editRetention(identity, func(t *Tenant) *apiError {
		if !t.dropRetention(identity) {
			return c.notFound(identity)
		}
		return nil
	})
}

const typeRetentionTask = "Microsoft.Exchange.Management.UnifiedPolicy.RetentionPolicyException" // This package's own name.

// priorityTaken refuses a priority that another policy has. The service's text is not
// known.
func (c *call) priorityTaken(t *Tenant, p RetentionPolicy) *apiError {
	for _, other := range t.dir.retention {
		if other.Priority == p.Priority && !strings.EqualFold(other.Name, p.Name) {
			return c.cmdletError(typeRetentionTask, p.Name, "The priority %d is already used by the policy '%s'.", p.Priority, other.Name)
		}
	}
	return nil
}

// fillRetention puts what was passed into a policy and checks the result.
func (c *call) fillRetention(p *RetentionPolicy) *apiError {
	priority, err := c.text("Priority")
	if err != nil {
		return err
	}
	n, convErr := strconv.Atoi(priority)
	if convErr != nil {
		return transformError("Priority", priority, "System.Int32", "Input string was not in a correct format.")
	}
	if n < 1 || n > 10000 {
		return c.cmdletError(typeRetentionTask, p.Name, "The priority %d is not between 1 and 10000.", n)
	}
	duration, err := c.text("RetentionDuration")
	if err != nil {
		return err
	}
	name, ok := matchEnum(retentionDurations(), duration)
	if !ok {
		return enumError("RetentionDuration", duration, "Microsoft.Office.CompliancePolicy.PolicyConfiguration.UnifiedAuditLogRetentionDuration", retentionDurations())
	}
	p.Priority, p.Duration = n, name
	return c.fillRetentionLists(p)
}

func (c *call) fillRetentionLists(p *RetentionPolicy) *apiError {
	if c.has("Description") {
		text, err := c.text("Description")
		if err != nil {
			return err
		}
		if utf8.RuneCountInString(text) > 256 {
			return bindingError(typeTransform, "Cannot validate argument on parameter 'Description'. It is longer than 256 characters.")
		}
		p.Description = text
	}
	for name, list := range map[string]*[]string{"RecordTypes": &p.RecordTypes, "Operations": &p.Operations, "UserIds": &p.UserIDs} {
		if !c.has(name) {
			continue
		}
		values, ok := stringList(c.parameters[name])
		if !ok || slices.Contains(values, "") {
			return transformError(name, string(c.parameters[name]), "Microsoft.Exchange.Data.MultiValuedProperty`1", "The value is not a list.")
		}
		if len(values) > 0 { // An empty array changes nothing (wire 1.2).
			*list = values
		}
	}
	for _, kind := range p.RecordTypes {
		if strings.Trim(strings.ToLower(kind), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return enumError("RecordTypes", kind, "Microsoft.Office.Audit.Schema.AuditLogRecordType", []string{"ExchangeAdmin", "ExchangeItem"})
		}
	}
	if len(p.Operations) > 0 && len(p.RecordTypes) != 1 {
		return c.cmdletError(typeRetentionTask, p.Name, "Operations can be used with exactly one record type.")
	}
	return nil
}

// retentionDurations are what the documentation names (wire 7).
func retentionDurations() []string {
	return []string{"ThreeMonths", "SixMonths", "NineMonths", "TwelveMonths", "TenYears"}
}

// retentionColumns have the documented names of the properties; their form over REST is
// not known (wire 7) and follows the table of wire 1.5.
func retentionColumns(t *Tenant) []property[RetentionPolicy] {
	f := forestOf(t)
	text := func(name string, read func(*RetentionPolicy) string) property[RetentionPolicy] {
		return property[RetentionPolicy]{name, nil, func(b []byte, p *RetentionPolicy) []byte { return appendString(b, read(p)) }}
	}
	list := func(name string, read func(*RetentionPolicy) []string) property[RetentionPolicy] {
		return property[RetentionPolicy]{name, sidecarOf(name, wireList), func(b []byte, p *RetentionPolicy) []byte { return appendList(b, read(p)) }}
	}
	name := func(p *RetentionPolicy) string { return p.Name }
	return []property[RetentionPolicy]{
		{"Priority", sidecarOf("Priority", wireInt32), func(b []byte, p *RetentionPolicy) []byte { return strconv.AppendInt(b, int64(p.Priority), 10) }},
		text("Name", name),
		text("Description", func(p *RetentionPolicy) string { return p.Description }),
		list("RecordTypes", func(p *RetentionPolicy) []string { return p.RecordTypes }),
		list("Operations", func(p *RetentionPolicy) []string { return p.Operations }),
		list("UserIds", func(p *RetentionPolicy) []string { return p.UserIDs }),
		text("RetentionDuration", func(p *RetentionPolicy) string { return p.Duration }),
		{"Guid", sidecarOf("Guid", wireGuid), func(b []byte, p *RetentionPolicy) []byte { return appendString(b, p.Guid) }},
		text("Identity", func(p *RetentionPolicy) string { return f.fqdn + "/Configuration/" + p.Name }),
	}
}

// asText reads a string of JSON, for comparisons.
func asText(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}
