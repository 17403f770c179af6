package plan

import (
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
		if len(source) > 64<<10 {
			return
		}
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
	})
}

// checkComplete holds an operation against what a run takes for granted.
func checkComplete(t *testing.T, op *Operation) {
	t.Helper()
	names := map[string]bool{}
	for i := range op.Inputs {
		if names[op.Inputs[i].Name] {
			t.Errorf("%s: the input %q exists twice", op.Name, op.Inputs[i].Name)
		}
		names[op.Inputs[i].Name] = true
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
