package schema

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/internal/jsonvalue"
)

func TestValidValuesCostNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, tt := range []struct{ name, schema, value string }{
		{"create", createSchema, createBody},
		{"numbers", `{"items":{"type":["integer","number"],"multipleOf":0.01,"minimum":-1e3,"exclusiveMaximum":1e30}}`, `[1,1.25,1e3,123456789012345678.25]`},
		{"alternatives", `{"items":{"oneOf":[{"const":1},{"enum":["a",{"b":[1.0]}]},{"type":"null"}]}}`, `[1.0,"a",null,{"b":[1]}]`},
		{"unevaluated", `{"properties":{"a":{}},"anyOf":[{"properties":{"b":{"const":2}}},{"properties":{"b":{}}}],"unevaluatedProperties":false}`, `{"a":1,"b":2}`},
		{"arrays", `{"uniqueItems":true,"contains":{"const":3},"maxContains":1,"prefixItems":[{"format":"date"}],"items":{"type":"integer"}}`, `["2026-01-02",2,3,4]`},
		{"names", `{"propertyNames":{"pattern":"^[a-z]+$","maxLength":5},"patternProperties":{"^a":{"type":"string"}}}`, `{"a":"b","c":1}`},
		{"references", `{"$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"}`, `{"next":{"next":{"next":{}}}}`},
	} {
		s := compiled(t, tt.schema, Options{AssertFormat: true})
		v := parse(t, tt.value)
		var r Report
		if got := testing.AllocsPerRun(100, func() {
			if !s.Valid(&v) || !s.Check(&v, "/body", &r) {
				t.Fatalf("%s is not valid: %v", tt.name, r.Violations)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations, want none", tt.name, got)
		}
	}
}

func TestRefusingQuietlyCostsNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := compiled(t, createSchema, Options{})
	v := parse(t, `{"Channel":{"type":"email","initiated_by":"agent","properties":{}}}`)
	if got := testing.AllocsPerRun(100, func() {
		if s.Valid(&v) {
			t.Fatal("valid")
		}
	}); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

func TestAccessorsCostNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := compiled(t, createSchema, Options{}).Property("Routing").Property("properties").Property("workspace_sid")
	if got := testing.AllocsPerRun(100, func() {
		if s.Types() != TypeString || s.Property("x") != nil || s.Required("x") || s.ReadOnly() || s.Properties() != nil {
			t.Fatal("wrong facts")
		}
	}); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

func BenchmarkCheck(b *testing.B) {
	s := compiled(b, createSchema, Options{})
	v := parse(b, createBody)
	var r Report
	b.ReportAllocs()
	for b.Loop() {
		if !s.Check(&v, "", &r) {
			b.Fatal(r.Violations)
		}
	}
}

func BenchmarkParseAndCheck(b *testing.B) {
	s := compiled(b, createSchema, Options{})
	body := []byte(createBody)
	var r Report
	b.ReportAllocs()
	for b.Loop() {
		v, err := jsonvalue.Parse(body)
		if err != nil || !s.Check(&v, "", &r) {
			b.Fatal(err, r.Violations)
		}
	}
}

func BenchmarkParseAndCheckByOracle(b *testing.B) {
	s, err := oracle(createSchema)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(createBody))
		if err != nil || s.Validate(doc) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	root := parse(b, createSchema)
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := Compile(&root, Options{}); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
