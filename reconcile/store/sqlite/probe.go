package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	driver "modernc.org/sqlite"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// busyTimeout is how long SQLite waits for another process to finish its write.
const busyTimeout = 10 * time.Second

// dsn says how a connection opens a file.
type dsn struct {
	path, mode string
	// modeOf is a file whose mode a new one gets.
	modeOf string
	// immutable reads the file alone: no log, no lock, and nothing made beside it.
	immutable bool
	// queries refuses what writes.
	queries bool
	pragma  string
}

// reading gives the dsn of a connection that only reads a file that others of this
// process write.
func (d dsn) reading() dsn {
	return dsn{path: d.path, mode: "rw", queries: true}
}

// String writes it as a URI, as https://www.sqlite.org/uri.html says.
//
// EXTRA is FULL for a write-ahead log; with a rollback journal it makes the removal of
// that durable too, without which a loss of power takes back a commit.
func (d dsn) String() string {
	q := url.Values{
		"mode": {d.mode}, "_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_defensive": {"1"}, "_dqs": {"0"},
		"_pragma": {"foreign_keys(1)", "trusted_schema(0)", "cell_size_check(1)"},
	}
	if d.modeOf != "" {
		q.Set("modeof", d.modeOf)
	}
	switch {
	case d.immutable:
		q.Set("immutable", "1")
	case d.queries:
		q.Set("_query_only", "1")
	case d.mode != "ro":
		q["_pragma"] = append(q["_pragma"], "synchronous(EXTRA)", "fullfsync(1)", "checkpoint_fullfsync(1)", "journal_size_limit(16777216)")
	}
	if d.pragma != "" {
		q["_pragma"] = append(q["_pragma"], d.pragma)
	}
	path := filepath.ToSlash(d.path)
	if filepath.VolumeName(d.path) != "" {
		path = "/" + path
	}
	// SQLite does not read a plus as a space.
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

func (d dsn) open() (*sql.DB, error) {
	c, err := driver.NewConnector(d.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// probes is how often a file is looked at that seems damaged: while another process
// moves its log into the file, a page may be there before the one it speaks of.
const (
	probes     = 4
	probeEvery = 25 * time.Millisecond
)

// probe tells whether a file that has something in it is a store of a version up to
// latest, and leaves nothing behind: a foreign file would else be brought up to date
// with its log by the very look at it. Only SQLite opens the file: whoever else
// did, and closed it, would take away the locks that this process holds on
// it, as POSIX has it.
func probe(ctx context.Context, path string, latest int) error {
	for n := 1; ; n++ {
		before, quiet := standing(path)
		h, err := probeOnce(ctx, path)
		if err == nil {
			return h.probed(path, latest)
		}
		if !damaged(err) {
			return (&Store{path: path}).explain(ctx, err)
		}
		if after, still := standing(path); n == probes || quiet && still && sameFile(before, after) {
			if cutOff(path) {
				return nil // SQLite takes back what was begun when the file is opened.
			}
			return (&Store{path: path}).explain(ctx, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(probeEvery):
		}
	}
}

// standing gives a file as it stands, and whether nobody seems to write to it: it
// has no log.
func standing(path string) (os.FileInfo, bool) {
	info, err := os.Stat(path)
	return info, err == nil && !beside(path, "-wal") && !beside(path, "-journal")
}

// sameFile tells whether a file was not written to between two looks at it.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// cutOff tells whether the very first write to a store was cut off by a crash: its
// rollback journal is there, and our mark is in the file. SQLite cannot say so without
// taking that write back, which it must not do to a foreign file.
func cutOff(path string) bool {
	if !beside(path, "-journal") {
		return false
	}
	f, err := os.Open(path) //nolint:gosec // The path is the user's own choice.
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var at [4]byte
	_, err = f.ReadAt(at[:], 68) // https://www.sqlite.org/fileformat.html#the_database_header
	return err == nil && binary.BigEndian.Uint32(at[:]) == mark
}

// probed judges a file that has bytes in it, and so has a header.
func (h header) probed(path string, latest int) error {
	if h.blank() {
		return &store.FileError{Path: path, Why: "it is not a store of this program"}
	}
	return h.judge(path, latest)
}

// probeOnce reads the header. The log is left out unless a process has it open, or
// had when it was killed: then it and its index are there already.
func probeOnce(ctx context.Context, path string) (header, error) {
	d := dsn{path: path, mode: "ro", immutable: true}
	if beside(path, "-wal") && beside(path, "-shm") {
		d.immutable = false
	}
	db, err := d.open()
	if err != nil {
		return header{}, err
	}
	h, err := readHeader(ctx, db)
	if info, quiet := standing(path); err == nil && quiet && h.mark == mark && info.Size()%int64(h.page) != 0 {
		err = &store.FileError{Path: path, Why: "it is damaged: it ends in the middle of a page"}
	}
	return h, errors.Join(err, db.Close())
}

// orphaned refuses to make a store where the log of another, or a file of such a name,
// is left without what it belongs to: SQLite would take it away, and with it perhaps
// what is missing in a store that was moved. Another process that makes the store at this
// moment has its file first, and its first commit before the log, so that a second
// look at the file tells one from the other.
func orphaned(path string) error {
	for _, ending := range [...]string{"-wal", "-shm", "-journal"} {
		if !beside(path, ending) {
			continue
		}
		info, err := os.Stat(path)
		if err == nil && (info.Size() > 0 || ending == "-journal") {
			continue
		}
		return &store.FileError{Path: path, Why: "there is no store in it, and beside it is " + filepath.Base(path) + ending +
			", which a new one would overwrite; put the store back that it belongs to, or move it away"}
	}
	return nil
}

// beside tells whether the file has another of its name with this ending.
func beside(path, ending string) bool {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	_, err := os.Stat(path + ending)
	return !errors.Is(err, fs.ErrNotExist)
}
