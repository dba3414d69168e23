package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// ParseTest reads the text of a file of test cases; the file's name is used in
// places and as the start of the policy's path. The diagnostics are sorted and
// hold every mistake. With an error among them the file is nil.
func ParseTest(file string, data []byte) (*TestFile, Diagnostics) {
	doc := strict.Parse(file, data)
	f := &TestFile{File: file}
	f.read(doc.Root())
	found := doc.Diagnostics()
	if found.HasErrors() {
		return nil, found
	}
	return f, found
}

func (f *TestFile) read(root *strict.Node) {
	m, ok := root.Map(strict.Required("apiVersion", "kind", "policy", "cases"))
	if !ok {
		return
	}
	readFixed(m.Get("apiVersion"), APIVersion)
	readFixed(m.Get("kind"), TestKind)
	f.readPolicy(m.Get("policy"))
	items, ok := m.Get("cases").List()
	if !ok {
		return
	}
	if len(items) == 0 {
		m.Get("cases").Errorf(CodeEmptyValue, "add a case", "cases holds no case")
	}
	seen := map[string]Pos{}
	for _, item := range items {
		c := readCase(item)
		if first, twice := seen[c.Name]; twice && c.Name != "" {
			item.Errorf(CodeDuplicateValue, "", "the case %q stands already at %s", c.Name, first)
		}
		seen[c.Name] = c.Pos
		f.Cases = append(f.Cases, c)
	}
}

func (f *TestFile) readPolicy(n *strict.Node) {
	text, ok := readText(n)
	if !ok {
		return
	}
	if _, builtIn := Baseline(text); !builtIn {
		if why := unfitPath(text); why != "" {
			n.Errorf(CodeBadExtends, "write a path relative to this file, or the name of a baseline", "%q: %s", text, why)
		}
	}
	f.Policy = Located[string]{text, n.Pos()}
}

func readCase(n *strict.Node) TestCase {
	m, ok := n.Map(strict.Required("name", "mailbox", "expect"))
	if !ok {
		return TestCase{}
	}
	return TestCase{
		Name: readWords(m.Get("name")), Pos: n.Pos(),
		Mailbox: readSample(m.Get("mailbox")),
		Expect:  readExpectation(m.Get("expect")),
	}
}

func readSample(n *strict.Node) SampleMailbox {
	s := SampleMailbox{Type: audit.UserMailbox, Attributes: map[Attribute]string{}}
	m, ok := n.Map(strict.Keys("type", "addresses", "attributes", "memberOf", "delegates", "capabilities"))
	if !ok {
		return s
	}
	if t, ok := readType(m.Get("type")); ok {
		s.Type = t
	}
	for _, item := range m.Get("addresses").OneOrMore() {
		if a := readAccount(item); a != "" {
			s.Addresses = append(s.Addresses, a)
		}
	}
	entries, _ := m.Get("attributes").OpenMap()
	for _, e := range entries {
		if a, ok := attributeOf(e); ok {
			s.Attributes[a], _ = e.Text()
		}
	}
	for _, item := range m.Get("memberOf").OneOrMore() {
		if a := readAccount(item); a != "" {
			s.MemberOf = append(s.MemberOf, a)
		}
	}
	s.Delegates = isTrue(readBool(m.Get("delegates")))
	for _, item := range m.Get("capabilities").OneOrMore() {
		if c, ok := readText(item); ok {
			s.Capabilities = append(s.Capabilities, c)
		}
	}
	return s
}

func readExpectation(n *strict.Node) Expectation {
	m, ok := n.Map(strict.Keys("rules", "record", "auditEnabled", "ageLimit", "exempt"))
	if !ok {
		return Expectation{}
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "say what the policy must want", "expect expects nothing")
	}
	e := Expectation{
		Rules:        readNames(m.Get("rules")),
		Exempt:       readNames(m.Get("exempt")),
		AuditEnabled: readAcceptedEnabled(m.Get("auditEnabled")),
		AgeLimit:     readDurationOrNone(m.Get("ageLimit")),
	}
	record := m.Get("record")
	r, ok := record.Map(strict.Keys("admin", "delegate", "owner"))
	if !ok {
		return e
	}
	if isEmpty(record) {
		record.Errorf(CodeEmptyValue, "add admin, delegate or owner", "record names no logon type")
	}
	for _, l := range audit.LogonTypes() {
		e.Record[l] = readExpectedRecord(r.Get(keyOf(l)))
	}
	return e
}

func readNames(n *strict.Node) *Located[[]Located[string]] {
	items, ok := n.List()
	if !ok {
		return nil
	}
	list := &Located[[]Located[string]]{Pos: n.Pos()}
	for _, item := range items {
		name := readName(item)
		if slices.ContainsFunc(list.Value, func(l Located[string]) bool { return l.Value == name }) {
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", name)
			continue
		}
		list.Value = append(list.Value, Located[string]{name, item.Pos()})
	}
	return list
}

// readDurationOrNone reads a duration, or none for no wish.
func readDurationOrNone(n *strict.Node) *Located[time.Duration] {
	if n.IsScalar() {
		if text, ok := n.Written("a duration or none"); ok && text == wordNone {
			return &Located[time.Duration]{Pos: n.Pos()}
		}
	}
	return readDuration(n, false)
}

func readExpectedRecord(n *strict.Node) *ExpectedRecord {
	if n == nil {
		return nil
	}
	if n.IsScalar() {
		if text, ok := n.Text(); ok && text != wordNone {
			n.Errorf(CodeBadWord, "write none, or {includes: [...], excludes: [...], managed: true}", "%s cannot be %q", n.Key(), text)
		}
		return &ExpectedRecord{Pos: n.KeyPos(), None: true}
	}
	m, ok := n.Map(strict.Keys("includes", "excludes", "managed"))
	if !ok {
		return nil
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "write none for no wish", "%s expects nothing", n.Key())
	}
	return &ExpectedRecord{
		Pos:      n.KeyPos(),
		Includes: readExpectedActions(m.Get("includes")),
		Excludes: readExpectedActions(m.Get("excludes")),
		Managed:  readBool(m.Get("managed")),
	}
}

// readExpectedActions reads names of actions. One that the matrix does not know
// must be what the policy calls it, so it is warned of like there.
func readExpectedActions(n *strict.Node) []Located[audit.Action] {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "leave "+n.Key()+" out", "%s names no action", n.Key())
	}
	var list []Located[audit.Action]
	for _, item := range items {
		name, ok := readText(item)
		if !ok {
			continue
		}
		a, known := audit.Canonical(name)
		if !known && !checkUnknown(item, name) {
			continue
		}
		same := func(l Located[audit.Action]) bool { return strings.EqualFold(string(l.Value), string(a)) }
		if slices.ContainsFunc(list, same) {
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", a)
			continue
		}
		list = append(list, Located[audit.Action]{a, item.Pos()})
	}
	return list
}
