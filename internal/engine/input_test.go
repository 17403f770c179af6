package engine_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/capabilities"
	"patchbay/internal/deploy"
)

// SIDs of the right form.
const (
	interaction = "KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4"
	channel     = "UO9c8b7a6d5e4f30211223344556677889"
	anyChannel  = `{"type":"web","initiated_by":"api"}`
	anyRouting  = `{"properties":{"workspace_sid":"WS1f2e3d4c5b6a79880716253443526170"}}`
	anyBody     = `{"Channel":` + anyChannel + `,"Routing":` + anyRouting + `}`
	// anyForm is what anyBody becomes.
	anyForm = "Channel=%7B%22type%22%3A%22web%22%2C%22initiated_by%22%3A%22api%22%7D" +
		"&Routing=%7B%22properties%22%3A%7B%22workspace_sid%22%3A%22WS1f2e3d4c5b6a79880716253443526170%22%7D%7D"
)

// plainCapability is the embedded capability for a provider that neither a
// contract nor a profile describes: nothing but the file itself checks a call.
func plainCapability() string {
	return strings.Replace(string(capabilities.FlexInteractions().Data), "https://flex-api.twilio.com/v1", "https://api.example.test/v1", 1)
}

// input is a row of the table: what a caller says, and what becomes of it.
type input struct {
	name string
	// rest is a request, tool and arguments the same thing said to MCP. Either
	// may be missing where the fault exists in the other only.
	rest            string
	tool, arguments string
	// status is REST's answer. MCP fails exactly when it is an error, unless
	// protocol says that it is a JSON-RPC error of that code.
	status   int
	protocol int
	// upstream is the target and body that reach the upstream; "" for no call.
	upstream string
}

func create(body string) (string, string, string) {
	return "POST /v1/interactions\nContent-Type: application/json\n\n" + body, "twilio-create-interaction", `{"body":` + body + `}`
}

// bodyRow is an input whose body REST and MCP get alike.
func bodyRow(name, body string, status int, upstream string) input {
	rest, tool, arguments := create(body)
	return input{name: name, rest: rest, tool: tool, arguments: arguments, status: status, upstream: upstream}
}

// sidRow is an input whose interaction SID REST gets escaped and MCP as JSON.
func sidRow(name, escaped, literal string, status int, upstream string) input {
	return input{
		name: name, rest: "GET /v1/interactions/" + escaped,
		tool: "twilio-fetch-interaction", arguments: `{"InteractionSid":` + literal + `}`, status: status, upstream: upstream,
	}
}

const (
	accepted = "/v1/Interactions " + anyForm
	noCall   = ""
)

// inputs are what the embedded capability and its contract make of callers.
func inputs() []input {
	long := strings.Repeat("a", 10<<10)
	formRequest := "POST /v1/interactions\nContent-Type: application/x-www-form-urlencoded\n\n"
	rows := []input{
		bodyRow("a valid body", anyBody, 200, accepted),
		bodyRow("Channel as JSON text", `{"Channel":`+quote(anyChannel)+`,"Routing":`+anyRouting+`}`, 200, accepted),
		bodyRow("Channel as JSON text, encoded twice", `{"Channel":`+quote(quote(anyChannel))+`,"Routing":`+anyRouting+`}`, 200, accepted),
		bodyRow("Channel as text that is not JSON", `{"Channel":"web","Routing":`+anyRouting+`}`, 400, noCall),
		bodyRow("a name in lower case", `{"channel":`+anyChannel+`,"routing":`+anyRouting+`}`, 200, accepted),
		bodyRow("a name twice in different case", `{"channel":`+anyChannel+`,"Channel":`+anyChannel+`,"Routing":`+anyRouting+`}`, 400, noCall),
		bodyRow("a name twice in different case, one null", `{"channel":null,"Channel":`+anyChannel+`,"Routing":`+anyRouting+`}`, 200, accepted),
		bodyRow("an unknown name", `{"Chanel":`+anyChannel+`,"Routing":`+anyRouting+`}`, 400, noCall),
		bodyRow("an unknown name beside the known ones", `{"Channel":`+anyChannel+`,"Routing":`+anyRouting+`,"Colour":"red"}`, 400, noCall),
		bodyRow("null where something may be left out", `{"Channel":`+anyChannel+`,"Routing":`+anyRouting+`,"WebhookTtid":null}`, 200, accepted),
		bodyRow("null where something is required", `{"Channel":null,"Routing":`+anyRouting+`}`, 400, noCall),
		bodyRow("an empty object", `{}`, 400, noCall),
		bodyRow("no Channel", `{"Routing":`+anyRouting+`}`, 400, noCall),
		bodyRow("an array as body", `[`+anyBody+`]`, 400, noCall),
		bodyRow("a text as body", `"x"`, 400, noCall),
		bodyRow("a number as body", `7`, 400, noCall),
		bodyRow("null as body", `null`, 400, noCall),
		bodyRow("several faults at once", `{"Channel":{"type":"facebook","initiated_by":"worker"},"Routing":{"properties":{"workspace_sid":"x"}},"Colour":1}`, 400, noCall),
		{
			name: "no body", status: 400, rest: "POST /v1/interactions\nContent-Length: 0\n",
			tool: "twilio-create-interaction", arguments: `{}`,
		},
		{name: "no body, said to be JSON", status: 400, rest: "POST /v1/interactions\nContent-Type: application/json\nContent-Length: 0\n"},
		{name: "a body of white space", status: 400, rest: "POST /v1/interactions\nContent-Type: application/json\nContent-Length: 2\n\n  "},
		{name: "a body as JSON text", status: 200, tool: "twilio-create-interaction", arguments: `{"body":` + quote(anyBody) + `}`, upstream: accepted},
		{name: "a form", rest: formRequest + "Routing=" + anyForm[strings.Index(anyForm, "Routing=")+8:] + "&" + anyForm[:strings.Index(anyForm, "&")], status: 200, upstream: accepted},
		{name: "a form with a field twice", rest: formRequest + anyForm + "&Channel=%7B%7D", status: 400},
		{name: "a form that is no form", rest: formRequest + "Channel=%zz", status: 400},
		{name: "an empty form field", rest: formRequest + "Channel=", status: 400},
	}
	return append(append(rows, transportRows()...), sidRows(long)...)
}

// transportRows are requests that are wrong before anybody asks what they say.
func transportRows() []input {
	malformed := bodyRow("malformed JSON", `{"Channel":}`, 400, noCall)
	twice := bodyRow("a name twice", `{"Channel":{},"Channel":{}}`, 400, noCall)
	deep := bodyRow("nested too deeply", `{"Channel":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`, 400, noCall)
	malformed.protocol, twice.protocol, deep.protocol = -32700, -32700, -32700
	post := "POST /v1/interactions\nContent-Type: "
	return []input{
		malformed, twice, deep,
		{name: "a wrong media type", rest: post + "text/plain\n\n" + anyBody, status: 415},
		{name: "a multipart body", rest: post + "multipart/form-data; boundary=x\n\n--x--", status: 415},
		{name: "a compressed body", rest: post + "application/json\nContent-Encoding: gzip\n\n\x1f\x8b", status: 415},
		{name: "a body that is called uncompressed", rest: post + "application/json\nContent-Encoding: identity\n\n" + anyBody, status: 200, upstream: accepted},
		{name: "no media type", rest: "POST /v1/interactions\n\n" + anyBody, status: 200, upstream: accepted},
		{name: "a body above the limit", rest: post + "application/json\n\n" + strings.Repeat(" ", maxBody) + anyBody, status: 413},
		{name: "a chunked body above the limit", rest: post + "application/json\nTransfer-Encoding: chunked\n\n" + chunked(strings.Repeat(" ", maxBody)+anyBody), status: 413},
		{name: "a chunked body", rest: post + "application/json\nTransfer-Encoding: chunked\n\n" + chunked(anyBody), status: 200, upstream: accepted},
		{name: "a wrong method", rest: "DELETE /v1/interactions/" + interaction, status: 405},
		{name: "a method that is not known at all", rest: "BREW /v1/interactions", status: 405},
		{name: "a path in another case", rest: "GET /v1/Interactions/" + interaction, status: 404},
		{name: "a path with a slash at its end", rest: "GET /v1/interactions/" + interaction + "/", status: 404},
		{name: "an unknown path", rest: "GET /v2/accounts", status: 404},
		{name: "a collection that cannot be listed", rest: "GET /v1/interactions", status: 405},
		{name: "HEAD", rest: "HEAD /v1/interactions/" + interaction, status: 200, upstream: "/v1/Interactions/" + interaction},
		{name: "a foreign host", rest: "GET /v1/interactions/" + interaction + "\nHost: attacker.example", status: 403},
		{name: "a web page's form", rest: "POST /v1/interactions\nSec-Fetch-Site: cross-site\nOrigin: https://attacker.example\nContent-Type: text/plain\n\n" + anyBody, status: 403},
		{name: "a web page's form without origin", rest: "POST /v1/interactions\nSec-Fetch-Site: cross-site\nContent-Type: text/plain\n\n" + anyBody, status: 403},
		{name: "a query key twice", rest: "GET /v1/interactions/" + interaction + "/channels?PageSize=1&pagesize=2", status: 400},
		{
			name: "a query value out of range", status: 400, rest: "GET /v1/interactions/" + interaction + "/channels?PageSize=0&Page=x",
			tool: "twilio-list-interaction-channels", arguments: `{"InteractionSid":"` + interaction + `","PageSize":0,"Page":"x"}`,
		},
		{name: "an unknown query key", status: 200, rest: "GET /v1/interactions/" + interaction + "?verbose=1", upstream: "/v1/Interactions/" + interaction},
		{name: "an unknown argument", status: 400, tool: "twilio-fetch-interaction", arguments: `{"InteractionSid":"` + interaction + `","Sidd":"x"}`},
		{name: "a misspelt argument", status: 400, tool: "twilio-fetch-interaction", arguments: `{"InteractionSidd":"` + interaction + `"}`},
		{name: "an argument in another case", status: 200, tool: "twilio-fetch-interaction", arguments: `{"interaction_sid":"` + interaction + `"}`, upstream: "/v1/Interactions/" + interaction},
		{name: "no argument", status: 400, tool: "twilio-fetch-interaction", arguments: `{}`},
		{name: "an unknown tool", protocol: -32602, tool: "twilio-fetch-interactions", arguments: `{}`},
	}
}

// notText are bytes, and the escape of half a character, that are no text. An
// MCP message cannot hold that.
func notText() input {
	row := sidRow("bytes that are no text", "%ff%fe", `"\ud800"`, 400, noCall)
	row.protocol = -32700
	return row
}

// sidRows are values for one segment of the upstream's path.
func sidRows(long string) []input {
	return []input{
		sidRow("a SID with another prefix", channel, quote(channel), 400, noCall),
		sidRow("a SID with its hex in upper case", strings.ToUpper(interaction), quote(strings.ToUpper(interaction)), 200, "/v1/Interactions/"+strings.ToUpper(interaction)),
		sidRow("a SID as number", "7", "7", 400, noCall),
		sidRow("a dot", ".", `"."`, 400, noCall),
		sidRow("two dots", "..", `".."`, 400, noCall),
		sidRow("two dots, encoded", "%2e%2E", `"%2e%2E"`, 400, noCall),
		sidRow("a way out of the path", "..%2FAccounts", `"../Accounts"`, 400, noCall),
		sidRow("a slash", "a%2Fb", `"a/b"`, 400, noCall),
		sidRow("a percent sign", "100%25", `"100%"`, 400, noCall),
		sidRow("a broken escape", "%zz", `"%zz"`, 400, noCall),
		sidRow("a NUL", "KD%00", `"KD\u0000"`, 400, noCall),
		notText(),
		sidRow("an emoji", "%F0%9F%98%80", `"😀"`, 400, noCall),
		sidRow("10 kB", long, quote(long), 400, noCall),
		sidRow("nothing", "%20", `""`, 400, noCall),
		sidRow("an object", "%7B%7D", `{}`, 400, noCall),
		{name: "dots on the way", rest: "GET /v1/interactions/../channels", status: 400},
	}
}

// plainInputs are what the capability alone makes of them.
func plainInputs() []input {
	path := "/v1/Interactions/"
	long := strings.Repeat("a", 10<<10)
	return []input{
		bodyRow("a body goes as JSON", `{"b":1,"a":[null,{"x":1.0}],"Chanel":null}`, 200, `/v1/Interactions {"b":1,"a":[null,{"x":1.0}],"Chanel":null}`),
		bodyRow("an empty object", `{}`, 200, "/v1/Interactions {}"),
		bodyRow("an array as body", `[1]`, 400, noCall),
		bodyRow("a text as body", `"x"`, 400, noCall),
		bodyRow("null as body", `null`, 400, noCall),
		{name: "no body", status: 400, rest: "POST /v1/interactions\nContent-Length: 0\n", tool: "twilio-create-interaction", arguments: `{}`},
		{name: "a form becomes JSON", status: 200, rest: "POST /v1/interactions\nContent-Type: application/x-www-form-urlencoded\n\na=1&b=x+y&b=", upstream: `/v1/Interactions {"a":"1","b":["x y",""]}`},
		{name: "a form without fields is an object without members", status: 200, rest: "POST /v1/interactions\nContent-Type: application/x-www-form-urlencoded\n\n", upstream: `/v1/Interactions {}`},
		sidRow("any text", "abc-1_2.3~", `"abc-1_2.3~"`, 200, path+"abc-1_2.3~"),
		sidRow("a slash", "a%2Fb", `"a/b"`, 200, path+"a%2Fb"),
		sidRow("a question mark", "a%3Fb=c", `"a?b=c"`, 200, path+"a%3Fb%3Dc"),
		sidRow("a fragment", "a%23b", `"a#b"`, 200, path+"a%23b"),
		sidRow("a percent sign", "100%25", `"100%"`, 200, path+"100%25"),
		sidRow("a plus and a space", "a+b%20c", `"a+b c"`, 200, path+"a%2Bb%20c"),
		sidRow("an emoji", "%F0%9F%98%80", `"😀"`, 200, path+"%F0%9F%98%80"),
		sidRow("an emoji as it is", "😀", `"😀"`, 200, path+"%F0%9F%98%80"),
		sidRow("a dot", ".", `"."`, 400, noCall),
		sidRow("two dots", "..", `".."`, 400, noCall),
		sidRow("three dots", "...", `"..."`, 200, path+"..."),
		sidRow("a dot, encoded", "%2e", `"%2e"`, 400, noCall),
		sidRow("two dots, encoded twice", "%252e%252E", `"%2e%2E"`, 400, noCall),
		sidRow("a way out of the path", "..%2FAccounts", `"../Accounts"`, 400, noCall),
		sidRow("a way out behind a question mark", "x%3F%2F..%2F..%2FAccounts", `"x?/../../Accounts"`, 400, noCall),
		sidRow("a NUL", "a%00b", `"a\u0000b"`, 400, noCall),
		sidRow("a line break", "a%0D%0Ab", `"a\r\nb"`, 400, noCall),
		notText(),
		sidRow("10 kB", long, quote(long), 400, noCall),
		sidRow("braces", "%7B%7D", `"{}"`, 200, path+"%7B%7D"),
		{name: "an object", status: 400, tool: "twilio-fetch-interaction", arguments: `{"InteractionSid":{}}`},
		{name: "a number", status: 400, tool: "twilio-fetch-interaction", arguments: `{"InteractionSid":1.50}`},
	}
}

// maxBody bounds request bodies in the tables, to keep what is above it small.
const maxBody = 16 << 10

func TestInputs(t *testing.T) {
	limited := func(o *deploy.Options) { o.Limits.MaxBody = maxBody }
	for _, table := range []struct {
		name string
		rows []input
		with settings
	}{
		{"inputs", inputs(), settings{options: limited}},
		{"inputs-plain", plainInputs(), settings{options: limited, capability: plainCapability()}},
	} {
		t.Run(table.name, func(t *testing.T) {
			s := serve(t, table.with)
			var seen strings.Builder
			for i := range table.rows {
				t.Run(table.rows[i].name, func(t *testing.T) { table.rows[i].play(t, s, &seen) })
			}
			golden(t, filepath.Join("testdata", table.name+".golden"), seen.String())
		})
	}
}

// play says the row to every adapter, and writes down what they answered.
func (in *input) play(t *testing.T, s *site, seen *strings.Builder) {
	s.upstream.script(answersJSON(http.StatusOK, `{"sid":"`+interaction+`"}`, "Set-Cookie: a=b", "WWW-Authenticate: Basic"))
	fmt.Fprintf(seen, "== %s\n", in.name)
	if in.rest != "" {
		a := s.REST(in.rest)
		if a.status != in.status {
			t.Errorf("REST answered %d, want %d: %s", a.status, in.status, a.body)
		}
		in.reached(t, s, "REST")
		fmt.Fprintf(seen, "REST %d%s\n%s\n", a.status, allowed(a), told(t, a))
	}
	if in.tool == "" {
		return
	}
	var first string
	for _, agent := range s.agents() {
		r := agent.call(t, in.tool, in.arguments)
		switch {
		case in.protocol != 0:
			if r.Error == nil || r.Error.Code != in.protocol {
				t.Errorf("%s: %s, want error %d", agent.name, r, in.protocol)
			}
		case r.Error != nil || r.IsError != (in.status >= 400):
			t.Errorf("%s: %s, want failure %v", agent.name, r, in.status >= 400)
		}
		in.reached(t, s, agent.name)
		said := r.text()
		if r.Error != nil {
			said = fmt.Sprintf("error %d: %s", r.Error.Code, r.Error.Message)
		}
		if first == "" {
			first = said
			fmt.Fprintf(seen, "MCP\n%s\n", said)
		} else if said != first {
			t.Errorf("%s says %q, others %q", agent.name, said, first)
		}
	}
}

// reached compares what the upstream got.
func (in *input) reached(t *testing.T, s *site, who string) {
	t.Helper()
	requests := s.upstream.take()
	s.checkUpstream(requests)
	var got []string
	for i := range requests {
		got = append(got, strings.TrimSuffix(requests[i].target+" "+requests[i].body, " "))
	}
	if reached := strings.Join(got, "\n"); reached != in.upstream {
		t.Errorf("%s: the upstream got %q, want %q", who, reached, in.upstream)
	}
}

// allowed shows the methods that a 405 offers.
func allowed(a *answer) string {
	if methods := a.header.Get("Allow"); methods != "" {
		return ", allowed: " + methods
	}
	return ""
}
