package mcp

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/internal/bind"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// TestStories plays each story against a server made of its capability. A story
// has a capability, the answers of its upstream by method and path, any files
// that the capability names, and requests (NAME.request, with an optional URL
// on a first line that begins with "POST ") with their answers (NAME.want). The
// upstream's requests follow in NAME.upstream where there are any.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { playStory(t, file) })
	}
}

func playStory(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	up := &scripted{answers: map[string]answer{}}
	dir := t.TempDir()
	var capability []byte
	for _, f := range archive.Files {
		switch {
		case f.Name == "capability.yaml":
			capability = f.Data
		case f.Name == "upstream":
			up.read(string(f.Data))
		case strings.HasPrefix(f.Name, "files/"):
			name := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	endpoint := storyServer(t, up, filepath.Join(dir, "capability.yaml"), capability)
	var out []txtar.File
	for _, f := range archive.Files {
		name, isRequest := strings.CutSuffix(f.Name, ".request")
		if strings.HasSuffix(f.Name, ".want") || strings.HasSuffix(f.Name, ".upstream") {
			continue
		}
		out = append(out, f)
		if !isRequest {
			continue
		}
		got, calls := play(t, endpoint, up, string(f.Data))
		out = append(out, txtar.File{Name: name + ".want", Data: []byte(got)})
		if calls != "" {
			out = append(out, txtar.File{Name: name + ".upstream", Data: []byte(calls)})
		}
	}
	archive.Files = out
	got := txtar.Format(archive)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func storyServer(t *testing.T, up *scripted, name string, capability []byte) http.Handler {
	t.Helper()
	server := httptest.NewServer(up)
	t.Cleanup(server.Close)
	doc, found := spec.Load(name, capability)
	p, more := plan.Compile(doc, plan.Options{})
	found = append(found, more...)
	env, err := bind.New(bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	for _, u := range p.Upstreams {
		urls[u.Namespace] = server.URL
	}
	once := upstream.Defaults()
	once.Retry.Attempts = 1 // what is told of one attempt is the story
	bound, more := plan.Bind(p, plan.BindOptions{Environment: env, BaseURLs: urls, Upstream: once})
	t.Cleanup(bound.Close)
	found = append(found, more...)
	if found.HasErrors() {
		t.Fatalf("%v", found)
	}
	opts := Options{
		Bound: bound, Adapter: p.MCP[0], Version: "1", MaxResult: 2000,
		Log: telemetry.NewLogger(slog.New(slog.DiscardHandler)), IDs: telemetry.NewIDs(),
	}
	e, err := NewEndpoint([]Member{{Options: opts}}, core.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// play sends one request and returns the answer's status and body, and what
// reached the upstream.
func play(t *testing.T, endpoint http.Handler, up *scripted, request string) (answer, calls string) {
	t.Helper()
	path, accept := "/mcp", "application/json"
	if first, rest, ok := strings.Cut(request, "\n"); ok && strings.HasPrefix(first, "POST ") {
		path, request = strings.TrimPrefix(first, "POST "), rest
		if p, streaming := strings.CutSuffix(path, " stream"); streaming {
			path, accept = p, "application/json, text/event-stream"
		}
	}
	up.take()
	r := httptest.NewRequestWithContext(context.Background(), "POST", path, strings.NewReader(request))
	r.Header.Set("X-Request-Id", "story")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	body := strings.TrimSpace(w.Body.String())
	if v := jsontext.Value(body); v.Indent(jsontext.WithIndent("  ")) == nil {
		body = string(v)
	}
	return fmt.Sprintf("%d\n%s\n", w.Code, body), up.take()
}

// scripted is an upstream that answers by method and path, and remembers.
type scripted struct {
	answers map[string]answer
	mu      sync.Mutex
	calls   strings.Builder
}

type answer struct {
	status int
	media  string
	body   string
}

// read takes lines such as: GET /a 200 application/json {"x":1}
func (s *scripted) read(script string) {
	lines := bufio.NewScanner(strings.NewReader(script))
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), " ", 5)
		if len(parts) < 4 {
			continue
		}
		a := answer{media: parts[3]}
		_, _ = fmt.Sscanf(parts[2], "%d", &a.status)
		if len(parts) == 5 {
			a.body = parts[4]
		}
		s.answers[parts[0]+" "+parts[1]] = a
	}
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fmt.Fprintf(&s.calls, "%s %s\n", r.Method, r.URL.RequestURI())
	s.mu.Unlock()
	a, ok := s.answers[r.Method+" "+r.URL.EscapedPath()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", a.media)
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

func (s *scripted) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls.String()
	s.calls.Reset()
	return out
}
