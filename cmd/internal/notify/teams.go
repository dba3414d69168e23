package notify

import "strings"

// teamsText bounds each part of a card, in bytes; the whole must stay under some 28
// kilobytes.
const teamsText = 4000

// teamsBody is what a workflow takes: a message with one Adaptive Card. The older
// message card is not understood there.
type teamsBody struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string      `json:"$schema"`
	Type    string      `json:"type"`
	Version string      `json:"version"`
	Body    []teamsPart `json:"body"`
}

// teamsPart is a RichTextBlock. The text of its runs is no Markdown in any client, so
// that a name cannot become a link.
type teamsPart struct {
	Type string     `json:"type"`
	Runs []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Weight   string `json:"weight,omitempty"`
	FontType string `json:"fontType,omitempty"`
}

func teamsMessage(e Event) teamsBody {
	parts := []teamsPart{teamsLine(bold(e.Text))}
	for _, f := range e.facts() {
		parts = append(parts, teamsLine(teamsRun{Text: f.name + ": "}, code(f.value)))
	}
	parts = append(parts, teamsList("Objects", e.names(), e.ObjectsLeftOut)...)
	parts = append(parts, teamsList("Reasons", e.whys(), e.ReasonsLeftOut)...)
	return teamsBody{Type: "message", Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: teamsCard{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.2", Body: parts,
		},
	}}}
}

func bold(s string) teamsRun { return teamsRun{Text: s, Weight: "Bolder"} }
func code(s string) teamsRun { return teamsRun{Text: s, FontType: "Monospace"} }

// teamsLine is one line of a card.
func teamsLine(runs ...teamsRun) teamsPart {
	for i := range runs {
		runs[i].Type, runs[i].Text = "TextRun", unbraced(runs[i].Text)
	}
	return teamsPart{Type: "RichTextBlock", Runs: runs}
}

// teamsList is a heading with its lines as far as there is room, and how many there are
// beside these; nothing where there are none.
func teamsList(heading string, lines []string, leftOut int) []teamsPart {
	if len(lines) == 0 {
		return nil
	}
	parts, room := []teamsPart{teamsLine(bold(heading))}, teamsText
	for i, l := range lines {
		if room -= written(l); room < 0 {
			leftOut += len(lines) - i
			break
		}
		parts = append(parts, teamsLine(code(l)))
	}
	if leftOut > 0 {
		parts = append(parts, teamsLine(code(andMore(leftOut))))
	}
	return parts
}

// written is the length of a text in bytes as JSON writes it.
func written(s string) int { return len(s) + strings.Count(s, `"`) + strings.Count(s, `\`) }

// unbraced breaks what a card reads as a function of dates, "{{DATE(…)}}".
func unbraced(s string) string { return strings.ReplaceAll(s, "{{", "{ {") }
