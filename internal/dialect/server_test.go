package dialect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"patchbay/internal/cli"
	"patchbay/internal/spec"
)

// patchbay runs a command to its end and returns its exit code and all it said.
func patchbay(t *testing.T, dir string, env map[string]string, command, file string, flags ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	args := append([]string{command, filepath.Join(dir, file)}, flags...)
	code = cli.Main(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}, lookup(env))
	return code, strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "")
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

// server is the story's file, served, and the upstream below it.
type server struct {
	upstream *recorder
	rest     string
	mcp      string
}

// serve starts `patchbay serve` in this process and waits for its addresses.
func serve(t *testing.T, s *story, dir string) *server {
	t.Helper()
	doc, _ := spec.Load("capability.yaml", []byte(s.section("capability.yaml")))
	at := &server{upstream: newRecorder(t)}
	args := []string{"serve", filepath.Join(dir, "capability.yaml"), "--log-level", "error"}
	for i := range doc.Exposes {
		if e := &doc.Exposes[i]; e.Type.Value == "rest" || e.Type.Value == "mcp" {
			args = append(args, "--listen", e.Namespace.Value+"=127.0.0.1:0")
		}
	}
	upstreams := s.lines("upstreams")
	if len(upstreams) == 0 {
		for i := range doc.Consumes {
			upstreams = append(upstreams, doc.Consumes[i].Namespace.Value)
		}
	}
	for _, namespace := range upstreams {
		if namespace != "none" {
			args = append(args, "--upstream", namespace+"="+at.upstream.URL)
		}
	}
	for _, line := range s.lines("flags") {
		args = append(args, strings.Fields(strings.ReplaceAll(line, "$DIR", dir))...)
	}
	env := map[string]string{}
	for _, line := range s.lines("env") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var failed bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, args, cli.Streams{In: strings.NewReader(""), Out: in, Err: &failed}, lookup(env))
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d: %s", code, failed.String())
		}
	})
	announced := announcement(out)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	for _, m := range regexp.MustCompile(`(?m)^(REST|MCP) +(http://\S+)`).FindAllStringSubmatch(announced, -1) {
		if m[1] == "REST" && at.rest == "" {
			at.rest = m[2]
		}
		if m[1] == "MCP" && at.mcp == "" {
			at.mcp = m[2]
		}
	}
	if at.rest == "" && at.mcp == "" {
		stop()
		t.Fatalf("nothing is served:\n%s%s", announced, failed.String())
	}
	return at
}

// announcement reads what serve prints up to the line that says it is ready.
func announcement(r io.Reader) string {
	var said bytes.Buffer
	part := make([]byte, 4096)
	for !strings.Contains(said.String(), "Stop with") {
		n, err := r.Read(part)
		said.Write(part[:n])
		if err != nil {
			break
		}
	}
	return said.String()
}

// block performs one block of calls and returns what its caller read. Its first
// line is one of
//
//	ANSWER STATUS [BODY]    how the upstream answers from now on
//	REST METHOD TARGET      then headers, then the body
//	MCP TOOL ARGUMENTS      a call of a tool
//	TOOLS                   the tools with their arguments, required ones with *
//	SCHEMA TOOL             a tool's input schema
//	OPENAPI METHOD PATH     the description and parameters of an operation
func (s *server) block(t *testing.T, block string) string {
	t.Helper()
	first, rest, _ := strings.Cut(block, "\n")
	verb, operands, _ := strings.Cut(first, " ")
	switch verb {
	case "REST":
		method, target, _ := strings.Cut(operands, " ")
		return s.callREST(t, method, target, rest)
	case "MCP":
		tool, arguments, _ := strings.Cut(operands, " ")
		return s.callTool(t, tool, arguments)
	case "TOOLS":
		return s.listTools(t)
	case "SCHEMA":
		for _, tool := range s.tools(t) {
			if tool.Name == operands {
				return string(tool.InputSchema) + "\n"
			}
		}
		return "no such tool\n"
	case "OPENAPI":
		method, path, _ := strings.Cut(operands, " ")
		return s.describe(t, method, path)
	default:
		t.Fatalf("%q is no call", first)
		return ""
	}
}

func (s *server) callREST(t *testing.T, method, target, rest string) string {
	t.Helper()
	var body string
	header := http.Header{}
	for rest != "" {
		line, after, _ := strings.Cut(rest, "\n")
		m := regexp.MustCompile(`^([A-Za-z-]+): (.*)$`).FindStringSubmatch(line)
		if m == nil {
			body = rest
			break
		}
		header.Add(m[1], m[2])
		rest = after
	}
	r, err := http.NewRequest(method, s.rest, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.rest + target)
	if err != nil {
		t.Fatal(err)
	}
	r.URL, r.Header = u, header
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	status, said := do(t, r)
	return fmt.Sprintf("< %d %s\n", status, brief(said))
}

// brief keeps of a problem what a caller reads first.
func brief(body string) string {
	var problem struct {
		Title, Detail, Kind string
		Errors              []struct{ Parameter, Pointer, Detail, Hint string }
	}
	if json.Unmarshal([]byte(body), &problem) != nil || problem.Title == "" {
		return strings.TrimSpace(body)
	}
	return strings.TrimSpace(problem.Title + ": " + problem.Detail)
}

func do(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	// A connection of each request's own: an idle one would hold the end up.
	r.Close = true
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// rpc sends a message of MCP 2025-11-25 and returns its result.
func (s *server) rpc(t *testing.T, method string, params any) json.RawMessage {
	t.Helper()
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, s.mcp, bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2025-11-25"},
	}
	_, body := do(t, r)
	var envelope struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatalf("%s: %v in %q", method, err, body)
	}
	if envelope.Error != nil {
		return envelope.Error
	}
	return envelope.Result
}

func (s *server) callTool(t *testing.T, tool, arguments string) string {
	t.Helper()
	if arguments == "" {
		arguments = "{}"
	}
	var result struct {
		Content []struct{ Type, Text string }
		IsError bool
		Message string
	}
	raw := s.rpc(t, "tools/call", map[string]any{"name": tool, "arguments": json.RawMessage(arguments)})
	if err := json.Unmarshal(raw, &result); err != nil {
		t.Fatal(err)
	}
	said := result.Message
	for _, c := range result.Content {
		said += c.Text
	}
	if result.IsError {
		said = "error: " + said
	}
	return "< " + said + "\n"
}

type tool struct {
	Name        string
	InputSchema json.RawMessage
}

// tools lists all pages.
func (s *server) tools(t *testing.T) []tool {
	t.Helper()
	var all []tool
	params := map[string]any{}
	for {
		var page struct {
			Tools      []tool
			NextCursor string
		}
		if err := json.Unmarshal(s.rpc(t, "tools/list", params), &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Tools...)
		if page.NextCursor == "" {
			return all
		}
		params["cursor"] = page.NextCursor
	}
}

func (s *server) listTools(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, tool := range s.tools(t) {
		var schema struct {
			Properties map[string]any
			Required   []string
		}
		if err := json.Unmarshal(tool.InputSchema, &schema); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range schema.Properties {
			if slices.Contains(schema.Required, name) {
				name += "*"
			}
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(&out, "  %s(%s)\n", tool.Name, strings.Join(names, ", "))
	}
	return out.String()
}

// describe shows what the REST adapter's own OpenAPI document says.
func (s *server) describe(t *testing.T, method, path string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.rest+"/.patchbay/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, body := do(t, r)
	var doc struct {
		Paths map[string]map[string]struct {
			Description string
			Parameters  []struct {
				Name, In, Description string
				Required              bool
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	op, ok := doc.Paths[path][strings.ToLower(method)]
	if !ok {
		return "not described\n"
	}
	out := ""
	if op.Description != "" {
		out = "  " + strings.ReplaceAll(op.Description, "\n", "\n  ") + "\n"
	}
	for _, p := range op.Parameters {
		required := ""
		if p.Required {
			required = " required"
		}
		out += strings.TrimRight(fmt.Sprintf("  %s %s%s: %s", p.In, p.Name, required, p.Description), ": ") + "\n"
	}
	return out
}
