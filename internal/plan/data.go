package plan

import (
	"fmt"
	"strconv"
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// data is a value that the file spells out with placeholders in it: a declared
// request body, or a value of with that has parts. It is a tree of JSON
// values, so that what a placeholder inserts can never be read as structure.
type data struct {
	kind    dataKind
	literal jsonvalue.Value
	// text holds placeholders; a text that is one placeholder is its value, with
	// its type. Otherwise values are escaped by mode.
	text *template.Bound
	mode template.Mode
	// bare reports that a placeholder stood in JSON text without quotes, where
	// text is meant to be JSON itself.
	bare    bool
	members []dataMember

	// source is the text before its names are tied to slots; at is its place.
	source *template.Template
	at     spec.Text
}

type dataKind uint8

const (
	dataLiteral dataKind = iota
	dataText
	dataObject
	dataArray
)

// dataMember is a member of an object, or an element of an array.
type dataMember struct {
	name  string
	value *data
}

// data compiles a YAML value of the user's; nil where a text in it cannot be,
// which has been reported.
func (c *compiler) data(n *spec.Node) *data {
	switch n.Kind {
	case spec.Mapping:
		d := &data{kind: dataObject}
		for i := range n.Members {
			value := c.data(&n.Members[i].Value)
			if value == nil {
				return nil
			}
			d.members = append(d.members, dataMember{n.Members[i].Name.Value, value})
		}
		return d.settled()
	case spec.Sequence:
		d := &data{kind: dataArray}
		for i := range n.Elements {
			value := c.data(&n.Elements[i])
			if value == nil {
				return nil
			}
			d.members = append(d.members, dataMember{"", value})
		}
		return d.settled()
	default:
		if n.Kind == spec.Scalar && n.Tag == "!!str" {
			return c.dataText(n.Text, template.None)
		}
		return &data{literal: nodeValue(n)}
	}
}

// dataText compiles a text whose values are escaped by mode.
func (c *compiler) dataText(at spec.Text, mode template.Mode) *data {
	text, err := template.Compile(at.Value, template.Value)
	if err != nil {
		c.templateError(at, err)
		return nil
	}
	if text.IsPlain() {
		return &data{literal: jsonvalue.StringOf(text.Text())}
	}
	return &data{kind: dataText, source: text, at: at, mode: mode}
}

// settled is the node, as a literal where nothing in it waits for a value.
func (d *data) settled() *data {
	members := make([]jsonvalue.Member, len(d.members))
	for i := range d.members {
		if d.members[i].value.kind != dataLiteral {
			return d
		}
		members[i] = jsonvalue.Member{Name: d.members[i].name, Value: d.members[i].value.literal}
	}
	if d.kind == dataArray {
		return &data{literal: jsonvalue.ArrayOf(members)}
	}
	return &data{literal: jsonvalue.ObjectOf(members)}
}

// jsonText compiles JSON text with placeholders, in strings and in the place of
// values. The problem is a clause about the text, "" where it is JSON.
//
// Each placeholder is replaced by a mark that is valid where it stands, the
// text is parsed, and the marks are found again in its strings.
func (c *compiler) jsonText(at spec.Text) (d *data, problem string) {
	text, err := template.Compile(at.Value, template.Value)
	if err != nil {
		c.templateError(at, err)
		return nil, ""
	}
	m := marks{compiler: c, at: at, names: text.Placeholders()}
	for n := range maxMarks {
		m.mark = fmt.Sprintf("\u27e6%d\u27e7", n)
		root, err := jsonvalue.ParseString(m.marked(text))
		switch {
		case err != nil:
			return nil, "its text is not JSON"
		case m.count(&root) == len(m.names): // the file's own text has no mark
			return m.data(&root)
		}
	}
	return nil, "its text is not JSON"
}

// maxMarks bounds the search for a mark that a text does not have itself.
const maxMarks = 8

// marked is the text with a mark in the place of each placeholder.
func (m *marks) marked(text *template.Template) string {
	var marked strings.Builder
	quoted, next := false, 0
	for _, s := range text.Segments() {
		if s.Placeholder == nil {
			marked.WriteString(s.Literal)
			quoted = quotedAfter(s.Literal, quoted)
			continue
		}
		if quoted {
			fmt.Fprintf(&marked, "%s%d;", m.mark, next)
		} else {
			fmt.Fprintf(&marked, `"%s%d!"`, m.mark, next)
		}
		next++
	}
	return marked.String()
}

// count counts the marks in a parsed text.
func (m *marks) count(v *jsonvalue.Value) int {
	n := strings.Count(v.Text(), m.mark)
	for i := range v.Elems() {
		n += strings.Count(v.Elems()[i].Name, m.mark) + m.count(&v.Elems()[i].Value)
	}
	return n
}

// quotedAfter reports whether a JSON text ends inside of a string.
func quotedAfter(text string, quoted bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quoted:
			i++
		case text[i] == '"':
			quoted = !quoted
		}
	}
	return quoted
}

// marks turn parsed JSON text back into texts with placeholders.
type marks struct {
	*compiler
	at    spec.Text
	mark  string
	names []template.Placeholder
}

func (m *marks) data(v *jsonvalue.Value) (d *data, problem string) {
	switch v.Kind() {
	case jsonvalue.Object, jsonvalue.Array:
		d = &data{kind: dataObject}
		if v.Kind() == jsonvalue.Array {
			d.kind = dataArray
		}
		for i := range v.Elems() {
			e := &v.Elems()[i]
			if strings.Contains(e.Name, m.mark) {
				return nil, "a placeholder cannot be the name of a member"
			}
			value, problem := m.data(&e.Value)
			if value == nil {
				return nil, problem
			}
			d.members = append(d.members, dataMember{e.Name, value})
		}
		return d.settled(), ""
	case jsonvalue.String:
		return m.text(v.Text()), ""
	default:
		return &data{literal: *v}, ""
	}
}

// text is a string of the JSON text, with its placeholders put back.
func (m *marks) text(s string) *data {
	if !strings.Contains(s, m.mark) {
		return &data{literal: jsonvalue.StringOf(s)}
	}
	var out strings.Builder
	bare := false
	for rest := s; ; {
		literal, after, ok := strings.Cut(rest, m.mark)
		out.WriteString(literal)
		if !ok {
			break
		}
		end := strings.IndexAny(after, ";!")
		at, _ := strconv.Atoi(after[:end])
		bare = after[end] == '!'
		out.WriteString("{{" + m.names[at].Name + "}}")
		rest = after[end+1:]
	}
	// Its place is that of the whole text: an escape may have moved it.
	d := m.dataText(spec.Text{Value: out.String(), Span: m.at.Span}, template.None)
	if d != nil {
		d.bare = bare
	}
	return d
}

// texts calls f with each text that waits for its slots.
func (d *data) texts(f func(*data)) {
	if d == nil {
		return
	}
	if d.kind == dataText {
		f(d)
	}
	for i := range d.members {
		d.members[i].value.texts(f)
	}
}

// value fills the placeholders in. It is absent where a placeholder that is the
// whole text has no value, and such members and elements are left out.
func (d *data) value(values []jsonvalue.Value) jsonvalue.Value {
	switch d.kind {
	case dataText:
		return d.filled(values)
	case dataObject:
		return jsonvalue.ObjectOf(d.present(values))
	case dataArray:
		return jsonvalue.ArrayOf(d.present(values))
	default:
		return d.literal
	}
}

func (d *data) present(values []jsonvalue.Value) []jsonvalue.Member {
	out := make([]jsonvalue.Member, 0, len(d.members))
	for i := range d.members {
		if v := d.members[i].value.value(values); !v.IsAbsent() {
			out = append(out, jsonvalue.Member{Name: d.members[i].name, Value: v})
		}
	}
	return out
}

func (d *data) filled(values []jsonvalue.Value) jsonvalue.Value {
	if slot, ok := d.text.Single(); ok && slot < len(values) {
		v := values[slot]
		if d.bare && v.Kind() == jsonvalue.String {
			if parsed, err := jsonvalue.ParseString(v.Text()); err == nil && parsed.Kind() != jsonvalue.String {
				return parsed
			}
		}
		return v
	}
	text, complete := d.text.Append(nil, values, d.mode)
	if !complete && len(text) == 0 {
		return jsonvalue.Value{}
	}
	return jsonvalue.StringOf(string(text))
}
