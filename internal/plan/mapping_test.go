package plan

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
)

// compileTool compiles a document with one tool, whose outputParameters are
// given as flow YAML; its only input is id.
func compileTool(t testing.TB, outputs string) *Operation {
	t.Helper()
	source := fmt.Sprintf(`
ikanos: 1.0.0-beta1
info: {label: Mapping}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com
    resources: [{name: a, path: '/a/{id}', operations: [{name: get, method: GET}]}]
  exposes:
  - type: mcp
    namespace: tools
    tools: [{name: get, description: Get, call: api.get, outputParameters: %s}]
`, outputs)
	doc, found := spec.Load("capability.yaml", []byte(source))
	p, diags := Compile(doc, Options{})
	if diags = append(found, diags...); diags.HasErrors() {
		t.Fatalf("%s\n%s", outputs, printed(t, []byte(source), diags))
	}
	return p.MCP[0].Tools[0].Operation
}

func TestMapping(t *testing.T) {
	for _, c := range []struct{ name, outputs, answer, want string }{
		{"identity", `[{type: object, mapping: $.}]`, `{"b":1,"a":[1.50,null]}`, `{"b":1,"a":[1.50,null]}`},
		{"a path", `[{type: string, mapping: $.a.b}]`, `{"a":{"b":"x"}}`, `"x"`},
		{"numbers keep their digits", `[{type: number, mapping: $.n}]`, `{"n":12345678901234567890.10}`, `12345678901234567890.10`},
		{"an object without properties is the mapped value", `[{type: object, mapping: $.data}]`, `{"data":{"z":1,"a":2}}`, `{"z":1,"a":2}`},
		{"several matches are an array", `[{type: array, mapping: '$.l[*].n'}]`, `{"l":[{"n":1},{"n":2},{}]}`, `[1,2]`},
		{"the first that is not null", `[{type: string, mapping: $.a}, {type: string, mapping: $.b}]`, `{"a":null,"b":"x"}`, `"x"`},
		{"false is not null", `[{type: boolean, mapping: $.a}, {type: string, mapping: $.b}]`, `{"a":false,"b":"x"}`, `false`},
		{"nothing found lets the answer pass", `[{type: string, mapping: $.a}]`, ` {"b":1} `, ` {"b":1} `},
		{"a fixed text", `[{type: string, value: done}]`, `{}`, `"done"`},
		{"a template", `[{type: string, value: 'fetched {{id}}'}]`, `{}`, `"fetched seven"`},
		{"a text is cut by characters", `[{type: string, mapping: $.a, maxLength: 3}]`, `{"a":"äöüß"}`, `"äöü"`},
		{"a short text is not", `[{type: string, mapping: $.a, maxLength: 4}]`, `{"a":"äöüß"}`, `"äöüß"`},
		{
			"properties from the root", `[{type: object, properties: {id: {type: string, mapping: $.a.id}, gone: {type: string, mapping: $.b}, kind: {type: string, value: thing}}}]`,
			`{"a":{"id":"7"}}`, `{"id":"7","gone":null,"kind":"thing"}`,
		},
		{"properties keep their order", `[{type: object, properties: [{name: z, type: string, mapping: $.a}, {name: a, type: string, mapping: $.z}]}]`, `{"a":1,"z":2}`, `{"z":1,"a":2}`},
		{"properties within properties", `[{type: object, properties: {in: {type: object, properties: {deep: {type: string, mapping: $.x}}}}}]`, `{"x":true}`, `{"in":{"deep":true}}`},
		{
			"items", `[{type: array, mapping: $.list, items: {type: object, properties: {id: {type: string, mapping: $.sid}}}}]`,
			`{"list":[{"sid":"A","more":1},{"sid":"B"},7]}`, `[{"id":"A"},{"id":"B"},{"id":null}]`,
		},
		{"items by path", `[{type: array, mapping: $.list, items: {type: string, mapping: $.sid}}]`, `{"list":[{"sid":"A"},{}]}`, `["A",null]`},
		{"items of what is no array", `[{type: array, mapping: $.list, items: {type: string, mapping: $.sid}}, {type: string, value: none}]`, `{"list":{}}`, `"none"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := compileTool(t, c.outputs)
			if op.Identity() {
				if c.want != c.answer {
					t.Fatal("the answer passes unchanged")
				}
				return
			}
			got, f := op.output.apply([]byte("kept:"), []byte(c.answer), []jsonvalue.Value{jsonvalue.StringOf("seven")})
			if f != nil {
				t.Fatal(f)
			}
			if d := cmp.Diff("kept:"+c.want, string(got)); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
}

func TestMappingRefusesWhatIsNotJSON(t *testing.T) {
	op := compileTool(t, `[{type: string, mapping: $.a}]`)
	for _, answer := range []string{"<html>", `{"a":1`, `{"a":1,"a":2}`} {
		_, f := op.output.apply(nil, []byte(answer), nil)
		if f == nil || f.Kind != fault.Mapping || f.Outcome != fault.Answered || errors.Unwrap(f) == nil {
			t.Errorf("%s: %+v", answer, f)
		}
	}
}
