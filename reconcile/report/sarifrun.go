package report

import (
	"strings"
)

// sarifNotices is how many reasons of one sort are notified; the others are counted.
const sarifNotices = 500

// The notifications of a run.
const (
	noticeJudged     = "notJudged"
	noticeCoverage   = "notCovered"
	noticeRefused    = "refusedCmdlet"
	noticeUnknown    = "unknownObject"
	noticeStopped    = "stopped"
	noticeGuard      = "refusedGuard"
	noticeAggregated = "aggregated"
	noticeWarning    = "warning"
)

// sarifNotifications describes what a run may notify.
func sarifNotifications() []sarifDescriptor {
	of := func(id, text string) sarifDescriptor {
		return sarifDescriptor{ID: id, ShortDescription: &sarifMessage{Text: text}}
	}
	return []sarifDescriptor{
		of(noticeJudged, "The run is no judgement of the tenant: the absence of results means nothing."),
		of(noticeCoverage, "A part of the tenant was not read."),
		of(noticeRefused, "The service refused a cmdlet as a whole."),
		of(noticeUnknown, "Objects could not be judged."),
		of(noticeStopped, "The run began no further write."),
		of(noticeGuard, "A guard refuses the whole plan."),
		of(noticeAggregated, "Findings were put together by cause."),
		of(noticeWarning, "A warning of the run."),
	}
}

// invocation says first of all whether the run may be read as a judgement.
func (d document) invocation(s sarifSurvey) sarifInvocation {
	out := sarifInvocation{ExecutionSuccessful: d.judged(), StartTimeUTC: stamp(d.header.CreatedAt), Notifications: d.notices(s)}
	if d.applied != nil {
		out.StartTimeUTC, out.EndTimeUTC = stamp(d.applied.startedAt), stamp(d.applied.finishedAt)
	}
	return out
}

func (d document) notices(s sarifSurvey) []sarifNotification {
	n := sarifNotifier{list: []sarifNotification{}}
	if !d.judged() {
		n.add(noticeJudged, "error", d.headline())
	}
	n.each(noticeCoverage, "error", d.coverage.Reasons, "")
	for _, refused := range [][]string{d.refused, d.refusedWriting()} {
		n.each(noticeRefused, "error", refused, " was refused as a whole: the credential may not run it")
	}
	n.unknown(d)
	if d.applied != nil && d.applied.stopped != "" {
		n.add(noticeStopped, "error", "Stopped: "+within(d.applied.stopped, textShown))
	}
	for _, g := range d.guards {
		if g.Refused {
			n.add(noticeGuard, "warning", within(g.Name, nameShown)+": "+figure(g.Actual)+", "+bound(g.Name)+" "+figure(g.Limit)+": refused, nothing is written")
		}
	}
	if s.aggregated() {
		n.add(noticeAggregated, "warning", plural(s.open(), "finding is", "findings are")+
			" put together by rule and cause, as hosts keep no more than "+number(s.most)+" results of a run; the JSON and CSV reports hold each.")
	}
	n.each(noticeWarning, "warning", d.warnings, "")
	return n.list
}

// refusedWriting names the cmdlets that were refused when they were to write.
func (d document) refusedWriting() []string {
	if d.applied == nil {
		return nil
	}
	return d.applied.refused
}

type sarifNotifier struct{ list []sarifNotification }

func (n *sarifNotifier) add(id, level, text string) {
	n.list = append(n.list, sarifNotification{Descriptor: sarifReference{id}, Level: level, Message: sarifMessage{Text: inert(text)}})
}

func (n *sarifNotifier) each(id, level string, texts []string, and string) {
	for i, text := range texts {
		if i == sarifNotices {
			n.add(id, level, plural(len(texts)-i, "more is", "more are")+" not listed here.")
			return
		}
		n.add(id, level, within(text, textShown)+and)
	}
}

// unknown says what could not be judged, by reason.
func (n *sarifNotifier) unknown(d document) {
	groups := groupUnknown(d.unknown, namesShown)
	for i, g := range groups {
		if i == sarifNotices {
			n.add(noticeUnknown, "error", plural(len(groups)-i, "more reason is", "more reasons are")+" not listed here.")
			return
		}
		u := g.first
		what := string(u.Subject.Kind)
		if u.Setting != "" {
			what += ", " + string(u.Setting)
		}
		text := what + ": " + within(u.Reason, textShown)
		if u.Subject.Name != "" || u.Subject.ID != "" {
			text += ": " + objects(string(u.Subject.Kind), g.count) + ", the first is " + shownName(u.Subject)
		}
		n.add(noticeUnknown, "error", text)
	}
}

// inert takes from a message what the standard gives a meaning in plain text: links,
// [text](address), and numbered placeholders, {0}. Where it stands in a name it can
// still be read.
func inert(s string) string {
	if !strings.ContainsAny(s, "]{") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if i+1 < len(s) && (s[i] == ']' && s[i+1] == '(' || s[i] == '{' && '0' <= s[i+1] && s[i+1] <= '9') {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
