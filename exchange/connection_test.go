package exchange

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOverARealConnection shows that the standard transport hands on what the
// service sends: a failure falsely declared as gzip keeps its status (wire 1.7).
func TestOverARealConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.Header.Get("X-CmdletName") == cmdletGetAdminAuditLog {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(strings.Repeat("\x00", 4096)))
			return
		}
		_, _ = w.Write([]byte(packed(t, `{"value":[{"Name":"contoso"}]}`)))
	}))
	defer server.Close()
	cfg := testConfig(nil)
	cfg.Endpoint = server.URL
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AdminAuditLog(t.Context()); !IsRefused(err) {
		t.Errorf("err = %v, want a refusal", err)
	}
	if got, err := c.Organization(t.Context()); err != nil || got.Name != Of("contoso") {
		t.Errorf("Organization() = %+v, %v", got, err)
	}
}
