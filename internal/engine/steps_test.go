package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/deploy"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// fleet is a capability of several steps, over REST and as tools.
const fleet = `
naftiko: 1.0.0-alpha2
info: {label: Fleet, description: Ships and crews}
capability:
  consumes:
  - type: http
    namespace: fleet
    baseUri: https://fleet.example.test
    description: A fleet
    resources:
    - name: crew
      path: /crew/{id}
      operations:
      - {name: get, method: GET, inputParameters: [{name: id, in: path}, {name: X-Desk, in: header}]}
      - {name: promote, method: POST, inputParameters: [{name: id, in: path}, {name: X-Reason, in: header}]}
  - type: http
    namespace: payroll
    baseUri: https://payroll.example.test
    description: Pay
    resources:
    - name: raise
      path: /raises/{id}
      operations:
      - {name: raise, method: POST, inputParameters: [{name: id, in: path}, {name: X-Grade, in: header}, {name: amount, in: body, type: number}]}
      - {name: paid, method: GET, inputParameters: [{name: id, in: path}]}
  exposes:
  - type: rest
    namespace: fleet-rest
    port: 8080
    resources:
    - path: /promotions/{id}
      operations:
      - method: POST
        name: promotion
        inputParameters: [{name: id, in: path, type: string}, {name: reason, in: query, type: string}, {name: amount, in: query, type: number}]
        steps:
        - {type: call, name: promote, call: fleet.promote, with: {id: rest.id, X-Reason: rest.reason}}
        - {type: call, name: raise, call: payroll.raise, with: {id: '{{promote.file}}', X-Grade: '{{promote.grade}}', amount: rest.amount}}
        mappings:
        - {targetName: person, value: $.promote.id}
        - {targetName: pay.now, value: $.raise.pay}
      - method: GET
        name: pay
        steps:
        - {type: call, name: who, call: fleet.get, with: {id: rest.id}}
        - {type: call, name: paid, call: payroll.paid, with: {id: '{{who.file}}'}}
    - path: /about/{topic}
      operations:
      - method: GET
        name: about
        inputParameters: [{name: topic, in: path, type: string}]
        outputParameters:
        - {name: topic, type: string, value: '{{topic}}'}
        - {name: version, type: number, value: '2'}
        - {name: parts, type: array, items: {name: part, type: boolean, value: 'true'}}
      - {method: DELETE, name: nothing, outputParameters: [{name: none, type: object}]}
  - type: mcp
    namespace: fleet-mcp
    port: 9090
    tools:
    - name: promotion
      description: Promotes somebody
      inputParameters: [{name: id, type: string}, {name: reason, type: string, required: false}, {name: amount, type: number, required: false}]
      steps:
      - {type: call, name: promote, call: fleet.promote, with: {id: tools.id, X-Reason: tools.reason}}
      - {type: call, name: raise, call: payroll.raise, with: {id: '{{promote.file}}', X-Grade: '{{promote.grade}}', amount: tools.amount}}
      mappings:
      - {targetName: person, value: $.promote.id}
      - {targetName: pay.now, value: $.raise.pay}
`

// TestSteps tells what a REST caller reads of several steps, and what reached
// the upstreams.
func TestSteps(t *testing.T) {
	s := serve(t, settings{capability: fleet})
	promoted := map[string]http.HandlerFunc{
		"POST /crew/7": answersJSON(200, `{"id":7,"file":"f/7","grade":"B"}`, "ETag: one"),
		"GET /crew/7":  answersJSON(200, `{"id":7,"file":"f/7"}`, "ETag: one"),
	}
	const raise, paid = "POST /raises/f%2F7", "GET /raises/f%2F7"
	var out strings.Builder
	for _, c := range []struct {
		name, request string
		answers       map[string]http.HandlerFunc
	}{
		{"two steps", "POST /promotions/7?reason=merit&amount=5", map[string]http.HandlerFunc{raise: answersJSON(201, `{"pay":105}`, "ETag: two")}},
		{"the last answer is the result", "GET /promotions/7\nIf-None-Match: one", map[string]http.HandlerFunc{paid: answersJSON(203, `{"pay": 1e2}`)}},
		{"HEAD", "HEAD /promotions/7", map[string]http.HandlerFunc{paid: answersJSON(200, `{"pay":100}`)}},
		{"the second step is refused", "POST /promotions/7", map[string]http.HandlerFunc{raise: answersJSON(409, `{"error":"frozen"}`, "Retry-After: 3")}},
		{"a read before it changed nothing", "GET /promotions/7", map[string]http.HandlerFunc{paid: answersJSON(503, `{"error":"closed"}`)}},
		{"the first step is refused", "POST /promotions/8", nil},
		{"the connection breaks in the second step", "POST /promotions/7", map[string]http.HandlerFunc{raise: cuts}},
		{"the second answer is not JSON", "POST /promotions/7", map[string]http.HandlerFunc{raise: answers(200, "thanks")}},
		{"the second step wants what the first did not give", "POST /promotions/9", map[string]http.HandlerFunc{"POST /crew/9": answersJSON(200, `{"id":9}`)}},
		{"a value that no header can carry", "POST /promotions/7?reason=a%0Db", nil},
		{"refused before any call", "POST /promotions/..?amount=much", nil},
		{"a mock answer", "GET /about/ships", nil},
		{"HEAD of a mock", "HEAD /about/ships", nil},
		{"a mock of nothing", "DELETE /about/ships", nil},
	} {
		s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
			key := r.Method + " " + r.URL.EscapedPath()
			if answer := c.answers[key]; answer != nil {
				answer(w, r)
				return
			}
			if answer := promoted[key]; answer != nil {
				answer(w, r)
				return
			}
			answersJSON(404, `{"error":"nobody"}`)(w, r)
		})
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, s.REST(c.request+"\nX-Request-Id: steps"))
		for _, r := range s.upstream.take() {
			fmt.Fprintf(&out, "-> %s %s", r.method, r.target)
			for _, name := range []string{"X-Reason", "X-Grade", "If-None-Match"} {
				if v := r.header.Get(name); v != "" {
					fmt.Fprintf(&out, " %s=%s", name, v)
				}
			}
			fmt.Fprintf(&out, " %s\n", r.body)
		}
	}
	golden(t, filepath.Join("testdata", "steps.golden"), strings.ReplaceAll(out.String(), s.upstream.Listener.Addr().String(), "UPSTREAM"))
}

// TestConcurrentSteps: runs of one operation at the same time share no value.
func TestConcurrentSteps(t *testing.T) {
	s := serve(t, settings{capability: fleet, discardLog: true})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if strings.HasPrefix(r.URL.Path, "/crew/") {
			_, _ = fmt.Fprintf(w, `{"id":%q,"file":"f%s","grade":"g%s","filler":%q}`, id, id, id, strings.Repeat("x", len(id)*50))
			return
		}
		_, _ = fmt.Fprintf(w, `{"pay":"%s %s"}`, id, r.Header.Get("X-Grade"))
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	post := func(url, body string) (string, error) {
		r, err := client.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		said, err := io.ReadAll(r.Body)
		return string(said), err
	}
	var calls sync.WaitGroup
	for worker := range 8 {
		calls.Go(func() {
			for n := range 20 {
				id := strings.Repeat(fmt.Sprint(worker), 1+n)
				want := fmt.Sprintf(`{"person":%q,"pay":{"now":"f%s g%s"}}`, id, id, id)
				said, err := post("http://"+s.rest+"/promotions/"+id, "")
				if err != nil || said != want {
					t.Errorf("REST: %v (-want +got):\n%s", err, cmp.Diff(want, said))
				}
				said, err = post("http://"+s.mcp+"/mcp", callMessage(n, "promotion", `{"id":"`+id+`"}`, ""))
				if err != nil || !strings.Contains(said, `"structuredContent":`+want) {
					t.Errorf("MCP: %v, want %s in %s", err, want, said)
				}
			}
		})
	}
	calls.Wait()
}

// TestCanceledBetweenSteps: who leaves after the first step gets no second, and
// is told what the first one did.
func TestCanceledBetweenSteps(t *testing.T) {
	s := serve(t, settings{capability: fleet})
	s.upstream.script(answersJSON(200, `{"id":7,"file":"f7"}`))
	ctx, cancel := context.WithCancel(t.Context())
	b := s.deployment.Bound[0]
	op, _ := b.Plan.Find("fleet-rest.promotion")
	if op == nil {
		t.Fatal("there is no operation")
	}
	args := &plan.Args{Values: make([]jsonvalue.Value, len(op.Inputs)), Progress: func(int, int, string) { cancel() }}
	args.Values[0] = jsonvalue.StringOf("7")
	out, err := b.Run(ctx, op, args)
	f := fault.Of(err)
	if out != nil || f == nil || f.Kind != fault.Canceled || f.Outcome != fault.NotSent || f.Step != "raise" {
		t.Errorf("the run gave %v, %+v", out, f)
	}
	if diff := cmp.Diff([]string{"promote"}, f.Effects); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	if got := s.upstream.take(); len(got) != 1 || got[0].target != "/crew/7" {
		t.Errorf("the upstream got %v", got)
	}
}

// TestStepsShareTheirTime: all steps together have the time of one call. When
// it is over, the next step is not sent.
func TestStepsShareTheirTime(t *testing.T) {
	const time = time.Second
	s := serve(t, settings{capability: fleet, options: func(o *deploy.Options) { o.Limits.Total = time }})
	s.upstream.script(answersJSON(200, `{"id":7,"file":"f7"}`))
	b := s.deployment.Bound[0]
	op, _ := b.Plan.Find("fleet-rest.promotion")
	if op == nil {
		t.Fatal("there is no operation")
	}
	// Well after the end of the run's time, which begins a little later.
	over, cancel := context.WithTimeout(t.Context(), 2*time)
	defer cancel()
	args := &plan.Args{Values: make([]jsonvalue.Value, len(op.Inputs)), Progress: func(int, int, string) { <-over.Done() }}
	args.Values[0] = jsonvalue.StringOf("7")
	_, err := b.Run(t.Context(), op, args)
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Timeout || f.Outcome != fault.NotSent || f.Step != "raise" {
		t.Errorf("the run gave %+v", f)
	}
	if got := s.upstream.take(); len(got) != 1 {
		t.Errorf("the upstream got %v", got)
	}
}

// A tool says which step failed, what was done before, and what that means for
// trying again.
func TestStepsForAgents(t *testing.T) {
	s := serve(t, settings{capability: fleet})
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   []string
		fails  bool
	}{
		{"refused", answersJSON(409, `{"error":"frozen"}`), []string{"Step raise failed", "HTTP 409", "Done before: promote"}, true},
		{"cut off", cuts, []string{"Step: raise", "Done before: promote", "do not repeat the whole call"}, true},
		{"accepted, unreadable", answers(200, "thanks"), []string{"The change was accepted", "Do not repeat"}, false},
	} {
		s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/crew/7" {
				answersJSON(200, `{"id":7,"file":"f7"}`)(w, r)
				return
			}
			c.answer(w, r)
		})
		a := s.send(s.mcp, legacyCall("promotion", `{"id":"7"}`))
		var message struct {
			Result struct {
				Content []struct{ Text string }
				IsError bool
			}
		}
		if err := json.Unmarshal([]byte(a.body), &message); err != nil || len(message.Result.Content) == 0 {
			t.Fatalf("%s: %v in %s", c.name, err, a.body)
		}
		if message.Result.IsError != c.fails {
			t.Errorf("%s: isError is %t", c.name, message.Result.IsError)
		}
		for _, want := range c.want {
			if text := message.Result.Content[0].Text; !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in %q", c.name, want, text)
			}
		}
	}
}
