package schema

import "regexp/syntax"

// fixed is an expression that a text matches byte by byte: so many characters,
// each of a set of ASCII ones. Identifiers of providers are described like that
// (^KD[0-9a-fA-F]{32}$), every call has one, and package regexp takes half a
// microsecond for it.
type fixed struct {
	length int
	runs   []run
}

// run is a number of characters of one set.
type run struct {
	set   [2]uint64 // a bit for each ASCII character
	count int
}

// maxRuns bounds the memory of an expression; longer ones are left to regexp.
const maxRuns = 16

// fixedOf returns the expression in this form, or nil where it has none.
func fixedOf(expression string) *fixed {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText || re.Sub[len(re.Sub)-1].Op != syntax.OpEndText {
		return nil
	}
	f := new(fixed)
	for _, sub := range re.Sub[1 : len(re.Sub)-1] {
		times := 1
		if sub.Op == syntax.OpRepeat && sub.Min == sub.Max {
			times, sub = sub.Min, sub.Sub[0]
		}
		switch {
		case sub.Op == syntax.OpLiteral && sub.Flags&syntax.FoldCase == 0 && times == 1:
			for _, r := range sub.Rune {
				f.add([]rune{r, r}, 1)
			}
		case sub.Op == syntax.OpCharClass:
			f.add(sub.Rune, times)
		default:
			return nil
		}
		if f.length < 0 || len(f.runs) > maxRuns {
			return nil
		}
	}
	return f
}

// add appends characters of a set, given as pairs of least and greatest. Sets
// with others than ASCII characters have no length in bytes.
func (f *fixed) add(ranges []rune, count int) {
	var set [2]uint64
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i+1] >= 128 {
			f.length = -1
			return
		}
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			set[c>>6] |= 1 << (c & 63)
		}
	}
	if f.length >= 0 {
		f.length += count
		f.runs = append(f.runs, run{set, count})
	}
}

func (f *fixed) matches(s string) bool {
	if len(s) != f.length {
		return false
	}
	for i := range f.runs {
		r := &f.runs[i]
		for _, c := range []byte(s[:r.count]) {
			if c >= 128 || r.set[c>>6]&(1<<(c&63)) == 0 {
				return false
			}
		}
		s = s[r.count:]
	}
	return true
}
