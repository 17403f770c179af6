package spec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// inShape is, for each shape, a document with a hole for one more key in a
// mapping of that shape.
func inShape(s shape) string {
	const head = "naftiko: 1.0.0-alpha2\n"
	in := func(section, entry string) string {
		return head + "capability: {" + section + ": [" + entry + "]}\n"
	}
	switch s {
	case rootShape:
		return "%s: \n" + head
	case capabilityShape:
		return head + "capability: {%s: }\n"
	case infoShape:
		return head + "info: {%s: }\n"
	case stakeholderShape:
		return head + "info: {stakeholders: [{%s: }]}\n"
	case bindShape:
		return in("binds", "{%s: }")
	case consumesShape:
		return in("consumes", "{%s: }")
	case consumedResourceShape:
		return in("consumes", "{resources: [{%s: }]}")
	case consumedOperationShape:
		return in("consumes", "{resources: [{operations: [{%s: }]}]}")
	case inputShape:
		return in("consumes", "{inputParameters: [{%s: }]}")
	case outputShape:
		return in("exposes", "{type: mcp, tools: [{outputParameters: [{%s: }]}]}")
	case adapterShape:
		return in("exposes", "{%s: }")
	case restShape:
		return in("exposes", "{type: rest, %s: }")
	case mcpShape:
		return in("exposes", "{type: mcp, %s: }")
	case skillShape:
		return in("exposes", "{type: skill, %s: }")
	case exposedResourceShape:
		return in("exposes", "{type: rest, resources: [{%s: }]}")
	case exposedOperationShape:
		return in("exposes", "{type: rest, resources: [{operations: [{%s: }]}]}")
	case toolShape:
		return in("exposes", "{type: mcp, tools: [{%s: }]}")
	case hintsShape:
		return in("exposes", "{type: mcp, tools: [{hints: {%s: }}]}")
	case mcpResourceShape:
		return in("exposes", "{type: mcp, resources: [{%s: }]}")
	case promptShape:
		return in("exposes", "{type: mcp, prompts: [{%s: }]}")
	case promptMessageShape:
		return in("exposes", "{type: mcp, prompts: [{template: [{%s: }]}]}")
	case callStepShape:
		return in("exposes", "{type: mcp, tools: [{steps: [{type: call, %s: }]}]}")
	case lookupStepShape:
		return in("exposes", "{type: mcp, tools: [{steps: [{type: lookup, %s: }]}]}")
	case scriptStepShape:
		return in("exposes", "{type: mcp, tools: [{steps: [{type: script, %s: }]}]}")
	case stepMappingShape:
		return in("exposes", "{type: mcp, tools: [{mappings: [{%s: }]}]}")
	case aggregateShape:
		return in("aggregates", "{%s: }")
	case functionShape:
		return in("aggregates", "{functions: [{%s: }]}")
	case semanticsShape:
		return in("aggregates", "{functions: [{semantics: {%s: }}]}")
	default:
		return ""
	}
}

// unknown reports whether the loader calls a key unknown in a shape.
func unknown(s shape, key string) bool {
	_, list := Load("f", fmt.Appendf(nil, inShape(s), key))
	for _, d := range list {
		if d.Code == CodeUnknownKey && strings.HasPrefix(d.Message, fmt.Sprintf("unknown key %q in %s", key, s)) {
			return true
		}
	}
	return false
}

// What the loader says is expected is what it reads, and the other way round.
func TestShapeKeysAreRead(t *testing.T) {
	all := map[string]bool{}
	for s := range shapeCount {
		if !slices.IsSorted(s.keys()) {
			t.Errorf("the keys of %s are not sorted", s)
		}
		for _, key := range s.keys() {
			all[key] = true
		}
	}
	silent := []string{ // read without effect, reported as deviations
		"const", "contentCompression", "contentEncoding", "contentMediaType", "precision", "scale", "selector", "template", "values",
		"maxLength", "enum", "pattern", "required",
	}
	for s := range shapeCount {
		if s == authenticationShape || s.isOpen() {
			continue // which keys are read depends on the type, or on nobody
		}
		if inShape(s) == "" {
			t.Errorf("no document for %s", s)
			continue
		}
		if !unknown(s, "nonsense") {
			t.Errorf("%s: a nonsense key is not reported", s)
		}
		for key := range all {
			expected := slices.Contains(s.keys(), key)
			if expected && unknown(s, key) {
				t.Errorf("%s: %q is expected and not read", s, key)
			}
			mayBeSilent := strings.HasPrefix(key, "x-") || (s == inputShape || s == outputShape) && slices.Contains(silent, key)
			if !expected && !mayBeSilent && !unknown(s, key) {
				t.Errorf("%s: %q is read and not expected", s, key)
			}
		}
	}
}

// A key of an adapter whose type is not known is for the next stage to judge.
func TestUnknownTypesAreKept(t *testing.T) {
	doc, list := Load("f", []byte(`naftiko: 1.0.0-alpha2
info: {label: x, tags: [t]}
capability:
  consumes: [{namespace: kv, type: workers-kv, description: d, binding: X}]
  exposes:
  - {type: a2a, namespace: a, agents: [x]}
  - type: mcp
    namespace: m
    authentication: {type: hmac, key: k, digest: sha256}
    tools:
    - {name: t, description: d, steps: [{type: transform, name: s, forEach: x}]}
`))
	if len(list) > 0 {
		t.Errorf("findings: %+v", list)
	}
	step := doc.Exposes[1].Tools[0].Run.Steps[0]
	auth := doc.Exposes[1].Authentication
	got := []string{doc.Consumes[0].Type.Value, doc.Exposes[0].Type.Value, auth.Type.Value, auth.Key.Value, auth.Other[0].Name.Value, step.Type.Value, step.Rest[0].Name.Value}
	want := []string{"workers-kv", "a2a", "hmac", "k", "digest", "transform", "forEach"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
