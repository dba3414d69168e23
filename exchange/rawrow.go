package exchange

import "encoding/json"

// RawRow is a row of the service as it came, with the call that it came by.
type RawRow struct {
	// JSON is the object, byte by byte.
	JSON json.RawMessage
	// RequestID is the service's id of the call, ClientRequestID this client's.
	RequestID, ClientRequestID string
}

// raw gives the first row of a success as it came; nil where there is none.
func (o outcome) raw() *RawRow {
	a, err := o.answer()
	if err != nil {
		return nil
	}
	list := elementsOf(a.value)
	if len(list) == 0 {
		return nil
	}
	r := &RawRow{JSON: list[0]}
	r.RequestID, r.ClientRequestID = o.resp.ids()
	return r
}
