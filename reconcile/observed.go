package reconcile

import (
	"encoding/json"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
)

// RawRow is a row of the service as it came, with where it came from.
type RawRow struct {
	Cmdlet string
	// ReadAt is when the answer was read, in UTC.
	ReadAt time.Time
	// RequestID is the service's id of the request, ClientRequestID this client's.
	RequestID, ClientRequestID string
	// Row is the JSON object of the answer, byte by byte.
	Row json.RawMessage
}

// Observed are the rows of a tenant's own settings, kept for those who check them
// by means of their own. A row that was not asked for, or did not come, is nil.
type Observed struct {
	Organization, AdminAudit *RawRow
	// Retention are the retention policies, where the policy speaks of them.
	Retention []RetentionRow
}

// Observed gives the raw rows that the plan was made from; see Request.Raw.
func (p *Plan) Observed() Observed { return p.observed }

// keepRaw gives a row that came as it is kept; nil where none is asked for.
func (o *observer) keepRaw(cmdlet string, r *exchange.RawRow) *RawRow {
	if !o.raw || r == nil {
		return nil
	}
	return &RawRow{
		Cmdlet: cmdlet, ReadAt: o.now().UTC(), RequestID: r.RequestID, ClientRequestID: r.ClientRequestID, Row: r.JSON,
	}
}

// keepAuditLog keeps the row of the audit log settings. Where the policy says
// nothing of them, that they could not be read makes nothing unknown, and is said.
func (o *observer) keepAuditLog(cfg exchange.AdminAuditLog, err error) {
	const cmdlet = "Get-AdminAuditLogConfig"
	o.mu.Lock()
	defer o.mu.Unlock()
	o.obs.raw.AdminAudit = o.keepRaw(cmdlet, cfg.Raw)
	if err != nil && !o.asksAuditLog() {
		o.obs.rawMissing = append(o.obs.rawMissing,
			"the settings of the audit log are not shown as they are, as the policy does not need them and "+cmdlet+" failed: "+err.Error())
	}
}
