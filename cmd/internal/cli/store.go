package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// storeName is the file in the state folder in which all tenants are kept.
const storeName = "state.db"

// noStore is the value of --state of a run that remembers nothing.
const noStore = "none"

// bindState gives a command the flag that says where runs are remembered.
func bindState(cmd *cobra.Command, dsn *string) {
	cmd.Flags().StringVar(dsn, "state", "",
		"where runs are remembered: sqlite:`PATH`, a path, or none (EXOAUDIT_STATE; default: a file in the user's state folder)")
}

// storePath reads --state: the path of the file, empty for none. Where the flag is
// not given it is the file in the user's state folder, and the error is that there
// is no such folder.
func (a *app) storePath(dsn string) (string, error) {
	scheme, path, found := strings.Cut(dsn, ":")
	switch {
	case dsn == "":
		folder, err := stateFolder(runtime.GOOS, a.env.Getenv)
		if err != nil {
			return "", err
		}
		return filepath.Join(folder, stateName, storeName), nil
	case dsn == noStore:
		return "", nil
	case found && scheme == "sqlite":
		dsn = path
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return "", invalid("--state postgres://…: PostgreSQL is not in this version; give a path or sqlite:PATH")
	case found && len(scheme) > 1: // a letter is a drive
		return "", invalid("--state %s: write sqlite:PATH, a path, or none", report.Line(scheme+":…"))
	}
	if dsn == "" {
		return "", invalid("--state sqlite: names no file; write sqlite:PATH")
	}
	whole, err := filepath.Abs(dsn)
	if err != nil {
		return "", invalid("--state %s: %w", report.Line(dsn), err)
	}
	return whole, nil
}

// storeClaims lists the files of a store, for the search for collisions.
func (a *app) storeClaims(dsn string) []claim {
	path, err := a.storePath(dsn)
	if err != nil || path == "" || dsn == "" { // kept lists the default one
		return nil
	}
	return []claim{
		{flag: "--state", path: path, use: keeps},
		{flag: "--state (its log)", path: path + "-wal", use: keeps},
		{flag: "--state (its index)", path: path + "-shm", use: keeps},
	}
}

// openStore opens what --state names; nil where that is nothing. Without a state
// folder, or where no file can be made in it, there is nothing to remember in, which is
// said: whoever did not ask for a store shall not fail for want of one. A file that is
// there and cannot be used is an error: to go on without it would forget open findings.
func (a *app) openStore(ctx context.Context, dsn string, readOnly bool) (store.Store, error) {
	path, err := a.storePath(dsn)
	switch {
	case err != nil && dsn == "":
		a.logger().WarnContext(ctx, "there is no state folder (no home folder is set), so nothing is remembered of this run; --state names a file")
		return nil, nil //nolint:nilnil // A run may have no store.
	case err != nil:
		return nil, err
	case path == "":
		return nil, nil //nolint:nilnil // A run may have no store.
	}
	if readOnly {
		return a.openedStore(dsn, func() (store.Store, error) { return sqlite.OpenReadOnly(ctx, path, a.env.Now) })
	}
	if dsn == "" {
		if err := takesStore(path); err != nil {
			a.logger().WarnContext(ctx, "nothing is remembered of this run: "+err.Error())
			return nil, nil //nolint:nilnil // A run may have no store.
		}
	}
	return a.openedStore(dsn, func() (store.Store, error) { return sqlite.Open(ctx, path, a.env.Now) })
}

// takesStore makes the state folder, and tells why there can be no store in it. One
// that is there already it leaves to who opens it.
func takesStore(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the state folder cannot be made: %w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := canMake(folder); err != nil {
		return fmt.Errorf("the state folder cannot be written to: %w", err)
	}
	return nil
}

// openedStore says of a store that cannot be opened whose mistake that is: that of
// a file that was named, or of what was found in the state folder.
func (a *app) openedStore(dsn string, open func() (store.Store, error)) (store.Store, error) {
	st, err := open()
	if err == nil {
		return st, nil
	}
	advice := "; --state names another, --state none goes without"
	_, foreign := errors.AsType[*store.FileError](err)
	if dsn != "" && (foreign || errors.Is(err, fs.ErrNotExist)) {
		return nil, invalid("--state: %w%s", err, advice)
	}
	return nil, noReport("the store cannot be opened: %w%s", err, advice)
}

// holder names this process where it takes a lease. Its place is the lock that it
// holds; without one it is a place of its own.
func holder(lock string) store.Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	h := store.Holder{Name: fmt.Sprintf("%s, process %d", host, os.Getpid()), Place: host + ":" + lock}
	if lock == "" {
		h.Place = uuid.NewString()
	}
	return h
}

// comparing is a comparison for which the tenant is connected and the store is
// open.
type comparing struct {
	*app
	job     *job
	conn    *connection
	session *reconcile.Session
}

// begin connects to the tenant and opens the store.
func (a *app) begin(ctx context.Context, j *job) (*comparing, error) {
	return a.beginWatched(ctx, j, nil)
}

// beginWatched is begin, and tells of every call; nil is nobody.
func (a *app) beginWatched(ctx context.Context, j *job, watch func(exchange.Trace)) (*comparing, error) {
	st, err := a.openStore(ctx, j.state, false)
	if err != nil {
		return nil, err
	}
	if st == nil && j.sinceLastRun {
		return nil, invalid("--since-last-run needs a store of earlier runs, and there is none; see --state")
	}
	how := j.calling()
	how.watch = watch
	conn, err := a.connectWith(ctx, j.target, how)
	if err != nil {
		if st != nil {
			err = errors.Join(err, st.Close())
		}
		return nil, err
	}
	c := &comparing{app: a, job: j, conn: conn, session: &reconcile.Session{
		Store: st, TenantID: conn.tenant, Client: conn.client, Now: a.env.Now,
	}}
	if conn.compliance != nil {
		c.session.Compliance = conn.compliance
	}
	return c, nil
}

// check compares, and takes a policy that asks for what this version does not do
// for what it is: one that cannot be used.
func (c *comparing) check(ctx context.Context) (*reconcile.Plan, error) {
	return checked(c.session.Check(ctx, c.request(c.job, c.conn)))
}

func checked(p *reconcile.Plan, err error) (*reconcile.Plan, error) {
	if unsupported, ok := errors.AsType[*reconcile.UnsupportedError](err); ok {
		return nil, invalid("%w", unsupported)
	}
	return p, err
}

// keep keeps a comparison for later runs. What cannot be kept is said; the report
// stands.
func (c *comparing) keep(ctx context.Context, command string, p *reconcile.Plan) {
	c.notKept(ctx, c.session.Keep(ctx, command, p, c.job.threshold))
}

// notKept says why nothing, or not all, is remembered of a run.
func (c *comparing) notKept(ctx context.Context, err error) {
	conflict, ok := errors.AsType[*store.ConflictError](err)
	switch {
	case err == nil:
	case ok:
		c.logger().InfoContext(ctx, "this run is not remembered: "+conflict.Error())
	case errors.Is(err, store.ErrReadOnly):
		c.logger().WarnContext(ctx, "this run is not remembered: "+c.session.Store.Describe()+" is read-only")
	default:
		c.logger().WarnContext(ctx, "this run could not be remembered, so later runs do not know of it: "+err.Error())
	}
}

// close gives everything back. What was kept is durable already.
func (c *comparing) close() {
	c.conn.idle()
	if c.session.Store != nil {
		_ = c.session.Store.Close()
	}
}
