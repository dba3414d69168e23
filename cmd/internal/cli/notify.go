package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// The codes of what is wrong with notify in a configuration file.
const (
	// codeLiteralSecret is a secret that stands in the file itself.
	codeLiteralSecret = "literal-secret"
	// codeNoSecret is a variable or file that holds no secret.
	codeNoSecret = "no-secret"
	// codeBadTarget is a target that cannot be used.
	codeBadTarget = "bad-target"
)

// receiver is one entry of notify: where its address and its key are found, never what
// they are.
type receiver struct {
	kind        notify.Kind
	url, secret reference
	pos         strict.Pos
}

// reference names a variable of the environment, or a file. The zero one names
// nothing.
type reference struct {
	variable, file string
	pos            strict.Pos
}

func (r reference) given() bool { return r.variable != "" || r.file != "" }

func (r reference) String() string {
	if r.variable != "" {
		return "env:" + r.variable
	}
	return "file:" + report.Line(r.file)
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readReceivers reads the list under notify of a configuration file. No finding
// repeats a value of it: whoever writes a URL where its name belongs has written a
// secret into the file, and shall not find it in a log too.
func readReceivers(file string, n *strict.Node) []receiver {
	if n == nil {
		return nil
	}
	const form = "write notify: [{kind: slack, url: env:SLACK_URL}]"
	if !n.IsList() {
		n.Errorf(strict.CodeWrongType, form, "notify: expected a list of receivers (what is there is not shown, as it may be a secret)")
		return nil
	}
	items, _ := n.List()
	var out []receiver
	for _, item := range items {
		if !item.IsMap() {
			item.Errorf(strict.CodeWrongType, form, "notify: expected a map with kind and url (what is there is not shown, as it may be a secret)")
			continue
		}
		if r, ok := readReceiver(file, item); ok {
			out = append(out, r)
		}
	}
	return out
}

func readReceiver(file string, item *strict.Node) (receiver, bool) {
	known := []string{"kind", "url", "secret"}
	for _, e := range item.Entries() {
		if !slices.Contains(known, e.Key()) && !variableName.MatchString(e.Key()) {
			e.Report(strict.Diagnostic{
				Pos: e.KeyPos(), Code: strict.CodeUnknownKey, Hint: "the keys are kind, url, secret",
				Message: "unknown key in notify (it is not shown, as it may be a secret)",
			})
			return receiver{}, false
		}
	}
	m, _ := item.Map(strict.Required("kind", "url"), strict.Keys("secret"))
	r := receiver{pos: item.Pos()}
	kind, ok := m.Get("kind").Text()
	r.kind = notify.Kind(kind)
	if ok && !slices.Contains(notify.Kinds(), r.kind) {
		m.Get("kind").Errorf(codeBadTarget, kindHint(kind), "there is no such kind of receiver")
		ok = false
	}
	var okURL, okSecret bool
	r.url, okURL = readReference(file, m.Get("url"))
	r.secret, okSecret = readReference(file, m.Get("secret"))
	if !ok || m.Get("url") == nil || !okURL || !okSecret {
		return receiver{}, false
	}
	switch {
	case r.kind == notify.KindWebhook && !r.secret.given():
		item.Errorf(strict.CodeMissingKey, "add secret: env:NAME or file:PATH", "a webhook needs a secret, by which its receiver knows that an event is ours")
		return receiver{}, false
	case r.kind != notify.KindWebhook && r.secret.given():
		m.Get("secret").Errorf(codeBadTarget, "leave it out", "a secret is for a webhook; %s has none", r.kind)
		return receiver{}, false
	}
	return r, true
}

func kindHint(kind string) string {
	var names []string
	for _, k := range notify.Kinds() {
		names = append(names, string(k))
	}
	if n := strict.Nearest(kind, names); n != "" {
		return "did you mean " + n + "?"
	}
	return "there are " + strings.Join(names, ", ")
}

// readReference reads env:NAME or file:PATH; a path is relative to the file. What is
// absent is fine here.
func readReference(file string, n *strict.Node) (reference, bool) {
	if n == nil {
		return reference{}, true
	}
	const form = "write env:NAME or file:PATH"
	// Written reads whatever single value there is, and names none.
	text, ok := n.Written("env:NAME or file:PATH")
	if !ok {
		return reference{}, false
	}
	r := reference{pos: n.Pos()}
	name, found := strings.CutPrefix(text, "env:")
	if found && variableName.MatchString(name) {
		r.variable = name
		return r, true
	}
	// A path with a scheme in it is the URL itself.
	if path, found := strings.CutPrefix(text, "file:"); found && path != "" && !strings.Contains(path, "://") {
		r.file = beside(file, path)
		return r, true
	}
	n.Errorf(codeLiteralSecret, form, "%s must say where the secret is, and not be it (it is not shown)", n.Key())
	return reference{}, false
}

// targets resolves the receivers of the configuration. The error has a place for each
// that cannot be used, and shows no secret.
func (a *app) targets() ([]notify.Target, error) {
	var out []notify.Target
	var found strict.Diagnostics
	refuse := func(p strict.Pos, code, format string, args ...any) {
		found = append(found, strict.Diagnostic{Pos: p, Code: code, Message: fmt.Sprintf(format, args...)})
	}
	for _, r := range a.receivers {
		var values [2]string
		whole := true
		for i, ref := range []reference{r.url, r.secret} {
			value, err := a.resolve(ref)
			if err != nil {
				refuse(ref.pos, codeNoSecret, "%v", err)
				whole = false
			}
			values[i] = value
		}
		if !whole {
			continue
		}
		t, err := notify.NewTarget(r.kind, r.url.pos.String()+" ("+r.url.String()+")", values[0], values[1])
		if err != nil {
			refuse(r.url.pos, codeBadTarget, "%s: %v", r.url, err)
			continue
		}
		if i := slices.IndexFunc(out, t.Same); i >= 0 {
			refuse(r.url.pos, codeBadTarget, "%s: it is the same receiver as %s, which would hear everything twice", r.url, out[i])
			continue
		}
		out = append(out, t)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// receiverClaims lists the files of secrets: no report may replace one.
func (a *app) receiverClaims() []claim {
	var out []claim
	for _, r := range a.receivers {
		for _, ref := range []reference{r.url, r.secret} {
			if ref.file != "" {
				out = append(out, claim{flag: "notify (" + ref.pos.String() + ")", path: ref.file})
			}
		}
	}
	return out
}

// maxSecret bounds the file of a secret.
const maxSecret = 64 << 10

// resolve reads what a reference names.
func (a *app) resolve(r reference) (string, error) {
	switch {
	case r.variable != "":
		value := a.env.Getenv(r.variable)
		if strings.TrimSpace(value) == "" {
			return "", fmt.Errorf("the environment variable %s is not set", r.variable)
		}
		return value, nil
	case r.file != "":
		data, err := readFile("notify", r.file, maxSecret)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(string(data)) == "" {
			return "", fmt.Errorf("the file %s is empty", report.Line(r.file))
		}
		return string(data), nil
	default:
		return "", nil
	}
}
