package cli

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
)

// TestSignals: what each signal does, to a command that takes none and to a service.
func TestSignals(t *testing.T) {
	for name, tt := range map[string]struct {
		service bool
		send    []os.Signal
		want    []string
	}{
		"a command":              {send: []os.Signal{os.Interrupt, os.Interrupt}, want: []string{"ended by SIGINT", "exit 130"}},
		"a command that is hung": {send: []os.Signal{syscall.SIGHUP, syscall.SIGTERM}, want: []string{"ended by SIGHUP", "exit 143"}},
		"a service": {
			service: true, send: []os.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGTERM},
			want: []string{"hangup", "hangup", "ended by SIGTERM", "hangup", "again", "exit 143"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s Signals
				var got []string
				hear := func(text string) func() { return func() { got = append(got, text) } }
				giveBack := func() {}
				if tt.service {
					giveBack = s.Take(hear("hangup"), hear("again"))
				}
				defer giveBack()
				signals, done := make(chan os.Signal), make(chan struct{})
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				ended := func(err error) {
					hear(err.Error())()
					cancel(err)
				}
				go s.watch(signals, done, ended, func(status int) { hear("exit " + map[int]string{130: "130", 143: "143"}[status])() })
				for _, sig := range tt.send {
					signals <- sig
					synctest.Wait()
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("heard %q, want %q", got, tt.want)
				}
				if statusOfSignal(ctx) == 0 {
					t.Error("the context was not ended by a signal")
				}
			})
		})
	}
	(*Signals)(nil).Take(nil, nil)() // nothing to take
}
