package schema

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

// tooComplex demands the one violation of an exhausted budget.
func tooComplex(t *testing.T, s *Schema, v *jsonvalue.Value) {
	t.Helper()
	var r Report
	if s.Valid(v) || s.Check(v, "/body", &r) {
		t.Error("was judged")
	}
	want := Violation{Pointer: "/body", Keyword: "budget", Detail: "too complex to check"}
	if len(r.Violations) != 1 || r.Violations[0] != want {
		t.Errorf("got %v", r.Violations)
	}
}

func TestExponentialSchemasAreGivenUp(t *testing.T) {
	doubling := func(keyword string) string {
		var b strings.Builder
		b.WriteString(`{"$ref":"#/$defs/s0","$defs":{`)
		for i := range 60 {
			fmt.Fprintf(&b, `"s%d":{"%s":[{"$ref":"#/$defs/s%d"},{"$ref":"#/$defs/s%d"}]},`, i, keyword, i+1, i+1)
		}
		b.WriteString(`"s60":{"type":"string"}}}`)
		return b.String()
	}
	for _, tt := range []struct{ name, schema, value string }{
		{"allOf", doubling("allOf"), `"x"`},
		{"anyOf", doubling("anyOf"), `1`},
		{"oneOf", doubling("oneOf"), `"x"`},
		{"under not", `{"$defs":{"all":` + doubling("allOf") + `},"not":` + strings.ReplaceAll(doubling("allOf"), "#/", "#/not/") + `}`, `"x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := parse(t, tt.schema)
			s, _ := Compile(&root, Options{})
			v := parse(t, tt.value)
			tooComplex(t, s, &v)
			s.Types()
			s.Properties()
		})
	}
}

func TestLongInputIsNoReasonToGiveUp(t *testing.T) {
	s := compiled(t, `{"items":{"oneOf":[{"type":"string"},{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}]}}`, Options{})
	v := parse(t, "["+strings.Repeat(`{"a":1},"x",`, 50_000)+`"x"]`)
	if !s.Valid(&v) {
		t.Error("a long valid array is refused")
	}
}

func TestFaultsFoundBeforeTheBudgetEndsAreKept(t *testing.T) {
	// the fault of "a" ends the quiet evaluation; "b" exhausts the one that reports
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		var b strings.Builder
		b.WriteString(`{"properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/s0"}},"$defs":{`)
		for i := range 60 {
			fmt.Fprintf(&b, `"s%d":{"%s":[{"$ref":"#/$defs/s%d"},{"$ref":"#/$defs/s%d"}]},`, i, keyword, i+1, i+1)
		}
		b.WriteString(`"s60":{"not":{"type":"integer"}}}}`)
		s := compiled(t, b.String(), Options{})
		v := parse(t, `{"a":1,"b":"x"}`)
		if keyword != "allOf" {
			v = parse(t, `{"a":1,"b":1}`)
		}
		var r Report
		s.Check(&v, "", &r)
		if len(r.Violations) != 1 || r.Violations[0].Pointer != "/a" || !r.Truncated {
			t.Errorf("%s: got %v, truncated %v", keyword, r.Violations, r.Truncated)
		}
	}
}

func TestUnevaluatedMembersOfLargeObjects(t *testing.T) {
	s := compiled(t, `{"patternProperties":{"^x":{}},"unevaluatedProperties":false}`, Options{})
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	v := parse(t, `{`+b.String()+`"x":1}`)
	if !s.Valid(&v) {
		t.Error("known members are refused")
	}
	got := violations(t, s, `{`+b.String()+`"y":1,"x":1,"z":1}`)
	want := []string{"/y unevaluatedProperties: is not a known field", "/z unevaluatedProperties: is not a known field"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSchemasAreSharedAmongGoroutines(t *testing.T) {
	s := compiled(t, createSchema, Options{})
	good, bad := parse(t, createBody), parse(t, `{"Channel":{"type":"email"}}`)
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for range 50 {
				var r Report
				if !s.Check(&good, "", &r) || s.Check(&bad, "", &r) || len(r.Violations) != 3 {
					t.Errorf("got %v", r.Violations)
				}
			}
		})
	}
	done.Wait()
}

func TestReportsAreBounded(t *testing.T) {
	s := compiled(t, `{"items":{"type":"string"}}`, Options{})
	v := parse(t, "["+strings.Repeat(`1,`, 1000)+`1]`)
	var r Report
	s.Check(&v, "", &r)
	if len(r.Violations) != MaxViolations || !r.Truncated {
		t.Errorf("%d violations, truncated %v", len(r.Violations), r.Truncated)
	}
}

func TestUniqueItemsOfLongArrays(t *testing.T) {
	s := compiled(t, `{"uniqueItems":true}`, Options{})
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `{"n":%d,"s":[%d,"x"]},`, i, -i)
	}
	v := parse(t, "["+b.String()+"null]")
	if !s.Valid(&v) {
		t.Error("unique items are refused")
	}
	v = parse(t, "["+b.String()+`{"s":[-7.0,"x"],"n":0.7e1},{"n":3,"s":[-3,"x"]}]`)
	var r Report
	s.Check(&v, "", &r)
	want := []Violation{
		{Pointer: "/20000", Keyword: "uniqueItems", Detail: "must be unique; equals item 7"},
		{Pointer: "/20001", Keyword: "uniqueItems", Detail: "must be unique; equals item 3"},
	}
	if diff := cmp.Diff(want, r.Violations); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecursionFollowsTheValueOnly(t *testing.T) {
	s := compiled(t, `{"$id":"https://example.com/tree","properties":{"children":{"items":{"$ref":"#"}},"name":{"type":"string"}},"required":["name"]}`, Options{})
	got := violations(t, s, `{"name":"a","children":[{"name":"b","children":[{}]},{"name":1}]}`)
	want := "[/children/0/children/0/name required: is required /children/1/name type: must be a string; got a number]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
	deep := parse(t, strings.Repeat(`{"name":"a","children":[`, 60)+strings.Repeat(`]}`, 60))
	if !s.Valid(&deep) {
		t.Error("a deep value is refused")
	}
}

func TestLoopsAreCutAndReported(t *testing.T) {
	for _, tt := range []struct{ schema, at, good string }{
		{`{"$ref":"#"}`, "/$ref", `1`},
		{`{"allOf":[{"$ref":"#"}],"type":"string"}`, "/allOf/0/$ref", `"x"`},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a","type":"string"}}}`, "/$defs/b/$ref", `"x"`},
		{`{"not":{"$ref":"#"}}`, "/not/$ref", `1`},
		{`{"if":{"$ref":"#"},"then":false}`, "/if/$ref", `1`},
		{`{"oneOf":[{"$ref":"#"},true]}`, "/oneOf/0/$ref", `1`},
		{`{"dependentSchemas":{"a":{"$ref":"#"}},"unevaluatedProperties":{"type":"string"}}`, "/dependentSchemas/a/$ref", `{"b":"c"}`},
	} {
		root := parse(t, tt.schema)
		s, problems := Compile(&root, Options{})
		if len(problems) != 1 || problems[0].Pointer != tt.at {
			t.Errorf("%s: problems %v, want one at %s", tt.schema, problems, tt.at)
		}
		v := parse(t, tt.good)
		var r Report
		if !s.Check(&v, "", &r) {
			t.Errorf("%s refuses %s: %v", tt.schema, tt.good, r.Violations)
		}
	}
}

func TestLongChainsOfReferences(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/s0","$defs":{`)
	for i := range 5000 {
		fmt.Fprintf(&b, `"s%d":{"$ref":"#/$defs/s%d"},`, i, i+1)
	}
	b.WriteString(`"s5000":{"type":"string"}}}`)
	s := compiled(t, b.String(), Options{})
	v := parse(t, `"x"`)
	tooComplex(t, s, &v)
}

// nested wraps a schema in n more by hand, deeper than a text could be.
func nested(keyword string, n int) jsonvalue.Value {
	v := jsonvalue.BoolOf(false)
	for range n {
		v = jsonvalue.ObjectOf([]jsonvalue.Member{{Name: keyword, Value: v}})
	}
	return v
}

func TestDeepAndLargeSchemas(t *testing.T) {
	deep := nested("items", 5000)
	s, problems := Compile(&deep, Options{})
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "deeper than 256") {
		t.Errorf("problems %v", problems)
	}
	if v := parse(t, `[[[1]]]`); !s.Valid(&v) {
		t.Error("a shallow value is refused")
	}

	large := parse(t, `{"anyOf":[`+strings.Repeat(`{"type":"string"},`, maxSchemas+10)+`{}]}`)
	s, problems = Compile(&large, Options{})
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "more than 50000 subschemas") {
		t.Errorf("problems %v", problems)
	}
	if v := parse(t, `1`); !s.Valid(&v) {
		t.Error("what the ignored subschemas would have admitted is refused")
	}
}

func TestHugeEnum(t *testing.T) {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, `"value-%d",`, i)
	}
	s := compiled(t, `{"items":{"enum":[`+b.String()+`1]}}`, Options{})
	v := parse(t, `[`+strings.Repeat(`1,`, 1000)+`1.0]`)
	tooComplex(t, s, &v) // numbers are looked for one by one
	v = parse(t, `[`+strings.Repeat(`"value-49999",`, 20_000)+`"value-0"]`)
	if !s.Valid(&v) {
		t.Error("known values are refused")
	}
	if got := violations(t, s, `["value-x"]`); len(got) != 1 || !strings.Contains(got[0], `"value-9", … (50001 in all); got "value-x"`) {
		t.Errorf("got %v", got)
	}
}

func TestHostileUnknownMembers(t *testing.T) {
	var props, body strings.Builder
	for i := range 500 {
		fmt.Fprintf(&props, `"property_number_%d_with_a_name_of_quite_some_length":{},`, i)
	}
	for i := range 20_000 {
		fmt.Fprintf(&body, `"propertx_numbex_%d_with_a_name_of_quite_some_length":1,`, i)
	}
	s := compiled(t, `{"properties":{`+props.String()+`"a":{}},"additionalProperties":false}`, Options{})
	v := parse(t, `{`+body.String()+`"a":1}`)
	var r Report
	s.Check(&v, "", &r)
	if len(r.Violations) != MaxViolations || !r.Truncated {
		t.Errorf("%d violations, truncated %v", len(r.Violations), r.Truncated)
	}
	guesses := 0
	for _, w := range r.Violations {
		if w.Hint != "" {
			guesses++
		}
	}
	if guesses != maxGuesses {
		t.Errorf("%d near misses were looked for, want %d", guesses, maxGuesses)
	}
}

func TestTextsAreClipped(t *testing.T) {
	long := strings.Repeat("é", 500)
	s := compiled(t, `{"properties":{"a":{"enum":["`+long+`"]},"b":{"pattern":"^(?:`+strings.Repeat("x", 500)+`)$"},"c":{"maximum":1}}}`, Options{})
	v := parse(t, `{"a":"`+long+`x","b":"`+long+`","c":`+strings.Repeat("9", 500)+`}`)
	var r Report
	s.Check(&v, "", &r)
	if len(r.Violations) != 3 {
		t.Fatalf("got %v", r.Violations)
	}
	for _, v := range r.Violations {
		if n := len([]rune(v.Detail)); n > 160 || !strings.Contains(v.Detail, "…") {
			t.Errorf("%d characters: %s", n, v.Detail)
		}
	}
}
