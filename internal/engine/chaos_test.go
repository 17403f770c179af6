package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// chaos is an upstream that owns its network: it speaks HTTP over TCP by hand, and
// does to each request, and its connection, what the request's script says. It
// counts what it applied, which is what must never happen twice.
type chaos struct {
	t       *testing.T
	address string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	serving  sync.WaitGroup
	// seen and applied count requests, and effects, by the id in the path.
	seen, applied map[string]int
	// scripts are what is done to the requests of an id, one step for each of
	// them; the last step is for all that follow.
	scripts map[string][]string
}

// The steps of a script.
const (
	stepOK          = "ok"                // applied and answered
	stepDrop        = "drop"              // applied and answered, and the connection is gone then
	stepResetBefore = "reset before"      // reset within the request: after its header
	stepResetAfter  = "reset after"       // reset after the request, which was not applied
	stepApplyReset  = "apply and reset"   // reset after the request, which was applied
	stepHalf        = "half an answer"    // applied, and reset within the answer
	stepStall       = "stall"             // applied, and no answer ever
	stepStallBody   = "stall in the body" // applied, and only half of an answer ever
	stepGarbage     = "no HTTP"           // applied, and answered in another protocol
	step500         = "500"               // applied, perhaps
	step503         = "503"               // applied, perhaps
	step429         = "429"               // not applied, as Twilio promises
	step400         = "400"               // not applied
)

func newChaos(t *testing.T) *chaos {
	c := &chaos{t: t, address: "127.0.0.1:0", open: map[net.Conn]bool{}, seen: map[string]int{}, applied: map[string]int{}, scripts: map[string][]string{}}
	c.start()
	t.Cleanup(c.stop)
	return c
}

// start listens, after a stop at the same address as before.
func (c *chaos) start() {
	l, err := net.Listen("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.listener, c.address = l, l.Addr().String()
	c.mu.Unlock()
	c.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.open[conn] = true
			c.mu.Unlock()
			c.serving.Go(func() { c.serve(conn) })
		}
	})
}

// stop resets everything and refuses connections.
func (c *chaos) stop() {
	c.mu.Lock()
	_ = c.listener.Close()
	for conn := range c.open {
		reset(conn)
	}
	c.mu.Unlock()
	c.serving.Wait()
}

// reset closes a connection without the usual farewell.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// serve plays the scripts of the requests on one connection.
func (c *chaos) serve(conn net.Conn) {
	defer func() {
		c.mu.Lock()
		delete(c.open, conn)
		c.mu.Unlock()
		reset(conn)
	}()
	r := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		// /v1/Interactions/ID and what is below it.
		id := strings.Split(request.URL.Path, "/")[3]
		step := c.next(id)
		if step == stepResetBefore {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		switch step {
		case stepResetAfter, step429, step400:
		default:
			c.mu.Lock()
			c.applied[id]++
			c.mu.Unlock()
		}
		body := fmt.Sprintf(`{"sid":%q,"step":%q}`, id, step)
		answer := func(status int) string {
			return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
		switch step {
		case stepOK:
			_, err = io.WriteString(conn, answer(200))
		case stepDrop:
			_, _ = io.WriteString(conn, answer(200))
			_ = conn.Close() // without a reset, which could overtake the answer
			return
		case step500:
			_, err = io.WriteString(conn, answer(500))
		case step503:
			_, err = io.WriteString(conn, answer(503))
		case step429:
			_, err = io.WriteString(conn, answer(429))
		case step400:
			_, err = io.WriteString(conn, answer(400))
		case stepHalf:
			whole := answer(200)
			_, _ = io.WriteString(conn, whole[:len(whole)-9])
			_ = conn.Close()
			return
		case stepGarbage:
			_, _ = io.WriteString(conn, "220 smtp.example ESMTP "+id+"\r\n\r\n")
			_ = conn.Close()
			return
		case stepStall, stepStallBody:
			if step == stepStallBody {
				whole := answer(200)
				_, _ = io.WriteString(conn, whole[:len(whole)-9])
			}
			_, _ = r.ReadByte() // until the other side gives up
			return
		default: // the resets
			return
		}
		if err != nil {
			return
		}
	}
}

// next counts a request and returns what is done to it.
func (c *chaos) next(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.seen[id]
	c.seen[id]++
	script := c.scripts[id]
	if len(script) == 0 {
		return stepOK
	}
	return script[min(n, len(script)-1)]
}

// script says what happens to the requests of an id.
func (c *chaos) script(id string, steps []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts[id] = steps
}

// effects returns how often the requests of an id came and were applied.
func (c *chaos) effects(id string) (seen, applied int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[id], c.applied[id]
}
