package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// sources decides for each argument where its value comes from.
func (b *builder) sources(to *consumed, call spec.Text, with []spec.Entry, hasWith bool) []source {
	out := make([]source, len(to.params))
	given := make([]bool, len(to.params))
	for i := range with {
		w := &with[i]
		at := b.argument(to, w.Name, call.Value)
		if at < 0 {
			continue
		}
		given[at] = true
		switch p := &to.params[at]; {
		case p.in == inNowhere:
		case p.fixed != nil:
			b.diags.Warnf(CodeWithUnknown, w.Name.Span, "%s gives %q a fixed value; this one is not used", call.Value, clip(w.Name.Value))
		default:
			b.source(&out[at], w, to, p)
		}
	}
	for i := range to.params {
		p := &to.params[i]
		switch {
		case p.fixed != nil:
			b.fixed(&out[i], to, p)
		case given[i] || p.in == inNowhere:
		case !hasWith || p.required || p.declared == nil:
			out[i] = source{kind: fromInput, input: b.input(p.name, needed, to, p)}
		}
	}
	return out
}

// argument finds the argument that a name in with means. A name that means
// none, or several, is reported.
func (b *builder) argument(to *consumed, name spec.Text, call string) int {
	for i := range to.params {
		// A contract may have given the parameter another spelling.
		if d := to.params[i].declared; d != nil && d.Name.Value == name.Value {
			return i
		}
	}
	names := make([]string, len(to.params))
	for i := range names {
		names[i] = to.params[i].name
	}
	at, rival := meant(name.Value, len(names), func(i int) string { return names[i] })
	switch {
	case rival >= 0:
		b.diags.Errorf(CodeInputAmbiguous, name.Span, "%q can mean the parameter %q or %q of %s", clip(name.Value), names[at], names[rival], call)
	case at < 0:
		d := b.diags.Warnf(CodeWithUnknown, name.Span, "%s has no input %q; the value is not used", call, clip(name.Value))
		if near := diag.Nearest(name.Value, names); near != "" {
			d.WithHint("did you mean %s?", near)
		}
	}
	return at
}

// source compiles a value of with: a reference to an input or to an earlier
// step keeps its type, text with placeholders is a template, everything else is
// a literal.
func (b *builder) source(into *source, w *spec.Entry, to *consumed, p *param) {
	v := w.Value
	if strings.Contains(v.Value, "{{") {
		b.textSource(into, v, to, p)
		return
	}
	for _, scope := range b.scopes() {
		if name, ok := strings.CutPrefix(v.Value, scope+"."); ok && name != "" {
			*into = source{kind: fromInput, input: b.input(name, referenced, to, p)}
			return
		}
	}
	b.nearScope(v)
	*into = source{kind: fromLiteral, literal: literal(w, p)}
}

func (b *builder) textSource(into *source, v spec.Text, to *consumed, p *param) {
	text, err := template.Compile(v.Value, template.Value)
	if err != nil {
		b.templateError(v, err)
		return
	}
	if text.IsPlain() {
		*into = source{kind: fromLiteral, literal: jsonvalue.StringOf(text.Text())}
		return
	}
	if name, single := text.Single(); single && !b.isVariable(name) {
		if ref, ok := b.stepRef(name); ok {
			*into = source{kind: fromStep, input: ref}
			return
		}
		b.nearStep(name, v.Span)
		b.nearTemplateScope(name, v.Span)
		*into = source{kind: fromInput, input: b.input(b.unscoped(name), referenced, to, p)}
		return
	}
	into.kind = fromText
	b.text(&into.text, v, text, func(name string) int { return b.textInput(name, referenced) })
}

// literal gives a scalar of the file the type that YAML gave it, unless the
// parameter is declared to be text.
func literal(w *spec.Entry, p *param) jsonvalue.Value {
	text := w.Value.Value
	if p.declared == nil || p.declared.Type.Value != "string" {
		switch w.Tag {
		case "!!int", "!!float":
			return typedText("number", text)
		case "!!bool":
			return typedText("boolean", text)
		}
	}
	return jsonvalue.StringOf(text)
}

// scopes are the words that mean the caller's input.
func (b *builder) scopes() []string {
	if b.namespace == "" {
		return inputScopes[:]
	}
	return append([]string{b.namespace}, inputScopes[:]...)
}

// nearScope warns about a literal whose first part is almost a scope, or that
// of another adapter.
func (b *builder) nearScope(v spec.Text) {
	first, rest, ok := strings.Cut(v.Value, ".")
	if !ok || rest == "" || strings.ContainsAny(v.Value, " /:@") {
		return
	}
	if near := b.scopeMeant(first); near != "" {
		b.diags.Warnf(CodeScopeNearMiss, v.Span, "%q is sent as literal text", clip(v.Value)).WithHint("did you mean the caller's input, %s.%s?", near, rest)
	}
}

// unscoped removes a scope from a placeholder's name.
func (b *builder) unscoped(name string) string {
	for _, scope := range b.scopes() {
		if rest, ok := strings.CutPrefix(name, scope+"."); ok && rest != "" {
			return rest
		}
	}
	return name
}

// outputText compiles text of an output, in which only the inputs stand that a
// caller has anyway.
func (b *builder) outputText(into **template.Bound, at spec.Text, text *template.Template) {
	b.text(into, at, text, func(name string) int {
		slot, placeholder := b.named(b.unscoped(name), needed)
		switch {
		case placeholder >= 0:
			return b.textInput(name, needed)
		case slot < 0:
			b.diags.Warnf(CodeMapping, at.Span, "%q is none of the inputs of %s; nothing is put there", clip(name), b.describe()).Hint = b.nearInput(name)
		default:
			b.facts[slot].idle = false
		}
		return slot
	})
}

// text ties the placeholders of a text on the exposed side to inputs and to
// the values of earlier steps. Variables are not readable there.
func (b *builder) text(into **template.Bound, at spec.Text, text *template.Template, input func(name string) int) {
	late := lateText{into: into, text: text, slots: map[string]slot{}}
	for _, ph := range text.Placeholders() {
		if b.isVariable(ph.Name) {
			b.diags.Errorf(CodeBindNotReadable, nameSpan(at, &ph), "%s cannot be read here", ph.Name).
				WithHint("values of binds stay on the consumed side: authentication, headers, base address and fixed parameter values")
			continue
		}
		if ref, ok := b.stepRef(ph.Name); ok {
			late.slots[ph.Name] = slot{inSteps, ref}
			continue
		}
		b.nearStep(ph.Name, nameSpan(at, &ph))
		b.nearTemplateScope(ph.Name, nameSpan(at, &ph))
		late.slots[ph.Name] = slot{inInputs, input(ph.Name)}
	}
	b.late = append(b.late, late)
}

// textInput is an input that only appears inside text.
func (b *builder) textInput(name string, why origin) int {
	at := b.input(b.unscoped(name), why, nil, nil)
	if in := &b.inputs[at]; in.Schema.IsAbsent() {
		in.Schema = stringSchema()
	}
	return at
}

// isVariable reports whether a placeholder on the exposed side means a value of
// binds: one of a declared namespace that is no scope, or a declared name alone
// that no input has.
func (b *builder) isVariable(name string) bool {
	namespace, _, qualified := strings.Cut(name, ".")
	if qualified && slices.Contains(b.scopes(), namespace) {
		return false
	}
	if !qualified && (slices.Contains(b.pathNames, name) || slices.ContainsFunc(b.inputs, func(in Input) bool { return in.Name == name })) {
		return false
	}
	return b.isBound(name)
}

// isBound reports whether binds has the namespace of a name or, of a name
// without one, the name itself.
func (b *builder) isBound(name string) bool {
	namespace, _, qualified := strings.Cut(name, ".")
	return slices.ContainsFunc(b.doc().Binds, func(bind spec.Bind) bool {
		if qualified {
			return bind.Namespace.Value == namespace
		}
		return slices.ContainsFunc(bind.Keys, func(k spec.Entry) bool { return k.Name.Value == name })
	})
}

// fixed compiles a value that the file gives to a parameter: over variables,
// and over the caller's inputs for every other name. An input that is the whole
// value keeps its type.
func (b *builder) fixed(into *source, to *consumed, p *param) {
	value := p.declared.Value
	if p.fixed.IsPlain() {
		*into = source{kind: fromLiteral, literal: jsonvalue.StringOf(p.fixed.Text())}
		return
	}
	isInput := func(name string) bool {
		if strings.Contains(name, ".") {
			return !b.isBound(name)
		}
		isParameter := slices.ContainsFunc(to.params, func(q param) bool { return q.name == name && q.fixed == nil })
		return isParameter || !b.isVariable(name)
	}
	if name, single := p.fixed.Single(); single && isInput(name) {
		*into = source{kind: fromInput, input: b.input(b.unscoped(name), needed, to, p)}
		return
	}
	into.kind = fromText
	late := lateText{into: &into.text, text: p.fixed, slots: map[string]slot{}}
	for _, ph := range p.fixed.Placeholders() {
		if !isInput(ph.Name) {
			late.slots[ph.Name] = slot{inVariables, b.variable(ph.Name, nameSpan(value, &ph), to.upstream.Host, textUse{})}
			continue
		}
		late.slots[ph.Name] = slot{inInputs, b.textInput(ph.Name, needed)}
	}
	b.late = append(b.late, late)
}

// slot is a place in the frame of a run: the caller's inputs, behind them the
// values of earlier steps, behind those the variables.
type slot struct {
	area area
	at   int
}

type area uint8

const (
	inInputs area = iota
	inSteps
	inVariables
)

// lateText is a text that waits for the number of inputs and steps, because
// its slots are counted from there.
type lateText struct {
	into  **template.Bound
	text  *template.Template
	slots map[string]slot
}

func (b *builder) bindLate() {
	for _, l := range b.late {
		*l.into = l.text.Bind(func(name string, _ int) (int, bool) {
			s, ok := l.slots[name]
			ok = ok && s.at >= 0
			switch s.area {
			case inSteps:
				s.at += len(b.inputs)
			case inVariables:
				s.at += len(b.inputs) + len(b.refs)
			}
			return s.at, ok
		})
	}
}

// unused says which inputs of the operation go nowhere. Placeholders of the path
// are inputs all the same.
func (b *builder) unused() {
	for i := range b.inputs {
		if in := &b.inputs[i]; b.facts[i].idle {
			b.diags.Warnf(CodeInputUnused, in.Span, "%s: the input %q is used by nothing", b.describe(), clip(in.Name))
		}
	}
	for i, name := range b.pathNames {
		if b.pathInputs[i] >= 0 {
			continue
		}
		b.diags.Warnf(CodeInputUnused, b.span, "%s: the value of {%s} is used by nothing", b.describe(), name).Hint = b.nearReference(name)
		b.add(Input{Name: name, Location: Path, Required: true, Schema: stringSchema(), Span: b.span}, needed, i)
	}
}
