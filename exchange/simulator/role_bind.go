package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// roleRefusal is what comes before the parameters are bound: by one reading of the switch
// a 403 for a parameter that the role lacks, by another the look-up of the object.
func (c *call) roleRefusal(given map[string]json.RawMessage) *apiError {
	switch c.s.switches.RoleParameter {
	case RoleParameterForbidden:
		for _, name := range slices.Sorted(maps.Keys(given)) {
			p, known := c.cmdlet.parameters[strings.ToLower(name)]
			if known && !c.s.role.permitsParameter(c.cmdlet.name, p.name) {
				return refusedCmdlet()
			}
		}
	case RoleParameterIdentityFirst:
		return c.lookUpFirst(given)
	case RoleParameterBindingError:
	}
	return nil
}

// lookUpFirst is the 404 of an Identity that names nothing, whatever the other parameters
// are. An Identity that names several is left to the cmdlet.
func (c *call) lookUpFirst(given map[string]json.RawMessage) *apiError {
	if _, takes := c.cmdlet.parameters["identity"]; !takes {
		return nil
	}
	var identity string
	if json.Unmarshal(givenParameter(given, "Identity"), &identity) != nil || strings.TrimSpace(identity) == "" {
		return nil
	}
	t := c.s.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found bool
	switch strings.ToLower(c.cmdlet.name) {
	case "get-mailbox", "set-mailbox":
		l := givenListing(given)
		found = slices.ContainsFunc(t.find(identity), func(n int) bool {
			m, ok := t.at(n)
			return ok && listingOf(m.Type) == l
		})
	case "get-recipient", "get-distributiongroupmember", "get-dynamicdistributiongroupmember", "get-unifiedgrouplinks",
		"get-recipientpermission", "get-mailboxpermission":
		found = len(t.findRecipients(identity)) > 0
	case "set-unifiedauditlogretentionpolicy", "remove-unifiedauditlogretentionpolicy":
		found = t.namesRetention(given)
	default:
		found = slices.ContainsFunc(t.findAccounts(identity), func(position int) bool {
			_, ok := t.row(position)
			return ok
		})
	}
	if !found {
		return c.notFound(identity)
	}
	return nil
}

func givenParameter(given map[string]json.RawMessage, name string) json.RawMessage {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if strings.EqualFold(key, name) {
			return given[key]
		}
	}
	return nil
}
