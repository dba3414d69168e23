package main

import (
	"context"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

// simulationKey finds the simulation of a script, which a later one replaces.
type simulationKey struct{}

type holder struct{ sim *cli.Simulation }

func simulationOf(ts *testscript.TestScript) *cli.Simulation {
	h, ok := ts.Value(simulationKey{}).(*holder)
	if !ok || h.sim == nil {
		ts.Fatalf("the script has no simulator yet")
	}
	return h.sim
}

// texts is a flag that may be given several times.
type texts []string

func (t *texts) String() string     { return strings.Join(*t, " ") }
func (t *texts) Set(s string) error { *t = append(*t, s); return nil }

// simulatorCommand serves a tenant in this process for the rest of the script, and
// sets the environment so that the commands sign in to it by certificate:
//
//	simulator -mailboxes 60 -drift 0.1 -fault refused/Get-Mailbox -row Get-Mailbox/delete/AuditEnabled
//	simulator -role auditOperator -lacking Set-Mailbox/AuditOwner
func simulatorCommand(ctx context.Context) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		tenant, cfg := readSimulation(ts, args)
		if neg {
			ts.Fatalf("usage: simulator [FLAGS]")
		}
		sim, err := cli.StartSimulation(ctx, tenant, cfg)
		ts.Check(err)
		ts.Defer(func() { ts.Check(sim.Close(ctx)) })
		if h, ok := ts.Value(simulationKey{}).(*holder); ok {
			h.sim = sim
		}
		// What is remembered of one tenant says nothing of another, and all of them
		// have the same id here.
		ts.Check(os.RemoveAll(ts.MkAbs("state")))
		for name, value := range sim.Environment() {
			ts.Setenv(name, value)
		}
	}
}

func readSimulation(ts *testscript.TestScript, args []string) (*simulator.Tenant, cli.SimulationConfig) {
	seed := simulator.Seed{Now: time.Now()} // so that nothing of it changed lately
	var cfg cli.SimulationConfig
	var switches, faults, rows texts
	f := flag.NewFlagSet("simulator", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.IntVar(&seed.Mailboxes, "mailboxes", 40, "")
	f.Float64Var(&seed.Drift, "drift", 0, "")
	f.Uint64Var(&seed.Seed, "seed", 1, "")
	f.BoolVar(&seed.UnifiedLogOff, "log-off", false, "")
	f.BoolVar(&seed.AuditDisabled, "audit-off", false, "")
	f.BoolVar(&seed.Dehydrated, "dehydrated", false, "")
	f.BoolVar(&cfg.TLS, "tls", false, "")
	f.Var(&switches, "switch", "")
	f.Var(&faults, "fault", "")
	f.Var(&rows, "row", "")
	role := f.String("role", "", "")
	lacking := f.String("lacking", "", "")
	ts.Check(f.Parse(args))
	if f.NArg() > 0 {
		ts.Fatalf("simulator: unexpected %q", f.Args())
	}
	var s simulator.Switches
	for _, text := range switches {
		ts.Check(simulator.ParseSwitch(&s, text))
	}
	cfg.Options = append(cfg.Options, simulator.WithSwitches(s))
	for _, text := range faults {
		cfg.Options = append(cfg.Options, simulator.WithFaults(faultNamed(ts, text)))
	}
	if *role != "" {
		r := roleOf(ts, *role, *lacking)
		cfg.Options = append(cfg.Options, simulator.WithRole(r))
		if id := doctor.DirectoryRoleID(r.Name); id != "" {
			cfg.DirectoryRoles = []string{id}
		}
	}
	tenant := simulator.NewTenant(seed)
	if len(rows) > 0 {
		cfg.Options = append(cfg.Options, simulator.WithRowEdit(rowEdits(ts, tenant, rows)))
	}
	return tenant, cfg
}

// roleOf reads the name of a role, and CMDLET/PARAMETER that it lacks, if any.
func roleOf(ts *testscript.TestScript, name, lacking string) simulator.Role {
	role, ok := simulator.RoleNamed(name)
	if !ok {
		ts.Fatalf("there is no role %q", name)
	}
	if lacking == "" {
		return role
	}
	cmdlet, parameter, _ := strings.Cut(lacking, "/")
	return role.Lacking(cmdlet, parameter)
}

// faultNamed reads NAME/CMDLET, one of the simulator's faults.
func faultNamed(ts *testscript.TestScript, text string) simulator.Fault {
	name, cmdlet, _ := strings.Cut(text, "/")
	switch name {
	case "refused":
		return simulator.Refused(cmdlet)
	case "cursor-lost":
		return simulator.CursorLost(cmdlet, 0)
	case "cursor-lost-once":
		return simulator.CursorLost(cmdlet, 1)
	case "cut":
		return simulator.BodyCut(cmdlet, 0)
	case "more-without-link":
		return simulator.NextLinkMissing(cmdlet, 0)
	case "same-link":
		return simulator.NextLinkRepeated(cmdlet)
	case "foreign-link":
		return simulator.NextLinkForeign(cmdlet, "attacker.example")
	case "redirect":
		return simulator.Redirected(cmdlet, "attacker.example")
	case "error-inside":
		return simulator.ErrorInside(cmdlet, 0, "Something \x1b[31m went wrong\n::error::x")
	case "warned":
		return simulator.Warned(cmdlet, 0, "A warning that nobody has seen before.")
	case "null":
		return simulator.ValueNull(cmdlet, 0)
	case "unauthenticated":
		return simulator.Unauthenticated(cmdlet, 0)
	case "unauthenticated-once":
		return simulator.Unauthenticated(cmdlet, 1)
	case "throttled-once":
		return simulator.Throttled(cmdlet, 1, time.Second)
	case "slow":
		return simulator.Delayed(cmdlet, 0, 300*time.Millisecond)
	}
	ts.Fatalf("there is no fault %q", name)
	return simulator.Fault{}
}

// rowEdits reads CMDLET/EDIT/PROPERTY[=VALUE], each of which spoils one row:
// the third mailbox, the third bypass row, or the tenant's own.
func rowEdits(ts *testscript.TestScript, t *simulator.Tenant, specs []string) func(string, *simulator.Row) {
	var edits []func(string, *simulator.Row)
	for _, spec := range specs {
		parts := strings.SplitN(spec, "/", 3)
		if len(parts) != 3 {
			ts.Fatalf("-row %s: write CMDLET/EDIT/PROPERTY[=VALUE]", spec)
		}
		cmdlet, kind := parts[0], parts[1]
		property, value, _ := strings.Cut(parts[2], "=")
		victim := third(t, cmdlet)
		edits = append(edits, func(name string, row *simulator.Row) {
			if name != cmdlet {
				return
			}
			if guid, _ := row.Get("Guid"); victim != "" && string(guid) != strconv.Quote(victim) {
				return
			}
			switch kind {
			case "delete":
				row.Delete(property)
			case "set":
				row.Set(property, value)
			case "rename":
				row.Rename(property, value)
			case "append":
				row.Append(property, value)
			}
		})
	}
	return func(cmdlet string, row *simulator.Row) {
		for _, edit := range edits {
			edit(cmdlet, row)
		}
	}
}

func third(t *simulator.Tenant, cmdlet string) string {
	n := 0
	switch cmdlet {
	case "Get-Mailbox":
		for m := range t.AllMailboxes() {
			if n++; n == 3 {
				return m.Guid
			}
		}
	case "Get-MailboxAuditBypassAssociation":
		last := ""
		for b := range t.AllBypass() {
			last = b.Guid // an account's: system objects come first
		}
		return last
	}
	return ""
}

// cmdTenant changes the tenant behind the commands' back, or looks at what is
// stored in it:
//
//	tenant add ADDRESS [TYPE]
//	tenant guid ADDRESS VARIABLE      (sets it to the Guid of the mailbox)
//	tenant name ADDRESS TEXT          (escapes as in Go)
//	tenant cut ADDRESS [ACTION...]    (a list without HardDelete, or this one, for delegates)
//	tenant bypass ADDRESS on|off
//	tenant recorded ADDRESS LOGON ACTION
//	tenant calls CMDLET N
//	tenant retention NAME PRIORITY DURATION [TYPE...]
//	tenant kept NAME DURATION         (what a policy is stored with)
func cmdTenant(ts *testscript.TestScript, neg bool, args []string) {
	sim := simulationOf(ts)
	t := sim.Tenant
	mailbox := func() simulator.Mailbox {
		m, ok := t.FindMailbox(args[1])
		if !ok {
			ts.Fatalf("there is no mailbox %s", args[1])
		}
		return m
	}
	switch args[0] {
	case "add":
		m := simulator.Mailbox{UserPrincipalName: args[1]}
		if len(args) > 2 {
			m.Type = args[2]
		}
		t.AddMailbox(m)
	case "guid":
		ts.Setenv(args[2], mailbox().Guid)
	case "name":
		text, err := strconv.Unquote(`"` + args[2] + `"`)
		ts.Check(err)
		t.Update(mailbox().Guid, func(m *simulator.Mailbox) {
			m.UserPrincipalName, m.DisplayName, m.PrimarySMTPAddress = text, text, text
		})
	case "cut":
		left := []string{"Create", "SoftDelete"}
		if len(args) > 2 {
			left = args[2:]
		}
		t.Update(mailbox().Guid, func(m *simulator.Mailbox) { m.Managed, m.Delegate = []string{"Admin", "Owner"}, left })
	case "bypass":
		t.SetBypass(mailbox().Guid, args[2] == "on")
	case "recorded":
		m := mailbox()
		found := strings.Contains(" "+strings.Join(m.Shown(args[2]), " ")+" ", " "+args[3]+" ")
		if found == neg {
			ts.Fatalf("%s of %s: %v", args[2], args[1], m.Shown(args[2]))
		}
	case "calls":
		want, err := strconv.Atoi(args[2])
		ts.Check(err)
		if got := sim.Service.Count(args[1]) + sim.Compliance.Count(args[1]); got != want {
			ts.Fatalf("%s was called %d times, want %d", args[1], got, want)
		}
	case "retention":
		at, err := strconv.Atoi(args[2])
		ts.Check(err)
		t.AddRetentionPolicy(simulator.RetentionPolicy{Name: args[1], Priority: at, Duration: args[3], RecordTypes: args[4:]})
	case "kept":
		kept := ""
		for _, p := range t.RetentionPolicies() {
			if p.Name == args[1] {
				kept = p.Duration
			}
		}
		if (kept == args[2]) == neg {
			ts.Fatalf("%s is kept for %q", args[1], kept)
		}
	default:
		ts.Fatalf("tenant: there is no %q", args[0])
	}
}

// cmdNoSecrets looks for what must never be written, in the last output of
// each command and in every file below the script's folder.
func cmdNoSecrets(ts *testscript.TestScript, _ bool, args []string) {
	sim := simulationOf(ts)
	forbidden := append(sim.Secrets(), "eyJ", "PRIVATE KEY", "not-the-secret", "hunter2", "Bearer ")
	search := func(where, text string) {
		for _, secret := range forbidden {
			if strings.Contains(text, secret) {
				ts.Fatalf("%s holds %q", where, secret)
			}
		}
	}
	for _, name := range args {
		search(name, ts.ReadFile(name))
	}
	root := ts.MkAbs(".")
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		search(path, string(data))
		return err
	}))
}

func fileMode(ts *testscript.TestScript, name string) fs.FileMode {
	info, err := os.Stat(ts.MkAbs(name))
	ts.Check(err)
	return info.Mode().Perm()
}

func writeFile(ts *testscript.TestScript, name, text string) {
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
}
