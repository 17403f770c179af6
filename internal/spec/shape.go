package spec

import (
	"bytes"
	"strings"

	"patchbay/internal/diag"
)

// shape is a kind of mapping in a capability file: what people call it, and
// the keys that it may have.
type shape uint8

const (
	rootShape shape = iota
	capabilityShape
	infoShape
	stakeholderShape
	bindShape
	consumesShape
	consumedResourceShape
	consumedOperationShape
	inputShape
	outputShape
	authenticationShape
	adapterShape
	restShape
	mcpShape
	skillShape
	exposedResourceShape
	exposedOperationShape
	toolShape
	hintsShape
	mcpResourceShape
	promptShape
	promptMessageShape
	callStepShape
	lookupStepShape
	scriptStepShape
	stepMappingShape
	aggregateShape
	functionShape
	semanticsShape
	bodyShape
	forwardShape
	controlShape
	managementShape
	scriptingShape
	exposedSkillShape
	shapeCount
)

// String returns the words for one mapping of the shape, with its article.
func (s shape) String() string {
	switch s {
	case rootShape:
		return "a capability file"
	case capabilityShape:
		return "capability"
	case infoShape:
		return "info"
	case stakeholderShape:
		return "a stakeholder"
	case bindShape:
		return "a binding"
	case consumesShape:
		return "a consumed API"
	case consumedResourceShape:
		return "a consumed resource"
	case consumedOperationShape:
		return "a consumed operation"
	case inputShape:
		return "an input"
	case outputShape:
		return "an output"
	case authenticationShape:
		return "authentication"
	case adapterShape:
		return "an adapter"
	case restShape:
		return "a rest adapter"
	case mcpShape:
		return "an mcp adapter"
	case skillShape:
		return "a skill adapter"
	case exposedResourceShape:
		return "an exposed resource"
	case exposedOperationShape:
		return "an exposed operation"
	case toolShape:
		return "a tool"
	case hintsShape:
		return "hints"
	case mcpResourceShape:
		return "an mcp resource"
	case promptShape:
		return "a prompt"
	case promptMessageShape:
		return "a prompt message"
	case callStepShape:
		return "a call step"
	case lookupStepShape:
		return "a lookup step"
	case scriptStepShape:
		return "a script step"
	case stepMappingShape:
		return "a step mapping"
	case aggregateShape:
		return "an aggregate"
	case functionShape:
		return "a function"
	case semanticsShape:
		return "semantics"
	case bodyShape:
		return "a body"
	case forwardShape:
		return "forward"
	case controlShape:
		return "a control adapter"
	case managementShape:
		return "management"
	case scriptingShape:
		return "scripting"
	case exposedSkillShape:
		return "a skill"
	default:
		return "a mapping"
	}
}

// unknownKey reports a key that its mapping does not have. Keys that start
// with x- belong to the author.
func (l *loader) unknownKey(key *node, s shape) { l.unknownName(l.textOf(key), s) }

func (l *loader) unknownName(key Text, s shape) {
	if !isExtension(key.Value) {
		l.warnf(CodeUnknownKey, key.Span, "unknown key %q in %s", clip(key.Value), s).WithNearest(key.Value, s.keys(), "expected ")
	}
}

// isExtension reports whether a key belongs to the author.
func isExtension(key string) bool { return strings.HasPrefix(key, "x-") }

// wrongKind reports a value in another form than its key wants.
func (l *loader) wrongKind(what string, n *node, want string) *diag.Diagnostic {
	d := l.errorf(CodeWrongKind, l.lines.Node(n), "%s must be %s, not %s", what, want, kindOf(n))
	if n.Kind == mappingNode && l.isTemplate(n) {
		d.WithHint("put the template in quotes: '{{…}}'")
	}
	return d
}

// isTemplate reports a mapping that is a placeholder without quotes: {{x}}.
func (l *loader) isTemplate(n *node) bool {
	at, ok := l.lines.Offset(n.Line, n.Column)
	return ok && bytes.HasPrefix(l.doc.Source[at:], []byte("{{"))
}

// kindOf names the form of a value.
func kindOf(n *node) string {
	switch {
	case n.Kind == mappingNode:
		return "a mapping"
	case n.Kind == sequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Tag == tagText:
		return "the text " + quote(n.Value)
	default:
		return quote(n.Value)
	}
}

func quote(s string) string { return `"` + clip(s) + `"` }

// clip shortens text that the file gives, for use in a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
