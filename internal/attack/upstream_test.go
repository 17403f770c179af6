package attack

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
)

const most = 1 << 20 // what an upstream may answer in these tests, in bytes

// small bounds answers, and the time that an upstream may take.
func small(o *deploy.Options) {
	o.Limits.MaxResponse = most
	o.Limits.Header, o.Limits.Total = 2*time.Second, 2*time.Second
}

// bomb is a text of zeros that is a thousandth as large while it is compressed.
func bomb(t *testing.T, kind string, size int) string {
	var out bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&out)
	if kind == "deflate" {
		w = zlib.NewWriter(&out)
	}
	zeros := strings.Repeat("0", 1<<16)
	_, err := io.WriteString(w, `{"a":"`)
	for n := 0; n < size && err == nil; n += len(zeros) {
		_, err = io.WriteString(w, zeros)
	}
	_, _ = io.WriteString(w, `"}`)
	if closed := w.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	return out.String()
}

// TestHostileAnswers: an upstream, or who has taken its place, answers with what
// should exhaust the gateway or confuse its callers: bombs, floods, endless and
// contradictory answers, no JSON. Each call ends with one well-formed answer; what
// is not whole and valid is never passed on as a success, and the memory that it
// takes is bounded by what an answer may be.
func TestHostileAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	text := func(wire string) func(net.Conn) {
		return func(c net.Conn) { _, _ = io.WriteString(c, wire) }
	}
	flood := func(begin, again string) func(net.Conn) {
		return func(c net.Conn) {
			_, err := io.WriteString(c, begin)
			for err == nil {
				_, err = io.WriteString(c, strings.Repeat(again, 100))
			}
		}
	}
	encoded := func(coding, body string) string {
		return fmt.Sprintf("%sContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", ok, coding, len(body), body)
	}
	twice := bomb(t, "gzip", 1<<16)
	rows := []struct {
		name   string
		play   func(net.Conn)
		status int
	}{
		{"a bomb in gzip", text(encoded("gzip", bomb(t, "gzip", 8*most))), 502},
		{"a bomb in deflate, which was not asked for", text(encoded("deflate", bomb(t, "deflate", 8*most))), 502},
		{"gzip in gzip", text(encoded("gzip, gzip", twice)), 502},
		{"gzip that is none", text(encoded("gzip", `{"a":1}`)), 502},
		{"gzip that breaks off", text(encoded("gzip", twice[:len(twice)/2])), 502},
		{"informational answers without end", flood("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), 502},
		{"a header without end", flood(ok, "X-A: "+strings.Repeat("b", 100)+"\r\n"), 502},
		{"a line of a header without end", flood(ok+"X-A: ", strings.Repeat("b", 100)), 502},
		{"a status line without end", flood("HTTP/1.1 200 ", "OK"), 502},
		{"a body without end", flood(ok+"\r\n", strings.Repeat("0", 100)), 502},
		{"chunks without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat("0", 4096)+"\r\n"), 502},
		{"a chunk's extension without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n1;a=", "b"), 502},
		{"trailers without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "X-A: b\r\n"), 502},
		{"an announced body beyond the bound", text(fmt.Sprintf("%sContent-Length: %d\r\n\r\n{}", ok, most+1)), 502},
		{"an announced body beyond all bounds", text(ok + "Content-Length: 9223372036854775807\r\n\r\n{}"), 502},
		{"an announced body beyond 64 bits", text(ok + "Content-Length: 92233720368547758070\r\n\r\n{}"), 502},
		{"a body that breaks off", text(ok + "Content-Length: 100\r\n\r\n{}"), 502},
		{"two lengths", text(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), 502},
		{"more than was announced", text(ok + "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), 200},
		{"a length and chunks", text(ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), 200},
		{"another transfer coding", text(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), 502},
		{"a change of protocols", text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nevil"), 502},
		{"a status that is none", text("HTTP/1.1 999 Evil\r\nContent-Length: 2\r\n\r\n{}"), 502},
		{"another protocol", text("SSH-2.0-OpenSSH_9.6\r\n"), 502},
		{"NaN", text(ok + "\r\n" + `{"a":NaN}`), 502},
		{"two values", text(ok + "\r\n" + `{"a":1}{"b":2}`), 502},
		{"one name twice, which is passed on as it is", text(ok + "\r\n" + `{"a":1,"a":2}`), 200},
		{"no UTF-8", text(ok + "\r\n" + "{\"a\":\"\xff\"}"), 502},
		{"a NUL", text(ok + "\r\n" + "{\"a\":\"\x00\"}"), 502},
		{"a byte order mark", text(ok + "\r\n" + "\ufeff{}"), 502},
		{"UTF-16", text(ok + "\r\n" + "\xff\xfe{\x00}\x00"), 502},
		{"arrays in arrays", text(ok + "\r\n" + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), 502},
		{"a page under a success", text("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<script>evil()</script>"), 502},
		{"a number of 100 000 digits", text(ok + "\r\n" + `{"a":` + strings.Repeat("9", 100_000) + `}`), 200},
	}
	s := serve(t, setting{capability: loose, options: small, upstream: hostile(t, func(c net.Conn, r *http.Request) {
		if n, err := strconv.Atoi(strings.Split(r.URL.Path, "/")[3]); err == nil {
			rows[n].play(c)
		}
	})})
	for n, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := *s
			s.t = t
			a := s.one(s.rest, request(s.rest, fmt.Sprintf("GET /items/%d/b", n), ""))
			if a.status != row.status || len(a.body) > most || !json.Valid([]byte(a.body)) {
				t.Errorf("REST: %d %.300q", a.status, a.body)
			}
			if a.status == 200 && (strings.Contains(a.body, "evil") || len(a.header["X-A"]) > 0) {
				t.Errorf("REST: %v %.300q", a.header, a.body)
			}
			for _, era := range eras {
				a := s.one(s.mcp, s.toolCall(era, "read", fmt.Sprintf(`{"id":"%d","part":"b"}`, n), ""))
				var r struct {
					Result struct{ IsError bool }
				}
				if err := json.Unmarshal([]byte(a.body), &r); err != nil || r.Result.IsError != (row.status != 200) || len(a.body) > 2*most {
					t.Errorf("MCP %s: %v: %.300q", era, err, a.body)
				}
			}
		})
	}
}

// TestRedirects: an upstream sends the caller elsewhere, to have the gateway call
// another host, with the credentials of this one. Nobody is called; the answer is
// relayed as what it is.
func TestRedirects(t *testing.T) {
	elsewhere := newRecorder(t)
	s := serve(t, setting{capability: loose})
	for _, status := range []int{300, 301, 302, 303, 305, 307, 308} {
		for _, location := range []string{elsewhere.URL + "/stolen", "//" + strings.TrimPrefix(elsewhere.URL, "http://") + "/stolen", "/base/items/other/parts/b", "http://169.254.169.254/", "file:///etc/passwd"} {
			s.upstream.handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			for _, method := range []string{"GET", "POST"} {
				if a := s.one(s.rest, request(s.rest, method+" /items/a/b", "")); a.status != status {
					t.Errorf("%s, %d to %s: %d", method, status, location, a.status)
				}
				if n := len(s.upstream.take()); n != 1 {
					t.Errorf("%s, %d to %s: %d calls", method, status, location, n)
				}
			}
			s.one(s.mcp, s.toolCall(modernRevision, "read", `{"id":"a","part":"b"}`, ""))
			s.upstream.take()
		}
	}
	if stolen := elsewhere.lines(); stolen != nil {
		t.Errorf("the other host got %q", stolen)
	}
}

// TestRelayedHeaders: an upstream sets headers that would speak for the gateway,
// or to its callers' browsers: cookies, challenges, permissions for pages of other
// origins, another length, headers in the text of another one.
func TestRelayedHeaders(t *testing.T) {
	s := serve(t, setting{capability: loose, upstream: hostile(t, func(c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html; x=application/json\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Basic realm=evil\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n"+
			"Clear-Site-Data: \"*\"\r\nStrict-Transport-Security: max-age=1\r\nRefresh: 0; url=http://evil.example/\r\nService-Worker-Allowed: /\r\nPatchbay-Outcome: no_call\r\nPatchbay-Source: gateway\r\nX-Request-Id: evil\r\n"+
			"Content-Security-Policy: default-src *\r\nX-Content-Type-Options: sniff\r\nConnection: close\r\nTrailer: X-Evil\r\nTransfer-Encoding: chunked\r\nEtag: \"a\r\n b\"\r\n\r\n2\r\n{}\r\n0\r\nX-Evil: 1\r\n\r\n")
	})})
	a := s.one(s.rest, request(s.rest, "GET /items/a/b", ""))
	got := http.Header{}
	for name, values := range a.header {
		if name != "Date" && name != "Content-Length" {
			got[name] = values
		}
	}
	want := map[string]string{"Content-Type": "application/json", "Patchbay-Source": "upstream", "X-Content-Type-Options": "nosniff", "Etag": `"a b"`}
	for name, value := range want {
		if values := got[name]; len(values) != 1 || values[0] != value {
			t.Errorf("%s: %q, want %q", name, values, value)
		}
		delete(got, name)
	}
	delete(got, "X-Request-Id")
	if len(got) > 0 || a.body != "{}" || a.header.Get("X-Request-Id") == "evil" {
		t.Errorf("relayed %v with %q", got, a.body)
	}
}
