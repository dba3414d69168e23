package exchange

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Permission is what a probe found out about a parameter.
type Permission uint8

const (
	// Undetermined means that the answer does not tell.
	Undetermined Permission = iota
	// Allowed means that the service took the parameter and then did not find the
	// object, which does not exist.
	Allowed
	// Denied means that the service refused the parameter, or the cmdlet.
	Denied
)

// String returns the name of the permission.
func (p Permission) String() string {
	switch p {
	case Allowed:
		return "allowed"
	case Denied:
		return "denied"
	default:
		return "undetermined"
	}
}

// Probe is what one probe of a parameter found. Err is why the permission is
// undetermined, or the refusal; nil where the parameter is allowed.
type Probe struct {
	Cmdlet     string
	Parameter  string
	Permission Permission
	Err        error
}

var (
	// ErrProbeSucceeded is wrapped by the error of a probe that was answered by a
	// success: an object with a random Guid was found, or the service does not say
	// what it does not find. No further probe is made then.
	ErrProbeSucceeded = errors.New("a probe of an object that does not exist was answered by a success")
	// ErrProbeBlind is wrapped by the error of every probe of a service that looks
	// the object up before it looks at the parameters: its answers tell nothing.
	ErrProbeBlind = errors.New("the service looks the object up before it looks at the parameters")
)

// noParameter is a parameter that no cmdlet has.
const noParameter = "ExoauditNoSuchParameter"

// probeValue is the value that a parameter is probed with: one that makes auditing
// stronger, should an object be found against all odds. Identity is in every probe.
func probeValue(cmdlet, parameter string) (any, bool) {
	switch cmdlet + " " + parameter {
	case cmdletSetMailbox + " AuditEnabled", cmdletSetMailbox + " GroupMailbox", cmdletSetMailbox + " PublicFolder":
		return true, true
	case cmdletSetMailbox + " AuditLogAgeLimit":
		return "180.00:00:00", true
	case cmdletSetMailbox + " AuditAdmin", cmdletSetMailbox + " AuditDelegate", cmdletSetMailbox + " AuditOwner":
		return (&ListEdit{Add: []string{"HardDelete"}}).encode(), true
	case cmdletSetMailbox + " DefaultAuditSet":
		return []string{"Admin", "Delegate", "Owner"}, true
	case cmdletSetBypass + " AuditBypassEnabled":
		return false, true
	default:
		return nil, false
	}
}

// ProbeParameters finds out which parameters of Set-Mailbox or of
// Set-MailboxAuditBypassAssociation the caller's roles include, without changing
// anything: it calls the cmdlet once per parameter on a fresh random Guid. Not
// found means allowed; a refusal that names the parameter, or 403, means denied
// (wire 5.2, semantics 4.5). A first call with a parameter that no cmdlet has shows
// whether the service looks at parameters at all before it looks the object up;
// where it does not, or where that call's answer is unclear, all are undetermined.
//
// The probes have the order of parameters, one each. The error is set where
// probing ended early: [ErrInvalidCall], [ErrProbeSucceeded], the context's, or the
// want of a token. The probes that were not made are undetermined then.
func (c *Client) ProbeParameters(ctx context.Context, cmdlet string, parameters []string) ([]Probe, error) {
	probes := make([]Probe, len(parameters))
	for i, parameter := range parameters {
		probes[i] = Probe{Cmdlet: cmdlet, Parameter: parameter}
		if _, ok := probeValue(cmdlet, parameter); !ok {
			return nil, invalidCall(cmdlet, "there is no safe probe of %q", parameter)
		}
	}
	control := c.probe(ctx, cmdlet, noParameter, true)
	if control.Permission != Denied {
		if control.Permission == Allowed {
			control.Err = ErrProbeBlind
		}
		for i := range probes {
			probes[i].Err = control.Err
		}
		return probes, ending(ctx, control.Err)
	}
	for i := range probes {
		value, _ := probeValue(cmdlet, probes[i].Parameter)
		probes[i] = c.probe(ctx, cmdlet, probes[i].Parameter, value)
		if err := ending(ctx, probes[i].Err); err != nil {
			return probes, err
		}
	}
	return probes, nil
}

// probe makes one call on a Guid that no object has.
func (c *Client) probe(ctx context.Context, cmdlet, parameter string, value any) Probe {
	o := c.invoke(ctx, invocation{
		kind: probe, cmdlet: cmdlet, params: params{"Identity": newID(), parameter: value}, anchor: organizationAnchor(),
	})
	found := Probe{Cmdlet: cmdlet, Parameter: parameter, Err: o.written().Err}
	switch {
	case found.Err == nil:
		found.Err = callError(cmdlet, ErrProbeSucceeded)
	case IsNotFound(found.Err):
		found.Permission, found.Err = Allowed, nil
	case IsRefused(found.Err), isRefusedParameter(found.Err, parameter):
		found.Permission = Denied
	}
	return found
}

// ending is the error that ends all probing, nil where the next one may be made.
func ending(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrProbeSucceeded) || IsUnauthenticated(err) {
		return err
	}
	return nil
}

// isRefusedParameter tells a binding error that names the parameter: an unknown
// one and one that no role of the caller includes look alike (wire 5.2, semantics
// 4.5).
func isRefusedParameter(err error, parameter string) bool {
	e, ok := asError(err)
	if !ok || e.Status != http.StatusBadRequest {
		return false
	}
	if !e.hasType("AmbiguousParameterSetException") && !e.hasType("ParameterBindingException") &&
		!strings.Contains(e.Message, "parameter cannot be found") {
		return false
	}
	words := strings.FieldsFunc(e.Message, isNoNameRune)
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(word, parameter) })
}
