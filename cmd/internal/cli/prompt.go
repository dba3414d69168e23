package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// ask puts a question on standard error and goes on for "yes" alone. It is
// called only where standard input is a terminal.
func (a *app) ask(ctx context.Context, question string) error {
	if _, err := io.WriteString(a.Err, question); err != nil {
		return noReport("cannot ask: %w", err)
	}
	answer := make(chan string, 1)
	go func() {
		// A read of a terminal cannot be cancelled. After an interrupt this
		// waits for a line that nobody needs, until the process ends.
		line, _ := bufio.NewReader(a.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return refused("interrupted before the answer; nothing was written")
	case line := <-answer:
		if line != "yes" {
			return refused("not confirmed; nothing was written")
		}
		return nil
	}
}
