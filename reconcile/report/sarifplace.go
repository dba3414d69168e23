package report

import (
	"net/url"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// writtenAt leads from a wish to a line that a person has written: a built-in
// baseline is in no file, and stands where the policy extends it. What nothing leads to
// stands at the first line of the policy, since GitHub drops results without a place.
// A run without a policy has none.
func (d document) writtenAt(at policy.Pos) (policy.Pos, bool) {
	for range policy.MaxExtendsDepth {
		if !policy.IsBuiltIn(at.File) {
			break
		}
		at = d.extendedAt(at.File)
	}
	if at.File == "" || policy.IsBuiltIn(at.File) {
		at = policy.Pos{File: d.policyFile}
	}
	at.Line, at.Column = max(at.Line, 1), max(at.Column, 1)
	return at, at.File != ""
}

// extendedAt gives the first place that names a built-in baseline.
func (d document) extendedAt(file string) policy.Pos {
	for _, e := range d.extends {
		if e.BuiltIn && file == policy.BuiltInFile(e.Name) {
			return e.Pos
		}
	}
	return policy.Pos{}
}

// fileURI writes the name of a file as a relative reference, or as a whole address where
// the name is that of a file from the root of the machine.
func fileURI(file string) string {
	scheme, drive := "", ""
	switch {
	case onDrive(file):
		scheme, drive, file = "file:///", file[:2], file[2:]
	case whole(file):
		scheme = "file://"
	}
	segments := strings.Split(file, "/")
	for i, s := range segments {
		// A colon in the first segment would make a scheme of it.
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return scheme + drive + strings.Join(segments, "/")
}

// location is where a finding stands: at the line that asks for it, and in the tenant.
func (d document) location(c reconcile.Change, root checkout) sarifLocation {
	out := sarifLocation{Logical: []sarifLogical{d.logical(c.Subject)}}
	if at, ok := d.writtenAt(c.Origin.Pos); ok {
		out.Physical = &sarifPhysical{
			Artifact: sarifArtifact{URI: fileURI(root.path(at.File))},
			Region:   sarifRegion{StartLine: at.Line, StartColumn: at.Column},
		}
	}
	return out
}

func (d document) logical(s reconcile.Subject) sarifLogical {
	return sarifLogical{
		Name:               shownName(s),
		FullyQualifiedName: within(d.header.Tenant, nameShown) + "/" + string(s.Kind) + "/" + within(s.ID, nameShown),
		Kind:               "resource",
	}
}
