package plan

import (
	"strings"
	"testing"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// jsonTextOf compiles JSON text and ties every placeholder to one slot.
func jsonTextOf(text string) (*data, string) {
	c := &compiler{doc: &spec.Document{}, plan: &Plan{}}
	d, problem := c.jsonText(spec.Text{Value: text})
	d.texts(func(d *data) {
		d.text = d.source.Bind(func(string, int) (int, bool) { return 0, true })
	})
	return d, problem
}

func TestJSONText(t *testing.T) {
	for _, c := range []struct{ text, value, want string }{
		{`{"a": "{{x}}"}`, `"q\"}"`, `{"a":"q\"}"}`},
		{`{"a": "{{x}}"}`, `1.50`, `{"a":1.50}`},
		{`{"a": "{{x}}"}`, ``, `{}`},
		{`{"a": "pre {{x}} \" {{x}}"}`, `"\\\n"`, `{"a":"pre \\\n \" \\\n"}`},
		{`{"a": {{x}}}`, `{"b":[1,null]}`, `{"a":{"b":[1,null]}}`},
		{`{"a":{{x}}, "b": {"c":[{{x}},{{x}}]}}`, `"5"`, `{"a":5,"b":{"c":[5,5]}}`},
		{`{"a": {{x}}}`, `"1, \"evil\": 2"`, `{"a":"1, \"evil\": 2"}`},
		{`[1e2, {{x}}, "⟦0;", "⟦{{x}}"]`, `true`, `[1e2,true,"⟦0;","⟦true"]`},
		{`"{{! a comment }}{{x}}"`, `null`, `null`},
	} {
		d, problem := jsonTextOf(c.text)
		if problem != "" || d == nil {
			t.Errorf("%s: %q", c.text, problem)
			continue
		}
		var v jsonvalue.Value
		if c.value != "" {
			v, _ = jsonvalue.ParseString(c.value)
		}
		out := d.value([]jsonvalue.Value{v})
		if got := string(out.Append(nil)); got != c.want {
			t.Errorf("%s with %s gave %s, want %s", c.text, c.value, got, c.want)
		}
	}
	for _, text := range []string{`{"a": {{x}}1}`, `{"{{x}}": 1}`, `{{x}} {{x}}`, `{"a": "{{x}}`, `not json`} {
		if d, problem := jsonTextOf(text); problem == "" {
			t.Errorf("%s compiled to %v", text, d)
		}
	}
}

// FuzzJSONText fills any value into any text: the result is JSON, and the
// caller's text changes none of its structure.
func FuzzJSONText(f *testing.F) {
	f.Add(`{"a": "{{x}}", "b": [{{x}}, "c {{x}}"]}`, `"} , {`)
	f.Add(`{"\u007b\u007bx}}": "⟦{{x}}⟦0;"}`, `\`)
	f.Fuzz(func(t *testing.T, text, value string) {
		d, _ := jsonTextOf(text)
		if d == nil {
			return
		}
		v := jsonvalue.StringOf(strings.ToValidUTF8(value, ""))
		out := d.value([]jsonvalue.Value{v})
		if out.IsAbsent() {
			return
		}
		encoded := out.Append(nil)
		if err := jsonvalue.Check(encoded); err != nil {
			t.Fatalf("%s with %q gave %s: %v", text, value, encoded, err)
		}
		usual := d.value([]jsonvalue.Value{jsonvalue.StringOf("x")})
		if got, want := outline(&out, d), outline(&usual, d); got != want {
			t.Errorf("%s with %q has the structure %s, not %s", text, value, got, want)
		}
	})
}

// outline is the structure of a value as far as its template gives it.
func outline(v *jsonvalue.Value, d *data) string {
	if d.kind != dataObject && d.kind != dataArray {
		return "."
	}
	out := v.Kind().String() + "("
	for i := range v.Elems() {
		out += v.Elems()[i].Name + outline(&v.Elems()[i].Value, d.members[i].value)
	}
	return out + ")"
}

// FuzzDeclaredBody compiles any body of any type; what compiles is bound whole.
func FuzzDeclaredBody(f *testing.F) {
	f.Add("json", `{a: '{{x}}', b: [1, '{{tools.y}} z']}`)
	f.Add("multipartForm", `[{name: a, value: '{{x}}', filename: f}]`)
	f.Add("binary", `{file: '{{x}}'}`)
	f.Add("", `'{"a": "{{x}}"}'`)
	f.Fuzz(func(t *testing.T, kind, content string) {
		source := "naftiko: 1.0.0-alpha2\ncapability:\n  consumes:\n  - type: http\n    namespace: api\n    baseUri: https://api.example.com\n    resources:\n    - name: r\n" +
			"      path: /r\n      operations:\n      - name: o\n        method: POST\n        body:\n          type: '" + strings.ReplaceAll(kind, "'", "''") + "'\n          data: " + content +
			"\n  exposes:\n  - {type: mcp, namespace: m, port: 9090, tools: [{name: t, description: d, call: api.o}]}\n"
		doc, found := spec.Load("f", []byte(source))
		if found.HasErrors() {
			return
		}
		p, diags := Compile(doc, Options{})
		if diags.HasErrors() || len(p.MCP) == 0 {
			return
		}
		for _, tool := range p.MCP[0].Tools {
			to := tool.calls[0].to
			values := make([]jsonvalue.Value, len(to.params))
			for i := range values {
				values[i] = jsonvalue.StringOf("v")
			}
			to.body.templates(func(d *data) {
				if d.text == nil {
					t.Fatal("a text of the body is tied to nothing")
				}
				if _, complete := d.text.Append(nil, values, template.None); !complete {
					t.Errorf("a text of the body lacks a value")
				}
			})
		}
	})
}
