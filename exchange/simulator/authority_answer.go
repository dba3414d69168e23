package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// authorityRefusal is an error answer of the token or discovery endpoint.
type authorityRefusal struct {
	status int
	oauth  string // the OAuth error word
	code   int    // the number after AADSTS; zero where the reference names none
	text   string
}

func authorityUnknownTenant(tenant string) *authorityRefusal {
	return &authorityRefusal{
		http.StatusBadRequest, "invalid_tenant", 90002,
		fmt.Sprintf("Tenant '%s' not found. Check that it is the right tenant and the right cloud.", tenant),
	}
}

func authorityUnknownApplication(client, tenant string) *authorityRefusal {
	return &authorityRefusal{
		http.StatusBadRequest, "unauthorized_client", 700016,
		fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", client, tenant),
	}
}

func authorityWrongSecret(client string) *authorityRefusal {
	return &authorityRefusal{
		http.StatusUnauthorized, "invalid_client", 7000215,
		fmt.Sprintf("Invalid client secret provided for a secret added to app '%s'.", client),
	}
}

func authorityExpiredSecret(client string) *authorityRefusal {
	return &authorityRefusal{
		http.StatusUnauthorized, "invalid_client", 7000222,
		fmt.Sprintf("The provided client secret keys for app '%s' are expired.", client),
	}
}

// authorityBadAssertion covers every assertion that is refused for another reason than its
// time range. The reference names 700027 for a signature or certificate that does not fit;
// the codes for a reused jti and a wrong audience are not known, and this one stands in.
func authorityBadAssertion(reason string) *authorityRefusal {
	return &authorityRefusal{
		http.StatusUnauthorized, "invalid_client", 700027,
		"Client assertion failed validation: " + reason,
	}
}

func authorityUntimelyAssertion(now, from, to time.Time) *authorityRefusal {
	return &authorityRefusal{
		http.StatusUnauthorized, "invalid_client", 700024,
		fmt.Sprintf("Client assertion is not within its valid time range. Current time: %s, valid from %s to %s.",
			now.UTC().Format(time.RFC3339), from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)),
	}
}

func authorityBadRequest(oauth, text string) *authorityRefusal {
	return &authorityRefusal{http.StatusBadRequest, oauth, 0, text}
}

// refuse writes the error document, in the form that the service's clients parse.
func (a *Authority) refuse(w http.ResponseWriter, r *http.Request, why *authorityRefusal) {
	now := a.cfg.Clock().UTC().Format("2006-01-02 15:04:05Z")
	trace, correlation := authorityID(), r.Header.Get("Client-Request-Id")
	text, codes := why.text, []int{}
	if why.code != 0 {
		text = fmt.Sprintf("AADSTS%d: %s", why.code, why.text)
		codes = append(codes, why.code)
	}
	authorityJSON(w, why.status, map[string]any{
		"error": why.oauth,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
			text, trace, correlation, now),
		"error_codes":    codes,
		"timestamp":      now,
		"trace_id":       trace,
		"correlation_id": correlation,
		"error_uri":      fmt.Sprintf("%s/error?code=%d", authorityBase(r), why.code),
	})
}

// serveUnmodelled says loudly what the fake lacks, so that a test finds it.
func (a *Authority) serveUnmodelled(w http.ResponseWriter, r *http.Request) {
	a.refuse(w, r, &authorityRefusal{
		http.StatusNotImplemented, "not_modelled", 0,
		fmt.Sprintf("The simulated authority does not model %s %s.", r.Method, r.URL.Path),
	})
}

func authorityJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the simulated authority could not write its answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// authorityID makes a random identifier in the form of a GUID.
func authorityID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
