package simulator

import "time"

// Action is what a [Fault] does.
type Action string

// The actions. Those marked * work on whole HTTP answers, so never on a batch item.
const (
	DoThrottle        Action = "throttle"        // 429, with Retry-After if RetryAfter is set.
	DoStatus          Action = "status"          // Status, with an HTML page of the front door if it is 502 or 504.
	DoTransient       Action = "transient"       // 500 with ADTransientException.
	DoRefuse          Action = "refuse"          // The 403 of NUL bytes, falsely declared gzip.
	DoUnauthenticated Action = "unauthenticated" // An empty 401.
	DoLoseCursor      Action = "loseCursor"      // The 400 cursor error, on pages after the first.
	DoCutBody         Action = "cutBody"         // * The JSON ends early, the connection is sound.
	DoBreakBody       Action = "breakBody"       // * The connection breaks within the body.
	DoDropNextLink    Action = "dropNextLink"    // "More results" is warned of and no link given.
	DoRepeatNextLink  Action = "repeatNextLink"  // A continued page links to itself.
	DoForeignNextLink Action = "foreignNextLink" // The link names Host.
	DoRedirect        Action = "redirect"        // * 302 to Host.
	DoDropItem        Action = "dropItem"        // A batch item is carried out and not answered.
	DoErrorInside     Action = "errorInside"     // @adminapi.errors in a 200 holds Text.
	DoWarn            Action = "warn"            // @adminapi.warnings holds Text too.
	DoNullValue       Action = "nullValue"       // value is null.
	DoDelay           Action = "delay"           // Wait for Delay first.
	DoRun             Action = "run"             // Call Run first.

	DoDropConnection Action = "dropConnection" // * Carried out, and the connection closed before the header.
	DoWrongGzip      Action = "wrongGzip"      // * A 200 declared gzip that is none, or with Text [GzipDamaged] a damaged one.
	DoRegional       Action = "regional"       // * 302 to the internal host of the region that Host names (wire 1.7).
	DoDropStatus     Action = "dropStatus"     // A batch item is carried out and answered without a status (wire 2).
	DoChallenge      Action = "challenge"      // 401 that demands a token with the claims of Text, a JSON object (wire 5.2).
	DoNeedsProxy     Action = "needsProxy"     // The 400 of a wrong anchor (semantics 1.3 E8): with Times only for the first anchor it meets.
	DoAbsentValue    Action = "absentValue"    // There is no value.
	DoDuplicateRow   Action = "duplicateRow"   // Row, or the first one, comes again at the end of the page.
	DoStaleRead      Action = "staleRead"      // A read sees each object as it was before the newest write to it.
	DoIgnoreFilter   Action = "ignoreFilter"   // Filter is checked and has no effect.
	DoUnlicensed     Action = "unlicensed"     // Want of a licence, on writes that hold a list (semantics 1.3 E4).
	DoNotHydrated    Action = "notHydrated"    // The tenant is not enabled for customization, on writes (semantics 1.3 E7).
	DoCreateMailbox  Action = "createMailbox"  // Create a mailbox first, in the listing that the call is about.
	DoRenameMailbox  Action = "renameMailbox"  // Rename one first: Text, else the call's Identity, else any.
	DoDeleteMailbox  Action = "deleteMailbox"  // Delete one first, chosen likewise.
)

// GzipDamaged is the Text of a [DoWrongGzip] whose answer begins as gzip and then breaks.
const GzipDamaged = "damaged"

// Actions returns every action in a fixed order.
func Actions() []Action {
	return []Action{
		DoThrottle, DoStatus, DoTransient, DoRefuse, DoUnauthenticated, DoLoseCursor, DoCutBody, DoBreakBody, DoDropNextLink,
		DoRepeatNextLink, DoForeignNextLink, DoRedirect, DoDropItem, DoErrorInside, DoWarn, DoNullValue, DoDelay, DoRun,
		DoDropConnection, DoWrongGzip, DoRegional, DoDropStatus, DoChallenge, DoNeedsProxy, DoAbsentValue, DoDuplicateRow,
		DoStaleRead, DoIgnoreFilter, DoUnlicensed, DoNotHydrated, DoCreateMailbox, DoRenameMailbox, DoDeleteMailbox,
	}
}

// Fault is one thing that goes wrong, and when. A call matches by cmdlet and place;
// of the matching calls Call, Times and Probability choose. The constructors below
// make the usual ones; fields may be changed on what they return.
type Fault struct {
	Name string
	// Cmdlet names the cmdlet, alone or in a batch, without regard to case. "$batch" is
	// a whole batch request; "" is every HTTP request, or with Item every batch item.
	Cmdlet    string
	Item      bool // Batch items only.
	Continued bool // Pages after the first only.
	// With and Without tell apart calls of one cmdlet: every parameter of With must be
	// passed and none of Without, whatever the values, without regard to case. They look
	// at cmdlets, so a whole batch passes nothing.
	With, Without []string
	Call          int     // The nth matching call, from 1; 0 is every one.
	Times         int     // At most so often; 0 is without end.
	Probability   float64 // Share of the matching calls, decided repeatably; 0 is all.
	Seed          uint64  // Decides, with Name, which calls Probability chooses.
	Row           int     // DoCutBody, DoBreakBody: after that many rows; 0 is half the body.
	Do            Action
	Status        int
	RetryAfter    time.Duration
	Delay         time.Duration
	Text          string
	Host          string
	Run           func(*Tenant)
}

// Throttled answers the nth matching call (0: every one) with 429 and, unless
// retryAfter is 0, a Retry-After.
func Throttled(cmdlet string, call int, retryAfter time.Duration) Fault {
	return Fault{Name: "throttled", Cmdlet: cmdlet, Call: call, Do: DoThrottle, RetryAfter: retryAfter}
}

// ItemThrottled answers the nth matching batch item (0: every one) with its own 429 (wire 2).
func ItemThrottled(cmdlet string, call int, retryAfter time.Duration) Fault {
	return Fault{Name: "item throttled", Cmdlet: cmdlet, Item: true, Call: call, Do: DoThrottle, RetryAfter: retryAfter}
}

// Unavailable answers the first times matching calls (0: all) with 503.
func Unavailable(cmdlet string, times int) Fault {
	return Fault{Name: "unavailable", Cmdlet: cmdlet, Times: times, Do: DoStatus, Status: 503}
}

// FrontDoor answers the first times matching calls with 502 or 504 and an HTML page.
func FrontDoor(cmdlet string, status, times int) Fault {
	return Fault{Name: "front door", Cmdlet: cmdlet, Times: times, Do: DoStatus, Status: status}
}

// Transient answers the first times matching calls (0: all) with 500 and ADTransientException.
func Transient(cmdlet string, times int) Fault {
	return Fault{Name: "transient", Cmdlet: cmdlet, Times: times, Do: DoTransient}
}

// Refused takes a cmdlet away from the caller's role: 403 with NUL bytes.
func Refused(cmdlet string) Fault {
	return Fault{Name: "refused", Cmdlet: cmdlet, Do: DoRefuse}
}

// CursorLost fails the first times continued pages of a cmdlet; 0 is always.
func CursorLost(cmdlet string, times int) Fault {
	return Fault{Name: "cursor lost", Cmdlet: cmdlet, Continued: true, Times: times, Do: DoLoseCursor}
}

// BodyCut ends the JSON of the nth matching answer early, with a sound connection.
func BodyCut(cmdlet string, call int) Fault {
	return Fault{Name: "body cut", Cmdlet: cmdlet, Call: call, Do: DoCutBody}
}

// BodyBroken breaks the connection within the nth matching answer.
func BodyBroken(cmdlet string, call int) Fault {
	return Fault{Name: "body broken", Cmdlet: cmdlet, Call: call, Do: DoBreakBody}
}

// NextLinkMissing warns of more results on the nth matching page and links to nothing.
func NextLinkMissing(cmdlet string, call int) Fault {
	return Fault{Name: "next link missing", Cmdlet: cmdlet, Call: call, Do: DoDropNextLink}
}

// NextLinkRepeated makes every continued page link to itself.
func NextLinkRepeated(cmdlet string) Fault {
	return Fault{Name: "next link repeated", Cmdlet: cmdlet, Continued: true, Do: DoRepeatNextLink}
}

// NextLinkForeign makes next links name another host.
func NextLinkForeign(cmdlet, host string) Fault {
	return Fault{Name: "next link foreign", Cmdlet: cmdlet, Do: DoForeignNextLink, Host: host}
}

// Redirected answers matching calls with 302 to another host.
func Redirected(cmdlet, host string) Fault {
	return Fault{Name: "redirected", Cmdlet: cmdlet, Do: DoRedirect, Host: host}
}

// ItemDropped carries the nth matching batch item out and leaves its answer away.
func ItemDropped(cmdlet string, call int) Fault {
	return Fault{Name: "item dropped", Cmdlet: cmdlet, Item: true, Call: call, Do: DoDropItem}
}

// Unauthenticated answers the first times matching calls (0: all) with 401.
func Unauthenticated(cmdlet string, times int) Fault {
	return Fault{Name: "unauthenticated", Cmdlet: cmdlet, Times: times, Do: DoUnauthenticated}
}

// ErrorInside puts a non-terminating error into the nth matching 200 (0: every one).
func ErrorInside(cmdlet string, call int, text string) Fault {
	return Fault{Name: "error inside", Cmdlet: cmdlet, Call: call, Do: DoErrorInside, Text: text}
}

// Warned adds a warning to the nth matching answer (0: every one).
func Warned(cmdlet string, call int, text string) Fault {
	return Fault{Name: "warned", Cmdlet: cmdlet, Call: call, Do: DoWarn, Text: text}
}

// ValueNull answers the nth matching call (0: every one) with a null value.
func ValueNull(cmdlet string, call int) Fault {
	return Fault{Name: "value null", Cmdlet: cmdlet, Call: call, Do: DoNullValue}
}

// Delayed makes the nth matching call (0: every one) wait.
func Delayed(cmdlet string, call int, d time.Duration) Fault {
	return Fault{Name: "delayed", Cmdlet: cmdlet, Call: call, Do: DoDelay, Delay: d}
}

// Meanwhile runs a function before the nth matching call is carried out: another
// administrator creates, renames or deletes something during a listing.
func Meanwhile(cmdlet string, call int, run func(*Tenant)) Fault {
	return Fault{Name: "meanwhile", Cmdlet: cmdlet, Call: call, Do: DoRun, Run: run}
}
