package engine_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"patchbay/capabilities"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
)

// guardedCapability is the embedded capability with inbound authentication on
// both adapters.
func guardedCapability(scheme string) string {
	text := string(capabilities.FlexInteractions().Data)
	for _, port := range []string{"    port: 8080\n", "    port: 9090\n"} {
		text = strings.Replace(text, port, port+"    authentication: "+scheme+"\n", 1)
	}
	return strings.Replace(text, "    TWILIO_API_KEY: TWILIO_API_KEY", "    DOOR_USER: DOOR_USER\n    DOOR_SECRET: DOOR_SECRET", 1)
}

const (
	doorUser   = "doorkeeper"
	doorSecret = "0pen sesame&"
)

func door() map[string]string {
	return map[string]string{"DOOR_USER": doorUser, "DOOR_SECRET": doorSecret}
}

// TestInboundAuthentication: a guarded adapter answers nobody without its
// credentials, and none of them goes upstream.
func TestInboundAuthentication(t *testing.T) {
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(doorUser+":"+doorSecret)) + "\n"
	for _, test := range []struct {
		name, scheme string
		// header and query are what opens the adapter.
		header, query string
		challenge     string
		// wrong are headers that do not.
		wrong []string
	}{
		{
			"basic", `{type: basic, username: '{{env.DOOR_USER}}', password: '{{env.DOOR_SECRET}}'}`, basic, "", `Basic realm="patchbay", charset="UTF-8"`,
			[]string{"Authorization: Basic !!!\n", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(doorUser+":")) + "\n", "Authorization: Bearer " + doorSecret + "\n"},
		},
		{
			"bearer", `{type: bearer, token: '{{env.DOOR_SECRET}}'}`, "Authorization: Bearer " + doorSecret + "\n", "", `Bearer realm="patchbay"`,
			[]string{"Authorization: Bearer\n", "Authorization: Bearer \n", "Authorization: Bearer {{env.DOOR_SECRET}}\n", "Authorization: Basic " + doorSecret + "\n"},
		},
		{
			"key in a header", `{type: apikey, key: X-Door, value: '{{env.DOOR_SECRET}}', placement: header}`, "X-Door: " + doorSecret + "\n", "", `ApiKey realm="patchbay"`,
			[]string{"X-Door: \n", "X-Door: " + doorSecret + "\nX-Door: " + doorSecret + "\n", "X-Door: wrong\n"},
		},
		{
			"key in the query", `{type: apikey, key: door, value: '{{env.DOOR_SECRET}}', placement: query}`, "", "?door=0pen+sesame%26", `ApiKey realm="patchbay"`,
			[]string{"door: " + doorSecret + "\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, settings{capability: guardedCapability(test.scheme), environment: door()})
			requests := []struct{ name, host, text string }{
				{"REST", s.rest, "GET /v1/interactions/" + interaction + "QUERY\nHEADERS"},
				{"MCP", s.mcp, "POST /mcpQUERY\nContent-Type: application/json\nHEADERS\n" + callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, "")},
			}
			for _, r := range requests {
				ask := func(header, query string) *answer {
					return s.send(r.host, strings.NewReplacer("QUERY", query, "HEADERS", header).Replace(r.text))
				}
				for _, header := range append(test.wrong, "") {
					a := ask(header, "?door=wrong")
					if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != test.challenge || !strings.Contains(a.body, "#unauthenticated") {
						t.Errorf("%s with %q: %s", r.name, header, a)
					}
				}
				if n := len(s.upstream.take()); n != 0 {
					t.Errorf("%s: %d requests reached the upstream without credentials", r.name, n)
				}
				if a := ask(test.header, test.query); a.status != http.StatusOK {
					t.Errorf("%s with credentials: %s", r.name, a)
				}
				sent := s.upstream.take()
				s.checkUpstream(sent)
				if len(sent) != 1 || strings.Contains(sent[0].raw, "sesame") {
					t.Errorf("%s: the upstream got %v", r.name, sent)
				}
			}
			for _, said := range []string{s.log.String(), s.answers.String()} {
				if strings.Contains(said, doorSecret) || strings.Contains(said, doorUser) {
					t.Errorf("the adapter's credentials are in %s", said)
				}
			}
			// Standard input and output belong to whoever started the process.
			if r := s.stdio(t, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`); r.IsError || r.Error != nil {
				t.Errorf("stdio: %s", r)
			}
		})
	}
}

// TestMissingSecrets: an adapter whose secret has no value does not open, and
// an upstream whose credentials have none is not called.
func TestMissingSecrets(t *testing.T) {
	for _, scheme := range []string{
		`{type: basic, username: '{{env.DOOR_USER}}', password: '{{env.DOOR_SECRET}}'}`,
		`{type: bearer, token: '{{env.DOOR_SECRET}}'}`,
		`{type: apikey, key: X-Door, value: '{{env.DOOR_SECRET}}', placement: header}`,
		`{type: bearer, token: ''}`,
	} {
		for _, environment := range []map[string]string{nil, {"DOOR_USER": "", "DOOR_SECRET": ""}} {
			s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
			_, problems, err := s.bind(settings{capability: guardedCapability(scheme), environment: environment})
			if err == nil && !problems.HasErrors() {
				t.Errorf("%s with %v: nothing is wrong", scheme, environment)
			}
			for _, p := range problems {
				if strings.Contains(scheme, "DOOR_SECRET") && p.Span.Line == 0 {
					t.Errorf("%s: no place for %v", scheme, p)
				}
			}
		}
	}
}

// TestReachableFromOutside: an adapter that others can reach needs credentials
// of its own, or the operator's word.
func TestReachableFromOutside(t *testing.T) {
	outside := func(o *deploy.Options) {
		o.Listen["flex-interactions-rest"], o.Listen["flex-interactions-mcp"] = "0.0.0.0:0", "0.0.0.0:0"
	}
	for _, test := range []struct {
		name    string
		with    settings
		refused bool
	}{
		{"without authentication", settings{options: outside}, true},
		{"with the operator's word", settings{options: func(o *deploy.Options) { outside(o); o.AllowUnauthenticated = true }}, false},
		{"with authentication", settings{options: outside, capability: guardedCapability(`{type: bearer, token: '{{env.DOOR_SECRET}}'}`), environment: door()}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
			d, problems, err := s.bind(test.with)
			if err != nil || problems.HasErrors() {
				t.Fatal(err, problems)
			}
			_, err = s.engine.Start(d)
			if refused := err != nil && strings.Contains(err.Error(), "--allow-unauthenticated"); refused != test.refused {
				t.Errorf("starting: %v", err)
			}
			if err := s.engine.Shutdown(0); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStartFails: options that name nothing, and addresses that are taken, are
// said before anything is served.
func TestStartFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*deploy.Options)
		says   string
	}{
		{"an adapter that does not exist", func(o *deploy.Options) { o.Listen["flex-interaction-rest"] = "127.0.0.1:0" }, "did you mean flex-interactions-rest?"},
		{"an upstream that does not exist", func(o *deploy.Options) { o.Upstreams["flex-interaction"] = "http://127.0.0.1" }, "did you mean flex-interactions?"},
		{"checks of an upstream that does not exist", func(o *deploy.Options) { o.Checks["flex"] = "off" }, "--request-checks flex="},
		{"checks that do not exist", func(o *deploy.Options) { o.Checks[""] = "strict" }, "not enforce, warn or off"},
	} {
		s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
		if _, _, err := s.bind(settings{options: test.change}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
	}
	taken := serve(t, settings{})
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	d, _, err := s.bind(settings{options: func(o *deploy.Options) { o.Listen["flex-interactions-mcp"] = taken.mcp }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.engine.Start(d); err == nil || !strings.Contains(err.Error(), "the port is in use") {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := s.engine.Shutdown(0); err != nil {
		t.Error(err)
	}
}

// TestWithoutCredentials: a server for agents starts all the same, and says
// what is missing when a tool is called.
func TestWithoutCredentials(t *testing.T) {
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	s.upstream.script(answersJSON(200, `{}`))
	opts := deploy.Defaults()
	loaded, problems, err := engine.Load(&opts)
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	s.deployment = s.lenient(loaded, &opts)
	r := s.stdio(t, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`)
	if !r.IsError || !strings.Contains(r.text(), "TWILIO_USER and TWILIO_PASS are not set") || len(s.upstream.take()) != 0 {
		t.Errorf("got %s", r)
	}
}
