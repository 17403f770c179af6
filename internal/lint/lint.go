// Package lint is the stage of the compiler between reading a document and
// compiling it: rules of good form that hold for a document whatever of it is
// run. It covers the rules that the format publishes for its linters, as far as
// other stages do not report the same thing anyway; docs/diagnostics.md has the
// whole list.
//
// A rule reports what its author would want to know, not what keeps a document
// from running: files that run elsewhere do so here. The one error guards
// credentials.
package lint

import (
	"fmt"
	"maps"
	"slices"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

// maxPlaces bounds how many places of one code are listed.
const maxPlaces = 100

// Check returns what the rules say about a document, in no order. It is pure
// and safe for concurrent use.
func Check(doc *spec.Document) diag.List {
	c := &checker{doc: doc, places: map[diag.Code]int{}}
	c.namespaces()
	c.addresses()
	c.paths()
	c.authentications()
	c.texts()
	c.control()
	c.steps()
	c.semantics()
	for _, code := range slices.Sorted(maps.Keys(c.places)) {
		if more := c.places[code] - maxPlaces; more > 0 {
			c.findings.Notef(spec.CodeTooManyFindings, diag.Span{File: doc.File}, "%d more places of %s are not listed", more, code)
		}
	}
	return c.findings
}

type checker struct {
	doc      *spec.Document
	findings diag.List
	// places counts the findings by code.
	places map[diag.Code]int
	// unlisted takes what is only counted.
	unlisted diag.Diagnostic
}

// warnf adds a warning, unless its code has been listed often enough.
func (c *checker) warnf(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	return c.add(diag.Warning, code, span, format, args...)
}

func (c *checker) add(sev diag.Severity, code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	if c.places[code]++; c.places[code] > maxPlaces {
		return &c.unlisted
	}
	return c.findings.Add(sev, code, span, format, args...)
}

// namespaces reports one that parts of different kinds share, or two bindings.
func (c *checker) namespaces() {
	type use struct {
		kind string
		at   diag.Span
	}
	seen := map[string]use{}
	each := func(kind string, ns spec.Text) {
		if ns.Value == "" {
			return
		}
		before, taken := seen[ns.Value]
		switch {
		case !taken:
			seen[ns.Value] = use{kind, ns.Span}
		case before.kind != kind || kind == "a binding":
			c.warnf(CodeNamespaceShared, ns.Span, "the namespace %q of %s is used before by %s", clip(ns.Value), kind, before.kind).
				WithHint("rename one of them: references begin with a namespace").WithRelated(before.at, "first used here")
		}
	}
	for i := range c.doc.Binds {
		each("a binding", c.doc.Binds[i].Namespace)
	}
	for i := range c.doc.Consumes {
		each("a consumed API", c.doc.Consumes[i].Namespace)
	}
	for i := range c.doc.Exposes {
		each("an adapter", c.doc.Exposes[i].Namespace)
	}
}

// run is something that runs, wherever the document says so.
type run struct {
	*spec.Run
	what string
}

// runs calls f for everything that runs.
func (c *checker) runs(f func(r run)) {
	describe := func(kind string, name spec.Text) string { return fmt.Sprintf("%s %q", kind, clip(name.Value)) }
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		for j := range e.Resources {
			for k := range e.Resources[j].Operations {
				op := &e.Resources[j].Operations[k]
				f(run{&op.Run, describe("operation", op.Name)})
			}
		}
		for j := range e.Tools {
			f(run{&e.Tools[j].Run, describe("tool", e.Tools[j].Name)})
		}
		for j := range e.MCPResources {
			f(run{&e.MCPResources[j].Run, describe("resource", e.MCPResources[j].Name)})
		}
	}
	for i := range c.doc.Aggregates {
		for j := range c.doc.Aggregates[i].Functions {
			fn := &c.doc.Aggregates[i].Functions[j]
			f(run{&fn.Run, describe("function", fn.Name)})
		}
	}
}

// clip shortens text that the file gives, for use in a message.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
