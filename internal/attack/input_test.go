package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// TestHugeHeaders: a client sends headers that are long, many or both. They are
// refused before anything is called, and the connection ends.
func TestHugeHeaders(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for name, host := range s.listeners() {
		for _, row := range []struct{ what, head string }{
			{"a value", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tag: " + strings.Repeat("a", 100<<10) + "\r\n\r\n"},
			{"a name", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Repeat("a", 100<<10) + ": b\r\n\r\n"},
			{"many", "GET /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Repeat("X-Tag: a\r\n", 10_000) + "\r\n"},
			{"a target", "GET /items/a/" + strings.Repeat("b", 100<<10) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"},
			{"a method", strings.Repeat("G", 100<<10) + " /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"},
			{"no end", strings.Repeat("G", 300<<10)},
			{"trailers", "POST /items/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + strings.Repeat("X-Tag: a\r\n", 10_000) + "\r\n"},
		} {
			for _, a := range s.send(host, row.head) {
				if a.status < 400 || len(a.body) > 2000 {
					t.Errorf("%s, %s: %d with %d bytes", name, row.what, a.status, len(a.body))
				}
			}
			s.expect()
		}
	}
}

// TestHostileBodies: a caller sends bodies that cost far more to read than to
// send, or that two readers read differently. Each is refused with one
// well-formed answer and nothing is called, or it passes on as what it is.
func TestHostileBodies(t *testing.T) {
	const bound = 256 << 10
	s := serve(t, setting{capability: loose, options: func(o *deploy.Options) { o.Limits.MaxBody = bound }})
	nested := func(n int) string {
		return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	for _, row := range []struct {
		name, body string
		status     int
	}{
		{"larger than the bound", `{"a":"` + strings.Repeat("a", 2*bound) + `"}`, 413},
		{"arrays in arrays", nested(10_000), 400},
		{"objects in objects", strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), 400},
		{"arrays without their ends", strings.Repeat("[", 100_000), 400},
		{"as deep as may be", nested(100), 200},
		{"a number of 100 000 digits", `{"a":` + strings.Repeat("9", 100_000) + `}`, 200},
		{"an exponent beyond all bounds", `{"a":1e` + strings.Repeat("9", 1000) + `}`, 200},
		{"no number", `{"a":NaN}`, 400},
		{"infinity", `{"a":-Infinity}`, 400},
		{"one name twice", `{"a":1,"a":2}`, 400},
		{"one name twice, escaped", `{"a":1,"\u0061":2}`, 400},
		{"no UTF-8", "{\"a\":\"\xff\"}", 400},
		{"half of a pair", `{"a":"\ud800"}`, 400},
		{"a NUL", "{\"a\":\"\x00\"}", 400},
		{"two values", `{}{}`, 400},
		{"a comment", `{/**/}`, 400},
		{"a byte order mark", "\ufeff{}", 400},
		{"a prototype", `{"__proto__":{"x":1},"constructor":{"prototype":{}}}`, 200},
		{"20 000 names", manyNames(20_000), 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := *s
			s.t = t
			a := s.one(s.rest, request(s.rest, "POST /items/a/b\nContent-Type: application/json", row.body))
			if a.status != row.status || !json.Valid([]byte(a.body)) {
				t.Errorf("REST: %d %.300q", a.status, a.body)
			}
			came := s.upstream.take()
			if (len(came) == 1) != (row.status == 200) || len(came) == 1 && came[0].body != row.body {
				t.Errorf("REST: the upstream got %.300q", came)
			}
			for _, era := range eras {
				a := s.one(s.mcp, s.toolCall(era, "write", `{"id":"a","part":"b","body":`+row.body+`}`, ""))
				if !json.Valid([]byte(a.body)) {
					t.Errorf("MCP %s: %d %.300q", era, a.status, a.body)
				}
				came := s.upstream.take()
				if (len(came) == 1) != (row.status == 200) || len(came) == 1 && came[0].body != row.body {
					t.Errorf("MCP %s: the upstream got %.300q", era, came)
				}
			}
		})
	}
}

func manyNames(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"%x":1,`, i)
	}
	return b.String() + `"z":1}`
}

// TestMediaTricks: a caller says that a body is something else than it is, or
// packed, so that who looks at it before the gateway sees another thing.
func TestMediaTricks(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, row := range []struct {
		head, body string
		status     int
	}{
		{"Content-Type: text/plain", "{}", 415},
		{"Content-Type: multipart/form-data; boundary=x", "--x\r\n\r\n--x--", 415},
		{"Content-Type: application/xml", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", 415},
		{"Content-Type: application/json\nContent-Type: text/plain", "{}", 415},
		{"Content-Type: application/json\nContent-Encoding: gzip", "{}", 415},
		{"Content-Type: application/json\nContent-Encoding: identity, gzip", "{}", 415},
		{"Content-Type: application/json; charset=utf-16", "{\x00}\x00", 400},
		{"Content-Type: application/x-www-form-urlencoded", strings.Repeat("a=b&", 100_000), 400},
		{"Content-Type: application/x-www-form-urlencoded", "a=%zz", 400},
		{"Content-Type: application/x-www-form-urlencoded", strings.Repeat("[a]", 10_000) + "=b", 200},
	} {
		a := s.one(s.rest, request(s.rest, "POST /items/a/b\n"+row.head, row.body))
		if a.status != row.status {
			t.Errorf("%s: %d %.300s", row.head, a.status, a.body)
		}
		if n := len(s.upstream.take()); (n == 1) != (row.status == 200) {
			t.Errorf("%s: %d calls", row.head, n)
		}
	}
	for _, head := range []string{"Content-Type: text/plain", "Content-Type: application/json\nContent-Encoding: gzip", "Content-Type: application/json\nContent-Type: application/json", ""} {
		a := s.one(s.mcp, request(s.mcp, strings.TrimRight("POST /mcp\n"+head, "\n"), callMessage(legacyRevision, "read", `{"id":"a","part":"b"}`, "")))
		if a.status != http.StatusUnsupportedMediaType {
			t.Errorf("MCP, %s: %d", head, a.status)
		}
		s.expect()
	}
}

// TestEcho: what a caller sends comes back in messages. It does not become
// structure there: answers are JSON in UTF-8 on every listener, and no page.
func TestEcho(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, value := range []string{"<script>alert(1)</script>", "%22,%22status%22:200,%22x%22:%22", "%0d%0aSet-Cookie:%20a=b", "%ff%fe", "%ed%a0%80", "%e2%80%a8", strings.Repeat("a", 30_000)} {
		for name, host := range s.listeners() {
			for _, ask := range []string{"GET /" + value, "GET /items/" + value + "/%2e%2e", "GET /items/a/b?id=" + value + "&q=1&q=" + value, "GET /mcp/" + value, "GET /mcp/-/tool=" + value, "POST /mcp\nContent-Type: " + value, "GET /nothing\nX-Request-Id: " + value} {
				a := s.one(host, request(host, ask, ""))
				if a.status == 200 && strings.HasPrefix(ask, "GET /items/a/b") {
					continue
				}
				if !json.Valid([]byte(a.body)) || !strings.Contains(a.header.Get("Content-Type"), "json") || a.header.Get("Set-Cookie") != "" || len(a.body) > 4000 || strings.ContainsAny(a.header.Get("X-Request-Id"), "<%,") {
					t.Errorf("%s: %.80s: %v %.300q", name, ask, a.header, a.body)
				}
			}
		}
	}
	s.upstream.take()
}
