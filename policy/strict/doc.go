// Package strict reads YAML the way a file that commands writes must be read:
// nothing is guessed, nothing is ignored, and every mistake is told at once
// with the place where it stands.
//
// A [Document] is one parsed file and collects what is wrong with it. Its
// [Node] values are asked for what is expected (a map with these keys, a list, a
// text, a boolean, a number); what does not fit becomes a [Diagnostic] and the
// reading goes on. Whoever reads a file asks [Document.Diagnostics] at the end.
//
// # What is refused
//
// YAML has many ways to say a thing and readers disagree about some of them.
// Only the plain ones are let through: one UTF-8 document, booleans spelt true
// or false, decimal numbers without a leading zero, no anchors, aliases, tags or
// merge keys, no duplicate keys, no control characters. A text that YAML would
// take for a number, a boolean or null must be quoted. Texts and keys hold no
// character that cannot be seen (zero width, no-break space), not as an escape
// either; comments may.
//
// # Limits
//
// A file is at most [MaxSize] bytes and nests at most [MaxDepth] levels. Columns
// count characters (code points) from 1. After a syntax error, or
// where values nest too deep, there is nothing to walk: these alone hide other
// mistakes.
//
// This is the one package that imports a YAML library: the one in use is
// archived upstream, and replacing it must stay a matter of one import.
package strict
