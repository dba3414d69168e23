// Package notify tells people and other systems what runs find and do: before
// writes, after them, when the verdict changes, and once a day while drift stays.
//
// [OutcomeOfPlan], [OutcomeOfRun] and [OutcomeOfError] reduce a run to the facts
// that matter; [Decide] is a function of these and of the [State] that the last run
// left, and gives the [Event] values to send. A [Sender] brings them to its
// targets: a webhook of one's own (JSON under an HMAC), Slack, Teams, or a heartbeat
// that some other service misses when it stops. A [Reporter] ties these together.
//
// # What never happens
//
// No receiver delays a run: [Sender.Notify] puts an event in a queue of its target
// and returns; only [Sender.Close] waits, and no longer than its context.
//
// No address is shown: the URL of a Slack or Teams webhook is the permission to
// post there. A [Target] prints as its kind and where it was configured, and the
// errors of its calls are told in words of this package, never in those of the HTTP
// library, which repeats addresses.
//
// # Limits
//
// The queue is in memory. What a process could not deliver before it ended is lost,
// save that the next run tells again a state that still differs from the last one
// that was handed to a sender. A receiver may get an event twice, after an answer that
// was lost; the idempotency key is then the same. An answer of 2xx is taken for
// delivery; Teams answers 202 before a flow has run.
package notify
