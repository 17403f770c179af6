package mcp

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// cut makes an answer fit into a number of bytes by leaving out elements at the
// end of its largest arrays; everything else stays whole. It returns the value
// that fits, and what was left out; nothing is cut where that cannot help.
func cut(v *jsonvalue.Value, limit int) (jsonvalue.Value, []omission) {
	var c cutter
	out := c.shrink(v, len(v.Append(nil)), limit, "", 0)
	return out, c.omitted
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

// maxCutDepth bounds how deep arrays are looked for.
const maxCutDepth = 16

type cutter struct{ omitted []omission }

// shrink returns v in at most limit bytes, or as short as leaving out elements
// makes it. size is v's own length in bytes.
func (c *cutter) shrink(v *jsonvalue.Value, size, limit int, pointer string, depth int) jsonvalue.Value {
	if size <= limit || depth > maxCutDepth {
		return *v
	}
	switch v.Kind() {
	case jsonvalue.Array:
		return c.array(v, limit, pointer, depth)
	case jsonvalue.Object:
		return c.object(v, size, limit, pointer, depth)
	default:
		return *v
	}
}

// array keeps the elements at the beginning that fit. Where not even the first
// one does, it is shortened itself, if that helps.
func (c *cutter) array(v *jsonvalue.Value, limit int, pointer string, depth int) jsonvalue.Value {
	elems := v.Elems()
	if len(elems) == 0 {
		return *v
	}
	kept, size := 0, len("[]")
	for i := range elems {
		size += len(elems[i].Value.Append(nil))
		if size > limit {
			break
		}
		kept++
		size += len(",")
	}
	short := elems[:kept:kept]
	if kept == 0 {
		before := len(c.omitted)
		first := &elems[0].Value
		only := c.shrink(first, len(first.Append(nil)), limit-len("[]"), pointer+"/0", depth+1)
		if len(only.Append(nil))+len("[]") <= limit {
			short = []jsonvalue.Member{{Value: only}}
		} else {
			c.omitted = c.omitted[:before]
		}
	}
	if len(short) < len(elems) {
		c.omitted = append(c.omitted, omission{Pointer: pointer, Kept: len(short), Total: len(elems)})
	}
	return jsonvalue.ArrayOf(short)
}

// object shortens its longest members until it fits.
func (c *cutter) object(v *jsonvalue.Value, size, limit int, pointer string, depth int) jsonvalue.Value {
	type sized struct{ at, size int }
	var order []sized
	members := slices.Clone(v.Elems())
	for i := range members {
		if kind := members[i].Value.Kind(); kind == jsonvalue.Array || kind == jsonvalue.Object {
			order = append(order, sized{i, len(members[i].Value.Append(nil))})
		}
	}
	slices.SortStableFunc(order, func(a, b sized) int { return cmp.Compare(b.size, a.size) })
	for _, o := range order {
		if size <= limit {
			break
		}
		m := &members[o.at]
		short := c.shrink(&m.Value, o.size, max(len("[]"), o.size-(size-limit)), pointer+jsonvalue.Token(m.Name), depth+1)
		size -= o.size - len(short.Append(nil))
		m.Value = short
	}
	return jsonvalue.ObjectOf(members)
}

// cutText shortens text to a number of bytes, at the end of a line where one
// ends in its second half. It says how much is left, or "" where all is.
func cutText(text string, limit int) (short, note string) {
	if len(text) <= limit {
		return text, ""
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if line := strings.LastIndexByte(text[:end], '\n'); line >= end/2 {
		end = line + 1
	}
	return text[:end], "the text shows the first " + strconv.Itoa(end) + " of " + strconv.Itoa(len(text)) + " bytes"
}
