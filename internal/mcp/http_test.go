package mcp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/mcp"
)

// oneTool returns a server whose only tool is "tool".
func oneTool(t testing.TB, call func(context.Context, *mcp.Call) (mcp.Result, error)) *mcp.Server {
	return newServer(t, mcp.Options{
		Name: "one", Version: "1",
		Tools: []mcp.Tool{{Name: "tool", InputSchema: []byte(noInput), Call: call}},
	})
}

const callTool = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tool","_meta":{"progressToken":1}}}`

func newPost(t *testing.T, ctx context.Context, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	return r
}

// A client that goes away cancels its call, in both eras.
func TestDisconnectCancels(t *testing.T) {
	for _, era := range []mcp.Era{mcp.Legacy, mcp.Modern} {
		t.Run(era.String(), func(t *testing.T) {
			running, cancelled := make(chan mcp.Era), make(chan error)
			s := oneTool(t, func(ctx context.Context, c *mcp.Call) (mcp.Result, error) {
				running <- c.Era
				<-ctx.Done()
				cancelled <- ctx.Err()
				return mcp.Result{}, ctx.Err()
			})
			web := httptest.NewServer(s.HTTPHandler(mcp.HTTPOptions{}))
			defer web.Close()
			ctx, leave := context.WithCancel(t.Context())
			r := newPost(t, ctx, web.URL, callTool)
			if era == mcp.Modern {
				r = newPost(t, ctx, web.URL, expand(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{META,"name":"tool"}}`))
				r.Header.Set("MCP-Protocol-Version", "2026-07-28")
				r.Header.Set("Mcp-Method", "tools/call")
				r.Header.Set("Mcp-Name", "tool")
			}
			done := make(chan error, 1)
			go func() {
				resp, err := web.Client().Do(r)
				if err == nil {
					err = errors.Join(errors.New("there was an answer"), resp.Body.Close())
				}
				done <- err
			}()
			if got := <-running; got != era {
				t.Errorf("the call is %s", got)
			}
			leave()
			if err := <-cancelled; !errors.Is(err, context.Canceled) {
				t.Errorf("the call ended with %v", err)
			}
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("the client got %v", err)
			}
		})
	}
}

// Progress reaches the client while the call is running, not with its answer.
func TestProgressIsNotHeldBack(t *testing.T) {
	goOn := make(chan bool)
	s := oneTool(t, func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
		for i := range 3 {
			c.Progress(float64(i), 3, "")
			<-goOn
		}
		return mcp.ErrorResult("over"), nil
	})
	web := httptest.NewServer(s.HTTPHandler(mcp.HTTPOptions{}))
	defer web.Close()
	resp, err := web.Client().Do(newPost(t, t.Context(), web.URL, callTool))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	data := func() string {
		for lines.Scan() {
			if d, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return d
			}
		}
		return "end"
	}
	for i := range 3 {
		want := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":%d,"total":3}}`, i)
		if got := data(); got != want {
			t.Errorf("event %d is %s, want %s", i, got, want)
		}
		goOn <- true
	}
	if got := data(); !strings.Contains(got, `"isError":true`) {
		t.Errorf("the last event is %s", got)
	}
	if got := data(); got != "end" {
		t.Errorf("after the answer came %s", got)
	}
}

// An answer is an event stream for whoever says so, and not with weight 0.
func TestAcceptsEvents(t *testing.T) {
	s := oneTool(t, func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
		c.Progress(1, 0, "")
		return mcp.Result{}, nil
	})
	for accept, want := range map[string]bool{
		"application/json, text/event-stream": true, "Text/Event-Stream; q=0.5": true, "text/event-stream; charset=utf-8; Q=1": true,
		"": false, "*/*": false, "application/json": false, "text/event-stream;q=0": false, "application/json, text/event-stream; q=0.000": false,
	} {
		if got := strings.Contains(post(t, s, callTool, "Accept", accept), "notifications/progress"); got != want {
			t.Errorf("Accept %q: a stream is %v, want %v", accept, got, want)
		}
	}
}

// A goroutine that outlives its call cannot write into the answer of another.
func TestProgressAfterTheEndIsDropped(t *testing.T) {
	var kept *mcp.Call
	s := oneTool(t, func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
		if kept != nil {
			kept.Progress(2, 0, "late")
		} else {
			c.Progress(1, 0, "")
		}
		kept = c
		return mcp.Result{}, nil
	})
	first := post(t, s, callTool, "Accept", "text/event-stream")
	second := post(t, s, callTool, "Accept", "text/event-stream")
	if strings.Count(first, "progress") != 3 || strings.Contains(second, "late") {
		t.Errorf("first:\n%s\nsecond:\n%s", first, second)
	}
}

func TestBodyBounds(t *testing.T) {
	s := newServer(t, fixture())
	h := s.HTTPHandler(mcp.HTTPOptions{MaxBodyBytes: 60})
	fits := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for name, tc := range map[string]struct {
		body   io.Reader
		length int64
		want   int
	}{
		"exact":               {strings.NewReader(fits + strings.Repeat(" ", 60-len(fits))), 60, 200},
		"announced too large": {strings.NewReader(""), 61, 413},
		"too large, chunked":  {strings.NewReader(fits + strings.Repeat(" ", 61-len(fits))), -1, 413},
		"fits, chunked":       {strings.NewReader(fits), -1, 200},
		"breaks off":          {io.MultiReader(strings.NewReader(fits[:9]), brokenReader{}), 40, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", tc.body)
			r.ContentLength = tc.length
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("status %d, want %d: %s", w.Code, tc.want, w.Body)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// The text of a message is pooled: one request must not see another's.
func TestConcurrentRequestsStayApart(t *testing.T) {
	s := newServer(t, fixture())
	done := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for j := range 50 {
				name := fmt.Sprintf("%d-%d-%s", i, j, strings.Repeat("x", 10*i))
				got := post(t, s, `{"jsonrpc":"2.0","id":"`+name+`","method":"tools/call","params":{"name":"greet","arguments":{"name":"`+name+`"}}}`)
				if strings.Count(got, name) != 3 {
					err = fmt.Errorf("%s got %s", name, got)
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestDenied: a caller who may not use a tool is answered 403 with challenges, in
// both eras, and nothing else of the function's error is said.
func TestDenied(t *testing.T) {
	s := oneTool(t, func(context.Context, *mcp.Call) (mcp.Result, error) {
		return mcp.Result{}, fmt.Errorf("inner: %w", &mcp.Denied{Message: "a scope is missing", Challenges: []string{`Bearer error="insufficient_scope"`, "Other"}})
	})
	web := httptest.NewServer(s.HTTPHandler(mcp.HTTPOptions{}))
	defer web.Close()
	for _, modern := range []bool{false, true} {
		r := newPost(t, t.Context(), web.URL, callTool)
		if modern {
			r = newPost(t, t.Context(), web.URL, expand(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{META,"name":"tool"}}`))
			r.Header.Set("MCP-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", "tools/call")
			r.Header.Set("Mcp-Name", "tool")
		}
		resp, err := web.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a scope is missing"}}`
		if resp.StatusCode != http.StatusForbidden || string(body) != want || !slices.Equal(resp.Header["Www-Authenticate"], []string{`Bearer error="insufficient_scope"`, "Other"}) {
			t.Errorf("%v: %s %v %s", modern, resp.Status, resp.Header, body)
		}
	}
}

// TestRefusalsAreObserved: what the transport refuses before there is a message
// is told like a request, before it is answered.
func TestRefusalsAreObserved(t *testing.T) {
	var got []mcp.RequestInfo
	var traces []mcp.TraceContext
	opts := fixture()
	opts.OnRequest = func(ctx context.Context, info mcp.RequestInfo) {
		got = append(got, info)
		trace, _ := mcp.TraceOf(ctx)
		traces = append(traces, trace)
	}
	h := newServer(t, opts).HTTPHandler(mcp.HTTPOptions{MaxBodyBytes: 10})
	for _, c := range []struct {
		method, media, body string
		status              int
	}{
		{http.MethodGet, "", "", http.StatusMethodNotAllowed},
		{strings.Repeat("BREW", 1000), "", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "text/plain", "{}", http.StatusUnsupportedMediaType},
		{http.MethodPost, "application/json", strings.Repeat(" ", 11), http.StatusRequestEntityTooLarge},
	} {
		got, traces = nil, nil
		r := httptest.NewRequest(c.method, "/mcp", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		r.Header.Set("X-Request-Id", "mine")
		r.Header.Set("Baggage", "a=1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want := mcp.RequestInfo{Method: c.method, Transport: mcp.HTTP, ErrorCode: mcp.CodeInvalidRequest, Status: c.status, RequestID: "mine"}
		if len(c.method) > 128 {
			want.Method = c.method[:128] + "…"
		}
		if diff := cmp.Diff([]mcp.RequestInfo{want}, got); diff != "" || w.Code != c.status || traces[0].Baggage != "a=1" {
			t.Errorf("%.10s: %d, %v (-want +got):\n%s", c.method, w.Code, traces, diff)
		}
	}
}
