package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
)

// withField makes a name in with that the operation does not have a field of
// its body. Where that has no room for fields, the value is not used.
func (b *builder) withField(fields []bodyField, to *consumed, w *spec.Entry, call string) []bodyField {
	p := b.extraField(to, w.Name.Value)
	if p == nil {
		b.unknown(w.Name, to, call)
		return fields
	}
	b.fieldNote(w.Name, to, call)
	field := bodyField{path: []string{w.Name.Value}}
	b.source(&field.source, w, to, p)
	return append(fields, field)
}

// extraField describes a field beyond the declared ones; nil where the body has
// no room for it.
func (b *builder) extraField(to *consumed, name string) *param {
	if !to.takesFields() {
		return nil
	}
	return &param{name: name, in: inTemplate, span: b.span}
}

// fieldNote warns about a field that nobody declared. Where a contract knows it,
// there is nothing to warn about.
func (b *builder) fieldNote(name spec.Text, to *consumed, call string) {
	if c := to.contract; c != nil && c.Body != nil && c.Body.Schema != nil {
		for _, p := range c.Body.Schema.Properties() {
			if diag.Fold(p.Name) == diag.Fold(name.Value) {
				return
			}
		}
	}
	d := b.diags.Warnf(CodeWithUnknown, name.Span, "%s declares no input %q; it is sent as a field of the body", call, clip(name.Value))
	if near := to.nearest(name.Value); near != "" {
		d.WithHint("did you mean %s?", near)
	}
}

func (b *builder) unknown(name spec.Text, to *consumed, call string) {
	d := b.diags.Warnf(CodeWithUnknown, name.Span, "%s has no input %q; the value is not used", call, clip(name.Value))
	if near := to.nearest(name.Value); near != "" {
		d.WithHint("did you mean %s?", near)
	}
}

func (op *consumed) nearest(name string) string {
	names := make([]string, len(op.params))
	for i := range names {
		names[i] = op.params[i].name
	}
	return diag.Nearest(name, names)
}

// mapped passes on the inputs whose declaration says where in the upstream's
// call they go, as in `mapping: body.title`. What with says goes before it.
func (b *builder) mapped(out []source, given []bool, fields []bodyField, to *consumed, call string, step bool) []bodyField {
	for i := range b.inputs {
		at := b.facts[i].mapping
		if !at.Set() {
			continue
		}
		place, path := target(at.Value)
		if len(path) == 0 {
			if !step {
				b.diags.Warnf(CodeInputLocation, at.Span, "%q says no place in a call; the input goes where its name does", clip(at.Value)).
					WithHint("write body.NAME, query.NAME, path.NAME or header.NAME")
			}
			continue
		}
		name := spec.Text{Value: strings.Join(path, "."), Span: at.Span}
		arg, _ := meant(path[0], len(to.params), func(j int) string {
			if p := &to.params[j]; p.in != inNowhere && p.fixed == nil && (place < 0 || p.in == in(place) || p.in == inTemplate) {
				return p.name
			}
			return ""
		})
		switch {
		case arg >= 0 && len(path) == 1:
			if !given[arg] {
				given[arg], b.facts[i].idle = true, false
				out[arg] = source{kind: fromInput, input: i}
				b.adoptOnce(i, to, &to.params[arg])
			}
		case (place < 0 || in(place) == inBody) && to.takesFields():
			if place < 0 {
				b.fieldNote(name, to, call)
			}
			b.facts[i].idle = false
			fields = append(fields, bodyField{path: path, source: source{kind: fromInput, input: i}})
		case !step:
			b.unknown(name, to, call)
		}
	}
	return fields
}

// target reads the place that a mapping of an input names, -1 for any, and the
// names that lead to it; no names where it is none.
func target(mapping string) (place int, path []string) {
	mapping = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(mapping), "$"), ".")
	if mapping == "" || strings.ContainsAny(mapping, "[]{}*() ") {
		return -1, nil
	}
	path = strings.Split(mapping, ".")
	if slices.Contains(path, "") {
		return -1, nil
	}
	place = -1
	switch diag.Fold(path[0]) {
	case "body", "requestbody", "data":
		place = int(inBody)
	case "query", "queryparameters", "queryparams":
		place = int(inQuery)
	case "path", "pathparameters", "pathparams":
		place = int(inPath)
	case "header", "headers":
		place = int(inHeader)
	case "cookie", "cookies":
		place = int(inCookie)
	}
	if place < 0 || len(path) == 1 {
		return -1, path
	}
	return place, path[1:]
}

// unclaimed makes the operation's own inputs that nothing has used fields of
// the body, because without with every input is passed on.
func (b *builder) unclaimed(fields []bodyField, to *consumed, call string) []bodyField {
	for i := range b.inputs {
		f := &b.facts[i]
		if !f.idle || f.mapping.Set() || f.in != "" && f.in != "body" || b.rest && f.in == "" || b.inputs[i].Location == Path || slices.Contains(b.pathInputs, i) {
			continue
		}
		name := spec.Text{Value: b.inputs[i].Name, Span: b.inputs[i].Span}
		if b.extraField(to, name.Value) == nil {
			continue // reported as unused
		}
		b.fieldNote(name, to, call)
		f.idle = false
		fields = append(fields, bodyField{path: []string{name.Value}, source: source{kind: fromInput, input: i}})
	}
	return fields
}

// adoptOnce gives an input what is known about the argument that it becomes,
// unless it has that from another one.
func (b *builder) adoptOnce(input int, to *consumed, p *param) {
	if !b.facts[input].fed {
		b.facts[input].fed = true
		b.adopt(&b.inputs[input], to, p)
	}
}

// withFields is the body with the fields added that the call names.
func (f *frame) withFields(body jsonvalue.Value) jsonvalue.Value {
	if len(f.call.fields) == 0 {
		return body
	}
	members := slices.Clone(body.Elems())
	for i := range f.call.fields {
		field := &f.call.fields[i]
		if v := f.argument(&field.source); !v.IsAbsent() {
			members = place(members, field.path, v)
		}
	}
	return jsonvalue.ObjectOf(members)
}
