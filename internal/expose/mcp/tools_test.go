package mcp

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/capabilities"
	"patchbay/internal/bind"
	"patchbay/internal/contract"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
	"patchbay/internal/profile"
	"patchbay/internal/spec"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bound compiles a document and binds it without any values.
func bound(t testing.TB, name string, source []byte, contracts ...*openapi.Document) *plan.Bound {
	t.Helper()
	doc, found := spec.Load(name, source)
	profiles, err := profile.Load(capabilities.Profiles().Data)
	if err != nil {
		t.Fatal(err)
	}
	p, diags := plan.Compile(doc, plan.Options{Contracts: contract.NewSet(contracts...), Profiles: profiles})
	if diags = append(found, diags...); diags.HasErrors() {
		t.Fatalf("%s: %v", name, diags)
	}
	environment, err := bind.New(bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, diags := plan.Bind(p, plan.BindOptions{Environment: environment, Lenient: true, Upstream: upstream.Defaults()})
	if diags.HasErrors() {
		t.Fatalf("%s: %v", name, diags)
	}
	t.Cleanup(b.Close)
	return b
}

// tools makes the tools of the first MCP adapter, and lets the protocol core
// judge them.
func tools(t testing.TB, b *plan.Bound) []core.Tool {
	t.Helper()
	opts := Options{
		Bound: b, Adapter: b.Plan.MCP[0], Version: "test",
		Log: telemetry.NewLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), IDs: telemetry.NewIDs(),
	}
	made, err := build(&Member{Options: opts}, NewOffers(b.Plan.MCP[:1])[0])
	if err != nil {
		t.Fatalf("%s: %v", b.Plan.Document.File, err)
	}
	if _, err := core.New(made.options); err != nil {
		t.Errorf("%s: %v", b.Plan.Document.File, err)
	}
	return made.options.Tools
}

func embeddedContracts(t testing.TB) []*openapi.Document {
	t.Helper()
	var docs []*openapi.Document
	for _, c := range capabilities.Contracts() {
		d, err := openapi.Parse(c.Name, c.Data)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return docs
}

// The five tools of the embedded capability are reviewed as files.
func TestEmbeddedTools(t *testing.T) {
	file := capabilities.FlexInteractions()
	list := tools(t, bound(t, file.Name, file.Data, embeddedContracts(t)...))
	var names []string
	for _, tool := range list {
		names = append(names, tool.Name+".json")
		path := filepath.Join("testdata", "tools", tool.Name+".json")
		got := pretty(t, &tool)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (run with -update)", err)
		}
		if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
			t.Errorf("%s differs (-want +got), run with -update to accept:\n%s", path, d)
		}
		checkTool(t, file.Name, &tool)
		if tool.OutputSchema == nil {
			t.Errorf("%s has no output schema", tool.Name)
		}
	}
	entries, err := os.ReadDir(filepath.Join("testdata", "tools"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			t.Errorf("%s belongs to no tool", e.Name())
		}
	}
}

// pretty is a tool as it is listed; what fits into a line stands on one.
func pretty(t testing.TB, tool *core.Tool) []byte {
	t.Helper()
	members := []jsonvalue.Member{{Name: "name", Value: jsonvalue.StringOf(tool.Name)}, {Name: "description", Value: jsonvalue.StringOf(tool.Description)}}
	for _, hint := range []struct {
		name  string
		value *bool
	}{
		{"readOnlyHint", tool.Annotations.ReadOnly},
		{"destructiveHint", tool.Annotations.Destructive},
		{"idempotentHint", tool.Annotations.Idempotent},
		{"openWorldHint", tool.Annotations.OpenWorld},
	} {
		if hint.value != nil {
			members = append(members, jsonvalue.Member{Name: hint.name, Value: jsonvalue.BoolOf(*hint.value)})
		}
	}
	members = append(members, jsonvalue.Member{Name: "inputSchema", Value: value(t, string(tool.InputSchema))})
	if tool.OutputSchema != nil {
		members = append(members, jsonvalue.Member{Name: "outputSchema", Value: value(t, string(tool.OutputSchema))})
	}
	whole := jsonvalue.ObjectOf(members)
	return append(layout(nil, &whole, "\n"), '\n')
}

// layout writes a value; newline is a line break with the indentation.
func layout(dst []byte, v *jsonvalue.Value, newline string) []byte {
	const width = 120
	plain := v.Append(nil)
	if v.Len() == 0 || len(plain)+len(newline) < width {
		return append(dst, plain...)
	}
	object := v.Kind() == jsonvalue.Object
	dst = append(dst, plain[0])
	for i, m := range v.Elems() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, newline...), "  "...)
		if object {
			dst = append(jsonvalue.AppendString(dst, m.Name), ": "...)
		}
		dst = layout(dst, &m.Value, newline+"  ")
	}
	return append(append(dst, newline...), plain[len(plain)-1])
}

// checkTool holds a tool against what hosts accept.
func checkTool(t testing.TB, file string, tool *core.Tool) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: %s: %s", file, tool.Name, fmt.Sprintf(format, args...))
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(tool.Name) {
		fail("the name is not one that every host accepts")
	}
	if len(tool.Description) > maxDescription+len("…") {
		fail("the description has %d bytes", len(tool.Description))
	}
	for kind, raw := range map[string][]byte{"input": tool.InputSchema, "output": tool.OutputSchema} {
		if raw == nil {
			continue
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			fail("%s schema: %v", kind, err)
			continue
		}
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		if err := c.AddResource("https://patchbay.invalid/schema", v); err != nil {
			fail("%s schema: %v", kind, err)
		}
		if _, err := c.Compile("https://patchbay.invalid/schema"); err != nil {
			fail("%s schema: %v", kind, err)
		}
		root := v.(map[string]any)
		if root["type"] != "object" {
			fail("the %s schema's root is %v", kind, root["type"])
		}
		for _, keyword := range []string{"oneOf", "anyOf", "allOf", "if", "then", "else", "not", "enum", "$ref", "$defs"} {
			if _, has := root[keyword]; has {
				fail("the %s schema has %s at its root", kind, keyword)
			}
		}
		properties, _ := root["properties"].(map[string]any)
		for name := range properties {
			if kind == "input" && !regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`).MatchString(name) {
				fail("the property %q is not one that every host accepts", name)
			}
		}
	}
	if bytes.Contains(tool.OutputSchema, []byte(`"enum"`)) || bytes.Contains(tool.OutputSchema, []byte(`"required"`)) || bytes.Contains(tool.OutputSchema, []byte(`"additionalProperties"`)) {
		fail("the output schema promises more than a shape")
	}
}

// sharedFolder returns a folder of the material beside the repository, or skips.
func sharedFolder(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", filepath.Join(parts...))
	}
	return path
}

func readFolder(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if ext := filepath.Ext(e.Name()); ext == ".yaml" || ext == ".yml" || ext == ".json" {
			files[e.Name()] = data
		}
	}
	return files
}

// The tools of all siblings of the embedded capability are ones that hosts
// accept, with and without the provider's documents.
func TestCorpusTools(t *testing.T) {
	files := readFolder(t, sharedFolder(t, "corpus", "twilio"))
	var provider []*openapi.Document
	for _, folder := range []string{"twilio-oai", "api-evangelist"} {
		contracts := readFolder(t, sharedFolder(t, "contracts", folder))
		for _, name := range slices.Sorted(maps.Keys(contracts)) {
			d, err := openapi.Parse(name, contracts[name])
			if err != nil {
				t.Fatal(err)
			}
			provider = append(provider, d)
		}
	}
	for _, contracts := range [][]*openapi.Document{nil, provider} {
		count, shaped := 0, 0
		for _, name := range slices.Sorted(maps.Keys(files)) {
			for _, tool := range tools(t, bound(t, name, files[name], contracts...)) {
				checkTool(t, name, &tool)
				count++
				if tool.OutputSchema != nil {
					shaped++
				}
			}
		}
		t.Logf("%d tools, %d with an output schema", count, shaped)
		if count != 921 {
			t.Errorf("%d tools, want 921", count)
		}
	}
}

const renames = `
ikanos: 1.0.0-beta1
info: {label: Renames}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com
    resources:
    - name: a
      path: /a/{$id}
      operations:
      - name: get
        method: GET
        inputParameters:
        - {name: $select, in: query, type: string, required: true, description: What to read.}
        - {name: 'filter[x]', in: query, type: array, items: {type: string}}
        - {name: plain, in: query, type: string}
        - {name: body, in: body}
  exposes:
  - type: mcp
    namespace: tools
    tools:
    - {name: %s, description: Get it., call: api.get}
    - {name: get, description: '%s', call: api.get}
`

// Renamed arguments find back to their inputs, in the order of the file.
func TestPropertyNamesAreRestored(t *testing.T) {
	long := strings.Repeat("get-things-", 8)[:82]
	b := bound(t, "renames.yaml", fmt.Appendf(nil, renames, long, strings.Repeat("d", 5000)))
	list := tools(t, b)
	if want := long[:55] + "_"; !strings.HasPrefix(list[0].Name, want) || len(list[0].Name) != maxName {
		t.Errorf("the long name became %q", list[0].Name)
	}
	if n := len(list[1].Description); n != maxDescription+len("…") {
		t.Errorf("the long description has %d bytes", n)
	}
	want := `{"type":"object","properties":{` +
		`"select":{"type":"string","description":"The parameter ` + "`$select`" + `. What to read."},` +
		`"filter_x":{"type":"array","items":{"type":"string"},"description":"The parameter ` + "`filter[x]`" + `."},"plain":{"type":"string"},` +
		`"body":{"type":"object"},"id":{"type":"string","description":"The parameter ` + "`$id`" + `."}},"required":["select","id"],"additionalProperties":false}`
	if d := cmp.Diff(want, string(list[0].InputSchema)); d != "" {
		t.Errorf("input schema (-want +got):\n%s", d)
	}
	tl := &tool{adapter: &adapter{Options: Options{Bound: b}}, plan: b.Plan.MCP[0].Tools[0]}
	tl.inputSchema()
	got := map[string]string{}
	for at, name := range tl.known {
		got[name] = tl.plan.Inputs[at].Name
	}
	if d := cmp.Diff(map[string]string{"select": "$select", "filter_x": "filter[x]", "plain": "plain", "body": "body", "id": "$id"}, got); d != "" {
		t.Errorf("arguments (-want +got):\n%s", d)
	}
	// The names that the file knows are understood as well.
	args, f := tl.arguments([]byte(`{"$select":"a","Filter[x]":["b"],"$id":"c"}`))
	if f != nil || len(args.Refused) > 0 {
		t.Fatal(f, args.Refused)
	}
	for i, v := range args.Values {
		if in := &tl.plan.Inputs[i]; strings.ContainsAny(in.Name, "$[") == v.IsAbsent() {
			t.Errorf("%s is absent: %v", in.Name, v.IsAbsent())
		}
	}
}

// Output schemas come from contracts only, and only where the answer passes on.
func TestOutputSchema(t *testing.T) {
	const document = `
ikanos: 1.0.0-beta1
info: {label: Outputs}
capability:
  consumes:
  - {type: http, namespace: api, baseUri: 'https://api.example.com', resources: [{name: a, path: /a, operations: [{name: get, method: GET}]}]}
  exposes:
  - {type: mcp, namespace: tools, tools: [{name: get, description: Get it., call: api.get, outputParameters: %s}]}
`
	const described = `
openapi: 3.1.0
info: {title: Answers, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths: {/a: {get: {responses: {'200': {content: {application/json: {schema: %s}}}}}}}
`
	for _, c := range []struct{ name, outputs, schema, want string }{
		{"an object", `[{type: object, mapping: $.}]`, `{type: object, properties: {a: {type: string}}}`, `{"type":"object","properties":{"a":{"type":["string","null"]}}}`},
		{"properties make an object", `[]`, `{properties: {a: {}}}`, `{"type":"object","properties":{"a":{}}}`},
		{"an array is wrapped", `[]`, `{type: array, items: {type: string}}`, `{"type":"object","properties":{"items":{"type":["array","null"],"items":{"type":["string","null"]}}}}`},
		{"a text has none", `[]`, `{type: string}`, ``},
		{"anything has none", `[]`, `{}`, ``},
		{"alternatives have none", `[]`, `{oneOf: [{type: object}, {type: array}]}`, ``},
		{"nor has a mapped answer", `[{type: string, mapping: $.a}]`, `{type: object}`, ``},
	} {
		d, err := openapi.Parse("api.yaml", fmt.Appendf(nil, described, c.schema))
		if err != nil {
			t.Fatal(err)
		}
		list := tools(t, bound(t, "outputs.yaml", fmt.Appendf(nil, document, c.outputs), d))
		if got := string(list[0].OutputSchema); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// project makes every value fit, and keeps what fits.
func TestProject(t *testing.T) {
	for _, c := range []struct{ name, shape, in, want string }{
		{"what fits", `{"type":"object","properties":{"a":{"type":["string","null"]}}}`, `{"a":"x"}`, `{"a":"x"}`},
		{"what is not described", `{"type":"object","properties":{"a":{"type":["string","null"]}}}`, `{"b":[1]}`, `{"b":[1]}`},
		{"another type", `{"type":"object","properties":{"a":{"type":["string","null"]}}}`, `{"a":{"b":1},"c":2}`, `{"a":null,"c":2}`},
		{"within arrays", `{"type":"object","properties":{"l":{"type":["array","null"],"items":{"type":["number","null"]}}}}`, `{"l":[1,"x",null]}`, `{"l":[1,null,null]}`},
		{"within objects", `{"type":"object","properties":{"o":{"type":["object","null"],"properties":{"a":{"type":["boolean","null"]}}}}}`, `{"o":{"a":1}}`, `{"o":{"a":null}}`},
		{"without a type", `{"type":"object","properties":{"a":{}}}`, `{"a":[1]}`, `{"a":[1]}`},
		{"an integer is a number", `{"type":"object","properties":{"a":{"type":["number"]},"b":{"type":"integer"}}}`, `{"a":1,"b":2.0}`, `{"a":1,"b":2.0}`},
		{"a fraction is no integer", `{"type":"object","properties":{"b":{"type":"integer"}}}`, `{"b":2.5}`, `{"b":null}`},
		{"a root that is no object", `{"type":"object","properties":{"a":{}}}`, `[1]`, `{}`},
		{"a wrapped array", `{"type":"object","properties":{"items":{"type":"array","items":{"type":["string","null"]}}}}`, `{"items":["a",1]}`, `{"items":["a",null]}`},
	} {
		shape, in := value(t, c.shape), value(t, c.in)
		got := project(&shape, &in)
		if text := string(got.Append(nil)); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

// Whatever an upstream answers, what is made of it satisfies the published schema.
func FuzzProject(f *testing.F) {
	file := capabilities.FlexInteractions()
	b := bound(f, file.Name, file.Data, embeddedContracts(f)...)
	var made []*tool
	for _, p := range b.Plan.MCP[0].Tools {
		t := &tool{adapter: &adapter{Options: Options{Bound: b}}, plan: p}
		if t.outputSchema() == nil {
			f.Fatalf("%s has no output schema", p.Name)
		}
		made = append(made, t)
	}
	for _, seed := range []string{`[]`, `{"sid":5,"channel":[],"links":{"channels":null}}`, `{"channels":[{"sid":{}},7],"meta":{"page":"0"}}`, `null`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			t.Skip()
		}
		for _, made := range made {
			got := project(&made.shape, &v)
			if !made.output.Valid(&got) {
				t.Errorf("%s: %s", made.plan.Name, got.Append(nil))
			}
			if made.output.Valid(&v) && !jsonvalue.Equal(&v, &got) {
				t.Errorf("%s: what fits became %s", made.plan.Name, got.Append(nil))
			}
		}
	})
}

func value(t testing.TB, text string) jsonvalue.Value {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
