package attack

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"patchbay/internal/deploy"
)

// fuzzListener sends arbitrary bytes to a listener. Whatever they are, what comes
// back is well-formed HTTP or nothing, the connection ends, and what reaches the
// upstream is a request that the file declares. A panic ends up in the log, where
// [serve] finds it.
func fuzzListener(f *testing.F, choose func(*target) string, seeds []string) {
	s := serve(f, setting{capability: loose, options: func(o *deploy.Options) { o.Limits.MaxBody = 64 << 10 }})
	host := choose(s)
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		s := *s
		s.t = t
		c := s.dial(host)
		defer c.Close()
		go func() {
			_, _ = c.Write(wire)
			_ = c.CloseWrite() // nothing follows, so the listener has to come to an end
		}()
		wellFormed(t, wire, s.drain(c))
		for _, r := range s.upstream.take() {
			_, target, _ := strings.Cut(r.line, " ")
			path, _, _ := strings.Cut(target, "?")
			parts := strings.Split(path, "/")
			item := len(parts) == 6 && parts[1] == "base" && parts[2] == "items" && parts[4] == "parts" && parts[3] != ".." && parts[5] != ".."
			if !item && path != "/base/picked" {
				t.Errorf("the upstream got %q", r.line)
			}
			if got := r.header["Authorization"]; len(got) != 1 || !strings.HasPrefix(got[0], "Basic QUNmMDBk") {
				t.Errorf("the upstream got the credentials %q", got)
			}
		}
		if strings.Contains(s.log.String(), "panic") {
			t.Fatalf("something panicked:\n%s", s.log.String())
		}
		s.log.reset()
	})
}

// reset forgets what was logged.
func (b *buffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}

// wellFormed reads what came back. An answer to HEAD looks as if its body were
// missing, and which of several requests an answer belongs to cannot be told from
// outside; so there only the beginning is looked at.
func wellFormed(t *testing.T, sent, got []byte) {
	t.Helper()
	if len(got) == 0 {
		return
	}
	if bytes.Contains(sent, []byte("HEAD")) {
		if !bytes.HasPrefix(got, []byte("HTTP/1.")) {
			t.Errorf("no HTTP: %q", got)
		}
		return
	}
	r := bufio.NewReader(bytes.NewReader(got))
	for {
		if _, err := r.Peek(1); err != nil {
			return
		}
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("no HTTP: %v in %q", err, got)
			return
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Errorf("half of an answer: %v in %q", err, got)
			return
		}
	}
}

// shapes are seeds for every listener: the forms that requests are cut by.
func shapes(line, body string) []string {
	head := line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
	return []string{
		request("127.0.0.1", line+"\nContent-Type: application/json", body),
		head + "Transfer-Encoding: chunked\r\n\r\n" + body + "\r\n",
		head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		head + "Content-Length: 1000\r\n\r\n" + body,
		head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
		strings.ReplaceAll(head+"\r\n", "\r\n", "\n"),
		strings.Replace(head, "1.1", "1.0", 1) + "\r\n",
		head + "Origin: https://evil.example\r\n\r\n", head + " folded\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	}
}

func FuzzREST(f *testing.F) {
	fuzzListener(f, func(s *target) string { return s.rest }, append(shapes("POST /items/a/b", `{"a":[1,"b"]}`),
		request("127.0.0.1", "GET /items/%2e%2e/b?q=a&tags=1&tags=2\nX-Tag: a\nCookie: flavour=b", ""), request("127.0.0.1", "GET /picked", ""),
		request("127.0.0.1", "POST /items/a/b\nIdempotency-Key: \"k\"\nContent-Type: application/x-www-form-urlencoded", "a=b&a=c&d=%20"),
		request("127.0.0.1", "GET /.patchbay/", ""), request("127.0.0.1", "GET /openapi.json", ""), request("127.0.0.1", "OPTIONS *", "")))
}

func FuzzMCP(f *testing.F) {
	seeds := shapes("POST /mcp", callMessage(legacyRevision, "read", `{"id":"a","part":"b"}`, ""))
	s := &target{mcp: "127.0.0.1"}
	for _, era := range eras {
		seeds = append(seeds, s.toolCall(era, "write", `{"id":"a","part":"b","body":{}}`, ""))
	}
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}`,
		`{"jsonrpc":"2.0","id":"x","method":"tools/list"}`, `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]`,
	} {
		seeds = append(seeds, request("127.0.0.1", "POST /mcp/-/readonly\nContent-Type: application/json\nMCP-Protocol-Version: 2025-03-26", body))
	}
	fuzzListener(f, func(s *target) string { return s.mcp }, seeds)
}

func FuzzControl(f *testing.F) {
	var seeds []string
	for _, ask := range []string{"GET /", "GET /status", "GET /metrics", "GET /traces", "POST /reload", "GET /health/live", "GET /health/ready", "GET /.patchbay/problems"} {
		seeds = append(seeds, request("127.0.0.1", ask+"\nX-Request-Id: a", ""))
	}
	fuzzListener(f, func(s *target) string { return s.control }, append(seeds, shapes("POST /reload", "{}")...))
}

// FuzzUpstream answers a call with arbitrary bytes. The caller gets one
// well-formed answer, and never a success that is no JSON.
func FuzzUpstream(f *testing.F) {
	var wire atomic.Pointer[[]byte]
	play := func(c net.Conn, _ *http.Request) { _, _ = c.Write(*wire.Load()) }
	s := serve(f, setting{capability: loose, upstream: hostile(f, play), options: func(o *deploy.Options) {
		o.Limits.MaxResponse, o.Limits.Header, o.Limits.Total = 1<<16, patience, patience
	}})
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n", "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.0 404 No\r\n\r\n{\"code\":20404}",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "HTTP/1.1 101 X\r\nUpgrade: y\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: //evil.example\r\n\r\n", "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n{}", "HTTP/2 200\r\n\r\n", "",
		"HTTP/1.1 429 Slow\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Type: text/html\r\n\r\n<p>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		s := *s
		s.t = t
		wire.Store(&answer)
		a := s.one(s.rest, request(s.rest, "GET /items/a/b", ""))
		if a.status < 200 || a.status > 599 || a.status == 200 && a.body != "" && !strings.Contains(a.header.Get("Content-Type"), "json") {
			t.Errorf("%d %v %q", a.status, a.header, a.body)
		}
		if strings.Contains(s.log.String(), "panic") {
			t.Fatalf("something panicked:\n%s", s.log.String())
		}
		s.log.reset()
	})
}
