package plan

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonpath"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/spec"
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
	// facts hold, for each input, what only the compiler wants to know.
	facts []inputFacts
	// bodies counts the declared inputs in the body.
	bodies int
	// fixed are the values of inputs that the file gives in the place of a caller.
	fixed map[string]int
	// guarded reports that callers show credentials to the adapter itself, and
	// bodyless that its requests have no body.
	guarded, bodyless bool
	// late are texts that wait for the number of inputs and steps, refs the
	// values of earlier steps that anything uses, steps the names so far, and
	// allSteps those of the whole operation.
	late     []lateText
	refs     []stepRef
	steps    []string
	allSteps []string
}

type inputFacts struct {
	origin origin
	// fed reports that the input took its schema from an argument already.
	fed bool
	// idle reports that the operation itself declares the input and that nothing
	// has used it so far.
	idle bool
	// mapping says where in the upstream's call the input goes.
	mapping spec.Text
	// in is the declared place.
	in string
}

// origin says why a caller has an input. It decides what a name that sounds
// alike can mean: what with refers to is the input of inputParameters that is
// spelled a little differently, but two references that differ are two inputs.
type origin uint8

const (
	declared origin = iota
	referenced
	needed
)

// build returns nil where the operation cannot run; the reason is reported.
func (b *builder) build(run *spec.Run, lists ...[]spec.Parameter) *Operation {
	if reason := unsupportedRun(run); reason != "" {
		b.disable(CodeUnsupported, b.kind, b.name, b.span, reason, nearStepType(run))
		return nil
	}
	if !b.declareAll(lists) {
		return nil
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
	b.unused()
	b.bindLate()
	op.Inputs, op.refs = b.inputs, b.refs
	return op
}

// callOf compiles one call: of an operation, or of one of its steps.
func (b *builder) callOf(step string, to spec.Text, with []spec.Entry, hasWith bool) (call, bool) {
	if b.isAbsent(to) {
		b.plan.Disabled = append(b.plan.Disabled, Disabled{Kind: b.kind, Name: b.name, Reason: "the API that it calls is not run", Span: b.span})
		return call{}, false
	}
	target := b.resolve(to, b.uses)
	if target == nil {
		return call{}, false
	}
	if target.disabled != "" {
		b.disable(CodeUnsupported, b.kind, b.name, b.span, target.disabled, "")
		return call{}, false
	}
	out := call{step: step, to: target}
	out.sources, out.fields = b.sources(target, to, with, hasWith, step != "")
	return out, true
}

// declareAll adds the inputs that the file spells out.
func (b *builder) declareAll(lists [][]spec.Parameter) bool {
	b.pathInputs = make([]int, len(b.pathNames))
	for i := range b.pathInputs {
		b.pathInputs[i] = -1
	}
	for _, list := range lists {
		for i := range list {
			if strings.EqualFold(list[i].In.Value, "body") && !list[i].Value.Set() {
				b.bodies++
			}
		}
	}
	var given []*spec.Parameter
	for level, list := range lists {
		for i := range list {
			if list[i].Value.Set() {
				given = append(given, &list[i])
				continue
			}
			at := b.declare(&list[i])
			b.facts[at].idle = level == len(lists)-1
			b.facts[at].mapping, b.facts[at].in = list[i].Mapping, strings.ToLower(list[i].In.Value)
		}
	}
	for _, p := range given {
		if !b.give(p) {
			return false
		}
	}
	return true
}

// give compiles an input whose value the file gives: a fixed one, or what a
// path selects in the caller's body. Callers do not have such an input.
func (b *builder) give(p *spec.Parameter) bool {
	ref := stepRef{step: noStep}
	switch value := strings.TrimSpace(p.Value.Value); {
	case strings.HasPrefix(value, "$"):
		path, err := jsonpath.CompileLenient(value)
		if err != nil {
			b.diags.Errorf(CodeMapping, p.Value.Span, "%v", err)
			return false
		}
		ref.selects, ref.input = path, b.input("body", needed, nil, nil)
		if in := &b.inputs[ref.input]; in.Schema.IsAbsent() {
			in.Schema = jsonvalue.ObjectOf(nil)
		}
	case strings.Contains(value, "{{"):
		b.disable(CodeUnsupported, b.kind, b.name, p.Value.Span, "the value of an input cannot have placeholders", "put the template into with")
		return false
	default:
		ref.constant = typedText(p.Type.Value, p.Value.Value)
	}
	if b.fixed == nil {
		b.fixed = map[string]int{}
	}
	b.refs = append(b.refs, ref)
	b.fixed[p.Name.Value] = len(b.refs) - 1
	return true
}

// fixedInput returns the value that the file gives to the input of a name.
func (b *builder) fixedInput(name string) (ref int, ok bool) {
	ref, ok = b.fixed[name]
	return ref, ok
}

// declare adds an input; of two with one name the innermost, which comes last, wins.
func (b *builder) declare(p *spec.Parameter) int {
	in := Input{
		Name: p.Name.Value, Description: p.Description.Value, Span: p.Span,
		Required: p.Required.Value, Schema: declaredSchema(p), repeats: p.Type.Value == "array",
	}
	if !b.rest {
		// The format makes tool inputs required unless they say otherwise.
		in.Required = p.Required.Value || !p.Required.Set()
	}
	in.check = b.compileDeclared(&in, p)
	before := slices.IndexFunc(b.inputs, func(have Input) bool { return have.Name == in.Name })
	if bound := slices.Index(b.pathInputs, before); bound >= 0 && before >= 0 {
		b.pathInputs[bound] = -1
	}
	placeholder := b.declaredLocation(&in, p)
	if before >= 0 {
		b.inputs[before] = in
		if placeholder >= 0 {
			b.pathInputs[placeholder] = before
		}
		return before
	}
	return b.add(in, declared, placeholder)
}

// declaredLocation says where the input is: in a placeholder of the path, which
// it returns, or elsewhere (-1).
func (b *builder) declaredLocation(in *Input, p *spec.Parameter) int {
	switch strings.ToLower(p.In.Value) {
	case "path":
		if placeholder := b.freePlaceholder(in.Name); placeholder >= 0 {
			in.Location, in.Required = Path, true
			return placeholder
		}
		if in.Lost = b.rest; b.rest {
			b.diags.Notef(CodeInputLost, p.Span, "%s: the route has no {%s}; callers give it in the query", b.describe(), clip(in.Name))
		}
	case "query":
	case "header":
		in.Location = Header
	case "cookie":
		in.Location = Cookie
	case "body":
		in.Location = BodyField
		if in.Name == "body" || p.Type.Value == "object" && b.bodies == 1 {
			in.Location = WholeBody
		}
	case "":
		if place, path := target(p.Mapping.Value); b.rest && len(path) > 0 && place >= 0 && place != int(inPath) && in.Name != "body" {
			in.Location = b.placeOf(place)
		} else if in.Name == "body" {
			in.Location = WholeBody
		} else if placeholder := b.freePlaceholder(in.Name); placeholder >= 0 {
			in.Location, in.Required = Path, true
			return placeholder
		}
	default:
		b.diags.Warnf(CodeInputLocation, p.In.Span, "%q is not a place for an input; it is taken from the query", clip(p.In.Value)).
			WithNearest(p.In.Value, inputPlaces(), "use one of ")
	}
	return -1
}

// placeOf is where a REST caller puts a value that goes to this place upstream.
func (b *builder) placeOf(place int) Location {
	switch in(place) {
	case inHeader:
		return Header
	case inCookie:
		return Cookie
	case inBody:
		if !b.bodyless {
			return BodyField
		}
	}
	return Query
}

// add adds an input, and ties it to a placeholder of the path unless that is -1.
func (b *builder) add(in Input, why origin, placeholder int) int {
	b.inputs = append(b.inputs, in)
	b.facts = append(b.facts, inputFacts{origin: why})
	at := len(b.inputs) - 1
	if placeholder >= 0 {
		b.pathInputs[placeholder] = at
	}
	return at
}

// freePlaceholder finds the placeholder of the exposed path that a name means
// and that no input has taken, or -1.
func (b *builder) freePlaceholder(name string) int {
	at, rival := meant(name, len(b.pathNames), func(i int) string {
		if b.pathInputs[i] >= 0 {
			return ""
		}
		return b.pathNames[i]
	})
	if rival >= 0 {
		b.diags.Errorf(CodeInputAmbiguous, b.span, "%q can mean the placeholder {%s} or {%s} of the path", name, b.pathNames[at], b.pathNames[rival])
	}
	return at
}

// named finds what a name means to a caller: an input, or a placeholder of the
// path that has none yet; both are -1 for nothing. What has exactly the name
// comes first. Of inputs that only sound like it, those count whose origin is at
// most upTo, and those in the path.
func (b *builder) named(name string, upTo origin) (input, placeholder int) {
	if at := slices.IndexFunc(b.inputs, func(in Input) bool { return in.Name == name }); at >= 0 {
		return at, -1
	}
	n := len(b.inputs)
	at, rival := meant(name, n+len(b.pathNames), func(i int) string {
		switch {
		case i >= n:
			return b.pathNames[i-n]
		case b.facts[i].origin > upTo || slices.Contains(b.pathInputs, i):
			return ""
		default:
			return b.inputs[i].Name
		}
	})
	if rival >= 0 {
		b.diags.Errorf(CodeInputAmbiguous, b.span, "%q can mean %s or %s", name, b.describeName(at), b.describeName(rival))
	}
	switch {
	case at < n:
		return at, -1
	case b.pathInputs[at-n] >= 0:
		return b.pathInputs[at-n], -1
	default:
		return -1, at - n
	}
}

// describeName names an input, or a placeholder counted behind the inputs.
func (b *builder) describeName(at int) string {
	if at < len(b.inputs) {
		return fmt.Sprintf("the input %q", b.inputs[at].Name)
	}
	return fmt.Sprintf("the placeholder {%s} of the path", b.pathNames[at-len(b.inputs)])
}

// input returns the index of the caller's input of a name, which is added
// where it does not exist. The argument p, if any, is what the input's value
// becomes unchanged; it decides where a caller puts the value and what it may be.
func (b *builder) input(name string, why origin, to *consumed, p *param) int {
	at, placeholder := b.named(name, why-1)
	if at < 0 {
		in := Input{Name: name, Span: b.span}
		switch {
		case placeholder >= 0:
			in.Location, in.Required = Path, true
		case name == "body":
			in.Location = WholeBody
		case p != nil:
			in.Location, in.Lost = b.location(to, p)
		}
		at = b.add(in, why, placeholder)
	}
	b.facts[at].idle = false
	if p != nil {
		b.adoptOnce(at, to, p)
	}
	return at
}

// location is where a REST caller puts a value that no route carries.
func (b *builder) location(to *consumed, p *param) (loc Location, lost bool) {
	switch p.in {
	case inPath:
		if b.rest {
			b.diags.Notef(CodeInputLost, b.span, "%s: the upstream path needs %s and the route does not carry it; callers give it in the query", b.describe(), p.name)
		}
		return Query, b.rest
	case inHeader:
		return Header, false
	case inCookie:
		return Cookie, false
	case inBody, inTemplate:
		switch {
		case p.in == inBody && to.body.whole >= 0 && &to.params[to.body.whole] == p:
			return WholeBody, false
		case b.bodyless:
			return Query, false
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
	if d != nil && in.Schema.Len() == 0 {
		in.Schema = declaredSchema(d)
		in.repeats = d.Type.Value == "array"
	}
	described := ""
	if d != nil && d.Description.Value != genericBody {
		described = d.Description.Value
	}
	switch {
	case p.contract != nil:
		mirror := in.Schema.Get("x-mcp-header")
		in.Schema, in.Example, in.check = to.contract.Input(p.contract), p.contract.Example, nil
		if mirror != nil { // what the file says about the protocol stays
			in.Schema = jsonvalue.ObjectOf(append(slices.Clone(in.Schema.Elems()), jsonvalue.Member{Name: "x-mcp-header", Value: *mirror}))
		}
		in.repeats = p.contract.Schema.Types().Has(schema.TypeArray)
		described = firstOf(described, p.contract.Description)
	case p.in == inBody && to.body.whole >= 0 && &to.params[to.body.whole] == p && to.contract != nil && to.contract.Body != nil:
		in.Schema, in.Example, in.check = to.contract.BodySchema(), to.contract.Body.Example, nil
		described = firstOf(described, to.contract.Body.Description)
	case d != nil && in.check == nil:
		in.check = b.compileDeclared(in, d)
	}
	in.Description = firstOf(in.Description, described, p.note)
	if in.Schema.Len() > 0 || p.contract != nil {
		return
	}
	if p.bytes {
		in.Schema = jsonvalue.ObjectOf([]jsonvalue.Member{
			{Name: "type", Value: jsonvalue.StringOf("string")}, {Name: "contentEncoding", Value: jsonvalue.StringOf("base64")},
		})
		return
	}
	// Nobody says what it is: outside of a body it can only be text.
	in.Schema = jsonvalue.ObjectOf(nil)
	if p.in != inBody && p.in != inTemplate {
		in.Schema = stringSchema()
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

// String describes an input in a message.
func (i *Input) String() string { return fmt.Sprintf("%s (%s)", i.Name, i.Location) }
