package capabilities

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v4"
)

const contractURL = "https://patchbay.invalid/contract"

// contract is the embedded contract for an independent JSON Schema engine, so
// that our rules and our own engine cannot agree on the same mistake.
type contract struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
}

func openContract(t testing.TB) *contract {
	t.Helper()
	doc, ok := decodeJSON(t, Contracts()[0].Data).(map[string]any)
	if !ok {
		t.Fatal("the contract is no object")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(contractURL, doc); err != nil {
		t.Fatal(err)
	}
	return &contract{doc: doc, compiler: c}
}

// decodeJSON reads YAML or JSON into the values that jsonschema validates.
func decodeJSON(t testing.TB, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(data, &v); err != nil {
		t.Fatal(err)
	}
	return asJSON(t, v)
}

func asJSON(t testing.TB, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// at walks down the document by member names.
func (c *contract) at(t testing.TB, names ...string) any {
	t.Helper()
	var v any = c.doc
	for _, name := range names {
		m, ok := v.(map[string]any)
		if !ok || m[name] == nil {
			t.Fatalf("the contract has no %s", strings.Join(names, " > "))
		}
		v = m[name]
	}
	return v
}

func (c *contract) schema(t testing.TB, names ...string) *jsonschema.Schema {
	t.Helper()
	c.at(t, names...)
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var pointer strings.Builder
	for _, name := range names {
		pointer.WriteString("/" + escape.Replace(name))
	}
	s, err := c.compiler.Compile(contractURL + "#" + pointer.String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// operation is where an operation stands in the contract.
type operation struct{ path, method string }

func (c *contract) operations(t testing.TB) map[string]operation {
	t.Helper()
	ops := map[string]operation{}
	for path, item := range c.at(t, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			if o, ok := op.(map[string]any); ok {
				ops[o["operationId"].(string)] = operation{path, method}
			}
		}
	}
	return ops
}

// requestSchema compiles the form of an operation.
func (c *contract) requestSchema(t testing.TB, id string) *jsonschema.Schema {
	t.Helper()
	op := c.operations(t)[id]
	return c.schema(t, "paths", op.path, op.method, "requestBody", "content", "application/x-www-form-urlencoded", "schema")
}

// findings validates a body and returns one line per broken rule: the mark of
// the rule, the place in the body, the fact.
func (c *contract) findings(t testing.TB, s *jsonschema.Schema, body any) []string {
	t.Helper()
	err := s.Validate(asJSON(t, body))
	if err == nil {
		return nil
	}
	var root *jsonschema.ValidationError
	if !errors.As(err, &root) {
		t.Fatal(err)
	}
	var lines []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) == 0 {
			lines = append(lines, c.mark(t, e.SchemaURL)+" /"+strings.Join(e.InstanceLocation, "/")+" "+fact(t, e.ErrorKind))
		}
	}
	walk(root)
	slices.Sort(lines)
	return slices.Compact(lines)
}

func fact(t testing.TB, k jsonschema.ErrorKind) string {
	t.Helper()
	switch k := k.(type) {
	case *kind.Required:
		return "misses " + strings.Join(k.Missing, ", ")
	case *kind.AdditionalProperties:
		return "does not know " + strings.Join(k.Properties, ", ")
	case *kind.Type:
		return "is not " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "is not in the enum"
	case *kind.Pattern:
		return "does not match"
	case *kind.MinItems:
		return "has too few items"
	case *kind.Not:
		return "is excluded"
	default:
		t.Fatalf("no words for %T", k)
		return ""
	}
}

// mark returns the nearest x-patchbay-source on the way to a schema.
func (c *contract) mark(t testing.TB, schemaURL string) string {
	t.Helper()
	_, pointer, _ := strings.Cut(schemaURL, "#")
	mark := "?"
	var v any = c.doc
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch parent := v.(type) {
		case map[string]any:
			v = parent[unescape.Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil {
				t.Fatal(err)
			}
			v = parent[i]
		}
		if m, ok := v.(map[string]any); ok {
			if s, ok := m["x-patchbay-source"].(string); ok {
				mark = s
			}
		}
	}
	return mark
}

func TestBodies(t *testing.T) {
	c := openContract(t)
	for _, id := range []string{"createinteraction", "updateinteractionchannel"} {
		data, err := os.ReadFile(filepath.Join("testdata", id+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var cases []struct {
			Name     string   `yaml:"name"`
			Body     any      `yaml:"body"`
			Findings []string `yaml:"findings"`
		}
		loadYAML(t, data, &cases)
		schema := c.requestSchema(t, id)
		for _, tc := range cases {
			t.Run(id+"/"+tc.Name, func(t *testing.T) {
				want := slices.Sorted(slices.Values(tc.Findings))
				if diff := cmp.Diff(want, c.findings(t, schema, tc.Body)); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// provider is Twilio's own OpenAPI document.
type provider struct {
	paths   map[string]map[string]providerOperation
	schemas map[string]providerSchema
}

type providerSchema struct {
	Ref        string                    `json:"$ref"`
	Pattern    string                    `json:"pattern"`
	Enum       []string                  `json:"enum"`
	Minimum    *json.Number              `json:"minimum"`
	Maximum    *json.Number              `json:"maximum"`
	Required   []string                  `json:"required"`
	Properties map[string]providerSchema `json:"properties"`
}

type providerOperation struct {
	Parameters []struct {
		Name   string         `json:"name"`
		In     string         `json:"in"`
		Schema providerSchema `json:"schema"`
	} `json:"parameters"`
	RequestBody struct {
		Content map[string]providerContent `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]providerContent `json:"content"`
	} `json:"responses"`
}

type providerContent struct {
	Schema   providerSchema `json:"schema"`
	Examples map[string]struct {
		Value any `json:"value"`
	} `json:"examples"`
}

func openProvider(t *testing.T) *provider {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]providerSchema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(sharedFile(t, "contracts", "twilio-oai", "twilio_flex_v1.json"), &doc); err != nil {
		t.Fatal(err)
	}
	p := &provider{paths: map[string]map[string]providerOperation{}, schemas: doc.Components.Schemas}
	for path, item := range doc.Paths {
		p.paths[path] = map[string]providerOperation{}
		for _, method := range []string{"get", "post"} {
			if raw, ok := item[method]; ok {
				var op providerOperation
				if err := json.Unmarshal(raw, &op); err != nil {
					t.Fatalf("%s %s: %v", method, path, err)
				}
				p.paths[path][method] = op
			}
		}
	}
	return p
}

// operation returns Twilio's side of one of our operations. The documents name
// the last path parameter differently; its place is the same.
func (p *provider) operation(t *testing.T, op operation) providerOperation {
	t.Helper()
	for path, item := range p.paths {
		if shape(path) == shape(op.path) {
			if found, ok := item[op.method]; ok {
				return found
			}
		}
	}
	t.Fatalf("Twilio has no %s %s", op.method, op.path)
	return providerOperation{}
}

// shape is a path with its parameters' names taken out.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func TestTwiliosRequestExamples(t *testing.T) {
	p, c := openProvider(t), openContract(t)
	data, err := os.ReadFile(filepath.Join("testdata", "twilio_examples.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ operation, example string }
	var rows []struct {
		Operation string   `yaml:"operation"`
		Example   string   `yaml:"example"`
		Findings  []string `yaml:"findings"`
	}
	loadYAML(t, data, &rows)
	want, got := map[key][]string{}, map[key][]string{}
	for _, row := range rows {
		want[key{row.Operation, row.Example}] = row.Findings
	}
	for id, op := range c.operations(t) {
		for name, example := range p.operation(t, op).RequestBody.Content["application/x-www-form-urlencoded"].Examples {
			body := map[string]any{}
			for field, value := range example.Value.(map[string]any) {
				body[field] = value
				if parsed := (map[string]any{}); json.Unmarshal([]byte(value.(string)), &parsed) == nil {
					body[field] = parsed
				}
			}
			got[key{id, name}] = c.findings(t, c.requestSchema(t, id), body)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestTwiliosAnswersAreValid(t *testing.T) {
	p, c := openProvider(t), openContract(t)
	seen := 0
	for id, op := range c.operations(t) {
		for status, response := range p.operation(t, op).Responses {
			for name, example := range response.Content["application/json"].Examples {
				seen++
				if err := c.responseSchema(t, op, status).Validate(asJSON(t, example.Value)); err != nil {
					t.Errorf("%s %s %s: %v", id, status, name, err)
				}
			}
		}
	}
	if seen != 7 {
		t.Errorf("%d examples of answers, want 7", seen)
	}
}

func (c *contract) responseSchema(t testing.TB, op operation, status string) *jsonschema.Schema {
	t.Helper()
	ref := c.at(t, "paths", op.path, op.method, "responses", status, "$ref").(string)
	names := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	return c.schema(t, append(names, "content", "application/json", "schema")...)
}

func BenchmarkReadContract(b *testing.B) {
	data := Contracts()[0].Data
	for b.Loop() {
		var node yaml.Node
		if err := yaml.Load(data, &node); err != nil {
			b.Fatal(err)
		}
	}
}
