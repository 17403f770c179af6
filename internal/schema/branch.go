package schema

import (
	"strconv"

	"patchbay/internal/jsonvalue"
)

// explain reports why a value satisfies no branch of an anyOf or oneOf. When
// the value clearly means one branch, its faults are the faults; a property
// that tells the branches apart and holds none of their values is the fault;
// otherwise one violation sums up what was expected.
func (e *eval) explain(s *Schema, keyword string, branches []*Schema, v *jsonvalue.Value) {
	if d := s.comb.discriminator; d != nil {
		if tag := v.Get(d.property); tag != nil && tag.Kind() == jsonvalue.String {
			if i, ok := d.branches[tag.Text()]; ok && i < len(branches) && e.reported(branches[i], v) {
				return
			}
		}
	}
	var candidates []*Schema
	for _, b := range branches {
		if e.spend(1) && e.admitsType(b, v) {
			candidates = append(candidates, b)
		}
	}
	switch len(candidates) {
	case 0:
		var types TypeSet
		for _, b := range branches {
			types |= b.kinds()
		}
		if types != 0 {
			e.out.add(s, keyword, "must be "+types.String()+"; got "+kindNoun(v), e.out.hint(s, v, typeHint(types, v)))
			return
		}
	case 1:
		if e.reported(candidates[0], v) {
			return
		}
	default:
		if e.tellApart(s, keyword, candidates, v) {
			return
		}
	}
	e.summary(s, keyword, branches, v)
}

// reported reports the faults of one branch. It returns false when there was
// nothing to say.
func (e *eval) reported(branch *Schema, v *jsonvalue.Value) bool {
	before := len(e.out.report.Violations)
	e.check(branch, v)
	return len(e.out.report.Violations) > before || e.out.full
}

// admitsType reports whether the branch may be meant for values of this type.
func (e *eval) admitsType(b *Schema, v *jsonvalue.Value) bool {
	if b.isFalse() {
		return false
	}
	kinds := b.kinds()
	return kinds == 0 || kinds.Has(typesOf(v))
}

// kinds returns the types a schema admits, also by its enumerated values.
func (s *Schema) kinds() TypeSet {
	if t := s.Types(); t != 0 {
		return t
	}
	var kinds TypeSet
	for _, v := range s.Enum() {
		kinds |= typesOf(&v)
	}
	return kinds
}

// tellApart looks for properties with fixed values (a "type", say) by which
// the value means one branch, or none. It returns false when it reported nothing.
func (e *eval) tellApart(s *Schema, keyword string, candidates []*Schema, v *jsonvalue.Value) bool {
	if v.Kind() != jsonvalue.Object {
		return e.enumerated(s, keyword, candidates, v)
	}
	var fitting, meant []*Schema
	for _, b := range candidates {
		hits, misses := e.tags(b, v)
		if misses == 0 {
			fitting = append(fitting, b)
			if hits > 0 {
				meant = append(meant, b)
			}
		}
	}
	switch {
	case len(meant) == 1:
		return e.reported(meant[0], v)
	case len(fitting) == 1:
		return e.reported(fitting[0], v)
	case len(fitting) > 0:
		return false
	}
	for _, p := range candidates[0].Properties() {
		if e.wrongTag(s, keyword, p.Name, candidates, v) {
			return true
		}
	}
	return false
}

// tags counts the properties with fixed values that the value has right and wrong.
func (e *eval) tags(b *Schema, v *jsonvalue.Value) (hits, misses int) {
	for _, p := range b.Properties() {
		values := p.Schema.Enum()
		if values == nil || !e.given(v, p.Name) {
			continue
		}
		if e.contains(&valueSet{values: values}, v.Get(p.Name)) {
			hits++
		} else {
			misses++
		}
	}
	return hits, misses
}

// wrongTag reports a property that has fixed values in every candidate, none of which it holds.
func (e *eval) wrongTag(s *Schema, keyword, name string, candidates []*Schema, v *jsonvalue.Value) bool {
	given := v.Get(name)
	if !present(given) {
		return false
	}
	var all []jsonvalue.Value
	for _, b := range candidates {
		values := b.Property(name).Enum()
		if !e.spend(1) || values == nil || e.contains(&valueSet{values: values}, given) {
			return false
		}
		all = append(all, values...)
	}
	before := e.out.downToName(name)
	e.out.valueFault(s, keyword, &valueSet{values: e.distinct(all)}, given)
	e.out.up(before)
	return true
}

// enumerated reports a scalar of which every candidate enumerates the values.
func (e *eval) enumerated(s *Schema, keyword string, candidates []*Schema, v *jsonvalue.Value) bool {
	var all []jsonvalue.Value
	for _, b := range candidates {
		values := b.Enum()
		if values == nil {
			return false
		}
		all = append(all, values...)
	}
	e.out.valueFault(s, keyword, &valueSet{values: e.distinct(all)}, v)
	return true
}

func (e *eval) distinct(values []jsonvalue.Value) []jsonvalue.Value {
	set := &valueSet{}
	for i := range values {
		if !e.contains(set, &values[i]) {
			set.values = append(set.values, values[i])
		}
	}
	return set.values
}

// summary reports one violation for all branches.
func (e *eval) summary(s *Schema, keyword string, branches []*Schema, v *jsonvalue.Value) {
	detail := "must " + listed(branches, "; or ")
	if v.IsScalar() {
		detail += "; got " + shown(v)
	} else if v.Kind() == jsonvalue.Array {
		detail += "; got an array of " + strconv.Itoa(v.Len())
	}
	e.out.add(s, keyword, detail, e.out.hint(s, v, ""))
}
