package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonpath"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
)

// stepRef is a value that a run works with beside its inputs: the output of an
// earlier step or a part of it, or, with noStep, the value of an input that the
// file gives.
type stepRef struct {
	step int
	path []string
	// constant is the value given, or absent where selects takes it from an input.
	constant jsonvalue.Value
	selects  *jsonpath.Path
	input    int
}

const noStep = -1

// given is the value of an input that the file gives.
func (r *stepRef) given(inputs []jsonvalue.Value) jsonvalue.Value {
	if r.selects == nil {
		return r.constant
	}
	from := &inputs[r.input]
	if from.IsAbsent() {
		return jsonvalue.Value{}
	}
	v, ok := selected(r.selects, from)
	if !ok || v.IsNull() {
		return jsonvalue.Value{}
	}
	return v
}

// of takes the value out of the step's output; absent where it is not there.
func (r *stepRef) of(output *jsonvalue.Value) jsonvalue.Value {
	for _, name := range r.path {
		if output = output.Get(name); output == nil {
			return jsonvalue.Value{}
		}
	}
	return *output
}

// unsupportedStep says why steps cannot be compiled, or "".
func unsupportedStep(run *spec.Run) string {
	for i := range run.Steps {
		s := &run.Steps[i]
		if kind := s.Type.Value; kind != "call" {
			return "steps of type " + clip(kind) + " are not run yet"
		}
		for j := range s.Rest {
			if key := s.Rest[j].Name.Value; spec.IsFlow(key) {
				return "steps with " + clip(key) + " are not run: it would run otherwise than the file says"
			}
		}
	}
	return ""
}

// orchestrate compiles the steps of an operation. Each sees the inputs and the
// steps before it.
func (b *builder) orchestrate(op *Operation, run *spec.Run) bool {
	complete := true
	for i := range run.Steps {
		b.allSteps = append(b.allSteps, run.Steps[i].Name.Value)
	}
	for i := range run.Steps {
		s := &run.Steps[i]
		if b.hasStep(s.Name.Value) {
			b.diags.Errorf(CodeStepTwice, s.Name.Span, "a step %q exists already", s.Name.Value)
			complete = false
		}
		if at := slices.IndexFunc(b.inputs, func(in Input) bool { return in.Name == s.Name.Value }); at >= 0 && b.facts[at].origin == declared {
			b.diags.Warnf(CodeStepShadowed, s.Name.Span, "{{%s}} means the input of this name, not the step", clip(s.Name.Value)).
				WithRelated(b.inputs[at].Span, "the input").WithHint("rename the step")
		}
		compiled, ok := b.callOf(s.Name.Value, s.Call, s.With, s.HasWith)
		complete = complete && ok
		if ok {
			op.calls = append(op.calls, compiled)
			compiled.to.compileOutputs(b)
		}
		b.steps = append(b.steps, s.Name.Value)
	}
	if !complete {
		return false
	}
	op.assembly = b.assemble(run.Mappings)
	if op.assembly == nil {
		op.output = b.mapping(run.Outputs)
	}
	return true
}

func (b *builder) hasStep(name string) bool {
	for _, s := range b.steps {
		if s == name && name != "" {
			return true
		}
	}
	return false
}

// stepRef finds the earlier step that a placeholder such as get-ship.imo means.
func (b *builder) stepRef(name string) (int, bool) {
	if ref, ok := b.fixedInput(b.unscoped(name)); ok {
		return ref, true
	}
	if b.isInput(name) {
		return 0, false
	}
	at, path := stepIn(b.steps, name)
	if at < 0 {
		return 0, false
	}
	b.refs = append(b.refs, stepRef{step: at, path: path})
	return len(b.refs) - 1, true
}

// stepIn finds the step that a name begins with, and the names that follow it.
// A step's own name may have dots: the longest that fits is meant.
func stepIn(steps []string, name string) (at int, path []string) {
	at = -1
	for i, step := range steps {
		rest, ok := strings.CutPrefix(name, step)
		if step == "" || !ok || rest != "" && rest[0] != '.' || at >= 0 && len(step) <= len(steps[at]) {
			continue
		}
		at, path = i, nil
		if rest != "" {
			path = strings.Split(rest[1:], ".")
		}
	}
	return at, path
}

func (b *builder) isInput(name string) bool {
	return slices.ContainsFunc(b.inputs, func(in Input) bool { return in.Name == name })
}

// nearStep reports a placeholder that is taken for an input of the caller, but
// reads like the value of a step: of one that has not run by then, or of one
// whose name is written differently.
func (b *builder) nearStep(name string, at diag.Span) {
	if len(b.allSteps) == 0 || b.unscoped(name) != name || b.isInput(name) {
		return
	}
	if step, _ := stepIn(b.allSteps, name); step >= 0 {
		b.diags.Errorf(CodeStepUnknown, at, "step %q has not run when this is needed", clip(b.allSteps[step])).
			WithHint("a step sees the ones before it")
		return
	}
	first, _, dotted := strings.Cut(name, ".")
	if !dotted {
		return
	}
	if near := diag.Nearest(first, b.allSteps); near != "" {
		b.diags.Warnf(CodeStepUnknown, at, "%q is an input of the caller: there is no step %q", clip(name), clip(first)).
			WithHint("did you mean %s?", near)
	}
}

// assembly puts the result together from the outputs of steps.
type assembly struct{ parts []part }

// part is one member of the result: where it goes, by names from the root, and
// what is selected from the outputs of all steps, by step name.
type part struct {
	target []string
	path   *jsonpath.Path
}

func (b *builder) assemble(mappings []spec.StepMapping) *assembly {
	if len(mappings) == 0 {
		return nil
	}
	a := &assembly{}
	for i := range mappings {
		m := &mappings[i]
		path, err := jsonpath.CompileLenient(m.Value.Value)
		if err != nil {
			b.diags.Errorf(CodeMapping, m.Value.Span, "%v", err)
			continue
		}
		if first := firstName(m.Value.Value); first != "" && !b.hasStep(first) {
			d := b.diags.Errorf(CodeStepUnknown, m.Value.Span, "there is no step %q", clip(first))
			if near := diag.Nearest(first, b.steps); near != "" {
				d.WithHint("did you mean %s?", near)
			}
			continue
		}
		p := part{target: strings.Split(m.Target.Value, "."), path: path}
		if b.fits(a, &p, m.Target, mappings) {
			a.parts = append(a.parts, p)
		}
	}
	return a
}

// fits reports whether a part has a place of its own in the result. One that
// lies in another, or where another lies, would be overwritten by it, or
// overwrite it, depending on what the upstream answers.
func (b *builder) fits(a *assembly, p *part, target spec.Text, mappings []spec.StepMapping) bool {
	if slices.Contains(p.target, "") {
		b.diags.Errorf(CodeMapping, target.Span, "%q has an empty name", clip(target.Value)).WithHint("write NAME, or NAME.NAME for a member of an object")
		return false
	}
	for i := range a.parts {
		other := a.parts[i].target
		n := min(len(other), len(p.target))
		if !slices.Equal(other[:n], p.target[:n]) {
			continue
		}
		d := b.diags.Errorf(CodeMapping, target.Span, "%s and %s are one place in the result", clip(target.Value), clip(strings.Join(other, "."))).
			WithHint("give each mapping a target of its own")
		for j := range mappings {
			if mappings[j].Target.Value == strings.Join(other, ".") {
				d.WithRelated(mappings[j].Target.Span, "the other one")
				break
			}
		}
		return false
	}
	return true
}

// firstName is the step that a path such as $.get-ship.name begins with, where
// it begins with a plain name.
func firstName(path string) string {
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), "$.")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, ".["); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// result builds the object; ok is false where nothing was selected at all, in
// which case the last answer stands for it.
func (a *assembly) result(outputs []jsonvalue.Member) (jsonvalue.Value, bool) {
	root := jsonvalue.ObjectOf(outputs)
	var members []jsonvalue.Member
	for i := range a.parts {
		p := &a.parts[i]
		v, ok := p.selected(&root)
		if ok {
			members = place(members, p.target, v)
		}
	}
	return jsonvalue.ObjectOf(members), members != nil
}

func (p *part) selected(root *jsonvalue.Value) (jsonvalue.Value, bool) { return selected(p.path, root) }

// selected is the match of a singular path, or the array of all matches.
func selected(path *jsonpath.Path, root *jsonvalue.Value) (jsonvalue.Value, bool) {
	if path.Singular() {
		v, ok := path.One(root)
		if !ok || v.IsAbsent() {
			return jsonvalue.Value{}, false
		}
		return *v, true
	}
	found, err := path.Query(root)
	if err != nil {
		return jsonvalue.Value{}, false
	}
	elems := make([]jsonvalue.Member, len(found))
	for i, v := range found {
		elems[i].Value = *v
	}
	return jsonvalue.ArrayOf(elems), true
}

// place puts a value below names, making the objects between.
func place(members []jsonvalue.Member, target []string, v jsonvalue.Value) []jsonvalue.Member {
	for i := range members {
		if members[i].Name != target[0] {
			continue
		}
		if len(target) == 1 {
			members[i].Value = v
			return members
		}
		var inner []jsonvalue.Member
		if members[i].Value.Kind() == jsonvalue.Object {
			inner = append(inner, members[i].Value.Elems()...)
		}
		members[i].Value = jsonvalue.ObjectOf(place(inner, target[1:], v))
		return members
	}
	if len(target) > 1 {
		v = jsonvalue.ObjectOf(place(nil, target[1:], v))
	}
	return append(members, jsonvalue.Member{Name: target[0], Value: v})
}

// stepOutput is what a step's answer is known as to later steps: the declared
// output parameters of the consumed operation for an object, the elements with
// the declared ones added for an array, and the answer itself where nothing is
// declared. An answer without a body gives nothing.
func (op *consumed) stepOutput(body []byte) (jsonvalue.Value, *fault.Fault) {
	if len(body) == 0 {
		return jsonvalue.Value{}, nil
	}
	root, err := jsonvalue.Parse(body)
	if err != nil {
		return jsonvalue.Value{}, &fault.Fault{Kind: fault.Decode, Outcome: fault.Answered, Message: "the upstream's answer is not valid JSON", Cause: err}
	}
	if len(op.outputs) == 0 {
		return root, nil
	}
	switch root.Kind() {
	case jsonvalue.Object:
		return jsonvalue.ObjectOf(op.named(&root, nil)), nil
	case jsonvalue.Array:
		elems := make([]jsonvalue.Member, root.Len())
		for i := range elems {
			elems[i] = root.Elems()[i]
			if v := &root.Elems()[i].Value; v.Kind() == jsonvalue.Object {
				elems[i].Value = jsonvalue.ObjectOf(op.named(v, append([]jsonvalue.Member(nil), v.Elems()...)))
			}
		}
		return jsonvalue.ArrayOf(elems), nil
	default:
		return root, nil
	}
}

func (op *consumed) named(root *jsonvalue.Value, members []jsonvalue.Member) []jsonvalue.Member {
	for i := range op.outputs {
		o := &op.outputs[i]
		v := orNull(o.shape.value(root, nil))
		members = put(members, o.name, v)
	}
	return members
}

func put(members []jsonvalue.Member, name string, v jsonvalue.Value) []jsonvalue.Member {
	for i := range members {
		if members[i].Name == name {
			members[i].Value = v
			return members
		}
	}
	return append(members, jsonvalue.Member{Name: name, Value: v})
}

// compileOutputs compiles the consumed operation's output parameters, once.
func (op *consumed) compileOutputs(b *builder) {
	if op.outputs != nil {
		return
	}
	op.outputs = []property{}
	for i := range op.declared.Outputs {
		o := &op.declared.Outputs[i]
		s := b.shape(o)
		if s.kind == shapeText {
			s.kind = shapeNull // inputs of one operation are not another's
		}
		op.outputs = append(op.outputs, property{o.Name.Value, s})
	}
}
