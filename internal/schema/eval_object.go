package schema

import (
	"strconv"

	"patchbay/internal/jsonvalue"
)

// members checks the assertions on objects and goes into the members. Missing
// members are reported before wrong ones.
func (e *eval) members(s *Schema, r *objectRules, v *jsonvalue.Value) bool {
	ok := true
	if (r.minProperties >= 0 || r.maxProperties >= 0) && !e.memberCount(s, r, v) {
		if ok = false; e.quiet() {
			return false
		}
	}
	for _, name := range r.required {
		if !e.given(v, name) {
			if ok = false; e.quiet() {
				return false
			}
			e.out.missing(s, "required", name, "is required", v)
		}
	}
	for i := range r.dependentRequired {
		if !e.dependent(s, &r.dependentRequired[i], v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	if r.properties == nil && r.patterns == nil && r.additional == nil && r.names == nil {
		return ok
	}
	for i := range v.Elems() {
		m := &v.Elems()[i]
		if m.Value.IsAbsent() {
			continue
		}
		if !e.member(s, r, m, v) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	return ok
}

// given looks for a member; on large objects that costs steps.
func (e *eval) given(v *jsonvalue.Value, name string) bool {
	return e.spend(v.Len()/scanPerStep) && present(v.Get(name))
}

func (e *eval) memberCount(s *Schema, r *objectRules, v *jsonvalue.Value) bool {
	n := 0
	for i := range v.Elems() {
		if !v.Elems()[i].Value.IsAbsent() {
			n++
		}
	}
	ok := true
	if r.minProperties >= 0 && n < r.minProperties {
		if ok = false; e.quiet() {
			return false
		}
		e.out.sizeFault(s, "minProperties", r.minProperties, n)
	}
	if r.maxProperties >= 0 && n > r.maxProperties {
		if ok = false; e.quiet() {
			return false
		}
		e.out.sizeFault(s, "maxProperties", r.maxProperties, n)
	}
	return ok
}

func (e *eval) dependent(s *Schema, d *dependency, v *jsonvalue.Value) bool {
	if !e.given(v, d.name) {
		return true
	}
	ok := true
	for _, name := range d.needs {
		if !e.given(v, name) {
			if ok = false; e.quiet() {
				return false
			}
			e.out.missing(s, "dependentRequired", name, "is required when "+strconv.Quote(clip(d.name, maxShown))+" is given", v)
		}
	}
	return ok
}

// member checks one member of an object.
func (e *eval) member(s *Schema, r *objectRules, m *jsonvalue.Member, owner *jsonvalue.Value) bool {
	if e.quiet() {
		return e.named(s, r, m, owner)
	}
	mark := e.out.downToName(m.Name)
	ok := e.named(s, r, m, owner)
	e.out.up(mark)
	return ok
}

func (e *eval) named(s *Schema, r *objectRules, m *jsonvalue.Member, owner *jsonvalue.Value) bool {
	if !e.spend(1 + len(r.patterns)) {
		return false
	}
	ok, known := true, false
	if r.names != nil && !e.memberName(s, r.names, m.Name) {
		if ok = false; e.quiet() {
			return false
		}
	}
	if p := r.property(m.Name); p != nil {
		known = true
		if !e.check(p.Schema, &m.Value) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	for i := range r.patterns {
		p := &r.patterns[i]
		if !p.pattern.matches(m.Name) {
			continue
		}
		known = true
		if !e.check(p.schema, &m.Value) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	switch {
	case known || r.additional == nil:
		return ok
	case r.additional.isFalse():
		if !e.quiet() {
			e.out.unknown(s, "additionalProperties", m.Name, owner)
		}
		return false
	default:
		return e.check(r.additional, &m.Value) && ok
	}
}

// memberName checks a member's name as a string value.
func (e *eval) memberName(s, names *Schema, name string) bool {
	v := jsonvalue.StringOf(name)
	if e.silently(names, &v) {
		return true
	}
	if !e.quiet() {
		e.out.add(s, "propertyNames", "has a name that must "+expectation(names), "")
	}
	return false
}
