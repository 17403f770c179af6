package schema

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// Bounds of what a detail quotes, in characters or in list entries.
const (
	maxShown        = 40
	maxShownPattern = 80
	maxListed       = 10
)

// clip cuts a text after n characters and shows that it did. What is not
// UTF-8 is replaced.
func clip(s string, n int) string {
	s = s[:min(len(s), (n+1)*utf8.UTFMax)]
	i := 0
	for pos := range s {
		if i == n {
			return strings.ToValidUTF8(s[:pos], "\uFFFD") + "…"
		}
		i++
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func quoted(s string) string {
	return string(jsonvalue.AppendString(nil, clip(s, maxShown)))
}

// shown returns a value the way a detail quotes it: scalars as JSON, others by kind.
func shown(v *jsonvalue.Value) string {
	switch v.Kind() {
	case jsonvalue.String:
		return quoted(v.Text())
	case jsonvalue.Number, jsonvalue.Bool:
		return clip(v.Text(), maxShown)
	default:
		return kindNoun(v)
	}
}

func kindNoun(v *jsonvalue.Value) string {
	switch v.Kind() {
	case jsonvalue.Null:
		return "null"
	case jsonvalue.Array, jsonvalue.Object:
		return "an " + v.Kind().String()
	case jsonvalue.Absent:
		return "absent"
	default:
		return "a " + v.Kind().String()
	}
}

// oneOfValues lists admitted values.
func oneOfValues(values []jsonvalue.Value) string {
	if len(values) == 1 {
		return literalText(&values[0])
	}
	texts := make([]string, 0, maxListed+1)
	for i := range values {
		if i == maxListed {
			texts = append(texts, "… ("+strconv.Itoa(len(values))+" in all)")
			break
		}
		texts = append(texts, literalText(&values[i]))
	}
	return "one of " + strings.Join(texts, ", ")
}

// literalText returns a value of a schema as JSON.
func literalText(v *jsonvalue.Value) string {
	if v.IsScalar() {
		return shown(v)
	}
	return clip(string(v.Append(nil)), maxShown)
}

func counted(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// listed joins what several schemas expect.
func listed(schemas []*Schema, separator string) string {
	const most = 5
	var texts []string
	for i, s := range schemas {
		if i == most {
			texts = append(texts, "… ("+strconv.Itoa(len(schemas))+" in all)")
			break
		}
		texts = append(texts, expectation(s))
	}
	return strings.Join(texts, separator)
}

// expectation says in a few words what a schema demands, as the rest of a
// sentence that begins with "must": "be a string", `have "sid"`.
func expectation(s *Schema) string { return phrase(s, 2) }

func phrase(s *Schema, depth int) string {
	switch {
	case s.isFalse():
		return "not be given"
	case s == nil || s.literal != notLiteral:
		return "be anything"
	}
	if values := s.Enum(); values != nil {
		return "be " + oneOfValues(values)
	}
	var parts []string
	if types := s.Types(); types != 0 {
		parts = append(parts, "be "+types.String())
	}
	if members := memberPhrase(s); members != "" {
		if len(parts) == 1 && s.Types() == TypeObject {
			parts[0] += " with " + members
		} else {
			parts = append(parts, "have "+members)
		}
	}
	s.each(func(part *Schema) bool {
		parts = append(parts, rulePhrases(part, depth)...)
		return len(parts) < maxListed
	})
	if len(parts) == 0 {
		if title := s.Title(); title != "" {
			return "match " + quoted(title)
		}
		return "match a schema that is not shown"
	}
	return strings.Join(parts, ", ")
}

// memberPhrase names the members a schema demands, with their values where
// these are fixed.
func memberPhrase(s *Schema) string {
	var members []string
	for _, p := range s.Properties() {
		if values := p.Schema.Enum(); len(values) == 1 && len(members) < maxListed {
			members = append(members, quoted(p.Name)+" "+literalText(&values[0]))
		}
	}
	s.each(func(part *Schema) bool {
		if part.obj == nil {
			return true
		}
		for _, name := range part.obj.required {
			if p := s.Property(name); (p == nil || len(p.Enum()) != 1) && len(members) < maxListed {
				members = append(members, quoted(name))
			}
		}
		return true
	})
	return joined(members, "and")
}

// rulePhrases words the assertions of one schema object that are worth it.
func rulePhrases(s *Schema, depth int) []string {
	var parts []string
	if r := s.str; r != nil {
		if r.pattern != nil {
			parts = append(parts, "match "+clip(r.pattern.text, maxShownPattern))
		}
		if r.format != nil {
			parts = append(parts, "be "+r.format.noun)
		}
		if r.minLength >= 0 {
			parts = append(parts, "be at least "+counted(r.minLength, "character")+" long")
		}
		if r.maxLength >= 0 {
			parts = append(parts, "be at most "+counted(r.maxLength, "character")+" long")
		}
	}
	for _, b := range [...]struct{ keyword, words string }{
		{"minimum", "at least"},
		{"exclusiveMinimum", "greater than"},
		{"maximum", "at most"},
		{"exclusiveMaximum", "less than"},
		{"multipleOf", "a multiple of"},
	} {
		if v := s.raw.Get(b.keyword); s.num != nil && v != nil && v.Kind() == jsonvalue.Number {
			parts = append(parts, "be "+b.words+" "+shown(v))
		}
	}
	a := s.comb
	if a == nil || depth == 0 {
		return parts
	}
	if a.not != nil {
		parts = append(parts, "not "+phrase(a.not, depth-1))
	}
	for _, branches := range [][]*Schema{a.anyOf, a.oneOf} {
		var alternatives []string
		for i := 0; i < len(branches) && i < maxListed; i++ {
			alternatives = append(alternatives, phrase(branches[i], depth-1))
		}
		if len(alternatives) > 0 {
			parts = append(parts, joined(alternatives, "or"))
		}
	}
	return parts
}
