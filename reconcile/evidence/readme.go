package evidence

import (
	"fmt"
	"io"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// VerdictLine says how the run ended, for people. It never lets a run that is not
// complete pass for more.
func (m Manifest) VerdictLine() string {
	switch {
	case m.Complete && m.Verdict == "inLine":
		return "In line with the policy."
	case m.Complete:
		return "Drift: the tenant is not as the policy says."
	case m.Verdict == "failed":
		return "INCOMPLETE: the credential may not do all that the policy needs. This is no pass."
	default:
		return "INCOMPLETE: not everything was read. This is no pass."
	}
}

// writeReadme says what is in the bundle, how to check it by hand, and what it does
// not prove.
func (m *making) writeReadme(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(report.Line(fmt.Sprintf(format, args...)) + "\n") }
	v, c := m.manifest, m.manifest.Controls
	line("EVIDENCE OF ONE RUN")
	line("")
	line("%s", v.VerdictLine())
	for _, reason := range v.Reasons {
		line("  not read or not known: %s", reason)
	}
	line("")
	line("Tenant    %s", v.Tenant)
	line("Run       %s, begun %s", v.RunID, v.CreatedAt)
	line("Tool      %s", v.Tool)
	line("Policy    %s, %s", v.Policy.Name, v.Policy.Digest)
	line("Threshold drift counts from level %s, strict %t", v.Threshold.FailOn, v.Threshold.Strict)
	line("Controls  %s", c)
	if m.Plan.Coverage.Complete && len(m.controls) == 0 {
		line("          (the policy asks for nothing)")
	}
	b.WriteString(readmeText)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeIncomplete is there only where the run is not complete: its name is seen before
// any file is opened.
func (m *making) writeIncomplete(w io.Writer) error {
	var b strings.Builder
	b.WriteString(m.manifest.VerdictLine() + "\n")
	for _, reason := range m.manifest.Reasons {
		b.WriteString("  " + report.Line(reason) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const readmeText = `
THE FILES
  INCOMPLETE.txt              only where the run is not complete: why
  controls.json               each control: what the policy asks for its sake and where,
                              what was found, the verdict
  exemptions.json             what the policy lets be: by whom, why, until when
  journal.ndjson              what this program wrote to the tenant, as a chain of hashes
  manifest.json               what is in here, with the size and SHA-256 of every other file
  observed/adminAudit.json    the row of Get-AdminAuditLogConfig as it came
  observed/bypass.json        accounts that bypass recording
  observed/mailboxes.ndjson   every mailbox that was read, how it stands, and which profile
  observed/organization.json  the row of Get-OrganizationConfig as it came
  observed/profiles.json      every combination of audit values that mailboxes showed
  observed/retention.json     retention policies, where the policy speaks of them
  policy/                     the policy, with all that it extends, as it was read
  report.html                 the whole report, for a browser
  report.json                 the whole report, for programs
  requests.ndjson             every call of the run, with the service's id of it

VERDICTS ON CONTROLS
  met        everything that the policy asks for the sake of the control was found; a
             rule that speaks of no mailbox of the tenant is among idleRules, and nothing
             was there that could have differed from it
  accepted   what differs is let be by an exemption or an allowed account, named there
  notMet     something differs, at whatever level, also where the service cannot set it
  notJudged  something that the control needs was not read, or is not known; what was
             found to differ is listed all the same

  A control means here what the policy asks for with its id. Whether that is all that
  the published control asks for is for a person to say. What rules ask for is about the
  settings of mailboxes: an account that bypasses recording, and the unified log being
  off, count against the controls that the policy names for those, and no other.

HOW TO CHECK IT
  exoaudit evidence verify FILE.zip --digest sha256:...
      finds any byte that was changed, added or removed. The digest is the one that was
      printed when the bundle was made; without it a bundle that was made anew is not
      told from the first.
  By hand:
      sha256sum FILE.zip                     compare with the digest that was printed
      unzip FILE.zip -d bundle; cd bundle
      sha256sum report.json controls.json    compare with manifest.json
      The comment of the archive (unzip -z FILE.zip) has the SHA-256 of manifest.json and,
      as the seal, that of all bytes of the file before the comment:
      head -c -164 FILE.zip | sha256sum
  Each line of journal.ndjson has the hash of the one before it (prev), and its own:
  SHA-256 of prev, a newline, and the bytes of its entry. The first line hangs on the
  entry that manifest.json names. That entries were cut off at the end shows only against
  a head of the journal that was kept elsewhere.

WHAT IT DOES NOT PROVE
  That nobody made the bundle anew from changed contents: keep the digest elsewhere.
  That the service showed what is so. The values are those that it gave; lists of audit
  actions are sorted, and spelt as the documentation spells them.
  How the tenant stood before or after the run.
  That what was to be recorded was recorded: this is about settings, not about records.
`
