package reconcile

import (
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// PlanSchema names the JSON form of a plan; it changes only by adding.
const PlanSchema = "exoaudit/plan/v1"

// RunSchema names the JSON form of an applied plan.
const RunSchema = "exoaudit/run/v1"

// State says how an object stands against the policy.
type State string

// The states an object can have. An object takes the first that holds of
// unknown, drifted, exempt, inSync, notApplicable.
const (
	InSync        State = "inSync"
	Drifted       State = "drifted"
	Exempt        State = "exempt"
	NotApplicable State = "notApplicable"
	Unknown       State = "unknown"
)

// Fate says what the plan means to do about a difference.
type Fate string

// The fates of a change. An exempt change is a difference that the policy
// accepts; it is listed so that nobody has to guess.
const (
	FatePlanned     Fate = "planned"
	FateBlocked     Fate = "blocked"
	FateUnsupported Fate = "unsupported"
	FateExempt      Fate = "exempt"
)

// Result says what became of a planned change.
type Result string

// The results of a change. ResultNone is that of a change that was never
// planned.
const (
	ResultNone        Result = ""
	ResultVerified    Result = "verified"
	ResultUnconfirmed Result = "unconfirmed"
	ResultFailed      Result = "failed"
	ResultUnsupported Result = "unsupported"
	ResultSkipped     Result = "skipped"
	ResultNotNeeded   Result = "notNeeded"
)

// Verdict is the outcome of a comparison in one word: what check would exit
// with under the same thresholds.
type Verdict string

// The verdicts, from best to worst.
const (
	VerdictInLine     Verdict = "inLine"
	VerdictDrift      Verdict = "drift"
	VerdictIncomplete Verdict = "incomplete"
	// VerdictRefused is that of a run which a guard kept from writing, where no other
	// verdict says that something is wrong.
	VerdictRefused Verdict = "refused"
	VerdictFailed  Verdict = "failed"
)

// Subject names one object of the tenant. Its id is the Guid of a mailbox or
// of a bypass row, and the kind itself for tenant settings. The name is chosen
// by people in the tenant: it is hostile text, and never a key.
type Subject struct {
	Kind audit.SubjectKind `json:"kind"`
	ID   string            `json:"id"`
	Name string            `json:"name"`
	Type audit.MailboxType `json:"type"`
}

// Change is one difference between tenant and policy: what is there, what
// shall be, why, and what the plan does about it. Before and After are a bool,
// a sorted list of strings, or a time span as the service prints it; Add and
// Remove are filled for lists only and never nil.
type Change struct {
	ID       string
	Subject  Subject
	Setting  audit.Setting
	Before   any
	After    any
	Add      []string
	Remove   []string
	Fate     Fate
	Reason   string
	Severity audit.Severity
	// Weakens says that the change would record less than today.
	Weakens bool
	// Pins says that the write takes the logon type out of DefaultAuditSet, so
	// that Microsoft no longer adds new actions to it.
	Pins   bool
	Origin policy.Origin
	// Controls are the ids of the published controls that the wish answers to.
	Controls []string
	// Carried says that an earlier run found it, and that this one, which looks at
	// what changed since, has not read its object again. It is not written.
	Carried bool
	// Result is empty until the plan is applied.
	Result Result
	// Note says more about the result: the service's own words, or why a
	// change was skipped.
	Note string
}

// UnknownObject is an object, or one setting of it, that could not be judged.
type UnknownObject struct {
	Subject Subject       `json:"subject"`
	Setting audit.Setting `json:"setting"`
	Reason  string        `json:"reason"`
}

// Scope says how much of the tenant a run looked at.
type Scope string

// The scopes: the whole tenant, one mailbox asked for by name, what was created
// or changed since the last complete run, or what one run wrote, to undo it.
const (
	ScopeFull        Scope = "full"
	ScopeMailbox     Scope = "mailbox"
	ScopeIncremental Scope = "incremental"
	ScopeUndo        Scope = "undo"
)

// Coverage says what was read, and whether that was everything.
type Coverage struct {
	Complete  bool            `json:"complete"`
	Scope     Scope           `json:"scope"`
	BaseRun   string          `json:"baseRun"`
	Reasons   []string        `json:"reasons"`
	Mailboxes MailboxCoverage `json:"mailboxes"`
	Bypass    BypassCoverage  `json:"bypass"`
	Requests  int             `json:"requests"`
	Pages     int             `json:"pages"`
	// Cost says what selectors took of the requests; never nil in a plan.
	Cost []Cost `json:"cost"`
}

// MailboxCoverage counts the mailboxes of every listing that was read.
type MailboxCoverage struct {
	Read   int            `json:"read"`
	ByType map[string]int `json:"byType"`
}

// BypassCoverage counts the rows of the bypass listing. UnknownSystem are the
// service's own rows that came without a value: they are counted apart and do
// not make a run incomplete (design section 7).
type BypassCoverage struct {
	Read          int       `json:"read"`
	UnknownSystem int       `json:"unknownSystem"`
	ReadAt        time.Time `json:"readAt"`
}

// StateCounts counts objects by state.
type StateCounts struct {
	InSync        int `json:"inSync"`
	Drifted       int `json:"drifted"`
	Exempt        int `json:"exempt"`
	NotApplicable int `json:"notApplicable"`
	Unknown       int `json:"unknown"`
}

// add counts one more object of a state.
func (c *StateCounts) add(s State) {
	switch s {
	case InSync:
		c.InSync++
	case Drifted:
		c.Drifted++
	case Exempt:
		c.Exempt++
	case NotApplicable:
		c.NotApplicable++
	case Unknown:
		c.Unknown++
	}
}

// FateCounts counts changes by fate.
type FateCounts struct {
	Planned     int `json:"planned"`
	Blocked     int `json:"blocked"`
	Unsupported int `json:"unsupported"`
	Exempt      int `json:"exempt"`
}

// add counts n more changes of a fate.
func (c *FateCounts) add(f Fate, n int) {
	switch f {
	case FatePlanned:
		c.Planned += n
	case FateBlocked:
		c.Blocked += n
	case FateUnsupported:
		c.Unsupported += n
	case FateExempt:
		c.Exempt += n
	}
}

// Summary counts what the plan holds, by kind and state, and by fate.
type Summary struct {
	States  map[audit.SubjectKind]StateCounts
	Changes FateCounts
	// DriftAt counts the changes that count as drift, by severity, leaving out
	// the exempt and the unsupported ones.
	DriftAt map[audit.Severity]int
	// UnsupportedAt counts the unsupported changes by severity.
	UnsupportedAt map[audit.Severity]int
	// ChangedMailboxes is the number of mailboxes with a planned change that this
	// run has seen itself.
	ChangedMailboxes int
	// Carried is the number of planned changes that were found by an earlier run and
	// are not made by this one (see Change.Carried).
	Carried int
}

// Guard is one limit that was checked over the whole plan.
type Guard struct {
	Name    string  `json:"name"`
	Limit   float64 `json:"limit"`
	Actual  float64 `json:"actual"`
	Refused bool    `json:"refused"`
}

// Estimate says what applying the plan costs: Writes counts cmdlets, Requests
// and VerifyRequests count HTTP requests.
type Estimate struct {
	Writes         int `json:"writes"`
	Requests       int `json:"requests"`
	VerifyRequests int `json:"verifyRequests"`
}

// PolicyRef names the policy that a plan was made from.
type PolicyRef struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Header is what a plan says about itself. Tool is the name and version of
// the program, RunID one identifier for everything that this run writes.
type Header struct {
	Tool      string
	RunID     string
	Tenant    string
	CreatedAt time.Time
	Policy    PolicyRef
}
