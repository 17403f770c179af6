package engine

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// door is a socket whose connections speak TLS where the listener's face wants it.
// It closes in an order that loses none: the system accepts connections before this
// process does, and resets those that still wait when a socket is closed.
type door struct {
	net.Listener
	of      *listener
	places  *places
	closing atomic.Bool
	// last is closed when nobody waits for a place any more, closed with the socket.
	last, closed chan struct{}
	ends, once   sync.Once
}

func newDoor(s net.Listener, of *listener, room *places) *door {
	return &door{Listener: s, of: of, places: room, last: make(chan struct{}), closed: make(chan struct{})}
}

// Accept returns the next connection. One that finds no place waits for it in hand,
// unread; the others stay in the queue of the operating system and cost nothing
// here. A door at which nobody is takes no place: other doors share them. The
// handshake is the server's affair, which bounds it in time. A door that closes lets
// in who waits, and is closed in the instant in which nobody does.
func (d *door) Accept() (net.Conn, error) {
	select {
	case <-d.last:
		_ = d.Close()
		return nil, net.ErrClosed
	default:
	}
	conn, err := d.Listener.Accept()
	if err != nil && d.closing.Load() {
		if conn, err = acceptWaiting(d.Listener); err != nil {
			_ = d.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	placed := &placedConn{Conn: conn}
	if d.places.take(d.last) {
		placed.places = d.places
	}
	if c := d.of.face.Load().certificates; c != nil {
		return tls.Server(placed, c.listening), nil
	}
	return placed, nil
}

// Close implements [net.Listener]. The server closes its listeners, too: what is
// closed stays so, and is no error.
func (d *door) Close() error {
	var err error
	d.once.Do(func() {
		err = d.Listener.Close()
		close(d.closed)
	})
	return err
}

// end lets nobody wait for a place any more.
func (d *door) end() { d.ends.Do(func() { close(d.last) }) }

// lastCall bounds the time in which a door that closes waits for places.
const lastCall = time.Second

// shut closes the door. Who is in hand when there is no more time comes in without a
// place, one at each door: it was accepted, and is answered like all who were.
func (d *door) shut(ctx context.Context) {
	defer d.Close()
	defer d.end()
	d.closing.Store(true)
	at, ok := d.Listener.(interface{ SetDeadline(time.Time) error })
	if !ok || at.SetDeadline(time.Unix(1, 0)) != nil {
		return
	}
	late := time.NewTimer(lastCall)
	defer late.Stop()
	select {
	case <-d.closed:
		return
	case <-ctx.Done():
	case <-late.C:
	}
	d.end()
	// The server comes back for the next one as soon as it has that one, and learns
	// here that there is none. Where it does not serve, there is nobody to wait for.
	late.Reset(lastCall)
	select {
	case <-d.closed:
	case <-late.C:
	}
}

// connections counts those of a listener by what they do.
type connections struct {
	count [http.StateClosed + 1]atomic.Int64
}

// enter is told of each change. It runs on the connection's goroutine.
func (c *connections) enter(conn net.Conn, s http.ConnState) {
	placed := placedOf(conn)
	if placed == nil {
		return // it came by no door of ours
	}
	c.count[s].Add(1)
	if s != http.StateNew { // in which it was made
		c.count[placed.state.Swap(int32(s))].Add(-1)
	}
}

// fresh is how long a new connection may take to send its request. It is what
// net/http gives it, too.
const fresh = 5 * time.Second

// settle waits until nothing is under way: net/http drops a request that it reads
// after it was told to end, so it may be told only when none is coming. The doors
// are shut and the listener is retiring: every answer ends its connection.
func (c *connections) settle(ctx context.Context) {
	late := time.NewTimer(fresh)
	defer late.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	waiting := true
	for c.count[http.StateActive].Load() > 0 || waiting && c.count[http.StateNew].Load() > 0 {
		select {
		case <-look.C:
		case <-late.C:
			waiting = false
		case <-ctx.Done():
			return
		}
	}
}
