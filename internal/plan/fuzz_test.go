package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"patchbay/capabilities"
	"patchbay/internal/contract"
	"patchbay/internal/openapi"
	"patchbay/internal/spec"
)

// Compiling never panics on what the loader makes of a text, and everything
// that a plan offers is complete.
func FuzzCompile(f *testing.F) {
	for _, c := range goldenCases(f) {
		source, _ := c.file("capability.yaml")
		f.Add(source)
	}
	f.Add(capabilities.FlexInteractions().Data)
	loaded, err := filepath.Glob("../spec/testdata/*/*.yaml")
	if err != nil || len(loaded) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, path := range loaded {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	document, err := openapi.Parse(capabilities.Contracts()[0].Name, capabilities.Contracts()[0].Data)
	if err != nil {
		f.Fatal(err)
	}
	opts := Options{Contracts: contract.NewSet(document), Profiles: profiles(f)}
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) <= 64<<10 {
			checkCompiles(t, source, opts)
		}
	})
}

// The same for the texts of a document that is otherwise in order: a random
// text seldom is one.
func FuzzTexts(f *testing.F) {
	f.Add("/things/{id}", "/Things/{Id}", "id", "rest.id", "$.a", "{{env.A}} {{id}}")
	f.Add("/a/{x}.json", "/A/{{x}}?q={y}", "filter[x]", "{{tools.filter[x]}}", "see {{x}}", "fixed")
	f.Add("/{a-b}/{a_b}", "/{AB}", "$select", "a {{b}} c", "$[?@.a]", "{{A}}")
	f.Add("things?x=1", "", "body", "tools.body", "", "")
	f.Add("/twice/{id}/{id}", "/{id}/{id}", "id", "rest.ID", "$.", "{{ID}}")
	opts := Options{Profiles: profiles(f)}
	f.Fuzz(func(t *testing.T, path, target, name, with, output, value string) {
		inputs := []any{map[string]any{"name": name, "in": "query"}, map[string]any{"name": "body", "in": "body"}}
		run := func(more map[string]any) map[string]any {
			more["name"], more["description"], more["call"] = "run", "Run", "api.run"
			more["with"] = map[string]any{name: with}
			more["outputParameters"] = []any{map[string]any{"type": "string", "value": output}}
			return more
		}
		source, err := json.Marshal(map[string]any{
			"ikanos": "1.0.0-beta1",
			"binds":  []any{map[string]any{"namespace": "env", "keys": map[string]any{"A": "A"}}},
			"capability": map[string]any{
				"consumes": []any{map[string]any{
					"type": "http", "namespace": "api", "baseUri": "https://api.example.com", "headers": map[string]any{"X-Value": value},
					"resources": []any{map[string]any{"path": target, "operations": []any{map[string]any{"name": "run", "inputParameters": inputs}}}},
				}},
				"exposes": []any{
					map[string]any{"type": "rest", "namespace": "front", "resources": []any{map[string]any{
						"path": path, "operations": []any{run(map[string]any{})},
					}}},
					map[string]any{"type": "mcp", "namespace": "tools", "tools": []any{run(map[string]any{})}},
				},
			},
		})
		if err != nil {
			t.Skip()
		}
		checkCompiles(t, source, opts)
	})
}

func checkCompiles(t *testing.T, source []byte, opts Options) {
	t.Helper()
	doc, found := spec.Load("capability.yaml", source)
	p, diags := Compile(doc, opts)
	printed(t, source, append(found, diags...).Sorted())
	render(p)
	if diags.HasErrors() {
		return
	}
	for _, a := range p.REST {
		for _, op := range a.Operations {
			checkComplete(t, op.Operation)
			for _, at := range op.PathInputs {
				if op.Inputs[at].Location != Path {
					t.Errorf("%s: the placeholder's input %s is in %s", op.Name, op.Inputs[at].Name, op.Inputs[at].Location)
				}
			}
		}
	}
	for _, a := range p.MCP {
		for _, tool := range a.Tools {
			checkComplete(t, tool.Operation)
		}
	}
}

// checkComplete holds an operation against what a run takes for granted.
func checkComplete(t *testing.T, op *Operation) {
	t.Helper()
	type place struct {
		name string
		in   Location
	}
	seen := map[place]bool{}
	for i := range op.Inputs {
		at := place{op.Inputs[i].Name, op.Inputs[i].Location}
		if seen[at] {
			t.Errorf("%s: the input %q exists twice in %s", op.Name, at.name, at.in)
		}
		seen[at] = true
	}
	for i := range op.calls {
		c := &op.calls[i]
		if len(c.sources) != len(c.to.params) {
			t.Fatalf("%s: %d sources for %d arguments", op.Name, len(c.sources), len(c.to.params))
		}
		for j, s := range c.sources {
			if s.kind == fromInput && s.input >= len(op.Inputs) {
				t.Errorf("%s: argument %d is input %d of %d", op.Name, j, s.input, len(op.Inputs))
			}
			if s.kind == fromText && s.text == nil {
				t.Errorf("%s: argument %d has no text", op.Name, j)
			}
		}
		for _, at := range c.to.target.Slots() {
			if at < 0 || c.sources[at].kind == fromNothing {
				t.Errorf("%s: a placeholder of %s is filled by nothing", op.Name, c.to.path)
			}
		}
	}
}
