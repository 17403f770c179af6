package engine_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
)

// visitor is a connection of a client that keeps it.
type visitor struct {
	t    *testing.T
	conn net.Conn
	read *bufio.Reader
}

// visit connects, and writes a request where it should.
func visit(t *testing.T, address string, asks bool) *visitor {
	t.Helper()
	var d net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	v := &visitor{t, conn, bufio.NewReader(conn)}
	if asks {
		v.ask()
	}
	return v
}

func (v *visitor) ask() {
	v.t.Helper()
	if _, err := io.WriteString(v.conn, "GET /v1/interactions/"+interaction+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		v.t.Fatal(err)
	}
}

// answered wants an answer, and reports whether it is the last.
func (v *visitor) answered() (last bool) {
	v.t.Helper()
	answer, err := http.ReadResponse(v.read, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		v.t.Fatalf("%s, %v", answer.Status, err)
	}
	return answer.Close
}

// both serves the REST adapter with so many places on both addresses of localhost.
func both(t *testing.T, most int) (s *site, addresses [2]string) {
	t.Helper()
	s = serve(t, settings{options: func(o *deploy.Options) {
		o.Listener.MaxConnections = most
		o.Listen["flex-interactions-rest"] = "localhost:0"
	}})
	_, port, err := net.SplitHostPort(s.rest)
	if err != nil {
		t.Fatal(err)
	}
	addresses = [2]string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has one loopback address: %v", err)
	}
	_ = probe.Close()
	return s, addresses
}

// awaitFull waits until somebody waits for a place for the first time.
func awaitFull(t *testing.T, s *site) {
	t.Helper()
	eventually(t, "somebody waits for a place", func() (string, bool) {
		text := s.log.String()
		return text, strings.Contains(text, "as many connections are open as may be")
	})
}

// TestPlacesOfTwoSockets: sockets of a listener share its places, and one to which
// nobody comes has none.
func TestPlacesOfTwoSockets(t *testing.T) {
	for _, first := range []int{0, 1} {
		_, at := both(t, 1)
		for range 3 {
			for i := range at {
				v := visit(t, at[(first+i)%2], true)
				v.answered()
				_ = v.conn.Close()
			}
		}
	}
	for _, first := range []int{0, 1} {
		s, at := both(t, 1)
		// One that stays lets nobody else in, until it goes.
		stays := visit(t, at[first], true)
		stays.answered()
		waits := visit(t, at[1-first], true)
		awaitFull(t, s)
		stays.ask()
		stays.answered()
		_ = stays.conn.Close()
		waits.answered()
	}
}

// TestTwoPlacesOfTwoSockets: all places can be had at either socket, and at both.
func TestTwoPlacesOfTwoSockets(t *testing.T) {
	for _, pair := range [][2]int{{0, 0}, {1, 1}, {0, 1}} {
		s, at := both(t, 2)
		a, b := visit(t, at[pair[0]], true), visit(t, at[pair[1]], true)
		a.answered()
		b.answered()
		if text := s.log.String(); strings.Contains(text, "as many connections are open") {
			t.Errorf("%v: somebody waited:\n%s", pair, text)
		}
		c, d := visit(t, at[0], true), visit(t, at[1], true)
		awaitFull(t, s)
		_ = a.conn.Close()
		_ = b.conn.Close()
		c.answered()
		d.answered()
	}
}

// TestShutdownOfFullListener: whoever was accepted before the end is answered, also
// those who wait in hand for a place that nobody leaves.
func TestShutdownOfFullListener(t *testing.T) {
	s, at := both(t, 1)
	stays := visit(t, at[0], true)
	stays.answered()
	first := visit(t, at[0], true)
	awaitFull(t, s)
	second := visit(t, at[1], true)
	done := make(chan error, 1)
	go func() { done <- s.engine.Shutdown(patience) }()
	for _, v := range []*visitor{first, second} {
		if !v.answered() {
			t.Error("an answer at the end is not the last of its connection")
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := stays.read.ReadByte(); err != io.EOF {
		t.Errorf("who had the place: %v, want the end", err)
	}
	for _, address := range at {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			t.Errorf("%s still listens", address)
		}
	}
}

// TestSandboxHasPlacesOfItsOwn: a bound for callers is none for the calls that this
// process makes to its simulator.
func TestSandboxHasPlacesOfItsOwn(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) { o.Listener.MaxConnections = 1 }})
	environment, err := bind.New(bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	address, err := s.engine.StartSandbox(s.options, environment)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // each keeps its connection
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		if c, err := over(&http.Client{Transport: transport}, request(t, "GET", address, "")); err != nil || c.last {
			t.Fatalf("%s, %v", c, err)
		}
	}
	if text := s.log.String(); strings.Contains(text, "as many connections are open") {
		t.Errorf("somebody waited:\n%s", text)
	}
}
