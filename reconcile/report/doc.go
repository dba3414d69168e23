// Package report writes what a run found, for people and for machines.
//
// A report has one source, the plan or the applied run, and several forms. All
// forms follow the same rules:
//
//   - coverage comes first: what was read, and whether that was everything,
//     is said before any difference, because a difference that is not listed
//     means nothing where the mailbox was never read;
//   - what could not be judged is a section of its own and is never counted
//     together with what is in line;
//   - the order is that of the plan (kind, name, id, setting), so that the same
//     tenant gives the same bytes;
//   - names come from people in the tenant, who may be hostile: every form
//     escapes them for the place where it will be read (a terminal, a log of a
//     CI system that takes commands from lines of text, a JSON document).
//
// Beside reports it writes what is said of one mailbox (an explanation), of a
// policy (a description) and of a tenant that has none yet (a draft), under the
// same rules for names. These are small and are held as text. [PlanSchema] is the
// promise that the JSON of a plan keeps.
//
// Writers take an [io.Writer] and write as they go: a plan of several hundred
// thousand changes is never held as text. They read no clock and no
// environment; times come from the run.
package report
