package engine_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
)

// plantedCapability reads secrets in every place where one can stand: of calls,
// of callers, in the file itself.
const plantedCapability = `
naftiko: 1.0.0-alpha2
info: {label: Planted, description: Secrets everywhere}
binds: [{namespace: env, keys: {BASIC_PASS: BASIC_PASS, QUERY_KEY: QUERY_KEY, DOOR: DOOR, FIXED: FIXED}}]
capability:
  consumes:
  - type: http
    namespace: basic
    baseUri: https://basic.example.test/v1
    authentication: {type: basic, username: planted-user, password: '{{env.BASIC_PASS}}'}
    inputParameters: [{name: X-Fixed, in: header, value: '{{env.FIXED}}'}]
    resources:
    - name: things
      path: /things/{id}
      operations:
      - {name: read, method: GET, inputParameters: [{name: id, in: path}, {name: q, in: query}, {name: X-Own, in: header}]}
      - {name: write, method: POST, inputParameters: [{name: id, in: path}, {name: body, in: body}]}
  - type: http
    namespace: query
    baseUri: https://query.example.test/v1
    authentication: {type: apikey, key: api_key, value: '{{env.QUERY_KEY}}', placement: query}
    resources:
    - name: things
      path: /things/{id}
      operations: [{name: read, method: GET, inputParameters: [{name: id, in: path}]}]
  exposes:
  - type: rest
    namespace: planted-rest
    port: 8080
    authentication: {type: bearer, token: '{{env.DOOR}}'}
    resources:
    - path: /things/{id}
      operations:
      - {method: GET, name: read, call: basic.read, with: {id: rest.id, q: rest.q, X-Own: rest.X-Own}}
      - {method: POST, name: write, call: basic.write, with: {id: rest.id, body: rest.body}}
    - path: /other/{id}
      operations: [{method: GET, name: other, call: query.read, with: {id: rest.id}}]
  - type: mcp
    namespace: planted-mcp
    port: 9090
    description: Planted
    authentication: {type: bearer, token: '{{env.DOOR}}'}
    tools:
    - {name: read, description: Read, call: basic.read, with: {id: tools.id, q: tools.q, X-Own: tools.X-Own}}
    - {name: write, description: Write, call: basic.write, with: {id: tools.id, body: tools.body}}
    - {name: other, description: Other, call: query.read, with: {id: tools.id}}
`

// The planted secrets. Those of the operator may appear in no output at all, not
// even in what an upstream says; those of a caller in nothing but their answer.
const (
	plantedPassword  = "planted-password-7"
	plantedQueryKey  = "planted query/key+7"
	plantedDoor      = "planted-door-7"
	plantedFixed     = "planted-fixed-7"
	plantedCollector = "planted-collector-7"
	plantedKey       = "planted-adapter-key-7"

	callerQuery  = "planted-caller-query"
	callerHeader = "planted-caller-header"
	callerBody   = "planted-caller-body"
	callerPath   = "planted-caller-path"
	callerCookie = "planted-caller-cookie"
	callerKey    = "planted-caller-idempotency"
	callerWrong  = "planted-caller-wrong-token"
)

// operatorForms are the secrets of the operator as they could travel.
func operatorForms() []string {
	pair := base64.StdEncoding.EncodeToString([]byte("planted-user:" + plantedPassword))
	out := []string{pair}
	for _, s := range []string{plantedPassword, plantedQueryKey, plantedDoor, plantedFixed, plantedCollector, plantedKey} {
		out = append(out, s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	return out
}

func callerForms() []string {
	return []string{callerQuery, callerHeader, callerBody, callerPath, callerCookie, callerKey, callerWrong}
}

// received keeps what a collector got.
type received struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *received) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = io.Copy(&r.text, req.Body)
	r.text.WriteString("\n")
	_, _ = io.WriteString(w, "{}")
}

func (r *received) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// repeats answers with everything that the upstream was sent.
func repeats(status int, media string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := json.Marshal(map[string]any{"you_sent": r.Header, "to": r.URL.String()})
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// babbles repeats the credentials in place of an answer, which net/http then
// repeats in its error.
func babbles(w http.ResponseWriter, r *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	// The place of the status is what net/http repeats, up to a space.
	_, repeated, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %s%s%s\r\n\r\n", repeated, r.Header.Get("X-Fixed"), r.URL.RawQuery)
	_ = c.Close()
}

// TestPlantedSecrets plants secrets wherever one can stand, makes everything
// that can be told of be told, and looks through all of it.
func TestPlantedSecrets(t *testing.T) {
	collector := &received{}
	at := httptest.NewServer(collector)
	defer at.Close()
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	d, problems, err := s.bind(settings{
		source: func(context.Context, engine.BindOptions) (*engine.Deployment, diag.List, error) {
			var found diag.List
			found.Errorf("test.planted", diag.Span{File: "a.yaml", Line: 1, Col: 1}, "there is %s", plantedDoor).WithHint("not %s", plantedDoor)
			return nil, found, fmt.Errorf("cannot use %s", plantedDoor)
		},
		capability:  plantedCapability,
		environment: map[string]string{"BASIC_PASS": plantedPassword, "QUERY_KEY": plantedQueryKey, "DOOR": plantedDoor, "FIXED": plantedFixed},
		options: func(o *deploy.Options) {
			withControl(o)
			o.Telemetry.Audit, o.Telemetry.OTLP, o.Telemetry.Sample = audit, at.URL, 1
			o.Telemetry.Headers = map[string]secret.Value{"X-Collector": secret.New(plantedCollector)}
			o.AdapterSettings = map[string]deploy.Adapter{"nobody": {Auth: &deploy.Auth{Keys: []deploy.Key{{Name: "k", Scheme: "bearer", Secret: secret.New(plantedKey)}}}}}
			o.ShareEnv = append(o.ShareEnv, "BASIC_PASS", "QUERY_KEY", "DOOR", "FIXED")
		},
	})
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	served, err := s.engine.Start(d)
	if err != nil {
		t.Fatal(err)
	}
	rest, _ := url.Parse(served[0].URL)
	mcp, _ := url.Parse(served[1].URL)
	control := s.control()

	head := "Authorization: Bearer " + plantedDoor + "\nCookie: session=" + callerCookie + "\nIdempotency-Key: " + callerKey + "\nX-Own: " + callerHeader + "\nX-Request-Id: a " + callerHeader + "\nContent-Type: application/json\n"
	wrong := strings.Replace(head, plantedDoor, callerWrong, 1)
	tool := func(name, arguments string) string {
		return "POST /mcp\n" + head + "\n" + callMessage(1, name, arguments, "")
	}
	own := `"id":"` + callerPath + `"`
	requests := []struct{ host, text string }{
		{rest.Host, "GET /things/" + callerPath + "?q=" + callerQuery + "\n" + head},
		{rest.Host, "POST /things/" + callerPath + "\n" + head + "\n" + `{"pin":"` + callerBody + `"}`},
		{rest.Host, "GET /other/" + callerPath + "\n" + head},
		{rest.Host, "GET /things/" + callerPath + "?q=" + callerQuery + "\n" + wrong},
		{rest.Host, "GET /nowhere/" + callerPath + "?q=" + callerQuery + "\n" + wrong},
		{rest.Host, "POST /things/" + callerPath + "\n" + head + "\n" + `{"pin":"` + callerBody},
		{mcp.Host, tool("read", `{`+own+`,"q":"`+callerQuery+`","X-Own":"`+callerHeader+`"}`)},
		{mcp.Host, tool("write", `{`+own+`,"body":{"pin":"`+callerBody+`"}}`)},
		{mcp.Host, tool("other", `{`+own+`}`)},
		{mcp.Host, tool("read", `{"id":"`+callerPath+`","`+callerBody+`":1}`)},
		{mcp.Host, "POST /mcp\n" + wrong + "\n" + callMessage(1, "read", `{`+own+`}`, "")},
		{mcp.Host, "POST /mcp\n" + head + "\n{" + callerBody},
	}
	scripts := map[string]http.HandlerFunc{
		"a success": answersJSON(200, `{"ok":true}`), "an error that repeats the request": repeats(500, "application/json"), "a refusal that does": repeats(401, "text/plain"),
		"no HTTP": babbles, "a cut": cuts, "a success that is no JSON": answers(200, "<html>", "Content-Type: text/html"),
	}
	for _, script := range scripts {
		s.upstream.script(script)
		for _, r := range requests {
			s.send(r.host, r.text)
		}
	}

	emitted := map[string]string{}
	for _, path := range []string{"/", "/status", "/metrics", "/traces", "/health/ready", "/nothing"} {
		emitted["control "+path] = s.get(control, path).body
	}
	for _, path := range []string{"/.patchbay/", "/openapi.json", "/.patchbay/capability.yaml"} {
		emitted["page "+path] = s.send(rest.Host, "GET "+path+"\n"+head).body
	}
	s.engine.Reload(t.Context(), "a test")
	emitted["status after a reload"] = s.get(control, "/status").body
	if err := s.engine.Shutdown(20 * time.Second); err != nil {
		t.Error(err)
	}
	emitted["log"], emitted["OTLP"] = s.log.String(), collector.String()
	text, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	emitted["audit"] = string(text)

	for where, text := range emitted {
		for _, secret := range append(operatorForms(), callerForms()...) {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s holds %q: …%s…", where, secret, text[max(0, i-200):min(len(text), i+80)])
			}
		}
	}
	for _, secret := range operatorForms() {
		if i := strings.Index(s.answers.String(), secret); i >= 0 {
			t.Errorf("an answer holds %q: …%s…", secret, s.answers.String()[max(0, i-300):i+80])
		}
	}
	// What was looked through was there.
	for where, part := range map[string]string{
		"log": `"fault":"upstream-unreachable"`, "OTLP": `"tools/call read"`, "audit": `"operation":"write"`,
		"control /traces": `malformed HTTP status code \"…\"`, "control /metrics": `kind="upstream-unreachable"`, "control /": "upstream-unreachable",
	} {
		if !strings.Contains(emitted[where], part) && !strings.Contains(emitted[where], strings.ReplaceAll(part, `"`, `\"`)) {
			t.Errorf("%s does not hold %s", where, part)
		}
	}
	if !strings.Contains(s.answers.String(), secret.Redacted) {
		t.Error("no upstream repeated a credential")
	}
}
