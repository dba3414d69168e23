package journal

import (
	"testing"
	"time"
)

// slowDisk remembers what was written since it was last synced.
type slowDisk struct{ unsynced int }

func (d *slowDisk) Write(p []byte) (int, error) {
	d.unsynced += len(p)
	return len(p), nil
}

func (d *slowDisk) Sync() error {
	d.unsynced = 0
	return nil
}

func (d *slowDisk) Close() error { return nil }

// TestEveryEntryIsOnDisk: nothing returns while an entry is in a cache only.
func TestEveryEntryIsOnDisk(t *testing.T) {
	d := &slowDisk{}
	f := &File{f: d}
	f.Book = NewBook("run-1", time.Now, "", 0, f.write)
	for name, do := range map[string]func() error{
		"begin":   func() error { return f.Begin(t.Context(), Begin{}) },
		"intent":  func() error { return f.Intend(t.Context(), []Intent{{}}) },
		"outcome": func() error { return f.Conclude(t.Context(), []Outcome{{}}) },
		"end":     func() error { return f.End(t.Context()) },
	} {
		if err := do(); err != nil || d.unsynced != 0 {
			t.Errorf("%s: %d bytes are not on disk, %v", name, d.unsynced, err)
		}
	}
}
