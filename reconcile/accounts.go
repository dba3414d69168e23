package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
)

// accounts finds the objects behind the allow entries. Most are mailboxes and
// are seen while the listing goes by; the rest are asked for.
type accounts struct {
	entries []policy.Allow
	// found are the mailboxes that answer to each entry, by Guid.
	found []map[guid]guid
	// unclear is the number of mailboxes whose names and addresses could not
	// all be read: any entry may be one of them.
	unclear int
	// asked says that the mailbox listing was made at all.
	asked bool
	// known is what earlier runs resolved the entries to; nil where this run lists
	// all mailboxes.
	known map[string][]guid
}

func newAccounts(p *policy.Policy) *accounts {
	a := &accounts{asked: p.HasMailboxes()}
	if p.Bypass == nil {
		return a
	}
	a.entries = p.Bypass.Allow
	for range a.entries {
		a.found = append(a.found, map[guid]guid{})
	}
	return a
}

// see compares one mailbox with every entry: by Guid, ExchangeObjectId or
// Entra object id, by sign-in name, and by address. Never by name.
func (a *accounts) see(m exchange.Mailbox) {
	if len(a.entries) == 0 {
		return
	}
	if m.UserPrincipalName.State != exchange.Set || m.PrimarySMTPAddress.State != exchange.Set || m.EmailAddresses.State != exchange.Set {
		a.unclear++
	}
	id, _ := parseGUID(m.Guid.Value)
	object, _ := parseGUID(m.ExchangeObjectID.Value)
	for i, e := range a.entries {
		if e.ID != "" && slices.ContainsFunc(
			[]string{m.Guid.Value, m.ExchangeObjectID.Value, m.ExternalDirectoryObjectID.Value},
			func(id string) bool { return strings.EqualFold(id, e.ID) }) ||
			e.Account != "" && hasAddress(m, e.Account) {
			a.found[i][id] = object
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
// the tenant can choose. An entry that cannot be decided is failed, and then no
// bypass that it might allow is judged.
func (a *accounts) resolve(ctx context.Context, r Reader, list *bypassList, whole bool) (out []allowance, warnings []string, refused bool) {
	out, open := a.resolved(list)
	for batch := range slices.Chunk(open, exchange.BatchSize) {
		identities := make([]string, len(batch))
		for n, i := range batch {
			identities[n] = accountOf(a.entries[i])
		}
		for n, res := range batchAttempt(ctx, identities, r.Users) {
			refused = refused || exchange.IsRefused(res.Err)
			if w := a.ask(&out[batch[n]], res, whole); w != "" {
				warnings = append(warnings, w)
			}
		}
	}
	return out, warnings, refused
}

// resolved gives the entries as far as the listings have resolved them, and the
// places of those to ask for.
func (a *accounts) resolved(list *bypassList) (out []allowance, open []int) {
	if a.known != nil {
		return a.remembered(list)
	}
	out = make([]allowance, len(a.entries))
	for i, e := range a.entries {
		out[i] = a.seen(i)
		if out[i].failed != "" {
			continue
		}
		if len(out[i].ids) == 0 || e.Account == "" && len(a.found[i]) == 0 && !list.names(out[i].ids[0]) {
			open = append(open, i)
		}
	}
	return out, open
}

// seen is what the mailbox listing says of an entry.
func (a *accounts) seen(i int) allowance {
	out := allowance{entry: a.entries[i]}
	if id, ok := parseGUID(out.entry.ID); ok {
		out.ids = append(out.ids, id)
	}
	for id, object := range a.found[i] {
		for _, g := range []guid{id, object} {
			if g != (guid{}) {
				out.ids = append(out.ids, g)
			}
		}
	}
	slices.SortFunc(out.ids, compareGUID)
	if len(a.found[i]) > 1 {
		out.ids = nil
		out.failed = fmt.Sprintf("%d mailboxes answer to %s; name the account by its id", len(a.found[i]), accountOf(out.entry))
	}
	return out
}

// ask takes in what Get-User says of an entry, and gives a warning where there
// is no such account.
func (a *accounts) ask(out *allowance, res exchange.Result[exchange.User], whole bool) string {
	e := out.entry
	none := exchange.IsNotFound(res.Err) || res.Err == nil && !isUser(res.Value, e)
	switch {
	case out.failed != "":
	case res.Err != nil && !none:
		out.failed = fmt.Sprintf("Get-User for %s failed: %v", accountOf(e), res.Err)
	case !none:
		out.ids = append(out.ids, guidsOf(res.Value.Guid, res.Value.ExchangeObjectID)...)
	case e.Account != "" && a.asked && (!whole || a.unclear > 0):
		out.failed = accountOf(e) + " is no sign-in name, and not every mailbox's addresses could be read"
	case e.Account != "" && !a.asked:
		return fmt.Sprintf("%s: no account has the sign-in name %s: the entry allows nothing (other addresses are known only where the policy has rules for mailboxes)", e.Pos, accountOf(e))
	default:
		return fmt.Sprintf("%s: no account %s was found: the entry allows nothing", e.Pos, accountOf(e))
	}
	return ""
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
		maps.Copy(a.found[i], o.found[i])
	}
	a.unclear += o.unclear
}
