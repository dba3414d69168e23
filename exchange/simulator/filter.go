package simulator

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A filter is a small OPATH expression: comparisons joined by -and, -or and -not, with
// parentheses. Values stand in single quotes; $true and $false outside of quotes are
// PowerShell, which does not run on this side (wire 1.2).

type mailboxTest = func(*Mailbox) bool

// filterDepth bounds nesting, so that no input can exhaust the stack.
const filterDepth = 64

type filterParser struct {
	tokens []string
	depth  int
}

var (
	errFilterEnd  = errors.New("the expression ends too early")
	errFilterDeep = errors.New("the expression is nested too deeply")
)

// parseFilter compiles an OPATH filter over stored values: AuditEnabled is what is
// stored, and unset is not True (semantics 2.2).
func parseFilter(text string) (mailboxTest, error) {
	tokens, err := filterTokens(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens}
	test, err := p.or()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("unexpected %q", p.tokens[0])
	}
	return test, nil
}

// filterTokens splits into parentheses, words and quoted strings; a quoted string keeps
// its opening quote as a mark, and ” inside it is one quote.
func filterTokens(text string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ', '\t', '\n', '\r':
			i++
		case '(', ')':
			tokens = append(tokens, text[i:i+1])
			i++
		case '\'', '"':
			value, size, err := quotedToken(text[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, "'"+value)
			i += size
		default:
			end := i
			for end < len(text) && !strings.ContainsRune(" \t\r\n()'\"", rune(text[end])) {
				end++
			}
			tokens = append(tokens, text[i:end])
			i = end
		}
	}
	return tokens, nil
}

func quotedToken(text string) (value string, size int, err error) {
	quote := text[0]
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), i + 1, nil
	}
	return "", 0, errors.New("a quoted value has no end")
}

func (p *filterParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *filterParser) take() (string, error) {
	if len(p.tokens) == 0 {
		return "", errFilterEnd
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token, nil
}

func (p *filterParser) or() (mailboxTest, error) {
	left, err := p.and()
	for err == nil && strings.EqualFold(p.peek(), "-or") {
		p.tokens = p.tokens[1:]
		var right mailboxTest
		a := left
		if right, err = p.and(); err == nil {
			left = func(m *Mailbox) bool { return a(m) || right(m) }
		}
	}
	return left, err
}

func (p *filterParser) and() (mailboxTest, error) {
	left, err := p.not()
	for err == nil && strings.EqualFold(p.peek(), "-and") {
		p.tokens = p.tokens[1:]
		var right mailboxTest
		a := left
		if right, err = p.not(); err == nil {
			left = func(m *Mailbox) bool { return a(m) && right(m) }
		}
	}
	return left, err
}

func (p *filterParser) not() (mailboxTest, error) {
	if p.depth++; p.depth > filterDepth {
		return nil, errFilterDeep
	}
	defer func() { p.depth-- }()
	token, err := p.take()
	if err != nil {
		return nil, err
	}
	switch {
	case strings.EqualFold(token, "-not"):
		inner, err := p.not()
		if err != nil {
			return nil, err
		}
		return func(m *Mailbox) bool { return !inner(m) }, nil
	case token == "(":
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		if closing, err := p.take(); err != nil || closing != ")" {
			return nil, errors.New("a parenthesis is not closed")
		}
		return inner, nil
	}
	return p.comparison(token)
}

func (p *filterParser) comparison(name string) (mailboxTest, error) {
	operator, err := p.take()
	if err != nil {
		return nil, err
	}
	value, err := p.take()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(value, "$") || strings.HasPrefix(value, "-") || value == "(" || value == ")" {
		return nil, fmt.Errorf("the value %q of %s is not a literal", value, name)
	}
	value = strings.TrimPrefix(value, "'")
	operator = strings.ToLower(operator)
	switch strings.ToLower(name) {
	case "auditenabled":
		return enabledTest(operator, value)
	case "whenchangedutc", "whenchanged":
		return dateTest(operator, value, func(m *Mailbox) time.Time { return m.Changed })
	case "whenmailboxcreated", "whencreatedutc", "whencreated":
		return dateTest(operator, value, func(m *Mailbox) time.Time { return m.Created })
	}
	return textTest(name, operator, value)
}

func enabledTest(operator, value string) (mailboxTest, error) {
	var want Tri
	switch strings.ToLower(strings.TrimPrefix(value, "$")) {
	case "true":
		want = True
	case "false":
		want = False
	default:
		return nil, fmt.Errorf("%q is neither True nor False", value)
	}
	switch operator {
	case "-eq":
		return func(m *Mailbox) bool { return m.AuditEnabled == want }, nil
	case "-ne":
		return func(m *Mailbox) bool { return m.AuditEnabled != want }, nil
	}
	return nil, fmt.Errorf("AuditEnabled does not take the operator %s", operator)
}

func dateTest(operator, value string, date func(*Mailbox) time.Time) (mailboxTest, error) {
	limit, err := filterDate(value)
	if err != nil {
		return nil, err
	}
	var test func(c int) bool
	switch operator {
	case "-ge":
		test = func(c int) bool { return c >= 0 }
	case "-gt":
		test = func(c int) bool { return c > 0 }
	case "-le":
		test = func(c int) bool { return c <= 0 }
	case "-lt":
		test = func(c int) bool { return c < 0 }
	case "-eq":
		test = func(c int) bool { return c == 0 }
	case "-ne":
		test = func(c int) bool { return c != 0 }
	default:
		return nil, fmt.Errorf("a date does not take the operator %s", operator)
	}
	return func(m *Mailbox) bool { return test(date(m).Compare(limit)) }, nil
}

// filterDate reads the American form that the service documents, or ISO 8601; both as UTC.
func filterDate(value string) (time.Time, error) {
	for _, form := range []string{"1/2/2006 3:04:05 PM", "1/2/2006 15:04:05", "1/2/2006", time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(form, value); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date", value)
}

// textTest compares a text property. The audit lists cannot be filtered on (wire 3).
func textTest(name, operator, value string) (mailboxTest, error) {
	var read func(*Mailbox) []string
	switch strings.ToLower(name) {
	case "recipienttypedetails":
		read = func(m *Mailbox) []string { return []string{m.Type} }
	case "userprincipalname":
		read = func(m *Mailbox) []string { return []string{m.UserPrincipalName} }
	case "primarysmtpaddress":
		read = func(m *Mailbox) []string { return []string{m.PrimarySMTPAddress} }
	case "externaldirectoryobjectid":
		read = func(m *Mailbox) []string { return []string{m.ExternalDirectoryObjectID} }
	case "alias":
		read = func(m *Mailbox) []string { return []string{m.Alias} }
	case "persistedcapabilities":
		read = func(m *Mailbox) []string { return m.Capabilities }
	default:
		return nil, fmt.Errorf("%q is not a property that can be filtered on here", name)
	}
	switch operator {
	case "-eq":
		return func(m *Mailbox) bool { return containsFold(read(m), value) }, nil
	case "-ne":
		return func(m *Mailbox) bool { return !containsFold(read(m), value) }, nil
	}
	return nil, fmt.Errorf("%s does not take the operator %s here", name, operator)
}
