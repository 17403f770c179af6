package jsonpath

import "patchbay/internal/jsonvalue"

// condition is a logical expression of a filter (RFC 9535 section 2.3.5).
type condition interface {
	holds(r *run, current *jsonvalue.Value) bool
}

// operand is an expression with a value; Nothing is the absent value.
type operand interface {
	value(r *run, current *jsonvalue.Value) jsonvalue.Value
}

// The conditions and operands that are not functions.
type (
	anyOf  []condition
	allOf  []condition
	not    struct{ condition condition }
	exists struct{ query query }
	// comparison of two operands; the operators > and >= are swapped away.
	comparison struct {
		left, right   operand
		equal, less   bool
		complementary bool
	}
	literal jsonvalue.Value
	// query is a path from the current value or from the root.
	query struct {
		path     *Path
		relative bool
	}
)

// term is a parsed expression before its place decides how it is used;
// exactly one field besides pos is set.
type term struct {
	pos       int
	query     *query
	operand   operand
	condition condition
}

// disjunction parses logical-or-expr.
func (p *parser) disjunction() condition {
	p.enter()
	defer p.leave()
	list := anyOf{p.conjunction()}
	for p.operator("||") {
		list = append(list, p.conjunction())
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// conjunction parses logical-and-expr.
func (p *parser) conjunction() condition {
	list := allOf{p.basic()}
	for p.operator("&&") {
		list = append(list, p.basic())
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// operator takes a binary operator and the blanks around it, or nothing.
func (p *parser) operator(op string) bool {
	before := p.pos
	p.blanks()
	if !p.take(op) {
		p.pos = before
		return false
	}
	p.blanks()
	return true
}

// basic parses basic-expr: a negation, parentheses, a comparison or a test.
func (p *parser) basic() condition {
	if p.take("!") {
		p.blanks()
		if p.take("(") {
			return not{p.parenthesized()}
		}
		return not{p.asCondition(p.term())}
	}
	if p.take("(") {
		return p.parenthesized()
	}
	left := p.term()
	for _, op := range [...]struct {
		text string
		comparison
		swapped bool
	}{
		{text: "==", comparison: comparison{equal: true}},
		{text: "!=", comparison: comparison{equal: true, complementary: true}},
		{text: "<=", comparison: comparison{equal: true, less: true}},
		{text: ">=", comparison: comparison{equal: true, less: true}, swapped: true},
		{text: "<", comparison: comparison{less: true}},
		{text: ">", comparison: comparison{less: true}, swapped: true},
	} {
		if !p.operator(op.text) {
			continue
		}
		c := op.comparison
		c.left, c.right = p.asOperand(left), p.asOperand(p.term())
		if op.swapped {
			c.left, c.right = c.right, c.left
		}
		return c
	}
	return p.asCondition(left)
}

func (p *parser) parenthesized() condition {
	p.blanks()
	c := p.disjunction()
	p.blanks()
	if !p.take(")") {
		p.expected(")")
	}
	return c
}

// asCondition is the use of a term as a test: existence, or a logical function.
func (p *parser) asCondition(t term) condition {
	switch {
	case t.query != nil:
		return exists{*t.query}
	case t.operand != nil:
		p.fail(t.pos, "a value alone is not a condition; compare it with something")
	}
	return t.condition
}

// asOperand is the use of a term where a single value is due.
func (p *parser) asOperand(t term) operand {
	switch {
	case t.query != nil && !t.query.path.singular:
		p.fail(t.pos, "only a path of names and indexes has a single value")
	case t.query != nil:
		return *t.query
	case t.condition != nil:
		p.fail(t.pos, "the function is a condition and has no value")
	}
	return t.operand
}

// term parses a query, a literal or a function call.
func (p *parser) term() term {
	start := p.pos
	switch c := p.peek(); {
	case c == '@' || c == '$':
		p.pos++
		path := p.segments(nil)
		return term{pos: start, query: &query{path: &path, relative: c == '@'}}
	case c == '\'' || c == '"':
		return term{pos: start, operand: literal(jsonvalue.StringOf(p.quoted()))}
	case c == '-' || isDigit(c):
		n, ok := jsonvalue.NumberOf(p.numberText())
		if !ok {
			p.fail(start, "not a number")
		}
		return term{pos: start, operand: literal(n)}
	case 'a' <= c && c <= 'z':
		return p.word(start)
	}
	p.expected("@, $, a literal or a function")
	return term{}
}

// word parses a term that begins with a lower-case letter.
func (p *parser) word(start int) term {
	for c := p.peek(); 'a' <= c && c <= 'z' || c == '_' || isDigit(c); c = p.peek() {
		p.pos++
	}
	name := p.src[start:p.pos]
	if p.take("(") {
		return p.function(name, start)
	}
	switch name {
	case "true", "false":
		return term{pos: start, operand: literal(jsonvalue.BoolOf(name == "true"))}
	case "null":
		return term{pos: start, operand: literal(jsonvalue.NullOf())}
	}
	p.fail(start, "unknown word %q; a text needs quotes", name)
	return term{}
}

func (list anyOf) holds(r *run, current *jsonvalue.Value) bool {
	for _, c := range list {
		if c.holds(r, current) {
			return true
		}
	}
	return false
}

func (list allOf) holds(r *run, current *jsonvalue.Value) bool {
	for _, c := range list {
		if !c.holds(r, current) {
			return false
		}
	}
	return true
}

func (n not) holds(r *run, current *jsonvalue.Value) bool { return !n.condition.holds(r, current) }

func (e exists) holds(r *run, current *jsonvalue.Value) bool {
	found := collector{enough: 1}
	e.query.collect(r, current, &found)
	return found.count > 0
}

func (c comparison) holds(r *run, current *jsonvalue.Value) bool {
	left, right := c.left.value(r, current), c.right.value(r, current)
	if c.less && less(r, &left, &right) {
		return true
	}
	return c.equal && equal(r, &left, &right) != c.complementary
}

func (l literal) value(*run, *jsonvalue.Value) jsonvalue.Value { return jsonvalue.Value(l) }

// value returns the one value of a singular query.
func (q query) value(r *run, current *jsonvalue.Value) jsonvalue.Value {
	v, cost := q.path.follow(q.origin(r, current))
	r.spend(cost)
	if v == nil {
		return jsonvalue.Value{}
	}
	return *v
}

func (q query) origin(r *run, current *jsonvalue.Value) *jsonvalue.Value {
	if q.relative {
		return current
	}
	return r.root
}

func (q query) collect(r *run, current *jsonvalue.Value, into *collector) {
	r.visit(q.path.segments, q.origin(r, current), into)
}
