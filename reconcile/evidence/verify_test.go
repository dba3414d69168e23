package evidence_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/evidence"
)

// small is a bundle of few bytes, for tests that change each of them.
func small(t testing.TB) []byte {
	t.Helper()
	const text = header + "mailboxes:\n  everyone: {ageLimit: 30d, controls: [A]}\n"
	plan := checkRaw(t, parse(t, text), tenant(simulator.Seed{Mailboxes: 2}), false)
	data, _ := made(t, bundle(t, text, plan))
	return data
}

// region tells what a byte of a bundle belongs to: a file, or the archive's records.
func region(t testing.TB, data []byte) func(at int) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64), f.Name})
	}
	return func(at int) string {
		for _, s := range spans {
			if int64(at) >= s.from && int64(at) < s.to {
				return s.name
			}
		}
		return ""
	}
}

// flipped changes one byte, and tells whether that is found at its place.
func flipped(t *testing.T, data []byte, place string, at int, mask byte) {
	t.Helper()
	changed := bytes.Clone(data)
	changed[at] ^= mask
	v := verified(t, changed, "")
	if v.Whole() {
		t.Fatalf("byte %d changed by %#x was not found", at, mask)
	}
	// Some bits between the blocks of a packed file stand for nothing.
	const nowhere = "the archive's own records (its headers and its directory)"
	if place != "" && !slices.Contains(places(v), place) && !slices.Contains(places(v), nowhere) {
		t.Errorf("byte %d of %s changed by %#x: the places are %q", at, place, mask, places(v))
	}
}

// TestLargeEveryByte changes every byte of a bundle; of its page, every seventeenth.
func TestLargeEveryByte(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short is set and this test verifies thousands of bundles")
	}
	data := small(t)
	at := region(t, data)
	n := 0
	for i := range data {
		if place := at(i); place != "report.html" || i%17 == 0 {
			flipped(t, data, place, i, 0xff)
			n++
		}
	}
	t.Logf("%d of %d bytes changed", n, len(data))
}

// TestSomeBytes changes a tenth of the bytes that belong to no file, and some of each
// file.
func TestSomeBytes(t *testing.T) {
	data := small(t)
	at := region(t, data)
	for i := range data {
		if at(i) == "" && i%11 == 0 || i%211 == 0 {
			flipped(t, data, at(i), i, 0x20)
		}
	}
}

// TestCutAndGrown: a bundle that is shorter or longer is none, nor is one with a part
// taken out or put in.
func TestCutAndGrown(t *testing.T) {
	data := small(t)
	for n := 0; n < len(data); n += 13 {
		if verified(t, data[:n], "").Whole() || verified(t, data[len(data)-n:], "").Whole() {
			t.Fatalf("%d bytes of it were taken for a bundle", n)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		i := rapid.IntRange(0, len(data)).Draw(r, "at")
		n := rapid.IntRange(0, min(50, len(data)-i)).Draw(r, "out")
		in := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(r, "in")
		changed := slices.Concat(data[:i], in, data[i+n:])
		if !bytes.Equal(changed, data) && verified(t, changed, "").Whole() {
			r.Fatalf("at %d: %d bytes for %d were not found", i, len(in), n)
		}
	})
}

// TestDigest: a bundle that was made anew is found by its digest only.
func TestDigest(t *testing.T) {
	data := small(t)
	b := bundle(t, shared, check(t, parse(t, shared), tenant(simulator.Seed{Mailboxes: 2})))
	other, w := made(t, b)
	if v := verified(t, other, ""); !v.Whole() {
		t.Errorf("%v", v.Problems)
	}
	if v := verified(t, data, w.Digest); v.Whole() || places(v)[0] != "the whole file" {
		t.Errorf("%v", v.Problems)
	}
	if v := verified(t, other, strings.ToUpper(w.Digest)); !v.Whole() {
		t.Errorf("%v", v.Problems)
	}
}

// forged makes an archive of any files with a seal that fits.
func forged(t testing.TB, change func(z *zip.Writer, manifest *string)) []byte {
	t.Helper()
	var out bytes.Buffer
	manifest := `{"schema":"exoaudit/evidence/v1","files":[]}`
	s := evidence.NewSealing(&out)
	z := zip.NewWriter(s)
	change(z, &manifest)
	if err := s.End(z, manifest); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestHostileArchives: what an archive can be made to hold is refused before it costs
// anything.
func TestHostileArchives(t *testing.T) {
	add := func(name, text string) func(*zip.Writer, *string) {
		return func(z *zip.Writer, _ *string) {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(w, text)
		}
	}
	both := func(list ...func(*zip.Writer, *string)) func(*zip.Writer, *string) {
		return func(z *zip.Writer, m *string) {
			for _, f := range list {
				f(z, m)
			}
		}
	}
	says := func(text string) func(*zip.Writer, *string) { return func(_ *zip.Writer, m *string) { *m = text } }
	claims := func(size uint64) func(*zip.Writer, *string) {
		return func(z *zip.Writer, _ *string) {
			_, _ = z.CreateRaw(&zip.FileHeader{Name: "big", Method: zip.Deflate, UncompressedSize64: size, CompressedSize64: 0})
		}
	}
	for name, c := range map[string]struct {
		change func(*zip.Writer, *string)
		want   string
	}{
		"nothing":                  {both(), ""},
		"a way out":                {add("../../x", "1"), "../../x: no file of a bundle has such a name"},
		"from the root":            {add("/etc/x", "1"), "/etc/x: no file of a bundle has such a name"},
		"another way out":          {add(`..\x`, "1"), `..\x: no file of a bundle has such a name`},
		"no name":                  {add("", "1"), "a file without a name: no file of a bundle has such a name"},
		"a folder":                 {add("x/", ""), "x/: no file of a bundle has such a name"},
		"a control character":      {add("x\x1b[2J", "1"), `x\x1b[2J: no file of a bundle has such a name`},
		"a long name":              {add(strings.Repeat("x", 5000), "1"), strings.Repeat("x", 100) + "…: no file of a bundle has such a name"},
		"twice":                    {both(add("x", "1"), add("x", "2")), "x: it is there twice"},
		"twice but for case":       {both(add("x", "1"), add("X", "2")), "X: it is there twice"},
		"not in the manifest":      {add("x", "1"), "x: it is not in the manifest"},
		"a bomb":                   {claims(1 << 40), "records"},
		"a bomb beyond counting":   {both(claims(math.MaxUint64), claims(2)), "records"},
		"no manifest":              {says(""), "manifest.json: it cannot be read"},
		"a list for a manifest":    {says("[]"), "manifest.json: it cannot be read"},
		"another schema":           {says(`{"schema":"x"}`), `manifest.json: its schema is "x"`},
		"a file twice":             {says(`{"schema":"exoaudit/evidence/v1","files":[{"name":"manifest.json"}]}`), "manifest.json: the manifest names it twice"},
		"a file that is not there": {says(`{"schema":"exoaudit/evidence/v1","files":[{"name":"x"}]}`), "x: it is missing"},
		"another size":             {both(add("x", "1"), says(`{"schema":"exoaudit/evidence/v1","files":[{"name":"x","size":7}]}`)), "x: it has 1 bytes, and the manifest says 7"},
		"another sum":              {both(add("x", "1"), says(`{"schema":"exoaudit/evidence/v1","files":[{"name":"x","size":1}]}`)), "x: its SHA-256 is not the one in the manifest"},
		"a journal that hangs elsewhere": {
			add("journal.ndjson", `{"prev":"","hash":"x","entry":{}}`+"\n"), "journal.ndjson: journal entry 1: its text is not the one that was sealed",
		},
		"a head that is not there": {
			both(add("journal.ndjson", ""), says(`{"schema":"exoaudit/evidence/v1","files":[],"journal":{"headSeq":3}}`)), "journal.ndjson: it ends with entry 0, and the manifest names entry 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := verified(t, forged(t, c.change), "")
			found := slices.ContainsFunc(v.Problems, func(p evidence.Problem) bool { return strings.Contains(p.String(), c.want) })
			if v.Whole() != (c.want == "") || c.want != "" && !found {
				t.Errorf("problems %q, want %q", v.Problems, c.want)
			}
		})
	}
	many := forged(t, func(z *zip.Writer, _ *string) {
		for i := range 1_001 {
			_, _ = z.Create(fmt.Sprint("f", i))
		}
	})
	if v := verified(t, many, ""); v.Whole() || !strings.Contains(v.Problems[0].Why, "1002 files, more") {
		t.Errorf("%v", v.Problems)
	}
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errFull }

// TestHiddenDirectory: a directory that names more files than are declared, or lies
// elsewhere, is not read.
func TestHiddenDirectory(t *testing.T) {
	data := small(t)
	end := len(data) - 164 - 22
	for name, change := range map[string]func(b []byte){
		"fewer files declared":  func(b []byte) { b[end+10]--; b[end+8]-- },
		"another place":         func(b []byte) { binary.LittleEndian.PutUint32(b[end+16:], 0) },
		"a larger directory":    func(b []byte) { binary.LittleEndian.PutUint32(b[end+12:], uint32(end)) },
		"the other form":        func(b []byte) { copy(b[end+8:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
		"an end in the comment": func(b []byte) { copy(b[end+22+30:], "PK\x05\x06"+strings.Repeat("\x00", 18)) },
	} {
		changed := bytes.Clone(data)
		change(changed)
		v := verified(t, changed, "")
		if v.Whole() || v.Manifest.Schema != "" {
			t.Errorf("%s: %v", name, v.Problems)
		}
	}
	var list strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&list, `,{"name":"f%d"}`, i)
	}
	v := verified(t, forged(t, func(_ *zip.Writer, m *string) {
		*m = `{"schema":"exoaudit/evidence/v1","files":[` + list.String()[1:] + `]}`
	}), "")
	if len(v.Problems) != 100 {
		t.Errorf("%d problems", len(v.Problems))
	}
}

// TestReadErrors: what cannot be read is no finding about the bundle.
func TestReadErrors(t *testing.T) {
	if _, err := evidence.Verify(broken{}, 1000, ""); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
	for _, size := range []int64{0, 1, 163, 164, 165} {
		if v := verified(t, make([]byte, size), ""); v.Whole() {
			t.Errorf("%d zeros are a bundle", size)
		}
	}
	if v, err := evidence.Verify(broken{}, 9<<30, ""); err != nil || v.Whole() {
		t.Errorf("too large: %v, %v", v.Problems, err)
	}
}

// FuzzVerify: whatever the bytes are, nothing breaks, and what is taken for whole ends
// with a seal that fits.
func FuzzVerify(f *testing.F) {
	data := small(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	for _, size := range []uint32{0, 0xffffffff} {
		changed := bytes.Clone(data)
		binary.LittleEndian.PutUint32(changed[22:], size)
		f.Add(changed)
	}
	f.Add(forged(f, func(_ *zip.Writer, m *string) {
		*m = `{"schema":"exoaudit/evidence/v1","journal":{"previousSeq":-9223372036854775808}}`
	}))
	f.Fuzz(func(t *testing.T, changed []byte) {
		v, err := evidence.Verify(bytes.NewReader(changed), int64(len(changed)), "")
		if err != nil {
			t.Fatal(err)
		}
		if v.Whole() && !bytes.Contains(changed, []byte("exoaudit/evidence/v1 manifest=")) {
			t.Error("it has no seal")
		}
		for _, p := range v.Problems {
			if p.Place == "" || p.Why == "" {
				t.Errorf("a problem says nothing: %+v", p)
			}
		}
	})
}
