package main

import (
	"slices"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// phase is where in the life of a write the process is killed.
type phase string

const (
	// beforeRequest: the intent is on disk, and the service never hears of the write.
	beforeRequest phase = "after intent, before request"
	// beforeEffect: the service has the request and has not carried it out.
	beforeEffect phase = "on receipt, before effect"
	// beforeAnswer: the write is made, and the answer does not arrive.
	beforeAnswer phase = "after effect, before answer"
	// beforeOutcome: the answer has arrived, since the write is being read back, and
	// the outcome is not recorded.
	beforeOutcome phase = "after answer, before outcome"
)

// killsPerPhase is the least number of kills that a phase must have had.
const killsPerPhase = 10

// TestProcessKill ends the real program by SIGKILL at each point of a write, again and
// again, until it is left to converge. Whatever the point: the tenant ends as the policy
// says, the journal holds, every write that the service received had its intent on
// disk, none of them stays open, and none is made twice.
func TestProcessKill(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	for _, p := range []phase{beforeRequest, beforeEffect, beforeAnswer, beforeOutcome} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			kinds, kills := map[string]int{}, 0
			for round := 0; kills < killsPerPhase || len(kinds) < 4; round++ {
				if round == 8 {
					t.Fatalf("only %d kills after %d tenants, of %v", kills, round, kinds)
				}
				b := newKillBench(t, killTenant+killMailboxes, round)
				for _, a := range aims(p, round) {
					if b.run(a); b.aim.met {
						kills++
						kinds[a.kind]++
					}
				}
				b.converge()
				b.judge(false)
			}
			t.Logf("%d kills, by kind of what was open %v", kills, kinds)
		})
	}
}

// aims are the moments of a phase at which the runs on one tenant are killed, one after
// the other: another one of each kind for each tenant. Requests are fewer than cmdlets,
// of which one holds up to ten.
func aims(p phase, round int) []aim {
	mailboxes := []int{1 + 7*round, 4, 12}
	if p == beforeRequest {
		mailboxes = []int{1 + round%3, 2, 1}
	}
	at := func(kind string, nth int) aim { return aim{phase: p, kind: kind, nth: nth, dies: (nth+round)%2 == 0} }
	list := []aim{at("organization", 1+round%2), at("bypass", 1+round%3), at("retention", 1)}
	for _, nth := range mailboxes {
		list = append(list, at("mailbox", nth))
	}
	return list
}

// TestProcessKillUnderLag: where the service shows a write late, one whose run was
// killed may be made again, but only with the same value and an intent of its own.
func TestProcessKillUnderLag(t *testing.T) {
	t.Parallel()
	needsProcesses(t)
	for round, p := range []phase{beforeAnswer, beforeOutcome} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			b := newKillBench(t, killMailboxes, round, simulator.WithReadLag(2*time.Second))
			if b.run(aim{phase: p, kind: "mailbox", nth: 8}); !b.aim.met {
				t.Error("not killed")
			}
			b.converge()
			b.judge(true)
			if b.repeated() == 0 {
				t.Error("nothing was made again, so that this shows nothing")
			}
		})
	}
}

// converge runs until the tenant is in line.
func (b *killBench) converge() {
	b.t.Helper()
	var statuses []int
	for range 4 {
		status := b.run(aim{})
		if status == cli.ExitInLine {
			return
		}
		statuses = append(statuses, status)
	}
	b.t.Fatalf("it does not converge: exit statuses %v, and last\n%s", statuses, b.said)
}

// judge holds everything that must be true after the last run.
func (b *killBench) judge(lagging bool) {
	b.t.Helper()
	b.satisfied(lagging)
	b.verified()
	open := b.pending.Open()
	for _, e := range open {
		b.t.Errorf("an intent stays open: %s %s of run %s", e.Intent.Subject.Name, e.Intent.Setting, e.Run)
	}
	for w, values := range b.effects {
		same := len(slices.Compact(slices.Sorted(slices.Values(values)))) == 1
		switch {
		case len(values) > b.intents[w]:
			b.t.Errorf("%v was made %d times with %d intents", w, len(values), b.intents[w])
		case len(values) > 1 && !lagging:
			b.t.Errorf("%v was made %d times: %v", w, len(values), values)
		case !same:
			b.t.Errorf("%v was made with several values: %v", w, values)
		}
	}
	if len(b.effects) < 20 {
		b.t.Errorf("only %d writes were made", len(b.effects))
	}
	if b.t.Failed() {
		b.t.Log(b.said[max(0, len(b.said)-1000):])
	}
}

// repeated counts the writes that were made more than once.
func (b *killBench) repeated() int {
	n := 0
	for _, values := range b.effects {
		if len(values) > 1 {
			n++
		}
	}
	return n
}
