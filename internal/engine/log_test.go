package engine_test

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
)

// logged is a capability with something of each kind that MCP offers.
const logged = `
naftiko: 1.0.0-alpha2
info: {label: Ships, description: A registry of ships}
binds: [{namespace: env, keys: {DOOR_SECRET: DOOR_SECRET}}]
capability:
  consumes:
  - type: http
    namespace: ships
    baseUri: https://ships.example.test
    description: Ships
    resources:
    - name: ship
      path: /ships/{imo}
      operations: [{name: get, method: GET, inputParameters: [{name: imo, in: path}]}]
  exposes:
  - type: mcp
    namespace: ships-mcp
    port: 9090
    description: Ships
    authentication: {type: bearer, token: '{{env.DOOR_SECRET}}'}
    tools:
    - {name: get, description: A ship, call: ships.get, with: {imo: tools.imo}, hints: {readOnly: true}}
    - {name: sampled, description: A tool for some clients, call: ships.get, with: {imo: tools.imo}, requiresClientCapabilities: [sampling]}
    resources:
    - {name: ship, label: A ship, description: A ship, uri: 'ships://{imo}', call: ships.get, with: {imo: ships-mcp.imo}}
`

// TestOneLineEach: every request to an MCP adapter leaves one line in the log,
// whoever answered it.
func TestOneLineEach(t *testing.T) {
	s := serve(t, settings{capability: logged, environment: map[string]string{"DOOR_SECRET": "sesame"}})
	const open = "\nAuthorization: Bearer sesame\nContent-Type: application/json\nX-Request-Id: mine\n\n"
	read := func(uri string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + uri + `"}}`
	}
	for _, c := range []struct {
		name, request string
		want          map[string]any
	}{
		{"a tool", "POST /mcp" + open + callMessage(1, "get", `{"imo":"7"}`, ""), map[string]any{"method": "tools/call", "operation": "get", "request_id": "mine", "upstream_status": 200.0}},
		{"a tool that does not exist", "POST /mcp" + open + callMessage(1, "got", `{}`, ""), map[string]any{"method": "tools/call", "failed": true, "fault": "invalid-input"}},
		{"a tool that the client cannot call", "POST /mcp" + open + callMessage(1, "sampled", `{"imo":"7"}`, ""), map[string]any{"method": "tools/call", "operation": "sampled", "failed": true}},
		{"a list", "POST /mcp" + open + `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, map[string]any{"method": "tools/list"}},
		{"a resource", "POST /mcp" + open + read("ships://7"), map[string]any{"method": "resources/read", "operation": "ship", "upstream_status": 200.0}},
		{"a resource that does not exist", "POST /mcp" + open + read("boats://7"), map[string]any{"method": "resources/read", "failed": true}},
		{"no credentials", "POST /mcp\nAuthorization: Bearer wrong\nContent-Type: application/json\nX-Request-Id: mine\n\n{}", map[string]any{"method": "POST", "status": 401.0, "fault": "unauthenticated", "request_id": "mine"}},
		{"no such selection", "POST /mcp/-/tools/got" + open + `{}`, map[string]any{"method": "POST", "status": 404.0, "fault": "not-found", "request_id": "mine"}},
		{"no such path", "POST /elsewhere" + open + `{}`, map[string]any{"method": "POST", "status": 404.0, "fault": "not-found"}},
		{"not JSON", "POST /mcp" + open + `{`, map[string]any{"failed": true}},
	} {
		before := len(s.log.String())
		s.send(s.mcp, c.request)
		lines := requestLines(t, s.log.String()[before:])
		if len(lines) != 1 {
			t.Errorf("%s: %d lines: %v", c.name, len(lines), lines)
			continue
		}
		for key, want := range c.want {
			if got := lines[0][key]; got != want {
				t.Errorf("%s: %s is %v, want %v", c.name, key, got, want)
			}
		}
		if lines[0]["protocol"] != "mcp" || lines[0]["adapter"] != "ships-mcp" {
			t.Errorf("%s: %v", c.name, lines[0])
		}
	}
}

// requestLines are the lines of a JSON log that stand for a request.
func requestLines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var out []map[string]any
	lines := bufio.NewScanner(strings.NewReader(log))
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] == "request" {
			out = append(out, line)
		}
	}
	return out
}
