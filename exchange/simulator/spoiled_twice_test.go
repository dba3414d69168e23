package simulator

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestBodySpoiledTwice: faults that spoil one body together break it off no
// later than it is long.
func TestBodySpoiledTwice(t *testing.T) {
	s := New(NewTenant(Seed{Mailboxes: 20}), WithFaults(
		Fault{Name: "broken", Cmdlet: "Get-Mailbox", Do: DoBreakBody},
		Fault{Name: "gzip", Cmdlet: "Get-Mailbox", Do: DoWrongGzip, Text: GzipDamaged},
		Fault{Name: "cut", Cmdlet: "Get-Mailbox", Do: DoCutBody},
	))
	body := `{"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}`
	address := "https://outlook.office365.com/adminapi/beta/" + s.Tenant().ID() + "/InvokeCommand"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer a-token")
	resp, err := s.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the body did not break off")
	}
}
