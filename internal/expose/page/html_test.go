package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/contract"
	"patchbay/internal/expose/rest"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
)

// build returns the pages of a plan's first REST adapter.
func build(t testing.TB, p *plan.Plan, source []byte, change func(*Info)) map[string]rest.Page {
	t.Helper()
	doc, _ := spec.Load(p.Document.File, source)
	info := Info{Version: "1.2.3", Bound: &plan.Bound{Plan: p}, Adapter: p.REST[0], BaseURL: "http://127.0.0.1:8080", File: Visible(doc, source)}
	for _, a := range p.MCP {
		info.MCP = append(info.MCP, MCPEndpoint{URL: "http://127.0.0.1:9090/mcp", Adapter: a})
	}
	if change != nil {
		change(&info)
	}
	pages, err := Build(info)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestBuildEmbedded(t *testing.T) {
	t.Parallel()
	p, source := embedded(t)
	pages := build(t, p, source, func(i *Info) { i.Embedded = true })
	var paths []string
	for path := range pages {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	want := []string{"/", "/.patchbay", "/.patchbay/", "/.patchbay/capability.yaml", "/.patchbay/openapi.json", "/.patchbay/problems", "/openapi.json"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	people := pages[Root]
	for _, same := range []string{"/", "/.patchbay"} {
		if !bytes.Equal(pages[same].Data, people.Data) {
			t.Errorf("%s is another page", same)
		}
	}
	if !bytes.Equal(pages[capabilityPath].Data, source) {
		t.Error("the capability is not the file as it was given")
	}
	if size := len(people.Data); size >= 150<<10 {
		t.Errorf("the page has %d bytes", size)
	}
	html := string(people.Data)
	for _, op := range p.REST[0].Operations {
		if !strings.Contains(html, `id="op-`+op.Name+`"`) {
			t.Errorf("operation %s is not on the page", op.Name)
		}
	}
	for _, tool := range p.MCP[0].Tools {
		if !strings.Contains(html, `id="tool-`+tool.Name+`"`) {
			t.Errorf("tool %s is not on the page", tool.Name)
		}
	}
	for _, text := range []string{
		"http://127.0.0.1:9090/mcp", "claude mcp add --transport http flex-interactions-mcp http://127.0.0.1:9090/mcp",
		"TWILIO_USER", "Changes things in the real API", "signed with basic credentials",
	} {
		if !strings.Contains(html, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// TestSandboxExamples puts values that work here into forms and commands, and
// asks for no credentials.
func TestSandboxExamples(t *testing.T) {
	t.Parallel()
	p, source := embedded(t)
	pages := build(t, p, source, func(i *Info) {
		i.Sandbox, i.Embedded = true, true
		i.Examples = map[string]string{"InteractionSid": "KD1", "Channel-Sid": "UO2"}
	})
	html := string(pages[Root].Data)
	for _, text := range []string{
		`value="KD1"`, `value="UO2"`, "curl -sS http://127.0.0.1:8080/v1/interactions/KD1/channels/UO2", "&#34;--sandbox&#34;", "built-in simulator",
	} {
		if !strings.Contains(html, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	for _, text := range []string{"TWILIO_USER&#34;", "real API.</span>"} {
		if strings.Contains(html, text) {
			t.Errorf("the page says %q", text)
		}
	}
}

// TestPolicy hashes what stands in the pages and looks for it in their policies:
// a browser does the same, and runs nothing that differs by a byte.
func TestPolicy(t *testing.T) {
	t.Parallel()
	p, source := embedded(t)
	for path, page := range build(t, p, source, nil) {
		if !strings.HasPrefix(page.ContentType, "text/html") {
			if page.Policy != "" {
				t.Errorf("%s: policy %q", path, page.Policy)
			}
			continue
		}
		html := string(page.Data)
		for element, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
			inline := between(html, "<"+element+">", "</"+element+">")
			if len(inline) != strings.Count(html, "<"+element) {
				t.Errorf("%s: a %s with attributes", path, element)
			}
			if len(inline) == 0 && element == "script" && path == problemsPath {
				continue
			}
			if len(inline) != 1 {
				t.Fatalf("%s: %d %s elements", path, len(inline), element)
			}
			sum := sha256.Sum256([]byte(inline[0]))
			if want := directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(page.Policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, page.Policy)
			}
		}
		if !strings.HasPrefix(page.Policy, "default-src 'none'") || strings.Contains(page.Policy, "unsafe") {
			t.Errorf("%s: policy %q", path, page.Policy)
		}
		judgeMarkup(t, path, html)
	}
}

// judgeMarkup checks what would break the policy or leave the origin, and that
// no id occurs twice.
func judgeMarkup(t *testing.T, path, html string) {
	t.Helper()
	for _, address := range regexp.MustCompile(`<[^>]*\s(?:src|href|action|poster|data)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if a := address[1]; !strings.HasPrefix(a, "#") && !strings.HasPrefix(a, "data:") && !strings.HasPrefix(a, "/") || strings.HasPrefix(a, "//") {
			t.Errorf("%s leads to %s", path, a)
		}
	}
	outside := strings.NewReplacer("<style>"+style+"</style>", "", "<script>"+script+"</script>", "").Replace(html)
	bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(outside, `""`)
	if found := regexp.MustCompile(`<[a-z][^>]*\s(on[a-z]+|style)=`).FindString(bare); found != "" {
		t.Errorf("%s: %s", path, found)
	}
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(outside, -1) {
		if seen[id[1]] {
			t.Errorf("%s: id %q occurs twice", path, id[1])
		}
		seen[id[1]] = true
	}
	for _, ref := range regexp.MustCompile(`\s(?:for|aria-labelledby|aria-describedby|data-copy|data-curl|data-answer|href)="(#?[^"]*)"`).FindAllStringSubmatch(outside, -1) {
		if id := strings.TrimPrefix(ref[1], "#"); !strings.HasPrefix(id, "/") && !strings.HasPrefix(id, "data:") && !seen[id] {
			t.Errorf("%s: %q names no element", path, ref[1])
		}
	}
}

func between(s, from, to string) []string {
	var out []string
	for _, part := range strings.Split(s, from)[1:] {
		inside, _, ok := strings.Cut(part, to)
		if ok {
			out = append(out, inside)
		}
	}
	return out
}

// hostile is a text that would get out of text, attribute and script if it were
// not escaped for where it stands.
const hostile = `</script></style></textarea></title>"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

// TestHostile fills every text of a capability and of a contract with markup:
// none of it may become an element or an attribute.
func TestHostile(t *testing.T) {
	t.Parallel()
	quoted := "'" + strings.ReplaceAll(hostile, "'", "''") + "'"
	fill := func(s string) []byte { return []byte(strings.ReplaceAll(s, "HOSTILE", quoted)) }
	source := fill(`naftiko: 1.0.0-alpha3
info: {label: HOSTILE, description: HOSTILE}
capability:
  consumes:
  - type: http
    namespace: up
    baseUri: https://up.example
    description: HOSTILE
    resources:
    - name: thing
      path: /things/{id}
      operations:
      - name: set
        method: POST
        description: HOSTILE
        inputParameters:
        - {name: id, in: path, type: string}
        - {name: HOSTILE, in: query, type: string}
        - {name: body, in: body, type: object}
  exposes:
  - type: rest
    namespace: rest
    port: 8080
    description: HOSTILE
    resources:
    - path: /things/{id}
      name: HOSTILE
      description: HOSTILE
      operations:
      - {method: POST, name: HOSTILE, label: HOSTILE, description: HOSTILE, call: up.set}
  - type: mcp
    namespace: mcp
    port: 9090
    description: HOSTILE
    tools:
    - {name: HOSTILE, label: HOSTILE, description: HOSTILE, call: up.set, hints: {readOnly: true}}
`)
	described := fill(`openapi: 3.1.0
info: {title: c, version: '1'}
servers: [{url: https://up.example}]
paths:
  /things/{id}:
    post:
      summary: HOSTILE
      description: HOSTILE
      tags: [HOSTILE]
      parameters:
      - {name: id, in: path, required: true, description: HOSTILE, schema: {type: string, pattern: HOSTILE}, example: HOSTILE}
      - {name: Kind, in: query, description: HOSTILE, schema: {type: string, enum: [HOSTILE], default: HOSTILE}}
      requestBody:
        description: HOSTILE
        content: {application/json: {schema: {type: object, title: HOSTILE, properties: {HOSTILE: {type: string, description: HOSTILE}}}, example: {HOSTILE: HOSTILE}}}
      responses:
        '200': {description: HOSTILE, content: {application/json: {schema: {type: object, description: HOSTILE}}}}
`)
	p := compile(t, "hostile.yaml", source, contract.NewSet(parseContract(t, "contract.yaml", described)))
	pages := build(t, p, source, func(i *Info) {
		i.Examples = map[string]string{"id": hostile}
		i.Version = hostile
	})
	for path, page := range pages {
		if !strings.HasPrefix(page.ContentType, "text/html") {
			continue
		}
		html := string(page.Data)
		scripts := 1
		if path == problemsPath {
			scripts = 0
		}
		if got := strings.Count(html, "<script"); got != scripts {
			t.Errorf("%s: %d script elements, want %d", path, got, scripts)
		}
		if strings.Contains(html, "<img") || strings.Contains(html, "alert(1)</script>") {
			t.Errorf("%s: markup of the file is markup of the page", path)
		}
		if !strings.Contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s: the text is not on the page", path)
		}
		judgeMarkup(t, path, html)
	}
	// The description is data for tools, some of which render it.
	if bytes.Contains(bytes.ToLower(pages[descriptionPath].Data), []byte(`"description": "</script></style></textarea></title>\"'><script`)) {
		t.Error("a script tag stands in a description")
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	const file = `naftiko: 1.0.0-alpha3
info: {label: Keys, description: d}
binds:
- namespace: env
  keys: {TOKEN: TOKEN}
capability:
  consumes:
  - type: http
    namespace: literal
    baseUri: https://user:hunter2secret@up.example
    inputParameters:
    - {name: Authorization, in: header, value: 'Bearer abcdefgh'} # abcdefgh too
    - {name: X-Plain, in: header, value: plainvalue}
    - {name: X-Token, in: header, value: 'Bearer {{env.TOKEN}}'}
    authentication: {type: basic, username: '{{env.TOKEN}}', password: 'påss word'}
    resources: []
  exposes:
  - type: rest
    namespace: rest
    port: 8080
    authentication:
      type: bearer
      token: >-
        folded

        secret
    resources: []
`
	const want = `naftiko: 1.0.0-alpha3
info: {label: Keys, description: d}
binds:
- namespace: env
  keys: {TOKEN: TOKEN}
capability:
  consumes:
  - type: http
    namespace: literal
    baseUri: (hidden)
    inputParameters:
    - {name: Authorization, in: header, value: '(hidden)'} # (hidden) too
    - {name: X-Plain, in: header, value: plainvalue}
    - {name: X-Token, in: header, value: 'Bearer {{env.TOKEN}}'}
    authentication: {type: basic, username: '{{env.TOKEN}}', password: '(hidden)'}
    resources: []
  exposes:
  - type: rest
    namespace: rest
    port: 8080
    authentication:
      type: bearer
# (hidden)
# (hidden)

# (hidden)
    resources: []
`
	doc, _ := spec.Load("keys.yaml", []byte(file))
	if diff := cmp.Diff(want, string(Visible(doc, []byte(file)))); diff != "" {
		t.Errorf("what everybody sees (-want +got):\n%s", diff)
	}
	_, source := embedded(t)
	doc, _ = spec.Load("embedded.yaml", source)
	if !bytes.Equal(Visible(doc, source), source) {
		t.Error("a file without secrets is changed")
	}
}

// FuzzVisible looks for secrets in what everybody sees, however the file writes
// them.
func FuzzVisible(f *testing.F) {
	f.Add([]byte("naftiko: 1.0.0-alpha3\ncapability:\n  consumes:\n  - namespace: a\n    baseUri: https://a.example\n    authentication:\n      type: bearer\n      token: \"abc\\u0064efghij\"\n"))
	f.Add([]byte("capability:\n  exposes:\n  - type: rest\n    authentication: {type: apikey, key: K, value: |\n      abcdefgh\n      ijk\n    }\n"))
	f.Add([]byte("x: &s supersecret\ncapability:\n  consumes:\n  - headers: {X-Token: *s}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		doc, _ := spec.Load("fuzz.yaml", source)
		seen := string(Visible(doc, source))
		for _, s := range secrets(doc) {
			if len(s.Value) >= telling && !strings.Contains(s.Value, "hidden") && strings.Contains(seen, s.Value) {
				t.Errorf("%q is there to see in:\n%s", s.Value, seen)
			}
		}
	})
}

func TestInline(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]run{
		"plain":                         {{Text: "plain"}},
		"a `b` c":                       {{Text: "a "}, {Text: "b", Code: true}, {Text: " c"}},
		"odd ` tick":                    {{Text: "odd ` tick"}},
		"see [the `b`](https://x/y), z": {{Text: "see the "}, {Text: "b", Code: true}, {Text: ", z"}},
		"[a](http://x) [b](https://y)":  {{Text: "a b"}},
		"](http [x](https://y":          {{Text: "](http [x](https://y"}},
	} {
		if diff := cmp.Diff(want, inline(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCurl(t *testing.T) {
	t.Parallel()
	path := func(name, value, sample string) *field {
		return &field{property: property{Name: name, Required: true}, In: "path", Value: value, Sample: sample}
	}
	for _, test := range []struct {
		name string
		call call
		want string
	}{
		{"plain", call{method: "GET", path: "/things"}, "curl -sS http://h/things"},
		{
			"path values",
			call{method: "GET", path: "/a/{x}/{y}/{z}", fields: []*field{path("x", "1 2", "s"), path("y", "", "s"), path("z", "", "")}},
			"curl -sS http://h/a/1%202/s/Z",
		},
		{
			"a value that the shell would read",
			call{method: "GET", path: "/a", fields: []*field{{property: property{Name: "q"}, In: "query", Value: "it's"}}},
			"curl -sS 'http://h/a?q=it%27s'",
		},
		{
			"optional values only where they are given",
			call{method: "GET", path: "/a", fields: []*field{{property: property{Name: "q"}, In: "query", Sample: "s"}, {property: property{Name: "H"}, In: "header"}}},
			"curl -sS http://h/a",
		},
		{
			"a body",
			call{method: "POST", path: "/a", body: `{"name": "O'Neil"}`},
			"curl -sS http://h/a \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"name\": \"O'\\''Neil\"}'",
		},
		{"no body", call{method: "DELETE", path: "/a"}, "curl -sS -X DELETE http://h/a"},
		{"basic", call{method: "GET", path: "/a", guard: guard{Scheme: "basic", In: "header"}}, "curl -sS http://h/a \\\n  -u USER:PASSWORD"},
		{"bearer", call{method: "GET", path: "/a", guard: guard{Scheme: "bearer", In: "header"}}, "curl -sS http://h/a \\\n  -H 'Authorization: Bearer TOKEN'"},
		{"key in the query", call{method: "GET", path: "/a", guard: guard{Scheme: "apikey", Name: "key", In: "query"}}, "curl -sS 'http://h/a?key=KEY'"},
		{"key in a cookie", call{method: "GET", path: "/a", guard: guard{Scheme: "apikey", Name: "key", In: "cookie"}}, "curl -sS http://h/a \\\n  -b key=KEY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.call.base = "http://h"
			if diff := cmp.Diff(test.want, test.call.curl()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestManyOperations keeps a page readable whatever the file holds; the
// description leaves nothing out.
func TestManyOperations(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString(`naftiko: 1.0.0-alpha3
info: {label: Many, description: d}
capability:
  consumes:
  - type: http
    namespace: up
    baseUri: https://up.example
    resources:
    - {name: r, path: /r, operations: [{name: get, method: GET}]}
  exposes:
  - type: rest
    namespace: rest
    port: 8080
    resources:
`)
	for i := range maxListed + 2 {
		fmt.Fprintf(&file, "    - {path: /r%d, name: r%d, operations: [{method: GET, name: get%d, call: up.get}]}\n", i, i, i)
	}
	pages := build(t, compile(t, "dir/many.yaml", []byte(file.String()), nil), []byte(file.String()), nil)
	html := string(pages[Root].Data)
	if got := strings.Count(html, `class="card op"`); got != maxListed {
		t.Errorf("%d operations are listed", got)
	}
	if !strings.Contains(html, "2 more are not listed here") || !strings.Contains(html, ">many.yaml<") {
		t.Error("the page says neither that there are more nor of which file")
	}
	if got := bytes.Count(pages[descriptionPath].Data, []byte(`"operationId"`)); got != maxListed+2 {
		t.Errorf("%d operations are described", got)
	}
}
