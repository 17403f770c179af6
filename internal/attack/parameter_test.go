package attack

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// hostileValues are what a caller, or a model that reads a hostile page, may put
// where a name or a number is expected.
var hostileValues = []string{
	"..", ".", "../..", "../../admin", "..%2f..%2fadmin", "%2e%2e", "%2e%2e%2fadmin", "%252e%252e%252f", "%2F", "/", "//", "//evil.example", "a//b", "a/../../b",
	"a;b", "..;", "..;/admin", ";/..", "a?b=c", "?", "#", "a#b", "\\", "..\\..\\admin", "\\\\evil.example\\x", "@evil.example", ":80@evil.example/", "user:pass@evil.example",
	"http://169.254.169.254/latest/meta-data/", "https://evil.example/", "http:evil.example", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "[::1]", "127.0.0.1", "0x7f000001",
	"a&q=b", "a=b&c", "%", "%zz", "%00", "+", " ", "a b", "\u2025/", "\uff0e\uff0e\uff0f", "\u00e9", "\U0001f600", "%c0%ae%c0%ae%c0%af", "..%c0%af", "{{env.TWILIO_PASS}}", "${TWILIO_PASS}", "{id}", "$.", "*", "~", "",
}

// controls are what would end a line, or a text, in the hands of what is careless.
var controls = []string{"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\x00b", "\x00", "a\r\n\r\nGET /admin HTTP/1.1\r\nHost: evil\r\n\r\n", "\x7f", "\x1b[2J", "a\u0085b", "a\u2028b", "a\tb"}

// TestPathTricks: a caller gives values that would lead to another resource, or
// to another server, if they were put into the address as they are: dot segments,
// slashes and their encodings, queries, users, whole addresses. The upstream gets
// the path that the file declares, with the value as one segment of it, or nothing.
func TestPathTricks(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, value := range append(slices.Clone(hostileValues), controls...) {
		wires := map[string]struct{ host, wire string }{
			"REST": {s.rest, request(s.rest, "GET /items/"+url.PathEscape(value)+"/b", "")},
		}
		for _, era := range eras {
			wires[era] = struct{ host, wire string }{s.mcp, s.toolCall(era, "read", `{"id":`+quote(value)+`,"part":"b"}`, "")}
		}
		for name, w := range wires {
			s.one(w.host, w.wire)
			for _, r := range s.upstream.take() {
				method, target, _ := strings.Cut(r.line, " ")
				segment, ok := strings.CutPrefix(target, "/base/items/")
				segment, ends := strings.CutSuffix(segment, "/parts/b")
				plain, err := url.PathUnescape(segment)
				if method != "GET" || !ok || !ends || strings.ContainsAny(segment, "/?#;\\@:&+ ") || err != nil || plain != value {
					t.Errorf("%s %q: the upstream got %q", name, value, r.line)
				}
				if plain == "." || plain == ".." || r.header.Get("X-Evil") != "" {
					t.Errorf("%s %q: the upstream got %q", name, value, r.line)
				}
			}
		}
	}
}

// TestRawPaths: the same by paths that a careful client would never send. No
// route is found by another spelling of it, so that what guards a path by its
// spelling, such as a proxy, guards it.
func TestRawPaths(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, path := range []string{
		"/items/../items/a/b", "/./items/a/b", "//items/a/b", "/items//a/b", "/items/a/b/", "/items/a/b/..", "/items/a/b/.", "/%69tems/a/b", "/ITEMS/a/b", "/items/a/b;x=y/c",
		"/items\\a\\b", "/items/a%2fb", "/x/%2e%2e/items/a/b", "/items/a/b/%2e%2e/%2e%2e", "/items/..%2f..%2fadmin/b", "/items/a/%2e%2e", "/items/a/%2E", "/items/a/..", "/items/a/%00", "/items/a/%zz", "/items/a/%ff",
		"*", "/items/a/%252e%252e", "/.patchbay/../items/a/b", "/.patchbay/%2e%2e/items/a/b", "/items/a/b?id=c&part=d", "/items/a/;b",
	} {
		a := s.one(s.rest, request(s.rest, "GET "+path, ""))
		for _, line := range s.upstream.lines() {
			// Only what has exactly the route's shape comes through, and then encoded.
			want := map[string]string{
				"/items/a/%252e%252e": "GET /base/items/a/parts/%252e%252e", "/items/a/b?id=c&part=d": "GET /base/items/a/parts/b", "/items/a/;b": "GET /base/items/a/parts/%3Bb",
				// The same path by RFC 3986 section 6.2.2.2, which proxies know too.
				"/%69tems/a/b": "GET /base/items/a/parts/b",
			}[path]
			if line != want {
				t.Errorf("%s (%d): the upstream got %q", path, a.status, line)
			}
		}
		if a.status == 200 && strings.Contains(path, "..") {
			t.Errorf("%s is answered with %s", path, a.body)
		}
	}
}

// TestHeaderInjection: a caller gives values with line ends and control
// characters for a header, a cookie and a query of the upstream's request. They
// are refused or encoded; no header, parameter or request comes of them.
func TestHeaderInjection(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, value := range append(slices.Clone(controls), "a; other=1", "a, b", `a"b`, "a&admin=1", "a=b;c=d", "a#b", "a+b%20c", "a\u00e9b") {
		for _, name := range []string{"X-Tag", "flavour", "q"} {
			for _, era := range eras {
				s.one(s.mcp, s.toolCall(era, "read", `{"id":"a","part":"b",`+quote(name)+`:`+quote(value)+`}`, ""))
				s.unharmed(name, value)
			}
			if name == "q" {
				s.one(s.rest, request(s.rest, "GET /items/a/b?q="+url.QueryEscape(value), ""))
				s.unharmed(name, value)
			}
		}
	}
}

// unharmed looks that what reached the upstream has the value where it belongs,
// and nothing that the value would have made.
func (s *target) unharmed(name, value string) {
	s.t.Helper()
	for _, r := range s.upstream.take() {
		for header := range r.header {
			if !slices.Contains([]string{"Accept", "Accept-Encoding", "Authorization", "Cookie", "Traceparent", "User-Agent", "X-Tag"}, header) {
				s.t.Errorf("%s=%q: the upstream got the header %s", name, value, header)
			}
		}
		target, err := url.ParseRequestURI(strings.TrimPrefix(r.line, "GET "))
		if err != nil || target.Path != "/base/items/a/parts/b" {
			s.t.Errorf("%s=%q: the upstream got %q", name, value, r.line)
			continue
		}
		query, err := url.ParseQuery(target.RawQuery)
		if err != nil || len(query) > 1 || len(query) == 1 && (name != "q" || query.Get("q") != value) {
			s.t.Errorf("%s=%q: the upstream got the query %q", name, value, target.RawQuery)
		}
		if got := r.header["X-Tag"]; name == "X-Tag" && (len(got) != 1 || got[0] != value) {
			s.t.Errorf("X-Tag=%q: the upstream got %q", value, got)
		}
		if got := r.header["Cookie"]; name == "flavour" && (len(got) != 1 || strings.ContainsAny(got[0], "\r\n\x00") || strings.Count(got[0], "=") != 1+strings.Count(value, "=") || strings.Contains(got[0], ";")) {
			s.t.Errorf("flavour=%q: the upstream got the cookie %q", value, got)
		}
	}
}

// quote returns a text as JSON.
func quote(text string) string {
	out, _ := json.Marshal(text) // a text can always be marshalled
	return string(out)
}

// TestCredentialsStay: a caller sends headers that would become the upstream's,
// and such as name another host. None passes on, and the call is signed with the
// operator's credentials, once.
func TestCredentialsStay(t *testing.T) {
	s := serve(t, setting{capability: loose})
	const head = "\nAuthorization: Basic ZXZpbDpldmls\nCookie: " + callersCookie + "\nProxy-Authorization: Basic YQ==\nX-Forwarded-Host: evil.example\nX-Forwarded-For: 127.0.0.1\nForwarded: host=evil.example\n" +
		"X-Original-URL: /admin\nX-Rewrite-URL: /admin\nX-HTTP-Method-Override: DELETE\nIdempotency-Key: k1\nTE: trailers\nProxy: http://evil.example\nConnection: X-Tag, Authorization\nUser-Agent: evil\nTwilio-Signature: x\nTraceparent: nonsense"
	wires := []struct{ host, wire string }{{s.rest, request(s.rest, "GET /items/a/b"+head, "")}}
	for _, era := range eras {
		w := s.toolCall(era, "read", `{"id":"a","part":"b"}`, "")
		wires = append(wires, struct{ host, wire string }{s.mcp, strings.Replace(w, "\r\n", strings.ReplaceAll(head, "\n", "\r\n")+"\r\n", 1)})
	}
	for _, w := range wires {
		s.one(w.host, w.wire)
		seen := s.upstream.take()
		if len(seen) != 1 {
			t.Fatalf("%d requests", len(seen))
		}
		plain, want := seen[0].header["Authorization"], "Basic QUNmMDBkY2FmZTowcGVyYXQwcnMtc2VjcmV0"
		if len(plain) != 1 || plain[0] != want {
			t.Errorf("signed with %q", plain)
		}
		for name, values := range seen[0].header {
			if !slices.Contains([]string{"Accept", "Accept-Encoding", "Authorization", "Traceparent", "User-Agent"}, name) || strings.Contains(strings.Join(values, " "), "evil") {
				t.Errorf("the upstream got %s: %q", name, values)
			}
		}
	}
}
