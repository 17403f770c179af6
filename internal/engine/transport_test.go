package engine_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/deploy"
)

// TestMCPTransport: what is wrong with a request before MCP looks at it.
func TestMCPTransport(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) { o.Limits.MaxBody = maxBody }})
	call := callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, "")
	large := callMessage(1, "twilio-create-interaction", `{"body":`+anyBody+strings.Repeat(" ", 2*maxBody+1<<16)+`}`, "")
	post := "POST /mcp\nContent-Type: application/json\n"
	for _, row := range []struct {
		name, request string
		status        int
		says          string
	}{
		{"a call", post + "\n" + call, 200, `"structuredContent"`},
		{"a call at the root", strings.Replace(post, "/mcp", "/", 1) + "\n" + call, 200, `"structuredContent"`},
		{"another path", strings.Replace(post, "/mcp", "/mcp/v1", 1) + "\n" + call, 404, "the MCP endpoint is /mcp"},
		{"another method", "GET /mcp\nAccept: text/event-stream\n", 405, `"error"`},
		{"another media type", "POST /mcp\nContent-Type: text/plain\n\n" + call, 415, `"error"`},
		{"a web page's form", "POST /mcp\nContent-Type: text/plain\nSec-Fetch-Site: cross-site\n\n" + call, 403, "refused"},
		{"a foreign origin", post + "Origin: https://attacker.example\n\n" + call, 403, "refused"},
		{"a foreign host", post + "Host: attacker.example\n\n" + call, 403, "host name"},
		{"a body above the limit", post + "\n" + large, 413, "larger than"},
		{"a chunked body above the limit", post + "Transfer-Encoding: chunked\n\n" + chunked(large), 413, "larger than"},
		{"malformed JSON", post + "\n{", 400, "-32700"},
		{"a version that is not known", post + "MCP-Protocol-Version: 2099-01-01\n\n" + call, 400, `"error"`},
		{"headers that do not mirror the body", strings.Replace(modernCall("twilio-fetch-interaction", "{}"), "Mcp-Name: twilio-fetch", "Mcp-Name: twilio-create", 1), 400, "-32020"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := s.send(s.mcp, row.request)
			if a.status != row.status || !strings.Contains(a.body, row.says) {
				t.Errorf("got %d %s, want %d with %q", a.status, a.body, row.status, row.says)
			}
			if row.status == 405 && a.header.Get("Allow") != "POST" {
				t.Errorf("Allow is %q", a.header.Get("Allow"))
			}
			s.checkUpstream(s.upstream.take())
		})
	}
}

// TestHead: HEAD has the header of GET, and no body.
func TestHead(t *testing.T) {
	s := serve(t, settings{})
	s.upstream.script(answersJSON(200, `{"sid":"`+interaction+`"}`))
	for _, path := range []string{"/v1/interactions/" + interaction, "/.patchbay/", "/openapi.json", "/v1/interactions/" + channel, "/nothing"} {
		ask := func(method string) *answer { return s.REST(method + " " + path + "\nX-Request-Id: head") }
		head, get := ask("HEAD"), ask("GET")
		if head.body != "" || get.body == "" {
			t.Errorf("%s: HEAD has %d bytes, GET %d", path, len(head.body), len(get.body))
		}
		head.body = get.body
		if diff := cmp.Diff(get.String(), head.String()); diff != "" {
			t.Errorf("%s (-GET +HEAD):\n%s", path, diff)
		}
	}
	for _, r := range s.upstream.take() {
		if r.method != http.MethodGet {
			t.Errorf("the upstream got %s", r.method)
		}
	}
}

// TestCallerLeaves: who hangs up ends the upstream call as well, and is no
// failure of the gateway.
func TestCallerLeaves(t *testing.T) {
	s := serve(t, settings{})
	rest, tool, arguments := create(anyBody)
	rest = strings.Replace(rest, "\n\n", "\nAuthorization: none\n\n", 1) // and no idempotency key, with which the call would go on
	for name, request := range map[string]struct{ host, text string }{
		"REST":                  {s.rest, rest},
		"MCP " + legacyRevision: {s.mcp, legacyCall(tool, arguments)},
		"MCP " + modernRevision: {s.mcp, modernCall(tool, arguments)},
	} {
		t.Run(name, func(t *testing.T) {
			arrived, ended := make(chan struct{}), make(chan error, 1)
			s.upstream.script(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
			})
			c, err := net.Dial("tcp", request.host)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, message(request.host, request.text)); err != nil {
				t.Fatal(err)
			}
			<-arrived
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the upstream's request ended with %v", err)
			}
			if n := len(s.upstream.take()); n != 1 {
				t.Errorf("the upstream got %d requests", n)
			}
		})
	}
}

// TestStdioCancel: notifications/cancelled ends the upstream call too.
func TestStdioCancel(t *testing.T) {
	s := serve(t, settings{})
	arrived, ended := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(ended)
	})
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := s.engine.Stdio(context.Background(), s.deployment, in, out)
		_ = out.Close()
		served <- err
	}()
	_, tool, arguments := create(anyBody)
	lines := []string{initialize(), callMessage(7, tool, arguments, ""), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`}
	answers := bufio.NewReader(fromServer)
	for i, line := range lines {
		if i == 2 {
			<-arrived
		}
		if _, err := io.WriteString(toServer, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := answers.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-ended
	_ = toServer.Close()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) != 0 {
		t.Errorf("a cancelled call was answered: %q, %v", rest, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestDrain: what runs when a deployment stops is finished, and answered.
func TestDrain(t *testing.T) {
	s := serve(t, settings{})
	arrived, release := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		answersJSON(200, `{"sid":"x"}`)(w, r)
	})
	answered := make(chan *answer, 1)
	go func() { answered <- s.REST("GET /v1/interactions/" + interaction) }()
	<-arrived
	stopped := make(chan error, 1)
	go func() { stopped <- s.engine.Shutdown(20 * time.Second) }()
	for { // until it accepts no more
		c, err := net.Dial("tcp", s.rest)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(release)
	if a := <-answered; a.status != 200 || a.body != `{"sid":"x"}` {
		t.Errorf("the request under way got %s", a)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
}
