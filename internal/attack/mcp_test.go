package attack

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// TestHostileMessages: an MCP client sends messages that are none, that two
// readers read differently, or that are many in one, in both eras. Each gets one
// answer of valid JSON, and no tool is called but by a whole and valid message.
func TestHostileMessages(t *testing.T) {
	s := serve(t, setting{capability: loose})
	call := func(id string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"read","arguments":{"id":"a","part":"b"}}}`
	}
	for _, row := range []struct{ name, body string }{
		{"no id that may be", call(`{"a":1}`)},
		{"a list as id", call(`[1]`)},
		{"a boolean as id", call(`true`)},
		{"an id without end", call(`"` + strings.Repeat("a", 100_000) + `"`)},
		{"an id of 100 000 digits", call(strings.Repeat("9", 100_000))},
		{"two ids", strings.Replace(call("1"), `"id":1`, `"id":1,"id":2`, 1)},
		{"two methods", strings.Replace(call("1"), `"method"`, `"method":"ping","\u006dethod"`, 1)},
		{"two names", strings.Replace(call("1"), `"name":"read"`, `"name":"read","name":"write"`, 1)},
		{"another version", strings.Replace(call("1"), `"2.0"`, `"1.0"`, 1)},
		{"a version that is a number", strings.Replace(call("1"), `"2.0"`, `2.0`, 1)},
		{"names in capitals", strings.ToUpper(call("1"))},
		{"a batch without end", "[" + strings.Repeat(call("1")+",", 1000) + call("1") + "]"},
		{"an empty batch", "[]"},
		{"a batch in a batch", "[[" + call("1") + "]]"},
		{"a batch of nothing", "[" + strings.Repeat("1,", 100_000) + "1]"},
		{"arguments in arguments", strings.Replace(call("1"), `{"id":"a","part":"b"}`, strings.Repeat(`{"a":`, 50_000)+"1"+strings.Repeat("}", 50_000), 1)},
		{"arguments that are a list", strings.Replace(call("1"), `{"id":"a","part":"b"}`, `["a","b"]`, 1)},
		{"a name that is a list", strings.Replace(call("1"), `"name":"read"`, `"name":["read"]`, 1)},
		{"a name without end", strings.Replace(call("1"), `"name":"read"`, `"name":"`+strings.Repeat("a", 100_000)+`"`, 1)},
		{"another one's tool", strings.Replace(call("1"), `"name":"read"`, `"name":"../write"`, 1)},
		{"an answer", `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`},
		{"an answer and a call", strings.Replace(call("1"), `"id":1`, `"id":1,"result":{}`, 1)[:20]},
		{"two messages", call("1") + "\n" + call("2")},
		{"no UTF-8", strings.Replace(call("1"), `"a"`, "\"\xff\"", 1)},
		{"a NUL", call("1") + "\x00"},
		{"nothing", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := *s
			s.t = t
			for _, era := range []string{"", legacyRevision, "2025-03-26", modernRevision} {
				head := "POST /mcp\nContent-Type: application/json"
				if era != "" {
					head += "\nMCP-Protocol-Version: " + era
				}
				if era == modernRevision {
					head += "\nMcp-Method: tools/call\nMcp-Name: read"
				}
				a := s.one(s.mcp, request(s.mcp, head, row.body))
				if a.body != "" && !json.Valid([]byte(a.body)) || len(a.body) > 20_000 || a.status >= 500 {
					t.Errorf("%q: %d with %d bytes: %.300s", era, a.status, len(a.body), a.body)
				}
				s.expect()
			}
		})
	}
}

// TestMirroredHeaders: an MCP client tells a proxy in headers that it does one
// thing, and does another in the body. Where headers and body differ, nothing is
// called, and the answer is the protocol's.
func TestMirroredHeaders(t *testing.T) {
	s := serve(t, setting{capability: loose})
	good := s.toolCall(modernRevision, "read", `{"id":"a","part":"b"}`, "")
	for _, row := range []struct{ name, from, to string }{
		{"another method", "Mcp-Method: tools/call", "Mcp-Method: tools/list"},
		{"another case", "Mcp-Method: tools/call", "Mcp-Method: Tools/Call"},
		{"no method", "Mcp-Method: tools/call\r\n", ""},
		{"two methods", "Mcp-Method: tools/call", "Mcp-Method: tools/call\r\nMcp-Method: tools/list"},
		{"a list of methods", "Mcp-Method: tools/call", "Mcp-Method: tools/call, tools/list"},
		{"another tool", "Mcp-Name: read", "Mcp-Name: write"},
		{"no tool", "Mcp-Name: read\r\n", ""},
		{"two tools", "Mcp-Name: read", "Mcp-Name: read\r\nMcp-Name: write"},
		{"another tool in base64", "Mcp-Name: read", "Mcp-Name: =?base64?d3JpdGU=?="},
		{"no base64", "Mcp-Name: read", "Mcp-Name: =?base64?%%?="},
		{"no ASCII", "Mcp-Name: read", "Mcp-Name: r\xc3\xa9ad"},
		{"another version", "MCP-Protocol-Version: " + modernRevision, "MCP-Protocol-Version: " + legacyRevision},
		{"no version that is known", "MCP-Protocol-Version: " + modernRevision, "MCP-Protocol-Version: 9999-01-01"},
		{"two versions", "MCP-Protocol-Version: " + modernRevision, "MCP-Protocol-Version: " + modernRevision + "\r\nMCP-Protocol-Version: " + legacyRevision},
	} {
		if !strings.Contains(good, row.from) {
			t.Fatalf("%s: the request has no %q", row.name, row.from)
		}
		a := s.one(s.mcp, strings.Replace(good, row.from, row.to, 1))
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"error"`) {
			t.Errorf("%s: %d %s", row.name, a.status, a.body)
		}
		s.expect()
	}
	if a := s.one(s.mcp, good); a.status != http.StatusOK {
		t.Errorf("the request itself: %d %s", a.status, a.body)
	}
	s.upstream.take()
}

// TestProgressTokens: an MCP client gives tokens and contexts for what comes back
// to it, with line ends and types that would make events of their own.
func TestProgressTokens(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for _, token := range []string{`"a\n\ndata: evil\n\n"`, `"` + strings.Repeat("a", 10_000) + `"`, `{"a":1}`, `[1]`, `true`, `1e999`, `-0`, `"\u2028"`, `null`} {
		for _, member := range []string{"progressToken", "traceparent", "tracestate", "baggage", "com.patchbay/idempotencyKey"} {
			meta := `{"` + member + `":` + token + `,"io.modelcontextprotocol/protocolVersion":"` + modernRevision + `","io.modelcontextprotocol/clientCapabilities":{}}`
			body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{"id":"a","part":"b"},"_meta":` + meta + `}}`
			a := s.one(s.mcp, request(s.mcp, "POST /mcp\nContent-Type: application/json\nAccept: application/json, text/event-stream\nMCP-Protocol-Version: "+modernRevision+"\nMcp-Method: tools/call\nMcp-Name: read", body))
			text := a.body
			if a.header.Get("Content-Type") == "text/event-stream" {
				text = strings.TrimSpace(text[strings.LastIndex(text, "data: ")+len("data: "):])
			}
			if !json.Valid([]byte(text)) || strings.Contains(a.body, "\ndata: evil") || a.status >= 500 {
				t.Errorf("%s %s: %d %q", member, token, a.status, a.body)
			}
			for _, r := range s.upstream.take() {
				for name, values := range r.header {
					if strings.Contains(strings.Join(values, ""), "evil") || len(strings.Join(values, "")) > 9000 {
						t.Errorf("%s %s: the upstream got %s: %q", member, token, name, values)
					}
				}
			}
		}
	}
}

// TestHostileHost: a program that has started Patchbay over standard input and
// output sends lines that are no messages, without an end, or many at once. The
// answers stay one line each, and the next good message is answered.
func TestHostileHost(t *testing.T) {
	s := serve(t, setting{capability: loose, options: func(o *deploy.Options) { o.Limits.MaxConcurrent = 4 }})
	good := callMessage(modernRevision, "read", `{"id":"a","part":"b"}`, "")
	for name, line := range map[string]string{
		"no JSON":              "Content-Length: 10\r\n\r\n{}",
		"too deep":             strings.Repeat("[", 100_000),
		"a line beyond bounds": strings.Repeat("a", 5<<20),
		"a NUL":                "\x00\x00\x00",
		"no UTF-8":             "\xff\xfe",
		"empty lines":          strings.Repeat("\n", 1000) + "x",
		"a batch":              "[" + strings.Repeat(good+",", 40) + good + "]",
		"an answer":            `{"jsonrpc":"2.0","id":9,"result":{}}`,
		"a cancellation":       `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nothing"}}`,
		"half of a message":    `{"jsonrpc":"2.0","id":1,`,
	} {
		t.Run(name, func(t *testing.T) {
			in, out := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				err := s.engine.Stdio(context.Background(), s.deployment, strings.NewReader(line+"\n"+good+"\n"), out)
				_ = out.Close()
				ended <- err
			}()
			answered := false
			lines := bufio.NewReader(in)
			for {
				text, err := lines.ReadString('\n')
				if err != nil {
					break
				}
				if !json.Valid([]byte(text)) {
					t.Errorf("no JSON: %.300q", text)
				}
				answered = answered || strings.Contains(text, `"result"`)
			}
			if err := <-ended; err != nil || !answered {
				t.Errorf("the next message was not answered: %v", err)
			}
		})
	}
	s.upstream.take()
}
