package corpustest

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// figures are what was called.
type figures struct {
	Files, REST, Tools int
	// Form and JSON count operations of REST by the type of their body.
	Form, JSON int
}

// A round is one way of calling everything.
type round struct {
	name string
	how  amount
	era  string
	// whole calls tools at the endpoint of all, else each at its adapter's.
	whole bool
	// lavish writes JSON with white space and escapes.
	lavish bool
	// form sends the bodies that become forms as forms, and calls nothing else.
	form bool
	want figures
}

func rounds() []round {
	all := figures{Files: 117, REST: 921, Tools: 921, Form: 296, JSON: 12}
	return []round{
		{name: "everything", how: everything, era: modern, want: all},
		{name: "some things", how: someThings, era: legacy, whole: true, lavish: true, want: all},
		{name: "what has to be", how: nothingOptional, era: legacy, want: all},
		{name: "forms as a form", how: someThings, form: true, want: figures{Files: 117, REST: 296, Form: 296}},
	}
}

// TestCatalogue calls all operations of all files, through REST and as tools, and
// compares what arrives upstream with what the documents say. It also looks at
// the schemas that the tools advertise.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	folder := shared(t, "corpus", "twilio")
	documents := []string{shared(t, "contracts", "twilio-oai"), shared(t, "contracts", "api-evangelist")}
	files := readCatalogue(t, folder, readContracts(t, documents...))
	g := serve(t, []string{folder}, documents)
	for _, r := range rounds() {
		t.Run(r.name, func(t *testing.T) {
			if diff := cmp.Diff(r.want, g.callAll(t, files, r)); diff != "" {
				t.Errorf("figures (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("descriptions", func(t *testing.T) { g.checkDescriptions(t, files) })
	t.Run("schemas", func(t *testing.T) { g.checkSchemas(t, files) })
	t.Run("faults", func(t *testing.T) {
		for _, f := range faults() {
			if g.noticed[f.name] == 0 {
				t.Errorf("no request could have had %s: the fault shows nothing", f.name)
			}
		}
		t.Logf("faults that would have been noticed: %v", g.noticed)
	})
}

// TestPrecedence: of two documents that contradict each other, the first decides.
// Only one of these knows that Flex Interactions takes forms.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	corpus := shared(t, "corpus", "twilio")
	theirs := filepath.Join(shared(t, "contracts", "twilio-oai"), "twilio_flex_v1.json")
	others := filepath.Join(shared(t, "contracts", "api-evangelist"), "twilio-flex-openapi.yml")
	for _, c := range []struct {
		name      string
		documents []string
		want      figures
	}{
		{"the provider's first", []string{theirs, others}, figures{Files: 1, REST: 5, Tools: 5, Form: 2}},
		{"the other first", []string{others, theirs}, figures{Files: 1, REST: 5, Tools: 5, JSON: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ix := index{}
			for _, path := range c.documents {
				ix.add(readDocument(t, path))
			}
			file := readCapability(t, filepath.Join(corpus, "flex-interactions.yaml"), ix)
			g := serve(t, []string{filepath.Join(corpus, file.file)}, c.documents)
			got := g.callAll(t, []*capability{file}, round{how: everything, era: modern})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("figures (-want +got):\n%s", diff)
			}
		})
	}
}

// callAll calls the operations of files in one way.
func (g *gateway) callAll(t *testing.T, files []*capability, r round) figures {
	t.Helper()
	got := figures{Files: len(files)}
	var tools map[string]map[string]offered
	if !r.form {
		tools = g.offers(t, files, r)
	}
	for _, c := range files {
		for _, x := range c.targets(t, "rest") {
			switch {
			case x.op.contract.media == formMedia:
				got.Form++
			case r.form:
				continue
			case x.op.contract.media == jsonMedia:
				got.JSON++
			}
			got.REST++
			g.callREST(t, &x, r)
		}
		if r.form {
			continue
		}
		for _, x := range c.targets(t, "mcp") {
			got.Tools++
			g.callAsTool(t, &x, tools[x.adapter], r)
		}
	}
	return got
}

func (g *gateway) callREST(t *testing.T, x *target, r round) {
	t.Helper()
	in := draw(newGenerator(t, x.op.contract.doc, "rest "+x.Call+x.route), x.op, r.how)
	media, body := jsonMedia, ""
	switch {
	case in.hasBody && r.form:
		media, body = formMedia, formBody(in.body, x.op.contract.isList)
	case in.hasBody:
		body = r.written(in.body)
	}
	g.callRoute(t, x, in, media, body)
	g.compare(t, x, in)
}

func (g *gateway) callAsTool(t *testing.T, x *target, tools map[string]offered, r round) {
	t.Helper()
	tool, ok := tools[x.Name]
	if !ok {
		t.Errorf("%s: the tool %s is not listed", x.file, x.Name)
		return
	}
	random := newGenerator(t, x.op.contract.doc, "tool "+x.Name)
	in := draw(random, x.op, r.how)
	g.callTool(t, x, tool.endpoint, tool.name, r.era, r.written(x.arguments(t, random, in, tool.schema)))
	g.compare(t, x, in)
}

func (r round) written(v object) string {
	if r.lavish {
		return lavish(v)
	}
	return compact(v)
}

// compare holds what arrived against the expectation, and then makes sure that
// the expectation would have noticed each fault that the request could have had.
func (g *gateway) compare(t *testing.T, x *target, in *inputs) {
	t.Helper()
	requests := g.upstream.take()
	if len(requests) != 1 {
		t.Errorf("%s: %s sent %d requests", x.file, x.Name, len(requests))
		return
	}
	want := expected(x, in)
	if diff := cmp.Diff(want, arrived(&requests[0])); diff != "" {
		t.Errorf("%s: %s, described by %s (-want +got):\n%s", x.file, x.Name, x.op.contract.doc.name, diff)
		return
	}
	for _, f := range faults() {
		wrong, applies := mutated(&requests[0], f)
		if !applies {
			continue
		}
		g.noticed[f.name]++
		if reflect.DeepEqual(want, arrived(wrong)) {
			t.Errorf("%s: %s: nobody would notice %s", x.file, x.Name, f.name)
		}
	}
}
