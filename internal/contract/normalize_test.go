package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
	"patchbay/internal/schema"
)

const forms = `
openapi: 3.1.0
info: {title: Forms, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /form:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: &thing
        {type: object, properties: {
          Channel: {type: object},
          Routing: {type: [object, 'null']},
          Status: {type: string},
          PageSize: {type: integer},
          Muted: {type: boolean},
          Tags: {type: array, items: {type: string}},
          Scores: {type: array, items: {type: number}},
          Any: {},
          Text_or_object: {type: [object, string]},
          Configuration.Filters: {type: array, items: {type: object}}}}}}}
  /json:
    post:
      requestBody: {content: {application/json: {schema: *thing}}}
  /open:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {A: {type: string}}, additionalProperties: {type: string}}}}}
  /pattern:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {A: {type: string}}, patternProperties: {'^x-': {type: string}}}}}}
  /anything:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
  /nothing:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {}}}
  /twins:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {page_size: {}, PageSize: {}}}}}}
`

// join compiles the contract of an operation out of a document, which must
// have nothing wrong with it.
func join(t testing.TB, document, method, path string) *Operation {
	t.Helper()
	d, err := openapi.Parse("api.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	op, problems := NewSet(d).Join(method, "https://api.example.com", path)
	if op == nil || problems != nil {
		t.Fatalf("%s %s: %v %v", method, path, op, problems)
	}
	return op
}

func parse(t testing.TB, text string) jsonvalue.Value {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// where names the members that are wrong, with what is wrong with them.
func where(report *schema.Report) []string {
	var out []string
	for _, v := range report.Violations {
		text := v.Pointer + " " + v.Detail
		if v.Hint != "" {
			text += " (" + v.Hint + ")"
		}
		out = append(out, text)
	}
	return out
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct {
		name, path string
		textual    bool
		in, want   string
		report     []string
	}{
		{name: "well-formed", path: "/form", in: `{"Channel":{"b":1,"a":2},"Status":"x"}`, want: `{"Channel":{"b":1,"a":2},"Status":"x"}`},
		{name: "empty", path: "/form", in: `{}`, want: `{}`},
		{name: "the contract's order", path: "/form", in: `{"Status":"x","Channel":{}}`, want: `{"Channel":{},"Status":"x"}`},
		{name: "case", path: "/form", in: `{"channel":{},"STATUS":"x"}`, want: `{"Channel":{},"Status":"x"}`},
		{name: "underscores and hyphens", path: "/form", in: `{"page_size":5,"text-or-object":{}}`, want: `{"PageSize":5,"Text_or_object":{}}`},
		{name: "a dot is part of the name", path: "/form", in: `{"configuration.filters":[{}]}`, want: `{"Configuration.Filters":[{}]}`},
		{name: "names within a value are left alone", path: "/form", in: `{"channel":{"Type":"x","channel":{}}}`, want: `{"Channel":{"Type":"x","channel":{}}}`},
		{
			name: "both spellings", path: "/form", in: `{"channel":{"a":1},"Channel":{"b":2}}`, want: `{"Channel":{"a":1}}`,
			report: []string{`/Channel is given twice, as "channel" and as "Channel" (keep "Channel")`},
		},
		{name: "JSON text", path: "/form", in: `{"Channel":"{\"type\":\"web\"}"}`, want: `{"Channel":{"type":"web"}}`},
		{name: "JSON text twice", path: "/form", in: `{"Channel":"\"{\\\"type\\\":\\\"web\\\"}\""}`, want: `{"Channel":{"type":"web"}}`},
		{name: "JSON text three times", path: "/form", in: `{"Channel":"\"\\\"{}\\\"\""}`, want: `{"Channel":"\"\\\"{}\\\"\""}`},
		{name: "JSON text where null is admitted", path: "/form", in: `{"Routing":"{\"a\":1}"}`, want: `{"Routing":{"a":1}}`},
		{name: "JSON text of an array", path: "/form", in: `{"Tags":"[\"a\",\"b\"]"}`, want: `{"Tags":["a","b"]}`},
		{name: "text that is not JSON", path: "/form", in: `{"Channel":"web"}`, want: `{"Channel":"web"}`},
		{name: "JSON text of a scalar", path: "/form", in: `{"Channel":"5"}`, want: `{"Channel":"5"}`},
		{name: "JSON text where text is admitted", path: "/form", in: `{"Text_or_object":"{}","Any":"{}","Status":"{}"}`, want: `{"Status":"{}","Any":"{}","Text_or_object":"{}"}`},
		{
			name: "unknown field", path: "/form", in: `{"Rooting":{},"Zzz":1,"Status":"x"}`, want: `{"Status":"x","Rooting":{},"Zzz":1}`,
			report: []string{`/Rooting is not a known field (did you mean "Routing"?)`, `/Zzz is not a known field`},
		},
		{name: "a name with a slash", path: "/form", in: `{"a/b~c":1}`, want: `{"a/b~c":1}`, report: []string{`/a~1b~0c is not a known field`}},
		{name: "null members are left out", path: "/form", in: `{"Channel":null,"Status":"x"}`, want: `{"Status":"x"}`},
		{name: "null is left out before names are judged", path: "/form", in: `{"channel":null,"Channel":{},"Zzz":null}`, want: `{"Channel":{}}`},
		{name: "null within a value stays", path: "/form", in: `{"Channel":{"a":null},"Tags":[null]}`, want: `{"Channel":{"a":null},"Tags":[null]}`},
		{name: "a JSON body keeps null", path: "/json", in: `{"status":null}`, want: `{"Status":null}`},
		{name: "a JSON body may hold more", path: "/json", in: `{"Zzz":1,"channel":"{}"}`, want: `{"Channel":{},"Zzz":1}`},
		{name: "types are not touched", path: "/form", in: `{"PageSize":"5","Muted":"true","Tags":"a"}`, want: `{"PageSize":"5","Muted":"true","Tags":"a"}`},
		{
			name: "unless the body has none", path: "/form", textual: true, in: `{"PageSize":"5","Muted":"true","Tags":"a","Scores":["1.50","x"],"Status":"7"}`,
			want: `{"Status":"7","PageSize":5,"Muted":true,"Tags":["a"],"Scores":[1.50,"x"]}`,
		},
		{name: "a form's JSON text", path: "/form", textual: true, in: `{"Channel":"{\"n\":\"1\"}","Scores":"[1,\"2\"]"}`, want: `{"Channel":{"n":"1"},"Scores":[1,"2"]}`},
		{name: "a form's list of one object", path: "/form", textual: true, in: `{"Configuration.Filters":"{\"a\":1}"}`, want: `{"Configuration.Filters":[{"a":1}]}`},
		{name: "a form's list of objects", path: "/form", textual: true, in: `{"Configuration.Filters":["{\"a\":1}","{}"]}`, want: `{"Configuration.Filters":[{"a":1},{}]}`},
		{name: "a form's list of one text that looks like an object", path: "/form", textual: true, in: `{"Tags":"{}"}`, want: `{"Tags":["{}"]}`},
		{name: "textual forms that are no number", path: "/form", textual: true, in: `{"PageSize":"05","Muted":"yes"}`, want: `{"PageSize":"05","Muted":"yes"}`},
		{name: "a schema that speaks about other names", path: "/open", in: `{"a":"x","More":"y"}`, want: `{"A":"x","More":"y"}`},
		{name: "patterns of names", path: "/pattern", in: `{"x-more":"y","a":"x"}`, want: `{"A":"x","x-more":"y"}`},
		{name: "a schema without fields", path: "/anything", in: `{"b":1,"a":null}`, want: `{"b":1}`},
		{name: "no schema", path: "/nothing", in: `{"b":1,"a":null}`, want: `{"b":1}`},
		{name: "fields that only differ by spelling", path: "/twins", in: `{"PageSize":1,"page_size":2}`, want: `{"page_size":2,"PageSize":1}`},
		{name: "a name that could be either", path: "/twins", in: `{"pagesize":1}`, want: `{"pagesize":1}`, report: []string{`/pagesize is not a known field (did you mean "page_size"?)`}},
		{name: "no object", path: "/form", in: `"text"`, want: `"text"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := join(t, forms, "POST", c.path).Body
			in := parse(t, c.in)
			var report schema.Report
			got := body.Normalize(&in, c.textual, &report)
			if d := cmp.Diff(c.want, string(got.Append(nil))); d != "" {
				t.Errorf("body (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.report, where(&report)); d != "" {
				t.Errorf("report (-want +got):\n%s", d)
			}
			if text := string(in.Append(nil)); text != string(compact(t, c.in)) {
				t.Errorf("the caller's value became %s", text)
			}
		})
	}
}

func compact(t testing.TB, text string) []byte {
	t.Helper()
	v := parse(t, text)
	return v.Append(nil)
}

// Where nothing has to change, the value comes back as it is.
func TestNormalizeAllocates(t *testing.T) {
	body := join(t, forms, "POST", "/form").Body
	in := parse(t, `{"Channel":{"type":"web"},"Routing":{"properties":{}},"Status":"x","PageSize":5,"Tags":["a","b"],"Any":{}}`)
	var report schema.Report
	var got jsonvalue.Value
	if n := testing.AllocsPerRun(100, func() { got = body.Normalize(&in, false, &report) }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	if &got.Elems()[0] != &in.Elems()[0] {
		t.Error("the value was copied")
	}
	status, five := body.Schema.Property("PageSize"), jsonvalue.StringOf("5")
	if n := testing.AllocsPerRun(100, func() { got = Scalar(status, five) }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations for a scalar", n)
	}
}

func TestScalar(t *testing.T) {
	const document = `
openapi: 3.1.0
info: {title: Scalars, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /a:
    get:
      parameters:
      - {name: string, in: query, schema: {type: string}}
      - {name: integer, in: query, schema: {type: integer}}
      - {name: number, in: query, schema: {type: number}}
      - {name: boolean, in: query, schema: {type: boolean}}
      - {name: nullable, in: query, schema: {type: [integer, 'null']}}
      - {name: either, in: query, schema: {type: [integer, string]}}
      - {name: branches, in: query, schema: {anyOf: [{type: integer}, {type: boolean}]}}
      - {name: integers, in: query, schema: {type: array, items: {type: integer}}}
      - {name: nested, in: query, schema: {type: array, items: {type: array, items: {type: integer}}}}
      - {name: array, in: query, schema: {type: array}}
      - {name: any, in: query, schema: {}}
      - {name: none, in: query}
      - {name: object, in: query, schema: {type: object}}
      - {name: both, in: query, schema: {type: [object, string]}}
`
	op := join(t, document, "GET", "/a")
	for _, c := range []struct{ name, in, want string }{
		{"string", `"5"`, `"5"`},
		{"object", `"{\"a\":1}"`, `{"a":1}`},
		{"object", `"a"`, `"a"`},
		{"object", `"1"`, `"1"`},
		{"both", `"{\"a\":1}"`, `"{\"a\":1}"`},
		{"integer", `"5"`, `5`},
		{"integer", `"-5"`, `-5`},
		{"integer", `"5.5"`, `5.5`},
		{"integer", `"05"`, `"05"`},
		{"integer", `"5 "`, `"5 "`},
		{"integer", `""`, `""`},
		{"integer", `"12345678901234567890123"`, `12345678901234567890123`},
		{"integer", `7`, `7`},
		{"number", `"1.50"`, `1.50`},
		{"number", `"1e3"`, `1e3`},
		{"number", `"NaN"`, `"NaN"`},
		{"boolean", `"true"`, `true`},
		{"boolean", `"false"`, `false`},
		{"boolean", `"True"`, `"True"`},
		{"boolean", `"1"`, `"1"`},
		{"nullable", `"5"`, `5`},
		{"nullable", `null`, `null`},
		{"either", `"5"`, `"5"`},
		{"branches", `"5"`, `5`},
		{"branches", `"true"`, `true`},
		{"integers", `["1","x",true]`, `[1,"x",true]`},
		{"integers", `"1"`, `[1]`},
		{"nested", `[["1"],"2"]`, `[[1],[2]]`},
		{"array", `"a"`, `["a"]`},
		{"array", `["1"]`, `["1"]`},
		{"any", `"5"`, `"5"`},
		{"none", `"5"`, `"5"`},
	} {
		p := Named(op.Query, c.name)
		if p == nil {
			t.Fatalf("no parameter %s", c.name)
		}
		in := parse(t, c.in)
		got := Scalar(p.Schema, in)
		if text := string(got.Append(nil)); text != c.want {
			t.Errorf("%s of %s: %s, want %s", c.name, c.in, text, c.want)
		}
	}
}

// Normalizing is idempotent, and says nothing new the second time.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{`{"channel":"{\"a\":1}","Channel":null,"Zzz":[1]}`, `{"tags":"a","page_size":"5"}`, `{"a":{"b":null}}`, `[]`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	var bodies []*Body
	for _, path := range []string{"/form", "/json", "/open", "/twins", "/nothing"} {
		bodies = append(bodies, join(f, forms, "POST", path).Body)
	}
	f.Fuzz(func(t *testing.T, text string, textual bool) {
		v, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			t.Skip()
		}
		for _, body := range bodies {
			var first, second schema.Report
			once := body.Normalize(&v, textual, &first)
			twice := body.Normalize(&once, textual, &second)
			if !jsonvalue.Equal(&once, &twice) {
				t.Errorf("%s: once %s, twice %s", body.MediaType, once.Append(nil), twice.Append(nil))
			}
			if len(second.Violations) > len(first.Violations) {
				t.Errorf("%s: %v, then %v", body.MediaType, where(&first), where(&second))
			}
		}
	})
}
