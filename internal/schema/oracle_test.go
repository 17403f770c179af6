package schema

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/internal/jsonvalue"
)

// oracle compiles a schema with the reference validator.
func oracle(schemaText string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:test", doc); err != nil {
		return nil, err
	}
	return c.Compile("urn:test")
}

// oracleSeeds are inputs of the generator that together reach every keyword;
// the fuzzer keeps what else it finds in testdata.
func oracleSeeds() [][]byte {
	var seeds [][]byte
	for k := range keywordGenerators() {
		for n := range 12 {
			seed := []byte{1, byte(k)}
			for i := range 60 {
				seed = append(seed, byte(i*(n*7+3)+n*31+k))
			}
			seeds = append(seeds, seed)
		}
	}
	return seeds
}

// FuzzAgainstOracle generates a schema and instances from the input and
// demands the oracle's verdict from Valid and Check alike.
func FuzzAgainstOracle(f *testing.F) {
	for _, seed := range oracleSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { compare(t, data) })
}

// TestAgainstOracle is the same with random inputs, the same in every run.
func TestAgainstOracle(t *testing.T) {
	source := rand.NewChaCha8([32]byte{})
	valid, invalid := 0, 0
	data := make([]byte, 160)
	for range 4000 {
		if _, err := source.Read(data); err != nil {
			t.Fatal(err)
		}
		v, i := compare(t, data)
		valid, invalid = valid+v, invalid+i
	}
	if valid < 2000 || invalid < 2000 {
		t.Errorf("%d valid and %d invalid instances; the generator has lost its balance", valid, invalid)
	}
}

// compare generates one schema and four instances and counts the verdicts. It
// leaves out schemas whose references loop.
func compare(t *testing.T, data []byte) (valid, invalid int) {
	t.Helper()
	g := &generator{in: data}
	schemaText := g.root()
	reference, err := oracle(schemaText)
	if err != nil {
		return 0, 0
	}
	root := parse(t, schemaText)
	s, problems := Compile(&root, Options{})
	for _, p := range problems {
		if !strings.Contains(p.Message, "leads back") {
			t.Errorf("%s: %v", schemaText, p)
		}
	}
	if len(problems) > 0 {
		return 0, 0
	}
	for range 4 {
		text := g.instance(4)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := reference.Validate(doc) == nil
		if want {
			valid++
		} else {
			invalid++
		}
		v := parse(t, text)
		if got := s.Valid(&v); got != want {
			t.Errorf("Valid of %s by %s is %v, the oracle says %v", text, schemaText, got, want)
		}
		var r Report
		if got := s.Check(&v, "", &r); got != want || (len(r.Violations) == 0) != want {
			t.Errorf("Check of %s by %s is %v with %v, the oracle says %v", text, schemaText, got, r.Violations, want)
		}
		checkPlaces(t, &v, r.Violations)
	}
	return valid, invalid
}

// checkPlaces demands that each violation lies at a value, or at a missing
// member of one.
func checkPlaces(t *testing.T, v *jsonvalue.Value, violations []Violation) {
	t.Helper()
	for _, w := range violations {
		if w.Detail == "" || w.Keyword == "" || w.Keyword == "budget" {
			t.Errorf("violation without substance: %+v", w)
		}
		at := pointed(v, w.Pointer)
		missing := w.Keyword == "required" || w.Keyword == "dependentRequired"
		if missing {
			parent := pointed(v, w.Pointer[:strings.LastIndexByte(w.Pointer, '/')])
			if at != nil || parent == nil || parent.Kind() != jsonvalue.Object {
				t.Errorf("%v: is not the place of a missing member", w)
			}
		} else if at == nil {
			t.Errorf("%v: lies nowhere in the value", w)
		}
	}
}

// generator derives schemas and instances from bytes. Names, values and depth
// are few, so that they meet.
type generator struct {
	in []byte
}

func (g *generator) pick(n int) int {
	if len(g.in) == 0 {
		return 0
	}
	b := g.in[0]
	g.in = g.in[1:]
	return int(b) % n
}

func choose[T any](g *generator, of ...T) T { return of[g.pick(len(of))] }

func (g *generator) name() string { return choose(g, "a", "b", "ab", "c/d", "") }

func (g *generator) number() string {
	return choose(g, "0", "1", "2", "-1", "1.0", "0.5", "1.5", "10", "1e1", "0.01", "9007199254740993", "9007199254740992",
		"9007199254740993.0", "123456789012345678901234567890", "123456789012345678901234567890.5", "-0", "1E-2", "3")
}

func (g *generator) scalar() string {
	switch g.pick(5) {
	case 0:
		return g.number()
	case 1:
		return `"` + choose(g, "", "a", "b", "ab", "é", "abc", "1", "😀😀") + `"`
	case 2:
		return "null"
	case 3:
		return choose(g, "true", "false")
	default:
		return `"` + choose(g, "a", "b") + `"`
	}
}

func (g *generator) instance(depth int) string {
	if depth == 0 {
		return g.scalar()
	}
	switch g.pick(6) {
	case 0, 1:
		return g.scalar()
	case 2:
		return g.list("[", "]", 4, func() string { return g.instance(depth - 1) })
	default:
		return g.members(4, func() string { return g.instance(depth - 1) })
	}
}

func (g *generator) list(begin, end string, most int, element func() string) string {
	n := g.pick(most + 1)
	parts := make([]string, n)
	for i := range parts {
		parts[i] = element()
	}
	return begin + strings.Join(parts, ",") + end
}

func (g *generator) members(most int, value func() string) string {
	known := map[string]bool{}
	var b bytes.Buffer
	for range g.pick(most + 1) {
		name := g.name()
		if known[name] {
			continue
		}
		known[name] = true
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":" + value())
	}
	return "{" + b.String() + "}"
}

func (g *generator) names() string {
	known := map[string]bool{}
	var parts []string
	for range 1 + g.pick(3) {
		if name := g.name(); !known[name] {
			known[name] = true
			parts = append(parts, strconv.Quote(name))
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g *generator) root() string {
	return `{"$defs":{"x":` + g.schema(2) + `,"y":` + g.schema(2) + `},` + strings.TrimPrefix(g.object(3), "{")
}

func (g *generator) schema(depth int) string {
	if depth == 0 || g.pick(8) == 0 {
		return choose(g, "true", "false", "{}", `{"type":"string"}`, `{"type":"integer"}`, `{"const":"a"}`, `{"required":["a"]}`)
	}
	return g.object(depth)
}

func (g *generator) object(depth int) string {
	known := map[string]bool{}
	var parts []string
	all := keywordGenerators()
	for range 1 + g.pick(4) {
		part := all[g.pick(len(all))](g, depth-1)
		keyword, _, _ := strings.Cut(part, ":")
		if !known[keyword] {
			known[keyword] = true
			parts = append(parts, part)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// sub generates the member of a schema whose value is a schema.
func sub(keyword string) func(*generator, int) string {
	return func(g *generator, depth int) string { return `"` + keyword + `":` + g.schema(depth) }
}

func subs(keyword string) func(*generator, int) string {
	return func(g *generator, depth int) string {
		return `"` + keyword + `":[` + g.schema(depth) + "," + g.schema(depth) + "]"
	}
}

func named(keyword string) func(*generator, int) string {
	return func(g *generator, depth int) string {
		return `"` + keyword + `":` + g.members(4, func() string { return g.schema(depth) })
	}
}

func size(keyword string) func(*generator, int) string {
	return func(g *generator, _ int) string { return `"` + keyword + `":` + choose(g, "0", "1", "2", "3", "2.0") }
}

func bound(keyword string) func(*generator, int) string {
	return func(g *generator, _ int) string { return `"` + keyword + `":` + g.number() }
}

func keywordGenerators() []func(g *generator, depth int) string {
	return []func(g *generator, depth int) string{
		func(g *generator, _ int) string {
			return `"type":` + choose(g, `"string"`, `"integer"`, `"number"`, `"object"`, `"array"`, `"null"`, `"boolean"`,
				`["object","array"]`, `["string","null"]`, `["integer","string","object"]`)
		},
		func(g *generator, _ int) string {
			return `"enum":[` + g.instance(1) + "," + g.instance(2) + ",1,\"a\"]"
		},
		func(g *generator, _ int) string { return `"const":` + g.instance(2) },
		bound("minimum"), bound("maximum"), bound("exclusiveMinimum"), bound("exclusiveMaximum"),
		func(g *generator, _ int) string {
			return `"multipleOf":` + choose(g, "1", "2", "0.5", "0.01", "3", "1e1", "123456789012345678901234567890", "1.5")
		},
		size("minLength"), size("maxLength"),
		func(g *generator, _ int) string {
			return `"pattern":"` + choose(g, "^a", "b$", "^[a-z]+$", "a|é", "^.$") + `"`
		},
		size("minItems"), size("maxItems"), size("minProperties"), size("maxProperties"),
		func(*generator, int) string { return `"uniqueItems":true` },
		subs("prefixItems"), sub("items"), sub("contains"), sub("propertyNames"), sub("additionalProperties"),
		func(g *generator, depth int) string {
			return `"contains":` + g.schema(depth) + `,"minContains":` + choose(g, "0", "1", "2") + `,"maxContains":` + choose(g, "1", "2")
		},
		named("properties"), named("properties"), named("dependentSchemas"),
		func(g *generator, depth int) string {
			return `"patternProperties":{"` + choose(g, "^a", "b", "^$") + `":` + g.schema(depth) + "}"
		},
		func(g *generator, _ int) string { return `"required":` + g.names() },
		func(g *generator, _ int) string { return `"dependentRequired":{"a":` + g.names() + "}" },
		subs("allOf"), subs("anyOf"), subs("oneOf"), sub("not"),
		func(g *generator, depth int) string {
			return `"if":` + g.schema(depth) + `,"then":` + g.schema(depth) + `,"else":` + g.schema(depth)
		},
		func(g *generator, _ int) string { return `"$ref":"` + choose(g, "#", "#/$defs/x", "#/$defs/y") + `"` },
		sub("unevaluatedProperties"), sub("unevaluatedItems"),
		func(*generator, int) string { return `"unevaluatedProperties":false` },
		func(*generator, int) string { return `"unevaluatedItems":false` },
	}
}

// parse reads a JSON text of a test.
func parse(t testing.TB, text string) jsonvalue.Value {
	t.Helper()
	v, err := jsonvalue.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
