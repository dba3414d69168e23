package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// ComplianceReader is what a comparison needs of the Security & Compliance service,
// which alone has the retention policies (wire 7). *exchange.ComplianceClient
// satisfies it.
type ComplianceReader interface {
	// SetDomain tells the initial domain, by which the service finds the tenant.
	SetDomain(domain string)
	RetentionPolicies(ctx context.Context) ([]exchange.RetentionPolicy, error)
	Stats() exchange.Stats
}

// Compliance is what an apply needs of it. No policy is ever removed.
// *exchange.ComplianceClient satisfies it.
type Compliance interface {
	ComplianceReader
	NewRetentionPolicy(ctx context.Context, name string, edit exchange.RetentionEdit) exchange.Result[struct{}]
	SetRetentionPolicy(ctx context.Context, name string, edit exchange.RetentionEdit) exchange.Result[struct{}]
}

// statsOf counts the requests to both services.
func statsOf(r Reader, c ComplianceReader) exchange.Stats {
	s := r.Stats()
	if c != nil {
		more := c.Stats()
		s.Requests += more.Requests
		s.Pages += more.Pages
	}
	return s
}

// The cmdlets of retention policies.
const (
	cmdletGetRetention = "Get-UnifiedAuditLogRetentionPolicy"
	cmdletNewRetention = "New-UnifiedAuditLogRetentionPolicy"
	cmdletSetRetention = "Set-UnifiedAuditLogRetentionPolicy"
)

// retained is one retention policy of the tenant. An empty list does not limit it.
type retained struct {
	name                         string
	priority                     int
	types, operations, users     []string // sorted, as the service spells them
	duration                     string
	span                         time.Duration
	missing                      string // why it cannot be judged
	typesKnown, clashes, outside bool
}

// retainedOf canonicalises a row. A list that is null was not set, and does not
// limit the policy.
func retainedOf(row exchange.RetentionPolicy) retained {
	p := retained{name: row.Name.Value, priority: row.Priority.Value, duration: row.RetentionDuration.Value}
	note := func(why string) {
		if p.missing == "" {
			p.missing = why
		}
	}
	names := func(property string, f exchange.Field[[]string]) []string {
		if f.State != exchange.Null {
			note(unread(property, f.State))
		}
		list := slices.Clone(f.Value)
		slices.Sort(list)
		if slices.ContainsFunc(list, severalNames) {
			note(fmt.Sprintf("%s is of a form that this version does not know", property))
		}
		return slices.Compact(list)
	}
	note(unread("Name", row.Name.State))
	p.types = names("RecordTypes", row.RecordTypes)
	p.typesKnown = row.RecordTypes.State == exchange.Null || row.RecordTypes.State == exchange.Set && !slices.ContainsFunc(p.types, severalNames)
	p.operations = names("Operations", row.Operations)
	p.users = names("UserIds", row.UserIDs)
	note(unread("Priority", row.Priority.State))
	note(unread("RetentionDuration", row.RetentionDuration.State))
	var known bool
	if p.span, known = exchange.RetentionDuration(p.duration).Span(); !known {
		note(fmt.Sprintf("RetentionDuration is %q, which this version does not know", p.duration))
	}
	return p
}

// severalNames tells an element of a list that is not one name: none, a number, or
// names with commas between them, as the service writes rights (audit-records 3).
// How it writes these lists over REST is not known (wire 7).
func severalNames(element string) bool {
	return strings.TrimSpace(element) == "" || strings.Contains(element, ",") || strings.Trim(element, "0123456789 ") == ""
}

// foldRetention makes a list of rows: ordered as they win, each policy once. Rows
// of one name that do not agree leave it unknown, as nothing says which is true.
func foldRetention(rows []exchange.RetentionPolicy) []retained {
	list := make([]retained, 0, len(rows))
	for _, row := range rows {
		p := retainedOf(row)
		i := slices.IndexFunc(list, func(other retained) bool { return p.name != "" && strings.EqualFold(other.name, p.name) })
		switch {
		case i < 0:
			list = append(list, p)
		case !slices.Equal(list[i].values(), p.values()) || list[i].missing != p.missing:
			// Which records it takes hold of is not known either.
			list[i].missing, list[i].typesKnown = listedTwice, false
		}
	}
	slices.SortStableFunc(list, func(a, b retained) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), strings.Compare(a.name, b.name))
	})
	for i := range list {
		p := &list[i]
		p.clashes = slices.ContainsFunc(list, func(other retained) bool { return other.name != p.name && other.priority == p.priority })
		p.outside = p.priority < 1 || p.priority > maxPriority
	}
	return list
}

// values is a policy as it stands in a plan: its properties as KEY=VALUE, sorted.
func (p retained) values() []string {
	out := []string{"RetentionDuration=" + p.duration}
	if p.priority != 0 {
		out = append(out, "Priority="+strconv.Itoa(p.priority))
	}
	for key, list := range map[string][]string{"RecordTypes": p.types, "Operations": p.operations, "UserIds": p.users} {
		for _, v := range list {
			out = append(out, key+"="+v)
		}
	}
	slices.Sort(out)
	return out
}

// retentionEdit reads back what [retained.values] wrote.
func retentionEdit(values []string) exchange.RetentionEdit {
	var e exchange.RetentionEdit
	for _, pair := range values {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "Priority":
			e.Priority, _ = strconv.Atoi(value) // It was a number when it was written.
		case "RetentionDuration":
			e.Duration = exchange.RetentionDuration(value)
		case "RecordTypes":
			e.RecordTypes = append(e.RecordTypes, value)
		case "Operations":
			e.Operations = append(e.Operations, value)
		case "UserIds":
			e.UserIDs = append(e.UserIDs, value)
		}
	}
	return e
}

// subject names a policy; its name is what the service knows it by.
func (p retained) subject() Subject {
	return Subject{Kind: audit.KindRetention, ID: p.name, Name: p.name}
}

// takes tells whether a policy may take hold of records of a type.
func (p retained) takes(recordType string) bool { return lists(p.types, recordType) }

// lists tells whether a limiting list lets a name in; an empty one lets in all.
func lists(list []string, name string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

// onExchange tells whether a policy may take hold of records of Exchange.
func (p retained) onExchange() bool {
	return len(p.types) == 0 || slices.ContainsFunc(p.types, ofExchange)
}

// ofExchange tells the record types of Exchange by their names (semantics 7).
func ofExchange(recordType string) bool {
	return strings.HasPrefix(strings.ToLower(recordType), "exchange")
}

// retention reads the retention policies, after the organization: its name is what
// the service finds the tenant by.
func (o *observer) retention(ctx context.Context) {
	if name := o.obs.tenant.name; name != "" {
		o.compliance.SetDomain(name)
	}
	var rows []exchange.RetentionPolicy
	err := attempt(ctx, func() (err error) {
		rows, err = o.compliance.RetentionPolicies(ctx)
		return err
	})
	o.note(audit.KindRetention, cmdletGetRetention, err)
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.retention = foldRetention(rows)
}

// asksRetention tells whether retention policies are compared in this run: they are
// no part of a look at one mailbox.
func (o *observer) asksRetention(mailbox string) bool {
	return o.policy.Retention != nil && o.compliance != nil && mailbox == ""
}

// retention judges the retention policies, where they were read.
func (b *builder) retention(d differ) {
	if b.req.Policy.Retention == nil || b.scope() != ScopeFull {
		return
	}
	if !b.readWhole(audit.KindRetention) {
		b.plan.retention.Unknown = 1
		return
	}
	f, states := d.retention(b.obs.retention)
	b.plan.retention = states
	b.plan.tenant = append(b.plan.tenant, f.changes...)
	b.plan.unknown = append(b.plan.unknown, f.unknown...)
}
