package jsonpath

import "patchbay/internal/jsonvalue"

const (
	// maxDepth is how deep an evaluation recurses into values. Each filter may
	// start again from the root, so no parsed value ever reaches it.
	maxDepth = (MaxNesting + 2) * jsonvalue.MaxDepth
	// bytesPerStep is how much text is compared or counted for one step.
	bytesPerStep = 64
	// stepsPerInstruction is the price of compiling a pattern.
	stepsPerInstruction = 10
)

// run is the state of one evaluation.
type run struct {
	root     *jsonvalue.Value
	steps    int
	depth    int
	exceeded bool

	// The last pattern that came from the document: as a rule it is the same
	// for every value that a filter looks at.
	pattern      string
	patternWhole bool
	compiled     *matcher
}

// spend takes n steps off the budget and reports whether there were as many.
func (r *run) spend(n int) bool {
	if n > r.steps {
		r.steps = 0
		r.exceeded = true
		return false
	}
	r.steps -= n
	return true
}

// matcher compiles a pattern that is part of the document.
func (r *run) matcher(pattern string, whole bool) *matcher {
	if r.pattern == pattern && r.patternWhole == whole && pattern != "" {
		return r.compiled
	}
	if !r.spend(maxPattern) {
		return nil
	}
	m := compilePattern(pattern, whole)
	if m != nil && !r.spend(m.weight*stepsPerInstruction) {
		return nil
	}
	r.pattern, r.patternWhole, r.compiled = pattern, whole, m
	return m
}

// collector receives what a query selects.
type collector struct {
	nodes []*jsonvalue.Value
	count int
	// enough ends the query after that many values; 0 means all.
	enough int
	// keep stores the values instead of only counting them.
	keep bool
}

func (c *collector) add(v *jsonvalue.Value) bool {
	c.count++
	if c.keep {
		c.nodes = append(c.nodes, v)
	}
	return c.count != c.enough
}

// follow returns the value that a singular path selects, or nil, and the steps
// that finding it took.
func (p *Path) follow(root *jsonvalue.Value) (v *jsonvalue.Value, cost int) {
	v = root
	for i := range p.segments {
		s := &p.segments[i].selectors[0]
		cost += 1 + v.Len()/bytesPerStep
		if s.kind == byName {
			v = v.Get(s.name)
		} else {
			v = element(v, s.index)
		}
		if v == nil {
			break
		}
	}
	return v, cost
}

// element is [jsonvalue.Value.Index] for the full range of indexes of a path.
func element(v *jsonvalue.Value, i int64) *jsonvalue.Value {
	n := int64(v.Len())
	if i < -n || i >= n {
		return nil
	}
	return v.Index(int(i))
}

// visit applies the segments to a value, depth first, which yields the order
// of RFC 9535 without lists between the segments. It reports false when the
// collector has enough or the budget is spent.
func (r *run) visit(segments []segment, v *jsonvalue.Value, into *collector) bool {
	if len(segments) == 0 {
		return into.add(v)
	}
	if segments[0].descendant {
		return r.descend(segments, v, into)
	}
	return r.choose(segments, v, into)
}

// descend applies the first segment to a value and to all below it.
func (r *run) descend(segments []segment, v *jsonvalue.Value, into *collector) bool {
	if r.depth++; r.depth > maxDepth {
		r.exceeded = true
		return false
	}
	defer func() { r.depth-- }()
	if !r.spend(1+v.Len()) || !r.choose(segments, v, into) {
		return false
	}
	elems := v.Elems()
	for i := range elems {
		child := &elems[i].Value
		if child.Len() > 0 && !r.descend(segments, child, into) {
			return false
		}
	}
	return true
}

// choose applies the selectors of the first segment to the children of v, and
// the other segments to what they select.
func (r *run) choose(segments []segment, v *jsonvalue.Value, into *collector) bool {
	if v.Len() == 0 {
		return true
	}
	rest := segments[1:]
	for i := range segments[0].selectors {
		s := &segments[0].selectors[i]
		var next *jsonvalue.Value
		switch s.kind {
		case byName:
			if !r.spend(1 + v.Len()/bytesPerStep) {
				return false
			}
			next = v.Get(s.name)
		case byIndex:
			if !r.spend(1) {
				return false
			}
			next = element(v, s.index)
		case bySlice:
			if v.Kind() == jsonvalue.Array && !r.slice(s, rest, v.Elems(), into) {
				return false
			}
		default:
			if !r.children(s, rest, v.Elems(), into) {
				return false
			}
		}
		if next != nil && !r.visit(rest, next, into) {
			return false
		}
	}
	return true
}

// children applies a wildcard or a filter.
func (r *run) children(s *selector, rest []segment, elems []jsonvalue.Member, into *collector) bool {
	for i := range elems {
		child := &elems[i].Value
		if !r.spend(1) {
			return false
		}
		if s.kind == byFilter && !s.filter.holds(r, child) {
			continue
		}
		if r.exceeded || !r.visit(rest, child, into) {
			return false
		}
	}
	return true
}

// slice applies an array slice (RFC 9535 section 2.3.4.2).
func (r *run) slice(s *selector, rest []segment, elems []jsonvalue.Member, into *collector) bool {
	n, step := int64(len(elems)), s.step.or(1)
	var from, to int64
	switch {
	case step == 0:
		return true
	case step > 0:
		from = min(max(fromEnd(s.start.or(0), n), 0), n)
		to = min(max(fromEnd(s.end.or(n), n), 0), n)
	default:
		from = min(max(fromEnd(s.start.or(n-1), n), -1), n-1)
		to = min(max(fromEnd(s.end.or(-n-1), n), -1), n-1)
	}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if !r.spend(1) || !r.visit(rest, &elems[i].Value, into) {
			return false
		}
	}
	return true
}

func fromEnd(i, n int64) int64 {
	if i < 0 {
		return i + n
	}
	return i
}
