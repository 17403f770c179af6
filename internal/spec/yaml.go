package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// This file is the only one that knows the YAML library.

type node = yaml.Node

const (
	sequenceNode = yaml.SequenceNode
	mappingNode  = yaml.MappingNode
	scalarNode   = yaml.ScalarNode
	aliasNode    = yaml.AliasNode

	quotedStyle = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle
	singleStyle = yaml.SingleQuotedStyle
	blockStyle  = yaml.LiteralStyle | yaml.FoldedStyle

	tagText  = "!!str"
	tagNull  = "!!null"
	tagBool  = "!!bool"
	tagInt   = "!!int"
	tagMerge = "!!merge"
)

// syntaxError is the first place at which a text is no YAML. Line and column
// count as the library does; a line of 0 means that the place is not known.
type syntaxError struct {
	message    string
	line, col  int
	context    string
	contextRow int
	contextCol int
	tooDeep    bool
}

// tooDeep is what nesting reports to the library. Its text is recognised in the
// library's error, which does not wrap it.
type tooDeep struct{}

func (tooDeep) Error() string { return fmt.Sprintf("nested deeper than %d levels", maxDepth) }

// nesting bounds the depth of a document while it is read. Aliases are not
// expanded by the library here, so it leaves them alone.
type nesting struct{}

func (nesting) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return tooDeep{}
	}
	return nil
}

func (nesting) CheckAlias(int, int) error { return nil }

// decode reads the first document of the source, and the second one's root
// where there is one. Either may be nil. A fault in the second document leaves
// the first one usable.
func decode(source []byte) (first, second *node, fault *syntaxError) {
	loader, err := yaml.NewLoader(bytes.NewReader(acceptVersion(source)), yaml.WithPlugin(nesting{}))
	if err != nil {
		return nil, nil, asSyntaxError(err)
	}
	roots := [2]*node{}
	for i := range roots {
		var document node
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

// acceptVersion hides the minor version in a %YAML directive. The library
// refuses all but 1.1, though it reads YAML 1.2; a different minor version is no
// reason to refuse a document (YAML 1.2 section 6.8.1).
func acceptVersion(source []byte) []byte {
	const directive = "%YAML 1."
	at := bytes.Index(source, []byte(directive))
	if at < 0 || at+len(directive) >= len(source) {
		return source
	}
	before := bytes.TrimPrefix(source[:at], []byte(byteOrderMark))
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

func asSyntaxError(err error) *syntaxError {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return &syntaxError{message: err.Error()}
	}
	return &syntaxError{
		message: le.Message,
		line:    le.Mark.Line, col: le.Mark.Column,
		context:    le.ContextMsg,
		contextRow: le.ContextMark.Line, contextCol: le.ContextMark.Column,
		tooDeep: le.Message == tooDeep{}.Error(),
	}
}

// follow returns the node that an alias stands for.
func follow(n *node) *node {
	for n.Kind == aliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

func isNull(n *node) bool { return n.Kind == scalarNode && n.Tag == tagNull }
