package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// listing reads all pages of an invocation. Each range over it is a listing of
// its own; it never begins again by itself. It ends with one *IncompleteError
// where the listing is not whole.
func listing[T any](ctx context.Context, c *Client, v invocation, find finder[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		l, err := c.list(v)
		if err != nil {
			yield(none, err)
			return
		}
		shared := names{}
		for l.at != nil {
			page, err := l.fetch(ctx)
			if err != nil {
				yield(none, err)
				return
			}
			stopped := false
			err = rows(page, shared, find, func(row T) bool {
				l.rows++
				stopped = !yield(row, nil)
				return !stopped
			})
			if stopped {
				return
			}
			if err != nil {
				err = l.incomplete(ReasonTruncated, err)
			} else {
				err = l.advance(page)
			}
			if err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// maxPages ends a listing that has no end: 20 million rows.
const maxPages = 20_000

// lister is a listing under way. Every page is asked for with the same body,
// headers, anchor and cookies: the cursor lives on one backend (wire 1.6).
type lister struct {
	client  *Client
	session *session
	call    call
	home    endpoint                   // where the first page came from
	at      *url.URL                   // of the next page; nil after the last
	last    response                   // of the page before, without its body
	seen    map[[sha256.Size]byte]bool // digests of the pages
	pages   int
	rows    int
}

func (c *Client) list(v invocation) (*lister, error) {
	if err := checkSelected(v.cmdlet, v.selected); err != nil {
		return nil, err
	}
	q, err := c.call(v)
	if err != nil {
		return nil, err
	}
	return &lister{
		client:  c,
		session: c.newSession(),
		call:    q,
		home:    c.endpoint,
		at:      c.endpoint.invokeURL(q.query),
		seen:    map[[sha256.Size]byte]bool{},
	}, nil
}

func (l *lister) incomplete(reason Reason, err error) error {
	e := outcome{cmdlet: l.call.cmdlet, resp: l.last}.incomplete(reason, err)
	e.Pages, e.Rows = l.pages, l.rows
	return e
}

// fetch reads the next page. What it says beside its rows is left to advance, so that the
// rows beside them are seen first.
func (l *lister) fetch(ctx context.Context) (answer, error) {
	resp, err := l.get(ctx)
	l.last = response{header: resp.header, id: resp.id}
	page, err := outcome{cmdlet: l.call.cmdlet, resp: resp, err: err}.answer()
	if err == nil && page.valueState != Set {
		err = &IncompleteError{Reason: ReasonNoValue}
	}
	if l.pages > 0 && page.reason == "" && losesCursor(err) {
		return answer{}, l.lost(ctx, err)
	}
	if known, ok := errors.AsType[*IncompleteError](err); ok {
		return answer{}, l.incomplete(known.Reason, known.Err)
	}
	if err != nil && page.reason == "" {
		return answer{}, l.incomplete(ReasonRequest, err)
	}
	if l.pages == 0 {
		// The cursor is on the backend that this answer came from.
		l.home, l.call.anchor = resp.at, resp.anchor
		l.at = l.home.invokeURL(l.call.query)
	}
	l.pages++
	l.client.counters.pages.Add(1)
	return page, nil
}

// lost is the loss of the cursor, after the least wait: whoever begins the listing
// again should not do so at once.
func (l *lister) lost(ctx context.Context, err error) error {
	asked := retryAfter(err)
	if asked > l.client.retry.Budget {
		asked = 0
	}
	if err := l.client.pause(ctx, l.call.kind, max(asked, l.client.retry.First), asked); err != nil {
		return l.incomplete(ReasonRequest, callError(l.call.cmdlet, err))
	}
	if known, ok := errors.AsType[*IncompleteError](err); ok {
		err = known.cause()
	}
	return l.incomplete(ReasonCursorLost, &CursorLostError{Page: l.pages + 1, Err: err})
}

// get makes the call for the next page. Clients disagree whether a next link
// wants POST or GET (wire 1.6): where one is answered by 405 the other is tried
// once, and kept for the client if it works.
func (l *lister) get(ctx context.Context) (response, error) {
	q := l.call
	if l.pages == 0 {
		return l.client.do(ctx, l.session, q)
	}
	q.kind, q.at, q.query = readOn, l.home, l.at.RawQuery
	byGet := l.client.linkByGet.Load()
	q.method = linkMethod(byGet)
	resp, err := l.client.do(ctx, l.session, q)
	if e, ok := asError(err); !ok || e.Status != http.StatusMethodNotAllowed {
		return resp, err
	}
	q.method = linkMethod(!byGet)
	resp, err = l.client.do(ctx, l.session, q)
	if err == nil {
		l.client.linkByGet.Store(!byGet)
	}
	return resp, err
}

func linkMethod(get bool) string {
	if get {
		return http.MethodGet
	}
	return http.MethodPost
}

// isCursorError tells the service's refusal of a page cursor (wire 1.6).
func isCursorError(err error) bool {
	e, ok := asError(err)
	return ok && strings.Contains(e.Message, "Expired or Invalid pagination request")
}

// advance finds the next page, or why the listing cannot be whole.
func (l *lister) advance(page answer) error {
	if page.inside != nil {
		return l.incomplete(page.reason, page.inside)
	}
	for _, warning := range page.warnings {
		switch classify(l.call.cmdlet, warning) {
		case warningUnknown:
			return l.incomplete(ReasonWarning, errors.New(warning))
		case warningMoreResults:
			if page.nextLink == "" {
				return l.incomplete(ReasonMoreResults, nil)
			}
		default: // known, and harmless to a listing
		}
	}
	if l.replayed(page) {
		return l.incomplete(ReasonSamePage, nil)
	}
	if page.nextLink == "" {
		l.at = nil
		return nil
	}
	next, err := l.home.next(l.at, page.nextLink)
	if err != nil {
		return l.incomplete(ReasonForeignLink, err)
	}
	if l.pages >= maxPages {
		return l.incomplete(ReasonSamePage, nil)
	}
	l.at = next
	return nil
}

// replayed notes a page and tells whether it came before: the listing goes round
// in circles then, or another page is missing in its place. Rows have a Guid each,
// so that the same rows cannot be another page, whatever its link. Of a page
// without them the link belongs to it. The link alone does not tell: the one that
// was captured names a session and a server and no position (wire 1.6), so a
// service may well repeat it while its cursor moves on.
func (l *lister) replayed(page answer) bool {
	text := []byte(page.value)
	// Rows of permissions have a name and a trustee instead, which are as good.
	if !bytes.Contains(text, []byte(`"Guid"`)) && !bytes.Contains(text, []byte(`"Trustee"`)) {
		if page.nextLink == "" {
			return false
		}
		text = append([]byte(page.nextLink+"\n"), text...)
	}
	digest := sha256.Sum256(text)
	again := l.seen[digest]
	l.seen[digest] = true
	return again
}
