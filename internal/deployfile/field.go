package deployfile

import (
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

// shape describes a mapping that fills a T: which keys it has, and what they
// mean to the reader, to editors and to people.
type shape[T any] struct {
	// id names the shape in the schema and on the page, title in messages.
	id, title string
	doc       string
	fields    []field[T]
	// rules are what keys need of each other.
	rules []rule
	// secretive hides whatever is wrong in the mapping.
	secretive bool
}

// field is a key with what reads its value.
type field[T any] struct {
	info
	target[T]
}

// info is what people should know about a key.
type info struct {
	key string
	// doc is a sentence or two; keys and words stand in backquotes.
	doc string
	// def is what holds where the key is absent, "" for nothing in particular.
	def string
	// flag is the flag that wins over the key, without dashes.
	flag string
	// need means that the mapping says nothing without the key.
	need bool
}

// target reads a value into a T.
type target[T any] struct {
	kind kind
	read func(r *reader, m member, into *T)
}

// kind is a form of values, for the schema and the page.
type kind struct {
	// words describe it in the page's table.
	words  string
	schema *schema
	// of is the shape of a mapping, or of those in a list or under names.
	of described
}

// described is a shape of whatever type.
type described interface {
	// about returns the shape's names and its keys in their order.
	about() description
}

// description is a shape without its type.
type description struct {
	id, title, doc string
	infos          []info
	kinds          []kind
	rules          []rule
}

func (s *shape[T]) about() description {
	out := description{id: s.id, title: s.title, doc: s.doc, rules: s.rules}
	for i := range s.fields {
		out.infos, out.kinds = append(out.infos, s.fields[i].info), append(out.kinds, s.fields[i].kind)
	}
	return out
}

// rule is what keys of one mapping need of each other.
type rule struct {
	// when names a key, and the word that it has to have for the rule to hold;
	// an empty key is always.
	key, word string
	// need lists keys of which one has to be there; forbid lists those that may not.
	need, forbid []string
	// why is the advice.
	why string
}

// readMapping reads a mapping into a T.
func readMapping[T any](r *reader, s *shape[T], what string, n *node, into *T) {
	if n.Kind != yamltext.MappingNode {
		r.wrongKind(what, n, "a mapping")
		return
	}
	if s.secretive {
		// A slip in here may put a secret anywhere.
		for _, c := range n.Content {
			if c.Kind == yamltext.ScalarNode && !isReference(c.Value) {
				r.hide(c)
			}
		}
	}
	given := map[string]*node{}
	for _, m := range r.members(n) {
		f := s.find(m.key.Value)
		switch {
		case f == nil && strings.HasPrefix(m.key.Value, "x-"):
		case f == nil:
			r.hide(m.val)
			r.errorf(CodeUnknownKey, r.at(m.key), "unknown key %q in %s", clip(m.key.Value), s.title).WithNearest(m.key.Value, s.keys(), "expected ")
		case yamltext.IsNull(m.val):
			given[f.key] = m.val
			r.errorf(CodeEmpty, r.at(m.key), "%q has no value", f.key).WithHint("give it one or remove the key")
		default:
			given[f.key] = m.val
			f.read(r, m, into)
		}
	}
	at := r.at(n)
	for i := range s.fields {
		if f := &s.fields[i]; f.need && given[f.key] == nil {
			r.errorf(CodeMissingKey, at, "%s needs %s", s.title, f.key)
		}
	}
	for i := range s.rules {
		r.judge(&s.rules[i], s.title, at, given)
	}
}

// judge applies a rule to a mapping's keys.
func (r *reader) judge(of *rule, title string, at diag.Span, given map[string]*node) {
	if of.key != "" {
		v := given[of.key]
		if v == nil || of.word != "" && v.Value != of.word {
			return
		}
	}
	for _, key := range of.forbid {
		if v := given[key]; v != nil {
			r.errorf(CodeConflict, r.at(v), "%s has no %s%s", title, key, of.condition()).WithHint("%s", of.why)
		}
	}
	for _, key := range of.need {
		if given[key] != nil {
			return
		}
	}
	if len(of.need) > 0 {
		r.errorf(CodeMissingKey, at, "%s needs %s%s", title, strings.Join(of.need, " or "), of.condition()).WithHint("%s", of.why)
	}
}

// condition says when the rule holds.
func (of *rule) condition() string {
	switch {
	case of.key == "":
		return ""
	case of.word == "":
		return " where it has " + of.key
	default:
		return " where " + of.key + " is " + of.word
	}
}

func (s *shape[T]) find(key string) *field[T] {
	for i := range s.fields {
		if s.fields[i].key == key {
			return &s.fields[i]
		}
	}
	return nil
}

func (s *shape[T]) keys() []string {
	out := make([]string, len(s.fields))
	for i := range s.fields {
		out[i] = s.fields[i].key
	}
	return out
}

// mapping takes a mapping of a shape.
func mapping[T, U any](of *shape[U], into func(*T) *U) target[T] {
	return target[T]{
		kind{words: "mapping", schema: ref(of.id), of: of},
		func(r *reader, m member, t *T) { readMapping(r, of, m.key.Value, m.val, into(t)) },
	}
}

// pointed takes a mapping of a shape, which is nil where there is none.
func pointed[T, U any](of *shape[U], into func(*T) **U) target[T] {
	return target[T]{
		kind{words: "mapping", schema: ref(of.id), of: of},
		func(r *reader, m member, t *T) {
			p := into(t)
			*p = new(U)
			readMapping(r, of, m.key.Value, m.val, *p)
		},
	}
}

// listed takes a list of mappings.
func listed[T, U any](of *shape[U], into func(*T) *[]U) target[T] {
	return target[T]{
		kind{words: "list", schema: &schema{Type: "array", MinItems: 1, Items: ref(of.id)}, of: of},
		func(r *reader, m member, t *T) {
			for _, item := range r.items(m, of.secretive) {
				list := into(t)
				*list = append(*list, *new(U))
				readMapping(r, of, "an entry of "+m.key.Value, item, &(*list)[len(*list)-1])
			}
		},
	}
}

// items returns the entries of a list, of which there has to be one.
func (r *reader) items(m member, secretive bool) []*node {
	if m.val.Kind != yamltext.SequenceNode {
		d := r.wrongKind(m.key.Value, m.val, "a list")
		if m.val.Kind == yamltext.ScalarNode && !secretive {
			d.WithHint("a list of one is written [x]")
		}
		return nil
	}
	if len(m.val.Content) == 0 {
		r.errorf(CodeEmpty, r.at(m.key), "%s is an empty list", m.key.Value).WithHint("name something or remove the key")
	}
	if r.pairs += len(m.val.Content); r.pairs > maxPairs {
		r.errorf(CodeLimit, r.at(m.key), "aliases make the file too large")
		return nil
	}
	out := make([]*node, len(m.val.Content))
	for i, item := range m.val.Content {
		out[i] = yamltext.Follow(item)
	}
	return out
}

// named takes a mapping from names to mappings of a shape.
func named[T, U any](of *shape[U], form textForm, into func(*T) *map[string]U) target[T] {
	return target[T]{
		kind{words: "mapping by name", schema: &schema{Type: "object", PropertyNames: form.schema(), AdditionalProperties: ref(of.id)}, of: of},
		func(r *reader, m member, t *T) {
			r.each(m, func(name member) {
				if !r.fits("a name in "+m.key.Value, form, name.key) {
					r.hide(name.val)
					return
				}
				var u U
				readMapping(r, of, name.key.Value, name.val, &u)
				store(into(t), name.key.Value, u)
			})
		},
	}
}

// all is the name that stands for every namespace.
const all = "*"

// spaced takes a mapping from namespaces to settings, in which * has the
// settings for all. These have a shape of their own.
func spaced[T, U any](general, one *shape[U], note func(r *reader, name *node, u *U), into func(*T) *map[string]U) target[T] {
	return target[T]{
		kind{
			words:  "mapping by namespace",
			schema: &schema{Type: "object", Properties: map[string]*schema{all: ref(general.id)}, AdditionalProperties: ref(one.id)}, of: one,
		},
		func(r *reader, m member, t *T) {
			r.each(m, func(name member) {
				var u U
				if name.key.Value == all {
					readMapping(r, general, "the entry for all", name.val, &u)
					store(into(t), "", u)
					return
				}
				readMapping(r, one, name.key.Value, name.val, &u)
				note(r, name.key, &u)
				store(into(t), name.key.Value, u)
			})
		},
	}
}

// each calls a function for each name of a mapping of names.
func (r *reader) each(m member, do func(name member)) {
	if m.val.Kind != yamltext.MappingNode {
		r.wrongKind(m.key.Value, m.val, "a mapping of names")
		return
	}
	for _, entry := range r.members(m.val) {
		if yamltext.IsNull(entry.val) {
			r.errorf(CodeEmpty, r.at(entry.key), "%q has no value", clip(entry.key.Value)).WithHint("give it one or remove the key")
			continue
		}
		do(entry)
	}
}

func store[U any](into *map[string]U, name string, u U) {
	if *into == nil {
		*into = map[string]U{}
	}
	(*into)[name] = u
}
