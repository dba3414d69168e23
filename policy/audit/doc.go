// Package audit is the vocabulary of Exchange Online mailbox auditing: logon
// types, actions and sets of them, mailbox types, the settings a plan speaks of
// and the time spans the service prints.
//
// Its heart is the action matrix: which action each logon type accepts, records
// by default or refuses, with the place each row comes from and the day it was
// checked. Microsoft moves that catalogue without notice, so an action the
// matrix does not know is a question ([ActionSet.Unknown]) and never an error
// here, and the managed defaults of a real tenant win over [Defaults] wherever
// they could be learned.
//
// # Limits
//
// Everything in the package is a value: no I/O, no clock, no state. It knows
// what is documented about user and shared mailboxes; marks for the five newest
// actions rest on field reports. Licences are notes, not rules: since 2024 a
// missing one shows as an error of the write and cannot be told beforehand.
package audit
