package jsonpath

import (
	"strings"
	"unicode/utf8"
)

// segment is one step of a path: its selectors apply to each value that the
// segments before it select, or also to all of that value's descendants.
type segment struct {
	descendant bool
	selectors  []selector
}

type selectorKind uint8

const (
	byName selectorKind = iota
	byWildcard
	byIndex
	bySlice
	byFilter
)

// selector is one way to choose among the children of a value.
type selector struct {
	kind             selectorKind
	name             string
	index            int64
	start, end, step bound
	filter           condition
}

// bound is an integer that may be left out.
type bound struct {
	n     int64
	given bool
}

// or returns the bound, and n where none was written.
func (b bound) or(n int64) int64 {
	if b.given {
		return b.n
	}
	return n
}

// parser builds a path by recursive descent.
type parser struct {
	scanner
	lenient bool
	// nesting counts the filters, parentheses and calls that are open.
	nesting int
}

func (p *parser) checkSource() {
	switch {
	case len(p.src) > MaxSource:
		p.fail(0, "the path is longer than %d bytes", MaxSource)
	case !utf8.ValidString(p.src):
		p.fail(len(validPrefix(p.src)), "the path is not UTF-8")
	}
}

func validPrefix(s string) string {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return s[:i]
		}
	}
	return s
}

func (p *parser) finish(path Path, source string) (*Path, error) {
	if p.pos < len(p.src) {
		p.expected(". or [")
	}
	if p.err != nil {
		return nil, p.err
	}
	path.source = source
	return &path, nil
}

// strict parses jsonpath-query.
func (p *parser) strict() Path {
	if !p.take("$") {
		p.expected("$")
	}
	return p.segments(nil)
}

// tolerant parses a path with the habits of capability files.
func (p *parser) tolerant() Path {
	if p.err != nil {
		return Path{}
	}
	const blank = " \t\r\n"
	p.src = strings.TrimRight(p.src, blank)
	p.pos = len(p.src) - len(strings.TrimLeft(p.src, blank))
	rest := p.src[p.pos:]
	switch {
	case rest == "":
		p.fail(p.pos, "the path is empty")
		return Path{}
	case rest == "$.":
		p.pos = len(p.src)
		return Path{singular: true}
	case p.take("$") || rest[0] == '[':
		return p.segments(nil)
	case rest[0] == '.' || rest == "@" || strings.HasPrefix(rest, "@.") || strings.HasPrefix(rest, "@["):
		p.expected("$ or a name")
		return Path{}
	default:
		return p.segments([]segment{{selectors: p.afterDot()}})
	}
}

// segments parses all that follow and adds them to those already known.
func (p *parser) segments(known []segment) Path {
	list := known
	for {
		before := p.pos
		p.blanks()
		var s segment
		switch {
		case p.take(".."):
			s.descendant = true
			s.selectors = p.afterDots()
		case p.take("."):
			s.selectors = p.afterDot()
		case p.take("["):
			s.selectors = p.bracket()
		default:
			p.pos = before
			return Path{segments: list, singular: isSingular(list)}
		}
		list = append(list, s)
	}
}

func isSingular(list []segment) bool {
	for _, s := range list {
		if s.descendant || len(s.selectors) != 1 || s.selectors[0].kind != byName && s.selectors[0].kind != byIndex {
			return false
		}
	}
	return true
}

func (p *parser) afterDots() []selector {
	if p.take("[") {
		return p.bracket()
	}
	return p.nameOrWildcard()
}

func (p *parser) afterDot() []selector {
	if p.lenient && p.nesting == 0 && p.take("[") {
		return p.bracket()
	}
	return p.nameOrWildcard()
}

func (p *parser) nameOrWildcard() []selector {
	if p.take("*") {
		return []selector{{kind: byWildcard}}
	}
	if p.lenient && p.nesting == 0 {
		return []selector{{kind: byName, name: p.freeName()}}
	}
	return []selector{{kind: byName, name: p.shorthand(p.lenient)}}
}

// bracket parses what follows an opening bracket.
func (p *parser) bracket() []selector {
	var list []selector
	for {
		p.blanks()
		list = append(list, p.selector())
		p.blanks()
		if p.take(",") {
			continue
		}
		if !p.take("]") {
			p.expected(", or ]")
		}
		return list
	}
}

func (p *parser) selector() selector {
	switch p.peek() {
	case '\'', '"':
		return selector{kind: byName, name: p.quoted()}
	case '*':
		p.pos++
		return selector{kind: byWildcard}
	case '?':
		p.pos++
		p.blanks()
		return selector{kind: byFilter, filter: p.disjunction()}
	}
	start := p.integer()
	before := p.pos
	p.blanks()
	if p.take(":") {
		return p.slice(start)
	}
	p.pos = before
	if !start.given {
		p.expected("a quoted name, an index, a slice, * or ?")
	}
	return selector{kind: byIndex, index: start.n}
}

// slice parses what follows the first colon of a slice.
func (p *parser) slice(start bound) selector {
	s := selector{kind: bySlice, start: start}
	p.blanks()
	s.end = p.integer()
	before := p.pos
	p.blanks()
	if !p.take(":") {
		p.pos = before
		return s
	}
	p.blanks()
	s.step = p.integer()
	return s
}

// enter counts one level of nesting; leave undoes it.
func (p *parser) enter() {
	if p.nesting++; p.nesting > MaxNesting {
		p.fail(p.pos, "nested deeper than %d levels", MaxNesting)
	}
}

func (p *parser) leave() { p.nesting-- }
