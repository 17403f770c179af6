package contract

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
)

// Conflict is what a document says otherwise about an operation than the one
// that is joined, which comes before it.
type Conflict struct {
	Document string
	// Differences are clauses about the first and the second document, such as
	// "the first alone has the field Name".
	Differences []string
}

// maxDifferences bounds the clauses of one conflict.
const maxDifferences = 8

// conflicts compares an operation with what later documents say about it.
func (c *candidate) conflicts(first *openapi.Operation) []Conflict {
	var out []Conflict
	for later := c.next; later != nil; later = later.next {
		other, err := later.ref.Read()
		if err != nil {
			continue // what it says is not known; nobody misses it
		}
		d := differences{here: first, there: other}
		d.bodies()
		d.parameters()
		if d.found == nil {
			continue
		}
		if more := len(d.found) - maxDifferences; more > 0 {
			d.found = append(d.found[:maxDifferences:maxDifferences], fmt.Sprintf("and %d more", more))
		}
		out = append(out, Conflict{Document: strings.Clone(other.Document), Differences: d.found})
	}
	return out
}

// differences compares what decides how a request is made. Descriptions, rules
// and answers may differ: the first document's hold, and nothing else changes.
type differences struct {
	here, there *openapi.Operation
	found       []string
}

func (d *differences) add(format string, args ...any) {
	d.found = append(d.found, fmt.Sprintf(format, args...))
}

func (d *differences) bodies() {
	here, there := mediaOf(d.here.Body), mediaOf(d.there.Body)
	switch {
	case here == there:
	case here == "":
		d.add("the second alone has a body, in %s", there)
		return
	case there == "":
		d.add("the first alone has a body, in %s", here)
		return
	default:
		d.add("the body is in %s, in the second in %s", here, there)
	}
	if here == "" {
		return
	}
	mine, theirs := fieldsOf(d.here), fieldsOf(d.there)
	if len(mine.names) == 0 || len(theirs.names) == 0 {
		return // one of them does not say
	}
	d.names("field", mine.names, theirs.names)
	for _, name := range mine.names {
		if slices.Contains(theirs.names, name) {
			d.compare("the field "+name, mine.required[name], theirs.required[name], mine.types[name], theirs.types[name])
		}
	}
}

// names reports names that only one of two lists has.
func (d *differences) names(what string, here, there []string) {
	only := func(mine, theirs []string) string {
		var out []string
		for _, name := range mine {
			if !slices.Contains(theirs, name) {
				out = append(out, name)
			}
		}
		return listed(what, out)
	}
	if text := only(here, there); text != "" {
		d.add("the first alone has %s", text)
	}
	if text := only(there, here); text != "" {
		d.add("the second alone has %s", text)
	}
}

// maxNames bounds the names of one clause.
const maxNames = 4

func listed(what string, names []string) string {
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return "the " + what + " " + names[0]
	case n > maxNames:
		return fmt.Sprintf("the %ss %s and %d more", what, strings.Join(names[:maxNames], ", "), n-maxNames)
	default:
		return fmt.Sprintf("the %ss %s and %s", what, strings.Join(names[:n-1], ", "), names[n-1])
	}
}

func (d *differences) compare(what string, required, theirs bool, kind, theirKind string) {
	if required != theirs {
		d.add("%s is %s, in the second %s", what, demand(required), demand(theirs))
	}
	if kind != "" && theirKind != "" && kind != theirKind {
		d.add("%s is of type %s, in the second %s", what, kind, theirKind)
	}
}

func demand(required bool) string {
	if required {
		return "required"
	}
	return "optional"
}

func (d *differences) parameters() {
	for _, place := range []string{"query", "header", "cookie"} {
		mine, theirs := parametersIn(d.here, place), parametersIn(d.there, place)
		d.names(place+" parameter", namesOf(mine), namesOf(theirs))
		for _, p := range mine {
			for _, q := range theirs {
				if p.Name == q.Name {
					d.compare("the "+place+" parameter "+p.Name, p.Required, q.Required, typeText(d.here, p.Schema), typeText(d.there, q.Schema))
				}
			}
		}
	}
	theirs := placeholders(d.there.Path)
	for i, name := range placeholders(d.here.Path) {
		p, q := parameter(d.here, "path", name), (*openapi.Parameter)(nil)
		if i < len(theirs) {
			q = parameter(d.there, "path", theirs[i])
		}
		if p != nil && q != nil {
			d.compare("the path parameter "+name, true, true, typeText(d.here, p.Schema), typeText(d.there, q.Schema))
		}
	}
}

func parametersIn(op *openapi.Operation, place string) []*openapi.Parameter {
	var out []*openapi.Parameter
	for i := range op.Parameters {
		if op.Parameters[i].In == place {
			out = append(out, &op.Parameters[i])
		}
	}
	return out
}

func parameter(op *openapi.Operation, place, name string) *openapi.Parameter {
	for i := range op.Parameters {
		if p := &op.Parameters[i]; p.In == place && p.Name == name {
			return p
		}
	}
	return nil
}

func namesOf(params []*openapi.Parameter) []string {
	out := make([]string, len(params))
	for i := range params {
		out[i] = params[i].Name
	}
	return out
}

func mediaOf(b *openapi.Body) string {
	if b == nil || len(b.Content) == 0 {
		return ""
	}
	at, media := bodyMedia(b)
	if at < 0 {
		return b.Content[0].Type
	}
	return media
}

// bodyFields are the declared members of a body.
type bodyFields struct {
	names    []string
	types    map[string]string
	required map[string]bool
}

func fieldsOf(op *openapi.Operation) bodyFields {
	f := bodyFields{types: map[string]string{}, required: map[string]bool{}}
	if at, _ := bodyMedia(op.Body); at >= 0 {
		f.add(op, op.Body.Content[at].Schema, 0)
	}
	return f
}

// maxParts bounds how deep a comparison follows references and allOf.
const maxParts = 16

func (f *bodyFields) add(op *openapi.Operation, schema *jsonvalue.Value, depth int) {
	if schema = behind(op, schema); schema == nil || depth > maxParts {
		return
	}
	if all := schema.Get("allOf"); all != nil {
		for i := range all.Elems() {
			f.add(op, &all.Elems()[i].Value, depth+1)
		}
	}
	if props := schema.Get("properties"); props != nil {
		for i := range props.Elems() {
			m := &props.Elems()[i]
			if _, known := f.types[m.Name]; !known {
				f.names = append(f.names, m.Name)
				f.types[m.Name] = typeText(op, &m.Value)
			}
		}
	}
	if required := schema.Get("required"); required != nil {
		for i := range required.Elems() {
			f.required[required.Elems()[i].Value.Text()] = true
		}
	}
}

// behind follows a schema that is a reference.
func behind(op *openapi.Operation, schema *jsonvalue.Value) *jsonvalue.Value {
	for range maxParts {
		if schema == nil {
			return nil
		}
		ref := schema.Get("$ref")
		if ref == nil {
			return schema
		}
		schema, _ = op.Resolve(ref.Text())
	}
	return nil
}

// typeText is the type that a schema states, without null, or "".
func typeText(op *openapi.Operation, schema *jsonvalue.Value) string {
	schema = behind(op, schema)
	if schema == nil {
		return ""
	}
	t := schema.Get("type")
	switch {
	case t == nil:
		return ""
	case t.Kind() == jsonvalue.String:
		return t.Text()
	}
	var names []string
	for i := range t.Elems() {
		if name := t.Elems()[i].Value.Text(); name != "null" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}
