package spec

import (
	"slices"
	"strconv"
	"strings"

	"patchbay/internal/diag"
)

// textOf returns a scalar with its place.
func (l *loader) textOf(n *node) Text { return Text{Value: n.Value, Span: l.lines.Node(n)} }

// derived returns text that the file does not have, at the place it follows
// from. Its span has no characters.
func derived(value string, at diag.Span) Text {
	at.EndLine, at.EndCol = at.Line, at.Col
	return Text{Value: value, Span: at}
}

// name sets the name of an entry of a mapping of names.
func (l *loader) name(name *node, dst *Text) {
	if name != nil {
		*dst = l.textOf(name)
	}
}

// text reads a scalar where text is due.
func (l *loader) text(key, val *node, dst *Text) {
	val = follow(val)
	switch {
	case val.Kind != scalarNode:
		l.wrongKind(key.Value, val, "text")
		return
	case isNull(val):
		l.empty(key)
		return
	case dst.Set():
		l.synonym(key, val, dst)
		return
	case val.Tag != tagText:
		l.deviate(deviationText, val)
	}
	*dst = l.textOf(val)
}

// synonym judges a second value for a field that has two names.
func (l *loader) synonym(key, val *node, dst *Text) {
	if val.Value != dst.Value {
		l.repeated(key, dst.Span)
	}
}

func (l *loader) repeated(key *node, first diag.Span) {
	l.errorf(CodeDuplicateKey, l.lines.Node(key), "%q says again what another key says", clip(key.Value)).
		WithHint("keep one of them; the first one is read").
		WithRelated(first, "first given here")
}

// word reads text that should be one of a few words. The text is kept as it is.
func (l *loader) word(key, val *node, dst *Text, words ...string) {
	l.text(key, val, dst)
	if !dst.Set() || slices.Contains(words, dst.Value) {
		return
	}
	l.warnf(CodeUnknownValue, dst.Span, "%q is no %s", clip(dst.Value), key.Value).WithNearest(dst.Value, words, "expected ")
}

// valueType reads the type of an input or output.
func (l *loader) valueType(key, val *node, dst *Text) {
	l.word(key, val, dst, valueTypes()...)
}

// integer reads a whole number from low to high.
func (l *loader) integer(key, val *node, dst *Int, low, high int) {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
		return
	case val.Kind != scalarNode:
		l.wrongKind(key.Value, val, "a whole number")
		return
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(val.Value, "_", ""), 0, 64)
	switch {
	case err != nil:
		l.wrongKind(key.Value, val, "a whole number")
		return
	case n < int64(low) || n > int64(high):
		l.errorf(CodeOutOfRange, l.lines.Node(val), "%s must be from %d to %d", key.Value, low, high)
		return
	case val.Tag != tagInt:
		l.deviate(deviationNotText, val)
	}
	*dst = Int{Value: int(n), Span: l.lines.Node(val)}
}

// boolean reads true or false. Words that were booleans in YAML 1.1 still are.
func (l *loader) boolean(key, val *node, dst *Bool) {
	val = follow(val)
	if isNull(val) {
		l.empty(key)
		return
	}
	word := ""
	if val.Kind == scalarNode {
		word = strings.ToLower(val.Value)
	}
	switch word {
	case "true", "yes", "on":
		dst.Value = true
	case "false", "no", "off":
		dst.Value = false
	default:
		l.wrongKind(key.Value, val, "true or false")
		return
	}
	if val.Tag != tagBool {
		l.deviate(deviationNotText, val)
	}
	dst.Span = l.lines.Node(val)
}

// texts reads a list of scalars, or one scalar alone.
func (l *loader) texts(key, val *node, dst *[]Text) {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
	case val.Kind == scalarNode:
		l.deviate(deviationOneForMany, key)
		*dst = []Text{l.textOf(val)}
	case val.Kind != sequenceNode:
		l.wrongKind(key.Value, val, "a list")
	case l.takeObjects(val, len(val.Content)):
		out := make([]Text, 0, len(val.Content))
		for _, item := range val.Content {
			item = follow(item)
			if item.Kind != scalarNode {
				l.wrongKind("an entry of "+key.Value, item, "text")
				continue
			}
			out = append(out, l.textOf(item))
		}
		*dst = out
	}
}

// entries reads a mapping from name to scalar.
func (l *loader) entries(key, val *node) []Entry {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
		return nil
	case val.Kind != mappingNode:
		l.wrongKind(key.Value, val, "a mapping")
		return nil
	}
	pairs := l.members(val)
	if !l.takeObjects(val, len(pairs)/2) {
		return nil
	}
	out := make([]Entry, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i], follow(pairs[i+1])
		switch {
		case value.Kind != scalarNode:
			l.wrongKind(quote(name.Value)+" in "+key.Value, value, "text")
			continue
		case isNull(value):
			l.empty(name)
		}
		out = append(out, Entry{Name: l.textOf(name), Value: l.textOf(value), Tag: value.Tag})
	}
	return out
}

// node keeps a value whose structure belongs to the user.
func (l *loader) node(n *node) Node {
	n = follow(n)
	out := Node{Span: l.lines.Node(n)}
	if l.full || !l.enter(n) {
		return out
	}
	defer l.leave()
	switch n.Kind {
	case mappingNode:
		pairs := l.members(n)
		out.Kind, out.Tag = Mapping, n.Tag
		out.Members = make([]NodeMember, 0, len(pairs)/2)
		for i := 0; i < len(pairs); i += 2 {
			out.Members = append(out.Members, NodeMember{Name: l.textOf(pairs[i]), Value: l.node(pairs[i+1])})
		}
	case sequenceNode:
		out.Kind, out.Tag = Sequence, n.Tag
		if !l.takePairs(n, len(n.Content)) {
			return out
		}
		out.Elements = make([]Node, 0, len(n.Content))
		for _, item := range n.Content {
			out.Elements = append(out.Elements, l.node(item))
		}
	default:
		out.Kind, out.Tag = Scalar, n.Tag
		out.Text = Text{Value: n.Value, Span: out.Span}
	}
	return out
}

// nodeOrNil is node for a key that may stand without a value.
func (l *loader) nodeOrNil(key, val *node) *Node {
	if isNull(follow(val)) {
		l.empty(key)
		return nil
	}
	out := l.node(val)
	return &out
}
