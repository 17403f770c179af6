package jsonpath

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

func parse(t testing.TB, text string) jsonvalue.Value {
	t.Helper()
	v, err := jsonvalue.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func texts(values []*jsonvalue.Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v.Append(nil)))
	}
	return out
}

const ship = `{
	"get-ship": {"vessel_name": "Aurora", "call sign": "AU1"},
	"Ship Name": "Aurora",
	"$select": "id",
	"@id": "urn:1",
	"crew": [{"name": "Ada", "rank-level": 3}, {"name": "Bo", "rank-level": 1}],
	"0": "zero",
	"a": {"b": {"c": 9007199254740993}}
}`

func TestLenientPaths(t *testing.T) {
	doc := parse(t, ship)
	whole := string(doc.Append(nil))
	for _, tt := range []struct {
		path     string
		identity bool
		singular bool
		want     []string
	}{
		{"$", true, true, []string{whole}},
		{"$.", true, true, []string{whole}},
		{"  $.\n", true, true, []string{whole}},
		{"$.get-ship.vessel_name", false, true, []string{`"Aurora"`}},
		{"get-ship.vessel_name", false, true, []string{`"Aurora"`}},
		{"$.get-ship.call sign", false, true, []string{`"AU1"`}},
		{"$. Ship Name ", false, true, []string{`"Aurora"`}},
		{"$.$select", false, true, []string{`"id"`}},
		{"@id", false, true, []string{`"urn:1"`}},
		{"$.0", false, true, []string{`"zero"`}},
		{"a.b.c", false, true, []string{`9007199254740993`}},
		{"$.a.['b'].c", false, true, []string{`9007199254740993`}},
		{"['a'].b.c", false, true, []string{`9007199254740993`}},
		{"$.crew[0].name", false, true, []string{`"Ada"`}},
		{"$.crew[-1].name", false, true, []string{`"Bo"`}},
		{"$.crew[*].name", false, false, []string{`"Ada"`, `"Bo"`}},
		{"crew.[*].name", false, false, []string{`"Ada"`, `"Bo"`}},
		{"$.crew[?(@.rank-level > 2)].name", false, false, []string{`"Ada"`}},
		{"$.crew[?@.name == 'Bo'].rank-level", false, false, []string{`1`}},
		{"$..name", false, false, []string{`"Ada"`, `"Bo"`}},
		{"$..rank-level", false, false, []string{`3`, `1`}},
		{"$.nobody.here", false, true, nil},
		{"$.crew.name", false, true, nil},
		{"*.b", false, false, []string{`{"c":9007199254740993}`}},
	} {
		path, err := CompileLenient(tt.path)
		if err != nil {
			t.Errorf("%q: %v", tt.path, err)
			continue
		}
		if path.Identity() != tt.identity || path.Singular() != tt.singular || path.String() != tt.path {
			t.Errorf("%q: identity %v, singular %v, string %q", tt.path, path.Identity(), path.Singular(), path)
		}
		got, err := path.Query(&doc)
		if err != nil {
			t.Errorf("%q: %v", tt.path, err)
		}
		if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.path, diff)
		}
		one, ok := path.One(&doc)
		if wantOne := tt.singular && tt.want != nil; ok != wantOne || ok && one != got[0] {
			t.Errorf("%q: One gives %v, %v", tt.path, one, ok)
		}
	}
}

func TestErrorsNameTheColumn(t *testing.T) {
	for _, tt := range []struct {
		path    string
		lenient bool
		col     int
		message string
	}{
		{"", false, 1, "expected $, found the end of the path"},
		{"a", false, 1, "expected $, found 'a'"},
		{"$.", false, 3, "expected a name, found the end of the path"},
		{"$.a-b", false, 4, "expected . or [, found '-'"},
		{"$.é[", false, 5, "expected a quoted name, an index, a slice, * or ?, found the end of the path"},
		{"$['é'x]", false, 6, "expected , or ], found 'x'"},
		{"$['a", false, 3, "the string has no closing quote"},
		{`$['\ud800']`, false, 4, "half of a surrogate pair"},
		{`$['\u12x4']`, false, 4, `\u needs four hexadecimal digits`},
		{`$['\q']`, false, 4, "unknown escape in a string"},
		{"$[01]", false, 3, "an integer is written without leading zeros, and zero without a sign"},
		{"$[9007199254740992]", false, 3, "the integer is outside of ±(2^53-1)"},
		{"$[?@.a == b]", false, 11, `unknown word "b"; a text needs quotes`},
		{"$[?'a']", false, 4, "a value alone is not a condition; compare it with something"},
		{"$[?@.* == 1]", false, 4, "only a path of names and indexes has a single value"},
		{"$[?match(@.a, 'x') == true]", false, 4, "the function is a condition and has no value"},
		{"$[?len(@)]", false, 4, `unknown function "len"; there are length, count, value, match and search`},
		{"$[?length(@, 1) > 1]", false, 4, "length takes 1 argument(s), not 2"},
		{"$[?count(1) > 1]", false, 10, "the function takes a path that begins with @ or $"},
		{"$[?@.a == 1.]", false, 11, "not a number"},
		{"$.a\xff", false, 4, "the path is not UTF-8"},
		{"$.\uFFFD\xff", false, 4, "the path is not UTF-8"},
		{"$" + strings.Repeat("[?@", 40), false, 1 + 3*32 + 3, "nested deeper than 32 levels"},
		{"$[?" + strings.Repeat("length(", 40), false, 3 + 7*32 + 1, "nested deeper than 32 levels"},
		{"$" + strings.Repeat(".a", 2048), false, 1, "the path is longer than 4096 bytes"},

		{" \n", true, 1, "the path is empty"},
		{".a", true, 1, "expected $ or a name, found '.'"},
		{"@.a", true, 1, "expected $ or a name, found '@'"},
		{"  $.a.  ", true, 7, "expected a name, found the end of the path"},
		{"$a", true, 2, "expected . or [, found 'a'"},
		{"$.items.length()", true, 15, "expected . or [, found '('"},
		{"$.{{x}}", true, 3, "expected a name, found '{'"},
		{"{{x}}", true, 1, "expected a name, found '{'"},
	} {
		compile := Compile
		if tt.lenient {
			compile = CompileLenient
		}
		_, err := compile(tt.path)
		fault, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%.40q: got %v, want an error", tt.path, err)
			continue
		}
		if diff := cmp.Diff(Error{Col: tt.col, Message: tt.message}, *fault); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", tt.path, diff)
		}
		if want := fmt.Sprintf("column %d: %s", tt.col, tt.message); err.Error() != want {
			t.Errorf("%.40q: got %q, want %q", tt.path, err, want)
		}
	}
}

func TestComparisonsKeepDigits(t *testing.T) {
	doc := parse(t, `[9007199254740993, 9007199254740992, 1e400, 1.0, -0, "9007199254740993"]`)
	for _, tt := range []struct {
		filter string
		want   []string
	}{
		{"@ == 9007199254740993", []string{"9007199254740993"}},
		{"@ < 9007199254740993 && @ > 1", []string{"9007199254740992"}},
		{"@ == 1", []string{"1.0"}},
		{"@ == 0", []string{"-0"}},
		{"@ > 1e300", []string{"1e400"}},
		{"@ >= '9'", []string{`"9007199254740993"`}},
	} {
		path, err := Compile("$[?" + tt.filter + "]")
		if err != nil {
			t.Errorf("%s: %v", tt.filter, err)
			continue
		}
		got, err := path.Query(&doc)
		if err != nil {
			t.Errorf("%s: %v", tt.filter, err)
		}
		if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.filter, diff)
		}
	}
}

func TestObjectsAreComparedWithoutOrder(t *testing.T) {
	doc := parse(t, `[{"a":1,"b":[2]},{"b":[2],"a":1.0},{"a":1,"c":[2]},{"a":1,"b":[3]},[1,2],{"a":1}]`)
	path, err := Compile("$[?@ == $[0]]")
	if err != nil {
		t.Fatal(err)
	}
	got, err := path.Query(&doc)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`{"a":1,"b":[2]}`, `{"b":[2],"a":1.0}`}, texts(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMembersKeepTheirOrder(t *testing.T) {
	doc := parse(t, `{"z":1,"a":{"y":2,"b":3},"m":[{"x":4}]}`)
	for path, want := range map[string][]string{
		"$.*":        {`1`, `{"y":2,"b":3}`, `[{"x":4}]`},
		"$..*":       {`1`, `{"y":2,"b":3}`, `[{"x":4}]`, `2`, `3`, `{"x":4}`, `4`},
		"$['m','z']": {`[{"x":4}]`, `1`},
		"$..[?@>1]":  {`2`, `3`, `4`},
	} {
		p, err := Compile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Query(&doc)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, texts(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestNoRoot(t *testing.T) {
	for _, text := range []string{"$", "$.a", "$..a"} {
		path, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, root := range []*jsonvalue.Value{nil, {}} {
			if _, ok := path.One(root); ok {
				t.Errorf("%s: One finds something in nothing", text)
			}
			if got, err := path.Query(root); got != nil || err != nil {
				t.Errorf("%s: Query finds %v, %v in nothing", text, got, err)
			}
		}
	}
}

func TestEvaluationIsBounded(t *testing.T) {
	wide := "[" + strings.Repeat("1,", 20_000) + "1]"
	deep := strings.Repeat("[", 100) + "1" + strings.Repeat("]", 100)
	text := `"` + strings.Repeat("a", 200_000) + `"`
	for _, tt := range []struct {
		name, path, doc string
		// allowed is how many values are selected; 0 stands for ErrLimit.
		allowed int
	}{
		{"every element against every other", "$[?count($[?@ == 1]) > 1]", wide, 0},
		{"descent after descent", "$" + strings.Repeat("..[*]", 40), deep, 0},
		{"the whole document again and again", "$[?$ == $]", wide, 0},
		{"a costly pattern", "$[?search(@, '(a|b|ab){500}c')]", `[` + strings.Repeat(text+",", 10) + `1]`, 0},
		{"a long text again and again", "$[1][?@ == $[0]]", `[` + text + `,[` + strings.Repeat(text+",", 30) + `1]]`, 30},
	} {
		path, err := Compile(tt.path)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		doc := parse(t, tt.doc)
		got, err := path.Query(&doc)
		if len(got) != tt.allowed || errors.Is(err, ErrLimit) != (tt.allowed == 0) {
			t.Errorf("%s: %d values, %v; want %d", tt.name, len(got), err, tt.allowed)
		}
	}
}

// Filters may look at the deepest document that the parser lets in.
func TestDeepDocuments(t *testing.T) {
	doc := parse(t, strings.Repeat(`{"a":`, jsonvalue.MaxDepth)+"1"+strings.Repeat("}", jsonvalue.MaxDepth))
	path, err := Compile("$..[?count($..a) == 128 && @ == $.a]")
	if err != nil {
		t.Fatal(err)
	}
	got, err := path.Query(&doc)
	if err != nil || len(got) != 1 {
		t.Errorf("%d values, %v; want 1", len(got), err)
	}
	for range 40 * jsonvalue.MaxDepth {
		doc = jsonvalue.ArrayOf([]jsonvalue.Member{{Value: doc}})
	}
	if _, err := path.Query(&doc); !errors.Is(err, ErrLimit) {
		t.Errorf("far too deep: %v, want ErrLimit", err)
	}
}

func TestPatterns(t *testing.T) {
	doc := parse(t, `{"p":"a.c","bad":"(","huge":"((a{1000}){1000}){1000}","long":"`+strings.Repeat("a|", 600)+`a.c","v":["abc","xabcx","a\nc"]}`)
	for _, tt := range []struct {
		filter string
		want   []string
	}{
		{"match(@, 'a.c')", []string{`"abc"`}},
		{"search(@, 'a.c')", []string{`"abc"`, `"xabcx"`}},
		{"match(@, $.p)", []string{`"abc"`}},
		{"search(@, $.p) && !match(@, $.p)", []string{`"xabcx"`}},
		{"match(@, 'a[.\\n]c')", []string{`"a\nc"`}},
		{"match(@, $.bad) || search(@, '(')", nil},
		{"match(@, $.huge) || match(@, '(a{100}){101}')", nil},
		{"search(@, $.long)", nil},
		{"match(@, 1) || match(@, $.none)", nil},
	} {
		path, err := Compile("$.v[?" + tt.filter + "]")
		if err != nil {
			t.Errorf("%s: %v", tt.filter, err)
			continue
		}
		got, err := path.Query(&doc)
		if err != nil {
			t.Errorf("%s: %v", tt.filter, err)
		}
		if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.filter, diff)
		}
	}
}

func TestOneDoesNotAllocate(t *testing.T) {
	doc := parse(t, ship)
	for _, text := range []string{"$.", "$.get-ship.vessel_name", "$.crew[-1].name", "$.nobody.here"} {
		path, err := CompileLenient(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { path.One(&doc) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", text, n)
		}
	}
}

func BenchmarkOne(b *testing.B) {
	doc := parse(b, ship)
	path, err := CompileLenient("$.a.b.c")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := path.One(&doc); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	doc := parse(b, "["+strings.Repeat(`{"name":"a","rank":3},`, 49)+`{"name":"b","rank":1}]`)
	path, err := Compile("$[?@.rank > 2].name")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := path.Query(&doc); err != nil || len(got) != 49 {
			b.Fatal(len(got), err)
		}
	}
}
