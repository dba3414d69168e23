// Package sqlite keeps a store in one file, by SQLite (modernc.org/sqlite, which
// needs no C).
//
// A write is on disk before its method returns: the file has a write-ahead log,
// and each commit waits for the disk. Other processes of the same host may have
// the file open; SQLite's locks keep them apart, which a file on a network share
// cannot be relied on to do. A crash in the middle of a write leaves nothing of it.
//
// The file is told by a mark of its own (SQLite's application_id). One that lacks it,
// a damaged one, and one of a newer version are refused, and not touched. An
// empty file is taken for a store that has nothing yet. An older version is brought
// up to date when it is opened, by the numbered files in schema.
//
// The journal can only grow: triggers refuse what changes or removes a line. They
// stop a mistake, not whoever can write to the file; a forged line is found by the
// chain of package journal.
//
// Damage is looked for where it is read, not in the whole file at each opening.
// [Store.Examine] reads all of it.
package sqlite
