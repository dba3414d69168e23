package report

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// writeGitHub writes workflow commands of GitHub Actions, one to a line:
// ::error file=…,line=…,col=…,title=…::message. The runner shows them beside the lines
// of the policy.
func writeGitHub(w io.Writer, d document, at checkout) error {
	out := bufio.NewWriter(w)
	for _, a := range d.annotations(at) {
		out.WriteString("::" + string(a.level) + " ")
		if a.file != "" {
			out.WriteString("file=" + githubProperty(a.file) + ",line=" + strconv.Itoa(a.line) + ",col=" + strconv.Itoa(a.column) + ",")
		}
		out.WriteString("title=" + githubProperty(a.title) + "::" + githubData(a.text) + "\n")
	}
	return out.Flush()
}

// githubData escapes the message of a workflow command. The text is on one line
// already; the percent sign is what the runner decodes.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// githubProperty escapes a property, which a colon or comma would end.
func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
