package spec

import (
	"slices"

	"patchbay/internal/diag"
)

// authFields are the members of an authentication before its scheme is known.
type authFields struct {
	key, value, placement, name, in, header, token Text
	headers                                        []Entry
	// keys are the keys as they were written, others those that no scheme
	// read here has.
	keys, others []*node
}

// authentication reads a scheme. Which fields a scheme needs is for the next
// stage to judge; here they only find their place.
func (l *loader) authentication(key, val *node, dst **Authentication) {
	val = follow(val)
	if key.Value == "auth" {
		l.deviate(deviationAuthName, key)
	}
	switch {
	case *dst != nil:
		l.repeated(key, (*dst).Span)
		return
	case isNull(val):
		l.empty(key)
		return
	case val.Kind == sequenceNode:
		l.wrongKind(key.Value, val, "a mapping")
		return
	}
	out := &Authentication{Span: l.lines.Node(val)}
	*dst = out
	if val.Kind == scalarNode {
		out.Type = l.textOf(val)
		return
	}
	var f authFields
	pairs := l.members(val)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		f.keys = append(f.keys, key)
		switch key.Value {
		case "type":
			l.text(key, val, &out.Type)
		case "username":
			l.text(key, val, &out.Username)
		case "password":
			l.text(key, val, &out.Password)
		case "token":
			l.text(key, val, &f.token)
		case "key":
			l.text(key, val, &f.key)
		case "value":
			l.text(key, val, &f.value)
		case "placement":
			l.text(key, val, &f.placement)
		case "name":
			l.text(key, val, &f.name)
		case "in":
			l.text(key, val, &f.in)
		case "header":
			l.text(key, val, &f.header)
		case "headers":
			f.headers = l.entries(key, val)
		default:
			f.others = append(f.others, key, val)
		}
	}
	if !out.Type.Set() {
		l.missing(val, out.Span, authenticationShape, "type", "it names the scheme")
		return
	}
	l.scheme(out, &f)
}

// scheme gives the fields to the scheme that the type names.
func (l *loader) scheme(out *Authentication, f *authFields) {
	switch diag.Fold(out.Type.Value) {
	case "basic", "digest":
		l.onlyKeys(f, "password", "type", "username")
	case "bearer":
		out.Token = f.token
		l.onlyKeys(f, "token", "type")
	case "apikey":
		out.Type.Value = "apikey"
		l.apiKey(out, f)
		l.onlyKeys(f, "header", "headers", "in", "key", "name", "placement", "token", "type", "value")
	default:
		out.Token, out.Key, out.Value, out.Placement = f.token, f.key, f.value, f.placement
		for _, t := range []struct {
			name string
			text Text
		}{{"name", f.name}, {"in", f.in}, {"header", f.header}} {
			if t.text.Set() {
				out.Other = append(out.Other, Entry{Name: derived(t.name, t.text.Span), Value: t.text, Tag: tagText})
			}
		}
		out.Other = append(out.Other, f.headers...)
		for i := 0; i < len(f.others); i += 2 {
			out.Other = l.flatten(out.Other, l.textOf(f.others[i]), f.others[i+1])
		}
	}
}

// apiKey brings the five spellings of an API key into one: key, value and
// placement; name, in and value; header and value; a map of headers; a token.
func (l *loader) apiKey(out *Authentication, f *authFields) {
	official := f.key.Set() && f.value.Set()
	if !official || f.name.Set() || f.in.Set() || f.header.Set() || f.headers != nil || f.token.Set() {
		l.deviate(deviationAPIKey, f.keys[0])
	}
	out.Placement = firstSet(f.placement, f.in)
	inHeader := func(at Text) {
		if !out.Placement.Set() {
			out.Placement = derived("header", at.Span)
		}
	}
	switch {
	case len(f.headers) > 0:
		out.Key, out.Value, out.Headers = f.headers[0].Name, f.headers[0].Value, f.headers[1:]
		inHeader(out.Key)
	case f.header.Set():
		out.Key, out.Value = f.header, firstSet(f.value, f.key, f.token)
		inHeader(out.Key)
	case f.name.Set():
		out.Key, out.Value = f.name, firstSet(f.value, f.key, f.token)
	default:
		out.Key, out.Value = f.key, firstSet(f.value, f.token)
	}
}

func firstSet(texts ...Text) Text {
	for _, t := range texts {
		if t.Set() {
			return t
		}
	}
	return Text{}
}

// onlyKeys reports keys that the scheme does not have.
func (l *loader) onlyKeys(f *authFields, known ...string) {
	for _, key := range f.keys {
		if !slices.Contains(known, key.Value) && !isExtension(key.Value) {
			l.warnf(CodeUnknownKey, l.lines.Node(key), "unknown key %q in %s", clip(key.Value), authenticationShape).
				WithNearest(key.Value, known, "the scheme has ")
		}
	}
}

// flatten adds a value under a name: a list as one entry for each element, a
// mapping with dotted names.
func (l *loader) flatten(to []Entry, name Text, val *node) []Entry {
	val = follow(val)
	if !l.enter(val) {
		return to
	}
	defer l.leave()
	switch val.Kind {
	case sequenceNode:
		if !l.takeObjects(val, len(val.Content)) {
			return to
		}
		for _, item := range val.Content {
			to = l.flatten(to, name, item)
		}
	case mappingNode:
		pairs := l.members(val)
		for i := 0; i < len(pairs); i += 2 {
			to = l.flatten(to, derived(name.Value+"."+pairs[i].Value, l.lines.Node(pairs[i])), pairs[i+1])
		}
	default:
		to = append(to, Entry{Name: name, Value: l.textOf(val), Tag: val.Tag})
	}
	return to
}
