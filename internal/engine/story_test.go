package engine_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// A story is one call, told through every adapter: what the caller says to REST
// and to MCP, the one request that the upstream must get in each case, its
// answer, and what the callers read. Sections in testdata/stories:
//
//	capability        a capability file; the embedded one where absent
//	contract          an OpenAPI document besides the embedded one
//	rest-request      request line without version, headers, body
//	mcp-arguments     name of the tool, then its arguments
//	upstream-request  expected: the request, without Host; "none" for no call
//	upstream-response status, headers, body
//	rest-response     expected
//	mcp-result        expected of MCP 2025-11-25; the other ways to call a tool
//	                  must agree with it
type story struct {
	file    string
	archive *txtar.Archive
}

// section returns the text of a section, "" where there is none.
func (s *story) section(name string) string {
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			return string(s.archive.Files[i].Data)
		}
	}
	return ""
}

// expect compares a section with what was observed, or rewrites it.
func (s *story) expect(t *testing.T, name, got string) {
	t.Helper()
	if !*update {
		if diff := cmp.Diff(s.section(name), got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", s.file, name, diff)
		}
		return
	}
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			s.archive.Files[i].Data = []byte(got)
			return
		}
	}
	s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(got)})
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "stories", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &story{file, archive}
			s.tell(t)
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func (s *story) tell(t *testing.T) {
	at := serve(t, settings{capability: s.section("capability"), contract: s.section("contract")})
	at.upstream.script(s.response(t))
	tool, arguments, _ := strings.Cut(s.section("mcp-arguments"), "\n")

	rest := at.REST(s.section("rest-request"))
	want := s.upstreamRequest(t, at)
	s.expect(t, "rest-response", rest.String())

	legacy := at.legacy(t, tool, arguments)
	s.same(t, at, "MCP "+legacyRevision, want)
	s.expect(t, "mcp-result", legacy.String())

	modern := at.modern(t, tool, arguments)
	s.same(t, at, "MCP "+modernRevision, want)
	// This is what 2026-07-28 adds to every result.
	bound := at.deployment.Bound[0].Plan
	envelope := fmt.Sprintf(`{"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"%s","title":"%s","version":"%s"}},`,
		bound.MCP[0].Namespace, bound.Document.Info.Label.Value, testVersion)
	if diff := cmp.Diff(envelope+strings.TrimPrefix(legacy.raw, "{"), modern.raw); diff != "" {
		t.Errorf("the eras differ in more than the envelope (-%s +%s):\n%s", legacyRevision, modernRevision, diff)
	}

	stdio := at.stdio(t, tool, arguments)
	s.same(t, at, "stdio", want)
	if diff := cmp.Diff(legacy.raw, stdio.raw); diff != "" {
		t.Errorf("stdio differs from HTTP (-http +stdio):\n%s", diff)
	}

	s.runs(t, at, tool, arguments, rest, want)
}

// runs performs the operation itself. Its answer is the upstream's, of which
// REST relays the body unchanged.
func (s *story) runs(t *testing.T, at *site, tool, arguments string, rest *answer, want string) {
	out, failed := at.run(t, tool, arguments)
	s.same(t, at, "plan.Run", want)
	switch {
	case failed != nil && rest.header.Get("Patchbay-Source") != "gateway":
		t.Errorf("the run failed: %v", failed)
	case failed == nil:
		if diff := cmp.Diff(rest.body, string(out.Body)); diff != "" || out.Status != rest.status {
			t.Errorf("the run answered %d, REST %d (-rest +run):\n%s", out.Status, rest.status, diff)
		}
		out.Release()
	}
}

// upstreamRequest is the request that the REST call caused, as bytes.
func (s *story) upstreamRequest(t *testing.T, at *site) string {
	requests := at.upstream.take()
	at.checkUpstream(requests)
	switch len(requests) {
	case 0:
		s.expect(t, "upstream-request", "none\n")
		return ""
	case 1:
		s.expect(t, "upstream-request", requests[0].String())
		return requests[0].raw
	default:
		t.Fatalf("REST caused %d upstream requests", len(requests))
		return ""
	}
}

// same reports whether another adapter caused the same bytes.
func (s *story) same(t *testing.T, at *site, who, want string) {
	t.Helper()
	requests := at.upstream.take()
	at.checkUpstream(requests)
	var got string
	for i := range requests {
		got += requests[i].raw
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the upstream request of %s differs from REST's (-rest +%s):\n%s", who, who, diff)
	}
}

// response parses the upstream's answer. Every answer tries to set a cookie
// and to challenge the caller.
func (s *story) response(t *testing.T) http.HandlerFunc {
	text := s.section("upstream-response")
	if text == "" {
		return func(http.ResponseWriter, *http.Request) {}
	}
	head, body, _ := strings.Cut(text, "\n\n")
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 "+strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")), nil)
	if err != nil {
		t.Fatalf("%s: upstream-response: %v", s.file, err)
	}
	_ = r.Body.Close()
	lines := append(headerLines(r.Header), "Set-Cookie: upstream=1", `WWW-Authenticate: Basic realm="Twilio API"`)
	body = strings.TrimSuffix(body, "\n")
	return func(w http.ResponseWriter, req *http.Request) { answers(r.StatusCode, body, lines...)(w, req) }
}
