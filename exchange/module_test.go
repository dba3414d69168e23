package exchange

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestExportedCmdletsAreRead(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string
		reason     Reason
	}{
		{"one file", `{"value":[{"fileName":"a","fileContent":"x","exportedCmdlets":"Set-Mailbox, Get-Mailbox,,Set-Mailbox"}]}`, []string{"Get-Mailbox", "Set-Mailbox"}, ""},
		{"several files", `{"value":[{"exportedCmdlets":"B"},{"fileName":"x"},{"exportedCmdlets":"A"}]}`, []string{"A", "B"}, ""},
		{"no cmdlet", `{"value":[{"exportedCmdlets":""}]}`, nil, ""},
		{"no list", `{"value":[{"fileName":"x"}]}`, nil, ReasonNoValue},
		{"a list of another type", `{"value":[{"exportedCmdlets":["A"]}]}`, nil, ReasonNoValue},
		{"no file", `{"value":[]}`, nil, ReasonNoValue},
		{"no value", `{}`, nil, ReasonNoValue},
		{"cut", `{"value":[`, nil, ReasonTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted(t, ok(tt.body))
			got, err := c.ExportedCmdlets(t.Context())
			incomplete, _ := errors.AsType[*IncompleteError](err)
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.reason == "") || err != nil && (incomplete == nil || incomplete.Reason != tt.reason) {
				t.Errorf("%v, %v; want %v, %q", got, err, tt.want, tt.reason)
			}
			sent := s.requests()[0]
			if sent.method != "GET" || sent.body != "" || sent.header.Get("CommandName") != "*" || sent.header.Get("X-CmdletName") != "" ||
				sent.url != testEndpoint+"/adminapi/v1.0/"+testTenant+"/EXOModuleFile?Version=3.9.2" || !strings.HasPrefix(sent.header.Get("X-AnchorMailbox"), "APP:") {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}
