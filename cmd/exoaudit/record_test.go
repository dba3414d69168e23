package main

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // tamper writes into the store behind its back

	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// cmdCutLine takes a line out of a file, counted from 1, or from -1 at its end:
//
//	cutline journal.ndjson 3
func cmdCutLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cutline FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	lines := slices.Collect(strings.Lines(ts.ReadFile(args[0])))
	if n < 0 {
		n += len(lines) + 1
	}
	if n < 1 || n > len(lines) {
		ts.Fatalf("%s has %d lines", args[0], len(lines))
	}
	writeFile(ts, args[0], strings.Join(slices.Delete(lines, n-1, n), ""))
}

// cmdHead puts the head of a journal file into a variable: head NAME FILE.
func cmdHead(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: head NAME FILE")
	}
	var last journal.Line
	for text := range strings.Lines(ts.ReadFile(args[1])) {
		ts.Check(json.Unmarshal([]byte(text), &last))
	}
	ts.Setenv(args[0], last.Hash)
}

// cmdTamper changes the journal in a store as somebody could who may write to its
// file, or leaves off what a run keeps at its end:
//
//	tamper STORE change|remove|cut|unsaid
func cmdTamper(ts *testscript.TestScript, neg bool, args []string) {
	statements := map[string]string{
		"change": "UPDATE journal SET entry = CAST(replace(CAST(entry AS TEXT), '\"intent\"', '\"Intent\"') AS BLOB) WHERE seq = 2",
		"remove": "DELETE FROM journal WHERE seq = 2",
		"cut":    "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)",
		"unsaid": "DELETE FROM documents; DELETE FROM runs",
	}
	if neg || len(args) != 2 || statements[args[1]] == "" {
		ts.Fatalf("usage: tamper STORE change|remove|cut|unsaid")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { ts.Check(db.Close()) }()
	_, err = db.Exec("DROP TRIGGER IF EXISTS journal_is_not_changed; DROP TRIGGER IF EXISTS journal_is_not_cut")
	ts.Check(err)
	done, err := db.Exec(statements[args[1]])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("nothing was changed: %v", err)
	}
}
