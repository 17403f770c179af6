package attack

import (
	"strings"
	"testing"
)

// smuggled is the request that an attacker hides behind or within another one.
// It must never reach the upstream.
const smuggled = "GET /items/smuggled/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

// TestSmuggling: a caller behind a shared proxy sends bytes that the proxy and
// the gateway may cut into requests differently, to have a request of its own
// taken for somebody else's. What comes in as one request makes at most one
// upstream request, with exactly what was meant, and after whatever is doubtful
// the connection ends, so that what follows it is not read as a request.
func TestSmuggling(t *testing.T) {
	s := serve(t, setting{capability: loose})
	const (
		line    = "POST /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		whole   = `{"n":1}`
		chunks  = "7\r\n" + whole + "\r\n0\r\n\r\n"
		written = `POST /base/items/a/parts/b {"n":1}`
		read    = "GET /base/items/a/parts/b"
	)
	for _, row := range []struct {
		name, wire string
		status     int
		upstream   []string
	}{
		{"Content-Length and Transfer-Encoding", line + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + smuggled, 200, []string{written}},
		{"Transfer-Encoding and a Content-Length that covers more", line + "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n\r\n" + chunks + smuggled, 200, []string{written}},
		{"Transfer-Encoding with an empty body first", line + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 0, nil},
		{"two Content-Lengths", line + "Content-Length: 7\r\nContent-Length: 0\r\n\r\n" + whole + smuggled, 400, nil},
		{"a list as Content-Length", line + "Content-Length: 7, 7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a signed Content-Length", line + "Content-Length: +7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a negative Content-Length", line + "Content-Length: -7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a hexadecimal Content-Length", line + "Content-Length: 0x7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a Content-Length beyond 64 bits", line + "Content-Length: 18446744073709551623\r\n\r\n" + whole + smuggled, 400, nil},
		{"an empty Content-Length", line + "Content-Length:\r\n\r\n" + whole + smuggled, 400, nil},
		{"another Transfer-Encoding", line + "Transfer-Encoding: xchunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 501, nil},
		{"a second Transfer-Encoding", line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunks + smuggled, 501, nil},
		{"a list of Transfer-Encodings", line + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks + smuggled, 501, nil},
		{"Transfer-Encoding identity", line + "Transfer-Encoding: identity\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 501, nil},
		{"a space before the colon", line + "Transfer-Encoding : chunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a space before the name", line + "Content-Length: 7\r\n Transfer-Encoding: chunked\r\n\r\n" + whole + smuggled, 400, nil},
		{"a vertical tab before the value", line + "Transfer-Encoding: \x0bchunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a NUL in the name", line + "Transfer-\x00Encoding: chunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a bare CR in a value", line + "X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 400, nil},
		{"a quoted Transfer-Encoding", line + "Transfer-Encoding: \"chunked\"\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 501, nil},
		{"a bare LF after a chunk's size", line + "Transfer-Encoding: chunked\r\n\r\n7\n" + whole + "\r\n0\r\n\r\n" + smuggled, 400, nil},
		{"a bare LF in a chunk's extension", line + "Transfer-Encoding: chunked\r\n\r\n7;a\nb\r\n" + whole + "\r\n0\r\n\r\n" + smuggled, 400, nil},
		{"a chunk's extension", line + "Transfer-Encoding: chunked\r\n\r\n7;a=b\r\n" + whole + "\r\n0\r\n\r\n" + smuggled, 200, []string{written}},
		{"a chunk longer than its size", line + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + whole + "\r\n0\r\n\r\n" + smuggled, 400, nil},
		{"a chunk's size beyond 64 bits", line + "Transfer-Encoding: chunked\r\n\r\n10000000000000007\r\n" + whole + "\r\n0\r\n\r\n" + smuggled, 400, nil},
		{"a signed chunk's size", line + "Transfer-Encoding: chunked\r\n\r\n+7\r\n" + whole + "\r\n0\r\n\r\n" + smuggled, 400, nil},
		{"a trailer that would be a header", line + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n7\r\n" + whole + "\r\n0\r\nAuthorization: Basic YTpi\r\nHost: evil.example\r\n\r\n" + smuggled, 200, []string{written}},
		{"HTTP/1.0 with both", strings.Replace(line, "1.1", "1.0", 1) + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 200, []string{written}},
		{"bare LF everywhere", strings.ReplaceAll(line+"Content-Length: 7\r\nConnection: close\r\n\r\n", "\r\n", "\n") + whole + smuggled, 200, []string{written}},
		{"a folded header", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tag: a\r\n Connection: keep-alive\r\nConnection: close\r\n\r\n" + smuggled, 200, []string{read}},
		{"a body on GET", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 7\r\n\r\n" + whole + smuggled, 200, []string{read}},
		{"a chunked body on GET", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + smuggled, 200, []string{read}},
		{"an absolute target", "GET http://127.0.0.1/items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" + smuggled, 200, []string{read}},
		{"an absolute target elsewhere", "GET http://evil.example/items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" + smuggled, 403, nil},
		{"two Hosts", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n" + smuggled, 400, nil},
		{"no Host", "GET /items/a/b HTTP/1.1\r\n\r\n" + smuggled, 400, nil},
		{"no Host in HTTP/1.0", "GET /items/a/b HTTP/1.0\r\n\r\n" + smuggled, 403, nil},
		{"HTTP/0.9", "GET /items/a/b\r\n\r\n" + smuggled, 400, nil},
		{"HTTP/1.2", "GET /items/a/b HTTP/1.2\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" + smuggled, 200, []string{read}},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + smuggled, 403, nil},
		{"a space in the target", "GET /items/a/b HTTP/1.1\x20x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + smuggled, 400, nil},
		{"a control character in the target", "GET /items/a/\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + smuggled, 400, nil},
		{"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n" + smuggled, 403, nil},
		{"an upgrade to HTTP/2", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" + smuggled, 200, []string{read}},
		{"an upgrade to WebSocket", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n" + smuggled, 200, []string{read}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := *s
			s.t = t
			answers := s.send(s.rest, row.wire)
			if len(answers) != 1 || row.status != 0 && answers[0].status != row.status {
				t.Errorf("got %v, want one answer with %d", answers, row.status)
			}
			if row.status == 0 && row.upstream == nil {
				for _, got := range s.upstream.lines() {
					if strings.Contains(got, "smuggled") {
						t.Errorf("the upstream got %q", got)
					}
				}
				return
			}
			s.expect(row.upstream...)
		})
	}
}

// TestSmugglingOnEveryListener: the same, in the shapes that matter most, against
// MCP and the control listener. There the hidden request would be a call of a
// tool, or a reload.
func TestSmugglingOnEveryListener(t *testing.T) {
	s := serve(t, setting{capability: loose})
	call := callMessage(legacyRevision, "write", `{"id":"smuggled","part":"x"}`, "")
	hidden := strings.Replace(request(s.mcp, "POST /mcp\nContent-Type: application/json", call), "Connection: close\r\n", "", 1)
	for name, host := range s.listeners() {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			line := "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
			for _, wire := range []string{
				line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
				line + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
				line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + hidden,
				strings.Replace(line, "1.1", "1.0", 1) + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + hidden,
				line + "Content-Length: 0\r\nX: a\r\r\n\r\n" + hidden,
			} {
				if answers := s.send(host, wire); len(answers) != 1 || answers[0].status < 400 {
					t.Errorf("%q: %v", wire, answers)
				}
				s.expect()
			}
		})
	}
}
