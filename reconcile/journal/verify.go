package journal

import (
	"fmt"
	"iter"
	"time"
)

// Verification is what a look at a whole journal found.
type Verification struct {
	Tail
	// Runs is the number of runs that began.
	Runs int
	// First and Last are when the first and the last entry were made; zero where
	// there is none.
	First, Last time.Time
	// OpenIntents is the number of writes of which no outcome is recorded, and
	// OpenRuns that of the runs that made them.
	OpenIntents, OpenRuns int
	// After is the number of entries behind the pinned head, where one was given.
	After int64
}

// HeadError says that a journal does not hold the head that was noted elsewhere.
type HeadError struct{ Pinned string }

func (e *HeadError) Error() string {
	return "the journal does not hold the pinned head " + e.Pinned + ": its tail was cut off, or it is another journal"
}

// Verify checks a whole journal, from its first line. With pinned, the hash of an
// entry as [Book.Head] once gave it, it also finds a tail that was cut off: the
// journal must hold that entry, else it is a *HeadError. A chain that does not hold
// is a *ChainError; what was found before that place is in the verification.
func Verify(lines iter.Seq2[Line, error], pinned string) (Verification, error) {
	var v Verification
	var pending Pending
	found := pinned == ""
	tail, err := Follow(Tail{}, lines, func(line Line, e Entry) error {
		if v.First.IsZero() {
			v.First = e.At
		}
		v.Last = e.At
		if e.Begin != nil {
			v.Runs++
		}
		pending.Take(e)
		switch {
		case !found:
			found = line.Hash == pinned
		case pinned != "":
			v.After++
		}
		return nil
	})
	v.Tail = tail
	runs := map[string]bool{}
	for _, e := range pending.Open() {
		v.OpenIntents++
		runs[e.Run] = true
	}
	v.OpenRuns = len(runs)
	if err == nil && !found {
		err = &HeadError{Pinned: pinned}
	}
	return v, err
}

// String says in a line what was found.
func (v Verification) String() string {
	return fmt.Sprintf("%d entries of %d runs", v.Seq, v.Runs)
}
