package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// The exit status of every command. The numbers are an interface: they are
// never renumbered, and a new meaning gets a new number.
const (
	// ExitInLine: the tenant is in line, or what was asked for is done.
	ExitInLine = 0
	// ExitNoReport: no report could be made.
	ExitNoReport = 1
	// ExitDrift: drift was found, or is left after apply.
	ExitDrift = 2
	// ExitIncomplete: there is a report and it is incomplete, or a part of an
	// apply failed or is not confirmed.
	ExitIncomplete = 3
	// ExitInvalid: the policy, the configuration or the command line is wrong.
	ExitInvalid = 4
	// ExitDenied: there is no token, or the service refused a cmdlet that the
	// policy needs.
	ExitDenied = 5
	// ExitRefused: a guard refused the run, nobody confirmed it, or the saved
	// plan is not for this tenant, policy or time.
	ExitRefused = 6
	// ExitInterrupted: ended by SIGINT.
	ExitInterrupted = 130
	// ExitTerminated: ended by SIGTERM or SIGHUP.
	ExitTerminated = 143
)

// worst gives the status that is reported where several hold.
func worst(codes ...int) int {
	order := []int{
		ExitInterrupted, ExitTerminated, ExitDenied, ExitInvalid, ExitNoReport, ExitRefused, ExitIncomplete, ExitDrift,
	}
	for _, code := range order {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return ExitInLine
}

// statusError carries an exit status. Its err may be nil: then everything has
// been said already, and only the status is left to report.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// ends ends a command whose report has been written.
func ends(status int) error {
	if status == ExitInLine {
		return nil
	}
	return &statusError{status: status}
}

// invalid says that the command line or the configuration is wrong.
func invalid(format string, args ...any) error {
	return &statusError{status: ExitInvalid, err: fmt.Errorf(format, args...)}
}

// refused says that the run was refused as a whole.
func refused(format string, args ...any) error {
	return &statusError{status: ExitRefused, err: fmt.Errorf(format, args...)}
}

// noReport says why no report could be made.
func noReport(format string, args ...any) error {
	return &statusError{status: ExitNoReport, err: fmt.Errorf(format, args...)}
}

// statusOf gives the exit status of an error: the one it carries, else the one
// of its cause. What is not known here ends without a report.
func statusOf(err error) int {
	if err == nil {
		return ExitInLine
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	if _, ok := errors.AsType[*reconcile.SlipError](err); ok {
		return ExitRefused
	}
	if _, ok := errors.AsType[policy.Diagnostics](err); ok {
		return ExitInvalid
	}
	if _, ok := errors.AsType[*reconcile.UnsupportedError](err); ok {
		return ExitInvalid
	}
	return statusOfService(err)
}

// statusOfService tells apart what the tenant and its authority answered.
func statusOfService(err error) int {
	if _, ok := errors.AsType[*auth.ConfigError](err); ok {
		return ExitInvalid
	}
	if _, ok := errors.AsType[*auth.NoCredentialError](err); ok {
		return ExitDenied
	}
	if _, ok := errors.AsType[*auth.Error](err); ok {
		return ExitDenied
	}
	if exchange.IsUnauthenticated(err) || exchange.IsRefused(err) {
		return ExitDenied
	}
	return ExitNoReport
}

// statusOfVerdict gives the status of a comparison. Refused cmdlets make the
// verdict failed, which is all that failed can mean once there is a plan.
func statusOfVerdict(v reconcile.Verdict) int {
	switch v {
	case reconcile.VerdictInLine:
		return ExitInLine
	case reconcile.VerdictDrift:
		return ExitDrift
	case reconcile.VerdictIncomplete:
		return ExitIncomplete
	default:
		return ExitDenied
	}
}

// statusOfSignal gives the status of a context that a signal ended, or zero.
func statusOfSignal(ctx context.Context) int {
	if s, ok := errors.AsType[*signalError](context.Cause(ctx)); ok {
		return s.status()
	}
	return 0
}
