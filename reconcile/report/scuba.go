package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/exoaudit/exoaudit/reconcile"
)

// The properties by which CISA's policies judge (semantics 6.2). A row without the
// first would be taken for one where auditing is on: MS.EXO.13.1v1 passes where no row
// says AuditDisabled true.
const (
	scubaOrganization = "AuditDisabled"
	scubaAdminAudit   = "UnifiedAuditLogIngestionEnabled"
)

// writeSCuBA writes the part of ScubaGear's ProviderSettingsExport.json that its
// policies read of a tenant's audit switches: org_config, the rows of
// Get-OrganizationConfig, and admin_audit_log_config, the rows of
// Get-AdminAuditLogConfig, one each, as the service gave them.
//
// The form has no place for a verdict, and a policy that finds no row finds no fault.
// So there is a report only of a run that is a judgement, where both rows came, hold
// the property that is judged by, once and as a boolean, and were not overtaken by what
// this run has written; else it returns an [UnwrittenError]. Whoever wants the rows of
// a tenant in which some mailbox cannot be read checks by a policy that asks for the
// tenant's switches alone.
func writeSCuBA(w io.Writer, d document) error {
	organization, err := d.scubaRow(d.observed.Organization, "Get-OrganizationConfig", scubaOrganization)
	if err != nil {
		return err
	}
	admin, err := d.scubaRow(d.observed.AdminAudit, "Get-AdminAuditLogConfig", scubaAdminAudit)
	if err != nil {
		return err
	}
	if !d.judged() {
		return unwritten("not everything was read, written and confirmed, and the form cannot say so; " +
			"check by a policy that asks for the tenant's switches alone")
	}
	if d.overtaken() {
		return unwritten("the rows were read before the run wrote to the tenant's switches; run check for them as they are now")
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n  \"org_config\": [\n    %s\n  ],\n  \"admin_audit_log_config\": [\n    %s\n  ]\n}\n", organization, admin)
	_, err = w.Write(out.Bytes())
	return err
}

func unwritten(why string) error { return &UnwrittenError{Format: SCuBA, Why: why} }

// scubaRow gives a row as JSON that means what the service's means.
func (d document) scubaRow(row *reconcile.RawRow, cmdlet, property string) ([]byte, error) {
	if row == nil || len(row.Row) == 0 {
		return nil, unwritten("the row of " + cmdlet + " was not read")
	}
	if why := notJudgeable(row.Row, property); why != "" {
		return nil, unwritten("the row of " + cmdlet + " " + why)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, row.Row); err != nil {
		return nil, fmt.Errorf("the row of %s: %w", cmdlet, err)
	}
	return harmless(line.Bytes()), nil
}

// notJudgeable says why a policy could not judge a row by a property. Of a property
// that occurs twice some readers take the first and some the last.
func notJudgeable(row json.RawMessage, property string) string {
	if !json.Valid(row) {
		return "is not JSON"
	}
	values := json.NewDecoder(bytes.NewReader(row))
	if start, err := values.Token(); err != nil || start != json.Delim('{') {
		return "is no object"
	}
	seen := map[string]bool{}
	var judged json.RawMessage
	for values.More() {
		key, err := values.Token()
		var value json.RawMessage
		if err == nil {
			err = values.Decode(&value)
		}
		if err != nil {
			return "is not JSON"
		}
		name, _ := key.(string)
		if seen[name] {
			return "holds " + within(name, nameShown) + " twice"
		}
		seen[name] = true
		if name == property {
			judged = value
		}
	}
	if s := string(judged); s != "true" && s != "false" {
		return "does not say " + property + " as true or false"
	}
	return ""
}

// overtaken tells whether the run wrote to what the rows show, so that they are no
// longer what the tenant shows.
func (d document) overtaken() bool {
	if d.applied == nil {
		return false
	}
	for c := range d.changes {
		if kind := string(c.Subject.Kind); kind != kindOrganization && kind != kindAdminAudit {
			continue
		}
		switch c.Result {
		case reconcile.ResultNone, reconcile.ResultSkipped, reconcile.ResultNotNeeded:
		default:
			return true
		}
	}
	return false
}
