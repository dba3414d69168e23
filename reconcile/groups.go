package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// membership says who is in one group, nested groups included.
type membership struct {
	// ids are the Guids and the Entra ids of the members, sorted.
	ids []guid
	// whole tells that there are no other members.
	whole bool
}

// groups are the groups that a policy names, by address. What could not be read
// of one never makes it an empty group: it leaves the answer open.
type groups struct {
	members map[string]membership
	cost    []Cost
	// warnings name the groups that are read whole and have nobody in them.
	warnings []string
}

// of says of each group whether a mailbox is in it.
func (g *groups) of(m exchange.Mailbox) map[string]policy.Match {
	if len(g.members) == 0 {
		return nil
	}
	ids := guidsOf(m.Guid, m.ExchangeObjectID, m.ExternalDirectoryObjectID)
	out := make(map[string]policy.Match, len(g.members))
	for address, in := range g.members {
		out[address] = in.holds(ids)
	}
	return out
}

// digest is the same as long as the same are in the groups; whole tells that all of
// them were read to their end.
func (g *groups) digest() (digest string, whole bool) {
	h := sha256.New()
	for _, address := range slices.Sorted(maps.Keys(g.members)) {
		in := g.members[address]
		if !in.whole {
			return "", false
		}
		h.Write(fmt.Appendf(nil, "%q %d ", address, len(in.ids)))
		for _, id := range in.ids {
			h.Write(id[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil)), true
}

func (m membership) holds(ids []guid) policy.Match {
	for _, id := range ids {
		if _, found := slices.BinarySearchFunc(m.ids, id, compareGUID); found {
			return policy.Yes
		}
	}
	if m.whole && len(ids) > 0 {
		return policy.No
	}
	return policy.Open
}

// groupNode is one group of the service and its direct members.
type groupNode struct {
	group  exchange.Group
	ids    []guid
	nested []*groupNode
	whole  bool
	// rows is the number of members that were listed.
	rows int
	// begun tells that it is read or about to be, charged that the cost of it was
	// given to a group that the policy names.
	begun, charged bool
}

// groupWalk reads groups from those that a policy names downwards, each once,
// whatever is nested in whatever.
type groupWalk struct {
	*observer
	nodes map[guid]*groupNode
}

// groupsInFlight is how many groups are read side by side.
const groupsInFlight = 4

// groups reads the groups that the policy names, before any mailbox is folded.
func (o *observer) groups(ctx context.Context) *groups {
	refs := o.policy.Groups()
	out := &groups{members: map[string]membership{}}
	if len(refs) == 0 || !o.policy.HasMailboxes() {
		return out
	}
	w := &groupWalk{observer: o, nodes: map[guid]*groupNode{}}
	roots := w.find(ctx, refs)
	level := slices.DeleteFunc(slices.Clone(roots), func(n *groupNode) bool { return n == nil })
	for level = distinct(level); len(level) > 0; level = w.below(level) {
		w.read(ctx, level)
	}
	out.cost = append(out.cost, Cost{
		For: "memberOf", Requests: batches(len(refs)), Why: "looking up " + counted(len(refs), "group") + " by address",
	})
	for i, ref := range refs {
		if roots[i] == nil {
			out.members[ref.Address] = membership{}
			continue
		}
		in, cost := roots[i].gather()
		cost.For = "memberOf " + ref.Address
		out.members[ref.Address], out.cost = in, append(out.cost, cost)
		if in.whole && len(in.ids) == 0 {
			out.warnings = append(out.warnings, fmt.Sprintf(
				"the group %s (%s) has no members, so memberOf chooses no mailbox by it", ref.Address, ref.Pos))
		}
	}
	return out
}

// find looks the groups up; one that is none, or could not be found, is nil.
func (w *groupWalk) find(ctx context.Context, refs []policy.GroupRef) []*groupNode {
	out := make([]*groupNode, 0, len(refs))
	for batch := range slices.Chunk(refs, exchange.BatchSize) {
		addresses := make([]string, len(batch))
		for i, ref := range batch {
			addresses[i] = ref.Address
		}
		for i, res := range batchAttempt(ctx, addresses, w.reader.GroupByID) {
			var node *groupNode
			err := res.Err
			if err == nil && !answersTo(res.Value, batch[i].Address) {
				err = fmt.Errorf("the service gave the group %s, which does not have the address that was asked for", res.Value.Guid)
			}
			if err == nil {
				node, err = w.node(res.Value)
			}
			if err != nil {
				err = fmt.Errorf("%w; whether a mailbox is in the group %s (%s) cannot be told", err, batch[i].Address, batch[i].Pos)
			}
			w.notePart("Get-Recipient", err)
			out = append(out, node)
		}
	}
	return out
}

// answersTo tells whether a group has an address. The service also finds groups by
// names that people choose, and whoever may name one must not decide by that whom a
// policy is about once the group that was meant is gone.
func answersTo(g exchange.Group, address string) bool {
	return strings.EqualFold(g.Address.Value, address) || slices.ContainsFunc(g.Addresses.Value, func(proxy string) bool {
		smtp, ok := smtpAddress(proxy)
		return ok && strings.EqualFold(smtp, address)
	})
}

// node gives the one node of a group.
func (w *groupWalk) node(g exchange.Group) (*groupNode, error) {
	id, ok := parseGUID(g.Guid)
	if !ok {
		return nil, errors.New("the Guid of a group is no Guid")
	}
	if w.nodes[id] == nil {
		w.nodes[id] = &groupNode{group: g}
	}
	return w.nodes[id], nil
}

func distinct(list []*groupNode) []*groupNode {
	var out []*groupNode
	for _, n := range list {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// below gives the groups directly nested in those of a level and not begun yet.
func (w *groupWalk) below(level []*groupNode) []*groupNode {
	var out []*groupNode
	for _, n := range level {
		for _, nested := range n.nested {
			if !nested.begun {
				nested.begun = true
				out = append(out, nested)
			}
		}
	}
	return out
}

// read lists the members of groups, a few groups at a time.
func (w *groupWalk) read(ctx context.Context, level []*groupNode) {
	found := make([][]exchange.Group, len(level))
	slots := make(chan struct{}, groupsInFlight)
	var wg sync.WaitGroup
	for i, n := range level {
		n.begun = true
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = w.list(ctx, n)
		})
	}
	wg.Wait()
	for i, n := range level {
		for _, g := range found[i] {
			if nested, err := w.node(g); err == nil { // Its Guid was read in list.
				n.nested = append(n.nested, nested)
			}
		}
	}
}

// list reads the direct members of one group, and gives the groups among them.
func (w *groupWalk) list(ctx context.Context, n *groupNode) (nested []exchange.Group) {
	var strange error
	err := attempt(ctx, func() error {
		n.ids, n.rows, nested, strange = nil, 0, nil, nil
		for m, err := range w.reader.GroupMembers(ctx, n.group) {
			if err != nil {
				return err
			}
			n.rows++
			n.ids = append(n.ids, guidsOf(m.Guid, m.ExternalDirectoryObjectID)...)
			group, is, err := m.Group()
			switch {
			case err != nil && strange == nil:
				strange = fmt.Errorf("a member cannot be looked into: %w", err)
			case err == nil && is:
				nested = append(nested, group)
			}
		}
		return nil
	})
	if err == nil {
		err = strange
	}
	n.whole = err == nil
	if err != nil {
		name := n.group.Guid
		if address, ok := n.group.Address.Get(); ok {
			name = address
		}
		err = fmt.Errorf("%w; not every member of the group %s is known", err, name)
	}
	w.notePart(membersCmdlet(n.group.Kind), err)
	return nested
}

// membersCmdlet is the cmdlet that lists the members of a kind of group.
func membersCmdlet(k exchange.GroupKind) string {
	switch k {
	case exchange.Microsoft365Group:
		return "Get-UnifiedGroupLinks"
	case exchange.DynamicList:
		return "Get-DynamicDistributionGroupMember"
	default:
		return "Get-DistributionGroupMember"
	}
}

// gather puts together who is in a group, through however many groups. The cost of
// a group that others share is given to the first of them alone.
func (n *groupNode) gather() (membership, Cost) {
	out, cost := membership{whole: true}, Cost{}
	seen := map[*groupNode]bool{n: true}
	members, nested, shared := 0, 0, 0
	for open := []*groupNode{n}; len(open) > 0; open = open[1:] {
		g := open[0]
		out.whole = out.whole && g.whole
		out.ids = append(out.ids, g.ids...)
		if g.charged {
			shared++
		} else {
			g.charged = true
			members += g.rows
			cost.Requests += pagesOf(g.rows)
		}
		for _, next := range g.nested {
			if !seen[next] {
				seen[next] = true
				nested++
				open = append(open, next)
			}
		}
	}
	slices.SortFunc(out.ids, compareGUID)
	out.ids = slices.Clip(slices.Compact(out.ids))
	parts := []string{"listing " + counted(members, "member")}
	if nested > 0 {
		parts = append(parts, counted(nested, "nested group"))
	}
	if shared > 0 {
		parts = append(parts, counted(shared, "group")+" of them read for another address")
	}
	cost.Why = strings.Join(parts, ", ")
	return out, cost
}

// notePart keeps a failed read on which only the answer of some selectors hangs:
// what they leave open is unknown, and the rest is judged and written.
func (o *observer) notePart(cmdlet string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.reads++
	if err != nil {
		o.obs.failures = append(o.obs.failures, failure{kind: audit.KindMailbox, cmdlet: cmdlet, err: err, partial: true})
	}
}
