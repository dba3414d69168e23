package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
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

// SignalCause gives the cause with which [Signals.NotifyContext] cancels its context at
// SIGINT, SIGTERM or SIGHUP. A context that is cancelled with it ends [Main] as
// the signal would.
func SignalCause(s os.Signal) error { return &signalError{s} }

// Signals hands the signals of a process to the command that runs. The zero value is
// ready; a nil one hands over nothing.
type Signals struct {
	mu            sync.Mutex
	hangup, again func()
}

// Take lets a service take SIGHUP instead of being ended by it, and the second signal
// that would end it instead of quitting at once; a third one quits. The function gives
// both back.
func (s *Signals) Take(hangup, again func()) (giveBack func()) {
	if s == nil {
		return func() {}
	}
	set := func(hangup, again func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hangup, s.again = hangup, again
	}
	set(hangup, again)
	return func() { set(nil, nil) }
}

// taken gives the function that takes SIGHUP, and the one that takes a second signal;
// nil where they act as usual.
func (s *Signals) taken() (hangup, again func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hangup, s.again
}

// NotifyContext gives a context that the first SIGINT, SIGTERM or SIGHUP
// cancels: no new write is started then, those in flight are finished and
// recorded, and what was done is said. A second signal calls exit at once. From
// here on a standard stream that nobody reads is an error, not the end of the
// process. The stop function gives the signals back.
func (s *Signals) NotifyContext(parent context.Context, exit func(int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup leaves it: then it stays so
		signal.Notify(signals, syscall.SIGHUP)
	}
	stopPipes := outlivePipes()
	done := make(chan struct{})
	go s.watch(signals, done, cancel, exit)
	return ctx, func() {
		signal.Stop(signals)
		stopPipes()
		close(done)
		cancel(nil)
	}
}

// watch acts on signals until done.
func (s *Signals) watch(signals <-chan os.Signal, done <-chan struct{}, cancel context.CancelCauseFunc, exit func(int)) {
	for ended := 0; ; {
		select {
		case sig := <-signals:
			e := &signalError{sig}
			hangup, again := s.taken()
			if sig == syscall.SIGHUP && hangup != nil {
				hangup()
				continue
			}
			ended++
			switch {
			case ended == 1:
				cancel(e)
			case ended == 2 && again != nil:
				again()
			default:
				exit(e.status())
				return
			}
		case <-done:
			return
		}
	}
}
