package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxProxied bounds how often an error may be wrapped as text inside another.
const maxProxied = 3

// newError reads a failed answer. header may be that of a batch item.
func newError(cmdlet string, status int, header http.Header, body []byte) *Error {
	e := &Error{
		Cmdlet:      cmdlet,
		Status:      status,
		Type:        clean(header.Get("x-ExceptionType")),
		RequestID:   clean(header.Get("request-id")),
		RetryAfter:  retryAfterOf(header),
		Backend:     clean(header.Get("X-CalculatedBETarget")),
		Diagnostics: redact(clean(header.Get("x-ms-diagnostics"))),
		Claims:      strings.Contains(strings.Join(header.Values("WWW-Authenticate"), ","), "claims="),
	}
	if e.Backend == "" {
		e.Backend = clean(header.Get("X-FEServer"))
	}
	e.readBody(body)
	return e
}

// readBody fills the error from a body of any kind: the service's JSON, a page
// of the front door, a run of NUL bytes (wire 5.2), or nothing.
func (e *Error) readBody(body []byte) {
	body = bytes.Trim(body, "\x00 \t\r\n\ufeff")
	switch {
	case len(body) == 0:
	case body[0] == '{':
		var doc map[string]any
		if json.Unmarshal(body, &doc) == nil {
			e.readEnvelope(doc, 0)
		}
	case body[0] == '<':
		e.Message = redact(clean(title(string(body))))
	default:
		e.Message = redact(clean(string(body[:min(len(body), 300)])))
	}
}

// title returns what an HTML page calls itself.
func title(page string) string {
	lower := strings.ToLower(page)
	if len(lower) != len(page) { // folding moved the offsets
		return ""
	}
	start := strings.Index(lower, "<title")
	if start < 0 {
		return ""
	}
	end := strings.Index(lower[start:], "</title")
	open := strings.IndexByte(lower[start:], '>')
	if open < 0 || end < open {
		return ""
	}
	return page[start+open+1 : start+end]
}

// readEnvelope reads {"error":{…}} (wire 5.1). The best text is that of the
// first detail, then the innermost exception's, then the generic message.
func (e *Error) readEnvelope(doc map[string]any, depth int) {
	body := object(doc, "error")
	if body == nil {
		body = doc
	}
	e.Code = clean(text(body, "code"))
	e.Warnings = append(e.Warnings, texts(body["@adminapi.warnings"])...)
	inner := innermost(body)
	var kind, message string
	if details, ok := body["details"].([]any); ok && len(details) > 0 {
		e.details = len(details)
		if detail, ok := details[0].(map[string]any); ok {
			e.Target = redact(clean(text(detail, "target")))
			kind, message = splitDetail(text(detail, "message"))
		}
	}
	if message == "" && !strings.HasPrefix(text(inner, "message"), "Exception of type '") {
		message = text(inner, "message")
	}
	if message == "" {
		message = text(body, "message")
	}
	switch {
	case kind != "":
		e.Type = clean(kind)
	case e.Type == "":
		e.Type = clean(text(inner, "type"))
	}
	e.Message = redact(clean(message))
	e.readProxied(message, depth)
}

// readProxied looks into an error that another server sent as text inside the
// message (wire 5.2, "proxied write failed"): its type says what is wrong.
func (e *Error) readProxied(message string, depth int) {
	at := strings.Index(message, `{"error"`)
	if at < 0 || depth >= maxProxied {
		return
	}
	var doc map[string]any
	if json.NewDecoder(strings.NewReader(message[at:])).Decode(&doc) != nil {
		return
	}
	nested := &Error{}
	nested.readEnvelope(doc, depth+1)
	if nested.Type != "" {
		e.Type = nested.Type
	}
	if nested.Message != "" {
		e.Message = nested.Message
		e.details += nested.details - 1
	}
}

// innermost follows innererror and internalexception to the last one.
func innermost(body map[string]any) map[string]any {
	inner := object(body, "innererror")
	for range maxProxied {
		next := object(inner, "internalexception")
		if next == nil {
			break
		}
		inner = next
	}
	return inner
}

// splitDetail reads the three spellings of a detail's message (wire 5.1):
// "id|Type|text", "|Type|text", and a JSON object as text. Anything else is the
// text itself.
func splitDetail(s string) (kind, message string) {
	if strings.HasPrefix(s, "{") {
		var doc map[string]any
		if json.Unmarshal([]byte(s), &doc) == nil {
			return describe(doc)
		}
	}
	parts := strings.SplitN(s, "|", 3)
	if len(parts) == 3 && isTypeName(parts[1]) && !strings.ContainsAny(parts[0], " \t") {
		return parts[1], parts[2]
	}
	return "", s
}

// describe reads an exception that was written as a JSON object.
func describe(doc map[string]any) (kind, message string) {
	for _, key := range []string{"TypeName", "ClassName", "type", "Type"} {
		if kind == "" {
			kind = text(doc, key)
		}
	}
	for _, key := range []string{"Message", "message"} {
		if message == "" {
			message = text(doc, key)
		}
	}
	if message == "" {
		message = text(object(doc, "localizedString"), "stringId")
	}
	return kind, message
}

// isTypeName tells a dotted .NET name.
func isTypeName(s string) bool {
	if !strings.Contains(s, ".") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return isNoNameRune(r) && !strings.ContainsRune("._+`", r)
	})
}

// object returns a member that is an object, else nil.
func object(doc map[string]any, key string) map[string]any {
	member, _ := doc[key].(map[string]any)
	return member
}

// text returns a member that is a string or a number, else "": the code of a
// detail is a name or a number (wire 5.1).
func text(doc map[string]any, key string) string {
	switch v := doc[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

// texts returns the strings of a member that is a list of them.
func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, element := range list {
		if s, ok := element.(string); ok {
			out = append(out, redact(clean(s)))
		}
	}
	return out
}

// errorsInside makes one error of the @adminapi.errors of a success. The shape
// of an element is not known (wire 1.5), so strings and objects are both read.
func errorsInside(cmdlet string, header http.Header, elements []json.RawMessage) *Error {
	e := newError(cmdlet, http.StatusOK, header, nil)
	messages := make([]string, 0, len(elements))
	for _, raw := range elements {
		kind, message, details := readElement(raw)
		e.details += details
		if e.Type == "" {
			e.Type = clean(kind)
		}
		messages = append(messages, redact(clean(message)))
	}
	e.Message = strings.Join(messages, "; ")
	return e
}

// failureInside makes an error of the error member of a success, which is the
// service's envelope or anything else.
func failureInside(cmdlet string, header http.Header, raw json.RawMessage) *Error {
	if raw[0] != '{' {
		return errorsInside(cmdlet, header, elementsOf(jsontext.Value(raw)))
	}
	return newError(cmdlet, http.StatusOK, header, fmt.Appendf(nil, `{"error":%s}`, raw))
}

// readElement also counts the failures that the element tells of, one at least.
func readElement(raw json.RawMessage) (kind, message string, details int) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		kind, message = splitDetail(s)
		return kind, message, 1
	}
	var doc map[string]any
	if json.Unmarshal(raw, &doc) == nil {
		nested := &Error{}
		nested.readEnvelope(doc, 0)
		if nested.Message != "" {
			return nested.Type, nested.Message, max(1, nested.details)
		}
		if kind, message := describe(doc); message != "" {
			return kind, message, 1
		}
	}
	return "", string(raw), 1
}
