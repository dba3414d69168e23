package simulator

import (
	"slices"
	"strings"
	"time"
)

// Site is where a fault strikes: a cmdlet, alone or as an item of a batch, on any page or
// on a continued one, called with and without certain parameters. The fields mean what
// those of [Fault] mean.
type Site struct {
	Cmdlet          string
	Item, Continued bool
	With, Without   []string
}

// FaultKind is one way in which a call goes wrong, at any site where it can.
type FaultKind struct {
	// Name is unique among the kinds, and the Name of the faults it makes.
	Name string
	// Strikes says whether the kind can strike at a site at all: a lost cursor cannot on a
	// first page.
	Strikes func(at Site) bool
	// Passing makes a fault that strikes once or twice and then never again.
	Passing func(at Site) Fault
	// Lasting makes a fault that strikes every call of the site.
	Lasting func(at Site) Fault
}

// FaultKinds returns every kind of fault in a fixed order. Each [Action] is in one of them
// at least, so a test that goes through all kinds goes through all that this package can
// do wrong.
func FaultKinds() []FaultKind {
	return slices.Concat(refusingKinds(), brokenKinds(), pagingKinds(), sayingKinds(), meanwhileKinds())
}

// newKind makes a kind from an example of its fault; times is how often the passing one strikes.
func newKind(name string, times int, strikes func(Site) bool, example Fault) FaultKind {
	of := func(times int) func(Site) Fault {
		return func(at Site) Fault {
			f := example
			f.Name, f.Times = name, times
			f.Cmdlet, f.Item, f.Continued = at.Cmdlet, at.Item, at.Continued
			f.With, f.Without = slices.Clone(at.With), slices.Clone(at.Without)
			return f
		}
	}
	return FaultKind{
		Name: name, Passing: of(times), Lasting: of(0),
		Strikes: func(at Site) bool { return at.possible() && strikes(at) },
	}
}

// refusingKinds answer instead of the cmdlet.
func refusingKinds() []FaultKind {
	return []FaultKind{
		newKind("throttled", 2, anywhere, Fault{Do: DoThrottle, RetryAfter: 3 * time.Second}),
		newKind("throttled without Retry-After", 2, anywhere, Fault{Do: DoThrottle}),
		newKind("transient", 2, anywhere, Fault{Do: DoTransient}),
		newKind("bad gateway", 2, anywhere, Fault{Do: DoStatus, Status: 502}),
		newKind("unavailable", 2, anywhere, Fault{Do: DoStatus, Status: 503}),
		newKind("gateway timeout", 2, anywhere, Fault{Do: DoStatus, Status: 504}),
		newKind("request timeout", 2, anywhere, Fault{Do: DoStatus, Status: 408}),
		newKind("unauthenticated", 1, anywhere, Fault{Do: DoUnauthenticated}),
		newKind("refused", 1, anywhere, Fault{Do: DoRefuse}),
		newKind("challenged", 1, anywhere, Fault{Do: DoChallenge}),
		newKind("needs proxy", 2, cmdlets, Fault{Do: DoNeedsProxy}),
		newKind("no licence", 1, cmdletsOf("Set-Mailbox"), Fault{Do: DoUnlicensed}),
		newKind("not hydrated", 1, writes, Fault{Do: DoNotHydrated}),
		newKind("redirected to the region", 1, wholeAnswers, Fault{Do: DoRegional}),
		newKind("redirected elsewhere", 1, wholeAnswers, Fault{Do: DoRedirect, Host: "elsewhere.example"}),
	}
}

// brokenKinds spoil the answer's bytes or its timing.
func brokenKinds() []FaultKind {
	return []FaultKind{
		newKind("slow", 2, anywhere, Fault{Do: DoDelay, Delay: 3 * time.Second}),
		newKind("hangs", 1, anywhere, Fault{Do: DoDelay, Delay: 20 * time.Minute}),
		newKind("body cut", 1, wholeAnswers, Fault{Do: DoCutBody}),
		newKind("body broken", 1, wholeAnswers, Fault{Do: DoBreakBody}),
		newKind("connection dropped", 1, wholeAnswers, Fault{Do: DoDropConnection}),
		newKind("gzip that is none", 1, wholeAnswers, Fault{Do: DoWrongGzip}),
		newKind("gzip damaged", 1, wholeAnswers, Fault{Do: DoWrongGzip, Text: GzipDamaged}),
		newKind("item dropped", 1, items, Fault{Do: DoDropItem}),
		newKind("item without status", 1, items, Fault{Do: DoDropStatus}),
	}
}

// pagingKinds disturb a listing.
func pagingKinds() []FaultKind {
	return []FaultKind{
		newKind("cursor lost", 1, continuedPages, Fault{Do: DoLoseCursor}),
		newKind("next link missing", 1, listings, Fault{Do: DoDropNextLink}),
		newKind("next link repeated", 2, continuedPages, Fault{Do: DoRepeatNextLink}),
		newKind("next link foreign", 1, listings, Fault{Do: DoForeignNextLink, Host: "elsewhere.example"}),
	}
}

// sayingKinds are answers that look like a success.
func sayingKinds() []FaultKind {
	return []FaultKind{
		newKind("error inside", 1, cmdlets, Fault{Do: DoErrorInside, Text: "Half of it could not be done."}),
		newKind("unknown warning", 1, cmdlets, Fault{Do: DoWarn, Text: "Something that nobody has heard of yet is the case."}),
		newKind("null value", 1, cmdlets, Fault{Do: DoNullValue}),
		newKind("absent value", 1, cmdlets, Fault{Do: DoAbsentValue}),
		newKind("stale read", 2, reads, Fault{Do: DoStaleRead}),
		newKind("duplicate row", 1, reads, Fault{Do: DoDuplicateRow}),
		newKind("filter ignored", 1, filtered, Fault{Do: DoIgnoreFilter}),
	}
}

// meanwhileKinds are other people's changes just before a call.
func meanwhileKinds() []FaultKind {
	return []FaultKind{
		newKind("mailbox created meanwhile", 1, cmdlets, Fault{Do: DoCreateMailbox}),
		newKind("mailbox renamed meanwhile", 1, cmdlets, Fault{Do: DoRenameMailbox}),
		newKind("mailbox deleted meanwhile", 1, cmdlets, Fault{Do: DoDeleteMailbox}),
		newKind("account created meanwhile", 1, cmdlets, Fault{Do: DoRun, Run: func(t *Tenant) { t.AddUser(User{}) }}),
	}
}

// possible is false for a site that no call can be at.
func (at Site) possible() bool {
	if at.is("$batch") {
		return !at.Item && !at.Continued && len(at.With) == 0
	}
	return !at.Continued || at.lists()
}

func (at Site) is(cmdlet string) bool { return strings.EqualFold(at.Cmdlet, cmdlet) }

// lists says whether the site can be a listing, which has pages.
func (at Site) lists() bool {
	if at.is("Get-DistributionGroupMember") || at.is("Get-DynamicDistributionGroupMember") || at.is("Get-UnifiedGroupLinks") {
		return true // Their Identity is the group's.
	}
	cmdlet := at.Cmdlet == "" || at.is("Get-Mailbox") || at.is("Get-MailboxAuditBypassAssociation") || at.is("Get-RecipientPermission")
	return cmdlet && !containsFold(at.With, "Identity")
}

func anywhere(Site) bool { return true }

// wholeAnswers are those of the HTTP connection; an item of a batch has none of its own.
func wholeAnswers(at Site) bool { return !at.Item }

func items(at Site) bool { return at.Item }

// cmdlets excludes requests that are no cmdlet: the envelope of a batch, the list of
// cmdlets, and any request at all, which may be one of them.
func cmdlets(at Site) bool {
	return !at.is("$batch") && !at.is("EXOModuleFile") && (at.Cmdlet != "" || at.Item || at.Continued)
}

// cmdletsOf is the sites of one cmdlet.
func cmdletsOf(cmdlet string) func(Site) bool {
	return func(at Site) bool { return at.is(cmdlet) }
}

func reads(at Site) bool { return at.Continued || hasVerb(at.Cmdlet, "Get-") }

func writes(at Site) bool { return hasVerb(at.Cmdlet, "Set-") }

func hasVerb(cmdlet, verb string) bool {
	return len(cmdlet) > len(verb) && strings.EqualFold(cmdlet[:len(verb)], verb)
}

// filtered is the listing that asks for a filter.
func filtered(at Site) bool { return cmdletsOf("Get-Mailbox")(at) && containsFold(at.With, "Filter") }

func listings(at Site) bool { return at.lists() && cmdlets(at) && (at.Cmdlet != "" || at.Continued) }

func continuedPages(at Site) bool { return at.Continued }
