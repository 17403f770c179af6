package schema

import (
	"hash/maphash"
	"slices"

	"patchbay/internal/jsonvalue"
)

// equal reports whether two values are the same JSON value: numbers by their
// exact value, objects without regard to order. It is not [jsonvalue.Equal],
// which compares numbers beyond 64 bits as doubles and knows no budget.
func (e *eval) equal(a, b *jsonvalue.Value) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() || !e.spend(1) {
		return false
	}
	switch a.Kind() {
	case jsonvalue.Number:
		if a.Text() == b.Text() {
			return true
		}
		x, y := decimalOf(a.Text()), decimalOf(b.Text())
		return x.compare(&y) == 0
	case jsonvalue.Array:
		x, y := a.Elems(), b.Elems()
		for i := range x {
			if !e.equal(&x[i].Value, &y[i].Value) {
				return false
			}
		}
		return true
	case jsonvalue.Object:
		x, y := a.Elems(), b.Elems()
		for i := range x {
			other := &y[i].Value
			if y[i].Name != x[i].Name {
				if other = b.Get(x[i].Name); other == nil || !e.spend(1+len(y)/scanPerStep) {
					return false
				}
			}
			if !e.equal(&x[i].Value, other) {
				return false
			}
		}
		return true
	default:
		return a.Text() == b.Text()
	}
}

// hash returns the same number for equal values.
func (e *eval) hash(h *maphash.Hash, v *jsonvalue.Value) uint64 {
	e.spend(1)
	h.Reset()
	switch v.Kind() {
	case jsonvalue.Number:
		hashNumber(h, v.Text())
	case jsonvalue.Array:
		sum := uint64(jsonvalue.Array)
		for i := range v.Elems() {
			sum = sum*31 + e.hash(h, &v.Elems()[i].Value)
		}
		return sum
	case jsonvalue.Object:
		sum := uint64(jsonvalue.Object)
		for i := range v.Elems() {
			m := &v.Elems()[i]
			value := e.hash(h, &m.Value)
			h.Reset()
			_, _ = h.WriteString(m.Name)
			sum += h.Sum64() ^ value*31
		}
		return sum
	default:
		_ = h.WriteByte(byte(v.Kind()))
		_, _ = h.WriteString(v.Text())
	}
	return h.Sum64()
}

func hashNumber(h *maphash.Hash, literal string) {
	d := decimalOf(literal)
	_ = h.WriteByte(byte(jsonvalue.Number))
	if d.neg {
		_ = h.WriteByte('-')
	}
	_, _ = h.WriteString(d.a)
	_, _ = h.WriteString(d.b)
	for x := uint64(d.exp); x > 0; x >>= 8 {
		_ = h.WriteByte(byte(x))
	}
}

// valueSet is what enum and const admit.
type valueSet struct {
	values  []jsonvalue.Value
	strings map[string]struct{} // the strings among many values, otherwise nil
}

func newValueSet(values []jsonvalue.Value) *valueSet {
	set := &valueSet{values: values}
	if len(values) <= indexFrom {
		return set
	}
	set.strings = make(map[string]struct{}, len(values))
	for i := range values {
		if values[i].Kind() == jsonvalue.String {
			set.strings[values[i].Text()] = struct{}{}
		}
	}
	return set
}

func (e *eval) contains(set *valueSet, v *jsonvalue.Value) bool {
	if set.strings != nil && v.Kind() == jsonvalue.String {
		_, ok := set.strings[v.Text()]
		return ok
	}
	if !e.spend(len(set.values) / scanPerStep) {
		return false
	}
	for i := range set.values {
		if e.equal(&set.values[i], v) {
			return true
		}
	}
	return false
}

// pairwise is the array length up to which comparing all pairs beats a table.
const pairwise = 16

// twins calls found for each element that equals an earlier one, with the
// index of that one, until it returns false.
func (e *eval) twins(elems []jsonvalue.Member, found func(first, second int) bool) {
	if len(elems) <= pairwise {
		for j := range elems {
			for i := range j {
				if e.equal(&elems[i].Value, &elems[j].Value) {
					if !found(i, j) {
						return
					}
					break
				}
			}
		}
		return
	}
	var h maphash.Hash
	table := make([]hashed, len(elems))
	for i := range elems {
		table[i] = hashed{e.hash(&h, &elems[i].Value), i}
	}
	slices.SortFunc(table, hashed.compare)
	for lo := 0; lo < len(table); {
		hi := lo + 1
		for ; hi < len(table) && table[hi].hash == table[lo].hash; hi++ {
			for k := lo; k < hi; k++ {
				i, j := table[k].index, table[hi].index
				if e.equal(&elems[i].Value, &elems[j].Value) {
					if !found(i, j) {
						return
					}
					break
				}
			}
		}
		lo = hi
	}
}

type hashed struct {
	hash  uint64
	index int
}

func (h hashed) compare(o hashed) int {
	switch {
	case h.hash != o.hash:
		return sign(h.hash < o.hash)
	default:
		return h.index - o.index
	}
}
