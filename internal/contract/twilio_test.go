package contract

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
	"patchbay/internal/schema"
)

// providerDocuments are Twilio's own documents beside the repository.
func providerDocuments(t testing.TB) []*openapi.Document {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "..", "shared", "contracts", "twilio-oai", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Skipf("Twilio's documents are not here (%v)", err)
	}
	var docs []*openapi.Document
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := openapi.Parse(filepath.Base(path), data)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return docs
}

// Every operation of the provider joins without problems, and the shape that is
// published for its answers accepts every answer that the documents show.
func TestProviderDocuments(t *testing.T) {
	operations, shapes, examples := 0, 0, 0
	for _, d := range providerDocuments(t) {
		s := NewSet(d)
		for _, ref := range d.References() {
			op, problems := s.Join(ref.Method, ref.Server, ref.Path)
			if op == nil || problems != nil {
				t.Errorf("%s: %s %s: %v %q", d.Name, ref.Method, ref.Path, op, problems)
				continue
			}
			operations++
			raw, ok := op.Shape()
			if !ok {
				continue
			}
			shapes++
			compiled, wrong := schema.Compile(&raw, schema.Options{})
			if wrong != nil {
				t.Errorf("%s: %s %s: shape %s: %v", d.Name, ref.Method, ref.Path, raw.Append(nil), wrong)
			}
			for _, example := range successExamples(t, &ref) {
				examples++
				var report schema.Report
				if !compiled.Check(&example, "", &report) {
					t.Errorf("%s: %s %s: %q", d.Name, ref.Method, ref.Path, where(&report))
				}
			}
		}
	}
	t.Logf("%d operations, %d shapes, %d examples", operations, shapes, examples)
	if operations < 1000 || examples < 1000 {
		t.Errorf("%d operations with %d examples are too few", operations, examples)
	}
}

// What is published about requests is valid JSON Schema 2020-12 by its own
// meta-schema.
func TestProviderRequests(t *testing.T) {
	meta, err := jsonschema.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range providerDocuments(t) {
		s := NewSet(d)
		for _, ref := range d.References() {
			op, _ := s.Join(ref.Method, ref.Server, ref.Path)
			published := []jsonvalue.Value{op.BodySchema()}
			for _, list := range [][]*Param{op.Path, op.Query, op.Header} {
				for _, p := range list {
					published = append(published, op.Input(p))
				}
			}
			for _, p := range published {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(p.Append(nil)))
				if err != nil {
					t.Fatal(err)
				}
				if err := meta.Validate(v); err != nil {
					t.Errorf("%s: %s %s: %s: %v", d.Name, ref.Method, ref.Path, p.Append(nil), err)
				}
			}
		}
	}
}

// successExamples are the JSON objects that a document shows as answers.
func successExamples(t *testing.T, ref *openapi.Reference) []jsonvalue.Value {
	t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "%", "%25")
	at := "#/paths/" + escape.Replace(ref.Path) + "/" + strings.ToLower(ref.Method) + "/responses"
	responses, ok := ref.Document().Resolve(at)
	if !ok {
		t.Fatalf("%s has no %s", ref.Document().Name, at)
	}
	var out []jsonvalue.Value
	for _, r := range responses.Elems() {
		if !strings.HasPrefix(r.Name, "2") || r.Value.Get("content") == nil {
			continue
		}
		for _, c := range r.Value.Get("content").Elems() {
			examples := c.Value.Get("examples")
			if examples == nil {
				continue
			}
			for _, e := range examples.Elems() {
				if v := e.Value.Get("value"); v != nil && v.Kind() == jsonvalue.Object {
					out = append(out, *v)
				}
			}
		}
	}
	return out
}
