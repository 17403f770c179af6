package engine_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"

	"patchbay/internal/deploy"
)

// connection is what a client gets to know about its connection.
type connection struct {
	status       int
	reused, last bool
	major        int
	body         string
}

func (c connection) String() string {
	return fmt.Sprintf("%d on HTTP/%d, reused %v, last %v", c.status, c.major, c.reused, c.last)
}

// over sends a request and tells which connection it went over.
func over(client *http.Client, request *http.Request) (connection, error) {
	var c connection
	answer, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { c.reused = info.Reused },
	})))
	if err != nil {
		return c, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	c.status, c.last, c.major, c.body = answer.StatusCode, answer.Close, answer.ProtoMajor, string(body)
	return c, err
}

func request(t *testing.T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// TestRetire: a process that is about to stop is not ready, and goes on answering
// on old and new connections, each of which it gives up with its next answer. No
// connection is closed before: a request could be on its way.
func TestRetire(t *testing.T) {
	s := serve(t, settings{options: withControl})
	operators := s.control()
	kinds := map[string]func() *http.Request{
		"REST":   func() *http.Request { return request(t, "GET", "http://"+s.rest+"/v1/interactions/"+interaction, "") },
		"a page": func() *http.Request { return request(t, "GET", "http://"+s.rest+"/openapi.json", "") },
		"no such path": func() *http.Request {
			return request(t, "GET", "http://"+s.rest+"/nothing", "")
		},
		"refused": func() *http.Request {
			return request(t, "GET", "http://"+s.rest+"/", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		},
		"legacy MCP": func() *http.Request {
			return request(t, "POST", "http://"+s.mcp+"/mcp", callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, ""),
				"Content-Type", "application/json", "MCP-Protocol-Version", legacyRevision)
		},
		"modern MCP": func() *http.Request {
			return request(t, "POST", "http://"+s.mcp+"/mcp", callMessage(1, "twilio-fetch-interaction", `{"InteractionSid":"`+interaction+`"}`, ","+modernMeta),
				"Content-Type", "application/json", "MCP-Protocol-Version", modernRevision, "Mcp-Method", "tools/call", "Mcp-Name", "twilio-fetch-interaction")
		},
	}
	clients := map[string]*http.Client{}
	before := map[string]connection{}
	for name, make := range kinds {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		clients[name] = &http.Client{Transport: transport}
		c, err := over(clients[name], make())
		if err != nil || c.last {
			t.Fatalf("%s, before: %s, %v", name, c, err)
		}
		before[name] = c
	}
	if a := s.get(operators, "/health/ready"); a.status != http.StatusOK {
		t.Errorf("before: %s", a)
	}

	// One is under way, and may not know when it began.
	held, end := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		held <- struct{}{}
		<-end
		answersJSON(http.StatusOK, `{}`)(w, r)
	})
	type result struct {
		c   connection
		err error
	}
	slow := make(chan result, 1)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	go func() {
		c, err := over(&http.Client{Transport: transport}, kinds["REST"]())
		slow <- result{c, err}
	}()
	<-held
	s.engine.Retire()
	s.upstream.script(answersJSON(http.StatusOK, `{}`))
	close(end)
	if got := <-slow; got.err != nil || got.c.status != http.StatusOK || !got.c.last {
		t.Errorf("under way: %s, %v; want the last answer of its connection", got.c, got.err)
	}

	a := s.get(operators, "/health/ready")
	if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "draining") {
		t.Errorf("ready: %s", a)
	}
	if a := s.get(operators, "/health/live"); a.status != http.StatusOK {
		t.Errorf("live: %s", a)
	}
	for name, make := range kinds {
		for _, reused := range []bool{true, false, false} {
			c, err := over(clients[name], make())
			// Problems have an id of their request.
			if err != nil || c.status != before[name].status || c.status == http.StatusOK && c.body != before[name].body {
				t.Errorf("%s: %s, %v; want %d as before\n%s", name, c, err, before[name].status, c.body)
			}
			if c.reused != reused || !c.last {
				t.Errorf("%s: %s; want reused %v, and the last answer of its connection", name, c, reused)
			}
		}
	}
	if err := s.engine.Shutdown(patience); err != nil {
		t.Error(err)
	}
	if _, err := over(clients["REST"], kinds["REST"]()); err == nil {
		t.Error("answered after the end")
	}
}

// TestRetireHTTP2: what is under way on a connection ends there, and what comes later
// goes over another one.
func TestRetireHTTP2(t *testing.T) {
	ca := newAuthority(t, "ca")
	files := serverFiles(t)
	writePair(t, &files, ca.server("gateway"), 0)
	s := serve(t, settings{options: func(o *deploy.Options) { o.TLS = files }})
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func() *http.Request {
		return request(t, "GET", "https://"+s.rest+"/v1/interactions/"+interaction, "")
	}
	held, end := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		held <- struct{}{}
		<-end
		answersJSON(http.StatusOK, `{}`)(w, r)
	})
	slow := make(chan error, 1)
	go func() {
		c, err := over(client, get())
		if err == nil && (c.status != http.StatusOK || c.major != 2) {
			err = fmt.Errorf("%s", c)
		}
		slow <- err
	}()
	<-held
	s.upstream.script(answersJSON(http.StatusOK, `{}`))
	if c, err := over(client, get()); err != nil || !c.reused || c.major != 2 {
		t.Fatalf("before: %s, %v", c, err)
	}
	s.engine.Retire()
	if c, err := over(client, get()); err != nil || c.status != http.StatusOK || !c.reused {
		t.Errorf("on the same connection: %s, %v", c, err)
	}
	// The client has read the answer, and the GOAWAY a moment before or after it.
	eventually(t, "requests go over another connection", func() (string, bool) {
		c, err := over(client, get())
		if err != nil || c.status != http.StatusOK {
			t.Errorf("%s, %v", c, err)
		}
		return c.String(), !c.reused
	})
	select {
	case err := <-slow:
		t.Fatalf("it ended before its time: %v", err)
	default:
	}
	close(end)
	if err := <-slow; err != nil {
		t.Errorf("under way: %v", err)
	}
}

// Who is about to stop takes no other deployment.
func TestRetireDoesNotReload(t *testing.T) {
	c := newChanging(t)
	c.engine.Retire()
	if r := c.engine.Reload(t.Context(), "a test"); r.Applied || r.Err == nil {
		t.Errorf("%+v", r)
	}
	if version, err := c.askREST(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "a"); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
}

// TestShutdownUnderLoad: clients that know nothing of the end, each request on a
// connection of its own, are answered until they are refused. Whoever was let in is
// answered.
func TestShutdownUnderLoad(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	answered, reset := 0, 0
	for range rounds {
		s := serve(t, settings{discardLog: true})
		url := "http://" + s.rest + "/v1/interactions/" + interaction
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		var mu sync.Mutex
		var callers sync.WaitGroup
		begun := make(chan struct{}, 1<<20)
		for range 8 {
			callers.Go(func() {
				for {
					c, err := over(client, request(t, "GET", url, ""))
					mu.Lock()
					switch {
					case errors.Is(err, syscall.ECONNREFUSED):
						mu.Unlock()
						return
					case errors.Is(err, syscall.ECONNRESET):
						reset++ // it came in the instant of closing, before anybody could let it in
					case err != nil || c.status != http.StatusOK:
						t.Errorf("%s, %v", c, err)
					default:
						answered++
					}
					mu.Unlock()
					begun <- struct{}{}
				}
			})
		}
		for range 50 {
			<-begun
		}
		if err := s.engine.Shutdown(patience); err != nil {
			t.Error(err)
		}
		callers.Wait()
	}
	t.Logf("%d answered, %d reset", answered, reset)
	if reset > rounds {
		t.Errorf("%d connections were reset in %d stops", reset, rounds)
	}
}
