package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

const (
	legacyRevision = "2025-11-25"
	modernRevision = "2026-07-28"
	modernMeta     = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modernRevision +
		`","io.modelcontextprotocol/clientCapabilities":{}}`
)

// result is what an agent got for a tool call.
type result struct {
	// raw is the result as it came, or the JSON-RPC error.
	raw        string
	Content    []struct{ Type, Text string }
	Structured json.RawMessage `json:"structuredContent"`
	IsError    bool
	ResultType string
	// Error is set where the call failed as a protocol error.
	Error *struct {
		Code    int
		Message string
	} `json:"-"`
}

// text is what the model reads.
func (r *result) text() string {
	var all []string
	for _, c := range r.Content {
		all = append(all, c.Text)
	}
	return strings.Join(all, "\n")
}

// String shows a result for reading.
func (r *result) String() string {
	value := jsontext.Value(r.raw)
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		return r.raw + "\n"
	}
	return string(value) + "\n"
}

// agent is a way to call tools.
type agent struct {
	name string
	call func(t *testing.T, tool, arguments string) *result
}

// agents returns every way in which an agent reaches a deployment: both eras
// over HTTP, and standard input and output.
func (s *site) agents() []agent {
	return []agent{{"legacy", s.legacy}, {"modern", s.modern}, {"stdio", s.stdio}}
}

func initialize() string {
	return `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + legacyRevision +
		`","capabilities":{},"clientInfo":{"name":"story","version":"1"}}}`
}

// legacy calls a tool as clients of the initialize era do.
func (s *site) legacy(t *testing.T, tool, arguments string) *result {
	t.Helper()
	a := s.send(s.mcp, "POST /mcp\nContent-Type: application/json\nAccept: application/json, text/event-stream\n\n"+initialize())
	if a.status != http.StatusOK || !strings.Contains(a.body, legacyRevision) {
		t.Fatalf("initialize: %s", a)
	}
	return decode(t, s.send(s.mcp, legacyCall(tool, arguments)).body)
}

func legacyCall(tool, arguments string) string {
	return "POST /mcp\nContent-Type: application/json\nAccept: application/json, text/event-stream\nMCP-Protocol-Version: " + legacyRevision +
		"\n\n" + callMessage(2, tool, arguments, "")
}

// modern calls a tool as clients of 2026-07-28 do, with mirrored headers.
func (s *site) modern(t *testing.T, tool, arguments string) *result {
	t.Helper()
	return decode(t, s.send(s.mcp, modernCall(tool, arguments)).body)
}

func modernCall(tool, arguments string) string {
	return "POST /mcp\nContent-Type: application/json\nAccept: application/json, text/event-stream\nMCP-Protocol-Version: " + modernRevision +
		"\nMcp-Method: tools/call\nMcp-Name: " + tool + "\n\n" + callMessage(3, tool, arguments, ","+modernMeta)
}

func callMessage(id int, tool, arguments, meta string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s%s}}`, id, tool, oneLine(arguments), meta)
}

// oneLine removes the line breaks that arguments have between their tokens.
func oneLine(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ") }

// stdio calls a tool of a server that a host has started as its process.
func (s *site) stdio(t *testing.T, tool, arguments string) *result {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := s.engine.Stdio(context.Background(), s.deployment, in, out)
		_ = out.Close()
		ended <- err
	}()
	lines := bufio.NewReader(fromServer)
	ask := func(line string) string {
		if _, err := io.WriteString(toServer, line+"\n"); err != nil {
			t.Fatal(err)
		}
		said, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	if said := ask(initialize()); !strings.Contains(said, legacyRevision) {
		t.Fatalf("initialize: %s", said)
	}
	said := ask(callMessage(2, tool, arguments, ""))
	fmt.Fprintln(s.answers, said)
	if err := toServer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("stdio ended with %v", err)
	}
	return decode(t, said)
}

func decode(t *testing.T, body string) *result {
	t.Helper()
	var envelope struct {
		Result json.RawMessage
		Error  json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	r := &result{raw: string(envelope.Result)}
	if envelope.Error != nil {
		r.raw = string(envelope.Error)
		if err := json.Unmarshal(envelope.Error, &r.Error); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if err := json.Unmarshal(envelope.Result, r); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return r
}

// run performs the operation behind a tool without any adapter. Arguments are
// named like the operation's inputs, ignoring case and '_'.
func (s *site) run(t *testing.T, tool, arguments string) (*plan.Output, *fault.Fault) {
	t.Helper()
	bound := s.deployment.Bound[0]
	op, near := bound.Plan.Find(tool)
	if op == nil {
		t.Fatalf("there is no operation %q, but %q", tool, near)
	}
	given, err := jsonvalue.ParseString(arguments)
	if err != nil {
		t.Fatal(err)
	}
	args := &plan.Args{Values: make([]jsonvalue.Value, len(op.Inputs))}
	for _, m := range given.Elems() {
		for i := range op.Inputs {
			if diag.Fold(op.Inputs[i].Name) == diag.Fold(m.Name) {
				args.Values[i] = m.Value
			}
		}
	}
	out, failed := bound.Run(context.Background(), op, args)
	if failed != nil {
		return nil, fault.Of(failed)
	}
	return out, nil
}
