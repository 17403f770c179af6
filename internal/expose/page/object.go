package page

import "patchbay/internal/jsonvalue"

// object is a JSON object in the making; its members keep their order.
type object []jsonvalue.Member

// put appends a member.
func (o *object) put(name string, v jsonvalue.Value) {
	*o = append(*o, jsonvalue.Member{Name: name, Value: v})
}

// text appends a string, unless it is empty.
func (o *object) text(name, s string) {
	if s != "" {
		o.put(name, jsonvalue.StringOf(s))
	}
}

// object appends an object.
func (o *object) object(name string, members object) {
	o.put(name, members.value())
}

func (o *object) value() jsonvalue.Value { return jsonvalue.ObjectOf(*o) }

// set puts a member in place of the one of the same name, if there is one.
func (o *object) set(name string, v jsonvalue.Value) {
	for i := range *o {
		if (*o)[i].Name == name {
			(*o)[i].Value = v
			return
		}
	}
	o.put(name, v)
}

func list(values ...jsonvalue.Value) jsonvalue.Value {
	elems := make([]jsonvalue.Member, len(values))
	for i, v := range values {
		elems[i].Value = v
	}
	return jsonvalue.ArrayOf(elems)
}

func texts(strings ...string) jsonvalue.Value {
	elems := make([]jsonvalue.Member, len(strings))
	for i, s := range strings {
		elems[i].Value = jsonvalue.StringOf(s)
	}
	return jsonvalue.ArrayOf(elems)
}

// isEmpty reports whether a schema says nothing.
func isEmpty(v *jsonvalue.Value) bool {
	return v.IsAbsent() || v.Kind() == jsonvalue.Object && v.Len() == 0
}
