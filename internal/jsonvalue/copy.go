package jsonvalue

import "strings"

// Copier copies values out of a text, so that a few kept parts of a large
// document do not keep all of it in memory: strings of a parsed value are
// slices of one copy of the text, and its elements lie in one array. Texts that
// occur again, such as keywords and names, are stored once. The zero Copier is
// ready to use; it must not be used concurrently.
type Copier struct {
	texts map[string]string
}

// maxInterned is the length, in bytes, up to which texts are looked for among
// those already copied; long ones are rarely the same.
const maxInterned = 128

// Text returns a copy of a text.
func (c *Copier) Text(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > maxInterned {
		return strings.Clone(s)
	}
	if known, ok := c.texts[s]; ok {
		return known
	}
	if c.texts == nil {
		c.texts = make(map[string]string)
	}
	s = strings.Clone(s)
	c.texts[s] = s
	return s
}

// Value returns a copy of a value that shares nothing with it.
func (c *Copier) Value(v *Value) Value {
	arena := make([]Member, v.Size()-1)
	return c.value(v, &arena)
}

// Size counts a value and everything below it.
func (v *Value) Size() int {
	n := 1
	for i := range v.elems {
		n += v.elems[i].Value.Size()
	}
	return n
}

func (c *Copier) value(v *Value, arena *[]Member) Value {
	out := Value{kind: v.kind, text: c.Text(v.text)}
	if v.elems == nil {
		return out
	}
	n := len(v.elems)
	out.elems, *arena = (*arena)[:n:n], (*arena)[n:]
	for i := range v.elems {
		m := &v.elems[i]
		out.elems[i] = Member{Name: c.Text(m.Name), Value: c.value(&m.Value, arena)}
	}
	return out
}
