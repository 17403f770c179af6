package engine_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
)

// failing is a row of the table of upstream faults: how the upstream behaves,
// and what callers of a write (POST) or of a read (GET) are told about it.
type failing struct {
	name   string
	script http.HandlerFunc
	write  bool
	// status is REST's answer; source says whose it is, upstream or gateway.
	status int
	source string
	// outcome is what a problem of the gateway says about the effect.
	outcome string
	// fails tells whether agents see a failure.
	fails bool
	// sent is how often the request reaches the upstream, -1 for any number:
	// net/http may repeat a read on a connection that breaks.
	sent int
}

const (
	fromUpstream = "upstream"
	fromGateway  = "gateway"
	htmlPage     = "<html><script>alert(1)</script><h1>Bad Gateway</h1></html>"
)

func twilioError(code, status int, message string) string {
	return fmt.Sprintf(`{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%d","status":%d}`, code, message, code, status)
}

// writesAndReads makes two rows of one.
func writesAndReads(f failing) []failing {
	write, read := f, f
	write.name, write.write = "POST: "+f.name, true
	read.name = "GET: " + f.name
	return []failing{write, read}
}

// relayed are answers of the upstream that pass through.
func relayed() []failing {
	html := "Content-Type: text/html; charset=utf-8"
	row := func(name string, script http.HandlerFunc, status int) []failing {
		return writesAndReads(failing{name: name, script: script, status: status, source: fromUpstream, fails: true, sent: 1})
	}
	rows := [][]failing{
		row("400", answersJSON(400, twilioError(45004, 400, "Invalid Channel")), 400),
		row("401", answersJSON(401, twilioError(20003, 401, "Authenticate")), 401),
		row("403", answersJSON(403, twilioError(70051, 403, "Authorization Failed")), 403),
		row("404", answersJSON(404, twilioError(20404, 404, "The requested resource was not found")), 404),
		row("409", answersJSON(409, twilioError(20409, 409, "Conflict")), 409),
		row("429 with a time", answersJSON(429, twilioError(20429, 429, "Too Many Requests"), "Retry-After: 30", "Twilio-Concurrent-Requests: 101"), 429),
		row("503", answersJSON(503, twilioError(20503, 503, "Service unavailable")), 503),
		row("a page instead of an error", answers(502, htmlPage, html), 502),
		row("a text without a type", untyped, 500),
		row("a text with an empty type", answers(500, "oops", "Content-Type:"), 500),
		row("an empty error", answers(500, ""), 500),
		row("a redirect", answers(307, "", "Location: https://elsewhere.example/v1"), 307),
		row("a redirect with a page", answers(301, htmlPage, html, "Location: /v2/"), 301),
	}
	var out []failing
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// successes are answers with 2xx, whatever is wrong with them. A write that was
// accepted is never a failure to an agent, who would repeat it.
func successes() []failing {
	var rows []failing
	add := func(name string, script http.HandlerFunc, status int, source, outcome string) {
		for _, f := range writesAndReads(failing{name: name, script: script, status: status, source: source, outcome: outcome, sent: 1}) {
			f.fails = status >= 400 && !f.write
			rows = append(rows, f)
		}
	}
	add("204", answers(204, ""), 204, fromUpstream, "")
	add("200 without a body", answersJSON(200, ""), 200, fromUpstream, "")
	add("202 with an array", answersJSON(202, `[1, 2]`), 202, fromUpstream, "")
	add("200 with a name twice", answersJSON(200, `{"sid":"a","sid":"b"}`), 200, fromUpstream, "")
	add("200 nested deeply", answersJSON(200, strings.Repeat("[", 500)+strings.Repeat("]", 500)), 200, fromUpstream, "")
	add("200 in a media type that is not JSON's", answers(200, `{"sid":"a"}`, "Content-Type: text/plain"), 200, fromUpstream, "")
	add("200 compressed", compressed([]byte(`{"sid":"a"}`)), 200, fromUpstream, "")
	add("200 with a page", answers(200, htmlPage, "Content-Type: text/html"), 502, fromGateway, "answered")
	add("200 with half an object", answersJSON(200, `{"sid":`), 502, fromGateway, "answered")
	add("200 with text that is not UTF-8", answersJSON(200, "{\"sid\":\"\xff\"}"), 502, fromGateway, "answered")
	add("200 with 20 MB", huge(true), 502, fromGateway, "answered")
	add("200 with 20 MB of unknown length", huge(false), 502, fromGateway, "answered")
	add("200 with a compressed bomb", bomb(), 502, fromGateway, "answered")
	add("200 cut in its body", truncated, 502, fromGateway, "answered")
	add("200 compressed and cut", answersJSON(200, "\x1f\x8b\x08\x00\x00", "Content-Encoding: gzip"), 502, fromGateway, "answered")
	return rows
}

// broken are exchanges that never become an answer.
func broken() []failing {
	var rows []failing
	for _, b := range []struct {
		name   string
		script http.HandlerFunc
	}{
		{"cut after the request", cuts},
		{"an answer that is not HTTP", raw("220 smtp.example ESMTP\r\n\r\n")},
		{"a header of 100 kB", raw("HTTP/1.1 200 OK\r\nX-Filler: " + strings.Repeat("x", 100<<10) + "\r\n\r\n")},
	} {
		rows = append(rows, writesAndReads(failing{name: b.name, script: b.script, status: 502, source: fromGateway, outcome: "unknown", fails: true, sent: 1})...)
		rows[len(rows)-1].sent = -1
	}
	return rows
}

// untyped answers with text of which it does not say what it is.
func untyped(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = nil
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, "oops")
}

// compressed answers with gzip, which the client asked for by itself.
func compressed(plain []byte) http.HandlerFunc {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(plain) // a buffer takes everything
	_ = z.Close()
	return answersJSON(200, b.String(), "Content-Encoding: gzip")
}

func bomb() http.HandlerFunc { return compressed(bytes.Repeat([]byte{' '}, 16<<20)) }

func huge(known bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		const size = 20 << 20
		w.Header().Set("Content-Type", "application/json")
		if known {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		w.WriteHeader(200)
		chunk := bytes.Repeat([]byte{' '}, 64<<10)
		for range size / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

// truncated announces more than it sends.
func truncated(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"sid":"a"`)
	_ = http.NewResponseController(w).Flush()
	cuts(w, r)
}

// raw answers with bytes.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}
}

func TestFaults(t *testing.T) {
	down := writesAndReads(failing{name: "down", script: cuts, status: 502, source: fromGateway, outcome: "not_sent", fails: true})
	// How long is all the same: the upstream never answers.
	impatient := func(o *deploy.Options) { o.Limits.Total = time.Second }
	silent := writesAndReads(failing{name: "silent", script: hangs, status: 504, source: fromGateway, outcome: "unknown", fails: true, sent: 1})
	for _, table := range []struct {
		name string
		rows []failing
		with settings
	}{
		{"relayed", relayed(), settings{}},
		{"successes", successes(), settings{}},
		{"broken", broken(), settings{}},
		{"down", down, settings{upstreamURL: "http://" + closedPort(t) + "/v1"}},
		{"silent-post", silent[:1], settings{options: impatient}},
		{"silent-get", silent[1:], settings{options: impatient}},
	} {
		t.Run(table.name, func(t *testing.T) {
			t.Parallel()
			change := table.with.options
			table.with.options = func(o *deploy.Options) {
				// This is about what one attempt gives. Repeating it has tests of its own.
				o.Limits.Retry.Attempts, o.Limits.Breaker.Failures = 1, -1
				if change != nil {
					change(o)
				}
			}
			s := serve(t, table.with)
			var seen strings.Builder
			for i := range table.rows {
				t.Run(table.rows[i].name, func(t *testing.T) { table.rows[i].play(t, s, &seen) })
			}
			golden(t, filepath.Join("testdata", "faults-"+table.name+".golden"), regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(seen.String(), "UPSTREAM"))
		})
	}
}

// closedPort returns an address where nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (f *failing) play(t *testing.T, s *site, seen *strings.Builder) {
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=upstream")
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		f.script(w, r)
	})
	request, tool, arguments := "GET /v1/interactions/"+interaction, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`
	if f.write {
		request, tool, arguments = create(anyBody)
	}
	fmt.Fprintf(seen, "== %s\n", f.name)

	a := s.REST(request)
	if source := a.header.Get("Patchbay-Source"); a.status != f.status || source != f.source {
		t.Errorf("REST answered %d from %s, want %d from %s: %s", a.status, source, f.status, f.source, a.body)
	}
	if f.source == fromGateway && !strings.Contains(a.body, `"outcome":"`+f.outcome+`"`) {
		t.Errorf("want the outcome %s: %s", f.outcome, a.body)
	}
	f.count(t, s, "REST")
	a.body = shortened(told(t, a))
	for _, name := range []string{"X-Request-Id", "Content-Length"} {
		a.header.Del(name)
	}
	fmt.Fprintf(seen, "REST %s", a)

	var first string
	for _, agent := range s.agents() {
		r := agent.call(t, tool, arguments)
		if r.Error != nil || r.IsError != f.fails {
			t.Errorf("%s: %s, want failure %v", agent.name, r, f.fails)
		}
		f.count(t, s, agent.name)
		said := shortened(r.text())
		if r.Structured != nil {
			said += "\nstructured: " + shortened(string(r.Structured))
		}
		if first == "" {
			first = said
			fmt.Fprintf(seen, "MCP\n%s\n", said)
		} else if said != first {
			t.Errorf("%s says %q, others %q", agent.name, said, first)
		}
	}
}

// count holds the number of requests that arrived against the table.
func (f *failing) count(t *testing.T, s *site, who string) {
	t.Helper()
	requests := s.upstream.take()
	s.checkUpstream(requests)
	if f.sent >= 0 && len(requests) != f.sent {
		t.Errorf("%s: the upstream got %d requests, want %d", who, len(requests), f.sent)
	}
}

func shortened(text string) string {
	const most = 1500
	if len(text) > most {
		return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
	}
	return text
}
