package store

import "time"

// LeaseTTL is for how long a lease is taken and renewed: another process waits
// at most this long after its holder died on another host (design section 8).
const LeaseTTL = 60 * time.Second

// Holder names a process that holds a lease.
type Holder struct {
	// Name is for people: host, process id, command.
	Name string
	// Place names a lock that the operating system lets one process at a time
	// hold, and that it takes back when the process dies: host name and path of a
	// lock file. Whoever asks for a lease holds the lock of its own Place, so that
	// another holder of the same one is dead. It must be unique where there is no
	// such lock.
	Place string
}

// Lease is the right to write to a tenant. Token grows with each new holder;
// the store refuses lines under an older one.
type Lease struct {
	Tenant string
	Token  int64
	Holder Holder
	Until  time.Time
}

// InForce tells whether new work may be begun under the lease: more than half of
// its time is left.
func (l Lease) InForce(now time.Time) bool { return l.Until.Sub(now) > LeaseTTL/2 }
