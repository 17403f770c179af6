package spec

import (
	"bytes"
	"unicode/utf8"

	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

// The bounds on a file. The largest capability known has 1.8 MB.
const (
	// MaxSize is the largest file that is read, in bytes.
	MaxSize = 16 << 20
	// maxMergeDepth bounds how many mappings deep merge keys (<<) lead.
	maxMergeDepth = 8
	// maxMarks bounds the characters that can start a node, and with them the
	// memory that the tree takes, before it is built.
	maxMarks = 1_500_000
	// maxObjects bounds the entries of lists, each of which is a struct of up
	// to a kilobyte; aliases count each time they are used.
	maxObjects = 200_000
	// maxFindings bounds the findings that are listed: so many errors, and so
	// many others.
	maxFindings = 1000
)

// Load reads a capability file. The name is what diagnostics call the file; the
// source is kept in the document and must not change afterwards.
//
// The document is never nil. It is usable as far as the findings go: a part
// with an error in it is absent or incomplete, everything else is there. Where
// the text is no YAML, or no capability file, it holds the name and the source
// only. All findings are returned at once, sorted by place. Load is pure and
// safe for concurrent use.
func Load(name string, source []byte) (*Document, diag.List) {
	l := &loader{doc: &Document{Header: Header{File: name}, Source: source}}
	l.load()
	l.reportDeviations()
	l.reportAdvices()
	return l.doc, l.findings.Sorted()
}

// loader is the state of one [Load].
type loader struct {
	doc      *Document
	lines    yamltext.Lines
	findings diag.List

	errors, others int
	// dropped takes what is no longer listed.
	dropped    diag.Diagnostic
	deviations [deviationCount]occurrence
	advices    []advice

	objects, pairs int
	full           bool
	depth          int
}

// occurrence counts how often something was met and where first.
type occurrence struct {
	first diag.Span
	count int
}

func (l *loader) load() {
	source := l.doc.Source
	file := diag.Span{File: l.doc.File}
	if len(source) > MaxSize {
		l.errorf(CodeLimitExceeded, file, "the file has %d bytes; at most %d are read", len(source), MaxSize)
		return
	}
	l.lines = yamltext.NewLines(l.doc.File, source)
	if !utf8.Valid(source) {
		l.notUTF8()
		return
	}
	if tooManyMarks(source) {
		l.errorf(CodeLimitExceeded, file, "the file may have more than %d values; that many are not read", maxMarks)
		return
	}
	root, second, fault := yamltext.Decode(source)
	if fault != nil {
		l.syntax(fault)
	}
	switch {
	case root == nil && fault != nil:
		return
	case root == nil || isNull(root):
		l.errorf(CodeNotACapability, file, "not a capability file: it is empty")
		return
	}
	if second != nil && !isNull(second) {
		l.errorf(CodeMultipleDocuments, l.lines.Node(second), "a second document starts here; only the first one is read").
			WithHint("put it in a file of its own")
	}
	l.document(root)
}

// notUTF8 reports the first byte that belongs to no character.
func (l *loader) notUTF8() {
	source := l.doc.Source
	if bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff")) {
		l.errorf(CodeNotUTF8, diag.Span{File: l.doc.File}, "the file is encoded in UTF-16").WithHint("save it as UTF-8")
		return
	}
	at := 0
	for at < len(source) {
		r, size := utf8.DecodeRune(source[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	l.errorf(CodeNotUTF8, l.lines.PointAt(at), "the byte %#02x is not UTF-8", source[at]).WithHint("save the file as UTF-8")
}

// tooManyMarks counts what can start a YAML node. Small files cannot hold too
// many and are not counted.
func tooManyMarks(source []byte) bool {
	if len(source) <= maxMarks {
		return false
	}
	marks := 0
	for i, b := range source {
		switch b {
		case '\n', '\r', ':', ',', '[', '{', '?':
			marks++
		case '-':
			if i+1 < len(source) && (source[i+1] <= ' ' || source[i+1] >= utf8.RuneSelf) {
				marks++
			}
		}
	}
	return marks > maxMarks
}

// errorf adds an error, unless too many are listed already or a bound has been
// met: what is found afterwards follows from that.
func (l *loader) errorf(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	if l.errors++; l.full || l.errors > maxFindings {
		return l.drop(l.errors, span, "errors")
	}
	return l.findings.Errorf(code, span, format, args...)
}

// warnf adds a warning; see errorf.
func (l *loader) warnf(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	if l.others++; l.full || l.others > maxFindings {
		return l.drop(l.others, span, "warnings and notes")
	}
	return l.findings.Warnf(code, span, format, args...)
}

// notef adds a note; see errorf.
func (l *loader) notef(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	if l.others++; l.full || l.others > maxFindings {
		return l.drop(l.others, span, "warnings and notes")
	}
	return l.findings.Notef(code, span, format, args...)
}

func (l *loader) drop(count int, span diag.Span, what string) *diag.Diagnostic {
	if count == maxFindings+1 && !l.full {
		l.findings.Notef(CodeTooManyFindings, span, "more than %d %s; those that were found after this place are not listed", maxFindings, what)
	}
	return &l.dropped
}
