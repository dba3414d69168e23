package sqlite

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// folder gives the names of the files in a folder with a digest of each.
func folder(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][32]byte{}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 || strings.HasSuffix(e.Name(), "-shm") {
			files[e.Name()] = [32]byte{} // an index of the log that whoever reads may touch
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = sha256.Sum256(data)
	}
	return files
}

// wantRefused checks that a file is refused for a reason, by both ways to open it,
// and that nothing in its folder changes.
func wantRefused(t *testing.T, path, why string) {
	t.Helper()
	before := folder(t, filepath.Dir(path))
	for name, f := range map[string]func() (*Store, error){
		"Open":         func() (*Store, error) { return Open(t.Context(), path, clock) },
		"OpenReadOnly": func() (*Store, error) { return OpenReadOnly(t.Context(), path, clock) },
	} {
		s, err := f()
		if err == nil {
			t.Errorf("%s took it", name)
			closed(t, s)
			continue
		}
		refused, ok := errors.AsType[*store.FileError](err)
		if !ok || refused.Path != path || !strings.Contains(refused.Why, why) {
			t.Errorf("%s: %v; want that %s is refused: %s", name, err, path, why)
		}
	}
	if after := folder(t, filepath.Dir(path)); !maps.Equal(after, before) {
		t.Errorf("the files were changed: %v, before %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
}

// database makes an SQLite database by statements.
func database(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := (dsn{path: path, mode: "rwc"}).open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	const foreign = "an SQLite database of another program"
	for _, test := range []struct {
		name, why string
		make      func(t *testing.T, path string)
	}{
		{"text", "not an SQLite database", func(t *testing.T, path string) {
			write(t, path, []byte("{\"schema\":\"exoaudit/plan/v1\"}\n"))
		}},
		{"one byte", "not a store", func(t *testing.T, path string) { write(t, path, []byte{0}) }},
		{"long text", "not an SQLite database", func(t *testing.T, path string) {
			write(t, path, bytes.Repeat([]byte("name,address\n"), 10_000))
		}},
		{"database", foreign, func(t *testing.T, path string) {
			_ = database(t, path, "CREATE TABLE journal (x)").Close()
		}},
		{"empty database", "not a store", func(t *testing.T, path string) {
			_ = database(t, path, "CREATE TABLE x (y)", "DROP TABLE x").Close()
		}},
		{"marked database", foreign, func(t *testing.T, path string) {
			_ = database(t, path, "PRAGMA application_id = 7", "PRAGMA user_version = 2", "CREATE TABLE x (y)").Close()
		}},
		{"database with a log", foreign, func(t *testing.T, path string) {
			other := filepath.Join(t.TempDir(), "other.db")
			_ = database(t, other, "PRAGMA journal_mode = WAL", "CREATE TABLE x (y)").Close()
			db := database(t, other, "INSERT INTO x VALUES (1)")
			write(t, path, read(t, other)) // as a crash leaves it
			write(t, path+"-wal", read(t, other+"-wal"))
			_ = db.Close()
		}},
		{"newer", "its schema version 9 is newer than 2", func(t *testing.T, path string) {
			filled(t, path, 3)
			_ = database(t, path, "PRAGMA user_version = 9").Close()
		}},
		{"mark without tables", "not its tables", func(t *testing.T, path string) {
			_ = database(t, path, "PRAGMA application_id = 1702391649", "PRAGMA user_version = 2").Close()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state.db")
			test.make(t, path)
			wantRefused(t, path, test.why)
		})
	}
}

// TestForeignLiveFile: of a database that another program has open, nothing is
// written by a look at it.
func TestForeignLiveFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	_ = database(t, path, "PRAGMA journal_mode = WAL", "CREATE TABLE x (y)").Close()
	db := database(t, path, "INSERT INTO x VALUES (1)")
	wantRefused(t, path, "of another program")
	if _, err := db.ExecContext(t.Context(), "INSERT INTO x VALUES (2)"); err != nil {
		t.Error(err)
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "state.db")
	filled(t, whole, 400)
	data := read(t, whole)
	for name, damage := range map[string]func([]byte) []byte{
		"cut":            func(d []byte) []byte { return d[:len(d)/2] },
		"cut to a page":  func(d []byte) []byte { return d[:4096] },
		"cut in a page":  func(d []byte) []byte { return d[:len(d)-1000] },
		"first page":     func(d []byte) []byte { copy(d[100:4096], bytes.Repeat([]byte{0xa5}, 4096)); return d },
		"page size":      func(d []byte) []byte { d[16], d[17] = 0x77, 0x77; return d },
		"nothing but it": func(d []byte) []byte { return d[:100] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state.db")
			write(t, path, damage(bytes.Clone(data)))
			wantRefused(t, path, "") // damaged, or no database at all
		})
	}
}

// TestDamagedLater: damage within the file shows where it is read, and closing the
// file does not change it.
func TestDamagedLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	filled(t, path, 400)
	data := read(t, path)
	for at := 12 * 4096; at < len(data)-4096; at += 2 * 4096 {
		copy(data[at:], bytes.Repeat([]byte{0xff}, 600))
	}
	write(t, path, data)
	before := folder(t, filepath.Dir(path))
	s := opened(t, path)
	var err error
	for _, err = range s.Lines(t.Context(), tenant, 0) {
		if err != nil {
			break
		}
	}
	for name, err := range map[string]error{"Lines": err, "Examine": s.Examine(t.Context())} {
		if refused, ok := errors.AsType[*store.FileError](err); !ok || !strings.Contains(refused.Why, "damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
	closed(t, s)
	if after := folder(t, filepath.Dir(path)); !maps.Equal(after, before) {
		t.Error("the file was changed")
	}
}

// TestAnyDamage: whatever stands in the file, it is opened or refused, and read or
// refused; one that is refused is left as it is.
func TestAnyDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "whole.db")
	filled(t, path, 60)
	whole := read(t, path)
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		data := bytes.Clone(whole)
		for range rapid.IntRange(1, 8).Draw(r, "bytes") {
			data[rapid.IntRange(0, len(data)-1).Draw(r, "at")] = rapid.Byte().Draw(r, "byte")
		}
		if rapid.IntRange(0, 4).Draw(r, "cut") == 0 {
			data = data[:rapid.IntRange(1, len(data)).Draw(r, "size")]
		}
		path := filepath.Join(dir, "state.db")
		write(t, path, data)
		defer func() {
			if len(folder(t, dir)) != 1 {
				r.Errorf("files were left beside it: %v", folder(t, dir))
			}
		}()
		s, err := Open(t.Context(), path, clock)
		if err != nil {
			if !bytes.Equal(read(t, path), data) {
				r.Errorf("refused (%v), and changed", err)
			}
			return
		}
		for _, err := range s.Lines(t.Context(), tenant, 0) {
			if err != nil {
				break
			}
		}
		_, _ = s.Runs(t.Context(), tenant, store.RunQuery{})
		_, _ = s.Document(t.Context(), tenant, "run-1")
		_, _ = s.Snapshot(t.Context(), tenant, "sweep")
		_ = s.Examine(t.Context())
		if err := s.Close(); err != nil {
			r.Error(err)
		}
	})
}

func TestWholeFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	filled(t, path, 400)
	s := opened(t, path)
	if err := s.Examine(t.Context()); err != nil {
		t.Error(err)
	}
	if s.ReadOnly() {
		t.Error("it was opened to be read only")
	}
}

func TestNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "state.db")
	s := opened(t, path)
	grown(t, s, leased(t, s), store.Head{}, 1)
	for name, want := range map[string]fs.FileMode{path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, want)
		}
	}
	if got := s.Describe(); got != "sqlite:"+path {
		t.Errorf("it describes itself as %s", got)
	}
	closed(t, s)
	if files := folder(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("the folder holds %v", slices.Sorted(maps.Keys(files)))
	}
}

// TestLogWithoutItsFile: what a store that was moved has left behind, or what only has
// such a name, is not overwritten by a new store.
func TestLogWithoutItsFile(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "state.db")
		write(t, path+ending, []byte("names of mailboxes\n"))
		s, err := Open(t.Context(), path, clock)
		if refused, ok := errors.AsType[*store.FileError](err); !ok || !strings.Contains(refused.Why, "state.db"+ending) {
			t.Errorf("%s: %v", ending, err)
			if err == nil {
				closed(t, s)
			}
		}
		if left, err := os.ReadFile(path + ending); err != nil || string(left) != "names of mailboxes\n" {
			t.Errorf("%s: %q is left of it, %v", ending, left, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a store was made", ending)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), path, clock); !is[*store.FileError](err) {
		t.Errorf("OpenReadOnly: %v", err)
	}
	filled(t, path, 2)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOddPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	s := opened(t, "relative.db")
	if s.Describe() != "sqlite:"+filepath.Join(dir, "relative.db") {
		t.Errorf("%s", s.Describe())
	}
	closed(t, s)
	head := filled(t, filepath.Join(dir, "target.db"), 2)
	for _, link := range [][2]string{{"target.db", "link.db"}, {"missing.db", "dangling.db"}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Fatal(err)
		}
	}
	s = opened(t, "link.db")
	if got, err := s.Head(t.Context(), tenant); err != nil || got != head {
		t.Errorf("behind a link: %+v, %v", got, err)
	}
	grown(t, s, leased(t, s), head, 1)
	closed(t, s)
	wantRefused(t, filepath.Join(dir, "dangling.db"), "symbolic link")
}

func TestNoOrdinaryFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir(), os.DevNull} {
		if _, err := Open(t.Context(), path, clock); !is[*store.FileError](err) || !strings.Contains(err.Error(), "ordinary file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(t.Context(), "a\x00b", clock); err == nil {
		t.Error("a path with a NUL was taken")
	}
	if _, err := OpenReadOnly(t.Context(), filepath.Join(t.TempDir(), "x"), clock); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenReadOnly of nothing: %v", err)
	}
}

// TestReplacedFile: what is written to a file that has no name any more would be
// lost.
func TestReplacedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	s := opened(t, path)
	l := leased(t, s)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	lines := storetest.Chain(store.Head{}, 1, "x")
	if err := s.Append(t.Context(), l, store.Head{}, lines); !is[*store.FileError](err) {
		t.Errorf("Append to a file that was removed: %v", err)
	}
	write(t, path, nil)
	if err := s.Append(t.Context(), l, store.Head{}, lines); !is[*store.FileError](err) {
		t.Errorf("Append to a file that was replaced: %v", err)
	}
}

// TestAppendOnly: the file itself refuses what the interface has no word for.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 3)
	db := database(t, path)
	for _, text := range []string{
		"UPDATE journal SET entry = x'00'", "UPDATE journal SET seq = seq + 10", "DELETE FROM journal", "DELETE FROM journal WHERE seq = 3",
		"INSERT OR REPLACE INTO journal (tenant, seq, prev, hash, entry) VALUES (1, 3, '', '', x'')",
		"INSERT OR REPLACE INTO journal (id, tenant, seq, prev, hash, entry) VALUES (1, 1, 1, '', '', x'')",
		"INSERT INTO journal (tenant, seq, prev, hash, entry) VALUES (1, 5, '', '', x'')",
	} {
		if _, err := db.ExecContext(t.Context(), text); err == nil || !strings.Contains(err.Error(), "a line of the journal is") {
			t.Errorf("%s: %v", text, err)
		}
	}
	_ = db.Close()
	s := opened(t, path)
	if lines := storetest.Read(t, s, tenant, store.Head{}); len(lines) != 3 || lines[2].Hash != head.Hash {
		t.Errorf("%d lines", len(lines))
	}
}
