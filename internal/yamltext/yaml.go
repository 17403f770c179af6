// Package yamltext reads YAML for people who have to be told where something
// stands: it gives the nodes of a document, within bounds, and finds their
// characters in the text. What nodes mean is its users' affair. It is the only
// package that knows the YAML library's mistakes in counting.
package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// Node is a node of a document, with the place that [Lines] refines.
type Node = yaml.Node

// MaxDepth bounds the nesting of mappings and sequences.
const MaxDepth = 64

// The kinds, styles and tags of nodes.
const (
	SequenceNode = yaml.SequenceNode
	MappingNode  = yaml.MappingNode
	ScalarNode   = yaml.ScalarNode
	AliasNode    = yaml.AliasNode

	QuotedStyle = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle
	SingleStyle = yaml.SingleQuotedStyle
	BlockStyle  = yaml.LiteralStyle | yaml.FoldedStyle

	TagText  = "!!str"
	TagNull  = "!!null"
	TagBool  = "!!bool"
	TagInt   = "!!int"
	TagFloat = "!!float"
	TagMerge = "!!merge"
)

// SyntaxError is the first place at which a text is no YAML. Line and column
// count as the library does; a line of 0 means that the place is not known.
type SyntaxError struct {
	Message   string
	Line, Col int
	// Context is what the fault is inside of, and where that begins; "" where
	// nothing helps.
	Context    string
	ContextRow int
	ContextCol int
	// TooDeep reports that the text is YAML, and nested deeper than [MaxDepth].
	TooDeep bool
}

// tooDeep is what nesting reports to the library. Its text is recognised in the
// library's error, which does not wrap it.
type tooDeep struct{}

func (tooDeep) Error() string { return fmt.Sprintf("nested deeper than %d levels", MaxDepth) }

// nesting bounds the depth of a document while it is read. Aliases are not
// expanded by the library here, so it leaves them alone.
type nesting struct{}

func (nesting) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return tooDeep{}
	}
	return nil
}

func (nesting) CheckAlias(int, int) error { return nil }

// Decode reads the first document of the source, and the second one's root
// where there is one. Either may be nil. A fault in the second document leaves
// the first one usable.
func Decode(source []byte) (first, second *Node, fault *SyntaxError) {
	loader, err := yaml.NewLoader(bytes.NewReader(AcceptVersion(source)), yaml.WithPlugin(nesting{}))
	if err != nil {
		return nil, nil, asSyntaxError(err)
	}
	roots := [2]*Node{}
	for i := range roots {
		var document Node
		if err := loader.Load(&document); err != nil {
			if !errors.Is(err, io.EOF) {
				fault = asSyntaxError(err)
			}
			break
		}
		if len(document.Content) > 0 {
			roots[i] = document.Content[0]
		}
	}
	return roots[0], roots[1], fault
}

// AcceptVersion hides the minor version in a %YAML directive. The library
// refuses all but 1.1, though it reads YAML 1.2; a different minor version is no
// reason to refuse a document (YAML 1.2 section 6.8.1).
func AcceptVersion(source []byte) []byte {
	const directive = "%YAML 1."
	at := bytes.Index(source, []byte(directive))
	if at < 0 || at+len(directive) >= len(source) {
		return source
	}
	before := bytes.TrimPrefix(source[:at], []byte(ByteOrderMark))
	for line := range bytes.Lines(before) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return source
		}
	}
	if len(before) > 0 && before[len(before)-1] != '\n' {
		return source
	}
	source = bytes.Clone(source)
	source[at+len(directive)] = '1'
	return source
}

func asSyntaxError(err error) *SyntaxError {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return &SyntaxError{Message: err.Error()}
	}
	return &SyntaxError{
		Message: le.Message,
		Line:    le.Mark.Line, Col: le.Mark.Column,
		Context:    le.ContextMsg,
		ContextRow: le.ContextMark.Line, ContextCol: le.ContextMark.Column,
		TooDeep: le.Message == tooDeep{}.Error(),
	}
}

// Follow returns the node that an alias stands for.
func Follow(n *Node) *Node {
	for n.Kind == AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// IsNull reports a value that says nothing: ~, null, or no characters.
func IsNull(n *Node) bool { return n.Kind == ScalarNode && n.Tag == TagNull }
