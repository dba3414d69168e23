package simulator

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

var errTokenUnknown = errors.New("not the expected token")

// anyToken accepts what authorize lets through: any token but the empty one.
func anyToken(string) error { return nil }

// authorize checks the bearer token; the refusal is an empty 401 (wire 5.2).
func (s *Service) authorize(h http.Header) *apiError {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if strings.EqualFold(scheme, "Bearer") && token != "" && s.check(token) == nil {
		return nil
	}
	return unauthenticated()
}

func unauthenticated() *apiError {
	return &apiError{status: http.StatusUnauthorized, spelling: spellEmptyBody, header: http.Header{
		"Www-Authenticate": {`Bearer client_id="00000002-0000-0ff1-ce00-000000000000", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"`},
	}}
}

// System mailboxes that anchors name; the Guids are the same in every tenant (wire 1.4).
const (
	anchorOrganization = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
	anchorAuditLog     = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}"
)

// anchorDomain is the part of X-AnchorMailbox that picks the backend, or "" where it
// picks none: no anchor, or a vanity domain (wire 1.4, 1.6).
func (s *Service) anchorDomain(anchor string) string {
	kind, rest, ok := strings.Cut(anchor, ":")
	if !ok {
		kind, rest = "", anchor
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	} else if !strings.EqualFold(kind, "TID") {
		return ""
	}
	rest = strings.ToLower(strings.TrimSpace(rest))
	if s.isTenant(rest) || strings.HasSuffix(rest, ".onmicrosoft.com") {
		return rest
	}
	return ""
}

// backendOf names the server that holds a request: always the same for one domain,
// another one each time without.
func (s *Service) backendOf(domain string) string {
	h := hashText(domain)
	if domain == "" {
		h = mix(uint64(s.serial.Add(1))) //nolint:gosec // a running number
	}
	digits := strconv.FormatUint(1_000_0000+h%1_000_0000, 10)[1:]
	return "EURP" + digits[:3] + "MB" + digits[3:]
}

func controllerOf(backend string) string {
	if len(backend) < 7 {
		return "DC01.EURPRD01.PROD.OUTLOOK.COM"
	}
	return backend[4:7] + "DC01.EUR" + backend[4:7] + ".PROD.OUTLOOK.COM"
}

// rateWindow is as far ahead as Rate-Limit-Reset was seen (wire 1.5, 5.3).
const (
	rateWindow = 16 * time.Second
	rateLimit  = 30000
)

// rateMeter counts requests in windows; it informs, and refuses nothing.
type rateMeter struct {
	mu    sync.Mutex
	start time.Time
	used  int
}

func (r *rateMeter) take(now time.Time) (remaining int, reset time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.start) >= rateWindow || now.Before(r.start) {
		r.start, r.used = now, 0
	}
	r.used++
	return max(0, rateLimit-r.used), r.start.Add(rateWindow)
}

// stamp puts the headers on an answer that every answer has (wire 1.5).
func (s *Service) stamp(h http.Header, r *http.Request) {
	now := s.now().UTC()
	n := int(s.serial.Add(1))
	h.Set("request-id", s.tenant.gen.ids.guid(kindRequest, fieldGuid, n))
	if id := r.Header.Get("client-request-id"); id != "" {
		h.Set("client-request-id", id)
	}
	if !s.throttle.stamp(h, now) {
		h.Set("Rate-Limit-Limit", strconv.Itoa(rateLimit))
		remaining, reset := s.rate.take(now)
		h.Set("Rate-Limit-Remaining", strconv.Itoa(remaining))
		h.Set("Rate-Limit-Reset", reset.Format("2006-01-02T15:04:05.000Z"))
	}
	h.Set("X-BackendHttpStatus", "200,200")
	h.Set("X-ExchangeVersion", "Version 15.20 (Build 7587.36)")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("OData-Version", "4.0")
	h.Set("Date", now.Format(http.TimeFormat))
}
