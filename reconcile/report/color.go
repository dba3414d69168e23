package report

import "github.com/exoaudit/exoaudit/reconcile"

// The colours repeat what a symbol or a word says already; without them
// nothing is lost.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (t *textWriter) paint(color, text string) string {
	if !t.opts.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// symbol carries the fate of a difference. A fate of a later version shows as
// blocked: it is certainly not something that will be done.
func (t *textWriter) symbol(f reconcile.Fate) string {
	switch f {
	case reconcile.FatePlanned:
		return t.paint(green, "~")
	case reconcile.FateUnsupported:
		return t.paint(yellow, "-")
	case reconcile.FateExempt:
		return t.paint(cyan, "=")
	default:
		return t.paint(red, "!")
	}
}
