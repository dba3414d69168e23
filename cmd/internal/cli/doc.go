// Package cli is the command line of exoaudit. It wires the other packages
// together and decides nothing of its own: what drifts, what is planned and
// what is written is decided in reconcile.
//
// [Main] is the whole program with its surroundings passed in: arguments,
// streams, environment; it returns the exit status and ends nothing.
//
// # How output is written
//
//   - A result goes to standard output, everything else to standard error:
//     notices, warnings, progress, questions. Where the result is JSON, standard
//     output is one document and nothing else.
//   - The last line of a result for people is the one to read.
//   - An error is one line that says what, where, why and what to do.
//   - Text of the tenant (names, the service's messages) passes report.Line on
//     its way to a terminal.
//   - No secret is ever in a flag, and none is printed.
package cli
