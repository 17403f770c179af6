package capabilities

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// Every consumed operation has exactly one counterpart, found by server, path
// and method, and named alike.
func TestContractJoinsTheCapability(t *testing.T) {
	var file struct {
		Capability struct {
			Consumes []struct {
				BaseURI   string `yaml:"baseUri"`
				Resources []struct {
					Path       string `yaml:"path"`
					Operations []struct {
						Name   string `yaml:"name"`
						Method string `yaml:"method"`
					} `yaml:"operations"`
				} `yaml:"resources"`
			} `yaml:"consumes"`
		} `yaml:"capability"`
	}
	if err := yaml.Load(FlexInteractions().Data, &file); err != nil {
		t.Fatal(err)
	}
	c := openContract(t)
	server := c.at(t, "servers").([]any)[0].(map[string]any)["url"].(string)
	want := map[string]operation{}
	for _, consumed := range file.Capability.Consumes {
		path, ok := strings.CutPrefix(consumed.BaseURI, server)
		if !ok {
			t.Fatalf("%s is not below %s", consumed.BaseURI, server)
		}
		for _, resource := range consumed.Resources {
			for _, op := range resource.Operations {
				want[op.Name] = operation{path + resource.Path, strings.ToLower(op.Method)}
			}
		}
	}
	if diff := cmp.Diff(want, c.operations(t), cmp.AllowUnexported(operation{})); diff != "" {
		t.Errorf("operations (-capability +contract):\n%s", diff)
	}
}

// wireFacts is what both documents state in comparable form.
type wireFacts struct {
	Parameters map[string]string // "path 0" or "query Name" to bounds and pattern
	Fields     map[string]string // form field to pattern or enum
	Required   []string
}

func TestContractStatesTwiliosFacts(t *testing.T) {
	p, c := openProvider(t), openContract(t)
	for id, op := range c.operations(t) {
		theirs := p.operation(t, op)
		want := wireFacts{Parameters: map[string]string{}, Fields: map[string]string{}}
		paths := 0
		for _, param := range theirs.Parameters {
			name := "query " + param.Name
			if param.In == "path" {
				name = "path " + strconv.Itoa(paths)
				paths++
			}
			want.Parameters[name] = param.Schema.bounds()
		}
		form := theirs.RequestBody.Content["application/x-www-form-urlencoded"].Schema
		want.Required = form.Required
		for name, field := range form.Properties {
			if ref, ok := strings.CutPrefix(field.Ref, "#/components/schemas/"); ok {
				field = p.schemas[ref]
			}
			want.Fields[name] = field.bounds()
		}
		if diff := cmp.Diff(want, c.facts(t, op)); diff != "" {
			t.Errorf("%s (-Twilio +contract):\n%s", id, diff)
		}
	}
}

func (s providerSchema) bounds() string {
	text := s.Pattern + strings.Join(s.Enum, "|")
	if s.Minimum != nil {
		text += " from " + s.Minimum.String()
	}
	if s.Maximum != nil {
		text += " to " + s.Maximum.String()
	}
	return text
}

func (c *contract) facts(t *testing.T, op operation) wireFacts {
	t.Helper()
	facts := wireFacts{Parameters: map[string]string{}, Fields: map[string]string{}}
	item := c.at(t, "paths", op.path).(map[string]any)
	own, _ := item[op.method].(map[string]any)["parameters"].([]any)
	shared, _ := item["parameters"].([]any)
	paths := 0
	for _, ref := range append(slices.Clone(shared), own...) {
		param := c.resolve(t, ref)
		name := "query " + param["name"].(string)
		if param["in"] == "path" {
			name = "path " + strconv.Itoa(paths)
			paths++
			if !strings.Contains(op.path, "{"+param["name"].(string)+"}") {
				t.Errorf("%s is not in the path %s", param["name"], op.path)
			}
		}
		if required, _ := param["required"].(bool); required != (param["in"] == "path") {
			t.Errorf("%s: required is %v", name, required)
		}
		if mark := param["schema"].(map[string]any)["x-patchbay-source"]; mark != "D" {
			t.Errorf("%s: mark %v on what Twilio's document says", name, mark)
		}
		facts.Parameters[name] = schemaOf(t, param["schema"]).bounds()
	}
	if _, ok := item[op.method].(map[string]any)["requestBody"]; !ok {
		return facts
	}
	content := c.at(t, "paths", op.path, op.method, "requestBody", "content").(map[string]any)
	if media := slices.Collect(maps.Keys(content)); len(media) != 1 {
		t.Errorf("%s takes %v, want forms only", op.path, media)
	}
	form := schemaOf(t, c.resolve(t, content["application/x-www-form-urlencoded"].(map[string]any)["schema"]))
	facts.Required = form.Required
	for name, field := range form.Properties {
		facts.Fields[name] = field.bounds()
	}
	return facts
}

// schemaOf reads one of our schemas in the form that Twilio's are read in.
func schemaOf(t *testing.T, v any) providerSchema {
	t.Helper()
	var s providerSchema
	m := v.(map[string]any)
	s.Pattern, _ = m["pattern"].(string)
	for _, word := range list(m["enum"]) {
		s.Enum = append(s.Enum, word.(string))
	}
	for _, name := range list(m["required"]) {
		s.Required = append(s.Required, name.(string))
	}
	if n, ok := m["minimum"].(json.Number); ok {
		s.Minimum = &n
	}
	if n, ok := m["maximum"].(json.Number); ok {
		s.Maximum = &n
	}
	properties, _ := m["properties"].(map[string]any)
	for name, property := range properties {
		if s.Properties == nil {
			s.Properties = map[string]providerSchema{}
		}
		s.Properties[name] = schemaOf(t, property)
	}
	return s
}

func list(v any) []any { l, _ := v.([]any); return l }

// resolve follows one reference inside the document.
func (c *contract) resolve(t testing.TB, v any) map[string]any {
	t.Helper()
	m := v.(map[string]any)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	return c.at(t, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
}

func TestExamplesAreValid(t *testing.T) {
	c := openContract(t)
	examples := 0
	for id, op := range c.operations(t) {
		method := c.at(t, "paths", op.path, op.method).(map[string]any)
		if _, ok := method["requestBody"]; ok {
			example := c.at(t, "paths", op.path, op.method, "requestBody", "content", "application/x-www-form-urlencoded", "example")
			examples++
			if diff := cmp.Diff([]string(nil), c.findings(t, c.requestSchema(t, id), example)); diff != "" {
				t.Errorf("%s: request example (-want +got):\n%s", id, diff)
			}
		}
		for status, ref := range method["responses"].(map[string]any) {
			example := c.resolve(t, ref)["content"].(map[string]any)["application/json"].(map[string]any)["example"]
			examples++
			if err := c.responseSchema(t, op, status).Validate(example); err != nil || example == nil {
				t.Errorf("%s %s: example %v: %v", id, status, example, err)
			}
		}
	}
	if examples != 38 {
		t.Errorf("%d examples, want 38: one per request body and per response", examples)
	}
}

// forEachNode visits every object below v with its place.
func forEachNode(v any, place string, visit func(place string, node map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(place, v)
		for name, child := range v {
			forEachNode(child, place+"/"+name, visit)
		}
	case []any:
		for i, child := range v {
			forEachNode(child, place+"/"+strconv.Itoa(i), visit)
		}
	}
}

func TestExtensionKeywords(t *testing.T) {
	c := openContract(t)
	known := []string{"x-patchbay-source", "x-patchbay-hints", "x-patchbay-reason"}
	forEachNode(c.doc, "", func(place string, node map[string]any) {
		for name := range node {
			if strings.HasPrefix(name, "x-") && !slices.Contains(known, name) {
				t.Errorf("%s: unknown extension %s", place, name)
			}
		}
		if mark, ok := node["x-patchbay-source"]; ok && !slices.Contains([]any{"D", "O", "I"}, mark) {
			t.Errorf("%s: mark %v", place, mark)
		}
		if then, ok := node["then"]; ok && !hasReason(then) {
			t.Errorf("%s: a condition without a reason", place)
		}
		checkHints(t, place, node)
	})
}

func hasReason(v any) bool {
	found := false
	forEachNode(v, "", func(_ string, node map[string]any) {
		reason, _ := node["x-patchbay-reason"].(string)
		found = found || reason != ""
	})
	return found
}

// checkHints finds hints that nobody can ever read.
func checkHints(t *testing.T, place string, node map[string]any) {
	t.Helper()
	hints, ok := node["x-patchbay-hints"].(map[string]any)
	if !ok {
		return
	}
	pattern, _ := node["pattern"].(string)
	enum := list(node["enum"])
	if pattern == "" && enum == nil {
		t.Errorf("%s: hints on a schema without enum and pattern", place)
	}
	if hints["*"] == nil {
		t.Errorf("%s: no hint for any other text", place)
	}
	for text, hint := range hints {
		if hint == "" || slices.Contains(enum, any(text)) || pattern != "" && regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s: the hint for %q is empty or never given", place, text)
		}
	}
}

// Below the top level of a form everything is open, and every rule of a
// request has a mark; answers have no rules at all.
func TestOpenness(t *testing.T) {
	c := openContract(t)
	forms := []string{"CreateInteraction", "UpdateChannel"}
	requests := append([]string{"NewChannel", "NewParticipant", "NewRouting", "WhatsAppAddress"}, forms...)
	for name, schema := range c.at(t, "components", "schemas").(map[string]any) {
		root := schema.(map[string]any)
		if isRequest := slices.Contains(requests, name); isRequest != (root["x-patchbay-source"] != nil) {
			t.Errorf("%s: marked %v", name, root["x-patchbay-source"])
		}
		forEachNode(schema, name, func(place string, node map[string]any) {
			if _, isSchema := node["type"]; !isSchema {
				return
			}
			_, closed := node["additionalProperties"]
			if closed != slices.Contains(forms, place) {
				t.Errorf("%s: additionalProperties %v", place, node["additionalProperties"])
			}
			if slices.Contains(requests, name) {
				return
			}
			for _, rule := range []string{"enum", "pattern", "required", "minimum", "maximum", "if", "allOf"} {
				if _, ok := node[rule]; ok {
					t.Errorf("%s: an answer has the rule %s", place, rule)
				}
			}
			if _, isProperty := node["type"].(map[string]any); !isProperty && !slices.Contains(list(node["type"]), any("null")) {
				t.Errorf("%s: not nullable", place)
			}
		})
	}
}
