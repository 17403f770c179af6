package engine

import "sync/atomic"

// lease counts who uses a deployment: the engine while it is the current one,
// and each request on it. The last one closes it.
type lease struct{ users atomic.Int64 }

// acquire begins a use. It fails when the deployment is closed, in which case
// another one has replaced it.
func (l *lease) acquire() bool {
	for {
		n := l.users.Load()
		if n == 0 {
			return false
		}
		if l.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends a use, and reports whether it was the last one.
func (l *lease) release() bool { return l.users.Add(-1) == 0 }

// release ends a use of the deployment.
func (d *Deployment) release() {
	if d.lease.release() {
		d.Close()
	}
}
