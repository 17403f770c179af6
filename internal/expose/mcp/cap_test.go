package mcp

import (
	"fmt"
	"strconv"
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
		{"arrays in arrays", `{"rows":[[1,2,3],[4,5,6]]}`, 20, `{"rows":[[1,2,3]]}`, []omission{{"/rows", 1, 2}}},
		{"an element that is too long itself", `{"rows":[[1,2,3],[4]]}`, 15, `{"rows":[[1]]}`, []omission{{"/rows/0", 1, 3}, {"/rows", 1, 2}}},
		{"an only element", `[{"a":[1,2,3]}]`, 11, `[{"a":[1]}]`, []omission{{"/0/a", 1, 3}}},
		{"an element that cannot be shortened", `{"a":[{"b":"long long","c":[1]},2]}`, 20, `{"a":[]}`, []omission{{"/a", 0, 2}}},
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
		if left := someArray(&again, "", 0); len(out) > int(limit) && left != "" {
			t.Errorf("%s, cut to %d bytes, is %s, of which %s could go", text, limit, out, left)
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

// someArray points to an array that has elements, in objects, or is "".
func someArray(v *jsonvalue.Value, pointer string, depth int) string {
	if v.Kind() == jsonvalue.Array && v.Len() > 0 && depth <= maxCutDepth {
		return pointer + " (an array)"
	}
	if v.Kind() == jsonvalue.Object {
		for _, m := range v.Elems() {
			if found := someArray(&m.Value, pointer+"/"+m.Name, depth+1); found != "" {
				return found
			}
		}
	}
	return ""
}

// at follows a pointer.
func at(v *jsonvalue.Value, pointer string) *jsonvalue.Value {
	if pointer == "" {
		return v
	}
	for _, name := range strings.Split(pointer[1:], "/") {
		if v.Kind() == jsonvalue.Array {
			i, err := strconv.Atoi(name)
			if err != nil || i >= v.Len() {
				return nil
			}
			v = &v.Elems()[i].Value
			continue
		}
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
	made := &tool{adapter: &adapter{Options: Options{MaxResult: 500}}, known: []string{"PageSize", "Status"}}
	var elements []string
	for i := range 100 {
		elements = append(elements, fmt.Sprintf("%q", fmt.Sprintf("element %d", i)))
	}
	list := strings.Join(elements, ",")
	for _, c := range []struct{ name, properties, body, truncated string }{
		{"cut", items, `{"items":[` + list + `]}`, "true"},
		{"the answer says that it is whole", items + `,"truncated":{"type":["boolean","null"]}`, `{"truncated":false,"items":[` + list + `]}`, "true"},
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
		"a picture":      {Content: []core.Content{{Kind: core.Image, MIMEType: "image/png", Data: make([]byte, 1000)}}},
	} {
		if diff := cmp.Diff(unchanged, made.capped(unchanged)); diff != "" {
			t.Errorf("%s was changed:\n%s", name, diff)
		}
	}
}

// Text is cut at the end of a line, wherever it stands in the result.
func TestCappedTexts(t *testing.T) {
	made := &tool{adapter: &adapter{Options: Options{MaxResult: 100}}}
	long := strings.Repeat("ten bytes\n", 20)
	resource := core.ResourceContents{URI: "x://y", MIMEType: "text/csv", Text: long}
	for name, c := range map[string]struct {
		in   core.Result
		text func(core.Result) string
	}{
		"alone":                 {core.Result{Content: []core.Content{core.TextContent(long)}}, func(r core.Result) string { return r.Content[0].Text }},
		"in a resource":         {core.Result{Content: []core.Content{{Kind: core.EmbeddedResource, Resource: &resource}}}, func(r core.Result) string { return r.Content[0].Resource.Text }},
		"beside a short object": {core.Result{Content: []core.Content{core.TextContent(long)}, Structured: []byte(`{}`)}, func(r core.Result) string { return r.Content[0].Text }},
		"beside an object that is cut": {
			core.Result{Content: []core.Content{core.TextContent(long)}, Structured: []byte(`{"items":["` + strings.Repeat("x", 100) + `"]}`)},
			func(r core.Result) string { return r.Content[0].Text },
		},
	} {
		got := made.capped(c.in)
		if text := c.text(got); text != long[:100] {
			t.Errorf("%s: the text is %q", name, text)
		}
		note := got.Content[1].Text
		if want := "the text shows the first 100 of 200 bytes"; !strings.Contains(note, want) {
			t.Errorf("%s: the note is %q, want %q", name, note, want)
		}
		if c.in.Structured != nil && len(got.Structured) > 100 {
			t.Errorf("%s: %s", name, got.Structured)
		}
	}
	if resource.Text != long {
		t.Error("the resource itself was changed")
	}
	if short, _ := cutText("ä"+strings.Repeat("ö", 50), 10); short != "äöööö" {
		t.Errorf("cut in the middle of a character: %q", short)
	}
}
