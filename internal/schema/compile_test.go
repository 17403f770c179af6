package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		schema string
		want   []string
		admits string // a value that must not be refused for it
	}{
		{`5`, []string{"must be a schema, which is an object or a boolean; is a number"}, `1`},
		{`{"items":"x"}`, []string{"/items: must be a schema, which is an object or a boolean; is a string"}, `[1]`},
		{`{"type":"int"}`, []string{`/type: "int" is not one of string, integer, number, boolean, object, array and null`}, `"x"`},
		{`{"type":["string","nul"]}`, []string{`/type: "nul" is not one of string, integer, number, boolean, object, array and null; did you mean "null"?`}, `null`},
		{`{"enum":"x"}`, []string{"/enum: must be an array of at least one value"}, `1`},
		{`{"enum":[]}`, []string{"/enum: must be an array of at least one value"}, `1`},
		{`{"minLength":-1,"maxItems":1.5,"minProperties":"1","minItems":1e30}`, []string{
			"/minLength: must be a non-negative integer", "/maxItems: must be a non-negative integer", "/minProperties: must be a non-negative integer",
		}, `""`},
		{`{"minimum":"1","exclusiveMaximum":true,"multipleOf":0}`, []string{
			"/minimum: must be a number; is a string", "/exclusiveMaximum: must be a number; is a boolean", "/multipleOf: must be a number above 0",
		}, `0`},
		{`{"pattern":"^(?!x)","properties":{"a/b":{"pattern":"("}}}`, []string{
			"/pattern: ^(?!x) uses lookahead or lookbehind, which is not supported",
			"/properties/a~1b/pattern: ( is not a usable regular expression: missing closing ): `(`",
		}, `"x"`},
		{`{"patternProperties":{"(?=a)":false},"additionalProperties":false}`, []string{
			"/patternProperties/(?=a): (?=a) uses lookahead or lookbehind, which is not supported",
		}, `{"b":1}`},
		{`{"required":true}`, []string{"/required: must be an array of member names, stated by the schema of the object"}, `{}`},
		{`{"required":["a",1]}`, []string{"/required: must be an array of member names"}, `{}`},
		{`{"dependentRequired":{"a":"b"}}`, []string{"/dependentRequired/a: must be an array of member names"}, `{"a":1}`},
		{`{"allOf":[],"anyOf":{},"properties":[]}`, []string{
			"/allOf: must be an array of at least one schema", "/anyOf: must be an array of at least one schema",
			"/properties: must be an object whose members are schemas",
		}, `{}`},
		{`{"items":[{"type":"string"}]}`, []string{"/items: must be one schema; use prefixItems for a list"}, `[1]`},
		{`{"$ref":"#/$defs/none"}`, []string{"/$ref: #/$defs/none leads nowhere"}, `1`},
		{`{"$ref":"#none"}`, []string{"/$ref: #none leads nowhere"}, `1`},
		{`{"$ref":"other.json#/x","unevaluatedProperties":false}`, []string{"/$ref: other.json#/x leads to another document, which is not followed"}, `{"a":1}`},
		{`{"$dynamicRef":"#x"}`, []string{"/$dynamicRef: is not supported; use $ref"}, `1`},
		{`{"properties":{"a":{"$id":"sub.json"}}}`, []string{"/properties/a/$id: is supported at the root only; references lead into the enclosing schema"}, `{}`},
		{`{"dependencies":{"a":["b"]},"additionalItems":false}`, []string{
			"/dependencies: is not part of JSON Schema 2020-12; use dependentRequired or dependentSchemas",
			"/additionalItems: is not part of JSON Schema 2020-12; use prefixItems with items",
		}, `{"a":1}`},
		{`{"nullable":true,"type":"string"}`, []string{`/nullable: is a keyword of OpenAPI 3.0; use "null" in type`}, `"x"`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#"}`, []string{"/$schema: http://json-schema.org/draft-07/schema is read as JSON Schema 2020-12"}, `1`},
		{`{"x-patchbay-source":1,"x-patchbay-reason":[],"x-patchbay-hints":{"a":1}}`, []string{
			"/x-patchbay-source: must be a string", "/x-patchbay-reason: must be a string",
			"/x-patchbay-hints: must be an object from the text of a value to a hint",
		}, `1`},
		{`{"$schema":"https://json-schema.org/draft/2020-12/schema","$comment":"","x-other":1,"unknown":[],"example":1,"deprecated":true}`, nil, `1`},

		// where admitting means refusing, an ignored keyword is ignored outwards too
		{`{"not":{"pattern":"(?=a)"}}`, []string{"/not/pattern: (?=a) uses lookahead or lookbehind, which is not supported"}, `"x"`},
		{`{"if":{"$ref":"#/$defs/p"},"then":false,"$defs":{"p":{"pattern":"\\1"}}}`, []string{`/$defs/p/pattern: \1 uses a backreference, which is not supported`}, `"x"`},
		{`{"oneOf":[{"items":{"pattern":"(?=a)"}},true]}`, []string{"/oneOf/0/items/pattern: (?=a) uses lookahead or lookbehind, which is not supported"}, `["x"]`},
		{`{"contains":{"pattern":"(?=a)"},"maxContains":1}`, []string{"/contains/pattern: (?=a) uses lookahead or lookbehind, which is not supported"}, `["x","y"]`},
	} {
		root := parse(t, tt.schema)
		s, problems := Compile(&root, Options{})
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.schema, diff)
		}
		v := parse(t, tt.admits)
		var r Report
		if !s.Check(&v, "", &r) {
			t.Errorf("%s refuses %s: %v", tt.schema, tt.admits, r.Violations)
		}
	}
}

func TestGoodKeywordsHoldBesideBadOnes(t *testing.T) {
	root := parse(t, `{"type":"string","pattern":"(?=a)","maxLength":1}`)
	s, _ := Compile(&root, Options{})
	if got := violations(t, s, `"ab"`); len(got) != 1 || !strings.Contains(got[0], "maxLength") {
		t.Errorf("got %v", got)
	}
}

func TestLocalReferences(t *testing.T) {
	for _, tt := range []struct{ schema, good, bad string }{
		{`{"$ref":"#/$defs/a%20b~1c~0","$defs":{"a b/c~":{"type":"string"}}}`, `"x"`, `1`},
		{`{"properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a"}}}`, `{"b":"x"}`, `{"b":1}`},
		{`{"prefixItems":[{"type":"string"},{"$ref":"#/prefixItems/0"}]}`, `["x","y"]`, `["x",1]`},
		{`{"$ref":"#str","$defs":{"s":{"$anchor":"str","type":"string"}}}`, `"x"`, `1`},
		{`{"$id":"https://example.com/s.json","$ref":"https://example.com/s.json#/$defs/s","$defs":{"s":{"type":"string"}}}`, `"x"`, `1`},
		{`{"$ref":"#/definitions/s","definitions":{"s":{"type":"string"}}}`, `"x"`, `1`},
		{`{"$ref":"#/$defs/s","maxLength":1,"$defs":{"s":{"type":"string"}}}`, `"x"`, `"xy"`},
		{`{"$ref":"#/$defs/s","enum":[{"$anchor":"s"}],"$defs":{"s":{"$ref":"#s"},"t":{"$anchor":"s","type":"object"}}}`, `{"$anchor":"s"}`, `1`},
	} {
		s := compiled(t, tt.schema, Options{})
		good, bad := parse(t, tt.good), parse(t, tt.bad)
		if !s.Valid(&good) || s.Valid(&bad) {
			t.Errorf("%s: %s is %v, %s is %v", tt.schema, tt.good, s.Valid(&good), tt.bad, s.Valid(&bad))
		}
	}
}

// A keyword that is only not checked here is told apart from one that no
// validator accepts.
func TestProblemsThatAreAllowed(t *testing.T) {
	for text, want := range map[string]bool{
		`{"$schema":"http://json-schema.org/draft-07/schema#"}`: true, `{"pattern":"(?=x)"}`: true, `{"$dynamicRef":"#a"}`: true,
		`{"nullable":true}`: true, `{"dependencies":{}}`: true, `{"$ref":"other.json"}`: true,
		`{"type":"int"}`: false, `{"enum":[]}`: false, `{"minLength":-1}`: false, `{"required":"a"}`: false, `{"required":true}`: false,
		`{"pattern":"["}`: false, `{"properties":{"a":1}}`: false, `{"items":[{}]}`: false, `{"$ref":"#/gone"}`: false, `{"multipleOf":0}`: false,
	} {
		root := parse(t, text)
		_, problems := Compile(&root, Options{})
		if len(problems) != 1 || problems[0].Allowed != want {
			t.Errorf("%s: %+v, want one problem, allowed %v", text, problems, want)
		}
	}
}

func TestReferencesIntoTheDocument(t *testing.T) {
	doc := parse(t, `{"components":{"schemas":{
		"Tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}},"bad":{"pattern":"(?=x)"}}}}}}`)
	asked := map[string]int{}
	opts := Options{Resolve: func(ref string) (*jsonvalue.Value, bool) {
		asked[ref]++
		v := pointed(&doc, strings.TrimPrefix(ref, "#"))
		return v, v != nil
	}}
	root := parse(t, `{"properties":{"a":{"$ref":"#/components/schemas/Tree"},"b":{"$ref":"#/components/schemas/Tree"},"c":{"$ref":"#/$defs/own"}},"$defs":{"own":{"type":"string"}}}`)
	s, problems := Compile(&root, opts)
	want := []Problem{{"#/components/schemas/Tree/properties/bad/pattern", "(?=x) uses lookahead or lookbehind, which is not supported", true}}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if asked["#/components/schemas/Tree"] != 1 {
		t.Errorf("asked for %v", asked)
	}
	got := violations(t, s, `{"a":{"kids":[{"kids":1}]},"c":1}`)
	if diff := cmp.Diff([]string{"/a/kids/0/kids type: must be an array; got a number", "/c type: must be a string; got a number"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Property("a").Property("kids").Items().Property("kids") != s.Property("b").Property("kids") {
		t.Error("one schema was compiled twice")
	}
}

func TestOpenAPI30(t *testing.T) {
	s := compiled(t, `{"type":"object","properties":{
		"a":{"type":"string","nullable":true,"enum":["x"]},
		"b":{"type":"number","minimum":1,"exclusiveMinimum":true,"maximum":5,"exclusiveMaximum":false},
		"c":{"$ref":"#/components/x","maxLength":1,"nullable":true,"x-patchbay-source":"O"},
		"d":{"nullable":true,"allOf":[{"$ref":"#/components/x"}]}},
		"components":{"x":{"type":"string"}}}`, Options{OpenAPI30: true})
	for value, want := range map[string]string{
		`{"a":null,"b":1.1,"c":"long","d":null}`: ``,
		`{"a":"y"}`:                              `/a enum: must be "x"; got "y"`,
		`{"a":1}`:                                `/a type: must be a string or null; got a number`,
		`{"b":1}`:                                `/b exclusiveMinimum: must be greater than 1; got 1`,
		`{"b":5}`:                                ``,
		`{"b":5.5}`:                              `/b maximum: must be at most 5; got 5.5`,
		`{"c":null}`:                             `/c type: must be a string; got null [O]`,
	} {
		if got := strings.Join(violations(t, s, value), "\n"); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	if got := s.Property("d").Types(); got != TypeString|TypeNull {
		t.Errorf("types of a nullable reference: %v", got)
	}
}

func TestRequestsNeedNotCarryReadOnlyProperties(t *testing.T) {
	const text = `{"$defs":{"sid":{"type":"string","readOnly":true}},"required":["sid","id","name"],
		"properties":{"sid":{"$ref":"#/$defs/sid"},"id":{"readOnly":true},"name":{}}}`
	s := compiled(t, text, Options{Request: true})
	if diff := cmp.Diff([]string{"/name required: is required"}, violations(t, s, `{}`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s = compiled(t, text, Options{})
	if got := violations(t, s, `{}`); len(got) != 3 {
		t.Errorf("outside of requests: %v", got)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		createSchema, `{"$ref":"#/$ref"}`, `{"properties":{"":{"$ref":"#/"}}}`, `[]`, `{"pattern":"[\\d-x]{2,}(?<n>.)"}`,
		`{"discriminator":{"propertyName":"x","mapping":{"a":1}},"oneOf":[{"$ref":"#"}]}`, `{"x-patchbay-hints":{"*":"h"},"const":[]}`,
	} {
		f.Add(seed, `{"a":[1,"x",null]}`)
	}
	f.Fuzz(func(t *testing.T, schemaText, valueText string) {
		root, err := jsonvalue.ParseString(schemaText)
		if err != nil {
			return
		}
		v, err := jsonvalue.ParseString(valueText)
		if err != nil {
			return
		}
		for _, opts := range []Options{{}, {OpenAPI30: true, Request: true, AssertFormat: true}} {
			s, _ := Compile(&root, opts)
			var r Report
			if ok := s.Check(&v, "", &r); ok != s.Valid(&v) || ok != (len(r.Violations) == 0) {
				t.Errorf("%s by %s: Check says %v with %v", valueText, schemaText, ok, r.Violations)
			}
			for _, p := range s.Properties() {
				_ = s.Property(p.Name).Types()
			}
		}
	})
}
