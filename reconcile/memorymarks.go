package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

func (m *Memory) packMarks(p *packer) {
	p.moment(m.watermark)
	p.moment(m.bypassAt)
	p.texts(m.bypassKnown)
	p.number(len(m.allowed))
	for _, a := range m.allowed {
		p.text(a.account)
		p.guids(a.ids)
	}
	p.number(len(m.learned))
	for _, k := range slices.SortedFunc(maps.Keys(m.learned), compareDefault) {
		p.text(string(k.kind))
		p.number(int(k.logon))
		p.flag(k.licensed)
		p.texts(m.learned[k].Slice())
	}
	p.number(len(m.waiting))
	for _, w := range m.waiting {
		p.moment(w.until)
		p.subjects(w.subjects)
	}
	p.number(len(m.fixes))
	for _, f := range m.fixes {
		p.text(f.runID)
		p.moment(f.seen)
		p.moment(f.at)
		p.subjects(f.subjects)
	}
	for _, w := range m.waiting {
		p.text(w.digest)
	}
}

func (m *Memory) unpackMarks(u *unpacker) {
	m.watermark, m.bypassAt, m.bypassKnown = u.moment(), u.moment(), u.texts()
	for range u.length(2) {
		m.allowed = append(m.allowed, resolvedAccount{account: u.text(), ids: u.guids()})
	}
	m.learned = map[defaultKey]audit.ActionSet{}
	for range u.length(4) {
		k := defaultKey{kind: audit.MailboxType(u.text()), logon: u.logon(), licensed: u.flag()}
		m.learned[k] = audit.SetOf(u.texts())
	}
	for range u.length(4) {
		m.waiting = append(m.waiting, waiting{until: u.moment(), subjects: u.subjects()})
	}
	for range u.length(4) {
		m.fixes = append(m.fixes, fixes{runID: u.text(), seen: u.moment(), at: u.moment(), subjects: u.subjects()})
	}
	if len(u.b) == 0 { // Earlier programs did not keep the digests.
		return
	}
	for i := range m.waiting {
		m.waiting[i].digest = u.text()
	}
}

// logon reads a logon type.
func (u *unpacker) logon() audit.LogonType {
	n := u.number()
	for _, l := range audit.LogonTypes() {
		if int(l) == n {
			return l
		}
	}
	u.fail(errNoLogon)
	return audit.Owner
}

func (u *unpacker) subjects() subjects {
	s := subjects{kind: audit.SubjectKind(u.text()), setting: audit.Setting(u.text()), ids: u.guids(), names: u.texts()}
	slices.Sort(s.names)
	return s
}

func compareDefault(a, b defaultKey) int {
	licence := func(k defaultKey) int {
		if k.licensed {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(string(a.kind), string(b.kind)), cmp.Compare(a.logon, b.logon), licence(a)-licence(b))
}

func (m *Memory) packNotSettable(p *packer) {
	p.number(len(m.notSettable))
	for _, n := range m.notSettable {
		p.text(n.runID)
		p.guids(n.ids)
	}
}

func (m *Memory) unpackNotSettable(u *unpacker) {
	for range u.length(2) {
		m.notSettable = append(m.notSettable, notSettable{runID: u.text(), ids: u.guids()})
	}
}

func (m *Memory) packDelegates(p *packer) {
	p.number(len(m.delegates))
	for _, id := range slices.SortedFunc(maps.Keys(m.delegates), compareGUID) {
		p.b = append(p.b, id[:]...)
		p.number(int(m.delegates[id].at / 60))
		p.flag(m.delegates[id].has)
	}
}

func (m *Memory) unpackDelegates(u *unpacker) {
	n := u.length(len(guid{}) + 2)
	m.delegates = make(map[guid]delegateFact, n)
	for range n {
		var id guid
		copy(id[:], u.bytes(len(id)))
		m.delegates[id] = delegateFact{at: int64(u.number()) * 60, has: u.flag()}
	}
}
