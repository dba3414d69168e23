package cli

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/daemon"
	"github.com/exoaudit/exoaudit/policy/strict"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// codeBadSchedule is a schedule, a zone or a mode of serve that cannot be read.
const codeBadSchedule = "bad-schedule"

// The flags of serve that its section in a configuration file stands for.
const (
	flagIncremental = "incremental"
	flagBypassEvery = "bypass-every"
	flagFull        = "full"
	flagZone        = "zone"
	flagMode        = "mode"
	flagListen      = "listen"
)

// noListen is the value of --listen of a service that nobody can ask how it is.
const noListen = "none"

// readServe reads the section serve of a configuration file into values of the flags.
// What is wrong with a value is reported where it stands.
func readServe(n *strict.Node, values map[string][]string) {
	section, ok := n.Map(strict.Keys("incremental", "bypassEvery", "full", "zone", "mode", "listen"), strict.Later("feed"))
	if !ok {
		return
	}
	take := func(key, flag string, check func(string) error) {
		text, ok := section.Get(key).Written("a text")
		if section.Get(key) == nil || !ok {
			return
		}
		if err := check(text); err != nil {
			section.Get(key).Errorf(codeBadSchedule, "", "%s: %v", key, err)
			return
		}
		values[flag] = []string{text}
	}
	zone := time.UTC
	take("zone", flagZone, func(text string) error {
		z, err := daemon.ParseZone(text)
		if err == nil {
			zone = z
		}
		return err
	})
	schedule := func(text string) error {
		_, err := daemon.ParseSchedule(text, zone)
		return err
	}
	take("incremental", flagIncremental, schedule)
	take("bypassEvery", flagBypassEvery, schedule)
	take("full", flagFull, schedule)
	if mode := readModes(section.Get("mode")); mode != "" {
		values[flagMode] = []string{mode}
	}
	if at := section.Get("listen"); at != nil {
		take("listen", flagListen, checkListen)
		if text := values[flagListen]; len(text) == 1 && text[0] == "" {
			values[flagListen] = []string{noListen}
		}
	}
}

// readModes reads a mode for all loops, or a map with one for each, as --mode has it.
func readModes(n *strict.Node) string {
	if n == nil {
		return ""
	}
	if !n.IsMap() {
		return readMode(n)
	}
	// The keys are those of the schedules beside them.
	names := map[string]string{"incremental": "incremental", "bypassEvery": "bypass", "full": "full"}
	section, _ := n.Map(strict.Keys(slices.Sorted(maps.Keys(names))...))
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if at := section.Get(key); at != nil {
			if mode := readMode(at); mode != "" {
				parts = append(parts, names[key]+"="+mode)
			}
		}
	}
	return strings.Join(parts, ",")
}

func readMode(n *strict.Node) string {
	text, ok := n.Text()
	if !ok {
		return ""
	}
	if m := daemon.Mode(text); m != daemon.ModeCheck && m != daemon.ModeApply {
		n.Errorf(codeBadSchedule, "write check or apply", "%s: there is no mode %q", n.Key(), text)
		return ""
	}
	return text
}

// checkListen refuses what is no address. Empty, or none, listens nowhere.
func checkListen(text string) error {
	if text == "" || text == noListen {
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		return fmt.Errorf("%q is no address; write HOST:PORT such as %s, or none", text, defaultListen)
	}
	if host != "" && host != "localhost" && net.ParseIP(host) == nil {
		return fmt.Errorf("%q: the host must be an IP address of this machine, or localhost", text)
	}
	return nil
}

// serving are the loops that the flags of serve ask for.
type serving struct {
	incremental, bypassEvery, full, zone, mode, listen string
}

// loops reads the flags.
func (s serving) loops() ([]daemon.Loop, error) {
	zone, err := daemon.ParseZone(s.zone)
	if err != nil {
		return nil, invalid("--zone: %s", report.Line(err.Error()))
	}
	modes, err := daemon.ParseModes(s.mode)
	if err != nil {
		return nil, invalid("--mode: %s", report.Line(err.Error()))
	}
	var loops []daemon.Loop
	var errs []error
	texts := map[string][2]string{
		"full": {flagFull, s.full}, "bypass": {flagBypassEvery, s.bypassEvery}, "incremental": {flagIncremental, s.incremental},
	}
	for _, name := range daemon.LoopNames() {
		schedule, err := daemon.ParseSchedule(texts[name][1], zone)
		if err != nil {
			errs = append(errs, invalid("--%s: %s", texts[name][0], report.Line(err.Error())))
		}
		loops = append(loops, daemon.Loop{Name: name, Schedule: schedule, Mode: modes[name]})
	}
	if err := checkListen(s.listen); err != nil {
		errs = append(errs, invalid("--listen: %s", report.Line(err.Error())))
	}
	return loops, together(errs...)
}
