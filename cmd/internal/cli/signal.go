package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string {
	switch e.signal {
	case syscall.SIGTERM:
		return "ended by SIGTERM"
	case syscall.SIGHUP:
		return "ended by SIGHUP"
	default:
		return "ended by SIGINT"
	}
}

// status is that of SIGTERM for SIGHUP too: both end a program from outside.
func (e *signalError) status() int {
	if e.signal == syscall.SIGTERM || e.signal == syscall.SIGHUP {
		return ExitTerminated
	}
	return ExitInterrupted
}

// SignalCause gives the cause with which [NotifyContext] cancels its context at
// SIGINT, SIGTERM or SIGHUP. A context that is cancelled with it ends [Main] as
// the signal would.
func SignalCause(s os.Signal) error { return &signalError{s} }

// NotifyContext gives a context that the first SIGINT, SIGTERM or SIGHUP
// cancels: no new write is started then, those in flight are finished and
// recorded, and what was done is said. A second signal calls exit at once. From
// here on a standard stream that nobody reads is an error, not the end of the
// process. The stop function gives the signals back.
func NotifyContext(parent context.Context, exit func(int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup leaves it: then it stays so
		signal.Notify(signals, syscall.SIGHUP)
	}
	stopPipes := outlivePipes()
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-signals:
				e := &signalError{s}
				if !first {
					exit(e.status())
					return
				}
				cancel(e)
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		stopPipes()
		close(done)
		cancel(nil)
	}
}
