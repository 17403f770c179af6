package mcp_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"patchbay/internal/mcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNewRefuses(t *testing.T) {
	tool := func(change func(*mcp.Tool)) func(*mcp.Options) {
		return func(o *mcp.Options) { change(&o.Tools[0]) }
	}
	input := func(schema string) func(*mcp.Options) {
		return tool(func(t *mcp.Tool) { t.InputSchema = []byte(schema) })
	}
	for name, tc := range map[string]struct {
		change func(*mcp.Options)
		want   string
	}{
		"no name":              {func(o *mcp.Options) { o.Name = "" }, "needs a name and a version"},
		"no version":           {func(o *mcp.Options) { o.Version = "" }, "needs a name and a version"},
		"cache scope":          {func(o *mcp.Options) { o.CacheScope = "shared" }, `cache scope "shared"`},
		"negative TTL":         {func(o *mcp.Options) { o.TTL = -1 }, "the TTL is negative"},
		"two tools":            {func(o *mcp.Options) { o.Tools = append(o.Tools, o.Tools[0]) }, `tool "greet": is declared twice`},
		"tool name":            {tool(func(t *mcp.Tool) { t.Name = "a b" }), `tool "a b": a name is`},
		"long tool name":       {tool(func(t *mcp.Tool) { t.Name = strings.Repeat("a", 129) }), "a name is 1 to 128"},
		"no function":          {tool(func(t *mcp.Tool) { t.Call = nil }), "has no function"},
		"empty capability":     {tool(func(t *mcp.Tool) { t.RequiresClientCapabilities = []string{""} }), "capability without a name"},
		"no schema":            {tool(func(t *mcp.Tool) { t.InputSchema = nil }), "input schema: not valid JSON"},
		"schema is no JSON":    {input(`{"type":`), "input schema: not valid JSON"},
		"schema has twins":     {input(`{"type":"object","type":"object"}`), "input schema: not valid JSON"},
		"schema is a boolean":  {input(`true`), "input schema: not a JSON object"},
		"schema root":          {input(`{"type":["object","null"]}`), `does not say "type": "object"`},
		"deep schema":          {input(strings.Repeat(`{"a":`, 101) + `1` + strings.Repeat(`}`, 101)), "deeper than 100"},
		"output schema root":   {tool(func(t *mcp.Tool) { t.OutputSchema = []byte(`{"type":"array"}`) }), "output schema: the root"},
		"tool meta":            {tool(func(t *mcp.Tool) { t.Meta = []byte(`[]`) }), "_meta: not a JSON object"},
		"header on the root":   {input(`{"type":"object","x-mcp-header":"A"}`), `x-mcp-header "A" is not on a property`},
		"header under items":   {input(`{"type":"object","properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}}`), "not on a property"},
		"header under tuple":   {input(`{"type":"object","properties":{"a":{"items":[{"type":"string","x-mcp-header":"A"}]}}}`), "not on a property"},
		"header under anyOf":   {input(`{"type":"object","anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]}`), "not on a property"},
		"header under $defs":   {input(`{"type":"object","$defs":{"d":{"type":"string","x-mcp-header":"A"}}}`), "not on a property"},
		"header under not":     {input(`{"type":"object","not":{"type":"string","x-mcp-header":"A"}}`), "not on a property"},
		"header on a number":   {input(`{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}`), "no string, integer or boolean"},
		"header twice":         {input(`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}`), `"a" occurs twice`},
		"header with a blank":  {input(`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A B"}}}`), "no header name"},
		"empty header":         {input(`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":""}}}`), "no header name"},
		"header that is a map": {input(`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":{}}}}`), "no header name"},
		"two resources":        {func(o *mcp.Options) { o.Resources = append(o.Resources, o.Resources[0]) }, `resource "test://static-text" is declared twice`},
		"resource":             {func(o *mcp.Options) { o.Resources[0].Read = nil }, `resource "test://static-text": needs`},
		"resource meta":        {func(o *mcp.Options) { o.Resources[0].Meta = []byte(`1`) }, "_meta: not a JSON object"},
		"template":             {func(o *mcp.Options) { o.Templates[0].Match = nil }, "needs a URI template"},
		"template meta":        {func(o *mcp.Options) { o.Templates[0].Meta = []byte(`1`) }, "_meta: not a JSON object"},
		"two prompts":          {func(o *mcp.Options) { o.Prompts = append(o.Prompts, o.Prompts[0]) }, `prompt "test_simple_prompt" is declared twice`},
		"prompt":               {func(o *mcp.Options) { o.Prompts[0].Name = "" }, `prompt "": needs a name`},
		"prompt argument":      {func(o *mcp.Options) { o.Prompts[1].Arguments[1].Name = "arg1" }, `argument "arg1" has no name, or one that is taken`},
		"prompt meta":          {func(o *mcp.Options) { o.Prompts[0].Meta = []byte(`1`) }, "_meta: not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := fixture()
			tc.change(&opts)
			_, err := mcp.New(opts)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New: %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	opts := fixture()
	opts.Name = ""
	opts.Tools[0].Call, opts.Tools[1].InputSchema = nil, nil
	_, err := mcp.New(opts)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("New: %v, want three faults", err)
	}
}

// A property may bear the name of the annotation, and values are no schemas.
func TestNewAcceptsHarmlessMirrors(t *testing.T) {
	opts := fixture()
	opts.Tools[0].InputSchema = []byte(`{"type":"object","properties":{"x-mcp-header":{"type":"number"}},` +
		`"default":{"x-mcp-header":""},"enum":[{"x-mcp-header":1}]}`)
	if _, err := mcp.New(opts); err != nil {
		t.Error(err)
	}
}

func TestOptionsAreCopied(t *testing.T) {
	opts := fixture()
	s := newServer(t, opts)
	opts.Tools[1] = mcp.Tool{}
	got := post(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text"}}`)
	if !strings.Contains(got, "simple text response") {
		t.Errorf("the server lost its tool: %s", got)
	}
}

// post plays one legacy request and returns the body of the answer.
func post(t testing.TB, s *mcp.Server, body string, headers ...string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.HTTPHandler(mcp.HTTPOptions{}).ServeHTTP(w, r)
	return w.Body.String()
}

func TestObserver(t *testing.T) {
	var got []mcp.RequestInfo
	opts := fixture()
	opts.OnRequest = func(_ context.Context, info mcp.RequestInfo) {
		info.Duration = 0
		got = append(got, info)
	}
	s := newServer(t, opts)
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"test_error_handling"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_plain_error"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"nope"}}`,
		`{"jsonrpc":"2.0","id":4,"method":"resources/read","params":{"uri":"test://static-text"}}`,
		`{"jsonrpc":"2.0","id":5,"method":"` + strings.Repeat("é", 100) + `"}`,
		`{"jsonrpc":"2.0","id":6,"method":"server/discover"}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":"theirs","result":{}}`,
		`{`,
		`[{"jsonrpc":"2.0","method":"notifications/cancelled"},{"jsonrpc":"2.0","id":7,"method":"ping"}]`,
	} {
		post(t, s, body)
	}
	legacy := func(method, id string) mcp.RequestInfo {
		return mcp.RequestInfo{Method: method, Revision: "2025-03-26", ID: id}
	}
	failed, hidden, unknown, read := legacy("tools/call", `"a"`), legacy("tools/call", "2"), legacy("tools/call", "3"), legacy("resources/read", "4")
	failed.Called, hidden.Called, read.Called = true, true, true
	failed.Target, failed.IsError = "test_error_handling", true
	hidden.Target, hidden.ErrorCode, hidden.Err = "test_plain_error", mcp.CodeInternalError, errors.New("password is hunter2")
	unknown.ErrorCode = mcp.CodeInvalidParams
	read.Target = "test://static-text"
	long := legacy(strings.Repeat("é", 64)+"…", "5")
	long.ErrorCode = mcp.CodeMethodNotFound
	want := []mcp.RequestInfo{
		failed, hidden, unknown, read, long,
		{Method: "server/discover", Era: mcp.Modern, Revision: "2026-07-28", ID: "6", ErrorCode: mcp.CodeInvalidParams},
		legacy("notifications/initialized", ""), legacy("response", `"theirs"`),
		{ErrorCode: mcp.CodeParseError},
		legacy("notifications/cancelled", ""), legacy("ping", "7"),
	}
	byText := cmp.Comparer(func(a, b error) bool { return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error()) })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), byText); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

func TestPanicIsContained(t *testing.T) {
	var seen error
	opts := fixture()
	opts.OnRequest = func(_ context.Context, info mcp.RequestInfo) { seen = info.Err }
	s := newServer(t, opts)
	got := post(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_panic"}}`)
	if want := `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}}`; got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
	var p *mcp.PanicError
	if !errors.As(seen, &p) || p.Value != "boom" || !bytes.Contains(p.Stack, []byte("fixture_test.go")) {
		t.Errorf("the observer saw %#v, want the panic with its stack", seen)
	}
}

func TestViewSharesNothingMutable(t *testing.T) {
	s := newServer(t, fixture())
	none := s.View(mcp.Filter{Tool: func(*mcp.Tool) bool { return false }})
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}`
	if got := post(t, none, call); !strings.Contains(got, "Unknown tool: greet") {
		t.Errorf("the view answered %s", got)
	}
	if got := post(t, none, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); !strings.Contains(got, `"tools":[]`) {
		t.Errorf("the view lists %s", got)
	}
	if got := post(t, s, call); !strings.Contains(got, "hello") {
		t.Errorf("the server itself answered %s", got)
	}
}

func TestInvalidUTF8IsRefused(t *testing.T) {
	s := newServer(t, fixture())
	got := post(t, s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":\"\xff\"}}")
	if !strings.Contains(got, `"id":null,"error":{"code":-32700`) {
		t.Errorf("answer %s", got)
	}
}

// A call that is built by hand, as an adapter's tests do, has no progress and no
// client, and does not mind.
func TestZeroCall(t *testing.T) {
	call := mcp.Call{Name: "x", Arguments: []byte(`{}`)}
	call.Progress(1, 2, "on the way")
	if got := call.Client(); got != (mcp.Client{}) {
		t.Errorf("client %+v", got)
	}
}

func TestCompletionIsBounded(t *testing.T) {
	s := newServer(t, fixture())
	got := post(t, s, `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{`+
		`"ref":{"type":"ref/resource","uri":"test://static-text"},"argument":{"name":"a","value":"many"}}}`)
	if !strings.Contains(got, `"v98","v99"],"total":150,"hasMore":true}`) {
		t.Errorf("answer %s", got)
	}
}

// What goes to logs is spelled like this.
func TestSpellings(t *testing.T) {
	got := []string{mcp.HTTP.String(), mcp.Stdio.String(), mcp.Legacy.String(), mcp.Modern.String(), (&mcp.PanicError{Value: "boom"}).Error()}
	if diff := cmp.Diff([]string{"http", "stdio", "legacy", "modern", "panic: boom"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Data of an error that is not JSON would break the answer, so it is left out;
// what the function returned is for the observer.
func TestErrorDataIsChecked(t *testing.T) {
	refused := &mcp.Error{Code: 7, Message: "no", Data: []byte(`{"a":`)}
	var seen error
	opts := fixture()
	opts.OnRequest = func(_ context.Context, info mcp.RequestInfo) { seen = info.Err }
	opts.Tools[0].Call = func(context.Context, *mcp.Call) (mcp.Result, error) { return mcp.Result{}, refused }
	got := post(t, newServer(t, opts), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}`)
	if want := `{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"no"}}`; got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
	if !errors.Is(seen, refused) {
		t.Errorf("the observer saw %v", seen)
	}
}

func TestErrorText(t *testing.T) {
	err := &mcp.Error{Code: mcp.CodeInvalidParams, Message: "no such thing"}
	if got, want := err.Error(), "mcp error -32602: no such thing"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
