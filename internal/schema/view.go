package schema

import "patchbay/internal/jsonvalue"

// The accessors below read a schema the way its reader means it: what the
// schema object does not state itself is looked for behind its $ref, then in
// its allOf, and, where all but one alternative of an anyOf or oneOf admit
// only null, in the remaining one. The first that states a fact decides.

// Bounds of one accessor: the schemas it looks at, and the properties it
// gathers from several of them.
const (
	maxVisits = 1024
	maxMerged = 10_000
)

// walk calls visit for the schema and those it includes until it returns false.
func (s *Schema) walk(left *int, visit func(*Schema) bool) bool {
	if s == nil || *left == 0 {
		return true
	}
	*left--
	if !visit(s) {
		return false
	}
	a := s.comb
	if a == nil {
		return true
	}
	if !a.ref.walk(left, visit) {
		return false
	}
	for _, part := range a.allOf {
		if !part.walk(left, visit) {
			return false
		}
	}
	if only := onlyBranch(a.anyOf); only != nil && !only.walk(left, visit) {
		return false
	}
	if only := onlyBranch(a.oneOf); only != nil && !only.walk(left, visit) {
		return false
	}
	return true
}

// onlyBranch returns the one alternative beside null, if there is just one.
func onlyBranch(branches []*Schema) *Schema {
	var only *Schema
	for _, b := range branches {
		if b != nil && b.types == TypeNull {
			continue
		}
		if only != nil {
			return nil
		}
		only = b
	}
	return only
}

func (s *Schema) each(visit func(*Schema) bool) {
	left := maxVisits
	s.walk(&left, visit)
}

// fact returns the value of a keyword, or nil.
func (s *Schema) fact(keyword string) *jsonvalue.Value {
	var found *jsonvalue.Value
	s.each(func(part *Schema) bool {
		found = part.raw.Get(keyword)
		return found == nil
	})
	return found
}

func (s *Schema) text(keyword string) string {
	if v := s.fact(keyword); v != nil && v.Kind() == jsonvalue.String {
		return v.Text()
	}
	return ""
}

func (s *Schema) flag(keyword string) bool {
	v := s.fact(keyword)
	return v != nil && v.Bool()
}

// Raw returns the schema as it was written, which must not be changed.
func (s *Schema) Raw() *jsonvalue.Value {
	if s == nil {
		return nil
	}
	return s.raw
}

// Source returns where the rules of this schema object come from.
func (s *Schema) Source() string {
	if s == nil {
		return ""
	}
	return s.source
}

// Types returns the stated types, null among them where OpenAPI 3.0 says
// nullable; the empty set when none are stated. Types that only the
// alternatives of an anyOf or oneOf state are taken together when each states some.
func (s *Schema) Types() TypeSet {
	left := maxVisits
	return s.stated(&left)
}

// stated is Types within what is left of the visits of the outermost call,
// so that alternatives within alternatives cannot multiply.
func (s *Schema) stated(left *int) TypeSet {
	var types, null TypeSet
	s.walk(left, func(part *Schema) bool {
		if part.nullable {
			null = TypeNull
		}
		if types = part.types; types != 0 {
			return false
		}
		if a := part.comb; a != nil {
			if types = unionOf(a.anyOf, left); types == 0 {
				types = unionOf(a.oneOf, left)
			}
		}
		return types == 0
	})
	if types == 0 {
		return 0
	}
	return types | null
}

func unionOf(branches []*Schema, left *int) TypeSet {
	var union TypeSet
	for _, b := range branches {
		t := b.stated(left)
		if t == 0 {
			return 0
		}
		union |= t
	}
	return union
}

// Properties returns the declared members in their order. The slice must not
// be changed.
func (s *Schema) Properties() []Property {
	var first, merged []Property
	var known map[string]struct{}
	add := func(list []Property) {
		for i := range list {
			if _, ok := known[list[i].Name]; !ok && len(merged) < maxMerged {
				known[list[i].Name] = struct{}{}
				merged = append(merged, list[i])
			}
		}
	}
	s.each(func(part *Schema) bool {
		switch {
		case part.obj == nil || len(part.obj.properties) == 0:
		case first == nil:
			first = part.obj.properties
		default:
			if merged == nil {
				known = make(map[string]struct{}, len(first)+len(part.obj.properties))
				add(first)
			}
			add(part.obj.properties)
		}
		return len(merged) < maxMerged
	})
	if merged != nil {
		return merged
	}
	return first
}

// owner returns the schema object that declares a member first.
func (s *Schema) owner(name string) *Schema {
	var owner *Schema
	s.each(func(part *Schema) bool {
		if part.obj != nil && part.obj.property(name) != nil {
			owner = part
		}
		return owner == nil
	})
	return owner
}

// Property returns the schema declared for a member, or nil. It does not allocate.
func (s *Schema) Property(name string) *Schema {
	if owner := s.owner(name); owner != nil {
		return owner.obj.property(name).Schema
	}
	return nil
}

// Required reports whether the schema demands the member of every object,
// that is, not only under a condition.
func (s *Schema) Required(name string) bool {
	found := false
	s.each(func(part *Schema) bool {
		if part.obj != nil {
			for _, n := range part.obj.required {
				found = found || n == name
			}
		}
		return !found
	})
	return found
}

// Items returns the schema of the items of an array (those beyond prefixItems), or nil.
func (s *Schema) Items() *Schema {
	var items *Schema
	s.each(func(part *Schema) bool {
		if part.arr != nil {
			items = part.arr.items
		}
		return items == nil
	})
	return items
}

// Enum returns the admitted values where they are enumerated; a const is an
// enumeration of one. The slice must not be changed.
func (s *Schema) Enum() []jsonvalue.Value {
	var values []jsonvalue.Value
	s.each(func(part *Schema) bool {
		switch {
		case part.constant != nil:
			values = part.constant.values
		case part.enum != nil:
			values = part.enum.values
		}
		return values == nil
	})
	return values
}

// Additional returns the schema of members that are not declared, or nil when
// none is stated; see [Schema.AdditionalAllowed].
func (s *Schema) Additional() *Schema {
	var additional *Schema
	s.each(func(part *Schema) bool {
		if part.obj != nil {
			if additional = part.obj.additional; additional == nil {
				additional = part.obj.unevaluated
			}
		}
		return additional == nil
	})
	return additional
}

// AdditionalAllowed reports whether an object may have members that are not declared.
func (s *Schema) AdditionalAllowed() bool {
	allowed := true
	s.each(func(part *Schema) bool {
		if o := part.obj; o != nil {
			allowed = !o.additional.isFalse() && !o.unevaluated.isFalse()
		}
		return allowed
	})
	return allowed
}

func (s *Schema) isFalse() bool { return s != nil && s.literal == literalFalse }

// Default returns the value of the default keyword, or nil.
func (s *Schema) Default() *jsonvalue.Value { return s.fact("default") }

// Format returns the format, asserted or not, or "".
func (s *Schema) Format() string { return s.text("format") }

// Title returns the title, or "".
func (s *Schema) Title() string { return s.text("title") }

// Description returns the description, or "".
func (s *Schema) Description() string { return s.text("description") }

// ReadOnly reports whether the value is the provider's to set.
func (s *Schema) ReadOnly() bool { return s.flag("readOnly") }

// WriteOnly reports whether the value never occurs in responses.
func (s *Schema) WriteOnly() bool { return s.flag("writeOnly") }

// Deprecated reports whether the value should no longer be given.
func (s *Schema) Deprecated() bool { return s.flag("deprecated") }
