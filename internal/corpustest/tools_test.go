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
		endpoint := g.tools[targets[0].adapter]
		own := listed(t, endpoint, legacy)
		if diff := cmp.Diff(own, listed(t, endpoint, modern)); diff != "" {
			t.Errorf("%s: tools of the two eras (-%s +%s):\n%s", c.file, legacy, modern, diff)
		}
		for i, tool := range own {
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

// listed returns the tools of an endpoint, all pages of them.
func listed(t testing.TB, endpoint, era string) []advertised {
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
		said := ask(t, endpoint, era, "tools/list", "", params)
		if err := json.Unmarshal([]byte(said), &answer); err != nil {
			t.Fatalf("%s: %v in %s", endpoint, err, said)
		}
		all = append(all, answer.Result.Tools...)
		if answer.Result.NextCursor == "" {
			return all
		}
		params = `"cursor":` + compact(answer.Result.NextCursor)
	}
}

// offered is a tool as an endpoint offers it.
type offered struct {
	endpoint, name string
	schema         *inputSchema
}

// offers finds the tools that a round calls, by adapter and by their names in
// the files. The endpoint of all has every file's tools, in the order of files.
func (g *gateway) offers(t testing.TB, files []*capability, r round) map[string]map[string]offered {
	t.Helper()
	out := map[string]map[string]offered{}
	var whole []advertised
	if r.whole {
		whole = listed(t, g.all, r.era)
	}
	seen := map[string]bool{}
	for _, c := range files {
		targets := c.targets(t, "mcp")
		adapter := targets[0].adapter
		endpoint, own := g.tools[adapter], whole
		if r.whole {
			endpoint = g.all
			if len(whole) < len(targets) {
				t.Fatalf("%s offers %d tools too few", g.all, len(targets)-len(whole))
			}
			own, whole = whole[:len(targets)], whole[len(targets):]
		} else {
			own = listed(t, endpoint, r.era)
		}
		out[adapter] = map[string]offered{}
		for i, x := range targets {
			if len(own) != len(targets) || !means(own[i].Name, x) {
				t.Fatalf("%s: %d tools are offered, of which number %d is no %s", c.file, len(own), i, x.Name)
			}
			if r.whole && seen[own[i].Name] {
				t.Errorf("%s: two tools are called %s", g.all, own[i].Name)
			}
			seen[own[i].Name] = true
			schema := &inputSchema{}
			if err := json.Unmarshal(own[i].InputSchema, schema); err != nil {
				t.Fatal(err)
			}
			out[adapter][x.Name] = offered{endpoint, own[i].Name, schema}
		}
	}
	if len(whole) > 0 {
		t.Errorf("%s offers %d tools that no file has", g.all, len(whole))
	}
	return out
}

// means reports whether a name is that of a tool: its own, or one that begins with
// the namespace because several tools have it, and that may be cut.
func means(name string, x target) bool {
	long := strings.TrimSuffix(x.adapter, "-mcp") + "_" + x.Name
	const most = 64
	return name == x.Name || name == long || len(long) > most && len(name) <= most && strings.HasPrefix(long, name[:most/2])
}
