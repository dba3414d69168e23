package exchange

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func packed(t *testing.T, s string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// decodeMailboxes reads a value array as a page would hold it.
func decodeMailboxes(t *testing.T, value string) []Mailbox {
	t.Helper()
	a, err := decodeAnswer([]byte(`{"value":` + value + `}`))
	if err != nil {
		t.Fatalf("decodeAnswer: %v", err)
	}
	var out []Mailbox
	err = rows(a, names{}, mailboxProperty, func(m Mailbox) bool {
		out = append(out, m)
		return true
	})
	if err != nil {
		t.Fatalf("rows: %v", err)
	}
	return out
}

func TestRowProperties(t *testing.T) {
	list := func(s ...string) Field[[]string] { return Of(append([]string{}, s...)) }
	tests := []struct {
		name, row string
		want      Mailbox
	}{
		{"empty", `{}`, Mailbox{}},
		{"string", `{"Guid":"g"}`, Mailbox{Guid: Of("g")}},
		{"empty string is a value", `{"ExternalDirectoryObjectId":""}`, Mailbox{ExternalDirectoryObjectID: Of("")}},
		{"escaped string", `{"Guid":"\u0067\"\\\n"}`, Mailbox{Guid: Of("g\"\\\n")}},
		{"escaped name", `{"\u0047uid":"g"}`, Mailbox{Guid: Of("g")}},
		{"not ASCII", `{"Office":"Zürich 東京"}`, Mailbox{Office: Of("Zürich 東京")}},
		{"null", `{"Guid":null,"AuditEnabled":null,"AuditOwner":null}`, Mailbox{
			Guid: Field[string]{State: Null}, AuditEnabled: Field[bool]{State: Null}, AuditOwner: Field[[]string]{State: Null},
		}},
		{"wrong case is absent", `{"guid":"g","AUDITENABLED":true,"Auditowner":["Update"]}`, Mailbox{}},
		{"wrong case beside the right one", `{"auditEnabled":false,"AuditEnabled":true}`, Mailbox{AuditEnabled: Of(true)}},
		{"annotations are ignored", `{"Guid@data.type":"System.Guid","Guid@odata.type":"#Guid","Guid":"g","@odata.id":"x"}`, Mailbox{Guid: Of("g")}},
		{"true", `{"AuditEnabled":true}`, Mailbox{AuditEnabled: Of(true)}},
		{"false", `{"AuditEnabled":false}`, Mailbox{AuditEnabled: Of(false)}},
		{"True in words", `{"AuditEnabled":"True"}`, Mailbox{AuditEnabled: Of(true)}},
		{"False in words", `{"AuditEnabled":"False"}`, Mailbox{AuditEnabled: Of(false)}},
		{"list", `{"AuditOwner":["Update","HardDelete"]}`, Mailbox{AuditOwner: list("Update", "HardDelete")}},
		{"empty list is a value", `{"AuditOwner":[]}`, Mailbox{AuditOwner: list()}},
		{"custom attributes", `{"CustomAttribute1":"a","CustomAttribute15":"b","CustomAttribute0":"c","CustomAttribute16":"d","CustomAttribute01":"e","CustomAttribute":"f","CustomAttribute+2":"g"}`, Mailbox{
			CustomAttributes: [15]Field[string]{0: Of("a"), 14: Of("b")},
		}},
		{"unknown properties of every kind", `{"A":{"x":[{"y":[1,{}]}]},"B":[[],[[]]],"C":1e9,"D":null,"Guid":"g"}`, Mailbox{Guid: Of("g")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decodeMailboxes(t, `[`+tt.row+`,{"Guid":"next"}]`)
			if diff := cmp.Diff([]Mailbox{tt.want, {Guid: Of("next")}}, got); diff != "" {
				t.Errorf("rows differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrangeValuesSpoilTheirPropertyOnly(t *testing.T) {
	tests := []struct{ name, property, value string }{
		{"number for text", "Guid", `1`},
		{"list for text", "Guid", `["g"]`},
		{"object for text", "Guid", `{"Guid":"g","x":[1,2]}`},
		{"bool for text", "Guid", `true`},
		{"broken UTF-8", "Guid", "\"g\xff\""},
		{"lone surrogate", "Guid", `"g\ud800"`},
		{"other spelling of true", "AuditEnabled", `"true"`},
		{"TRUE", "AuditEnabled", `"TRUE"`},
		{"padded", "AuditEnabled", `" True"`},
		{"number for bool", "AuditEnabled", `1`},
		{"text for bool", "AuditEnabled", `""`},
		{"object for bool", "AuditEnabled", `{"AuditEnabled":true}`},
		{"text for list", "AuditOwner", `"Update"`},
		{"number in list", "AuditOwner", `["Update",1]`},
		{"null in list", "AuditOwner", `[null,"Update"]`},
		{"list in list", "AuditOwner", `[["Update"]]`},
		{"object in list", "AuditOwner", `["Update",{"a":["b"]},"HardDelete"]`},
		{"broken UTF-8 in list", "AuditOwner", "[\"Update\xc3\"]"},
		{"object for list", "AuditOwner", `{"Add":["Update"]}`},
		{"bool for list", "AuditOwner", `false`},
		{"number for duration", "AuditLogAgeLimit", `90`},
	}
	state := func(m Mailbox, property string) (State, bool) {
		switch property {
		case "Guid":
			return m.Guid.State, m.Guid.Value == ""
		case "AuditEnabled":
			return m.AuditEnabled.State, !m.AuditEnabled.Value
		case "AuditOwner":
			return m.AuditOwner.State, m.AuditOwner.Value == nil
		default:
			return m.AuditLogAgeLimit.State, m.AuditLogAgeLimit.Value == ""
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decodeMailboxes(t, `[{"UserPrincipalName":"a","`+tt.property+`":`+tt.value+`,"Office":"z"},{"Guid":"next"}]`)
			if len(got) != 2 || got[0].UserPrincipalName != Of("a") || got[0].Office != Of("z") || got[1].Guid != Of("next") {
				t.Fatalf("the rest of the page was lost: %+v", got)
			}
			if s, zero := state(got[0], tt.property); s != Mistyped || !zero {
				t.Errorf("state = %v, zero value %v; want mistyped without a value", s, zero)
			}
		})
	}
}

func TestDuplicatesSpoilTheirPropertyOnly(t *testing.T) {
	for _, row := range []string{
		`{"AuditOwner":["Update"],"Office":"z","AuditOwner":["Update"]}`,
		`{"AuditOwner":null,"AuditOwner":["Update"],"Office":"z"}`,
		`{"AuditOwner":["Update"],"AuditOwner":null,"Office":"z"}`,
		`{"AuditOwner":1,"AuditOwner":["Update"],"Office":"z","AuditOwner":{"a":[]}}`,
		`{"AuditOwner":["Update"],"\u0041uditOwner":["HardDelete"],"Office":"z"}`,
	} {
		got := decodeMailboxes(t, `[`+row+`,{"Guid":"next"}]`)
		if len(got) != 2 || got[0].AuditOwner.State != Duplicate || got[0].AuditOwner.Value != nil ||
			got[0].Office != Of("z") || got[1].Guid != Of("next") {
			t.Errorf("%s gave %+v", row, got)
		}
	}
}

func TestRowThatIsNoObjectHasNoProperties(t *testing.T) {
	got := decodeMailboxes(t, `[null,1,"x",["y"],{"Guid":"g"}]`)
	want := []Mailbox{{}, {}, {}, {}, {Guid: Of("g")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
}

func TestAnswerEnvelope(t *testing.T) {
	tests := []struct {
		name, body string
		malformed  bool
		state      State
		link       string
		warnings   int
		errors     int
	}{
		{name: "empty body", body: ""},
		{name: "blank body", body: " \r\n"},
		{name: "empty object", body: `{}`},
		{name: "null value", body: `{"value":null}`, state: Null},
		{name: "value of other case", body: `{"Value":[]}`, malformed: true},
		{name: "empty value", body: `{"value":[]}`, state: Set},
		{name: "link after the rows", body: `{"value":[],"@odata.nextLink":"x"}`, state: Set, link: "x"},
		{name: "null link", body: `{"value":[],"@odata.nextLink":null}`, state: Set},
		{name: "warnings", body: `{"adminapi.warnings@odata.type":"#Collection(String)","@adminapi.warnings":["a","b"],"value":[]}`, state: Set, warnings: 2},
		{name: "a bare warning", body: `{"@adminapi.warnings":"a"}`, warnings: 1},
		{name: "a warning that is no text", body: `{"@adminapi.warnings":[{"a":1}]}`, warnings: 1},
		{name: "warnings given twice", body: `{"@adminapi.warnings":["a"],"@adminapi.warnings":["b"]}`, warnings: 2},
		{name: "null warnings", body: `{"@adminapi.warnings":null}`},
		{name: "errors", body: `{"@adminapi.errors":["a",{"Message":"b"}]}`, errors: 2},
		{name: "a bare error", body: `{"@adminapi.errors":{"Message":"b"}}`, errors: 1},
		{name: "null errors", body: `{"@adminapi.errors":null}`},
		{name: "truncated in a row", body: `{"value":[{"Guid":"g"`, malformed: true},
		{name: "truncated after the rows", body: `{"value":[]`, malformed: true},
		{name: "two bodies", body: `{"value":[]}{"value":[]}`, malformed: true},
		{name: "value twice", body: `{"value":[],"value":[]}`, malformed: true},
		{name: "value is an object", body: `{"value":{}}`, malformed: true},
		{name: "link is a number", body: `{"value":[],"@odata.nextLink":1}`, malformed: true},
		{name: "two links", body: `{"@odata.nextLink":"x","@odata.nextLink":"y"}`, malformed: true},
		{name: "a list", body: `[]`, malformed: true},
		{name: "html", body: `<html>`, malformed: true},
		{name: "NUL bytes", body: "\x00\x00", malformed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := decodeAnswer([]byte(tt.body))
			if (err != nil) != tt.malformed {
				t.Fatalf("err = %v, want malformed %v", err, tt.malformed)
			}
			if tt.malformed {
				return
			}
			if a.valueState != tt.state || a.nextLink != tt.link || len(a.warnings) != tt.warnings || len(a.errors) != tt.errors {
				t.Errorf("got %v %q %q %s", a.valueState, a.nextLink, a.warnings, a.errors)
			}
		})
	}
}

// FuzzDecodeAnswer holds the decoder to its word. What it accepts is JSON, has the
// rows that another decoder finds, and is not accepted when it is cut short; rows
// with a strange property put into each give the same; the body stays as it is.
func FuzzDecodeAnswer(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"value":null}`, `{"value":[{"Guid":"g","AuditEnabled":"True","AuditOwner":["Update"]}]}`,
		`{"value":[{"Guid":1,"Guid":2}],"@odata.nextLink":"https://x/"}`, "{\"value\":[{\"Guid\":\"\xff\"}]}",
		`{"@adminapi.errors":[{"a":[1]}],"value":[null,[],{"AuditOwner":[1,[2],{"x":null}]}]}`, `{"value":[{"a":`,
		"\ufeff{\"value\":[{}]}\n", `{"error":{"code":"x"},"value":[]}`, `{"@adminapi.warnings":["w"],"value":[{"Guid":null}]}`,
		`{"value":[{"Guid":"\ud800"}],"Value":[]}`,
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		before := bytes.Clone(body)
		a, err := decodeAnswer(body)
		if err != nil {
			return
		}
		got, err := decodedRows(a)
		if err != nil {
			t.Fatalf("the envelope was accepted and its rows were not: %v", err)
		}
		checkRows(t, got)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		whole := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
		if len(whole) == 0 {
			return
		}
		if !json.Valid(whole) {
			t.Fatalf("accepted what is no JSON: %q", whole)
		}
		if n := 1 + (cut&math.MaxInt)%len(whole); n < len(whole) {
			if _, err := decodeAnswer(whole[:n]); err == nil {
				t.Fatalf("accepted after %d of %d bytes: %q", n, len(whole), whole)
			}
		}
		var elements []json.RawMessage
		if a.valueState == Set && json.Unmarshal(a.value, &elements) != nil || len(elements) != len(got) {
			t.Fatalf("%d rows, and %d by another decoder: %s", len(got), len(elements), a.value)
		}
		again, err := decodedRows(answer{value: withStrangers(elements), valueState: a.valueState})
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("a strange property changed the rows: %v\n%+v\n%+v", err, got, again)
		}
	})
}

func decodedRows(a answer) (list []Mailbox, err error) {
	err = rows(a, names{}, mailboxProperty, func(m Mailbox) bool {
		list = append(list, m)
		return true
	})
	return list, err
}

// checkRows looks for a value without the state, and for text that is none.
func checkRows(t *testing.T, list []Mailbox) {
	t.Helper()
	for _, m := range list {
		if m.Guid.State != Set && m.Guid.Value != "" || m.AuditOwner.State != Set && m.AuditOwner.Value != nil ||
			m.AuditEnabled.State != Set && m.AuditEnabled.Value {
			t.Fatalf("a value without the state: %+v", m)
		}
		if !utf8.ValidString(m.Guid.Value) || !utf8.ValidString(strings.Join(m.AuditOwner.Value, "")) {
			t.Fatalf("broken UTF-8 passed: %+v", m)
		}
	}
}

// withStrangers puts a property that nobody knows, and one of another spelling,
// into each row that is an object.
func withStrangers(elements []json.RawMessage) jsontext.Value {
	if elements == nil {
		return nil
	}
	out := []byte("[")
	for i, element := range elements {
		if i > 0 {
			out = append(out, ',')
		}
		if rest, found := bytes.CutPrefix(element, []byte("{")); found {
			out = append(out, `{"guid":[{"Guid":"x"}],"Guid@data.type":"System.Guid"`...)
			if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
				out = append(out, ',')
			}
			element = rest
		}
		out = append(out, element...)
	}
	return append(out, ']')
}

func TestNamesAreSharedAndBounded(t *testing.T) {
	shared := names{}
	for i := range 3 * maxNames {
		b := bytes.Repeat([]byte{'a'}, i%100+1)
		b[0] = byte('a' + i%26)
		if got := shared.share(b); got != string(b) {
			t.Fatalf("share(%q) = %q", b, got)
		}
	}
	if len(shared) > maxNames {
		t.Errorf("%d names are kept, want at most %d", len(shared), maxNames)
	}
	for name := range shared {
		if len(name) > 64 {
			t.Errorf("a name of %d bytes is kept", len(name))
		}
	}
}
