package spec

import (
	"slices"

	"patchbay/internal/diag"
)

// runMember reads one member of what runs, and reports whether it was one.
func (l *loader) runMember(key, val *node, out *Run) bool {
	switch key.Value {
	case "ref":
		l.text(key, val, &out.Ref)
	case "call":
		l.text(key, val, &out.Call)
	case "with":
		out.With, out.HasWith = l.with(key, val), true
	case "steps":
		out.Steps = list(l, key, val, (*loader).step)
	case "mappings":
		out.Mappings = listOnly(l, key, val, (*loader).stepMapping)
	case "outputParameters":
		out.Outputs = l.outputs(key, val, (*loader).exposedOutput)
	case "workflow", "orchestration":
		out.Flow = l.textOf(key) // the next stage refuses it
	default:
		return false
	}
	return true
}

// IsFlow reports whether a key of a step decides whether, how often or after
// what the step runs. No version of the format has one; files do.
func IsFlow(key string) bool {
	switch diag.Fold(key) {
	case "foreach", "if", "when", "unless", "condition", "while", "until", "repeat", "loop", "parallel", "switch", "retry", "onerror", "dependson":
		return true
	default:
		return false
	}
}

// with reads the arguments of a call.
func (l *loader) with(key, val *node) []Entry {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
		return nil
	case val.Kind != mappingNode:
		l.wrongKind(key.Value, val, "a mapping")
		return nil
	}
	pairs := l.members(val)
	if !l.takeObjects(val, len(pairs)/2) {
		return nil
	}
	out := make([]Entry, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i], follow(pairs[i+1])
		entry := Entry{Name: l.textOf(name), Value: l.textOf(value), Tag: value.Tag}
		switch {
		case value.Kind == mappingNode && l.isTemplate(value):
			l.wrongKind(quote(name.Value)+" in "+key.Value, value, "text")
			continue
		case value.Kind != scalarNode:
			l.deviate(deviationWithData, name)
			data := l.node(value)
			entry.Value, entry.Data = Text{}, &data
		case isNull(value):
			l.empty(name)
		case value.Tag == tagBool:
			l.deviate(deviationWith, value)
		}
		out = append(out, entry)
	}
	return out
}

// step reads one step. The next stage refuses types that it does not run, so
// keys are judged for the known ones only.
func (l *loader) step(name, n *node, out *Step) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	known, s := true, callStepShape
	if n != nil {
		switch kind := l.find(n, "type"); {
		case kind == nil:
			l.deviate(deviationStepType, n)
		case kind.Value == "call":
		case kind.Value == "lookup":
			s = lookupStepShape
		case kind.Value == "script":
			s = scriptStepShape
		default:
			known = false
		}
	}
	keys := s.keys()
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "type":
			l.text(key, val, &out.Type)
		case "name":
			l.text(key, val, &out.Name)
		case "call":
			l.text(key, val, &out.Call)
		case "with":
			out.With, out.HasWith = l.with(key, val), true
		default:
			out.Rest = append(out.Rest, NodeMember{Name: l.textOf(key), Value: l.node(val)})
		}
		if known && !slices.Contains(keys, key.Value) && !IsFlow(key.Value) {
			l.unknownKey(key, s)
		}
	}
	if !out.Type.Set() && out.Call.Set() {
		out.Type = derived("call", out.Call.Span)
	}
	if !out.Name.Set() {
		l.recommended(n, out.Span, s, "name", "later steps and mappings find its result by it")
	}
}

func (l *loader) stepMapping(_, n *node, out *StepMapping) {
	out.Span = l.lines.Node(n)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "target", "targetName":
			l.text(key, val, &out.Target)
		case "value":
			l.text(key, val, &out.Value)
		default:
			l.unknownKey(key, stepMappingShape)
		}
	}
	if !out.Target.Set() {
		l.missing(n, out.Span, stepMappingShape, "target", "it says where the value goes")
	}
	if !out.Value.Set() {
		l.missing(n, out.Span, stepMappingShape, "value", "it says what goes there")
	}
}
