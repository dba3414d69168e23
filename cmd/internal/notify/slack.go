package notify

import "strings"

// slackText is the most characters that Slack takes in the text of one section;
// the service counts them after its escapes.
const slackText = 2900

// slackBody is a message of Block Kit, with the text that notifications show.
type slackBody struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text *slackObj `json:"text,omitempty"`
}

// slackObj is a text. Verbatim tells Slack to make no links and mentions of what
// looks like one.
type slackObj struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

func slackMessage(e Event) slackBody {
	body := slackBody{Text: slackEscape(e.Text)}
	add := func(text string) {
		body.Blocks = append(body.Blocks, slackBlock{
			Type: "section", Text: &slackObj{Type: "mrkdwn", Text: text, Verbatim: true},
		})
	}
	add("*" + slackEscape(e.Text) + "*")
	var lines []string
	for _, f := range e.facts() {
		lines = append(lines, f.name+": "+slackCode(f.value))
	}
	add(fit(lines, 0, slackText))
	if names := e.names(); len(names) > 0 {
		add("Objects:\n" + fit(each(names, slackCode), e.ObjectsLeftOut, slackText))
	}
	if whys := e.whys(); len(whys) > 0 {
		add("Reasons:\n" + fit(each(whys, slackCode), e.ReasonsLeftOut, slackText))
	}
	return body
}

// slackEscape escapes the three characters by which Slack's mrkdwn begins a mention,
// a link or an entity: "<!channel>" in a name would otherwise call everybody.
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// slackCode shows text as code, in which Slack formats nothing and makes no emoji. A
// backtick would end it.
func slackCode(s string) string {
	return "`" + slackEscape(strings.ReplaceAll(s, "`", "'")) + "`"
}

func each(lines []string, f func(string) string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = f(l)
	}
	return out
}

// fit joins lines as far as there is room, in bytes, and says how many there are beside
// these: those that do not fit, and those that were left out before.
func fit(lines []string, leftOut, most int) string {
	var b strings.Builder
	for i, l := range lines {
		if b.Len()+len(l) > most {
			leftOut += len(lines) - i
			break
		}
		b.WriteString(l + "\n")
	}
	if leftOut > 0 {
		b.WriteString(andMore(leftOut))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
