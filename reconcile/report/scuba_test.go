package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// scubaInput is what CISA's policies read.
type scubaInput struct {
	Organization []map[string]any `json:"org_config"`
	AdminAudit   []map[string]any `json:"admin_audit_log_config"`
}

// passes judges as the two policies do (semantics 6.2): no organization with
// AuditDisabled true, and one admin audit row with ingestion on.
func (s scubaInput) passes() bool {
	return !slices.ContainsFunc(s.Organization, func(row map[string]any) bool { return row[scubaOrganization] == true }) &&
		slices.ContainsFunc(s.AdminAudit, func(row map[string]any) bool { return row[scubaAdminAudit] == true })
}

// switchedOn is a run whose rows show that auditing is on.
func switchedOn(r Report) Report {
	r.doc.observed.Organization = rawRow("Get-OrganizationConfig", `{"AuditDisabled":false}`)
	return r
}

func TestSCuBAGolden(t *testing.T) {
	t.Parallel()
	golden(t, "drift.scuba.json", written(t, driftOnly(), SCuBA))
}

// refused holds a run to have no report, and nothing of one.
func refused(t *testing.T, name string, r Report) {
	t.Helper()
	var out bytes.Buffer
	err := r.Write(&out, SCuBA, Options{})
	if _, ok := errors.AsType[*UnwrittenError](err); !ok || out.Len() > 0 {
		t.Errorf("%s: %v and %d bytes, want an UnwrittenError and none", name, err, out.Len())
	}
}

// TestSCuBAVerdict: of a run that is no judgement there is no report, although its rows
// would pass; the shared run is one.
func TestSCuBAVerdict(t *testing.T) {
	t.Parallel()
	for name, r := range unjudged() {
		refused(t, name, switchedOn(r))
	}
	refused(t, "the shared run", sharedRun())
	var in scubaInput
	if err := json.Unmarshal(written(t, switchedOn(inLineRun()), SCuBA), &in); err != nil || !in.passes() {
		t.Errorf("a run in line does not pass: %v, %v", in, err)
	}
	if err := json.Unmarshal(written(t, driftOnly(), SCuBA), &in); err != nil || in.passes() {
		t.Errorf("a tenant without auditing passes: %v, %v", in, err)
	}
}

// TestSCuBAWants refuses what a policy would take for the absence of a fault.
func TestSCuBAWants(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]string{
		"no property":          `{"Name":"contoso"}`,
		"null":                 `{"AuditDisabled":null}`,
		"a string":             `{"AuditDisabled":"true"}`,
		"another case":         `{"auditDisabled":false}`,
		"twice":                `{"AuditDisabled":true,"AuditDisabled":false}`,
		"another twice":        `{"AuditDisabled":false,"Name":1,"Name":2}`,
		"twice by an escape":   `{"AuditDisabled":true,"\u0041uditDisabled":false}`,
		"in an object":         `{"a":{"AuditDisabled":false}}`,
		"a list":               `[{"AuditDisabled":false}]`,
		"cut":                  `{"AuditDisabled":false`,
		"more than one object": `{"AuditDisabled":false}, {}`,
		"nothing":              ``,
		"no object":            `null`,
	} {
		r := driftOnly()
		r.doc.observed.Organization = rawRow("Get-OrganizationConfig", row)
		refused(t, name, r)
	}
	r := driftOnly()
	r.doc.observed.AdminAudit = nil
	refused(t, "no admin audit row", r)
	r = driftOnly()
	r.doc.observed.Organization = nil
	refused(t, "no organization row", r)
	r = driftOnly()
	r.doc.observed.AdminAudit = rawRow("Get-AdminAuditLogConfig", `{"AdminAuditLogEnabled":true}`)
	refused(t, "no ingestion", r)
}

// TestSCuBAOvertaken: rows that were read before a run changed them say nothing of the
// tenant as it is now.
func TestSCuBAOvertaken(t *testing.T) {
	t.Parallel()
	refused(t, "the organization was written", appliedRun())
	for result, writes := range map[reconcile.Result]bool{
		reconcile.ResultVerified: true, reconcile.ResultFailed: true, reconcile.ResultUnconfirmed: true, reconcile.ResultUnsupported: true,
		reconcile.ResultSkipped: false, reconcile.ResultNotNeeded: false, reconcile.ResultNone: false,
	} {
		r := changed(appliedRun(), func(c *reconcile.Change) {
			if c.Subject.Kind == audit.KindOrganization {
				c.Result = result
			}
		})
		if writes {
			refused(t, string(result), r)
		} else if err := r.Write(&bytes.Buffer{}, SCuBA, Options{}); err != nil {
			t.Errorf("%q: %v", result, err)
		}
	}
}

// TestSCuBAShape holds the report to the shape of CISA's own samples: the same keys,
// which are lists of rows, whose properties by which is judged are booleans.
func TestSCuBAShape(t *testing.T) {
	t.Parallel()
	_, sample := publicData(t, "scubagear-sample-2026-07-23-6f43f73a.json")
	var theirs map[string]any
	if err := json.Unmarshal(sample, &theirs); err != nil {
		t.Fatal(err)
	}
	var rows map[string][]json.RawMessage
	if err := json.Unmarshal(sample, &rows); err != nil {
		t.Fatal(err)
	}
	// Their rows, as if the service had given them, come through as they are.
	r := driftOnly()
	r.doc.observed.Organization = rawRow("Get-OrganizationConfig", string(rows["org_config"][0]))
	r.doc.observed.AdminAudit = rawRow("Get-AdminAuditLogConfig", string(rows["admin_audit_log_config"][0]))
	var ours map[string]any
	if err := json.Unmarshal(written(t, r, SCuBA), &ours); err != nil {
		t.Fatal(err)
	}
	for key := range maps.Keys(ours) {
		want, _ := json.Marshal(theirs[key])
		got, _ := json.Marshal(ours[key])
		if !bytes.Equal(got, want) || len(want) < 10 {
			t.Errorf("%s is %.200s, want %.200s", key, got, want)
		}
	}
	if len(ours) != 2 {
		t.Errorf("the keys are %v", slices.Sorted(maps.Keys(ours)))
	}
}

// TestSCuBAHostile: a tenant names itself; no name leaves its place or its line.
func TestSCuBAHostile(t *testing.T) {
	t.Parallel()
	for _, text := range hostileTexts() {
		row, err := json.Marshal(map[string]any{scubaOrganization: true, "DisplayName": text, text: text})
		if err != nil {
			t.Fatal(err)
		}
		// As a service might write it, escaping as little as JSON allows.
		plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028").Replace(string(row))
		r := driftOnly()
		r.doc.observed.Organization = rawRow("Get-OrganizationConfig", plain)
		out := written(t, r, SCuBA)
		var in, want scubaInput
		if err := json.Unmarshal(out, &in); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := json.Unmarshal([]byte(`{"org_config":[`+plain+`]}`), &want); err != nil {
			t.Fatal(err)
		}
		if len(in.Organization) != 1 || len(in.AdminAudit) != 1 || !maps.Equal(in.Organization[0], want.Organization[0]) {
			t.Errorf("%q is %v", text, in.Organization)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") ||
				strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%.100q can be read as a command, or not at all", line)
			}
		}
	}
	if err := driftOnly().Write(&brokenWriter{}, SCuBA, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
}

// BenchmarkWriteSCuBA writes the two rows of a tenant with 100,000 findings.
func BenchmarkWriteSCuBA(b *testing.B) { benchmarkWrite(b, SCuBA) }
