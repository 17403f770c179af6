package deploy

import "time"

// Listener bounds what the clients of one listener can hold open. Each field that
// is not above zero has the default.
type Listener struct {
	// MaxConnections is how many connections are open at once. More wait in the queue
	// of the operating system, and one for each socket unread in the process.
	MaxConnections int
	// ReadHeader bounds the time until a request's header is there, Read until its
	// body is, Write until its answer is taken, and Idle the time between two
	// requests. The default of Write follows from how long calls may take.
	ReadHeader, Read, Write, Idle time.Duration
}

// DefaultConnections is how many connections a listener has that nothing says more
// about.
const DefaultConnections = 4096

// ListenerBounds returns what holds for every listener.
func (o *Options) ListenerBounds() Listener {
	l := o.Listener
	longest := o.Limits.Total
	for namespace := range o.UpstreamSettings {
		longest = max(longest, o.Upstream(namespace).Total)
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.ReadHeader, 10 * time.Second},
		{&l.Read, 60 * time.Second},
		// A request may wait for the first one with its key, and then be sent itself.
		{&l.Write, 2*longest + 60*time.Second},
		{&l.Idle, 120 * time.Second},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if l.MaxConnections <= 0 {
		l.MaxConnections = DefaultConnections
	}
	return l
}
