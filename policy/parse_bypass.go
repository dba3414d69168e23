package policy

import (
	"regexp"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/strict"
)

var (
	// accountPattern takes the addresses and user principal names of Exchange
	// Online, guests with #EXT# included, and no wildcard.
	accountPattern = regexp.MustCompile(`^[^\s@*?"<>,;:()\[\]\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
	guidPattern    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	datePattern    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

const zeroGUID = "00000000-0000-0000-0000-000000000000"

func readBypass(n *strict.Node) *Bypass {
	m, ok := n.Map(strict.Keys("allow", "controls"))
	if !ok {
		return nil
	}
	b := &Bypass{Pos: n.KeyPos(), Controls: readControls(m.Get("controls"))}
	items, ok := m.Get("allow").List()
	if !ok {
		return b
	}
	seen := map[string]Pos{}
	for _, item := range items {
		a, ok := readAllow(item)
		if !ok {
			continue
		}
		for _, key := range a.keys() {
			if first, twice := seen[key]; twice {
				item.Errorf(CodeDuplicateValue, "", "%s is allowed already at %s", key, first)
			} else {
				seen[key] = a.Pos
			}
		}
		b.Allow = append(b.Allow, a)
	}
	return b
}

func readAllow(n *strict.Node) (Allow, bool) {
	m, ok := n.Map(
		strict.Keys("name", "account", "id"),
		strict.Required("reason", "owner", "expires"),
		strict.Keys("override"),
	)
	if !ok {
		return Allow{}, false
	}
	a := Allow{Pos: n.Pos()}
	account, id := m.Get("account"), m.Get("id")
	switch {
	case account != nil && id != nil:
		id.Report(Diagnostic{
			Pos: id.KeyPos(), Code: CodeBadAccount,
			Message: "account and id name the same thing twice", Hint: "keep one of them",
		})
	case account == nil && id == nil:
		n.Errorf(CodeBadAccount, "add account (an address) or id (a GUID)", "the entry allows no account")
	}
	a.Name = readName(m.Get("name"))
	a.Account = readAccount(account)
	a.ID = readID(id)
	a.Reason = readReason(m.Get("reason"))
	a.Owner = readReason(m.Get("owner"))
	a.Expires, a.expiresPos = readDate(m.Get("expires"))
	a.override = readOverride(m.Get("override"), a.Reason)
	return a, true
}

// keys gives what no other entry may have: the account or id, and the name.
func (a Allow) keys() []string {
	var keys []string
	if s := a.subject(); s != "" {
		keys = append(keys, s)
	}
	if a.Name != "" {
		keys = append(keys, "the name "+a.Name)
	}
	return keys
}

func readAccount(n *strict.Node) string {
	text, ok := readText(n)
	if !ok {
		return ""
	}
	if !accountPattern.MatchString(text) {
		hint := "write it as name@contoso.com"
		if strings.ContainsAny(text, "*?") {
			hint = "every account is allowed by itself, patterns are not read here"
		}
		n.Errorf(CodeBadAccount, hint, "%q is no account", text)
		return ""
	}
	return strings.ToLower(text)
}

func readID(n *strict.Node) string {
	if n == nil {
		return ""
	}
	text, ok := n.Written("a GUID")
	if !ok {
		return ""
	}
	id := strings.ToLower(text)
	if !guidPattern.MatchString(id) || id == zeroGUID {
		n.Errorf(CodeBadAccount, "write a GUID as 8-4-4-4-12 hexadecimal digits, without braces", "%q is no id", text)
		return ""
	}
	return id
}

// readDate reads a calendar day as midnight UTC.
func readDate(n *strict.Node) (time.Time, Pos) {
	if n == nil {
		return time.Time{}, Pos{}
	}
	text, ok := n.Written("a date")
	if !ok {
		return time.Time{}, Pos{}
	}
	if !datePattern.MatchString(text) {
		n.Errorf(CodeBadDate, "write it as 2027-03-31", "%s: %q is no date", n.Key(), text)
		return time.Time{}, Pos{}
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		n.Errorf(CodeBadDate, "", "%s: there is no day %s", n.Key(), text)
		return time.Time{}, Pos{}
	}
	return date, n.Pos()
}
