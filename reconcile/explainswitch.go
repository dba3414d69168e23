package reconcile

import (
	"fmt"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// SwitchName names one of the five switches on which it hangs whether a mailbox
// action leaves a record that can be found (semantics 0).
type SwitchName string

// The switches, in the order of semantics 0.
const (
	SwitchUnifiedLog      SwitchName = "unifiedAuditLog"
	SwitchMailboxAuditing SwitchName = "mailboxAuditing"
	SwitchBypass          SwitchName = "bypass"
	SwitchActions         SwitchName = "actions"
	SwitchAuditEnabled    SwitchName = "auditEnabled"
)

// Effect says what a switch does to recording.
type Effect string

// The effects of a switch.
const (
	EffectAllows  Effect = "allows"
	EffectStops   Effect = "stops"
	EffectUnknown Effect = "unknown"
)

// ExplainedSwitch is one switch as it stands for this mailbox.
type ExplainedSwitch struct {
	// Number is that of semantics 0.
	Number int        `json:"number"`
	Name   SwitchName `json:"name"`
	// Property is what the service calls it.
	Property string `json:"property"`
	// Value is what the service shows: true, false, a sorted list; nil where it is
	// not known.
	Value  any    `json:"value"`
	Effect Effect `json:"effect"`
	// Reason says what the value means here, or why it is not known.
	Reason string `json:"reason"`
}

// Outcome says in a word what a logon type leaves behind.
type Outcome string

// The outcomes of a verdict.
const (
	// OutcomeRecorded means that the listed actions leave records that can be
	// searched.
	OutcomeRecorded Outcome = "recorded"
	// OutcomeNotSearchable means that the mailbox records and nothing reaches the
	// unified audit log.
	OutcomeNotSearchable Outcome = "notSearchable"
	// OutcomeNothing means that nothing is recorded, or nothing that is known to be.
	OutcomeNothing Outcome = "nothing"
	// OutcomeUnknown means that a switch could not be read.
	OutcomeUnknown Outcome = "unknown"
)

// LogonVerdict says what is recorded of one logon type today.
type LogonVerdict struct {
	Logon   string  `json:"logon"`
	Outcome Outcome `json:"outcome"`
	// DecidedBy is the switch on which the outcome hangs.
	DecidedBy SwitchName `json:"decidedBy"`
	Reason    string     `json:"reason"`
	// Managed tells that Microsoft keeps the list.
	Managed bool `json:"managed"`
	// Recorded are the actions that are recorded, sorted; empty where nothing is,
	// or where it is not known.
	Recorded []string `json:"recorded"`
	// NotRecorded are the other actions that the service could record.
	NotRecorded []string `json:"notRecorded"`
	// Doubtful are actions of the list that the service is known to take and not
	// to record by themselves (semantics 1.2).
	Doubtful []string `json:"doubtful"`
	// Provided says what the verdict takes for granted; it may be empty.
	Provided string `json:"provided"`
}

// explainer puts an explanation together. It is pure.
type explainer struct {
	*snapshot
	policy *policy.Policy
	now    time.Time
}

// switches gives the five in their order.
func (x explainer) switches() []ExplainedSwitch {
	return []ExplainedSwitch{x.unifiedLog(), x.mailboxAuditing(), x.ownBypass(), x.actions(), x.enabled()}
}

// boolSwitch fills in what a switch shows, and what it means where it stops
// recording and where it does not.
func boolSwitch(s ExplainedSwitch, v fact[bool], stops bool, stopped, allowed string) ExplainedSwitch {
	switch {
	case v.missing != "":
		s.Effect, s.Reason = EffectUnknown, v.missing
	case v.value == stops:
		s.Value, s.Effect, s.Reason = v.value, EffectStops, stopped
	default:
		s.Value, s.Effect, s.Reason = v.value, EffectAllows, allowed
	}
	return s
}

func (x explainer) unifiedLog() ExplainedSwitch {
	v := boolFact("UnifiedAuditLogIngestionEnabled", x.adminLog.UnifiedAuditLogIngestionEnabled)
	if x.adminErr != nil {
		v.missing = "Get-AdminAuditLogConfig failed: " + x.adminErr.Error()
	}
	return boolSwitch(ExplainedSwitch{Number: 1, Name: SwitchUnifiedLog, Property: "UnifiedAuditLogIngestionEnabled"}, v, false,
		"nothing reaches the unified audit log, so what the mailbox records cannot be searched",
		"records reach the unified audit log")
}

func (x explainer) mailboxAuditing() ExplainedSwitch {
	v := boolFact("AuditDisabled", x.org.AuditDisabled)
	if x.orgErr != nil {
		v.missing = "Get-OrganizationConfig failed: " + x.orgErr.Error()
	}
	return boolSwitch(ExplainedSwitch{Number: 2, Name: SwitchMailboxAuditing, Property: "AuditDisabled"}, v, true,
		"mailbox auditing is off for the whole tenant: no mailbox records anything, whatever its own settings",
		"mailbox auditing is on for the tenant")
}

// ownBypass is the bypass of the mailbox's own account. It is a switch of who
// acts and not of the mailbox: for delegates and administrators their own
// accounts count (semantics 3).
func (x explainer) ownBypass() ExplainedSwitch {
	s := ExplainedSwitch{Number: 3, Name: SwitchBypass, Property: "AuditBypassEnabled"}
	if x.listing != exchange.Ordinary {
		s.Effect, s.Reason = EffectAllows, "nobody signs in to this mailbox as its owner; a delegate or an administrator who is bypassed leaves no record here"
		return s
	}
	s = boolSwitch(s, x.bypass, true,
		"the mailbox's own account is bypassed: nothing that it does is recorded, here or in any other mailbox",
		"the mailbox's own account is not bypassed; a delegate or an administrator who is leaves no record here")
	if s.Effect == EffectStops {
		s.Reason += "; " + x.allowance()
	}
	return s
}

// allowance says what the policy has on the bypass of the mailbox's account.
func (x explainer) allowance() string {
	b := x.policy.Bypass
	if b == nil {
		return "the policy has no opinion on that"
	}
	text := "no entry of the policy allows it"
	for _, a := range b.Allow {
		if a.Account != "" && !hasAddress(x.row, a.Account) || a.ID != "" && !isMailbox(x.row, a.ID) {
			continue
		}
		last := a.Expires.Format(time.DateOnly)
		if !a.Expired(x.now) {
			return fmt.Sprintf("%s allows it until %s for %s: %s", a.Pos, last, a.Owner, a.Reason)
		}
		text = fmt.Sprintf("the permission of %s ended on %s", a.Pos, last)
	}
	return text
}

// actions is the fourth switch, which each logon type has for itself.
func (x explainer) actions() ExplainedSwitch {
	s := ExplainedSwitch{
		Number: 4, Name: SwitchActions, Property: "DefaultAuditSet", Effect: EffectAllows,
		Reason: "each logon type has its own list; these are kept by Microsoft",
	}
	managed := x.profile.managed
	switch {
	case x.profile.kind.value == audit.GroupMailbox:
		s.Reason = "a group mailbox has a fixed set, whatever it shows (semantics 1.5)"
		s.Value = []string{audit.Admin.String(), audit.Delegate.String(), audit.Owner.String()}
	case managed.missing != "":
		s.Effect, s.Reason = EffectUnknown, managed.missing
	default:
		s.Value = managed.value.names()
		if managed.value == 0 {
			s.Reason = "each logon type has its own list; Microsoft keeps none of them"
		}
	}
	return s
}

// enabled is the fifth switch, which decides only for types that on-by-default
// does not cover.
func (x explainer) enabled() ExplainedSwitch {
	s := ExplainedSwitch{Number: 5, Name: SwitchAuditEnabled, Property: "AuditEnabled"}
	kind, shown := x.profile.kind, x.profile.enabled
	if shown.missing == "" {
		s.Value = shown.value == triTrue
	}
	on := shown.missing == "" && shown.value == triTrue
	coverage := audit.OnByDefault(kind.value)
	switch {
	case kind.missing != "":
		s.Effect, s.Reason = EffectUnknown, kind.missing
	case coverage == audit.Covered:
		s.Effect = EffectAllows
		s.Reason = fmt.Sprintf("of no consequence: on-by-default covers a %s, whatever is stored", kind.value)
	case shown.missing != "":
		s.Effect, s.Reason = EffectUnknown, shown.missing
	case on:
		s.Effect = EffectAllows
		s.Reason = fmt.Sprintf("auditing is on here; for a %s nothing else would switch it on", kind.value)
		if coverage == audit.Undocumented {
			s.Reason = fmt.Sprintf("shown as on; whether on-by-default covers a %s is not documented", kind.value)
		}
	case coverage == audit.Undocumented:
		s.Effect = EffectUnknown
		s.Reason = fmt.Sprintf("shown as not on, and whether on-by-default covers a %s is not documented", kind.value)
	default:
		s.Effect = EffectStops
		s.Reason = fmt.Sprintf("auditing is not on here, and on-by-default does not cover a %s", kind.value)
	}
	return s
}

// verdicts judges owner, delegate and admin.
func (x explainer) verdicts() []LogonVerdict {
	var out []LogonVerdict
	for _, l := range []audit.LogonType{audit.Owner, audit.Delegate, audit.Admin} {
		out = append(out, x.verdict(l))
	}
	return out
}

// verdict finds the switch that decides. One that certainly stops goes before
// one that is not known, and what stops recording before what stops searching.
func (x explainer) verdict(l audit.LogonType) LogonVerdict {
	list, why := x.list(l)
	v := LogonVerdict{
		Logon: l.String(), Managed: x.profile.managed.missing == "" && x.profile.managed.value.has(l),
		Recorded: []string{}, NotRecorded: recordable(x.profile.kind.value, l).Slice(), Doubtful: []string{},
	}
	chain := []ExplainedSwitch{x.mailboxAuditing(), x.ownBypass(), x.enabled(), x.listed(l, list, why)}
	if l != audit.Owner {
		chain = append(chain[:1], chain[2:]...)
	}
	for _, effect := range []Effect{EffectStops, EffectUnknown} {
		for _, s := range chain {
			if s.Effect == effect {
				v.Outcome, v.DecidedBy, v.Reason = OutcomeNothing, s.Name, s.Reason
				if s.Name == SwitchActions && effect == EffectStops {
					v.Doubtful = doubtful(l, list).Slice()
				}
				if effect == EffectUnknown {
					v.Outcome, v.NotRecorded = OutcomeUnknown, []string{}
				}
				return v
			}
		}
	}
	v.Outcome, v.DecidedBy, v.Reason = OutcomeRecorded, SwitchActions, x.listed(l, list, why).Reason
	v.fill(l, list, recordable(x.profile.kind.value, l))
	if x.listing != exchange.Ordinary || l != audit.Owner {
		v.Provided = "the account that acts is not bypassed itself: bypass is of who acts, not of the mailbox"
	}
	switch s := x.unifiedLog(); s.Effect {
	case EffectStops:
		v.Outcome, v.DecidedBy, v.Reason = OutcomeNotSearchable, s.Name, s.Reason
	case EffectUnknown:
		v.Outcome, v.DecidedBy, v.Reason = OutcomeUnknown, s.Name, s.Reason
		v.Recorded, v.NotRecorded, v.Doubtful, v.Provided = []string{}, []string{}, []string{}, ""
	case EffectAllows:
	}
	return v
}

// fill divides the actions into recorded, not recorded, and doubtful ones.
func (v *LogonVerdict) fill(l audit.LogonType, list, possible audit.ActionSet) {
	odd := doubtful(l, list)
	v.Recorded, v.Doubtful = list.Minus(odd).Slice(), odd.Slice()
	v.NotRecorded = possible.Minus(list).Slice()
}

// doubtful are the entries of a list of which no record is known to come:
// actions that are taken and not recorded by themselves, or refused today
// (semantics 1.2), and members of the enumeration that are no actions (1.1).
func doubtful(l audit.LogonType, list audit.ActionSet) audit.ActionSet {
	var odd []audit.Action
	for _, name := range list.Slice() {
		a := audit.Action(name)
		mark := audit.Status(l, a)
		why, _ := audit.NotAnAction(name)
		if mark == audit.AcceptedUseless || mark == audit.Rejected || why != "" {
			odd = append(odd, a)
		}
	}
	return audit.NewActionSet(odd...)
}

// recordable are the actions that the service can record for a logon type.
func recordable(t audit.MailboxType, l audit.LogonType) audit.ActionSet {
	if t == audit.GroupMailbox {
		return audit.Defaults(t, l) // Fixed (semantics 1.5).
	}
	var out []audit.Action
	for _, a := range audit.Actions() {
		if m := audit.Status(l, a); m == audit.Accepted || m == audit.Default {
			out = append(out, a)
		}
	}
	return audit.NewActionSet(out...)
}

// list is the list in force for a logon type, or why it is not known.
func (x explainer) list(l audit.LogonType) (audit.ActionSet, string) {
	if x.profile.kind.value == audit.GroupMailbox {
		return audit.Defaults(audit.GroupMailbox, l), ""
	}
	for _, why := range []string{x.profile.lists[l].missing, x.profile.managed.missing} {
		if why != "" {
			return audit.ActionSet{}, why
		}
	}
	list := x.profile.lists[l].value
	if x.profile.managed.value.has(l) && list.Len() == 0 {
		return list, "Audit" + l.String() + " is empty although Microsoft manages it"
	}
	return list, ""
}

// listed is the fourth switch for one logon type.
func (x explainer) listed(l audit.LogonType, list audit.ActionSet, why string) ExplainedSwitch {
	s := ExplainedSwitch{Number: 4, Name: SwitchActions, Property: "Audit" + l.String(), Effect: EffectAllows}
	word := strings.ToLower(l.String())
	switch {
	case why != "":
		s.Effect, s.Reason = EffectUnknown, why
	case x.profile.kind.value == audit.GroupMailbox && list.Len() == 0:
		s.Effect, s.Reason = EffectStops, "the fixed set of a group mailbox holds nothing for this logon type (semantics 1.5)"
	case x.profile.kind.value == audit.GroupMailbox:
		s.Reason = "the fixed set of a group mailbox decides, whatever it shows (semantics 1.5)"
	case list.Len() == 0:
		s.Effect, s.Reason = EffectStops, "the list of this logon type is empty"
	case list.Minus(doubtful(l, list)).Len() == 0:
		s.Effect, s.Reason = EffectStops, "the list of this logon type holds nothing that the service is known to record"
	case x.profile.managed.value.has(l):
		s.Reason = "Microsoft keeps the list of " + word + " actions, and adds new ones to it"
	default:
		s.Reason = "the list of " + word + " actions is the mailbox's own, and receives no new ones by itself"
	}
	return s
}
