package exchange_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestRawRows: the rows of the tenant's own settings are kept as they came, with the ids
// of the calls they came by.
func TestRawRows(t *testing.T) {
	var traced []exchange.Trace
	s := simulator.New(simulator.NewTenant(smallTenant()))
	c := connect(t, s, func(cfg *exchange.Config) { cfg.Trace = func(tr exchange.Trace) { traced = append(traced, tr) } })
	org, err := c.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log, err := c.AdminAuditLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, raw := range []*exchange.RawRow{org.Raw, log.Raw} {
		var row map[string]any
		if err := json.Unmarshal(raw.JSON, &row); err != nil || len(row) < 10 {
			t.Errorf("the row has %d properties, %v", len(row), err)
		}
		last := traced[len(traced)-1]
		if i == 0 {
			last = traced[0]
		}
		if raw.RequestID == "" || raw.RequestID != last.RequestID || raw.ClientRequestID != last.ClientRequestID {
			t.Errorf("the row came by %s/%s, the call was %s/%s", raw.RequestID, raw.ClientRequestID, last.RequestID, last.ClientRequestID)
		}
	}
}

// TestRawRowOfAFailure: a read that failed has no row.
func TestRawRowOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.NewTenant(smallTenant()), simulator.WithFaults(
			simulator.Refused("Get-OrganizationConfig"), simulator.ErrorInside("Get-AdminAuditLogConfig", 0, "no"),
		))
		c := connect(t, s)
		if org, err := c.Organization(t.Context()); err == nil || org.Raw != nil {
			t.Errorf("a refused read: %v, %v", org.Raw, err)
		}
		if log, err := c.AdminAuditLog(t.Context()); err == nil || log.Raw != nil {
			t.Errorf("an answer with an error: %v, %v", log.Raw, err)
		}
	})
}
