package corpustest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A shape is what a description of an operation is compared by.
type shape struct {
	// Parameters are "in name", with a star where it is required.
	Parameters []string
	// Fields are those of the body, with a star where they are required; nil for
	// no body.
	Fields []string
	// Answer reports a schema for a success.
	Answer bool
}

// checkDescriptions: the OpenAPI description of each REST adapter has every
// operation, with what the file and the documents say about it.
func (g *gateway) checkDescriptions(t *testing.T, files []*capability) {
	t.Helper()
	operations, answers := 0, 0
	for _, c := range files {
		targets := c.targets(t, "rest")
		status, said := send(t, http.MethodGet, g.addresses[targets[0].adapter]+"/.patchbay/openapi.json", http.Header{}, "")
		d := &document{name: c.file}
		if err := json.Unmarshal([]byte(said), &d.root); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d, %v", c.file, status, err)
		}
		if v := text(d.root["openapi"]); v != "3.1.0" && v != "3.1.1" {
			t.Errorf("%s: the description is of OpenAPI %q", c.file, v)
		}
		for i := range targets {
			x := &targets[i]
			operations++
			op := d.object(d.object(d.object(d.root["paths"])[x.route])[strings.ToLower(x.Method)])
			want := x.shape()
			if diff := cmp.Diff(want, d.shape(op)); diff != "" {
				t.Errorf("%s: %s %s (-want +described):\n%s", c.file, x.Method, x.route, diff)
			}
			if want.Answer {
				answers++
			}
		}
	}
	if operations != 921 || answers == 0 {
		t.Errorf("%d operations and %d schemas of answers, want 921 and some", operations, answers)
	}
}

// shape is what the description of an operation says.
func (d *document) shape(op map[string]any) shape {
	var out shape
	for _, declared := range list(op["parameters"]) {
		p := d.object(declared)
		out.Parameters = append(out.Parameters, starred(text(p["in"])+" "+text(p["name"]), p["required"] == true))
	}
	slices.Sort(out.Parameters)
	if body, ok := op["requestBody"]; ok {
		content := d.object(d.object(body)["content"])
		out.Fields = d.fields(d.object(d.object(content[jsonMedia])["schema"]))
	}
	out.Answer = d.answers(op)
	return out
}

// shape is what the description of an operation has to say.
func (x *target) shape() shape {
	var out shape
	c := x.op.contract
	_, upstream := split(x.op.path)
	_, route := split(x.route)
	for _, name := range upstream {
		input := x.input(name)
		at := slices.IndexFunc(route, func(r string) bool { return same(r, input) })
		if at >= 0 {
			out.Parameters = append(out.Parameters, starred("path "+route[at], true))
		} else {
			out.Parameters = append(out.Parameters, starred("query "+input, true))
		}
	}
	for _, p := range x.op.params() {
		required := p.required || slices.ContainsFunc(x.op.Inputs, func(i declared) bool { return i.In == p.in && same(i.Name, p.name) && i.Required })
		out.Parameters = append(out.Parameters, starred(p.in+" "+x.input(p.name), required))
	}
	slices.Sort(out.Parameters)
	if c.media != "" {
		out.Fields = c.doc.fields(c.schema)
	}
	out.Answer = c.doc.answers(c.operation)
	return out
}

func (d *document) fields(schema map[string]any) []string {
	out := []string{}
	for _, name := range slices.Sorted(maps.Keys(d.object(schema["properties"]))) {
		out = append(out, starred(name, slices.Contains(list(schema["required"]), any(name))))
	}
	return out
}

// answers reports whether a success of an operation has a schema.
func (d *document) answers(op map[string]any) bool {
	for status, answer := range d.object(op["responses"]) {
		if strings.HasPrefix(status, "2") && len(d.object(d.object(d.object(d.object(answer)["content"])[jsonMedia])["schema"])) > 0 {
			return true
		}
	}
	return false
}

func starred(name string, required bool) string {
	if required {
		return name + " *"
	}
	return name
}
