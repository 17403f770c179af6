package mcp_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"patchbay/internal/mcp"
)

// FuzzStdio: whatever a host writes, what it reads are whole lines of strict JSON,
// and the end of its input ends the server.
func FuzzStdio(f *testing.F) {
	s, err := mcp.New(mcp.Options{Name: "fuzz", Version: "1", Tools: []mcp.Tool{{
		Name: "t", InputSchema: []byte(`{"type":"object"}`),
		Call: func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
			c.Progress(1, 2, "half")
			return mcp.JSONResult(c.Arguments), nil
		},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		callWithID(1) + cancelID(1) + callWithID(1), `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}` + "\n[" + strings.TrimSpace(callWithID(2)) + "]\n",
		expand(`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"a":1},META}}`) + "\n", "\n\n\r\n", "{", "[]\n", "\x00\n", strings.Repeat("[", 200) + "\n", `{"jsonrpc":"2.0","id":1,"result":{}}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer // its writes are the server's, one at a time, and over when Serve returns
		if err := s.Serve(context.Background(), bytes.NewReader(input), &out, mcp.StdioOptions{}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if !strings.HasSuffix(line, "\n") || !jsontext.Value(line).IsValid() {
				t.Errorf("%q", line)
			}
		}
	})
}
