// Package jsonpath selects values of a decoded JSON tree by path. A path is
// compiled once, while a document is loaded, and then evaluated on every answer
// that a mapping has to look into; it is the lowest layer of output mapping.
//
// [Compile] is RFC 9535 to the letter. [CompileLenient] adds the habits of
// capability files: "$." for the root, hyphens and spaces in dot names, and a
// path without the leading "$".
//
// Both bound what they accept, and evaluation is bounded by [MaxSteps]: neither
// a path nor the document it is applied to can make a request run away.
package jsonpath

import (
	"errors"
	"fmt"

	"patchbay/internal/jsonvalue"
)

// The bounds on a path and on its evaluation.
const (
	// MaxSource is the length of a path in bytes.
	MaxSource = 4096
	// MaxNesting is how deep filters, parentheses and function calls may be
	// nested in one another.
	MaxNesting = 32
	// MaxSteps is the work of one evaluation. Visiting a value is one step;
	// comparing and matching long values costs more.
	MaxSteps = 1 << 22
)

// ErrLimit is the error of an evaluation that needs more than [MaxSteps] steps
// or meets values nested much deeper than any that [jsonvalue.Parse] returns.
var ErrLimit = errors.New("the path needs more work than is allowed for one document")

// Error is the first fault of a path that does not compile.
type Error struct {
	// Col is the place of the fault in the text as it was given, in code
	// points counted from 1. A fault at the end lies one after the last.
	Col int
	// Message is a lower-case clause without place.
	Message string
}

// Error returns place and message.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Col, e.Message) }

// Path is a compiled path. It is immutable and safe for concurrent use.
type Path struct {
	source   string
	segments []segment
	singular bool
}

// Compile compiles a query as RFC 9535 section 2 defines it. Its error is a *[Error].
func Compile(text string) (*Path, error) {
	p := parser{scanner: scanner{src: text}}
	p.checkSource()
	return p.finish(p.strict(), text)
}

// CompileLenient compiles a path as capability files write it. It accepts all
// that [Compile] accepts, with the same meaning, and also: blanks around the
// path; "$." as the root; at the top level, dot names of any characters except
// . [ ] ( ) { } * ? , quotes and control characters, blanks around them
// dropped; a dot before a bracket; no "$" at the beginning, which means "$.".
// Within filters, dot names may hold hyphens. Its error is a *[Error].
func CompileLenient(text string) (*Path, error) {
	p := parser{scanner: scanner{src: text}, lenient: true}
	p.checkSource()
	return p.finish(p.tolerant(), text)
}

// String returns the text that the path was compiled from.
func (p *Path) String() string { return p.source }

// Identity reports whether the path is the root itself: the value that it
// selects is the value that it is given.
func (p *Path) Identity() bool { return len(p.segments) == 0 }

// Singular reports whether the path selects at most one value, whatever the
// document (RFC 9535 section 2.3.5.1: names and indexes only).
func (p *Path) Singular() bool { return p.singular }

// One returns the value that a singular path selects in root, and false when
// there is none or the path is not singular. The value is part of root's tree.
// It does not allocate.
func (p *Path) One(root *jsonvalue.Value) (*jsonvalue.Value, bool) {
	if !p.singular || root == nil || root.IsAbsent() {
		return nil, false
	}
	v, _ := p.follow(root)
	return v, v != nil
}

// Query returns the values that the path selects in root, in the order of RFC
// 9535 with the members of objects as they are written. The values are part of
// root's tree. The only error is [ErrLimit]; there is never a partial result.
func (p *Path) Query(root *jsonvalue.Value) ([]*jsonvalue.Value, error) {
	if p.singular {
		v, ok := p.One(root)
		if !ok {
			return nil, nil
		}
		return []*jsonvalue.Value{v}, nil
	}
	if root == nil || root.IsAbsent() {
		return nil, nil
	}
	r := run{root: root, steps: MaxSteps}
	found := collector{keep: true}
	r.visit(p.segments, root, &found)
	if r.exceeded {
		return nil, ErrLimit
	}
	return found.nodes, nil
}
