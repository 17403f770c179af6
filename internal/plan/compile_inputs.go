package plan

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// builder compiles one exposed operation or tool: which inputs a caller has,
// and from which of them each argument of the upstream call is made.
type builder struct {
	*compiler
	kind, name, namespace, description, label string
	span                                      diag.Span
	rest                                      bool
	uses                                      map[string]int

	pathNames  []string
	pathInputs []int
	inputs     []Input
	// late are texts that wait for the number of inputs and steps, refs the
	// values of earlier steps that anything uses, steps the names so far.
	late  []lateText
	refs  []stepRef
	steps []string
	// fed tells which inputs already took their schema from an argument.
	fed []bool
}

// build returns nil where the operation cannot run; the reason is reported.
func (b *builder) build(run *spec.Run, declared ...[]spec.Parameter) *Operation {
	if reason := unsupportedRun(run); reason != "" {
		b.disable(CodeUnsupported, b.kind, b.name, b.span, reason, "")
		return nil
	}
	b.pathInputs = make([]int, len(b.pathNames))
	for i := range b.pathInputs {
		b.pathInputs[i] = -1
	}
	for _, list := range declared {
		for i := range list {
			b.declare(&list[i])
		}
	}
	op := &Operation{Name: b.name, Label: b.label, Description: b.description, Span: b.span}
	switch {
	case run.Call.Set():
		only, ok := b.callOf("", run.Call, run.With, run.HasWith)
		if !ok {
			return nil
		}
		op.calls = []call{only}
		op.output = b.mapping(run.Outputs)
	case len(run.Steps) > 0:
		if !b.orchestrate(op, run) {
			return nil
		}
	default:
		op.mock = b.mockOf(run.Outputs)
	}
	b.unusedPlaceholders()
	b.bindLate()
	op.Inputs, op.refs = b.inputs, b.refs
	return op
}

// callOf compiles one call: of an operation, or of one of its steps.
func (b *builder) callOf(step string, to spec.Text, with []spec.Entry, hasWith bool) (call, bool) {
	target := b.resolve(to, b.uses)
	if target == nil {
		return call{}, false
	}
	if target.disabled != "" {
		b.disable(CodeUnsupported, b.kind, b.name, b.span, target.disabled, "")
		return call{}, false
	}
	return call{step: step, to: target, sources: b.sources(target, to, with, hasWith)}, true
}

// declare adds an input that the file spells out.
func (b *builder) declare(p *spec.Parameter) {
	in := Input{
		Name: p.Name.Value, Description: p.Description.Value, Span: p.Span,
		Required: p.Required.Value, Schema: declaredSchema(p), repeats: p.Type.Value == "array",
	}
	if !b.rest {
		// The format makes tool inputs required unless they say otherwise.
		in.Required = p.Required.Value || !p.Required.Set()
	}
	in.check = b.compileDeclared(&in, p)
	switch strings.ToLower(p.In.Value) {
	case "path":
		in.Location, in.Required = Path, true
	case "header":
		in.Location = Header
	case "cookie":
		in.Location = Cookie
	case "body":
		in.Location = BodyField
		if in.Name == "body" || p.Type.Value == "object" {
			in.Location = WholeBody
		}
	case "query":
		in.Location = Query
	default:
		switch {
		case in.Name == "body":
			in.Location = WholeBody
		case b.freePlaceholder(in.Name) >= 0:
			in.Location, in.Required = Path, true
		}
	}
	if at := slices.IndexFunc(b.inputs, func(have Input) bool { return have.Name == in.Name }); at >= 0 {
		b.inputs[at] = in // the innermost declaration wins
		return
	}
	b.add(in)
}

func (b *builder) add(in Input) int {
	b.inputs = append(b.inputs, in)
	b.fed = append(b.fed, false)
	at := len(b.inputs) - 1
	if in.Location == Path {
		if i := b.freePlaceholder(in.Name); i >= 0 {
			b.pathInputs[i] = at
		}
	}
	return at
}

// freePlaceholder finds the placeholder of the exposed path that a name means
// and that no input has taken: the exact one, or else the only one that is
// equal ignoring case, '-' and '_'. It returns -1 for none.
func (b *builder) freePlaceholder(name string) int {
	found := -1
	for i, ph := range b.pathNames {
		if b.pathInputs[i] >= 0 {
			continue
		}
		if ph == name {
			return i
		}
		if diag.Fold(ph) == diag.Fold(name) {
			if found >= 0 {
				b.diags.Errorf(CodeInputAmbiguous, b.span, "%q can mean the placeholder {%s} or {%s} of the path", name, b.pathNames[found], ph)
				return found
			}
			found = i
		}
	}
	return found
}

// input returns the index of the caller's input of a name, which is added
// where it does not exist. The argument p, if any, is what the input's value
// becomes unchanged; it decides where a caller puts the value and what it may be.
func (b *builder) input(name string, to *consumed, p *param) int {
	at := b.find(name)
	if at < 0 {
		in := Input{Name: name, Span: b.span}
		switch placeholder := b.freePlaceholder(name); {
		case placeholder >= 0:
			in.Location, in.Required = Path, true
		case name == "body":
			in.Location = WholeBody
		case p != nil:
			in.Location, in.Lost = b.location(to, p)
		}
		at = b.add(in)
	}
	if p != nil && !b.fed[at] {
		b.fed[at] = true
		b.adopt(&b.inputs[at], to, p)
	}
	return at
}

// find returns the input of a name, or the only one equal ignoring case and
// punctuation, or -1.
func (b *builder) find(name string) int {
	loose := -1
	for i := range b.inputs {
		if b.inputs[i].Name == name {
			return i
		}
		if diag.Fold(b.inputs[i].Name) == diag.Fold(name) {
			if loose >= 0 {
				b.diags.Errorf(CodeInputAmbiguous, b.span, "%q can mean the input %q or %q", name, b.inputs[loose].Name, b.inputs[i].Name)
				return loose
			}
			loose = i
		}
	}
	return loose
}

// location is where a REST caller puts a value that no route carries.
func (b *builder) location(to *consumed, p *param) (loc Location, lost bool) {
	switch p.in {
	case inPath:
		if b.rest {
			b.diags.Notef(CodeInputLost, b.span, "%s: the upstream path needs %s and the route does not carry it; callers give it in the query", b.describe(), p.name)
		}
		return Query, true
	case inHeader:
		return Header, false
	case inCookie:
		return Cookie, false
	case inBody:
		if to.whole >= 0 && &to.params[to.whole] == p {
			return WholeBody, false
		}
		return BodyField, false
	default:
		return Query, false
	}
}

// adopt gives an input what is known about the argument that it becomes.
func (b *builder) adopt(in *Input, to *consumed, p *param) {
	in.Required = in.Required || p.required
	d := p.declared
	if d != nil && in.Schema.IsAbsent() {
		in.Schema = declaredSchema(d)
		in.repeats = d.Type.Value == "array"
	}
	described := ""
	if d != nil && d.Description.Value != genericBody {
		described = d.Description.Value
	}
	switch {
	case p.contract != nil:
		in.Schema, in.Example, in.check = to.contract.Input(p.contract), p.contract.Example, nil
		in.repeats = p.contract.Schema.Types().Has(schema.TypeArray)
		described = firstOf(described, p.contract.Description)
	case p.in == inBody && to.whole >= 0 && &to.params[to.whole] == p && to.contract != nil && to.contract.Body != nil:
		in.Schema, in.Example, in.check = to.contract.BodySchema(), to.contract.Body.Example, nil
		described = firstOf(described, to.contract.Body.Description)
	case d != nil && in.check == nil:
		in.check = b.compileDeclared(in, d)
	}
	in.Description = firstOf(in.Description, described)
	if in.Schema.IsAbsent() {
		in.Schema = stringSchema()
		if in.Location == WholeBody {
			in.Schema = jsonvalue.ObjectOf(nil)
		}
	}
}

// genericBody is the description that the generator gives every body; what a
// contract says is better.
const genericBody = "Request body (JSON)."

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// sources decides for each argument where its value comes from.
func (b *builder) sources(to *consumed, name spec.Text, with []spec.Entry, hasWith bool) []source {
	out := make([]source, len(to.params))
	given := make([]bool, len(to.params))
	for i := range with {
		w := &with[i]
		at := argument(to, w.Name.Value)
		if at < 0 {
			d := b.diags.Warnf(CodeWithUnknown, w.Name.Span, "%s has no input %q; the value is not used", name.Value, clip(w.Name.Value))
			if near := diag.Nearest(w.Name.Value, argumentNames(to)); near != "" {
				d.WithHint("did you mean %s?", near)
			}
			continue
		}
		given[at] = true
		if to.params[at].fixed == nil {
			b.source(&out[at], w.Value, to, &to.params[at])
		}
	}
	for i := range to.params {
		p := &to.params[i]
		switch {
		case p.fixed != nil:
			b.fixed(&out[i], p)
		case given[i] || p.in == inNowhere:
		case !hasWith || p.required || p.declared == nil:
			out[i] = source{kind: fromInput, input: b.input(p.name, to, p)}
		}
	}
	return out
}

// argument finds the argument that a name in `with` means.
func argument(to *consumed, name string) int {
	loose := -1
	for i := range to.params {
		if to.params[i].name == name {
			return i
		}
		if d := to.params[i].declared; d != nil && d.Name.Value == name {
			return i
		}
		if diag.Fold(to.params[i].name) == diag.Fold(name) {
			loose = i
		}
	}
	return loose
}

func argumentNames(to *consumed) []string {
	var out []string
	for i := range to.params {
		out = append(out, to.params[i].name)
	}
	return out
}

// source compiles a value of `with`: a reference to an input or to an earlier
// step keeps its type, text with placeholders is a template, everything else is
// a literal.
func (b *builder) source(into *source, v spec.Text, to *consumed, p *param) {
	if strings.Contains(v.Value, "{{") {
		text, err := template.Compile(v.Value, template.Value)
		if err != nil {
			b.templateError(v, err)
			return
		}
		if name, single := text.Single(); single && !b.isVariable(name) {
			if ref, ok := b.stepRef(name); ok {
				*into = source{kind: fromStep, input: ref}
				return
			}
			*into = source{kind: fromInput, input: b.input(b.unscoped(name), to, p)}
			return
		}
		into.kind = fromText
		b.text(&into.text, v, text, false)
		return
	}
	for _, scope := range append([]string{b.namespace}, inputScopes[:]...) {
		if name, ok := strings.CutPrefix(v.Value, scope+"."); ok && scope != "" && name != "" {
			*into = source{kind: fromInput, input: b.input(name, to, p)}
			return
		}
	}
	b.nearScope(v)
	*into = source{kind: fromLiteral, literal: jsonvalue.StringOf(v.Value)}
}

// nearScope warns about a literal whose first part is almost a scope.
func (b *builder) nearScope(v spec.Text) {
	first, rest, ok := strings.Cut(v.Value, ".")
	if !ok || rest == "" || strings.ContainsAny(v.Value, " /:@") {
		return
	}
	if near := diag.Nearest(first, append([]string{b.namespace}, inputScopes[:]...)); near != "" {
		b.diags.Warnf(CodeScopeNearMiss, v.Span, "%q is sent as literal text", clip(v.Value)).WithHint("did you mean the caller's input, %s.%s?", near, rest)
	}
}

// unscoped removes a scope from a placeholder's name.
func (b *builder) unscoped(name string) string {
	for _, scope := range append([]string{b.namespace}, inputScopes[:]...) {
		if rest, ok := strings.CutPrefix(name, scope+"."); ok && scope != "" {
			return rest
		}
	}
	return name
}

// text compiles text over the caller's inputs and earlier steps, and over
// variables where secrets admits them: what a caller could read must not hold
// any. It is tied to its slots only when all inputs are known, because in the
// frame of a run everything else stands behind them.
func (b *builder) text(into **template.Bound, at spec.Text, text *template.Template, secrets bool) {
	late := lateText{into: into, text: text, slots: map[string]slot{}}
	for _, ph := range text.Placeholders() {
		if b.isVariable(ph.Name) {
			if !secrets {
				b.diags.Errorf(CodeBindNotReadable, nameSpan(at, &ph), "%s cannot be read here", ph.Name).
					WithHint("values of binds stay on the consumed side: authentication, headers, base address and fixed parameter values")
				continue
			}
			late.slots[ph.Name] = slot{inVariables, b.variable(ph.Name, nameSpan(at, &ph), "", textUse{})}
			continue
		}
		if ref, ok := b.stepRef(ph.Name); ok {
			late.slots[ph.Name] = slot{inSteps, ref}
			continue
		}
		late.slots[ph.Name] = slot{inInputs, b.textInput(ph.Name)}
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

// lateText is a text that waits for the number of inputs and steps.
type lateText struct {
	into  **template.Bound
	text  *template.Template
	slots map[string]slot
}

func (b *builder) bindLate() {
	for _, l := range b.late {
		*l.into = l.text.Bind(func(name string, _ int) (int, bool) {
			s, ok := l.slots[name]
			switch s.area {
			case inSteps:
				s.at += len(b.inputs)
			case inVariables:
				ok = ok && s.at >= 0
				s.at += len(b.inputs) + len(b.refs)
			}
			return s.at, ok
		})
	}
}

// textInput is an input that only appears inside text.
func (b *builder) textInput(name string) int {
	at := b.input(b.unscoped(name), nil, nil)
	if in := &b.inputs[at]; in.Schema.IsAbsent() {
		in.Schema = stringSchema()
	}
	return at
}

func (b *builder) isVariable(name string) bool {
	namespace, _, ok := strings.Cut(name, ".")
	if !ok || namespace == b.namespace || slices.Contains(inputScopes[:], namespace) {
		return false
	}
	return slices.ContainsFunc(b.doc().Binds, func(bind spec.Bind) bool { return bind.Namespace.Value == namespace })
}

// fixed compiles a value that the file gives to a parameter: over variables,
// and over the caller's inputs for every other name.
func (b *builder) fixed(into *source, p *param) {
	if p.fixed.IsPlain() {
		*into = source{kind: fromLiteral, literal: jsonvalue.StringOf(p.fixed.Text())}
		return
	}
	into.kind = fromText
	b.text(&into.text, p.declared.Value, p.fixed, true)
}

// unusedPlaceholders gives an input to each placeholder of the path that
// nothing uses, and says so.
func (b *builder) unusedPlaceholders() {
	for i, name := range b.pathNames {
		if b.pathInputs[i] >= 0 {
			continue
		}
		b.diags.Warnf(CodeInputUnused, b.span, "%s: the value of {%s} is used by nothing", b.describe(), name)
		b.inputs = append(b.inputs, Input{Name: name, Location: Path, Required: true, Schema: stringSchema(), Span: b.span})
		b.fed = append(b.fed, true)
		b.pathInputs[i] = len(b.inputs) - 1
	}
}

func (b *builder) compileDeclared(in *Input, p *spec.Parameter) *schema.Schema {
	if in.Schema.IsAbsent() || in.Schema.Len() == 0 {
		return nil
	}
	s, problems := schema.Compile(&in.Schema, schema.Options{DefaultSource: "D"})
	for _, problem := range problems {
		b.diags.Warnf(CodeTemplate, p.Span, "input %s: %s", in.Name, problem)
	}
	return s
}

func stringSchema() jsonvalue.Value {
	return jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "type", Value: jsonvalue.StringOf("string")}})
}

// declaredSchema is the JSON Schema of what a file says about a parameter.
func declaredSchema(p *spec.Parameter) jsonvalue.Value {
	var out []jsonvalue.Member
	put := func(name string, v jsonvalue.Value) { out = append(out, jsonvalue.Member{Name: name, Value: v}) }
	switch p.Type.Value {
	case "string", "number", "integer", "boolean", "array", "object":
		put("type", jsonvalue.StringOf(p.Type.Value))
	}
	if p.Pattern.Value != "" {
		put("pattern", jsonvalue.StringOf(p.Pattern.Value))
	}
	if len(p.Enum) > 0 {
		elems := make([]jsonvalue.Member, len(p.Enum))
		for i, e := range p.Enum {
			elems[i].Value = typedText(p.Type.Value, e.Value)
		}
		put("enum", jsonvalue.ArrayOf(elems))
	}
	if p.Default.Set() {
		put("default", typedText(p.Type.Value, p.Default.Value))
	}
	if p.Items != nil {
		put("items", declaredSchema(p.Items))
	}
	if len(p.Properties) > 0 {
		members := make([]jsonvalue.Member, len(p.Properties))
		var required []jsonvalue.Member
		for i := range p.Properties {
			q := &p.Properties[i]
			members[i] = jsonvalue.Member{Name: q.Name.Value, Value: declaredSchema(q)}
			if q.Required.Value {
				required = append(required, jsonvalue.Member{Value: jsonvalue.StringOf(q.Name.Value)})
			}
		}
		put("properties", jsonvalue.ObjectOf(members))
		if required != nil {
			put("required", jsonvalue.ArrayOf(required))
		}
	}
	return jsonvalue.ObjectOf(out)
}

// typedText gives a scalar of the file the type that its parameter declares.
func typedText(kind, text string) jsonvalue.Value {
	switch kind {
	case "integer", "number":
		if n, ok := jsonvalue.NumberOf(text); ok {
			return n
		}
	case "boolean":
		if text == "true" || text == "false" {
			return jsonvalue.BoolOf(text == "true")
		}
	}
	return jsonvalue.StringOf(text)
}

// String describes an input in a message.
func (i *Input) String() string { return fmt.Sprintf("%s (%s)", i.Name, i.Location) }
