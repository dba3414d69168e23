package exchange

import (
	"context"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// RetentionDuration is how long a retention policy keeps records, by the service's
// name for it.
type RetentionDuration string

// The durations that the service documents (wire 7). Others were seen in tenants
// (semantics 5.3): see [RetentionDuration.Span].
const (
	ThreeMonths  RetentionDuration = "ThreeMonths"
	SixMonths    RetentionDuration = "SixMonths"
	NineMonths   RetentionDuration = "NineMonths"
	TwelveMonths RetentionDuration = "TwelveMonths"
	TenYears     RetentionDuration = "TenYears"
)

// RetentionDurations returns the documented durations, the shortest first. No other
// is written.
func RetentionDurations() []RetentionDuration {
	return []RetentionDuration{ThreeMonths, SixMonths, NineMonths, TwelveMonths, TenYears}
}

// Span returns the duration in days of 24 hours, and whether its name is known. A
// month is counted as 30 days and a year as 365, since the service does not say: so
// SixMonths is the 180 days, and TwelveMonths the year, of its own pages.
func (d RetentionDuration) Span() (time.Duration, bool) {
	const day = 24 * time.Hour
	switch d {
	case "SevenDays":
		return 7 * day, true
	case "OneMonth":
		return 30 * day, true
	case ThreeMonths:
		return 90 * day, true
	case SixMonths:
		return 180 * day, true
	case NineMonths:
		return 270 * day, true
	case TwelveMonths:
		return 365 * day, true
	case "ThreeYears":
		return 3 * 365 * day, true
	case "FiveYears":
		return 5 * 365 * day, true
	case "SevenYears":
		return 7 * 365 * day, true
	case TenYears:
		return 10 * 365 * day, true
	default:
		return 0, false
	}
}

// RetentionPolicy is one retention policy of the unified audit log. The names of its
// properties are documented; how they look over REST is not known (wire 7), so a
// property of another form is one that is not known.
type RetentionPolicy struct {
	// Name is what the policy is known by; Guid and Identity are there for those
	// who look it up.
	Name, Guid, Identity Field[string]
	Description          Field[string]
	// Priority is unique; the lower number wins.
	Priority Field[int]
	// RecordTypes, Operations and UserIDs limit the policy to records of these; an
	// empty list is taken not to limit.
	RecordTypes, Operations, UserIDs Field[[]string]
	// RetentionDuration is a [RetentionDuration], or a name that is not known yet.
	RetentionDuration Field[string]
}

func retentionProperty(p *RetentionPolicy, name []byte) property {
	switch string(name) {
	case "Name":
		return &p.Name
	case "Guid":
		return &p.Guid
	case "Identity":
		return &p.Identity
	case "Description":
		return &p.Description
	case "Priority":
		return &p.Priority
	case "RecordTypes":
		return &p.RecordTypes
	case "Operations":
		return &p.Operations
	case "UserIds":
		return &p.UserIDs
	case "RetentionDuration":
		return &p.RetentionDuration
	default:
		return nil
	}
}

// RetentionPolicies reads all retention policies of the unified audit log. It ends
// with an [IncompleteError] where they are not all, and with an error for which
// [IsRefused] holds where no role of the caller reads them, as with all but those
// that also delete them (semantics 4.5).
func (c *ComplianceClient) RetentionPolicies(ctx context.Context) ([]RetentionPolicy, error) {
	policies := []RetentionPolicy{}
	// The cmdlet has no ResultSize.
	for p, err := range listing(ctx, c.client, invocation{
		kind: read, cmdlet: cmdletGetRetention, anchor: organizationAnchor(),
	}, retentionProperty) {
		if err != nil {
			return nil, err
		}
		policies = append(policies, p)
	}
	return policies, nil
}

// RetentionEdit is what one retention policy is to be. Priority and Duration are
// mandatory, as the service has them (wire 7).
type RetentionEdit struct {
	// Priority is 1 to 10000, and no other policy's.
	Priority int
	Duration RetentionDuration
	// Description is at most 256 characters long; empty changes nothing.
	Description string
	// RecordTypes, Operations and UserIDs replace the lists; empty ones are not sent,
	// and leave a policy as it is. Operations need exactly one record type.
	RecordTypes, Operations, UserIDs []string
}

// NewRetentionPolicy makes a policy with a name of 1 to 64 characters. It is made
// once at most; a result with an error other than [ErrInvalidCall] may have been
// executed, and is to be read back.
func (c *ComplianceClient) NewRetentionPolicy(ctx context.Context, name string, edit RetentionEdit) Result[struct{}] {
	p, err := edit.params(cmdletNewRetention)
	if err == nil {
		err = checkPolicyName(cmdletNewRetention, name)
	}
	if err != nil {
		return Result[struct{}]{Err: err}
	}
	p["Name"] = name
	return c.invoke(ctx, write, cmdletNewRetention, p).written()
}

// SetRetentionPolicy changes the policy with that name, its lists as a whole.
func (c *ComplianceClient) SetRetentionPolicy(ctx context.Context, name string, edit RetentionEdit) Result[struct{}] {
	p, err := edit.params(cmdletSetRetention)
	if err == nil {
		err = checkPolicyName(cmdletSetRetention, name)
	}
	if err != nil {
		return Result[struct{}]{Err: err}
	}
	p["Identity"] = name
	return c.invoke(ctx, write, cmdletSetRetention, p).written()
}

// RemoveRetentionPolicy removes the policy with that name.
func (c *ComplianceClient) RemoveRetentionPolicy(ctx context.Context, name string) Result[struct{}] {
	if err := checkPolicyName(cmdletRemoveRetention, name); err != nil {
		return Result[struct{}]{Err: err}
	}
	return c.invoke(ctx, write, cmdletRemoveRetention, params{"Identity": name}).written()
}

func checkPolicyName(cmdlet, name string) error {
	if err := checkIdentity(cmdlet, name); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(name); n > 64 {
		return invalidCall(cmdlet, "the name of a policy has %d characters, and 64 are the most", n)
	}
	return nil
}

// params encodes the edit, or refuses it.
func (e RetentionEdit) params(cmdlet string) (params, error) {
	switch {
	case e.Priority < 1 || e.Priority > 10000:
		return nil, invalidCall(cmdlet, "the priority %d is not between 1 and 10000", e.Priority)
	case !slices.Contains(RetentionDurations(), e.Duration):
		// The service would take a part of a name for the whole (wire 1.2).
		return nil, invalidCall(cmdlet, "%q is not the name of a duration", e.Duration)
	case utf8.RuneCountInString(e.Description) > 256:
		return nil, invalidCall(cmdlet, "the description is longer than 256 characters")
	case len(e.Operations) > 0 && len(e.RecordTypes) != 1:
		return nil, invalidCall(cmdlet, "operations need exactly one record type, and there are %d", len(e.RecordTypes))
	}
	p := params{"Priority": e.Priority, "RetentionDuration": string(e.Duration)}
	if e.Description != "" {
		p["Description"] = e.Description
	}
	for _, list := range []struct {
		name   string
		values []string
	}{{"RecordTypes", e.RecordTypes}, {"Operations", e.Operations}, {"UserIds", e.UserIDs}} {
		if slices.ContainsFunc(list.values, isBlank) {
			return nil, invalidCall(cmdlet, "%s names something empty", list.name)
		}
		if len(list.values) > 0 {
			p[list.name] = list.values
		}
	}
	return p, nil
}

// takeInt accepts a whole number, also one written as a text.
func takeInt(dec *jsontext.Decoder) (value int, ok bool, err error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return 0, false, err
	}
	text := string(raw)
	if raw.Kind() == '"' {
		text = text[1 : len(text)-1]
	}
	value, convErr := strconv.Atoi(text)
	if convErr != nil {
		return 0, false, nil
	}
	return value, true, nil
}

// The cmdlets of retention policies, which the Security & Compliance service alone
// has.
const (
	cmdletGetRetention    = "Get-UnifiedAuditLogRetentionPolicy"
	cmdletNewRetention    = "New-UnifiedAuditLogRetentionPolicy"
	cmdletSetRetention    = "Set-UnifiedAuditLogRetentionPolicy"
	cmdletRemoveRetention = "Remove-UnifiedAuditLogRetentionPolicy"
)
