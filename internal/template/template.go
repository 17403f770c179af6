// Package template compiles text with placeholders: the paths, header values,
// parameter values and bodies of a capability file. A text is cut into literal
// and placeholder segments once, while a document is loaded ([Compile]); the
// compiler then ties each placeholder to a slot of the values that an operation
// works on ([Template.Bind]); a request only copies segments and values into
// its buffer ([Bound.Append]), without any lookup by name.
//
// The grammar is the small part of Mustache that capability files use, and the
// braces of OpenAPI paths. Names are free text: $select, filter[x] and @id are
// names like any other.
package template

import (
	"fmt"
	"strings"
)

// The bounds on one text.
const (
	// MaxSize is its length in bytes.
	MaxSize = 256 << 10
	// MaxPlaceholders is how many placeholders it may hold.
	MaxPlaceholders = 1000
)

// Syntax says which braces are placeholders.
type Syntax uint8

const (
	// Value is the syntax of everything but paths: {{name}}, {{{name}}} and
	// {{&name}} are placeholders, {{! comments}} are dropped, sections, partials
	// and changes of delimiters are errors, all other braces are literal. (In
	// compact JSON, {{{name}}} takes the braces of the object with it, as in
	// Mustache: write a blank between them.)
	Value Syntax = iota
	// Path is the syntax of routes and upstream paths: as Value, and {name} is
	// a placeholder as well. A { that begins no placeholder is an error.
	Path
)

// Error is the first fault of a text that does not compile.
type Error struct {
	// Col is the place of the fault, in code points of the text counted from 1.
	Col int
	// Message is a lower-case clause without place.
	Message string
}

// Error returns place and message.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Col, e.Message) }

// Placeholder is a place in a text where a value goes.
type Placeholder struct {
	// Name is what stands between the braces, without blanks around it.
	Name string
	// Offset and Length give the place including the braces, in code points of
	// the text; Offset counts from 0.
	Offset, Length int
}

// Segment is a part of a text: a literal, or a placeholder.
type Segment struct {
	// Literal is the text between two placeholders; it is never empty where
	// Placeholder is nil.
	Literal string
	// Placeholder is nil for a literal.
	Placeholder *Placeholder
}

// Template is a compiled text. It is immutable and safe for concurrent use.
type Template struct {
	source       string
	syntax       Syntax
	segments     []Segment
	placeholders []Placeholder
}

// Compile cuts a text into segments. Its error is a *[Error].
func Compile(text string, syntax Syntax) (*Template, error) {
	c := compiler{text: text, syntax: syntax, lastClose: strings.LastIndex(text, "}}")}
	if len(text) > MaxSize {
		return nil, &Error{Col: 1, Message: fmt.Sprintf("the text is longer than %d bytes", MaxSize)}
	}
	if err := c.scan(); err != nil {
		return nil, err
	}
	t := &Template{source: text, syntax: syntax, segments: c.segments, placeholders: c.placeholders}
	next := 0
	for i := range t.segments {
		if t.segments[i].Literal == "" {
			t.segments[i].Placeholder = &t.placeholders[next]
			next++
		}
	}
	return t, nil
}

// String returns the text that the template was compiled from.
func (t *Template) String() string { return t.source }

// Segments returns the parts in their order; two literals never follow each
// other. The slice must not be changed.
func (t *Template) Segments() []Segment { return t.segments }

// Placeholders returns the placeholders in their order; a name may occur more
// than once. The slice must not be changed.
func (t *Template) Placeholders() []Placeholder { return t.placeholders }

// IsPlain reports whether the template has no placeholder.
func (t *Template) IsPlain() bool { return len(t.placeholders) == 0 }

// Text returns the text of a plain template, which is its source without
// comments, and "" for every other.
func (t *Template) Text() string {
	if !t.IsPlain() || len(t.segments) == 0 {
		return ""
	}
	return t.segments[0].Literal
}

// Single returns the name of the placeholder that is the whole text. Such a
// template passes a value on with its type instead of rendering it.
func (t *Template) Single() (name string, ok bool) {
	if len(t.segments) != 1 || t.segments[0].Placeholder == nil {
		return "", false
	}
	return t.segments[0].Placeholder.Name, true
}
