package cli

import (
	"fmt"
	"sync"
)

// progress shows on a terminal how far a run is, on one line that is written
// over. Elsewhere it shows nothing: a log is no place for it.
type progress struct {
	app  *app
	what string
	on   bool

	mu    sync.Mutex
	last  int // the last share shown, in thousandths
	shown bool
}

func (a *app) newProgress(what string) *progress {
	on := a.ErrTerminal && !a.out.quiet && !a.out.verbose && a.out.logFormat == "text" && a.env.Getenv("TERM") != "dumb"
	return &progress{app: a, what: what, on: on, last: -1}
}

// show is called by several goroutines, after every batch.
func (p *progress) show(done, total int) {
	if !p.on || total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	share := 1000 * done / total
	if share <= p.last {
		return
	}
	p.last, p.shown = share, true
	_, _ = fmt.Fprintf(p.app.Err, "\r%s: %d of %d", p.what, done, total)
}

// end leaves the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		_, _ = fmt.Fprintln(p.app.Err)
	}
}
