package jsonpath

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// The bounds on a regular expression, which may come from the document.
const (
	maxPattern       = 1024
	maxPatternWeight = 10_000
)

// The function extensions of RFC 9535 section 2.4.
type (
	lengthOf struct{ of operand }
	countOf  struct{ of query }
	valueOf  struct{ of query }
	// matching is match (whole) or search. A literal pattern is compiled with
	// the path: fixed is then its matcher, nil where it is no valid pattern.
	matching struct {
		text, pattern operand
		whole         bool
		isFixed       bool
		fixed         *matcher
	}
)

// function parses the arguments of a call, whose name and opening parenthesis
// are taken, and checks that it is well-typed (RFC 9535 section 2.4.3).
func (p *parser) function(name string, start int) term {
	p.enter()
	defer p.leave()
	args := p.arguments()
	if p.err != nil {
		return term{}
	}
	switch n := arity(name); {
	case n == 0:
		p.fail(start, "unknown function %q; there are length, count, value, match and search", name)
		return term{}
	case n != len(args):
		p.fail(start, "%s takes %d argument(s), not %d", name, n, len(args))
		return term{}
	}
	switch name {
	case "length":
		return term{pos: start, operand: lengthOf{p.asOperand(args[0])}}
	case "count":
		return term{pos: start, operand: countOf{p.asQuery(args[0])}}
	case "value":
		return term{pos: start, operand: valueOf{p.asQuery(args[0])}}
	}
	m := matching{text: p.asOperand(args[0]), pattern: p.asOperand(args[1]), whole: name == "match"}
	if l, ok := m.pattern.(literal); ok {
		m.isFixed = true
		if pattern := jsonvalue.Value(l); pattern.Kind() == jsonvalue.String {
			m.fixed = compilePattern(pattern.Text(), m.whole)
		}
	}
	return term{pos: start, condition: m}
}

// arity returns how many arguments a function takes, and 0 for no function.
func arity(name string) int {
	switch name {
	case "length", "count", "value":
		return 1
	case "match", "search":
		return 2
	default:
		return 0
	}
}

func (p *parser) arguments() []term {
	p.blanks()
	if p.take(")") {
		return nil
	}
	var args []term
	for {
		p.blanks()
		args = append(args, p.term())
		p.blanks()
		if p.take(",") {
			continue
		}
		if !p.take(")") {
			p.expected(", or )")
		}
		return args
	}
}

// asQuery is the use of a term where a list of nodes is due.
func (p *parser) asQuery(t term) query {
	if t.query == nil {
		p.fail(t.pos, "the function takes a path that begins with @ or $")
		return query{}
	}
	return *t.query
}

func (f lengthOf) value(r *run, current *jsonvalue.Value) jsonvalue.Value {
	v := f.of.value(r, current)
	switch v.Kind() {
	case jsonvalue.String:
		r.spend(len(v.Text()) / bytesPerStep)
		return jsonvalue.IntOf(int64(utf8.RuneCountInString(v.Text())))
	case jsonvalue.Array, jsonvalue.Object:
		return jsonvalue.IntOf(int64(v.Len()))
	default:
		return jsonvalue.Value{}
	}
}

func (f countOf) value(r *run, current *jsonvalue.Value) jsonvalue.Value {
	var found collector
	f.of.collect(r, current, &found)
	return jsonvalue.IntOf(int64(found.count))
}

func (f valueOf) value(r *run, current *jsonvalue.Value) jsonvalue.Value {
	found := collector{keep: true, enough: 2}
	f.of.collect(r, current, &found)
	if len(found.nodes) != 1 {
		return jsonvalue.Value{}
	}
	return *found.nodes[0]
}

func (m matching) holds(r *run, current *jsonvalue.Value) bool {
	text := m.text.value(r, current)
	if text.Kind() != jsonvalue.String {
		return false
	}
	matcher := m.fixed
	if !m.isFixed {
		pattern := m.pattern.value(r, current)
		if pattern.Kind() != jsonvalue.String {
			return false
		}
		matcher = r.matcher(pattern.Text(), m.whole)
	}
	if matcher == nil {
		return false
	}
	cost := int64(len(text.Text())) * int64(matcher.weight) / bytesPerStep
	return r.spend(1+int(min(cost, MaxSteps))) && matcher.regexp.MatchString(text.Text())
}

// matcher is a compiled pattern; weight is about the number of its
// instructions, to which the time per byte of text is proportional.
type matcher struct {
	regexp *regexp.Regexp
	weight int
}

// compilePattern compiles an I-Regexp (RFC 9485) for RE2, and returns nil for
// a pattern that is invalid or too large, which matches nothing.
func compilePattern(pattern string, whole bool) *matcher {
	if len(pattern) > maxPattern {
		return nil
	}
	expr := withoutLineBreaks(pattern)
	if whole {
		expr = `\A(?:` + expr + `)\z`
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	w := weight(tree)
	if w > maxPatternWeight {
		return nil
	}
	compiled, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return &matcher{regexp: compiled, weight: w}
}

// withoutLineBreaks rewrites each dot outside of a character class, which in
// an I-Regexp matches neither line feed nor carriage return (section 5.3).
func withoutLineBreaks(pattern string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteString(pattern[i : i+2])
			i++
			continue
		case c == '.' && !inClass:
			b.WriteString(`[^\n\r]`)
			continue
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// weight counts the nodes of a pattern with its repetitions written out, up to
// just above the bound: RE2 compiles x{1000} to a thousand copies of x.
func weight(tree *syntax.Regexp) int {
	n := 1 + len(tree.Rune)
	if tree.Op == syntax.OpCharClass {
		n = 1
	}
	for _, sub := range tree.Sub {
		n = min(n+weight(sub), maxPatternWeight+1)
	}
	if tree.Op == syntax.OpRepeat {
		n *= max(tree.Min, tree.Max, 1)
	}
	return min(n, maxPatternWeight+1)
}
