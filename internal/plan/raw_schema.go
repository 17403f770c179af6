package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
)

// usable reports whether clients accept a schema that the file spells out.
// Conditions and references within it are the author's to answer for.
func (b *builder) usable(raw *jsonvalue.Value, at diag.Span) bool {
	if kind := raw.Get("type"); raw.Kind() != jsonvalue.Object || kind == nil || kind.Text() != "object" {
		b.diags.Errorf(CodeInputSchema, at, "an input schema has type: object at its root")
		return false
	}
	if ref := remoteRef(raw); ref != "" {
		b.diags.Errorf(CodeInputSchema, at, "the schema refers to %q; other documents are not fetched", clip(ref)).
			WithHint("copy what is referred to below $defs, and refer to #/$defs/NAME")
		return false
	}
	return b.wellFormed(raw, at) && b.mirrored(raw, func(string) diag.Span { return at })
}

// remoteRef finds a reference that leads out of the schema, or "". A value
// that only looks like one, inside of const or default, is none.
func remoteRef(v *jsonvalue.Value) string {
	for _, m := range v.Elems() {
		switch m.Name {
		case "const", "default", "enum", "examples":
			continue
		case "$ref", "$dynamicRef":
			if text := m.Value.Text(); m.Value.Kind() == jsonvalue.String && !strings.HasPrefix(text, "#") {
				return text
			}
		}
		if found := remoteRef(&m.Value); found != "" {
			return found
		}
	}
	return ""
}

// wellFormed reports whether a schema is one: for a single schema that is none,
// hosts reject a whole list of tools. What is another draft's is left to them.
func (b *builder) wellFormed(raw *jsonvalue.Value, at diag.Span) bool {
	_, problems := schema.Compile(raw, schema.Options{})
	otherDraft := slices.ContainsFunc(problems, func(p schema.Problem) bool { return p.Pointer == "/$schema" })
	good := true
	for _, p := range problems {
		if p.Allowed || otherDraft {
			b.diags.Warnf(CodeInputSchema, at, "%s", p)
			continue
		}
		b.diags.Errorf(CodeInputSchema, at, "%s", p).WithHint("hosts may reject all tools for one schema that is not valid")
		good = false
	}
	if properties := raw.Get("properties"); properties != nil {
		for _, m := range properties.Elems() {
			if !hostName(m.Name) {
				b.diags.Warnf(CodeInputSchema, at, "some hosts refuse a tool with an argument called %q", clip(m.Name)).
					WithHint("use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
			}
		}
	}
	return good
}

// hostName reports whether every known host takes the name of an argument.
func hostName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.-", r))
	})
}
