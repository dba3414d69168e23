package cli

import (
	"encoding/json"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newValidate builds the offline check of policy files.
func newValidate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate POLICY...",
		Short: "Check policy files, offline",
		Long: `validate reads policy files and reports every mistake at once, each with its
position, what is wrong and what to do. It needs no network and no credential.
Exit status: 0 if every file is valid (warnings do not matter), else 4.`,
		Example: "  exoaudit validate policy.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return invalid("validate needs at least one policy file")
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		list := make([]validated, len(args))
		valid := true
		for i, file := range args {
			v, err := a.validate(file)
			if err != nil {
				return err
			}
			list[i], valid = v, valid && v.Valid
		}
		if err := a.showValidated(list); err != nil {
			return noReport("cannot write the result: %w", err)
		}
		if !valid {
			return ends(ExitInvalid)
		}
		return nil
	}
	return cmd
}

// validated is what there is to say about one file.
type validated struct {
	File        string       `json:"file"`
	Valid       bool         `json:"valid"`
	Name        string       `json:"name"`
	Digest      string       `json:"digest"`
	Diagnostics []diagnostic `json:"diagnostics"`
	found       policy.Diagnostics
}

// diagnostic is one finding, as JSON.
type diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

func (a *app) validate(file string) (validated, error) {
	data, err := readFile("validate", file, maxInput)
	if err != nil {
		return validated{}, err
	}
	p, found := policy.Load(filepath.ToSlash(file), data, readExtended)
	v := validated{File: file, Valid: !found.HasErrors()}
	if v.Valid {
		v.Name, v.Digest = p.Name, p.Digest()
		found = append(found, p.Expiries(a.env.Now())...)
	}
	v.found = found.Sorted()
	v.Diagnostics = diagnosticsOf(v.found)
	return v, nil
}

// diagnosticsOf gives findings as JSON has them; no finding is the empty list.
func diagnosticsOf(found policy.Diagnostics) []diagnostic {
	list := []diagnostic{}
	for _, d := range found {
		list = append(list, diagnostic{
			File: d.File, Line: d.Line, Column: d.Column,
			Severity: d.Severity.String(), Code: d.Code, Message: d.Message, Hint: d.Hint,
		})
	}
	return list
}

// showValidated writes the findings, the result of this command, to standard
// output: for people one line each, then one line for each file.
func (a *app) showValidated(list []validated) error {
	if a.out.format == "json" {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Schema   string      `json:"schema"`
			Policies []validated `json:"policies"`
		}{"exoaudit/validate/v1", list})
	}
	out := &printer{w: a.Out}
	for _, v := range list {
		mistakes := 0
		for _, d := range v.found {
			out.line("%s", report.Line(d.String()))
			if d.Severity == strict.Error {
				mistakes++
			}
		}
		if v.Valid {
			out.line("%s: valid, policy %s, %s", report.Line(v.File), v.Name, v.Digest)
		} else {
			out.line("%s: not valid, %d errors", report.Line(v.File), mistakes)
		}
	}
	return out.err
}
