package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// writeLine writes one line, escaped for a terminal. Nothing can be done about
// an error here: it is the stream on which errors are told.
func writeLine(w io.Writer, text string) {
	_, _ = io.WriteString(w, report.Line(text)+"\n")
}

// writeFile writes a file that names mailboxes: readable by its owner only,
// and either whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := newPendingFile(path)
	if err != nil {
		return noReport("cannot write %s: %w", path, err)
	}
	defer f.discard()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return noReport("cannot write %s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return noReport("cannot write %s: %w", path, err)
	}
	if err := f.replace(); err != nil {
		return noReport("cannot write %s: %w", path, err)
	}
	return nil
}

// problems are errors that stand side by side, on one line.
type problems []error

func (p problems) Error() string {
	texts := make([]string, len(p))
	for i, err := range p {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (p problems) Unwrap() []error { return p }

// together gives nil where every error is nil.
func together(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	default:
		return problems(errs)
	}
}

// printer writes a result and remembers the first error, so that a full disk
// or a closed pipe ends the command with a status.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
