package mcp

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	core "patchbay/internal/mcp"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
)

const library = `
ikanos: 1.0.0-beta1
info: {label: Library}
capability:
  exposes:
  - type: mcp
    namespace: library
    resources:
    - {name: files, label: Files, description: Files., uri: 'files://all/', mimeType: text/x-unknown, location: 'file:///./shelf'}
`

// shelf makes a folder beside a capability and returns the capability's path.
func shelf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "library.yaml")
}

func link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
}

func read(t testing.TB, e *Endpoint, uri string) response {
	t.Helper()
	return call(t, e, "/mcp", "resources/read", fmt.Sprintf(`{"uri":%q}`, uri))
}

// Nothing outside of a folder is listed or read: not by links, which may
// change after the start, and not by names.
func TestStaticResourcesStayInTheirFolder(t *testing.T) {
	name := shelf(t, map[string]string{
		"secret.txt": "secret", "outside/deep.txt": "secret", "shelf/a.md": "inside", "shelf/deep/b.txt": "inside", "shelf/later.txt": "inside", "shelf/c d%.txt": "inside",
	})
	dir := filepath.Dir(name)
	in := func(parts ...string) string { return filepath.Join(append([]string{dir, "shelf"}, parts...)...) }
	link(t, "../secret.txt", in("relative.txt"))
	link(t, filepath.Join(dir, "secret.txt"), in("absolute.txt"))
	link(t, "../outside", in("folder"))
	link(t, "deep/b.txt", in("within.txt"))
	link(t, "gone.txt", in("dangling.txt"))
	e := endpoint(t, bound(t, name, []byte(library)), nil)

	got := names(t, call(t, e, "/mcp", "resources/list", `{}`).Result, "resources", "uri")
	slices.Sort(got)
	want := []string{"files://all/a.md", "files://all/c%20d%25.txt", "files://all/deep/b.txt", "files://all/later.txt", "files://all/within.txt"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	for _, uri := range want {
		if r := read(t, e, uri); !strings.Contains(string(r.Result), `"text":"inside"`) {
			t.Errorf("%s: %s", uri, r.raw)
		}
	}
	// A file becomes a link to the outside while Patchbay runs.
	if err := os.Remove(in("later.txt")); err != nil {
		t.Fatal(err)
	}
	link(t, "../secret.txt", in("later.txt"))
	for _, uri := range []string{
		"files://all/later.txt", "files://all/relative.txt", "files://all/absolute.txt", "files://all/folder/deep.txt", "files://all/dangling.txt",
		"files://all/../secret.txt", "files://all/..%2Fsecret.txt", "files://all/deep/../../secret.txt", "files://all/deep", "files://all/", "files://all",
		"files://all//a.md", "files://all/a.md/", "files://all/a.md%00", "FILES://all/a.md", "file:///etc/passwd", "",
	} {
		r := read(t, e, uri)
		if r.Error == nil || strings.Contains(r.raw, "secret\"") {
			t.Errorf("%s: %s", uri, r.raw)
		}
	}
	unknown := read(t, e, "files://all/later.txt")
	if !strings.Contains(string(unknown.Error.Data), `"uri":"files://all/later.txt"`) {
		t.Errorf("the error does not name the resource: %s", unknown.raw)
	}
}

// Files are read when they are asked for, whole, up to a bound, and as what they are.
func TestStaticResourcesAsTheyAre(t *testing.T) {
	binary := "\x89PNG\r\n\x1a\n\x00\xff"
	name := shelf(t, map[string]string{
		"shelf/picture.png": binary, "shelf/broken.txt": "a\xffb", "shelf/page.html": "<p>", "shelf/data.json": "{}", "shelf/drawing.svg": "<svg/>",
		"shelf/README": "plain", "shelf/empty.txt": "", "shelf/gone.txt": "soon", "shelf/notes.yaml": "a: 1", "shelf/changes.txt": "before",
		"shelf/huge.bin": strings.Repeat("x", 9<<20),
	})
	e := endpoint(t, bound(t, name, []byte(library)), nil)
	shelf := filepath.Join(filepath.Dir(name), "shelf")
	if err := os.Remove(filepath.Join(shelf, "gone.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shelf, "changes.txt"), []byte("after"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := func(media, text string) string { return fmt.Sprintf(`"mimeType":%q,"text":%q}`, media, text) }
	blob := func(media, data string) string {
		return fmt.Sprintf(`"mimeType":%q,"blob":%q}`, media, base64.StdEncoding.EncodeToString([]byte(data)))
	}
	for file, want := range map[string]string{
		"picture.png": blob("image/png", binary), "broken.txt": blob("text/plain", "a\xffb"), "page.html": text("text/html", "<p>"),
		"data.json": text("application/json", "{}"), "drawing.svg": text("image/svg+xml", "<svg/>"), "README": text("text/x-unknown", "plain"),
		"empty.txt": text("text/plain", ""), "notes.yaml": text("application/yaml", "a: 1"), "changes.txt": text("text/plain", "after"),
	} {
		if r := read(t, e, "files://all/"+file); !strings.Contains(string(r.Result), want) {
			t.Errorf("%s: %s, want %s", file, r.raw, want)
		}
	}
	if r := read(t, e, "files://all/gone.txt"); r.Error == nil || !strings.Contains(string(r.Error.Data), "gone.txt") {
		t.Errorf("a file that is gone: %s", r.raw)
	}
	if r := read(t, e, "files://all/huge.bin"); r.Error == nil || r.Error.Code != core.CodeInternalError || !strings.Contains(r.Error.Message, "larger than 8388608 bytes") {
		t.Errorf("a file of 9 MB: %.200s", r.raw)
	}
}

// refusal is what New says about a capability.
func refusal(t testing.TB, name, capability string) string {
	t.Helper()
	b := bound(t, name, []byte(capability))
	_, err := New(Options{Bound: b, Adapter: b.Plan.MCP[0], Version: "1"})
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), filepath.Dir(name)+string(filepath.Separator), "")
}

// What cannot be served is said at the start, not to the first who asks.
func TestNewRefusesMissingFiles(t *testing.T) {
	prompts := func(location string) string {
		return strings.Split(library, "    resources:")[0] + "    prompts:\n    - {name: ask, label: Ask, description: Asks., location: '" + location + "'}\n"
	}
	many := map[string]string{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("shelf/%d", i)] = ""
	}
	for _, c := range []struct {
		name, capability string
		files            map[string]string
		want             string
	}{
		{"no folder", library, nil, "library: resource files: there is no folder shelf"},
		{"too many files", library, many, "library: resource files: the folder holds more than 10000 files"},
		{"no prompt", prompts("file:///./ask.md"), nil, "library: prompt ask: there is no file ask.md"},
		{"a huge prompt", prompts("file:///./ask.md"), map[string]string{"ask.md": strings.Repeat("x", maxPromptFile+1)}, "library: prompt ask: ask.md is larger than 1048576 bytes"},
		{"a prompt that is a folder", prompts("file:///./ask.md"), map[string]string{"ask.md/a": ""}, "library: prompt ask: ask.md is not a file"},
		{"a prompt", prompts("file:///./ask.md"), map[string]string{"ask.md": "Ask {{who}}."}, ""},
		{"an empty folder", library, map[string]string{"shelf/a": ""}, ""},
	} {
		if got := refusal(t, shelf(t, c.files), c.capability); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzMatch: a URI that a template makes of values gives these values back.
// A template's parameter is completed from what the contract allows.
func TestTemplateCompletion(t *testing.T) {
	api, err := openapi.Parse("api.yaml", []byte(`
openapi: 3.1.0
info: {title: Api, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /berths/{state}:
    get:
      parameters: [{name: state, in: path, required: true, schema: {type: string, enum: [free, frozen, taken]}}]
      responses: {'200': {description: Berths}}
`))
	if err != nil {
		t.Fatal(err)
	}
	e := endpoint(t, bound(t, "berths.yaml", []byte(`
ikanos: 1.0.0-beta1
info: {label: Berths}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: https://api.example.com
    resources:
    - {name: berths, path: '/berths/{state}', operations: [{name: berths, method: GET, inputParameters: [{name: state, in: path}]}]}
  exposes:
  - type: mcp
    namespace: berths
    resources:
    - {name: berths, label: Berths, description: Berths., uri: 'berths://{state}', call: api.berths}
`), api), nil)
	for argument, want := range map[string]string{
		`{"name":"state","value":"fr"}`: `["free","frozen"]`, `{"name":"state","value":""}`: `["free","frozen","taken"]`,
		`{"name":"state","value":"x"}`: `[]`, `{"name":"other","value":""}`: `[]`,
	} {
		r := call(t, e, "/mcp", "completion/complete", `{"ref":{"type":"ref/resource","uri":"berths://{state}"},"argument":`+argument+`}`)
		if !strings.Contains(string(r.Result), `"values":`+want) {
			t.Errorf("%s: %s, want %s", argument, r.Result, want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a", "b c")
	f.Add("%2F", "..")
	f.Fuzz(func(t *testing.T, one, two string) {
		r := &plan.Resource{URI: "x://{one}/y/{two}/z", Literals: []string{"x://", "/y/", "/z"}, Params: []string{"one", "two"}}
		values, ok := r.Match("x://" + url.PathEscape(one) + "/y/" + url.PathEscape(two) + "/z")
		if ok != (one != "" && two != "") {
			t.Fatalf("%q and %q match: %t", one, two, ok)
		}
		if ok && (values[0] != url.PathEscape(one) || values[1] != url.PathEscape(two)) {
			t.Errorf("%q and %q became %q", one, two, values)
		}
	})
}
