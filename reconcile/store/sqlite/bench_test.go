package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// BenchmarkAppend is what each batch of writes to a tenant waits for.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{10, 20} {
		b.Run(fmt.Sprint(n, " lines"), func(b *testing.B) {
			s := opened(b, filepath.Join(b.TempDir(), "state.db"))
			l, head := leased(b, s), store.Head{}
			text := strings.Repeat("x", 600)
			for b.Loop() {
				lines := storetest.Chain(head, n, text)
				if err := s.Append(b.Context(), l, head, lines); err != nil {
					b.Fatal(err)
				}
				head = storetest.HeadOf(head, lines)
			}
		})
	}
}

// BenchmarkOpen is what each run waits for before it begins.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	filled(b, path, 20_000)
	for b.Loop() {
		s, err := Open(b.Context(), path, clock)
		if err != nil {
			b.Fatal(err)
		}
		closed(b, s)
	}
}

// BenchmarkLines goes through a journal.
func BenchmarkLines(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	filled(b, path, 20_000)
	s := opened(b, path)
	for b.Loop() {
		for _, err := range s.Lines(b.Context(), tenant, 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/line")
}
