package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// sources decides for each argument where its value comes from, and which
// fields a call adds to the body.
func (b *builder) sources(to *consumed, call spec.Text, with []spec.Entry, hasWith, step bool) ([]source, []bodyField) {
	out := make([]source, len(to.params))
	given := make([]bool, len(to.params))
	var fields []bodyField
	for i := range with {
		w := &with[i]
		at, sure := b.argument(to, w.Name, call.Value)
		if at < 0 {
			if sure {
				fields = b.withField(fields, to, w, call.Value)
			}
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
	fields = b.mapped(out, given, fields, to, call.Value, step)
	for i := range to.params {
		p := &to.params[i]
		switch {
		case p.fixed != nil:
			b.fixedValue(&out[i], to, p)
		case given[i] || p.in == inNowhere || b.guardedHeader(p):
		case i == to.body.whole && p.declared == nil && len(fields) > 0:
			// The fields make up the body that the contract knows.
		case !hasWith || p.required || p.declared == nil || p.in == inTemplate:
			out[i] = b.sameName(p.name, needed, to, p)
		}
	}
	if !hasWith && !step {
		fields = b.unclaimed(fields, to, call.Value)
	}
	return out, fields
}

// guardedHeader reports whether an argument is the header with which callers
// of this adapter show their credentials, which are not the upstream's.
func (b *builder) guardedHeader(p *param) bool {
	if !b.guarded || p.in != inHeader || !strings.EqualFold(p.name, "Authorization") {
		return false
	}
	b.diags.Notef(CodeInputReserved, b.span, "%s: callers show this adapter their credentials in Authorization; it is not passed on", b.describe())
	return true
}

// sameName is the input of a name, or the value that the file gives it.
func (b *builder) sameName(name string, why origin, to *consumed, p *param) source {
	if ref, ok := b.fixedInput(name); ok {
		return source{kind: fromStep, input: ref}
	}
	return source{kind: fromInput, input: b.input(name, why, to, p)}
}

// argument finds the argument that a name in with means, -1 for none. One that
// means several is reported, and then sure is false; so it is for a name that
// callers cannot give, which has been said where it is declared.
func (b *builder) argument(to *consumed, name spec.Text, call string) (at int, sure bool) {
	for i := range to.params {
		// A contract may have given the parameter another spelling.
		if d := to.params[i].declared; d != nil && d.Name.Value == name.Value {
			return i, true
		}
	}
	names := make([]string, len(to.params))
	for i := range names {
		names[i] = to.params[i].name
	}
	at, rival := meant(name.Value, len(names), func(i int) string { return names[i] })
	if rival >= 0 {
		b.diags.Errorf(CodeInputAmbiguous, name.Span, "%q can mean the parameter %q or %q of %s", clip(name.Value), names[at], names[rival], call)
	}
	ignored := slices.ContainsFunc(to.ignored, func(n string) bool { return diag.Fold(n) == diag.Fold(name.Value) })
	return at, rival < 0 && !ignored
}

// source compiles a value of with: a reference to an input or to an earlier
// step keeps its type, text with placeholders is a template, everything else is
// a literal.
func (b *builder) source(into *source, w *spec.Entry, to *consumed, p *param) {
	v := w.Value
	if w.Data != nil {
		b.dataSource(into, w.Data)
		return
	}
	if strings.Contains(v.Value, "{{") {
		b.textSource(into, v, to, p)
		return
	}
	for _, scope := range b.scopes() {
		if name, ok := strings.CutPrefix(v.Value, scope+"."); ok && name != "" {
			*into = b.sameName(name, referenced, to, p)
			return
		}
	}
	b.nearScope(v)
	*into = source{kind: fromLiteral, literal: literal(w, p)}
}

// dataSource compiles a value of with that has parts; placeholders in it are
// inputs and the values of earlier steps.
func (b *builder) dataSource(into *source, n *spec.Node) {
	d := b.data(n)
	if d == nil {
		return // reported
	}
	*into = source{kind: fromData, data: d}
	d.texts(func(d *data) {
		b.text(&d.text, d.at, d.source, func(name string) int { return b.textInput(name, referenced) })
	})
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
func (c *compiler) isBound(name string) bool {
	namespace, _, qualified := strings.Cut(name, ".")
	if !qualified && c.environment[name] {
		return true
	}
	return slices.ContainsFunc(c.doc.Binds, func(bind spec.Bind) bool {
		if qualified {
			return bind.Namespace.Value == namespace
		}
		return slices.ContainsFunc(bind.Keys, func(k spec.Entry) bool { return k.Name.Value == name })
	})
}

// fixedValue compiles a value that the file gives to a parameter: over variables,
// and over the caller's inputs for every other name. An input that is the whole
// value keeps its type.
func (b *builder) fixedValue(into *source, to *consumed, p *param) {
	value := p.declared.Value
	if p.fixed.IsPlain() {
		*into = source{kind: fromLiteral, literal: jsonvalue.StringOf(p.fixed.Text())}
		return
	}
	isInput := func(name string) bool {
		if p.credential {
			return false
		}
		if strings.Contains(name, ".") {
			return !b.isBound(name)
		}
		isParameter := slices.ContainsFunc(to.params, func(q param) bool { return q.name == name && q.fixed == nil && q.in != inNowhere })
		return isParameter || !b.isVariable(name)
	}
	if name, single := p.fixed.Single(); single && isInput(name) {
		*into = b.sameName(b.unscoped(name), needed, to, p)
		return
	}
	into.kind = fromText
	late := lateText{into: &into.text, text: p.fixed, slots: map[string]slot{}}
	for _, ph := range p.fixed.Placeholders() {
		if !isInput(ph.Name) {
			late.slots[ph.Name] = slot{inVariables, b.variable(ph.Name, nameSpan(value, &ph), to.upstream.Host, textUse{authentication: p.credential})}
			continue
		}
		if ref, ok := b.fixedInput(b.unscoped(ph.Name)); ok {
			late.slots[ph.Name] = slot{inSteps, ref}
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
