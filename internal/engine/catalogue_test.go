package engine_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
)

// shopFile is a small capability; its tools and routes have the names of every
// other one's, except for the namespace.
func shopFile(name, variable, guard string) string {
	guarded := ""
	if guard != "" {
		guarded = "\n    authentication: {type: bearer, token: '{{env." + guard + "}}'}"
	}
	keys := variable + ": " + variable
	if guard != "" {
		keys += ", " + guard + ": " + guard
	}
	return strings.NewReplacer("NAME", name, "VARIABLE", variable, "KEYS", keys, "GUARD", guarded).Replace(`
naftiko: 1.0.0-alpha2
info: {label: NAME API, description: The NAME shop, tags: [NAME]}
binds: [{namespace: env, keys: {KEYS}}]
capability:
  consumes:
  - type: http
    namespace: NAME
    baseUri: https://NAME.example.test/v1
    description: NAME
    authentication: {type: bearer, token: '{{env.VARIABLE}}'}
    resources:
    - name: things
      path: /things/{id}
      operations: [{name: get, method: GET, inputParameters: [{name: id, in: path}]}, {name: put, method: PUT, inputParameters: [{name: id, in: path}]}]
  exposes:
  - type: rest
    namespace: NAME-rest
    port: 8080GUARD
    resources:
    - path: /things/{id}
      operations: [{method: GET, name: get-thing, call: NAME.get, with: {id: rest.id}}]
  - type: mcp
    namespace: NAME-mcp
    port: 9090
    description: The NAME shopGUARD
    tools:
    - {name: get-thing, description: Gets, call: NAME.get, with: {id: tools.id}}
    - {name: NAME-put, description: Puts, call: NAME.put, with: {id: tools.id}}
    resources:
    - {name: thing, label: A thing, uri: 'things://{id}', description: A thing, call: NAME.get, with: {id: NAME-mcp.id}}
    prompts:
    - {name: ask, label: Ask, description: Ask NAME, arguments: [{name: size, description: Which, enum: [NAME-small, large]}], template: [{role: user, content: 'Ask NAME about {{size}}'}]}
`)
}

// several binds several files at one address per type, for a test.
func several(t *testing.T, files map[string]string, environment map[string]string, change func(*deploy.Options)) (*site, diag.List, error) {
	t.Helper()
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	s.upstream.script(answersJSON(http.StatusOK, `{}`))
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opts := deploy.Defaults()
	opts.Files = []string{dir}
	opts.ListenREST, opts.ListenMCP = "127.0.0.1:0", "127.0.0.1:0"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		shop := strings.TrimSuffix(name, ".yaml")
		opts.Upstreams[shop] = s.upstream.URL + "/" + shop
	}
	if change != nil {
		change(&opts)
	}
	loaded, problems, err := engine.Load(&opts)
	if err != nil || problems.HasErrors() {
		return s, problems, err
	}
	env, err := bind.New(bind.Options{Process: func(name string) (string, bool) { v, ok := environment[name]; return v, ok }, Renames: opts.Renames})
	if err != nil {
		t.Fatal(err)
	}
	s.engine = engine.New(engine.Config{Log: slog.New(slog.NewJSONHandler(s.log, nil)), Version: testVersion})
	d, problems, err := engine.Bind(loaded, &opts, engine.BindOptions{Environment: env, Version: testVersion})
	s.deployment = d
	return s, problems, err
}

// start serves what several has bound.
func (s *site) start(problems diag.List, err error) []engine.Listening {
	s.t.Helper()
	if err != nil || problems.HasErrors() {
		s.t.Fatalf("%v %v", err, problems)
	}
	served, err := s.engine.Start(s.deployment)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.engine.Shutdown(20 * time.Second); err != nil {
			s.t.Errorf("shutdown: %v", err)
		}
	})
	for _, at := range served {
		u, err := url.Parse(at.URL)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(at.MCP) > 0 {
			s.mcp = u.Host
		} else {
			s.rest = u.Host
		}
	}
	return served
}

// rpc sends an MCP request of the initialize era to a path.
func (s *site) rpc(path, header, method, params string) string {
	s.t.Helper()
	return s.send(s.mcp, "POST "+path+"\nContent-Type: application/json\n"+header+"\n"+`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`).body
}

// listed are the values of a member of the items of a list.
func listed(t *testing.T, answer, list, member string) []string {
	t.Helper()
	var message struct {
		Result map[string]json.RawMessage
	}
	var items []map[string]any
	if err := json.Unmarshal([]byte(answer), &message); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	if err := json.Unmarshal(message.Result[list], &items); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	var out []string
	for _, item := range items {
		out = append(out, fmt.Sprint(item[member]))
	}
	return out
}

// TestCatalogue: files that listen at one address are one server: routes under
// their mounts, tools with names that tell them apart, each call with the
// credentials of its own file.
func TestCatalogue(t *testing.T) {
	files := map[string]string{"books.yaml": shopFile("books", "BOOKS_KEY", ""), "toys.yaml": shopFile("toys", "TOYS_KEY", "")}
	s, problems, err := several(t, files, map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk"}, func(o *deploy.Options) {
		o.Mounts["toys-rest"] = "/for/children"
		contract := filepath.Join(t.TempDir(), "books.json")
		if err := os.WriteFile(contract, []byte(`{"openapi": "3.1.0", "info": {"title": "Books", "version": "1"}, "servers": [{"url": "https://books.example.test/v1"}],
			"paths": {"/things/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "enum": ["1", "2", "3"]}}], "responses": {}}}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Contracts = []string{contract}
	})
	served := s.start(problems, err)
	if len(served) != 2 || len(served[0].REST) != 2 || len(served[1].MCP) != 2 {
		t.Fatalf("served: %+v", served)
	}

	for request, want := range map[string]string{
		"GET /things/1":              "/books/things/1 Bearer bk",
		"GET /for/children/things/2": "/toys/things/2 Bearer tk",
	} {
		a := s.REST(request)
		sent := s.upstream.take()
		if a.status != 200 || len(sent) != 1 || sent[0].target+" "+sent[0].header.Get("Authorization") != want {
			t.Errorf("%s: %d, upstream %v", request, a.status, sent)
		}
	}
	if a := s.REST("GET /children/things/2"); a.status != 404 {
		t.Errorf("a path of no mount: %s", a)
	}

	tools := func(path string) []string { return listed(t, s.rpc(path, "", "tools/list", `{}`), "tools", "name") }
	for path, want := range map[string][]string{
		"/mcp":                                  {"books_get-thing", "books-put", "toys_get-thing", "toys-put"},
		"/":                                     {"books_get-thing", "books-put", "toys_get-thing", "toys-put"},
		"/mcp/toys-mcp":                         {"get-thing", "toys-put"},
		"/mcp/-/readonly":                       {"books_get-thing", "toys_get-thing"},
		"/mcp/-/tags/toys":                      {"toys_get-thing", "toys-put"},
		"/mcp/-/tools/get-thing":                {"books_get-thing", "toys_get-thing"},
		"/mcp/books-mcp/-/readonly":             {"get-thing"},
		"/mcp/-/tools/toys_get-thing,books-put": {"books-put", "toys_get-thing"},
	} {
		if diff := cmp.Diff(want, tools(path)); diff != "" {
			t.Errorf("tools of %s (-want +got):\n%s", path, diff)
		}
	}
	for _, c := range []struct{ path, tool, want string }{
		{"/mcp", "toys_get-thing", "/toys/things/3 Bearer tk"},
		{"/mcp", "books_get-thing", "/books/things/3 Bearer bk"},
		{"/mcp/toys-mcp", "get-thing", "/toys/things/3 Bearer tk"},
		{"/mcp/-/tags/books", "books_get-thing", "/books/things/3 Bearer bk"},
	} {
		s.rpc(c.path, "", "tools/call", `{"name":"`+c.tool+`","arguments":{"id":"3"}}`)
		if sent := s.upstream.take(); len(sent) != 1 || sent[0].target+" "+sent[0].header.Get("Authorization") != c.want {
			t.Errorf("%s at %s: %v", c.tool, c.path, sent)
		}
	}
	// A tool of somebody else is none of this endpoint.
	for _, path := range []string{"/mcp/toys-mcp", "/mcp/-/tags/toys"} {
		if got := s.rpc(path, "", "tools/call", `{"name":"books-put","arguments":{"id":"3"}}`); !strings.Contains(got, "Unknown tool") || len(s.upstream.take()) != 0 {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := listed(t, s.rpc("/mcp", "", "resources/templates/list", `{}`), "resourceTemplates", "title"); !slices.Equal(got, []string{"A thing"}) {
		t.Errorf("templates of one URI: %q", got)
	}
	if got := listed(t, s.rpc("/mcp", "", "prompts/list", `{}`), "prompts", "name"); !slices.Equal(got, []string{"books_ask", "toys_ask"}) {
		t.Errorf("prompts: %q", got)
	}
	if got := s.rpc("/mcp", "", "prompts/get", `{"name":"toys_ask","arguments":{"size":"large"}}`); !strings.Contains(got, "Ask toys about large") {
		t.Errorf("a prompt: %s", got)
	}
	complete := `{"ref":{"type":"ref/prompt","name":"toys_ask"},"argument":{"name":"size","value":"t"}}`
	if got := s.rpc("/mcp", "", "completion/complete", complete); !strings.Contains(got, `["toys-small"]`) {
		t.Errorf("completion: %s", got)
	}
	if got := s.rpc("/mcp", "", "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`); !strings.Contains(got, `- toys API (toys-mcp)`) {
		t.Errorf("instructions: %s", got)
	}
	complete = `{"ref":{"type":"ref/resource","uri":"things://{id}"},"argument":{"name":"id","value":""}}`
	if got := s.rpc("/mcp", "", "completion/complete", complete); !strings.Contains(got, `["1","2","3"]`) {
		t.Errorf("completion of a template: %s", got)
	}
	// The log says which adapter answered.
	for _, want := range []string{`"adapter":"toys-rest","method":"GET","route":"/for/children/things/{id}"`, `"adapter":"books-mcp","method":"tools/call"`, `"adapter":"patchbay","method":"tools/list"`} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
}

// TestCataloguePages: the page of all adapters, one page for each, and a
// description of all that tells equal names apart.
func TestCataloguePages(t *testing.T) {
	files := map[string]string{"books.yaml": shopFile("books", "BOOKS_KEY", ""), "toys.yaml": shopFile("toys", "TOYS_KEY", "")}
	s, problems, err := several(t, files, map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk"}, func(o *deploy.Options) { o.MountAll = true })
	s.start(problems, err)
	for path, want := range map[string][]string{
		"/":                                     {"2 APIs", "books API", "/toys-rest/things/{id}", `href="/.patchbay/toys-rest/#op-get-thing"`, "/mcp/toys-mcp"},
		"/.patchbay/":                           {"2 APIs"},
		"/.patchbay/toys-rest/":                 {"toys API", `data-path="/toys-rest/things/{id}"`, `href="/.patchbay/"`, "curl -sS http://" + s.rest + "/toys-rest/things/"},
		"/.patchbay/toys-rest":                  {"toys API"},
		"/.patchbay/toys-rest/openapi.json":     {`"url": "http://` + s.rest + `/toys-rest"`, `"/things/{id}"`},
		"/.patchbay/books-rest/capability.yaml": {"label: books API"},
		"/.patchbay/openapi.json":               {`"title": "Patchbay: 2 APIs"`, `"/toys-rest/things/{id}"`, `"operationId": "toys_get-thing"`, `"operationId": "books_get-thing"`},
		"/.patchbay/problems":                   {"Invalid request"},
	} {
		a := s.REST("GET " + path)
		for _, text := range want {
			if a.status != 200 || !strings.Contains(a.body, text) {
				t.Errorf("%s: %d, %q is not in it", path, a.status, text)
			}
		}
	}
	for _, path := range []string{"/.patchbay/dolls-rest/", "/.patchbay/toys-rest/else", "/toys-rest"} {
		if a := s.REST("GET " + path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestCatalogueOwnPages: no route of a file hides the pages that problems and
// people are sent to; / and /openapi.json are the files' where they want them.
func TestCatalogueOwnPages(t *testing.T) {
	files := map[string]string{"books.yaml": shopFile("books", "BOOKS_KEY", ""), "toys.yaml": shopFile("toys", "TOYS_KEY", "")}
	for file, path := range map[string]string{"books.yaml": "/{id}/{more}", "toys.yaml": "/.patchbay/problems"} {
		files[file] = strings.Replace(files[file], "- path: /things/{id}", "- path: "+path, 1)
	}
	files["wood.yaml"] = strings.Replace(shopFile("wood", "WOOD_KEY", ""), "- path: /things/{id}", "- path: /{id}", 1)
	s, problems, err := several(t, files, map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk", "WOOD_KEY": "wk"}, nil)
	s.start(problems, err)
	for _, path := range []string{"/.patchbay", "/.patchbay/", "/.patchbay/problems", "/.patchbay/openapi.json"} {
		if a := s.REST("GET " + path); a.status != 200 || len(s.upstream.take()) != 0 {
			t.Errorf("%s: %s", path, a)
		}
	}
	for _, path := range []string{"/openapi.json", "/.patchbays/x"} {
		if a := s.REST("GET " + path); a.status != 200 || len(s.upstream.take()) != 1 {
			t.Errorf("%s is not the file's: %s", path, a)
		}
	}
}

// TestCatalogueGuards: callers see and call what their credentials open, also
// where adapters share an address.
func TestCatalogueGuards(t *testing.T) {
	files := map[string]string{
		"books.yaml": shopFile("books", "BOOKS_KEY", "BOOKS_DOOR"), "toys.yaml": shopFile("toys", "TOYS_KEY", "TOYS_DOOR"), "wood.yaml": shopFile("wood", "WOOD_KEY", ""),
	}
	environment := map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk", "WOOD_KEY": "wk", "BOOKS_DOOR": "open-books", "TOYS_DOOR": "open-toys"}
	s, problems, err := several(t, files, environment, func(o *deploy.Options) { o.MountAll = true })
	s.start(problems, err)
	bearer := func(token string) string { return "Authorization: Bearer " + token + "\n" }
	for _, c := range []struct {
		name, header string
		want         []string
	}{
		{"nobody", "Authorization: none\n", []string{"wood_get-thing", "wood-put"}},
		{"a stranger", bearer("wrong"), []string{"wood_get-thing", "wood-put"}},
		{"who opens books", bearer("open-books"), []string{"books_get-thing", "books-put", "wood_get-thing", "wood-put"}},
		{"who opens toys", bearer("open-toys"), []string{"toys_get-thing", "toys-put", "wood_get-thing", "wood-put"}},
	} {
		if diff := cmp.Diff(c.want, listed(t, s.rpc("/mcp", c.header, "tools/list", `{}`), "tools", "name")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		for _, shop := range []string{"books", "toys", "wood"} {
			may := slices.Contains(c.want, shop+"-put")
			s.upstream.take()
			call := s.rpc("/mcp", c.header, "tools/call", `{"name":"`+shop+`-put","arguments":{"id":"1"}}`)
			if n := len(s.upstream.take()); (n == 1) != may {
				t.Errorf("%s calls %s-put: %d upstream calls, %s", c.name, shop, n, call)
			}
			prompt := s.rpc("/mcp", c.header, "prompts/get", `{"name":"`+shop+`_ask","arguments":{"size":"large"}}`)
			if strings.Contains(prompt, "Ask "+shop) != may {
				t.Errorf("%s gets the prompt of %s: %s", c.name, shop, prompt)
			}
			own := s.send(s.mcp, "POST /mcp/"+shop+"-mcp\nContent-Type: application/json\n"+c.header+"\n"+`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
			if (own.status == 200) != may {
				t.Errorf("%s at /mcp/%s-mcp: %d", c.name, shop, own.status)
			}
			for _, path := range []string{"/" + shop + "-rest/things/1", "/.patchbay/" + shop + "-rest/"} {
				if a := s.REST("GET " + path + "\n" + c.header); (a.status == 200) != may {
					t.Errorf("%s at %s: %d", c.name, path, a.status)
				}
			}
		}
		for method, params := range map[string]string{
			"initialize":      `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`,
			"server/discover": `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}`,
		} {
			header := c.header
			if method == "server/discover" {
				header += "MCP-Protocol-Version: 2026-07-28\nMcp-Method: server/discover\n"
			}
			got := s.rpc("/mcp", header, method, params)
			for _, shop := range []string{"books", "toys", "wood"} {
				if strings.Contains(got, shop+" API") != slices.Contains(c.want, shop+"-put") {
					t.Errorf("what %s tells %s: %s", method, c.name, got)
				}
			}
		}
		// What everybody may read does not tell what only some may use.
		for _, path := range []string{"/", "/openapi.json"} {
			if a := s.REST("GET " + path + "\n" + c.header); a.status != 200 || strings.Contains(a.body, "books-rest/things") || !strings.Contains(a.body, "wood-rest/things") {
				t.Errorf("%s at %s: %d", c.name, path, a.status)
			}
		}
	}
}

// TestCatalogueOfStrangers: where every adapter wants other credentials, those of
// one do not show what another has.
func TestCatalogueOfStrangers(t *testing.T) {
	files := map[string]string{"books.yaml": shopFile("books", "BOOKS_KEY", "BOOKS_DOOR"), "toys.yaml": shopFile("toys", "TOYS_KEY", "TOYS_DOOR")}
	environment := map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk", "BOOKS_DOOR": "open-books", "TOYS_DOOR": "open-toys"}
	s, problems, err := several(t, files, environment, func(o *deploy.Options) { o.MountAll = true })
	s.start(problems, err)
	get := func(path string) *answer { return s.REST("GET " + path + "\nAuthorization: Bearer open-books\n") }
	if a := get("/"); a.status != 200 || strings.Contains(a.body, "-rest/things") || !strings.Contains(a.body, "wants credentials") || strings.Contains(a.body, "openapi.json") {
		t.Errorf("the page of all: %d\n%s", a.status, a.body)
	}
	for path, want := range map[string]int{
		"/openapi.json": 404, "/.patchbay/openapi.json": 404, "/.patchbay/books-rest/openapi.json": 200, "/.patchbay/toys-rest/openapi.json": 401, "/.patchbay/toys-rest/capability.yaml": 401,
	} {
		if a := get(path); a.status != want {
			t.Errorf("%s: %d, want %d", path, a.status, want)
		}
	}
	if a := s.REST("GET /"); a.status != 401 {
		t.Errorf("without credentials: %d", a.status)
	}
}

// TestCatalogueRefuses: what files do to each other stops the start, with the
// places in both, and what would help.
func TestCatalogueRefuses(t *testing.T) {
	two := map[string]string{"books.yaml": shopFile("books", "KEY", ""), "toys.yaml": shopFile("toys", "KEY", "")}
	renamed := strings.ReplaceAll(shopFile("toys", "TOYS_KEY", ""), "toys-rest", "books-rest")
	for _, c := range []struct {
		name   string
		files  map[string]string
		env    map[string]string
		change func(*deploy.Options)
		want   []string
	}{
		{
			"equal routes",
			map[string]string{"books.yaml": shopFile("books", "B", ""), "toys.yaml": shopFile("toys", "T", "")},
			map[string]string{"B": "1", "T": "2"},
			nil,
			[]string{"error route-clash toys.yaml GET /things/{id} is a route of books.yaml too; put one of the files under a path of its own: --mount toys-rest=/toys; --mount-all does so with every file"},
		},
		{
			"one namespace in two files",
			map[string]string{"books.yaml": shopFile("books", "B", ""), "toys.yaml": renamed},
			map[string]string{"B": "1", "TOYS_KEY": "2"},
			func(o *deploy.Options) { o.MountAll = true },
			[]string{
				`error namespace-twice toys.yaml the namespace "books-rest" is also that of an adapter in books.yaml; rename one of them; options and addresses go by the namespace`,
				"error route-clash toys.yaml GET /books-rest/things/{id} is a route of books.yaml too; put one of the files under a path of its own: --mount books-rest=/books; --mount-all does so with every file",
			},
		},
		{
			"REST and MCP at one address",
			map[string]string{"books.yaml": shopFile("books", "B", "")},
			map[string]string{"B": "1"},
			func(o *deploy.Options) { o.ListenREST, o.ListenMCP = "127.0.0.1:9999", "127.0.0.1:9999" },
			[]string{"error port-clash books.yaml books-mcp and books-rest of books.yaml want the same address, ADDRESS; move one of them: --listen books-mcp=HOST:PORT"},
		},
		{
			"one credential for two providers",
			map[string]string{"books.yaml": two["books.yaml"], "toys.yaml": strings.ReplaceAll(two["toys.yaml"], "toys.example.test", "toys.example.org")},
			map[string]string{"KEY": "k"},
			func(o *deploy.Options) { o.MountAll = true },
			[]string{"error variable-shared toys.yaml KEY would be sent to toys.example.org, and it is also sent to books.example.test; give it a value of its own with --map-env toys.KEY=OTHER, or confirm with --share-env KEY"},
		},
		{
			"one credential that is confirmed",
			map[string]string{"books.yaml": two["books.yaml"], "toys.yaml": strings.ReplaceAll(two["toys.yaml"], "toys.example.test", "toys.example.org")},
			map[string]string{"KEY": "k"},
			func(o *deploy.Options) { o.MountAll = true; o.ShareEnv = []string{"KEY"} }, nil,
		},
		{
			"one that has a value of its own",
			map[string]string{"books.yaml": two["books.yaml"], "toys.yaml": strings.ReplaceAll(two["toys.yaml"], "toys.example.test", "toys.example.org")},
			map[string]string{"KEY": "k", "T": "t"},
			func(o *deploy.Options) { o.MountAll = true; o.Renames["toys.KEY"] = "T" }, nil,
		},
		{
			"one credential for two providers of one file",
			map[string]string{"books.yaml": strings.Replace(two["books.yaml"], "  exposes:", `  - type: http
    namespace: cuckoo
    baseUri: https://cuckoo.example.org
    description: Another host
    authentication: {type: bearer, token: '{{env.KEY}}'}
    resources: [{name: eggs, path: /eggs, operations: [{name: lay, method: GET}]}]
  exposes:`, 1)},
			map[string]string{"KEY": "k"},
			nil,
			[]string{"error variable-shared books.yaml KEY would be sent to cuckoo.example.org, and it is also sent to books.example.test; let the file name a variable for each, or confirm with --share-env KEY"},
		},
		{
			"an address that a variable hides",
			map[string]string{"books.yaml": two["books.yaml"], "toys.yaml": strings.NewReplacer("https://toys.example.test/v1", "'{{env.PLACE}}'", "KEY: KEY", "KEY: KEY, PLACE: PLACE").Replace(two["toys.yaml"])},
			map[string]string{"KEY": "k", "PLACE": "https://cuckoo.example.org"},
			func(o *deploy.Options) { o.MountAll = true; delete(o.Upstreams, "toys") },
			[]string{"error variable-shared toys.yaml KEY would be sent to cuckoo.example.org, and it is also sent to books.example.test; give it a value of its own with --map-env toys.KEY=OTHER, or confirm with --share-env KEY"},
		},
		{
			"two owners below one domain of a country",
			map[string]string{"books.yaml": strings.ReplaceAll(two["books.yaml"], "books.example.test", "books.co.uk"), "toys.yaml": strings.ReplaceAll(two["toys.yaml"], "toys.example.test", "toys.co.uk")},
			map[string]string{"KEY": "k"},
			func(o *deploy.Options) { o.MountAll = true },
			[]string{"error variable-shared toys.yaml KEY would be sent to toys.co.uk, and it is also sent to books.co.uk; give it a value of its own with --map-env toys.KEY=OTHER, or confirm with --share-env KEY"},
		},
		{"one provider for two files", two, map[string]string{"KEY": "k"}, func(o *deploy.Options) { o.MountAll = true }, nil},
		{
			"the name of another provider",
			map[string]string{"books.yaml": shopFile("books", "TWILIO_API_KEY", "")},
			map[string]string{"TWILIO_API_KEY": "k"},
			nil,
			[]string{"error variable-shared books.yaml TWILIO_API_KEY would be sent to books.example.test, and by its name it is twilio's; give it a value of its own with --map-env books.TWILIO_API_KEY=OTHER, or confirm with --share-env TWILIO_API_KEY"},
		},
	} {
		_, problems, err := several(t, c.files, c.env, c.change)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, p := range problems {
			if p.Severity != diag.Error {
				continue
			}
			text := fmt.Sprintf("error %s %s %s; %s", p.Code, filepath.Base(p.Span.File), p.Message, p.Hint)
			text = strings.ReplaceAll(text, "127.0.0.1:9999", "ADDRESS")
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for want, change := range map[string]func(*deploy.Options){
		"--mount books-mcp=…: no REST adapter has that namespace; there is books-rest and toys-rest": func(o *deploy.Options) { o.Mounts["books-mcp"] = "/x" },
		"--map-env boks.KEY=…: no file has that namespace; did you mean books?":                      func(o *deploy.Options) { o.Renames["boks.KEY"] = "X" },
	} {
		if _, _, err := several(t, two, map[string]string{"KEY": "k"}, change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestMountAllRefuses: a namespace that is no path does not become one: it would
// be a placeholder, a folder above, or our own pages.
func TestMountAllRefuses(t *testing.T) {
	for _, namespace := range []string{"{id}", "..", ".patchbay", "a//b", "a b", "a%2Fb"} {
		file := strings.Replace(shopFile("toys", "TOYS_KEY", ""), "namespace: toys-rest", "namespace: '"+namespace+"'", 1)
		_, _, err := several(t, map[string]string{"toys.yaml": file}, map[string]string{"TOYS_KEY": "tk"}, func(o *deploy.Options) { o.MountAll = true })
		if err == nil || !strings.Contains(err.Error(), "toys.yaml: "+strconv.Quote("/"+namespace)+" cannot be the path") {
			t.Errorf("%s: %v", namespace, err)
		}
	}
}

// TestSkipInvalid: one broken file stops all of them, unless the operator wants
// the others; then the page and the log say what is missing.
func TestSkipInvalid(t *testing.T) {
	files := map[string]string{
		"books.yaml": shopFile("books", "BOOKS_KEY", ""), "toys.yaml": strings.Replace(shopFile("toys", "TOYS_KEY", ""), "call: toys.get,", "call: toys.gte,", 1),
	}
	environment := map[string]string{"BOOKS_KEY": "bk", "TOYS_KEY": "tk"}
	if _, problems, err := several(t, files, environment, nil); err != nil || !problems.HasErrors() {
		t.Fatalf("a broken file was served: %v %v", err, problems)
	}
	// Options for what is left out do not stop the rest either.
	skip := func(o *deploy.Options) {
		o.SkipInvalid = true
		o.Mounts["toys-rest"] = "/toys"
		for name, target := range map[string]string{"gone.yaml": "nowhere", "folder.yaml": "."} {
			if err := os.Symlink(target, filepath.Join(o.Files[0], name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, problems, err := several(t, files, environment, skip)
	s.start(problems, err)
	if a := s.REST("GET /things/1"); a.status != 200 {
		t.Errorf("the sound file: %s", a)
	}
	if a := s.REST("GET /"); !strings.Contains(a.body, "2 files have errors and are not served") || !strings.Contains(a.body, "toys.yaml") ||
		!strings.Contains(a.body, "<code>gone.yaml</code>: it cannot be read: no such file") || strings.Contains(a.body, "folder.yaml") {
		t.Errorf("the page does not say what is missing:\n%s", a.body)
	}
	delete(files, "books.yaml")
	if _, _, err := several(t, files, environment, skip); err == nil || !strings.Contains(err.Error(), "every file has errors") {
		t.Errorf("nothing but broken files: %v", err)
	}
}
