//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// outlivePipes makes a write to a standard stream that nobody reads any more
// an ordinary error. Go ends a process by SIGPIPE at such a write unless the
// program asks for the signal (os/signal, "SIGPIPE"): that would leave a
// journal without outcomes and files that should be removed. Asking for it,
// unlike ignoring it, is not inherited by other processes.
func outlivePipes() (stop func()) {
	pipes := make(chan os.Signal, 1) // never read: Notify drops what finds no room
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}
