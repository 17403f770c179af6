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
	schema *schema.Schema
}

func fields(s *schema.Schema) []field {
	if s == nil {
		return nil
	}
	var out []field
	for _, p := range s.Properties() {
		out = append(out, field{p.Name, diag.Fold(p.Name), p.Schema})
	}
	return out
}

// Normalize brings a caller's body into the contract's terms, without judging
// its values. Names of top-level members are matched ignoring case and '_';
// JSON text where an object or array is due is decoded, so that it is sent
// once; with textual, as for forms, scalars take the declared type. Members
// come out in the contract's order, so that the encoding is deterministic.
//
// What is wrong with the names themselves is reported; the value is usable
// all the same. A value that is not an object comes back as it is.
func (b *Body) Normalize(v *jsonvalue.Value, textual bool, report *schema.Report) jsonvalue.Value {
	if v.Kind() != jsonvalue.Object || len(b.fields) == 0 {
		return *v
	}
	in := v.Elems()
	if !b.changes(in, textual) {
		return *v
	}
	type placed struct {
		at     int
		member jsonvalue.Member
	}
	out := make([]placed, 0, len(in))
	given := make([]string, len(b.fields))
	for i := range in {
		m := in[i]
		at := b.match(m.Name)
		if at < 0 {
			if b.closed() {
				report.Violations = append(report.Violations, b.unknown(m.Name))
			}
			out = append(out, placed{len(b.fields) + i, m})
			continue
		}
		f := &b.fields[at]
		if given[at] != "" {
			report.Violations = append(report.Violations, schema.Violation{
				Pointer: "/" + escapePointer(f.name), Keyword: "names", Source: documented,
				Detail: fmt.Sprintf("is given twice, as %q and as %q", given[at], m.Name), Hint: fmt.Sprintf("keep %q", f.name),
			})
			continue
		}
		given[at] = m.Name
		out = append(out, placed{at, jsonvalue.Member{Name: f.name, Value: coerce(f.schema, m.Value, textual)}})
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
	last := -1
	for i := range in {
		at := b.exact(in[i].Name)
		if at <= last || textual || needsCoercion(b.fields[at].schema, &in[i].Value) {
			return true
		}
		last = at
	}
	return false
}

func (b *Body) exact(name string) int {
	for i := range b.fields {
		if b.fields[i].name == name {
			return i
		}
	}
	return -1
}

func (b *Body) match(name string) int {
	if at := b.exact(name); at >= 0 {
		return at
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

// closed reports whether a name that is not declared is a mistake: a form has
// no room for anything else, a JSON body only where its schema says so, which
// the schema's own check reports.
func (b *Body) closed() bool { return b.MediaType == wire.MediaForm && b.Schema.AdditionalAllowed() }

func (b *Body) unknown(name string) schema.Violation {
	names := make([]string, len(b.fields))
	for i := range b.fields {
		names[i] = b.fields[i].name
	}
	v := schema.Violation{Pointer: "/" + escapePointer(name), Keyword: "additionalProperties", Detail: "is not a known field", Source: documented}
	if near := diag.Nearest(name, names); near != "" {
		v.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return v
}

// needsCoercion reports whether JSON text stands where a container is due.
func needsCoercion(s *schema.Schema, v *jsonvalue.Value) bool {
	return v.Kind() == jsonvalue.String && container(s)
}

// container reports whether only an object or array is admitted.
func container(s *schema.Schema) bool {
	t := s.Types()
	return t.Has(schema.TypeObject|schema.TypeArray) && !t.Has(schema.TypeString)
}

func coerce(s *schema.Schema, v jsonvalue.Value, textual bool) jsonvalue.Value {
	switch {
	case v.Kind() == jsonvalue.String && container(s):
		return decodeText(v)
	case textual:
		return Scalar(s, v)
	default:
		return v
	}
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
// type's form; everything else is returned as it is. It is meant for values
// from paths, queries, headers and forms, which have no types of their own.
func Scalar(s *schema.Schema, v jsonvalue.Value) jsonvalue.Value {
	if s == nil {
		return v
	}
	types := s.Types()
	if v.Kind() == jsonvalue.Array {
		return scalars(s.Items(), v)
	}
	if v.Kind() != jsonvalue.String || types.Has(schema.TypeString) {
		return v
	}
	if types.Has(schema.TypeInteger | schema.TypeNumber) {
		if n, ok := jsonvalue.NumberOf(v.Text()); ok {
			return n
		}
	}
	if types.Has(schema.TypeBoolean) && (v.Text() == "true" || v.Text() == "false") {
		return jsonvalue.BoolOf(v.Text() == "true")
	}
	if types.Has(schema.TypeArray) {
		one := jsonvalue.ArrayOf([]jsonvalue.Member{{Value: v}})
		return scalars(s.Items(), one)
	}
	return v
}

func scalars(items *schema.Schema, v jsonvalue.Value) jsonvalue.Value {
	if items == nil {
		return v
	}
	out := make([]jsonvalue.Member, v.Len())
	for i := range out {
		out[i].Value = Scalar(items, v.Elems()[i].Value)
	}
	return jsonvalue.ArrayOf(out)
}
