package simulator

import (
	"slices"
	"strconv"
	"strings"
)

// RetentionPolicy is one stored retention policy of the unified audit log (wire 7).
type RetentionPolicy struct {
	Name, Guid, Description          string
	Priority                         int      // 1 to 10000; the lower number wins.
	RecordTypes, Operations, UserIDs []string // Empty is any.
	Duration                         string   // ThreeMonths, SixMonths, NineMonths, TwelveMonths, TenYears …
}

func (p RetentionPolicy) clone() RetentionPolicy {
	p.RecordTypes, p.Operations, p.UserIDs = slices.Clone(p.RecordTypes), slices.Clone(p.Operations), slices.Clone(p.UserIDs)
	return p
}

// RetentionPolicies returns the tenant's retention policies in the order in which they
// were made.
func (t *Tenant) RetentionPolicies() []RetentionPolicy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return cloneRetention(t.dir.retention)
}

func cloneRetention(list []RetentionPolicy) []RetentionPolicy {
	var out []RetentionPolicy
	for _, p := range list {
		out = append(out, p.clone())
	}
	return out
}

// AddRetentionPolicy stores a policy as it is, with a Guid where it has none; one of that
// name is replaced. Nothing is checked: a tenant may hold what the service would refuse.
func (t *Tenant) AddRetentionPolicy(p RetentionPolicy) RetentionPolicy {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.storeRetention(p).clone()
}

// storeRetention adds or replaces a policy; the caller holds the lock.
func (t *Tenant) storeRetention(p RetentionPolicy) RetentionPolicy {
	p = p.clone()
	if i := t.dir.findRetention(p.Name); i >= 0 {
		p.Guid = t.dir.retention[i].Guid
		t.dir.retention[i] = p
		return p
	}
	if p.Guid == "" {
		p.Guid = t.gen.ids.guid(kindAddedGroup, fieldExchangeObject, t.dir.retentionMade)
	}
	t.dir.retentionMade++
	t.dir.retention = append(t.dir.retention, p)
	return p
}

// RemoveRetentionPolicy removes the policy with a name or Guid; false if there is none.
func (t *Tenant) RemoveRetentionPolicy(identity string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropRetention(identity)
}

func (t *Tenant) dropRetention(identity string) bool {
	i := t.dir.findRetention(identity)
	if i < 0 {
		return false
	}
	t.dir.retention = slices.Delete(slices.Clone(t.dir.retention), i, i+1)
	return true
}

// findRetention returns the place of the policy with a name or Guid, or -1.
func (d *directory) findRetention(identity string) int {
	return slices.IndexFunc(d.retention, func(p RetentionPolicy) bool {
		return strings.EqualFold(p.Name, identity) || p.Guid != "" && strings.EqualFold(p.Guid, identity)
	})
}

func (p RetentionPolicy) pairs() [][2]string {
	at := "retention/" + p.Name + "/"
	return [][2]string{
		{at + "Description", p.Description},
		{at + "Operations", sortedList(p.Operations)},
		{at + "Priority", strconv.Itoa(p.Priority)},
		{at + "RecordTypes", sortedList(p.RecordTypes)},
		{at + "RetentionDuration", p.Duration},
		{at + "UserIds", sortedList(p.UserIDs)},
	}
}
