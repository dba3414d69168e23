package policy

import (
	"regexp"
	"slices"
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

// Parse reads the text of a policy file that extends no other file: it is [Load]
// without a way to read one. The file's name is used in places only.
func Parse(file string, data []byte) (*Policy, Diagnostics) {
	return Load(file, data, nil)
}

// read reads what one file says and gives the value of its extends key.
func (p *Policy) read(root *strict.Node) (extends *strict.Node) {
	m, ok := root.Map(
		strict.Required("apiVersion", "kind", "name"),
		strict.Keys(
			"extends", "organization", "adminAudit", "retention", "mailboxes", "bypass", "exemptions",
			"severity", "guards", "allowUnknownActions", "overrides",
		),
	)
	if !ok {
		return nil
	}
	readFixed(m.Get("apiVersion"), APIVersion)
	readFixed(m.Get("kind"), Kind)
	p.Name = readName(m.Get("name"))
	p.Organization = readOrganization(m.Get("organization"))
	p.AdminAudit = readAdminAudit(m.Get("adminAudit"))
	p.Retention = readRetention(m.Get("retention"))
	p.readMailboxes(m.Get("mailboxes"))
	p.Bypass = readBypass(m.Get("bypass"))
	p.readExemptions(m.Get("exemptions"))
	p.severity = readSeverity(m.Get("severity"))
	p.Guards = readGuards(m.Get("guards"))
	p.allowUnknown = readBool(m.Get("allowUnknownActions"))
	p.AllowUnknownActions = isTrue(p.allowUnknown)
	p.Overrides = readOverrides(m.Get("overrides"))
	p.wishes = asksTenant(m.Get("organization")) || asksTenant(m.Get("adminAudit")) ||
		m.Get("retention") != nil || m.Get("mailboxes") != nil || m.Get("bypass") != nil
	return m.Get("extends")
}

// asksTenant tells whether a section asks for something, or for nothing in a way
// that is reported where it stands. Consent to Enable-OrganizationCustomization
// alone, or to try what is documented as read-only, asks for nothing: there is no
// setting that it could serve.
func asksTenant(section *strict.Node) bool {
	if onlyControls(section) {
		return section != nil
	}
	return slices.ContainsFunc(section.Entries(), func(e *strict.Node) bool {
		return !slices.Contains([]string{"enableCustomization", "attempt", "controls"}, e.Key())
	})
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

// checkName looks at the key that names a rule or exemption.
func checkName(n *strict.Node, what string) {
	if !namePattern.MatchString(n.Key()) {
		n.Report(Diagnostic{Pos: n.KeyPos(), Code: CodeBadName, Message: quote(n.Key()) + " is no " + what + " name", Hint: nameHint})
	}
}

const nameHint = "letters, digits, dot, dash and underscore, 64 at most, a letter or digit first"

func readSeverity(n *strict.Node) map[audit.Setting]Located[audit.Severity] {
	if n == nil {
		return nil
	}
	entries, ok := n.OpenMap()
	if !ok {
		return nil
	}
	levels := map[audit.Setting]Located[audit.Severity]{}
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
		levels[s] = Located[audit.Severity]{level, e.Pos()}
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
