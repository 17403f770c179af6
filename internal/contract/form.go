package contract

import (
	"slices"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
)

// FormFields prepares a body for a form. An array repeats its key where the
// schema speaks of a list; in a field that may be anything, or is an object, it is
// JSON text like everything else with a structure: Twilio's Rules and Actions
// are such fields. Fields that the schema does not know repeat their key.
//
// It is meant for values that came as JSON. A caller's form says itself what is
// repeated.
func (b *Body) FormFields(v jsonvalue.Value) jsonvalue.Value {
	members := v.Elems()
	at := slices.IndexFunc(members, b.isJSONText)
	if at < 0 {
		return v
	}
	members = slices.Clone(members)
	for i := at; i < len(members); i++ {
		if m := &members[i]; b.isJSONText(*m) {
			m.Value = jsonvalue.StringOf(string(m.Value.Append(nil)))
		}
	}
	return jsonvalue.ObjectOf(members)
}

// isJSONText reports whether a member is an array that is one field of a form.
func (b *Body) isJSONText(m jsonvalue.Member) bool {
	if m.Value.Kind() != jsonvalue.Array {
		return false
	}
	at := slices.IndexFunc(b.fields, func(f field) bool { return f.name == m.Name })
	return at >= 0 && !b.fields[at].types.list()
}

// list reports whether the schema means a list where it is given an array. What
// states no type could be anything, and what can be an object is JSON text.
func (t *types) list() bool {
	stated := t.set &^ schema.TypeNull
	return stated.Has(schema.TypeArray) || t.items != nil || stated != 0 && !stated.Has(schema.TypeObject)
}
