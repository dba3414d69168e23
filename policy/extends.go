package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// Extended is a baseline or file that a policy is made of besides its own text.
type Extended struct {
	// Name is a baseline's name, or a file's path as it was read.
	Name string
	// BuiltIn tells that it is a baseline.
	BuiltIn bool
	// Pos is the first place that names it.
	Pos Pos
}

// The bounds of what one policy may extend. They are far above what a reader
// could keep in mind, and keep a chain that links made endless from being read.
const (
	// MaxExtendsDepth is the number of files from a policy to the last it extends.
	MaxExtendsDepth = 8
	// MaxExtendsFiles is the number of files and baselines of one policy.
	MaxExtendsFiles = 64
)

// Load reads the text of a policy file and of all that it extends: built-in
// baselines by name, and files by paths relative to the file that names them.
// read gets such a path, joined to the folder of the extending file with forward
// slashes, and gives the text; a nil read refuses paths. The file's name is used
// in places and as the start of these paths, so it has forward slashes too.
//
// Rules, exemptions and allow entries of an extended policy apply beside those of
// the extending one, which may replace one of the same name with override: true
// and a reason. Of single values the stricter wins; a looser one is an error
// unless overrides gives a reason.
//
// The diagnostics are sorted and hold every mistake of every file. With an error
// among them the policy is nil; warnings alone leave it usable.
func Load(file string, data []byte, read func(path string) ([]byte, error)) (*Policy, Diagnostics) {
	l := &loader{read: read, done: map[string]*Policy{}, rank: map[string]int{}}
	p, root := l.load(file, path.Clean(file), data, nil)
	p.Extends = l.extended
	p.checkConflicts(l)
	if root.IsMap() && !p.wishes && !l.missing {
		l.report(Diagnostic{
			Pos: root.Pos(), Code: CodeNoOpinion, Severity: strict.Warning,
			Message: "the policy asks for nothing", Hint: "add organization, mailboxes or bypass",
		})
	}
	found := l.found.Sorted()
	if found.HasErrors() {
		return nil, found
	}
	return p, found
}

// loader reads the files of one policy.
type loader struct {
	read     func(string) ([]byte, error)
	found    Diagnostics
	done     map[string]*Policy // each file and baseline with all that it extends
	chain    []link             // from the policy to the file being read
	extended []Extended
	rank     map[string]int // files in the order in which their reading began
	missing  bool           // something extended could not be had, so not all names are known
}

// link is a step from one file to one that it extends.
type link struct {
	key string
	pos Pos // where it is named; zero for the policy itself
}

// load reads one file and what it extends, and gives them as one policy. The
// root is nil where the text has no value.
func (l *loader) load(file, key string, data []byte, from *strict.Node) (*Policy, *strict.Node) {
	l.rank[file] = len(l.rank)
	l.chain = append(l.chain, link{key, from.Pos()})
	defer func() { l.chain = l.chain[:len(l.chain)-1] }()
	doc := strict.Parse(file, data)
	own := &Policy{File: file}
	extends := own.read(doc.Root())
	base := l.bases(extends, file)
	l.found = append(l.found, doc.Diagnostics()...)
	m := &merger{report: l.report, blind: l.missing || doc.Root() == nil, overrides: own.Overrides, used: map[string]bool{}}
	p := m.over(base, own)
	l.done[key] = p
	return p, doc.Root()
}

// report adds a finding.
func (l *loader) report(d Diagnostic) { l.found = append(l.found, d) }

// bases reads what a file extends and gives it as one policy.
func (l *loader) bases(n *strict.Node, file string) *Policy {
	base := &Policy{}
	items, ok := n.List()
	if !ok {
		l.missing = l.missing || n != nil
		return base
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "leave extends out", "extends names nothing")
	}
	var seen []link
	for _, item := range items {
		s, ok := l.resolve(item, file)
		if !ok {
			l.missing = true
			continue
		}
		if i := slices.IndexFunc(seen, func(f link) bool { return f.key == s.key }); i >= 0 {
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list at %s", s.name, seen[i].pos)
			continue
		}
		seen = append(seen, link{s.key, item.Pos()})
		if p := l.extend(item, s); p != nil {
			m := &merger{report: l.report, siblings: true, blind: l.missing}
			base = m.over(base, p)
		} else {
			l.missing = true
		}
	}
	return base
}

// source is something that an entry of extends names.
type source struct {
	name    string
	key     string // equal for the same thing only
	builtIn bool
}

// extend reads one source once, or gives what was read of it; nil where it cannot
// be had, which has been reported.
func (l *loader) extend(n *strict.Node, s source) *Policy {
	if i := slices.IndexFunc(l.chain, func(f link) bool { return f.key == s.key }); i >= 0 {
		l.cycle(n, s, i)
		return nil
	}
	if p := l.done[s.key]; p != nil {
		return p
	}
	switch {
	case len(l.chain) > MaxExtendsDepth:
		n.Errorf(CodeTooMany, "extend fewer files in a row", "%s is more than %d files away from the policy", s.name, MaxExtendsDepth)
		return nil
	case len(l.extended) >= MaxExtendsFiles:
		n.Errorf(CodeTooMany, "", "the policy is made of more than %d files", MaxExtendsFiles)
		return nil
	}
	file, data, err := l.text(s)
	if err != nil {
		n.Errorf(CodeUnreadable, "paths are relative to the file that names them", "%s cannot be read: %v", s.name, err)
		return nil
	}
	l.extended = append(l.extended, Extended{Name: s.name, BuiltIn: s.builtIn, Pos: n.Pos()})
	p, root := l.load(file, s.key, data, n)
	if root == nil {
		l.missing = true
	}
	return p
}

// text gives what a source says, and its name in places.
func (l *loader) text(s source) (file string, data []byte, err error) {
	if s.builtIn {
		data, _ = Baseline(s.name)
		return BuiltInFile(s.name), data, nil
	}
	data, err = l.read(s.name)
	return s.name, data, err
}

// cycle reports a file that is on the way to itself, with the place that closes
// the circle and the one that opened it.
func (l *loader) cycle(n *strict.Node, s source, i int) {
	opened := "it is the policy itself"
	if i > 0 {
		opened = "it is named already at " + l.chain[i].pos.String()
	}
	if i == len(l.chain)-1 {
		n.Errorf(CodeCycle, "remove it", "%s extends itself; %s", s.name, opened)
		return
	}
	n.Errorf(CodeCycle, "break the circle", "%s is extended on the way from itself (%s); %s", s.name, l.chain[i+1].pos, opened)
}

// resolve says what an entry of extends names: a path has a slash or ends in
// .yaml or .yml, anything else is a baseline.
func (l *loader) resolve(n *strict.Node, file string) (source, bool) {
	text, ok := readText(n)
	if !ok {
		return source{}, false
	}
	lower := strings.ToLower(text)
	isPath := strings.ContainsAny(text, `/\:`) || strings.HasSuffix(lower, ".yaml") || strings.HasSuffix(lower, ".yml")
	if !isPath {
		if _, ok := Baseline(text); ok {
			return source{name: text, key: BuiltInFile(text), builtIn: true}, true
		}
		n.Errorf(CodeBadExtends, suggest(text, baselineNames())+"; a path ends in .yaml", "there is no baseline %q", text)
		return source{}, false
	}
	if why := unfitPath(text); why != "" {
		n.Errorf(CodeBadExtends, "write a path relative to this file, as in ../shared/base.yaml", "%q: %s", text, why)
		return source{}, false
	}
	if l.read == nil || IsBuiltIn(file) {
		n.Errorf(CodeBadExtends, "only built-in baselines can be extended here", "files cannot be read: %q", text)
		return source{}, false
	}
	name := path.Join(path.Dir(file), text)
	return source{name: name, key: name}, true
}

// unfitPath says why a path is refused. One that means another file on another
// system, or another computer, would make the policy depend on where it is read.
func unfitPath(text string) string {
	switch {
	case strings.Contains(text, `\`):
		return "paths are written with forward slashes"
	case strings.Contains(text, ":"):
		return "a path has no colon; drives and addresses are not read"
	case strings.HasPrefix(text, "/"):
		return "absolute paths are not read"
	case strings.HasSuffix(text, "/"), path.Base(text) == "..", path.Base(text) == ".":
		return "it is a folder"
	default:
		return ""
	}
}
