package corpustest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// advertised is a tool as tools/list shows it.
type advertised struct {
	Name         string
	InputSchema  json.RawMessage
	OutputSchema json.RawMessage
}

// checkSchemas: every schema that a tool advertises is one of JSON Schema 2020-12,
// the same in both eras of MCP, and admits what the documents admit.
func (g *gateway) checkSchemas(t *testing.T, files []*capability) {
	t.Helper()
	schemas, tools := newSchemaReader(), 0
	for _, c := range files {
		targets := c.targets(t, "mcp")
		listed := g.list(t, targets[0].adapter, legacy)
		if diff := cmp.Diff(listed, g.list(t, targets[0].adapter, modern)); diff != "" {
			t.Errorf("%s: tools of the two eras (-%s +%s):\n%s", c.file, legacy, modern, diff)
		}
		for i, tool := range listed {
			tools++
			where := c.file + ": " + tool.Name
			input := schemas.compile(t, where, tool.InputSchema)
			if tool.OutputSchema != nil {
				schemas.compile(t, where+" (output)", tool.OutputSchema)
			}
			x := &targets[i]
			if x.Name != tool.Name {
				t.Fatalf("%s: the file's tool in this place is %s", where, x.Name)
			}
			var names inputSchema
			if err := json.Unmarshal(tool.InputSchema, &names); err != nil {
				t.Fatal(err)
			}
			for _, how := range []amount{everything, nothingOptional} {
				random := newGenerator(t, x.op.contract.doc, "schema "+x.Name)
				arguments := compact(x.strict(t, draw(random, x.op, how), &names))
				if err := input.Validate(decoded(t, arguments)); err != nil {
					t.Errorf("%s does not admit %s: %v", where, arguments, err)
				}
			}
			if err := input.Validate(map[string]any{"no such argument": 1}); err == nil {
				t.Errorf("%s admits anything", where)
			}
		}
	}
	if tools != 921 {
		t.Errorf("%d tools are listed, want 921", tools)
	}
}

// A schemaReader compiles schemas; it reads the metaschema once.
type schemaReader struct{ *jsonschema.Compiler }

func newSchemaReader() schemaReader {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	return schemaReader{c}
}

// compile holds a schema against the metaschema of 2020-12, which is what
// compiling it does first.
func (c schemaReader) compile(t testing.TB, where string, schema json.RawMessage) *jsonschema.Schema {
	t.Helper()
	at := "https://schema.example/" + segment(where)
	if err := c.AddResource(at, decoded(t, string(schema))); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	s, err := c.Compile(at)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if s.DraftVersion != 2020 {
		t.Errorf("%s is a schema of draft %d", where, s.DraftVersion)
	}
	return s
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// list returns the tools of an adapter, all pages of them.
func (g *gateway) list(t testing.TB, adapter, era string) []advertised {
	t.Helper()
	var all []advertised
	params := ""
	for {
		var answer struct {
			Result struct {
				Tools      []advertised
				NextCursor string
			}
		}
		said := g.ask(t, adapter, era, "tools/list", "", params)
		if err := json.Unmarshal([]byte(said), &answer); err != nil {
			t.Fatalf("%s: %v in %s", adapter, err, said)
		}
		all = append(all, answer.Result.Tools...)
		if answer.Result.NextCursor == "" {
			return all
		}
		params = `"cursor":` + compact(answer.Result.NextCursor)
	}
}

// inputSchemas are the input schemas of an adapter's tools by name.
func (g *gateway) inputSchemas(t testing.TB, adapter string) map[string]*inputSchema {
	t.Helper()
	out := map[string]*inputSchema{}
	for _, tool := range g.list(t, adapter, legacy) {
		s := &inputSchema{}
		if err := json.Unmarshal(tool.InputSchema, s); err != nil {
			t.Fatalf("%s: %s: %v", adapter, tool.Name, err)
		}
		out[tool.Name] = s
	}
	return out
}
