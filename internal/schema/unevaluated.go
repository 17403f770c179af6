package schema

import "patchbay/internal/jsonvalue"

// marks is the set of elements of one value that keywords have evaluated.
type marks struct {
	low  uint64
	rest []uint64
	all  bool
}

func (m *marks) set(i int) {
	if i < 64 {
		m.low |= 1 << i
		return
	}
	for word := i/64 - 1; word >= len(m.rest); {
		m.rest = append(m.rest, 0)
	}
	m.rest[i/64-1] |= 1 << (i % 64)
}

func (m *marks) has(i int) bool {
	switch {
	case m.all:
		return true
	case i < 64:
		return m.low>>i&1 == 1
	default:
		word := i/64 - 1
		return word < len(m.rest) && m.rest[word]>>(i%64)&1 == 1
	}
}

// unevaluated checks unevaluatedProperties and unevaluatedItems (JSON Schema
// 2020-12 core section 11). Which elements count as evaluated is found out
// here, by the few schemas that ask, so that no other schema keeps books.
func (e *eval) unevaluated(s *Schema, v *jsonvalue.Value) bool {
	var sub *Schema
	keyword := "unevaluatedProperties"
	switch {
	case v.Kind() == jsonvalue.Object && s.obj != nil:
		sub = s.obj.unevaluated
	case v.Kind() == jsonvalue.Array && s.arr != nil:
		sub, keyword = s.arr.unevaluated, "unevaluatedItems"
	}
	if sub == nil || sub.literal == literalTrue {
		return true
	}
	var seen marks
	e.mark(s, v, &seen, true)
	ok := true
	for i := range v.Elems() {
		m := &v.Elems()[i]
		if seen.has(i) || m.Value.IsAbsent() {
			continue
		}
		if !e.leftOver(s, sub, keyword, i, v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	return ok
}

// leftOver checks an element that no other keyword has evaluated.
func (e *eval) leftOver(s, sub *Schema, keyword string, i int, v *jsonvalue.Value) bool {
	m := &v.Elems()[i]
	if e.quiet() {
		return e.check(sub, &m.Value)
	}
	var mark place
	if v.Kind() == jsonvalue.Object {
		mark = e.out.downToName(m.Name)
	} else {
		mark = e.out.downTo(i)
	}
	ok := !sub.isFalse()
	switch {
	case ok:
		ok = e.check(sub, &m.Value)
	case v.Kind() == jsonvalue.Object:
		e.out.unknown(s, keyword, m.Name, v)
	default:
		e.out.add(s, keyword, "is not a known item", "")
	}
	e.out.up(mark)
	return ok
}

// mark adds the elements of v that s evaluates. The schema s is one that v
// satisfies, or, while reporting, one whose faults are reported: then its
// elements count as evaluated all the same, so that one fault does not make
// strangers of all the others.
func (e *eval) mark(s *Schema, v *jsonvalue.Value, seen *marks, outermost bool) {
	if s == nil || seen.all || e.spent || !e.spend(1) {
		return
	}
	if e.depth == maxDepth {
		e.exhaust()
		return
	}
	if s.literal != notLiteral {
		seen.all = seen.all || s.literal == literalUnknown
		return
	}
	e.depth++
	if v.Kind() == jsonvalue.Object && s.obj != nil {
		e.markMembers(s.obj, v, seen, outermost)
	} else if v.Kind() == jsonvalue.Array && s.arr != nil {
		e.markItems(s.arr, v, seen, outermost)
	}
	if s.comb != nil && !seen.all {
		e.markBranches(s.comb, v, seen)
	}
	e.depth--
}

func (e *eval) markMembers(r *objectRules, v *jsonvalue.Value, seen *marks, outermost bool) {
	if r.additional != nil || r.unevaluated != nil && !outermost {
		seen.all = true
		return
	}
	for i := range v.Elems() {
		name := v.Elems()[i].Name
		if seen.has(i) || !e.spend(1+len(r.patterns)) {
			continue
		}
		known := r.property(name) != nil
		for j := 0; j < len(r.patterns) && !known; j++ {
			known = r.patterns[j].pattern.matches(name)
		}
		if known {
			seen.set(i)
		}
	}
}

func (e *eval) markItems(r *arrayRules, v *jsonvalue.Value, seen *marks, outermost bool) {
	if r.items != nil || r.unevaluated != nil && !outermost {
		seen.all = true
		return
	}
	for i := range v.Elems() {
		if i < len(r.prefix) || r.contains != nil && e.silently(r.contains, v.Index(i)) {
			seen.set(i)
		}
	}
}

// markBranches follows the applicators whose schemas hold for v.
func (e *eval) markBranches(a *applicators, v *jsonvalue.Value, seen *marks) {
	e.mark(a.ref, v, seen, false)
	for _, part := range a.allOf {
		e.mark(part, v, seen, false)
	}
	e.markAlternatives(a.anyOf, v, seen)
	e.markAlternatives(a.oneOf, v, seen)
	if a.when != nil {
		if e.silently(a.when, v) {
			e.mark(a.when, v, seen, false)
			e.mark(a.then, v, seen, false)
		} else {
			e.mark(a.otherwise, v, seen, false)
		}
	}
	for i := range a.dependentSchemas {
		if d := &a.dependentSchemas[i]; e.given(v, d.Name) {
			e.mark(d.Schema, v, seen, false)
		}
	}
}

func (e *eval) markAlternatives(branches []*Schema, v *jsonvalue.Value, seen *marks) {
	found := false
	for _, branch := range branches {
		if e.silently(branch, v) {
			found = true
			e.mark(branch, v, seen, false)
		}
	}
	for i := 0; !found && i < len(branches); i++ {
		e.mark(branches[i], v, seen, false)
	}
}
