package engine_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
)

// The upstream's credentials, which may appear in its Authorization header and
// nowhere else; and those of the caller, which may never appear upstream.
const (
	upstreamUser     = "ACf00dcafe"
	upstreamPassword = "0perat0rs-secret"
	callerToken      = "c4llers-token"
	testVersion      = "1.2.3-test"
)

// settings are what a test changes about the usual deployment: the embedded
// capability, its contract, and a recording upstream.
type settings struct {
	// capability and contract are documents that replace or join the embedded ones.
	capability, contract string
	environment          map[string]string
	options              func(*deploy.Options)
	// upstreamURL replaces the recorder's address.
	upstreamURL string
	// source makes the deployments of reloads.
	source engine.Source
	// discardLog writes the log as always and keeps nothing of it.
	discardLog bool
}

// site is a served deployment with its upstream.
type site struct {
	t          testing.TB
	upstream   *recorder
	deployment *engine.Deployment
	engine     *engine.Engine
	options    *deploy.Options
	rest, mcp  string // host:port
	log        *logBuffer
	// answers keeps everything that callers got to see.
	answers *logBuffer
}

// logBuffer is a log for many writers.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// serve starts a deployment, and at the end of the test stops it and looks for
// secrets in whatever it said.
func serve(t testing.TB, with settings) *site {
	t.Helper()
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	s.upstream.script(answersJSON(http.StatusOK, `{}`))
	d, problems, err := s.bind(with)
	if err != nil || problems.HasErrors() {
		t.Fatalf("binding: %v %v", err, problems)
	}
	s.deployment = d
	served, err := s.engine.Start(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.engine.Shutdown(20 * time.Second); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		s.secrets()
	})
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

// bind loads and binds without serving.
func (s *site) bind(with settings) (*engine.Deployment, diag.List, error) {
	s.t.Helper()
	opts := deploy.Defaults()
	opts.Files = s.files(with.capability, "capability.yaml")
	opts.Contracts = s.files(with.contract, "contract.yaml")
	// The stories sign calls to all kinds of hosts with the same credentials.
	opts.ShareEnv = []string{"TWILIO_USER", "TWILIO_PASS"}
	if with.options != nil {
		with.options(&opts)
	}
	loaded, problems, err := engine.Load(&opts)
	if err != nil || problems.HasErrors() {
		s.t.Fatalf("loading: %v %v", err, problems)
	}
	for _, p := range loaded.Plans {
		for _, u := range p.Upstreams {
			base, err := url.Parse(u.BaseURI)
			if err != nil {
				s.t.Fatal(err)
			}
			opts.Upstreams[u.Namespace] = s.upstream.URL + base.Path
			if with.upstreamURL != "" {
				opts.Upstreams[u.Namespace] = with.upstreamURL
			}
		}
		for _, a := range p.REST {
			opts.Listen[a.Namespace] = cmp.Or(opts.Listen[a.Namespace], "127.0.0.1:0")
		}
		for _, a := range p.MCP {
			opts.Listen[a.Namespace] = cmp.Or(opts.Listen[a.Namespace], "127.0.0.1:0")
		}
	}
	if err := opts.Check(); err != nil {
		s.t.Fatal(err)
	}
	environment, err := bind.New(bind.Options{Process: func(name string) (string, bool) {
		switch name {
		case "TWILIO_USER":
			return upstreamUser, true
		case "TWILIO_PASS":
			return upstreamPassword, true
		}
		v, ok := with.environment[name]
		return v, ok
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	var kept io.Writer = s.log
	if with.discardLog {
		kept = io.Discard
	}
	log := slog.New(slog.NewJSONHandler(kept, &slog.HandlerOptions{Level: slog.LevelDebug}))
	observation, err := engine.NewObservation(&opts, log, &secret.Mask{}, testVersion)
	if err != nil {
		s.t.Fatal(err)
	}
	s.options = &opts
	s.engine = engine.New(engine.Config{Log: log, Version: testVersion, Observation: observation, Source: with.source})
	binding := s.engine.Binding()
	binding.Environment = environment
	return engine.Bind(loaded, &opts, binding)
}

// files writes a document, if there is one, where Load can read it.
func (s *site) files(text, name string) []string {
	if text == "" {
		return nil
	}
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{path}
}

// secrets looks for credentials in answers and logs, and for what must never
// happen at all.
func (s *site) secrets() {
	s.t.Helper()
	if strings.Contains(s.log.String(), "panic") {
		s.t.Errorf("something panicked:\n%s", s.log)
	}
	pair := base64.StdEncoding.EncodeToString([]byte(upstreamUser + ":" + upstreamPassword))
	for _, secret := range []string{upstreamUser, upstreamPassword, pair, callerToken} {
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("the log holds the secret %q:\n%s", secret, s.log)
		}
		if strings.Contains(s.answers.String(), secret) {
			s.t.Errorf("an answer holds the secret %q:\n%s", secret, s.answers)
		}
	}
}

// checkUpstream holds requests against what may leave the gateway at all.
func (s *site) checkUpstream(requests []recorded) {
	s.t.Helper()
	may := []string{"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Length", "Content-Type", "Traceparent", "User-Agent"}
	for i := range requests {
		r := &requests[i]
		for name := range r.header {
			if !slices.Contains(may, name) {
				s.t.Errorf("the upstream got the header %s", name)
			}
		}
		plain := http.Request{Header: r.header}
		if user, password, _ := plain.BasicAuth(); user != upstreamUser || password != upstreamPassword || len(r.header["Authorization"]) != 1 {
			s.t.Errorf("the upstream got the credentials %q", r.header["Authorization"])
		}
		if strings.Contains(r.raw, callerToken) {
			s.t.Errorf("the caller's credentials went upstream:\n%s", r.raw)
		}
	}
}

// answer is what an HTTP caller got.
type answer struct {
	status int
	header http.Header
	body   string
}

// String shows an answer for reading, without the date.
func (a *answer) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", a.status)
	for _, line := range headerLines(a.header) {
		if !strings.HasPrefix(line, "Date: ") {
			fmt.Fprintln(&b, line)
		}
	}
	if a.body != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSuffix(a.body, "\n"))
	}
	return b.String()
}

func headerLines(h http.Header) []string {
	var out []string
	for name, values := range h {
		for _, v := range values {
			out = append(out, name+": "+v)
		}
	}
	slices.Sort(out)
	return out
}

// callerHeaders are sent with every request; none of them may go upstream. The
// key is another one each time.
func callerHeaders() string {
	return "Authorization: Bearer " + callerToken + "\n" +
		"Cookie: session=" + callerToken + "\n" +
		"Idempotency-Key: " + callerToken + rand.Text() + "\n"
}

// message writes a request for the wire: a request line without version,
// headers, an empty line, a body. What is not given of Host, Content-Length and
// callerHeaders is added.
func message(host, text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	line, header, _ := strings.Cut(strings.TrimRight(head, "\n"), "\n")
	if header != "" {
		header += "\n"
	}
	has := func(name string) bool { return strings.Contains("\n"+header, "\n"+name+":") }
	if !has("Host") {
		header = "Host: " + host + "\n" + header
	}
	if !has("Authorization") {
		header += callerHeaders()
	}
	if body != "" && !has("Transfer-Encoding") {
		body = strings.TrimSuffix(body, "\n")
		if !has("Content-Length") {
			header += "Content-Length: " + strconv.Itoa(len(body)) + "\n"
		}
	}
	header += "Connection: close\n"
	return strings.ReplaceAll(line+" HTTP/1.1\n"+header+"\n", "\n", "\r\n") + body
}

// send sends a request to a listener and waits for the whole answer.
func (s *site) send(host, text string) *answer {
	s.t.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	wire := message(host, text)
	// A server that refuses early may close before it has read everything.
	go func() { _, _ = io.WriteString(c, wire) }()
	method, _, _ := strings.Cut(text, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		s.t.Fatalf("%s: %v", strings.SplitN(text, "\n", 2)[0], err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := &answer{status: r.StatusCode, header: r.Header, body: string(body)}
	for _, name := range []string{"Set-Cookie", "Www-Authenticate"} {
		if _, relayed := a.header[name]; relayed && a.header.Get("Patchbay-Source") == "upstream" {
			s.t.Errorf("%s was relayed", name)
		}
	}
	fmt.Fprintf(s.answers, "%s\n", a)
	return a
}

// REST calls the REST adapter.
func (s *site) REST(text string) *answer {
	s.t.Helper()
	return s.send(s.rest, text)
}

// quote returns a text as JSON.
func quote(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// chunked encodes a body for Transfer-Encoding: chunked, in chunks of 1 kB.
func chunked(body string) string {
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(body), 1<<10) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return b.String() + "0\r\n\r\n"
}

// told is what an answer tells: a problem of the gateway line by line, without
// what differs each time, and anything else as it is.
func told(t *testing.T, a *answer) string {
	t.Helper()
	if a.header.Get("Content-Type") != "application/problem+json" {
		return strings.TrimSuffix(a.body, "\n")
	}
	var p struct {
		Type, Title, Detail, Hint, Outcome string
		Status                             int
		RequestID                          string `json:"request_id"`
		Errors                             []struct{ Pointer, Parameter, Detail, Hint string }
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	_, kind, _ := strings.Cut(p.Type, "#")
	if p.Status != a.status || kind == "" || p.Title == "" || p.Outcome == "" {
		t.Errorf("a problem with status %d says %s", a.status, a.body)
	}
	lines := []string{kind + ", " + p.Outcome + ": " + p.Detail}
	for _, e := range p.Errors {
		line := "- "
		if e.Parameter != "" {
			line += e.Parameter + ": "
		}
		line += fmt.Sprintf("%q %s", e.Pointer, e.Detail)
		if e.Hint != "" {
			line += " (" + e.Hint + ")"
		}
		lines = append(lines, line)
	}
	if p.Hint != "" {
		lines = append(lines, "hint: "+p.Hint)
	}
	return strings.Join(lines, "\n")
}

// lenient binds without any environment.
func (s *site) lenient(l *engine.Loaded, opts *deploy.Options) *engine.Deployment {
	s.t.Helper()
	opts.Upstreams["flex-interactions"] = s.upstream.URL
	environment, err := bind.New(bind.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine = engine.New(engine.Config{Log: slog.New(slog.NewJSONHandler(s.log, nil)), Version: testVersion})
	d, problems, err := engine.Bind(l, opts, engine.BindOptions{Environment: environment, Lenient: true, Version: testVersion})
	if err != nil || problems.HasErrors() {
		s.t.Fatal(err, problems)
	}
	return d
}
