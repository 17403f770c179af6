package schema

import (
	"patchbay/internal/jsonvalue"
)

// Bounds of one check. The budget of a large value grows once, with its size,
// so that only the product of schema and value is refused, never length alone.
const (
	stepBudget      = 100_000
	stepsPerElement = 32
	maxDepth        = 1024
	scanPerStep     = 16  // names compared for one step
	bytesPerStep    = 256 // bytes of a string matched for one step
)

// eval is one evaluation of a schema. Without a collector it stops at the
// first fault and allocates nothing; with one it goes on and reports. The
// keywords are written once for both: a keyword that fails asks quiet and
// returns, or reports and lets the evaluation continue.
type eval struct {
	root     *jsonvalue.Value
	steps    int
	extended bool
	spent    bool
	depth    int
	out      *collector
}

func (e *eval) quiet() bool { return e.out == nil }

// spend takes steps off the budget; false means that it is used up, which
// makes the whole evaluation void.
func (e *eval) spend(n int) bool {
	e.steps -= n
	if e.steps >= 0 {
		return true
	}
	if !e.extended {
		e.extended = true
		e.steps += stepsPerElement * elements(e.root)
	}
	if e.steps < 0 {
		e.exhaust()
	}
	return !e.spent
}

// exhaust ends the evaluation. What fails from here on fails for want of
// steps, and must not be reported as a fault of the value.
func (e *eval) exhaust() {
	e.spent = true
	if e.out != nil {
		e.out.full = true
	}
}

func elements(v *jsonvalue.Value) int {
	n := 1
	for i := range v.Elems() {
		n += elements(&v.Elems()[i].Value)
	}
	return n
}

// check applies a schema to a value.
func (e *eval) check(s *Schema, v *jsonvalue.Value) bool {
	if s == nil || s.literal == literalTrue || s.literal == literalUnknown || v.IsAbsent() {
		return true
	}
	if e.spent || !e.spend(1) || e.out != nil && e.out.full {
		return false
	}
	if e.depth == maxDepth {
		e.exhaust()
		return false
	}
	if s.literal == literalFalse {
		if !e.quiet() {
			e.out.add(s, "false", "is not allowed", "")
		}
		return false
	}
	if s.nullable && v.IsNull() {
		return true
	}
	e.depth++
	var ok bool
	if e.quiet() {
		ok = e.object(s, v)
	} else {
		mark := e.out.enter(s)
		ok = e.object(s, v)
		e.out.leave(mark)
	}
	e.depth--
	return ok
}

// silently applies a schema without reporting.
func (e *eval) silently(s *Schema, v *jsonvalue.Value) bool {
	out := e.out
	e.out = nil
	ok := e.check(s, v)
	if e.out = out; e.spent {
		e.exhaust()
	}
	return ok
}

// object applies the keywords of a schema object.
func (e *eval) object(s *Schema, v *jsonvalue.Value) bool {
	if s.types != 0 && !s.types.Has(typesOf(v)) {
		if !e.quiet() {
			e.out.typeFault(s, v)
		}
		return false // nothing else about a value of the wrong type is worth saying
	}
	ok := e.values(s, v)
	if !ok && e.quiet() {
		return false
	}
	switch v.Kind() {
	case jsonvalue.String:
		ok = (s.str == nil || e.text(s, s.str, v)) && ok
	case jsonvalue.Number:
		ok = (s.num == nil || e.number(s, s.num, v)) && ok
	case jsonvalue.Array:
		ok = (s.arr == nil || e.array(s, s.arr, v)) && ok
	case jsonvalue.Object:
		ok = (s.obj == nil || e.members(s, s.obj, v)) && ok
	}
	if !ok && e.quiet() {
		return false
	}
	if s.comb != nil {
		if ok = e.combine(s, s.comb, v) && ok; !ok && e.quiet() {
			return false
		}
	}
	return e.unevaluated(s, v) && ok
}

// combine applies the keywords that apply schemas to the same value.
func (e *eval) combine(s *Schema, a *applicators, v *jsonvalue.Value) bool {
	ok := a.ref == nil || e.check(a.ref, v)
	if !ok && e.quiet() {
		return false
	}
	for _, part := range a.allOf {
		if !e.check(part, v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	if a.anyOf != nil && !e.anyOf(s, a, v) {
		if ok = false; e.quiet() {
			return false
		}
	}
	if a.oneOf != nil && !e.oneOf(s, a, v) {
		if ok = false; e.quiet() {
			return false
		}
	}
	if a.not != nil && e.silently(a.not, v) {
		if ok = false; e.quiet() {
			return false
		}
		e.out.add(s, "not", "must not "+expectation(a.not), e.out.hint(s, v, ""))
	}
	if a.when != nil {
		branch := a.otherwise
		if e.silently(a.when, v) {
			branch = a.then
		}
		if !e.check(branch, v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	for i := range a.dependentSchemas {
		d := &a.dependentSchemas[i]
		if e.given(v, d.Name) && !e.check(d.Schema, v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	return ok
}

// present tells a given member from one that is missing or absent.
func present(v *jsonvalue.Value) bool { return v != nil && !v.IsAbsent() }

func (e *eval) anyOf(s *Schema, a *applicators, v *jsonvalue.Value) bool {
	for _, branch := range a.anyOf {
		if e.silently(branch, v) {
			return true
		}
	}
	if !e.quiet() {
		e.explain(s, "anyOf", a.anyOf, v)
	}
	return false
}

func (e *eval) oneOf(s *Schema, a *applicators, v *jsonvalue.Value) bool {
	matches := 0
	for _, branch := range a.oneOf {
		if e.silently(branch, v) {
			if matches++; a.several || matches == 2 && e.quiet() {
				break
			}
		}
	}
	if matches == 1 {
		return true
	}
	if e.quiet() {
		return false
	}
	if matches == 0 {
		e.explain(s, "oneOf", a.oneOf, v)
		return false
	}
	var matched []*Schema
	for _, branch := range a.oneOf {
		if e.silently(branch, v) {
			matched = append(matched, branch)
		}
	}
	e.out.add(s, "oneOf", "must not do more than one of these: "+listed(matched, "; "), e.out.hint(s, v, ""))
	return false
}
