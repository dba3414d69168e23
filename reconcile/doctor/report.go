package doctor

import (
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// Schema names the form of the JSON document.
const Schema = "exoaudit/doctor/v1"

// Status is the outcome of one check.
type Status string

// The outcomes. Missing is something needed that is certainly not there,
// Unknown something needed that could not be determined, and Warning what a run
// can do without and its user should know.
const (
	OK      Status = "ok"
	Missing Status = "missing"
	Unknown Status = "unknown"
	Warning Status = "warning"
)

// Area groups checks.
type Area string

// The areas, in the order of a report.
const (
	AreaCredential Area = "credential"
	AreaService    Area = "service"
	AreaTenant     Area = "tenant"
	AreaRead       Area = "read"
	AreaWrite      Area = "write"
	AreaState      Area = "state"
)

func areas() []Area {
	return []Area{AreaCredential, AreaService, AreaTenant, AreaRead, AreaWrite, AreaState}
}

// Check is one thing that was looked at. Its texts are escaped for a terminal.
type Check struct {
	Area Area   `json:"area"`
	Name string `json:"name"`
	// Cmdlet and Parameter are set for what a role has to allow.
	Cmdlet    string `json:"cmdlet"`
	Parameter string `json:"parameter"`
	Status    Status `json:"status"`
	// Seen is what was found, and how it was looked for.
	Seen string `json:"seen"`
	// Fix says what to do; empty where nothing is to be done.
	Fix string `json:"fix"`
}

// Grant is how gaps are closed: commands for an administrator, to be read
// before they are run.
type Grant struct {
	// For names the checks that it is about.
	For   []string `json:"for"`
	Title string   `json:"title"`
	// Notes say what the commands rest on, and what is not known.
	Notes    []string `json:"notes"`
	Commands []string `json:"commands"`
}

// Verdict is the outcome of the whole examination.
type Verdict string

// The verdicts. Incomplete means that nothing needed is known to be missing,
// and that not everything needed could be determined.
const (
	VerdictReady      Verdict = "ready"
	VerdictMissing    Verdict = "missing"
	VerdictIncomplete Verdict = "incomplete"
)

// Report is what an examination found.
type Report struct {
	Tool      string
	Tenant    string
	Endpoint  string
	CreatedAt time.Time
	// PolicyFile, PolicyName and PolicyDigest are empty where everything that
	// this tool can need was asked for.
	PolicyFile, PolicyName, PolicyDigest string
	// ReadOnly says that only what check needs was looked at.
	ReadOnly bool
	Checks   []Check
	Grants   []Grant
	// Requests counts calls of the admin API; calls for tokens are not in it.
	Requests int64
	// Alarm is set where a probe was accepted, which must not happen: then it is
	// not certain that nothing was written.
	Alarm string
}

// Verdict judges the checks together: what is missing weighs most.
func (r *Report) Verdict() Verdict {
	switch {
	case r.Count(Missing) > 0:
		return VerdictMissing
	case r.Count(Unknown) > 0 || r.Alarm != "":
		return VerdictIncomplete
	default:
		return VerdictReady
	}
}

// Count gives the number of checks with a status.
func (r *Report) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// Gaps names what is missing, in the order of the report.
func (r *Report) Gaps() []string { return r.named(Missing) }

func (r *Report) named(s Status) []string {
	var out []string
	for _, c := range r.Checks {
		if c.Status == s {
			out = append(out, c.Name)
		}
	}
	return out
}

// sort puts the checks into the order of the areas, each in the order in which
// it was found.
func (r *Report) sort() {
	order := areas()
	slices.SortStableFunc(r.Checks, func(a, b Check) int {
		return slices.Index(order, a.Area) - slices.Index(order, b.Area)
	})
}

// say makes a text of a check; what comes from the tenant or the service
// cannot command a terminal.
func say(format string, args ...any) string { return report.Line(fmt.Sprintf(format, args...)) }
