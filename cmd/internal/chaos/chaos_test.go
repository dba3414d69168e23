package chaos

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// number reads an environment variable.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// The environment variables that say which seeds to play.
const (
	seedsVariable = "EXOAUDIT_CHAOS_SEEDS"
	fromVariable  = "EXOAUDIT_CHAOS_FROM"
	tellVariable  = "EXOAUDIT_CHAOS_TELL"
)

// playSeed plays a day and gives its history.
func playSeed(t *testing.T, seed uint64) *history {
	t.Helper()
	folder := t.TempDir()
	var h *history
	synctest.Test(t, func(t *testing.T) { h = play(t, newScenario(seed), folder) })
	return h
}

// TestChaos plays days from seeds: some under -short, three hundred otherwise,
// or as many as EXOAUDIT_CHAOS_SEEDS says from EXOAUDIT_CHAOS_FROM on. With three
// hundred or more from 1 on every kind of case must have come up.
func TestChaos(t *testing.T) {
	const all = 300
	seeds := uint64(all)
	if testing.Short() {
		t.Log("10 seeds only: -short is set")
		seeds = 10
	}
	seeds, from := number(t, seedsVariable, seeds), number(t, fromVariable, 1)
	c := newCensus()
	t.Run("seeds", func(t *testing.T) {
		for seed := from; seed < from+seeds; seed++ {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				h := playSeed(t, seed)
				c.take(h)
				for _, i := range invariants() {
					for _, problem := range i.breaks(h) {
						t.Errorf("%s: %s", i.name, problem)
					}
				}
				if t.Failed() {
					t.Logf("to see the whole day: .ci/chaos --seed %d", seed)
				}
				if os.Getenv(tellVariable) != "" {
					t.Log("\n" + strings.TrimRight(h.String(), "\n"))
				}
			})
		}
	})
	if from == 1 && seeds >= all && !t.Failed() {
		c.require(t)
	}
	c.tell(t)
}
