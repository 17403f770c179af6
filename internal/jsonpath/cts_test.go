package jsonpath

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"patchbay/internal/jsonvalue"
)

// suiteCase is one case of the JSONPath compliance test suite.
type suiteCase struct {
	Name     string            `json:"name"`
	Selector string            `json:"selector"`
	Invalid  bool              `json:"invalid_selector"`
	Document json.RawMessage   `json:"document"`
	Result   json.RawMessage   `json:"result"`
	Results  []json.RawMessage `json:"results"`
}

// accepts reports whether the values are one of the allowed answers.
func (c suiteCase) accepts(t *testing.T, got []*jsonvalue.Value) bool {
	t.Helper()
	members := make([]jsonvalue.Member, len(got))
	for i, v := range got {
		members[i].Value = *v
	}
	list := jsonvalue.ArrayOf(members)
	for _, want := range append(c.Results, c.Result) {
		if len(want) == 0 {
			continue
		}
		if value := parse(t, string(want)); jsonvalue.Equal(&list, &value) {
			return true
		}
	}
	return false
}

// suite reads the compliance suite from beside the repository.
func suite(t *testing.T) []suiteCase {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("no go.mod above the test")
		}
		root = up
	}
	data, err := os.ReadFile(filepath.Join(root, "..", "shared", "suites", "jsonpath", "cts.json"))
	if os.IsNotExist(err) {
		t.Skip("the compliance suite is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []suiteCase `json:"tests"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tests) < 703 {
		t.Fatalf("the suite has %d cases, want 703 or more", len(file.Tests))
	}
	return file.Tests
}

func TestComplianceSuite(t *testing.T) {
	for _, c := range suite(t) {
		path, err := Compile(c.Selector)
		if c.Invalid {
			if err == nil {
				t.Errorf("%s: %q compiles", c.Name, c.Selector)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %q: %v", c.Name, c.Selector, err)
			continue
		}
		doc := parse(t, string(c.Document))
		got, err := path.Query(&doc)
		if err != nil || !c.accepts(t, got) {
			t.Errorf("%s: %q selects %s, %v", c.Name, c.Selector, texts(got), err)
		}
	}
}

// What is valid by the RFC means the same to the lenient compiler.
func TestLenientIsASuperset(t *testing.T) {
	for _, c := range suite(t) {
		if c.Invalid {
			continue
		}
		path, err := CompileLenient(c.Selector)
		if err != nil {
			t.Errorf("%s: %q: %v", c.Name, c.Selector, err)
			continue
		}
		doc := parse(t, string(c.Document))
		got, err := path.Query(&doc)
		if err != nil || !c.accepts(t, got) {
			t.Errorf("%s: %q selects %s, %v", c.Name, c.Selector, texts(got), err)
		}
	}
}
