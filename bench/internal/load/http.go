package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Call describes what the callers of a server do over HTTP.
type Call struct {
	// Address is the server's HOST:PORT.
	Address string
	// Open makes what a connection has to say before it can call, if anything:
	// requests in their order. All have to succeed.
	Open [][]byte
	// Request makes the bytes of the call, for a connection whose opening gave
	// it a session, or none.
	Request func(session string) []byte
	// Want is in every answer.
	Want []byte
}

// HTTP makes calls over a fixed number of connections.
type HTTP struct {
	call     Call
	conns    []*conn
	answered atomic.Int64
}

// OpenHTTP opens connections. Each has made one call when it returns.
func OpenHTTP(call Call, connections int) (*HTTP, error) {
	h := &HTTP{call: call}
	if err := h.Grow(connections); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Grow opens more connections, one after the other, until there are so many.
// Each makes one call and is kept open.
func (h *HTTP) Grow(connections int) error {
	for len(h.conns) < connections {
		c, err := h.open()
		if err != nil {
			return fmt.Errorf("connection %d: %w", len(h.conns)+1, err)
		}
		h.conns = append(h.conns, c)
		if err := h.do(c); err != nil {
			return fmt.Errorf("connection %d: %w", len(h.conns), err)
		}
	}
	return nil
}

// open dials and says what a connection has to say first.
func (h *HTTP) open() (*conn, error) {
	c, err := dial(h.call.Address)
	if err != nil {
		return nil, err
	}
	session := ""
	for _, request := range h.call.Open {
		if session != "" {
			request = withHeader(request, sessionHeader, session)
		}
		if err := c.roundTrip(request); err != nil {
			c.net.Close()
			return nil, err
		}
		if c.answer.status/100 != 2 {
			c.net.Close()
			return nil, fmt.Errorf("the opening was answered %d: %s", c.answer.status, shorten(c.answer.body))
		}
		if len(c.answer.session) > 0 {
			session = string(c.answer.session)
		}
	}
	c.request = newMessage(h.call.Request(session))
	return c, nil
}

// do makes one call. A server may close a connection after an answer; the next
// call then opens another.
func (h *HTTP) do(c *conn) error {
	if c.answer.close {
		c.net.Close()
		fresh, err := h.open()
		if err != nil {
			return err
		}
		*c = *fresh
	}
	if err := c.call(h.call.Want); err != nil {
		return err
	}
	h.answered.Add(1)
	return nil
}

// Answered implements Generator.
func (h *HTTP) Answered() int64 { return h.answered.Load() }

// Close implements Generator.
func (h *HTTP) Close() {
	for _, c := range h.conns {
		c.net.Close()
	}
}

// Saturate implements Generator.
func (h *HTTP) Saturate(d time.Duration) (Result, error) {
	before, start := h.Answered(), time.Now()
	end := start.Add(d)
	err := h.each(func(ctx context.Context, c *conn) error {
		for ctx.Err() == nil && time.Now().Before(end) {
			if err := h.do(c); err != nil {
				return err
			}
		}
		return nil
	})
	return Result{Answered: h.Answered() - before, Elapsed: time.Since(start)}, err
}

// Steady implements Generator. A request that is due goes to whichever
// connection is free; while none is, requests queue, and their time counts.
func (h *HTTP) Steady(rate float64, d time.Duration) (Result, error) {
	type request struct {
		index int
		due   time.Time
	}
	interval, n := schedule(rate, d)
	latencies := make([]time.Duration, n)
	queue := make(chan request, n)
	before, start := h.Answered(), time.Now()
	paced := make(chan error, 1)
	go func() {
		defer close(queue)
		paced <- pace(start, interval, n, func(i int, at time.Time) error {
			queue <- request{i, at}
			return nil
		})
	}()
	err := h.each(func(ctx context.Context, c *conn) error {
		for r := range queue {
			if ctx.Err() != nil {
				continue // somebody failed: only empty the queue
			}
			if err := h.do(c); err != nil {
				return err
			}
			latencies[r.index] = time.Since(r.due)
		}
		return nil
	})
	if pacing := <-paced; err == nil {
		err = pacing
	}
	return Result{Answered: h.Answered() - before, Elapsed: time.Since(start), Latencies: milliseconds(latencies)}, err
}

// each runs a function on all connections at once and returns the first error,
// which ends the context of the others.
func (h *HTTP) each(run func(context.Context, *conn) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var running sync.WaitGroup
	for _, c := range h.conns {
		running.Go(func() {
			if err := run(ctx, c); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

const sessionHeader = "Mcp-Session-Id"

// Request makes an HTTP/1.1 request. Headers are names and values in turn.
func Request(method, address, path, body string, headers ...string) []byte {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "80"
	}
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, net.JoinHostPort(host, port))
	for i := 0; i+1 < len(headers); i += 2 {
		b = fmt.Appendf(b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	if body != "" {
		b = fmt.Appendf(b, "Content-Length: %d\r\n", len(body))
	}
	return append(append(b, "\r\n"...), body...)
}

// withHeader returns a request with one header more.
func withHeader(request []byte, name, value string) []byte {
	for i := range request {
		if request[i] == '\n' {
			out := append([]byte{}, request[:i+1]...)
			return append(fmt.Appendf(out, "%s: %s\r\n", name, value), request[i+1:]...)
		}
	}
	return request
}
