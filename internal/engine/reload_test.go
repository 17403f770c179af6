package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
)

// patience bounds waiting for what hangs. Nothing is measured with it.
const patience = time.Minute

// versioned is a capability of which each version says which it is: in a query
// parameter that callers do not see.
const versioned = `
naftiko: 1.0.0-alpha2
info: {label: Versioned, description: Says its version, tags: [test]}
binds: [{namespace: env, keys: {TOKEN: TOKEN}}]
capability:
  consumes:
  - type: http
    namespace: up
    baseUri: https://up.example.test
    description: The upstream
    authentication: {type: bearer, token: '{{env.TOKEN}}'}
    resources:
    - name: things
      path: /things/{id}
      operations: [{name: get, method: GET, inputParameters: [{name: id, in: path}, {name: version, in: query, value: 'VERSION'}]}]
  exposes:
  - type: rest
    namespace: up-rest
    port: 8080
    resources:
    - path: /things/{id}
      operations: [{method: GET, name: get-thing, call: up.get, with: {id: rest.id}}]
  - type: mcp
    namespace: up-mcp
    port: 9090
    description: The tools
    tools:
    - {name: get-thing, description: Gets, call: up.get, with: {id: tools.id}}
`

// changing is an engine whose next deployment a test decides.
type changing struct {
	t        testing.TB
	engine   *engine.Engine
	file     string
	upstream *httptest.Server
	log      *logBuffer
	version  atomic.Int64
	// rest and mcp are where the adapters are, listen is where they should be.
	rest, mcp atomic.Pointer[string]
	listen    [2]string
	// mixed counts requests at the upstream that two versions had a part in.
	mixed atomic.Int64
	// change is what the next deployment has besides the usual.
	change func(*deploy.Options, *bind.Options)
	// carried sees the stage of each deployment.
	carried func(*engine.Stage)
	// bound sees each deployment that was bound.
	bound func(*engine.Deployment)
	// held gets each request for the thing called held, which waits for its end.
	held chan chan struct{}

	mu   sync.Mutex
	open map[net.Conn]bool
	idle chan struct{}
}

func newChanging(t testing.TB, listen ...string) *changing {
	t.Helper()
	c := &changing{t: t, file: filepath.Join(t.TempDir(), "up.yaml"), log: &logBuffer{}, held: make(chan chan struct{}), open: map[net.Conn]bool{}, idle: make(chan struct{}, 1)}
	c.upstream = httptest.NewUnstartedServer(http.HandlerFunc(c.answer))
	c.upstream.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch state {
		case http.StateNew:
			c.open[conn] = true
		case http.StateClosed, http.StateHijacked:
			delete(c.open, conn)
			select {
			case c.idle <- struct{}{}:
			default:
			}
		case http.StateActive, http.StateIdle:
		}
	}
	c.upstream.Start()
	t.Cleanup(c.upstream.Close)
	c.listen = [2]string{"127.0.0.1:0", "127.0.0.1:0"}
	copy(c.listen[:], listen)
	log, usual := slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelWarn})), deploy.Defaults()
	observation, err := engine.NewObservation(&usual, log, new(secret.Mask), testVersion)
	if err != nil {
		t.Fatal(err)
	}
	c.engine = engine.New(engine.Config{Log: log, Version: testVersion, Observation: observation, Source: c.next})
	d, found, err := c.next(context.Background(), c.engine.Binding())
	if err != nil || found.HasErrors() {
		t.Fatalf("%v %v", err, found)
	}
	served, err := c.engine.Start(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.engine.Shutdown(patience); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	for _, at := range served {
		u, err := url.Parse(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		if len(at.MCP) > 0 {
			c.mcp.Store(&u.Host)
		} else {
			c.rest.Store(&u.Host)
		}
	}
	return c
}

// answer is the upstream. Path, query and credential each say a version.
func (c *changing) answer(w http.ResponseWriter, r *http.Request) {
	_, rest, _ := strings.Cut(r.URL.Path, "/v")
	version, path, _ := strings.Cut(rest, "/")
	if r.URL.Query().Get("version") != version || r.Header.Get("Authorization") != "Bearer token-"+version {
		c.mixed.Add(1)
	}
	if path == "things/held" {
		end := make(chan struct{})
		c.held <- end
		<-end
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"version":%s}`, version)
}

// next is the engine's source: the version after the last one.
func (c *changing) next(_ context.Context, with engine.BindOptions) (*engine.Deployment, diag.List, error) {
	version := strconv.FormatInt(c.version.Add(1), 10)
	if err := os.WriteFile(c.file, []byte(strings.ReplaceAll(versioned, "VERSION", version)), 0o600); err != nil {
		return nil, nil, err
	}
	opts := deploy.Defaults()
	opts.Files = []string{c.file}
	opts.Upstreams["up"] = c.upstream.URL + "/v" + version
	opts.Listen["up-rest"], opts.Listen["up-mcp"] = c.listen[0], c.listen[1]
	env := bind.Options{Process: func(name string) (string, bool) { return "token-" + version, name == "TOKEN" }}
	if c.change != nil {
		c.change(&opts, &env)
	}
	if c.carried != nil {
		c.carried(with.Stage)
	}
	environment, err := bind.New(env)
	if err != nil {
		return nil, nil, err
	}
	loaded, found, err := engine.Load(&opts)
	if err != nil || found.HasErrors() {
		return nil, found, err
	}
	with.Environment = environment
	d, more, err := engine.Bind(loaded, &opts, with)
	if c.bound != nil && err == nil {
		c.bound(d)
	}
	return d, append(found, more...), err
}

// reload reloads, and wants it to work.
func (c *changing) reload() engine.ReloadResult {
	c.t.Helper()
	r := c.engine.Reload(c.t.Context(), "a test")
	if !r.Applied {
		c.t.Fatalf("not reloaded: %v %v", r.Err, r.Found)
	}
	return r
}

// ask sends a request and returns the version that answered.
func ask(client *http.Client, method, url, body string, header map[string]string) (int64, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	var said struct {
		Version int64
		Result  struct {
			IsError           bool
			StructuredContent struct{ Version int64 }
		}
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(text, &said) != nil || said.Result.IsError {
		return 0, fmt.Errorf("%s: %s", answer.Status, text)
	}
	version := max(said.Version, said.Result.StructuredContent.Version)
	if version == 0 {
		return 0, fmt.Errorf("no version in %s", text)
	}
	return version, nil
}

func (c *changing) askREST(client *http.Client, id string) (int64, error) {
	return ask(client, http.MethodGet, "http://"+*c.rest.Load()+"/things/"+id, "", nil)
}

func (c *changing) askMCP(client *http.Client, n int, revision string) (int64, error) {
	header := map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": revision}
	meta := ""
	if revision == modernRevision {
		header["Mcp-Method"], header["Mcp-Name"] = "tools/call", "get-thing"
		meta = "," + modernMeta
	}
	return ask(client, http.MethodPost, "http://"+*c.mcp.Load()+"/mcp", callMessage(n, "get-thing", `{"id":"a"}`, meta), header)
}

// await waits until at most so many connections to the upstream are open.
func (c *changing) await(most int) {
	c.t.Helper()
	late := time.After(patience)
	for {
		c.mu.Lock()
		n := len(c.open)
		c.mu.Unlock()
		if n <= most {
			return
		}
		select {
		case <-c.idle:
		case <-late:
			c.t.Fatalf("%d connections to the upstream are open, want at most %d", n, most)
		}
	}
}

// TestReloadUnderLoad: hundreds of reloads under calls from both sides; no call
// fails, none meets two deployments, and nothing is left of the old ones.
func TestReloadUnderLoad(t *testing.T) {
	c := newChanging(t)
	reloads := 300
	if testing.Short() {
		reloads = 50
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	done := make(chan struct{})
	var applied, calls atomic.Int64
	applied.Store(1)
	var workers sync.WaitGroup
	for worker := range 6 {
		workers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				least := applied.Load()
				var version int64
				var err error
				switch worker % 3 {
				case 0:
					version, err = c.askREST(client, "a")
				case 1:
					version, err = c.askMCP(client, n, legacyRevision)
				default:
					version, err = c.askMCP(client, n, modernRevision)
				}
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				if version < least {
					t.Errorf("version %d answered, after %d had taken over", version, least)
				}
				calls.Add(1)
			}
		})
	}
	for range reloads {
		r := c.reload()
		if r.Generation != c.version.Load() {
			t.Errorf("generation %d, want %d", r.Generation, c.version.Load())
		}
		if len(r.Opened)+len(r.Closed) > 0 {
			t.Errorf("listeners changed: %v %v", r.Opened, r.Closed)
		}
		applied.Store(r.Generation)
	}
	close(done)
	workers.Wait()
	if n := c.mixed.Load(); n > 0 {
		t.Errorf("%d requests met two deployments", n)
	}
	if n := calls.Load(); n < int64(reloads) {
		t.Errorf("only %d calls during %d reloads", n, reloads)
	}
	t.Logf("%d calls during %d reloads", calls.Load(), reloads)
	// What is left is one deployment's: its connections, at most one for each worker.
	c.await(6)
	client.CloseIdleConnections()
	late := time.Now().Add(patience)
	for runtime.NumGoroutine() > goroutines+20 || descriptors(t) > files+12 {
		if time.Now().After(late) {
			t.Fatalf("goroutines grew from %d to %d, descriptors from %d to %d", goroutines, runtime.NumGoroutine(), files, descriptors(t))
		}
		runtime.Gosched()
	}
}

// A request under way is finished by the deployment that it began on, whose
// connections are closed after it and not before.
func TestReloadFinishesRequests(t *testing.T) {
	c := newChanging(t)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	type answer struct {
		version int64
		err     error
	}
	got := make(chan answer, 1)
	go func() {
		version, err := c.askREST(client, "held")
		got <- answer{version, err}
	}()
	end := <-c.held
	for range 3 {
		c.reload()
	}
	if version, err := c.askREST(client, "a"); err != nil || version != 4 {
		t.Errorf("version %d, %v; want the new one", version, err)
	}
	select {
	case a := <-got:
		t.Errorf("the request ended before its time: %+v", a)
	default:
	}
	close(end)
	if a := <-got; a.err != nil || a.version != 1 {
		t.Errorf("%+v, want the answer of version 1", a)
	}
	c.await(1) // that of version 4
}

// Whatever is wrong with the next deployment, the one before goes on.
func TestBadReload(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, bad := range []struct {
		name   string
		change func(c *changing) func(*deploy.Options, *bind.Options)
		want   string // in the error or in a finding
	}{
		{"no YAML", func(c *changing) func(*deploy.Options, *bind.Options) {
			return func(*deploy.Options, *bind.Options) { writeText(t, c.file, "naftiko: [") }
		}, "not valid YAML"},
		{"no file", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Files = []string{"/nowhere.yaml"} }
		}, "there is no file"},
		{"no credential", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(_ *deploy.Options, e *bind.Options) { e.Process = nil }
		}, "TOKEN"},
		{"no env file", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(_ *deploy.Options, e *bind.Options) { e.EnvFiles = []string{"/nowhere.env"} }
		}, "env file"},
		{"an unknown namespace", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Listen["down-rest"] = "127.0.0.1:0" }
		}, "no adapter has that namespace"},
		{"an unknown tool", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Tools = []string{"get-thin"} }
		}, "there is no tool"},
		{"an address that is taken", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Listen["up-rest"] = busy.Addr().String() }
		}, "the port is in use"},
		{"the second of two addresses is taken", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) {
				o.Listen["up-rest"], o.Listen["up-mcp"] = "127.0.0.1:0", busy.Addr().String()
			}
		}, "the port is in use"},
		{"open to the world", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Listen["up-rest"] = "0.0.0.0:0" }
		}, "reachable from outside"},
		{"the sandbox", func(*changing) func(*deploy.Options, *bind.Options) {
			return func(o *deploy.Options, _ *bind.Options) { o.Sandbox.Enabled = true }
		}, "restart"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			c := newChanging(t)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			if c.engine.LastReload() != nil {
				t.Error("there was a reload before the first")
			}
			c.change = bad.change(c)
			r := c.engine.Reload(t.Context(), "a test")
			said := fmt.Sprint(r.Err, r.Found)
			if r.Applied || r.Err == nil || !strings.Contains(said, bad.want) || r.Generation != 1 || r.Trigger != "a test" {
				t.Errorf("%+v, want %q", r, bad.want)
			}
			if last := c.engine.LastReload(); last == nil || last.Applied || last.Time.IsZero() {
				t.Errorf("%+v is the last reload", last)
			}
			if log := c.log.String(); !strings.Contains(log, "not reloaded") || !strings.Contains(log, bad.want) {
				t.Errorf("the log does not say it:\n%s", log)
			}
			if version, err := c.askREST(client, "a"); err != nil || version != 1 {
				t.Errorf("REST: version %d, %v", version, err)
			}
			if version, err := c.askMCP(client, 1, legacyRevision); err != nil || version != 1 {
				t.Errorf("MCP: version %d, %v", version, err)
			}
			c.change = nil
			if r := c.reload(); r.Generation != 2 {
				t.Errorf("generation %d after the repair", r.Generation)
			}
			if version, err := c.askREST(client, "a"); err != nil || version != 3 {
				t.Errorf("version %d, %v", version, err)
			}
		})
	}
}

// A panic on the way to another deployment is a reload that failed: the process
// goes on, the log has the stack and no secret, and no listener is left.
func TestReloadSurvivesPanic(t *testing.T) {
	for _, bad := range []struct {
		name string
		// arm makes the next reload panic, in a function of the name where.
		arm   func(*changing)
		where string
	}{
		{"in the source", func(c *changing) {
			c.change = func(*deploy.Options, *bind.Options) { panic("about token-1\x1b[2J") }
		}, "next"},
		{"while binding", func(c *changing) {
			c.change = func(_ *deploy.Options, e *bind.Options) {
				e.Process = func(string) (string, bool) { panic(errors.New("about token-1")) }
			}
		}, "next"},
		{"with a listener open", func(c *changing) {
			c.bound = func(d *engine.Deployment) { d.Loaded = nil }
		}, "change"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			c := newChanging(t)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			options := deploy.Defaults()
			options.Control.Listen = "127.0.0.1:0"
			control, err := c.engine.StartControl(&options)
			if err != nil {
				t.Fatal(err)
			}
			before, free := c.listen, freeAddresses(t)
			c.listen = free
			bad.arm(c)
			r := c.engine.Reload(t.Context(), "a test")
			if r.Applied || r.Err == nil || r.Err.Error() != "an internal error" || r.Generation != 1 || len(r.Opened) > 0 {
				t.Errorf("%+v", r)
			}
			for path, want := range map[string]string{
				"/status": `"error": "an internal error"`, "/metrics": "patchbay_last_reload_successful 0\n", "/metrics?": `patchbay_reloads_total{result="failure"} 1`,
			} {
				answer, err := client.Get(control + path)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if err != nil || !strings.Contains(string(text), want) {
					t.Errorf("%s does not say %s, %v:\n%s", path, want, err, text)
				}
			}
			log := c.log.String()
			if !strings.Contains(log, `"level":"ERROR","msg":"panic"`) || !strings.Contains(log, "goroutine ") || !strings.Contains(log, "."+bad.where+"(") || !strings.Contains(log, "not reloaded") {
				t.Errorf("the log does not say it:\n%s", log)
			}
			if strings.Contains(log, "token-1") || strings.Contains(log, `\u001b`) {
				t.Errorf("the log says too much:\n%s", log)
			}
			for _, address := range free {
				l, err := net.Listen("tcp", address)
				if err != nil {
					t.Fatalf("a listener is left: %v", err)
				}
				_ = l.Close()
			}
			if version, err := c.askREST(client, "a"); err != nil || version != 1 {
				t.Errorf("REST: version %d, %v", version, err)
			}
			c.listen, c.change, c.bound = before, nil, nil
			if r := c.reload(); r.Generation != 2 {
				t.Errorf("generation %d after the repair", r.Generation)
			}
			if version, err := c.askMCP(client, 1, legacyRevision); err != nil || version != 3 {
				t.Errorf("MCP: version %d, %v", version, err)
			}
		})
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Listeners are handed over: the same address keeps its socket, whatever stands
// behind it then; a new one is there before an old one goes, which finishes
// what it has begun.
func TestReloadHandsListenersOver(t *testing.T) {
	at := freeAddresses(t)
	c := newChanging(t, at[0], at[1])
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	move := func(rest, mcp string) engine.ReloadResult {
		c.listen = [2]string{rest, mcp}
		r := c.reload()
		c.rest.Store(&rest)
		c.mcp.Store(&mcp)
		return r
	}

	got := make(chan error, 1)
	go func() {
		version, err := c.askREST(client, "held")
		if err == nil && version != 1 {
			err = fmt.Errorf("version %d", version)
		}
		got <- err
	}()
	end := <-c.held
	other := freeAddresses(t)[0]
	r := move(other, at[1])
	if len(r.Opened) != 1 || r.Opened[0] != "http://"+other || len(r.Closed) != 1 || r.Closed[0] != "http://"+at[0] {
		t.Errorf("opened %v, closed %v", r.Opened, r.Closed)
	}
	if version, err := c.askREST(client, "a"); err != nil || version != 2 {
		t.Errorf("at the new address: version %d, %v", version, err)
	}
	close(end)
	if err := <-got; err != nil {
		t.Errorf("the request under way at the old address: %v", err)
	}
	late := time.Now().Add(patience)
	for {
		conn, err := net.Dial("tcp", at[0])
		if err != nil {
			break // nobody listens there any more
		}
		_ = conn.Close()
		if time.Now().After(late) {
			t.Fatal("the old address still takes connections")
		}
	}

	// The adapters change places: the sockets stay, what they show is swapped.
	if r := move(at[1], other); len(r.Opened)+len(r.Closed) > 0 {
		t.Errorf("opened %v, closed %v", r.Opened, r.Closed)
	}
	if version, err := c.askREST(client, "a"); err != nil || version != 3 {
		t.Errorf("REST at MCP's address: version %d, %v", version, err)
	}
	if version, err := c.askMCP(client, 1, legacyRevision); err != nil || version != 3 {
		t.Errorf("MCP at REST's address: version %d, %v", version, err)
	}
}

// What belongs to the engine outlives the deployments that have equal settings
// for it; a deployment that does not come to serve changes nothing.
func TestCarry(t *testing.T) {
	type breaker struct{ n int }
	c := newChanging(t)
	made := 0
	var have *breaker
	setting := 1
	c.carried = func(stage *engine.Stage) {
		have = engine.Carry(stage, "breaker", "up", setting, func() *breaker {
			made++
			return &breaker{made}
		})
		if again := engine.Carry(stage, "breaker", "up", setting, func() *breaker { return &breaker{-1} }); again != have {
			t.Error("one stage has two of a kind")
		}
		if other := engine.Carry(stage, "limiter", "up", setting, func() *breaker { return &breaker{-1} }); other == have {
			t.Error("two kinds are one")
		}
	}
	expect := func(step string, n int) {
		t.Helper()
		if have.n != n {
			t.Errorf("%s: it has number %d, want %d", step, have.n, n)
		}
	}
	c.reload()
	expect("new", 1)
	c.reload()
	expect("unchanged", 1)
	setting = 2
	c.change = func(o *deploy.Options, _ *bind.Options) { o.Tools = []string{"nonsense"} }
	if r := c.engine.Reload(t.Context(), "a test"); r.Applied {
		t.Fatal("a bad deployment was applied")
	}
	expect("changed, in a deployment that does not serve", 2)
	setting, c.change = 1, nil
	c.reload()
	expect("as before", 1)
	setting = 2
	c.reload()
	expect("changed", 3)
	carried := c.carried
	c.carried = nil
	c.reload()
	c.carried = carried
	c.reload()
	expect("unused in between", 4)
	if engine.Carry(nil, "breaker", "up", 1, func() int { return 5 }) != 5 {
		t.Error("without a stage nothing is made")
	}
}

// An engine that cannot make deployments, serves none yet or is stopping says so.
func TestReloadThatCannotBe(t *testing.T) {
	none := engine.New(engine.Config{Log: slog.New(slog.DiscardHandler), Version: testVersion})
	if r := none.Reload(t.Context(), "a test"); r.Applied || r.Err == nil || r.Generation != 0 {
		t.Errorf("%+v", r)
	}
	early := engine.New(engine.Config{Log: slog.New(slog.DiscardHandler), Version: testVersion, Source: func(context.Context, engine.BindOptions) (*engine.Deployment, diag.List, error) {
		t.Error("a deployment was made that nobody serves")
		return nil, nil, errors.New("no")
	}})
	if r := early.Reload(t.Context(), "a test"); r.Applied || r.Err == nil {
		t.Errorf("%+v", r)
	}
	c := newChanging(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if r := c.engine.Reload(ended, "a test"); r.Applied || !errors.Is(r.Err, context.Canceled) {
		t.Errorf("%+v", r)
	}
	if err := c.engine.Shutdown(patience); err != nil {
		t.Fatal(err)
	}
	if r := c.engine.Reload(t.Context(), "a test"); r.Applied {
		t.Errorf("reloaded after the end: %+v", r)
	}
}

// A shutdown in the middle of reloads ends everything.
func TestShutdownDuringReload(t *testing.T) {
	c := newChanging(t)
	making := make(chan struct{})
	var once sync.Once
	c.change = func(*deploy.Options, *bind.Options) { once.Do(func() { close(making) }) }
	results := make(chan engine.ReloadResult, 1)
	go func() { results <- c.engine.Reload(context.Background(), "a test") }()
	<-making
	if err := c.engine.Shutdown(patience); err != nil {
		t.Error(err)
	}
	if r := <-results; r.Applied {
		// It was faster; then its listeners were ended with the rest.
		t.Logf("applied: %+v", r)
	}
	if _, err := c.askREST(&http.Client{}, "a"); err == nil {
		t.Error("something answers after the end")
	}
}

// Settings that belong to the process are told apart from those that were applied.
func TestReloadTellsWhatNeedsRestart(t *testing.T) {
	for _, of := range []struct {
		setting string
		change  func(*deploy.Options)
		text    string
	}{
		{"telemetry", func(o *deploy.Options) { o.Telemetry.LogFormat = "json" }, "takes effect with the next start"},
		{"sandbox", func(o *deploy.Options) { o.Sandbox.SetupDelay = time.Second }, "takes effect with the next start"},
		{"connections", func(o *deploy.Options) { o.Listener.MaxConnections = 7 }, "listeners which were open before take on with the next start"},
	} {
		t.Run(of.setting, func(t *testing.T) {
			c := newChanging(t)
			c.change = func(o *deploy.Options, _ *bind.Options) { of.change(o) }
			if r := c.reload(); len(r.Restart) != 1 || r.Restart[0] != of.setting {
				t.Errorf("%v needs a restart", r.Restart)
			}
			if log := c.log.String(); !strings.Contains(log, `"setting":"`+of.setting+`"`) || !strings.Contains(log, of.text) {
				t.Errorf("the log does not say it: %s", log)
			}
		})
	}
}

// Listeners that a reload opens have the bounds that it brings; so there is
// nothing to say where no other is kept.
func TestReloadTellsOfKeptListeners(t *testing.T) {
	at := freeAddresses(t)
	c := newChanging(t, at[0], at[1])
	bounded := 0
	c.change = func(o *deploy.Options, _ *bind.Options) { o.Listener.MaxConnections = bounded }
	for _, step := range []struct {
		name   string
		listen [2]string
		warned bool
	}{
		{"both are new", freeAddresses(t), false},
		{"one is kept", [2]string{at[0], ""}, true},
	} {
		bounded++
		for i, address := range step.listen {
			if address != "" {
				c.listen[i] = address
			}
		}
		if r := c.reload(); slices.Contains(r.Restart, "connections") != step.warned {
			t.Errorf("%s: %v needs a restart, opened %v", step.name, r.Restart, r.Opened)
		}
	}
}

// freeAddresses are two addresses where nobody listens now.
func freeAddresses(t *testing.T) [2]string {
	t.Helper()
	a, b := twoPorts(t)
	return [2]string{net.JoinHostPort("127.0.0.1", strconv.Itoa(a)), net.JoinHostPort("127.0.0.1", strconv.Itoa(b))}
}
