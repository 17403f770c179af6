package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"patchbay/internal/jsonvalue"
)

// The reasons why a case of the Mustache suite is not run.
const (
	escapesHTML = "values go into JSON, URLs and headers: HTML escaping would spoil them"
	isSection   = "sections are an error here"
	looksUp     = "finding the value of a name is up to the caller, who binds it to a slot"
	isImplicit  = "there is no current value: {{.}} is a placeholder of that name"
	isStandLone = "a comment takes only itself away, not its line"
)

// skipped are the cases of other semantics, by module and name.
func skipped() map[string]string {
	return map[string]string{
		"interpolation/HTML Escaping":                                    escapesHTML,
		"interpolation/Implicit Iterators - HTML Escaping":               escapesHTML,
		"interpolation/Implicit Iterators - Basic Interpolation":         isImplicit,
		"interpolation/Implicit Iterators - Triple Mustache":             isImplicit,
		"interpolation/Implicit Iterators - Ampersand":                   isImplicit,
		"interpolation/Implicit Iterators - Basic Integer Interpolation": isImplicit,
		"interpolation/Dotted Names - Basic Interpolation":               isSection,
		"interpolation/Dotted Names - Triple Mustache Interpolation":     isSection,
		"interpolation/Dotted Names - Ampersand Interpolation":           isSection,
		"interpolation/Dotted Names - Initial Resolution":                isSection,
		"interpolation/Dotted Names - Context Precedence":                isSection,
		"interpolation/Dotted Names - Arbitrary Depth":                   looksUp,
		"interpolation/Dotted Names - Broken Chains":                     looksUp,
		"interpolation/Dotted Names - Broken Chain Resolution":           looksUp,
		"interpolation/Dotted Names are never single keys":               looksUp,
		"interpolation/Dotted Names - No Masking":                        looksUp,
		"comments/Standalone":                                            isStandLone,
		"comments/Indented Standalone":                                   isStandLone,
		"comments/Standalone Line Endings":                               isStandLone,
		"comments/Standalone Without Previous Line":                      isStandLone,
		"comments/Standalone Without Newline":                            isStandLone,
		"comments/Multiline Standalone":                                  isStandLone,
		"comments/Indented Multiline Standalone":                         isStandLone,
	}
}

func TestMustacheSuite(t *testing.T) {
	skip := skipped()
	for _, module := range []string{"interpolation", "comments"} {
		data, err := os.ReadFile(filepath.Join(besideRepository(t), "suites", "mustache", module+".json"))
		if os.IsNotExist(err) {
			t.Skip("the suite is not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct {
				Name, Template, Expected string
				Data                     json.RawMessage
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		for _, c := range file.Tests {
			name := module + "/" + c.Name
			if _, ok := skip[name]; ok {
				delete(skip, name)
				continue
			}
			scope, err := jsonvalue.Parse(c.Data)
			if err != nil {
				t.Fatal(err)
			}
			bound, slots := bindByName(compile(t, c.Template, Value))
			values := make([]jsonvalue.Value, len(slots))
			for name, slot := range slots {
				if v := scope.Get(name); v != nil {
					values[slot] = *v
				}
			}
			if got, _ := bound.Append(nil, values, None); string(got) != c.Expected {
				t.Errorf("%s: got %q, want %q", name, got, c.Expected)
			}
		}
	}
	for name := range skip {
		t.Errorf("%s is skipped, but the suite does not hold it", name)
	}
}
