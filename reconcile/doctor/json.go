package doctor

import (
	"encoding/json"
	"io"
	"time"
)

// document fixes the names and the order of the fields.
type document struct {
	Schema    string         `json:"schema"`
	Tool      string         `json:"tool"`
	Tenant    string         `json:"tenant"`
	Endpoint  string         `json:"endpoint"`
	CreatedAt string         `json:"createdAt"`
	Verdict   Verdict        `json:"verdict"`
	Scope     string         `json:"scope"`
	Policy    documentPolicy `json:"policy"`
	Summary   summary        `json:"summary"`
	Checks    []Check        `json:"checks"`
	Grants    []Grant        `json:"grants"`
	Requests  int64          `json:"requests"`
	Alarm     string         `json:"alarm"`
}

type documentPolicy struct {
	File   string `json:"file"`
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

type summary struct {
	OK      int `json:"ok"`
	Missing int `json:"missing"`
	Unknown int `json:"unknown"`
	Warning int `json:"warning"`
}

// WriteJSON writes the report as exoaudit/doctor/v1. Arrays are never null;
// scope is "check" or "apply"; the fields of policy are empty where none was
// given. It returns the first error of w.
func WriteJSON(w io.Writer, r *Report) error {
	d := document{
		Schema: Schema, Tool: r.Tool, Tenant: say("%s", r.Tenant), Endpoint: say("%s", r.Endpoint),
		CreatedAt: r.CreatedAt.UTC().Format(time.RFC3339), Verdict: r.Verdict(), Scope: "apply",
		Policy:  documentPolicy{say("%s", r.PolicyFile), say("%s", r.PolicyName), r.PolicyDigest},
		Summary: summary{r.Count(OK), r.Count(Missing), r.Count(Unknown), r.Count(Warning)},
		Checks:  append([]Check{}, r.Checks...), Grants: []Grant{}, Requests: r.Requests, Alarm: r.Alarm,
	}
	if r.ReadOnly {
		d.Scope = "check"
	}
	for _, g := range r.Grants {
		g.For, g.Notes, g.Commands = append([]string{}, g.For...), append([]string{}, g.Notes...), append([]string{}, g.Commands...)
		d.Grants = append(d.Grants, g)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
