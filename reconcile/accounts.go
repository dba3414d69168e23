package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
)

// accounts finds the objects behind the allow entries. Most are mailboxes and
// are seen while the listing goes by; the rest are asked for.
type accounts struct {
	entries []policy.Allow
	found   [][]guid
}

func newAccounts(p *policy.Policy) *accounts {
	if p.Bypass == nil {
		return &accounts{}
	}
	return &accounts{entries: p.Bypass.Allow, found: make([][]guid, len(p.Bypass.Allow))}
}

// see compares one mailbox with every entry: by Guid, ExchangeObjectId or
// Entra object id, by sign-in name, and by address. Never by name.
func (a *accounts) see(m exchange.Mailbox) {
	for i, e := range a.entries {
		if e.ID != "" && slices.ContainsFunc(
			[]string{m.Guid.Value, m.ExchangeObjectID.Value, m.ExternalDirectoryObjectID.Value},
			func(id string) bool { return strings.EqualFold(id, e.ID) }) ||
			e.Account != "" && hasAddress(m, e.Account) {
			a.found[i] = append(a.found[i], guidsOf(m.Guid, m.ExchangeObjectID)...)
		}
	}
}

// hasAddress tells whether an account name is the sign-in name of a mailbox or
// one of its addresses.
func hasAddress(m exchange.Mailbox, account string) bool {
	if strings.EqualFold(m.UserPrincipalName.Value, account) || strings.EqualFold(m.PrimarySMTPAddress.Value, account) {
		return true
	}
	for _, address := range m.EmailAddresses.Value {
		if smtp, ok := smtpAddress(address); ok && strings.EqualFold(smtp, account) {
			return true
		}
	}
	return false
}

// smtpAddress takes the address out of a proxy address. Those without a
// prefix are SMTP; the prefixes SIP, X500 and so on are other worlds.
func smtpAddress(proxy string) (string, bool) {
	prefix, rest, found := strings.Cut(proxy, ":")
	if !found {
		return proxy, true
	}
	return rest, strings.EqualFold(prefix, "smtp")
}

func guidsOf(fields ...exchange.Field[string]) []guid {
	var out []guid
	for _, f := range fields {
		if g, ok := parseGUID(f.Value); ok {
			out = append(out, g)
		}
	}
	return out
}

// resolve asks Get-User, in batches, for the entries that no mailbox answered.
// What the service gives back counts only if it really has the name or id that
// was asked for: Get-User also finds accounts by their names, which anybody in
// the tenant can choose.
func (a *accounts) resolve(ctx context.Context, r Reader, list *bypassList) (out []allowance, warnings []string, refused bool) {
	out = make([]allowance, len(a.entries))
	var open []int
	for i, e := range a.entries {
		out[i] = allowance{entry: e, ids: a.found[i]}
		if id, ok := parseGUID(e.ID); ok {
			out[i].ids = append(out[i].ids, id)
			if list.names(id) {
				continue
			}
		}
		if len(a.found[i]) == 0 {
			open = append(open, i)
		}
	}
	for batch := range slices.Chunk(open, exchange.BatchSize) {
		identities := make([]string, len(batch))
		for n, i := range batch {
			identities[n] = accountOf(a.entries[i])
		}
		for n, res := range r.Users(ctx, identities) {
			e := a.entries[batch[n]]
			switch {
			case exchange.IsNotFound(res.Err), res.Err == nil && !isUser(res.Value, e):
				warnings = append(warnings, fmt.Sprintf("%s: no account %s was found: the entry allows nothing", e.Pos, accountOf(e)))
			case res.Err != nil:
				refused = refused || exchange.IsRefused(res.Err)
				out[batch[n]].failed = fmt.Sprintf("Get-User for %s failed: %v", accountOf(e), res.Err)
			default:
				out[batch[n]].ids = append(out[batch[n]].ids, guidsOf(res.Value.Guid, res.Value.ExchangeObjectID)...)
			}
		}
	}
	return out, warnings, refused
}

// accountOf is what an entry calls its account: a sign-in name or an id.
func accountOf(e policy.Allow) string { return e.Account + e.ID }

// isUser tells whether an account is the one that an entry names.
func isUser(u exchange.User, e policy.Allow) bool {
	if e.ID == "" {
		return strings.EqualFold(u.UserPrincipalName.Value, e.Account)
	}
	return slices.ContainsFunc(
		[]string{u.Guid.Value, u.ExchangeObjectID.Value, u.ExternalDirectoryObjectID.Value},
		func(id string) bool { return strings.EqualFold(id, e.ID) })
}

// names tells whether a row of the listing has this id: then the entry needs
// no look-up.
func (b *bypassList) names(id guid) bool {
	return slices.ContainsFunc(b.rows, func(r bypassRow) bool { return r.id == id || r.objectID == id })
}

// merge takes in what another listing showed.
func (a *accounts) merge(o *accounts) {
	for i := range a.found {
		a.found[i] = append(a.found[i], o.found[i]...)
	}
}
