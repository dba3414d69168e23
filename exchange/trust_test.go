package exchange

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestErrorInsideASuccessIsNeverASuccess holds every body that says something
// went wrong, or could, against a write and against a listing.
func TestErrorInsideASuccessIsNeverASuccess(t *testing.T) {
	tests := []struct{ name, member, want string }{
		{"a text", `"error":"access denied"`, "access denied"},
		{"a list", `"error":["one","two"]`, "one; two"},
		{"a number", `"error":17`, "17"},
		{"false", `"error":false`, "false"},
		{"an empty text", `"error":""`, ""},
		{"an object", `"error":{"code":"Forbidden","message":"no"}`, "no"},
		{"null after it", `"error":{"code":"Forbidden","message":"no"},"error":null`, "no"},
		{"null before it", `"error":null,"error":{"code":"Forbidden","message":"no"}`, "no"},
		{"an empty object after it", `"error":{"message":"no"},"error":{}`, "no"},
		{"an escaped name", `"\u0065rror":{"message":"no"}`, "no"},
		{"another case", `"Error":{"message":"no"}`, "malformed"},
		{"another case and null", `"ERROR":null`, "malformed"},
		{"the name of OData 3", `"odata.error":{"message":"no"}`, "malformed"},
		{"an annotation", `"@odata.error":{"message":"no"}`, "malformed"},
		{"a bare message", `"message":"An error has occurred."`, "malformed"},
		{"a bare Message", `"Message":"An error has occurred."`, "malformed"},
		{"value in another case", `"Value":[{}]`, "malformed"},
		{"errors in another case", `"@AdminApi.errors":["no"]`, "malformed"},
		{"warnings in another case", `"@adminapi.Warnings":["no"]`, "malformed"},
		{"a confirmation in another case", `"@adminapi.confirmationMessage":"sure?"`, "malformed"},
		{"a link in another case", `"@odata.nextlink":"x"`, "malformed"},
		{"the link of OData 3", `"odata.nextLink":"x"`, "malformed"},
		{"the link without its namespace", `"@nextLink":"x"`, "malformed"},
		{"an empty link", `"@odata.nextLink":""`, "malformed"},
		{"a link that is no text", `"@odata.nextLink":{}`, "malformed"},
		{"a link that is false", `"@odata.nextLink":false`, "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, body := range []string{`{"value":[],` + tt.member + `}`, `{` + tt.member + `,"value":[]}`} {
				c, _ := scripted(t, ok(body))
				r := c.SetAuditDisabled(t.Context(), false)
				if r.Err == nil || r.Unchanged || !strings.Contains(r.Err.Error(), tt.want) {
					t.Errorf("%s: a write gave %+v, want an error with %q", body, r, tt.want)
				}
				if _, err := drain[BypassAssociation](c.BypassAssociations(t.Context())); !IsIncomplete(err) {
					t.Errorf("%s: a listing gave %v, want an incomplete one", body, err)
				}
				c, _ = scripted(t, answers(item("0", 200, "", body)))
				if r := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0]; r.Err == nil {
					t.Errorf("%s: a write in a batch succeeded", body)
				}
			}
		})
	}
	for _, body := range []string{`{"value":[],"error":null}`, `{"value":[],"Errors":1,"messages":[],"@odata.nextLink":null}`} {
		c, _ := scripted(t, ok(body))
		if r := c.SetAuditDisabled(t.Context(), false); r.Err != nil {
			t.Errorf("%s: %v, want a success", body, r.Err)
		}
	}
}

// TestConfirmationIsNoSuccess: the service asks back where nothing was done
// (wire 1.2, 1.5).
func TestConfirmationIsNoSuccess(t *testing.T) {
	for message, asked := range map[string]bool{
		`"Are you sure you want to do this?"`: true, `"What if: Setting"`: true, `["sure?"]`: true, `{}`: true, `true`: true,
		`""`: false, `" "`: false, `null`: false,
	} {
		body := `{"@adminapi.confirmationmessage":` + message + `,"value":[{}]}`
		c, _ := scripted(t, ok(body))
		r := c.SetAuditDisabled(t.Context(), false)
		if asked != (r.Err != nil) || asked && !strings.Contains(r.Err.Error(), "asked for a confirmation and changed nothing") {
			t.Errorf("%s: a write gave %v", message, r.Err)
		}
		_, err := c.Organization(t.Context())
		_, listed := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		for _, err := range []error{err, listed} {
			e, found := errors.AsType[*IncompleteError](err)
			if found != asked || asked && e.Reason != ReasonConfirmation || !asked && err != nil {
				t.Errorf("%s: a read gave %v", message, err)
			}
		}
		c, _ = scripted(t, answers(item("0", 200, "", body)))
		if r := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0]; asked != (r.Err != nil) {
			t.Errorf("%s: a write in a batch gave %v", message, r.Err)
		}
	}
}

// TestOnly200IsASuccess: no other status of success was ever reported (wire 1.1).
func TestOnly200IsASuccess(t *testing.T) {
	for _, status := range []int{http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent, http.StatusPartialContent} {
		c, s := scripted(t, reply{status: status, body: `{"value":[{"Guid":"a"}],"responses":[{"id":"0","status":200,"body":{"value":[{}]}}]}`})
		rows, listed := drain[BypassAssociation](c.BypassAssociations(t.Context()))
		_, single := c.Organization(t.Context())
		errs := map[string]error{
			"a listing":             listed,
			"a read":                single,
			"a write":               c.SetAuditDisabled(t.Context(), false).Err,
			"a batch of writes":     c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0].Err,
			"a batch of reads":      c.BypassByID(t.Context(), []string{guid(0)})[0].Err,
			"the rest of a listing": nil,
		}
		sent := len(s.requests())
		c, _ = scripted(t, page(`{}`, linkTo("A")), reply{status: status, body: `{"value":[]}`})
		_, errs["the rest of a listing"] = drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		c, _ = scripted(t, answers(item("0", status, "", `{"value":[{}]}`)))
		errs["an item written"] = c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0].Err
		errs["an item read"] = c.BypassByID(t.Context(), []string{guid(0)})[0].Err
		for name, err := range errs {
			if e, found := errors.AsType[*IncompleteError](err); !found || e.Reason != ReasonStatus {
				t.Errorf("%d: %s gave %v, want no trust in it", status, name, err)
			}
		}
		if len(rows) != 0 || sent != 5 {
			t.Errorf("%d: %d rows and %d requests, want none and 5", status, len(rows), sent)
		}
	}
}
