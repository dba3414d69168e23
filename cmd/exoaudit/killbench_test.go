package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

// The policies: what is set once for a tenant, and what is set for each mailbox.
const (
	killTenant = `organization: {unifiedAuditLog: true, mailboxAuditing: true}
retention:
  require:
    - {recordTypes: [ExchangeAdmin, ExchangeItem], atLeast: 1y}
bypass: {}
`
	killMailboxes = `mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox, DiscoveryMailbox]
    record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}
    ageLimit: 90d
guards: {maxChangedPercent: 100}
`
)

// aim is the moment at which a run is killed: the nth of its phase for writes of a
// kind; the zero aim is none.
type aim struct {
	phase phase
	kind  string
	nth   int
	// dies tells that the service does not live through it either, where that is a
	// difference.
	dies bool
	met  bool
}

// write names what a cmdlet sets: one setting of one object.
type write struct{ kind, id, setting string }

// killBench is a drifting tenant behind sockets, a program that enforces a policy on it
// with a store, and what the tenant saw of it.
type killBench struct {
	t      *testing.T
	tenant *simulator.Tenant
	policy string
	state  string
	env    []string
	store  *sqlite.Store
	busy   sync.WaitGroup // requests that are being answered

	mu      sync.Mutex
	aim     aim
	token   string // of the run under way, by which what is left of a killed one is known
	runs    int
	process *os.Process
	dead    chan struct{}
	said    string // by the last run

	seq     int64 // of the last line of the journal that was read
	pending journal.Pending
	intents map[write]int
	seen    map[write]int // how often a write arrived since its newest intent
	done    map[write]int // likewise, was carried out
	effects map[write][]string
}

func newKillBench(t *testing.T, policy string, round int, options ...simulator.Option) *killBench {
	t.Helper()
	folder := t.TempDir()
	b := &killBench{
		t: t, policy: filepath.Join(folder, "policy.yaml"), state: filepath.Join(folder, "state.db"),
		intents: map[write]int{}, seen: map[write]int{}, done: map[write]int{}, effects: map[write][]string{},
		tenant: simulator.NewTenant(simulator.Seed{
			Seed: uint64(round + 1), Mailboxes: 70, Drift: 1, Users: 8, Bypassed: 0.3, AuditDisabled: true, UnifiedLogOff: true,
		}),
	}
	if policy == killMailboxes {
		b.tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = false })
	}
	b.tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "short", Priority: 100, RecordTypes: []string{"ExchangeItem"}, Duration: "ThreeMonths"})
	if err := os.WriteFile(b.policy, []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: kill\n"+policy), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.store, err = sqlite.Open(t.Context(), b.state, time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.store.Close() })
	options = append(options, simulator.WithHook(b.moment))
	b.env = []string{
		"HOME=" + folder, "XDG_STATE_HOME=" + filepath.Join(folder, "home"), "TMPDIR=" + folder,
		"AZURE_TENANT_ID=" + b.tenant.ID(),
		"EXOAUDIT_ENDPOINT=" + b.serve(simulator.New(b.tenant, options...)),
		"EXOAUDIT_COMPLIANCE_ENDPOINT=" + b.serve(simulator.NewCompliance(b.tenant, options...)),
	}
	return b
}

// serve answers each request on a connection of its own, so that the beginning of a
// request is seen before any of it is read.
func (b *killBench) serve(h http.Handler) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.admit(r) {
			panic(http.ErrAbortHandler)
		}
		defer b.busy.Done()
		h.ServeHTTP(w, r)
	}))
	server.Config.SetKeepAlivesEnabled(false)
	known := server.Config.ConnState
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateNew {
			b.connected(c)
		}
		if known != nil {
			known(c, s)
		}
	}
	server.Start()
	b.t.Cleanup(server.Close)
	return server.URL
}

// admit tells whether a request is of the run under way, and counts it. What a killed
// run had sent and nobody had read is lost.
func (b *killBench) admit(r *http.Request) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token == "" || r.Header.Get("Authorization") != "Bearer "+b.token {
		return false
	}
	b.busy.Add(1)
	return true
}

// run runs apply once, to its end or to the aim, and gives its exit status.
func (b *killBench) run(a aim) int {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), program(b.t), "apply", "-p", b.policy, "--yes", "--state", b.state)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	dead := make(chan struct{})
	b.mu.Lock()
	b.runs++
	b.token = fmt.Sprintf("token-of-run-%d", b.runs)
	cmd.Env = append(slices.Clone(b.env), "EXOAUDIT_ACCESS_TOKEN="+b.token)
	if err := cmd.Start(); err != nil {
		b.mu.Unlock()
		b.t.Fatal(err)
	}
	b.aim, b.process, b.dead = a, cmd.Process, dead
	b.mu.Unlock()
	err := cmd.Wait()
	close(dead)
	b.mu.Lock()
	b.token = ""
	b.mu.Unlock()
	b.busy.Wait() // What the service was told it still does, before anybody looks again.
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = said.String()
	b.follow()
	if b.aim.met {
		return -1
	}
	return exitStatus(b.t, err)
}

// follow reads what was added to the journal.
func (b *killBench) follow() {
	for line, err := range b.store.Lines(b.t.Context(), b.tenant.ID(), b.seq) {
		if err != nil {
			b.t.Errorf("reading the journal: %v", err)
			return
		}
		var e journal.Entry
		if err := json.Unmarshal(line.Entry, &e); err != nil {
			b.t.Errorf("reading the journal: %v", err)
			return
		}
		b.seq = e.Seq
		b.pending.Take(e)
		if e.Intent != nil {
			w := writeOf(e)
			b.intents[w]++
			b.seen[w], b.done[w] = 0, 0
		}
	}
}

func writeOf(e journal.Entry) write {
	return write{string(e.Intent.Subject.Kind), strings.ToLower(e.Intent.Subject.ID), string(e.Intent.Setting)}
}

// writes lists what a cmdlet sets; nothing for one that reads.
func writes(in simulator.Invocation) map[write]string {
	var kind, id string
	text := func(name string) string { s, _ := in.Parameters[name].(string); return strings.ToLower(s) }
	switch in.Cmdlet {
	case "Set-Mailbox":
		kind, id = "mailbox", text("Identity")
	case "Set-MailboxAuditBypassAssociation":
		kind, id = "bypass", text("Identity")
	case "Set-OrganizationConfig", "Set-AdminAuditLogConfig":
		kind, id = "organization", "organization"
	case "New-UnifiedAuditLogRetentionPolicy":
		return map[write]string{{"retention", text("Name"), "retentionPolicy"}: spell(in.Parameters)}
	case "Set-UnifiedAuditLogRetentionPolicy":
		return map[write]string{{"retention", text("Identity"), "retentionPolicy"}: spell(in.Parameters)}
	default:
		return nil
	}
	out := map[write]string{}
	for name, value := range in.Parameters {
		if strings.Contains(name, "Audit") {
			out[write{kind, id, strings.ToLower(name[:1]) + name[1:]}] = spell(value)
		}
	}
	return out
}

func spell(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// connected is the moment before a request.
func (b *killBench) connected(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow()
	for _, e := range b.pending.Open() {
		if w := writeOf(e); b.seen[w] == 0 && w.kind == b.aim.kind {
			if b.reach(beforeRequest, w.kind) {
				_ = c.Close() // What lies in it was never read.
			}
			return
		}
	}
}

// moment is a moment of a cmdlet.
func (b *killBench) moment(m simulator.Moment, in simulator.Invocation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := writes(in)
	if strings.HasPrefix(in.Cmdlet, "Get-") {
		b.reads(m, in)
		return
	}
	kind := ""
	for w := range set {
		kind = w.kind
	}
	switch {
	case len(set) == 0:
		b.t.Errorf("a cmdlet that nobody expects: %s %v", in.Cmdlet, in.Parameters)
	case m == simulator.MomentReceived:
		b.follow()
		for w := range set {
			if b.seen[w]++; b.intents[w] == 0 || !b.open(w) {
				b.t.Errorf("%v arrived, and the journal has no open intent of it", w)
			}
		}
		if b.reach(beforeEffect, kind) && b.aim.dies {
			panic(http.ErrAbortHandler) // The service does not come to it either.
		}
	case in.Status < http.StatusBadRequest:
		for w, value := range set {
			b.done[w]++
			b.effects[w] = append(b.effects[w], value)
		}
		b.reach(beforeAnswer, kind)
	}
}

// open tells whether a write has an intent without an outcome.
func (b *killBench) open(w write) bool {
	for _, e := range b.pending.Open() {
		if writeOf(e) == w {
			return true
		}
	}
	return false
}

// reads looks whether a read is that of something whose write was answered.
func (b *killBench) reads(m simulator.Moment, in simulator.Invocation) {
	if m != simulator.MomentReceived {
		return
	}
	var kind, id string
	switch in.Cmdlet {
	case "Get-Mailbox":
		kind = "mailbox"
	case "Get-MailboxAuditBypassAssociation":
		kind = "bypass"
	case "Get-OrganizationConfig", "Get-AdminAuditLogConfig":
		kind, id = "organization", "organization"
	case "Get-UnifiedAuditLogRetentionPolicy":
		kind = "retention"
	}
	if text, ok := in.Parameters["Identity"].(string); ok {
		id = strings.ToLower(text)
	}
	b.follow()
	for _, e := range b.pending.Open() {
		if w := writeOf(e); w.kind == kind && (w.id == id || kind == "retention") && b.done[w] > 0 {
			b.reach(beforeOutcome, kind)
			return
		}
	}
}

// reach counts a moment of a phase, and kills the process at the one that is aimed at.
// It returns when the process is no more.
func (b *killBench) reach(p phase, kind string) bool {
	if b.aim.phase != p || b.aim.kind != kind || b.aim.met {
		return false
	}
	if b.aim.nth--; b.aim.nth > 0 {
		return false
	}
	b.aim.met = true
	if err := b.process.Kill(); err != nil {
		b.t.Errorf("the process cannot be killed: %v", err)
	}
	<-b.dead
	return true
}

// satisfied asks the oracle, of a policy for mailboxes only or of the whole.
func (b *killBench) satisfied(mailboxesOnly bool) {
	b.t.Helper()
	wishes := oracle.Wishes{
		UnifiedAuditLog: true, MailboxAuditing: true, Bypass: &oracle.BypassWish{},
		Retention: &oracle.RetentionWish{Require: []oracle.RequiredRetention{
			{RecordTypes: []string{"ExchangeAdmin", "ExchangeItem"}, AtLeast: 365 * 24 * time.Hour},
		}},
	}
	if mailboxesOnly {
		wishes = oracle.Wishes{}
	}
	defaults := &oracle.Record{Defaults: true}
	for m := range b.tenant.AllMailboxes() {
		wishes.Mailboxes = append(wishes.Mailboxes, oracle.Wish{
			Guid: m.Guid, Admin: defaults, Delegate: defaults, Owner: defaults, AgeLimit: 90 * 24 * time.Hour,
		})
	}
	for _, f := range oracle.Judge(b.tenant, wishes) {
		b.t.Errorf("the tenant is not as the policy says: %+v", f)
	}
}

// verified checks the chain of the journal, by the program.
func (b *killBench) verified() {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), program(b.t), "verify", "--state", b.state)
	cmd.Env = b.env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Errorf("verify: %v\n%s", err, out)
	}
}
