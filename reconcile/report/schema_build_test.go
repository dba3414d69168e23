package report

import (
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// object is a JSON object; its keys are sorted when it is written.
type object = map[string]any

// schemaBuilder makes the schema of plans from the words that the plan is
// written with. A closed one refuses keys that it does not name: with it the
// tests find what was added to a plan and not to its schema.
type schemaBuilder struct{ closed bool }

// record is an object with all of the given keys, except the optional ones.
func (b schemaBuilder) record(text string, properties object, optional ...string) object {
	required := slices.Sorted(maps.Keys(properties))
	required = slices.DeleteFunc(required, func(k string) bool { return slices.Contains(optional, k) })
	o := object{"type": "object", "properties": properties, "required": required}
	if text != "" {
		o["description"] = text
	}
	if b.closed {
		o["additionalProperties"] = false
	}
	return o
}

func refTo(name string) object { return object{"$ref": "#/$defs/" + name} }

func described(text string, o object) object {
	o = maps.Clone(o)
	o["description"] = text
	return o
}

func words[S ~string](list ...S) object { return object{"enum": list} }

func arrayOf(item object) object { return object{"type": "array", "items": item} }

func text() object    { return object{"type": "string"} }
func boolean() object { return object{"type": "boolean"} }
func natural() object { return object{"type": "integer", "minimum": 0} }

func matching(pattern string) object { return object{"type": "string", "pattern": pattern} }

const (
	timePattern = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`
	spanPattern = `^(?:[0-9]+\.)?[0-9]{2}:[0-9]{2}:[0-9]{2}$`
)

// plan is the schema of a whole plan.
func (b schemaBuilder) plan() object {
	o := b.record("What a tenant differs in from a policy, and what would be done about it.", object{
		"schema":    object{"const": reconcile.PlanSchema},
		"tool":      described("The name and version of the program.", text()),
		"runId":     described("One identifier for everything that the run wrote.", text()),
		"tenant":    described("The tenant's GUID.", text()),
		"createdAt": described("In UTC.", matching("^"+timePattern+"$")),
		"verdict": described("What check would exit with, as a word.",
			words(reconcile.VerdictInLine, reconcile.VerdictDrift, reconcile.VerdictIncomplete, reconcile.VerdictRefused, reconcile.VerdictFailed)),
		"policy": b.record("", object{
			"name":   text(),
			"digest": described("Of all that the policy resolves to; empty for an undo without one.", matching("^(?:sha256:[0-9a-f]*)?$")),
		}),
		"coverage": refTo("coverage"),
		"summary":  refTo("summary"),
		"guards":   arrayOf(refTo("guard")),
		"estimate": b.record("What it costs to apply: writes are cmdlets, the others HTTP requests.", object{
			"writes": natural(), "requests": natural(), "verifyRequests": natural(),
		}),
		"catalogue": refTo("catalogue"),
		"changes":   described("Sorted by the subject's kind, name and id, then by setting.", arrayOf(refTo("change"))),
		"unknown":   described("What could not be judged. It is neither in line nor drifted, and never written.", arrayOf(refTo("unknown"))),
		"warnings":  arrayOf(text()),
	})
	o["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	o["title"] = reconcile.PlanSchema
	o["$defs"] = b.definitions()
	return o
}

func (b schemaBuilder) definitions() object {
	counts := object{}
	for _, s := range []reconcile.State{reconcile.InSync, reconcile.Drifted, reconcile.Exempt, reconcile.NotApplicable, reconcile.Unknown} {
		counts[string(s)] = natural()
	}
	states := object{}
	for _, k := range kinds() {
		states[k] = described("Objects by state; empty where the policy does not speak of the kind.",
			object{"anyOf": []any{b.record("", counts), object{"type": "object", "maxProperties": 0}}})
	}
	fates := object{}
	for _, f := range fateWords() {
		fates[string(f)] = natural()
	}
	return object{
		"coverage": b.record("What was read, and whether that was everything.", object{
			"complete": boolean(),
			"scope":    words(reconcile.ScopeFull, reconcile.ScopeMailbox, reconcile.ScopeIncremental, reconcile.ScopeUndo),
			"baseRun":  text(),
			"reasons":  described("Why it is not complete.", arrayOf(text())),
			"mailboxes": b.record("", object{
				"read": natural(), "byType": object{"type": "object", "additionalProperties": natural()},
			}),
			"bypass": b.record("", object{
				"read": natural(), "unknownSystem": natural(), "readAt": matching("^(?:" + timePattern + ")?$"),
			}),
			"requests": natural(), "pages": natural(),
			"cost": described("What selectors took beside the listings; absent from early plans.",
				arrayOf(b.record("", object{"for": text(), "requests": natural(), "why": text()}))),
		}, "cost"),
		"summary": b.record("", object{"states": b.record("", states), "changes": b.record("", fates)}),
		"guard": b.record("A limit that was checked over the whole plan.", object{
			"name": text(), "limit": object{"type": "number"}, "actual": object{"type": "number"}, "refused": boolean(),
		}),
		"subject": b.record("One object of the tenant. The name is chosen there, and is no key.", object{
			"kind": words(kinds()...),
			"id":   described("The Guid of a mailbox or bypass row, the name of a retention policy, else the kind.", text()),
			"name": text(),
			"type": described("RecipientTypeDetails; empty for all but mailboxes.", text()),
		}),
		"catalogue": b.record("How Microsoft's default sets stand to those of this version. None of it is drift.", object{
			"moved": described("Default sets that differ.", arrayOf(b.record("", object{
				"type": text(), "logon": logonWords(), "licensed": boolean(), "added": arrayOf(text()), "dropped": arrayOf(text()),
			}))),
			"lagging": described("Pinned lists that lack default actions which no change adds.", arrayOf(b.record("", object{
				"logon": logonWords(), "mailboxes": natural(), "lacking": object{"type": "object", "additionalProperties": natural()},
			}))),
		}),
		"change":  b.change(),
		"unknown": b.record("", object{"subject": refTo("subject"), "setting": text(), "reason": text()}),
	}
}

func logonWords() object {
	var names []string
	for _, l := range audit.LogonTypes() {
		names = append(names, l.String())
	}
	return words(names...)
}

func fateWords() []reconcile.Fate {
	return []reconcile.Fate{reconcile.FatePlanned, reconcile.FateBlocked, reconcile.FateUnsupported, reconcile.FateExempt}
}

func (b schemaBuilder) change() object {
	var severities []string
	for _, s := range audit.Severities() {
		severities = append(severities, s.String())
	}
	o := b.record("One difference between tenant and policy.", object{
		"id":       described("What a saved plan is matched by.", matching("^[0-9a-f]{16}$")),
		"subject":  refTo("subject"),
		"setting":  words(audit.Settings()...),
		"before":   described("The service's value today.", object{}),
		"after":    described("The value once the whole plan is applied.", object{}),
		"add":      arrayOf(text()),
		"remove":   arrayOf(text()),
		"fate":     words(fateWords()...),
		"reason":   text(),
		"severity": words(severities...),
		"weakens":  described("It would record less than today.", boolean()),
		"pins":     described("It takes the logon type out of Microsoft's management.", boolean()),
		"origin": b.record("Who asks for it.", object{
			"file": text(), "line": natural(), "column": natural(), "rule": text(),
		}),
		"controls": described("Published controls that the wish serves.", arrayOf(text())),
		"carried":  described("An earlier run found it, and this one has not read its object again. It is not written.", boolean()),
	}, "carried")
	o["allOf"] = valueForms()
	return o
}

// valueForms says for each setting what form its values have. Those of
// retention policies are null where one is created.
func valueForms() []any {
	forms := map[string][]audit.Setting{}
	for _, s := range audit.Settings() {
		form := "list"
		switch s {
		case audit.SettingRetentionPolicy:
			form = "policy"
		case audit.SettingAuditDisabled, audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAdminAuditLogEnabled,
			audit.SettingAuditBypassEnabled, audit.SettingAuditEnabled:
			form = "boolean"
		case audit.SettingAuditLogAgeLimit, audit.SettingAdminAuditLogAgeLimit:
			form = "span"
		}
		forms[form] = append(forms[form], s)
	}
	shape := map[string]object{"boolean": boolean(), "list": arrayOf(text()), "span": matching(spanPattern)}
	shape["policy"] = object{"anyOf": []any{
		object{"type": "null"},
		arrayOf(matching("^(Operations|Priority|RecordTypes|RetentionDuration|UserIds)=")),
	}}
	var out []any
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		out = append(out, object{
			"if":   object{"properties": object{"setting": words(forms[form]...)}},
			"then": object{"properties": object{"before": shape[form], "after": shape[form]}},
		})
	}
	return out
}
