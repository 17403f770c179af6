package spec

import (
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
	default:
		return "a mapping"
	}
}

// keys returns the keys that a mapping of the shape may have, sorted. What is
// read but has no effect is not among them.
func (s shape) keys() []string {
	words := ""
	switch s {
	case rootShape:
		words = "aggregates binds capability consumes exposes ikanos info naftiko"
	case capabilityShape:
		words = "aggregates binds consumes exposes"
	case infoShape:
		words = "created description display label modified stakeholders tags version"
	case stakeholderShape:
		words = "email fullName role"
	case bindShape:
		words = "as description from import keys location namespace"
	case consumesShape:
		words = "as auth authentication baseUri description from headers import inputParameters location namespace resources tunnel type"
	case consumedResourceShape:
		words = "description display inputParameters label name operations path tags"
	case consumedOperationShape:
		words = "body description display inputParameters label maxBinarySize method name outputMediaType outputParameters outputRawFormat outputSchema path tags"
	case inputShape:
		words = "default description display enum in items label mapping name pattern properties required type value x-mcp-header"
	case outputShape:
		words = "description items mapping maxLength name properties type value"
	case authenticationShape:
		words = "header headers in key name password placement token type username value"
	case adapterShape:
		words = "address as auth authentication description from import location namespace port type"
	case restShape:
		words = "address as auth authentication description from import inputParameters location maxBinarySize namespace port resources type"
	case mcpShape:
		words = "address as auth authentication cacheScope description from import location maxBinarySize namespace port prompts resources tools transport ttlMs type"
	case skillShape:
		words = "address as auth authentication description from import location namespace port skills type"
	case exposedResourceShape:
		words = "description display forward inputParameters label name operations path tags"
	case exposedOperationShape:
		words = "call description display inputParameters label mappings method name outputParameters ref responseBinary responses steps tags with"
	case toolShape:
		words = "call content description display hints inputParameters inputSchema label mappings name outputParameters ref requiresClientCapabilities steps tags with"
	case hintsShape:
		words = "destructive idempotent openWorld readOnly"
	case mcpResourceShape:
		words = "binary call description display label location mappings mimeType name outputParameters ref steps tags uri with"
	case promptShape:
		words = "arguments description display label location name template"
	case promptMessageShape:
		words = "content role"
	case callStepShape:
		words = "call name type with"
	case lookupStepShape:
		words = "index lookupValue match name outputParameters type"
	case scriptStepShape:
		words = "dependencies file language location name type with"
	case stepMappingShape:
		words = "target targetName value"
	case aggregateShape:
		words = "as description display flows from functions import label location namespace"
	case functionShape:
		words = "call description display inputParameters label mappings name outputMediaType outputParameters ref semantics steps tags with"
	case semanticsShape:
		words = "cacheable idempotent safe"
	}
	return strings.Fields(words)
}

// unknownKey reports a key that its mapping does not have. Keys that start
// with x- belong to the author.
func (l *loader) unknownKey(key *node, s shape) {
	if strings.HasPrefix(key.Value, "x-") {
		return
	}
	expected := s.keys()
	d := l.warnf(CodeUnknownKey, l.lines.node(key), "unknown key %q in %s", clip(key.Value), s)
	if near := diag.Nearest(key.Value, expected); near != "" {
		d.WithHint("did you mean %q? expected %s", near, strings.Join(expected, ", "))
		return
	}
	d.WithHint("expected %s", strings.Join(expected, ", "))
}

// wrongKind reports a value in another form than its key wants.
func (l *loader) wrongKind(what string, n *node, want string) *diag.Diagnostic {
	d := l.errorf(CodeWrongKind, l.lines.node(n), "%s must be %s, not %s", what, want, kindOf(n))
	if n.Kind == mappingNode && l.isTemplate(n) {
		d.WithHint("put the template in quotes: '{{…}}'")
	}
	return d
}

// isTemplate reports a mapping that is a placeholder without quotes: {{x}}.
func (l *loader) isTemplate(n *node) bool {
	at, ok := l.lines.offset(n.Line, n.Column)
	return ok && hasPrefix(l.lines.source[at:], "{{")
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
