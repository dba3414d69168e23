package report

import (
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// sarifTags is how many tags of a rule GitHub takes (libraries 3).
const sarifTags = 20

// tagShown is how long a tag may be, in runes; ids of controls are far shorter.
const tagShown = 100

// sarifSurvey is what has to be known of all findings before the first is written. It
// does not grow with their number.
type sarifSurvey struct {
	standings [settled + 1]int
	unknown   int
	// controls are the ids that occur for a setting, sorted, the first of them only;
	// severity is the highest that occurs, which a policy may set.
	controls map[string][]string
	severity map[string]sarifSeverity
	// most is how many results there may be.
	most int
	// list are the rules, and index the place of each by its setting.
	list  []rule
	index map[string]int
}

type sarifSeverity struct {
	rank int
	word string
}

func surveyed(d document, most int) sarifSurvey {
	s := sarifSurvey{controls: map[string][]string{}, severity: map[string]sarifSeverity{}, most: most, list: rules(), index: map[string]int{}}
	for i, r := range s.list {
		s.index[r.Setting] = i
	}
	for c := range d.changes {
		s.standings[d.standing(c)]++
		setting := string(c.Setting)
		if now := (sarifSeverity{int(c.Severity) + 1, c.Severity.String()}); now.rank > s.severity[setting].rank {
			s.severity[setting] = now
		}
		for _, id := range c.Controls {
			if at, found := slices.BinarySearch(s.controls[setting], id); !found && at < sarifTags {
				list := slices.Insert(s.controls[setting], at, id)
				s.controls[setting] = list[:min(len(list), sarifTags)]
			}
		}
	}
	for range d.unknown {
		s.unknown++
	}
	return s
}

// open is the number of findings that are there to be written.
func (s sarifSurvey) open() int {
	return s.standings[counts] + s.standings[below] + s.standings[accepted]
}

// aggregated tells whether there are too many to be written one by one.
func (s sarifSurvey) aggregated() bool { return s.open() > s.most }

// rules describes every rule, whether it has findings or not, in the order of their
// numbers: an index is as stable as an id.
func (s sarifSurvey) rules() []sarifDescriptor {
	var out []sarifDescriptor
	for _, r := range s.list {
		word := s.severity[r.Setting].word
		if word == "" {
			word = builtInSeverity(r.Setting)
		}
		tags := []string{"security"} // GitHub ranks by security-severity under this tag only.
		for _, id := range s.controls[r.Setting] {
			if tag := within(id, tagShown); len(tags) < sarifTags && tag != "" && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
		out = append(out, sarifDescriptor{
			ID: r.ID, Name: strings.ToUpper(r.Setting[:1]) + r.Setting[1:],
			ShortDescription: &sarifMessage{Text: r.Title}, FullDescription: &sarifMessage{Text: r.Short},
			Help:       &sarifMessage{Text: r.Help, Markdown: "**" + r.Short + "** " + r.Help + "\n\nSetting: `" + r.Setting + "`"},
			Default:    &sarifConfiguration{Level: sarifLevel(word)},
			Properties: &sarifRuleBag{Tags: tags, Precision: "very-high", SecuritySeverity: securitySeverity(word)},
		})
	}
	return out
}

// rule gives the id of a setting's rule, and its place among the rules; a setting that
// has none, which the tests do not allow, goes by its own name.
func (s sarifSurvey) rule(setting string) (id string, index *int) {
	i, ok := s.index[setting]
	if !ok {
		return setting, nil
	}
	return s.list[i].ID, &i
}

// builtInSeverity is how much a setting matters where no finding says so (design
// section 4).
func builtInSeverity(setting string) string {
	switch {
	case setting == "auditEnabled", setting == "retentionPolicy":
		return "medium"
	case setting == "auditLogAgeLimit":
		return "low"
	case strings.HasPrefix(setting, "adminAuditLog"):
		return "info"
	default:
		return "high"
	}
}

// sarifLevel gives the level of a severity: what is high breaks a build, what is
// medium warns, the rest is a note.
func sarifLevel(severity string) string {
	switch severity {
	case "high":
		return "error"
	case "medium":
		return "warning"
	default:
		return "note"
	}
}

// securitySeverity is GitHub's figure for a severity, in the middle of the band that
// it shows under the same word.
func securitySeverity(severity string) string {
	switch severity {
	case "high":
		return "8.0"
	case "medium":
		return "5.5"
	case "low":
		return "3.0"
	default:
		return "1.0"
	}
}

// level is that of one result: what does not count, or is accepted, is a note however
// much it would matter, for hosts that read no more than the level.
func (d document) level(c reconcile.Change) string {
	if d.standing(c) == counts {
		return sarifLevel(c.Severity.String())
	}
	return "note"
}

// String names a standing as properties and tables do.
func (s standing) String() string {
	switch s {
	case counts:
		return "counts"
	case below:
		return "below"
	case accepted:
		return "accepted"
	default:
		return "settled"
	}
}
