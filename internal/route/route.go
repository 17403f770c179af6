// Package route finds the operation that a path and method mean. It works on
// escaped paths, because a value may contain an encoded slash; placeholder
// names are free text and may be part of a segment ({id}.json); static text
// beats a placeholder; and two routes that cannot be told apart are reported
// while compiling instead of panicking at start. The compiler fills a table,
// the REST adapter asks it first thing for each request.
package route

import (
	"net/url"
	"slices"
	"strings"
)

// MaxParams bounds the placeholders of a path, MaxSegments its segments.
const (
	MaxParams   = 16
	MaxSegments = 64
)

// Table maps paths and methods to values. It is filled by one goroutine and is
// safe for concurrent use once filled.
type Table[T any] struct {
	root  node[T]
	count int
}

// Route is what one path holds: a value for each of its methods.
type Route[T any] struct {
	// Pattern is the path as it was first declared.
	Pattern string
	methods []entry[T]
}

type entry[T any] struct {
	method string
	value  T
}

// node is what a path has led to so far. Most nodes have one child.
type node[T any] struct {
	// name and child are the first static segment; static has the further ones.
	name   string
	child  *node[T]
	static map[string]*node[T]
	// mixed are the segments of literals and placeholders, any is the one that
	// is nothing but a placeholder.
	mixed *mixed[T]
	any   *node[T]
	route *Route[T]
}

// Clash tells why a route was not added.
type Clash[T any] struct {
	// With is the pattern that is already there and Value its value.
	With  string
	Value T
}

// Add declares a path with a method. It returns a clash when the same path,
// whatever its placeholders are called, already has the method.
func (t *Table[T]) Add(pattern, method string, value T) *Clash[T] {
	n := &t.root
	for _, segment := range Split(pattern) {
		n = n.add(segment)
	}
	if n.route == nil {
		n.route = &Route[T]{Pattern: pattern}
		t.count++
	}
	r := n.route
	for i := range r.methods {
		if r.methods[i].method == method {
			return &Clash[T]{With: r.Pattern, Value: r.methods[i].value}
		}
	}
	r.methods = append(r.methods, entry[T]{method, value})
	return nil
}

func (n *node[T]) add(segment string) *node[T] {
	literals, names := Parts(segment)
	switch {
	case len(names) == 0:
		return n.addStatic(decoded(segment))
	case len(names) == 1 && literals[0] == "" && literals[1] == "":
		if n.any == nil {
			n.any = &node[T]{}
		}
		return n.any
	}
	if n.mixed == nil {
		n.mixed = &mixed[T]{edges: map[string][]edge[T]{}}
	}
	return n.mixed.add(literals)
}

func (n *node[T]) addStatic(name string) *node[T] {
	switch {
	case n.child == nil:
		n.name, n.child = name, &node[T]{}
		return n.child
	case n.name == name:
		return n.child
	case n.static == nil:
		n.static = map[string]*node[T]{}
	}
	next := n.static[name]
	if next == nil {
		next = &node[T]{}
		n.static[name] = next
	}
	return next
}

// Len returns the number of paths.
func (t *Table[T]) Len() int { return t.count }

// Match finds the route of an escaped path, and appends the escaped values of
// its placeholders to params. It returns nil where there is none. It does not
// allocate when params has room, unless the path has escapes.
func (t *Table[T]) Match(path string, params []string) (*Route[T], []string) {
	if path == "" || path[0] != '/' || strings.Count(path, "/") > MaxSegments {
		return nil, params
	}
	return t.root.match(path[1:], params, false)
}

// Suggest returns the pattern of a route that the path would match if case and
// a trailing slash did not count, or "".
func (t *Table[T]) Suggest(path string) string {
	if path == "" || strings.Count(path, "/") > MaxSegments {
		return ""
	}
	r, _ := t.root.match(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), nil, true)
	if r == nil {
		return ""
	}
	return r.Pattern
}

func (n *node[T]) match(rest string, params []string, fold bool) (*Route[T], []string) {
	segment, tail, more := strings.Cut(rest, "/")
	descend := func(next *node[T], params []string) (*Route[T], []string) {
		if more {
			return next.match(tail, params, fold)
		}
		return next.route, params
	}
	if next := n.staticChild(segment, fold); next != nil {
		if r, p := descend(next, params); r != nil {
			return r, p
		}
	}
	if n.mixed != nil {
		var room [8][]edge[T]
		found := n.mixed.find(segment, room[:0])
		for e := next(found); e != nil; e = next(found) {
			p, ok := e.match(segment, params)
			if !ok {
				continue
			}
			if r, p := descend(e.next, p); r != nil {
				return r, p
			}
		}
	}
	if n.any != nil && segment != "" {
		return descend(n.any, append(params, segment))
	}
	return nil, params
}

// maxFolded bounds the names that one request compares. Where there are more,
// as where thousands of files are mounted side by side, only the spelling in
// lower case is looked for.
const maxFolded = 64

func (n *node[T]) staticChild(segment string, fold bool) *node[T] {
	if n.child == nil {
		return nil
	}
	name := decoded(segment)
	if name == n.name {
		return n.child
	}
	if next := n.static[name]; next != nil || !fold {
		return next
	}
	if strings.EqualFold(n.name, segment) {
		return n.child
	}
	if len(n.static) > maxFolded {
		return n.static[strings.ToLower(name)]
	}
	for name, next := range n.static {
		if strings.EqualFold(name, segment) {
			return next
		}
	}
	return nil
}

// Method returns the value for a method. HEAD is answered by GET's.
func (r *Route[T]) Method(method string) (T, bool) {
	for i := range r.methods {
		if r.methods[i].method == method {
			return r.methods[i].value, true
		}
	}
	if method == "HEAD" {
		return r.Method("GET")
	}
	var none T
	return none, false
}

// Allow lists the methods that the path answers, sorted.
func (r *Route[T]) Allow() []string {
	var out []string
	for _, m := range r.methods {
		out = append(out, m.method)
		if m.method == "GET" {
			out = append(out, "HEAD")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Split cuts a pattern into segments; slashes within braces do not count.
func Split(pattern string) []string {
	pattern = strings.TrimPrefix(pattern, "/")
	var out []string
	start, depth := 0, 0
	for i := range len(pattern) {
		switch pattern[i] {
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		case '/':
			if depth == 0 {
				out = append(out, pattern[start:i])
				start = i + 1
			}
		}
	}
	return append(out, pattern[start:])
}

// Parts cuts a segment into its literals and the names of the placeholders,
// {x} or {{x}}, between them; there is always one literal more than names.
// A brace that is not closed is literal text.
func Parts(segment string) (literals, names []string) {
	rest := segment
	literal := ""
	for {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return append(literals, literal+rest), names
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return append(literals, literal+rest), names
		}
		name := strings.TrimPrefix(rest[open+1:open+end], "{")
		literals = append(literals, literal+rest[:open])
		names = append(names, strings.TrimSpace(name))
		literal = ""
		rest = rest[open+end+1:]
		if strings.HasPrefix(segment[len(segment)-len(rest)-end-1:], "{{") {
			rest = strings.TrimPrefix(rest, "}")
		}
	}
}

// decoded is a segment in the form in which static text is compared. An
// encoded slash stays encoded: it is not a separator.
func decoded(segment string) string {
	if strings.IndexByte(segment, '%') < 0 {
		return segment
	}
	plain, err := url.PathUnescape(segment)
	if err != nil || strings.IndexByte(plain, '/') >= 0 {
		return segment
	}
	return plain
}
