package engine_test

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"

	"patchbay/internal/deploy"
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

// TestTransportIsTold: what the transport of MCP refuses, what it only takes, and
// what is answered before an adapter is reached leave one line each, with the name
// that the answer has too, and what is refused is counted.
func TestTransportIsTold(t *testing.T) {
	issuer := newAuthorizationServer(t)
	s := serve(t, settings{options: withTokens(issuer, func(o *deploy.Options, _ *deploy.JWT) {
		withControl(o)
		all := o.AdapterSettings[""]
		all.CORS.Origins = []string{"https://app.example"}
		o.AdapterSettings[""] = all
	})})
	const post, key = "POST /mcp\nContent-Type: application/json\n", "Authorization: Bearer cron-secret\n"
	const trace = "0af7651916cd43dd8448eb211c80319c"
	const metadata = "/.well-known/oauth-protected-resource"
	for _, c := range []struct {
		name, host, request string
		status              int
		want                map[string]any
	}{
		{"a GET", s.mcp, "GET /mcp\n" + key, 405, map[string]any{"protocol": "mcp", "method": "GET", "status": 405.0, "fault": "method-not-allowed"}},
		{"another media type", s.mcp, "POST /mcp\n" + key + "Content-Type: text/plain\n\nx", 415, map[string]any{"protocol": "mcp", "method": "POST", "status": 415.0, "fault": "unsupported-media-type"}},
		{"too much", s.mcp, post + key + "Content-Length: 99999999\n\nx", 413, map[string]any{"protocol": "mcp", "method": "POST", "status": 413.0, "fault": "too-large"}},
		{"a notification", s.mcp, post + key + "\n" + `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, map[string]any{"protocol": "mcp", "method": "notifications/initialized", "caller": "cron"}},
		{"a response", s.mcp, post + key + "\n" + `{"jsonrpc":"2.0","id":1,"result":{}}`, 202, map[string]any{"protocol": "mcp", "method": "response"}},
		{"a list", s.mcp, post + key + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 200, map[string]any{"protocol": "mcp", "method": "tools/list"}},
		{"no credentials", s.mcp, post + "Authorization: none\n\n{}", 401, map[string]any{"protocol": "mcp", "fault": "unauthenticated"}},
		{"metadata", s.mcp, "GET " + metadata + "\n", 200, map[string]any{"protocol": "mcp", "method": "GET", "route": metadata, "status": 200.0}},
		{"metadata of REST", s.rest, "POST " + metadata + "\n\n{}", 405, map[string]any{"protocol": "rest", "fault": "method-not-allowed", "status": 405.0}},
		{"a preflight", s.mcp, "OPTIONS /mcp\nOrigin: https://app.example\nAccess-Control-Request-Method: POST\n", 204, map[string]any{"protocol": "guard", "method": "OPTIONS", "status": 204.0}},
		{"another site", s.mcp, "POST /mcp\nOrigin: https://evil.example\n\n{}", 403, map[string]any{"protocol": "guard", "fault": "forbidden"}},
	} {
		before := len(requestLines(t, s.log.String()))
		a := s.send(c.host, strings.Replace(c.request, "\n", "\nTraceparent: 00-"+trace+"-b7ad6b7169203331-01\n", 1))
		lines := requestLines(t, s.log.String())[before:]
		if len(lines) != 1 || a.status != c.status || lines[0]["trace_id"] != trace {
			t.Errorf("%s: %d with the lines %v", c.name, a.status, lines)
			continue
		}
		for key, want := range c.want {
			if lines[0][key] != want {
				t.Errorf("%s: %s is %v, want %v", c.name, key, lines[0][key], want)
			}
		}
		if id := a.header["X-Request-Id"]; len(id) != 1 || id[0] != lines[0]["request_id"] {
			t.Errorf("%s: the answer is called %q, the line %v", c.name, id, lines[0]["request_id"])
		}
	}
	metrics := s.get(s.control(), "/metrics").body
	for _, kind := range []string{"method-not-allowed", "unsupported-media-type", "too-large", "unauthenticated"} {
		if !strings.Contains(metrics, `patchbay_requests_rejected_total{adapter="flex-interactions-mcp",kind="`+kind+`",protocol="mcp"} 1`) {
			t.Errorf("%s is not counted as rejected", kind)
		}
	}
}

// TestRequestIDs: an answer of MCP has the name that its caller gave, where that is
// a short token, and one of ours otherwise; so has its line in the log.
func TestRequestIDs(t *testing.T) {
	s := serve(t, settings{capability: logged, environment: map[string]string{"DOOR_SECRET": "sesame"}})
	const head = "POST /mcp\nAuthorization: Bearer sesame\nContent-Type: application/json\n"
	for _, body := range []string{
		callMessage(1, "get", `{"imo":"7"}`, ""),
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ships://7"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
		`{`,
	} {
		for given, kept := range map[string]bool{
			"X-Request-Id: mine\n": true, "X-Request-Id: mine\nX-Request-Id: other\n": true,
			"": false, "X-Request-Id: m i n e\n": false, "X-Request-Id: " + strings.Repeat("m", 65) + "\n": false,
		} {
			before := len(requestLines(t, s.log.String()))
			a := s.send(s.mcp, head+given+"\n"+body)
			id := a.header["X-Request-Id"]
			if lines := requestLines(t, s.log.String())[before:]; len(id) != 1 || (id[0] == "mine") != kept || len(lines) != 1 || lines[0]["request_id"] != id[0] {
				t.Errorf("%q with %.40s: %q and %v", given, body, id, lines)
			}
		}
	}
}
