package spec

import (
	"bytes"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

// syntax reports that the text is no YAML, and why that may be.
func (l *loader) syntax(fault *yamltext.SyntaxError) {
	source := l.doc.Source
	at := diag.Span{File: l.doc.File}
	switch {
	case fault.Line > 0:
		at = l.lines.Point(fault.Line, fault.Col)
	default:
		if offset := controlCharacter(source); offset >= 0 {
			l.errorf(CodeYAMLSyntax, l.lines.PointAt(offset), "the control character %#02x is not allowed in YAML", source[offset])
			return
		}
	}
	switch {
	case fault.TooDeep:
		l.errorf(CodeLimitExceeded, at, "mappings and lists are %s", fault.Message)
		return
	case bytes.Contains(source, []byte("{%")):
		l.errorf(CodeNotACapability, at, "not a capability file: it is a template that is not filled in (it has {%% … %%} in it)").
			WithHint("render the template and name the result")
		return
	case l.cut() || l.marked() || l.endsInside(fault):
		l.errorf(CodeNotACapability, at, "not a whole capability file: it is cut off at %d bytes", len(source)).
			WithHint("fetch the whole file")
		return
	}
	d := l.errorf(CodeYAMLSyntax, at, "not valid YAML: %s", fault.Message)
	if hint := l.syntaxHint(fault); hint != "" {
		d.WithHint("%s", hint)
	}
	if fault.Context == "" || fault.ContextRow == 0 {
		return
	}
	if from := l.lines.Point(fault.ContextRow, fault.ContextCol); from != at {
		d.WithRelated(from, "%s that starts here", fault.Context)
	}
}

// syntaxHint guesses from the faulty line what its author meant.
func (l *loader) syntaxHint(fault *yamltext.SyntaxError) string {
	if fault.Line < 1 || fault.Line > l.lines.Count() {
		return ""
	}
	line := l.lines.From(fault.Line)
	if end := bytes.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	blank := len(line) - len(bytes.TrimLeft(line, " \t"))
	at, _ := l.lines.Offset(fault.Line, fault.Col)
	rest := l.doc.Source[at:]
	switch {
	case bytes.IndexByte(line[:blank], '\t') >= 0:
		return "YAML is indented with spaces; this line starts with a tab"
	case strings.Contains(fault.Message, "cannot start any token") && len(rest) > 0 && strings.IndexByte("@`%", rest[0]) >= 0:
		return "put the value in quotes: plain text cannot start with " + string(rest[0])
	case strings.Contains(fault.Message, "unknown anchor"):
		return "put the value in quotes if it is not meant as an alias"
	case bytes.Contains(line, []byte("{{")):
		return "put the template in quotes: '{{…}}'"
	case strings.Contains(fault.Message, "mapping values are not allowed"):
		return "put the value in quotes: plain text cannot have a colon and a space in it"
	case strings.Contains(fault.Message, "expected key"):
		return "compare the indentation of this line with that of the lines above"
	default:
		return ""
	}
}

// controlCharacter returns the offset of the first character that YAML forbids
// (YAML 1.2 section 5.1), or -1.
func controlCharacter(source []byte) int {
	for i, b := range source {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' {
			return i
		}
	}
	for _, noncharacter := range []string{"\ufffe", "\uffff"} {
		if i := bytes.Index(source, []byte(noncharacter)); i >= 0 {
			return i
		}
	}
	return -1
}

// cut reports a file that ends where collectors are known to cut: at 32 KiB,
// inside of a line.
func (l *loader) cut() bool {
	const usual = 32 << 10
	source := l.doc.Source
	return len(source) == usual && source[usual-1] != '\n'
}

// marked reports a file at whose end a collector left a note that it cut it:
// "# --- truncated at 32 KB (96 KB total) ---".
func (l *loader) marked() bool {
	source := l.doc.Source
	for line := range bytes.Lines(source[max(0, len(source)-1024):]) {
		if note, ok := bytes.CutPrefix(line, []byte("#")); ok && bytes.HasPrefix(bytes.TrimLeft(note, " -"), []byte("truncated at ")) {
			return true
		}
	}
	return false
}

// endsInside reports a fault at the end of a file whose last line does not end.
func (l *loader) endsInside(fault *yamltext.SyntaxError) bool {
	source := l.doc.Source
	return len(source) >= 1<<10 && source[len(source)-1] != '\n' && fault.Line >= l.lines.Count()
}

// foreign says what a mapping is that is no capability, and what to do with it.
// Both are empty where it may be one.
func (l *loader) foreign(root *node) (reason, hint string) {
	for _, key := range []string{"naftiko", "ikanos"} {
		if l.find(root, key) != nil {
			return "", ""
		}
	}
	if c := l.find(root, "capability"); c != nil && c.Kind == mappingNode {
		return "", ""
	}
	for _, key := range []string{"consumes", "exposes", "aggregates"} {
		if part := l.find(root, key); part != nil && part.Kind == sequenceNode && len(part.Content) > 0 && follow(part.Content[0]).Kind == mappingNode {
			return "", ""
		}
	}
	switch {
	case l.find(root, "openapi") != nil || l.find(root, "swagger") != nil:
		return "it is an OpenAPI document", "give it with --contract"
	case l.find(root, "asyncapi") != nil:
		return "it is an AsyncAPI document", "name another file"
	case l.find(root, "arazzo") != nil:
		return "it is an Arazzo document", "name another file"
	case l.find(root, "apiVersion") != nil && l.find(root, "kind") != nil:
		return "it is a Kubernetes manifest", "name another file"
	case l.find(root, "$schema") != nil:
		return "it is a JSON Schema", "name another file"
	case l.find(root, "services") != nil:
		return "it is a Compose file", "name another file"
	}
	for i := 0; i < len(root.Content); i += 2 {
		key := root.Content[i].Value
		if near := diag.Nearest(key, []string{"naftiko", "ikanos"}); near != "" {
			return "it has no version key", "did you mean " + quote(near) + " where it says " + quote(key) + "?"
		}
	}
	return "it has no version key", "a capability file starts with naftiko: or ikanos: and a version"
}
