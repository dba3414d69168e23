package cli

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

//go:embed demo.yaml
var demoPolicy string

// newDemo builds the walk that needs nothing but this program.
func newDemo(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Walk through check, plan and apply on a simulated tenant",
		Long: `demo serves a simulated tenant and its authority on loopback sockets, in this
process, and runs the real commands against it: they sign in by certificate and
speak HTTP as they would to Microsoft. It needs no account, no network and no
configuration, and leaves nothing behind. Exit status 0 means that every step
ended as it should.`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		return a.demo(cmd.Context())
	}
	return cmd
}

// demonstration is one walk.
type demonstration struct {
	app    *app
	out    *printer
	tenant *demoTenant
	sim    *Simulation
	policy string // path of the policy file
	plan   string // path of the saved plan
	env    Environment
	shared []string // flags that every step takes from the demo
	steps  int
}

func (a *app) demo(ctx context.Context) error {
	tenant := newDemoTenant()
	sim, err := StartSimulation(ctx, tenant.Tenant, SimulationConfig{
		Options: []simulator.Option{simulator.WithRowEdit(tenant.hide)},
	})
	if err != nil {
		return err
	}
	d := &demonstration{
		app: a, out: &printer{w: a.Out}, tenant: tenant, sim: sim,
		policy: filepath.Join(sim.Folder, "policy.yaml"), plan: filepath.Join(sim.Folder, "plan.json"),
		shared: a.out.given(),
	}
	d.env = d.environment()
	err = d.walk(ctx)
	closeErr := sim.Close(ctx)
	switch {
	case d.out.err != nil: // the walk ended because of it
		return noReport("cannot write: %w", d.out.err)
	case err == nil && closeErr != nil:
		return noReport("cannot clean up: %w", closeErr)
	default:
		return err
	}
}

// environment is all that the commands of the demo see: nothing of the
// caller's but the wishes about colour, so that no real tenant can be meant by
// accident.
func (d *demonstration) environment() Environment {
	vars := d.sim.Environment()
	vars["XDG_STATE_HOME"] = d.sim.Folder
	vars["HOME"] = d.sim.Folder
	vars["LOCALAPPDATA"] = d.sim.Folder
	for _, name := range []string{"NO_COLOR", "TERM"} {
		vars[name] = d.app.env.Getenv(name)
	}
	return Environment{Getenv: func(name string) string { return vars[name] }, Now: d.app.env.Now}
}

// walk runs the steps in order and ends at the first that does not end as it
// should.
func (d *demonstration) walk(ctx context.Context) error {
	if err := os.WriteFile(d.policy, []byte(demoPolicy), 0o600); err != nil {
		return noReport("cannot write the policy: %w", err)
	}
	d.out.line("A simulated tenant answers at %s, its authority at %s.\n\nThis is the policy:\n", d.sim.Endpoint, d.sim.AuthorityURL)
	for line := range strings.Lines(demoPolicy) {
		d.out.line("  %s", strings.TrimSuffix(line, "\n"))
	}
	for _, part := range []func(context.Context) error{d.firstLook, d.repair, d.decide, d.lateDrift} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	d.count()
	return d.sameCount()
}

// firstLook reads a tenant that answers in part, then one that answers whole.
func (d *demonstration) firstLook(ctx context.Context) error {
	err := d.step(ctx, "Is the file a valid policy?", ExitInLine, "validate", d.policy)
	if err != nil {
		return err
	}
	err = d.step(ctx, "Compare. The service leaves a property out of one answer: what was not read is\n"+
		"unknown, not in line, and the exit status says that the report is incomplete.", ExitIncomplete, d.on("check")...)
	if err != nil {
		return err
	}
	d.tenant.answered.Store(true)
	return d.step(ctx, "Now everything can be read. Compare again, and save the plan for review.", ExitDrift,
		d.on("plan", "--detailed-exitcode", "--out", d.plan)...)
}

// repair applies the saved plan.
func (d *demonstration) repair(ctx context.Context) error {
	err := d.step(ctx, "Apply what stands in the saved plan. One change would record less than today, so\n"+
		"it is blocked; another the service has no documented way to make.", ExitDrift, d.on("apply", d.plan, "--yes")...)
	if err != nil {
		return err
	}
	return d.hold("after the apply", d.repaired()...)
}

// decide takes the blocked wish out of the policy.
func (d *demonstration) decide(ctx context.Context) error {
	kinder := strings.Replace(demoPolicy, "owner: {exact: [MailboxLogin]}", "owner: {plus: [MailboxLogin]}", 1)
	if kinder == demoPolicy {
		return noReport("the demo's policy has no exact list")
	}
	if err := os.WriteFile(d.policy, []byte(kinder), 0o600); err != nil {
		return noReport("cannot write the policy: %w", err)
	}
	return d.step(ctx, "The owner of the policy decides: kiosk mailboxes must record MailboxLogin, more is\n"+
		"fine. The tenant is in line.", ExitInLine, d.on("check")...)
}

// lateDrift is a day later: a new mailbox, and an admin who hides.
func (d *demonstration) lateDrift(ctx context.Context) error {
	director := d.tenant.board()
	d.tenant.weaken()
	err := d.step(ctx, "A day later: a director's mailbox was made, and an admin has cut a list,\n"+
		"exempted an account from recording, and has records deleted early.", ExitDrift, d.on("check")...)
	if err != nil {
		return err
	}
	if err := d.step(ctx, "Fix it.", ExitInLine, d.on("apply", "--yes")...); err != nil {
		return err
	}
	m, _ := d.tenant.Mailbox(director)
	err = d.hold("after the second apply", append(d.repaired(),
		truth{"the director's searches are recorded", slices.Contains(m.Shown("Owner"), "SearchQueryInitiated")},
		truth{"and kept for a year", m.AgeLimit == "365.00:00:00"})...)
	if err != nil {
		return err
	}
	return d.step(ctx, "And once more: in line.", ExitInLine, d.on("check")...)
}

// on gives the arguments of a command on the demo's tenant.
func (d *demonstration) on(command string, more ...string) []string {
	return append([]string{command, "--policy", d.policy, "--cloud", "custom"}, more...)
}

// step runs one command as the command line would, shows what it says, and
// compares its exit status with the one that is due.
func (d *demonstration) step(ctx context.Context, why string, want int, args ...string) error {
	d.steps++
	args = append(args, d.shared...)
	d.out.line("\n%d. %s\n\n   $ exoaudit %s\n", d.steps, why, strings.Join(args, " "))
	w := &indenter{w: d.out}
	got := Main(ctx, args, Streams{In: strings.NewReader(""), Out: w, Err: w, OutTerminal: d.app.OutTerminal}, d.env)
	w.flush()
	d.out.line("\n   Exit status %d.", got)
	if status := statusOfSignal(ctx); status != 0 {
		return &statusError{status: status, err: context.Cause(ctx)}
	}
	if d.out.err != nil {
		return d.out.err
	}
	if got != want {
		return noReport("step %d of the demo ended with exit status %d, but %d was due", d.steps, got, want)
	}
	return nil
}

// truth is something that must hold in the tenant itself, whatever the
// commands have said.
type truth struct {
	what  string
	holds bool
}

// repaired looks at what every apply must leave behind.
func (d *demonstration) repaired() []truth {
	t, org := d.tenant, d.tenant.Organization()
	pinned, _ := t.Mailbox(t.pinned)
	short, _ := t.Mailbox(t.short)
	kiosk, _ := t.Mailbox(t.kiosk)
	rogue, _ := t.Bypass(t.rogue)
	scanner, _ := t.Bypass(t.scanner)
	return []truth{
		{"the unified audit log is on", org.UnifiedAuditLog},
		{"mailbox auditing is on", !org.AuditDisabled},
		{"the cut lists are whole", slices.Contains(pinned.Shown("Delegate"), "HardDelete") && slices.Contains(pinned.Shown("Owner"), "HardDelete")},
		{"the short age limit is 90 days", short.AgeLimit == "90.00:00:00"},
		{"nothing was weakened", slices.Contains(kiosk.Shown("Owner"), "SoftDelete")},
		{"records of mailboxes are kept for a year", t.keptForAYear()},
		{"the account that nobody allowed is recorded again", !rogue.Enabled},
		{"the account that the policy allows was left alone", scanner.Enabled},
	}
}

func (d *demonstration) hold(when string, truths ...truth) error {
	d.out.line("\n   Looking into the tenant itself:")
	for _, t := range truths {
		if !t.holds {
			return noReport("%s it is not so that %s", when, t.what)
		}
		d.out.line("   - %s", t.what)
	}
	return nil
}

// count says what the simulator measured.
func (d *demonstration) count() {
	d.out.line("\nThe simulator counted: %d HTTP requests to the two services, %d to the authority,\n"+
		"%d TCP connections accepted, %d tokens issued by certificate.",
		d.sim.Service.Requests()+d.sim.Compliance.Requests(), d.sim.Authority.Requests(), d.sim.Connections(), d.sim.Authority.TokensIssued())
	d.out.line("\nNext: write a policy, then exoaudit validate, check, plan, apply. See README.md.")
}

// sameCount makes sure that the walk went over sockets, with tokens.
func (d *demonstration) sameCount() error {
	if d.sim.Service.Requests() == 0 || d.sim.Connections() == 0 || d.sim.Authority.TokensIssued() == 0 {
		return noReport("the commands did not reach the simulator")
	}
	return nil
}

// indenter shows the output of a command as such.
type indenter struct {
	w    *printer
	rest []byte
}

// Write is part of io.Writer.
func (i *indenter) Write(p []byte) (int, error) {
	i.rest = append(i.rest, p...)
	for {
		line, rest, ok := strings.Cut(string(i.rest), "\n")
		if !ok {
			return len(p), i.w.err
		}
		i.show(line)
		i.rest = []byte(rest)
	}
}

func (i *indenter) flush() {
	if len(i.rest) > 0 {
		i.show(string(i.rest))
		i.rest = nil
	}
}

func (i *indenter) show(line string) {
	if i.w.err == nil {
		_, i.w.err = io.WriteString(i.w.w, strings.TrimRight(fmt.Sprintf("   | %s", line), " ")+"\n")
	}
}
