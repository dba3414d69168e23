package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const (
	host     = "outlook.office365.com"
	orgMail  = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@"
	auditLog = "APP:SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@"
)

// answer is a decoded response.
type answer struct {
	Status int
	Header http.Header
	Raw    []byte
	Err    error // Of reading the body.

	Next     string           `json:"@odata.nextLink"`
	Warnings []string         `json:"@adminapi.warnings"`
	Errors   []string         `json:"@adminapi.errors"`
	Confirm  string           `json:"@adminapi.confirmationmessage"`
	Value    []map[string]any `json:"value"`
	Error    struct {
		Code    string
		Message string
		Details []struct{ Code, Target, Message string }
		Inner   struct {
			Message  string
			Internal struct{ Message, Type string } `json:"internalexception"`
		} `json:"innererror"`
	} `json:"error"`
}

// text is the message a client would show.
func (a answer) text() string {
	if len(a.Error.Details) > 0 {
		return a.Error.Details[0].Message
	}
	if a.Error.Inner.Internal.Message != "" {
		return a.Error.Inner.Internal.Message
	}
	return a.Error.Message
}

type probe struct {
	t      *testing.T
	s      *simulator.Service
	anchor string
	prefer string
	query  string
}

func newProbe(t *testing.T, seed simulator.Seed, opts ...simulator.Option) *probe {
	t.Helper()
	tenant := simulator.NewTenant(seed)
	return &probe{t: t, s: simulator.New(tenant, opts...), anchor: orgMail + tenant.ID(), prefer: "odata.maxpagesize=1000"}
}

func (p *probe) tenant() *simulator.Tenant { return p.s.Tenant() }

func (p *probe) url() string {
	return "https://" + host + "/adminapi/beta/" + p.tenant().ID() + "/InvokeCommand"
}

func command(cmdlet string, parameters map[string]any) []byte {
	if parameters == nil {
		parameters = map[string]any{}
	}
	body, err := json.Marshal(map[string]any{"CmdletInput": map[string]any{"CmdletName": cmdlet, "Parameters": parameters}})
	if err != nil {
		panic(err)
	}
	return body
}

func (p *probe) invoke(cmdlet string, parameters map[string]any) answer {
	p.t.Helper()
	url := p.url()
	if p.query != "" {
		url += "?" + p.query
	}
	return p.send(http.MethodPost, url, command(cmdlet, parameters), nil)
}

func (p *probe) send(method, url string, body []byte, header map[string]string) answer {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if p.anchor != "" {
		req.Header.Set("X-AnchorMailbox", p.anchor)
	}
	if p.prefer != "" {
		req.Header.Set("Prefer", p.prefer)
	}
	for name, value := range header {
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	res, err := p.s.RoundTripper().RoundTrip(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	a := answer{Status: res.StatusCode, Header: res.Header}
	a.Raw, a.Err = io.ReadAll(res.Body)
	if header["X-Raw"] == "" {
		_ = json.Unmarshal(a.Raw, &a)
	}
	return a
}

// list follows next links with the same body and returns all rows.
func (p *probe) list(cmdlet string, parameters map[string]any) []map[string]any {
	p.t.Helper()
	a := p.invoke(cmdlet, parameters)
	rows := a.Value
	for pages := 1; ; pages++ {
		if a.Status != http.StatusOK {
			p.t.Fatalf("page %d of %s: %d %s", pages, cmdlet, a.Status, a.text())
		}
		if a.Next == "" {
			return rows
		}
		a = p.send(http.MethodPost, a.Next, command(cmdlet, parameters), nil)
		rows = append(rows, a.Value...)
	}
}

func delta(add, remove []string) map[string]any {
	table := map[string]any{"@odata.type": "#Exchange.GenericHashTable"}
	if add != nil {
		table["Add"] = add
	}
	if remove != nil {
		table["Remove"] = remove
	}
	return table
}

func strs(v any) []string {
	var list []string
	if items, ok := v.([]any); ok {
		for _, item := range items {
			list = append(list, fmt.Sprint(item))
		}
	}
	return list
}
