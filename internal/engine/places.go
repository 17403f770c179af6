package engine

import (
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
)

// places bounds how many connections a listener has open, on all of its
// sockets. Without a bound whoever opens enough of them takes the descriptors
// that calls to upstreams and the control listener need.
type places struct {
	name  string
	taken chan struct{}
	log   *slog.Logger
	// full keeps the log to one line for each time that there is no place.
	full atomic.Bool
}

// take waits for a place, and reports whether there was one before the end.
func (c *places) take(end <-chan struct{}) bool {
	select {
	case c.taken <- struct{}{}:
		return true
	default:
	}
	if !c.full.Swap(true) {
		go c.log.Warn("as many connections are open as may be; new ones wait", "listener", c.name, "connections", cap(c.taken))
	}
	select {
	case c.taken <- struct{}{}:
		return true
	case <-end:
		return false
	}
}

func (c *places) leave() {
	<-c.taken
	if len(c.taken) <= cap(c.taken)/2 {
		c.full.Store(false)
	}
}

// placedConn is a connection that has a place; places is nil for one that came in at
// the end without. Its state is what it does, as an
// [http.ConnState]; terms are what it was opened under, nil for plain HTTP.
type placedConn struct {
	net.Conn
	places *places
	once   sync.Once
	state  atomic.Int32
	terms  atomic.Pointer[tls.Config]
}

// placedOf finds it below TLS; nil where a connection came by no door of ours.
func placedOf(conn net.Conn) *placedConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	placed, _ := conn.(*placedConn)
	return placed
}

// Close gives the place back.
func (c *placedConn) Close() error {
	err := c.Conn.Close()
	if c.places != nil {
		c.once.Do(c.places.leave)
	}
	return err
}

// CloseWrite says that nothing more follows. net/http does so before it closes a
// connection on which it has left something unread, so that the reset that this
// causes does not overtake the answer.
func (c *placedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
