package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// batchMost is how many requests a $batch may hold (wire 2).
const batchMost = 10

// batchRequest is the OData JSON batch (wire 2).
type batchRequest struct {
	Requests []batchItem `json:"requests"`
}

type batchItem struct {
	ID      string          `json:"id"`
	Method  string          `json:"method"`
	URL     string          `json:"url"`
	Headers map[string]any  `json:"headers"`
	Body    json.RawMessage `json:"body"`
}

type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

func (s *Service) batch(ctx context.Context, in invocation) (reply, error) {
	fired := s.faults.fire(in.event("$batch", false, nil))
	if err := s.prepare(ctx, fired, nil); err != nil {
		return reply{}, err
	}
	if refusal := s.refusal(fired, in); refusal != nil {
		return refusal.reply(), nil
	}
	if in.method != http.MethodPost {
		return plainReply(http.StatusMethodNotAllowed), nil
	}
	var batch batchRequest
	if err := json.Unmarshal(in.body, &batch); err != nil {
		return bindingError(typeSystem, "The batch is not valid JSON: %v", err).reply(), nil
	}
	if refusal := checkBatch(batch); refusal != nil {
		return refusal.reply(), nil
	}
	keepOn := prefers(in.header, "odata.continue-on-error")
	var responses []batchResponse
	if keepOn && s.switches.BatchOrder == BatchShuffled {
		shuffle(batch.Requests, hashText(string(in.body))+1)
	}
	for _, item := range batch.Requests {
		answer, err := s.batchItem(ctx, in, item)
		if err != nil {
			return reply{}, err
		}
		if !answer.dropped {
			responses = append(responses, itemResponse(item.ID, answer))
		}
		if answer.status >= http.StatusBadRequest && !keepOn {
			break // Without continue-on-error the rest is not processed (wire 2).
		}
	}
	shuffle(responses, hashText(string(in.body)))
	if strings.Contains(in.header.Get("Accept"), "application/json") {
		return fired.damage(jsonReply(http.StatusOK, marshal(struct {
			Responses []batchResponse `json:"responses"`
		}{responses}))), nil
	}
	return fired.damage(multipartReply(responses)), nil
}

func checkBatch(batch batchRequest) *apiError {
	if n := len(batch.Requests); n == 0 || n > batchMost {
		return bindingError(typeSystem, "The batch holds %d requests; it must hold 1 to %d.", n, batchMost)
	}
	ids := map[string]bool{}
	for _, item := range batch.Requests {
		if item.ID == "" || ids[item.ID] {
			return bindingError(typeSystem, "The id %q of a batch request is empty or not unique.", item.ID)
		}
		ids[item.ID] = true
	}
	return nil
}

// batchItem carries one item out. What it does not say itself, such as the anchor,
// it takes from the batch.
func (s *Service) batchItem(ctx context.Context, outer invocation, item batchItem) (reply, error) {
	target, err := url.Parse(item.URL)
	if err != nil {
		return bindingError(typeSystem, "The URL of batch request %s is not valid.", item.ID).reply(), nil
	}
	if target.Host != "" && (!strings.EqualFold(target.Host, outer.host) || target.User != nil) {
		return bindingError(typeSystem, "Batch request %s is for another host.", item.ID).reply(), nil
	}
	path := target.Path
	if !strings.HasPrefix(path, "/") {
		path = "/adminapi/beta/" + outer.tenant + "/" + path
	}
	version, tenant, operation, ok := route(path)
	if !ok || !s.isTenant(tenant) {
		return plainReply(http.StatusNotFound), nil
	}
	header := itemHeader(outer.header, item.Headers)
	if refusal := s.authorize(header); refusal != nil {
		return refusal.reply(), nil
	}
	if !strings.EqualFold(version, "beta") || !strings.EqualFold(operation, "InvokeCommand") {
		return unmodelled("%s %s of version %s in a batch", item.Method, operation, version).reply(), nil
	}
	return s.invoke(ctx, invocation{
		method: strings.ToUpper(item.Method), scheme: outer.scheme, host: outer.host, path: path, tenant: tenant, query: target.Query(),
		header: header, body: item.Body, item: item.ID, inBatch: true, entry: outer.entry,
	})
}

func itemHeader(outer http.Header, own map[string]any) http.Header {
	header := outer.Clone()
	for name, value := range own {
		header.Set(name, fmt.Sprint(value)) // A bare true was seen for parameter-based-routing (wire 2).
	}
	return header
}

func itemResponse(id string, answer reply) batchResponse {
	response := batchResponse{ID: id, Status: answer.status, Headers: map[string]string{}}
	for name := range answer.header {
		response.Headers[name] = answer.header.Get(name)
	}
	if answer.statusless {
		response.Status = 0
	}
	switch {
	case len(answer.body) == 0:
	case json.Valid(answer.body):
		response.Body = answer.body
	default:
		response.Body = marshal(string(answer.body))
	}
	return response
}

func prefers(header http.Header, preference string) bool {
	for _, value := range header.Values("Prefer") {
		for one := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ';' || r == ',' }) {
			if strings.EqualFold(strings.TrimSpace(one), preference) {
				return true
			}
		}
	}
	return false
}

// shuffle orders by a hash of the batch's own bytes: no order is guaranteed (wire 2),
// and a repeated test must see the same one.
func shuffle[T any](list []T, h uint64) {
	for i := len(list) - 1; i > 0; i-- {
		h = mix(h + 1)
		j := int(h % uint64(i+1)) //nolint:gosec // below eleven
		list[i], list[j] = list[j], list[i]
	}
}

// multipartReply is what a batch gets that does not accept JSON (wire 2).
func multipartReply(responses []batchResponse) reply {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	_ = w.SetBoundary("batchresponse_" + strconv.FormatUint(hashText(string(marshal(responses))), 16))
	for _, response := range responses {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Id": {response.ID}})
		if err != nil {
			continue // A buffer takes every write.
		}
		_, _ = fmt.Fprintf(part, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n\r\n%s", response.Status, http.StatusText(response.Status), response.Body)
	}
	_ = w.Close()
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"multipart/mixed; boundary=" + w.Boundary()}}, body: out.Bytes()}
}
