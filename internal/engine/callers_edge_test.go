package engine_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

// TestCallersSecretsAreMasked: an upstream that repeats what it was sent does not
// tell a caller, nor the log, the credentials that the operator gave that caller.
func TestCallersSecretsAreMasked(t *testing.T) {
	own := map[string]deploy.Credential{"billing": {Username: secret.New("ACbilling"), Password: secret.New("b-secret"), Variables: map[string]secret.Value{"ACCOUNT": secret.New("sub-account-7")}}}
	s := serve(t, settings{
		capability:  accounts("{type: basic, username: '{{env.TWILIO_USER}}', password: '{{env.TWILIO_PASS}}'}"),
		environment: map[string]string{"ACCOUNT": "main-account-1"},
		options: func(o *deploy.Options) {
			guardAll(nil)(o)
			credentials(o, "api", false, own)
		},
	})
	pair := base64.StdEncoding.EncodeToString([]byte("ACbilling:b-secret"))
	for _, script := range []http.HandlerFunc{repeats(http.StatusBadRequest, "application/json"), repeats(http.StatusInternalServerError, "text/plain"), babbles} {
		s.upstream.script(script)
		a := s.REST("POST /messages/MM1\nAuthorization: Bearer billing-new\n")
		if a.status < 400 {
			t.Errorf("%s", a)
		}
		sent := s.upstream.take()
		if len(sent) != 1 || !strings.Contains(sent[0].String(), "Basic <ACbilling:b-secret>") {
			t.Fatalf("sent %v", sent)
		}
		for _, text := range []string{"b-secret", pair, "sub-account-7", "main-account-1"} {
			if strings.Contains(a.body, text) {
				t.Errorf("the answer holds %s: %s", text, a)
			}
		}
	}
}

// TestBatchRate: each call of a batch is one of those that its caller may make.
func TestBatchRate(t *testing.T) {
	s := serve(t, settings{options: guardAll(func(a *deploy.Adapter) { a.Rate = deploy.Rate{PerSecond: 0.001, Burst: 3} })})
	var calls []string
	for i := range 10 {
		calls = append(calls, callMessage(i+1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, ""))
	}
	a := s.send(s.mcp, "POST /mcp\nContent-Type: application/json\nMCP-Protocol-Version: 2025-03-26\nX-Door: cron-secret\n\n["+strings.Join(calls, ",")+"]")
	if n := len(s.upstream.take()); n != 3 || strings.Count(a.body, `"isError":true`) != 7 || !strings.Contains(a.body, "more requests than it may") {
		t.Errorf("a burst of 3 let %d of 10 calls through: %s", n, a)
	}
}

// TestNamesAreReserved: a token that names its caller as the key of another
// adapter is named is no way to that caller's credentials.
func TestNamesAreReserved(t *testing.T) {
	issuer := newAuthorizationServer(t)
	s := serve(t, settings{options: func(o *deploy.Options) {
		o.AdapterSettings = map[string]deploy.Adapter{
			"flex-interactions-rest": {Auth: &deploy.Auth{Keys: []deploy.Key{{Name: "billing", Scheme: "bearer", Secret: secret.New("billing-key")}}}},
			"flex-interactions-mcp":  {Auth: &deploy.Auth{JWT: &deploy.JWT{Issuer: issuer.URL, Audience: "https://gateway.example/mcp"}}},
		}
		credentials(o, "flex-interactions", true, map[string]deploy.Credential{
			"billing": {Username: secret.New("ACbilling"), Password: secret.New("b-secret")},
			"ada":     {Username: secret.New("ACada"), Password: secret.New("a-secret")},
		})
	}})
	for name, status := range map[string]int{"billing": 401, "flex-interactions-rest": 401, "ada": 200} {
		a := fetchBoth(s, "Authorization: Bearer "+issuer.token(name, "", nil)+"\n")["MCP"]
		if sent := s.upstream.take(); a.status != status || (len(sent) > 0) != (status == 200) {
			t.Errorf("%s: %s, %v", name, a, sent)
		}
	}
}

// TestOneRateForOneAddress: of all tools at one address there is one endpoint, and
// who may ask it how often is one decision.
func TestOneRateForOneAddress(t *testing.T) {
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	_, _, err := s.bind(settings{capability: twoServers, options: func(o *deploy.Options) {
		o.Listen["aa"], o.Listen["bb"] = "127.0.0.1:9090", "127.0.0.1:9090"
		o.AdapterSettings = map[string]deploy.Adapter{"bb": {Rate: deploy.Rate{PerSecond: 1}}}
	}})
	if err == nil || !strings.Contains(err.Error(), "want different rates") {
		t.Errorf("%v", err)
	}
	if err := s.engine.Shutdown(0); err != nil {
		t.Error(err)
	}
}

// twoServers is a capability with two MCP adapters.
const twoServers = `
naftiko: 1.0.0-alpha2
info: {label: Two, description: Two MCP adapters}
capability:
  consumes:
  - type: http
    namespace: fleet
    baseUri: https://fleet.example.test
    description: A fleet
    resources:
    - name: crew
      path: /crew/{id}
      operations: [{name: promote, method: POST, inputParameters: [{name: id, in: path}]}]
  exposes:
  - type: mcp
    namespace: aa
    port: 9090
    description: One
    tools: [{name: first, description: One, call: fleet.promote, with: {id: aa.id}, inputParameters: [{name: id, type: string, description: i}]}]
  - type: mcp
    namespace: bb
    port: 9091
    description: Another
    tools: [{name: second, description: Another, call: fleet.promote, with: {id: bb.id}, inputParameters: [{name: id, type: string, description: i}]}]
`

// TestProxyHearsNoSecrets: what goes to a proxy over plain HTTP is readable there.
func TestProxyHearsNoSecrets(t *testing.T) {
	for proxy, refused := range map[string]bool{"http://proxy.example:3128": true, "http://127.0.0.1:3128": false, "none": false, "": false} {
		s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
		_, found, err := s.bind(settings{options: func(o *deploy.Options) {
			o.UpstreamSettings = map[string]deploy.Upstream{"": {Proxy: proxy}}
		}})
		if err != nil || found.HasErrors() != refused {
			t.Errorf("%q: %v %v", proxy, err, found)
		}
		if err := s.engine.Shutdown(0); err != nil {
			t.Error(err)
		}
	}
}

// TestPageCountsOnce: a page of one adapter among several is one request of those
// that a caller may make.
func TestPageCountsOnce(t *testing.T) {
	s, problems, err := several(t, map[string]string{"a.yaml": shopFile("a", "TOKEN", ""), "b.yaml": shopFile("b", "TOKEN", "")}, map[string]string{"TOKEN": "s3cret-token"}, func(o *deploy.Options) {
		o.MountAll, o.ShareEnv = true, []string{"TOKEN"}
		o.AdapterSettings = map[string]deploy.Adapter{"": {Rate: deploy.Rate{PerSecond: 0.001, Burst: 10}}}
	})
	s.start(problems, err)
	for _, left := range []string{"9", "8"} {
		if a := s.send(s.rest, "GET /.patchbay/a-rest/\n"); a.status != 200 || !strings.Contains(a.header.Get("RateLimit"), "r="+left+";") {
			t.Errorf("%d, %q left, want %s", a.status, a.header.Get("RateLimit"), left)
		}
	}
}
