package reconcile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// The names of the snapshots in which a memory is kept. What changes at each run
// is apart from what is large.
const (
	snapshotSweep       = "sweep"
	snapshotMarks       = "marks"
	snapshotNotSettable = "notSettable"
	snapshotDelegates   = "delegates"
)

// memoryMagic begins each snapshot; its last byte is the form of what follows,
// packed with gzip.
const (
	memoryMagic = "exoaudit-memory:"
	memoryForm  = 1
)

// maxMemory bounds what a snapshot may unpack to: a million mailboxes are some
// hundred megabytes, and a damaged one must not take the machine with it.
const maxMemory = 1 << 30

// memoryPart is one snapshot: how it is written, read, and found to be empty.
type memoryPart struct {
	name  string
	write func(*Memory, *packer)
	read  func(*Memory, *unpacker)
	empty func(*Memory) bool
}

// memoryParts are the snapshots of a memory. The marks are last: they are put
// along with any other.
func memoryParts() [4]memoryPart {
	return [...]memoryPart{
		{snapshotSweep, (*Memory).packSweep, (*Memory).unpackSweep, func(m *Memory) bool { return m.sweep == nil && m.measure == 0 }},
		{snapshotNotSettable, (*Memory).packNotSettable, (*Memory).unpackNotSettable, func(m *Memory) bool { return len(m.notSettable) == 0 }},
		{snapshotDelegates, (*Memory).packDelegates, (*Memory).unpackDelegates, func(m *Memory) bool { return len(m.delegates) == 0 }},
		{snapshotMarks, (*Memory).packMarks, (*Memory).unpackMarks, func(m *Memory) bool {
			return m.watermark.IsZero() && m.bypassAt.IsZero() && len(m.learned)+len(m.waiting)+len(m.fixes) == 0
		}},
	}
}

// MemoryError says that what earlier runs left cannot be understood. It is never
// forgotten in silence, as open findings would be forgotten with it.
type MemoryError struct{ Name, Why string }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("what earlier runs left (%s) cannot be used: %s; use the version of the program that wrote it, or a newer one, "+
		"or name another place with --state, where the first full check begins anew", e.Name, e.Why)
}

// pack gives a part before it is squeezed, by which it is told whether it changed:
// that is cheap, and squeezing the sweep of a large tenant is not.
func (m *Memory) pack(part memoryPart) ([]byte, error) {
	var p packer
	part.write(m, &p)
	if p.err != nil {
		return nil, fmt.Errorf("packing what is remembered (%s): %w", part.name, p.err)
	}
	return p.b, nil
}

func squeeze(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(memoryMagic)
	out.WriteByte(memoryForm)
	z := gzip.NewWriter(&out)
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unsqueeze(part memoryPart, data []byte) ([]byte, error) {
	rest, found := bytes.CutPrefix(data, []byte(memoryMagic))
	switch {
	case !found || len(rest) == 0:
		return nil, &MemoryError{part.name, "it is not what this program writes"}
	case rest[0] != memoryForm:
		return nil, &MemoryError{part.name, fmt.Sprintf("it is of form %d, and this version reads form %d", rest[0], memoryForm)}
	}
	z, err := gzip.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return nil, &MemoryError{part.name, "it is damaged: " + err.Error()}
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxMemory))
	if err != nil {
		return nil, &MemoryError{part.name, "it is damaged: " + err.Error()}
	}
	return raw, nil
}

func (m *Memory) unpack(part memoryPart, raw []byte) error {
	u := &unpacker{b: raw}
	part.read(m, u)
	if u.err == nil && len(u.b) > 0 {
		u.err = errors.New("something follows its end")
	}
	if u.err != nil {
		return &MemoryError{part.name, "it is damaged: " + u.err.Error()}
	}
	return nil
}

// packer writes numbers, texts and ids one after the other.
type packer struct {
	b   []byte
	err error
}

func (p *packer) number(n int) { p.b = binary.AppendUvarint(p.b, uint64(max(0, n))) }

func (p *packer) text(s string) {
	p.number(len(s))
	p.b = append(p.b, s...)
}

func (p *packer) texts(list []string) {
	p.number(len(list))
	for _, s := range list {
		p.text(s)
	}
}

// moment writes a time to the nanosecond; the zero time is a case of its own.
func (p *packer) moment(t time.Time) {
	if t.IsZero() {
		p.number(0)
		return
	}
	p.number(1)
	p.b = binary.AppendVarint(p.b, t.Unix())
	p.number(t.Nanosecond())
}

func (p *packer) flag(f bool) {
	if f {
		p.number(1)
	} else {
		p.number(0)
	}
}

func (p *packer) guids(ids []guid) {
	p.number(len(ids))
	for _, id := range ids {
		p.b = append(p.b, id[:]...)
	}
}

func (p *packer) subjects(s subjects) {
	p.text(string(s.kind))
	p.text(string(s.setting))
	p.guids(s.ids)
	p.texts(s.names)
}

// unpacker reads what a packer wrote. After an error it gives zero values.
type unpacker struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends early")

func (u *unpacker) fail(err error) {
	if u.err == nil {
		u.err = err
	}
	u.b = nil
}

// number reads a number up to 2^31-1.
func (u *unpacker) number() int {
	n, size := binary.Uvarint(u.b)
	if size <= 0 || n > math.MaxInt32 {
		u.fail(errShort)
		return 0
	}
	u.b = u.b[size:]
	return int(n)
}

// length reads the length of a list whose elements take at least size bytes each,
// so that a damaged one asks for no more memory than it brings.
func (u *unpacker) length(size int) int {
	n := u.number()
	if n > len(u.b)/size {
		u.fail(errShort)
		return 0
	}
	return n
}

func (u *unpacker) bytes(n int) []byte {
	if n > len(u.b) {
		u.fail(errShort)
		return nil
	}
	out := u.b[:n]
	u.b = u.b[n:]
	return out
}

func (u *unpacker) text() string { return string(u.bytes(u.length(1))) }

func (u *unpacker) texts() []string {
	n := u.length(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = u.text()
	}
	return list
}

func (u *unpacker) moment() time.Time {
	if u.number() == 0 {
		return time.Time{}
	}
	seconds, size := binary.Varint(u.b)
	if size <= 0 || seconds < -1<<40 || seconds > 1<<40 {
		u.fail(errShort)
		return time.Time{}
	}
	u.b = u.b[size:]
	return time.Unix(seconds, int64(u.number()%int(time.Second))).UTC()
}

func (u *unpacker) flag() bool { return u.number() == 1 }

// guids reads ids, and orders them where they are not.
func (u *unpacker) guids() []guid {
	n := u.length(len(guid{}))
	if n == 0 {
		return nil
	}
	ids := make([]guid, n)
	for i := range ids {
		copy(ids[i][:], u.bytes(len(guid{})))
	}
	if !slices.IsSortedFunc(ids, compareGUID) {
		slices.SortFunc(ids, compareGUID)
	}
	return ids
}
