package evidence

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// Bundle is what a bundle is made from.
type Bundle struct {
	Plan      *reconcile.Plan
	Threshold reconcile.Threshold
	// Policy is that of the plan, and Sources the files that it was read from, itself
	// first.
	Policy  *policy.Policy
	Sources []Source
	// Calls are those of the run, nil where they were not kept.
	Calls *Calls
	// Journal is nil where there is none.
	Journal *Journal
}

// Source is one file of the policy, byte by byte as it was read.
type Source struct {
	// Name is the file's, or that of a baseline that is built in.
	Name    string
	BuiltIn bool
	Data    []byte
}

// Written is what came of writing a bundle.
type Written struct {
	// Digest is the SHA-256 of the whole file: sha256: and 64 hex digits.
	Digest   string
	Size     int64
	Manifest Manifest
}

// Write writes a bundle to w, file by file, sorted by name, the manifest last. The plan
// is best made with its raw rows (see reconcile.Request.Raw): the bundle says where they
// are missing. It returns the first error of w, of the journal or of the calls; what was
// written until then is no bundle.
func Write(w io.Writer, b Bundle) (Written, error) {
	m := &making{
		Bundle: b, controls: b.Plan.Controls(), acceptances: b.Plan.Acceptances(),
		archive: newArchive(w, b.Plan.CreatedAt),
	}
	m.begin()
	files := m.contents()
	slices.SortFunc(files, func(x, y content) int { return cmp.Compare(x.name, y.name) })
	for _, f := range files {
		if err := m.archive.add(f.name, f.write); err != nil {
			return Written{}, err
		}
	}
	m.manifest.Files = slices.Clone(m.archive.files)
	if err := m.archive.add(manifestName, m.writeManifest); err != nil {
		return Written{}, err
	}
	if err := m.archive.close(); err != nil {
		return Written{}, err
	}
	if m.archive.seal.size > maxSize {
		return Written{}, fmt.Errorf("the bundle has %d bytes, and one can have %d at most: name fewer controls in a policy, and bundle several", m.archive.seal.size, maxSize)
	}
	return Written{Digest: m.archive.seal.digest(), Size: m.archive.seal.size, Manifest: m.manifest}, nil
}

// making is a bundle under way.
type making struct {
	Bundle
	controls    []reconcile.ControlStanding
	acceptances []reconcile.Acceptance
	manifest    Manifest
	archive     *archive
}

// content is one file to be written.
type content struct {
	name  string
	write func(io.Writer) error
}

// begin fills in what the manifest says of the run.
func (m *making) begin() {
	p := m.Plan
	verdict := p.Verdict(m.Threshold)
	m.manifest = Manifest{
		Schema: Schema, Tool: p.Tool, RunID: p.RunID, Tenant: p.Tenant, CreatedAt: stamp(p.CreatedAt),
		Policy:  ManifestPolicy{Name: p.Policy.Name, Digest: p.Policy.Digest, Files: []ManifestFile{}},
		Verdict: string(verdict), Complete: verdict == reconcile.VerdictInLine || verdict == reconcile.VerdictDrift,
		Reasons: slices.Clone(p.Coverage.Reasons), Scope: string(p.Coverage.Scope),
		Threshold: Threshold{FailOn: m.Threshold.FailOn.String(), Strict: m.Threshold.Strict},
		Controls:  countControls(m.controls),
		Requests:  ManifestRequests{Made: p.Coverage.Requests},
	}
	if m.manifest.Reasons == nil {
		m.manifest.Reasons = []string{}
	}
	if m.Calls != nil {
		m.manifest.Requests.Listed = m.Calls.Len()
	}
}

// contents lists the files of the bundle but for the manifest.
func (m *making) contents() []content {
	out := []content{
		{"README.txt", m.writeReadme},
		{"report.html", m.form(report.HTML)},
		{"report.json", m.form(report.JSON)},
		{"controls.json", m.writeControls},
		{"exemptions.json", m.writeExemptions},
		{"observed/organization.json", m.writeRow(m.Plan.Observed().Organization, "Get-OrganizationConfig")},
		{"observed/adminAudit.json", m.writeRow(m.Plan.Observed().AdminAudit, "Get-AdminAuditLogConfig")},
		{"observed/bypass.json", m.writeBypass},
		{"observed/mailboxes.ndjson", m.writeMailboxes},
		{"observed/profiles.json", m.writeProfiles},
		{"requests.ndjson", m.Calls.write},
		{journalName, func(w io.Writer) error { return m.Journal.write(w, &m.manifest.Journal) }},
	}
	if rows := m.Plan.Observed().Retention; rows != nil {
		out = append(out, content{"observed/retention.json", m.writeRetention})
	}
	if !m.manifest.Complete {
		out = append(out, content{"INCOMPLETE.txt", m.writeIncomplete})
	}
	for i, s := range m.Sources {
		name := fmt.Sprintf("policy/%02d-%s", i, plainName(s.Name))
		m.manifest.Policy.Files = append(m.manifest.Policy.Files, ManifestFile{Name: name, Source: report.Line(shownSource(s.Name)), BuiltIn: s.BuiltIn})
		out = append(out, content{name, func(w io.Writer) error {
			_, err := w.Write(s.Data)
			return err
		}})
	}
	return out
}

// shownSource leaves the folders of this machine out of a name.
func shownSource(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if path.IsAbs(name) || len(name) > 1 && name[1] == ':' {
		return path.Base(name)
	}
	return name
}

// plainName makes a file name of letters, digits and a few signs.
func plainName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	plain := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		default:
			return '_'
		}
	}, name)
	if len(plain) > 80 {
		plain = plain[len(plain)-80:]
	}
	if !strings.HasSuffix(plain, ".yaml") && !strings.HasSuffix(plain, ".yml") {
		plain += ".yaml"
	}
	return plain
}

// form writes the report of the run in one of its forms.
func (m *making) form(f report.Format) func(io.Writer) error {
	return func(w io.Writer) error {
		return report.OfPlan(m.Plan, m.Threshold).Write(w, f, report.Options{})
	}
}

// writeManifest writes what is in the bundle, a field a line.
func (m *making) writeManifest(w io.Writer) error {
	return writeObject(w, func(j *jsonFile) {
		v := m.manifest
		j.field("schema", v.Schema)
		j.field("tool", v.Tool)
		j.field("runId", v.RunID)
		j.field("tenant", v.Tenant)
		j.field("createdAt", v.CreatedAt)
		j.field("verdict", v.Verdict)
		j.field("complete", v.Complete)
		j.field("reasons", v.Reasons)
		j.field("scope", v.Scope)
		j.field("threshold", v.Threshold)
		j.field("policy", v.Policy)
		j.field("controls", v.Controls)
		j.field("requests", v.Requests)
		j.field("journal", v.Journal)
		j.list("files", func(element func(any) bool) {
			for _, f := range v.Files {
				if !element(f) {
					return
				}
			}
		})
	})
}
