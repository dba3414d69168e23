package policy

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// The head of every policy file.
const (
	APIVersion = "exoaudit/v1"
	Kind       = "AuditPolicy"
)

// namePattern is what policy and rule names look like: they become part of
// plans, reports and metrics, and of shell commands.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Parse reads the text of a policy file; the file's name is used in places only.
// The diagnostics are sorted and hold every mistake. With an error among them
// the policy is nil; warnings alone leave it usable.
func Parse(file string, data []byte) (*Policy, Diagnostics) {
	doc := strict.Parse(file, data)
	p := &Policy{File: file}
	p.read(doc.Root())
	p.checkConflicts(doc.Report)
	found := doc.Diagnostics()
	if found.HasErrors() {
		return nil, found
	}
	return p, found
}

func (p *Policy) read(root *strict.Node) {
	m, ok := root.Map(
		strict.Required("apiVersion", "kind", "name"),
		strict.Keys("organization", "mailboxes", "bypass", "severity", "guards", "allowUnknownActions"),
		strict.Later("extends", "adminAudit", "retention", "exemptions", "overrides"),
	)
	if !ok {
		return
	}
	readFixed(m.Get("apiVersion"), APIVersion)
	readFixed(m.Get("kind"), Kind)
	p.Name = readName(m.Get("name"))
	p.Organization = readOrganization(m.Get("organization"))
	p.readMailboxes(m.Get("mailboxes"))
	p.Bypass = readBypass(m.Get("bypass"))
	p.severity = readSeverity(m.Get("severity"))
	p.Guards = readGuards(m.Get("guards"))
	if n := m.Get("allowUnknownActions"); n != nil {
		p.AllowUnknownActions, _ = n.Bool()
	}
	if !asksTenant(m.Get("organization")) && m.Get("mailboxes") == nil && m.Get("bypass") == nil {
		root.Warnf(CodeNoOpinion, "add organization, mailboxes or bypass", "the policy asks for nothing")
	}
}

// asksTenant tells whether a section asks for something, or for nothing in a way
// that is reported where it stands. Consent to Enable-OrganizationCustomization
// alone asks for nothing: there is no setting that it could serve.
func asksTenant(organization *strict.Node) bool {
	entries := organization.Entries()
	return organization != nil && (len(entries) != 1 || entries[0].Key() != "enableCustomization")
}

// readFixed reads a text that can only be one thing.
func readFixed(n *strict.Node, want string) {
	if text, ok := readText(n); ok && text != want {
		n.Errorf(CodeBadVersion, "expected "+want, "%s: this version does not read %q", n.Key(), text)
	}
}

// readText reads a text that is not blank, without the blanks at its ends.
func readText(n *strict.Node) (string, bool) {
	text, ok := readWhole(n)
	return strings.TrimSpace(text), ok
}

// readWhole reads a text that is not blank, as it stands: for values that are
// compared letter by letter.
func readWhole(n *strict.Node) (string, bool) {
	if n == nil {
		return "", false
	}
	text, ok := n.Text()
	if !ok {
		return "", false
	}
	if strings.TrimSpace(text) == "" {
		n.Errorf(CodeEmptyValue, "", "%s may not be empty", orValue(n.Key()))
		return "", false
	}
	return text, true
}

// readWords reads a text that people must be able to make sense of: one that
// holds a letter or a digit of any script.
func readWords(n *strict.Node) string {
	text, ok := readText(n)
	if ok && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		n.Errorf(CodeEmptyValue, "write words", "%s: %q says nothing", n.Key(), text)
	}
	return text
}

// orValue names a key, or a list item, which has none.
func orValue(key string) string {
	if key == "" {
		return "a value"
	}
	return key
}

func readName(n *strict.Node) string {
	name, ok := readText(n)
	if ok && !namePattern.MatchString(name) {
		n.Errorf(CodeBadName, nameHint, "%q is no name", name)
	}
	return name
}

const nameHint = "letters, digits, dot, dash and underscore, 64 at most, a letter or digit first"

func readOrganization(n *strict.Node) *Organization {
	m, ok := n.Map(strict.Keys("unifiedAuditLog", "mailboxAuditing", "enableCustomization"))
	if !ok {
		return nil
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "leave organization out for no opinion", "organization says nothing")
	}
	o := &Organization{
		Pos:             n.KeyPos(),
		UnifiedAuditLog: readOnlyTrue(m.Get("unifiedAuditLog")),
		MailboxAuditing: readOnlyTrue(m.Get("mailboxAuditing")),
	}
	if c := m.Get("enableCustomization"); c != nil {
		o.EnableCustomization, _ = c.Bool()
	}
	return o
}

// isEmpty tells whether a map has no entry at all, known or not.
func isEmpty(n *strict.Node) bool { return len(n.Entries()) == 0 }

// readOnlyTrue reads a boolean that cannot be false: no opinion is said by
// leaving the key out, and less recording cannot be asked for.
func readOnlyTrue(n *strict.Node) *Located[bool] {
	if n == nil {
		return nil
	}
	v, ok := n.Bool()
	if !ok {
		return nil
	}
	if !v {
		n.Errorf(CodeRefused, "leave the key out for no opinion", "%s: false is not a wish a policy can have", n.Key())
		return nil
	}
	return &Located[bool]{Value: true, Pos: n.Pos()}
}

func readSeverity(n *strict.Node) map[audit.Setting]audit.Severity {
	if n == nil {
		return nil
	}
	entries, ok := n.OpenMap()
	if !ok {
		return nil
	}
	levels := map[audit.Setting]audit.Severity{}
	for _, e := range entries {
		s := audit.Setting(e.Key())
		if s.Kind() == "" {
			e.Report(Diagnostic{
				Pos: e.KeyPos(), Code: CodeBadSetting, Message: "there is no setting " + quote(e.Key()),
				Hint: suggest(e.Key(), names(audit.Settings())),
			})
			continue
		}
		word, ok := readText(e)
		if !ok {
			continue
		}
		level, ok := audit.ParseSeverity(word)
		if !ok {
			e.Errorf(CodeBadWord, suggest(word, severityWords()), "%q is no severity", word)
			continue
		}
		levels[s] = level
	}
	return levels
}

func severityWords() []string {
	var words []string
	for _, s := range audit.Severities() {
		words = append(words, s.String())
	}
	return words
}

// longestSweepAge bounds what may count as a sweep of the mailboxes there are: a
// year, as the guard that lets a sweep of any age pass is none.
const longestSweepAge = 366 * day

func readGuards(n *strict.Node) Guards {
	g := Guards{MaxChangedPercent: DefaultMaxChangedPercent, MaxSweepAge: DefaultMaxSweepAge}
	m, ok := n.Map(
		strict.Keys("maxChangedPercent", "maxChanged", "allowWeakening", "maxSweepAge"),
		strict.Later("rings"),
	)
	if !ok {
		return g
	}
	if c := m.Get("maxChangedPercent"); c != nil {
		if v, ok := c.Number(); ok {
			if v < 0 || v > 100 {
				c.Errorf(CodeOutOfRange, "", "maxChangedPercent must be from 0 to 100")
			}
			g.MaxChangedPercent = v
		}
	}
	if c := m.Get("maxChanged"); c != nil {
		if v, ok := c.Int(); ok {
			if v < 0 {
				c.Errorf(CodeOutOfRange, "leave the key out for no limit", "maxChanged must not be negative")
			}
			g.MaxChanged = &v
		}
	}
	if c := m.Get("allowWeakening"); c != nil {
		g.AllowWeakening, _ = c.Bool()
	}
	if age := readDuration(m.Get("maxSweepAge"), true); age != nil {
		if age.Value > longestSweepAge {
			m.Get("maxSweepAge").Errorf(CodeOutOfRange, "", "maxSweepAge must be 366 days at most")
		}
		g.MaxSweepAge = age.Value
	}
	return g
}
