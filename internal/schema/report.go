package schema

import (
	"strconv"
	"strings"

	"patchbay/internal/jsonvalue"
)

// MaxViolations is how many violations one check reports; Truncated tells
// that there are more.
const MaxViolations = 256

// Violation is one fault of a value, worded for people and models alike.
type Violation struct {
	// Pointer is the RFC 6901 pointer of the value at fault, or of the member that is missing.
	Pointer string `json:"pointer"`
	// Keyword is the violated keyword of JSON Schema, "false" for a schema that
	// admits nothing, or "budget".
	Keyword string `json:"keyword"`
	// Detail is a lower-case clause about the value, such as "is required".
	// Values it quotes are cut after some 40 characters.
	Detail string `json:"detail"`
	// Hint is advice, or "".
	Hint string `json:"hint,omitempty"`
	// Source tells where the broken rule comes from; see the package comment.
	Source string `json:"source,omitempty"`
}

// String returns pointer, detail and hint.
func (v Violation) String() string {
	text := v.Detail
	if v.Pointer != "" {
		text = v.Pointer + " " + text
	}
	if v.Hint != "" {
		text += " (" + v.Hint + ")"
	}
	return text
}

// Report collects the violations of one or more checks, such as those of a
// request's parameters and its body. The zero value is ready to use. A Report
// is not safe for concurrent use.
type Report struct {
	Violations []Violation
	// Truncated is set when a check found more than it could list.
	Truncated bool
}

// collector adds the violations of one check to a report. It knows where the
// evaluation stands: the pointer, the advice that holds there.
type collector struct {
	report *Report
	start  int // where this check's violations begin
	full   bool
	path   []byte
	reason string    // of the innermost schema that gives one
	hints  []*Schema // schemas with hints, outermost first
	base   int       // the first in hints that is applied to the current value

	guesses int // near misses looked for
}

// advice is what enter changes.
type advice struct {
	reason string
	hints  int
}

// enter begins the application of a schema to the current value.
func (c *collector) enter(s *Schema) advice {
	before := advice{c.reason, len(c.hints)}
	if s.reason != "" {
		c.reason = s.reason
	}
	if s.hints != nil {
		c.hints = append(c.hints, s)
	}
	return before
}

func (c *collector) leave(before advice) {
	c.reason, c.hints = before.reason, c.hints[:before.hints]
}

// place is a position in the value.
type place struct{ path, base int }

func (c *collector) down() place {
	before := place{len(c.path), c.base}
	c.base = len(c.hints)
	return before
}

func (c *collector) downTo(i int) place {
	before := c.down()
	c.path = appendIndex(c.path, i)
	return before
}

func (c *collector) downToName(name string) place {
	before := c.down()
	c.path = jsonvalue.AppendToken(c.path, name)
	return before
}

func (c *collector) up(before place) { c.path, c.base = c.path[:before.path], before.base }

// add records a violation at the current place, once.
func (c *collector) add(s *Schema, keyword, detail, hint string) {
	if c.full {
		return
	}
	v := Violation{
		Pointer: string(c.path), Keyword: keyword, Detail: detail,
		Hint: withReason(hint, c.reason), Source: s.source,
	}
	for i := c.start; i < len(c.report.Violations); i++ {
		w := &c.report.Violations[i]
		if w.Pointer == v.Pointer && w.Keyword == v.Keyword && w.Detail == v.Detail && w.Source == v.Source {
			return
		}
	}
	if len(c.report.Violations)-c.start >= MaxViolations {
		c.full, c.report.Truncated = true, true
		return
	}
	c.report.Violations = append(c.report.Violations, v)
}

func withReason(hint, reason string) string {
	switch {
	case hint == "" || hint == reason:
		return reason
	case reason == "":
		return hint
	case strings.ContainsRune(".?!", rune(hint[len(hint)-1])):
		return hint + " " + reason
	default:
		return hint + "; " + reason
	}
}

// hint returns the advice for a wrong value: what a schema says about this
// very text, the near miss, what a schema says about any text.
func (c *collector) hint(s *Schema, v *jsonvalue.Value, near string) string {
	text, scalar := v.Text(), v.IsScalar()
	if v.IsNull() {
		text, scalar = "null", true
	}
	if scalar {
		if h := c.given(s, text); h != "" {
			return h
		}
	}
	if near != "" {
		return near
	}
	return c.given(s, "*")
}

// given looks a hint up, in the schema that states the keyword first, then in
// those it is applied through.
func (c *collector) given(s *Schema, text string) string {
	if s.hints != nil {
		if h := s.hints.Get(text); h != nil {
			return h.Text()
		}
	}
	for i := len(c.hints) - 1; i >= c.base; i-- {
		if h := c.hints[i].hints.Get(text); h != nil {
			return h.Text()
		}
	}
	return ""
}

// maxGuesses bounds how many near misses one check looks for, which is the
// only part of a report that costs more than its length.
const maxGuesses = 64

func (c *collector) nearest(name string, candidates []string) string {
	if c.full || c.guesses == maxGuesses {
		return ""
	}
	c.guesses++
	return nearest(name, candidates)
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return "did you mean " + quoted(near) + "?"
}

// typeFault reports a value of the wrong type.
func (c *collector) typeFault(s *Schema, v *jsonvalue.Value) {
	types := s.types
	if s.nullable {
		types |= TypeNull
	}
	got := kindNoun(v)
	if v.Kind() == jsonvalue.Number && types.Has(TypeInteger) {
		got = shown(v)
	}
	c.add(s, "type", "must be "+types.String()+"; got "+got, c.hint(s, v, typeHint(types, v)))
}

// typeHint recognises the usual slip: a value written as the text of itself.
func typeHint(types TypeSet, v *jsonvalue.Value) string {
	text := strings.TrimSpace(v.Text())
	if v.Kind() != jsonvalue.String || text == "" {
		return ""
	}
	inner, err := jsonvalue.ParseString(text)
	if err != nil || !types.Has(typesOf(&inner)) {
		return ""
	}
	if inner.Kind() == jsonvalue.Object || inner.Kind() == jsonvalue.Array {
		return "give the JSON itself, not a string that contains it"
	}
	return "give " + shown(&inner) + " without quotes"
}

// valueFault reports a value that enum or const does not admit.
func (c *collector) valueFault(s *Schema, keyword string, set *valueSet, v *jsonvalue.Value) {
	near := ""
	if v.Kind() == jsonvalue.String {
		near = c.nearest(v.Text(), stringsAmong(set.values))
	}
	c.add(s, keyword, "must be "+oneOfValues(set.values)+"; got "+shown(v), c.hint(s, v, didYouMean(near)))
}

func stringsAmong(values []jsonvalue.Value) []string {
	var texts []string
	for i := range values {
		if values[i].Kind() == jsonvalue.String {
			texts = append(texts, values[i].Text())
		}
	}
	return texts
}

// missing reports a member that is not there, at the place where it should be.
func (c *collector) missing(s *Schema, keyword, name, detail string, owner *jsonvalue.Value) {
	var strangers []string
	for i := range min(owner.Len(), maxCandidates) {
		if given := owner.Elems()[i].Name; s.Property(given) == nil {
			strangers = append(strangers, given)
		}
	}
	hint := ""
	if near := c.nearest(name, strangers); near != "" {
		hint = quoted(near) + " is given; the name is " + quoted(name)
	}
	before := c.downToName(name)
	c.add(s, keyword, detail, hint)
	c.up(before)
}

// fewFields is how many known fields a hint lists.
const fewFields = 10

// unknown reports the current member as one the schema does not know.
func (c *collector) unknown(s *Schema, keyword, name string, owner *jsonvalue.Value) {
	if c.full {
		return
	}
	properties := s.Properties()
	known := make([]string, 0, min(len(properties), maxCandidates))
	for i := range min(len(properties), maxCandidates) {
		if name := properties[i].Name; owner.Len() > maxCandidates || !present(owner.Get(name)) {
			known = append(known, name)
		}
	}
	hint := didYouMean(c.nearest(name, known))
	if hint == "" && len(properties) > 0 && len(properties) <= fewFields && s.obj.patterns == nil {
		names := make([]string, len(properties))
		for i := range properties {
			names[i] = quoted(properties[i].Name)
		}
		hint = "known fields: " + strings.Join(names, ", ")
	}
	c.add(s, keyword, "is not a known field", hint)
}

// sizeFault reports a length or count beyond its bound.
func (c *collector) sizeFault(s *Schema, keyword string, bound, got int) {
	verb, unit, suffix := "have", "item", ""
	switch keyword {
	case "minLength", "maxLength":
		verb, unit, suffix = "be", "character", " long"
	case "minProperties", "maxProperties":
		unit = "field"
	}
	words := " at most "
	if strings.HasPrefix(keyword, "min") {
		words = " at least "
	}
	c.add(s, keyword, "must "+verb+words+counted(bound, unit)+suffix+"; has "+strconv.Itoa(got), "")
}

// boundFault reports a number beyond a bound, which it quotes as written.
func (c *collector) boundFault(s *Schema, keyword, words string, v *jsonvalue.Value) {
	bound := s.raw.Get(keyword)
	if bound.Kind() == jsonvalue.Bool { // OpenAPI 3.0
		bound = s.raw.Get(strings.ToLower(strings.TrimPrefix(keyword, "exclusive")))
	}
	c.add(s, keyword, "must be "+words+" "+shown(bound)+"; got "+shown(v), "")
}

// containsFault reports that too few or too many items are of a kind.
func (c *collector) containsFault(s *Schema, keyword, bound string, n int, v *jsonvalue.Value) {
	c.add(s, keyword, bound+expectation(s.arr.contains)+"; "+strconv.Itoa(n)+" of "+strconv.Itoa(v.Len())+" do", "")
}
