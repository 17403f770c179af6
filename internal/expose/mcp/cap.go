package mcp

import (
	"fmt"
	"strings"

	"patchbay/internal/jsonvalue"
)

// cut makes an answer fit into a number of bytes by leaving out elements at the
// end of its largest arrays; everything else stays whole. It returns the value
// that fits, and what was left out; nothing is cut where that cannot help.
func cut(v *jsonvalue.Value, limit int) (jsonvalue.Value, []omission) {
	size := len(v.Append(nil))
	if size <= limit {
		return *v, nil
	}
	var all []arrayAt
	arrays(v, "", 0, &all)
	out, omitted := *v, []omission(nil)
	for size > limit && len(all) > 0 {
		largest := 0
		for i := range all {
			if all[i].size > all[largest].size {
				largest = i
			}
		}
		a := all[largest]
		all = append(all[:largest], all[largest+1:]...)
		keep := a.fitting(size - limit)
		if keep == a.value.Len() {
			continue
		}
		omitted = append(omitted, omission{Pointer: a.pointer, Kept: keep, Total: a.value.Len()})
		kept := jsonvalue.ArrayOf(a.value.Elems()[:keep:keep])
		out = replaced(&out, a.pointer, kept)
		size -= a.size - len(kept.Append(nil))
		// Arrays inside of the one that was cut may be gone.
		rest := all[:0]
		for _, other := range all {
			if !strings.HasPrefix(other.pointer, a.pointer+"/") {
				rest = append(rest, other)
			}
		}
		all = rest
	}
	return out, omitted
}

// omission says which elements of an array were left out.
type omission struct {
	Pointer     string
	Kept, Total int
}

func (o omission) String() string {
	where := o.Pointer
	if where == "" {
		where = "the answer"
	}
	return fmt.Sprintf("%s shows the first %d of %d elements", where, o.Kept, o.Total)
}

type arrayAt struct {
	pointer string
	value   *jsonvalue.Value
	size    int
}

// fitting is how many elements stay when at least excess bytes have to go.
func (a *arrayAt) fitting(excess int) int {
	keep := a.value.Len()
	for keep > 0 && excess > 0 {
		keep--
		excess -= len(a.value.Elems()[keep].Value.Append(nil)) + 1
	}
	return keep
}

// maxArrays bounds the arrays that are considered, maxArrayDepth how deep they
// are looked for.
const (
	maxArrays     = 1000
	maxArrayDepth = 8
)

func arrays(v *jsonvalue.Value, pointer string, depth int, out *[]arrayAt) {
	if depth > maxArrayDepth || len(*out) >= maxArrays {
		return
	}
	switch v.Kind() {
	case jsonvalue.Array:
		if v.Len() > 0 {
			*out = append(*out, arrayAt{pointer, v, len(v.Append(nil))})
		}
	case jsonvalue.Object:
		for i := range v.Elems() {
			m := &v.Elems()[i]
			arrays(&m.Value, pointer+"/"+strings.ReplaceAll(strings.ReplaceAll(m.Name, "~", "~0"), "/", "~1"), depth+1, out)
		}
	}
}

// replaced is v with another value at a pointer through objects.
func replaced(v *jsonvalue.Value, pointer string, with jsonvalue.Value) jsonvalue.Value {
	if pointer == "" {
		return with
	}
	name, rest, deeper := strings.Cut(pointer[1:], "/")
	if deeper {
		rest = "/" + rest
	}
	name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
	members := append([]jsonvalue.Member(nil), v.Elems()...)
	for i := range members {
		if members[i].Name == name {
			members[i].Value = replaced(&members[i].Value, rest, with)
		}
	}
	return jsonvalue.ObjectOf(members)
}
