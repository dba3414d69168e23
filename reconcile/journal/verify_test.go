package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// sealed gives the lines of a journal of two runs, the second of which was killed,
// with one write in its begin and n in flight.
func sealed(t testing.TB, n int) []journal.Line {
	t.Helper()
	var lines []journal.Line
	keep := func(_ context.Context, more []journal.Line) error {
		lines = append(lines, more...)
		return nil
	}
	ctx := t.Context()
	first := journal.NewBook("run-1", clock, "", 0, keep)
	err := errors.Join(
		first.Begin(ctx, journal.Begin{Tool: "exoaudit", Tenant: "t"}),
		first.Intend(ctx, []journal.Intent{intent("a")}),
		first.Conclude(ctx, []journal.Outcome{{Change: "a", Subject: intent("a").Subject, Setting: intent("a").Setting, Result: "verified"}}),
		first.End(ctx),
	)
	second := journal.NewBook("run-2", clock, first.Head(), 4, keep)
	err = errors.Join(err, second.Begin(ctx, journal.Begin{Tool: "exoaudit", Tenant: "t"}))
	for i := range n {
		err = errors.Join(err, second.Intend(ctx, []journal.Intent{intent(fmt.Sprint("b", i))}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// seq gives lines as a store does.
func seq(lines []journal.Line) iter.Seq2[journal.Line, error] {
	return func(yield func(journal.Line, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// text gives lines as a file has them.
func text(t testing.TB, lines []journal.Line) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		raw, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func TestVerifyTellsWhatThereIs(t *testing.T) {
	lines := sealed(t, 3)
	for name, list := range map[string]iter.Seq2[journal.Line, error]{
		"store": seq(lines), "file": journal.Lines(bytes.NewReader(text(t, lines))),
	} {
		v, err := journal.Verify(list, "")
		if err != nil || v.Seq != 8 || v.Runs != 2 || v.OpenIntents != 3 || v.OpenRuns != 1 || v.Head != lines[7].Hash ||
			!v.First.Equal(clock()) || !v.Last.Equal(clock()) || v.Size != int64(len(text(t, lines))) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	v, err := journal.Verify(seq(nil), "")
	if err != nil || v.Seq != 0 || v.Head != "" {
		t.Errorf("an empty journal: %+v, %v", v, err)
	}
}

// TestVerifyAgainstAPinnedHead: what was cut off at the end shows against a head
// that was noted, and against nothing else.
func TestVerifyAgainstAPinnedHead(t *testing.T) {
	lines := sealed(t, 3)
	for cut := range lines {
		left := lines[:cut]
		if _, err := journal.Verify(seq(left), ""); err != nil {
			t.Errorf("%d of %d lines: %v", cut, len(lines), err)
		}
		for i, l := range lines {
			v, err := journal.Verify(seq(left), l.Hash)
			_, lacks := errors.AsType[*journal.HeadError](err)
			if lacks != (i >= cut) || err == nil && v.After != int64(cut-i-1) {
				t.Errorf("%d of %d lines against the head of line %d: %d after it, %v", cut, len(lines), i+1, v.After, err)
			}
		}
	}
	if _, err := journal.Verify(seq(lines), strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "another journal") {
		t.Errorf("a foreign head: %v", err)
	}
}

// tampering is a way to change a journal at a line that is not its last.
func tampering() map[string]func(t *rapid.T, lines []journal.Line, at int) []journal.Line {
	flip := func(t *rapid.T, b []byte) []byte {
		b = bytes.Clone(b)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "mask"))
		return b
	}
	return map[string]func(t *rapid.T, lines []journal.Line, at int) []journal.Line{
		"a byte of the entry": func(t *rapid.T, lines []journal.Line, at int) []journal.Line {
			lines[at].Entry = flip(t, lines[at].Entry)
			return lines
		},
		"a byte of the hash": func(t *rapid.T, lines []journal.Line, at int) []journal.Line {
			lines[at].Hash = string(flip(t, []byte(lines[at].Hash)))
			return lines
		},
		"removed": func(_ *rapid.T, lines []journal.Line, at int) []journal.Line { return slices.Delete(lines, at, at+1) },
		"repeated": func(_ *rapid.T, lines []journal.Line, at int) []journal.Line {
			return slices.Insert(lines, at, lines[at])
		},
		"swapped": func(_ *rapid.T, lines []journal.Line, at int) []journal.Line {
			lines[at], lines[at+1] = lines[at+1], lines[at]
			return lines
		},
		"moved to the end": func(_ *rapid.T, lines []journal.Line, at int) []journal.Line {
			return append(slices.Delete(slices.Clone(lines), at, at+1), lines[at])
		},
	}
}

// TestVerifyFindsEveryTampering: whatever is done to a line that is not the last
// is found, and its place is named: the line itself, or the next, which does not
// follow.
func TestVerifyFindsEveryTampering(t *testing.T) {
	lines := sealed(t, 4)
	for name, change := range tampering() {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			at := rapid.IntRange(0, len(lines)-2).Draw(t, "line")
			_, err := journal.Verify(seq(change(t, slices.Clone(lines), at)), "")
			broken, ok := errors.AsType[*journal.ChainError](err)
			if !ok || broken.Entry != int64(at)+1 && broken.Entry != int64(at)+2 {
				t.Fatalf("line %d: %v", at+1, err)
			}
		}))
	}
}

// TestFollowGoesOn: a part of a journal is checked behind a place that was, and
// only there.
func TestFollowGoesOn(t *testing.T) {
	lines := sealed(t, 3)
	at := journal.Tail{Head: lines[4].Hash, Seq: 5}
	n := 0
	tail, err := journal.Follow(at, seq(lines[5:]), func(l journal.Line, e journal.Entry) error {
		if n++; l.Hash != lines[4+n].Hash || e.Seq != int64(5+n) {
			t.Errorf("line %d came as %+v", 5+n, e)
		}
		return nil
	})
	if err != nil || tail.Seq != 8 || n != 3 {
		t.Errorf("%d lines, tail %+v, %v", n, tail, err)
	}
	for name, wrong := range map[string]journal.Tail{
		"hash": {Head: lines[3].Hash, Seq: 5}, "number": {Head: lines[4].Hash, Seq: 4},
	} {
		if _, err := journal.Follow(wrong, seq(lines[5:]), func(journal.Line, journal.Entry) error { return nil }); err == nil {
			t.Errorf("a place with another %s was gone on from", name)
		}
	}
}

// FuzzVerify changes any byte of a file: what is found is right, and whatever is
// still taken for whole is the beginning of what was sealed.
func FuzzVerify(f *testing.F) {
	lines := sealed(f, 3)
	whole := text(f, lines)
	f.Add(uint32(0), byte(1), uint32(0))
	f.Add(uint32(200), byte('\n'), uint32(10))
	f.Add(uint32(len(whole)-1), byte(' '), uint32(0))
	f.Fuzz(func(t *testing.T, at uint32, b byte, cut uint32) {
		changed := bytes.Clone(whole)
		changed[int(at)%len(changed)] = b
		changed = changed[:len(changed)-int(cut)%len(changed)]
		v, err := journal.Verify(journal.Lines(bytes.NewReader(changed)), "")
		if err == nil && !bytes.HasPrefix(whole, changed[:v.Size]) {
			t.Errorf("byte %d set to %d was not found", at, b)
		}
		if broken, ok := errors.AsType[*journal.ChainError](err); err != nil && (!ok || broken.Entry != v.Seq+1) {
			t.Errorf("the mistake has no place: %v behind %d entries", err, v.Seq)
		}
	})
}
