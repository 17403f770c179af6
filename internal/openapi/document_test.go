package openapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

func parse(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse("api.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, version, fault string }{
		{"YAML", "openapi: 3.1.0\npaths: {}\n", "3.1.0", ""},
		{"YAML that is a number", "openapi: 3.0\n", "3.0", ""},
		{"JSON", ` {"openapi":"3.0.3","paths":{}}`, "3.0.3", ""},
		{"a byte order mark", "\ufeff" + `{"openapi":"3.0.3"}`, "3.0.3", ""},
		{"a flow mapping", "{openapi: 3.1.0}", "3.1.0", ""},
		{"a document marker", "---\nopenapi: 3.1.1\n", "3.1.1", ""},
		{"Swagger", "swagger: '2.0'\n", "", "Swagger 2.0 is not read"},
		{"a later major", "openapi: 4.0.0\n", "", "not an OpenAPI 3 document"},
		{"something else", "a: b\n", "", "not an OpenAPI 3 document"},
		{"a list", "- openapi: 3.1.0\n", "", "not an OpenAPI 3 document"},
		{"a word", "openapi\n", "", "not an OpenAPI 3 document"},
		{"nothing", "", "", "api.yaml: the document is empty"},
		{"blanks", " \n\t\n", "", "api.yaml: the document is empty"},
		{"broken JSON", `{"openapi":"3.1.0",}x`, "", "api.yaml: line 1, column "},
		{"JSON with a name twice", `{"openapi":"3.1.0","a":1,"a":2}`, "3.1.0", ""},
		{"broken YAML", "openapi: [3", "", "api.yaml: line "},
		{"binary", "\x00\xff\xfe", "", "api.yaml: not valid YAML: "},
		{"not UTF-8", "openapi: 3.1.0\ninfo: \xff\n", "", "api.yaml: not valid YAML: "},
	} {
		d, err := Parse("api.yaml", []byte(c.text))
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.fault == "" && d.Version != c.version:
			t.Errorf("%s: version %q, want %q", c.name, d.Version, c.version)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v, want %q", c.name, err, c.fault)
		}
	}
}

// YAML's scalars, aliases and merge keys become the JSON that their author means.
func TestYAMLValues(t *testing.T) {
	d := parse(t, `
openapi: 3.1.0
v:
  integer: 10
  hex: 0x1F
  octal: 0o17
  float: 1.50
  exponent: 1e3
  infinite: .inf
  text: '10'
  yes: yes
  bool: true
  nothing:
  tilde: ~
  date: 2026-05-19
  200: status
  folded: >-
    a
    b
  anchor: &a {x: 1, list: [1, two, null]}
  alias: *a
  merge: {<<: *a, x: 2, y: 3}
  merges: {<<: [*a, {z: 4, x: 5}]}
  twice: {x: 1, y: 2, x: 3}
`)
	v, ok := d.Resolve("#/v")
	if !ok {
		t.Fatal("no value")
	}
	want := `{"integer":10,"hex":31,"octal":15,"float":1.50,"exponent":1e3,"infinite":".inf","text":"10","yes":"yes","bool":true,` +
		`"nothing":null,"tilde":null,"date":"2026-05-19","200":"status","folded":"a b","anchor":{"x":1,"list":[1,"two",null]},` +
		`"alias":{"x":1,"list":[1,"two",null]},"merge":{"x":2,"y":3,"list":[1,"two",null]},"merges":{"x":1,"list":[1,"two",null],"z":4},"twice":{"x":1,"y":2}}`
	if d := cmp.Diff(want, string(v.Append(nil))); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}

// References lists operations in order, once for each address that a server
// can have.
func TestReferences(t *testing.T) {
	d := parse(t, `
openapi: 3.1.0
servers:
- {url: 'https://a.example.com/v1/'}
- {url: 'https://{host}/{version}', variables: {host: {default: b.example.com}, version: {enum: [v1, v2], default: v2}, unused: {}}}
paths:
  /two: {post: {}, get: {}, summary: no method, parameters: [], x-get: {}}
  /one: {GET: {}, servers: [{url: 'https://c.example.com'}], trace: {}, options: {servers: []}}
  /shared: {$ref: '#/components/pathItems/Shared'}
  /beside: {$ref: '#/components/pathItems/Shared', get: {}, servers: [{url: 'https://d.example.com'}]}
  /gone: {$ref: '#/components/pathItems/Gone'}
  /not-an-item: [get]
components:
  pathItems: {Shared: {delete: {servers: [{url: /relative}]}}}
`)
	var got []string
	for _, r := range d.References() {
		got = append(got, r.Method+" "+r.Server+" "+r.Path)
		if r.Document() != d {
			t.Errorf("%s has another document", r.Path)
		}
	}
	want := []string{
		"POST https://a.example.com/v1 /two",
		"POST https://b.example.com/v2 /two", "POST https://{host}/v2 /two", "POST https://b.example.com/v1 /two", "POST https://{host}/v1 /two",
		"GET https://a.example.com/v1 /two",
		"GET https://b.example.com/v2 /two", "GET https://{host}/v2 /two", "GET https://b.example.com/v1 /two", "GET https://{host}/v1 /two",
		"GET https://c.example.com /one", "TRACE https://c.example.com /one",
		"DELETE /relative /shared",
		"GET https://d.example.com /beside", "DELETE /relative /beside",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("references (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{`paths /gone: unresolvable reference "#/components/pathItems/Gone"`}, d.Problems); d != "" {
		t.Errorf("problems (-want +got):\n%s", d)
	}
	if refs := parse(t, "openapi: 3.1.0\npaths: {/a: {get: {}}}").References(); len(refs) != 1 || refs[0].Server != "" {
		t.Errorf("without servers: %v", refs)
	}
}

func TestResolve(t *testing.T) {
	d := parse(t, `
openapi: 3.1.0
a: {'b/c': {'d~e': 1, '': 2}, list: [x, y], 'f g': 3, '%': 4}
`)
	for ref, want := range map[string]string{
		"#/a/b~1c/d~0e": "1", "#/a/b~1c/": "2", "#/a/list/1": `"y"`, "#/a/f%20g": "3", "#/a/%25": "4",
		"#/a/list/2": "", "#/a/list/-1": "", "#/a/list/1x": "", "#/a/list/": "", "#/gone": "", "#a": "", "other.yaml#/a": "", "": "",
	} {
		v, ok := d.Resolve(ref)
		got := ""
		if ok {
			got = string(v.Append(nil))
		}
		if got != want || ok != (want != "") {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
	if v, ok := d.Resolve("#"); !ok || v.Get("openapi") == nil {
		t.Error("# is not the document")
	}
}

// The operation's parameters override those of the path, and references lead
// through the document, in chains but not in circles.
func TestRead(t *testing.T) {
	d := parse(t, `
openapi: 3.1.0
tags: [{name: a, description: Things that are a.}, {name: c}]
paths:
  /things/{id}:
    parameters:
    - {name: id, in: path, required: true, schema: {type: string}}
    - {name: page, in: query, description: From the path.}
    - {$ref: '#/components/parameters/Chain'}
    get:
      operationId: read
      summary: Read
      description: Reads.
      tags: [a, b]
      parameters:
      - {name: page, in: query, description: From the operation., style: form, explode: false, example: 5}
      - {name: page, in: header}
      - {name: filter, in: query, content: {application/json: {schema: {type: object}}}}
      requestBody: {$ref: '#/components/requestBodies/Body'}
      responses:
        '404': {description: Gone}
        '200': {$ref: '#/components/responses/Ok'}
        '201': {description: Text, content: {text/plain: {schema: {type: string}}}}
    put: {parameters: [{$ref: '#/components/parameters/Loop'}]}
    post: {requestBody: {$ref: '#/gone'}}
    patch: {responses: {'200': {$ref: '#/gone'}}}
    delete: {}
components:
  parameters:
    Chain: {$ref: '#/components/parameters/Link'}
    Link: {$ref: '#/components/parameters/End'}
    End: {name: X-End, in: header, required: true}
    Loop: {$ref: '#/components/parameters/Pool'}
    Pool: {$ref: '#/components/parameters/Loop'}
  requestBodies:
    Body:
      required: true
      description: The body.
      content:
        application/json: {schema: {type: object}, examples: {first: {value: {a: 1}}, second: {value: {b: 2}}}}
        text/plain: {}
  responses:
    Ok: {description: Fine, content: {application/json: {schema: {type: array}, example: [1]}}}
`)
	refs := d.References()
	op, err := refs[0].Read()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(outline(op), outline(NewCopies().Operation(op))); d != "" {
		t.Errorf("a copy says something else (-original +copy):\n%s", d)
	}
	if d := cmp.Diff(outline(op), strings.TrimPrefix(`
read: Read: Reads. [{a Things that are a.} {b }]
path id required {"type":"string"}
query page From the operation. style=form explode=false example 5
header X-End required
header page
query filter {"type":"object"} in application/json
body required The body.
  application/json {"type":"object"} example {"a":1}
  text/plain
404 Gone
200 Fine
  application/json {"type":"array"} example [1]
201 Text
  text/plain {"type":"string"}
success application/json
`, "\n")); d != "" {
		t.Errorf("operation (-got +want):\n%s", d)
	}
	for i, want := range []string{
		1: "parameter 1: unresolvable reference: more than 32 references in a chain",
		2: `request body: unresolvable reference "#/gone"`,
		3: `response 200: unresolvable reference "#/gone"`,
	} {
		if _, err := refs[i].Read(); i > 0 && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, want %s", refs[i].Method, err, want)
		}
	}
	if op, err := refs[4].Read(); err != nil || op.Body != nil || op.Responses != nil {
		t.Errorf("an empty operation is %+v (%v)", op, err)
	}
}

// outline writes what was read, one fact a line.
func outline(op *Operation) string {
	var b strings.Builder
	value := func(prefix string, v *jsonvalue.Value) {
		if v != nil {
			fmt.Fprintf(&b, "%s%s", prefix, v.Append(nil))
		}
	}
	words := func(list ...string) {
		for _, w := range list {
			if w != "" {
				b.WriteString(" " + w)
			}
		}
	}
	required := map[bool]string{true: "required"}
	content := func(list []MediaType) {
		for _, c := range list {
			b.WriteString("  " + c.Type)
			value(" ", c.Schema)
			value(" example ", c.Example)
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "%s: %s: %s %v\n", op.ID, op.Summary, op.Description, op.Tags)
	for _, p := range op.Parameters {
		b.WriteString(p.In + " " + p.Name)
		words(required[p.Required], p.Description)
		if p.Style != "" {
			words("style=" + p.Style)
		}
		if p.Explode != nil {
			words(fmt.Sprintf("explode=%t", *p.Explode))
		}
		value(" ", p.Schema)
		if p.Content != "" {
			words("in", p.Content)
		}
		value(" example ", p.Example)
		b.WriteString("\n")
	}
	if op.Body != nil {
		b.WriteString("body")
		words(required[op.Body.Required], op.Body.Description)
		b.WriteString("\n")
		content(op.Body.Content)
	}
	for _, r := range op.Responses {
		b.WriteString(r.Status)
		words(r.Description)
		b.WriteString("\n")
		content(r.Content)
	}
	if mt, ok := op.Success(); ok {
		b.WriteString("success " + mt.Type + "\n")
	}
	return b.String()
}

// Documents that want to be large in memory, or deep, are refused.
func TestParseIsBounded(t *testing.T) {
	bomb := "openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	merges := "openapi: 3.1.0\nm0: &m0 {a: x, b: x, c: x, d: x}\n"
	for i := 1; i < 30; i++ {
		merges += fmt.Sprintf("m%d: &m%d {<<: *m%d, a%d: *m%d, b%d: *m%d}\n", i, i, i-1, i, i-1, i, i-1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"aliases", bomb, "aliases"},
		{"merge keys", merges, "aliases"},
		{"an alias of itself", "openapi: 3.1.0\na: &a [*a]\n", "deeper"},
		{"an alias of itself, twice", "openapi: 3.1.0\na: &a [*a, *a]\n", ""},
		{"deep YAML", "openapi: 3.1.0\na: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), "deeper"},
		{"very deep YAML", "openapi: 3.1.0\na: " + strings.Repeat("[", 200_000), ""},
		{"deep JSON", `{"openapi":"3.1.0","a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, ""},
		{"many values", "openapi: 3.1.0\na: [" + strings.Repeat(",", maxMarks) + "]", "values"},
		{"many bytes", "openapi: 3.1.0\na: " + strings.Repeat("x", maxDocument), "bytes"},
	} {
		_, err := Parse("api.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever a text holds, it is read or refused, and what is listed can be asked for.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.3","servers":[{"url":"https://{a}/","variables":{"a":{"default":"b"}}}],"paths":{"/a":{"parameters":[{"$ref":"#/paths"}],"get":{"responses":{"200":{"content":{"a/json":{"examples":{"x":{}}}}}}}}}}`))
	f.Add([]byte("openapi: 3.1.0\npaths: &p {/a: {$ref: '#/paths/~1a'}, /b: {get: &g {requestBody: *p, parameters: [*g]}}}\n"))
	f.Add([]byte("openapi: 3.1.0\n? [a]\n: b\n<<: {paths: {/a: {get: 1}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			t.Skip()
		}
		d, err := Parse("fuzz", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz: ") {
				t.Errorf("the error does not name the document: %v", err)
			}
			return
		}
		copies := NewCopies()
		for _, r := range d.References() {
			if strings.ToUpper(r.Method) != r.Method || strings.HasSuffix(r.Server, "/") {
				t.Errorf("reference %s %q", r.Method, r.Server)
			}
			op, err := r.Read()
			if err != nil {
				continue
			}
			own := copies.Operation(op)
			if outline(op) != outline(own) {
				t.Errorf("%s %s: the copy differs", r.Method, r.Path)
			}
			for _, p := range own.Parameters {
				checkReferences(t, op, own, p.Schema)
			}
		}
	})
}

// checkReferences follows the references of a copied schema.
func checkReferences(t *testing.T, op, own *Operation, schema *jsonvalue.Value) {
	t.Helper()
	if schema == nil {
		return
	}
	for _, ref := range references(schema, nil) {
		want, known := op.Resolve(ref)
		got, ok := own.Resolve(ref)
		if ok != known || ok && string(got.Append(nil)) != string(want.Append(nil)) {
			t.Errorf("%s leads elsewhere in the copy", ref)
		}
	}
}

// What a copy's schemas refer to comes with it, through cycles, and what several
// operations refer to is one value.
func TestCopies(t *testing.T) {
	d := parse(t, `
openapi: 3.1.0
paths:
  /a:
    get: {parameters: [{name: q, in: query, schema: {$ref: '#/components/schemas/A'}}]}
    put: {requestBody: {content: {application/json: {schema: {items: {$ref: '#/components/schemas/A'}}}}}}
    post: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/gone'}}}}}}
components:
  schemas:
    A: {properties: {b: {$ref: '#/components/schemas/B'}, self: {$ref: '#/components/schemas/A'}}}
    B: {allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/C'}], example: {$ref: '#/components/schemas/D'}}
    C: {type: string}
    D: {type: integer}
    Unused: {type: 'null'}
`)
	copies := NewCopies()
	var ops []*Operation
	for _, r := range d.References() {
		op, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		ops = append(ops, copies.Operation(op))
	}
	for _, name := range []string{"A", "B", "C", "D"} {
		ref := "#/components/schemas/" + name
		first, ok := ops[0].Resolve(ref)
		second, too := ops[1].Resolve(ref)
		original, _ := d.Resolve(ref)
		if !ok || !too || first != second || first == original || !jsonvalue.Equal(first, original) {
			t.Errorf("%s is %v and %v", ref, first, second)
		}
	}
	for _, ref := range []string{"#/components/schemas/Unused", "#/gone", "#"} {
		if _, ok := ops[0].Resolve(ref); ok {
			t.Errorf("%s came along", ref)
		}
	}
	if _, ok := ops[2].Resolve("#/gone"); ok {
		t.Error("a reference that leads nowhere leads somewhere in the copy")
	}
}

// References into each other's insides do not multiply a document.
func TestCopiesAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: q, in: query, schema: {anyOf: [")
	pointer := "#/components/schemas/S"
	for range 60 {
		fmt.Fprintf(&text, "{$ref: '%s'}, ", pointer)
		pointer += "/not"
	}
	text.WriteString("{}]}}]}}}\ncomponents: {schemas: {S: " + strings.Repeat("{not: ", 60) + "{enum: [" + strings.Repeat("1, ", 2000) + "]}" + strings.Repeat("}", 60) + "}}\n")
	d := parse(t, text.String())
	op, err := d.References()[0].Read()
	if err != nil {
		t.Fatal(err)
	}
	own := NewCopies().Operation(op)
	size := 0
	for _, v := range own.refs.refs {
		size += v.Size()
	}
	if most := maxCopies * d.root.Size(); size > most || size < most/2 {
		t.Errorf("%d values are copied of a document of %d", size, d.root.Size())
	}
}

// What all operations of a document refer to is walked through once, however
// long the chain and however many the operations: one by one, this would be
// twenty million steps, each through two thousand schemas.
func TestCopiesShareReferences(t *testing.T) {
	const operations, schemas = 10_000, 2_000
	var text strings.Builder
	text.WriteString(`{"openapi": "3.1.0", "paths": {`)
	for i := range operations {
		fmt.Fprintf(&text, `"/%d": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/S0"}}]}}, `, i)
	}
	text.WriteString(`"/": {}}, "components": {"schemas": {`)
	for i := range schemas {
		fmt.Fprintf(&text, `"S%d": {"properties": {"next": {"$ref": "#/components/schemas/S%d"}}}, `, i, i+1)
	}
	fmt.Fprintf(&text, `"S%d": {}}}}`, schemas)
	d := parse(t, text.String())
	copies := NewCopies()
	var first *targets
	for _, r := range d.References() {
		op, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		own := copies.Operation(op)
		if first == nil {
			first = own.refs
		}
		if own.refs != first {
			t.Fatal("an operation has references of its own")
		}
	}
	if len(first.refs) != schemas+1 {
		t.Errorf("%d of %d references lead somewhere", len(first.refs), schemas+1)
	}
}
