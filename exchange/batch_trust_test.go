package exchange

import (
	"strings"
	"testing"
)

// TestBatchIsReadByItsExactNames: a member that is given twice or in another
// spelling could hide a failure, so it makes no success.
func TestBatchIsReadByItsExactNames(t *testing.T) {
	const (
		well  = `{"id":"1","status":200,"body":{"value":[{}]}}`
		good  = `{"id":"0","status":200,"body":{"value":[{}]}}`
		none  = "the batch holds no answer to this call"
		whole = true
	)
	tests := []struct {
		name, body string
		all        bool // the other item is not to be trusted either
		want       string
	}{
		{"a status given twice", `{"responses":[{"id":"0","status":400,"status":200,"body":{}},` + well + `]}`, false, none},
		{"a status given twice alike", `{"responses":[{"id":"0","status":200,"status":200,"body":{}},` + well + `]}`, false, none},
		{"a status in two spellings", `{"responses":[{"id":"0","status":400,"Status":200,"body":{}},` + well + `]}`, false, none},
		{"a status in another spelling", `{"responses":[{"id":"0","STATUS":200,"body":{}},` + well + `]}`, false, none},
		{"a status that is no number", `{"responses":[{"id":"0","status":{},"body":{}},` + well + `]}`, false, none},
		{"a status that is a fraction", `{"responses":[{"id":"0","status":200.5,"body":{}},` + well + `]}`, false, none},
		{"a status that is none", `{"responses":[{"id":"0","status":0,"body":{}},` + well + `]}`, false, none},
		{"a body given twice", `{"responses":[{"id":"0","status":200,"body":{"error":{}},"body":{}},` + well + `]}`, false, none},
		{"a body in two spellings", `{"responses":[{"id":"0","status":200,"body":{"@adminapi.errors":["no"]},"Body":{}},` + well + `]}`, false, none},
		{"a body in another spelling", `{"responses":[{"id":"0","status":200,"BODY":{}},` + well + `]}`, false, none},
		{"headers that are a list", `{"responses":[{"id":"0","status":200,"headers":[],"body":{}},` + well + `]}`, false, none},
		{"headers in two spellings", `{"responses":[{"id":"0","status":200,"headers":{},"Headers":{},"body":{}},` + well + `]}`, false, none},
		{"two items of one id", `{"responses":[` + good + `,{"id":"0","status":400},` + well + `]}`, false, none},
		{"two items of one id, one of them odd", `{"responses":[` + good + `,{"id":"0","status":[]},` + well + `]}`, false, none},
		{"two ids in one item", `{"responses":[{"id":"9","id":"0","status":200,"body":{}},` + good + `,` + well + `]}`, false, none},
		{"an error in the item", `{"responses":[{"id":"0","status":200,"error":{"message":"no"},"body":{}},` + well + `]}`, false, none},
		{"an id in another spelling", `{"responses":[{"ID":"0","status":200,"body":{}},` + good + `,` + well + `]}`, whole, none},
		{"an id that is a number", `{"responses":[{"id":0,"status":400},` + good + `,` + well + `]}`, whole, none},
		{"an id that is null", `{"responses":[{"id":null,"status":400},` + good + `,` + well + `]}`, whole, none},
		{"no id", `{"responses":[{"status":400},` + good + `,` + well + `]}`, whole, none},
		{"an item that is no object", `{"responses":["x",` + good + `,` + well + `]}`, whole, none},
		{"responses given twice", `{"responses":[{"id":"0","status":403},` + well + `],"responses":[` + good + `,` + well + `]}`, whole, none},
		{"responses in two spellings", `{"responses":[{"id":"0","status":403},` + well + `],"Responses":[` + good + `]}`, whole, "malformed"},
		{"responses in another spelling", `{"Responses":[` + good + `,` + well + `]}`, whole, "malformed"},
		{"responses that are an object", `{"responses":{"0":` + good + `}}`, whole, "malformed"},
		{"errors beside them", `{"responses":[` + good + `,` + well + `],"@adminapi.errors":["boom"]}`, whole, "boom"},
		{"an error beside them", `{"error":{"code":"c","message":"boom"},"responses":[` + good + `,` + well + `]}`, whole, "boom"},
		{"an error taken back", `{"error":{"message":"boom"},"responses":[` + good + `,` + well + `],"error":null}`, whole, "boom"},
		{"an error of another spelling", `{"Error":null,"responses":[` + good + `,` + well + `]}`, whole, "malformed"},
		{"a question beside them", `{"@adminapi.confirmationmessage":"sure?","responses":[` + good + `,` + well + `]}`, whole, "sure?"},
		{"something behind", `{"responses":[` + good + `,` + well + `]}{}`, whole, "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted(t, ok(tt.body))
			written := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}, {Guid: guid(1)}})
			read := c.BypassByID(t.Context(), []string{guid(0), guid(1)})
			for i, errs := range [][2]error{{written[0].Err, read[0].Err}, {written[1].Err, read[1].Err}} {
				for _, err := range errs {
					failed := i == 0 || tt.all
					if failed != IsIncomplete(err) || failed && !strings.Contains(err.Error(), tt.want) || !failed && err != nil {
						t.Errorf("item %d gave %v, want failure %v with %q", i, err, failed, tt.want)
					}
				}
			}
			if n := len(s.requests()); n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
		})
	}
}

func TestWarningsOfABatchAreKept(t *testing.T) {
	c, _ := scripted(t, ok(`{"@adminapi.warnings":["outer"],"responses":[{"id":"0","status":200,"headers":{"x-warnings":"header","X-Other":[1,"a"]},"body":{"@adminapi.warnings":["inner"],"value":[{}]}}]}`))
	for _, got := range [][]string{
		c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0].Warnings, c.BypassByID(t.Context(), []string{guid(0)})[0].Warnings,
	} {
		if s := strings.Join(got, " "); s != "inner header outer" {
			t.Errorf("warnings %q", s)
		}
	}
	c, _ = scripted(t, ok(`{"@adminapi.warnings":["`+moreResults+`"],"responses":[{"id":"0","status":200,"body":{"value":[{}]}}]}`))
	if r := c.BypassByID(t.Context(), []string{guid(0)})[0]; !IsIncomplete(r.Err) {
		t.Errorf("a batch that says there is more gave %v", r.Err)
	}
}

// FuzzBatch holds the decoder of a batch to its word: no panic, the body stays
// as it is, and an item is well only under exactly one answer with 200.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"responses":[{"id":"0","status":200,"headers":{"a":["b",1]},"body":{"value":[]}}]}`, `{"responses":[{"id":"0","status":"403","body":"\ud800"}]}`,
		"{\"responses\":[{\"id\":\"\xff\"}]}", `{"responses":[{"id":"0","id":"1","status":1e2}],"error":null,"@adminapi.warnings":["x"]}`, `{"responses":[{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		reply, err := decodeBatch(response{status: 200, body: body})
		if string(body) != before {
			t.Fatal("the body was changed")
		}
		if err != nil {
			return
		}
		for id, answers := range reply.answers {
			o := place("Get-X", "", reply, id)
			if o.err == nil && (len(answers) != 1 || answers[0].status != 200) {
				t.Fatalf("%q is well with %+v", id, answers)
			}
		}
	})
}
