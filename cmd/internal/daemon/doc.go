// Package daemon is the service that looks at a tenant by a schedule, and where it
// is told to keeps it as the policy says (design sections 5, 7 and 8).
//
// A [Daemon] has three loops. The fast one looks at what was created or changed, the
// bypass loop lists the bypass associations as well, which cannot be filtered, and the
// full one sweeps the tenant. Each may check, or apply. All of them take turns in one
// goroutine, so that nothing overlaps; a wider loop stands for a narrower one that is
// due at the same moment, and one for which it does not stand keeps its turn. However many ticks of a loop pass while another one runs, or
// while the machine sleeps, one run stands for all of them.
//
// What is enforced is an [Assignment], which Config.Load makes: at the start, and
// again at [Daemon.Reload], where a new one takes the place of the old one between
// two runs or, if it cannot be made, not at all.
//
// When the context of [Daemon.Run] ends no new batch of writes is begun; what is in
// flight has a time of grace to come to its end, after which it is abandoned. The
// writes of which the outcome is then not known stay open in the journal, are named in
// the log, and are closed by a look at the tenant at the next start.
//
// # Schedules
//
// A schedule is a duration ("5m") or five fields of cron, read in a zone that is UTC
// unless another is named. Where clocks are put forward over a moment of the schedule,
// the run comes right after the gap; where they are put back over it, it comes
// twice, which is harmless. Runs are put off by up to a tenth of their period, at
// most a minute, so that services of many tenants do not all call at the full hour.
//
// # Limits
//
// Time is looked at once a minute: after a sleep of the machine or a step of its
// clock a run comes up to a minute late. The right to write is taken for each run and
// given back after it, so that a person can apply by hand in between. A run that
// panics ends the process: whoever keeps it running starts it again, and what was left
// open is closed by a look at the tenant. A certificate is read at the start and at each
// reload.
package daemon
