package reconcile

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
)

// delegated is what is known of one right to a mailbox.
type delegated uint8

const (
	// delegatedUnknown means that the service did not say, or not clearly.
	delegatedUnknown delegated = iota
	delegatedNo
	delegatedYes
	// delegatedAsk means that a listing does not say it, and the service would if
	// it were asked about the one mailbox.
	delegatedAsk
)

// sendAs is the listing of who may send as whom, folded. Its rows name a mailbox
// by its Identity, which need not be unique, so that what two mailboxes may share
// is asked for by id. Every mailbox is listed at least with itself: one that is
// not was not seen, and is asked about too.
type sendAs struct {
	seed maphash.Seed
	// own are the identities that are listed with themselves, as hashes, sorted:
	// eight bytes for each mailbox.
	own []uint64
	// given are the identities with a row that gives the right to somebody else,
	// or may do so.
	given map[uint64]exchange.Delegation
	rows  int
	// missing says why the listing is not known.
	missing string
}

func newSendAs(seed maphash.Seed) *sendAs {
	return &sendAs{seed: seed, given: map[uint64]exchange.Delegation{}}
}

// errNobodysRow is a row of which it cannot be told whose it is: it may be any
// mailbox's.
var errNobodysRow = errors.New("a row does not say whose it is")

func (s *sendAs) add(row exchange.RecipientPermission) error {
	s.rows++
	right := row.Delegation()
	identity, named := row.Identity.Get()
	if right != exchange.NotDelegated {
		if !named || identity == "" {
			return errNobodysRow
		}
		s.given[s.hash(identity)] = max(right, s.given[s.hash(identity)])
		return nil
	}
	if who, _ := row.Trustee.Get(); named && isSelf(who) {
		s.own = append(s.own, s.hash(identity))
	}
	return nil
}

// isSelf tells the mailbox itself among those with rights to it.
func isSelf(trustee string) bool {
	return strings.EqualFold(strings.TrimSpace(trustee), `NT AUTHORITY\SELF`)
}

func (s *sendAs) hash(identity string) uint64 {
	return maphash.String(s.seed, strings.ToLower(identity))
}

// listed is how often an identity is listed with itself.
func (s *sendAs) listed(identity uint64) int {
	from, _ := slices.BinarySearch(s.own, identity)
	n := 0
	for from+n < len(s.own) && s.own[from+n] == identity {
		n++
	}
	return n
}

// of says whether somebody else may send as a mailbox. Shared tells that other
// mailboxes have its identity, which is zero where the row had none.
func (s *sendAs) of(identity uint64, shared bool) delegated {
	if s.missing != "" {
		return delegatedUnknown
	}
	right, given := s.given[identity]
	n := s.listed(identity)
	switch {
	case identity == 0, n == 0:
		return delegatedAsk
	case !given:
		return delegatedNo
	case right == exchange.Delegated && n == 1 && !shared:
		return delegatedYes
	default:
		return delegatedAsk
	}
}

// sendAs reads the listing, beside those of the mailboxes.
func (o *observer) sendAs(ctx context.Context) {
	const cmdlet = "Get-RecipientPermission"
	var s *sendAs
	err := attempt(ctx, func() error {
		s = newSendAs(o.seed)
		for row, err := range o.reader.RecipientPermissions(ctx) {
			if err == nil {
				err = s.add(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(s.own)
	if err != nil {
		s.missing = cmdlet + " failed: " + err.Error()
	}
	o.notePart(cmdlet, err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.sendAs = s
}
