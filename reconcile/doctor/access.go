package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

const (
	setMailbox    = "Set-Mailbox"
	setBypass     = "Set-MailboxAuditBypassAssociation"
	customization = "Enable-OrganizationCustomization"
	// identity is in every probe, so that it has none of its own.
	identity = "Identity"
)

// noSafeProbe is said of the cmdlets that act on the tenant itself: there is no
// object that could be absent, so any accepted call would write.
const noSafeProbe = "not tried, as it has no safe probe: a call that is accepted would write"

// lacksRole is what to do about a cmdlet that is missing.
const lacksRole = "its role is missing: see the commands below"

// areaOf tells what check needs from what only apply needs.
func areaOf(n reconcile.Need) Area {
	if n.Write {
		return AreaWrite
	}
	return AreaRead
}

// cmdlets judges every cmdlet and parameter that is needed.
func (e *examination) cmdlets(ctx context.Context) {
	for _, n := range e.needs {
		check := e.cmdlet(n)
		if !n.Write && check.Status == OK {
			e.report.Checks = append(e.report.Checks, e.tryReads(ctx, check, n)...)
			continue
		}
		e.add(check)
		if !n.Write || check.Status == Missing || e.access.hopeless {
			continue
		}
		parameters := slices.DeleteFunc(slices.Clone(n.Parameters), func(p string) bool { return p == identity })
		switch {
		case n.Cmdlet != setMailbox && n.Cmdlet != setBypass:
			e.unprobed(n.Cmdlet, parameters)
		case e.report.Alarm != "":
			e.withheld(n.Cmdlet, parameters)
		default:
			e.probe(ctx, n.Cmdlet, parameters)
		}
	}
}

// cmdlet judges one cmdlet: by a real call where there was one, else by the
// list of exported cmdlets.
func (e *examination) cmdlet(n reconcile.Need) Check {
	check := Check{Area: areaOf(n), Name: n.Cmdlet, Cmdlet: n.Cmdlet, Status: OK}
	if n.Cmdlet == customization && e.isHydrated() {
		check.Seen = "not needed: the tenant is hydrated"
		return check
	}
	held, known := e.access.exports(n.Cmdlet)
	err, called := e.access.called(n.Cmdlet)
	switch {
	case called && err == nil:
		check.Seen = "called, and it answered"
	case called && exchange.IsRefused(err):
		check.Status, check.Seen = Missing, "called, and refused (403)"
	case called && isNotTaken(err):
		check.Status, check.Seen = Missing, "called, and the service does not take the token for it (401)"
	case called && (held || !known):
		check.Status, check.Seen = Unknown, say("called, and it failed: %v", err)
	case !known:
		check.Status = Unknown
		check.Seen = "the list of exported cmdlets could not be had"
		if e.access.hopeless {
			check.Seen = "not tried: see the service above"
		}
	case !held:
		check.Status = Missing
		check.Seen = "not among the cmdlets that the service exports to this credential"
	default:
		check.Seen = "exported"
	}
	if held && n.Cmdlet == customization {
		check.Seen = "exported; " + noSafeProbe
	}
	switch check.Status {
	case Missing:
		check.Fix = lacksRole
		if len(n.Parameters) > 0 && n.Write {
			check.Seen += "; needed with " + strings.Join(n.Parameters, ", ")
		}
	case Unknown:
		check.Fix = "run doctor again"
		if cause := e.cause(); cause != nil && !called {
			check.Fix = say("run doctor again; cause: %v", cause)
		}
		if e.access.hopeless {
			check.Fix = ""
		}
	case OK, Warning:
	}
	return check
}

// isNotTaken tells a 401: the service does not take a token that it took, or might
// have taken, for another call. A role that is not supported is refused so (wire 5.2).
func isNotTaken(err error) bool {
	failed, ok := errors.AsType[*exchange.Error](err)
	return ok && failed.Status == http.StatusUnauthorized
}

func (e *examination) isHydrated() bool {
	dehydrated, known := e.access.org.IsDehydrated.Get()
	return e.access.orgErr == nil && known && !dehydrated
}

// cause is why the first calls left something open.
func (e *examination) cause() error {
	if e.access.exportedErr != nil {
		return e.access.exportedErr
	}
	return e.access.orgErr
}

// probe judges the parameters of a cmdlet by calls on an object that does not
// exist.
func (e *examination) probe(ctx context.Context, cmdlet string, parameters []string) {
	probes, err := e.tenant.ProbeParameters(ctx, cmdlet, parameters)
	if errors.Is(err, exchange.ErrProbeSucceeded) {
		e.report.Alarm = say("%v; look into the audit log of the tenant for a call of %s by this application, and report this", err, cmdlet)
	}
	for i, name := range parameters {
		p := exchange.Probe{Cmdlet: cmdlet, Parameter: name, Err: err}
		if i < len(probes) {
			p = probes[i]
		}
		e.add(probed(p))
	}
}

func parameterCheck(cmdlet, parameter string, s Status, seen, fix string) Check {
	return Check{
		Area: AreaWrite, Name: cmdlet + " -" + parameter, Cmdlet: cmdlet, Parameter: parameter,
		Status: s, Seen: seen, Fix: fix,
	}
}

// probed judges one probe.
func probed(p exchange.Probe) Check {
	switch {
	case p.Permission == exchange.Allowed:
		return parameterCheck(p.Cmdlet, p.Parameter, OK, "taken by a probe", "")
	case p.Permission == exchange.Denied:
		return parameterCheck(p.Cmdlet, p.Parameter, Missing, say("a probe was refused%s", refusal(p.Err)),
			"the role that holds the cmdlet lacks this parameter: see the commands below")
	case errors.Is(p.Err, exchange.ErrProbeBlind):
		return parameterCheck(p.Cmdlet, p.Parameter, Unknown,
			"a probe tells nothing here: the service looks the object up before it looks at the parameters", askBelow)
	case p.Err == nil:
		return parameterCheck(p.Cmdlet, p.Parameter, Unknown, "not tried", "run doctor again")
	default:
		return parameterCheck(p.Cmdlet, p.Parameter, Unknown, say("the probe was not clear: %v", p.Err), "run doctor again")
	}
}

// withheld says of parameters that they were not tried, since a probe was accepted
// before: the next might write as well.
func (e *examination) withheld(cmdlet string, parameters []string) {
	for _, p := range parameters {
		e.add(parameterCheck(cmdlet, p, Unknown, "not tried: see the alarm below", "do what the alarm says"))
	}
}

// unprobed says of parameters that they could not be tried, and how to ask.
func (e *examination) unprobed(cmdlet string, parameters []string) {
	for _, p := range parameters {
		e.add(parameterCheck(cmdlet, p, Warning, noSafeProbe, askBelow))
	}
}

// askBelow points to the queries of [examination.ask].
const askBelow = "if in doubt ask an administrator: see the query below"

// refusal says how a probe was refused, in few words.
func refusal(err error) string {
	failed, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return ""
	}
	if failed.Type == "" {
		return fmt.Sprintf(" with HTTP %d", failed.Status)
	}
	return fmt.Sprintf(" with HTTP %d, %s", failed.Status, failed.Type[strings.LastIndexByte(failed.Type, '.')+1:])
}

// roleQuery is the command that tells which management roles hold parameters of
// a cmdlet (semantics 4.5, wire 6).
func roleQuery(cmdlet string, parameters ...string) string {
	query := "Get-ManagementRole -Cmdlet " + cmdlet
	if len(parameters) > 0 {
		query += " -CmdletParameters " + strings.Join(parameters, ",")
	}
	return query
}
