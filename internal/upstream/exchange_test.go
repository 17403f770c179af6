package upstream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"patchbay/internal/secret"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
)

// TestBodyBound: the bound holds for what comes out of decompression, whether
// or not a length was announced.
func TestBodyBound(t *testing.T) {
	const limit = 1000
	var size int
	var form string
	upstream := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := bytes.Repeat([]byte("x"), size)
		switch form {
		case "chunked":
			_ = http.NewResponseController(w).Flush()
		case "gzip":
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(body)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			body = b.Bytes()
		}
		_, _ = w.Write(body)
	})
	c := client(t, Endpoint{BaseURL: upstream.URL}, func(o *Options) { o.MaxBody = limit })
	for _, form = range []string{"announced", "chunked", "gzip"} {
		for _, size = range []int{0, 1, limit - 1, limit, limit + 1, 100 * limit} {
			_, body, f := do(t.Context(), c, get())
			switch {
			case size <= limit && (f != nil || len(body) != size):
				t.Errorf("%s, %d bytes: got %d and %v", form, size, len(body), f)
			case size > limit && (f == nil || f.Kind != fault.Limit || f.Outcome != fault.Answered || f.UpstreamStatus != 200):
				t.Errorf("%s, %d bytes: got %+v, want the limit", form, size, f)
			}
		}
	}
}

// TestRedirectsAreAnswers: where an upstream points to is its caller's affair.
func TestRedirectsAreAnswers(t *testing.T) {
	var calls atomic.Int32
	upstream := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	c := client(t, Endpoint{BaseURL: upstream.URL}, nil)
	for _, r := range []*Request{get(), post(`{}`)} {
		calls.Store(0)
		if status, _, f := do(t.Context(), c, r); status != http.StatusTemporaryRedirect || f != nil || calls.Load() != 1 {
			t.Errorf("%s: status %d, %v, %d requests", r.Method, status, f, calls.Load())
		}
	}
}

// TestConnectionsAreKept: one after the other, calls share a connection,
// whatever their answers were.
func TestConnectionsAreKept(t *testing.T) {
	var opened atomic.Int32
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, strings.Repeat("x", 100<<10))
		case http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	upstream.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	upstream.Start()
	defer upstream.Close()
	c := client(t, Endpoint{BaseURL: upstream.URL}, nil)
	remove := get()
	remove.Method = http.MethodDelete
	for range 5 {
		for _, r := range []*Request{get(), post(`{}`), remove} {
			if _, _, f := do(t.Context(), c, r); f != nil {
				t.Fatal(f)
			}
		}
	}
	if opened.Load() != 1 {
		t.Errorf("15 calls opened %d connections, want 1", opened.Load())
	}
}

// brokenConn is a kept connection that the other side has closed without this
// side noticing: reading waits, and the first write finds out, with no byte sent.
type brokenConn struct {
	net.Conn
	mu     sync.Mutex
	broken bool
}

func (c *brokenConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	broken := c.broken
	c.mu.Unlock()
	if broken {
		_ = c.Close()
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: io.ErrClosedPipe}
	}
	return c.Conn.Write(p)
}

// TestStaleConnection: a write that finds its kept connection closed goes out
// on a fresh one, and arrives once.
func TestStaleConnection(t *testing.T) {
	var received atomic.Int32
	var first *brokenConn
	c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
	dials := 0
	c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			for r := bufio.NewReader(far); ; {
				if _, body, err := readRequest(r); err != nil || body != `{"n":1}` {
					return
				}
				received.Add(1)
				if _, err := io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
					return
				}
			}
		}()
		dials++
		if dials == 1 {
			first = &brokenConn{Conn: near}
			return first, nil
		}
		return near, nil
	}
	if _, _, f := do(t.Context(), c, post(`{"n":1}`)); f != nil {
		t.Fatal(f)
	}
	first.mu.Lock()
	first.broken = true
	first.mu.Unlock()
	if status, _, f := do(t.Context(), c, post(`{"n":1}`)); status != 200 || f != nil {
		t.Errorf("the second call: status %d, %v", status, f)
	}
	if received.Load() != 2 || dials != 2 {
		t.Errorf("%d requests arrived over %d connections, want 2 over 2", received.Load(), dials)
	}
}

// TestClosingServer: whichever side is faster when a server closes kept
// connections, no request arrives twice, and one that is reported as not sent
// has not arrived.
func TestClosingServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	arrived := map[string]int{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close() // at once after the first answer, which promises to keep it
				_, body, err := readRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				mu.Lock()
				arrived[body]++
				mu.Unlock()
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			})
		}
	})
	c := client(t, Endpoint{BaseURL: "http://" + l.Addr().String()}, nil)
	for n := range 50 {
		body := `{"n":` + strings.Repeat("1", n+1) + `}`
		_, _, f := do(t.Context(), c, post(body))
		mu.Lock()
		times := arrived[body]
		mu.Unlock()
		switch {
		case times > 1:
			t.Errorf("request %d arrived %d times", n, times)
		case f == nil && times != 1:
			t.Errorf("request %d was answered and arrived %d times", n, times)
		case f != nil && f.Outcome == fault.NotSent && times != 0:
			t.Errorf("request %d was not sent and arrived", n)
		case f != nil && f.Outcome != fault.NotSent && f.Outcome != fault.Unknown:
			t.Errorf("request %d: %+v", n, f)
		}
	}
	_ = l.Close()
	serving.Wait()
}

// TestSigning: each scheme adds what it has to and nothing else.
func TestSigning(t *testing.T) {
	var got *http.Request
	upstream := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r })
	signer := func(s auth.Signer, err error) auth.Signer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	key := secret.New("s3cret&=")
	for _, test := range []struct {
		name   string
		signer auth.Signer
		want   []string
	}{
		{"none", auth.Signer{}, []string{"/v1/parcels/1?a=b", "X-Trace: 7"}},
		{"basic", signer(auth.Basic(secret.New("me"), key)), []string{"/v1/parcels/1?a=b", "Authorization: Basic bWU6czNjcmV0Jj0=", "X-Trace: 7"}},
		{"bearer", signer(auth.Bearer(key)), []string{"/v1/parcels/1?a=b", "Authorization: Bearer s3cret&=", "X-Trace: 7"}},
		{"key in a header", signer(auth.APIKey("x-key", key, auth.InHeader, url.QueryEscape)), []string{"/v1/parcels/1?a=b", "X-Key: s3cret&=", "X-Trace: 7"}},
		{"key in the query", signer(auth.APIKey("key", key, auth.InQuery, url.QueryEscape)), []string{"/v1/parcels/1?a=b&key=s3cret%26%3D", "X-Trace: 7"}},
		{"key in a cookie", signer(auth.APIKey("key", key, auth.InCookie, url.QueryEscape)), []string{"/v1/parcels/1?a=b", "Cookie: c=d; key=s3cret&=", "X-Trace: 7"}},
	} {
		c := client(t, Endpoint{BaseURL: upstream.URL + "/v1/", Signer: test.signer}, func(o *Options) { o.UserAgent = "patchbay/test" })
		r := get()
		r.Path = c.Prefix() + r.Path
		r.Query, r.Header = "a=b", http.Header{"X-Trace": {"7"}}
		if test.name == "key in a cookie" {
			r.Cookie = "c=d"
		}
		if _, _, f := do(t.Context(), c, r); f != nil {
			t.Fatal(f)
		}
		lines := []string{got.RequestURI}
		for _, name := range []string{"Authorization", "Cookie", "X-Key", "X-Trace"} {
			for _, v := range got.Header[name] {
				lines = append(lines, name+": "+v)
			}
		}
		if diff := cmp.Diff(test.want, lines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if agent, accept := got.UserAgent(), got.Header.Get("Accept"); agent != "patchbay/test" || accept != "application/json" {
			t.Errorf("%s: User-Agent %q, Accept %q", test.name, agent, accept)
		}
	}
}

// TestTargets: paths go out as they were escaped, bodies with their length.
func TestTargets(t *testing.T) {
	var target, kind string
	var length int64
	upstream := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		target, length, kind = r.RequestURI, r.ContentLength, r.Header.Get("Content-Type")
	})
	for _, test := range []struct {
		base, path, query string
		body              []byte
		want              string
	}{
		{"", "/a", "", nil, "/a"},
		{"/v1", "/a%2Fb/%7Bx%7D", "", nil, "/v1/a%2Fb/%7Bx%7D"},
		{"/v1/", "/a", "q=%2F", []byte(`{}`), "/v1/a?q=%2F"},
		{"/v%2F1", "/a", "", nil, "/v%2F1/a"},
		{"/v1", "/Interactions/KD1/Channels/UO1.json", "", []byte{}, "/v1/Interactions/KD1/Channels/UO1.json"},
		{"/v1", "/(a)*'~;,=:@$", "", nil, "/v1/(a)*'~;,=:@$"},
	} {
		c := client(t, Endpoint{BaseURL: upstream.URL + test.base}, nil)
		r := post("")
		r.Path, r.Query, r.Body = c.Prefix()+test.path, test.query, test.body
		if _, _, f := do(t.Context(), c, r); f != nil {
			t.Fatal(f)
		}
		if target != test.want || length != int64(len(test.body)) || (kind != "") != (test.body != nil) {
			t.Errorf("got %s with %d bytes of %q, want %s with %d", target, length, kind, test.want, len(test.body))
		}
	}
}

// TestMissing: without credentials nothing is sent.
func TestMissing(t *testing.T) {
	missing := fault.New(fault.Unconfigured, "no credentials: KEY is not set")
	c := client(t, Endpoint{Missing: missing}, nil)
	if _, err := c.Do(t.Context(), get()); err != error(missing) {
		t.Errorf("got %v", err)
	}
	if c.BaseURL() != "" || c.Missing() != missing {
		t.Errorf("base %q, missing %v", c.BaseURL(), c.Missing())
	}
	if _, err := NewClient(Endpoint{Namespace: "parcels"}, Defaults()); err == nil {
		t.Error("a client without an address was made")
	}
}

func TestParseBase(t *testing.T) {
	for address, want := range map[string]string{
		"https://api.example/v1":     "https://api.example/v1",
		"https://api.example/v1///":  "https://api.example/v1",
		"http://[::1]:8080":          "http://[::1]:8080",
		"https://api.example/a%2Fb/": "https://api.example/a%2Fb",
		"ftp://api.example":          "",
		"api.example/v1":             "",
		"https://":                   "",
		"https://me:pw@api.example":  "",
		"https://api.example?a=b":    "",
		"https://api.example#a":      "",
		"https://a b":                "",
		"":                           "",
	} {
		u, err := ParseBase(address)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was accepted as %s", address, u)
		case want == "" && strings.Contains(err.Error(), "pw"):
			t.Errorf("%q: the password is in %v", address, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%q: got %v, %v, want %s", address, u, err, want)
		}
	}
}

// FuzzParseBase: what is accepted stays what it is when it is read again, and
// carries no credentials.
func FuzzParseBase(f *testing.F) {
	f.Add("https://flex-api.twilio.com/v1")
	f.Add("http://127.0.0.1:1/%2F/")
	f.Fuzz(func(t *testing.T, address string) {
		u, err := ParseBase(address)
		if err != nil {
			return
		}
		if u.User != nil || u.Host == "" {
			t.Errorf("%q was accepted", address)
		}
		again, err := ParseBase(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q became %q, which reads as %v, %v", address, u, again, err)
		}
	})
}

// TestCompression: a compressed answer arrives as if it had come without, and
// nobody is asked for one whose parts or length are wanted.
func TestCompression(t *testing.T) {
	var asked []string
	upstream := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header["Accept-Encoding"]
		w.Header().Set("Content-Encoding", "GZIP")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`{"sid":"KD1"}`))
		_ = z.Close()
	})
	c := client(t, Endpoint{BaseURL: upstream.URL}, nil)
	response, err := c.Do(t.Context(), get())
	if err != nil || string(response.Body) != `{"sid":"KD1"}` || response.Header["Content-Encoding"] != nil || response.Header["Content-Length"] != nil {
		t.Fatalf("%v, %+v", err, response)
	}
	response.Release()
	for name, r := range map[string]*Request{
		"head":  {Method: http.MethodHead, Path: "/"},
		"range": {Method: http.MethodGet, Path: "/", Header: http.Header{"Range": {"bytes=0-3"}}},
	} {
		response, err := c.Do(t.Context(), r)
		if err != nil || asked != nil || response.Header.Get("Content-Encoding") != "GZIP" {
			t.Errorf("%s: %v, asked for %q, %+v", name, err, asked, response)
		}
	}
}
