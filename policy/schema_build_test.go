package policy_test

import (
	"fmt"
	"maps"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// object is a JSON object; its keys are sorted when it is written.
type object = map[string]any

// buildSchema makes the schema of the language from the tables that the loader
// reads with.
func buildSchema() object {
	return object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "exoaudit policy",
		"description": "How the auditing of an Exchange Online tenant must be configured.",
		"$defs":       definitions(),
		"type":        "object", "additionalProperties": false,
		"required": []string{"apiVersion", "kind", "name"},
		"properties": object{
			"apiVersion":          object{"const": policy.APIVersion},
			"kind":                object{"const": policy.Kind},
			"name":                about("The policy's own name.", ref("name")),
			"extends":             about("Built-in baselines by name, and files by paths relative to this one.", extendsSchema()),
			"organization":        about("The two switches of the tenant; a key left out is no opinion.", ref("organization")),
			"adminAudit":          about("The admin audit log, which Exchange Online shows as read-only.", ref("adminAudit")),
			"retention":           about("The retention policies of the unified audit log, by what they cover.", ref("retention")),
			"mailboxes":           about("Named rules. All that match a mailbox apply, and the strictest wins.", namedMap(ref("rule"))),
			"bypass":              about("Accounts whose actions may go unrecorded; {} allows none.", ref("bypass")),
			"exemptions":          about("What may stay below the policy, for a reason and a time.", namedMap(ref("exemption"))),
			"severity":            about("How much a drift matters, per setting.", severitySchema()),
			"guards":              about("What one run may change.", ref("guards")),
			"allowUnknownActions": about("Write actions that this version does not know.", object{"type": "boolean"}),
			"overrides":           about("Why this policy asks for less than one it extends: path to reason.", overridesSchema()),
		},
	}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// about adds a description.
func about(text string, schema object) object {
	return with(object{"description": text}, schema)
}

func pattern(p string) object { return object{"type": "string", "pattern": p} }

// trimmed is a pattern around which blanks do not count.
func trimmed(p string) object { return pattern(`^\s*(?:` + p + `)\s*$`) }

func list(item object) object {
	return object{"type": "array", "minItems": 1, "uniqueItems": true, "items": item}
}

func anyList(item object) object { return object{"type": "array", "uniqueItems": true, "items": item} }

// oneOrMore is a value or a list of them.
func oneOrMore(item object) object { return object{"anyOf": []any{item, list(item)}} }

func closed(properties object) object {
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

// some is a closed map that may not be empty.
func some(properties object) object {
	o := closed(properties)
	o["minProperties"] = 1
	return o
}

// with adds keys to an object.
func with(o, more object) object {
	maps.Copy(o, more)
	return o
}

// anyOfKeys wants one of the keys to be present.
func anyOfKeys(keys ...string) []any {
	var options []any
	for _, k := range keys {
		options = append(options, object{"required": []string{k}})
	}
	return options
}

func namedMap(value object) object {
	return object{
		"type": "object", "minProperties": 1, "propertyNames": pattern(namePattern), "additionalProperties": value,
	}
}

const namePattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

// caseless is an enumeration that is completed as it is spelt and read in any
// case.
func caseless[S ~string](words []S) object {
	var exact []string
	var b strings.Builder
	for i, w := range words {
		exact = append(exact, string(w))
		if i > 0 {
			b.WriteString("|")
		}
		b.WriteString(anyCase(string(w)))
	}
	return object{"anyOf": []any{object{"enum": exact}, trimmed(b.String())}}
}

func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r)); lower != upper {
			fmt.Fprintf(&b, "[%s%s]", upper, lower)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func extendsSchema() object {
	var names []string
	for _, b := range policy.Baselines() {
		names = append(names, b.Name)
	}
	return list(object{"anyOf": []any{
		object{"enum": names},
		trimmed(`(?:[^/\\:\s][^\\:]*)?(?:/[^\\:]*[^/\\:]|\.[Yy][Aa]?[Mm][Ll])`),
	}})
}

func severitySchema() object {
	var words []string
	for _, s := range audit.Severities() {
		words = append(words, s.String())
	}
	properties := object{}
	for _, s := range audit.Settings() {
		properties[string(s)] = object{"enum": words}
	}
	return closed(properties)
}

func overridesSchema() object {
	paths := []string{"allowUnknownActions", "organization.enableCustomization", "retention.floor"}
	for section, keys := range map[string][]string{
		"adminAudit": {"ageLimit", "attempt", "cmdlets", "excludedCmdlets", "parameters"},
		"guards":     {"allowWeakening", "maxChanged", "maxChangedPercent", "maxSweepAge", "rings"},
	} {
		for _, k := range keys {
			paths = append(paths, section+"."+k)
		}
	}
	for _, s := range audit.Settings() {
		paths = append(paths, "severity."+string(s))
	}
	properties := object{}
	for _, p := range paths {
		properties[p] = ref("words")
	}
	return some(properties)
}

// duration is a span of time with the given units; nothing at all is refused.
func duration(units string) object {
	return with(
		pattern(`^(?:[1-9][0-9]{0,9}[`+units+`]|(?:[0-9]{1,10}\.)?(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:\.0{1,7})?)$`),
		object{"not": object{"pattern": `^[0.:]*$`}},
	)
}

func definitions() object {
	account := `[^\s@*?"<>,;:()\[\]\\]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`
	yes := object{"const": true}
	control := object{"type": "array", "minItems": 1, "uniqueItems": true, "items": trimmed(`[A-Za-z0-9][A-Za-z0-9.:_()/-]{0,63}`)}
	return with(object{
		"name":         trimmed(strings.Trim(namePattern, "^$")),
		"words":        pattern(`[\p{L}\p{N}]`),
		"duration":     about("90d, 1y (365 days) or dd.hh:mm:ss.", duration("dy")),
		"sweepAge":     about("26h, 2d or dd.hh:mm:ss.", duration("hdy")),
		"kept":         about("90d, 1y (365 days) or dd.hh:mm:ss; ten years at most.", duration("dy")),
		"date":         about("The last day, in UTC, as 2027-03-31.", with(pattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`), object{"format": "date"})),
		"account":      trimmed(account),
		"guid":         with(pattern(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`), object{"not": object{"pattern": "^[0-]*$"}}),
		"controls":     about("Identifiers of published controls, such as CIS-M365-7.0:6.1.2.", control),
		"actions":      list(actionSchema()),
		"patterns":     list(trimmed(`[A-Za-z0-9*_-]{1,128}`)),
		"anyPatterns":  anyList(trimmed(`[A-Za-z0-9*_-]{1,128}`)),
		"exclusions":   anyList(with(trimmed(`[A-Za-z0-9*_-]{1,128}`), object{"not": object{"pattern": `^\s*\**\s*$`}})),
		"recordTypes":  list(trimmed(`[A-Za-z][A-Za-z0-9_]{0,63}`)),
		"auditEnabled": about("effective: shown true, or on by default; explicit: stored true.", object{"enum": []string{"effective", "explicit"}}),
		"record": about("What a logon type must record.", some(object{
			"defaults": about("At least what Microsoft's default set records.", yes),
			"managed":  about("The list must be managed by Microsoft.", yes),
			"plus":     about("At least these actions too.", ref("actions")),
			"exact":    about("These actions and no others.", ref("actions")),
		})),
	}, with(tenantDefinitions(yes), mailboxDefinitions(yes)))
}

func actionSchema() object {
	not := caseless([]string{"None", "Default", "MessageBind", "SearchQueryInitiatedExchange", "SearchQueryInitiatedSharePoint"})
	var known []audit.Action
	for _, a := range audit.Actions() {
		if a != audit.MessageBind {
			known = append(known, a)
		}
	}
	return object{
		"anyOf": []any{object{"enum": known}, trimmed(`[A-Za-z][A-Za-z0-9_]{0,63}`)},
		"not":   not,
	}
}

func tenantDefinitions(yes object) object {
	required := with(closed(object{"recordTypes": ref("recordTypes"), "atLeast": ref("kept")}), object{"required": []string{"recordTypes", "atLeast"}})
	return object{
		"requirement": required,
		"organization": with(closed(object{
			"unifiedAuditLog":     about("The unified audit log must take in records.", yes),
			"mailboxAuditing":     about("Mailbox auditing must not be disabled for the organization.", yes),
			"enableCustomization": about("Consent to Enable-OrganizationCustomization, which cannot be undone.", object{"type": "boolean"}),
			"controls": object{"anyOf": []any{
				ref("controls"), some(object{"unifiedAuditLog": ref("controls"), "mailboxAuditing": ref("controls")}),
			}},
		}), object{"anyOf": anyOfKeys("unifiedAuditLog", "mailboxAuditing", "enableCustomization")}),
		"adminAudit": with(closed(object{
			"enabled":         yes,
			"cmdlets":         about("Patterns of cmdlets that must be covered.", ref("patterns")),
			"parameters":      about("Patterns of parameters that must be covered.", ref("patterns")),
			"excludedCmdlets": about("The only patterns that may be excluded.", ref("exclusions")),
			"ageLimit":        ref("duration"),
			"attempt":         about("Try to set what is documented as read-only.", object{"type": "boolean"}),
			"controls":        ref("controls"),
		}), object{"anyOf": anyOfKeys("enabled", "cmdlets", "parameters", "excludedCmdlets", "ageLimit", "attempt")}),
		"retention": with(closed(object{
			"floor":    about("The shortest a custom policy on Exchange records may keep them.", ref("kept")),
			"require":  about("What must be covered.", object{"type": "array", "minItems": 1, "items": ref("requirement")}),
			"controls": ref("controls"),
		}), object{"anyOf": anyOfKeys("floor", "require")}),
		"bypass": closed(object{"controls": ref("controls"), "allow": object{"type": "array", "items": ref("allow")}}),
		"allow": with(closed(object{
			"name": ref("name"), "account": ref("account"), "id": ref("guid"),
			"reason": ref("words"), "owner": ref("words"), "expires": ref("date"), "override": yes,
		}), object{"required": []string{"reason", "owner", "expires"}, "oneOf": anyOfKeys("account", "id")}),
		"guards": closed(object{
			"maxChangedPercent": object{"type": "number", "minimum": 0, "maximum": 100},
			"maxChanged":        object{"type": "integer", "minimum": 0},
			"allowWeakening":    object{"type": "boolean"},
			"maxSweepAge":       ref("sweepAge"),
			"rings": about("Sizes of parts that are verified before the next; [] is none.", object{
				"type": "array", "maxItems": 16,
				"items": object{"anyOf": []any{
					object{"type": "integer", "minimum": 1, "maximum": 999999999},
					with(pattern(`^(?:[1-9][0-9]{0,8}|(?:100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?)%)$`), object{"not": object{"pattern": `^0(?:\.0*)?%$|^0[0-9]`}}),
				}},
			}),
		}),
	}
}

func mailboxDefinitions(yes object) object {
	logons := object{"admin": ref("record"), "delegate": ref("record"), "owner": ref("record")}
	return object{
		"rule": with(closed(object{
			"types":        about("Mailbox types; user and shared mailboxes without it.", list(caseless(audit.MailboxTypes()))),
			"where":        ref("where"),
			"record":       some(logons),
			"auditEnabled": ref("auditEnabled"),
			"ageLimit":     about("AuditLogAgeLimit, at least.", ref("duration")),
			"controls":     ref("controls"),
			"override":     about("Replace the rule of this name in an extended policy.", yes),
			"reason":       about("Why the rule is overridden.", ref("words")),
		}), object{
			"anyOf":             anyOfKeys("record", "auditEnabled", "ageLimit"),
			"dependentRequired": object{"override": []string{"reason"}, "reason": []string{"override"}},
		}),
		"where":     whereSchema(),
		"exemption": exemptionSchema(yes),
		"accepted": object{"anyOf": []any{
			ref("record"), anyList(actionSchema()),
		}},
	}
}

func whereSchema() object {
	attributes := object{}
	for _, a := range policy.AllAttributes() {
		attributes[string(a)] = oneOrMore(pattern(`^\S(?:.*\S)?$`))
	}
	return about("Which mailboxes; all keys must hold.", some(object{
		"address":      about("Patterns over every address; * and ? are wildcards.", oneOrMore(pattern(`^[^\s,;:<>()\[\]"\\]+$`))),
		"attribute":    some(attributes),
		"memberOf":     about("Addresses of groups.", oneOrMore(ref("account"))),
		"hasDelegates": about("Somebody else may open the mailbox or send from it.", object{"type": "boolean"}),
		"capability":   about("Members of PersistedCapabilities.", oneOrMore(pattern(`^[A-Za-z0-9_-]{1,128}$`))),
		"anyOf":        object{"type": "array", "minItems": 1, "items": ref("where")},
		"allOf":        object{"type": "array", "minItems": 1, "items": ref("where")},
		"not":          ref("where"),
	}))
}

func exemptionSchema(yes object) object {
	off := object{"const": false}
	accepts := map[string]object{
		"organization": {"unifiedAuditLog": off, "mailboxAuditing": off},
		"adminAudit": {
			"enabled": off, "cmdlets": ref("anyPatterns"), "parameters": ref("anyPatterns"), "excludedCmdlets": ref("exclusions"), "ageLimit": ref("duration"),
		},
		"retention": {"floor": ref("kept"), "require": object{"type": "array", "items": ref("requirement")}},
	}
	var forms []any
	for _, subject := range []string{"organization", "adminAudit", "retention"} {
		forms = append(forms, object{
			"required":   []string{"subject"},
			"properties": object{"subject": object{"const": subject}, "where": false, "accept": some(accepts[subject])},
		})
	}
	forms = append(forms, object{
		"required": []string{"where"},
		"properties": object{"subject": false, "accept": some(object{
			"admin": ref("accepted"), "delegate": ref("accepted"), "owner": ref("accepted"),
			"auditEnabled": object{"enum": []string{"none", "effective", "explicit"}}, "ageLimit": ref("duration"),
		})},
	})
	return with(closed(object{
		"where":   ref("where"),
		"subject": object{"enum": []string{"organization", "adminAudit", "retention"}},
		"accept":  about("A floor: less than it is drift again.", object{"type": "object"}),
		"reason":  ref("words"), "owner": ref("words"), "expires": ref("date"), "override": yes,
	}), object{"required": []string{"accept", "reason", "owner", "expires"}, "oneOf": forms})
}
