package exchange

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// batchReply is the answer to a $batch (wire 2), sorted by the ids of its items.
// An id that came twice has no answer to trust: it is given both.
type batchReply struct {
	header   http.Header
	answers  map[string][]batchAnswer
	warnings []string
}

// batchAnswer is one answer of a $batch. spoiled is set where it is not of the
// form that is known, so that nobody can say what it means.
type batchAnswer struct {
	status  int
	header  http.Header
	body    []byte
	spoiled bool
}

// The members of a $batch's answer and of its items.
const (
	memberResponses = "responses"
	memberID        = "id"
	memberStatus    = "status"
	memberHeaders   = "headers"
	memberBody      = "body"
)

// decodeBatch reads the answer to a $batch by the exact names of its members. It
// fails where no item of it can be trusted: what is wrong could be about any.
func decodeBatch(resp response) (batchReply, error) {
	reply := batchReply{header: resp.header, answers: map[string][]batchAnswer{}}
	var lists []jsontext.Value
	var outer answer
	err := members(resp.body, func(name string, value jsontext.Value) error {
		switch {
		case name == memberResponses:
			lists = append(lists, value)
			return nil
		case strings.EqualFold(name, memberResponses):
			return fmt.Errorf("it has a member %q, which is not how the service spells it", clean(name))
		case name == memberValue || name == memberNextLink:
			return nil // these are of no meaning here
		default:
			return outer.take(name, value)
		}
	})
	if err == nil {
		err = outer.trouble(actionBatch, resp.header)
	}
	switch {
	case err != nil:
		return reply, err
	case len(lists) == 0 || lists[0].Kind() != '[':
		return reply, fmt.Errorf("%w: it holds no list of responses", errMalformed)
	case len(lists) > 1:
		return reply, errors.New("it holds its responses twice")
	}
	reply.warnings = outer.warnings
	for _, raw := range elementsOf(lists[0]) {
		if err := reply.add(jsontext.Value(raw)); err != nil {
			return reply, err
		}
	}
	return reply, nil
}

// trouble is what an answer says went wrong, as a text: an error of the whole is
// not to pass for the error of an item.
func (a *answer) trouble(cmdlet string, header http.Header) error {
	err := a.judge(cmdlet, header)
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}

// add sorts one item in, under each id that it gives.
func (r batchReply) add(raw jsontext.Value) error {
	a, ids := batchAnswer{}, []string(nil)
	seen := map[string]bool{}
	err := members(raw, func(name string, value jsontext.Value) error {
		if name == memberID || strings.EqualFold(name, memberID) {
			id, ok := "", false
			if name == memberID && value.Kind() == '"' {
				id, ok = textOf(value)
			}
			if !ok {
				return errors.New("the id of an item cannot be read")
			}
			ids = append(ids, id)
			return nil
		}
		// What came twice may have been meant either way.
		a.spoiled = a.spoiled || seen[name] || !a.take(name, value)
		seen[name] = true
		return nil
	})
	if err == nil && len(ids) == 0 {
		err = errors.New("an item has no id")
	}
	if err != nil {
		return errors.New("nobody can say whose answers these are: " + err.Error())
	}
	a.spoiled = a.spoiled || len(ids) > 1 || a.status == 0
	for _, id := range ids {
		r.answers[id] = append(r.answers[id], a)
	}
	return nil
}

// take reads one member of an item and tells whether it is as it is known.
func (a *batchAnswer) take(name string, value jsontext.Value) bool {
	switch name {
	case memberStatus:
		status, err := strconv.Atoi(strings.Trim(string(value), `"`))
		if err != nil || status < 100 || status > 599 {
			return false
		}
		a.status = status
		return true
	case memberHeaders:
		return a.takeHeader(value)
	case memberBody:
		a.body = itemBody(value)
		return true
	case memberError:
		return value.Kind() == 'n'
	}
	return !slices.ContainsFunc([]string{memberStatus, memberHeaders, memberBody, memberError}, func(known string) bool {
		return strings.EqualFold(name, known)
	})
}

// takeHeader reads an item's headers: texts, numbers, or lists of them.
func (a *batchAnswer) takeHeader(value jsontext.Value) bool {
	a.header = http.Header{}
	if value.Kind() == 'n' {
		return true
	}
	return members(value, func(name string, value jsontext.Value) error {
		for _, element := range elementsOf(value) {
			text := string(element)
			if element[0] == '"' {
				text, _ = textOf(jsontext.Value(element))
			}
			a.header.Add(name, text)
		}
		return nil
	}) == nil
}

// textOf returns the text of a JSON string, mended where it is not UTF-8, and
// whether it was whole.
func textOf(raw jsontext.Value) (string, bool) {
	b, err := jsontext.AppendUnquote(nil, []byte(raw))
	return string(b), err == nil
}

// itemBody takes an item's body: JSON as it stands, a body of another type out
// of the string that carries it, null as none.
func itemBody(raw jsontext.Value) []byte {
	switch raw.Kind() {
	case 'n':
		return nil
	case '"':
		text, _ := textOf(raw)
		return []byte(text)
	default:
		return raw
	}
}

// place makes the outcome of one item. Without exactly one answer that has a
// status nobody can say whether the item was executed.
func place(cmdlet, callID string, reply batchReply, item string) outcome {
	o := outcome{cmdlet: cmdlet, warnings: reply.warnings, resp: response{header: reply.header, id: callID}}
	answers := reply.answers[item]
	switch {
	case len(answers) == 0:
		o.err = o.incomplete(ReasonNoAnswer, nil)
		return o
	case len(answers) > 1:
		o.err = o.incomplete(ReasonNoAnswer, errors.New("it holds several"))
		return o
	case answers[0].spoiled:
		o.err = o.incomplete(ReasonNoAnswer, errors.New("what it holds is not of the form that is known"))
		return o
	}
	o.resp = response{status: answers[0].status, header: itemHeader(reply.header, answers[0].header), body: answers[0].body, id: callID}
	switch {
	case o.resp.status == http.StatusOK:
	case o.resp.status > http.StatusOK && o.resp.status < 300:
		o.err = unexpected(cmdlet, o.resp)
	default:
		e := newError(cmdlet, o.resp.status, o.resp.header, o.resp.body)
		e.ClientRequestID = callID
		o.err = e
	}
	return o
}

// itemHeader takes an item's headers, with the ids of the outer answer where it
// has none of its own.
func itemHeader(outer, own http.Header) http.Header {
	h := own.Clone()
	if h == nil {
		h = http.Header{}
	}
	for _, key := range []string{"request-id", "X-CalculatedBETarget", "X-FEServer"} {
		if v := outer.Get(key); v != "" && h.Get(key) == "" {
			h.Set(key, v)
		}
	}
	return h
}
