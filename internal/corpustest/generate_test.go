package corpustest

import (
	"flag"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A generator makes values that a schema admits and that are as awkward as it
// lets them be. The same seed gives the same values.
type generator struct {
	*rand.Rand
	t   testing.TB
	doc *document
}

// seed makes a run different from all others: go test ./internal/corpustest -seed N.
var seed = flag.String("seed", "", "text that makes the generated inputs different ones")

func newGenerator(t testing.TB, doc *document, of string) *generator {
	h := fnv.New64a()
	_, _ = h.Write([]byte(of + *seed))
	return &generator{rand.New(rand.NewPCG(h.Sum64(), 1)), t, doc}
}

// A place is where a value goes; it decides which text is possible.
type place int

const (
	inPath place = iota
	inQuery
	inHeader
	inBody
)

// How many of the optional things a value has.
type amount int

const (
	everything amount = iota
	someThings
	nothingOptional
)

// awkward are texts that somebody, somewhere, reads as something else.
func awkward(at place) []string {
	texts := []string{
		"plain", "two words", "a/b", "50%", "100%25", "%2F", "a+b", `say "hi"`, `back\slash`, "it's", "a&b=c&d", "x=y", "semi;colon",
		"#hash?query", "<b>tag</b>", "007", "1e3", "+47 900 00 000", "true", "null", "3.0", `{"not":"an object"}`, `["not a list"]`, "a,b|c",
		"~tilde*star!", "(paren)[bracket]{brace}", "$dollar:colon@at", "{{env.TWILIO_PASS}}", "{Sid}", "a..b", "...", "^caret`tick", "-", "0",
		"https://ships.example/a%20b?c=d#e",
	}
	if at == inHeader {
		return texts
	}
	texts = append(texts, "naïve café", "日本語", "🚢 ship", "e\u0301", "\u202eright to left", "soft\u00adhyphen", "\u2028", " space around ")
	if at == inPath {
		return texts
	}
	texts = append(texts, "", ".", "..", "%2e%2e", "line\nbreak", "carriage\r\nreturn", "tab\tstop", "\x00\x01\x1f", "\x7f")
	return texts
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// value makes a value of a schema.
func (g *generator) value(schema map[string]any, at place, how amount) value {
	schema = g.doc.object(schema)
	if enum := list(schema["enum"]); len(enum) > 0 {
		return literal(enum[g.IntN(len(enum))])
	}
	switch text(schema["type"]) {
	case "string":
		return g.string(schema, at)
	case "integer":
		return g.integer(schema)
	case "number":
		return number(g.pick("12.50", "-0.125", "0", "9007199254740993", "1E+2"))
	case "boolean":
		return g.IntN(2) == 0
	case "array":
		return g.array(schema, at, how)
	case "object":
		return g.object(schema, how)
	default:
		return g.anything(schema, how)
	}
}

// anything is a value for a schema without a type: mostly an object, because
// that is what providers mean, but nothing forbids the others.
func (g *generator) anything(schema map[string]any, how amount) value {
	switch {
	case schema["properties"] != nil:
		return g.object(schema, how)
	case g.IntN(4) > 0:
		return g.free(3)
	default:
		return value(array{
			"text", number("0.10"), true, array{}, array{"a", "b c"}, array{g.free(1), "x"},
		}[g.IntN(6)])
	}
}

// literal is a value of a document, which is a scalar here.
func literal(v any) value {
	switch v := v.(type) {
	case string, bool:
		return v
	case int:
		return number(strconv.Itoa(v))
	case interface{ String() string }: // json.Number
		return number(v.String())
	default:
		return nil
	}
}

func (g *generator) string(schema map[string]any, at place) value {
	if pattern := text(schema["pattern"]); pattern != "" {
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			g.t.Fatal(err)
		}
		return g.matching(parsed.Simplify())
	}
	switch text(schema["format"]) {
	case "date-time":
		return g.pick("2026-05-19T08:30:00Z", "2026-05-19T08:30:00.123456+02:00", "1999-12-31T23:59:59-11:30")
	case "date":
		return g.pick("2026-05-19", "2024-02-29")
	case "uri":
		return g.pick("https://ships.example/a%20b?c=d&e=%2B#f", "https://user:pass@ships.example:8443/x;y=1,2/(z)?q='~'", "wss://ships.example")
	case "email":
		return g.pick("first.last+tag@ships.example", "o'neil@ships.example")
	case "uuid":
		return "123e4567-e89b-12d3-a456-426614174000"
	}
	fits := func(s string) bool {
		n := len([]rune(s))
		return n >= bound(schema["minLength"], 0) && n <= bound(schema["maxLength"], 1<<20)
	}
	texts := slices.DeleteFunc(awkward(at), func(s string) bool { return !fits(s) })
	if len(texts) == 0 {
		least := strings.Repeat("+", bound(schema["minLength"], 0))
		if !fits(least) {
			g.t.Fatalf("no text for %v", schema)
		}
		return least
	}
	return g.pick(texts...)
}

// bound reads a limit of a schema.
func bound(v any, otherwise int) int {
	if n, ok := literal(v).(number); ok {
		if i, err := strconv.Atoi(string(n)); err == nil {
			return i
		}
	}
	return otherwise
}

func (g *generator) integer(schema map[string]any) value {
	const large = 9007199254740993 // no float64 has this value
	low, high := bound(schema["minimum"], -large), bound(schema["maximum"], large)
	candidates := slices.DeleteFunc([]int{low, high, 0, 1, 50, -1}, func(n int) bool { return n < low || n > high })
	return number(strconv.Itoa(candidates[g.IntN(len(candidates))]))
}

// matching makes a text that a pattern matches: Twilio's are anchored
// sequences of literals, classes, groups and counts.
func (g *generator) matching(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		at := 2 * g.IntN(len(re.Rune)/2)
		return string(re.Rune[at] + rune(g.IntN(int(re.Rune[at+1]-re.Rune[at])+1)))
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpEmptyMatch:
		return ""
	case syntax.OpCapture, syntax.OpPlus:
		return g.matching(re.Sub[0])
	case syntax.OpAlternate:
		return g.matching(re.Sub[g.IntN(len(re.Sub))])
	case syntax.OpQuest, syntax.OpStar:
		if g.IntN(2) == 0 {
			return ""
		}
		return g.matching(re.Sub[0])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(g.matching(sub))
		}
		return b.String()
	default:
		g.t.Fatalf("the pattern %s has an operation that is not generated", re)
		return ""
	}
}

func (g *generator) array(schema map[string]any, at place, how amount) value {
	least, most := bound(schema["minItems"], 0), min(bound(schema["maxItems"], 3), 3)
	n := most
	if how != everything {
		n = least + g.IntN(most-least+1)
	}
	out := array{}
	for range max(n, least) {
		out = append(out, g.element(schema, at, how))
	}
	return out
}

// element is one value of a list. None is a list itself, or looks like one: of a
// form that has it once nobody could tell what it means.
func (g *generator) element(schema map[string]any, at place, how amount) value {
	v := g.value(g.doc.object(schema["items"]), at, how)
	_, isList := v.(array)
	if text, _ := v.(string); isList || strings.HasPrefix(text, "[") {
		return "no list"
	}
	return v
}

func (g *generator) object(schema map[string]any, how amount) value {
	properties := g.doc.object(schema["properties"])
	if len(properties) == 0 && schema["additionalProperties"] == nil {
		return g.free(3)
	}
	out := object{}
	for _, name := range shuffled(g, properties) {
		required := slices.Contains(list(schema["required"]), any(name))
		switch {
		case required, how == everything, how == someThings && g.IntN(2) == 0:
			v := g.value(g.doc.object(properties[name]), inBody, how)
			if empty, isList := v.(array); isList && len(empty) == 0 && required {
				v = array{g.element(g.doc.object(properties[name]), inBody, how)} // a form cannot say an empty list
			}
			out = append(out, member{name, v})
		}
	}
	if extra := g.doc.object(schema["additionalProperties"]); len(extra) > 0 && how != nothingOptional {
		out = append(out, member{g.pick("a b", "-dash-", "ünïcode", "{{x}}"), g.value(extra, inBody, how)})
	}
	return out
}

// shuffled returns the names of a map in an order of the generator's.
func shuffled(g *generator, m map[string]any) []string {
	names := slices.Sorted(maps.Keys(m))
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// free makes an object of which nothing is known.
func (g *generator) free(depth int) object {
	out := object{}
	for _, name := range []string{"type", "nested.dot", "a b", "é", "100%", `q"q`}[:1+g.IntN(6)] {
		var v value
		switch n := g.IntN(8); {
		case n == 0 && depth > 0:
			v = g.free(depth - 1)
		case n == 1:
			v = array{g.pick(awkward(inBody)...), number("1.0"), nil, object{}}
		case n == 2:
			v = nil
		case n == 3:
			v = g.IntN(2) == 0
		case n == 4:
			v = number(g.pick("9007199254740993", "0.10", "-0", "1e400"))
		case n == 5:
			v = array{}
		default:
			v = g.pick(awkward(inBody)...)
		}
		out = append(out, member{name, v})
	}
	return out
}
