package schema

import (
	"fmt"
	"math"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
)

// Bounds on what is compiled.
const (
	maxSchemas     = 50_000 // subschemas of one program, references included
	maxSchemaDepth = 256    // subschemas within subschemas
	maxProblems    = 200
)

// Compile compiles a schema. All faults of the schema come back at once, in
// the order in which its keywords are read; the schema is usable all the same
// and admits what the ignored keywords might have refused. The result refers
// to root, which must not change.
func Compile(root *jsonvalue.Value, opts Options) (*Schema, []Problem) {
	c := &compiler{
		root:     root,
		opts:     opts,
		seen:     map[Problem]struct{}{},
		nodes:    map[nodeKey]*Schema{},
		targets:  map[string]*target{},
		patterns: map[string]*pattern{},
		edges:    map[*Schema][]edge{},
		parents:  map[*Schema][]*Schema{},
	}
	if root == nil {
		root = &jsonvalue.Value{}
		c.root = root
	}
	c.dialect()
	s := c.schema(root, "", opts.DefaultSource, 0)
	for len(c.pending) > 0 {
		p := c.pending[0]
		c.pending = c.pending[1:]
		*p.slot = c.child(p.from, p.target.value, p.target.at, 0)
	}
	c.cutLoops()
	c.spreadGaps()
	if opts.Request {
		c.relaxReadOnly()
	}
	return s, c.problems
}

type compiler struct {
	root     *jsonvalue.Value
	opts     Options
	problems []Problem
	seen     map[Problem]struct{}
	nodes    map[nodeKey]*Schema
	order    []*Schema          // every node, in the order of compiling
	targets  map[string]*target // by reference
	anchors  map[string]*target // nil until the first anchor is asked for
	pending  []pendingRef
	patterns map[string]*pattern
	edges    map[*Schema][]edge
	gaps     []*Schema             // schemas of which a keyword is ignored
	parents  map[*Schema][]*Schema // by subschema or target of a reference
}

// nodeKey identifies a compiled schema: the same text below two sources is two
// schemas, since their violations differ.
type nodeKey struct {
	value  *jsonvalue.Value
	source string
}

// pendingRef is a reference whose target is compiled later, so that recursion
// among references is none in the compiler.
type pendingRef struct {
	from   *Schema
	slot   **Schema
	target *target
}

// edge leads from a schema to one applied to the same value.
type edge struct {
	slot **Schema
	at   string
}

func (c *compiler) problem(at, format string, args ...any) {
	c.report(Problem{Pointer: at, Message: fmt.Sprintf(format, args...)})
}

// unchecked reports what JSON Schema allows and this package does not check.
func (c *compiler) unchecked(at, format string, args ...any) {
	c.report(Problem{Pointer: at, Message: fmt.Sprintf(format, args...), Allowed: true})
}

func (c *compiler) report(p Problem) {
	if _, known := c.seen[p]; known || len(c.problems) >= maxProblems {
		return
	}
	c.seen[p] = struct{}{}
	c.problems = append(c.problems, p)
}

// dialect complains about a root that is written for another draft.
func (c *compiler) dialect() {
	v := c.root.Get("$schema")
	if v == nil || v.Kind() != jsonvalue.String {
		return
	}
	switch uri := strings.TrimSuffix(v.Text(), "#"); uri {
	case "https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base":
	default:
		c.unchecked("/$schema", "%s is read as JSON Schema 2020-12", clip(uri, 80))
	}
}

// child compiles a subschema, or the target of a reference, which inherits the
// source of the schema that leads to it.
func (c *compiler) child(parent *Schema, v *jsonvalue.Value, at string, depth int) *Schema {
	s := c.schema(v, at, parent.source, depth)
	if s == nil {
		c.gaps = append(c.gaps, parent)
	} else {
		c.parents[s] = append(c.parents[s], parent)
	}
	return s
}

// schema compiles one schema, or returns what it was compiled to before.
func (c *compiler) schema(v *jsonvalue.Value, at, source string, depth int) *Schema {
	if s := v.Get("x-patchbay-source"); s != nil {
		if s.Kind() == jsonvalue.String {
			source = s.Text()
		} else {
			c.unchecked(at+"/x-patchbay-source", "must be a string")
		}
	}
	key := nodeKey{v, source}
	if s, ok := c.nodes[key]; ok {
		return s
	}
	if depth > maxSchemaDepth {
		c.unchecked(at, "schemas nested deeper than %d levels are ignored", maxSchemaDepth)
		return nil
	}
	if len(c.order) >= maxSchemas {
		c.unchecked("", "has more than %d subschemas; the rest is ignored", maxSchemas)
		return nil
	}
	s := &Schema{raw: v, source: source}
	c.nodes[key] = s
	c.order = append(c.order, s)
	switch v.Kind() {
	case jsonvalue.Bool:
		s.literal = literalTrue
		if !v.Bool() {
			s.literal = literalFalse
		}
	case jsonvalue.Object:
		c.object(s, v, at, depth)
	default:
		c.gaps = append(c.gaps, s)
		c.problem(at, "must be a schema, which is an object or a boolean; is %s", kindNoun(v))
	}
	return s
}

// object compiles the keywords of a schema object.
func (c *compiler) object(s *Schema, v *jsonvalue.Value, at string, depth int) {
	k := keywords{compiler: c, schema: s, raw: v, at: at, depth: depth}
	bare := c.opts.OpenAPI30 && v.Get("$ref") != nil
	for i := range v.Elems() {
		m := &v.Elems()[i]
		if bare && m.Name != "$ref" && !strings.HasPrefix(m.Name, "x-patchbay-") {
			continue
		}
		switch {
		case k.annotation(m.Name, &m.Value):
		case k.scalar(m.Name, &m.Value):
		case k.array(m.Name, &m.Value):
		case k.members(m.Name, &m.Value):
		case k.applicator(m.Name, &m.Value):
		default:
			k.unsupported(m.Name, &m.Value)
		}
	}
	if !bare {
		k.finish()
	}
}

// keywords compiles the keywords of one schema object.
type keywords struct {
	*compiler
	schema *Schema
	raw    *jsonvalue.Value
	at     string
	depth  int
}

// problem reports a keyword that is ignored because it is wrong.
func (k *keywords) problem(at, format string, args ...any) {
	k.gaps = append(k.gaps, k.schema)
	k.compiler.problem(at, format, args...)
}

// unchecked reports a keyword that is ignored although it is allowed.
func (k *keywords) unchecked(at, format string, args ...any) {
	k.gaps = append(k.gaps, k.schema)
	k.compiler.unchecked(at, format, args...)
}

func (k *keywords) place(keyword string, more ...string) string {
	b := jsonvalue.AppendToken([]byte(k.at), keyword)
	for _, m := range more {
		b = jsonvalue.AppendToken(b, m)
	}
	return string(b)
}

// sub compiles a subschema that is the value of a keyword.
func (k *keywords) sub(keyword string, v *jsonvalue.Value) *Schema {
	return k.child(k.schema, v, k.place(keyword), k.depth+1)
}

// list compiles an array of schemas; nil when it is none or empty.
func (k *keywords) list(keyword string, v *jsonvalue.Value) []*Schema {
	if v.Kind() != jsonvalue.Array || v.Len() == 0 {
		k.problem(k.place(keyword), "must be an array of at least one schema")
		return nil
	}
	list := make([]*Schema, v.Len())
	for i := range list {
		at := string(appendIndex([]byte(k.place(keyword)), i))
		list[i] = k.child(k.schema, v.Index(i), at, k.depth+1)
	}
	return list
}

// named compiles an object whose members are schemas.
func (k *keywords) named(keyword string, v *jsonvalue.Value) []Property {
	if v.Kind() != jsonvalue.Object {
		k.problem(k.place(keyword), "must be an object whose members are schemas")
		return nil
	}
	list := make([]Property, v.Len())
	for i := range list {
		m := &v.Elems()[i]
		sub := k.child(k.schema, &m.Value, k.place(keyword, m.Name), k.depth+1)
		list[i] = Property{Name: m.Name, Schema: sub}
	}
	return list
}

// names reads an array of strings, without repetitions.
func (k *keywords) names(v *jsonvalue.Value, at string) []string {
	if v.Kind() != jsonvalue.Array {
		k.problem(at, "must be an array of member names")
		return nil
	}
	names := make([]string, 0, v.Len())
	known := make(map[string]struct{}, v.Len())
	for i := range v.Elems() {
		e := v.Index(i)
		if e.Kind() != jsonvalue.String {
			k.problem(at, "must be an array of member names")
			return nil
		}
		if _, ok := known[e.Text()]; !ok {
			known[e.Text()] = struct{}{}
			names = append(names, e.Text())
		}
	}
	return names
}

// count reads a non-negative integer; it returns -1 and complains otherwise.
func (k *keywords) count(keyword string, v *jsonvalue.Value) int {
	if v.Kind() == jsonvalue.Number {
		d := decimalOf(v.Text())
		if n, ok := d.clampInt(math.MaxInt); ok {
			return n
		}
	}
	k.problem(k.place(keyword), "must be a non-negative integer")
	return -1
}

func (k *keywords) number(keyword string, v *jsonvalue.Value) *decimal {
	if v.Kind() != jsonvalue.Number {
		k.problem(k.place(keyword), "must be a number; is %s", kindNoun(v))
		return nil
	}
	d := decimalOf(v.Text())
	return &d
}

func (k *keywords) boolean(keyword string, v *jsonvalue.Value) bool {
	if v.Kind() != jsonvalue.Bool {
		k.problem(k.place(keyword), "must be a boolean; is %s", kindNoun(v))
		return false
	}
	return v.Bool()
}

func (k *keywords) pattern(text, at string) *pattern {
	if p, ok := k.patterns[text]; ok {
		return p
	}
	p, err := k.opts.Patterns.compile(text)
	if err != nil {
		report := k.unchecked
		if brokenPattern(err) {
			report = k.problem
		}
		report(at, "%s %s", clip(text, 80), err)
		return nil
	}
	k.patterns[text] = p
	return p
}

// unsupported complains about keywords that assert something here or in
// another draft and are not read. Everything else unknown is an annotation.
func (k *keywords) unsupported(name string, v *jsonvalue.Value) {
	at := k.place(name)
	switch name {
	case "$dynamicRef", "$recursiveRef":
		k.unchecked(at, "is not supported; use $ref")
	case "$vocabulary":
		k.unchecked(at, "is not supported")
	case "$id":
		nested := k.raw != k.root
		if nested && (v.Kind() != jsonvalue.String || !strings.HasPrefix(v.Text(), "#")) {
			k.unchecked(at, "is supported at the root only; references lead into the enclosing schema")
		}
	case "additionalItems":
		k.unchecked(at, "is not part of JSON Schema 2020-12; use prefixItems with items")
	case "dependencies":
		k.unchecked(at, "is not part of JSON Schema 2020-12; use dependentRequired or dependentSchemas")
	case "divisibleBy":
		k.unchecked(at, "is not part of JSON Schema 2020-12; use multipleOf")
	}
}

// typeSet reads the value of "type".
func (k *keywords) typeSet(v *jsonvalue.Value) TypeSet {
	at := k.place("type")
	var set TypeSet
	one := func(e *jsonvalue.Value) {
		t := typeNamed(e.Text())
		if e.Kind() == jsonvalue.String && t != 0 {
			set |= t
			return
		}
		all := (TypeNull | TypeBoolean | TypeInteger | TypeNumber | TypeString | TypeArray | TypeObject).Names()
		message := fmt.Sprintf("%s is not one of %s", shown(e), joined(all, "and"))
		if near := nearest(e.Text(), all); near != "" {
			message += fmt.Sprintf("; did you mean %q?", near)
		}
		k.problem(at, "%s", message)
		set |= unknownType
	}
	if v.Kind() != jsonvalue.Array {
		one(v)
	} else {
		for i := range v.Elems() {
			one(v.Index(i))
		}
	}
	if set.Has(unknownType) {
		return 0
	}
	return set
}

// unknownType marks a set of which one name could not be read, so that it
// cannot refuse what that name would have admitted.
const unknownType TypeSet = 1 << 7

// maxGuess bounds the names and lists for which near misses are looked up.
const (
	maxGuess      = 64
	maxCandidates = 1000
)

// nearest is [diag.Nearest] within bounds.
func nearest(name string, candidates []string) string {
	if len(name) > maxGuess || len(candidates) > maxCandidates {
		return ""
	}
	return diag.Nearest(name, candidates)
}
