package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/internal/mcp"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// Stories are wire transcripts in testdata. Two abbreviations keep them short:
// META in a body stands for the _meta that every modern request carries, and a
// header line "modern METHOD [NAME]" for the headers that mirror it.

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"story","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{}}`

func expand(body string) string { return strings.ReplaceAll(body, "META", meta) }

// storyServers are what a story may talk to; its first line names one.
func storyServers(t *testing.T) map[string]*mcp.Server {
	paged, bare := fixture(), mcp.Options{Name: "bare", Version: "0"}
	paged.PageSize = 2
	paged.Tools = slices.Clone(paged.Tools[:5])
	paged.Prompts = paged.Prompts[:3]
	paged.Instructions, paged.CacheScope, paged.TTL = "", "", 0
	limited := fixture()
	limited.Limits = mcp.Limits{Depth: 6, Batch: 3}
	empty := bare
	empty.Tools = []mcp.Tool{}
	full := newServer(t, fixture())
	return map[string]*mcp.Server{
		"full":    full,
		"paged":   newServer(t, paged),
		"bare":    newServer(t, bare),
		"empty":   newServer(t, empty),
		"limited": newServer(t, limited),
		"readonly": full.View(mcp.Filter{Tool: func(t *mcp.Tool) bool {
			return t.Annotations != nil && t.Annotations.ReadOnly != nil && *t.Annotations.ReadOnly
		}}),
	}
}

// eachStory runs fn for the stories of a directory and compares, or replaces,
// what it returns.
func eachStory(t *testing.T, dir string, fn func(*testing.T, *mcp.Server, *txtar.Archive) *txtar.Archive) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	servers := storyServers(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			story, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(story.Comment), "\n")
			server := servers[strings.TrimPrefix(first, "server: ")]
			if server == nil {
				t.Fatalf("the first line is %q and names no server", first)
			}
			want := txtar.Format(story)
			got := txtar.Format(fn(t, server, story))
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// TestHTTPStories plays requests ("name") against the handler, each followed by
// its answer ("name: answer").
func TestHTTPStories(t *testing.T) {
	eachStory(t, "http", func(t *testing.T, s *mcp.Server, story *txtar.Archive) *txtar.Archive {
		h := s.HTTPHandler(mcp.HTTPOptions{MaxBodyBytes: 4000})
		played := &txtar.Archive{Comment: story.Comment}
		for _, f := range story.Files {
			if strings.HasSuffix(f.Name, ": answer") {
				continue
			}
			answer := playHTTP(t, h, string(f.Data))
			played.Files = append(played.Files, f, txtar.File{Name: f.Name + ": answer", Data: []byte(answer)})
		}
		return played
	})
}

func playHTTP(t *testing.T, h http.Handler, ask string) string {
	t.Helper()
	head, body, _ := strings.Cut(ask, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	r := httptest.NewRequest(lines[0], "/mcp", strings.NewReader(expand(strings.TrimSpace(body))))
	r.Header.Set("Content-Type", "application/json")
	for _, line := range lines[1:] {
		if mirror, ok := strings.CutPrefix(line, "modern "); ok {
			method, name, named := strings.Cut(mirror, " ")
			r.Header.Set("MCP-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", method)
			if named {
				r.Header.Set("Mcp-Name", name)
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if said := w.Header().Get("Content-Length"); said != "" && said != strconv.Itoa(w.Body.Len()) {
		t.Errorf("Content-Length is %s for %d bytes", said, w.Body.Len())
	}
	out := fmt.Sprintln(w.Code)
	for _, name := range []string{"Allow", "Content-Type", "Cache-Control", "X-Accel-Buffering"} {
		if v := w.Header().Get(name); v != "" {
			out += name + ": " + v + "\n"
		}
	}
	if w.Header().Get("Content-Type") != "application/json" {
		return out + w.Body.String()
	}
	return out + indented(t, w.Body.Bytes())
}

// indented makes a JSON body readable without changing its tokens.
func indented(t *testing.T, body []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		t.Errorf("the body is not JSON: %v\n%s", err, body)
	}
	return out.String() + "\n"
}

// TestStdioStories plays conversations: lines sent (">") and, after each, all
// that came back until nothing moved any more ("<").
func TestStdioStories(t *testing.T) {
	eachStory(t, "stdio", func(t *testing.T, s *mcp.Server, story *txtar.Archive) *txtar.Archive {
		played := &txtar.Archive{Comment: story.Comment}
		for _, f := range story.Files {
			var out string
			synctest.Test(t, func(t *testing.T) { out = playStdio(t, s, string(f.Data)) })
			played.Files = append(played.Files, txtar.File{Name: f.Name, Data: []byte(out)})
		}
		return played
	})
}

func playStdio(t *testing.T, s *mcp.Server, conversation string) string {
	in, typed := io.Pipe()
	var heard lineRecorder
	ended := make(chan error, 1)
	go func() {
		ended <- s.Serve(context.Background(), in, &heard, mcp.StdioOptions{MaxLineBytes: 2000})
	}()
	var out strings.Builder
	for line := range strings.Lines(conversation) {
		said, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		out.WriteString(line)
		if _, err := io.WriteString(typed, expand(said)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, answer := range heard.take() {
			out.WriteString("< " + answer)
		}
	}
	if err := typed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if rest := heard.take(); len(rest) > 0 {
		t.Errorf("said after the end: %q", rest)
	}
	return out.String()
}

// lineRecorder keeps what is written, one line for each Write.
type lineRecorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *lineRecorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(p))
	return len(p), nil
}

func (r *lineRecorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}
