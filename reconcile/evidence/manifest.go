package evidence

import (
	"fmt"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// Schema names the form of a bundle; it changes only by adding.
const Schema = "exoaudit/evidence/v1"

// The names of the files that are looked for by name.
const (
	manifestName = "manifest.json"
	journalName  = "journal.ndjson"
)

// Manifest says what a bundle holds. Its file is the last of the archive, as it names
// all others with their digests.
type Manifest struct {
	Schema    string           `json:"schema"`
	Tool      string           `json:"tool"`
	RunID     string           `json:"runId"`
	Tenant    string           `json:"tenant"`
	CreatedAt string           `json:"createdAt"`
	Policy    ManifestPolicy   `json:"policy"`
	Verdict   string           `json:"verdict"`
	Complete  bool             `json:"complete"`
	Reasons   []string         `json:"reasons"`
	Scope     string           `json:"scope"`
	Threshold Threshold        `json:"threshold"`
	Controls  ControlCounts    `json:"controls"`
	Requests  ManifestRequests `json:"requests"`
	Journal   ManifestJournal  `json:"journal"`
	Files     []File           `json:"files"`
}

// Threshold is from where on drift counts for the verdict of the run.
type Threshold struct {
	FailOn string `json:"failOn"`
	Strict bool   `json:"strict"`
}

// ManifestPolicy is the policy of the run, and which files it was read from.
type ManifestPolicy struct {
	Name   string         `json:"name"`
	Digest string         `json:"digest"`
	Files  []ManifestFile `json:"files"`
}

// ManifestFile says where a file of the policy came from. Source is its name as it was
// given, without the folders where that is a whole path, or that of a built-in baseline.
type ManifestFile struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	BuiltIn bool   `json:"builtIn"`
}

// ControlCounts counts controls by verdict. What the policy asks for without naming a
// control is not among them.
type ControlCounts struct {
	Met int `json:"met"`
	// OfNothing are those of Met whose rules speak of no mailbox of the tenant.
	OfNothing int `json:"metOfNothing"`
	Accepted  int `json:"accepted"`
	NotMet    int `json:"notMet"`
	NotJudged int `json:"notJudged"`
}

// ManifestRequests counts the calls that the run made.
type ManifestRequests struct {
	// Made is what the run counted, Listed how many lines there are of them.
	Made   int `json:"made"`
	Listed int `json:"listed"`
}

// ManifestJournal says which part of the tenant's journal there is.
type ManifestJournal struct {
	// Kept is false where the run had no journal to take it from.
	Kept   bool   `json:"kept"`
	Source string `json:"source"`
	Since  string `json:"since"`
	// PreviousSeq and PreviousHash are the entry on which the first line hangs; 0 and
	// empty at the beginning of the journal.
	PreviousSeq  int64  `json:"previousSeq"`
	PreviousHash string `json:"previousHash"`
	Entries      int64  `json:"entries"`
	// HeadSeq and HeadHash are the last entry.
	HeadSeq  int64  `json:"headSeq"`
	HeadHash string `json:"headHash"`
	// Whole tells that the chain held from the first entry of the journal to the last;
	// else Why says where it broke, and nothing from there on is in the bundle.
	Whole bool   `json:"whole"`
	Why   string `json:"why"`
}

// countControls counts verdicts.
func countControls(list []reconcile.ControlStanding) ControlCounts {
	var n ControlCounts
	for _, c := range list {
		switch {
		case c.ID == "":
		case c.Verdict == reconcile.ControlMet:
			n.Met++
			if c.OfNothing() {
				n.OfNothing++
			}
		case c.Verdict == reconcile.ControlAccepted:
			n.Accepted++
		case c.Verdict == reconcile.ControlNotMet:
			n.NotMet++
		default:
			n.NotJudged++
		}
	}
	return n
}

// String says the counts in a line. A control that is met for want of mailboxes is not
// let pass for one that was found to be.
func (n ControlCounts) String() string {
	of := ""
	if n.OfNothing > 0 {
		of = fmt.Sprintf(" (%d of them: no mailbox is one that they speak of)", n.OfNothing)
	}
	return fmt.Sprintf("%d met%s, %d met only by exemptions, %d not met, %d not judged", n.Met, of, n.Accepted, n.NotMet, n.NotJudged)
}

// stamp writes a time as RFC 3339 in UTC, and one that is not known as "".
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
