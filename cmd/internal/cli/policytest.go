package cli

import (
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newTest builds the command that holds a policy to cases of what it must want,
// without a tenant.
func newTest(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Test a policy with sample mailboxes, offline",
		Long: `test reads files of test cases: sample mailboxes, and what a policy must want of
each. It needs no network and no credential, so that a change to a policy can be
tested before it is reviewed. Exit status: 0 all cases hold, 2 some do not, 4 a
file or its policy is not valid.`,
		Example: `  exoaudit test policy.test.yaml
  exoaudit test policy.test.yaml --format json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return invalid("test needs at least one file of test cases")
			}
			return nil
		},
	}
	a.out.bind(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		list := make([]tested, len(args))
		status := ExitInLine
		for i, file := range args {
			t, err := runPolicyTest(file)
			if err != nil {
				return err
			}
			list[i], status = t, worst(status, t.status())
		}
		if err := a.showTested(list); err != nil {
			return noReport("cannot write the result: %w", err)
		}
		return ends(status)
	}
	return cmd
}

// tested is what there is to say about one file of test cases.
type tested struct {
	File string `json:"file"`
	// Policy is the file or baseline under test, empty where the file of cases
	// could not be read as such.
	Policy string `json:"policy"`
	// Digest is empty where the policy is not valid.
	Digest      string       `json:"digest"`
	Valid       bool         `json:"valid"`
	Cases       []testedCase `json:"cases"`
	Diagnostics []diagnostic `json:"diagnostics"`
	found       policy.Diagnostics
}

// testedCase is one case, and where it does not hold.
type testedCase struct {
	Name     string          `json:"name"`
	Line     int             `json:"line"`
	Holds    bool            `json:"holds"`
	Failures []testedFailure `json:"failures"`
}

type testedFailure struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	text    string
}

func (t tested) status() int {
	switch {
	case !t.Valid:
		return ExitInvalid
	case t.failed() > 0:
		return ExitDrift
	default:
		return ExitInLine
	}
}

func (t tested) failed() int {
	n := 0
	for _, c := range t.Cases {
		if !c.Holds {
			n++
		}
	}
	return n
}

// runPolicyTest reads one file of test cases and its policy and compares them.
func runPolicyTest(file string) (tested, error) {
	data, err := readFile("test", file, maxInput)
	if err != nil {
		return tested{}, err
	}
	t := tested{File: file, Cases: []testedCase{}}
	f, found := policy.ParseTest(filepath.ToSlash(file), data)
	t.found = found
	if f != nil {
		if p := t.loadPolicy(f); p != nil {
			t.Valid, t.Digest = true, p.Digest()
			t.Cases = compareCases(f, p)
		}
	}
	t.Diagnostics = diagnosticsOf(t.found.Sorted())
	return t, nil
}

// loadPolicy reads the policy under test, nil where it is not valid.
func (t *tested) loadPolicy(f *policy.TestFile) *policy.Policy {
	name, builtIn := f.PolicySource()
	t.Policy = name
	var data []byte
	if builtIn {
		data, _ = policy.Baseline(name)
		name = policy.BuiltInFile(name)
	} else {
		var err error
		if data, err = readExtended(name); err != nil {
			t.found = append(t.found, policy.Diagnostic{
				Pos: f.Policy.Pos, Code: policy.CodeUnreadable, Severity: strict.Error,
				Message: name + " cannot be read: " + err.Error(), Hint: "paths are relative to the file that names them",
			})
			return nil
		}
	}
	p, found := policy.Load(name, data, readExtended)
	t.found = append(t.found, found...)
	return p
}

// compareCases holds the policy to every case.
func compareCases(f *policy.TestFile, p *policy.Policy) []testedCase {
	failures := map[string][]testedFailure{}
	for _, x := range f.Run(p) {
		failures[x.Case] = append(failures[x.Case], testedFailure{
			File: x.Pos.File, Line: x.Pos.Line, Column: x.Pos.Column, Message: x.Message, text: x.String(),
		})
	}
	list := make([]testedCase, len(f.Cases))
	for i, c := range f.Cases {
		of := failures[c.Name]
		if of == nil {
			of = []testedFailure{}
		}
		list[i] = testedCase{Name: c.Name, Line: c.Pos.Line, Holds: len(of) == 0, Failures: of}
	}
	return list
}

// showTested writes the findings, the result of this command, to standard
// output: for people one line each, then one line for each file.
func (a *app) showTested(list []tested) error {
	if a.out.format == "json" {
		return a.printJSON(struct {
			Schema string   `json:"schema"`
			Files  []tested `json:"files"`
		}{"exoaudit/test/v1", list})
	}
	out := &printer{w: a.Out}
	for _, t := range list {
		for _, d := range t.found.Sorted() {
			out.line("%s", report.Line(d.String()))
		}
		for _, c := range t.Cases {
			if a.out.verbose && c.Holds {
				out.line("%s:%d: %s: holds", report.Line(filepath.ToSlash(t.File)), c.Line, report.Line(c.Name))
			}
			for _, x := range c.Failures {
				out.line("%s", report.Line(x.text))
			}
		}
		file, n := report.Line(t.File), len(t.Cases)
		switch failed := t.failed(); {
		case !t.Valid:
			out.line("%s: not valid, no case was tried", file)
		case failed > 0:
			out.line("%s: %d of %s failed for %s", file, failed, countCases(n), report.Line(t.Policy))
		default:
			out.line("%s: %s passed for %s", file, countCases(n), report.Line(t.Policy))
		}
	}
	return out.err
}

func countCases(n int) string {
	if n == 1 {
		return "1 case"
	}
	return strconv.Itoa(n) + " cases"
}
