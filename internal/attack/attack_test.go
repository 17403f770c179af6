// Package attack plays attackers against the real engine over real sockets: each
// test says who the attacker is and what must hold. Callers are raw bytes on a
// connection, upstreams are servers that own their side of it. The package
// stands outside the path of a request and holds tests only; docs/security.md
// has the table of attacks.
package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What must not come out anywhere but in the Authorization header of an upstream
// request, and what must not go there.
const (
	upstreamUser     = "ACf00dcafe"
	upstreamPassword = "0perat0rs-secret"
	callersCookie    = "session=c4llers-cookie"
)

// loose takes any text at every place of a call: no contract stands between a
// caller and the encoding of its values.
const loose = `naftiko: 1.0.0-alpha2
info: {label: Loose, description: Takes any text at every place of a call.}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com/base
    authentication: {type: basic, username: '{{env.TWILIO_USER}}', password: '{{env.TWILIO_PASS}}'}
    resources:
    - name: parts
      path: /items/{id}/parts/{part}
      operations:
      - name: read
        method: GET
        inputParameters:
        - {name: id, in: path, type: string, required: true}
        - {name: part, in: path, type: string, required: true}
        - {name: q, in: query, type: string}
        - {name: tags, in: query, type: array}
        - {name: X-Tag, in: header, type: string}
        - {name: flavour, in: cookie, type: string}
      - name: write
        method: POST
        inputParameters:
        - {name: id, in: path, type: string, required: true}
        - {name: part, in: path, type: string, required: true}
        - {name: body, in: body, type: object}
    - name: picked
      path: /picked
      operations:
      - name: pick
        method: GET
        outputRawFormat: json
        outputParameters:
        - {name: every, type: array, value: '$..*'}
        - {name: filtered, type: array, value: '$.a[?@.b==@.c]'}
  exposes:
  - type: rest
    namespace: loose-rest
    port: 8080
    resources:
    - path: /items/{id}/{part}
      operations:
      - {method: GET, name: read, call: api.read}
      - {method: POST, name: write, call: api.write, with: {body: rest.body}}
    - path: /picked
      operations:
      - {method: GET, name: pick, call: api.pick}
  - type: mcp
    namespace: loose-mcp
    port: 9090
    tools:
    - {name: read, description: Read, call: api.read}
    - {name: write, description: Write, call: api.write}
`

// target is what an attack is played against.
type target struct {
	t                  testing.TB
	upstream           *recorder
	engine             *engine.Engine
	deployment         *engine.Deployment
	rest, mcp, control string // host:port
	log                *buffer
	audit              string // a file's name
}

// setting is what a test changes about the usual target: the embedded
// capability before a recorder, with a control listener and a text log.
type setting struct {
	capability string
	contract   string
	options    func(*deploy.Options)
	// upstream replaces the recorder's address.
	upstream  string
	logFormat string
}

// serve starts the target, and at the end looks that nothing panicked and that
// no credential is in the log.
func serve(t testing.TB, with setting) *target {
	t.Helper()
	s := &target{t: t, upstream: newRecorder(t), log: &buffer{}, audit: filepath.Join(t.TempDir(), "audit.jsonl")}
	opts := deploy.Defaults()
	opts.Control.Listen = "127.0.0.1:0"
	opts.Telemetry.Audit = s.audit
	opts.ShareEnv = []string{"TWILIO_USER", "TWILIO_PASS"}
	opts.Limits.Retry.Attempts = 1
	opts.Limits.Breaker.Failures = 0
	opts.Files, opts.Contracts = s.file("capability.yaml", with.capability), s.file("contract.yaml", with.contract)
	if with.options != nil {
		with.options(&opts)
	}
	loaded, problems, err := engine.Load(&opts)
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	address := s.upstream.URL
	if with.upstream != "" {
		address = with.upstream
	}
	for _, p := range loaded.Plans {
		for _, u := range p.Upstreams {
			base, err := url.Parse(u.BaseURI)
			if err != nil {
				t.Fatal(err)
			}
			opts.Upstreams[u.Namespace] = address + base.Path
		}
		for _, a := range p.REST {
			opts.Listen[a.Namespace] = "127.0.0.1:0"
		}
		for _, a := range p.MCP {
			opts.Listen[a.Namespace] = "127.0.0.1:0"
		}
	}
	environment, err := bind.New(bind.Options{Process: func(name string) (string, bool) {
		value, ok := map[string]string{"TWILIO_USER": upstreamUser, "TWILIO_PASS": upstreamPassword}[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	format := with.logFormat
	if format == "" {
		format = "text"
	}
	mask := &secret.Mask{}
	log, err := telemetry.NewLog(s.log, format, slog.LevelDebug)
	if err != nil {
		t.Fatal(err)
	}
	observation, err := engine.NewObservation(&opts, log, mask, "test")
	if err != nil {
		t.Fatal(err)
	}
	s.engine = engine.New(engine.Config{Log: log, Version: "test", Observation: observation})
	binding := s.engine.Binding()
	binding.Environment = environment
	d, problems, err := engine.Bind(loaded, &opts, binding)
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	s.deployment = d
	control, err := s.engine.StartControl(&opts)
	if err != nil {
		t.Fatal(err)
	}
	s.control = strings.TrimPrefix(control, "http://")
	t.Cleanup(func() {
		if err := s.engine.Shutdown(20 * time.Second); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		said := s.log.String()
		for _, never := range []string{"panic", upstreamPassword, callersCookie} {
			if strings.Contains(said, never) {
				t.Errorf("the log has %q:\n%s", never, said)
			}
		}
	})
	served, err := s.engine.Start(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range served {
		u, err := url.Parse(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		if len(at.MCP) > 0 {
			s.mcp = u.Host
		} else {
			s.rest = u.Host
		}
	}
	return s
}

// file writes a document, where there is one.
func (s *target) file(name, text string) []string {
	if text == "" {
		return nil
	}
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{path}
}

// listeners are the addresses that are attacked, by name.
func (s *target) listeners() map[string]string {
	return map[string]string{"REST": s.rest, "MCP": s.mcp, "control": s.control}
}

// answer is one HTTP answer on a connection.
type answer struct {
	status int
	header http.Header
	body   string
}

// patience ends a test that would wait for ever; nothing is measured by it.
const patience = 30 * time.Second

func (s *target) dial(host string) *net.TCPConn {
	s.t.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// send writes bytes to a listener and reads answers until it closes the
// connection, which it has to do by itself.
func (s *target) send(host, wire string) []answer {
	s.t.Helper()
	c := s.dial(host)
	defer c.Close()
	// A server that refuses early may close before it has read everything.
	go func() { _, _ = io.WriteString(c, wire) }()
	all := s.drain(c)
	method, _, _ := strings.Cut(wire, " ")
	answers, err := parse(all, method)
	if err != nil {
		s.t.Errorf("no HTTP comes back: %v in %q", err, all)
	}
	return answers
}

// drain reads until the other side closes.
func (s *target) drain(c net.Conn) []byte {
	s.t.Helper()
	all, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		s.t.Errorf("the connection was not closed: %v after %q", err, all)
	}
	return all
}

// one is send for what has exactly one answer.
func (s *target) one(host, wire string) answer {
	s.t.Helper()
	answers := s.send(host, wire)
	if len(answers) != 1 {
		s.t.Fatalf("%d answers to %.200q", len(answers), wire)
	}
	return answers[0]
}

// parse reads all answers from what came over a connection.
func parse(all []byte, method string) ([]answer, error) {
	r := bufio.NewReader(bytes.NewReader(all))
	var out []answer
	for {
		if _, err := r.Peek(1); err != nil {
			return out, nil
		}
		got, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return out, err
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			return out, err
		}
		if got.StatusCode == http.StatusContinue {
			continue
		}
		out = append(out, answer{got.StatusCode, got.Header, string(body)})
		method = http.MethodGet
	}
}

// request writes an HTTP/1.1 request after which the connection ends. Lines of
// head are separated by \n; a Host, unless given, and the length are added.
func request(host, head, body string) string {
	line, header, _ := strings.Cut(head, "\n")
	if header != "" {
		header += "\n"
	}
	if !strings.Contains("\n"+header, "\nHost:") {
		header = "Host: " + host + "\n" + header
	}
	if body != "" {
		header += "Content-Length: " + strconv.Itoa(len(body)) + "\n"
	}
	header += "Connection: close\n"
	return strings.ReplaceAll(line+" HTTP/1.1\n"+header+"\n", "\n", "\r\n") + body
}

// recorder is an upstream that keeps every request and answers all alike.
type recorder struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []recorded
	answer http.HandlerFunc
}

type recorded struct {
	line, body string
	header     http.Header
}

// String is what of a request a caller can have a part in.
func (r recorded) String() string {
	out := r.line
	if r.body != "" {
		out += " " + r.body
	}
	return out
}

func newRecorder(t testing.TB) *recorder {
	u := &recorder{}
	u.script(`{"ok":true}`)
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		u.mu.Lock()
		u.seen = append(u.seen, recorded{r.Method + " " + r.RequestURI, string(body), r.Header})
		answer := u.answer
		u.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

// script says what all requests are answered with.
func (u *recorder) script(body string) {
	u.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

func (u *recorder) handle(h http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = h
}

// take returns the requests since it was called last.
func (u *recorder) take() []recorded {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.seen
	u.seen = nil
	return taken
}

// lines are the requests that came, without their headers.
func (u *recorder) lines() []string {
	var out []string
	for _, r := range u.take() {
		out = append(out, r.String())
	}
	return out
}

// hostile is an upstream of which every byte is written by hand. It answers each
// connection's first request and closes, unless play keeps it.
func hostile(t testing.TB, play func(net.Conn, *http.Request)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				play(c, r)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// buffer is a log for many writers.
type buffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{} // closed at the next line
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
	return b.buf.Write(p)
}

// await waits until the log has a text.
func (b *buffer) await(t testing.TB, text string) {
	t.Helper()
	end := time.After(patience)
	for {
		b.mu.Lock()
		if strings.Contains(b.buf.String(), text) {
			b.mu.Unlock()
			return
		}
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mu.Unlock()
		select {
		case <-more:
		case <-end:
			t.Fatalf("the log has no %q", text)
		}
	}
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// The protocol's revisions, one of each era.
const (
	legacyRevision = "2025-11-25"
	modernRevision = "2026-07-28"
)

// eras are the two ways of calling a tool.
var eras = []string{legacyRevision, modernRevision}

// toolCall is the HTTP request of one tools/call; more are members of params.
func (s *target) toolCall(era, tool, arguments, more string) string {
	head := "POST /mcp\nContent-Type: application/json\nAccept: application/json, text/event-stream\nMCP-Protocol-Version: " + era
	if era == modernRevision {
		head += "\nMcp-Method: tools/call\nMcp-Name: " + tool
	}
	return request(s.mcp, head, callMessage(era, tool, arguments, more))
}

func callMessage(era, tool, arguments, more string) string {
	meta := ""
	if era == modernRevision {
		meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modernRevision + `","io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s%s%s}}`, tool, arguments, meta, more)
}

// expect compares the requests that reached the upstream.
func (s *target) expect(want ...string) {
	s.t.Helper()
	if got := s.upstream.lines(); !slices.Equal(got, want) {
		s.t.Errorf("the upstream got %q, want %q", got, want)
	}
}
