package reconcile

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Memory is what the runs on a tenant leave for the next ones (design sections 3,
// 7 and 8). It is a value: [Plan.Remember] and [Run.Remember] give a new one.
// The zero value remembers nothing, and a nil *Memory is that of a run without a
// store.
type Memory struct {
	// sweep is the last complete sweep of the whole tenant, nil where there was
	// none, or where something was undone since.
	sweep *sweep
	// measure is the population of the last complete sweep, which outlives the
	// sweep itself.
	measure int
	// watermark is when the last complete run began, by the service's clock.
	watermark time.Time
	// bypassAt is when the bypass associations were last listed whole, and
	// bypassKnown are the ids of the rows that were then bypassed or allowed.
	bypassAt    time.Time
	bypassKnown []string
	// allowed are the objects that the allow entries were resolved to then.
	allowed []resolvedAccount
	learned map[defaultKey]audit.ActionSet
	// waiting are writes that were accepted and did not show yet.
	waiting []waiting
	// notSettable are the mailboxes whose stored AuditEnabled the service would
	// not set.
	notSettable []notSettable
	// fixes are the verified changes of the last day, by which it is seen that
	// somebody else undoes them.
	fixes []fixes
	// delegates is what was read of Full Access for hasDelegates.
	delegates map[guid]delegateFact

	// version is that of the snapshots that this memory was read from, and sums
	// are the hashes of their unpacked bytes, by which it is seen what has changed.
	version map[string]int64
	sums    map[string][sha256.Size]byte
	// journal is the number of the last line of the tenant's journal when the
	// memory was read.
	journal int64
}

// sweep is what is kept of the last complete full sweep.
type sweep struct {
	runID  string
	at     time.Time // when it began, by the service's clock
	digest string    // of its policy
	tool   string    // name and version of the program
	// ordinary is the population by which later ones are measured, read the number
	// of mailboxes of every listing.
	ordinary, read int
	// groups is the digest of who was in the groups that the policy names.
	groups string
	// known are the mailboxes that were there, sorted.
	known []guid
	// open are its findings that are not settled yet, and those of later runs.
	open *carried
}

// resolvedAccount is an allow entry, by what it calls its account, with the
// objects that it stood for; none where there was no such account.
type resolvedAccount struct {
	account string
	ids     []guid
}

// subjects are objects of one kind, of which one setting is meant. A hundred
// thousand of them are why they are not strings.
type subjects struct {
	kind    audit.SubjectKind
	setting audit.Setting
	ids     []guid   // of mailboxes and bypass rows, sorted
	names   []string // of other kinds, sorted
}

// has tells whether a mailbox or bypass row is among them.
func (s subjects) has(id guid) bool {
	_, found := slices.BinarySearchFunc(s.ids, id, compareGUID)
	return found
}

// hasObject tells whether an object is among them: by its id where it is a mailbox
// or a bypass row, by the id of the subject where it is something else.
func (s subjects) hasObject(of Subject, id guid) bool {
	if byGUID(of.Kind) {
		return s.has(id)
	}
	_, found := slices.BinarySearch(s.names, of.ID)
	return found
}

// byGUID tells the kinds whose objects have a Guid.
func byGUID(k audit.SubjectKind) bool { return k == audit.KindMailbox || k == audit.KindBypass }

// count is how many they are.
func (s subjects) count() int { return len(s.ids) + len(s.names) }

// add puts an object among them; [subjects.settle] orders them.
func (s *subjects) add(id string) {
	if !byGUID(s.kind) {
		s.names = append(s.names, id)
	} else if g, ok := parseGUID(id); ok {
		s.ids = append(s.ids, g)
	}
}

func (s *subjects) settle() {
	slices.SortFunc(s.ids, compareGUID)
	slices.Sort(s.names)
	s.ids, s.names = slices.Compact(s.ids), slices.Compact(s.names)
}

// delegateFact is what was read of the Full Access permissions of a mailbox, and
// when, in seconds since 1970.
type delegateFact struct {
	at  int64
	has bool
}

// loadAttempts bounds how often a memory is read again because another run was
// keeping its own meanwhile.
const loadAttempts = 5

// LoadMemory reads what is remembered of a tenant; where nothing is, it gives an
// empty memory. Bytes that cannot be understood are an error: to forget them in
// silence would forget open findings. Where others keep theirs again and again
// meanwhile it is a *store.ConflictError.
func LoadMemory(ctx context.Context, st store.Store, tenant string) (*Memory, error) {
	for range loadAttempts {
		// The marks are put along with anything else: where they stand still, the
		// parts belong together. An old sweep with a new watermark would hide what
		// drifted in between.
		before, err := st.Snapshot(ctx, tenant, snapshotMarks)
		if err != nil {
			return nil, err
		}
		m, err := loadParts(ctx, st, tenant)
		if err != nil {
			return nil, err
		}
		if m.version[snapshotMarks] == before.Version {
			return m, nil
		}
	}
	return nil, &store.ConflictError{Tenant: tenant, Name: snapshotMarks}
}

// loadParts reads the parts of a memory one after the other, the marks last.
func loadParts(ctx context.Context, st store.Store, tenant string) (*Memory, error) {
	m := &Memory{version: map[string]int64{}, sums: map[string][sha256.Size]byte{}}
	head, err := st.Head(ctx, tenant)
	if err != nil {
		return nil, err
	}
	m.journal = head.Seq
	for _, part := range memoryParts() {
		s, err := st.Snapshot(ctx, tenant, part.name)
		if err != nil {
			return nil, err
		}
		m.version[part.name] = s.Version
		if s.Version == 0 {
			continue
		}
		raw, err := unsqueeze(part, s.Data)
		if err != nil {
			return nil, err
		}
		m.sums[part.name] = sha256.Sum256(raw)
		if err := m.unpack(part, raw); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Save keeps the memory. It is a *store.ConflictError where another run has saved
// since this one was read. What did not change is not written again, except that
// the marks are put along with anything else, so that two runs always see each
// other.
func (m *Memory) Save(ctx context.Context, st store.Store, tenant string) error {
	var list []store.Snapshot
	sums := map[string][sha256.Size]byte{}
	for _, part := range memoryParts() {
		raw, err := m.pack(part)
		if err != nil {
			return err
		}
		sums[part.name] = sha256.Sum256(raw)
		same := m.sums[part.name] == sums[part.name] || m.version[part.name] == 0 && part.empty(m)
		if same && (part.name != snapshotMarks || len(list) == 0) {
			continue
		}
		data, err := squeeze(raw)
		if err != nil {
			return err
		}
		list = append(list, store.Snapshot{Name: part.name, Version: m.version[part.name], Data: data})
	}
	if len(list) == 0 {
		return nil
	}
	if err := st.PutSnapshots(ctx, tenant, list); err != nil {
		return err
	}
	m.version, m.sums = maps.Clone(m.version), sums
	if m.version == nil {
		m.version = map[string]int64{}
	}
	for _, s := range list {
		m.version[s.Name]++
	}
	return nil
}

// LastSweep tells when the last complete full sweep began, and by which run;
// the zero time where there was none.
func (m *Memory) LastSweep() (at time.Time, runID string) {
	if m == nil || m.sweep == nil {
		return time.Time{}, ""
	}
	return m.sweep.at, m.sweep.runID
}

// population is the number of mailboxes by which later ones are measured; 0 where
// there is no measure.
func (m *Memory) population() int {
	switch {
	case m == nil:
		return 0
	case m.sweep != nil:
		return m.sweep.ordinary
	}
	return m.measure
}

// withoutSweep forgets the last sweep, so that nothing is in line before the next
// one. Its population stays the measure.
func (m *Memory) withoutSweep() *Memory {
	n := *m
	n.measure, n.sweep = m.population(), nil
	return &n
}

// String says in a line what is remembered, for logs.
func (m *Memory) String() string {
	at, run := m.LastSweep()
	if run == "" {
		return "no complete sweep is remembered"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "last complete sweep %s (run %s) with %s", at.UTC().Format(time.RFC3339), run, countedMailboxes(m.sweep.read))
	if m.sweep.open != nil {
		fmt.Fprintf(&b, ", %d of them with open findings", len(m.sweep.open.records))
	}
	fmt.Fprintf(&b, "; watermark %s", m.watermark.UTC().Format(time.RFC3339))
	return b.String()
}
