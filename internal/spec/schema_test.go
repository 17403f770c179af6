package spec

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"patchbay/capabilities"
	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

// editorSchema is the schema as an independent implementation compiles it.
func editorSchema(t testing.TB, draft *jsonschema.Draft) *jsonschema.Schema {
	t.Helper()
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	if draft == jsonschema.Draft7 {
		text = bytes.Replace(text, []byte("https://json-schema.org/draft/2020-12/schema"), []byte("http://json-schema.org/draft-07/schema#"), 1)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("capability.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("capability.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is a YAML text as JSON has it. Dates are text there.
func value(t testing.TB, source []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(yamltext.AcceptVersion(source), &n); err != nil {
		t.Fatal(err)
	}
	asText(&n, map[*yaml.Node]bool{})
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asText(n *yaml.Node, seen map[*yaml.Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Tag == "!!timestamp" {
		n.Tag = tagText
	}
	for _, c := range n.Content {
		asText(c, seen)
	}
}

// whole is the smallest mapping of a shape about which nothing is to be said.
func whole(s shape) map[string]any {
	switch s {
	case rootShape:
		return map[string]any{"naftiko": "1.0.0-alpha2", "capability": map[string]any{}}
	case bindShape, consumesShape, aggregateShape:
		return map[string]any{"namespace": "n"}
	case consumedResourceShape, exposedResourceShape:
		return map[string]any{"path": "/p"}
	case consumedOperationShape, inputShape, toolShape, functionShape:
		return map[string]any{"name": "n"}
	case authenticationShape:
		return map[string]any{"type": "hmac"}
	case restShape, mcpShape, skillShape, controlShape:
		return map[string]any{"type": strings.TrimSuffix(s.id(), "-adapter")}
	case adapterShape:
		return map[string]any{"type": "rest"}
	case promptShape:
		return map[string]any{"name": "n", "template": "Say"}
	case promptMessageShape:
		return map[string]any{"content": "Say"}
	case mcpResourceShape:
		return map[string]any{"uri": "a://b"}
	case callStepShape, lookupStepShape, scriptStepShape:
		return map[string]any{"type": strings.TrimSuffix(s.id(), "-step")}
	case stepMappingShape:
		return map[string]any{"target": "t", "value": "$.s"}
	default:
		return map[string]any{}
	}
}

// around is a document with a value in the place of a mapping of the shape.
func around(s shape, v any) any {
	in := func(outer shape, key string, inner any) any {
		m := whole(outer)
		m[key] = inner
		return around(outer, m)
	}
	switch s {
	case rootShape:
		return v
	case capabilityShape:
		return in(rootShape, "capability", v)
	case infoShape:
		return in(rootShape, "info", v)
	case stakeholderShape:
		return in(infoShape, "stakeholders", []any{v})
	case bindShape:
		return in(rootShape, "binds", []any{v})
	case consumesShape:
		return in(capabilityShape, "consumes", []any{v})
	case consumedResourceShape:
		return in(consumesShape, "resources", []any{v})
	case consumedOperationShape:
		return in(consumedResourceShape, "operations", []any{v})
	case inputShape:
		return in(consumesShape, "inputParameters", []any{v})
	case outputShape:
		return in(toolShape, "outputParameters", []any{v})
	case authenticationShape:
		return in(consumesShape, "authentication", v)
	case bodyShape:
		return in(consumedOperationShape, "body", v)
	case restShape, mcpShape, skillShape, controlShape, adapterShape:
		return in(capabilityShape, "exposes", []any{v})
	case exposedResourceShape:
		return in(restShape, "resources", []any{v})
	case exposedOperationShape:
		return in(exposedResourceShape, "operations", []any{v})
	case forwardShape:
		return in(exposedResourceShape, "forward", v)
	case toolShape:
		return in(mcpShape, "tools", []any{v})
	case hintsShape:
		return in(toolShape, "hints", v)
	case mcpResourceShape:
		return in(mcpShape, "resources", []any{v})
	case promptShape:
		return in(mcpShape, "prompts", []any{v})
	case promptMessageShape:
		return in(promptShape, "template", []any{v})
	case callStepShape, lookupStepShape, scriptStepShape:
		return in(toolShape, "steps", []any{v})
	case stepMappingShape:
		return in(toolShape, "mappings", []any{v})
	case aggregateShape:
		return in(capabilityShape, "aggregates", []any{v})
	case functionShape:
		return in(aggregateShape, "functions", []any{v})
	case semanticsShape:
		return in(functionShape, "semantics", v)
	case managementShape:
		return in(controlShape, "management", v)
	case scriptingShape:
		return in(managementShape, "scripting", v)
	default: // exposedSkillShape
		return in(skillShape, "skills", []any{v})
	}
}

// samples are values of every form that a key may take, right or wrong.
func samples(f *field) []any {
	out := []any{
		"word", "", "12", 7, 70000, 1.5, true, "yes", "TRUE", nil,
		[]any{},
		[]any{"word"},
		[]any{7, true},
		[]any{[]any{}},
		[]any{map[string]any{}},
		[]any{nil},
		map[string]any{},
		map[string]any{"a": "word"},
		map[string]any{"a": true},
		map[string]any{"a": []any{"word"}},
		map[string]any{"a": map[string]any{}},
		map[string]any{"a": nil},
		map[string]any{"x-mine": "word"},
		map[string]any{"type": "string"},
		map[string]any{"type": map[string]any{}},
		map[string]any{"mapping": "$."},
		map[string]any{"data": "word"},
		map[string]any{"data": "word", "kind": "word"},
		map[string]any{"type": "word", "data": nil},
	}
	for _, w := range f.words {
		out = append(out, w, strings.ToUpper(w))
	}
	switch f.form {
	case listForm, partsForm, listOnlyForm, oneForm, outputsForm, messagesForm, mappingForm, bodyForm, authenticationForm:
		whole := whole(f.of)
		out = append(out, whole, []any{whole}, map[string]any{"n": whole}, []any{with1(whole, "nonsense", "word")})
	}
	return out
}

func with1(m map[string]any, key string, v any) map[string]any {
	m = maps.Clone(m)
	m[key] = v
	return m
}

// judged returns what the reader says against a document, and what the schema does.
func judged(t *testing.T, s *jsonschema.Schema, doc any) (reader, editor string, text []byte) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, list := Load("f", text)
	for _, d := range list {
		if d.Severity >= diag.Warning {
			reader = d.Message
		}
	}
	if err := s.Validate(value(t, text)); err != nil {
		editor = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return reader, editor, text
}

// apart reports whether reader and schema may differ about a value: where an
// editor judges a word that the reader leaves to another stage, and where a name
// would have to be compared with others.
func apart(f *field, v any) bool {
	switch v := v.(type) {
	case string, int, float64, bool:
		return f.later || f.key == "targetName"
	case []any:
		return f.form == requiredForm && len(v) > 0
	case map[string]any:
		word, typed := v["type"].(string)
		return f.form == authenticationForm || f.of == adapterShape && typed && !slices.Contains([]string{"rest", "mcp", "skill", "control"}, word)
	default:
		return false
	}
}

// For every key of every shape and every form of value, the schema refuses what
// the reader reports, and nothing else.
func TestSchemaAgreesWithReader(t *testing.T) {
	s := editorSchema(t, jsonschema.Draft2020)
	compared := 0
	for sh := range shapeCount {
		if sh == authenticationShape {
			continue // see TestSchemaOfAuthentication
		}
		for _, f := range append(sh.fields(), field{key: "nonsense", form: freeForm}, field{key: "x-mine", form: freeForm}) {
			for _, v := range samples(&f) {
				if apart(&f, v) {
					continue
				}
				reader, editor, text := judged(t, s, around(sh, with1(whole(sh), f.key, v)))
				if (reader == "") != (editor == "") {
					t.Errorf("%s: %s: the reader says %q, the schema %q", f.key, text, reader, editor)
				}
				compared++
			}
		}
		for key := range whole(sh) {
			less := maps.Clone(whole(sh))
			delete(less, key)
			reader, editor, text := judged(t, s, around(sh, less))
			if (reader == "") != (editor == "") {
				t.Errorf("without %s: %s: the reader says %q, the schema %q", key, text, reader, editor)
			}
		}
	}
	if compared < 5000 {
		t.Errorf("%d documents were compared", compared)
	}
}

// What the schemes may have is the same for both.
func TestSchemaOfAuthentication(t *testing.T) {
	s := editorSchema(t, jsonschema.Draft2020)
	keys := append(authenticationShape.keys(), "nonsense", "x-mine")
	for _, scheme := range []string{"basic", "Basic", "bearer", "digest", "apikey", "apiKey", "api-key", "oauth2"} {
		for _, key := range keys {
			for _, v := range []any{"word", 7, true, nil, []any{}, map[string]any{"a": "b"}} {
				if key == "type" || key == "placement" || key == "in" || scheme == "oauth2" && key != "x-mine" {
					continue // judged by another stage
				}
				auth := map[string]any{"type": scheme, key: v}
				reader, editor, text := judged(t, s, around(authenticationShape, auth))
				if (reader == "") != (editor == "") {
					t.Errorf("%s: the reader says %q, the schema %q", text, reader, editor)
				}
			}
		}
	}
	for scheme, want := range map[string]bool{"basic": true, "BASIC": true, "api_key": true, "oauth2": true, "hmac": false, "bearrer": false} {
		_, editor, _ := judged(t, s, around(authenticationShape, map[string]any{"type": scheme}))
		if (editor == "") != want {
			t.Errorf("%s: the schema says %q", scheme, editor)
		}
	}
}

// The schema means the same to an editor that speaks draft-07.
func TestSchemaIsCommonToDrafts(t *testing.T) {
	newer, older := editorSchema(t, jsonschema.Draft2020), editorSchema(t, jsonschema.Draft7)
	for sh := range shapeCount {
		for _, f := range sh.fields() {
			for _, v := range samples(&f) {
				doc := around(sh, with1(whole(sh), f.key, v))
				text, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				got, want := older.Validate(value(t, text)), newer.Validate(value(t, text))
				if (got == nil) != (want == nil) {
					t.Errorf("%s: draft-07 says %v, 2020-12 %v", text, got, want)
				}
			}
		}
	}
}

// The files that run satisfy the schema, whatever the reader notes about them.
func TestSchemaTakesCapabilities(t *testing.T) {
	s := editorSchema(t, jsonschema.Draft2020)
	embedded := capabilities.FlexInteractions()
	if err := s.Validate(value(t, embedded.Data)); err != nil {
		t.Errorf("%s: %v", embedded.Name, err)
	}
	for _, path := range glob(t, "testdata/ok/*.yaml") {
		source := read(t, path)
		_, list := Load(path, source)
		err := s.Validate(value(t, source))
		clean := list.Count(diag.Error)+list.Count(diag.Warning) == 0
		if filepath.Base(path) == "flex_dialect.yaml" {
			clean = false // it has types that the reader leaves to the next stage
		}
		if clean != (err == nil) {
			t.Errorf("%s: the schema says %v, the reader %v", path, err, list)
		}
	}
}

func TestSchemaTakesCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "corpus", "twilio")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the corpus is not here")
	}
	s := editorSchema(t, jsonschema.Draft2020)
	files := glob(t, filepath.Join(dir, "*.yaml"))
	for _, path := range files {
		if err := s.Validate(value(t, read(t, path))); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if len(files) != 117 {
		t.Errorf("%d files, want 117", len(files))
	}
}

// Every key and every shape has words for people, and these are whole sentences.
func TestFieldsAreDocumented(t *testing.T) {
	for sh := range shapeCount {
		seen := map[string]bool{}
		for _, f := range sh.fields() {
			if seen[f.key] {
				t.Errorf("%s has %s twice", sh, f.key)
			}
			seen[f.key] = true
			if !strings.HasSuffix(f.doc, ".") && f.doc[len(f.doc)-1] != '`' {
				t.Errorf("%s in %s: %q is no sentence", f.key, sh, f.doc)
			}
			if strings.Count(f.doc, "`")%2 != 0 {
				t.Errorf("%s in %s: %q has an open code span", f.key, sh, f.doc)
			}
		}
	}
}

// Keywords that draft-07 editors do not know would be checks that silently
// do nothing.
func TestSchemaKeywords(t *testing.T) {
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	known := []string{
		"$schema", "$defs", "$ref", "title", "description", "deprecated", "type", "const", "enum", "pattern", "minLength", "minimum", "maximum", "minItems", "items",
		"required", "properties", "patternProperties", "additionalProperties", "allOf", "anyOf", "oneOf", "if", "then", "else",
		"markdownDescription", "deprecationMessage", "doNotSuggest", "errorMessage",
	}
	var walk func(v any, names bool) // names: the keys are the author's
	walk = func(v any, names bool) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if !names && !slices.Contains(known, key) {
					t.Errorf("the keyword %s is not common to 2020-12 and draft-07", key)
				}
				walk(inner, !names && slices.Contains([]string{"$defs", "properties", "patternProperties"}, key))
			}
			if ref, ok := v["$ref"]; ok && !names {
				for key := range v {
					if !slices.Contains([]string{"$ref", "title", "description", "markdownDescription", "deprecated", "deprecationMessage", "doNotSuggest"}, key) {
						t.Errorf("%v has %s beside $ref, which draft-07 ignores", ref, key)
					}
				}
			}
		case []any:
			for _, inner := range v {
				walk(inner, false)
			}
		}
	}
	walk(doc, false)
}
