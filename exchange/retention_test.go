package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestRetentionRowsOfOtherForms covers what the wire may hold instead.
func TestRetentionRowsOfOtherForms(t *testing.T) {
	for body, want := range map[string]Field[int]{
		`{"Priority":12}`:                   Of(12),
		`{"Priority":"12"}`:                 Of(12),
		`{"Priority":null}`:                 {State: Null},
		`{"Priority":1.5}`:                  {State: Mistyped},
		`{"Priority":"high"}`:               {State: Mistyped},
		`{"Priority":[1]}`:                  {State: Mistyped},
		`{"Priority":1e3}`:                  {State: Mistyped},
		`{"Priority":99999999999999999999}`: {State: Mistyped},
		`{"Priority":1,"Priority":2}`:       {State: Duplicate},
		`{"priority":1}`:                    {},
	} {
		var p RetentionPolicy
		if err := takeRow(newDecoder([]byte(body)), nil, func(name []byte) property { return retentionProperty(&p, name) }); err != nil || p.Priority != want {
			t.Errorf("%s: %+v, %v", body, p.Priority, err)
		}
	}
}

// TestRetentionParametersAreTheServices holds every parameter against the service's
// own list; WhatIf is never one, as it has no effect there.
func TestRetentionParametersAreTheServices(t *testing.T) {
	var cmdlets []struct {
		Endpoint, Cmdlet string
		Parameters       []struct{ Name string }
	}
	if err := json.Unmarshal(sharedData(t, "exo-cmdlet-parameters.json"), &cmdlets); err != nil {
		t.Fatal(err)
	}
	s := &script{replies: []reply{page("", "")}}
	c, err := NewCompliance(Config{
		Endpoint: "https://ps.compliance.protection.outlook.com", TenantID: testTenant, Transport: s,
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: testToken}),
	})
	if err != nil {
		t.Fatal(err)
	}
	complianceCalls(t, c, func(any) {})
	seen := 0
	for _, sent := range s.requests() {
		var e struct{ CmdletInput cmdletInput }
		if err := json.Unmarshal([]byte(sent.body), &e); err != nil {
			t.Fatal(err)
		}
		name := strings.Split(sent.body, `"`)[5]
		for _, known := range cmdlets {
			if known.Endpoint != "compliance" || known.Cmdlet != name {
				continue
			}
			seen++
			for parameter := range e.CmdletInput.Parameters {
				if !slices.ContainsFunc(known.Parameters, func(p struct{ Name string }) bool { return p.Name == parameter }) {
					t.Errorf("%s has no parameter %s", name, parameter)
				}
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d of the four cmdlets were compared", seen)
	}
}

// FuzzRetentionPolicy takes no number out of a row that has none.
func FuzzRetentionPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"Priority":1,"Name":"a","RecordTypes":["ExchangeItem"],"RetentionDuration":"TenYears"}`, `{"Priority":"7"}`, `{"Priority":"\u0037"}`, `{"Priority":"`, `{"RecordTypes":"ExchangeItem"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p RetentionPolicy
		if takeRow(newDecoder(body), nil, func(name []byte) property { return retentionProperty(&p, name) }) != nil {
			return
		}
		if p.Priority.State != Set && p.Priority.Value != 0 || p.RecordTypes.State != Set && p.RecordTypes.Value != nil {
			t.Errorf("%s: %+v", body, p)
		}
	})
}
