package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/fault"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
)

// listener is a group of adapters on its sockets. It outlives the deployments
// whose adapters it serves: what it shows is its face.
type listener struct {
	engine *Engine
	// name is how errors call it, key what it is known by across deployments.
	name, key string
	host      string
	sockets   []net.Listener
	doors     []*door
	server    *http.Server
	conns     connections
	face      atomic.Pointer[face]
	// retiring makes every answer the last one of its connection.
	retiring atomic.Bool
	// answers are [answer] values that nobody writes to.
	answers sync.Pool
	// base is the parent of every request's context; stop ends it when the
	// drain time is over.
	base context.Context
	stop context.CancelCauseFunc
}

// face is what a listener shows of one deployment. A request has one face from
// its first byte to its last, so that it cannot meet two deployments.
type face struct {
	handler http.Handler
	// deployment is nil where the listener is nobody's, as the simulator's.
	deployment *Deployment
	// certificates are how new connections are spoken to; nil is plain HTTP. Those
	// that are open are held to it as well, see [listener.keeps].
	certificates *certificates
	// bounds are what clients may hold open. Of these, only the time for an answer
	// changes with a deployment; the others are the listener's as it was opened.
	bounds deploy.Listener
}

// url returns the address a client on this machine uses. Whether it speaks TLS
// is the affair of the deployment that is served there.
func (l *listener) url(secure bool) string {
	_, port, _ := net.SplitHostPort(l.sockets[0].Addr().String())
	host := l.host
	switch host {
	case "localhost", "0.0.0.0", "::", "":
		host = "127.0.0.1"
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// newListener opens the sockets of an address.
func (e *Engine) newListener(name, key, host, port string) (*listener, error) {
	sockets, err := listen(host, port)
	if err != nil {
		return nil, err
	}
	l := &listener{engine: e, name: name, key: key, host: host, sockets: sockets}
	l.base, l.stop = context.WithCancelCause(e.base)
	return l, nil
}

// close gives up sockets on which nothing was served.
func (l *listener) close() {
	for _, s := range l.sockets {
		_ = s.Close()
	}
	l.stop(nil)
}

// ServeHTTP answers by the face of the moment.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endDoubtful(w, r)
	f := l.face.Load()
	for f.deployment != nil && !f.deployment.lease.acquire() {
		// That one is closed: its successor was here before, or this is the end.
		next := l.face.Load()
		if next == f {
			w.Header()["Connection"] = []string{"close"}
			problem.Write(w, fault.New(fault.Busy, "the gateway is stopping"), "")
			return
		}
		f = next
	}
	if f.deployment != nil {
		defer f.deployment.release()
	}
	if conn, ok := r.Context().Value(connKey{}).(*placedConn); ok && conn.terms.Load() != f.terms() && !l.keeps(conn, f, w, r) {
		return
	}
	if f.bounds.Write > l.server.WriteTimeout {
		// The server's own bound is from when it was opened.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(f.bounds.Write))
	}
	l.answerWith(f.handler, w, r)
}

// serve begins to answer on a listener that has a face.
func (e *Engine) serve(l *listener) {
	bounds := l.face.Load().bounds
	l.server = &http.Server{
		Handler:     l,
		BaseContext: func(net.Listener) context.Context { return l.base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(telemetry.WithPeer(ctx, c.RemoteAddr().String()), connKey{}, placedOf(c))
		},
		ConnState:         e.connState(l),
		ReadHeaderTimeout: bounds.ReadHeader,
		ReadTimeout:       bounds.Read,
		WriteTimeout:      bounds.Write,
		IdleTimeout:       bounds.Idle,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(serverNoise{e.log.Handler()}, slog.LevelDebug),
	}
	room := &places{name: l.name, taken: make(chan struct{}, bounds.MaxConnections), log: e.log}
	for _, s := range l.sockets {
		d := newDoor(s, l, room)
		l.doors = append(l.doors, d)
		e.serving.Go(func() {
			if err := l.server.Serve(d); err != nil && !errors.Is(err, http.ErrServerClosed) && !d.closing.Load() {
				select {
				case e.failed <- fmt.Errorf("%s stopped: %w", l.name, err):
				default:
				}
			}
		})
	}
}

// serverNoise passes net/http's own messages on at debug level: broken
// connections are the client's affair.
type serverNoise struct{ slog.Handler }

// endDoubtful lets the connection end after a request of which a proxy before us
// may think that it ends elsewhere. RFC 9112 wants that of one with both a
// Transfer-Encoding and a Content-Length (section 6.3), and of one of HTTP/1.0
// with a Transfer-Encoding (section 6.1). net/http reads the former by the one
// header, the latter by the other, and lets nobody know that there were two; so
// it is done for every chunked request, and for all of HTTP/1.0. What such a
// proxy has taken for the rest of a body is then never read as a request.
func endDoubtful(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0) {
		w.Header()["Connection"] = []string{"close"}
	}
}
