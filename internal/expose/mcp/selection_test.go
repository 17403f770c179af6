package mcp

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	core "patchbay/internal/mcp"
)

func TestParseSelection(t *testing.T) {
	for _, c := range []struct {
		path string
		want Selection
		bad  string
	}{
		{path: "readonly", want: Selection{ReadOnly: true}},
		{path: "tools/a", want: Selection{Tools: []string{"a"}}},
		{path: "tools/a,b", want: Selection{Tools: []string{"a", "b"}}},
		{path: "tags/x,y", want: Selection{Tags: []string{"x", "y"}}},
		{path: "readonly/tags/x", want: Selection{ReadOnly: true, Tags: []string{"x"}}},
		{path: "tags/x/readonly", want: Selection{ReadOnly: true, Tags: []string{"x"}}},
		{path: "tools/a/tags/x/tools/b", want: Selection{Tools: []string{"a", "b"}, Tags: []string{"x"}}},
		{path: "tags/a%2Fb,c%2Cd", want: Selection{Tags: []string{"a/b", "c,d"}}},
		{path: "tools/readonly", want: Selection{Tools: []string{"readonly"}}},
		{path: "", bad: `"" is not`},
		{path: "readonly/", bad: `"" is not`},
		{path: "writable", bad: `"writable" is not`},
		{path: "READONLY", bad: `"READONLY" is not readonly, tools or tags; did you mean readonly?`},
		{path: "tools", bad: "tools wants names"},
		{path: "tags/", bad: "tags wants names"},
		{path: "tools/a,,b", bad: `"" is not a name`},
		{path: "tools/%zz", bad: `"%zz" is not a name`},
	} {
		got, err := ParseSelection(c.path)
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%s: error %v, want %q", c.path, err, c.bad)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.path, err, diff)
		}
	}
}

// FuzzParseSelection: what is read can be written, and is then read the same.
func FuzzParseSelection(f *testing.F) {
	for _, seed := range []string{"readonly", "tools/a,b/tags/c%2Cd", "/", "tags/%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		s, err := ParseSelection(path)
		if err != nil {
			return
		}
		written := ""
		if s.ReadOnly {
			written += "/readonly"
		}
		for _, part := range []struct {
			word  string
			names []string
		}{{"tools", s.Tools}, {"tags", s.Tags}} {
			if part.names == nil {
				continue
			}
			escaped := make([]string, len(part.names))
			for i, name := range part.names {
				if name == "" {
					t.Fatalf("%q has an empty name", path)
				}
				escaped[i] = strings.ReplaceAll(url.PathEscape(name), ",", "%2C")
			}
			written += "/" + part.word + "/" + strings.Join(escaped, ",")
		}
		again, err := ParseSelection(strings.TrimPrefix(written, "/"))
		if diff := cmp.Diff(s, again); err != nil || diff != "" {
			t.Errorf("%q, written as %q: %v\n%s", path, written, err, diff)
		}
	})
}

const shop = `
ikanos: 1.0.0-beta1
info: {label: Shop}
capability:
  consumes:
  - type: http
    namespace: shop
    baseUri: https://shop.example.com
    resources:
    - name: things
      path: /things
      operations:
      - {name: list, method: GET}
      - {name: add, method: POST}
  exposes:
  - type: mcp
    namespace: tools
    tools:
    - {name: list things, description: Lists., tags: [reading, common], call: shop.list, hints: {readOnly: false}}
    - {name: add, description: Adds., tags: [writing, common], call: shop.add, hints: {readOnly: true}}
    - {name: both, description: Lists and adds., tags: [writing], steps: [{type: call, name: one, call: shop.list}, {type: call, name: two, call: shop.add}]}
    - {name: mock, description: Calls nothing., outputParameters: [{name: a, type: string, value: b}]}
`

// A selection goes by the methods that are called, not by what hints claim, and
// by names as they are offered or as the file has them.
func TestOffered(t *testing.T) {
	offers := NewOffers(bound(t, "shop.yaml", []byte(shop)).Plan.MCP[:1])
	for _, c := range []struct {
		name string
		s    Selection
		want []string
	}{
		{"everything", Selection{}, []string{"list things", "add", "both", "mock"}},
		{"read-only", Selection{ReadOnly: true}, []string{"list things", "mock"}},
		{"by name", Selection{Tools: []string{"add"}}, []string{"add"}},
		{"by the name that is offered", Selection{Tools: []string{"list_things"}}, []string{"list things"}},
		{"by tag", Selection{Tags: []string{"writing"}}, []string{"add", "both"}},
		{"by either", Selection{Tools: []string{"mock"}, Tags: []string{"reading"}}, []string{"list things", "mock"}},
		{"read-only by tag", Selection{ReadOnly: true, Tags: []string{"common"}}, []string{"list things"}},
	} {
		var got []string
		for _, tool := range c.s.Offered(offers[0]) {
			got = append(got, tool.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if err := c.s.Check(offers); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for want, s := range map[string]Selection{
		`there is no tool "mocks"; did you mean mock?`:              {Tools: []string{"mocks"}},
		`there is no tag "Writing"; did you mean writing?`:          {Tags: []string{"Writing"}},
		`there is no tool "something else"`:                         {Tools: []string{"something else"}},
		`there is no tag "list things"`:                             {Tags: []string{"list things"}},
		`there is no tool "x\n"`:                                    {Tools: []string{"x\n"}},
		`there is no tool "nope"`:                                   {Tools: []string{"add", "nope"}},
		`there is no tool "list-things"; did you mean list_things?`: {Tools: []string{"list-things"}},
	} {
		if err := s.Check(offers); err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", s, err, want)
		}
	}
}

// A URL narrows what the operator offers, and cannot widen it.
func TestOperatorsSelectionIsAnUpperBound(t *testing.T) {
	b := bound(t, "shop.yaml", []byte(shop))
	for _, c := range []struct {
		operator Selection
		path     string
		want     []string
	}{
		{Selection{}, "/mcp", []string{"list_things", "add", "both", "mock"}},
		{Selection{}, "/", []string{"list_things", "add", "both", "mock"}},
		{Selection{}, "/mcp/-/tools/add,mock", []string{"add", "mock"}},
		{Selection{ReadOnly: true}, "/mcp", []string{"list_things", "mock"}},
		{Selection{ReadOnly: true}, "/mcp/-/tools/add,mock", []string{"mock"}},
		{Selection{ReadOnly: true}, "/mcp/-/tags/writing", nil},
		{Selection{Tags: []string{"common"}}, "/mcp/-/readonly", []string{"list_things"}},
		{Selection{Tools: []string{"add"}}, "/mcp/-/tools/list_things", nil},
	} {
		e := endpoint(t, b, func(o *Options) { o.Selection = c.operator })
		r := call(t, e, c.path, "tools/list", `{}`)
		if got := names(t, r.Result, "tools", "name"); !slices.Equal(got, c.want) {
			t.Errorf("%+v at %s: %q, want %q", c.operator, c.path, got, c.want)
		}
		for _, tool := range []string{"add", "both"} {
			if slices.Contains(c.want, tool) {
				continue
			}
			r := call(t, e, c.path, "tools/call", fmt.Sprintf(`{"name":%q,"arguments":{}}`, tool))
			if r.Error == nil || r.Error.Code != core.CodeInvalidParams {
				t.Errorf("%+v at %s: %s could be called: %s", c.operator, c.path, tool, r.raw)
			}
		}
	}
}

// Selections that are not there, or not well formed, are 404, and only so many
// are kept.
func TestViewsAreBounded(t *testing.T) {
	e := endpoint(t, bound(t, "shop.yaml", []byte(shop)), nil)
	for _, path := range []string{"/mcp/-/", "/mcp/-/tools/nope", "/mcp/-/tags/nope", "/mcp/", "/mcp/x", "/other"} {
		if r := call(t, e, path, "tools/list", `{}`); r.status != 404 {
			t.Errorf("%s: status %d", path, r.status)
		}
	}
	for n := range 3 * maxViews {
		path := "/mcp/-/tools/" + strings.Repeat("add,", n+1) + "mock"
		if got := names(t, call(t, e, path, "tools/list", `{}`).Result, "tools", "name"); !slices.Equal(got, []string{"add", "mock"}) {
			t.Fatalf("%d: %q", n, got)
		}
	}
	if len(e.whole.views) > maxViews {
		t.Errorf("%d views are kept", len(e.whole.views))
	}
}

// manyTools is a capability with a tool for each of n operations.
func manyTools(n int) []byte {
	var consumed, tools strings.Builder
	for i := range n {
		fmt.Fprintf(&consumed, "    - {name: r%d, path: '/r%d/{id}', operations: [{name: op%d, method: GET}]}\n", i, i, i)
		fmt.Fprintf(&tools, "    - {name: tool-%d, description: Reads number %d., call: api.op%d}\n", i, i, i)
	}
	return fmt.Appendf(nil, "ikanos: 1.0.0-beta1\ninfo: {label: Many}\ncapability:\n  consumes:\n  - type: http\n    namespace: api\n"+
		"    baseUri: https://api.example.com\n    resources:\n%s  exposes:\n  - type: mcp\n    namespace: tools\n    tools:\n%s", consumed.String(), tools.String())
}

// A public capability has 1,158 tools. They are listed page by page in the order of the
// file, the same each time and in each process, in both eras.
func TestManyToolsAreListedDeterministically(t *testing.T) {
	const count = 1158
	source := manyTools(count)
	first, second := endpoint(t, bound(t, "many.yaml", source), nil), endpoint(t, bound(t, "many.yaml", source), nil)
	want := make([]string, count)
	for i := range want {
		want[i] = fmt.Sprintf("tool-%d", i)
	}
	for name, list := range map[string]func(testing.TB, *Endpoint, string, string, string) response{"legacy": call, "modern": callModern} {
		var got []string
		cursor, pages := "", 0
		for {
			params := `{}`
			if cursor != "" {
				params = fmt.Sprintf(`{"cursor":%q}`, cursor)
			}
			r := list(t, first, "/mcp", "tools/list", params)
			if again := list(t, second, "/mcp", "tools/list", params); again.raw != r.raw {
				t.Errorf("%s: page %d differs between two servers", name, pages)
			}
			got = append(got, names(t, r.Result, "tools", "name")...)
			pages++
			next := value(t, string(r.Result))
			if next.Get("nextCursor") == nil {
				break
			}
			cursor = next.Get("nextCursor").Text()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: tools (-want +got):\n%s", name, diff)
		}
		if pages != 5 {
			t.Errorf("%s: %d pages", name, pages)
		}
		if r := list(t, first, "/mcp/-/readonly/tools/tool-7", "tools/list", fmt.Sprintf(`{"cursor":%q}`, cursor)); r.Error == nil {
			t.Errorf("%s: the cursor of another list was taken: %s", name, r.raw)
		}
	}
}
