package mcp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/schema"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
		omitted  []omission
	}{
		{"what fits", `{"a":[1,2]}`, 11, `{"a":[1,2]}`, nil},
		{"the last element", `{"a":[1,2]}`, 10, `{"a":[1]}`, []omission{{"/a", 1, 2}}},
		{"a whole array", `{"a":["long long long"],"b":1}`, 15, `{"a":[],"b":1}`, []omission{{"/a", 0, 1}}},
		{"the larger one first", `{"a":[1,2],"b":["xxxxxxxx","yyyyyyyy"]}`, 30, `{"a":[1,2],"b":["xxxxxxxx"]}`, []omission{{"/b", 1, 2}}},
		{"both", `{"a":[1,2],"b":["xxxxxxxx","yyyyyyyy"]}`, 14, `{"a":[],"b":[]}`, []omission{{"/b", 0, 2}, {"/a", 0, 2}}},
		{"below objects", `{"o":{"p":{"a":[1,2,3]}}}`, 21, `{"o":{"p":{"a":[1]}}}`, []omission{{"/o/p/a", 1, 3}}},
		{"names with slashes", `{"a/b":{"~":[1,2]}}`, 17, `{"a/b":{"~":[1]}}`, []omission{{"/a~1b/~0", 1, 2}}},
		{"an empty name", `{"":[1,2],"b":{"":[]}}`, 21, `{"":[1],"b":{"":[]}}`, []omission{{"/", 1, 2}}},
		{"an array", `[1,2,3]`, 5, `[1,2]`, []omission{{"", 2, 3}}},
		{"nothing to cut", `{"a":"long long long"}`, 5, `{"a":"long long long"}`, nil},
		{"elements stay whole", `{"a":[{"b":[1,2,3]},{"b":[4,5,6]}]}`, 30, `{"a":[{"b":[1,2,3]}]}`, []omission{{"/a", 1, 2}}},
		{"numbers keep their digits", `{"n":9007199254740993.10,"a":[1,2]}`, 34, `{"n":9007199254740993.10,"a":[1]}`, []omission{{"/a", 1, 2}}},
	} {
		in := value(t, c.in)
		got, omitted := cut(&in, c.limit)
		if diff := cmp.Diff(c.want, string(got.Append(nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.omitted, omitted); diff != "" {
			t.Errorf("%s: omitted (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.in, string(in.Append(nil))); diff != "" {
			t.Errorf("%s: the value itself was changed:\n%s", c.name, diff)
		}
	}
}

// FuzzCut: the result fits, or has nothing left to cut; it is JSON, and what
// was left out is told rightly.
func FuzzCut(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2],"b":["x"]}`, `[[1],[2]]`, `{"":[1,2],"/":{"~":[3,4]}}`, `"x"`, `{"a":{"a":{"a":[{"a":[1]},{}]}}}`} {
		for _, limit := range []uint16{0, 7, 12} {
			f.Add(seed, limit)
		}
	}
	f.Fuzz(func(t *testing.T, text string, limit uint16) {
		in, err := jsonvalue.ParseString(text)
		if err != nil {
			t.Skip()
		}
		got, omitted := cut(&in, int(limit))
		out := got.Append(nil)
		again, err := jsonvalue.Parse(out)
		if err != nil {
			t.Fatalf("%s became %s: %v", text, out, err)
		}
		var left []arrayAt
		arrays(&again, "", 0, &left)
		if len(out) > int(limit) && len(left) > 0 && len(left) < maxArrays {
			t.Errorf("%s, cut to %d bytes, is %s, of which %s could go", text, limit, out, left[0].pointer)
		}
		for _, o := range omitted {
			before, after := at(&in, o.Pointer), at(&again, o.Pointer)
			if before == nil || after == nil || before.Len() != o.Total || after.Len() != o.Kept || o.Kept >= o.Total {
				t.Errorf("%s became %s, which is not what %+v says", text, out, o)
			}
		}
		if omitted == nil && !jsonvalue.Equal(&in, &again) {
			t.Errorf("%s became %s, and nothing is said to be missing", text, out)
		}
	})
}

// at follows a pointer through objects.
func at(v *jsonvalue.Value, pointer string) *jsonvalue.Value {
	if pointer == "" {
		return v
	}
	for _, name := range strings.Split(pointer[1:], "/") {
		if v = v.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(name)); v == nil {
			return nil
		}
	}
	return v
}

// A result that was cut stays below the limit, says so, and satisfies the
// schema that the tool publishes, which may know a member called truncated.
func TestCapped(t *testing.T) {
	const items = `"items":{"type":["array","null"],"items":{"type":["string","null"]}}`
	made := &tool{adapter: &adapter{Options{MaxResult: 500}}, known: []string{"PageSize", "Status"}}
	var elements []string
	for i := range 100 {
		elements = append(elements, fmt.Sprintf("%q", fmt.Sprintf("element %d", i)))
	}
	list := strings.Join(elements, ",")
	for _, c := range []struct{ name, properties, body, truncated string }{
		{"cut", items, `{"items":[` + list + `]}`, "true"},
		{"the answer has that member", items, `{"items":[` + list + `],"truncated":"no"}`, `"no"`},
		{"the schema has another one", items + `,"truncated":{"type":["string","null"]}`, `{"items":[` + list + `]}`, ""},
	} {
		shape := value(t, `{"type":"object","properties":{`+c.properties+`}}`)
		made.output, _ = schema.Compile(&shape, schema.Options{})
		r := made.capped(core.JSONResult([]byte(c.body)))
		if len(r.Structured) > 500 || len(r.Structured) < 400 {
			t.Errorf("%s: %d bytes", c.name, len(r.Structured))
		}
		got := value(t, string(r.Structured))
		if !made.output.Valid(&got) {
			t.Errorf("%s: %s does not satisfy the schema", c.name, r.Structured)
		}
		mark := ""
		if v := got.Get("truncated"); v != nil {
			mark = string(v.Append(nil))
		}
		if mark != c.truncated {
			t.Errorf("%s: truncated is %s, want %s", c.name, mark, c.truncated)
		}
		note := r.Content[1].Text
		if want := fmt.Sprintf("/items shows the first %d of 100 elements", got.Get("items").Len()); !strings.Contains(note, want) || !strings.Contains(note, "Use PageSize to see the rest.") {
			t.Errorf("%s: the note is %q, want %q", c.name, note, want)
		}
	}
	for name, unchanged := range map[string]core.Result{
		"an error":       core.ErrorResult(strings.Repeat("x", 1000)),
		"a short answer": core.JSONResult([]byte(`{"items":[]}`)),
		"no array":       core.JSONResult([]byte(`{"a":"` + strings.Repeat("x", 1000) + `"}`)),
		"text":           {Content: []core.Content{core.TextContent(list)}},
	} {
		if diff := cmp.Diff(unchanged, made.capped(unchanged)); diff != "" {
			t.Errorf("%s was changed:\n%s", name, diff)
		}
	}
}
