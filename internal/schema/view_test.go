package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func propertyNames(s *Schema) []string {
	var names []string
	for _, p := range s.Properties() {
		names = append(names, p.Name)
	}
	return names
}

func TestAccessors(t *testing.T) {
	s := compiled(t, `{"title":"T","description":"D","type":"object","required":["b"],"additionalProperties":false,"properties":{
		"b":{"type":"integer","default":3,"format":"int32","readOnly":true},
		"a":{"enum":["x","y"],"writeOnly":true,"deprecated":true},
		"c":{"type":"array","items":{"const":1}}}}`, Options{DefaultSource: "D"})
	if diff := cmp.Diff([]string{"b", "a", "c"}, propertyNames(s)); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	b, a, c := s.Property("b"), s.Property("a"), s.Property("c")
	for name, ok := range map[string]bool{
		"root":       s.Title() == "T" && s.Description() == "D" && s.Types() == TypeObject && s.Source() == "D",
		"required":   s.Required("b") && !s.Required("a"),
		"additional": !s.AdditionalAllowed() && s.Additional() != nil && a.AdditionalAllowed() && a.Additional() == nil,
		"b":          b.Types() == TypeInteger && b.Default().Text() == "3" && b.Format() == "int32" && b.ReadOnly() && !b.WriteOnly(),
		"a":          len(a.Enum()) == 2 && a.Enum()[1].Text() == "y" && a.WriteOnly() && a.Deprecated() && a.Types() == 0,
		"c":          c.Items().Enum()[0].Text() == "1" && a.Items() == nil,
		"raw":        a.Raw() == s.Raw().Get("properties").Get("a"),
		"unknown":    s.Property("x") == nil && s.Property("x").Types() == 0 && s.Property("x").Property("y") == nil,
	} {
		if !ok {
			t.Errorf("%s: wrong facts", name)
		}
	}
	var none *Schema
	if none.Raw() != nil || none.Source() != "" || none.Properties() != nil || none.Enum() != nil || !none.AdditionalAllowed() {
		t.Error("a nil schema states facts")
	}
}

func TestAccessorsLookThroughInclusion(t *testing.T) {
	s := compiled(t, `{"$defs":{
			"base":{"type":"object","description":"of the base","required":["id"],"properties":{"id":{"type":"string"},"x":{"type":"integer"}}},
			"again":{"$ref":"#/$defs/base"}},
		"properties":{
			"ref":{"$ref":"#/$defs/again","description":"own"},
			"all":{"allOf":[{"$ref":"#/$defs/base"},{"properties":{"y":{},"x":{"type":"string"}},"additionalProperties":false}],"properties":{"z":{}}},
			"null":{"anyOf":[{"$ref":"#/$defs/base"},{"type":"null"}]},
			"mixed":{"oneOf":[{"type":"string"},{"type":"integer"}]},
			"open":{"anyOf":[{"type":"string"},{}]}}}`, Options{})
	ref, all, null := s.Property("ref"), s.Property("all"), s.Property("null")
	if ref.Description() != "own" || ref.Types() != TypeObject || !ref.Required("id") || ref.Property("id").Types() != TypeString {
		t.Error("a reference is not followed")
	}
	if diff := cmp.Diff([]string{"z", "id", "x", "y"}, propertyNames(all)); diff != "" {
		t.Errorf("properties of allOf (-want +got):\n%s", diff)
	}
	if all.Property("x").Types() != TypeInteger || all.AdditionalAllowed() || all.Description() != "of the base" {
		t.Error("allOf is not followed in its order")
	}
	if got := null.Types(); got != TypeObject|TypeNull || null.Property("id") == nil {
		t.Errorf("an alternative to null is not followed: %v", got)
	}
	if got := s.Property("mixed").Types(); got != TypeString|TypeInteger {
		t.Errorf("types of alternatives: %v", got)
	}
	if got := s.Property("open").Types(); got != 0 {
		t.Errorf("types of an open alternative: %v", got)
	}
}

func TestTypeSet(t *testing.T) {
	set := TypeString | TypeNull | TypeInteger
	if diff := cmp.Diff([]string{"string", "integer", "null"}, set.Names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := set.String(); got != "a string, an integer or null" {
		t.Errorf("got %q", got)
	}
	if got := TypeSet(0).String(); got != "anything" {
		t.Errorf("got %q", got)
	}
}
