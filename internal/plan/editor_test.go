package plan

import (
	"encoding/json"
	"slices"
	"testing"

	"patchbay/internal/spec"
)

// The words that editors offer are those that the compiler takes, where it and
// not the reader judges them.
func TestEditorsOfferWhatCompiles(t *testing.T) {
	text, err := spec.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	type field struct {
		Enum  []string
		AnyOf []field
	}
	var schema struct {
		Defs map[string]struct{ Properties map[string]field } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	offered := func(shape, key string) []string {
		f := schema.Defs[shape].Properties[key]
		out := f.Enum
		for _, alternative := range f.AnyOf {
			out = append(out, alternative.Enum...)
		}
		return out
	}
	for _, c := range []struct {
		shape, key string
		want       []string
	}{
		{"consumed-operation", "method", methods},
		{"exposed-operation", "method", methods},
		{"input", "in", append(inputPlaces(), "environment")},
		{"rest-adapter", "type", []string{"rest", "mcp", "skill", "control"}},
		{"consumed-api", "type", []string{"http"}},
		{"call-step", "type", stepTypes()},
	} {
		if got := offered(c.shape, c.key); !slices.Equal(got, c.want) {
			t.Errorf("%s of %s: editors offer %q, the compiler takes %q", c.key, c.shape, got, c.want)
		}
	}
}
