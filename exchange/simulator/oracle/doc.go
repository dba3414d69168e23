// Package oracle says of a simulated tenant whether it is as somebody wished.
//
// A test that judges an apply by the plan that was applied cannot see a plan
// that is wrong. The oracle is the second opinion: it reads what the tenant
// stores, works out what the service would show and record, and compares that
// with wishes that the test wrote down itself.
//
// It shares no knowledge with what it judges. It has a table of the default
// sets and of what on-by-default covers that is its own, taken from the
// documents once more (semantics 1.2, 1.5 and 2.4), and a reader of durations
// of its own. It imports the standard library and the simulator's state, asks
// the simulator for stored values only, and for nothing that the simulator has
// computed. One mistake therefore has to be made twice to pass unseen.
//
// # Limits
//
// It judges the end, not the way: whether writes came in the right order, were
// recorded first, or took away more than they had to is for other tests to say.
// It judges lists, not licences: an action that a list holds counts as recorded.
// Each wish stands for itself: a list is judged although AuditDisabled, a bypass
// or AuditEnabled may keep it from being used; those have wishes of their own.
package oracle
