package reconcile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// drawMemory makes a memory of any size, in the order that runs give it.
func drawMemory(t *rapid.T) *Memory {
	ids := func(label string) []guid {
		s := subjects{}
		for _, n := range rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, label) {
			s.ids = append(s.ids, guid{1, n})
		}
		s.settle()
		return s.ids
	}
	at := func(label string) time.Time {
		n := rapid.Int64Range(0, 4e9).Draw(t, label)
		if n == 0 {
			return time.Time{}
		}
		return time.Unix(n, n%1e9).UTC()
	}
	text := rapid.StringN(0, 8, -1)
	m := &Memory{measure: rapid.IntRange(0, 1e6).Draw(t, "measure"), watermark: at("watermark"), bypassAt: at("bypassAt")}
	for _, id := range ids("bypassed") {
		m.bypassKnown = append(m.bypassKnown, id.String())
	}
	for range rapid.IntRange(0, 2).Draw(t, "allowed") {
		m.allowed = append(m.allowed, resolvedAccount{account: text.Draw(t, "account"), ids: ids("of")})
	}
	m.learned = map[defaultKey]audit.ActionSet{}
	for range rapid.IntRange(0, 3).Draw(t, "learned") {
		k := defaultKey{rapid.SampledFrom(audit.MailboxTypes()).Draw(t, "type"), rapid.SampledFrom([]audit.LogonType{audit.Admin, audit.Owner}).Draw(t, "logon"), rapid.Bool().Draw(t, "licensed")}
		m.learned[k] = audit.SetOf([]string{"Update", "Brandnew"})
	}
	for range rapid.IntRange(0, 2).Draw(t, "waiting") {
		m.waiting = append(m.waiting, waiting{at("until"), subjects{audit.KindMailbox, audit.SettingAuditOwner, ids("waiting"), nil}, "digest"})
		m.fixes = append(m.fixes, fixes{text.Draw(t, "run"), at("seen"), at("fixed"), subjects{audit.KindOrganization, audit.SettingAuditDisabled, nil, []string{"organization"}}})
		m.notSettable = append(m.notSettable, notSettable{text.Draw(t, "run"), ids("stuck")})
	}
	m.delegates = map[guid]delegateFact{}
	for _, id := range ids("delegates") {
		m.delegates[id] = delegateFact{at: int64(rapid.IntRange(0, 1e7).Draw(t, "minute")) * 60, has: rapid.Bool().Draw(t, "has")}
	}
	if rapid.Bool().Draw(t, "swept") {
		m.sweep = &sweep{runID: text.Draw(t, "run"), at: at("swept"), digest: "sha256:x", tool: "exoaudit 1", ordinary: 5, read: 6, known: ids("known")}
		if rapid.Bool().Draw(t, "open") {
			m.sweep.open = drawOpen(t, ids("open"))
		}
	}
	return m
}

func drawOpen(t *rapid.T, ids []guid) *carried {
	change := func(kind audit.SubjectKind, before, after any) Change {
		c := Change{
			Setting: audit.SettingAuditOwner, Before: before, After: after, Add: []string{"Move"}, Fate: FateBlocked, Reason: "x\n", Severity: audit.High, Weakens: true,
			Origin: policy.Origin{Pos: policy.Pos{File: "p.yaml", Line: 3, Column: 4}, Rule: "everyone"}, Controls: []string{"CIS"},
		}
		c.normalise()
		if kind != "" {
			c = c.of(Subject{Kind: kind, ID: "the one", Name: "näme"})
		}
		return c
	}
	c := &carried{
		tenant:  []Change{change(audit.KindRetention, nil, "180.00:00:00")},
		unknown: []UnknownObject{{Subject: Subject{Kind: audit.KindRetention}, Reason: "why"}},
		cases: []carriedCase{
			{finding: finding{state: Drifted, changes: []Change{change("", []string{"Update"}, []string{"Move", "Update"})}}, kind: audit.UserMailbox},
			{finding: finding{state: Unknown, unknown: []UnknownObject{{Setting: audit.SettingAuditEnabled, Reason: "null"}}}, kind: audit.GroupMailbox, listing: exchange.Groups},
		},
		records: []record{},
	}
	for _, id := range ids {
		c.records = append(c.records, record{id: id, name: rapid.StringN(0, 8, -1).Draw(t, "name"), kase: int32(rapid.IntRange(0, 1).Draw(t, "case"))})
	}
	return c
}

// TestMemoryComesBack: what is kept is what is read again.
func TestMemoryComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMemory(t)
		back := &Memory{}
		for _, part := range memoryParts() {
			data, err := m.encode(part)
			if err == nil {
				err = back.decode(part, data)
			}
			if err != nil {
				t.Fatalf("%s: %v", part.name, err)
			}
		}
		opts := []cmp.Option{
			cmp.AllowUnexported(Memory{}, sweep{}, carried{}, carriedCase{}, finding{}, record{}, resolvedAccount{}, waiting{}, fixes{}, subjects{}, notSettable{}, delegateFact{}, defaultKey{}),
			cmp.Comparer(func(a, b audit.ActionSet) bool { return a.Equal(b) }),
		}
		if diff := cmp.Diff(m, back, opts...); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestMemoryThatIsNotUnderstood: other bytes are an error that says what to do, and
// never an empty memory.
func TestMemoryThatIsNotUnderstood(t *testing.T) {
	for _, part := range memoryParts() {
		good, err := (&Memory{sweep: &sweep{runID: "a", known: []guid{{1}, {2}}}}).encode(part)
		if err != nil {
			t.Fatal(err)
		}
		newer := append([]byte(nil), good...)
		newer[len(memoryMagic)] = memoryForm + 1
		for name, data := range map[string][]byte{
			"nothing": {}, "foreign": []byte("SQLite format 3\x00"), "of a newer form": newer,
			"cut": good[:len(good)-9], "only the beginning": good[:len(memoryMagic)+1],
		} {
			err := (&Memory{}).decode(part, data)
			if e, ok := errors.AsType[*MemoryError](err); !ok || e.Name != part.name || !strings.Contains(err.Error(), "--state") {
				t.Errorf("%s, %s: %v", part.name, name, err)
			}
		}
	}
}

// TestMemoryWithoutDigests: what was kept of a write that is waited for before the
// policy's digest was kept with it is still read.
func TestMemoryWithoutDigests(t *testing.T) {
	for _, part := range memoryParts() {
		if part.name != snapshotMarks {
			continue
		}
		raw, err := (&Memory{waiting: []waiting{{subjects: subjects{kind: audit.KindMailbox, ids: []guid{{1}}}}}}).pack(part)
		if err != nil {
			t.Fatal(err)
		}
		var back Memory
		if err := back.unpack(part, raw[:len(raw)-1]); err != nil || len(back.waiting) != 1 || back.waiting[0].digest != "" {
			t.Errorf("%v, %+v", err, back.waiting)
		}
	}
}

// TestLargeMemoryOfATenant: a hundred thousand mailboxes, all known, not settable,
// fixed and drifting, are a few megabytes.
func TestLargeMemoryOfATenant(t *testing.T) {
	if testing.Short() {
		t.Skip("packs what is remembered of a hundred thousand mailboxes")
	}
	const mailboxes = 100_000
	m := &Memory{sweep: &sweep{known: make([]guid, mailboxes), open: &carried{cases: make([]carriedCase, 1), records: make([]record, mailboxes)}}}
	seed := uint64(88172645463325252)
	for i := range m.sweep.known {
		for b := range m.sweep.known[i] {
			seed ^= seed << 13
			seed ^= seed >> 7
			seed ^= seed << 17
			m.sweep.known[i][b] = byte(seed >> 24)
		}
		m.sweep.open.records[i] = record{id: m.sweep.known[i], name: "someone@contoso.example"}
	}
	m.notSettable = []notSettable{{"run", m.sweep.known}}
	m.fixes = []fixes{{runID: "run", subjects: subjects{audit.KindMailbox, audit.SettingAuditOwner, m.sweep.known, nil}}}
	total := 0
	for _, part := range memoryParts() {
		data, err := m.encode(part)
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
	}
	if total > 100*mailboxes {
		t.Errorf("%d bytes", total)
	}
}

func FuzzMemory(f *testing.F) {
	m := &Memory{
		sweep:     &sweep{runID: "a", known: []guid{{1}, {2}}, open: &carried{cases: make([]carriedCase, 1), records: []record{{id: guid{1}, name: "a"}}}},
		fixes:     []fixes{{runID: "r", subjects: subjects{audit.KindMailbox, audit.SettingAuditOwner, []guid{{1}}, []string{"x"}}}},
		delegates: map[guid]delegateFact{{3}: {60, true}}, notSettable: []notSettable{{"r", []guid{{4}}}},
	}
	for i, part := range memoryParts() {
		var p packer
		part.write(m, &p)
		f.Add(i, p.b)
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		parts := memoryParts()
		part := parts[uint(which)%uint(len(parts))]
		read := &Memory{}
		u := &unpacker{b: data}
		part.read(read, u)
		if u.err != nil {
			return
		}
		// What was understood is written, and read again as the same.
		var first, second packer
		part.write(read, &first)
		again := &Memory{}
		v := &unpacker{b: first.b}
		part.read(again, v)
		part.write(again, &second)
		if first.err == nil && (v.err != nil || string(first.b) != string(second.b)) {
			t.Errorf("%v\n%x\n%x", v.err, first.b, second.b)
		}
	})
}

// encode gives a part as it is kept.
func (m *Memory) encode(part memoryPart) ([]byte, error) {
	raw, err := m.pack(part)
	if err != nil {
		return nil, err
	}
	return squeeze(raw)
}

// decode takes a part as it was kept.
func (m *Memory) decode(part memoryPart, data []byte) error {
	raw, err := unsqueeze(part, data)
	if err != nil {
		return err
	}
	return m.unpack(part, raw)
}
