package chaos

import (
	"errors"
	"slices"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// proof spoils a good day so that an invariant does not hold any more.
type proof struct {
	name  string
	spoil func(d *goodDay)
	says  string
}

// adding is an edit of a list.
func adding(actions ...any) map[string]any { return map[string]any{"Add": actions} }

// proofsInLine spoil what is called in line.
func proofsInLine() []proof {
	return []proof{
		{"a check in line before the apply", func(d *goodDay) { d.steps[0].document.Verdict = "inLine" }, "it lacks FolderBind"},
		{"status 0 before the apply", func(d *goodDay) { d.steps[0].status = 0 }, "it lacks FolderBind"},
		{"a plan in line before the apply", func(d *goodDay) {
			d.steps[0].verb, d.steps[0].document.Verdict = "plan", "inLine"
		}, "it lacks FolderBind"},
		{"an apply that is done and has done nothing", func(d *goodDay) { d.states[1] = d.states[0] }, "it lacks FolderBind"},
		{"in line without the row", func(d *goodDay) {
			d.s.damage = map[string]string{d.drifted: "AuditLogAgeLimit"}
		}, "unreadable"},
		{"in line with a bypass", func(d *goodDay) { d.s.policy.bypass.allow[0].expired = true }, "auditBypassEnabled"},
		{"in line with auditing off", func(d *goodDay) {
			d.states[1].tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
		}, "organization auditDisabled"},
	}
}

// proofsSet spoil what is written: single settings of a mailbox.
func proofsSet() []proof {
	return []proof{
		{"a check that writes", func(d *goodDay) { d.first().step = 0 }, "check writes nothing"},
		{"a mailbox of no rule", func(d *goodDay) { d.first().parameters["Identity"] = d.bare }, "no rule matches"},
		{"no mailbox at all", func(d *goodDay) { d.first().parameters["Identity"] = d.scanner }, "no such mailbox"},
		{"an action that nobody wants", func(d *goodDay) {
			d.first().parameters["AuditDelegate"] = adding("FolderBind", "Move")
		}, "Move is neither wished for nor there"},
		{"an action that nobody may send", func(d *goodDay) {
			d.s.policy.rules[0].record[1].plus = []string{unknownAction}
			d.first().parameters["AuditDelegate"] = adding(unknownAction)
		}, "neither wished for"},
		{"an action that goes", func(d *goodDay) {
			d.first().parameters["AuditDelegate"] = map[string]any{"Add": []any{"FolderBind"}, "Remove": []any{"SendAs"}}
		}, "SendAs would go"},
		{"an exact list that may not weaken", func(d *goodDay) {
			d.s.policy.rules[0].record[1] = &formModel{exact: []string{"FolderBind"}}
			d.first().parameters["AuditDelegate"] = []any{"FolderBind"}
		}, "does not allow to weaken"},
		{"a list without an opinion", func(d *goodDay) { d.first().parameters["AuditOwner"] = adding("Update") }, "no opinion"},
		{"nothing that was missing", func(d *goodDay) { d.states[0] = d.states[1] }, "nothing in it was missing"},
		{"a shorter age limit", func(d *goodDay) { d.first().parameters["AuditLogAgeLimit"] = "60.00:00:00" }, "shorter than 90"},
		{"another age limit", func(d *goodDay) { d.first().parameters["AuditLogAgeLimit"] = "600.00:00:00" }, "not what the policy asks for"},
		{"auditing off", func(d *goodDay) { d.first().parameters["AuditEnabled"] = false }, "become false"},
		{"auditing on, unasked", func(d *goodDay) { d.first().parameters["AuditEnabled"] = true }, "no opinion"},
	}
}

// proofsAsked spoil what is written.
func proofsAsked() []proof {
	return []proof{
		{"a management that nobody wants", func(d *goodDay) {
			d.first().parameters = map[string]any{"Identity": d.drifted, "DefaultAuditSet": []any{"Admin", "Owner", "Delegate"}}
		}, "nobody wants Delegate to be managed"},
		{"a management that is lost", func(d *goodDay) {
			d.first().parameters = map[string]any{"Identity": d.drifted, "DefaultAuditSet": []any{"Admin"}}
		}, "managed no longer"},
		{"another setting", func(d *goodDay) { d.first().parameters["HiddenFromAddressListsEnabled"] = true }, "no setting of a policy"},
		{"the wrong listing", func(d *goodDay) { d.first().parameters["GroupMailbox"] = true }, "wrong listing"},
		{"an unknown mailbox", func(d *goodDay) {
			d.s.damage = map[string]string{d.drifted: "RecipientTypeDetails"}
		}, "unknown"},
		{"a bypass that is allowed", func(d *goodDay) { bypassWrite(d, d.scanner, false) }, "allows this bypass"},
		{"a bypass that begins", func(d *goodDay) { bypassWrite(d, d.drifted, true) }, "become true"},
		{"a bypass without an opinion", func(d *goodDay) {
			bypassWrite(d, d.drifted, false)
			d.s.policy.bypass = nil
		}, "no opinion on bypasses"},
		{"a switch that is not asked for", func(d *goodDay) {
			d.first().cmdlet, d.first().parameters = "Set-OrganizationConfig", map[string]any{"AuditDisabled": false}
		}, "does not ask for AuditDisabled"},
		{"a switch the wrong way", func(d *goodDay) {
			d.s.policy.org = &orgModel{mailboxAuditing: true}
			d.first().cmdlet, d.first().parameters = "Set-OrganizationConfig", map[string]any{"AuditDisabled": true}
		}, "become true"},
		{"customization without consent", func(d *goodDay) { d.first().cmdlet = "Enable-OrganizationCustomization" }, "does not consent"},
		{"another cmdlet", func(d *goodDay) { d.first().cmdlet = "Remove-Mailbox" }, "any business"},
		{"--only", func(d *goodDay) { d.steps[1].only = []string{"bypass"} }, "--only"},
		{"--mailbox", func(d *goodDay) { d.steps[1].mailbox = "room@contoso.com" }, "--mailbox"},
		{"a saved plan", func(d *goodDay) {
			d.steps[1].slip, d.files[planFile] = true, `{"changes": [{"subject": {"id": "`+d.drifted+`"}, "setting": "auditOwner", "fate": "planned"}]}`
		}, "not in the saved plan"},
	}
}

// proofsCounted write too much.
func proofsCounted() []proof {
	return []proof{
		{"--limit", func(d *goodDay) {
			d.steps[1].limit = 1
			second := *d.first()
			second.parameters = map[string]any{"Identity": d.bare}
			d.moments = append(d.moments, moment{step: 1, write: &second})
		}, "the limit is 1"},
		{"maxChanged", func(d *goodDay) { d.s.policy.guards.maxChanged = 0 }, "maxChanged is 0"},
	}
}

// proofsRecorded spoil the record.
func proofsRecorded() []proof {
	return []proof{
		{"no intent", func(d *goodDay) { d.first().unrecorded = "no intent" }, "no intent"},
		{"a broken chain", func(d *goodDay) { d.journal.err = errors.New("line 2 is forged") }, "forged"},
		{"a torn line", func(d *goodDay) { d.journal.tail.Torn = true }, "torn"},
		{"another head", func(d *goodDay) { d.steps[1].document.JournalHead = "abc" }, "head"},
	}
}

// proofsRepeated write again.
func proofsRepeated() []proof {
	return []proof{
		{"again after 500", func(d *goodDay) { d.again(500, "") }, "after 500"},
		{"again after 504", func(d *goodDay) { d.again(504, "") }, "after 504"},
		{"again after no answer", func(d *goodDay) { d.again(0, "") }, "after 0"},
		{"again after a success", func(d *goodDay) { d.again(200, "") }, "after 200"},
		{"the same again after a refusal", func(d *goodDay) { d.again(400, "no") }, "after 400"},
		{"a part of it again after 500", func(d *goodDay) {
			w := d.again(500, "")
			w.parameters = map[string]any{"Identity": d.drifted, "AuditDelegate": adding("FolderBind"), "AuditEnabled": true}
		}, "after 500"},
		{"a bypass again after 500", func(d *goodDay) {
			bypassWrite(d, d.drifted, false)
			d.again(500, "")
		}, "after 500"},
		{"a switch again after 504", func(d *goodDay) {
			d.first().cmdlet, d.first().parameters = "Set-OrganizationConfig", map[string]any{"AuditDisabled": false}
			d.again(504, "")
		}, "after 504"},
		{"again before the answer", func(d *goodDay) {
			d.moments = append(d.moments[:1:1], moment{step: 1, write: d.again(500, "")})
		}, "no look between"},
	}
}

// proofsEnded spoil how a command ends.
func proofsEnded() []proof {
	return []proof{
		{"without end", func(d *goodDay) { d.steps[0].over = true }, "did not end by itself"},
		{"too long", func(d *goodDay) { d.steps[0].took = longest }, "did not end by itself"},
		{"interrupted and silent about it", func(d *goodDay) { d.steps[1].signaled = true }, "signal true, status 0"},
		{"not interrupted, and says so", func(d *goodDay) { d.steps[1].status = 130 }, "signal false"},
		{"a status of nobody's", func(d *goodDay) { d.steps[1].status = 7 }, "status 7"},
		{"a check that is refused", func(d *goodDay) { d.steps[0].status = cli.ExitRefused }, "status 6"},
		{"a report that is none", func(d *goodDay) { d.steps[0].parse = errors.New("unexpected end") }, "no JSON"},
		{"no report", func(d *goodDay) { d.steps[0].document = nil }, "no report"},
		{"the wrong schema", func(d *goodDay) { d.steps[0].document.Schema = "exoaudit/run/v1" }, "schema"},
		{"not a word", func(d *goodDay) { d.steps[0].status, d.steps[0].document = 1, nil }, "without a word"},
	}
}

// proofsTold tell secrets.
func proofsTold() []proof {
	return []proof{
		{"a token on standard output", func(d *goodDay) { d.steps[0].out = "a hush b" }, "standard output"},
		{"a token on standard error", func(d *goodDay) { d.steps[0].err = "a hush b" }, "standard error"},
		{"a token in the journal", func(d *goodDay) { d.files[journalFile] = "a hush b" }, journalFile},
	}
}

// proofsConverged spoil the end of the day.
func proofsConverged() []proof {
	return []proof{
		{"no last report", func(d *goodDay) { d.steps[2].document = nil }, "no report"},
		{"something left", func(d *goodDay) {
			d.steps[2].document.Changes = []change{{Subject: subject{Kind: "mailbox", ID: d.drifted, Type: "UserMailbox"}, Setting: "auditDelegate", Fate: "planned"}}
		}, "is planned"},
		{"something unknown", func(d *goodDay) {
			d.steps[2].document.Unknown = []unknown{{Subject: subject{Kind: "mailbox", ID: d.drifted}, Setting: "auditDelegate"}}
		}, "is unknown"},
		{"blocked for no reason", func(d *goodDay) {
			d.steps[2].document.Changes = []change{{Subject: subject{Kind: "mailbox", ID: d.drifted, Type: "UserMailbox"}, Setting: "auditDelegate", Fate: "blocked"}}
		}, "is blocked"},
		{"the oracle sees more", func(d *goodDay) { d.states[1] = d.states[0] }, "the oracle finds"},
		{"the wrong status", func(d *goodDay) { d.steps[2].status = cli.ExitIncomplete }, "ended with 3"},
	}
}

// proofsSilent take something out of a report.
func proofsSilent() []proof {
	return []proof{
		{"drift, and one change is not listed", func(d *goodDay) { d.steps[0].document.Changes = nil }, "is silent about"},
		{"drift, and a row was not read", func(d *goodDay) {
			d.s.damage = map[string]string{d.drifted: "AuditLogAgeLimit"}
		}, "unreadable"},
		{"in line, and a change is not listed", func(d *goodDay) {
			d.steps[0].document.Changes, d.steps[0].document.Verdict = nil, "inLine"
		}, "is silent about"},
	}
}

// proofs gives those of each invariant, by its name.
func proofs() map[string][]proof {
	lists := [][]proof{
		proofsInLine(), proofsSilent(), slices.Concat(proofsSet(), proofsAsked()), proofsCounted(), proofsRecorded(),
		proofsRepeated(), proofsEnded(), proofsTold(), proofsConverged(),
	}
	out := map[string][]proof{}
	for i, inv := range invariants() {
		out[inv.name] = lists[i]
	}
	return out
}

func bypassWrite(d *goodDay, id string, enabled bool) {
	d.first().cmdlet = "Set-MailboxAuditBypassAssociation"
	d.first().parameters = map[string]any{"Identity": id, "AuditBypassEnabled": enabled}
}
