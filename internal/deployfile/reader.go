package deployfile

import (
	"path/filepath"
	"regexp"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

type node = yamltext.Node

// matcher is a pattern that was compiled.
type matcher = *regexp.Regexp

// reader is the state of one [Parse].
type reader struct {
	file     *File
	folder   string
	secrets  Secrets
	lines    yamltext.Lines
	findings diag.List
	// dropped takes what is no longer listed.
	dropped diag.Diagnostic
	// hidden are lines that hold something which may be a secret in a place where
	// it should not be. They are not shown.
	hidden   map[int]bool
	patterns map[string]matcher
	// pairs counts members of mappings and entries of lists; aliases can make
	// it more than the file has characters.
	pairs int
}

// The bounds on what is read and listed.
const (
	maxPairs    = 100_000
	maxMerges   = 8
	maxFindings = 500
)

// errorf adds an error, unless too many are listed already.
func (r *reader) errorf(code diag.Code, at diag.Span, format string, args ...any) *diag.Diagnostic {
	if len(r.findings) >= maxFindings {
		return &r.dropped
	}
	return r.findings.Errorf(code, at, format, args...)
}

// at is the place of a node.
func (r *reader) at(n *node) diag.Span { return r.lines.Node(n) }

// hide keeps the lines of a value from being shown: nobody knows what it is.
func (r *reader) hide(n *node) {
	n = yamltext.Follow(n)
	if r.pairs++; r.pairs > maxPairs {
		return
	}
	span := r.at(n)
	if n.Kind == yamltext.ScalarNode {
		// Nothing but the text itself stands on its further lines.
		r.hidden[n.Line], r.hidden[span.Line] = true, true
		return
	}
	for _, c := range n.Content {
		r.hide(c)
	}
}

// syntax reports that the text is no YAML. The line is not shown: what a reader
// stumbles over is often a password's first character.
func (r *reader) syntax(fault *yamltext.SyntaxError) {
	at := diag.Span{File: r.file.Name}
	if fault.Line > 0 {
		at = r.lines.Point(fault.Line, fault.Col)
	}
	if fault.TooDeep {
		r.errorf(CodeLimit, at, "mappings and lists are %s", fault.Message)
		return
	}
	d := r.errorf(CodeSyntax, at, "not valid YAML: %s", withoutQuotes(fault.Message))
	d.Secret = true
	switch {
	case strings.Contains(fault.Message, "unknown anchor"):
		d.WithHint("put the value in quotes if it is not meant as an alias")
	case strings.Contains(fault.Message, "mapping values are not allowed"):
		d.WithHint("put the value in quotes, or compare the indentation with the lines above")
	case strings.Contains(fault.Message, "cannot start any token"):
		d.WithHint("put the value in quotes; YAML is indented with spaces")
	}
}

// withoutQuotes replaces what a message of the YAML library quotes from the
// text, but for single characters of YAML's own.
func withoutQuotes(message string) string {
	parts := strings.Split(message, "'")
	for i := 1; i < len(parts)-1; i += 2 {
		if len(parts[i]) > 1 {
			parts[i] = "…"
		}
	}
	message = strings.Join(parts, "'")
	if before, _, ok := strings.Cut(message, `"`); ok {
		return before + "…"
	}
	return message
}

// matches reports whether a text has a form. Patterns are compiled once a file.
func (r *reader) matches(pattern, text string) bool {
	m, ok := r.patterns[pattern]
	if !ok {
		m = regexp.MustCompile(pattern)
		r.patterns[pattern] = m
	}
	return m.MatchString(text)
}

// path joins a path to the file's folder.
func (r *reader) path(p string) string {
	if filepath.IsAbs(p) || r.folder == "." {
		return filepath.Clean(p)
	}
	return filepath.Join(r.folder, p)
}

// wrongKind reports a value in another form than its key wants. The value is
// not repeated.
func (r *reader) wrongKind(what string, n *node, want string) *diag.Diagnostic {
	r.hide(n)
	return r.errorf(CodeWrongKind, r.at(n), "%s must be %s, not %s", what, want, kindOf(n))
}

// kindOf names the form of a value.
func kindOf(n *node) string {
	switch {
	case n.Kind == yamltext.MappingNode:
		return "a mapping"
	case n.Kind == yamltext.SequenceNode:
		return "a list"
	case yamltext.IsNull(n):
		return "nothing"
	}
	switch n.Tag {
	case yamltext.TagText:
		return "text"
	case yamltext.TagBool:
		return "true or false"
	case yamltext.TagInt, yamltext.TagFloat:
		return "a number"
	default:
		return "a value with a tag"
	}
}

// clip shortens a name that the file gives, for use in a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// member is a key with its value.
type member struct{ key, val *node }

// members returns the members of a mapping, those that it merges in included. A
// key that is given twice or is no text is reported and left out.
func (r *reader) members(n *node) []member {
	m := merger{reader: r, seen: map[string]*node{}}
	m.add(n, 0)
	return m.out
}

// merger collects members. What the mapping says itself wins, then what is
// merged first (YAML 1.1's <<).
type merger struct {
	*reader
	seen map[string]*node
	out  []member
}

func (m *merger) add(n *node, depth int) {
	if m.pairs += len(n.Content) / 2; m.pairs > maxPairs || depth > maxMerges {
		m.errorf(CodeLimit, m.at(n), "aliases make the file too large")
		return
	}
	var merged []*node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := yamltext.Follow(n.Content[i]), yamltext.Follow(n.Content[i+1])
		if key.Kind != yamltext.ScalarNode || yamltext.IsNull(key) {
			m.hide(val)
			m.wrongKind("a key", key, "text")
			continue
		}
		if key.Tag == yamltext.TagMerge {
			merged = append(merged, val)
			continue
		}
		first, twice := m.seen[key.Value]
		switch {
		case !twice:
			m.seen[key.Value] = key
			m.out = append(m.out, member{key, val})
		case depth == 0:
			m.hide(val)
			m.errorf(CodeDuplicateKey, m.at(key), "the key %q is given twice", clip(key.Value)).
				WithHint("keep one of them").WithRelated(m.at(first), "first given here")
		}
	}
	for _, from := range merged {
		sources := []*node{from}
		if from.Kind == yamltext.SequenceNode {
			sources = from.Content
		}
		for _, s := range sources {
			if s = yamltext.Follow(s); s.Kind != yamltext.MappingNode {
				m.wrongKind("what << merges", s, "a mapping or a list of them")
				continue
			}
			m.add(s, depth+1)
		}
	}
}
