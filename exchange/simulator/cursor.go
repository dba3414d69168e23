package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"time"
)

// cursorLife is the expiry the error text names (wire 1.6).
const cursorLife = 30 * time.Minute

// cursor is a listing that goes on: what was asked, of which backend, from where.
type cursor struct {
	cmdlet     string
	parameters map[string]json.RawMessage
	body       string // Canonical request body.
	domain     string // Domain of the anchor; "" never matches again.
	host       string // A listing stays on the host it was begun on.
	position   int
	left       int // Rows until ResultSize is reached; 0 is no limit.
	expires    time.Time
}

type cursorStore struct {
	mu   sync.Mutex
	held map[string]cursor
	last int
}

// keep stores a cursor and returns its skip token: "AD", then base64 of 32 hex digits
// and the backend's name (wire 1.6). An earlier token stays good, so a page can be
// asked for twice.
func (c *cursorStore) keep(ids mint, backend string, next cursor, now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = map[string]cursor{}
	}
	if c.last%1000 == 999 {
		for session, old := range c.held {
			if now.After(old.expires) {
				delete(c.held, session)
			}
		}
	}
	c.last++
	session := strings.ReplaceAll(ids.guid(kindCursor, fieldGuid, c.last), "-", "")
	next.expires = now.Add(cursorLife)
	c.held[session] = next
	return "AD" + base64.StdEncoding.EncodeToString([]byte(session+backend))
}

// open returns the cursor of a token that is still good.
func (c *cursorStore) open(token string, now time.Time) (cursor, bool) {
	encoded, ok := strings.CutPrefix(token, "AD")
	if !ok {
		return cursor{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) < 32 {
		return cursor{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.held[string(raw[:32])]
	return found, ok && now.Before(found.expires)
}

// cursorError is the 400 of an expired cursor, or of one on another backend (wire 1.6).
func cursorError() *apiError {
	return bindingError(typeSystem, "Expired or Invalid pagination request. Default Expiry time is 00:30:00")
}

// queryOption reads a query option without regard to the case of its name; %24 and $
// are the same by then.
func queryOption(query url.Values, name string) string {
	for key, values := range query {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
