package lint

import (
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

// semantics compares what a function says about its effects with what those
// say that refer to it.
func (c *checker) semantics() {
	functions := map[string]*spec.Function{}
	for i := range c.doc.Aggregates {
		a := &c.doc.Aggregates[i]
		for j := range a.Functions {
			functions[a.Namespace.Value+"."+a.Functions[j].Name.Value] = &a.Functions[j]
		}
	}
	if len(functions) == 0 {
		return
	}
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		for j := range e.Tools {
			if fn := functions[e.Tools[j].Run.Ref.Value]; fn != nil {
				c.hints(&e.Tools[j], fn)
			}
		}
		for j := range e.Resources {
			for k := range e.Resources[j].Operations {
				op := &e.Resources[j].Operations[k]
				if fn := functions[op.Run.Ref.Value]; fn != nil {
					c.method(op, fn)
				}
			}
		}
	}
}

func (c *checker) hints(t *spec.Tool, fn *spec.Function) {
	for _, claim := range []struct {
		key, about string
		hint, says spec.Bool
		// opposite means that both cannot be true, but both be false.
		opposite bool
	}{
		{"readOnly", "safe", t.Hints.ReadOnly, fn.Safe, false},
		{"destructive", "safe", t.Hints.Destructive, fn.Safe, true},
		{"idempotent", "idempotent", t.Hints.Idempotent, fn.Idempotent, false},
	} {
		if !claim.hint.Set() || !claim.says.Set() {
			continue
		}
		agrees := claim.hint.Value == claim.says.Value
		if claim.opposite { // what is not safe need not destroy anything
			agrees = !claim.hint.Value || !claim.says.Value
		}
		if !agrees {
			c.contradiction(claim.hint.Span, claim.says, fn, claim.about, "%s: %t of tool %q", claim.key, claim.hint.Value, clip(t.Name.Value))
		}
	}
}

func (c *checker) method(op *spec.ExposedOperation, fn *spec.Function) {
	method, at := strings.ToUpper(op.Method.Value), op.Method.Span
	if method == "" {
		method, at = "GET", op.Span
	}
	reads := method == "GET" || method == "HEAD"
	switch {
	case fn.Safe.Set() && fn.Safe.Value != reads:
		c.contradiction(at, fn.Safe, fn, "safe", "the method %s of operation %q", method, clip(op.Name.Value))
	case fn.Idempotent.Value && method == "POST":
		c.contradiction(at, fn.Idempotent, fn, "idempotent", "the method POST of operation %q", clip(op.Name.Value))
	}
}

func (c *checker) contradiction(at diag.Span, says spec.Bool, fn *spec.Function, about, format string, args ...any) {
	args = append(args, clip(fn.Name.Value), about, says.Value)
	c.warnf(CodeSemantics, at, format+" contradicts the function %q, which says %s: %t", args...).
		WithHint("let both say the same about effects").WithRelated(says.Span, "what the function says")
}
