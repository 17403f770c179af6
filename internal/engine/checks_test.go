package engine_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// wrongBody breaks a documented rule (type) and an inferred one (WebhookTtid).
const wrongBody = `{"Channel":{"type":"facebook","initiated_by":"api"},"Routing":` + anyRouting + `,"WebhookTtid":"x"}`

// TestRequestChecks: how much of the contract stands between a caller and the
// upstream is the operator's decision.
func TestRequestChecks(t *testing.T) {
	for _, test := range []struct {
		checks   map[string]string
		refused  bool
		advice   int
		mcpNotes int
	}{
		{nil, true, 0, 0},
		{map[string]string{"": "enforce"}, true, 0, 0},
		{map[string]string{"": "warn"}, false, 2, 2},
		{map[string]string{"": "off"}, false, 0, 0},
		{map[string]string{"": "off", "flex-interactions": "enforce"}, true, 0, 0},
		{map[string]string{"flex-interactions": "warn"}, false, 2, 2},
	} {
		t.Run(fmt.Sprint(test.checks), func(t *testing.T) {
			s := serve(t, settings{options: func(o *deploy.Options) {
				for ns, mode := range test.checks {
					o.Checks[ns] = mode
				}
			}})
			rest, tool, arguments := create(wrongBody)
			a := s.REST(rest)
			sent := s.upstream.take()
			if (a.status == 400) != test.refused || (len(sent) == 0) != test.refused {
				t.Errorf("REST answered %d and sent %d requests: %s", a.status, len(sent), a.body)
			}
			if test.refused && !strings.Contains(a.body, "--request-checks warn") {
				t.Errorf("the refusal does not say how to relax it: %s", a.body)
			}
			if n := len(a.header.Values("Patchbay-Advice")); n != test.advice {
				t.Errorf("%d pieces of advice, want %d: %q", n, test.advice, a.header.Values("Patchbay-Advice"))
			}
			for _, agent := range s.agents() {
				r := agent.call(t, tool, arguments)
				if r.IsError != test.refused || strings.Count(r.text(), "Note: ") != test.mcpNotes {
					t.Errorf("%s: %s", agent.name, r)
				}
				if len(sent) == 1 {
					(&input{upstream: sent[0].target + " " + sent[0].body}).reached(t, s, agent.name)
				}
			}
		})
	}
}

// TestAdvice: an inferred rule does not refuse, but its breach is told.
func TestAdvice(t *testing.T) {
	s := serve(t, settings{})
	rest, tool, arguments := create(strings.TrimSuffix(anyBody, "}") + `,"WebhookTtid":"x"}`)
	a := s.REST(rest)
	advice := a.header.Get("Patchbay-Advice")
	if a.status != 200 || !strings.Contains(advice, "/WebhookTtid must match") {
		t.Errorf("got %d with the advice %q", a.status, advice)
	}
	for _, agent := range s.agents() {
		if r := agent.call(t, tool, arguments); r.IsError || !strings.Contains(r.text(), "Note: /body/WebhookTtid must match") || r.Structured == nil {
			t.Errorf("%s: %s", agent.name, r)
		}
	}
}

// TestChecksOff: without checks the path is still safe, a name that is given
// twice is still ambiguous, and a form still needs an object.
func TestChecksOff(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) { o.Checks[""] = "off" }})
	rows := []input{
		bodyRow("anything", `{"Channel":{"type":7},"Chanel":true,"x":[1,{"a":null}],"y":null}`, 200,
			"/v1/Interactions Channel=%7B%22type%22%3A7%7D&Chanel=true&x=1&x=%7B%22a%22%3Anull%7D"),
		bodyRow("an empty object", `{}`, 200, "/v1/Interactions"),
		bodyRow("an array", `[]`, 400, noCall),
		bodyRow("a name twice", `{"channel":{"a":1},"Channel":{"b":2}}`, 400, noCall),
		sidRow("a SID of any form", "x", `"x"`, 200, "/v1/Interactions/x"),
		sidRow("two dots", "..", `".."`, 400, noCall),
		sidRow("a NUL", "%00", `"\u0000"`, 400, noCall),
		{name: "no SID", status: 400, tool: "twilio-fetch-interaction", arguments: `{}`},
		{
			name: "a query value out of range", status: 200, rest: "GET /v1/interactions/x/channels?PageSize=0&Page=x",
			tool: "twilio-list-interaction-channels", arguments: `{"InteractionSid":"x","PageSize":0,"Page":"x"}`,
			upstream: "/v1/Interactions/x/Channels?PageSize=0&Page=x",
		},
	}
	var seen strings.Builder
	for i := range rows {
		t.Run(rows[i].name, func(t *testing.T) { rows[i].play(t, s, &seen) })
	}
	golden(t, filepath.Join("testdata", "checks-off.golden"), seen.String())
}

// TestRules: what the contract demands under conditions, and how a refusal
// says so.
func TestRules(t *testing.T) {
	const (
		workspace = `"workspace_sid":"WS1f2e3d4c5b6a79880716253443526170"`
		queue     = `"queue_sid":"WQ4c5d6e7f8091a2b3c4d5e6f708192031"`
		worker    = `"worker_sid":"WK5a9d3f7b1c8e4260d4f0b6a2e9c71385"`
		chat      = `"properties":{"media_channel_sid":"CH0a1b2c3d4e5f60718293a4b5c6d7e8f9"}`
		sms       = `"participants":[{"address":"+15550100","proxy_address":"+15550101"}]`
	)
	creating := func(channel, routing string) string {
		if routing == "" {
			return `{"Channel":{` + channel + `}}`
		}
		return `{"Channel":{` + channel + `},"Routing":{"properties":{` + routing + `}}}`
	}
	update := "POST /v1/interactions/" + interaction + "/channels/" + channel + "\nContent-Type: application/json\n\n"
	rows := []struct {
		name, body string
		update, ok bool
	}{
		{name: "customer without a conversation", body: creating(`"type":"web","initiated_by":"customer"`, workspace)},
		{name: "customer with properties but no conversation", body: creating(`"type":"web","initiated_by":"customer","properties":{}`, workspace)},
		{name: "customer with a conversation", body: creating(`"type":"web","initiated_by":"customer",`+chat, workspace), ok: true},
		{name: "agent without queue, worker and participants", body: creating(`"type":"sms","initiated_by":"agent"`, workspace)},
		{name: "agent without worker", body: creating(`"type":"sms","initiated_by":"agent",`+sms, workspace+","+queue)},
		{name: "agent with everything", body: creating(`"type":"sms","initiated_by":"agent",`+sms, workspace+","+queue+","+worker), ok: true},
		{name: "agent with a conversation instead of participants", body: creating(`"type":"sms","initiated_by":"agent",`+chat, workspace+","+queue+","+worker), ok: true},
		{name: "email by api without sender", body: creating(`"type":"email","initiated_by":"api"`, workspace)},
		{name: "email by api without the sender's name", body: creating(`"type":"email","initiated_by":"api","properties":{"from":"a@shop.example"}`, workspace)},
		{name: "email by a customer without sender", body: creating(`"type":"email","initiated_by":"customer",`+chat, workspace), ok: true},
		{name: "no Routing", body: creating(`"type":"web","initiated_by":"api"`, "")},
		{name: "no Routing for an existing channel", body: creating(`"sid":"`+channel+`","type":"web","initiated_by":"api"`, ""), ok: true},
		{name: "no workspace", body: creating(`"type":"web","initiated_by":"api"`, queue)},
		{name: "a conversation as channel", body: creating(`"sid":"CH0a1b2c3d4e5f60718293a4b5c6d7e8f9","type":"web","initiated_by":"api"`, workspace)},
		{name: "facebook", body: creating(`"type":"facebook","initiated_by":"api"`, workspace)},
		{name: "attributes as text", body: creating(`"type":"web","initiated_by":"api"`, workspace+`,"attributes":"{\"a\":1}"`)},
		{name: "sms with a chat identity", body: creating(`"type":"sms","initiated_by":"api","participants":[{"identity":"x"}]`, workspace), ok: true},
		{name: "closed", body: `{"Status":"closed"}`, update: true, ok: true},
		{name: "closed and completed", body: `{"Status":"closed","Routing":{"status":"closed"}}`, update: true, ok: true},
		{name: "inactive without Routing", body: `{"Status":"inactive"}`, update: true},
		{name: "inactive with an empty Routing", body: `{"Status":"inactive","Routing":{}}`, update: true},
		{name: "inactive with Routing", body: `{"Status":"inactive","Routing":{"status":"closed"}}`, update: true, ok: true},
		{name: "wrapup", body: `{"Status":"wrapup"}`, update: true},
		{name: "Closed", body: `{"Status":"Closed"}`, update: true},
		{name: "no Status", body: `{"Routing":{"status":"wrapup"}}`, update: true},
	}
	s := serve(t, settings{})
	var seen strings.Builder
	for _, row := range rows {
		request, _, _ := create(row.body)
		if row.update {
			request = update + row.body
		}
		a := s.REST(request)
		if sent := s.upstream.take(); (len(sent) == 1) != row.ok || (a.status == 200) != row.ok {
			t.Errorf("%s: status %d, %d requests: %s", row.name, a.status, len(sent), a.body)
		}
		fmt.Fprintf(&seen, "== %s\n%s\n%s", row.name, row.body, findings(t, a))
	}
	golden(t, filepath.Join("testdata", "rules.golden"), seen.String())
}

// findings are the entries of a problem, one a line, or the advice.
func findings(t *testing.T, a *answer) string {
	t.Helper()
	var b strings.Builder
	for _, advice := range a.header.Values("Patchbay-Advice") {
		fmt.Fprintf(&b, "advice: %s\n", advice)
	}
	if a.status == 200 {
		return b.String() + "accepted\n"
	}
	_, errors, found := strings.Cut(a.body, `"errors":[`)
	if !found {
		t.Fatalf("no errors in %s", a.body)
	}
	list := strings.TrimSuffix(errors, "]}\n")
	return b.String() + strings.ReplaceAll(list, "},{", "}\n{") + "\n"
}
