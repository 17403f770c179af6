package jsonpath

import "patchbay/internal/jsonvalue"

// equal is [jsonvalue.Equal] within the budget of the run. Two absent values
// are equal, and differ from every other (RFC 9535 section 2.3.5.2.2).
func equal(r *run, a, b *jsonvalue.Value) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	if a.Kind() == jsonvalue.Array || a.Kind() == jsonvalue.Object {
		return equalElems(r, a, b)
	}
	return r.spendText(a, b) && jsonvalue.Equal(a, b)
}

func equalElems(r *run, a, b *jsonvalue.Value) bool {
	if r.depth++; r.depth > maxDepth {
		r.exceeded = true
		return false
	}
	defer func() { r.depth-- }()
	mine, others := a.Elems(), b.Elems()
	for i := range mine {
		other := &others[i].Value
		cost := 1
		if a.Kind() == jsonvalue.Object && mine[i].Name != others[i].Name {
			cost += b.Len()
			if other = b.Get(mine[i].Name); other == nil {
				return false
			}
		}
		if !r.spend(cost) || !equal(r, &mine[i].Value, other) {
			return false
		}
	}
	return true
}

// spendText pays for looking at the texts of two scalars.
func (r *run) spendText(a, b *jsonvalue.Value) bool {
	return r.spend((len(a.Text()) + len(b.Text())) / bytesPerStep)
}

// less orders numbers by value and strings by code points; no other values
// have an order.
func less(r *run, a, b *jsonvalue.Value) bool {
	if a.Kind() != b.Kind() || !r.spendText(a, b) {
		return false
	}
	switch a.Kind() {
	case jsonvalue.String:
		return a.Text() < b.Text()
	case jsonvalue.Number:
		x, okX := a.Int()
		y, okY := b.Int()
		if okX && okY {
			return x < y
		}
		f, _ := a.Float()
		g, _ := b.Float()
		return f < g
	default:
		return false
	}
}
