package simulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// setMailbox is Set-Mailbox for the audit settings. The whole call succeeds or
// changes nothing.
func setMailbox(c *call) (outcome, *apiError) {
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	l, err := c.listing()
	if err != nil {
		return outcome{}, err
	}
	edit, err := c.mailboxEdit()
	if err != nil {
		return outcome{}, err
	}
	t := c.s.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := c.locate(identity, l)
	if err != nil {
		return outcome{}, err
	}
	before, _ := t.at(n)
	apply := func(m *Mailbox) *apiError { return edit.apply(c, m) }
	if out, ok := c.rehearsed(before.identity()); ok {
		draft := before.clone()
		return out, apply(&draft)
	}
	changed, err := t.edit(n, apply)
	if err != nil {
		return outcome{}, err
	}
	if changed {
		c.later("mailbox/"+before.Guid, before)
	}
	return written(changed, before.identity()), nil
}

// mailboxEdit is what a Set-Mailbox asks for, converted and not yet checked.
type mailboxEdit struct {
	enabled  Tri // Unset: not asked for.
	ageLimit string
	lists    [3]listEdit // By logonTypes.
	restore  []string
}

// listEdit is one of AuditAdmin, AuditDelegate, AuditOwner.
type listEdit struct {
	given       bool
	replace     []string
	add, remove []string
}

func (c *call) mailboxEdit() (mailboxEdit, *apiError) {
	var edit mailboxEdit
	if c.has("AuditEnabled") {
		edit.enabled = TriOf(truth(c.parameters["AuditEnabled"]))
	}
	if !c.isNull("AuditLogAgeLimit") {
		text, err := c.text("AuditLogAgeLimit")
		if err != nil {
			return edit, err
		}
		limit, ok := parseTimeSpan(text)
		if !ok {
			return edit, transformError("AuditLogAgeLimit", text, "Microsoft.Exchange.Data.EnhancedTimeSpan", "String was not recognized as a valid TimeSpan.")
		}
		edit.ageLimit = limit
	}
	for i, logon := range logonTypes() {
		list, err := c.listEdit("Audit" + logon)
		if err != nil {
			return edit, err
		}
		edit.lists[i] = list
	}
	restore, err := c.defaultAuditSet()
	if err != nil {
		return edit, err
	}
	edit.restore = restore
	if len(restore) > 0 && (edit.lists[0].given || edit.lists[1].given || edit.lists[2].given) {
		// Whether both may be sent in one call is unknown (semantics 2.1), so it is refused.
		return edit, parameterSetError("DefaultAuditSet")
	}
	return edit, nil
}

// listEdit reads a replacing array or an Add/Remove table (wire 1.2).
func (c *call) listEdit(name string) (listEdit, *apiError) {
	raw, ok := c.parameters[name]
	if !ok {
		return listEdit{}, nil
	}
	if string(raw) == "null" {
		return listEdit{}, unmodelled("a null %s of Set-Mailbox", name)
	}
	var table map[string]json.RawMessage
	if json.Unmarshal(raw, &table) == nil {
		return c.deltaEdit(name, table)
	}
	values, ok := stringList(raw)
	if !ok {
		return listEdit{}, transformError(name, string(raw), "Microsoft.Exchange.Data.MultiValuedProperty`1", "The value is neither a list nor a table.")
	}
	actions, err := auditActions(name, values)
	// An empty array changes nothing, not even the management of the list (wire 1.2).
	return listEdit{given: len(actions) > 0, replace: actions}, err
}

// deltaEdit reads {"@odata.type":"#Exchange.GenericHashTable","Add":…,"Remove":…}; an
// object without the type does not bind (wire 1.2).
func (c *call) deltaEdit(name string, table map[string]json.RawMessage) (listEdit, *apiError) {
	if kind := string(table["@odata.type"]); kind != `"#Exchange.GenericHashTable"` {
		return listEdit{}, transformError(name, kind, "System.Collections.Hashtable", "Cannot convert Newtonsoft.Json.Linq.JObject to a hashtable.")
	}
	edit := listEdit{given: true}
	for key, raw := range table {
		if key == "@odata.type" {
			continue
		}
		values, ok := stringList(raw)
		if !ok {
			return listEdit{}, transformError(name, string(raw), "Microsoft.Exchange.Data.MultiValuedProperty`1", "The value of "+key+" is not a list.")
		}
		actions, err := auditActions(name, values)
		if err != nil {
			return listEdit{}, err
		}
		switch strings.ToLower(key) {
		case "add":
			edit.add = actions
		case "remove":
			edit.remove = actions
		default:
			return listEdit{}, transformError(name, key, "Microsoft.Exchange.Data.MultiValuedProperty`1", "The hashtable may hold Add and Remove only.")
		}
	}
	if len(edit.add)+len(edit.remove) == 0 {
		// Whether this empties the list is unknown (semantics 10).
		return listEdit{}, unmodelled("a %s of Set-Mailbox that adds and removes nothing", name)
	}
	return edit, nil
}

// auditActions converts action names; an unknown one is E1. None and Default belong to
// the enumeration, and what they do is unknown (semantics 1.1, 10).
func auditActions(parameter string, values []string) ([]string, *apiError) {
	var actions []string
	for _, value := range values {
		action, ok := matchEnum(auditOperations(), value)
		if !ok {
			return nil, enumError(parameter, value, "Microsoft.Exchange.Data.Directory.MailboxAuditOperations", auditOperations())
		}
		if action == "None" || action == "Default" {
			return nil, unmodelled("the value %s of %s", action, parameter)
		}
		if !slices.Contains(actions, action) {
			actions = append(actions, action)
		}
	}
	return actions, nil
}

func (c *call) defaultAuditSet() ([]string, *apiError) {
	if !c.has("DefaultAuditSet") {
		return nil, nil
	}
	raw := c.parameters["DefaultAuditSet"]
	values, ok := stringList(raw)
	if !ok || string(raw) == "null" {
		return nil, unmodelled("DefaultAuditSet of Set-Mailbox as %s", raw)
	}
	var types []string
	for _, value := range values {
		logon, ok := matchEnum(logonTypes(), value)
		if !ok {
			return nil, enumError("DefaultAuditSet", value, "Microsoft.Exchange.Data.Directory.MailboxAuditLogonType", logonTypes())
		}
		if !slices.Contains(types, logon) {
			types = append(types, logon)
		}
	}
	return types, nil
}
