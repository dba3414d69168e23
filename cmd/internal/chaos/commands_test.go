package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// drawCommands draws what the user does on the day. The arguments name the files
// of a day by their base names.
func (s *scenario) drawCommands(d dice) {
	check := command{verb: "check"}
	check.strict, check.failOn = d.in(4), pick(d, "low", "low", "low", levels()[d.IntN(4)])
	s.commands = append(s.commands, check)
	if d.in(2) {
		s.commands = append(s.commands, command{verb: "plan", args: []string{"--out", planFile}, failOn: "low"})
	}
	planned := len(s.commands) == 2
	for range pick(d, 1, 1, 1, 2) {
		s.commands = append(s.commands, s.drawApply(d, planned))
	}
	s.commands = append(s.commands, command{verb: "check", failOn: "low", strict: d.in(4)})
	if d.in(5) {
		i := d.IntN(len(s.commands))
		_, s.commands[i].before = drawChange(d, s.tenant)
	}
	s.drawSince()
	for i := range s.commands {
		s.commands[i].finish()
	}
}

// drawSince puts looks at what changed since the last run among the commands, often
// after somebody has changed something. They have dice of their own, so that the rest
// of the day is what it is without them.
func (s *scenario) drawSince() {
	d := newDice(^s.seed)
	for range pick(d, 0, 1, 1, 2, 3) {
		c := command{verb: pick(d, "check", "check", "apply"), since: true, failOn: "low", strict: d.in(3)}
		if c.raised = c.verb == "apply" && d.in(4); c.raised && d.in(4) {
			c.interruptAt = d.between(1, 12)
		}
		if d.in(2) {
			_, c.before = drawChange(d, s.tenant)
		}
		s.commands = slices.Insert(s.commands, d.between(0, len(s.commands)), c)
	}
}

// The files of a day.
const (
	policyFile  = "policy.yaml"
	planFile    = "plan.json"
	journalFile = "journal.ndjson"
)

func (s *scenario) drawApply(d dice, planned bool) command {
	c := command{verb: "apply", failOn: "low", slip: planned && d.in(2), silent: d.in(20)}
	if d.in(6) {
		c.only = some(d, 2, "organization", "bypass", "mailbox")
	}
	if d.in(6) {
		c.limit = d.between(1, 12)
	}
	if d.in(10) {
		var all []string
		for m := range s.tenant.AllMailboxes() {
			if m.Type != "GroupMailbox" && m.Type != "PublicFolderMailbox" {
				all = append(all, m.PrimarySMTPAddress)
			}
		}
		c.mailbox = pick(d, all...)
	}
	c.raised = d.in(8)
	if d.in(4) {
		c.interruptAt = d.between(1, 30)
	}
	return c
}

// settle is the apply of a day on which nothing goes wrong any more.
func settle() command {
	c := command{verb: "apply", failOn: "info", raised: true, quiet: true}
	c.finish()
	return c
}

// lastLook is the check after it.
func lastLook() command {
	c := command{verb: "check", failOn: "info", strict: true, quiet: true}
	c.finish()
	return c
}

// finish writes the arguments.
func (c *command) finish() {
	args := []string{c.verb}
	if c.slip {
		args = append(args, planFile)
	}
	args = append(args, "--policy", policyFile, "--format", "json", "--fail-on", c.failOn)
	if c.strict {
		args = append(args, "--strict")
	}
	if c.since {
		args = append(args, "--since-last-run")
	}
	args = append(args, c.args...)
	if c.verb == "apply" {
		args = append(args, "--journal", journalFile)
		if !c.silent {
			args = append(args, "--yes")
		}
		if len(c.only) > 0 {
			args = append(args, "--only", strings.Join(c.only, ","))
		}
		if c.limit > 0 {
			args = append(args, "--limit", strconv.Itoa(c.limit))
		}
		if c.raised {
			args = append(args, "--accept-guard", "maxChangedPercent=100", "--accept-guard", "maxChanged=100000", "--reason", "chaos", "--accept-population")
		}
	}
	if c.mailbox != "" {
		args = append(args, "--mailbox", c.mailbox)
	}
	c.args = args
}

// String is the command line.
func (c command) String() string {
	text := "exoaudit " + strings.Join(c.args, " ")
	if c.interruptAt > 0 {
		text += fmt.Sprintf("   (Ctrl-C at request %d)", c.interruptAt)
	}
	return text
}
