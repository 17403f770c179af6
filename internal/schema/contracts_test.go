package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/internal/jsonvalue"
)

// TestPublishedContracts compiles every schema of the published OpenAPI 3.0
// documents that lie beside the repository: real contracts must not have
// keywords that we ignore.
func TestPublishedContracts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository(t), "..", "shared", "contracts", "twilio-oai", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no contracts beside the repository")
	}
	compiledSchemas := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonvalue.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		opts := Options{OpenAPI30: true, Request: true, AssertFormat: true, Resolve: func(ref string) (*jsonvalue.Value, bool) {
			v := pointed(&doc, strings.TrimPrefix(ref, "#"))
			return v, v != nil
		}}
		eachSchema(&doc, func(v *jsonvalue.Value) {
			compiledSchemas++
			s, problems := Compile(v, opts)
			for _, p := range problems {
				t.Errorf("%s: %v", filepath.Base(file), p)
			}
			for _, p := range s.Properties() {
				_ = expectation(p.Schema)
			}
		})
	}
	if compiledSchemas < 100 {
		t.Errorf("only %d schemas were found", compiledSchemas)
	}
}

// eachSchema visits what stands under a "schema" key, and components/schemas.
func eachSchema(v *jsonvalue.Value, visit func(*jsonvalue.Value)) {
	for i := range v.Elems() {
		m := &v.Elems()[i]
		switch m.Name {
		case "example", "examples": // instances
		case "schema":
			visit(&m.Value)
		case "schemas":
			for j := range m.Value.Elems() {
				visit(&m.Value.Elems()[j].Value)
			}
		default:
			eachSchema(&m.Value, visit)
		}
	}
}

// repository returns the directory of go.mod.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("not inside the module")
		}
		dir = parent
	}
}
