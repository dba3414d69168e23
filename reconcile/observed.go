package reconcile

import (
	"encoding/json"
	"time"
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
}

// Observed gives the raw rows that the plan was made from; see Request.Raw.
func (p *Plan) Observed() Observed { return p.observed }
