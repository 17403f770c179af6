package schema

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// values checks enum and const.
func (e *eval) values(s *Schema, v *jsonvalue.Value) bool {
	ok := true
	if s.constant != nil && !e.contains(s.constant, v) {
		if e.quiet() {
			return false
		}
		ok = false
		e.out.valueFault(s, "const", s.constant, v)
	}
	if s.enum != nil && !e.contains(s.enum, v) {
		if !e.quiet() && ok {
			e.out.valueFault(s, "enum", s.enum, v)
		}
		ok = false
	}
	return ok
}

// text checks the assertions on strings; lengths count code points.
func (e *eval) text(s *Schema, r *stringRules, v *jsonvalue.Value) bool {
	text, ok := v.Text(), true
	if !e.spend(len(text) / bytesPerStep) {
		return false
	}
	if r.minLength >= 0 || r.maxLength >= 0 {
		n := utf8.RuneCountInString(text)
		if r.minLength >= 0 && n < r.minLength {
			if ok = false; e.quiet() {
				return false
			}
			e.out.sizeFault(s, "minLength", r.minLength, n)
		}
		if r.maxLength >= 0 && n > r.maxLength {
			if ok = false; e.quiet() {
				return false
			}
			e.out.sizeFault(s, "maxLength", r.maxLength, n)
		}
	}
	if r.pattern != nil && !r.pattern.matches(text) {
		if ok = false; e.quiet() {
			return false
		}
		e.out.add(s, "pattern", "must match "+clip(r.pattern.text, maxShownPattern)+"; got "+shown(v), e.out.hint(s, v, ""))
	}
	if r.format != nil && !r.format.test(text) {
		if ok = false; e.quiet() {
			return false
		}
		e.out.add(s, "format", "must be "+r.format.noun+"; got "+shown(v), e.out.hint(s, v, ""))
	}
	return ok
}

// number checks the assertions on numbers, exactly.
func (e *eval) number(s *Schema, r *numberRules, v *jsonvalue.Value) bool {
	if !e.spend(len(v.Text()) / bytesPerStep) {
		return false
	}
	d := decimalOf(v.Text())
	ok := true
	for _, b := range [...]struct {
		keyword, words string
		bound          *decimal
		sign           int // the order of value and bound that is a fault
		equal          bool
	}{
		{"minimum", "at least", r.min, -1, false},
		{"exclusiveMinimum", "greater than", r.above, -1, true},
		{"maximum", "at most", r.max, 1, false},
		{"exclusiveMaximum", "less than", r.below, 1, true},
	} {
		if b.bound == nil {
			continue
		}
		if order := d.compare(b.bound); order == b.sign || order == 0 && b.equal {
			if ok = false; e.quiet() {
				return false
			}
			e.out.boundFault(s, b.keyword, b.words, v)
		}
	}
	if r.multiple != nil && !r.multiple.divides(&d) {
		if ok = false; e.quiet() {
			return false
		}
		e.out.boundFault(s, "multipleOf", "a multiple of", v)
	}
	return ok
}

// array checks the assertions on arrays and goes into the items.
func (e *eval) array(s *Schema, r *arrayRules, v *jsonvalue.Value) bool {
	ok := true
	if r.minItems >= 0 && v.Len() < r.minItems {
		if ok = false; e.quiet() {
			return false
		}
		e.out.sizeFault(s, "minItems", r.minItems, v.Len())
	}
	if r.maxItems >= 0 && v.Len() > r.maxItems {
		if ok = false; e.quiet() {
			return false
		}
		e.out.sizeFault(s, "maxItems", r.maxItems, v.Len())
	}
	if r.unique && !e.unique(s, v) {
		if ok = false; e.quiet() {
			return false
		}
	}
	if (r.prefix != nil || r.items != nil) && !e.items(s, r, v) {
		if ok = false; e.quiet() {
			return false
		}
	}
	if r.contains != nil && !e.containing(s, r, v) {
		ok = false
	}
	return ok
}

func (e *eval) items(s *Schema, r *arrayRules, v *jsonvalue.Value) bool {
	ok := true
	elems := v.Elems()
	if r.items.isFalse() && len(elems) > len(r.prefix) {
		if ok = false; e.quiet() {
			return false
		}
		e.out.sizeFault(s, "items", len(r.prefix), len(elems))
		elems = elems[:len(r.prefix)]
	}
	for i := range elems {
		sub := r.items
		if i < len(r.prefix) {
			sub = r.prefix[i]
		}
		if sub == nil {
			continue
		}
		if !e.item(sub, i, &elems[i].Value) {
			if ok = false; e.quiet() {
				return false
			}
		}
	}
	return ok
}

// item applies a schema to an element.
func (e *eval) item(s *Schema, i int, v *jsonvalue.Value) bool {
	if e.quiet() {
		return e.check(s, v)
	}
	mark := e.out.downTo(i)
	ok := e.check(s, v)
	e.out.up(mark)
	return ok
}

func (e *eval) unique(s *Schema, v *jsonvalue.Value) bool {
	if e.quiet() {
		ok := true
		e.twins(v.Elems(), func(int, int) bool { ok = false; return false })
		return ok
	}
	var pairs [][2]int
	e.twins(v.Elems(), func(first, second int) bool {
		pairs = append(pairs, [2]int{second, first})
		return true
	})
	slices.SortFunc(pairs, func(a, b [2]int) int { return a[0] - b[0] })
	for _, p := range pairs {
		mark := e.out.downTo(p[0])
		e.out.add(s, "uniqueItems", "must be unique; equals item "+strconv.Itoa(p[1]), "")
		e.out.up(mark)
	}
	return len(pairs) == 0
}

func (e *eval) containing(s *Schema, r *arrayRules, v *jsonvalue.Value) bool {
	n := 0
	for i := range v.Elems() {
		if e.silently(r.contains, v.Index(i)) {
			n++
		}
	}
	if e.spent {
		return false
	}
	least := max(r.minContains, 0)
	if r.minContains < 0 {
		least = 1
	}
	ok := true
	if n < least {
		if ok = false; e.quiet() {
			return false
		}
		keyword := "contains"
		if r.minContains >= 0 {
			keyword = "minContains"
		}
		e.out.containsFault(s, keyword, "at least "+counted(least, "item")+" must ", n, v)
	}
	if r.maxContains >= 0 && n > r.maxContains {
		if ok = false; e.quiet() {
			return false
		}
		e.out.containsFault(s, "maxContains", "at most "+counted(r.maxContains, "item")+" may ", n, v)
	}
	return ok
}
