package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newLogger gives the logger of standard error: lines for people, or JSON.
// Whatever the form, every text in it passes report.Line, so that nothing that
// a tenant chose can move a cursor or command a CI system.
func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
			Level: level,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Value.Kind() == slog.KindString {
					a.Value = slog.StringValue(report.Line(a.Value.String()))
				}
				return a
			},
		}))
	}
	return slog.New(&lineHandler{w: w, level: level, mu: new(sync.Mutex)})
}

// lineHandler writes records as people expect them from a command: the level
// only where it matters, no time, "key=value" after the message.
type lineHandler struct {
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
	mu    *sync.Mutex
}

// Enabled is part of slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle is part of slog.Handler.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("exoaudit: ")
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("warning: ")
	}
	b.WriteString(report.Line(r.Message))
	write := func(a slog.Attr) bool {
		if text := a.Value.Resolve().String(); text != "" {
			b.WriteString(" " + report.Line(a.Key) + "=" + report.Line(text))
		}
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs is part of slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &c
}

// WithGroup is part of slog.Handler; this program logs without groups.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
