package spec

import (
	"fmt"

	"patchbay/internal/diag"
)

// list reads a section that has many entries of one kind, in either of its two
// forms: a list of mappings, or a mapping whose keys are the entries' names. An
// entry that cannot be read is left out.
func list[T any](l *loader, key, val *node, read func(l *loader, name, n *node, out *T)) []T {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
		return nil
	case val.Kind == sequenceNode:
		if !l.takeObjects(val, len(val.Content)) {
			return nil
		}
		out := make([]T, 0, len(val.Content))
		for _, item := range val.Content {
			item = follow(item)
			if item.Kind != mappingNode {
				l.wrongKind("an entry of "+key.Value, item, "a mapping")
				continue
			}
			out = append(out, *new(T))
			read(l, nil, item, &out[len(out)-1])
		}
		return out
	case val.Kind == mappingNode:
		return keyed(l, key, val, read)
	default:
		l.wrongKind(key.Value, val, "a list or a mapping of names")
		return nil
	}
}

// keyed reads the entries of a mapping from name to entry. An entry without a
// value has nothing but its name.
func keyed[T any](l *loader, key, val *node, read func(l *loader, name, n *node, out *T)) []T {
	pairs := l.members(val)
	if !l.takeObjects(val, len(pairs)/2) {
		return nil
	}
	out := make([]T, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, entry := pairs[i], follow(pairs[i+1])
		if isNull(entry) {
			entry = nil
		} else if entry.Kind != mappingNode {
			l.wrongKind(quote(name.Value)+" in "+key.Value, entry, "a mapping")
			continue
		}
		out = append(out, *new(T))
		read(l, name, entry, &out[len(out)-1])
	}
	return out
}

// listOnly reads a section whose entries have no names: a list of mappings, or
// one of them alone.
func listOnly[T any](l *loader, key, val *node, read func(l *loader, name, n *node, out *T)) []T {
	val = follow(val)
	switch {
	case val.Kind == scalarNode && !isNull(val):
		l.wrongKind(key.Value, val, "a list")
		return nil
	case val.Kind != mappingNode:
		return list(l, key, val, read)
	}
	l.deviate(deviationOneForMany, key)
	if !l.takeObjects(val, 1) {
		return nil
	}
	out := make([]T, 1)
	read(l, nil, val, &out[0])
	return out
}

// members returns the keys and values of a mapping, alternating. A key that is
// given twice or is no scalar is reported and left out; merge keys are resolved.
// For a missing mapping there are none.
func (l *loader) members(n *node) []*node {
	if n == nil || !l.takePairs(n, len(n.Content)/2) {
		return nil
	}
	if regular(n.Content) {
		return n.Content
	}
	m := merger{loader: l, seen: map[string]*node{}}
	m.add(n, false)
	return m.out
}

// regular reports whether every key is a scalar of its own.
func regular(content []*node) bool {
	if len(content) > 64 {
		return regularMany(content)
	}
	for i := 0; i < len(content); i += 2 {
		key := content[i]
		if key.Kind != scalarNode || key.Tag == tagMerge {
			return false
		}
		for j := 0; j < i; j += 2 {
			if content[j].Value == key.Value {
				return false
			}
		}
	}
	return true
}

func regularMany(content []*node) bool {
	seen := make(map[string]struct{}, len(content)/2)
	for i := 0; i < len(content); i += 2 {
		key := content[i]
		if key.Kind != scalarNode || key.Tag == tagMerge {
			return false
		}
		seen[key.Value] = struct{}{}
	}
	return len(seen) == len(content)/2
}

// merger collects the members of a mapping and of those that it merges in
// (YAML 1.1's <<). What the mapping says itself wins, then what is merged first.
type merger struct {
	*loader
	seen  map[string]*node
	out   []*node
	depth int
}

func (m *merger) add(n *node, merged bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := follow(n.Content[i])
		if key.Kind != scalarNode {
			m.wrongKind("a key", key, "text")
			continue
		}
		if key.Tag == tagMerge {
			continue
		}
		first, twice := m.seen[key.Value]
		switch {
		case !twice:
			m.seen[key.Value] = key
			m.out = append(m.out, key, n.Content[i+1])
		case !merged:
			m.errorf(CodeDuplicateKey, m.lines.Node(key), "the key %q is given twice", clip(key.Value)).
				WithHint("keep one of them; the first one is read").
				WithRelated(m.lines.Node(first), "first given here")
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == scalarNode && key.Tag == tagMerge {
			m.merge(n.Content[i+1])
		}
	}
}

func (m *merger) merge(source *node) {
	source = follow(source)
	sources := []*node{source}
	if source.Kind == sequenceNode {
		sources = source.Content
	}
	for _, s := range sources {
		s = follow(s)
		if s.Kind != mappingNode {
			m.wrongKind("what << merges", s, "a mapping or a list of them")
			continue
		}
		if m.depth > maxMergeDepth {
			m.exceeded(s, "merge keys nest deeper than %d levels", maxMergeDepth)
			return
		}
		if !m.takePairs(s, len(s.Content)/2) {
			return
		}
		m.depth++
		m.add(s, true)
		m.depth--
	}
}

// takeObjects counts entries of lists and reports whether they may be read.
func (l *loader) takeObjects(n *node, count int) bool {
	if l.objects += count; l.objects <= maxObjects {
		return !l.full
	}
	l.exceeded(n, "the file has more than %d entries in its lists, aliases counted each time", maxObjects)
	return false
}

// takePairs counts members of mappings. A file cannot have more of them than
// characters; only aliases used over and over can.
func (l *loader) takePairs(n *node, count int) bool {
	most := len(l.doc.Source) + maxObjects
	if l.pairs += count; l.pairs <= most {
		return !l.full
	}
	l.exceeded(n, "aliases make the file have more than %d values", most)
	return false
}

// enter descends one level into a part that may contain parts of its own kind,
// and reports whether it may. Only aliases that contain themselves can go
// deeper than the YAML did.
func (l *loader) enter(n *node) bool {
	if l.depth >= 2*maxDepth {
		l.exceeded(n, "aliases nest deeper than %d levels", 2*maxDepth)
		return false
	}
	l.depth++
	return true
}

func (l *loader) leave() { l.depth-- }

// exceeded reports, once, that a bound was met. Nothing is read afterwards.
func (l *loader) exceeded(n *node, format string, args ...any) {
	if l.full {
		return
	}
	l.errorf(CodeLimitExceeded, l.lines.Node(n), format, args...)
	l.full = true
}

// empty reports a key that stands without a value.
func (l *loader) empty(key *node) {
	l.warnf(CodeEmptyValue, l.lines.Node(key), "%q has no value", clip(key.Value)).
		WithHint("give it one or remove the key")
}

// missing reports a field without which something cannot be used. A field that
// is there and cannot be read has been reported already.
func (l *loader) missing(n *node, at diag.Span, s shape, field, why string) {
	if !l.unreadable(n, field) {
		l.errorf(CodeMissingField, at, "%s needs %s: %s", s, field, why)
	}
}

// recommended reports a field that would be good to have; see missing.
func (l *loader) recommended(n *node, at diag.Span, s shape, field, why string) {
	if !l.unreadable(n, field) {
		l.notef(CodeRecommendedField, at, "%s should have %s: %s", s, field, why)
	}
}

// advice is a field that many parts of a file may lack, so that it is one note
// for the file.
type advice struct {
	occurrence
	shape      shape
	field, why string
}

// advised is recommended for parts of which a file has many.
func (l *loader) advised(n *node, at diag.Span, s shape, field, why string) {
	if l.unreadable(n, field) {
		return
	}
	for i := range l.advices {
		if a := &l.advices[i]; a.shape == s && a.field == field {
			a.count++
			return
		}
	}
	l.advices = append(l.advices, advice{occurrence{at, 1}, s, field, why})
}

func (l *loader) reportAdvices() {
	for _, a := range l.advices {
		places := ""
		if a.count > 1 {
			places = fmt.Sprintf(" (first of %d places)", a.count)
		}
		l.notef(CodeRecommendedField, a.first, "%s should have %s: %s%s", a.shape, a.field, a.why, places)
	}
}

// unreadable reports whether a mapping has a field after all.
func (l *loader) unreadable(n *node, field string) bool {
	if n == nil {
		return false
	}
	v := l.find(n, field)
	return v != nil && !isNull(v)
}

// span returns the place of an entry: its name in a mapping of names, else its
// first key.
func (l *loader) span(name, n *node) diag.Span {
	if name != nil {
		return l.lines.Node(name)
	}
	return l.lines.Node(n)
}

// mapping returns the mapping that a key has, or nil after reporting another value.
func (l *loader) mapping(key, val *node) *node {
	val = follow(val)
	switch {
	case isNull(val):
		l.empty(key)
		return nil
	case val.Kind != mappingNode:
		l.wrongKind(key.Value, val, "a mapping")
		return nil
	default:
		return val
	}
}
