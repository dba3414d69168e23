package exchange

import "time"

// learnedRate is what the answers of one class have taught about the rate that the
// service allows; no numbers are published (wire 5.3). It begins at a ceiling. A
// 429 sets it to a little less than what was accepted in the last moments: what a
// service with nothing left to give lets through is its limit. Then the rate
// rests, and after that it climbs: gently past the limit that is known, in steps
// that double beyond it, so that a small loss is made up without a storm and a
// large one soon.
//
// It holds no clock and no lock: every method is told the time.
type learnedRate struct {
	ceiling float64
	rate    float64 // cmdlets a second

	recent, before count // since the last moment, and the one before it

	throttled bool      // a 429 was seen
	cut       time.Time // of the last fall; 429s of calls sent before it are its echo
	refusedAt time.Time // of the last 429
	fell      time.Time // of the last fall that was measured
	falls     int       // that followed one another
	finds     int       // falls that were measured
	rest      time.Duration
	cost      time.Duration // how long the last 429 closed the gate

	climbing bool
	stepped  time.Time
	step     float64
	gently   int  // gentle steps taken
	pressed  bool // a call had to wait for its turn: the rate is what bounds
}

// count is what came of the cmdlets since a time.
type count struct {
	since               time.Time
	accepted, attempted float64
}

const (
	// margin is how much of what the service gave is asked for after a 429. Some of
	// it was savings, and each 429 costs time: so not too much.
	margin = 0.94
	// fullRest is how long the rate is left alone after a 429, roughRest after the
	// first of all, which finds the limit only roughly.
	fullRest  = 15 * time.Second
	roughRest = 3 * time.Second
	// follows is how soon after a fall another 429 belongs to it.
	follows = 6 * time.Second
	// restToCost bounds what the search costs: a 429 that closes the gate for a
	// second is not risked more than once in so many.
	restToCost  = 20
	longestRest = 5 * time.Minute
	// measurable is how long and how many cmdlets it takes to tell a rate.
	measurable        = time.Second
	measurableCmdlets = 4 * BatchSize
	// idlePulses is how many pulses without an answer are a rest.
	idlePulses = 5
	// hasty is a fall that could not be measured.
	hasty = 0.9
	// gentle is one of the first gentleSteps of a climb, as a share of the rate.
	gentle      = 0.01
	gentleSteps = 10
	leastStep   = 0.1
	// usedShare is how much of the rate must be used for it to be what bounds.
	usedShare = 0.75
)

func newLearnedRate(ceiling float64) learnedRate {
	return learnedRate{ceiling: ceiling, rate: ceiling, rest: roughRest}
}

// add counts cmdlets. After a time without any, the count begins anew: a client
// that had nothing to do says nothing of the limit.
func (l *learnedRate) add(accepted, refused int, now time.Time) {
	switch passed := now.Sub(l.recent.since); {
	case l.recent.since.IsZero() || passed > idlePulses*l.pulse():
		l.recent = count{since: now}
		l.before = l.recent
	case passed >= l.pulse():
		l.before, l.recent = l.recent, count{since: now}
	}
	l.recent.accepted += float64(accepted)
	l.recent.attempted += float64(accepted + refused)
}

// measure returns how many cmdlets a second were accepted and attempted lately, or
// false where too few were to tell.
func (l *learnedRate) measure(now time.Time) (accepted, attempted float64, ok bool) {
	passed := now.Sub(l.before.since)
	all := l.before.attempted + l.recent.attempted
	if passed < measurable || all < measurableCmdlets {
		return 0, 0, false
	}
	accepted, attempted = (l.before.accepted+l.recent.accepted)/passed.Seconds(), all/passed.Seconds()
	if first := l.recent.since.Sub(l.before.since); first > 0 {
		attempted = max(attempted, l.before.attempted/first.Seconds()) // the calls that were refused now wait
	}
	return accepted, attempted, true
}

// pulse is the time that it takes for a rate to show: a second, or that of some
// batches.
func (l *learnedRate) pulse() time.Duration {
	return max(measurable, time.Duration(measurableCmdlets/l.rate*float64(time.Second)))
}

// beat is the time between two steps: a second, or that of a batch.
func (l *learnedRate) beat() time.Duration {
	return max(time.Second, time.Duration(BatchSize/l.rate*float64(time.Second)))
}

// accept counts cmdlets that were carried out or failed for another reason.
func (l *learnedRate) accept(n int, now time.Time) {
	l.add(n, 0, now)
	if l.rate >= l.ceiling || !l.pressed || now.Sub(l.refusedAt) < l.rest || l.climbing && now.Sub(l.stepped) < l.beat() {
		return
	}
	if accepted, _, ok := l.measure(now); ok && accepted >= usedShare*l.rate {
		l.climb(now)
	}
}

// closed notes that the gate is closed for some time: nothing is measured till then.
func (l *learnedRate) closed(d time.Duration, until time.Time) {
	l.cost = d
	if l.before.attempted+l.recent.attempted == 0 {
		l.recent.since, l.before.since = until, until
	}
}

// climb takes the next step.
func (l *learnedRate) climb(now time.Time) {
	if !l.climbing {
		l.gently = 0
	}
	least := max(leastStep, gentle*l.rate)
	switch {
	case !l.climbing || l.gently < gentleSteps && !l.isRough():
		l.step, l.gently = least, l.gently+1
	default:
		l.step *= 2
	}
	l.rate = min(l.ceiling, l.rate+l.step)
	l.climbing, l.stepped, l.pressed = true, now, false
}

// refuse counts cmdlets that were answered by 429, of a call that was sent at a
// time, and lowers the rate unless it was lowered since then.
func (l *learnedRate) refuse(n int, sent, now time.Time) {
	l.add(0, n, now)
	l.refusedAt = now
	if l.throttled && sent.Before(l.cut) {
		return
	}
	if accepted, attempted, ok := l.measure(now); ok {
		l.fall(accepted, attempted, now)
	} else if l.throttled {
		l.rate *= hasty
	} else {
		// The first of all, after a moment: half of what was tried.
		passed := max(now.Sub(l.before.since), measurable/10)
		l.rate = min(l.rate, (l.before.attempted+l.recent.attempted)/passed.Seconds()) / 2
	}
	l.rate = min(l.ceiling, max(l.rate, slowestRate))
	l.throttled, l.cut, l.climbing = true, now, false
}

// fall lowers the rate and begins a new measurement. A 429 that comes alone speaks
// of the rate that was used, a little too high; how much was accepted is known too
// roughly then, as some of it was savings. One that follows another speaks of a
// service that has nothing left: what it accepted meanwhile is its limit.
func (l *learnedRate) fall(accepted, attempted float64, now time.Time) {
	used := l.rate
	if attempted < usedShare*l.rate {
		used = attempted // something else held the calls back
	}
	to := margin * used
	if now.Sub(l.fell) < follows {
		l.falls++
		to = max(margin*min(l.rate, accepted), deepest(l.falls)*used)
	} else {
		l.falls = 0
	}
	l.finds++
	l.rest = max(fullRest, min(longestRest, restToCost*l.cost))
	if l.isRough() {
		l.rest = roughRest
	}
	l.rate, l.fell = to, now
	l.recent = count{since: now}
	l.before = l.recent
}

// isRough tells that the limit was found once only, at the very beginning.
func (l *learnedRate) isRough() bool { return l.finds == 1 }

// deepest bounds the falls that follow a first one. The next of them may be one
// bad moment, in which the calls stood still; the others mean it.
func deepest(falls int) float64 {
	if falls <= 1 {
		return 0.8
	}
	return 0.5
}
