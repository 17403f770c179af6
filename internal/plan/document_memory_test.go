package plan

import (
	"os"
	"runtime"
	"testing"
	"weak"

	"patchbay/capabilities"
	"patchbay/internal/spec"
)

// A plan keeps the head of its document and no other part of it: lists of a
// document are one piece of memory each, so that a pointer to one element would
// keep all of them.
func TestPlansHoldOnToNoDocument(t *testing.T) {
	conformance, err := os.ReadFile("../../e2e/conformance/capability.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []capabilities.Document{capabilities.FlexInteractions(), {Name: "conformance.yaml", Data: conformance}} {
		t.Run(file.Name, func(t *testing.T) {
			doc, _ := spec.Load(file.Name, file.Data)
			alive := parts(doc)
			if len(alive) < 8 {
				t.Fatalf("only %d kinds of parts are looked at", len(alive))
			}
			p, found := Compile(doc, Options{Profiles: profiles(t)})
			if found.HasErrors() || len(p.MCP) == 0 || len(p.MCP[0].Tools) == 0 || p.Document.Info.Label.Value == "" {
				t.Fatal("nothing was compiled", found)
			}
			doc, found = nil, nil
			heap()
			for part, is := range alive {
				if is() {
					t.Errorf("the document's %s are still there after compiling", part)
				}
			}
			runtime.KeepAlive(p)
		})
	}
}

// parts tells for each kind of list in a document whether it is still there.
func parts(doc *spec.Document) map[string]func() bool {
	alive := map[string]func() bool{}
	add(alive, "consumed APIs", doc.Consumes)
	for i := range doc.Consumes {
		add(alive, "consumed resources", doc.Consumes[i].Resources)
		for j := range doc.Consumes[i].Resources {
			r := &doc.Consumes[i].Resources[j]
			add(alive, "inputs of resources", r.Inputs)
			add(alive, "consumed operations", r.Operations)
			for k := range r.Operations {
				add(alive, "inputs of consumed operations", r.Operations[k].Inputs)
				add(alive, "outputs of consumed operations", r.Operations[k].Outputs)
			}
		}
	}
	add(alive, "adapters", doc.Exposes)
	for i := range doc.Exposes {
		e := &doc.Exposes[i]
		add(alive, "tools", e.Tools)
		add(alive, "routed resources", e.Resources)
		add(alive, "MCP resources", e.MCPResources)
		add(alive, "prompts", e.Prompts)
		for j := range e.Tools {
			add(alive, "inputs of tools", e.Tools[j].Inputs)
			add(alive, "arguments of tools", e.Tools[j].Run.With)
		}
		for j := range e.Resources {
			add(alive, "routed operations", e.Resources[j].Operations)
			for k := range e.Resources[j].Operations {
				add(alive, "arguments of routed operations", e.Resources[j].Operations[k].Run.With)
				add(alive, "outputs of routed operations", e.Resources[j].Operations[k].Run.Outputs)
			}
		}
	}
	return alive
}

func add[T any](alive map[string]func() bool, part string, list []T) {
	if len(list) == 0 {
		return
	}
	before, at := alive[part], weak.Make(&list[0])
	alive[part] = func() bool { return at.Value() != nil || before != nil && before() }
}
