package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recorder is an upstream on a real socket: it keeps every request as it came
// over the wire and answers by script.
type recorder struct {
	*httptest.Server
	mu       sync.Mutex
	requests []recorded
	answer   http.HandlerFunc
}

// recorded is a request with the bytes it was made of.
type recorded struct {
	raw            string
	method, target string
	header         http.Header
	body           string
}

func newRecorder(t testing.TB) *recorder {
	u := &recorder{}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(u.serve))
	u.Listener = tapListener{u.Listener}
	u.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, tapKey{}, c)
	}
	u.Start()
	t.Cleanup(u.Close)
	return u
}

func (u *recorder) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	tap := r.Context().Value(tapKey{}).(*tapConn)
	u.mu.Lock()
	u.requests = append(u.requests, recorded{raw: tap.take(), method: r.Method, target: r.RequestURI, header: r.Header, body: string(body)})
	answer := u.answer
	u.mu.Unlock()
	answer(w, r)
}

// script says how the requests that follow are answered, and forgets those
// that were.
func (u *recorder) script(answer http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer, u.requests = answer, nil
}

// take returns the requests since the script was set or they were taken last.
func (u *recorder) take() []recorded {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.requests
	u.requests = nil
	return taken
}

// String shows a request for reading: headers sorted, without the address of
// the test's own server, and basic credentials decoded.
func (r *recorded) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.method, r.target)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		for _, value := range r.header[name] {
			if name == "Authorization" {
				plain := http.Request{Header: r.header}
				if user, password, ok := plain.BasicAuth(); ok {
					value = "Basic <" + user + ":" + password + ">"
				}
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if r.body != "" {
		fmt.Fprintf(&b, "\n%s\n", r.body)
	}
	return b.String()
}

type tapKey struct{}

// tapListener hands out connections that remember what was read from them.
type tapListener struct{ net.Listener }

func (l tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tapConn{Conn: c}, nil
}

type tapConn struct {
	net.Conn
	mu   sync.Mutex
	read bytes.Buffer
}

func (c *tapConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.Write(p[:n])
	return n, err
}

// take returns what was read since the last request: its client waits for the
// answer before it sends another, so that is one request.
func (c *tapConn) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.read.Reset()
	return c.read.String()
}

// answers returns a script that answers with a status, header lines and a body.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range header {
			name, value, _ := strings.Cut(line, ":")
			w.Header().Add(name, strings.TrimSpace(value))
		}
		if body != "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// answersJSON is answers for the usual media type.
func answersJSON(status int, body string, header ...string) http.HandlerFunc {
	return answers(status, body, append([]string{"Content-Type: application/json; charset=utf-8"}, header...)...)
}

// cuts closes the connection without an answer.
func cuts(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// hangs never answers. It ends when the client gives up.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
