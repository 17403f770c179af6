// Package diag is the vocabulary in which Patchbay talks about a document:
// a span says where, a code says what kind, a diagnostic says the fact and the
// advice. It is the lowest package of the compiler: every stage from reading
// YAML to joining contracts appends to a [List], and the command line prints it.
//
// Lines and columns are 1-based everywhere; columns count Unicode code points.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Span is the place of a value in a file. A zero Line means that only the
// file is known. EndCol is exclusive; a span of several lines ends on EndLine.
type Span struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitzero"`
	Col     int    `json:"column,omitzero"`
	EndLine int    `json:"endLine,omitzero"`
	EndCol  int    `json:"endColumn,omitzero"`
}

// IsZero reports whether the span names no place at all.
func (s Span) IsZero() bool { return s == Span{} }

// String returns file:line:column, as far as they are known.
func (s Span) String() string {
	switch {
	case s.Line == 0:
		return s.File
	default:
		return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Col)
	}
}

// Sub returns the part of a single-line span that starts off code points after
// its first and is n long. For a span of several lines it returns s itself:
// where a folded or escaped scalar's characters stand cannot be told by counting.
func (s Span) Sub(off, n int) Span {
	if s.Line == 0 || s.EndLine != s.Line {
		return s
	}
	sub := s
	sub.Col = s.Col + off
	sub.EndCol = sub.Col + n
	if sub.EndCol > s.EndCol {
		return s
	}
	return sub
}

// Severity orders diagnostics by what they do to a run.
type Severity uint8

// The severities. An error keeps a document from being served; a warning is
// promoted to an error by strict mode; a note never changes an exit code.
const (
	Note Severity = iota
	Warning
	Error
)

// String returns the word printed for the severity.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "note"
	}
}

// MarshalText encodes the severity as its word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Code is the stable, kebab-case name of a kind of finding. Codes are
// documented in docs/diagnostics.md; a test keeps the two in step.
type Code string

// Related points at a second place that explains a diagnostic.
type Related struct {
	Span    Span   `json:"span"`
	Message string `json:"message"`
}

// Diagnostic is one finding: Message states the fact, Hint the advice.
type Diagnostic struct {
	Severity Severity  `json:"severity"`
	Code     Code      `json:"code"`
	Span     Span      `json:"span"`
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
	Related  []Related `json:"related,omitempty"`
	// Secret keeps the source line from being printed: it spells out a secret.
	Secret bool `json:"-"`
}

// List collects diagnostics. The zero value is ready to use. A List is not
// safe for concurrent use.
type List []Diagnostic

// Add appends a finding built from its parts; format follows [fmt.Sprintf].
func (l *List) Add(sev Severity, code Code, span Span, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: sev, Code: code, Span: span, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Errorf appends an error and returns it, so that a hint can be attached
// before the next call to the list.
func (l *List) Errorf(code Code, span Span, format string, args ...any) *Diagnostic {
	return l.Add(Error, code, span, format, args...)
}

// Warnf appends a warning; see [List.Errorf].
func (l *List) Warnf(code Code, span Span, format string, args ...any) *Diagnostic {
	return l.Add(Warning, code, span, format, args...)
}

// Notef appends a note; see [List.Errorf].
func (l *List) Notef(code Code, span Span, format string, args ...any) *Diagnostic {
	return l.Add(Note, code, span, format, args...)
}

// WithHint sets the advice of the diagnostic and returns it.
func (d *Diagnostic) WithHint(format string, args ...any) *Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// WithRelated adds a second place and returns the diagnostic.
func (d *Diagnostic) WithRelated(span Span, format string, args ...any) *Diagnostic {
	d.Related = append(d.Related, Related{Span: span, Message: fmt.Sprintf(format, args...)})
	return d
}

// Sorted returns the findings by file, line, column, code and message, with
// exact repetitions removed. The receiver is left as it is.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Span.File, b.Span.File),
			cmp.Compare(a.Span.Line, b.Span.Line),
			cmp.Compare(a.Span.Col, b.Span.Col),
			strings.Compare(string(a.Code), string(b.Code)),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(out, func(a, b Diagnostic) bool {
		return a.Span == b.Span && a.Code == b.Code && a.Message == b.Message
	})
}

// Count returns how many findings have exactly this severity.
func (l List) Count(sev Severity) int {
	n := 0
	for i := range l {
		if l[i].Severity == sev {
			n++
		}
	}
	return n
}

// HasErrors reports whether any finding is an error.
func (l List) HasErrors() bool { return l.Count(Error) > 0 }

// Strict returns a copy in which every warning is an error.
func (l List) Strict() List {
	out := slices.Clone(l)
	for i := range out {
		if out[i].Severity == Warning {
			out[i].Severity = Error
		}
	}
	return out
}
