package policy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exoaudit/exoaudit/policy"
)

// files gives the text of files in memory and counts how often each is asked for.
type files struct {
	text  map[string]string
	reads map[string]int
}

func (f *files) read(path string) ([]byte, error) {
	f.reads[path]++
	text, ok := f.text[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func filesOf(text map[string]string) *files { return &files{text, map[string]int{}} }

// TestExtends holds each archive of testdata/extends to what is found in all of
// its files, and to the policy that they mean. The first file is the policy.
func TestExtends(t *testing.T) {
	for _, path := range inputs(t, "testdata/extends/*.txtar", 25) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f := filesOf(map[string]string{})
			for _, file := range archive.Files {
				f.text[file.Name] = string(file.Data)
			}
			p, found := policy.Load(archive.Files[0].Name, archive.Files[0].Data, f.read)
			var b strings.Builder
			for _, d := range found {
				fmt.Fprintf(&b, "%s %s\n", d.Pos, d.Code)
				if d.File == "" || d.Line < 1 || d.Column < 1 || d.Message == "" {
					t.Errorf("a finding without a place: %+v", d)
				}
			}
			if (p == nil) != found.HasErrors() {
				t.Errorf("policy %v with\n%s", p != nil, found.Error())
			}
			if p != nil {
				b.WriteString(dumpFiles(p))
			}
			golden(t, strings.TrimSuffix(path, ".txtar")+".out", b.String())
			for name, n := range f.reads {
				if n > 1 {
					t.Errorf("%s was read %d times", name, n)
				}
			}
		})
	}
}

// dumpFiles writes a policy of several files, and which file each part is from.
func dumpFiles(p *policy.Policy) string {
	var b strings.Builder
	for _, r := range p.Mailboxes {
		fmt.Fprintf(&b, "from %s: rule %s\n", r.Pos.File, r.Name)
	}
	for _, e := range p.Exemptions {
		fmt.Fprintf(&b, "from %s: exemption %s\n", e.Pos.File, e.Name)
	}
	return b.String() + dump(p)
}

// TestExtendsMessages pins the words of what goes wrong between files.
func TestExtendsMessages(t *testing.T) {
	tests := []struct {
		name, want string
		text       map[string]string
	}{
		{
			"the same rule", "p.yaml:6:3: error duplicate-name: mailboxes.r stands already at b.yaml:5:3 (rename it, or replace the other with override: true and a reason)",
			map[string]string{"p.yaml": "extends: [b.yaml]\nmailboxes:\n  r: {ageLimit: 1y}\n", "b.yaml": "mailboxes:\n  r: {ageLimit: 1y}\n"},
		},
		{
			"a looser guard", "p.yaml:5:22: error looser: guards.maxChanged asks for less than b.yaml:4:22 does (remove it, or give the reason in overrides: {guards.maxChanged: …})",
			map[string]string{"p.yaml": "extends: [b.yaml]\nguards: {maxChanged: 6}\n", "b.yaml": "guards: {maxChanged: 5}\nbypass: {}\n"},
		},
		{
			"a circle", "b.yaml:4:11: error cycle: c.yaml is extended on the way from itself (c.yaml:4:11); it is named already at p.yaml:4:11 (break the circle)",
			map[string]string{"p.yaml": "extends: [c.yaml]\nbypass: {}\n", "c.yaml": "extends: [b.yaml]\n", "b.yaml": "extends: [c.yaml]\n"},
		},
		{
			"a misspelt baseline", `p.yaml:4:11: error bad-extends: there is no baseline "cis-m365-7" (did you mean cis-m365-7.0?; a path ends in .yaml)`,
			map[string]string{"p.yaml": "extends: [cis-m365-7]\n"},
		},
		{
			"a file that is not there", "p.yaml:4:11: error unreadable: sub/x.yaml cannot be read: file does not exist (paths are relative to the file that names them)",
			map[string]string{"p.yaml": "extends: [sub/x.yaml]\n"},
		},
		{
			"a conflict with a baseline", "p.yaml:6:55: error conflict: Admin: a list managed by Microsoft cannot hold Copy, FolderBind, Move, which plus asks for (it contradicts builtin:cis-m365-7.0:19:9 in rule cis-m365-7.0)",
			map[string]string{"p.yaml": "extends: [cis-m365-7.0]\nmailboxes:\n  r: {types: [UserMailbox], record: {admin: {managed: true}}}\n"},
		},
	}
	for _, tt := range tests {
		f := filesOf(map[string]string{})
		for name, text := range tt.text {
			f.text[name] = head + text
		}
		if _, found := policy.Load("p.yaml", []byte(f.text["p.yaml"]), f.read); found.Error() != tt.want {
			t.Errorf("%s: found %s\nwant %s", tt.name, found.Error(), tt.want)
		}
	}
}

// TestExtendsReadsRelativePaths: the reader is asked for the path joined to the
// folder of the file that names it, whatever the policy is called.
func TestExtendsReadsRelativePaths(t *testing.T) {
	for _, tt := range []struct{ file, item, want string }{
		{"p.yaml", "b.yaml", "b.yaml"},
		{"./x/p.yaml", "b.yaml", "x/b.yaml"},
		{"x/p.yaml", "../y/b.YML", "y/b.YML"},
		{"x/p.yaml", "../../b.yaml", "../b.yaml"},
		{"/etc/p.yaml", "sub/b", "/etc/sub/b"},
		{"-", "b.yaml", "b.yaml"},
		{"", "b.yaml", "b.yaml"},
	} {
		var asked []string
		policy.Load(tt.file, []byte(head+"extends: [\""+tt.item+"\"]\n"), func(path string) ([]byte, error) {
			asked = append(asked, path)
			return nil, errors.New("no")
		})
		if len(asked) != 1 || asked[0] != tt.want {
			t.Errorf("%s extends %s: asked for %q, want %q", tt.file, tt.item, asked, tt.want)
		}
	}
}

// TestExtendsIsBounded: a file that names ever new files comes to an end.
func TestExtendsIsBounded(t *testing.T) {
	reads := 0
	_, found := policy.Load("p.yaml", []byte(head+"extends: [a.yaml]\n"), func(string) ([]byte, error) {
		reads++
		return []byte(head + "extends: [x/a.yaml, y/a.yaml]\n"), nil
	})
	if !found.HasErrors() || reads > policy.MaxExtendsFiles {
		t.Errorf("%d files were read, errors %v", reads, found.HasErrors())
	}
	for _, d := range found {
		if d.Code != policy.CodeTooMany {
			t.Fatalf("found %s", d)
		}
	}
	// A baseline extends no file, whatever the reader could give.
	for _, b := range policy.Baselines() {
		if _, found := policy.Load("p.yaml", []byte(head+"extends: ["+b.Name+"]\n"), nil); len(found) > 0 {
			t.Errorf("%s: %s", b.Name, found.Error())
		}
	}
}

// FuzzLoad reads a policy and the file it extends.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(head+"extends: [b.yaml, cis-m365-7.0]\nmailboxes: {r: {ageLimit: 1y, override: true, reason: r}}\n"), []byte(head+"mailboxes: {r: {ageLimit: 1y}}\n"))
	f.Add([]byte(head+"extends: [b.yaml]\nguards: {rings: [5]}\noverrides: {guards.rings: r}\n"), []byte(head+"extends: [p.yaml, whitepaper-2016]\nguards: {rings: [1, 1%]}\n"))
	f.Add([]byte(head+"extends: [./b.yaml, ../b.yaml, x/b.yaml]\nbypass: {allow: []}\n"), []byte(head+"extends: [b.yaml]\n"))
	f.Fuzz(func(t *testing.T, root, base []byte) {
		reads := 0
		read := func(path string) ([]byte, error) {
			if reads++; reads > policy.MaxExtendsFiles {
				t.Fatalf("%d files were read", reads)
			}
			if strings.HasPrefix(path, "x/") {
				return nil, fs.ErrNotExist
			}
			return base, nil
		}
		p, found := policy.Load("p.yaml", root, read)
		if (p == nil) != found.HasErrors() {
			t.Fatalf("policy %v with %s", p != nil, found.Error())
		}
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.File == "" || d.Code == "" || d.Message == "" {
				t.Fatalf("a finding without a place: %+v", d)
			}
		}
		if p == nil {
			return
		}
		reads = 0
		if again, _ := policy.Load("p.yaml", root, read); again.Digest() != p.Digest() {
			t.Fatal("two digests of one text")
		}
		for _, typ := range p.Types() {
			p.Resolve(typ, indexes(p))
		}
	})
}
