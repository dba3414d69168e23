package report

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// writeAzure writes logging commands of Azure Pipelines, one to a line:
// ##vso[task.logissue type=…;sourcepath=…;linenumber=…;columnnumber=…;code=…]message.
// The agent knows errors and warnings; what is neither is a line of the log.
func writeAzure(w io.Writer, d document, at checkout) error {
	out := bufio.NewWriter(w)
	for _, a := range d.annotations(at) {
		text := a.title + ": " + a.text
		if a.level == levelNotice {
			out.WriteString(text + "\n")
			continue
		}
		out.WriteString("##vso[task.logissue type=" + string(a.level) + ";")
		if a.file != "" {
			out.WriteString("sourcepath=" + azureProperty(a.file) + ";linenumber=" + strconv.Itoa(a.line) + ";columnnumber=" + strconv.Itoa(a.column) + ";")
		}
		if a.code != "" {
			out.WriteString("code=" + azureProperty(a.code) + ";")
		}
		out.WriteString("]" + azureData(text) + "\n")
	}
	return out.Flush()
}

// azureData escapes the message of a logging command. An agent decodes %AZP25 to the
// percent sign; an older one shows it as it is, and neither decodes more than was meant.
func azureData(s string) string {
	return strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// azureProperty escapes a property, which a semicolon or bracket would end.
func azureProperty(s string) string {
	return strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", ";", "%3B", "]", "%5D").Replace(s)
}
