package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

// keys are three callers, each of whom has another way in; billing is changing
// its secret.
func keys() *deploy.Auth {
	return &deploy.Auth{Keys: []deploy.Key{
		{Name: "billing", Scheme: "bearer", Secret: secret.New("billing-old")},
		{Name: "billing", Scheme: "bearer", Secret: secret.New("billing-new")},
		{Name: "reports", Scheme: "basic", Username: "reports", Secret: secret.New("reports-secret")},
		{Name: "cron", Scheme: "apikey", Header: "x-door", Secret: secret.New("cron-secret")},
	}}
}

// guardAll puts a decision before all adapters.
func guardAll(change func(*deploy.Adapter)) func(*deploy.Options) {
	return func(o *deploy.Options) {
		a := deploy.Adapter{Auth: keys()}
		if change != nil {
			change(&a)
		}
		o.AdapterSettings = map[string]deploy.Adapter{"": a}
	}
}

// fetchBoth calls the same operation through REST and MCP with headers.
func fetchBoth(s *site, headers string) map[string]*answer {
	call := callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, "")
	return map[string]*answer{
		"REST": s.REST("GET /v1/interactions/" + interaction + "\n" + headers),
		"MCP":  s.send(s.mcp, "POST /mcp\nContent-Type: application/json\n"+headers+"\n"+call),
	}
}

// TestNamedKeys: each caller is let in by its own secret, by both while it is
// changed, and the log says who it was.
func TestNamedKeys(t *testing.T) {
	s := serve(t, settings{options: guardAll(nil)})
	for _, test := range []struct{ header, who string }{
		{"Authorization: Bearer billing-old\n", "billing"},
		{"Authorization: Bearer billing-new\n", "billing"},
		{"Authorization: Basic cmVwb3J0czpyZXBvcnRzLXNlY3JldA==\n", "reports"},
		{"X-Door: cron-secret\n", "cron"},
		{"Authorization: Bearer cron-secret\n", ""},
		{"X-Door: billing-new\n", ""},
		{"Authorization: Bearer billing-old\nAuthorization: Bearer billing-old\n", ""},
		{"", ""},
	} {
		for protocol, a := range fetchBoth(s, test.header) {
			want := http.StatusOK
			if test.who == "" {
				want = http.StatusUnauthorized
				if got := a.header["Www-Authenticate"]; len(got) != 3 {
					t.Errorf("%s with %q: challenges %q", protocol, test.header, got)
				}
			}
			if a.status != want {
				t.Errorf("%s with %q: %s", protocol, test.header, a)
			}
		}
		s.checkUpstream(s.upstream.take())
		if test.who != "" && strings.Count(s.log.String(), `"caller":"`+test.who+`"`) < 2 {
			t.Errorf("the log does not name %s", test.who)
		}
	}
	for _, said := range []string{s.log.String(), s.answers.String()} {
		for _, k := range keys().Keys {
			if strings.Contains(said, k.Secret.Reveal()) {
				t.Errorf("a secret of %s is in %s", k.Name, said)
			}
		}
	}
	a := s.REST("GET /openapi.json\nX-Door: cron-secret\n")
	for _, want := range []string{`"caller": []`, `"caller2": []`, `"caller3": []`, `"name": "X-Door"`, `"scheme": "basic"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the description lacks %s", want)
		}
	}
}

// TestOperatorsKeysReplaceTheFiles: the file's secret then opens nothing and may
// be missing.
func TestOperatorsKeysReplaceTheFiles(t *testing.T) {
	s := serve(t, settings{capability: guardedCapability(`{type: bearer, token: '{{env.DOOR_SECRET}}'}`), options: guardAll(nil)})
	for protocol, a := range fetchBoth(s, "Authorization: Bearer billing-new\n") {
		if a.status != http.StatusOK {
			t.Errorf("%s: %s", protocol, a)
		}
	}
	s = serve(t, settings{capability: guardedCapability(`{type: bearer, token: '{{env.DOOR_SECRET}}'}`), environment: door()})
	fetchBoth(s, "Authorization: Bearer "+doorSecret+"\n")
	for _, who := range []string{"flex-interactions-rest", "flex-interactions-mcp"} {
		if !strings.Contains(s.log.String(), `"caller":"`+who+`"`) {
			t.Errorf("who knows the file's own secret is not called %s", who)
		}
	}
}

// credentials binds callers to credentials of an upstream.
func credentials(o *deploy.Options, namespace string, only bool, own map[string]deploy.Credential) {
	o.UpstreamSettings = map[string]deploy.Upstream{namespace: {Credentials: own, CredentialsOnly: only}}
}

// TestCallersCredentials: a caller with a credential of its own signs with it,
// everybody else with the file's, unless the operator wants nobody else.
func TestCallersCredentials(t *testing.T) {
	own := map[string]deploy.Credential{"billing": {Username: secret.New("ACbilling"), Password: secret.New("b-secret")}}
	for _, test := range []struct {
		only          bool
		header, signs string // signs is "" where the caller is refused
	}{
		{false, "Authorization: Bearer billing-new\n", "ACbilling:b-secret"},
		{false, "X-Door: cron-secret\n", upstreamUser + ":" + upstreamPassword},
		{true, "Authorization: Bearer billing-old\n", "ACbilling:b-secret"},
		{true, "X-Door: cron-secret\n", ""},
	} {
		s := serve(t, settings{options: func(o *deploy.Options) {
			guardAll(nil)(o)
			credentials(o, "flex-interactions", test.only, own)
		}})
		for protocol, a := range fetchBoth(s, test.header) {
			sent := s.upstream.take()
			switch {
			case test.signs == "":
				said := a.status == http.StatusForbidden || protocol == "MCP" && strings.Contains(a.body, `"isError":true`)
				if !said || !strings.Contains(a.body, "allers' own credentials, and this caller has none") || len(sent) != 0 {
					t.Errorf("%s: %s and %v", protocol, a, sent)
				}
			case a.status != http.StatusOK:
				t.Errorf("%s: %s", protocol, a)
			}
			for i := range sent {
				if !strings.Contains(sent[i].String(), "Authorization: Basic <"+test.signs+">\n") {
					t.Errorf("%s, %q: signed as\n%s", protocol, test.header, sent[i].String())
				}
			}
		}
	}
}

// accounts is a capability in which a variable is in the path as well as in the
// credentials, calls two upstreams in steps, and puts keys into all places.
func accounts(authentication string) string {
	return `naftiko: 1.0.0-alpha2
info: {label: Accounts, description: Messages of accounts}
binds:
- namespace: env
  keys: {TWILIO_USER: TWILIO_USER, TWILIO_PASS: TWILIO_PASS, ACCOUNT: ACCOUNT}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.twilio.com/2010-04-01
    authentication: ` + authentication + `
    resources:
    - name: messages
      path: /Accounts/{account}/Messages/{sid}
      operations:
      - name: fetch
        method: GET
        inputParameters:
        - {name: account, in: path, value: '{{env.ACCOUNT}}'}
        - {name: sid, in: path}
      - name: update
        method: POST
        inputParameters:
        - {name: account, in: path, value: '{{env.ACCOUNT}}'}
        - {name: sid, in: path}
  exposes:
  - type: rest
    namespace: accounts-rest
    port: 8080
    resources:
    - path: /messages/{sid}
      operations:
      - {method: GET, name: fetch, call: api.fetch, with: {sid: accounts-rest.sid}, inputParameters: [{name: sid, in: path, type: string}]}
      - {method: POST, name: update, call: api.update, with: {sid: accounts-rest.sid}, inputParameters: [{name: sid, in: path, type: string}]}
`
}

// TestCallersVariables: what a caller's credential replaces is replaced wherever
// a call has it, in the path for example, for every scheme and place of a key.
func TestCallersVariables(t *testing.T) {
	basic := `{type: basic, username: '{{env.TWILIO_USER}}', password: '{{env.TWILIO_PASS}}'}`
	apikey := func(place string) string {
		return `{type: apikey, key: key, value: '{{env.TWILIO_PASS}}', placement: ` + place + `}`
	}
	for _, test := range []struct {
		name, authentication, method string
		own                          deploy.Credential
		callers, files               string // what the upstream gets
	}{
		{
			"basic and a variable", basic, "GET",
			deploy.Credential{Username: secret.New("SKbilling"), Password: secret.New("b-secret"), Variables: map[string]secret.Value{"ACCOUNT": secret.New("ACbilling")}},
			"GET /2010-04-01/Accounts/ACbilling/Messages/SM1 HTTP/1.1|Authorization: Basic U0tiaWxsaW5nOmItc2VjcmV0",
			"GET /2010-04-01/Accounts/ACfile/Messages/SM1 HTTP/1.1",
		},
		{
			"by variables alone", basic, "GET",
			deploy.Credential{Variables: map[string]secret.Value{"ACCOUNT": secret.New("ACbilling"), "TWILIO_USER": secret.New("SKbilling"), "TWILIO_PASS": secret.New("b-secret")}},
			"GET /2010-04-01/Accounts/ACbilling/Messages/SM1 HTTP/1.1|Authorization: Basic U0tiaWxsaW5nOmItc2VjcmV0", "GET /2010-04-01/Accounts/ACfile/",
		},
		{
			"the user in the path", `{type: basic, username: '{{env.ACCOUNT}}', password: '{{env.TWILIO_PASS}}'}`, "GET",
			deploy.Credential{Username: secret.New("ACbilling"), Password: secret.New("b-secret")},
			"GET /2010-04-01/Accounts/ACbilling/Messages/SM1 HTTP/1.1|Authorization: Basic QUNiaWxsaW5nOmItc2VjcmV0", "GET /2010-04-01/Accounts/ACfile/",
		},
		{
			"a bearer", `{type: bearer, token: '{{env.TWILIO_PASS}}'}`, "GET",
			deploy.Credential{Token: secret.New("b-secret")},
			"Authorization: Bearer b-secret", "Authorization: Bearer " + upstreamPassword,
		},
		{"a key in a header", apikey("header"), "GET", deploy.Credential{Value: secret.New("b-secret")}, "Key: b-secret", "Key: " + upstreamPassword},
		{"a key in the query", apikey("query"), "GET", deploy.Credential{Value: secret.New("b-secret")}, "/SM1?key=b-secret", "/SM1?key=" + upstreamPassword},
		{"a key in a cookie", apikey("cookie"), "GET", deploy.Credential{Value: secret.New("b-secret")}, "Cookie: key=b-secret", "Cookie: key=" + upstreamPassword},
		{"a key in the body", apikey("body"), "POST", deploy.Credential{Value: secret.New("b-secret")}, "key=b-secret", "key=" + upstreamPassword},
		{
			"a key in the path", `{type: apikey, key: account, value: '{{env.TWILIO_PASS}}', placement: path}`, "GET",
			deploy.Credential{Value: secret.New("b-secret")},
			"/Accounts/b-secret/Messages", "/Accounts/" + upstreamPassword + "/Messages",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, settings{capability: accounts(test.authentication), environment: map[string]string{"ACCOUNT": "ACfile"}, options: func(o *deploy.Options) {
				guardAll(nil)(o)
				credentials(o, "api", false, map[string]deploy.Credential{"billing": test.own})
			}})
			for _, of := range []struct{ header, sent string }{{"Authorization: Bearer billing-new\n", test.callers}, {"X-Door: cron-secret\n", test.files}} {
				if a := s.REST(test.method + " /messages/SM1\n" + of.header); a.status != http.StatusOK {
					t.Fatalf("%s", a)
				}
				sent := s.upstream.take()
				for want := range strings.SplitSeq(of.sent, "|") {
					if len(sent) != 1 || !strings.Contains(sent[0].raw, want) {
						t.Errorf("with %q: got %v, want %s", of.header, sent[0].raw, want)
					}
				}
				if of.header[0] == 'A' && strings.Contains(sent[0].raw, upstreamPassword) {
					t.Errorf("the file's secret went along: %s", sent[0].raw)
				}
			}
		})
	}
}

// twoAccounts calls two APIs in steps, which sign with the same variables.
const twoAccounts = `naftiko: 1.0.0-alpha2
info: {label: Steps, description: Two APIs of one account}
binds:
- namespace: env
  keys: {TWILIO_USER: TWILIO_USER, TWILIO_PASS: TWILIO_PASS}
capability:
  consumes:
  - type: http
    namespace: lookup
    baseUri: https://lookups.twilio.com
    authentication: {type: basic, username: '{{env.TWILIO_USER}}', password: '{{env.TWILIO_PASS}}'}
    resources:
    - name: number
      path: /{account}/numbers
      operations:
      - {name: fetch, method: GET, inputParameters: [{name: account, in: path, value: '{{env.TWILIO_USER}}'}]}
  - type: http
    namespace: api
    baseUri: https://api.twilio.com
    authentication: {type: basic, username: '{{env.TWILIO_USER}}', password: '{{env.TWILIO_PASS}}'}
    resources:
    - name: messages
      path: /{account}/messages
      operations:
      - {name: send, method: GET, inputParameters: [{name: account, in: path, value: '{{env.TWILIO_USER}}'}]}
  exposes:
  - type: rest
    namespace: steps-rest
    port: 8080
    resources:
    - path: /both
      operations:
      - method: GET
        name: both
        steps:
        - {type: call, name: first, call: lookup.fetch}
        - {type: call, name: second, call: api.send}
        - {type: call, name: third, call: lookup.fetch}
`

// TestCallersSteps: each step signs with what the caller has for its own upstream,
// and none is made where the caller may not make all.
func TestCallersSteps(t *testing.T) {
	own := deploy.Upstream{Credentials: map[string]deploy.Credential{"billing": {Username: secret.New("ACbilling"), Password: secret.New("b-secret")}}}
	for _, only := range []bool{false, true} {
		s := serve(t, settings{capability: twoAccounts, options: func(o *deploy.Options) {
			guardAll(nil)(o)
			second := own
			second.CredentialsOnly = only
			o.UpstreamSettings = map[string]deploy.Upstream{"api": second}
		}})
		ask := func(header string) string {
			a := s.REST("GET /both\n" + header)
			out := fmt.Sprint(a.status)
			for _, r := range s.upstream.take() {
				line, _, _ := strings.Cut(r.String(), "\n")
				_, signed, _ := strings.Cut(r.String(), "Basic <")
				signed, _, _ = strings.Cut(signed, ":")
				out += " " + line + " " + signed
			}
			return out
		}
		file := upstreamUser
		if got, want := ask("Authorization: Bearer billing-new\n"), "200 GET /"+file+"/numbers "+file+" GET /ACbilling/messages ACbilling GET /"+file+"/numbers "+file; got != want {
			t.Errorf("%v: %s\nwant %s", only, got, want)
		}
		want := "200 GET /" + file + "/numbers " + file + " GET /" + file + "/messages " + file + " GET /" + file + "/numbers " + file
		if only {
			want = "403"
		}
		if got := ask("X-Door: cron-secret\n"); got != want {
			t.Errorf("%v: %s\nwant %s", only, got, want)
		}
	}
}

// TestCallersAlone: with callers' credentials only, the file's need no value.
func TestCallersAlone(t *testing.T) {
	text := strings.ReplaceAll(accounts(`{type: basic, username: '{{env.NOBODYS_USER}}', password: '{{env.NOBODYS_PASS}}'}`), "TWILIO_USER: TWILIO_USER, TWILIO_PASS: TWILIO_PASS", "NOBODYS_USER: NOBODYS_USER, NOBODYS_PASS: NOBODYS_PASS")
	s := serve(t, settings{capability: text, environment: map[string]string{"ACCOUNT": "AC1"}, options: func(o *deploy.Options) {
		guardAll(nil)(o)
		credentials(o, "api", true, map[string]deploy.Credential{"billing": {Username: secret.New("u"), Password: secret.New("p")}})
	}})
	if a := s.REST("GET /messages/SM1\nAuthorization: Bearer billing-new\n"); a.status != http.StatusOK {
		t.Errorf("%s", a)
	}
	if sent := s.upstream.take(); len(sent) != 1 || !strings.Contains(sent[0].String(), "Basic <u:p>") {
		t.Errorf("sent %v", sent)
	}
	if a := s.REST("GET /messages/SM1\nX-Door: cron-secret\n"); a.status != http.StatusForbidden || len(s.upstream.take()) != 0 {
		t.Errorf("%s", a)
	}
}

// passing is a capability without any authentication that takes headers, cookies
// and parameters of callers as inputs.
const passing = `naftiko: 1.0.0-alpha2
info: {label: Passing, description: An API that callers bring their own credentials to}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com
    resources:
    - name: things
      path: /things
      operations:
      - name: list
        method: GET
        inputParameters:
        - {name: Authorization, in: header}
        - {name: X-Door, in: header}
        - {name: door, in: query}
        - {name: X-Other, in: header}
  exposes:
  - type: rest
    namespace: passing-rest
    port: 8080
    resources:
    - path: /things
      operations:
      - method: GET
        name: list
        call: api.list
        inputParameters:
        - {name: Authorization, in: header, type: string, required: false}
        - {name: X-Door, in: header, type: string, required: false}
        - {name: door, in: query, type: string, required: false}
        - {name: X-Other, in: header, type: string, required: false}
`

// TestCallersSecretsStay: what a caller shows to the gateway is no input, also
// where the file says that it is one.
func TestCallersSecretsStay(t *testing.T) {
	door := keys()
	door.Keys = append(door.Keys, deploy.Key{Name: "old", Scheme: "apikey", Query: "door", Secret: secret.New("old-secret")})
	s := serve(t, settings{capability: passing, options: guardAll(func(a *deploy.Adapter) { a.Auth = door })})
	for _, request := range []string{
		"GET /things\nAuthorization: Bearer billing-new\nX-Other: kept\n",
		"GET /things\nX-Door: cron-secret\nX-Other: kept\nAuthorization: Bearer " + callerToken + "\n",
		"GET /things?door=old-secret\nX-Other: kept\n",
	} {
		if a := s.REST(request); a.status != http.StatusOK {
			t.Errorf("%q: %s", request, a)
		}
		sent := s.upstream.take()
		if len(sent) != 1 || !strings.Contains(sent[0].raw, "X-Other: kept") {
			t.Fatalf("%q: sent %v", request, sent)
		}
		for _, secret := range []string{"Authorization", "billing-new", "cron-secret", "old-secret", callerToken} {
			if strings.Contains(sent[0].raw, secret) {
				t.Errorf("%q: %s went upstream:\n%s", request, secret, sent[0].raw)
			}
		}
	}
	open := serve(t, settings{capability: passing})
	if a := open.REST("GET /things\nAuthorization: Bearer mine\n"); a.status != http.StatusOK {
		t.Errorf("%s", a)
	}
	if sent := open.upstream.take(); len(sent) != 1 || !strings.Contains(sent[0].raw, "Authorization: Bearer mine") {
		t.Errorf("without authentication the caller's own header is an input: %v", sent)
	}
}

// TestInboundIsRefused: what an operator decides about callers is checked before
// anything is served.
func TestInboundIsRefused(t *testing.T) {
	flex := func(c map[string]deploy.Credential) func(*deploy.Options) {
		return func(o *deploy.Options) {
			guardAll(nil)(o)
			credentials(o, "flex-interactions", false, c)
		}
	}
	jwt := func(change func(*deploy.JWT)) func(*deploy.Options) {
		j := &deploy.JWT{Issuer: "https://issuer.example", Audience: "https://gateway.example"}
		change(j)
		return guardAll(func(a *deploy.Adapter) { a.Auth = &deploy.Auth{JWT: j} })
	}
	for _, test := range []struct {
		name    string
		options func(*deploy.Options)
		says    string
	}{
		{"nobody", guardAll(func(a *deploy.Adapter) { a.Auth = &deploy.Auth{} }), "nobody would be let in"},
		{"a scheme that does not exist", guardAll(func(a *deploy.Adapter) { a.Auth.Keys[0].Scheme = "digest" }), "none of basic, bearer and apikey"},
		{"an empty secret", guardAll(func(a *deploy.Adapter) { a.Auth.Keys[0].Secret = secret.New("") }), "the secret of billing is empty"},
		{"a key in two places", guardAll(func(a *deploy.Adapter) { a.Auth.Keys[3].Query = "key" }), "in a header and in the query"},
		{"tokens without audience", jwt(func(j *deploy.JWT) { j.Audience = "" }), "need an audience"},
		{"tokens of HMAC", jwt(func(j *deploy.JWT) { j.Algorithms = []string{"HS256"} }), "no key that may be public"},
		{"an issuer over http", jwt(func(j *deploy.JWT) { j.Issuer = "http://issuer.example" }), "over https only"},
		{"scopes of no operation", jwt(func(j *deploy.JWT) { j.OperationScopes = map[string][]string{"twilio-fetch-interactions": {"x"}} }), "did you mean twilio-fetch-interaction?"},
		{"a certificate without key", guardAll(func(a *deploy.Adapter) { a.TLS.Certificate = "cert.pem" }), "a certificate and its key"},
		{"an origin that is none", guardAll(func(a *deploy.Adapter) { a.CORS.Origins = []string{"*"} }), "is not an origin"},
		{"credentials of nobody", flex(map[string]deploy.Credential{"biling": {Username: secret.New("u"), Password: secret.New("p")}}), "did you mean billing?"},
		{"half a credential", flex(map[string]deploy.Credential{"billing": {Username: secret.New("u")}}), "needs a password"},
		{"a credential of another scheme", flex(map[string]deploy.Credential{"billing": {Token: secret.New("t")}}), "basic authentication has no token"},
		{"a variable that does not exist", flex(map[string]deploy.Credential{"billing": {Variables: map[string]secret.Value{"X": secret.New("t")}}}), "the file has no variable X"},
		{"a user with a colon", flex(map[string]deploy.Credential{"billing": {Username: secret.New("u:v"), Password: secret.New("p")}}), "colon"},
	} {
		s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
		d, problems, err := s.bind(settings{options: test.options})
		said := fmt.Sprint(err)
		for _, p := range problems {
			said += p.Message
		}
		if err == nil && !problems.HasErrors() {
			_, err = s.engine.Start(d)
			said = fmt.Sprint(err)
			if err == nil {
				t.Errorf("%s: it is served", test.name)
			}
		}
		if !strings.Contains(said, test.says) {
			t.Errorf("%s: %s, want %q", test.name, said, test.says)
		}
		if err := s.engine.Shutdown(0); err != nil {
			t.Error(err)
		}
	}
}

// TestRates: a caller that asks too often is told when to come back, the others
// are not harmed, and who tries secrets is counted by its address.
func TestRates(t *testing.T) {
	s := serve(t, settings{options: guardAll(func(a *deploy.Adapter) { a.Rate = deploy.Rate{PerSecond: 0.01, Burst: 2} })})
	call := "\n" + callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, "")
	for name, ask := range map[string]func(headers string) *answer{
		"REST": func(headers string) *answer { return s.REST("GET /v1/interactions/" + interaction + "\n" + headers) },
		"MCP": func(headers string) *answer {
			return s.send(s.mcp, "POST /mcp\nContent-Type: application/json\n"+headers+call)
		},
	} {
		var got []int
		for _, headers := range []string{
			"Authorization: Bearer billing-new\n", "Authorization: Bearer billing-old\n", "Authorization: Bearer billing-new\n", "X-Door: cron-secret\n",
			"X-Door: a guess\n", "X-Door: another guess\n", "X-Door: and another\n", "X-Door: cron-secret\n",
		} {
			a := ask(headers)
			got = append(got, a.status)
			if a.header.Get("RateLimit-Policy") != `"caller";q=2;w=200` || a.header.Get("RateLimit") == "" {
				t.Errorf("%s: %s", name, a)
			}
			if a.status == http.StatusTooManyRequests && (a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "#rate-limited") || !strings.Contains(a.body, "makes more requests than it may")) {
				t.Errorf("%s: %s", name, a)
			}
		}
		if fmt.Sprint(got) != "[200 200 429 200 401 401 429 200]" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if sent := s.upstream.take(); len(sent) != 8 {
		t.Errorf("%d calls were made", len(sent))
	}
}

// TestRatesAreOurs: where an adapter bounds its callers, the answer says what of
// that is left, whatever the upstream says of its own bounds, also when it is an
// earlier one; where it does not, the upstream's word passes.
func TestRatesAreOurs(t *testing.T) {
	theirs := answersJSON(201, `{}`, `RateLimit: "up";r=999;t=1`, `RateLimit-Policy: "up";q=1000;w=1`, "X-RateLimit-Remaining: 7")
	s := serve(t, settings{options: guardAll(func(a *deploy.Adapter) { a.Rate = deploy.Rate{PerSecond: 0.01, Burst: 5} })})
	s.upstream.script(theirs)
	create := "POST /v1/interactions\nContent-Type: application/json\nX-Door: cron-secret\nAuthorization: none\nIdempotency-Key: k\n\n" + anyBody
	for i, left := range []string{"4", "3"} {
		a := s.REST(create)
		h := a.header
		if a.status != 201 || len(h["Ratelimit"]) != 1 || !strings.HasPrefix(h.Get("RateLimit"), `"caller";r=`+left+";") || fmt.Sprint(h["Ratelimit-Policy"]) != `["caller";q=5;w=500]` || h.Get("X-RateLimit-Remaining") != "7" {
			t.Errorf("answer %d: %s", i, a)
		}
		if replayed := h.Get("Idempotency-Replayed") != ""; replayed != (i == 1) {
			t.Errorf("answer %d: %s", i, a)
		}
	}
	open := serve(t, settings{})
	open.upstream.script(theirs)
	if a := open.REST("POST /v1/interactions\nContent-Type: application/json\n\n" + anyBody); a.header.Get("RateLimit") != `"up";r=999;t=1` || a.header.Get("RateLimit-Policy") != `"up";q=1000;w=1` {
		t.Errorf("without a rate: %s", a)
	}
}

// TestCORS: pages of an origin that the operator names may call, with a preflight
// that nobody has to be known for, and read what they are refused with.
func TestCORS(t *testing.T) {
	const page = "https://app.example"
	s := serve(t, settings{options: guardAll(func(a *deploy.Adapter) { a.CORS.Origins = []string{page} })})
	for host, path := range map[string]string{s.rest: "/v1/interactions/" + interaction, s.mcp: "/mcp"} {
		preflight := "OPTIONS " + path + "\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: authorization, content-type, mcp-protocol-version\n"
		a := s.send(host, preflight+"Origin: "+page+"\n")
		if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Origin") != page || a.header.Get("Access-Control-Allow-Methods") != "POST" ||
			a.header.Get("Access-Control-Allow-Headers") != "authorization, content-type, mcp-protocol-version" || a.header.Get("Access-Control-Max-Age") != "600" {
			t.Errorf("preflight: %s", a)
		}
		for _, origin := range []string{"https://evil.example", "https://app.example.evil.example", "http://app.example", "null", "https://app.example:444"} {
			if a := s.send(host, preflight+"Origin: "+origin+"\n"); a.status != http.StatusForbidden || a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("preflight of %s: %s", origin, a)
			}
		}
		a = s.send(host, "POST "+path+"\nContent-Type: application/json\nOrigin: "+page+"\n\n{}")
		if a.status != http.StatusUnauthorized || a.header.Get("Access-Control-Allow-Origin") != page || a.header.Get("Vary") != "Origin" {
			t.Errorf("a page without credentials: %s", a)
		}
		if a := s.send(host, "POST "+path+"\nContent-Type: application/json\nX-Door: cron-secret\n\n{}"); a.header.Get("Vary") != "Origin" || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("without origin: %s", a)
		}
		for name := range a.header {
			if name == "Access-Control-Allow-Credentials" {
				t.Error("a browser may add credentials by itself")
			}
		}
	}
}

// TestGuardedAllocations: what a key costs beside an adapter without one.
func TestGuardedAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const (
		restExtra = 1 // the context that carries the caller
		mcpExtra  = 2 // besides, the request that carries the context
	)
	measure := func(options func(*deploy.Options)) (rest, mcp float64) {
		tracks := newTracks(t, twilioHeaders(), options)
		for _, r := range []*track{&tracks.fetch, &tracks.modern} {
			// The unguarded one is sent it, too: the client's own costs are not ours.
			r.header = r.header.Clone()
			if r.header == nil {
				r.header = http.Header{}
			}
			r.header.Set("Authorization", "Bearer billing-new")
		}
		rest, _ = cost(func() { tracks.fetch.run(t) })
		mcp, _ = cost(func() { tracks.modern.run(t) })
		return rest, mcp
	}
	rest, mcp := measure(nil)
	guardedREST, guardedMCP := measure(guardAll(nil))
	t.Logf("a key costs %.1f allocations on REST and %.1f on MCP", guardedREST-rest, guardedMCP-mcp)
	if guardedREST-rest > restExtra+0.5 || guardedMCP-mcp > mcpExtra+0.5 {
		t.Errorf("REST %.1f and %.1f, MCP %.1f and %.1f", rest, guardedREST, mcp, guardedMCP)
	}
}
