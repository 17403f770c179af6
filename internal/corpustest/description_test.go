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

// checkDescriptions: the OpenAPI description of each REST adapter, and that of all
// of them, has every operation, with what the file and the documents say about it.
func (g *gateway) checkDescriptions(t *testing.T, files []*capability) {
	t.Helper()
	operations, answers := 0, 0
	whole := description(t, g.site, g.site+"/.patchbay/openapi.json")
	for _, c := range files {
		targets := c.targets(t, "rest")
		adapter := targets[0].adapter
		own := description(t, g.rest[adapter], g.site+"/.patchbay/"+adapter+"/openapi.json")
		for i := range targets {
			x := &targets[i]
			operations++
			want := x.shape()
			if diff := cmp.Diff(want, own.shape(x.route, x.Method)); diff != "" {
				t.Errorf("%s: %s %s (-want +described):\n%s", c.file, x.Method, x.route, diff)
			}
			if diff := cmp.Diff(want, whole.shape("/"+adapter+x.route, x.Method)); diff != "" {
				t.Errorf("%s: %s %s in the description of all (-want +described):\n%s", c.file, x.Method, x.route, diff)
			}
			if want.Answer {
				answers++
			}
		}
	}
	if operations != 921 || whole.operations() != 921 || answers == 0 {
		t.Errorf("%d operations, %d in the description of all, and %d schemas of answers: want 921 and some", operations, whole.operations(), answers)
	}
}

// description reads an OpenAPI description, which has to be of a server.
func description(t testing.TB, server, address string) *document {
	t.Helper()
	status, said := send(t, http.MethodGet, address, http.Header{}, "")
	d := &document{name: address}
	if err := json.Unmarshal([]byte(said), &d.root); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, status, err)
	}
	if v := text(d.root["openapi"]); v != "3.1.0" && v != "3.1.1" {
		t.Errorf("%s is of OpenAPI %q", address, v)
	}
	if diff := cmp.Diff([]string{server}, d.servers(d.root)); diff != "" {
		t.Errorf("servers of %s (-want +got):\n%s", address, diff)
	}
	return d
}

// operations counts those of a document.
func (d *document) operations() int {
	count := 0
	for _, item := range d.object(d.root["paths"]) {
		for key := range d.object(item) {
			if slices.Contains([]string{"get", "put", "post", "delete", "patch"}, key) {
				count++
			}
		}
	}
	return count
}

// shape is what the description of an operation says.
func (d *document) shape(path, method string) shape {
	op := d.object(d.object(d.object(d.root["paths"])[path])[strings.ToLower(method)])
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
	if x.op.Method != http.MethodGet {
		out.Parameters = append(out.Parameters, "header Idempotency-Key") // ours, on what changes something
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
