package attack

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
)

// hasty makes the bounds of time so short that a test does not wait for them.
func hasty(change func(*deploy.Listener)) func(*deploy.Options) {
	return func(o *deploy.Options) { change(&o.Listener) }
}

// TestSlowHeader: a client opens connections and never finishes a header, a byte
// at a time or none at all, to keep a place for ever (Slowloris). The listener
// ends them, and no handler has run.
func TestSlowHeader(t *testing.T) {
	s := serve(t, setting{options: hasty(func(l *deploy.Listener) { l.ReadHeader = 50 * time.Millisecond })})
	for name, host := range s.listeners() {
		for _, begun := range []string{"", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n"} {
			t.Run(fmt.Sprintf("%s %d", name, len(begun)), func(t *testing.T) {
				s := *s
				s.t = t
				c := s.dial(host)
				defer c.Close()
				if _, err := io.WriteString(c, begun); err != nil {
					t.Fatal(err)
				}
				got := s.drain(c)
				if len(got) > 0 && !bytes.HasPrefix(got, []byte("HTTP/1.1 4")) {
					t.Errorf("got %q", got)
				}
			})
		}
	}
	s.expect()
}

// TestSlowHandshake: a client does the same before TLS has begun, or speaks
// something else to a listener of TLS.
func TestSlowHandshake(t *testing.T) {
	origin := httptest.NewTLSServer(nil)
	defer origin.Close()
	pair := origin.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := deploy.ServerTLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{files.Certificate: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, files.Key: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, setting{options: func(o *deploy.Options) { o.TLS, o.Listener.ReadHeader = files, 50*time.Millisecond }})
	for _, host := range []string{s.rest, s.mcp} {
		for _, begun := range []string{"", "\x16\x03\x01", "\x16\x03\x01\x40\x00\x01", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "\xff\xff\xff\xff\xff\xff"} {
			c := s.dial(host)
			if _, err := io.WriteString(c, begun); err != nil {
				t.Fatal(err)
			}
			if got := s.drain(c); len(got) > 200 {
				t.Errorf("%q is answered with %q", begun, got)
			}
			_ = c.Close()
		}
	}
	s.expect()
}

// TestIdleConnection: a client keeps a connection after its request and sends
// nothing more.
func TestIdleConnection(t *testing.T) {
	s := serve(t, setting{options: hasty(func(l *deploy.Listener) { l.Idle = 50 * time.Millisecond })})
	for name, host := range s.listeners() {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			wire := strings.Replace(request(host, "GET /nothing", ""), "Connection: close\r\n", "", 1)
			if answers := s.send(host, wire); len(answers) != 1 {
				t.Errorf("got %v", answers)
			}
		})
	}
}

// TestSlowBody: a client announces a body and sends it so slowly that it never
// ends. Nothing is called, and the connection ends.
func TestSlowBody(t *testing.T) {
	s := serve(t, setting{capability: loose, options: hasty(func(l *deploy.Listener) { l.Read = 50 * time.Millisecond })})
	for name, row := range map[string]struct{ host, path, body string }{
		"REST":            {s.rest, "/items/a/b", "Content-Length: 100\r\n\r\n{"},
		"REST in chunks":  {s.rest, "/items/a/b", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"\r\n"},
		"MCP":             {s.mcp, "/mcp", "Content-Length: 100\r\n\r\n{"},
		"MCP in chunks":   {s.mcp, "/mcp", "Transfer-Encoding: chunked\r\n\r\n1"},
		"MCP, other path": {s.mcp, "/elsewhere", "Content-Length: 100\r\n\r\n{"},
		"control":         {s.control, "/reload", "Content-Length: 100\r\n\r\n{"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			answers := s.send(row.host, "POST "+row.path+" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"+row.body)
			if len(answers) > 1 || len(answers) == 1 && answers[0].status < 400 {
				t.Errorf("got %v", answers)
			}
		})
	}
	s.expect()
}

// TestSlowReader: a client asks for much and does not take it. The listener gives
// up, and what it held for the answer is free again.
func TestSlowReader(t *testing.T) {
	s := serve(t, setting{capability: loose, options: hasty(func(l *deploy.Listener) { l.Write = 200 * time.Millisecond })})
	s.upstream.script(`{"a":"` + strings.Repeat("x", 9<<20) + `"}`)
	c := s.dial(s.rest)
	defer c.Close()
	if err := c.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request(s.rest, "GET /items/a/b", "")); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "route=/items/{id}/{part}") // the request is over
	if got := s.drain(c); len(got) > 8<<20 {
		t.Errorf("%d bytes were held for a client that does not read", len(got))
	}
}

// settle waits until a listener has a number of connections, by what it counts.
func (s *target) settle(host string, want int) {
	s.t.Helper()
	name := "rest"
	if host == s.mcp {
		name = "mcp"
	}
	for end := time.Now().Add(patience); ; {
		text := s.one(s.control, request(s.control, "GET /metrics", "")).body
		open := -1
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, "patchbay_connections{listener=\""); ok && strings.Contains(rest, "-"+name+"\"") {
				_, _ = fmt.Sscanf(rest[strings.LastIndexByte(rest, ' ')+1:], "%d", &open)
			}
		}
		if open == want {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s has %d connections, want %d", name, open, want)
		}
	}
}

// TestManyConnections: a client opens more connections than there is room for. A
// listener holds as many as it may and no more; the control listener, which has
// room of its own, answers all the while; and when the client goes, everybody
// who waited is served.
func TestManyConnections(t *testing.T) {
	const most = 8
	s := serve(t, setting{options: hasty(func(l *deploy.Listener) { l.MaxConnections = most })})
	for name, host := range map[string]string{"REST": s.rest, "MCP": s.mcp} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			var flood []net.Conn
			for range 5 * most {
				flood = append(flood, s.dial(host))
			}
			s.settle(host, most)
			if a := s.one(s.control, request(s.control, "GET /health/live", "")); a.status != http.StatusOK {
				t.Errorf("the control listener says %d", a.status)
			}
			waiting := s.dial(host)
			defer waiting.Close()
			if _, err := io.WriteString(waiting, request(host, "GET /nothing", "")); err != nil {
				t.Fatal(err)
			}
			for _, c := range flood {
				_ = c.Close()
			}
			if answers, err := parse(s.drain(waiting), http.MethodGet); err != nil || len(answers) != 1 {
				t.Errorf("who waited got %v, %v", answers, err)
			}
			s.settle(host, 0)
		})
	}
	if n := strings.Count(s.log.String(), "as many connections are open as may be"); n < 2 {
		t.Errorf("%d lines tell of it:\n%s", n, s.log)
	}
}

// TestShutdownWhileFull: a flood must not keep the process from ending.
func TestShutdownWhileFull(t *testing.T) {
	s := serve(t, setting{options: func(o *deploy.Options) { o.Listener.MaxConnections, o.Listener.ReadHeader = 2, 500*time.Millisecond }})
	for range 6 {
		defer s.dial(s.rest).Close()
	}
	s.settle(s.rest, 2)
	if err := s.engine.Shutdown(20 * time.Second); err != nil {
		t.Error(err)
	}
}
