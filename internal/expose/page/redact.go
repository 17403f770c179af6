package page

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

// hidden stands in place of a secret.
const hidden = "(hidden)"

// Visible is the source of a document as everybody may see it, because the own
// pages are open to whoever reaches the adapter: where the file spells out a
// secret instead of naming a variable, the place says so and no more.
func Visible(doc *spec.Document, source []byte) []byte {
	secrets := secrets(doc)
	if len(secrets) == 0 {
		return source
	}
	lines := bytes.SplitAfter(source, []byte("\n"))
	for _, s := range secrets {
		hide(lines, s)
	}
	out := bytes.Join(lines, nil)
	for _, s := range secrets {
		// The same value may stand in another place, such as a comment, and there
		// without the word before it that names a scheme.
		for _, part := range append(strings.Fields(s.Value), s.Value) {
			if len(part) >= telling {
				out = bytes.ReplaceAll(out, []byte(part), []byte(hidden))
			}
		}
	}
	return out
}

// telling is the length, in bytes, from which on a text is taken for a secret
// wherever it stands; shorter ones are words of the file too.
const telling = 7

// hide replaces the text at its place. Where the place does not spell out the
// text, as in an escaped or folded scalar, all lines go that can belong to it:
// those that are indented deeper than the one it starts on.
func hide(lines [][]byte, s spec.Text) {
	first := s.Span.Line - 1
	if first < 0 || first >= len(lines) {
		return
	}
	runes := []rune(string(lines[first]))
	from, to := s.Span.Col-1, s.Span.EndCol-1
	if s.Span.EndLine == s.Span.Line && 0 <= from && from < to && to <= len(runes) && strings.Contains(string(runes[from:to]), s.Value) {
		lines[first] = []byte(string(runes[:from]) + hidden + string(runes[to:]))
		return
	}
	depth := indentation(lines[first])
	for i := first; i < len(lines); i++ {
		blank := len(bytes.TrimSpace(lines[i])) == 0
		if i > first && i >= s.Span.EndLine && !blank && indentation(lines[i]) <= depth {
			return
		}
		if !blank {
			lines[i] = []byte("# " + hidden + "\n")
		}
	}
}

func indentation(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// secrets lists the texts of a document that are a secret themselves.
func secrets(doc *spec.Document) []spec.Text {
	var out []spec.Text
	take := func(t spec.Text) {
		if t.Set() && isLiteral(t.Value) {
			out = append(out, t)
		}
	}
	for i := range doc.Consumes {
		c := &doc.Consumes[i]
		takeAuthentication(c.Authentication, take)
		takeEntries(c.Headers, take)
		takeParameters(c.Inputs, take)
		if u, err := url.Parse(c.BaseURI.Value); err == nil && u.User != nil {
			take(c.BaseURI)
		}
		for j := range c.Resources {
			r := &c.Resources[j]
			takeParameters(r.Inputs, take)
			for k := range r.Operations {
				takeParameters(r.Operations[k].Inputs, take)
				if body := r.Operations[k].Body; body != nil {
					takeNode("", &body.Data, take)
				}
			}
		}
	}
	for i := range doc.Exposes {
		e := &doc.Exposes[i]
		takeAuthentication(e.Authentication, take)
		takeParameters(e.Inputs, take)
		// What refers to a caller's input is no secret.
		literal := func(t spec.Text) {
			scope, _, ok := strings.Cut(t.Value, ".")
			if !ok || scope != e.Namespace.Value && !slices.Contains([]string{"rest", "mcp", "tools"}, scope) {
				take(t)
			}
		}
		for j := range e.Resources {
			takeParameters(e.Resources[j].Inputs, take)
			for k := range e.Resources[j].Operations {
				takeParameters(e.Resources[j].Operations[k].Inputs, take)
				takeEntries(e.Resources[j].Operations[k].Run.With, literal)
			}
		}
		for j := range e.Tools {
			takeParameters(e.Tools[j].Inputs, take)
			takeEntries(e.Tools[j].Run.With, literal)
		}
	}
	return out
}

// takeNode takes the members of a declared body whose names tell a secret.
func takeNode(name string, n *spec.Node, take func(spec.Text)) {
	if tellsSecret(name) && n.Kind == spec.Scalar {
		take(n.Text)
	}
	for i := range n.Members {
		takeNode(n.Members[i].Name.Value, &n.Members[i].Value, take)
	}
	for i := range n.Elements {
		takeNode(name, &n.Elements[i], take)
	}
}

func takeAuthentication(a *spec.Authentication, take func(spec.Text)) {
	if a == nil {
		return
	}
	for _, t := range []spec.Text{a.Username, a.Password, a.Token, a.Value} {
		take(t)
	}
	for _, e := range slices.Concat(a.Headers, a.Other) {
		take(e.Value)
	}
}

func takeEntries(entries []spec.Entry, take func(spec.Text)) {
	for _, e := range entries {
		if tellsSecret(e.Name.Value) {
			take(e.Value)
		}
	}
}

func takeParameters(list []spec.Parameter, take func(spec.Text)) {
	for i := range list {
		if p := &list[i]; tellsSecret(p.Name.Value) {
			take(p.Value)
			take(p.Default)
		}
	}
}

// tellsSecret reports whether a header or parameter of that name usually
// carries a credential.
func tellsSecret(name string) bool {
	folded := diag.Fold(name)
	return slices.ContainsFunc([]string{"auth", "cookie", "token", "secret", "password", "apikey", "accesskey", "signature"}, func(word string) bool {
		return strings.Contains(folded, word)
	})
}

// isLiteral reports whether a text holds more than placeholders and the word
// that names a scheme.
func isLiteral(s string) bool {
	for {
		open := strings.Index(s, "{{")
		if open < 0 {
			break
		}
		end := strings.Index(s[open:], "}}")
		if end < 0 {
			break
		}
		s = s[:open] + s[open+end+len("}}"):]
	}
	s = strings.ToLower(strings.TrimSpace(s))
	return s != "" && !slices.Contains([]string{"basic", "bearer", "token", "apikey", ":"}, s)
}
