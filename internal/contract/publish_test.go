package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
)

// publish returns the schemas of an operation's body and answer.
func publish(t testing.TB, version, schema, components string) *Operation {
	t.Helper()
	d, err := openapi.Parse("api.yaml", fmt.Appendf(nil, `
openapi: %s
info: {title: Published, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /a:
    post:
      requestBody: {content: {application/json: {schema: %s}}}
      responses: {'200': {content: {application/json: {schema: %s}}}}
components: {schemas: %s}
`, version, schema, schema, components))
	if err != nil {
		t.Fatal(err)
	}
	op, _ := NewSet(d).Join("POST", "https://api.example.com", "/a")
	if op == nil {
		t.Fatal("not joined")
	}
	return op
}

func TestPublish(t *testing.T) {
	const v30, v31 = "3.0.3", "3.1.0"
	for _, c := range []struct{ name, version, schema, components, want string }{
		{
			"as it is", v31, `{type: object, required: [a], properties: {a: {type: string, minLength: 1, description: An a.}}, additionalProperties: false}`, `{}`,
			`{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":1,"description":"An a."}},"additionalProperties":false}`,
		},
		{
			"references are replaced", v31, `{$ref: '#/components/schemas/A'}`, `{A: {properties: {b: {$ref: '#/components/schemas/B'}}}, B: {type: integer}}`,
			`{"properties":{"b":{"type":"integer"}}}`,
		},
		{
			"keywords beside a reference win", v31, `{$ref: '#/components/schemas/A', description: Mine., x-patchbay-source: D}`, `{A: {type: string, description: Theirs.}}`,
			`{"type":"string","description":"Mine."}`,
		},
		{
			"in 3.0 they do not count", v30, `{$ref: '#/components/schemas/A', description: Mine.}`, `{A: {type: string, description: Theirs.}}`,
			`{"type":"string","description":"Theirs."}`,
		},
		{
			"a recursion is open", v31, `{$ref: '#/components/schemas/A'}`, `{A: {properties: {next: {$ref: '#/components/schemas/A'}, list: {type: array, items: {$ref: '#/components/schemas/A'}}}}}`,
			`{"properties":{"next":{},"list":{"type":"array","items":{}}}}`,
		},
		{
			"the same reference twice is none", v31, `{properties: {a: {$ref: '#/components/schemas/A'}, b: {$ref: '#/components/schemas/A'}}}`, `{A: {type: string}}`,
			`{"properties":{"a":{"type":"string"},"b":{"type":"string"}}}`,
		},
		{"a reference that leads nowhere is open", v31, `{properties: {a: {$ref: '#/gone'}, b: {$ref: 'other.yaml'}}}`, `{}`, `{"properties":{"a":{},"b":{}}}`},
		{
			"nullable", v30, `{properties: {a: {type: string, nullable: true, enum: [x]}, b: {type: string, nullable: false}, c: {type: string, enum: [x, null], nullable: true}}}`, `{}`,
			`{"properties":{"a":{"type":["string","null"],"enum":["x",null]},"b":{"type":"string"},"c":{"type":["string","null"],"enum":["x",null]}}}`,
		},
		{"nullable behind a reference", v30, `{properties: {a: {$ref: '#/components/schemas/A'}}}`, `{A: {type: object, nullable: true}}`, `{"properties":{"a":{"type":["object","null"]}}}`},
		{
			"exclusive bounds of 3.0", v30, `{type: number, minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}`, `{}`,
			`{"type":"number","exclusiveMinimum":0,"maximum":9}`,
		},
		{"exclusive bounds of 3.1", v31, `{type: number, exclusiveMinimum: 0, maximum: 9}`, `{}`, `{"type":"number","exclusiveMinimum":0,"maximum":9}`},
		{
			"what is no pattern or no choice is left out", v31,
			`{properties: {a: {type: string, pattern: '['}, b: {type: string, pattern: '(?=b)'}, c: {type: string, enum: []}}}`, `{}`,
			`{"properties":{"a":{"type":"string"},"b":{"type":"string","pattern":"(?=b)"},"c":{"type":"string"}}}`,
		},
		{
			"extensions and OpenAPI's own keywords are left out", v31,
			`{type: object, x-patchbay-source: D, x-other: 1, example: {a: 1}, xml: {name: a}, externalDocs: {url: u}, discriminator: {propertyName: a}, properties: {x-mine: {type: string}}}`, `{}`,
			`{"type":"object","properties":{"x-mine":{"type":"string"}}}`,
		},
		{
			"allOf is kept", v31, `{allOf: [{$ref: '#/components/schemas/A'}, {if: {required: [a]}, then: {required: [b]}}]}`, `{A: {type: object}}`,
			`{"allOf":[{"type":"object"},{"if":{"required":["a"]},"then":{"required":["b"]}}]}`,
		},
		{
			"inferred rules are left out", v31,
			`{type: object, x-patchbay-source: D, properties: {a: {type: string, allOf: [{x-patchbay-source: I, pattern: x}]}, b: {x-patchbay-source: I, description: B., minItems: 1, items: {type: string}}, c: {x-patchbay-source: O, pattern: x}}, allOf: [{}, {required: [a]}]}`, `{}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"description":"B."},"c":{"pattern":"x"}},"allOf":[{"required":["a"]}]}`,
		},
		{
			"but not those of conditions", v31, `{if: {x-patchbay-source: I, required: [a]}, then: {required: [b]}, not: {properties: {c: {x-patchbay-source: I, type: string}}}}`, `{}`,
			`{"if":{"required":["a"]},"then":{"required":["b"]},"not":{"properties":{"c":{"type":"string"}}}}`,
		},
		{"booleans are schemas", v31, `{properties: {a: true, b: false}, items: true}`, `{}`, `{"properties":{"a":true,"b":false},"items":true}`},
		{
			"keywords of a wrong form are left out", v31,
			`{type: [object, file], required: true, minLength: -1, maximum: high, enum: a, pattern: 5, properties: [a], items: [{}], allOf: [], uniqueItems: 1, multipleOf: 0, description: 5, default: x}`, `{}`,
			`{"default":"x"}`,
		},
		{"so are names given twice", v31, `{required: [a, a], dependentRequired: {a: [b], c: [d]}}`, `{}`, `{"dependentRequired":{"a":["b"],"c":["d"]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := publish(t, c.version, c.schema, c.components)
			got := op.BodySchema()
			if d := cmp.Diff(c.want, string(got.Append(nil))); d != "" {
				t.Errorf("body's schema (-want +got):\n%s", d)
			}
			answer, ok := op.SuccessSchema()
			if !ok || !jsonvalue.Equal(&got, &answer) {
				t.Errorf("the answer's schema is %s", answer.Append(nil))
			}
		})
	}
}

// A schema that references multiply is cut off, and what is left of it is open.
func TestPublishIsBounded(t *testing.T) {
	var components strings.Builder
	for i := range 20 {
		fmt.Fprintf(&components, "S%d: {properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}}}, ", i, i+1, i+1)
	}
	op := publish(t, "3.1.0", `{$ref: '#/components/schemas/S0'}`, "{"+components.String()+"S20: {type: string}}")
	for name, schema := range map[string]jsonvalue.Value{"body": op.BodySchema(), "shape": first(op.Shape())} {
		if n := nodes(&schema); n > 4*maxPublished {
			t.Errorf("the %s's schema has %d values", name, n)
		}
	}
}

// A host that decodes schemas has bounds of its own, and so has our core.
func TestPublishIsFlat(t *testing.T) {
	schema := strings.Repeat("{properties: {a: ", 50) + "{type: string}" + strings.Repeat("}}", 50)
	op := publish(t, "3.1.0", schema, "{}")
	body := op.BodySchema()
	if n := depth(&body); n > 90 {
		t.Errorf("the schema is %d deep", n)
	}
}

func depth(v *jsonvalue.Value) int {
	n := 0
	for i := range v.Elems() {
		n = max(n, depth(&v.Elems()[i].Value))
	}
	return n + 1
}

func first(v jsonvalue.Value, _ bool) jsonvalue.Value { return v }

func nodes(v *jsonvalue.Value) int {
	n := 1
	for i := range v.Elems() {
		n += nodes(&v.Elems()[i].Value)
	}
	return n
}

func TestShape(t *testing.T) {
	for _, c := range []struct{ name, schema, components, want string }{
		{
			"types and descriptions", `{type: object, title: T, required: [a], description: D., properties: {a: {type: string, enum: [x], pattern: x, description: A.}, n: {type: integer, minimum: 0}}, additionalProperties: false}`, `{}`,
			`{"type":"object","description":"D.","properties":{"a":{"type":["string","null"],"description":"A."},"n":{"type":["number","string","null"]}}}`,
		},
		{
			"a number may come as text", `{properties: {a: {type: [integer, string]}, b: {type: [number, integer]}}}`, `{}`,
			`{"properties":{"a":{"type":["number","string","null"]},"b":{"type":["number","string","null"]}}}`,
		},
		{"null is not added twice", `{properties: {a: {type: [string, 'null']}, b: {type: 'null'}}}`, `{}`, `{"properties":{"a":{"type":["string","null"]},"b":{"type":["null"]}}}`},
		{
			"items", `{type: array, items: {type: object, properties: {a: {type: integer}}}}`, `{}`,
			`{"type":"array","items":{"type":["object","null"],"properties":{"a":{"type":["number","string","null"]}}}}`,
		},
		{"the root has one type", `{type: ['null', object]}`, `{}`, `{"type":"object"}`},
		{
			"allOf is laid together", `{allOf: [{$ref: '#/components/schemas/A'}, {allOf: [{properties: {deep: {type: boolean}}}]}, {properties: {b: {type: string}}, required: [b]}], description: Whole.}`,
			`{A: {type: object, description: Part., properties: {a: {type: string}, b: {type: integer}}}}`,
			`{"type":"object","description":"Whole.","properties":{"a":{"type":["string","null"]},"b":{"type":["string","null"]},"deep":{"type":["boolean","null"]}}}`,
		},
		{"alternatives are open", `{oneOf: [{type: string}, {type: object}], properties: {a: {anyOf: [{type: string}]}}}`, `{}`, `{"properties":{"a":{}}}`},
		{"booleans are open", `{properties: {a: true, b: false}}`, `{}`, `{"properties":{"a":{},"b":{}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := publish(t, "3.1.0", c.schema, c.components).Shape()
			if d := cmp.Diff(c.want, string(got.Append(nil))); d != "" || !ok {
				t.Errorf("shape (-want +got):\n%s", d)
			}
		})
	}
	if _, ok := join(t, forms, "POST", "/form").Shape(); ok {
		t.Error("an operation without answers has a shape")
	}
}
