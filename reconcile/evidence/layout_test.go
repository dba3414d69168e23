package evidence_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/evidence"
)

// resealed gives a changed bundle a seal that fits, as whoever makes one anew can.
func resealed(data []byte) []byte {
	out := bytes.Clone(data)
	sum := sha256.Sum256(out[:len(out)-164])
	copy(out[len(out)-64:], hex.EncodeToString(sum[:]))
	return out
}

// moved puts bytes into a bundle, and sets every offset right so that archives with
// them are read as before.
func moved(t *testing.T, data []byte, at int, in string) []byte {
	t.Helper()
	end := len(data) - 164 - 22
	from := int(binary.LittleEndian.Uint32(data[end+16:]))
	out := slices.Concat(data[:at], []byte(in), data[at:])
	end, shifted := end+len(in), from+len(in)
	binary.LittleEndian.PutUint32(out[end+16:], uint32(shifted))
	for i := shifted; i < end; {
		entry := out[i:]
		if old := binary.LittleEndian.Uint32(entry[42:]); int(old) >= at {
			binary.LittleEndian.PutUint32(entry[42:], old+uint32(len(in)))
		}
		half := func(i int) int { return int(binary.LittleEndian.Uint16(entry[i:])) }
		i += 46 + half(28) + half(30) + half(32)
	}
	return resealed(out)
}

// whole tells whether a bundle verifies, and whether the archive can be read at all.
func whole(t *testing.T, data []byte) evidence.Verification {
	t.Helper()
	if _, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatalf("the test made no archive: %v", err)
	}
	return verified(t, data, "")
}

// TestHiddenParts: an archive that others may read as something else than what was
// checked is no bundle, even with a seal that fits.
func TestHiddenParts(t *testing.T) {
	data := small(t)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := z.File[1].DataOffset()
	if err != nil {
		t.Fatal(err)
	}
	head := int(second) - 30 - len(z.File[1].Name) - len(z.File[1].Extra)
	directory := int(binary.LittleEndian.Uint32(data[len(data)-164-22+16:]))
	changed := func(at int, to string) []byte {
		out := bytes.Clone(data)
		copy(out[at:], to)
		return resealed(out)
	}
	if v := whole(t, changed(0, "PK")); !v.Whole() {
		t.Fatalf("nothing was changed: %v", v.Problems)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"bytes before":                 {moved(t, data, 0, "#!/bin/sh\n"), "what stands before README.txt"},
		"a hidden file":                {moved(t, data, head, localFile("report.html", "<h1>met</h1>")), "what stands before controls.json"},
		"bytes before the directory":   {moved(t, data, directory, "x"), "between the files and the directory"},
		"another name before the file": {changed(head+30, "CONTROLS"), "what stands before controls.json"},
		"another way of packing":       {changed(head+8, "\x00\x00"), "what stands before controls.json"},
		"a size before the file":       {changed(head+22, "\x05"), "what stands before controls.json"},
		"another size after the file":  {changed(head-4, "\x01\x02\x03\x04"), "what stands after README.txt"},
		"a symbolic link":              {changed(directory+38, "\x00\x00\xff\xa1"), "the directory says more of README.txt"},
		"made by another system":       {changed(directory+5, "\x03"), "the directory says more of README.txt"},
		"encrypted":                    {changed(directory+8, "\x09"), "packed in a way that no bundle is"},
		"files swapped":                {swapped(t, data), "what stands before"},
		"a comment":                    {commented(t), "the directory says more of x"},
	} {
		v := whole(t, c.data)
		if v.Whole() || !slices.ContainsFunc(v.Problems, func(p evidence.Problem) bool { return strings.Contains(p.String(), c.want) }) {
			t.Errorf("%s: %v, want %s", name, v.Problems, c.want)
		}
	}
}

// localFile is a file of an archive that no directory names.
func localFile(name, text string) string {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestSpeed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	b := binary.LittleEndian.AppendUint32([]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00"), crc32.ChecksumIEEE([]byte(text)))
	b = binary.LittleEndian.AppendUint32(b, uint32(packed.Len()))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, 0, 0)
	return string(b) + name + packed.String()
}

// commented is a bundle with a word about one of its files in the directory.
func commented(t *testing.T) []byte {
	return forged(t, func(z *zip.Writer, m *string) {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: "x", Method: zip.Deflate, Comment: "no file"}); err != nil {
			t.Fatal(err)
		}
		*m = `{"schema":"exoaudit/evidence/v1","files":[{"name":"x","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}`
	})
}

// swapped lets two entries of the directory point at each other's files.
func swapped(t *testing.T, data []byte) []byte {
	t.Helper()
	out := bytes.Clone(data)
	end := len(out) - 164 - 22
	at := int(binary.LittleEndian.Uint32(out[end+16:]))
	next := at + 46 + int(binary.LittleEndian.Uint16(out[at+28:])) + int(binary.LittleEndian.Uint16(out[at+30:]))
	one, two := bytes.Clone(out[at+42:at+46]), bytes.Clone(out[next+42:next+46])
	copy(out[at+42:], two)
	copy(out[next+42:], one)
	return resealed(out)
}
