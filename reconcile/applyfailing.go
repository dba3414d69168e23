package reconcile

// maxFailing is how many mailboxes in a row may fail before nothing further is
// begun: what refuses ten of them for good will refuse the next thousand.
const maxFailing = 10

// countFailures counts the mailboxes in a row, in the order in which their answers
// are seen, whose writes failed for good, and stops the run where they are too
// many. One that took a write starts the count anew; one that wants a licence, that
// cannot be set, or that is sent again says nothing.
func (e *engine) countFailures(jobs []*job) {
	for _, j := range jobs {
		failed, note := false, ""
		took := false
		for _, c := range j.changes {
			o := e.run.mailbox.at(j.record, c.slot)
			took = took || !o.lost && (o.result == ResultVerified || o.result == ResultUnconfirmed)
			if o.result == ResultFailed && !o.lost {
				failed, note = true, o.note
			}
		}
		if n := e.failures(failed, took); n >= maxFailing {
			e.stop("%d mailboxes in a row failed, so nothing further is begun; the last one: %s", n, note)
		}
	}
}

// failures counts one more mailbox.
func (e *engine) failures(failed, took bool) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case took:
		e.failing = 0
	case failed:
		e.failing++
	default:
		return 0
	}
	return e.failing
}
