package contract

import (
	"cmp"
	"fmt"
	"slices"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/wire"
)

// field is a declared top-level member of a body, with what is needed to
// recognise and coerce it.
type field struct {
	name   string
	folded string
	types  types
}

// types are what a schema says about the types of a value and of its items,
// read once so that a request walks no schema.
type types struct {
	set schema.TypeSet
	// items is nil where nothing is known about them.
	items *types
}

// maxItems bounds how deep arrays within arrays are looked into.
const maxItems = 8

func typesOf(s *schema.Schema, depth int) types {
	t := types{set: s.Types()}
	if items := s.Items(); items != nil && depth < maxItems {
		inner := typesOf(items, depth+1)
		t.items = &inner
	}
	return t
}

// container reports whether only an object or array is admitted.
func (t *types) container() bool {
	return t.set.Has(schema.TypeObject|schema.TypeArray) && !t.set.Has(schema.TypeString)
}

// describe prepares what Normalize needs to know about the body's schema.
func (b *Body) describe() {
	if b.Schema == nil {
		return
	}
	for _, p := range b.Schema.Properties() {
		b.fields = append(b.fields, field{p.Name, diag.Fold(p.Name), typesOf(p.Schema, 0)})
	}
	// A form has no room for names that are not declared. Of a JSON body, and of
	// a form whose schema speaks about other names, the schema's own check says it.
	b.closed = b.MediaType == wire.MediaForm && len(b.fields) > 0 &&
		b.Schema.Additional() == nil && b.Schema.Raw().Get("patternProperties") == nil
}

// TwoSpellings is the keyword of the finding that a field is given under two
// spellings of its name.
const TwoSpellings = "names"

// Normalize brings a caller's body into the contract's terms, without judging
// its values. Names of top-level members are matched ignoring case, '-' and
// '_'; JSON text where an object or array is due is decoded, so that it is sent
// once; with textual, as for forms, scalars take the declared type. Members
// come out in the contract's order, so that the encoding is deterministic.
// Members of a form that are null are left out, as on the wire.
//
// What is wrong with the names themselves is reported; the value is usable
// all the same. A value that is not an object comes back as it is.
func (b *Body) Normalize(v *jsonvalue.Value, textual bool, report *schema.Report) jsonvalue.Value {
	if v.Kind() != jsonvalue.Object || !b.changes(v.Elems(), textual) {
		return *v
	}
	in := v.Elems()
	type placed struct {
		at     int
		member jsonvalue.Member
	}
	out := make([]placed, 0, len(in))
	given := make([]string, len(b.fields))
	for i := range in {
		m := in[i]
		if b.leftOut(&m.Value) {
			continue
		}
		at := b.match(m.Name)
		if at < 0 {
			if b.closed {
				report.Violations = append(report.Violations, b.unknown(m.Name))
			}
			out = append(out, placed{len(b.fields) + i, m})
			continue
		}
		f := &b.fields[at]
		if given[at] != "" {
			report.Violations = append(report.Violations, schema.Violation{
				Pointer: jsonvalue.Token(f.name), Keyword: TwoSpellings, Source: documented,
				Detail: fmt.Sprintf("is given twice, as %q and as %q", given[at], m.Name), Hint: fmt.Sprintf("keep %q", f.name),
			})
			continue
		}
		given[at] = m.Name
		out = append(out, placed{at, jsonvalue.Member{Name: f.name, Value: f.types.coerce(m.Value, textual)}})
	}
	slices.SortStableFunc(out, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	members := make([]jsonvalue.Member, len(out))
	for i := range out {
		members[i] = out[i].member
	}
	return jsonvalue.ObjectOf(members)
}

// changes reports whether normalizing would alter anything; well-formed bodies,
// which are the common case, are not copied.
func (b *Body) changes(in []jsonvalue.Member, textual bool) bool {
	next := 0
	for i := range in {
		v := &in[i].Value
		if b.leftOut(v) {
			return true
		}
		if len(b.fields) == 0 {
			continue
		}
		for next < len(b.fields) && b.fields[next].name != in[i].Name {
			next++
		}
		if next == len(b.fields) || textual || v.Kind() == jsonvalue.String && b.fields[next].types.container() {
			return true
		}
		next++
	}
	return false
}

// leftOut reports whether a member is not sent: a form has no null.
func (b *Body) leftOut(v *jsonvalue.Value) bool {
	return v.IsNull() && b.MediaType == wire.MediaForm
}

func (b *Body) match(name string) int {
	for i := range b.fields {
		if b.fields[i].name == name {
			return i
		}
	}
	folded, found := diag.Fold(name), -1
	for i := range b.fields {
		if b.fields[i].folded == folded {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

func (b *Body) unknown(name string) schema.Violation {
	names := make([]string, len(b.fields))
	for i := range b.fields {
		names[i] = b.fields[i].name
	}
	v := schema.Violation{Pointer: jsonvalue.Token(name), Keyword: "additionalProperties", Detail: "is not a known field", Source: documented}
	if near := diag.Nearest(name, names); near != "" {
		v.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return v
}

func (t *types) coerce(v jsonvalue.Value, textual bool) jsonvalue.Value {
	switch {
	case v.Kind() == jsonvalue.String && t.container():
		decoded := decodeText(v)
		switch {
		case textual && decoded.Kind() == jsonvalue.String:
			return t.scalar(v)
		case textual && decoded.Kind() == jsonvalue.Object && !t.set.Has(schema.TypeObject):
			// A form that says a list once means a list of one.
			return t.elements(jsonvalue.ArrayOf([]jsonvalue.Member{{Value: v}}))
		default:
			return decoded
		}
	case textual && v.Kind() == jsonvalue.Array:
		return t.elements(v)
	case textual:
		return t.scalar(v)
	default:
		return v
	}
}

// elements coerces what a form repeats.
func (t *types) elements(v jsonvalue.Value) jsonvalue.Value {
	if t.items == nil {
		return v
	}
	out := make([]jsonvalue.Member, v.Len())
	for i := range out {
		out[i].Value = t.items.coerce(v.Elems()[i].Value, true)
	}
	return jsonvalue.ArrayOf(out)
}

// decodeText reads JSON text. Text that was encoded twice, as some clients do,
// is read twice; text that is not a JSON container stays text, for the check
// to refuse.
func decodeText(v jsonvalue.Value) jsonvalue.Value {
	inner := v
	for range 2 {
		parsed, err := jsonvalue.ParseString(inner.Text())
		if err != nil {
			return v
		}
		switch parsed.Kind() {
		case jsonvalue.Object, jsonvalue.Array:
			return parsed
		case jsonvalue.String:
			inner = parsed
		default:
			return v
		}
	}
	return v
}

// Scalar gives a text the type that a schema declares, where it has that
// type's form; JSON text where only an object is due is read. Everything else is
// returned as it is. It is meant for values
// from paths, queries, headers and forms, which have no types of their own.
func Scalar(s *schema.Schema, v jsonvalue.Value) jsonvalue.Value {
	if s == nil || v.Kind() != jsonvalue.String && v.Kind() != jsonvalue.Array {
		return v
	}
	t := typesOf(s, 0)
	if v.Kind() == jsonvalue.String && t.set.Has(schema.TypeObject) && !t.set.Has(schema.TypeString|schema.TypeArray) {
		return decodeText(v)
	}
	return t.scalar(v)
}

func (t *types) scalar(v jsonvalue.Value) jsonvalue.Value {
	switch {
	case v.Kind() == jsonvalue.Array:
		return t.scalars(v)
	case v.Kind() != jsonvalue.String || t.set.Has(schema.TypeString):
		return v
	}
	if t.set.Has(schema.TypeInteger | schema.TypeNumber) {
		if n, ok := jsonvalue.NumberOf(v.Text()); ok {
			return n
		}
	}
	if t.set.Has(schema.TypeBoolean) && (v.Text() == "true" || v.Text() == "false") {
		return jsonvalue.BoolOf(v.Text() == "true")
	}
	if t.set.Has(schema.TypeArray) {
		return t.scalars(jsonvalue.ArrayOf([]jsonvalue.Member{{Value: v}}))
	}
	return v
}

func (t *types) scalars(v jsonvalue.Value) jsonvalue.Value {
	if t.items == nil {
		return v
	}
	out := make([]jsonvalue.Member, v.Len())
	for i := range out {
		out[i].Value = t.items.scalar(v.Elems()[i].Value)
	}
	return jsonvalue.ArrayOf(out)
}
